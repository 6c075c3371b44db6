/* certs.c - certificates made in memory. */
#include "check.h"
#include "certs.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_name(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type, const void *name, size_t length)
{
    assert_int_equal(gnutls_x509_crt_set_subject_alt_name(crt, type, name, (unsigned)length, GNUTLS_FSAN_APPEND), 0);
}

static void add_names(gnutls_x509_crt_t crt, const struct cert_wish *wish)
{
    unsigned char address[16];

    if (wish->cn)
        assert_int_equal(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, wish->cn, (unsigned)strlen(wish->cn)), 0);
    for (size_t i = 0; i < COUNT(wish->dns) && wish->dns[i]; i++)
        add_name(crt, GNUTLS_SAN_DNSNAME, wish->dns[i], strlen(wish->dns[i]));
    if (wish->email)
        add_name(crt, GNUTLS_SAN_RFC822NAME, wish->email, strlen(wish->email));
    if (wish->uri)
        add_name(crt, GNUTLS_SAN_URI, wish->uri, strlen(wish->uri));
    if (wish->ip) {
        int family = strchr(wish->ip, ':') ? AF_INET6 : AF_INET;

        assert_int_equal(inet_pton(family, wish->ip, address), 1);
        add_name(crt, GNUTLS_SAN_IPADDRESS, address, family == AF_INET6 ? 16 : 4);
    }
}

/* The library would end such a name at its first zero: GeneralNames of RFC 5280 section 4.2.1.6, by hand. */
static void add_raw_dns(gnutls_x509_crt_t crt, const char *name, size_t length)
{
    unsigned char der[128] = {0x30, (unsigned char)(length + 2), 0x82, (unsigned char)length};

    assert_in_range(length, 1, 100);
    memcpy(der + 4, name, length);
    assert_int_equal(gnutls_x509_crt_set_extension_by_oid(crt, "2.5.29.17", der, length + 4, 0), 0);
}

static void make_key(struct cert *cert, const struct cert *same)
{
    assert_int_equal(gnutls_x509_privkey_init(&cert->key), 0);
    if (same)
        assert_int_equal(gnutls_x509_privkey_cpy(cert->key, same->key), 0);
    else
        assert_int_equal(gnutls_x509_privkey_generate(cert->key, GNUTLS_PK_ECDSA,
                                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
}

void cert_make(struct cert *cert, const struct cert_wish *wish)
{
    static unsigned serial;
    const struct cert *issuer = wish->issuer ? wish->issuer : cert;
    bool usual = wish->from_days == 0 && wish->to_days == 0;
    unsigned char number[2] = {(unsigned char)(1 + serial / 256), (unsigned char)serial};
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    time_t now = time(NULL);

    make_key(cert, wish->key_of);
    assert_int_equal(gnutls_x509_crt_init(&cert->crt), 0);
    assert_int_equal(gnutls_x509_crt_set_version(cert->crt, 3), 0);
    serial++;
    assert_int_equal(gnutls_x509_crt_set_serial(cert->crt, number, sizeof number), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(cert->crt, now + 86400 * (usual ? -1 : wish->from_days)), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(cert->crt, now + 86400 * (usual ? 1 : wish->to_days)), 0);
    assert_int_equal(gnutls_x509_crt_set_key(cert->crt, cert->key), 0);
    assert_int_equal(gnutls_x509_crt_set_basic_constraints(cert->crt, wish->ca, -1), 0);
    assert_int_equal(gnutls_x509_crt_set_key_usage(cert->crt, wish->ca ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE), 0);
    if (wish->purpose)
        assert_int_equal(gnutls_x509_crt_set_key_purpose_oid(cert->crt, wish->purpose, 0), 0);
    add_names(cert->crt, wish);
    if (wish->raw_dns)
        add_raw_dns(cert->crt, wish->raw_dns, wish->raw_length);
    assert_int_equal(gnutls_x509_crt_sign2(cert->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_DER, &cert->der), 0);
    assert_int_equal(gnutls_x509_crt_get_key_id(cert->crt, GNUTLS_KEYID_USE_SHA256, hash, &size), 0);
    text_from_pin(cert->pin, hash);
}

void cert_free(struct cert *cert)
{
    gnutls_free(cert->der.data);
    gnutls_x509_crt_deinit(cert->crt);
    gnutls_x509_privkey_deinit(cert->key);
    memset(cert, 0, sizeof *cert);
}

void cert_present(struct presented *presented, const struct cert *cert, const struct cert *second)
{
    memset(presented, 0, sizeof *presented);
    presented->psk_name = "";
    presented->kind = cert ? PRESENTED_X509 : PRESENTED_NONE;
    for (const struct cert *at = cert; at; at = at == cert ? second : NULL) {
        presented->at[presented->count].der = at->der.data;
        presented->at[presented->count++].size = at->der.size;
    }
}

static char *keep(gnutls_datum_t *pem)
{
    char *copy = strndup((const char *)pem->data, pem->size);

    assert_non_null(copy);
    gnutls_free(pem->data);
    return copy;
}

char *cert_pem(const struct cert *cert)
{
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_crt_export2(cert->crt, GNUTLS_X509_FMT_PEM, &pem), 0);
    return keep(&pem);
}

char *cert_key_pem(const struct cert *cert)
{
    gnutls_datum_t pem;

    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(cert->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem), 0);
    return keep(&pem);
}
