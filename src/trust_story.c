/* trust_story.c - what came of an examination, in words; the question to the user, and the answer. */
#include "known.h"
#include "role_alert.h"
#include "trust_certificate.h"
#include "trust_examination.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The rules that do not look up known peers leave nothing to point out. */
void trust_point_elsewhere(struct trust_examination *examination)
{
    const struct known_line *line = &examination->known.elsewhere;
    struct trust_result *result = examination->result;

    if (line->number && (result->verdict.answer != TRUST_ACCEPT || result->verdict.because == TRUST_BECAUSE_NEW))
        snprintf(result->elsewhere, sizeof result->elsewhere, "this key is known as \"%s\" (%s, line %u)", line->name,
                 examination->config->known_path, line->number);
}

/* Before that at the end of a sentence. */
static const char *semicolon(const struct trust_result *result)
{
    return *result->elsewhere ? "; " : "";
}

void trust_name_the_peer(struct trust_examination *examination)
{
    struct trust_result *result = examination->result;
    const char *vouched = examination->matched ? examination->matched : result->claimed;
    const char *name = "";

    if (result->verdict.answer != TRUST_ACCEPT)
        return;
    switch (result->verdict.because) {
    case TRUST_BECAUSE_KNOWN:
        name = examination->known.line.name;
        snprintf(result->reason, sizeof result->reason, "its key is known (%s, line %u)", examination->config->known_path,
                 examination->known.line.number);
        break;
    case TRUST_BECAUSE_NEW:
        name = result->remember_as;
        snprintf(result->reason, sizeof result->reason, "it is new, and %s%s%s",
                 examination->config->tofu == TRUST_TOFU_ACCEPT_NEW ? "--tofu accept-new accepts it" : "you accepted it",
                 semicolon(result), result->elsewhere);
        break;
    case TRUST_BECAUSE_PIN:
        name = vouched;
        snprintf(result->reason, sizeof result->reason, "its pin was given with --pin");
        break;
    case TRUST_BECAUSE_CACERT:
        name = vouched;
        snprintf(result->reason, sizeof result->reason, "a CA in %s vouches for it", examination->config->cacert);
        break;
    case TRUST_BECAUSE_DANE:
        name = examination->config->dane->host;
        snprintf(result->reason, sizeof result->reason, "a TLSA record of %.256s (%u %u %u, from %.128s) vouches for it",
                 examination->config->dane->owner, examination->dane.record->usage, examination->dane.record->selector,
                 examination->dane.record->matching, examination->config->dane->source);
        break;
    case TRUST_BECAUSE_SYSTEM_CA:
        name = vouched;
        snprintf(result->reason, sizeof result->reason, "a CA that this system trusts vouches for its name");
        break;
    case TRUST_BECAUSE_PSK:
        name = result->claimed;
        snprintf(result->reason, sizeof result->reason, "it has a key that it shares with us");
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

static void expected_names(const struct trust_examination *examination, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < examination->expected_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s\"%s\"", i ? " or " : "", examination->expected[i]);
}

/* Loudly: where it says so, and what to type. */
static void tell_changed(struct trust_examination *examination)
{
    const struct trust_result *result = examination->result;
    const struct known_found *known = &examination->known;
    char all[KNOWN_DELETE_SIZE], this[KNOWN_DELETE_SIZE], more[64] = "", ways[2 * KNOWN_DELETE_SIZE + 128];

    known_delete_words(all, known->line.name, NULL);
    known_delete_words(this, known->line.name, known->line.pin);
    if (known->more == 0) {
        snprintf(ways, sizeof ways, "symtls --known del %s forgets the old one", all);
    } else {
        snprintf(more, sizeof more, ", and %u more line%s of that name ha%s others", known->more, known->more > 1 ? "s" : "",
                 known->more > 1 ? "ve" : "s");
        snprintf(ways, sizeof ways, "symtls --known del %s forgets all its keys, and symtls --known del %s the one in line %u",
                 all, this, known->line.number);
    }
    error_set(examination->error, result->verdict.status,
              "THE KEY OF \"%s\" HAS CHANGED: %s:%u has another one%s. Either somebody is between us, or the peer has "
              "a new key. If you are sure of the latter, %s. The new pin is %s%s%s",
              known->line.name, examination->config->known_path, known->line.number, more, ways, result->pin,
              semicolon(result), result->elsewhere);
}

void trust_tell_refusal(struct trust_examination *examination)
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
        if (examination->presented->kind == PRESENTED_PSK)
            error_set(error, status,
                      "the peer calls itself \"%s\" as we do, so we are talking to ourselves; give each end a name of "
                      "its own with --psk-identity, or permit it with --allow-self", result->claimed);
        else
            error_set(error, status,
                  "the peer has our own key, so we are talking to ourselves; --allow-self permits that, or give one "
                  "end another identity with -i");
        break;
    case TRUST_BECAUSE_OTHER_PIN:
        error_set(error, status, "the peer's pin is %s, which is not %s", result->pin,
                  examination->config->pin_count > 1 ? "one of those given with --pin" : "the one given with --pin");
        break;
    case TRUST_BECAUSE_OTHER_NAME:
        error_set(error, status, "the peer%s does not bear the name %s%s%s%s",
                  examination->presented->kind == PRESENTED_PSK ? "" : "'s certificate", names,
                  *result->claimed ? ", but \"" : "", result->claimed, *result->claimed ? "\"" : "");
        break;
    case TRUST_BECAUSE_BARE_KEY:
        error_set(error, status,
                  "the peer showed a bare public key, for which no CA and no name can vouch; its pin is %s", result->pin);
        break;
    case TRUST_BECAUSE_OTHER_PURPOSE:
        error_set(error, status, "the peer's certificate is not meant for a TLS %s (--strict-eku)",
                  examination->occasion->peer_is_server ? "server" : "client");
        break;
    case TRUST_BECAUSE_UNKNOWN_CA:
    case TRUST_BECAUSE_BAD_CHAIN:
        if (examination->config->cacert)
            error_set(error, status, "no CA in \"%s\" vouches for the peer: %s", examination->config->cacert, result->doubt);
        else
            error_set(error, status, "no CA that this system trusts vouches for the peer: %s", result->doubt);
        break;
    case TRUST_BECAUSE_REVOKED:
    case TRUST_BECAUSE_NO_STATUS:
        error_set(error, status, "the peer cannot be accepted: %s", result->doubt);
        break;
    case TRUST_BECAUSE_EXPIRED:
        error_set(error, status, "the peer's certificate is out of its time: %s", result->doubt);
        break;
    case TRUST_BECAUSE_CHANGED:
        tell_changed(examination);
        break;
    case TRUST_BECAUSE_OTHER_DANE:
        if (examination->presented->kind == PRESENTED_PSK)
            error_set(error, status, "the peer has a key that it shares with us, but TLSA records (--dane) are about certificates and public keys");
        else
            error_set(error, status, "the TLSA records of %s (from %s) contradict what the peer showed: %s; its pin is %s",
                      examination->config->dane->owner, examination->config->dane->source, examination->dane.why, result->pin);
        break;
    case TRUST_BECAUSE_NO_DANE:
        error_set(error, status, "the TLSA records of %s (from %s) say nothing about the peer: %s", examination->config->dane->owner,
                  examination->config->dane->source, examination->dane.why);
        break;
    case TRUST_BECAUSE_UNKNOWN:
        error_set(error, status, "the peer is unknown, and --tofu never refuses everybody new; its pin is %s%s%s",
                  result->pin, semicolon(result), result->elsewhere);
        break;
    default:
        error_set(error, status, "the peer cannot be judged");
        break;
    }
}

/* ---- Asking and remembering ---- */

void trust_question(const struct trust_result *result, const char *remote, char *text, size_t size)
{
    snprintf(text, size,
             "\nThe peer at %s is not known here%s%s.\n%s%s%sIts pin is %s\n%s%s%s"
             "Compare that with what symtls --show-identity prints at the other end.\n"
             "Accept it, and remember it as \"%s\"? (yes, no, or its pin) ",
             remote, *result->doubt ? ", and no CA vouches for it: " : "", result->doubt,
             *result->claimed ? "It calls itself \"" : "", result->claimed, *result->claimed ? "\". " : "", result->pin,
             *result->elsewhere ? "But " : "", result->elsewhere, *result->elsewhere ? ".\n" : "", result->remember_as);
}

void trust_answer(const struct trust_config *config, const char *answer, struct trust_result *result, struct error *error)
{
    char pin[TEXT_PIN_SIZE];

    if (answer && (strcasecmp(answer, "yes") == 0 || strcasecmp(answer, "y") == 0 ||
                   (text_pin(answer, pin) && strcmp(pin, result->pin) == 0))) {
        struct trust_examination examination = {.config = config, .result = result};

        result->verdict =
            (struct trust_verdict){.answer = TRUST_ACCEPT, .because = TRUST_BECAUSE_NEW, .how = TRUST_NEW};
        trust_name_the_peer(&examination);
        return;
    }
    result->verdict = (struct trust_verdict){.answer = TRUST_REFUSE,
                                             .because = TRUST_BECAUSE_UNKNOWN,
                                             .status = STATUS_UNKNOWN,
                                             .alert = ALERT_CERTIFICATE_UNKNOWN};
    if (answer)
        error_set(error, STATUS_UNKNOWN, "the peer is unknown, and you did not accept it%s%s", semicolon(result),
                  result->elsewhere);
    else
        error_set(error, STATUS_UNKNOWN,
                  "the peer is unknown, and there is no terminal to ask at; --pin %s would accept it, if that is "
                  "who you mean%s%s",
                  result->pin, semicolon(result), result->elsewhere);
}

bool trust_remember(const struct trust_config *config, const struct trust_result *result, struct error *error)
{
    if (result->verdict.because != TRUST_BECAUSE_NEW)
        return true;
    return known_add_first(config->known_path, result->remember_as, result->pin,
                           config->tofu == TRUST_TOFU_ACCEPT_NEW ? "accept-new" : "asked", error);
}

void trust_describe(const struct presented *presented, const struct trust_result *result, struct facts *facts)
{
    gnutls_x509_crt_t certificate = NULL;

    facts->peer.kind = presented->kind;
    if (presented->kind == PRESENTED_X509 && gnutls_x509_crt_init(&certificate) == 0) {
        gnutls_datum_t der = trust_certificate_datum(&presented->at[0]);

        if (gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == 0)
            trust_certificate_describe(certificate, facts);
        gnutls_x509_crt_deinit(certificate);
    }
    memcpy(facts->peer.name, result->name, sizeof facts->peer.name);
    memcpy(facts->peer.pin, result->pin, sizeof facts->peer.pin);
    memcpy(facts->trust_reason, result->reason, sizeof facts->trust_reason);
    facts->trust = result->verdict.how;
}
