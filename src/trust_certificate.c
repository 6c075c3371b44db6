/* trust_certificate.c - what a certificate says, made fit for printing. */
#include "trust_certificate.h"
#include "trust_name.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 1024 };

gnutls_datum_t trust_certificate_datum(const struct presented_der *der)
{
    return (gnutls_datum_t){.data = (unsigned char *)der->der, .size = (unsigned)der->size};
}

bool trust_certificate_pin(gnutls_x509_crt_t certificate, char pin[TEXT_PIN_SIZE])
{
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;

    pin[0] = '\0';
    if (gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, hash, &size) < 0 || size != sizeof hash)
        return false;
    text_from_pin(pin, hash);
    return true;
}

bool trust_certificate_pin_of_key(const struct presented_der *der, char pin[TEXT_PIN_SIZE])
{
    gnutls_datum_t datum = trust_certificate_datum(der);
    gnutls_pubkey_t key = NULL;
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    bool usable;

    pin[0] = '\0';
    usable = gnutls_pubkey_init(&key) >= 0 && gnutls_pubkey_import(key, &datum, GNUTLS_X509_FMT_DER) >= 0 &&
             gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, hash, &size) >= 0 && size == sizeof hash;
    if (usable)
        text_from_pin(pin, hash);
    gnutls_pubkey_deinit(key);
    return usable;
}

/* The subject alternative name number `index`. False: there is none. "" for a kind that has no text. */
static bool alternative_name(gnutls_x509_crt_t certificate, unsigned index, char name[FACTS_NAME_SIZE])
{
    char raw[1024];
    size_t size = sizeof raw;
    unsigned type;
    int code = gnutls_x509_crt_get_subject_alt_name2(certificate, index, raw, &size, &type, NULL);

    name[0] = '\0';
    if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return false;
    if (code == GNUTLS_E_SHORT_MEMORY_BUFFER) {
        strcpy(name, "(a name of more than 1000 bytes)");
        return true;
    }
    if (code < 0)
        return false;
    switch (type) {
    case GNUTLS_SAN_IPADDRESS:
        if (size == 4 || size == 16)
            inet_ntop(size == 4 ? AF_INET : AF_INET6, raw, name, FACTS_NAME_SIZE);
        break;
    case GNUTLS_SAN_DNSNAME:
    case GNUTLS_SAN_RFC822NAME:
    case GNUTLS_SAN_URI:
        text_escape(name, FACTS_NAME_SIZE, raw, size);
        break;
    default:
        break;
    }
    return true;
}

void trust_certificate_name(gnutls_x509_crt_t certificate, char name[FACTS_NAME_SIZE])
{
    char raw[512];
    size_t size = sizeof raw;

    for (unsigned i = 0; i < NAMES_MAX && alternative_name(certificate, i, name); i++)
        if (*name)
            return;
    name[0] = '\0';
    if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, raw, &size) == 0)
        text_escape(name, FACTS_NAME_SIZE, raw, size);
}

/* GnuTLS's own check falls back to the common name also where there are alternative names of other kinds. */
static bool is_called(gnutls_x509_crt_t certificate, const char *expected)
{
    char name[256];
    size_t size = sizeof name;

    /* two common names: who knows which one was meant (RFC 6125 section 1.8) */
    if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 1, 0, name, &size) !=
        GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return false;
    size = sizeof name;
    return gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) >= 0 &&
           strlen(name) == size && !strchr(name, '*') &&
           trust_name_fits(TRUST_NAME_DNS, (const uint8_t *)name, size, expected);
}

bool trust_certificate_bears(gnutls_x509_crt_t certificate, const char *expected)
{
    static const unsigned types[] = {[TRUST_NAME_DNS] = GNUTLS_SAN_DNSNAME,
                                     [TRUST_NAME_IP] = GNUTLS_SAN_IPADDRESS,
                                     [TRUST_NAME_EMAIL] = GNUTLS_SAN_RFC822NAME,
                                     [TRUST_NAME_URI] = GNUTLS_SAN_URI};
    enum trust_name_kind kind = trust_name_kind(expected);
    uint8_t name[1024];
    unsigned index, type;

    for (index = 0; index < NAMES_MAX; index++) {
        size_t size = sizeof name;
        int code = gnutls_x509_crt_get_subject_alt_name2(certificate, index, name, &size, &type, NULL);

        if (code == GNUTLS_E_SHORT_MEMORY_BUFFER) /* nobody expects so long a name */
            continue;
        if (code < 0)
            break;
        if (type == types[kind] && trust_name_fits(kind, name, size, expected))
            return true;
    }
    /* A CA's name constraints hold for the common name only where a TLS server may have it: so the library has it. */
    return index == 0 && kind == TRUST_NAME_DNS && trust_certificate_is_for(certificate, true) && is_called(certificate, expected);
}

bool trust_certificate_is_for(gnutls_x509_crt_t certificate, bool server)
{
    char purpose[128];
    unsigned index;

    for (index = 0;; index++) {
        size_t size = sizeof purpose;
        int code = gnutls_x509_crt_get_key_purpose_oid(certificate, index, purpose, &size, NULL);

        if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return index == 0; /* whatever one likes, when nothing is said */
        if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (code < 0)
            return false;
        if (strcmp(purpose, GNUTLS_KP_ANY) == 0 ||
            strcmp(purpose, server ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT) == 0)
            return true;
    }
}

static void describe_dn(int code, gnutls_datum_t *dn, char *text, size_t size)
{
    text[0] = '\0';
    if (code < 0)
        return;
    text_escape(text, size, dn->data, dn->size);
    gnutls_free(dn->data);
}

void trust_certificate_describe(gnutls_x509_crt_t certificate, struct facts *facts)
{
    gnutls_datum_t dn = {NULL, 0};
    time_t expiry = gnutls_x509_crt_get_expiration_time(certificate);
    char name[FACTS_NAME_SIZE];
    int code;

    code = gnutls_x509_crt_get_dn3(certificate, &dn, 0);
    describe_dn(code, &dn, facts->peer.subject, sizeof facts->peer.subject);
    code = gnutls_x509_crt_get_issuer_dn3(certificate, &dn, 0);
    describe_dn(code, &dn, facts->peer.issuer, sizeof facts->peer.issuer);
    facts->peer.not_after = expiry == (time_t)GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION ? FACTS_NO_EXPIRY : expiry;
    for (unsigned i = 0; i < NAMES_MAX && alternative_name(certificate, i, name); i++) {
        void *grown;

        if (!*name)
            continue;
        grown = realloc(facts->peer.names, (facts->peer.name_count + 1) * sizeof *facts->peer.names);
        if (!grown)
            return;
        facts->peer.names = grown;
        memcpy(facts->peer.names[facts->peer.name_count++], name, sizeof name);
    }
}
