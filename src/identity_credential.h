/* identity_credential.h - a key and what is shown of it, for the identity*.c files and for `session`. */
#ifndef SYMTLS_IDENTITY_CREDENTIAL_H
#define SYMTLS_IDENTITY_CREDENTIAL_H

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>

#include "buffer.h"
#include "identity.h"
#include "text.h"

enum { CREDENTIAL_CHAIN_MAX = 16 };

struct credential {
    const char *place; /* where it is from: owned, as is `peer` */
    const char *peer;  /* NULL: for anybody */
    gnutls_privkey_t key;
    struct identity_login *login; /* of the token that has the key */
    gnutls_x509_crt_t chain[CREDENTIAL_CHAIN_MAX]; /* its own certificate first */
    unsigned chain_count;
    gnutls_pcert_st shown[CREDENTIAL_CHAIN_MAX]; /* what the peer gets: the chain, or the bare key */
    unsigned shown_count;
    gnutls_ocsp_data_st status; /* response.size 0: none */
    char pin[TEXT_PIN_SIZE];
    char name[256];
};

struct identity {
    gnutls_certificate_credentials_t library; /* empty: `session` is asked what to show, and asks identity_choose() */
    struct credential *at;
    size_t count;
    const char **pins;
    bool bare;
};

/* ---- For `session` ---- */

/* What is known of a peer when it is time to show something. Borrowed. */
struct identity_wish {
    const char *const *peers; /* whom we expect */
    size_t peer_count;
    const char *server_name;  /* that the client asked for; NULL: none */
    const gnutls_datum_t *issuers; /* names (DER) of the CAs that it accepts; none: no preference */
    size_t issuer_count;
    const gnutls_sign_algorithm_t *signatures; /* that it can verify; none: not known */
    size_t signature_count;
};

/* What to show, and why that; NULL: nothing fits. */
const struct credential *identity_choose(const struct identity *identity, const struct identity_wish *wish, const char **why);

/* ---- Where a credential comes from ---- */

/* Fill in the key and the chain; the chain may stay empty. */
bool identity_read_files(const struct identity_config *config, const struct identity_source *source,
                         struct credential *credential, struct error *error);
bool identity_is_token(const char *place); /* it is a pkcs11: URI */
bool identity_read_token_key(const struct identity_config *config, const char *uri, struct credential *credential,
                             struct error *error);
bool identity_read_token_chain(const struct identity_config *config, const char *uri, struct credential *credential,
                               bool may_be_missing, struct error *error);

void identity_login_end(struct credential *credential); /* nobody is to be asked any more */
void identity_login_free(struct credential *credential);

/* Keep the story of a GnuTLS error about `what` at `place`. */
void identity_tell(struct error *error, const char *what, const char *place, int code);

#endif
