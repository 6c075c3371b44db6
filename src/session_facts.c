/* session_facts.c - what a handshake came to, taken once out of the library. */
#include "session_gnutls.h"

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *text, size_t size, const char *name)
{
    snprintf(text, size, "%s", name ? name : "");
}

static void copy_preference(char *text, size_t size, const struct role_preference *preference)
{
    snprintf(text, size, "%.*s", (int)preference->length, (const char *)preference->value);
}

/* Hexadecimal, in memory of its own; the bytes are wiped. NULL: no memory. */
static char *hex_of(uint8_t *bytes, size_t length)
{
    char *hex = calloc(2, length + 1);

    for (size_t i = 0; hex && i < length; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    explicit_bzero(bytes, length);
    return hex;
}

/* Before TLS 1.3, and without an extended master secret, a peer in the middle can make two sessions of which both export the
 * same (RFC 7627 section 1): to hand that out would mislead. */
static bool is_tied(struct session *session, const char *option)
{
    if (session_is_tls13(session) || gnutls_session_ext_master_secret_status(session->tls))
        return true;
    error_set(session->error, STATUS_TLS,
              "%s: this %s session has no extended master secret (RFC 7627), so what it exports may not be its own", option,
              gnutls_protocol_get_name(gnutls_protocol_get_version(session->tls)));
    return false;
}

static bool tell_export(struct session *session, const char *option, int code)
{
    error_set(session->error, code == GNUTLS_E_MEMORY_ERROR ? STATUS_LOCAL : STATUS_TLS, "%s: %s", option, gnutls_strerror(code));
    return false;
}

/* Keying material for the application (RFC 5705); in TLS 1.3 an absent context and an empty one are the same. */
static bool export_material(struct session *session, struct facts *facts)
{
    const char *label = session->config->export_label;
    const char *context = session->config->export_context;
    size_t length = session->config->export_length;
    uint8_t *material;
    int code = GNUTLS_E_MEMORY_ERROR;

    if (!label)
        return true;
    if (!is_tied(session, "--export"))
        return false;
    material = calloc(1, length);
    if (material)
        code = gnutls_prf_rfc5705(session->tls, strlen(label), label, context ? strlen(context) : 0, context, length, (char *)material);
    if (code >= 0)
        facts->export_hex = hex_of(material, length);
    free(material);
    return facts->export_hex ? true : tell_export(session, "--export", code < 0 ? code : GNUTLS_E_MEMORY_ERROR);
}

static bool bind_channel(struct session *session, struct facts *facts)
{
    static const gnutls_channel_binding_t types[] = {[FACTS_BINDING_TLS_EXPORTER] = GNUTLS_CB_TLS_EXPORTER,
                                                     [FACTS_BINDING_TLS_UNIQUE] = GNUTLS_CB_TLS_UNIQUE};
    enum facts_binding binding = session->config->binding;
    gnutls_datum_t value = {NULL, 0};
    int code;

    if (binding == FACTS_BINDING_NONE)
        return true;
    if (binding == FACTS_BINDING_TLS_UNIQUE && session_is_tls13(session)) {
        error_set(session->error, STATUS_TLS,
                  "--channel-binding: there is no tls-unique in TLS 1.3 (RFC 8446 appendix C.5); tls-exporter takes its place");
        return false;
    }
    if (!is_tied(session, "--channel-binding"))
        return false;
    code = gnutls_session_channel_binding(session->tls, types[binding], &value);
    if (code >= 0) {
        facts->binding = binding;
        facts->binding_hex = hex_of(value.data, value.size);
        gnutls_free(value.data);
    }
    return facts->binding_hex ? true : tell_export(session, "--channel-binding", code < 0 ? code : GNUTLS_E_MEMORY_ERROR);
}

/* Of an earlier session the library remembers what was presented, and not as what. */
static bool is_bare_key(const struct session *session, const gnutls_datum_t *first)
{
    gnutls_pubkey_t key;
    bool is_key;

    if (!session_is_resumed(session))
        return gnutls_certificate_type_get2(session->tls, GNUTLS_CTYPE_PEERS) == GNUTLS_CRT_RAWPK;
    if (gnutls_pubkey_init(&key) < 0)
        return false;
    is_key = gnutls_pubkey_import(key, first, GNUTLS_X509_FMT_DER) >= 0;
    gnutls_pubkey_deinit(key);
    return is_key;
}

void session_presented(const struct session *session, struct presented *presented)
{
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session->tls, &count);
    gnutls_datum_t status;

    memset(presented, 0, sizeof *presented);
    presented->psk_name = session->psk.peer;
    if (session->config->psk) {
        presented->kind = session_used_psk(session) ? PRESENTED_PSK : PRESENTED_NONE;
        return;
    }
    if (!list || count == 0)
        return;
    presented->kind = is_bare_key(session, &list[0]) ? PRESENTED_RAWPK : PRESENTED_X509;
    for (; presented->count < count && presented->count < PRESENTED_MAX; presented->count++)
        presented->at[presented->count] =
            (struct presented_der){.der = list[presented->count].data, .size = list[presented->count].size};
    if (presented->kind == PRESENTED_X509 && gnutls_ocsp_status_request_get2(session->tls, 0, &status) >= 0)
        presented->status = (struct presented_der){.der = status.data, .size = status.size};
}

bool session_peer_cannot_staple(const struct session *session)
{
    return session->our_role == ROLE_SERVER && gnutls_protocol_get_version(session->tls) != GNUTLS_TLS1_3;
}

bool session_facts(struct session *session, struct facts *facts)
{
    const struct role_config *config = &session->role.config;
    gnutls_session_t tls = session->tls;
    gnutls_datum_t alpn;

    facts->role = session->our_role;
    facts->symmetric = session->role.symmetric;
    facts->symmetric_unknown = session->role.symmetric_unknown;
    facts->decided_by = session->role.decided_by;
    if (config->symmetric != ROLE_SYMMETRIC_NEVER && !config->implicit && session->role.said_hello)
        copy_preference(facts->our_preference, sizeof facts->our_preference, &config->ours);
    if (session->role.peer_is_explicit)
        copy_preference(facts->peer_preference, sizeof facts->peer_preference, &session->role.peer);
    copy(facts->version, sizeof facts->version, gnutls_protocol_get_name(gnutls_protocol_get_version(tls)));
    copy(facts->cipher, sizeof facts->cipher, gnutls_cipher_get_name(gnutls_cipher_get(tls)));
    copy(facts->group, sizeof facts->group, gnutls_group_get_name(gnutls_group_get(tls)));
    copy(facts->signature, sizeof facts->signature,
         gnutls_sign_get_name(
             (gnutls_sign_algorithm_t)(session->our_role == ROLE_CLIENT ? gnutls_sign_algorithm_get(tls)
                                                                       : gnutls_sign_algorithm_get_client(tls))));
    if (gnutls_alpn_get_selected_protocol(tls, &alpn) == 0)
        text_escape(facts->alpn, sizeof facts->alpn, alpn.data, alpn.size);
    facts->resumed = gnutls_session_is_resumed(tls) != 0;
    copy(facts->our_pin, sizeof facts->our_pin, session_our_pin(session));
    if (session->shown)
        snprintf(facts->our_choice, sizeof facts->our_choice, "%s, since %s", session->shown->place, session->shown_why);
    return export_material(session, facts) && bind_channel(session, facts);
}

bool session_channel_binding(const struct session *session, uint8_t binding[SESSION_BINDING_SIZE])
{
    gnutls_datum_t datum = {.data = NULL};
    bool there = (session_is_tls13(session) || gnutls_session_ext_master_secret_status(session->tls)) &&
                 gnutls_session_channel_binding(session->tls, GNUTLS_CB_TLS_EXPORTER, &datum) >= 0;

    there = there && datum.size == SESSION_BINDING_SIZE;
    if (there)
        memcpy(binding, datum.data, SESSION_BINDING_SIZE);
    gnutls_free(datum.data);
    return there;
}
