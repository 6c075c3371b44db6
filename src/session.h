/* session.h - one TLS session between equals, from the first byte to close_notify, in memory.
 *
 * Bytes from the peer go in with session_feed(), bytes for it come out of session_output(); the caller owns the
 * transport. session_advance() does what can be done with what is there and says what is needed next. The role is decided
 * by `role`; until it is, the TLS library sees nothing of what the peer sent (symtls-protocol(7)). */
#ifndef SYMTLS_SESSION_H
#define SYMTLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "presented.h"
#include "error.h"
#include "facts.h"
#include "identity.h"
#include "psk.h"
#include "role.h"
#include "trace_event.h"

struct session;

/* Borrowed for as long as the session lives. */
struct session_config {
    struct role_config role;
    const struct identity *identity; /* nobody's where there is a `psk` */
    const struct psk *psk;   /* keys that we share: one of these, and no certificate, is what both ends have to show. NULL: none */
    const char *const *peers; /* whom we expect: an identity may be for one of them alone */
    size_t peer_count;
    const char *priority;    /* GnuTLS priority string; NULL: TLS 1.3 and 1.2 with the library's choice of ciphers */
    const char *server_name; /* SNI for a client's hello; NULL: none */
    const char *const *alpn; /* protocols that we speak, the best first */
    size_t alpn_count;
    bool ask_identity;       /* as server, ask the client for its certificate */
    bool keep_tickets;       /* as client: let the server give us tickets, for session_take_ticket() */
    const struct session_ticket *resume; /* as client: go on from that one, if the server will; NULL: begin anew. Whose it is has to be
                                          * acceptable: TLS 1.3 asks for a verdict when the server has heard the last of us */
    const uint8_t *ticket_key; /* as server: give tickets, and go on from them. SESSION_TICKET_KEY_SIZE bytes; NULL: do not */
    int keylog;              /* descriptor for the secrets in NSS key log format, or -1 */
    const char *export_label; /* keying material to put into the facts (RFC 5705, RFC 8446 section 7.5); or NULL */
    size_t export_length;     /* bytes */
    const char *export_context; /* or NULL */
    enum facts_binding binding; /* the same for a channel binding; or none */
    size_t record_size;   /* the largest record that we send and ask for, in bytes; 0: no limit of ours */
    bool datagrams;       /* DTLS 1.2: every feed and every output is one datagram */
    size_t mtu;           /* the largest datagram that we send, in bytes */
    int first_repeat_ms;  /* how long after our hello it is said again for the first time */
    const struct trace_sink *trace; /* who is told what happens; NULL: nobody */
};

enum session_state {
    SESSION_HELLO,     /* the role is open: feed, or session_end() */
    SESSION_HANDSHAKE, /* the same, with a role */
    SESSION_VERDICT,   /* look at session_presented(), then session_accept() or session_refuse() */
    SESSION_OPEN,      /* session_send(), session_receive(), session_close() */
    SESSION_FAILED     /* the error says why; session_output() may have a last alert */
};

/* Would session_new() succeed in either role? To be asked before a peer is bothered. False with an error. */
bool session_check(const struct session_config *config, struct error *error);

/* It is `now`, in milliseconds: only datagrams need it. NULL with an error: the configuration is unusable (STATUS_LOCAL). */
struct session *session_new(const struct session_config *config, int64_t now, struct error *error);
void session_free(struct session *session);

enum session_state session_state(const struct session *session);
enum role session_role(const struct session *session); /* ROLE_UNDECIDED in HELLO */

/* Errors go to `error` from now on; what was told already is taken along. */
void session_tell_to(struct session *session, struct error *error);

/* Go on as far as the bytes allow. */
enum session_state session_advance(struct session *session);

/* ---- Datagrams: what is lost is said again ---- */

/* It is `now`, in milliseconds: what is due goes into the output. To be told before every feed and advance, too. */
void session_time(struct session *session, int64_t now);

/* When to call that, and session_advance(), though nothing has come; SESSION_NEVER: nothing is due. */
#define SESSION_NEVER INT64_MAX
int64_t session_deadline(const struct session *session);

/* The peer has said something that belongs here: it is where the last datagram came from. */
bool session_understood(const struct session *session);

/* Datagrams of more than `mtu` bytes do not get through. */
void session_set_mtu(struct session *session, size_t mtu);
size_t session_record_size(const struct session *session); /* the most that goes into one of ours */

/* Both ends have closed, and the peer has been told so often that it will know. */
bool session_is_settled(const struct session *session);

/* Say our last alert again: the peer, who still speaks, may have missed it. */
void session_repeat_alert(struct session *session);

uint64_t session_lost(const struct session *session);    /* records of the peer that never came */
unsigned session_strange(const struct session *session); /* datagrams that were no DTLS */

/* ---- The transport's side ---- */

/* How many bytes session_feed() takes now; 0: advance or receive first. */
size_t session_room(const struct session *session);
void session_feed(struct session *session, const uint8_t *bytes, size_t length);
void session_end(struct session *session); /* the peer's stream has ended */
bool session_was_fed(const struct session *session); /* at least one byte has come */
bool session_heard_after_hello(const struct session *session); /* and something since the role was decided */

/* What is to be sent, all of it in one piece, or one datagram (NULL: none); session_sent() says how much of it was. */
const uint8_t *session_output(const struct session *session, size_t *length);
void session_sent(struct session *session, size_t length);

/* ---- Acceptance ---- */

void session_presented(const struct session *session, struct presented *presented);
/* The peer is a client, of a version before TLS 1.3: those have no way to send an OCSP response (RFC 6066 section 8). */
bool session_peer_cannot_staple(const struct session *session);
void session_accept(struct session *session);
/* A fatal alert and an end; the caller has set the error. */
void session_refuse(struct session *session, int alert);

/* The peer has accepted us: with TLS 1.3 a client learns that only after its handshake (symtls-protocol(7)). */
bool session_is_accepted(const struct session *session);

/* What came of the handshake, once OPEN: everything but facts->peer. False with an error. */
bool session_facts(struct session *session, struct facts *facts);

/* ---- Going on from an earlier session (RFC 8446 section 2.2, RFC 5077) ---- */

#define SESSION_TICKET_KEY_SIZE 64
#define SESSION_CONTEXT_SIZE    32

/* What a client needs for it, from session_take_ticket(); a zeroed struct is none. */
struct session_ticket {
    struct buffer data;     /* the library's */
    unsigned seconds;       /* how long it is good for, from when it came */
    char our_pin[TEXT_PIN_SIZE]; /* of what we showed in that session */
};

void session_ticket_free(struct session_ticket *ticket);

/* A key for tickets of ours. False: no random numbers. */
bool session_make_ticket_key(uint8_t key[SESSION_TICKET_KEY_SIZE]);

/* A digest of what two sessions have to have in common for one to go on from the other: who we are, and whom we want. False:
 * no memory. */
bool session_context(const struct session_config *config, uint8_t context[SESSION_CONTEXT_SIZE]);

/* This one goes on from an earlier one: what was presented is what was presented then. In VERDICT and OPEN. */
bool session_is_resumed(const struct session *session);

/* In VERDICT, as server, before TLS 1.3: do not go on from that, begin anew; the next verdict is about what the peer presents
 * then. False: it is too late for that, or it does not go on from anything. */
bool session_decline_resumption(struct session *session);

/* The server has given us a new ticket. False: it has not. */
bool session_take_ticket(struct session *session, struct session_ticket *ticket);

/* What tells this session from any other, for protocols inside it: tls-exporter (RFC 9266). Once OPEN. False: there is none, before
 * TLS 1.3 without extended master secret. */
#define SESSION_BINDING_SIZE 32
bool session_channel_binding(const struct session *session, uint8_t binding[SESSION_BINDING_SIZE]);

/* ---- Application data, once OPEN ---- */

#define SESSION_RECORD_MAX 16384 /* receive with at least so much room */

/* Returns how many bytes were taken: less than `length` when the output has to be sent first. */
size_t session_send(struct session *session, const uint8_t *bytes, size_t length);

/* Returns how many bytes came: 0 when there are none yet, when the peer has closed its direction, or in FAILED. */
size_t session_receive(struct session *session, uint8_t *bytes, size_t size);

void session_close(struct session *session); /* our direction: close_notify */
size_t session_close_size(const struct session *session); /* bytes of output that were no more than that */
bool session_we_closed(const struct session *session);
bool session_peer_closed(const struct session *session); /* its close_notify has come */

/* What has been counted since the session is open. */
struct session_counts {
    uint64_t records_sent; /* of application data */
    uint64_t records_received;
    unsigned key_updates_sent;
    unsigned key_updates_received;
};
const struct session_counts *session_counts(const struct session *session);

/* ---- New keys (KeyUpdate, RFC 8446 section 4.6.3): the peer's wish for them is granted without being asked for ---- */

enum session_rekey {
    SESSION_REKEY_BOTH, /* our direction has new keys, and the peer was asked for the same: session_rekey_answers() will grow */
    SESSION_REKEY_OURS, /* our direction has: the peer has closed its own */
    SESSION_REKEY_WAITING,  /* the peer has not answered the last one yet */
    SESSION_REKEY_TOO_SOON, /* the last one was half a second ago or less (session_time()); or the output is full */
    SESSION_REKEY_NOT_ACCEPTED, /* the peer has not accepted us yet */
    SESSION_REKEY_UNKNOWN,  /* this version of TLS has nothing like it */
    SESSION_REKEY_CLOSED    /* our direction is closed */
};
enum session_rekey session_rekey(struct session *session);
unsigned session_rekey_answers(const struct session *session);

/* A peer sends them faster than the library takes them: session_receive() does so from session_deadline() on. */
bool session_is_resting(const struct session *session);

/* An empty record: what is sent before it and what is sent after it are in different ones. False: this version has none, or our
 * direction is closed, or the output is full. */
bool session_break(struct session *session);

/* ---- The door of a datagram listener: nothing is kept for an address that has not answered (RFC 6347 section 4.2.1) ---- */

#define SESSION_DOOR_ANSWER_MAX 128

struct session_door {
    uint8_t key[32];
};

enum session_door_verdict {
    SESSION_DOOR_IGNORE, /* it is not the beginning of a ClientHello */
    SESSION_DOOR_ANSWER, /* send the answer, a HelloVerifyRequest; it is shorter than what it answers */
    SESSION_DOOR_OPEN    /* it has a cookie of ours: feed it to a new session */
};

/* False: no random numbers. */
bool session_door_init(struct session_door *door);

/* Somebody, named by `who` (address and port), sent this datagram. */
enum session_door_verdict session_door_judge(struct session_door *door, const char *who, const uint8_t *bytes, size_t length,
                                             uint8_t answer[SESSION_DOOR_ANSWER_MAX], size_t *answer_length);

#endif
