/* listeners.h - sockets that wait for a peer: one for each of our addresses, all on the same port. */
#ifndef SYMTLS_LISTENERS_H
#define SYMTLS_LISTENERS_H

#include "buffer.h"
#include "transport.h"

struct listeners {
    struct address local[ADDRESS_LIST_MAX]; /* with the real port */
    int fds[ADDRESS_LIST_MAX];
    size_t count;
    size_t turn;         /* which is asked first: none of them shall keep the others waiting */
    struct buffer aside; /* UDP: datagrams of others that came while one peer was taken */
};

/* Whether somebody has come, without waiting for that. */
enum listeners_next {
    LISTENERS_NOBODY,
    LISTENERS_PEER,
    LISTENERS_EXHAUSTED /* somebody waits there, but errno: no descriptor or no memory for it */
};

/* A socket that waits on `address`, IPv6 ones for IPv4 too if `dual_stack`. -1 with errno. */
typedef int listeners_socket(const struct address *address, bool dual_stack);

/* Wait on every address of config->host, or on all that there are. False with an error, or with wait->signal set. */
bool listeners_open(const struct transport_config *config, struct wait *wait, listeners_socket *make,
                    struct listeners *listeners, struct error *error);
void listeners_close(struct listeners *listeners);

/* errno is of the kind that passes when others have let go of something. */
bool listeners_is_exhausted(int reason);

/* Nobody came in time: STATUS_TIME. */
void listeners_tell_late(const struct transport_config *config, struct error *error);

/* Wait until one of them has something. STATUS_TIME in the error after `deadline`; false then, or with wait->signal set.
 * fds[i] is what poll(2) said of each. */
bool listeners_wait(const struct transport_config *config, const struct listeners *listeners, struct wait *wait,
                    int64_t deadline, struct pollfd fds[ADDRESS_LIST_MAX], struct error *error);

#endif
