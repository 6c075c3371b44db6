/* identity_make.c - new keys, and self-signed certificates for keys. */
#include "identity_make.h"
#include "known.h"

#include <gnutls/crypto.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void identity_make_name(char name[IDENTITY_MAKE_NAME_SIZE])
{
    const struct passwd *user = getpwuid(geteuid());
    char host[65] = "";

    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        strcpy(host, "localhost");
    snprintf(name, IDENTITY_MAKE_NAME_SIZE, "%.60s@%s", user ? user->pw_name : "symtls", host);
    if (!known_is_name(name) || strlen(name) > 64) /* ub-common-name of RFC 5280 */
        strcpy(name, "symtls");
}

static bool export(gnutls_datum_t *pem, struct buffer *out)
{
    bool appended = buffer_append(out, pem->data, pem->size);

    explicit_bzero(pem->data, pem->size);
    gnutls_free(pem->data);
    return appended;
}

bool identity_make_certificate(gnutls_privkey_t key, const char *place, gnutls_x509_crt_t *made, struct error *error)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_pubkey_t public = NULL;
    gnutls_digest_algorithm_t hash = GNUTLS_DIG_SHA256;
    unsigned char serial[16] = {0};
    char name[IDENTITY_MAKE_NAME_SIZE]; /* for people to recognise; nothing is decided by it */
    int code = gnutls_x509_crt_init(&certificate);

    identity_make_name(name);
    if (code >= 0)
        code = gnutls_pubkey_init(&public);
    if (code >= 0)
        code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* a positive number of 16 bytes */
    if (code >= 0)
        code = gnutls_x509_crt_set_version(certificate, 3);
    if (code >= 0)
        code = gnutls_x509_crt_set_serial(certificate, serial, sizeof serial);
    if (code >= 0)
        code = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
    if (code >= 0) /* a day back: the peer's clock may be behind ours */
        code = gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 86400);
    if (code >= 0) /* the key is what is trusted, and nobody renews it but its owner (RFC 5280 section 4.1.2.5) */
        code = gnutls_x509_crt_set_expiration_time(certificate, (time_t)GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION);
    if (code >= 0)
        code = gnutls_x509_crt_set_basic_constraints(certificate, 0, -1);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (code >= 0)
        code = gnutls_pubkey_import_privkey(public, key, 0, 0);
    if (code >= 0)
        code = gnutls_x509_crt_set_pubkey(certificate, public);
    if (code >= 0) /* Ed25519 has one of its own */
        code = gnutls_pubkey_get_preferred_hash_algorithm(public, &hash, NULL);
    if (code >= 0)
        code = gnutls_x509_crt_privkey_sign(certificate, certificate, key, hash, 0);
    gnutls_pubkey_deinit(public);
    if (code >= 0) {
        *made = certificate;
        return true;
    }
    gnutls_x509_crt_deinit(certificate);
    if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        error_set(error, STATUS_IDENTITY,
                  "beside the private key at \"%s\" there is neither a certificate nor the public key; --cert names a file "
                  "with the certificate", place);
    else
        error_set(error, STATUS_IDENTITY, "cannot make a self-signed certificate for the key in \"%s\": %s", place,
                  gnutls_strerror(code));
    return false;
}

static bool append_certificate(gnutls_x509_privkey_t key, struct buffer *out, struct error *error)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_privkey_t signer = NULL;
    gnutls_datum_t pem = {NULL, 0};
    bool made;
    int code = gnutls_privkey_init(&signer);

    if (code >= 0)
        code = gnutls_privkey_import_x509(signer, key, 0);
    made = code >= 0 && identity_make_certificate(signer, "memory", &certificate, error);
    if (made)
        code = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem);
    if (code < 0)
        error_set(error, STATUS_IDENTITY, "cannot make a self-signed certificate: %s", gnutls_strerror(code));
    made = made && code >= 0 && export(&pem, out);
    gnutls_x509_crt_deinit(certificate);
    gnutls_privkey_deinit(signer);
    return made;
}

bool identity_make(struct buffer *out, struct error *error)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t pem = {NULL, 0};
    bool made = false;
    int code = gnutls_x509_privkey_init(&key);

    if (code >= 0)
        code = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (code >= 0)
        code = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
    if (code < 0)
        error_set(error, STATUS_IDENTITY, "cannot make a key: %s", gnutls_strerror(code));
    else
        made = export(&pem, out) && append_certificate(key, out, error);
    gnutls_x509_privkey_deinit(key);
    return made;
}
