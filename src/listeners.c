/* listeners.c - sockets that wait for a peer. */
#include "listeners.h"
#include "endpoints.h"
#include "text.h"

#include <errno.h>
#include <unistd.h>

enum { SAME_PORT_TRIES = 16 };

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close(listeners->fds[i]);
    listeners->count = 0;
    buffer_free(&listeners->aside);
}

bool listeners_is_exhausted(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOMEM || reason == ENOBUFS;
}

/* All on one port: with port 0 the first one picks it. False with errno, and *failed is the address. */
static bool open_all(const struct address_list *list, bool dual_stack, listeners_socket *make,
                     struct listeners *listeners, struct address *failed)
{
    struct address ignored;

    listeners->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct address address = list->at[i];

        if (address_port(&address) == 0 && i > 0)
            address_set_port(&address, address_port(&listeners->local[0]));
        *failed = address;
        listeners->fds[i] = make(&address, dual_stack);
        if (listeners->fds[i] < 0) {
            int reason = errno;

            listeners_close(listeners);
            errno = reason;
            return false;
        }
        address_of_socket(listeners->fds[i], &listeners->local[i], &ignored);
        listeners->count++;
    }
    return true;
}

/* The wildcard is one IPv6 socket that takes IPv4 too, where the kernel has IPv6, else one for IPv4. */
static bool choose_wildcard(const struct transport_config *config, struct address_list *list)
{
    int fd = config->family == AF_INET ? -1 : socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int wanted = fd >= 0 ? AF_INET6 : AF_INET;

    if (fd >= 0)
        close(fd);
    for (size_t i = 0; i < list->count; i++)
        if (address_family(&list->at[i]) == wanted)
            list->at[0] = list->at[i];
    list->count = 1;
    return wanted == AF_INET6 && config->family == AF_UNSPEC;
}

bool listeners_open(const struct transport_config *config, struct wait *wait, listeners_socket *make,
                    struct listeners *listeners, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address_list list;
    struct address failed;
    bool dual_stack = false;

    *listeners = (struct listeners){.count = 0};
    if (!endpoints_ours(config, config->host, config->port, wait, wait_until(config->wait_ms), &list, error))
        return false;
    if (!config->host)
        dual_stack = choose_wildcard(config, &list);
    for (int i = 0; i < SAME_PORT_TRIES; i++) {
        if (open_all(&list, dual_stack, make, listeners, &failed))
            return true;
        /* A port that is free on one address may be in use on another: pick again. */
        if (errno != EADDRINUSE || address_port(&list.at[0]) != 0)
            break;
    }
    error_set(error, STATUS_NETWORK, "cannot listen on %s: %s", address_text(&failed, text), transport_reason(errno));
    return false;
}

void listeners_tell_late(const struct transport_config *config, struct error *error)
{
    char duration[TEXT_DURATION_SIZE];

    error_set(error, STATUS_TIME, "time ran out while waiting for a peer (-w %s): nobody came",
              text_from_duration(duration, config->wait_ms));
}

bool listeners_wait(const struct transport_config *config, const struct listeners *listeners, struct wait *wait,
                    int64_t deadline, struct pollfd fds[ADDRESS_LIST_MAX], struct error *error)
{
    for (size_t i = 0; i < listeners->count; i++)
        fds[i] = (struct pollfd){.fd = listeners->fds[i], .events = POLLIN};
    switch (wait_for(wait, fds, listeners->count, deadline)) {
    case WAIT_LATE:
        listeners_tell_late(config, error);
        return false;
    case WAIT_SIGNALLED:
        return false;
    default:
        return true;
    }
}
