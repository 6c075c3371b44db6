/* role_datagram.h - who becomes TLS client and who server, where hellos are lost, doubled, reordered and late: DTLS 1.2.
 * Datagrams and time in, a step out: no sockets, no clock, no TLS library.
 *
 * The rules are those of symtls-protocol(7), "Datagrams"; they are named by their numbers there. The decisions themselves,
 * and their outcome, are the ones of role.h. Times are milliseconds on any clock that only goes forward. */
#ifndef SYMTLS_ROLE_DATAGRAM_H
#define SYMTLS_ROLE_DATAGRAM_H

#include "dtls.h"
#include "role.h"

#define ROLE_DATAGRAM_NEVER INT64_MAX

struct role_datagram {
    struct role_stream *stream; /* borrowed: the configuration, the step, and in the end the outcome */
    struct buffer hello;        /* ours, a queue of datagrams */
    uint64_t sequence;          /* of the next record that says it again */
    struct dtls_assembly theirs;
    uint64_t their_sequence;    /* of the record that completed it */
    struct buffer held;         /* a server's datagrams that came ahead of the hello that should have come first */
    struct buffer rest;         /* what the TLS session has to read first */
    int64_t interval_ms;
    int64_t repeat_at;
    int64_t said_at;            /* ours, for the first time */
    int64_t round_trip_ms;      /* from ours to the first answer; -1: not known, since we had repeated ourselves */
    unsigned verified;          /* HelloVerifyRequests that we answered */
    unsigned strange;           /* datagrams that were no DTLS */
    bool understood;            /* the peer has said something that belongs here: it is where we look for it */
};

/* `stream` has been through role_init(); `first_repeat_ms` after our hello it is said again, then after twice that, and so on
 * until once a second (rule 1). */
void role_datagram_init(struct role_datagram *datagram, struct role_stream *stream, int first_repeat_ms);
void role_datagram_free(struct role_datagram *datagram);

/* Our own ClientHello, a queue of datagrams, has just been made and said: after ROLE_STEP_HELLO the first one, after
 * ROLE_STEP_VERIFY the one with the cookie. Ask role_datagram_next() then. False: it is none, an internal error. */
bool role_datagram_our_hello(struct role_datagram *datagram, const struct buffer *queue, int64_t now);

/* A datagram from the peer, while the step is MORE. HELLO: make our ClientHello. VERIFY: this very datagram is for our client
 * session. CLIENT and SERVER: datagram->rest is what the session has to read first. REFUSE: as in role.h, but first say our
 * hello again, so that the peer learns as much as we did. MORE: whatever it was, it is dealt with. */
enum role_step role_datagram_feed(struct role_datagram *datagram, const uint8_t *bytes, size_t length, int64_t now);

/* Where we are, after HELLO was done. */
enum role_step role_datagram_next(struct role_datagram *datagram);

/* It is `now`: REPEAT when our hello is due again; send role_datagram_again(). Else the step as it was. */
enum role_step role_datagram_time(struct role_datagram *datagram, int64_t now);

/* When to call that; ROLE_DATAGRAM_NEVER once the role is decided: the TLS library repeats by itself then. */
int64_t role_datagram_deadline(const struct role_datagram *datagram);

/* Append our hello to a queue of datagrams, under record numbers that were not used yet. Rule 5: the server-elect does so
 * ahead of every flight. False: no memory. */
bool role_datagram_again(struct role_datagram *datagram, struct buffer *queue);

/* What a datagram turned out to be that came when the role was decided. */
enum role_heard {
    ROLE_HEARD_NOTHING, /* nothing that the TLS session may see */
    ROLE_HEARD_HELLO,   /* a hello, once more */
    ROLE_HEARD_MORE     /* the handshake goes on, or is over */
};

/* Let the TLS session have of it what it may see: append that to the queue `input`, record by record, since GnuTLS leaves what is
 * behind the first one lying when it does not like that. Rules 6, 7 and 8; once the
 * handshake is over nothing in the clear is let through, since anybody could have sent it. */
enum role_heard role_datagram_filter(struct role_datagram *datagram, const uint8_t *bytes, size_t length,
                                     bool handshake_over, struct buffer *input);

#endif
