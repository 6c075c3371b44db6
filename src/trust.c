/* trust.c - is this peer acceptable, and who is it? */
#include "trust.h"
#include "file.h"
#include "role_alert.h"
#include "trust_certificate.h"
#include "trust_examination.h"
#include "trust_revocation.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- Answers to the questions of the rules ---- */

/* A bare key bears no name. */
static bool bears(const struct trust_examination *examination, const char *name)
{
    if (examination->presented->kind == PRESENTED_PSK)
        return strcasecmp(examination->presented->psk_name, name) == 0;
    return examination->count > 0 && trust_certificate_bears(examination->certificates[0], name);
}

static bool name_matches(void *context)
{
    struct trust_examination *examination = context;

    for (size_t i = 0; i < examination->expected_count && !examination->matched; i++)
        if (bears(examination, examination->expected[i]))
            examination->matched = examination->expected[i];
    return examination->matched != NULL;
}

static bool purpose_fits(void *context)
{
    struct trust_examination *examination = context;

    return trust_certificate_is_for(examination->certificates[0], examination->occasion->peer_is_server);
}

static enum known_result known(void *context)
{
    struct trust_examination *examination = context;
    const char *const new_name[] = {examination->result->remember_as};
    enum known_result result = known_find(examination->config->known_path, examination->expected,
                                          examination->expected_count, examination->result->pin, &examination->known,
                                          examination->error);

    /* Whoever comes to us may have any known name; but a new one must not take over a name that is another's. */
    if (result == KNOWN_NONE && examination->expected_count == 0)
        result = known_find(examination->config->known_path, new_name, 1, examination->result->pin, &examination->known,
                            examination->error);
    return result;
}

static bool load_cas(struct trust_examination *examination, gnutls_x509_trust_list_t list, bool system)
{
    const char *path = examination->config->cacert;
    struct buffer pem = {0};
    gnutls_datum_t datum;
    int count;

    if (system) /* where there are none, nobody is vouched for: that is no error */
        return gnutls_x509_trust_list_add_system_trust(list, 0, 0) >= -1000;
    if (!file_read(path, FILE_PUBLIC, &pem, STATUS_LOCAL, examination->error)) {
        buffer_free(&pem);
        return false;
    }
    datum = (gnutls_datum_t){.data = (unsigned char *)buffer_at(&pem), .size = (unsigned)buffer_used(&pem)};
    count = gnutls_x509_trust_list_add_trust_mem(list, &datum, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    buffer_free(&pem);
    if (count > 0)
        return true;
    error_set(examination->error, STATUS_LOCAL, "there is no CA certificate (PEM) in \"%s\"", path);
    return false;
}

static enum trust_chain verdict_of(unsigned status)
{
    if (status == 0)
        return TRUST_CHAIN_GOOD;
    if (status & GNUTLS_CERT_REVOKED)
        return TRUST_CHAIN_REVOKED; /* by the library: it is on its list of stolen ones */
    if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
        return TRUST_CHAIN_EXPIRED;
    if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND))
        return TRUST_CHAIN_UNKNOWN_CA;
    return TRUST_CHAIN_BAD;
}

/* RSA of 2048 bits and its like, and no SHA-1: what is weaker vouches for nobody. */
#define STRENGTH GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM)

bool trust_check(const struct trust_config *config, struct error *error)
{
    struct trust_examination examination = {.config = config, .error = error};
    gnutls_x509_trust_list_t list = NULL;
    bool loaded = true;

    if (config->cacert) {
        loaded = gnutls_x509_trust_list_init(&list, 0) >= 0 && load_cas(&examination, list, false);
        if (list)
            gnutls_x509_trust_list_deinit(list, 1);
        if (!loaded)
            error_set(error, STATUS_LOCAL, "out of memory"); /* unless there is a reason already */
    }
    return loaded && (!config->crl || trust_revocation_check(&examination));
}

/* No purpose is given, so extended key usage decides nothing: either end may have become either role. */
static enum trust_chain chain(void *context, bool system)
{
    struct trust_examination *examination = context;
    gnutls_x509_trust_list_t list = NULL;
    enum trust_chain verdict = TRUST_CHAIN_FAILED;
    unsigned status = 0;
    gnutls_datum_t words = {NULL, 0};

    if (examination->count == 0)
        return TRUST_CHAIN_NOT_THERE;
    if (gnutls_x509_trust_list_init(&list, 0) < 0)
        return verdict;
    if (load_cas(examination, list, system)) {
        if (gnutls_x509_trust_list_verify_crt2(list, examination->certificates, examination->count, NULL, 0, STRENGTH, &status,
                                               NULL) < 0)
            status |= GNUTLS_CERT_INVALID;
        verdict = verdict_of(status);
        if (verdict == TRUST_CHAIN_GOOD)
            verdict = trust_revocation(examination, list);
        if (status && gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) >= 0) {
            snprintf(examination->result->doubt, sizeof examination->result->doubt, "%s", words.data);
            gnutls_free(words.data);
            for (size_t end = strlen(examination->result->doubt); end && strchr(" .", examination->result->doubt[end - 1]);)
                examination->result->doubt[--end] = '\0';
        }
    }
    gnutls_x509_trust_list_deinit(list, 1);
    return verdict;
}

static bool load_cas_for_dane(void *context, gnutls_x509_trust_list_t list)
{
    struct trust_examination *examination = context;

    return load_cas(examination, list, !examination->config->cacert);
}

static enum trust_dane dane(void *context)
{
    struct trust_examination *examination = context;
    struct trust_dane_case about = {.dane = examination->config->dane,
                                    .presented = examination->presented,
                                    .certificates = examination->certificates,
                                    .count = examination->count,
                                    .load_cas = load_cas_for_dane,
                                    .context = examination};

    return trust_dane_judge(&about, &examination->dane);
}

/* ---- The examination ---- */

static bool import_certificates(struct trust_examination *examination)
{
    for (size_t i = 0; i < examination->presented->count; i++) {
        gnutls_datum_t der = trust_certificate_datum(&examination->presented->at[i]);

        if (gnutls_x509_crt_init(&examination->certificates[i]) < 0)
            return false;
        examination->count++;
        if (gnutls_x509_crt_import(examination->certificates[i], &der, GNUTLS_X509_FMT_DER) < 0)
            return false;
    }
    return examination->count > 0 && trust_certificate_pin(examination->certificates[0], examination->result->pin);
}

static bool import(struct trust_examination *examination)
{
    switch (examination->presented->kind) {
    case PRESENTED_NONE:
    case PRESENTED_PSK:
        return true;
    case PRESENTED_RAWPK:
        return trust_certificate_pin_of_key(&examination->presented->at[0], examination->result->pin);
    case PRESENTED_X509:
        break;
    }
    return import_certificates(examination);
}

static bool is_among(const char *pin, const char *const *pins, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pins[i], pin) == 0)
            return true;
    return false;
}

static bool is_ourselves(const struct trust_examination *examination, const struct trust_occasion *occasion)
{
    if (examination->presented->kind == PRESENTED_PSK)
        return occasion->our_psk_name && strcasecmp(examination->presented->psk_name, occasion->our_psk_name) == 0;
    return is_among(examination->result->pin, occasion->our_pins, occasion->our_pin_count);
}

static void take_claim(struct trust_examination *examination)
{
    struct trust_result *result = examination->result;
    const char *name = examination->presented->psk_name;

    if (examination->presented->kind == PRESENTED_PSK)
        text_escape(result->claimed, sizeof result->claimed, name, strlen(name));
    else if (examination->count)
        trust_certificate_name(examination->certificates[0], result->claimed);
}

void trust_examine(const struct trust_config *config, const struct presented *presented,
                   const struct trust_occasion *occasion, struct trust_result *result, struct error *error)
{
    struct trust_examination examination = {.config = config, .presented = presented, .occasion = occasion, .result = result, .error = error};
    struct trust_rules rules = {.pins_given = config->pin_count > 0,
                                .cacert_given = config->cacert != NULL,
                                .chain_needed = config->crl || config->ocsp == TRUST_OCSP_REQUIRE,
                                .dane_given = config->dane != NULL,
                                .peer_given = config->peer_count > 0,
                                .names_expected = config->peer_count > 0 || config->host,
                                .insecure = config->insecure,
                                .allow_self = config->allow_self,
                                .strict_eku = config->strict_eku,
                                .tofu = config->tofu,
                                .remote_id = config->remote_id};
    struct trust_questions questions = {
        .context = &examination, .kind = presented->kind, .name_matches = name_matches, .purpose_fits = purpose_fits, .known = known, .chain = chain, .dane = dane};

    memset(result, 0, sizeof *result);
    examination.expected = config->peer_count ? config->peers : &config->host;
    examination.expected_count = config->peer_count ? config->peer_count : config->host ? 1 : 0;
    snprintf(result->remember_as, sizeof result->remember_as, "%s",
             examination.expected_count ? examination.expected[0] : occasion->address);
    if (import(&examination)) {
        take_claim(&examination);
        questions.own_key = is_ourselves(&examination, occasion);
        questions.pin_matches = is_among(result->pin, config->pins, config->pin_count);
        result->verdict = trust_judge(&rules, &questions);
        trust_point_elsewhere(&examination);
        trust_name_the_peer(&examination);
        if (result->verdict.answer == TRUST_REFUSE)
            trust_tell_refusal(&examination);
    } else {
        result->verdict = (struct trust_verdict){.answer = TRUST_REFUSE,
                                                 .because = TRUST_BECAUSE_BAD_CHAIN,
                                                 .status = STATUS_WRONG,
                                                 .alert = ALERT_BAD_CERTIFICATE};
        error_set(error, STATUS_WRONG, "the peer's certificate or key cannot be read");
    }
    for (unsigned i = 0; i < examination.count; i++)
        gnutls_x509_crt_deinit(examination.certificates[i]);
}

