/* channel.h - a session on its transport: bytes between the socket and the session's buffers. */
#ifndef SYMTLS_CHANNEL_H
#define SYMTLS_CHANNEL_H

#include "session.h"
#include "transport.h"

struct channel {
    struct transport transport;
    struct session *session; /* owned */
    struct error *error;     /* borrowed; the session's */
    bool ended;              /* nothing will come any more: end of stream, or reset */
    bool broken;             /* nothing can be sent any more */
    int64_t last_traffic;    /* wait_now() when bytes went either way */
};

/* Take over a connection, and begin a session on it. False with an error; the connection is closed then. */
bool channel_open(struct channel *channel, const struct session_config *config, const struct transport *transport,
                  struct error *error);
void channel_free(struct channel *channel); /* resets the connection if it is still there */

/* What to wait for now. */
struct pollfd channel_poll(const struct channel *channel);

/* Read and write once, as poll(2) said. */
void channel_move(struct channel *channel, short revents);

/* Everything that the session put out is with the kernel (or is lost with the connection). */
bool channel_is_flushed(const struct channel *channel);

#endif
