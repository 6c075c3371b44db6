/* trust.c - is this peer acceptable, and who is it? */
#include "trust.h"
#include "file.h"
#include "role_alert.h"
#include "trust_certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One examination: what the questions of the rules need. */
struct examination {
    const struct trust_config *config;
    struct trust_result *result;
    struct error *error;
    gnutls_x509_crt_t certificates[CHAIN_MAX];
    unsigned count;
    const char *const *expected; /* --peer, or else the host */
    size_t expected_count;
    const char *matched; /* the expected name that the certificate bears */
    struct known_line known;
};

/* ---- Answers to the questions of the rules ---- */

static bool name_matches(void *context)
{
    struct examination *examination = context;

    for (size_t i = 0; i < examination->expected_count && !examination->matched; i++)
        if (trust_certificate_bears(examination->certificates[0], examination->expected[i]))
            examination->matched = examination->expected[i];
    return examination->matched != NULL;
}

static enum known_result known(void *context)
{
    struct examination *examination = context;
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

static bool load_cas(struct examination *examination, gnutls_x509_trust_list_t list, bool system)
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
    if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
        return TRUST_CHAIN_EXPIRED;
    if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND))
        return TRUST_CHAIN_UNKNOWN_CA;
    return TRUST_CHAIN_BAD;
}

/* No purpose is given, so extended key usage decides nothing: either end may have become either role. */
static enum trust_chain chain(void *context, bool system)
{
    struct examination *examination = context;
    gnutls_x509_trust_list_t list = NULL;
    enum trust_chain verdict = TRUST_CHAIN_FAILED;
    unsigned status = 0;
    gnutls_datum_t words = {NULL, 0};

    if (gnutls_x509_trust_list_init(&list, 0) < 0)
        return verdict;
    if (load_cas(examination, list, system)) {
        if (gnutls_x509_trust_list_verify_crt2(list, examination->certificates, examination->count, NULL, 0, 0, &status,
                                               NULL) < 0)
            status |= GNUTLS_CERT_INVALID;
        verdict = verdict_of(status);
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

/* ---- The stories ---- */

static void name_the_peer(struct examination *examination)
{
    struct trust_result *result = examination->result;
    const char *vouched = examination->matched ? examination->matched : result->claimed;
    const char *name = "";

    if (result->verdict.answer != TRUST_ACCEPT)
        return;
    switch (result->verdict.because) {
    case TRUST_BECAUSE_KNOWN:
        name = examination->known.name;
        snprintf(result->reason, sizeof result->reason, "its key is known (%s, line %u)", examination->config->known_path,
                 examination->known.number);
        break;
    case TRUST_BECAUSE_NEW:
        name = result->remember_as;
        snprintf(result->reason, sizeof result->reason, "it is new, and %s",
                 examination->config->tofu == TRUST_TOFU_ACCEPT_NEW ? "--tofu accept-new accepts it" : "you accepted it");
        break;
    case TRUST_BECAUSE_PIN:
        name = vouched;
        snprintf(result->reason, sizeof result->reason, "its pin was given with --pin");
        break;
    case TRUST_BECAUSE_CACERT:
        name = vouched;
        snprintf(result->reason, sizeof result->reason, "a CA in %s vouches for it", examination->config->cacert);
        break;
    case TRUST_BECAUSE_SYSTEM_CA:
        name = vouched;
        snprintf(result->reason, sizeof result->reason, "a CA that this system trusts vouches for its name");
        break;
    case TRUST_BECAUSE_INSECURE:
        snprintf(result->reason, sizeof result->reason, "--insecure accepts everybody: it may be anybody");
        break;
    case TRUST_BECAUSE_NOT_ASKED:
        snprintf(result->reason, sizeof result->reason, "--remote-id does not insist on knowing who it is");
        break;
    default:
        break;
    }
    snprintf(result->name, sizeof result->name, "%s", name);
}

static void expected_names(const struct examination *examination, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < examination->expected_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s\"%s\"", i ? " or " : "", examination->expected[i]);
}

static void tell_refusal(struct examination *examination)
{
    struct trust_result *result = examination->result;
    enum status status = result->verdict.status;
    struct error *error = examination->error;
    char names[512];

    expected_names(examination, names, sizeof names);
    switch (result->verdict.because) {
    case TRUST_BECAUSE_NO_KEY:
        error_set(error, status, "the peer did not show who it is; --remote-id request would accept that");
        break;
    case TRUST_BECAUSE_OURSELVES:
        error_set(error, status,
                  "the peer has our own key, so we are talking to ourselves; --allow-self permits that, or give one "
                  "end another identity with -i");
        break;
    case TRUST_BECAUSE_OTHER_PIN:
        error_set(error, status, "the peer's pin is %s, which is not %s", result->pin,
                  examination->config->pin_count > 1 ? "one of those given with --pin" : "the one given with --pin");
        break;
    case TRUST_BECAUSE_OTHER_NAME:
        error_set(error, status, "the peer's certificate does not bear the name %s%s%s%s", names,
                  *result->claimed ? ", but \"" : "", result->claimed, *result->claimed ? "\"" : "");
        break;
    case TRUST_BECAUSE_UNKNOWN_CA:
    case TRUST_BECAUSE_BAD_CHAIN:
        error_set(error, status, "no CA in \"%s\" vouches for the peer: %s", examination->config->cacert, result->doubt);
        break;
    case TRUST_BECAUSE_EXPIRED:
        error_set(error, status, "the peer's certificate is out of its time: %s", result->doubt);
        break;
    case TRUST_BECAUSE_CHANGED:
        error_set(error, status,
                  "THE KEY OF \"%s\" HAS CHANGED: %s:%u has another one. Either somebody is between us, or the peer has "
                  "a new key. If you are sure of the latter, symtls --known del %s forgets the old one. The new "
                  "pin is %s",
                  examination->known.name, examination->config->known_path, examination->known.number,
                  examination->known.name, result->pin);
        break;
    case TRUST_BECAUSE_UNKNOWN:
        error_set(error, status, "the peer is unknown, and --tofu never refuses everybody new; its pin is %s", result->pin);
        break;
    default:
        error_set(error, status, "the peer cannot be judged");
        break;
    }
}

/* ---- The examination ---- */

static bool import(struct examination *examination, const struct chain *presented)
{
    for (size_t i = 0; i < presented->count; i++) {
        gnutls_datum_t der = {.data = (unsigned char *)presented->at[i].der, .size = (unsigned)presented->at[i].size};

        if (gnutls_x509_crt_init(&examination->certificates[i]) < 0)
            return false;
        examination->count++;
        if (gnutls_x509_crt_import(examination->certificates[i], &der, GNUTLS_X509_FMT_DER) < 0)
            return false;
    }
    return examination->count == 0 ||
           trust_certificate_pin(examination->certificates[0], examination->result->pin);
}

static bool is_pinned(const struct trust_config *config, const char *pin)
{
    for (size_t i = 0; i < config->pin_count; i++)
        if (strcmp(config->pins[i], pin) == 0)
            return true;
    return false;
}

void trust_examine(const struct trust_config *config, const struct chain *presented, const char *our_pin,
                   const char *address, struct trust_result *result, struct error *error)
{
    struct examination examination = {.config = config, .result = result, .error = error};
    struct trust_rules rules = {.pins_given = config->pin_count > 0,
                                .cacert_given = config->cacert != NULL,
                                .peer_given = config->peer_count > 0,
                                .names_expected = config->peer_count > 0 || config->host,
                                .insecure = config->insecure,
                                .allow_self = config->allow_self,
                                .tofu = config->tofu,
                                .remote_id = config->remote_id};
    struct trust_questions questions = {
        .context = &examination, .name_matches = name_matches, .known = known, .chain = chain};

    memset(result, 0, sizeof *result);
    examination.expected = config->peer_count ? config->peers : &config->host;
    examination.expected_count = config->peer_count ? config->peer_count : config->host ? 1 : 0;
    snprintf(result->remember_as, sizeof result->remember_as, "%s",
             examination.expected_count ? examination.expected[0] : address);
    if (import(&examination, presented)) {
        questions.has_key = examination.count > 0;
        questions.own_key = questions.has_key && strcmp(result->pin, our_pin) == 0;
        questions.pin_matches = is_pinned(config, result->pin);
        if (questions.has_key)
            trust_certificate_name(examination.certificates[0], result->claimed);
        result->verdict = trust_judge(&rules, &questions);
        name_the_peer(&examination);
        if (result->verdict.answer == TRUST_REFUSE)
            tell_refusal(&examination);
    } else {
        result->verdict = (struct trust_verdict){.answer = TRUST_REFUSE,
                                                 .because = TRUST_BECAUSE_BAD_CHAIN,
                                                 .status = STATUS_WRONG,
                                                 .alert = ALERT_BAD_CERTIFICATE};
        error_set(error, STATUS_WRONG, "the peer's certificate cannot be read");
    }
    for (unsigned i = 0; i < examination.count; i++)
        gnutls_x509_crt_deinit(examination.certificates[i]);
}

/* ---- Asking and remembering ---- */

void trust_question(const struct trust_result *result, const char *remote, char *text, size_t size)
{
    snprintf(text, size,
             "\nThe peer at %s is not known here%s%s.\n%s%s%sIts pin is %s\n"
             "Compare that with what symtls --show-identity prints at the other end.\n"
             "Accept it, and remember it as \"%s\"? (yes, no, or its pin) ",
             remote, *result->doubt ? ", and no CA vouches for it: " : "", result->doubt,
             *result->claimed ? "It calls itself \"" : "", result->claimed, *result->claimed ? "\". " : "", result->pin,
             result->remember_as);
}

void trust_answer(const struct trust_config *config, const char *answer, struct trust_result *result, struct error *error)
{
    char pin[TEXT_PIN_SIZE];

    if (answer && (strcasecmp(answer, "yes") == 0 || strcasecmp(answer, "y") == 0 ||
                   (text_pin(answer, pin) && strcmp(pin, result->pin) == 0))) {
        struct examination examination = {.config = config, .result = result};

        result->verdict =
            (struct trust_verdict){.answer = TRUST_ACCEPT, .because = TRUST_BECAUSE_NEW, .how = TRUST_NEW};
        name_the_peer(&examination);
        return;
    }
    result->verdict = (struct trust_verdict){.answer = TRUST_REFUSE,
                                             .because = TRUST_BECAUSE_UNKNOWN,
                                             .status = STATUS_UNKNOWN,
                                             .alert = ALERT_CERTIFICATE_UNKNOWN};
    if (answer)
        error_set(error, STATUS_UNKNOWN, "the peer is unknown, and you did not accept it");
    else
        error_set(error, STATUS_UNKNOWN,
                  "the peer is unknown, and there is no terminal to ask at; --pin %s would accept it, if that is "
                  "who you mean",
                  result->pin);
}

bool trust_remember(const struct trust_config *config, const struct trust_result *result, struct error *error)
{
    if (result->verdict.because != TRUST_BECAUSE_NEW)
        return true;
    return known_add(config->known_path, result->remember_as, result->pin,
                     config->tofu == TRUST_TOFU_ACCEPT_NEW ? "accept-new" : "asked", error);
}

void trust_describe(const struct chain *presented, const struct trust_result *result, struct facts *facts)
{
    gnutls_x509_crt_t certificate = NULL;

    if (presented->count && gnutls_x509_crt_init(&certificate) == 0) {
        gnutls_datum_t der = {.data = (unsigned char *)presented->at[0].der, .size = (unsigned)presented->at[0].size};

        if (gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0)
            trust_certificate_describe(certificate, facts);
        gnutls_x509_crt_deinit(certificate);
    }
    memcpy(facts->peer.name, result->name, sizeof facts->peer.name);
    memcpy(facts->peer.pin, result->pin, sizeof facts->peer.pin);
    memcpy(facts->trust_reason, result->reason, sizeof facts->trust_reason);
    facts->trust = result->verdict.how;
}
