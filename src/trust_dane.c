/* trust_dane.c - what a peer presented, against the TLSA records of its name. */
#include "trust_dane.h"
#include "trust_certificate.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

enum { SHA256_SIZE = 32, SHA512_SIZE = 64 };

/* ---- Does a record mean this certificate, or this key? ---- */

static bool data_match(const struct dane_record *record, const gnutls_datum_t *bytes)
{
    uint8_t hash[SHA512_SIZE];

    switch (record->matching) {
    case DANE_FULL:
        return record->size == bytes->size && memcmp(record->data, bytes->data, record->size) == 0;
    case DANE_SHA256:
        return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes->data, bytes->size, hash) == 0 &&
               memcmp(record->data, hash, SHA256_SIZE) == 0;
    case DANE_SHA512:
        return gnutls_hash_fast(GNUTLS_DIG_SHA512, bytes->data, bytes->size, hash) == 0 &&
               memcmp(record->data, hash, SHA512_SIZE) == 0;
    default:
        return false;
    }
}

static bool record_means(const struct dane_record *record, gnutls_x509_crt_t certificate)
{
    gnutls_datum_t bytes = {NULL, 0};
    gnutls_pubkey_t key = NULL;
    bool does = false;

    if (record->selector == DANE_CERTIFICATE)
        does = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &bytes) == 0 && data_match(record, &bytes);
    else if (gnutls_pubkey_init(&key) == 0)
        does = gnutls_pubkey_import_x509(key, certificate, 0) == 0 &&
               gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &bytes) == 0 && data_match(record, &bytes);
    gnutls_pubkey_deinit(key);
    gnutls_free(bytes.data);
    return does;
}

/* The certificate that a record has in full; NULL: it is none. The caller frees it. */
static gnutls_x509_crt_t certificate_in(const struct dane_record *record)
{
    gnutls_datum_t der = {.data = record->data, .size = (unsigned)record->size};
    gnutls_x509_crt_t certificate = NULL;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return NULL;
    if (gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0)
        return certificate;
    gnutls_x509_crt_deinit(certificate);
    return NULL;
}

static bool is_key(const struct dane_record *record)
{
    gnutls_datum_t der = {.data = record->data, .size = (unsigned)record->size};
    gnutls_pubkey_t key = NULL;
    bool is = gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER) == 0;

    gnutls_pubkey_deinit(key);
    return is;
}

static bool is_usable(const struct dane_record *record)
{
    gnutls_x509_crt_t certificate;

    if (record->usage > DANE_EE || record->selector > DANE_KEY)
        return false;
    switch (record->matching) {
    case DANE_SHA256:
        return record->size == SHA256_SIZE;
    case DANE_SHA512:
        return record->size == SHA512_SIZE;
    case DANE_FULL:
        if (record->selector == DANE_KEY)
            return is_key(record);
        certificate = certificate_in(record);
        gnutls_x509_crt_deinit(certificate);
        return certificate != NULL;
    default:
        return false;
    }
}

/* ---- Chains ---- */

/* The chain from certificates[from] leads to one of `list`, and all of it is in its time. */
static bool leads_to(const struct trust_dane_case *about, unsigned from, gnutls_x509_trust_list_t list, char why[TRUST_DANE_WHY_SIZE])
{
    gnutls_x509_crt_t chain[PRESENTED_MAX]; /* the library sorts it */
    gnutls_datum_t words = {NULL, 0};
    unsigned status = 0;

    memcpy(chain, about->certificates + from, (about->count - from) * sizeof *chain);
    if (gnutls_x509_trust_list_verify_crt2(list, chain, about->count - from, NULL, 0, 0, &status, NULL) < 0)
        status |= GNUTLS_CERT_INVALID;
    if (status && gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) == 0) {
        snprintf(why, TRUST_DANE_WHY_SIZE, "%s", words.data);
        gnutls_free(words.data);
        for (size_t end = strlen(why); end && strchr(" .", why[end - 1]);)
            why[--end] = '\0';
    }
    return status == 0;
}

/* The chain leads to that one certificate, which is above the peer's own. */
static bool leads_to_anchor(const struct trust_dane_case *about, gnutls_x509_crt_t anchor, char why[TRUST_DANE_WHY_SIZE])
{
    gnutls_x509_trust_list_t list = NULL;
    bool leads;

    if (gnutls_x509_crt_equals(anchor, about->certificates[0]) || gnutls_x509_trust_list_init(&list, 0) < 0)
        return false;
    leads = gnutls_x509_trust_list_add_cas(list, &anchor, 1, 0) == 1 && leads_to(about, 0, list, why);
    gnutls_x509_trust_list_deinit(list, 0); /* the certificate is not the list's */
    return leads;
}

static bool bears_host(const struct trust_dane_case *about, char why[TRUST_DANE_WHY_SIZE])
{
    if (trust_certificate_bears(about->certificates[0], about->dane->host))
        return true;
    snprintf(why, TRUST_DANE_WHY_SIZE, "the certificate does not bear the name \"%s\"", about->dane->host);
    return false;
}

/* ---- The usages ---- */

/* DANE-EE: the key or certificate itself, and nothing else counts (RFC 7671 section 5.1). */
static bool vouches_end(const struct trust_dane_case *about, const struct dane_record *record)
{
    gnutls_datum_t key;

    if (about->presented->kind != PRESENTED_RAWPK)
        return record_means(record, about->certificates[0]);
    key = trust_certificate_datum(&about->presented->at[0]);
    return record->selector == DANE_KEY && data_match(record, &key);
}

/* DANE-TA: a CA of the name's owner, which was sent along or is in the record (RFC 7671 section 5.2). */
static bool vouches_anchor(const struct trust_dane_case *about, const struct dane_record *record, char why[TRUST_DANE_WHY_SIZE])
{
    gnutls_x509_crt_t whole = record->matching == DANE_FULL && record->selector == DANE_CERTIFICATE ? certificate_in(record) : NULL;
    bool vouches = whole && leads_to_anchor(about, whole, why);

    gnutls_x509_crt_deinit(whole);
    for (unsigned i = 1; i < about->count && !vouches; i++)
        vouches = record_means(record, about->certificates[i]) && leads_to_anchor(about, about->certificates[i], why);
    return vouches && bears_host(about, why);
}

/* PKIX-TA: a CA that the chain goes through on its way to one of ours, or that one itself. */
static bool vouches_constraint(const struct trust_dane_case *about, const struct dane_record *record,
                               gnutls_x509_trust_list_t cas, char why[TRUST_DANE_WHY_SIZE])
{
    for (unsigned i = 0; i < about->count; i++) {
        gnutls_x509_crt_t issuer = NULL;
        bool vouches = i > 0 && record_means(record, about->certificates[i]) &&
                       leads_to_anchor(about, about->certificates[i], why) && leads_to(about, i, cas, why);

        if (!vouches && gnutls_x509_trust_list_get_issuer(cas, about->certificates[i], &issuer, GNUTLS_TL_GET_COPY) == 0) {
            vouches = record_means(record, issuer) && leads_to_anchor(about, issuer, why);
            gnutls_x509_crt_deinit(issuer);
        }
        if (vouches)
            return true;
    }
    return false;
}

/* PKIX-TA and PKIX-EE: over and above what is asked of every certificate. */
static bool vouches_pkix(const struct trust_dane_case *about, const struct dane_record *record, gnutls_x509_trust_list_t cas,
                         char why[TRUST_DANE_WHY_SIZE])
{
    if (record->usage == DANE_PKIX_EE && !record_means(record, about->certificates[0]))
        return false;
    return leads_to(about, 0, cas, why) && bears_host(about, why) &&
           (record->usage == DANE_PKIX_EE || vouches_constraint(about, record, cas, why));
}

static bool vouches(const struct trust_dane_case *about, const struct dane_record *record, gnutls_x509_trust_list_t cas,
                    char why[TRUST_DANE_WHY_SIZE])
{
    if (record->usage == DANE_EE)
        return vouches_end(about, record);
    if (about->presented->kind == PRESENTED_RAWPK)
        return false; /* there is no chain */
    return record->usage == DANE_TA ? vouches_anchor(about, record, why) : vouches_pkix(about, record, cas, why);
}

/* Our CAs are many: they are loaded once, and only for a record that asks for them. */
static bool has_cas(const struct trust_dane_case *about, const struct dane_record *record, gnutls_x509_trust_list_t *cas)
{
    if (*cas || record->usage > DANE_PKIX_EE || about->presented->kind == PRESENTED_RAWPK)
        return true;
    return gnutls_x509_trust_list_init(cas, 0) == 0 && about->load_cas(about->context, *cas);
}

enum trust_dane trust_dane_judge(const struct trust_dane_case *about, struct trust_dane_finding *finding)
{
    static const uint8_t order[] = {DANE_EE, DANE_TA, DANE_PKIX_EE, DANE_PKIX_TA}; /* the CAs last */
    enum trust_dane verdict = TRUST_DANE_UNUSABLE;
    gnutls_x509_trust_list_t cas = NULL;

    *finding = (struct trust_dane_finding){.why = "none of them can be used: their numbers are unknown, or their data malformed"};
    for (size_t i = 0; i < sizeof order && verdict != TRUST_DANE_GOOD && verdict != TRUST_DANE_FAILED; i++)
        for (size_t j = 0; j < about->dane->count; j++) {
            const struct dane_record *record = &about->dane->records[j];

            if (record->usage != order[i] || !is_usable(record))
                continue;
            if (verdict == TRUST_DANE_UNUSABLE)
                strcpy(finding->why, "its key is not among them");
            verdict = TRUST_DANE_CONTRADICTED;
            if (!has_cas(about, record, &cas)) {
                verdict = TRUST_DANE_FAILED;
                break;
            }
            if (vouches(about, record, cas, finding->why)) {
                finding->record = record;
                verdict = TRUST_DANE_GOOD;
                break;
            }
        }
    if (cas)
        gnutls_x509_trust_list_deinit(cas, 1);
    return verdict;
}
