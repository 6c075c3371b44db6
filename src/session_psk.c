/* session_psk.c - keys that we share with the peer, in place of certificates: which one, and what it means when they differ. */
#include "session_gnutls.h"
#include "role_alert.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

enum {
    NOBODYS_KEY = 32, /* bytes of a key that is nobody's */
    SEALED_MAX = 2    /* datagrams: the client's Finished came three times, whole each time, and made no sense */
};

/* Nothing without a fresh key from (EC)DHE: who gets hold of the shared key some day reads nothing of today. */
const char session_psk_exchanges[] = ":-KX-ALL:+ECDHE-PSK:+DHE-PSK";

/* ---- What the library asks ---- */

/* The library frees it, and wipes keys. */
static int give(gnutls_datum_t *datum, const void *bytes, size_t length)
{
    datum->data = gnutls_malloc(length);
    datum->size = (unsigned)length;
    if (!datum->data)
        return GNUTLS_E_MEMORY_ERROR;
    memcpy(datum->data, bytes, length);
    return 0;
}

/* Whoever has no key is to look like somebody with a wrong one: names are not to be found out by trying. */
static int give_nobodys(gnutls_datum_t *key)
{
    uint8_t bytes[NOBODYS_KEY];
    int code = gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof bytes);

    return code < 0 ? code : give(key, bytes, sizeof bytes);
}

/* We are a client: who we are, and the key for that. Without one the hello will be struck, for we can only be the server. */
static int say_name(gnutls_session_t tls, gnutls_datum_t *name, gnutls_datum_t *key)
{
    struct session *session = gnutls_session_get_ptr(tls);
    const struct psk *psk = session->config->psk;
    const char *peer, *ours = psk_our_name(psk);
    const struct psk_key *shared = psk_of_client(psk, &peer);
    int code = give(name, ours, strlen(ours));

    snprintf(session->psk.peer, sizeof session->psk.peer, "%s", peer);
    if (code < 0)
        return code;
    return shared ? give(key, shared->bytes, shared->length) : give_nobodys(key);
}

/* We are the server: the client has said who it is. */
static int look_up(gnutls_session_t tls, const gnutls_datum_t *name, gnutls_datum_t *key)
{
    struct session *session = gnutls_session_get_ptr(tls);
    struct session_psk *psk = &session->psk;
    const struct psk_key *shared;

    psk->is_claimed = true;
    psk->peer[0] = '\0';
    text_escape(psk->claimed, sizeof psk->claimed, name->data, name->size);
    psk->claim = psk_of_server(session->config->psk, name->data, name->size, &shared);
    switch (psk->claim) {
    case PSK_KEY:
        strcpy(psk->peer, *shared->name ? shared->name : psk->claimed);
        return give(key, shared->bytes, shared->length);
    case PSK_OURSELVES:
        return GNUTLS_E_ILLEGAL_PARAMETER;
    default:
        return give_nobodys(key);
    }
}

int session_set_psk(struct session *session, gnutls_session_t tls, enum role role)
{
    struct session_psk *psk = &session->psk;
    int code = 0;

    if (role == ROLE_CLIENT) {
        if (!psk->client)
            code = gnutls_psk_allocate_client_credentials(&psk->client);
        if (code < 0)
            return code;
        gnutls_psk_set_client_credentials_function2(psk->client, say_name);
        return gnutls_credentials_set(tls, GNUTLS_CRD_PSK, psk->client);
    }
    if (!psk->server)
        code = gnutls_psk_allocate_server_credentials(&psk->server);
    if (code >= 0) /* for clients that name no group (RFC 7919) */
        code = gnutls_psk_set_server_known_dh_params(psk->server, GNUTLS_SEC_PARAM_MEDIUM);
    if (code < 0)
        return code;
    gnutls_psk_set_server_credentials_function2(psk->server, look_up);
    return gnutls_credentials_set(tls, GNUTLS_CRD_PSK, psk->server);
}

void session_psk_recall(struct session *session)
{
    const char *name = gnutls_psk_server_get_username(session->tls), *peer;
    const struct psk_key *shared;

    if (!session->config->psk)
        return;
    session->psk.peer[0] = '\0';
    if (session->our_role == ROLE_CLIENT && psk_of_client(session->config->psk, &peer))
        snprintf(session->psk.peer, sizeof session->psk.peer, "%s", peer);
    else if (session->our_role == ROLE_SERVER && name &&
             psk_of_server(session->config->psk, name, strlen(name), &shared) == PSK_KEY)
        snprintf(session->psk.peer, sizeof session->psk.peer, "%s", *shared->name ? shared->name : name);
    else
        session->psk.forgotten = true;
}

void session_free_psk(struct session *session)
{
    if (session->psk.client)
        gnutls_psk_free_client_credentials(session->psk.client);
    if (session->psk.server)
        gnutls_psk_free_server_credentials(session->psk.server);
}

/* ---- How far it is ---- */

bool session_used_psk(const struct session *session)
{
    gnutls_kx_algorithm_t exchange = gnutls_kx_get(session->tls);

    if (session_is_resumed(session)) /* from a session with one of the same keys: see session_context() */
        return !session->psk.forgotten;
    return exchange == GNUTLS_KX_ECDHE_PSK || exchange == GNUTLS_KX_DHE_PSK;
}

static bool is_waiting_for_proof(const struct session *session)
{
    return session->psk.is_claimed && session->our_role == ROLE_SERVER && session->state == SESSION_HANDSHAKE &&
           !session->finished;
}

/* A record that cannot be decrypted is dropped without a word, and the client says its Finished again, and again. */
void session_psk_sealed(struct session *session)
{
    if (is_waiting_for_proof(session) && gnutls_cipher_get(session->tls) != GNUTLS_CIPHER_NULL)
        session->psk.sealed++;
}

bool session_psk_is_stuck(const struct session *session)
{
    return session->psk.sealed >= SEALED_MAX && is_waiting_for_proof(session);
}

/* ---- What went wrong ---- */

/* In TLS 1.3 the proof is in the ClientHello (RFC 8446 section 4.2.11.2), before in the client's Finished. The library has
 * no errors of its own for it. */
static bool has_no_proof(const struct session *session, int code)
{
    if (!is_waiting_for_proof(session))
        return false;
    if (session_is_tls13(session))
        return code == GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
    return code == GNUTLS_E_DECRYPTION_FAILED || code == GNUTLS_E_ERROR_IN_FINISHED_PACKET;
}

static bool has_nothing_in_common(int code)
{
    return code == GNUTLS_E_NO_CIPHER_SUITES || code == GNUTLS_E_UNKNOWN_CIPHER_SUITE ||
           code == GNUTLS_E_INSUFFICIENT_CREDENTIALS;
}

static void tell_no_proof(struct session *session)
{
    const char *name = session->psk.claimed;

    switch (session->psk.claim) {
    case PSK_UNKNOWN:
        error_set(session->error, STATUS_UNKNOWN, "the peer calls itself \"%s\", for whom there is no key in --psk-file", name);
        break;
    case PSK_UNEXPECTED:
        error_set(session->error, STATUS_WRONG, "the peer calls itself \"%s\", which is not whom we expect", name);
        break;
    default:
        error_set(session->error, STATUS_WRONG,
                  "the peer calls itself \"%s\", but has another key than the one that we share with \"%s\", or what it sent was "
                  "changed on the way", name, name);
        break;
    }
}

bool session_psk_tell(struct session *session, int code)
{
    if (!session->config->psk || session->state == SESSION_OPEN || code == GNUTLS_E_FATAL_ALERT_RECEIVED)
        return false;
    if (session->psk.is_claimed && session->psk.claim == PSK_OURSELVES)
        error_set(session->error, STATUS_ROLE,
                  "the peer calls itself \"%s\" as we do, so we are talking to ourselves; give each end a name of its own "
                  "with --psk-identity, or permit it with --allow-self", session->psk.claimed);
    else if (has_no_proof(session, code))
        tell_no_proof(session);
    else if (has_nothing_in_common(code) && session->our_role == ROLE_SERVER)
        error_set(session->error, STATUS_TLS,
                  "the peer offers no pre-shared key with a cipher that we take, and with --psk-file nothing else will do");
    else if (code == GNUTLS_E_INSUFFICIENT_CREDENTIALS)
        error_set(session->error, STATUS_WRONG,
                  "the peer shows a certificate and not that it has the key that we share; perhaps it has none for \"%s\"",
                  psk_our_name(session->config->psk));
    else if (code == GNUTLS_E_DECRYPTION_FAILED || code == GNUTLS_E_ERROR_IN_FINISHED_PACKET)
        error_set(session->error, STATUS_WRONG, "the peer has another key than ours, or what it sent was changed on the way");
    else
        return false;
    return true;
}

int session_psk_alert(const struct session *session, int code)
{
    if (!session->config->psk)
        return ROLE_NO_ALERT;
    if (session->psk.is_claimed && session->psk.claim == PSK_OURSELVES)
        return ALERT_HANDSHAKE_FAILURE;
    if (has_no_proof(session, code))
        return ALERT_DECRYPT_ERROR;
    if (code == GNUTLS_E_INSUFFICIENT_CREDENTIALS && session->our_role == ROLE_CLIENT)
        return ALERT_UNSUPPORTED_CERTIFICATE;
    return ROLE_NO_ALERT;
}

/* Few programs have an alert of their own for it. */
static bool may_refuse_our_key(int alert)
{
    switch (alert) {
    case ALERT_BAD_RECORD_MAC:
    case ALERT_HANDSHAKE_FAILURE:
    case ALERT_ILLEGAL_PARAMETER:
    case ALERT_DECRYPT_ERROR:
        return true;
    default:
        return role_alert_rejects_identity(alert);
    }
}

bool session_psk_tell_alert(struct session *session, int alert)
{
    const struct psk *psk = session->config->psk;
    const char *meaning = role_alert_meaning(alert);
    bool offered = session->our_role == ROLE_CLIENT || (session->our_role == ROLE_UNDECIDED && session->role.said_hello);

    if (!psk)
        return false;
    if (offered && session->state != SESSION_OPEN && may_refuse_our_key(alert))
        error_set(session->error, STATUS_REFUSED,
                  "the peer refused us (alert %d, %s): %s; perhaps it has no key for \"%s\", or another one than ours%s", alert,
                  role_alert_name(alert), meaning ? meaning : "it does not take our key", psk_our_name(psk),
                  alert == ALERT_HANDSHAKE_FAILURE ? ", or that name itself" : "");
    else if (role_alert_rejects_identity(alert))
        error_set(session->error, STATUS_REFUSED, "the peer refused us (alert %d, %s)%s%s", alert, role_alert_name(alert),
                  meaning ? ": " : "", meaning ? meaning : "");
    else
        return false;
    return true;
}
