/* role.h - who becomes TLS client and who TLS server. Bytes in, a step out: no sockets, no clock, no TLS library.
 *
 * draft-vanrein-tls-symmetry; symtls-protocol(7) has our decisions where the draft is silent. Section numbers below
 * are those of symtls-protocol(7). */
#ifndef SYMTLS_ROLE_H
#define SYMTLS_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "error.h"
#include "hello.h"

enum role { ROLE_UNDECIDED, ROLE_CLIENT, ROLE_SERVER };

/* ---- The value of a role_preference (section 1) ---- */

/* What --role says. */
enum role_want { ROLE_WANT_ANY, ROLE_WANT_CLIENT, ROLE_WANT_SERVER, ROLE_WANT_PREFER_CLIENT, ROLE_WANT_PREFER_SERVER };

/* A value, or (with --implicit) the last 28 bytes of a Random in its place. Length 0: none. */
struct role_preference {
    uint8_t value[HELLO_PREFERENCE_MAX];
    size_t length;
};

/* Fill `length` bytes with random ones; false when there are none to be had. */
typedef bool role_random(void *bytes, size_t length);

/* Make the value that says `want`. False when `random` failed. */
bool role_preference_make(struct role_preference *preference, enum role_want want, role_random *random);

/* Take a value that the user wrote: 1 to 32 bytes, each 33..126. False when it is not so. */
bool role_preference_parse(struct role_preference *preference, const char *text);

/* Less than 0: `ours` is ordered before `theirs`, and we become the client. More than 0: the server. 0: a tie. */
int role_preference_compare(const struct role_preference *ours, const struct role_preference *theirs);

/* ---- The first message on a byte stream (sections 2 and 3) ---- */

/* What --symmetric says. */
enum role_symmetric { ROLE_SYMMETRIC_ALLOW, ROLE_SYMMETRIC_REQUIRE, ROLE_SYMMETRIC_NEVER };

struct role_config {
    enum role_want want; /* with NEVER: ROLE_WANT_CLIENT or ROLE_WANT_SERVER */
    enum role_symmetric symmetric;
    bool active;   /* our ClientHello goes out at once, whatever the peer does */
    bool implicit; /* section 7: a Random stands in for a missing role_preference */
    uint16_t extension_id;
    struct role_preference ours; /* with `implicit` it is read from our hello instead */
};

enum role_step {
    ROLE_STEP_MORE,   /* undecided: feed what the peer sends next */
    ROLE_STEP_HELLO,  /* make our ClientHello, tell it with role_our_hello(), and ask role_next() again */
    ROLE_STEP_CLIENT, /* go on as the TLS client; role_rest() is its input */
    ROLE_STEP_SERVER, /* go on as the TLS server; role_rest() is its input */
    ROLE_STEP_VERIFY, /* datagrams only: our client session has to answer this HelloVerifyRequest; tell its new hello */
    ROLE_STEP_REPEAT, /* datagrams only: say our hello again */
    ROLE_STEP_REFUSE  /* send `alert` unless it is ROLE_NO_ALERT, and give up; role_story() says why */
};

enum role_decided_by {
    ROLE_BY_EXTENSION,
    ROLE_BY_IMPLICIT,
    ROLE_BY_PLAIN_CLIENT, /* the peer is one */
    ROLE_BY_PLAIN_SERVER, /* the peer is one */
    ROLE_BY_OPTION        /* --symmetric never */
};

enum role_reason {
    ROLE_REASON_NONE,
    ROLE_REASON_TIE,              /* equal values */
    ROLE_REASON_PLAIN_CLIENT,     /* a ClientHello without the extension while ours is out */
    ROLE_REASON_CLIENT_UNWANTED,  /* the same, when we must not be its server */
    ROLE_REASON_SERVER_UNWANTED,  /* a ServerHello when we must not be its client */
    ROLE_REASON_TWO_CLIENTS,      /* --symmetric never, and both sent a ClientHello */
    ROLE_REASON_TWO_SERVERS,      /* a ServerHello to a hello that we never sent */
    ROLE_REASON_BAD_PREFERENCE,
    ROLE_REASON_BAD_HELLO,
    ROLE_REASON_HELLO_TOO_LARGE,
    ROLE_REASON_RECORD_TOO_LONG,
    ROLE_REASON_UNEXPECTED,       /* a TLS record, but none that can come first */
    ROLE_REASON_ALERT,            /* the peer's alert; its number is in `peer_alert` */
    ROLE_REASON_HTTP,
    ROLE_REASON_SSH,
    ROLE_REASON_SSLV2,
    ROLE_REASON_NOT_TLS,
    ROLE_REASON_SILENT_END,       /* end of stream before any byte */
    ROLE_REASON_CUT,              /* end of stream in the middle of the first message */
    ROLE_REASON_MEMORY
};

#define ROLE_NO_ALERT (-1)

/* The state of one stream. Zeroed and then given a config by role_init(). */
struct role_stream {
    struct role_config config;
    enum role_step step;
    struct buffer raw;     /* everything that came, as it came */
    struct buffer message; /* the handshake message in it so far */
    size_t parsed;         /* bytes of `raw` whose records are in `message` */
    size_t surplus;        /* bytes of the last parsed record that are behind the ClientHello */
    bool said_hello;       /* ours is out */

    /* The outcome; valid once the step is CLIENT, SERVER or REFUSE. */
    bool symmetric;
    bool symmetric_unknown; /* datagrams only: a server's, or a symmetric peer's whose hello was lost */
    bool peer_is_explicit; /* `peer` came in the extension */
    enum role_decided_by decided_by;
    struct role_preference peer; /* length 0: it sent none */
    enum role_reason reason;
    int alert;                   /* to send, AlertDescription of RFC 8446 section 6, or ROLE_NO_ALERT */
    int peer_alert;              /* that we got, or ROLE_NO_ALERT */
};

void role_init(struct role_stream *stream, const struct role_config *config);
void role_free(struct role_stream *stream);

/* Our own ClientHello as TLS records, when it is made. False: it is not one, an internal error. */
bool role_our_hello(struct role_stream *stream, const uint8_t *records, size_t length);

/* What the peer sent next, in pieces of any size. Only while the step is MORE. */
enum role_step role_feed(struct role_stream *stream, const uint8_t *bytes, size_t length);

/* The peer's stream has ended. Only while the step is MORE. */
enum role_step role_end(struct role_stream *stream);

/* Where we are; after ROLE_STEP_HELLO was done this goes on. */
enum role_step role_next(struct role_stream *stream);

/* With CLIENT or SERVER: append to `input` what the TLS session has to read first: everything that came, less the
 * ClientHello if we struck it. False: no memory. */
bool role_rest(const struct role_stream *stream, struct buffer *input);

/* With REFUSE: the exit status, and the sentence for the user. */
enum status role_status(const struct role_stream *stream);
void role_story(const struct role_stream *stream, char *text, size_t size);

/* A fatal alert as a cleartext record (RFC 8446 section 6), for when no TLS session exists. */
#define ROLE_ALERT_RECORD_SIZE 7
void role_alert_record(uint8_t record[ROLE_ALERT_RECORD_SIZE], int alert);

#endif
