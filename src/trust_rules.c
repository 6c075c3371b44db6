/* trust_rules.c - the rules of acceptance. Pure: facts in, a verdict out. */
#include "trust_rules.h"
#include "role_alert.h"

static struct trust_verdict accept_peer(enum trust_because because, enum trust_how how)
{
    return (struct trust_verdict){.answer = TRUST_ACCEPT, .because = because, .how = how};
}

static struct trust_verdict refuse_peer(enum trust_because because, enum status status, int alert)
{
    return (struct trust_verdict){.answer = TRUST_REFUSE, .because = because, .status = status, .alert = alert};
}

/* Files that we cannot read are our fault, and the peer need not know. */
static struct trust_verdict give_up(void)
{
    return refuse_peer(TRUST_BECAUSE_FAILED, STATUS_LOCAL, ALERT_INTERNAL_ERROR);
}

static struct trust_verdict judge_stranger(const struct trust_rules *rules)
{
    bool asked_for_something = rules->pins_given || rules->cacert_given || rules->chain_needed || rules->dane_given || rules->peer_given;

    if (!asked_for_something && rules->insecure)
        return accept_peer(TRUST_BECAUSE_INSECURE, TRUST_INSECURE);
    if (!asked_for_something && rules->remote_id == TRUST_REMOTE_ID_REQUEST)
        return accept_peer(TRUST_BECAUSE_NOT_ASKED, TRUST_NONE);
    return refuse_peer(TRUST_BECAUSE_NO_KEY, STATUS_UNKNOWN, ALERT_CERTIFICATE_REQUIRED);
}

/* That it leads to a CA is no reason to accept anybody yet, but the opposite is one to refuse. */
static struct trust_verdict judge_chain(const struct trust_questions *peer, bool system)
{
    switch (peer->chain(peer->context, system)) {
    case TRUST_CHAIN_GOOD:
        break;
    case TRUST_CHAIN_NOT_THERE:
        return refuse_peer(TRUST_BECAUSE_BARE_KEY, STATUS_WRONG, ALERT_UNSUPPORTED_CERTIFICATE);
    case TRUST_CHAIN_UNKNOWN_CA:
        return refuse_peer(TRUST_BECAUSE_UNKNOWN_CA, STATUS_WRONG, ALERT_UNKNOWN_CA);
    case TRUST_CHAIN_EXPIRED:
        return refuse_peer(TRUST_BECAUSE_EXPIRED, STATUS_WRONG, ALERT_CERTIFICATE_EXPIRED);
    case TRUST_CHAIN_BAD:
        return refuse_peer(TRUST_BECAUSE_BAD_CHAIN, STATUS_WRONG, ALERT_BAD_CERTIFICATE);
    case TRUST_CHAIN_REVOKED:
        return refuse_peer(TRUST_BECAUSE_REVOKED, STATUS_WRONG, ALERT_CERTIFICATE_REVOKED);
    case TRUST_CHAIN_NO_STATUS:
        return refuse_peer(TRUST_BECAUSE_NO_STATUS, STATUS_WRONG, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE);
    case TRUST_CHAIN_FAILED:
        return give_up();
    }
    return accept_peer(system ? TRUST_BECAUSE_SYSTEM_CA : TRUST_BECAUSE_CACERT, TRUST_CA);
}

static struct trust_verdict judge_cacert(const struct trust_rules *rules, const struct trust_questions *peer)
{
    struct trust_verdict verdict = judge_chain(peer, false);

    if (verdict.answer != TRUST_ACCEPT)
        return verdict;
    /* A listener that named nobody means everybody whom this CA vouches for. */
    if (rules->names_expected && !peer->name_matches(peer->context))
        return refuse_peer(TRUST_BECAUSE_OTHER_NAME, STATUS_WRONG, ALERT_BAD_CERTIFICATE);
    return verdict;
}

static struct trust_verdict judge_dane(const struct trust_questions *peer)
{
    switch (peer->dane(peer->context)) {
    case TRUST_DANE_GOOD:
        return accept_peer(TRUST_BECAUSE_DANE, TRUST_DANE);
    case TRUST_DANE_CONTRADICTED:
        return refuse_peer(TRUST_BECAUSE_OTHER_DANE, STATUS_WRONG, ALERT_BAD_CERTIFICATE);
    case TRUST_DANE_UNUSABLE:
        return refuse_peer(TRUST_BECAUSE_NO_DANE, STATUS_UNKNOWN, ALERT_CERTIFICATE_UNKNOWN);
    case TRUST_DANE_FAILED:
        break;
    }
    return give_up();
}

static struct trust_verdict judge_name(const struct trust_questions *peer)
{
    if (peer->kind == PRESENTED_RAWPK)
        return refuse_peer(TRUST_BECAUSE_BARE_KEY, STATUS_WRONG, ALERT_UNSUPPORTED_CERTIFICATE);
    return refuse_peer(TRUST_BECAUSE_OTHER_NAME, STATUS_WRONG, ALERT_BAD_CERTIFICATE);
}

/* Everything that was asked for has to hold. */
static struct trust_verdict judge_as_asked(const struct trust_rules *rules, const struct trust_questions *peer)
{
    struct trust_verdict verdict = accept_peer(TRUST_BECAUSE_INSECURE, TRUST_INSECURE);

    if (rules->pins_given && !peer->pin_matches)
        return refuse_peer(TRUST_BECAUSE_OTHER_PIN, STATUS_WRONG, ALERT_BAD_CERTIFICATE);
    if (rules->cacert_given) {
        verdict = judge_cacert(rules, peer);
        if (verdict.answer != TRUST_ACCEPT)
            return verdict;
    } else {
        if (rules->peer_given && !peer->name_matches(peer->context))
            return judge_name(peer);
        if (rules->chain_needed) {
            struct trust_verdict by_ca = judge_chain(peer, true);

            if (by_ca.answer != TRUST_ACCEPT)
                return by_ca;
        }
    }
    if (rules->dane_given) {
        verdict = judge_dane(peer);
        if (verdict.answer != TRUST_ACCEPT)
            return verdict;
    }
    if (rules->pins_given)
        verdict = accept_peer(TRUST_BECAUSE_PIN, TRUST_PIN);
    return verdict;
}

static struct trust_verdict judge_by_default(const struct trust_rules *rules, const struct trust_questions *peer)
{
    struct trust_verdict by_ca = {.answer = TRUST_ASK};

    /* Then even who is known has to have a CA that stands by its word. */
    if (rules->chain_needed) {
        by_ca = judge_chain(peer, true);
        if (by_ca.answer == TRUST_REFUSE)
            return by_ca;
    }
    switch (peer->known(peer->context)) {
    case KNOWN_MATCH:
        return accept_peer(TRUST_BECAUSE_KNOWN, TRUST_KNOWN);
    case KNOWN_CHANGED:
        return refuse_peer(TRUST_BECAUSE_CHANGED, STATUS_WRONG, ALERT_BAD_CERTIFICATE);
    case KNOWN_FAILED:
        return give_up();
    case KNOWN_NONE:
        break;
    }
    /* Holding some public CA's certificate makes nobody welcome: it has to be the name that we expect. */
    if (rules->names_expected && peer->name_matches(peer->context)) {
        if (!rules->chain_needed)
            by_ca = judge_chain(peer, true);
        if (by_ca.answer == TRUST_ACCEPT || by_ca.because == TRUST_BECAUSE_FAILED || by_ca.because == TRUST_BECAUSE_REVOKED)
            return by_ca; /* what its own CA has taken back is nobody new */
    }
    switch (rules->tofu) {
    case TRUST_TOFU_ACCEPT_NEW:
        return accept_peer(TRUST_BECAUSE_NEW, TRUST_NEW);
    case TRUST_TOFU_ASK:
        return (struct trust_verdict){.answer = TRUST_ASK};
    case TRUST_TOFU_NEVER:
        break;
    }
    return refuse_peer(TRUST_BECAUSE_UNKNOWN, STATUS_UNKNOWN, ALERT_CERTIFICATE_UNKNOWN);
}

/* Who holds the key is trusted with it; what it says of its name is part of that. */
static struct trust_verdict judge_psk(const struct trust_rules *rules, const struct trust_questions *peer)
{
    if (rules->pins_given)
        return refuse_peer(TRUST_BECAUSE_OTHER_PIN, STATUS_WRONG, ALERT_ACCESS_DENIED);
    if (rules->cacert_given || rules->chain_needed)
        return refuse_peer(TRUST_BECAUSE_BARE_KEY, STATUS_WRONG, ALERT_ACCESS_DENIED);
    if (rules->dane_given)
        return refuse_peer(TRUST_BECAUSE_OTHER_DANE, STATUS_WRONG, ALERT_ACCESS_DENIED);
    if (rules->peer_given && !peer->name_matches(peer->context))
        return refuse_peer(TRUST_BECAUSE_OTHER_NAME, STATUS_WRONG, ALERT_ACCESS_DENIED);
    return accept_peer(TRUST_BECAUSE_PSK, TRUST_PSK);
}

struct trust_verdict trust_judge(const struct trust_rules *rules, const struct trust_questions *peer)
{
    if (rules->remote_id == TRUST_REMOTE_ID_IGNORE)
        return accept_peer(TRUST_BECAUSE_NOT_ASKED, TRUST_NONE);
    if (peer->kind == PRESENTED_NONE)
        return judge_stranger(rules);
    if (peer->own_key && !rules->allow_self && !(rules->pins_given && peer->pin_matches))
        return refuse_peer(TRUST_BECAUSE_OURSELVES, STATUS_ROLE, ALERT_HANDSHAKE_FAILURE);
    if (peer->kind == PRESENTED_PSK)
        return judge_psk(rules, peer);
    if (rules->strict_eku && peer->kind == PRESENTED_X509 && !peer->purpose_fits(peer->context))
        return refuse_peer(TRUST_BECAUSE_OTHER_PURPOSE, STATUS_WRONG, ALERT_UNSUPPORTED_CERTIFICATE);
    if (rules->pins_given || rules->cacert_given || rules->dane_given || rules->insecure)
        return judge_as_asked(rules, peer);
    return judge_by_default(rules, peer);
}
