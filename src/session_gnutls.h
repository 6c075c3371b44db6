/* session_gnutls.h - a session's insides, for the session_*.c files. */
#ifndef SYMTLS_SESSION_GNUTLS_H
#define SYMTLS_SESSION_GNUTLS_H

#include <gnutls/gnutls.h>

#include "identity_credential.h"
#include "role_datagram.h"
#include "session.h"

/* How it is going with a pre-shared key. */
struct session_psk {
    gnutls_psk_client_credentials_t client;
    gnutls_psk_server_credentials_t server;
    char peer[PSK_NAME_SIZE]; /* whom the key is shared with; "": nobody told */
    char claimed[PSK_NAME_SIZE]; /* as server: what the client calls itself, fit for printing */
    enum psk_claim claim;     /* as server: what came of that */
    bool is_claimed;          /* ... once it has said so */
    bool forgotten;           /* an earlier session is resumed, with somebody for whom there is no key any more */
    unsigned sealed;          /* datagrams: records that should have been decrypted */
};

/* New keys while the session is open. */
struct session_keys {
    bool owed;   /* the peer wishes for an answer */
    bool wished; /* we do */
    bool has_wished;
    int64_t wished_at;
    unsigned answers;
    unsigned taken;  /* from the peer since */
    int64_t span_at; /* ... then */
};

struct session {
    const struct session_config *config;
    struct error *error;
    struct role_stream role;
    gnutls_session_t tls; /* NULL while a passive end is undecided */
    enum role our_role;
    enum session_state state;
    struct buffer input;  /* from the peer, for the library */
    struct buffer output; /* from the library, for the peer */
    uint8_t header[5]; /* of the record that the library is reading */
    int clear_alert;   /* in it, not encrypted; ROLE_NO_ALERT: none */
    bool fed;
    bool heard_after_hello;
    size_t close_size; /* of the record with our close_notify */
    bool input_ended;
    bool judged;          /* the caller has given its verdict */
    bool finished;        /* the library has done its handshake */
    bool declined;        /* the peer wanted to renegotiate, and was told no */
    const struct credential *shown; /* of our identities; NULL: none, or none yet */
    const char *shown_why;
    const char *shown_none; /* why we showed nothing, though we have something; NULL: we did, or were not asked */
    bool asked_for_identity; /* the server wanted a certificate of ours */
    struct session_psk psk;
    struct session_resumption {
        bool held;         /* it is resumed, and the verdict is not in: what we say to it is held back */
        size_t held_from;  /* bytes of output that were there before */
        size_t withheld;   /* and behind them */
        bool declined;     /* ... and begins anew */
        unsigned hellos;   /* of the client's that came */
        bool ticket_came;
        uint32_t lifetime; /* of that ticket, in seconds */
    } resumption;
    bool accepted;        /* the peer has accepted us */
    bool we_closed;
    bool peer_closed;
    struct session_keys keys;
    struct session_counts counts;

    /* Datagrams: input and output are queues of them. */
    struct role_datagram datagram;
    struct buffer early;    /* records that overtook the end of the handshake */
    int64_t now;
    size_t mtu;
    bool answering;         /* the library may read a HelloVerifyRequest though the role is open */
    bool hello_told;        /* ahead of the flight that is being written (rule 5) */
    size_t last_length;     /* of the datagram that the flight's next record may go into; 0: a new one */
    int64_t flight_at;      /* when the flight is said again */
    int64_t flight_interval_ms;
    int64_t flight_first_ms; /* the first interval of each flight */
    int64_t flight_sent_at;
    unsigned flight_seen;   /* one past the greatest message_seq of ours */
    bool flight_is_new;     /* what has just been written is no repetition */
    unsigned retries;       /* of a flight, without any answer */
    int64_t close_at;       /* when close_notify is said again */
    int64_t close_interval_ms;
    unsigned farewells;     /* how often it was since both ends have closed */
    int64_t sent_at;        /* for the keep-alive */
    int64_t alert_at;       /* when an alert of ours went out last */
    uint8_t last_alert[64]; /* as a datagram */
    size_t last_alert_size;
    struct {                /* the peer's records since the handshake, as far as they are known to be its own */
        uint64_t first, end; /* numbers: of the first one, and one past the last */
        uint64_t came;
    } theirs;

    struct { /* what whoever draws the session was told */
        bool told_hello;     /* the peer's, when the role core had it: before the library has */
        bool told_role;
        bool told_data[2];
        int our_seq, their_seq; /* of the next DTLS message */
    } trace;
};

/* What the peer has just said it says only to whom it has accepted. */
void session_learn_acceptance(struct session *session);

/* A library session for a role, in place of the one that there was. False with an error. */
bool session_make_tls(struct session *session, enum role role);

/* The error: somebody's own priorities have left nothing to offer. */
void session_tell_nothing_left(struct session *session);

/* ---- session_identity.c ---- */

/* The credentials of a library session: it shows what `identity` chooses. A GnuTLS error code. */
int session_set_identity(struct session *session, gnutls_session_t tls);

/* The end of a priority string: what `role` shows, and what it can judge. */
const char *session_certificate_types(const struct session *session, enum role role);

/* The pin of what we showed, or would show first; "": none. */
const char *session_our_pin(const struct session *session);

/* ---- session_resume.c ---- */

/* The flags of gnutls_init(), and the settings of a library session. A GnuTLS error code. */
unsigned session_ticket_flags(const struct session *session, enum role role);
int session_set_tickets(struct session *session, gnutls_session_t tls, enum role role);

/* The peer has said something in the handshake: does it go on from an earlier session? Then it is time for the verdict. */
void session_look_for_resumption(struct session *session);

/* It is time for the verdict about a session that is resumed, or any other. Returns SESSION_VERDICT. */
enum session_state session_hold(struct session *session);

/* A NewSessionTicket has come. */
void session_note_ticket(struct session *session, const gnutls_datum_t *body);

/* As server: a ticket of TLS 1.3, into the output. False: the client takes none, or there are none. */
bool session_give_ticket(struct session *session);

/* The verdict is in: what was held back goes out, or never was. */
void session_release(struct session *session);
void session_withdraw(struct session *session);

/* ---- session_psk.c ---- */

/* Nobody was asked, since an earlier session is resumed: whose key that was made with. */
void session_psk_recall(struct session *session);

/* The credentials of a library session that has pre-shared keys and nothing else. A GnuTLS error code. */
int session_set_psk(struct session *session, gnutls_session_t tls, enum role role);
void session_free_psk(struct session *session);

/* The end of a priority string. */
extern const char session_psk_exchanges[];

/* The handshake was done with a key that we share. */
bool session_used_psk(const struct session *session);

/* Datagrams: the peer has sent what its key should have decrypted. */
void session_psk_sealed(struct session *session);

/* ... so often that it cannot have the key. */
bool session_psk_is_stuck(const struct session *session);

/* Keep the story of a GnuTLS error, if it is one of pre-shared keys. False: it is not. */
bool session_psk_tell(struct session *session, int code);

/* The same for an alert that the peer sent. */
bool session_psk_tell_alert(struct session *session, int alert);

/* The alert for it, where the library would send another one; else ROLE_NO_ALERT. */
int session_psk_alert(const struct session *session, int code);

/* Keep the story of a GnuTLS error, as it is for the state that the session is in. */
void session_tell(struct session *session, int code);

/* ---- session_keys.c ---- */

/* A KeyUpdate goes or comes; before the library has acted on it, or after. */
void session_watch_key_update(struct session *session, bool before, bool incoming, uint8_t *body, size_t length);

/* Answer the peer's wish for new keys, if it is time. A GnuTLS error code. */
int session_pay_key_update(struct session *session);

int64_t session_rest_deadline(const struct session *session);

/* ---- session.c ---- */

/* The output can take one more small record. */
bool session_output_has_room(const struct session *session);

/* The library has failed: an alert, the story, and the end. */
enum session_state session_fail(struct session *session, int code);

/* ---- session_datagram.c ---- */

/* A library session's settings for datagrams. */
void session_set_datagrams(struct session *session, gnutls_session_t tls, enum role role);

/* The library's side of the queues. */
bool session_push_datagram(struct session *session, const void *bytes, size_t length);
size_t session_pull_datagram(struct session *session, void *bytes, size_t length);

/* Our hello has just been put into the output, as the queue from byte `before` on. */
bool session_said_hello(struct session *session, size_t before);

void session_feed_datagram(struct session *session, const uint8_t *bytes, size_t length);
ssize_t session_receive_datagram(struct session *session, uint8_t *bytes, size_t size); /* as gnutls_record_recv() */
void session_close_datagram(struct session *session);
void session_open_datagrams(struct session *session); /* the handshake is over */

void session_take_role_datagram(struct session *session);

/* Around each call of the library in a handshake: the output has grown or not. */
void session_before_flight(struct session *session);
void session_after_flight(struct session *session, bool grown);
bool session_may_repeat_flight(const struct session *session);

/* A fatal alert in the clear, when there is no library session to send it. */
void session_say_alert(struct session *session, int alert);

/* The role is known: go on with it. */
enum session_state session_take_role(struct session *session, enum role role);

/* Go on with what `role` came to. */
enum session_state session_follow_role(struct session *session, enum role_step step);

/* ---- session_trace.c: each does nothing without config->trace, but for those that say otherwise ---- */

/* To be called with a trace only. */
void session_trace_message(struct session *session, unsigned type, bool incoming, const gnutls_datum_t *body);
void session_trace_data(struct session *session, enum trace_direction direction, size_t length);
void session_trace_wire(const struct session *session, enum trace_direction direction, const uint8_t *bytes, size_t length);

void session_trace_hello(struct session *session); /* the peer's, if the role core has it, and it was not told yet */
void session_trace_role(struct session *session);  /* what it came to */
void session_trace_refusal(struct session *session);
void session_trace_open(const struct session *session);
void session_trace_gone(const struct session *session);
void session_trace_alert(const struct session *session, enum trace_direction direction, int alert, bool fatal, bool encrypted);
void session_trace_heard_alert(const struct session *session, int code); /* if that GnuTLS error is one */
void session_trace_note(const struct session *session, bool important, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Send an alert (and tell of it): this one, or the one for a GnuTLS error. */
int session_send_alert(struct session *session, gnutls_alert_level_t level, int alert);
void session_send_alert_for(struct session *session, int code);

/* Does the library speak TLS 1.3 here? */
bool session_is_tls13(const struct session *session);

#endif
