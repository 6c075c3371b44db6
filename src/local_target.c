/* local_target.c - a service that the session is led on to. */
#include "local_target.h"
#include "local_proxy.h"
#include "tcp.h"
#include "unixsock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int reach(const struct local_target *target, struct wait *wait, struct error *error)
{
    struct transport_config config = {.host = target->path ? target->path : target->host,
                                      .port = target->port,
                                      .numeric = target->numeric,
                                      .wait_ms = target->wait_ms,
                                      .is_once = true};
    struct transport transport = {.fd = -1};

    return (target->path ? unixsock_connect : tcp_connect)(&config, wait, &transport, error) ? transport.fd : -1;
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
    int fd = reach(target, wait, error);

    if (fd >= 0 && target->send_proxy && !send_header(fd, occasion, error)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        error_prefix(error, "--to %s: ", target->name);
    return fd;
}
