/* trace_event.h - what a session tells whoever draws it (trace.h), while it happens. */
#ifndef SYMTLS_TRACE_EVENT_H
#define SYMTLS_TRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind {
    TRACE_CONNECTION, /* the next session will be on this one: `texts` are our address, the peer's, and the transport */
    TRACE_MESSAGE,    /* a handshake message: `number` is its type, `bytes` its body; `texts` say more about it */
    TRACE_ALERT,      /* `number` is its AlertDescription, `fatal` its level */
    TRACE_WIRE,       /* `bytes` of the stream, or a datagram, as the transport has them */
    TRACE_DATA,       /* the first application data in this direction */
    TRACE_NOTE,       /* `texts[0]` is a sentence */
    TRACE_GONE        /* the session is no more */
};

enum trace_direction { TRACE_OUT, TRACE_IN };

#define TRACE_TEXTS_MAX 4

/* Everything is borrowed, and whatever came from the peer is as it came. */
struct trace_event {
    enum trace_kind kind;
    const void *session; /* which it is: only compared. NULL: none yet, for a connection, or a note about strangers */
    enum trace_direction direction;
    bool datagrams;
    bool encrypted;
    bool struck;         /* a ClientHello that, as is known already, no handshake will be made of */
    bool important;      /* a note: what the roles came to, or why it ends */
    int message_seq;     /* of a DTLS message; -1: none */
    uint8_t number;
    bool fatal;
    uint16_t extension_id; /* of the role_preference, with TRACE_MESSAGE */
    const uint8_t *bytes;
    size_t length;
    const char *texts[TRACE_TEXTS_MAX]; /* NULL: no more */
};

/* Who listens. */
struct trace_sink {
    void (*take)(void *context, const struct trace_event *event);
    void *context;
};

#endif
