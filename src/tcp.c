/* tcp.c - TCP connections: called, awaited. */
#include "tcp.h"
#include "endpoints.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    NEXT_ADDRESS_MS = 250 /* the Connection Attempt Delay of RFC 8305 section 5 */
};

/* ---- Common to all set-ups ---- */

void tcp_tune(int fd)
{
    int on = 1;

    /* Our writes are as large as they can be already; a delayed last one would only be late. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* -1 stays -1, with its errno. */
static int tuned(int fd)
{
    if (fd >= 0)
        tcp_tune(fd);
    return fd;
}

int tcp_socket(int family)
{
    return tuned(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int tcp_take(int listener)
{
    return tuned(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

bool tcp_is_self(const struct transport *transport)
{
    return transport->local.length && address_same(&transport->local, &transport->remote);
}

void tcp_describe(struct transport *transport, int fd, enum transport_setup setup)
{
    *transport = (struct transport){.kind = TRANSPORT_TCP, .fd = fd, .setup = setup};
    address_of_socket(fd, &transport->local, &transport->remote);
}

/* ---- Connecting ---- */

/* One call to one address. */
struct attempt {
    struct address address;
    int fd;     /* -1: not begun, or over */
    bool begun;
    int reason; /* errno, once it is over */
};

static bool bind_source(int fd, const struct address_list *sources, const struct address *target)
{
    int on = 1;

    if (sources->count == 0)
        return true;
    for (size_t i = 0; i < sources->count; i++) {
        if (address_family(&sources->at[i]) != address_family(target))
            continue;
        if (address_port(&sources->at[i]))
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        return bind(fd, (const struct sockaddr *)&sources->at[i].storage, sources->at[i].length) == 0;
    }
    errno = EAFNOSUPPORT;
    return false;
}

static void begin(struct attempt *attempt, const struct address_list *sources)
{
    attempt->begun = true;
    attempt->fd = tcp_socket(address_family(&attempt->address));
    if (attempt->fd >= 0 && bind_source(attempt->fd, sources, &attempt->address) &&
        (connect(attempt->fd, (const struct sockaddr *)&attempt->address.storage, attempt->address.length) == 0 ||
         errno == EINPROGRESS))
        return;
    attempt->reason = errno;
    if (attempt->fd >= 0)
        close(attempt->fd);
    attempt->fd = -1;
}

/* The attempt's socket has become ready: is it a connection? */
static bool conclude(struct attempt *attempt, const struct transport_config *config, struct transport *transport)
{
    socklen_t length = sizeof attempt->reason;

    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &attempt->reason, &length) != 0)
        attempt->reason = errno;
    if (attempt->reason == 0) {
        tcp_describe(transport, attempt->fd, TRANSPORT_ACTIVE);
        /* Without a listener a call to a port of our own can happen to come from that very port. Nobody was there. */
        if (!tcp_is_self(transport) || config->source_port)
            return true;
        transport_abort(transport);
        attempt->fd = -1;
        attempt->reason = ECONNREFUSED;
        return false;
    }
    close(attempt->fd);
    attempt->fd = -1;
    return false;
}

/* Begin the next call when the last one is over, or has been silent for a while. False: all are over. */
static bool keep_calling(struct attempt *attempts, size_t count, const struct address_list *sources, int64_t *next)
{
    bool pending = false;

    for (size_t i = 0; i < count; i++) {
        pending = pending || attempts[i].fd >= 0;
        if (attempts[i].begun)
            continue;
        if (pending && wait_now() < *next)
            return true;
        begin(&attempts[i], sources);
        *next = wait_until(NEXT_ADDRESS_MS);
        pending = pending || attempts[i].fd >= 0;
    }
    if (pending)
        *next = WAIT_FOREVER;
    return pending;
}

static bool collect(struct attempt *attempts, size_t count, const struct pollfd *fds, const struct transport_config *config,
                    struct transport *transport)
{
    for (size_t i = 0; i < count; i++)
        if (attempts[i].fd >= 0 && fds[i].revents && conclude(&attempts[i], config, transport)) {
            attempts[i].fd = -1;
            return true;
        }
    return false;
}

static void tell_failures(const struct transport_config *config, const struct attempt *attempts, size_t count, bool late,
                          struct error *error)
{
    char list[768] = "", text[ADDRESS_TEXT_SIZE], duration[TEXT_DURATION_SIZE];
    size_t used = 0;

    for (size_t i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s: %s", i ? "; " : "",
                                 address_text(&attempts[i].address, text),
                                 !attempts[i].begun        ? "not tried"
                                 : attempts[i].reason == 0 ? "no answer"
                                                           : transport_reason(attempts[i].reason));
    if (late)
        error_set(error, STATUS_TIME, "time ran out while connecting to %s (-w %s): %s", config->host,
                  text_from_duration(duration, config->wait_ms), list);
    else
        error_set(error, STATUS_NETWORK, "cannot connect to %s: %s%s%s", config->host, list,
                  attempts[0].reason == ECONNREFUSED ? "; nobody listens there" : "",
                  attempts[0].reason == ECONNREFUSED && !config->is_once ? " (yet: --retry would wait for the peer)" : "");
}

static bool call(const struct transport_config *config, const struct address_list *targets, const struct address_list *sources,
                 struct wait *wait, int64_t deadline, struct transport *transport, struct error *error)
{
    struct attempt attempts[ADDRESS_LIST_MAX];
    struct pollfd fds[ADDRESS_LIST_MAX];
    enum wait_result result = WAIT_READY;
    bool connected = false;
    int64_t next = 0;

    for (size_t i = 0; i < targets->count; i++)
        attempts[i] = (struct attempt){.address = targets->at[i], .fd = -1};
    while (!connected && keep_calling(attempts, targets->count, sources, &next)) {
        for (size_t i = 0; i < targets->count; i++)
            fds[i] = (struct pollfd){.fd = attempts[i].fd, .events = POLLOUT};
        result = wait_for(wait, fds, targets->count, next < deadline ? next : deadline);
        if (result == WAIT_SIGNALLED || (result == WAIT_LATE && deadline <= wait_now()))
            break;
        connected = result == WAIT_READY && collect(attempts, targets->count, fds, config, transport);
    }
    if (!connected && result != WAIT_SIGNALLED)
        tell_failures(config, attempts, targets->count, result == WAIT_LATE && deadline <= wait_now(), error);
    for (size_t i = 0; i < targets->count; i++)
        if (attempts[i].fd >= 0)
            close(attempts[i].fd);
    return connected;
}

static bool try_once(const struct transport_config *config, struct wait *wait, struct transport *transport, struct error *error)
{
    struct address_list targets, sources;
    int64_t deadline = wait_until(config->wait_ms);

    return endpoints_source(config, wait, deadline, &sources, error) &&
           endpoints_peer(config, wait, deadline, &targets, error) &&
           call(config, &targets, &sources, wait, deadline, transport, error);
}

bool tcp_connect(const struct transport_config *config, struct wait *wait, struct transport *transport, struct error *error)
{
    for (int failures = 0; !try_once(config, wait, transport, error); failures++)
        if (!transport_try_again(config, failures, wait, error))
            return false;
    if (tcp_is_self(transport)) {
        error_set(error, STATUS_ROLE, "we are talking to ourselves: the peer's address and port are our own");
        transport_abort(transport);
        return false;
    }
    return true;
}

/* ---- Listening ---- */

static int listen_on(const struct address *address, bool dual_stack)
{
    int on = 1, six_only = !dual_stack, reason;
    int fd = tcp_socket(address_family(address));

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address_family(address) == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, sizeof six_only);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

bool tcp_listen(const struct transport_config *config, struct wait *wait, struct listeners *listeners, struct error *error)
{
    return listeners_open(config, wait, listen_on, listeners, error);
}

enum listeners_next tcp_next(struct listeners *listeners, struct transport *transport)
{
    for (size_t i = 0; i < listeners->count; i++) {
        int fd = tcp_take(listeners->fds[listeners->turn++ % listeners->count]);

        if (fd >= 0) {
            tcp_describe(transport, fd, TRANSPORT_PASSIVE);
            if (transport->remote.length)
                return LISTENERS_PEER;
            close(fd); /* it has gone already */
        } else if (listeners_is_exhausted(errno)) {
            return LISTENERS_EXHAUSTED;
        }
    }
    return LISTENERS_NOBODY;
}

bool tcp_accept(const struct transport_config *config, struct listeners *listeners, struct wait *wait,
                struct transport *transport, struct error *error)
{
    int64_t deadline = wait_until(config->wait_ms);
    struct pollfd fds[ADDRESS_LIST_MAX];

    while (listeners_wait(config, listeners, wait, deadline, fds, error)) {
        switch (tcp_next(listeners, transport)) {
        case LISTENERS_PEER:
            return true;
        case LISTENERS_EXHAUSTED:
            error_set(error, STATUS_NETWORK, "cannot accept a connection: %s", transport_reason(errno));
            return false;
        case LISTENERS_NOBODY:
            break;
        }
    }
    return false;
}
