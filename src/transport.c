/* transport.c - the end of a connection. */
#include "transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ACKNOWLEDGE_MS = 10 };

size_t transport_unacknowledged(const struct transport *transport)
{
    int unsent = 0;

    return ioctl(transport->fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 ? (size_t)unsent : 0;
}

/* Throw away what has come. False: nothing more will. */
static bool drain(const struct transport *transport)
{
    char rest[16384];
    ssize_t length = recv(transport->fd, rest, sizeof rest, 0);

    return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

size_t transport_finish(struct transport *transport, struct wait *wait, int ms, size_t immaterial, int patience_ms)
{
    int64_t deadline = wait_until(ms), patience = wait_until(patience_ms);
    struct pollfd poll_fd = {.fd = transport->fd, .events = POLLIN};
    size_t unacknowledged;

    shutdown(transport->fd, SHUT_WR);
    for (;;) {
        enum wait_result result = wait_for(wait, &poll_fd, 1, deadline);

        if (result == WAIT_SIGNALLED)
            break;
        if (result == WAIT_READY && !drain(transport)) {
            if (poll_fd.revents & POLLERR)
                break; /* a reset: no acknowledgement will come either */
            poll_fd.fd = -1;
            deadline = wait_now();
        }
        if (deadline > wait_now())
            continue;
        if (transport_unacknowledged(transport) <= immaterial || patience <= wait_now())
            break;
        deadline = wait_until(ACKNOWLEDGE_MS); /* no event tells of that */
    }
    unacknowledged = transport_unacknowledged(transport);
    close(transport->fd);
    transport->fd = -1;
    return unacknowledged;
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
