/* session_facts.c - what a handshake came to, taken once out of the library. */
#include "session_gnutls.h"

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

/* Keying material for the application (RFC 5705); in TLS 1.3 an absent context and an empty one are the same. */
static bool export_material(struct session *session, struct facts *facts)
{
    const char *label = session->config->export_label;
    const char *context = session->config->export_context;
    size_t length = session->config->export_length;
    char *material;
    int code;

    if (!label)
        return true;
    material = calloc(1, length);
    facts->export_hex = calloc(2, length + 1);
    if (!material || !facts->export_hex) {
        free(material);
        error_set(session->error, STATUS_LOCAL, "out of memory");
        return false;
    }
    code = gnutls_prf_rfc5705(session->tls, strlen(label), label, context ? strlen(context) : 0, context, length, material);
    for (size_t i = 0; code >= 0 && i < length; i++)
        snprintf(facts->export_hex + 2 * i, 3, "%02x", (unsigned char)material[i]);
    explicit_bzero(material, length);
    free(material);
    if (code < 0)
        error_set(session->error, STATUS_LOCAL, "--export: %s", gnutls_strerror(code));
    return code >= 0;
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
    return export_material(session, facts);
}
