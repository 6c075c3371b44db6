/* test_trust_rules.c - who is accepted: facts in, a verdict out; and no question is asked that does not matter. */
#include "check.h"
#include "role_alert.h"
#include "trust_rules.h"

#include <stdio.h>
#include <string.h>

/* What the functions answer, and which of them were asked, in order: k known, n the name, C the chain to --cacert,
 * S the chain to the system's CAs, D the TLSA records. */
struct answers {
    enum known_result known;
    bool name;
    bool other_purpose;
    enum trust_chain cacert;
    enum trust_chain system;
    enum trust_dane dane;
    char asked[8];
};

static void note(struct answers *answers, char what)
{
    size_t length = strlen(answers->asked);

    assert_true(length < sizeof answers->asked - 1);
    answers->asked[length] = what;
}

static bool name_matches(void *context)
{
    struct answers *answers = context;

    note(answers, 'n');
    return answers->name;
}

static bool purpose_fits(void *context)
{
    struct answers *answers = context;

    note(answers, 'p');
    return !answers->other_purpose;
}

static enum known_result known(void *context)
{
    struct answers *answers = context;

    note(answers, 'k');
    return answers->known;
}

static enum trust_chain chain(void *context, bool system)
{
    struct answers *answers = context;

    note(answers, system ? 'S' : 'C');
    return system ? answers->system : answers->cacert;
}

static enum trust_dane dane(void *context)
{
    struct answers *answers = context;

    note(answers, 'D');
    return answers->dane;
}

static struct trust_verdict judge(const struct trust_rules *rules, struct trust_questions peer, struct answers *answers)
{
    memset(answers->asked, 0, sizeof answers->asked);
    peer.context = answers;
    peer.name_matches = name_matches;
    peer.purpose_fits = purpose_fits;
    peer.known = known;
    peer.chain = chain;
    peer.dane = dane;
    return trust_judge(rules, &peer);
}

/* ---- The rules, one a row ---- */

#define ACCEPT(why, how)          {TRUST_ACCEPT, TRUST_BECAUSE_##why, TRUST_##how, STATUS_OK, 0}
#define REFUSE(why, status, name) {TRUST_REFUSE, TRUST_BECAUSE_##why, TRUST_NONE, STATUS_##status, ALERT_##name}
#define ASK                       {.answer = TRUST_ASK}

static const struct row {
    const char *what;
    struct trust_rules rules;
    struct trust_questions peer;
    struct answers answers;
    struct trust_verdict verdict;
    const char *asked;
} rows[] = {
    /* 1: the key is known */
    {"a known key", {.tofu = TRUST_TOFU_ASK}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, ACCEPT(KNOWN, KNOWN), "k"},
    {"a known key, and a name is expected", {.names_expected = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, ACCEPT(KNOWN, KNOWN), "k"},
    {"a known key, with --peer", {.names_expected = true, .peer_given = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, ACCEPT(KNOWN, KNOWN), "k"},
    {"a known key, --tofu never", {.tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, ACCEPT(KNOWN, KNOWN), "k"},
    {"known with another key", {.names_expected = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_CHANGED, .name = true}, REFUSE(CHANGED, WRONG, BAD_CERTIFICATE), "k"},
    {"the same, --tofu accept-new", {.names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.known = KNOWN_CHANGED, .name = true}, REFUSE(CHANGED, WRONG, BAD_CERTIFICATE), "k"},
    {"known_peers cannot be used", {.names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.known = KNOWN_FAILED, .name = true}, REFUSE(FAILED, LOCAL, INTERNAL_ERROR), "k"},

    /* 2: the system's CAs, for the name that is expected */
    {"a CA vouches for the name", {.names_expected = true}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(SYSTEM_CA, CA), "knS"},
    {"the same, --tofu never", {.names_expected = true, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(SYSTEM_CA, CA), "knS"},
    {"a CA vouches for another name", {.names_expected = true, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = false}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "kn"},
    {"a listener expects nobody", {.tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "k"},
    {"a listener with --peer", {.names_expected = true, .peer_given = true, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(SYSTEM_CA, CA), "knS"},
    {"the CAs cannot be used", {.names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_FAILED}, REFUSE(FAILED, LOCAL, INTERNAL_ERROR), "knS"},
    {"expired: as good as none", {.names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_EXPIRED}, ASK, "knS"},
    {"self-signed: ask", {.names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_UNKNOWN_CA}, ASK, "knS"},
    {"a broken chain: ask", {.names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_BAD}, ASK, "knS"},

    /* 3: somebody new */
    {"ask", {.tofu = TRUST_TOFU_ASK}, {.kind = PRESENTED_X509}, {.name = true}, ASK, "k"},
    {"accept-new", {.tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.name = false}, ACCEPT(NEW, NEW), "k"},
    {"accept-new of another name", {.names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.name = false}, ACCEPT(NEW, NEW), "kn"},
    {"never", {.tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "k"},

    /* --pin */
    {"the pin", {.pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.known = KNOWN_FAILED}, ACCEPT(PIN, PIN), ""},
    {"the pin, and HOST does not matter", {.pins_given = true, .names_expected = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = false}, ACCEPT(PIN, PIN), ""},
    {"another pin", {.pins_given = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .name = true}, REFUSE(OTHER_PIN, WRONG, BAD_CERTIFICATE), ""},
    {"another pin, --tofu accept-new", {.pins_given = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, REFUSE(OTHER_PIN, WRONG, BAD_CERTIFICATE), ""},
    {"another pin, --insecure", {.pins_given = true, .insecure = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, REFUSE(OTHER_PIN, WRONG, BAD_CERTIFICATE), ""},
    {"the pin and --peer", {.pins_given = true, .names_expected = true, .peer_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = true}, ACCEPT(PIN, PIN), "n"},
    {"the pin, another --peer", {.pins_given = true, .names_expected = true, .peer_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = false}, REFUSE(OTHER_NAME, WRONG, BAD_CERTIFICATE), "n"},

    /* --cacert */
    {"the CA, to a listener", {.cacert_given = true}, {.kind = PRESENTED_X509}, {.name = false}, ACCEPT(CACERT, CA), "C"},
    {"the CA, to HOST", {.cacert_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(CACERT, CA), "Cn"},
    {"the CA, another name", {.cacert_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .name = false}, REFUSE(OTHER_NAME, WRONG, BAD_CERTIFICATE), "Cn"},
    {"the CA, another name, --insecure", {.cacert_given = true, .names_expected = true, .insecure = true}, {.kind = PRESENTED_X509}, {.name = false}, REFUSE(OTHER_NAME, WRONG, BAD_CERTIFICATE), "Cn"},
    {"another CA", {.cacert_given = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .cacert = TRUST_CHAIN_UNKNOWN_CA}, REFUSE(UNKNOWN_CA, WRONG, UNKNOWN_CA), "C"},
    {"another CA, accept-new", {.cacert_given = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.cacert = TRUST_CHAIN_UNKNOWN_CA}, REFUSE(UNKNOWN_CA, WRONG, UNKNOWN_CA), "C"},
    {"expired", {.cacert_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .cacert = TRUST_CHAIN_EXPIRED}, REFUSE(EXPIRED, WRONG, CERTIFICATE_EXPIRED), "C"},
    {"a bad chain", {.cacert_given = true}, {.kind = PRESENTED_X509}, {.cacert = TRUST_CHAIN_BAD}, REFUSE(BAD_CHAIN, WRONG, BAD_CERTIFICATE), "C"},
    {"the file cannot be used", {.cacert_given = true}, {.kind = PRESENTED_X509}, {.cacert = TRUST_CHAIN_FAILED}, REFUSE(FAILED, LOCAL, INTERNAL_ERROR), "C"},
    {"the pin and the CA", {.cacert_given = true, .pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = false}, ACCEPT(PIN, PIN), "C"},
    {"the pin, and another CA", {.cacert_given = true, .pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.cacert = TRUST_CHAIN_UNKNOWN_CA}, REFUSE(UNKNOWN_CA, WRONG, UNKNOWN_CA), "C"},
    {"the pin and the CA, another HOST", {.cacert_given = true, .pins_given = true, .names_expected = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = false}, REFUSE(OTHER_NAME, WRONG, BAD_CERTIFICATE), "Cn"},

    /* --crl and --ocsp require: the chain of somebody who is accepted anyway has to hold */
    {"revoked", {.cacert_given = true}, {.kind = PRESENTED_X509}, {.cacert = TRUST_CHAIN_REVOKED}, REFUSE(REVOKED, WRONG, CERTIFICATE_REVOKED), "C"},
    {"no status", {.cacert_given = true}, {.kind = PRESENTED_X509}, {.cacert = TRUST_CHAIN_NO_STATUS}, REFUSE(NO_STATUS, WRONG, BAD_CERTIFICATE_STATUS_RESPONSE), "C"},
    {"the pin, but revoked", {.cacert_given = true, .pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.cacert = TRUST_CHAIN_REVOKED}, REFUSE(REVOKED, WRONG, CERTIFICATE_REVOKED), "C"},
    {"the name and a system's CA, but revoked", {.names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_REVOKED}, REFUSE(REVOKED, WRONG, CERTIFICATE_REVOKED), "knS"},
    {"the same, --tofu accept-new", {.names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_REVOKED}, REFUSE(REVOKED, WRONG, CERTIFICATE_REVOKED), "knS"},
    {"the same without a status", {.names_expected = true, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true, .system = TRUST_CHAIN_NO_STATUS}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "knS"},
    {"a chain with --cacert", {.chain_needed = true, .cacert_given = true}, {.kind = PRESENTED_X509}, {.system = TRUST_CHAIN_BAD}, ACCEPT(CACERT, CA), "C"},
    {"a chain to the system's CAs, for HOST", {.chain_needed = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(SYSTEM_CA, CA), "Skn"},
    {"to a listener that makes nobody welcome", {.chain_needed = true, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "Sk"},
    {"another name: ask", {.chain_needed = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = false}, ASK, "Skn"},
    {"known, and not revoked", {.chain_needed = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH}, ACCEPT(KNOWN, KNOWN), "Sk"},
    {"known, but revoked", {.chain_needed = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .system = TRUST_CHAIN_REVOKED}, REFUSE(REVOKED, WRONG, CERTIFICATE_REVOKED), "S"},
    {"known, but of no CA", {.chain_needed = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .system = TRUST_CHAIN_UNKNOWN_CA}, REFUSE(UNKNOWN_CA, WRONG, UNKNOWN_CA), "S"},
    {"accept-new, but no status", {.chain_needed = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.system = TRUST_CHAIN_NO_STATUS}, REFUSE(NO_STATUS, WRONG, BAD_CERTIFICATE_STATUS_RESPONSE), "S"},
    {"--insecure, but revoked", {.chain_needed = true, .insecure = true}, {.kind = PRESENTED_X509}, {.system = TRUST_CHAIN_REVOKED}, REFUSE(REVOKED, WRONG, CERTIFICATE_REVOKED), "S"},
    {"--insecure, and not revoked", {.chain_needed = true, .insecure = true}, {.kind = PRESENTED_X509}, {.name = false}, ACCEPT(INSECURE, INSECURE), "S"},
    {"the pin, and not revoked", {.chain_needed = true, .pins_given = true, .names_expected = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = false}, ACCEPT(PIN, PIN), "S"},
    {"the pin, no status", {.chain_needed = true, .pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.system = TRUST_CHAIN_NO_STATUS}, REFUSE(NO_STATUS, WRONG, BAD_CERTIFICATE_STATUS_RESPONSE), "S"},
    {"the CRL cannot be used", {.chain_needed = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .system = TRUST_CHAIN_FAILED}, REFUSE(FAILED, LOCAL, INTERNAL_ERROR), "S"},
    {"a bare key has no chain", {.chain_needed = true}, {.kind = PRESENTED_RAWPK}, {.known = KNOWN_MATCH, .system = TRUST_CHAIN_NOT_THERE}, REFUSE(BARE_KEY, WRONG, UNSUPPORTED_CERTIFICATE), "S"},
    {"nor has a pre-shared one", {.chain_needed = true}, {.kind = PRESENTED_PSK}, {.name = true}, REFUSE(BARE_KEY, WRONG, ACCESS_DENIED), ""},
    {"nor who shows none", {.chain_needed = true, .insecure = true, .remote_id = TRUST_REMOTE_ID_REQUEST}, {.kind = PRESENTED_NONE}, {.name = true}, REFUSE(NO_KEY, UNKNOWN, CERTIFICATE_REQUIRED), ""},
    /* --dane */
    {"a TLSA record", {.dane_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_CHANGED, .name = false}, ACCEPT(DANE, DANE), "D"},
    {"a TLSA record, of a bare key", {.dane_given = true, .names_expected = true}, {.kind = PRESENTED_RAWPK}, {.name = false}, ACCEPT(DANE, DANE), "D"},
    {"another one", {.dane_given = true, .names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .name = true, .dane = TRUST_DANE_CONTRADICTED}, REFUSE(OTHER_DANE, WRONG, BAD_CERTIFICATE), "D"},
    {"another one, --insecure", {.dane_given = true, .names_expected = true, .insecure = true}, {.kind = PRESENTED_X509}, {.dane = TRUST_DANE_CONTRADICTED}, REFUSE(OTHER_DANE, WRONG, BAD_CERTIFICATE), "D"},
    {"a TLSA record, --insecure", {.dane_given = true, .names_expected = true, .insecure = true}, {.kind = PRESENTED_X509}, {.name = false}, ACCEPT(DANE, DANE), "D"},
    {"none that can be used", {.dane_given = true, .names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509}, {.known = KNOWN_MATCH, .name = true, .dane = TRUST_DANE_UNUSABLE}, REFUSE(NO_DANE, UNKNOWN, CERTIFICATE_UNKNOWN), "D"},
    {"our CAs cannot be used for it", {.dane_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.dane = TRUST_DANE_FAILED}, REFUSE(FAILED, LOCAL, INTERNAL_ERROR), "D"},
    {"a TLSA record and the pin", {.dane_given = true, .pins_given = true, .names_expected = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = false}, ACCEPT(PIN, PIN), "D"},
    {"a TLSA record, another pin", {.dane_given = true, .pins_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true}, REFUSE(OTHER_PIN, WRONG, BAD_CERTIFICATE), ""},
    {"the pin, another TLSA record", {.dane_given = true, .pins_given = true, .names_expected = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = true, .dane = TRUST_DANE_CONTRADICTED}, REFUSE(OTHER_DANE, WRONG, BAD_CERTIFICATE), "D"},
    {"a TLSA record and the CA", {.dane_given = true, .cacert_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(DANE, DANE), "CnD"},
    {"a TLSA record, another CA", {.dane_given = true, .cacert_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .cacert = TRUST_CHAIN_UNKNOWN_CA}, REFUSE(UNKNOWN_CA, WRONG, UNKNOWN_CA), "C"},
    {"the CA, another TLSA record", {.dane_given = true, .cacert_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true, .dane = TRUST_DANE_CONTRADICTED}, REFUSE(OTHER_DANE, WRONG, BAD_CERTIFICATE), "CnD"},
    {"a TLSA record and --peer", {.dane_given = true, .peer_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(DANE, DANE), "nD"},
    {"a TLSA record, another --peer", {.dane_given = true, .peer_given = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = false}, REFUSE(OTHER_NAME, WRONG, BAD_CERTIFICATE), "n"},
    {"our own key in a TLSA record", {.dane_given = true, .names_expected = true}, {.kind = PRESENTED_X509, .own_key = true}, {.name = true}, REFUSE(OURSELVES, ROLE, HANDSHAKE_FAILURE), ""},
    {"no key, but --dane", {.dane_given = true, .names_expected = true, .insecure = true, .remote_id = TRUST_REMOTE_ID_REQUEST}, {.kind = PRESENTED_NONE}, {.name = true}, REFUSE(NO_KEY, UNKNOWN, CERTIFICATE_REQUIRED), ""},
    {"a pre-shared key, but --dane", {.dane_given = true, .names_expected = true}, {.kind = PRESENTED_PSK}, {.name = true}, REFUSE(OTHER_DANE, WRONG, ACCESS_DENIED), ""},

    /* --insecure */
    {"anybody", {.insecure = true}, {.kind = PRESENTED_X509}, {.known = KNOWN_CHANGED}, ACCEPT(INSECURE, INSECURE), ""},
    {"anybody at HOST", {.insecure = true, .names_expected = true}, {.kind = PRESENTED_X509}, {.name = false}, ACCEPT(INSECURE, INSECURE), ""},
    {"anybody of that name", {.insecure = true, .names_expected = true, .peer_given = true}, {.kind = PRESENTED_X509}, {.name = true}, ACCEPT(INSECURE, INSECURE), "n"},
    {"somebody of another name", {.insecure = true, .names_expected = true, .peer_given = true}, {.kind = PRESENTED_X509}, {.name = false}, REFUSE(OTHER_NAME, WRONG, BAD_CERTIFICATE), "n"},

    /* ourselves */
    {"our own key", {.tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_X509, .own_key = true}, {.known = KNOWN_MATCH}, REFUSE(OURSELVES, ROLE, HANDSHAKE_FAILURE), ""},
    {"our own key, --insecure", {.insecure = true}, {.kind = PRESENTED_X509, .own_key = true}, {.known = KNOWN_MATCH}, REFUSE(OURSELVES, ROLE, HANDSHAKE_FAILURE), ""},
    {"our own key, a CA's", {.cacert_given = true}, {.kind = PRESENTED_X509, .own_key = true}, {.name = true}, REFUSE(OURSELVES, ROLE, HANDSHAKE_FAILURE), ""},
    {"our own key, pinned", {.pins_given = true}, {.kind = PRESENTED_X509, .own_key = true, .pin_matches = true}, {.name = false}, ACCEPT(PIN, PIN), ""},
    {"our own key, another pinned", {.pins_given = true}, {.kind = PRESENTED_X509, .own_key = true}, {.name = false}, REFUSE(OURSELVES, ROLE, HANDSHAKE_FAILURE), ""},
    {"our own key, --allow-self", {.allow_self = true, .insecure = true}, {.kind = PRESENTED_X509, .own_key = true}, {.name = false}, ACCEPT(INSECURE, INSECURE), ""},
    {"--allow-self is no acceptance", {.allow_self = true, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509, .own_key = true}, {.name = false}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "k"},

    /* nobody in particular */
    {"no key", {.tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_NONE}, {.known = KNOWN_MATCH, .name = true}, REFUSE(NO_KEY, UNKNOWN, CERTIFICATE_REQUIRED), ""},
    {"no key, and none needed", {.remote_id = TRUST_REMOTE_ID_REQUEST}, {.kind = PRESENTED_NONE}, {.name = true}, ACCEPT(NOT_ASKED, NONE), ""},
    {"no key, --insecure", {.insecure = true}, {.kind = PRESENTED_NONE}, {.name = true}, ACCEPT(INSECURE, INSECURE), ""},
    {"no key, but a pin", {.pins_given = true, .insecure = true, .remote_id = TRUST_REMOTE_ID_REQUEST}, {.kind = PRESENTED_NONE, .pin_matches = true}, {.name = true}, REFUSE(NO_KEY, UNKNOWN, CERTIFICATE_REQUIRED), ""},
    {"no key, but --cacert", {.cacert_given = true, .insecure = true, .remote_id = TRUST_REMOTE_ID_REQUEST}, {.kind = PRESENTED_NONE}, {.name = true}, REFUSE(NO_KEY, UNKNOWN, CERTIFICATE_REQUIRED), ""},
    {"no key, but --peer", {.peer_given = true, .names_expected = true, .insecure = true, .remote_id = TRUST_REMOTE_ID_REQUEST}, {.kind = PRESENTED_NONE}, {.name = true}, REFUSE(NO_KEY, UNKNOWN, CERTIFICATE_REQUIRED), ""},
    {"a key, and none needed: it is judged", {.remote_id = TRUST_REMOTE_ID_REQUEST, .tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_X509}, {.name = true}, REFUSE(UNKNOWN, UNKNOWN, CERTIFICATE_UNKNOWN), "k"},

    /* --strict-eku: the one rule that looks at the role */
    {"a purpose is asked for, and fits", {.strict_eku = true, .pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.name = true}, ACCEPT(PIN, PIN), "p"},
    {"a purpose is asked for, and does not fit", {.strict_eku = true, .pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.other_purpose = true}, REFUSE(OTHER_PURPOSE, WRONG, UNSUPPORTED_CERTIFICATE), "p"},
    {"the same of a known key", {.strict_eku = true}, {.kind = PRESENTED_X509}, {.other_purpose = true, .known = KNOWN_MATCH}, REFUSE(OTHER_PURPOSE, WRONG, UNSUPPORTED_CERTIFICATE), "p"},
    {"the same, --insecure", {.strict_eku = true, .insecure = true}, {.kind = PRESENTED_X509}, {.other_purpose = true}, REFUSE(OTHER_PURPOSE, WRONG, UNSUPPORTED_CERTIFICATE), "p"},
    {"a bare key is for every purpose", {.strict_eku = true, .pins_given = true}, {.kind = PRESENTED_RAWPK, .pin_matches = true}, {.other_purpose = true}, ACCEPT(PIN, PIN), ""},
    {"nobody asked for a purpose", {.pins_given = true}, {.kind = PRESENTED_X509, .pin_matches = true}, {.other_purpose = true}, ACCEPT(PIN, PIN), ""},

    /* a bare key: no CA and no name vouches for it (the questions answer so) */
    {"a bare key that is known", {.names_expected = true}, {.kind = PRESENTED_RAWPK}, {.known = KNOWN_MATCH}, ACCEPT(KNOWN, KNOWN), "k"},
    {"a bare key with the pin", {.pins_given = true}, {.kind = PRESENTED_RAWPK, .pin_matches = true}, {.name = false}, ACCEPT(PIN, PIN), ""},
    {"a bare key with another pin", {.pins_given = true}, {.kind = PRESENTED_RAWPK}, {.name = false}, REFUSE(OTHER_PIN, WRONG, BAD_CERTIFICATE), ""},
    {"a bare key, --cacert", {.cacert_given = true}, {.kind = PRESENTED_RAWPK}, {.cacert = TRUST_CHAIN_NOT_THERE}, REFUSE(BARE_KEY, WRONG, UNSUPPORTED_CERTIFICATE), "C"},
    {"a bare key, --pin and --peer", {.pins_given = true, .peer_given = true, .names_expected = true}, {.kind = PRESENTED_RAWPK, .pin_matches = true}, {.name = false}, REFUSE(BARE_KEY, WRONG, UNSUPPORTED_CERTIFICATE), "n"},
    {"a bare key that is new", {.names_expected = true, .tofu = TRUST_TOFU_ACCEPT_NEW}, {.kind = PRESENTED_RAWPK}, {.name = false}, ACCEPT(NEW, NEW), "kn"},

    /* a pre-shared key: whoever has it is trusted */
    {"a pre-shared key", {.tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_PSK}, {.name = false}, ACCEPT(PSK, PSK), ""},
    {"the same, HOST is expected: it was called, not asked for", {.names_expected = true}, {.kind = PRESENTED_PSK}, {.name = false}, ACCEPT(PSK, PSK), ""},
    {"a pre-shared key of that name", {.names_expected = true, .peer_given = true}, {.kind = PRESENTED_PSK}, {.name = true}, ACCEPT(PSK, PSK), "n"},
    {"a pre-shared key of another name", {.names_expected = true, .peer_given = true}, {.kind = PRESENTED_PSK}, {.name = false}, REFUSE(OTHER_NAME, WRONG, ACCESS_DENIED), "n"},
    {"our own name with a pre-shared key", {.tofu = TRUST_TOFU_NEVER}, {.kind = PRESENTED_PSK, .own_key = true}, {.name = true}, REFUSE(OURSELVES, ROLE, HANDSHAKE_FAILURE), ""},
    {"the same, --allow-self", {.allow_self = true}, {.kind = PRESENTED_PSK, .own_key = true}, {.name = true}, ACCEPT(PSK, PSK), ""},
    {"a pre-shared key, but a pin", {.pins_given = true}, {.kind = PRESENTED_PSK}, {.name = true}, REFUSE(OTHER_PIN, WRONG, ACCESS_DENIED), ""},
    {"a pre-shared key, but --cacert", {.cacert_given = true}, {.kind = PRESENTED_PSK}, {.name = true}, REFUSE(BARE_KEY, WRONG, ACCESS_DENIED), ""},

    {"nobody is looked at", {.remote_id = TRUST_REMOTE_ID_IGNORE}, {.kind = PRESENTED_X509, .own_key = true}, {.known = KNOWN_CHANGED}, ACCEPT(NOT_ASKED, NONE), ""},
    {"nobody is looked at, nor shown", {.remote_id = TRUST_REMOTE_ID_IGNORE}, {.kind = PRESENTED_NONE}, {.known = KNOWN_CHANGED}, ACCEPT(NOT_ASKED, NONE), ""},
};

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answers answers = rows[i].answers;
        struct trust_verdict verdict = judge(&rows[i].rules, rows[i].peer, &answers);

        check_row(verdict.answer == rows[i].verdict.answer, "row %zu, %s: answer %d", i, rows[i].what, verdict.answer);
        check_row(strcmp(answers.asked, rows[i].asked) == 0, "row %zu, %s: asked \"%s\"", i, rows[i].what, answers.asked);
        if (verdict.answer == TRUST_ASK)
            continue;
        check_row(verdict.because == rows[i].verdict.because, "row %zu, %s: because %d", i, rows[i].what, verdict.because);
        check_row(verdict.how == rows[i].verdict.how, "row %zu, %s: how %d", i, rows[i].what, verdict.how);
        check_row(verdict.status == rows[i].verdict.status, "row %zu, %s: status %d", i, rows[i].what, verdict.status);
        check_row(verdict.alert == rows[i].verdict.alert, "row %zu, %s: alert %d", i, rows[i].what, verdict.alert);
    }
}

/* ---- What holds for every combination there is ---- */

struct everything {
    struct trust_rules rules;
    struct trust_questions peer;
    struct answers answers;
};

/* The combination of that number; false: there is none of so high a number. */
static bool combination(unsigned number, struct everything *all)
{
    static const unsigned sizes[] = {2, 2, 3, 2, 2, 3, 3, 4, 2, 2, 4, 2, 8, 2, 7};
    unsigned value[COUNT(sizes)];

    for (size_t i = 0; i < COUNT(sizes); i++) {
        value[i] = number % sizes[i];
        number /= sizes[i];
    }
    /* names: none expected; HOST; --peer. The TLSA records: not asked for; or what they say */
    *all = (struct everything){
        .rules = {.pins_given = value[0], .cacert_given = value[1], .names_expected = value[2] > 0, .peer_given = value[2] > 1,
                  .insecure = value[3], .allow_self = value[4], .chain_needed = value[13], .tofu = (enum trust_tofu)value[5],
                  .remote_id = (enum trust_remote_id)value[6], .strict_eku = value[14] == 1 || value[14] == 2, .dane_given = value[14] > 2},
        .peer = {.kind = (enum presented_kind)value[7], .own_key = value[7] && value[8],
                 .pin_matches = (value[7] == PRESENTED_X509 || value[7] == PRESENTED_RAWPK) && value[0] && value[9]},
        .answers = {.known = (enum known_result)value[10], .name = value[11], .other_purpose = value[14] == 2,
                    /* one of these is asked for, at most */
                    .cacert = (enum trust_chain)value[12], .system = (enum trust_chain)value[12],
                    .dane = value[14] > 2 ? (enum trust_dane)(value[14] - 3) : TRUST_DANE_GOOD},
    };
    return number == 0;
}

/* Somebody is accepted: by this alone it may be. Nothing here is taken from trust_rules.c. */
static bool may_be_accepted(const struct everything *all, enum trust_how how)
{
    const struct trust_rules *rules = &all->rules;
    bool has_name = all->answers.name, has_key = all->peer.kind == PRESENTED_X509 || all->peer.kind == PRESENTED_RAWPK;

    if (rules->remote_id == TRUST_REMOTE_ID_IGNORE)
        return how == TRUST_NONE;
    if (rules->pins_given && !all->peer.pin_matches)
        return false;
    if (rules->strict_eku && all->answers.other_purpose && all->peer.kind == PRESENTED_X509)
        return false;
    if (rules->cacert_given && (!has_key || all->answers.cacert != TRUST_CHAIN_GOOD || (rules->names_expected && !has_name)))
        return false;
    if (rules->chain_needed && (!has_key || (rules->cacert_given ? all->answers.cacert : all->answers.system) != TRUST_CHAIN_GOOD))
        return false;
    if (all->peer.own_key && !rules->allow_self && !all->peer.pin_matches)
        return false;
    if (rules->dane_given && (!has_key || all->answers.dane != TRUST_DANE_GOOD))
        return false;
    switch (how) {
    case TRUST_DANE:
        return rules->dane_given && (!rules->peer_given || has_name);
    case TRUST_PIN:
        return all->peer.pin_matches && (!rules->peer_given || has_name);
    case TRUST_CA:
        return rules->cacert_given || (rules->names_expected && has_name && all->answers.system == TRUST_CHAIN_GOOD && has_key);
    case TRUST_KNOWN:
        return has_key && all->answers.known == KNOWN_MATCH;
    case TRUST_NEW:
        return has_key && rules->tofu == TRUST_TOFU_ACCEPT_NEW && all->answers.known == KNOWN_NONE;
    case TRUST_INSECURE:
        return rules->insecure && (!rules->peer_given || (has_key && has_name));
    case TRUST_NONE:
        return rules->remote_id == TRUST_REMOTE_ID_REQUEST && all->peer.kind == PRESENTED_NONE && !rules->peer_given;
    case TRUST_PSK:
        return all->peer.kind == PRESENTED_PSK && !rules->pins_given && (!rules->peer_given || has_name);
    }
    return false;
}

static void test_every_combination(void **state)
{
    struct everything all;
    unsigned accepted = 0, number;

    (void)state;
    for (number = 0; combination(number, &all); number++) {
        struct trust_verdict verdict = judge(&all.rules, all.peer, &all.answers);

        switch (verdict.answer) {
        case TRUST_ACCEPT:
            accepted++;
            check_row(may_be_accepted(&all, verdict.how), "combination %u: how %d", number, verdict.how);
            check_row(verdict.status == STATUS_OK && verdict.because < TRUST_BECAUSE_NO_KEY, "combination %u", number);
            break;
        case TRUST_ASK: /* only about a stranger, and only when that was the wish */
            check_row(all.rules.tofu == TRUST_TOFU_ASK && all.peer.kind != PRESENTED_NONE && all.peer.kind != PRESENTED_PSK && all.answers.known == KNOWN_NONE, "combination %u", number);
            check_row(!all.rules.chain_needed || all.answers.system == TRUST_CHAIN_GOOD, "combination %u", number);
            check_row(!all.rules.pins_given && !all.rules.cacert_given && !all.rules.dane_given && !all.rules.insecure, "combination %u", number);
            break;
        case TRUST_REFUSE:
            check_row(verdict.status != STATUS_OK && verdict.alert > 0 && verdict.because >= TRUST_BECAUSE_NO_KEY,
                      "combination %u", number);
            break;
        }
        check_row(all.peer.kind != PRESENTED_NONE || !*all.answers.asked, "combination %u: there was nothing to ask of", number);
        check_row(all.rules.cacert_given || !strchr(all.answers.asked, 'C'), "combination %u", number);
        check_row(all.rules.dane_given || !strchr(all.answers.asked, 'D'), "combination %u", number);
        check_row(strcspn(all.answers.asked, "CS") + 1 >= strlen(all.answers.asked) ||
                      !strpbrk(strpbrk(all.answers.asked, "CS") + 1, "CS"), "combination %u: chains twice", number);
        check_row(all.rules.names_expected || !strchr(all.answers.asked, 'n'), "combination %u", number);
    }
    assert_int_equal(number, 2 * 2 * 3 * 2 * 2 * 3 * 3 * 4 * 2 * 2 * 4 * 2 * 8 * 2 * 7);
    assert_in_range(accepted, number / 20, number / 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_every_combination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
