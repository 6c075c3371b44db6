/* local_target.c - a service that the session is led on to. */
#include "local_target.h"
#include "local_proxy.h"
#include "tcp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FULL_MS = 20 /* after which we knock again where too many wait already */ };

static int connect_tcp(const struct local_target *target, struct wait *wait, struct error *error)
{
    struct transport_config config = {
        .host = target->host, .port = target->port, .numeric = target->numeric, .wait_ms = target->wait_ms, .is_once = true};
    struct transport transport = {.fd = -1};

    return tcp_connect(&config, wait, &transport, error) ? transport.fd : -1;
}

/* No name, no delay, no answer that comes later: it is a connection at once, or never will be; unless its queue is full. */
static int connect_unix(const struct local_target *target, struct wait *wait, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int64_t deadline = wait_until(target->wait_ms);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), reason = errno;

    strncpy(address.sun_path, target->path, sizeof address.sun_path - 1);
    while (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        reason = errno;
        if (reason == EAGAIN && deadline > wait_now()) {
            if (wait_for(wait, NULL, 0, wait_until(FULL_MS)) != WAIT_SIGNALLED)
                continue;
            reason = 0;
        }
        close(fd);
        fd = -1;
    }
    if (fd < 0 && reason == EAGAIN)
        error_set(error, STATUS_TIME, "time ran out: it is there, and does not accept us");
    else if (fd < 0 && reason)
        error_set(error, STATUS_NETWORK, "%s", transport_reason(reason));
    return fd;
}

/* A fresh socket has room for it. */
static bool send_header(int fd, const struct local_occasion *occasion, struct error *error)
{
    uint8_t header[LOCAL_PROXY_MAX];
    size_t length = local_proxy_header(occasion, header);

    if (send(fd, header, length, MSG_NOSIGNAL) == (ssize_t)length)
        return true;
    error_set(error, STATUS_NETWORK, "it does not take the header of --send-proxy: %s", transport_reason(errno));
    return false;
}

int local_target_connect(const struct local_target *target, const struct local_occasion *occasion, struct wait *wait,
                         struct error *error)
{
    int fd = target->path ? connect_unix(target, wait, error) : connect_tcp(target, wait, error);

    if (fd >= 0 && target->send_proxy && !send_header(fd, occasion, error)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        error_prefix(error, "--to %s: ", target->name);
    return fd;
}
