/* transport.c - the end of a connection. */
#include "transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ACKNOWLEDGE_MS = 10 };

const char *transport_reason(int reason)
{
    return strerrordesc_np(reason) ? strerrordesc_np(reason) : "unknown error";
}

size_t transport_unacknowledged(const struct transport *transport)
{
    int unsent = 0;

    if (transport->kind == TRANSPORT_UDP)
        return 0; /* nobody acknowledges */
    return ioctl(transport->fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 ? (size_t)unsent : 0;
}

/* Throw away what has come. False: nothing more will. */
static bool drain(const struct transport *transport)
{
    char rest[16384];
    ssize_t length = recv(transport->fd, rest, sizeof rest, 0);

    return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The same once we have said that no more comes: the kernel counts that as one byte more. */
static size_t not_taken(const struct transport *transport)
{
    size_t unacknowledged = transport_unacknowledged(transport);

    return unacknowledged ? unacknowledged - 1 : 0;
}

/* The connection was reset: no acknowledgement will come either. */
static bool is_dead(const struct transport *transport)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    return getsockopt(transport->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
}

size_t transport_finish(struct transport *transport, struct wait *wait, int ms, size_t immaterial, int patience_ms)
{
    int64_t deadline = wait_until(ms), patience = wait_until(patience_ms);
    struct pollfd poll_fd = {.fd = transport->fd, .events = POLLIN};
    size_t left;

    if (transport->kind == TRANSPORT_UDP) {
        transport_abort(transport);
        return 0;
    }
    shutdown(transport->fd, SHUT_WR);
    for (;;) {
        enum wait_result result = wait_for(wait, &poll_fd, 1, deadline);

        if (result == WAIT_SIGNALLED)
            break;
        if (result == WAIT_READY && !drain(transport)) {
            poll_fd.fd = -1;
            deadline = wait_now();
        }
        if (deadline > wait_now())
            continue;
        if (not_taken(transport) <= immaterial || patience <= wait_now() || is_dead(transport))
            break;
        deadline = wait_until(ACKNOWLEDGE_MS); /* no event tells of that */
    }
    left = not_taken(transport);
    close(transport->fd);
    transport->fd = -1;
    return left;
}

void transport_abort(struct transport *transport)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (transport->fd < 0)
        return;
    setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(transport->fd);
    transport->fd = -1;
}
