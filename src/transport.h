/* transport.h - every transport is a descriptor plus a few facts. */
#ifndef SYMTLS_TRANSPORT_H
#define SYMTLS_TRANSPORT_H

#include <stdbool.h>

#include "address.h"
#include "error.h"
#include "wait.h"

enum transport_setup { TRANSPORT_ACTIVE, TRANSPORT_PASSIVE, TRANSPORT_SIMULTANEOUS };

struct transport {
    int fd; /* non-blocking, close-on-exec; -1: none */
    enum transport_setup setup;
    struct address local;
    struct address remote;
};

/* Bytes that were sent and that the peer's kernel has not acknowledged. */
size_t transport_unacknowledged(const struct transport *transport);

/* Say that no more will come, wait until the peer has said so too, or `ms` have passed, throwing away what it still
 * sends; then close. Closing with unread data would reset the connection, and the peer would lose what it had not read
 * yet. While more than `immaterial` bytes are unacknowledged it waits up to `patience_ms`. Returns how many are in the end. */
size_t transport_finish(struct transport *transport, struct wait *wait, int ms, size_t immaterial, int patience_ms);

/* Close at once, by a reset. */
void transport_abort(struct transport *transport);

#endif
