/* session_identity.c - which of our identities the peer gets to see, and in what form. */
#include "session_gnutls.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNATURES_MAX = 64, NAME_SIZE = 256 };

/* The library asks in either role, when it knows what the peer can verify. */
static int choose(gnutls_session_t tls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **shown, unsigned *shown_count,
                  gnutls_ocsp_data_st **status, unsigned *status_count, gnutls_privkey_t *key, unsigned *flags)
{
    struct session *session = gnutls_session_get_ptr(tls);
    const struct identity *identity = session->config->identity;
    gnutls_sign_algorithm_t signatures[SIGNATURES_MAX];
    char name[NAME_SIZE];
    size_t name_size = sizeof name - 1;
    unsigned type;
    struct identity_wish wish = {.peers = session->config->peers,
                                 .peer_count = session->config->peer_count,
                                 .issuers = info->req_ca_rdn,
                                 .issuer_count = info->nreqs > 0 ? (size_t)info->nreqs : 0,
                                 .signatures = signatures};

    *flags = 0;
    *shown_count = *status_count = 0;
    if (session->our_role == ROLE_SERVER && gnutls_server_name_get(tls, name, &name_size, &type, 0) >= 0) {
        name[name_size < sizeof name ? name_size : sizeof name - 1] = '\0';
        wish.server_name = name;
    }
    while (wish.signature_count < SIGNATURES_MAX &&
           gnutls_sign_algorithm_get_requested(tls, wish.signature_count, &signatures[wish.signature_count]) >= 0)
        wish.signature_count++;
    session->shown = identity_choose(identity, &wish, &session->shown_why);
    session->shown_none = session->shown ? NULL : "none of our identities is for this peer, and of a kind that it can verify";
    if (identity->bare && gnutls_certificate_type_get2(tls, GNUTLS_CTYPE_OURS) != GNUTLS_CRT_RAWPK) {
        session->shown = NULL;
        session->shown_none = "the peer takes no bare public keys, and with --rawpk we show nothing else";
    }
    if (!session->shown)
        return 0;
    /* Only read by the library, for as long as the identity lives. */
    *shown = (gnutls_pcert_st *)session->shown->shown;
    *shown_count = session->shown->shown_count;
    *key = session->shown->key;
    if (session->shown->status.response.size && !identity->bare) {
        *status = (gnutls_ocsp_data_st *)&session->shown->status;
        *status_count = 1;
    }
    return 0;
}

int session_set_identity(struct session *session, gnutls_session_t tls)
{
    gnutls_certificate_credentials_t library = session->config->identity->library;

    if (session->config->identity->count > 0)
        gnutls_certificate_set_retrieve_function3(library, choose);
    return gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, library);
}

const char *session_certificate_types(const struct session *session, enum role role)
{
    static const char *const types[2][2] = {
        {":-CTYPE-ALL:+CTYPE-CLI-X509:+CTYPE-SRV-X509:+CTYPE-SRV-RAWPK", ":-CTYPE-ALL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-X509:+CTYPE-SRV-RAWPK"},
        {":-CTYPE-ALL:+CTYPE-SRV-X509:+CTYPE-CLI-X509:+CTYPE-CLI-RAWPK", ":-CTYPE-ALL:+CTYPE-SRV-RAWPK:+CTYPE-CLI-X509:+CTYPE-CLI-RAWPK"},
    };

    return types[role == ROLE_SERVER][identity_is_bare(session->config->identity)];
}

const char *session_our_pin(const struct session *session)
{
    if (session->shown_none)
        return "";
    if (session_is_resumed(session) && session->our_role == ROLE_CLIENT)
        return session->config->resume->our_pin;
    if (session_is_resumed(session) && identity_count(session->config->identity) > 1)
        return ""; /* which one it was nobody remembers */
    return session->shown ? session->shown->pin : identity_pin(session->config->identity, 0);
}
