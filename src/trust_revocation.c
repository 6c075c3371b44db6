/* trust_revocation.c - has a CA taken back its word for the peer's certificate? */
#include "trust_revocation.h"
#include "file.h"
#include "trust_certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum {
    STATUS_REQUEST = 5,         /* the TLS feature "must-staple" of RFC 7633 */
    CLOCKS_DIFFER_S = 5 * 60,   /* an OCSP response of this moment may have been made by a clock that is ahead */
    LASTS_S = 15 * 24 * 60 * 60 /* how long it holds, where it does not say when the next one is due */
};

static enum trust_chain doubt(struct trust_examination *examination, enum trust_chain verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum trust_chain doubt(struct trust_examination *examination, enum trust_chain verdict, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(examination->result->doubt, sizeof examination->result->doubt, format, arguments);
    va_end(arguments);
    return verdict;
}

#define DATE_SIZE 32

static const char *date(time_t when, char text[DATE_SIZE])
{
    struct tm parts;

    if (!gmtime_r(&when, &parts) || !strftime(text, DATE_SIZE, "%Y-%m-%d %H:%M UTC", &parts))
        snprintf(text, DATE_SIZE, "(no date)");
    return text;
}

static time_t next_is_due(time_t this_update, time_t next_update)
{
    return next_update == (time_t)-1 ? this_update + LASTS_S : next_update;
}

/* ---- Who issued it ---- */

/* The peer sent this CA's certificate, and we need not believe that it is one. */
static bool is_vouched_for(const struct trust_examination *examination, gnutls_x509_trust_list_t list, unsigned index)
{
    gnutls_x509_crt_t chain[PRESENTED_MAX] = {examination->certificates[index]};
    unsigned count = 1, status = 0;

    for (unsigned i = 1; i < examination->count; i++)
        if (i != index)
            chain[count++] = examination->certificates[i];
    return gnutls_x509_trust_list_verify_crt2(list, chain, count, NULL, 0, 0, &status, NULL) >= 0 && status == 0;
}

/* The CA whose word `certificate` is: one of ours, or one that they vouch for. NULL: it is trusted by itself. Borrowed. */
static gnutls_x509_crt_t issuer_of(const struct trust_examination *examination, gnutls_x509_trust_list_t list,
                                   gnutls_x509_crt_t certificate, bool *is_ours)
{
    gnutls_x509_crt_t issuer = NULL;
    unsigned status = 0;

    *is_ours = gnutls_x509_trust_list_get_issuer(list, certificate, &issuer, 0) >= 0;
    if (*is_ours)
        return issuer;
    for (unsigned i = 1; i < examination->count; i++) {
        issuer = examination->certificates[i];
        if (gnutls_x509_crt_check_issuer(certificate, issuer) == 1 &&
            gnutls_x509_crt_verify(certificate, &issuer, 1, 0, &status) >= 0 && status == 0 &&
            is_vouched_for(examination, list, i))
            return issuer;
    }
    return NULL;
}

/* ---- CRLs ---- */

struct crls {
    gnutls_x509_crl_t *at;
    unsigned count;
};

static void free_crls(struct crls *crls)
{
    for (unsigned i = 0; i < crls->count; i++)
        gnutls_x509_crl_deinit(crls->at[i]);
    gnutls_free(crls->at);
}

static bool load_crls(struct trust_examination *examination, struct crls *crls)
{
    const char *path = examination->config->crl;
    struct buffer bytes = {0};
    gnutls_datum_t datum;
    bool loaded = file_read(path, FILE_PUBLIC, &bytes, STATUS_LOCAL, examination->error);

    if (loaded) {
        datum = (gnutls_datum_t){.data = (unsigned char *)buffer_at(&bytes), .size = (unsigned)buffer_used(&bytes)};
        loaded = gnutls_x509_crl_list_import2(&crls->at, &crls->count, &datum, GNUTLS_X509_FMT_PEM, 0) >= 0 ||
                 gnutls_x509_crl_list_import2(&crls->at, &crls->count, &datum, GNUTLS_X509_FMT_DER, 0) >= 0;
        if (!loaded) {
            *crls = (struct crls){0};
            error_set(examination->error, STATUS_LOCAL, "there is no CRL (PEM or DER), or a damaged one, in \"%s\"", path);
        }
    }
    buffer_free(&bytes);
    return loaded;
}

/* A critical extension says that it is not the list of everything that this CA has revoked: a part, or a difference
 * (RFC 5280 section 5.2). */
static bool is_complete(gnutls_x509_crl_t crl)
{
    char oid[128];

    for (unsigned i = 0;; i++) {
        size_t size = sizeof oid;
        unsigned critical = 0;
        int code = gnutls_x509_crl_get_extension_info(crl, i, oid, &size, &critical);

        if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return true;
        if (code < 0 || critical)
            return false;
    }
}

/* False: this CRL, which is in the issuer's name, says nothing; and why. */
static bool is_usable(struct trust_examination *examination, gnutls_x509_crl_t crl, gnutls_x509_crt_t issuer)
{
    const unsigned dates = GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED;
    const char *path = examination->config->crl;
    time_t from = gnutls_x509_crl_get_this_update(crl);
    time_t due = next_is_due(from, gnutls_x509_crl_get_next_update(crl));
    unsigned status = 0;
    char when[DATE_SIZE];

    if (gnutls_x509_crl_verify(crl, &issuer, 1, 0, &status) < 0 || status & ~(dates | GNUTLS_CERT_INVALID))
        doubt(examination, TRUST_CHAIN_NO_STATUS,
              "the CRL in the name of its CA is not signed by this CA, or this CA may not sign CRLs: \"%s\"", path);
    else if (from > time(NULL))
        doubt(examination, TRUST_CHAIN_NO_STATUS, "the CRL of its CA is not valid before %s: \"%s\"", date(from, when), path);
    else if (due < time(NULL))
        doubt(examination, TRUST_CHAIN_NO_STATUS, "the CRL of its CA is superseded, a newer one was due on %s: \"%s\"",
              date(due, when), path);
    else
        return true;
    return false;
}

/* One certificate of the chain. A CA further up may do without a CRL, but where there is one it counts. */
static enum trust_chain look_up(struct trust_examination *examination, const struct crls *crls,
                                gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer)
{
    bool is_the_peers = certificate == examination->certificates[0];
    const char *path = examination->config->crl;
    enum trust_chain verdict = is_the_peers ? TRUST_CHAIN_NO_STATUS : TRUST_CHAIN_GOOD;
    bool covered = false;

    if (is_the_peers)
        doubt(examination, verdict, "no CRL is from the CA that issued its certificate: \"%s\"", path);
    for (unsigned i = 0; i < crls->count && issuer; i++) {
        gnutls_x509_crl_t crl = crls->at[i];

        if (gnutls_x509_crl_check_issuer(crl, issuer) != 1)
            continue;
        verdict = TRUST_CHAIN_NO_STATUS;
        if (!is_usable(examination, crl, issuer))
            continue;
        if (gnutls_x509_crt_check_revocation(certificate, &crl, 1) != 0)
            return doubt(examination, TRUST_CHAIN_REVOKED, "%s is revoked, says the CRL in \"%s\"",
                         is_the_peers ? "its certificate" : "the certificate of its CA", path);
        if (is_complete(crl))
            covered = true;
        else
            doubt(examination, verdict, "the CRL of its CA lists only a part of what this CA has revoked: \"%s\"", path);
    }
    return covered ? TRUST_CHAIN_GOOD : verdict;
}

static enum trust_chain judge_crls(struct trust_examination *examination, gnutls_x509_trust_list_t list)
{
    gnutls_x509_crt_t certificate = examination->certificates[0], issuer;
    enum trust_chain verdict = TRUST_CHAIN_FAILED;
    struct crls crls = {0};
    bool is_ours = false;

    if (load_crls(examination, &crls)) {
        verdict = TRUST_CHAIN_GOOD;
        for (unsigned i = 0; i < PRESENTED_MAX && certificate && !is_ours && verdict == TRUST_CHAIN_GOOD; i++) {
            issuer = issuer_of(examination, list, certificate, &is_ours);
            verdict = look_up(examination, &crls, certificate, issuer);
            certificate = issuer;
        }
    }
    free_crls(&crls);
    return verdict;
}

/* ---- The OCSP response that came along ---- */

static bool must_staple(gnutls_x509_crt_t certificate)
{
    gnutls_x509_tlsfeatures_t features = NULL;
    unsigned feature, critical;
    bool found = false;

    if (gnutls_x509_tlsfeatures_init(&features) < 0)
        return true;
    if (gnutls_x509_crt_get_tlsfeatures(certificate, features, 0, &critical) >= 0)
        for (unsigned i = 0; gnutls_x509_tlsfeatures_get(features, i, &feature) >= 0; i++)
            found = found || feature == STATUS_REQUEST;
    gnutls_x509_tlsfeatures_deinit(features);
    return found;
}

static enum trust_chain judge_silence(struct trust_examination *examination)
{
    bool required = examination->config->ocsp == TRUST_OCSP_REQUIRE;

    if (!required && !must_staple(examination->certificates[0]))
        return TRUST_CHAIN_GOOD;
    return doubt(examination, TRUST_CHAIN_NO_STATUS, "no OCSP response came with its certificate, and %s%s",
                 required ? "--ocsp require insists on one" : "the certificate itself says that one has to (must-staple)",
                 examination->occasion->peer_cannot_staple
                     ? "; before TLS 1.3 a client cannot send one (RFC 6066): TLS 1.3 helps, or --role client here"
                     : "");
}

/* What it says of one certificate. */
struct single {
    unsigned status; /* GNUTLS_OCSP_CERT_... */
    time_t this_update, next_update, revoked_at;
};

static bool find_single(gnutls_ocsp_resp_t response, gnutls_x509_crt_t certificate, struct single *single)
{
    for (unsigned i = 0;; i++) {
        int code = gnutls_ocsp_resp_get_single(response, i, NULL, NULL, NULL, NULL, &single->status, &single->this_update,
                                               &single->next_update, &single->revoked_at, NULL);

        if (code < 0)
            return false;
        if (gnutls_ocsp_resp_check_crt(response, i, certificate) == 0)
            return true;
    }
}

static enum trust_chain judge_single(struct trust_examination *examination, const struct single *single)
{
    time_t now = time(NULL), due = next_is_due(single->this_update, single->next_update);
    char when[DATE_SIZE];

    if (single->status == GNUTLS_OCSP_CERT_REVOKED)
        return doubt(examination, TRUST_CHAIN_REVOKED,
                     "its certificate is revoked, since %s, says the OCSP response that came with it",
                     date(single->revoked_at, when));
    if (single->status != GNUTLS_OCSP_CERT_GOOD)
        return doubt(examination, TRUST_CHAIN_NO_STATUS, "the OCSP response that came with it does not know its certificate");
    if (single->this_update == (time_t)-1 || single->this_update > now + CLOCKS_DIFFER_S)
        return doubt(examination, TRUST_CHAIN_NO_STATUS, "the OCSP response that came with it is not valid before %s",
                     date(single->this_update, when));
    if (due < now)
        return doubt(examination, TRUST_CHAIN_NO_STATUS, "the OCSP response that came with it is stale, a newer one was due on %s",
                     date(due, when));
    return TRUST_CHAIN_GOOD;
}

/* Signed by the CA that issued the certificate, or by whom this CA has named for that: else it is nobody's word. */
static enum trust_chain judge_response(struct trust_examination *examination, gnutls_x509_trust_list_t list,
                                       gnutls_ocsp_resp_t response)
{
    gnutls_x509_crt_t certificate = examination->certificates[0];
    struct single single;
    unsigned verify = 0;
    bool is_ours;
    gnutls_x509_crt_t issuer = issuer_of(examination, list, certificate, &is_ours);

    if (!issuer || gnutls_ocsp_resp_verify_direct(response, issuer, &verify, 0) < 0 || verify)
        return doubt(examination, TRUST_CHAIN_NO_STATUS,
                     "the OCSP response that came with it is not signed by its CA, nor by whom its CA named for that");
    if (!find_single(response, certificate, &single))
        return doubt(examination, TRUST_CHAIN_NO_STATUS, "the OCSP response that came with it is about another certificate");
    return judge_single(examination, &single);
}

static enum trust_chain judge_ocsp(struct trust_examination *examination, gnutls_x509_trust_list_t list)
{
    gnutls_datum_t datum = trust_certificate_datum(&examination->presented->status);
    gnutls_ocsp_resp_t response = NULL;
    enum trust_chain verdict;

    if (examination->config->ocsp == TRUST_OCSP_NEVER)
        return TRUST_CHAIN_GOOD;
    if (datum.size == 0)
        return judge_silence(examination);
    if (gnutls_ocsp_resp_init(&response) < 0)
        return TRUST_CHAIN_NO_STATUS;
    if (gnutls_ocsp_resp_import(response, &datum) < 0 ||
        gnutls_ocsp_resp_get_status(response) != GNUTLS_OCSP_RESP_SUCCESSFUL)
        verdict = doubt(examination, TRUST_CHAIN_NO_STATUS, "the OCSP response that came with it is none, or one of a failure");
    else
        verdict = judge_response(examination, list, response);
    gnutls_ocsp_resp_deinit(response);
    return verdict;
}

bool trust_revocation_check(struct trust_examination *examination)
{
    struct crls crls = {0};
    bool loaded = load_crls(examination, &crls);

    free_crls(&crls);
    return loaded;
}

enum trust_chain trust_revocation(struct trust_examination *examination, gnutls_x509_trust_list_t list)
{
    enum trust_chain verdict = judge_ocsp(examination, list);

    if (verdict == TRUST_CHAIN_GOOD && examination->config->crl)
        verdict = judge_crls(examination, list);
    return verdict;
}
