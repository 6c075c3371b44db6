/* session_resume.c - going on from an earlier session: tickets, and the verdict about a peer that does not show itself again. */
#include "session_gnutls.h"
#include "wire.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

enum {
    OURS_SECONDS = 24 * 60 * 60,     /* how long our tickets are good for */
    MOST_SECONDS = 7 * 24 * 60 * 60, /* RFC 8446 section 4.6.1 */
    UNSAID_SECONDS = 60 * 60         /* where the server does not say */
};

void session_ticket_free(struct session_ticket *ticket)
{
    buffer_free(&ticket->data);
    memset(ticket, 0, sizeof *ticket);
}

bool session_make_ticket_key(uint8_t key[SESSION_TICKET_KEY_SIZE])
{
    return gnutls_rnd(GNUTLS_RND_KEY, key, SESSION_TICKET_KEY_SIZE) == 0;
}

/* ---- What two sessions have in common ---- */

/* With its length in front: what follows another piece is never taken for a part of it. */
static bool add(struct buffer *text, const void *bytes, size_t length)
{
    uint8_t size[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};

    return buffer_append(text, size, sizeof size) && buffer_append(text, bytes, length);
}

static bool add_text(struct buffer *text, const char *word)
{
    return add(text, word ? "1" : "0", 1) && add(text, word ? word : "", word ? strlen(word) : 0);
}

static bool add_identities(struct buffer *text, const struct session_config *config)
{
    const struct psk_key *key;
    bool added = add_text(text, identity_is_bare(config->identity) ? "bare" : "certificates");

    for (size_t i = 0; added && i < identity_count(config->identity); i++)
        added = add_text(text, identity_pin(config->identity, i));
    added = added && add_text(text, config->psk ? psk_our_name(config->psk) : NULL);
    for (size_t i = 0; added && config->psk && (key = psk_at(config->psk, i)); i++)
        added = add_text(text, key->name) && add(text, key->bytes, key->length);
    return added;
}

bool session_context(const struct session_config *config, uint8_t context[SESSION_CONTEXT_SIZE])
{
    struct buffer text = {0};
    bool added = add_text(&text, config->datagrams ? "datagrams" : "stream") && add_identities(&text, config) &&
                 add_text(&text, config->server_name) && add_text(&text, config->priority) &&
                 add_text(&text, config->ask_identity ? "ask" : "do not ask");

    for (size_t i = 0; added && i < config->peer_count; i++)
        added = add_text(&text, config->peers[i]);
    added = added && gnutls_hash_fast(GNUTLS_DIG_SHA256, buffer_at(&text), buffer_used(&text), context) == 0;
    buffer_free(&text);
    return added;
}

/* ---- Setting up ---- */

static bool gives_tickets(const struct session *session)
{
    return session->config->ticket_key && !session->resumption.declined;
}

unsigned session_ticket_flags(const struct session *session, enum role role)
{
    bool tickets = role == ROLE_SERVER ? gives_tickets(session) : session->config->keep_tickets || session->config->resume;

    /* Not by itself: one that came before the verdict about a client would look like one in its favour. */
    return GNUTLS_NO_AUTO_SEND_TICKET | (tickets ? 0 : GNUTLS_NO_TICKETS);
}

/* A ticket is only good where everything is as it was: with anything else there is another key, and it cannot be read. */
static int enable_tickets(const struct session *session, gnutls_session_t tls)
{
    uint8_t context[SESSION_CONTEXT_SIZE], bytes[SESSION_TICKET_KEY_SIZE];
    gnutls_datum_t key = {.data = bytes, .size = sizeof bytes};
    int code;

    if (!session_context(session->config, context))
        return GNUTLS_E_MEMORY_ERROR;
    code = gnutls_hmac_fast(GNUTLS_MAC_SHA512, session->config->ticket_key, SESSION_TICKET_KEY_SIZE, context, sizeof context, bytes);
    if (code >= 0)
        code = gnutls_session_ticket_enable_server(tls, &key);
    explicit_bzero(bytes, sizeof bytes);
    gnutls_db_set_cache_expiration(tls, OURS_SECONDS);
    return code;
}

int session_set_tickets(struct session *session, gnutls_session_t tls, enum role role)
{
    const struct session_ticket *resume = session->config->resume;

    if (role == ROLE_SERVER)
        return gives_tickets(session) ? enable_tickets(session, tls) : 0;
    gnutls_db_set_cache_expiration(tls, MOST_SECONDS); /* how long a ticket is good for is for us to say */
    if (resume) /* what the library cannot use is as good as none */
        gnutls_session_set_data(tls, buffer_at(&resume->data), buffer_used(&resume->data));
    return 0;
}

/* ---- The verdict ---- */

bool session_is_resumed(const struct session *session)
{
    return session->tls && session->our_role != ROLE_UNDECIDED && gnutls_session_is_resumed(session->tls) != 0;
}

/* The library asks nobody about a peer that it knows from an earlier session. Before TLS 1.3 our Finished is our word that we accept
 * it: so the library may go on to the end of its flight, which is held back until the verdict is in, and reads nothing more. In TLS
 * 1.3 a server gives its word later; a client has looked at its ticket before, and the library tells nobody whose that is until the
 * handshake is over. */
void session_look_for_resumption(struct session *session)
{
    if (session->judged || session->state != SESSION_HANDSHAKE || !session_is_resumed(session) || session_is_tls13(session))
        return;
    session->resumption.held = true;
    session->resumption.held_from = buffer_used(&session->output);
    session->state = SESSION_VERDICT;
}

/* Only now has the library taken over who it was. */
enum session_state session_hold(struct session *session)
{
    if (session_is_resumed(session))
        session_psk_recall(session);
    if (session->resumption.held)
        session->resumption.withheld = buffer_used(&session->output) - session->resumption.held_from;
    return session->state = SESSION_VERDICT;
}

void session_release(struct session *session)
{
    session->resumption.held = false;
    session->resumption.withheld = 0;
}

void session_withdraw(struct session *session)
{
    buffer_cut(&session->output, session->resumption.withheld);
    session_trace_note(session, false, "our last flight was held back until the verdict, and is not sent");
    session->last_length = 0;
    session_release(session);
}

bool session_decline_resumption(struct session *session)
{
    /* Its first hello is kept with what decided the roles; a second one is not. */
    if (!session->resumption.held || session->our_role != ROLE_SERVER || session->resumption.hellos > 1 ||
        buffer_used(&session->input) > 0)
        return false;
    session_withdraw(session);
    session->resumption.declined = true;
    session->resumption.hellos = 0;
    session->finished = false;
    session->flight_seen = 0;
    session->trace.told_hello = true; /* the library reads it anew */
    session_take_role(session, ROLE_SERVER);
    return true;
}

/* ---- Tickets that come and go ---- */

/* ticket_lifetime is in front in all versions (RFC 8446 section 4.6.1, RFC 5077 section 3.3). In TLS 1.2 an empty ticket is none. */
void session_note_ticket(struct session *session, const gnutls_datum_t *body)
{
    struct wire wire = wire_from(body->data, body->size);
    uint32_t high, low;

    high = wire_u16(&wire);
    low = wire_u16(&wire);
    session->resumption.lifetime = high << 16 | low;
    session->resumption.ticket_came = body->size > 6;
}

/* Without an extended master secret a session is not tied to the handshake that made it (RFC 7627 section 5.4); and after TLS 1.2 has
 * resumed one, the library has nothing but what it began with. */
static bool is_fit_for_resumption(const struct session *session)
{
    return session_is_tls13(session) ||
           (gnutls_session_ext_master_secret_status(session->tls) && !gnutls_session_is_resumed(session->tls));
}

bool session_take_ticket(struct session *session, struct session_ticket *ticket)
{
    struct session_resumption *resumption = &session->resumption;
    gnutls_datum_t data;
    bool taken;

    if (session->state != SESSION_OPEN || !resumption->ticket_came || !session->config->keep_tickets)
        return false;
    resumption->ticket_came = false;
    if (!is_fit_for_resumption(session) || gnutls_session_get_data2(session->tls, &data) < 0)
        return false;
    taken = buffer_append(&ticket->data, data.data, data.size);
    ticket->seconds = resumption->lifetime == 0 ? UNSAID_SECONDS : resumption->lifetime;
    if (ticket->seconds > MOST_SECONDS)
        ticket->seconds = MOST_SECONDS;
    snprintf(ticket->our_pin, sizeof ticket->our_pin, "%s", session_our_pin(session));
    gnutls_memset(data.data, 0, data.size);
    gnutls_free(data.data);
    return taken;
}

bool session_give_ticket(struct session *session)
{
    size_t before = buffer_used(&session->output);

    /* The library knows whether the client takes any, and does nothing if not. */
    return gives_tickets(session) && gnutls_session_ticket_send(session->tls, 1, 0) == 0 && buffer_used(&session->output) > before;
}
