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
    bool flows;              /* the last read took all that there was room for: most likely there is more */
    int64_t last_traffic;    /* wait_now() when bytes went either way */
    int64_t heard_at;        /* wait_now() when the peer was heard; 0: never */
    int unreachable;         /* datagrams: errno of the last ICMP error; 0: none since the peer was heard */
    int64_t unreachable_since;
    unsigned strangers;      /* datagrams that were not from the peer's host */
    unsigned other_port;     /* the port that the peer's host spoke from, if it was not the one we look for; 0: none */
    size_t overhead;         /* of IP and UDP, in bytes */
};

/* Take over a connection, and begin a session on it. False with an error; the connection is closed then. */
bool channel_open(struct channel *channel, const struct session_config *config, const struct transport *transport,
                  struct error *error);
void channel_free(struct channel *channel); /* resets the connection if it is still there */

/* What to wait for now. */
struct pollfd channel_poll(const struct channel *channel);

/* A datagram of the peer that came before the channel was there. */
void channel_feed(struct channel *channel, const uint8_t *bytes, size_t length);

bool channel_is_datagrams(const struct channel *channel);

/* When to call channel_tick() though poll(2) says nothing; WAIT_FOREVER: never. */
int64_t channel_deadline(const struct channel *channel);
void channel_tick(struct channel *channel);

/* Read and write once, as poll(2) said. */
void channel_move(struct channel *channel, short revents);

/* Everything that the session put out is with the kernel (or is lost with the connection). */
bool channel_is_flushed(const struct channel *channel);

#endif
