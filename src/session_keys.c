/* session_keys.c - new keys while a session is open: KeyUpdate (RFC 8446 section 4.6.3), at our wish or the peer's.
 *
 * The library does the cryptography. Three things it leaves to be done, or does in a way that ends sessions:
 * - it answers a peer's wish only ahead of the next data that we send, and a peer that waits for it waits in vain;
 * - it takes a wish that crosses one of ours for an error, though RFC 8446 says what is to be done then;
 * - it ends the session at the ninth KeyUpdate within a second. We take them in more slowly, and so such a peer has to wait. */
#include "session_gnutls.h"

enum {
    UPDATE_NOT_REQUESTED = 0,
    UPDATE_REQUESTED = 1,
    /* The library allows 8 in a second of its own clock: any second meets at most two of these spans. */
    TAKEN_AT_ONCE = 4,
    SPAN_MS = 1100,
    /* A peer may be as strict: two wishes, and as many answers to its own, are well within what it takes. */
    BETWEEN_WISHES_MS = 500
};

static void note_received(struct session *session)
{
    struct session_keys *keys = &session->keys;

    if (keys->taken == 0 || session->now >= keys->span_at + SPAN_MS) {
        keys->span_at = session->now;
        keys->taken = 0;
    }
    keys->taken++;
    session->counts.key_updates_received++;
}

void session_watch_key_update(struct session *session, bool before, bool incoming, uint8_t *body, size_t length)
{
    if (session->state != SESSION_OPEN || length != 1)
        return; /* the library knows what to make of it */
    if (!incoming) {
        session->counts.key_updates_sent += before ? 0 : 1;
    } else if (!before) {
        session_learn_acceptance(session);
        note_received(session);
    } else if (*body == UPDATE_REQUESTED) {
        /* The library has handed us its own copy, and reads it after this: so it only takes the new keys, and
         * answering is ours. */
        *body = UPDATE_NOT_REQUESTED;
        session->keys.owed = true;
    } else if (*body == UPDATE_NOT_REQUESTED && session->keys.wished) {
        session->keys.wished = false;
        session->keys.answers++;
    }
}

int session_pay_key_update(struct session *session)
{
    int code;

    /* One answer does for several wishes, and whoever has closed has no more use for keys. */
    if (!session->keys.owed || session->we_closed || !session_output_has_room(session))
        return 0;
    code = gnutls_session_key_update(session->tls, 0);
    if (code >= 0)
        session->keys.owed = false;
    return code;
}

bool session_is_resting(const struct session *session)
{
    return session->keys.taken >= TAKEN_AT_ONCE && session->now < session->keys.span_at + SPAN_MS;
}

int64_t session_rest_deadline(const struct session *session)
{
    return session_is_resting(session) ? session->keys.span_at + SPAN_MS : SESSION_NEVER;
}

enum session_rekey session_rekey(struct session *session)
{
    struct session_keys *keys = &session->keys;
    int code;

    if (session->state != SESSION_OPEN || session->we_closed)
        return SESSION_REKEY_CLOSED;
    if (session->config->datagrams || !session_is_tls13(session))
        return SESSION_REKEY_UNKNOWN;
    /* What a symmetric server sends to say that we are accepted would be taken for the answer. */
    if (session->role.symmetric && !session->accepted)
        return SESSION_REKEY_NOT_ACCEPTED;
    if (keys->wished)
        return SESSION_REKEY_WAITING;
    if ((keys->has_wished && session->now < keys->wished_at + BETWEEN_WISHES_MS) || !session_output_has_room(session))
        return SESSION_REKEY_TOO_SOON;
    code = gnutls_session_key_update(session->tls, session->peer_closed ? 0 : GNUTLS_KU_PEER);
    if (code < 0) {
        session_fail(session, code);
        return SESSION_REKEY_CLOSED;
    }
    keys->wished = !session->peer_closed;
    keys->has_wished = true;
    keys->wished_at = session->now;
    return session->peer_closed ? SESSION_REKEY_OURS : SESSION_REKEY_BOTH;
}

unsigned session_rekey_answers(const struct session *session)
{
    return session->keys.answers;
}
