/* tcp.h - TCP connections: called, awaited. (tcp_meet.h has the third way.) */
#ifndef SYMTLS_TCP_H
#define SYMTLS_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "error.h"
#include "listeners.h"
#include "transport.h"
#include "wait.h"

/* Connect. False with an error, or with wait->signal set. */
bool tcp_connect(const struct transport_config *config, struct wait *wait, struct transport *transport, struct error *error);

/* Listen on every address of the host, all on the same port. False with an error. */
bool tcp_listen(const struct transport_config *config, struct wait *wait, struct listeners *listeners, struct error *error);

/* A connection that has come. */
enum listeners_next tcp_next(struct listeners *listeners, struct transport *transport);

/* The next connection. False with an error (STATUS_TIME after config->wait_ms), or with wait->signal set. */
bool tcp_accept(const struct transport_config *config, struct listeners *listeners, struct wait *wait,
                struct transport *transport, struct error *error);

/* ---- For tcp_meet ---- */

/* A non-blocking socket, as we want it. -1 with errno. */
int tcp_socket(int family);

/* How a socket of ours behaves. */
void tcp_tune(int fd);

/* The same for the next connection that has come to a listener. */
int tcp_take(int listener);

/* The connection on `fd` is with the socket itself: our own port was the one that we called. */
bool tcp_is_self(const struct transport *transport);

void tcp_describe(struct transport *transport, int fd, enum transport_setup setup);

#endif
