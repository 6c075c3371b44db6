/* trust_rules.h - the rules of acceptance (symtls(1), "Who is accepted"). Pure: facts in, a verdict out.
 *
 * But for --strict-eku there is no role here: the same peer gets the same answer whether it came out as client or as server. */
#ifndef SYMTLS_TRUST_RULES_H
#define SYMTLS_TRUST_RULES_H

#include <stdbool.h>

#include "error.h"
#include "facts.h"
#include "known.h"
#include "presented.h"

enum trust_tofu { TRUST_TOFU_ASK, TRUST_TOFU_ACCEPT_NEW, TRUST_TOFU_NEVER };
enum trust_ocsp { TRUST_OCSP_CHECK, TRUST_OCSP_REQUIRE, TRUST_OCSP_NEVER };
enum trust_remote_id { TRUST_REMOTE_ID_REQUIRE, TRUST_REMOTE_ID_REQUEST, TRUST_REMOTE_ID_IGNORE };

/* What the user asked for. */
struct trust_rules {
    bool pins_given;
    bool cacert_given;
    bool chain_needed;    /* --crl or --ocsp require: a CA, of --cacert or else of the system, has to stand by its word */
    bool dane_given;
    bool peer_given;      /* --peer */
    bool names_expected;  /* --peer, or the HOST that we connect to */
    bool insecure;
    bool allow_self;
    bool strict_eku;
    enum trust_tofu tofu;
    enum trust_remote_id remote_id;
};

/* Whether a chain of certificates leads to a CA. */
enum trust_chain {
    TRUST_CHAIN_GOOD,
    TRUST_CHAIN_NOT_THERE, /* a bare key */
    TRUST_CHAIN_UNKNOWN_CA,
    TRUST_CHAIN_EXPIRED,
    TRUST_CHAIN_BAD,
    TRUST_CHAIN_REVOKED,
    TRUST_CHAIN_NO_STATUS, /* nothing fresh says that it is not revoked */
    TRUST_CHAIN_FAILED
};

/* What the TLSA records of its name say about the peer. */
enum trust_dane {
    TRUST_DANE_GOOD,
    TRUST_DANE_CONTRADICTED,
    TRUST_DANE_UNUSABLE, /* no record that we understand */
    TRUST_DANE_FAILED    /* our CAs, which some records need, could not be used */
};

/* What is true of the peer. The functions are asked only when a decision needs them: trust stores are large. */
struct trust_questions {
    void *context;
    enum presented_kind kind; /* with NONE the rest means nothing */
    bool own_key; /* it is our own key, or our own name with a pre-shared one */
    bool pin_matches;
    bool (*name_matches)(void *context); /* its certificate, or its pre-shared key, bears an expected name */
    bool (*purpose_fits)(void *context); /* its certificate is meant for the TLS role that it has */
    enum known_result (*known)(void *context);
    enum trust_chain (*chain)(void *context, bool system); /* to --cacert, or to the system's CAs */
    enum trust_dane (*dane)(void *context);
};

enum trust_answer { TRUST_ACCEPT, TRUST_ASK, TRUST_REFUSE };

enum trust_because {
    TRUST_BECAUSE_PIN,
    TRUST_BECAUSE_CACERT,
    TRUST_BECAUSE_DANE,
    TRUST_BECAUSE_SYSTEM_CA,
    TRUST_BECAUSE_KNOWN,
    TRUST_BECAUSE_PSK,
    TRUST_BECAUSE_NEW,
    TRUST_BECAUSE_INSECURE,
    TRUST_BECAUSE_NOT_ASKED,
    /* refusals */
    TRUST_BECAUSE_NO_KEY,
    TRUST_BECAUSE_OURSELVES,
    TRUST_BECAUSE_OTHER_PIN,
    TRUST_BECAUSE_OTHER_NAME,
    TRUST_BECAUSE_BARE_KEY,
    TRUST_BECAUSE_OTHER_PURPOSE,
    TRUST_BECAUSE_UNKNOWN_CA,
    TRUST_BECAUSE_EXPIRED,
    TRUST_BECAUSE_BAD_CHAIN,
    TRUST_BECAUSE_REVOKED,
    TRUST_BECAUSE_NO_STATUS,
    TRUST_BECAUSE_CHANGED,
    TRUST_BECAUSE_OTHER_DANE,
    TRUST_BECAUSE_NO_DANE,
    TRUST_BECAUSE_UNKNOWN,
    TRUST_BECAUSE_FAILED /* a file could not be used; the error is told already */
};

struct trust_verdict {
    enum trust_answer answer;
    enum trust_because because;
    enum trust_how how; /* with ACCEPT */
    enum status status; /* with REFUSE */
    int alert;          /* with REFUSE: AlertDescription of RFC 8446 section 6 */
};

struct trust_verdict trust_judge(const struct trust_rules *rules, const struct trust_questions *peer);

#endif
