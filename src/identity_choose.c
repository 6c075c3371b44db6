/* identity_choose.c - which of our identities a peer gets to see. No role: the same wish gets the same answer. */
#include "identity_credential.h"

#include <string.h>
#include <strings.h>

/* What speaks for one, the weightiest first. */
enum { FOR_THIS_PEER = 4, BEARS_THE_NAME = 2, HAS_AN_ISSUER = 1 };

static bool is_expected(const struct identity_wish *wish, const char *peer)
{
    for (size_t i = 0; i < wish->peer_count; i++)
        if (strcasecmp(wish->peers[i], peer) == 0)
            return true;
    return false;
}

static bool can_sign(const struct credential *credential, const struct identity_wish *wish)
{
    unsigned algorithm = (unsigned)gnutls_privkey_get_pk_algorithm(credential->key, NULL);

    for (size_t i = 0; i < wish->signature_count; i++)
        if (gnutls_sign_supports_pk_algorithm(wish->signatures[i], algorithm))
            return true;
    return wish->signature_count == 0;
}

static bool has_issuer(const struct credential *credential, const struct identity_wish *wish)
{
    for (unsigned i = 0; i < credential->chain_count; i++) {
        gnutls_datum_t issuer = {NULL, 0};
        bool accepted = false;

        if (gnutls_x509_crt_get_raw_issuer_dn(credential->chain[i], &issuer) < 0)
            continue;
        for (size_t j = 0; j < wish->issuer_count && !accepted; j++)
            accepted = wish->issuers[j].size == issuer.size && memcmp(wish->issuers[j].data, issuer.data, issuer.size) == 0;
        gnutls_free(issuer.data);
        if (accepted)
            return true;
    }
    return false;
}

/* -1: not at all. */
static int weigh(const struct credential *credential, const struct identity_wish *wish)
{
    int weight = 0;

    if ((credential->peer && !is_expected(wish, credential->peer)) || !can_sign(credential, wish))
        return -1;
    if (credential->peer)
        weight += FOR_THIS_PEER;
    if (wish->server_name && credential->chain_count && gnutls_x509_crt_check_hostname(credential->chain[0], wish->server_name))
        weight += BEARS_THE_NAME;
    if (has_issuer(credential, wish))
        weight += HAS_AN_ISSUER;
    return weight;
}

const struct credential *identity_choose(const struct identity *identity, const struct identity_wish *wish, const char **why)
{
    const struct credential *best = NULL;
    int most = -1;

    for (size_t i = 0; i < identity->count; i++) {
        int weight = weigh(&identity->at[i], wish);

        if (weight > most) {
            most = weight;
            best = &identity->at[i];
        }
    }
    *why = most & FOR_THIS_PEER     ? "it is meant for this peer"
           : most & BEARS_THE_NAME  ? "it bears the name that the peer asked for"
           : most & HAS_AN_ISSUER   ? "a CA that the peer accepts vouches for it"
           : identity->count == 1   ? "it is the only one"
                                    : "it is the first that the peer can verify";
    return best;
}
