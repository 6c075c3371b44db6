/* trust.h - is this peer acceptable, and who is it? The same in either role, and none of our own keys. */
#ifndef SYMTLS_TRUST_H
#define SYMTLS_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "dane.h"
#include "error.h"
#include "facts.h"
#include "presented.h"
#include "trust_rules.h"

/* What the user asked for; everything is borrowed. */
struct trust_config {
    const char *const *pins; /* canonical, text_pin() */
    size_t pin_count;
    const char *const *peers; /* --peer */
    size_t peer_count;
    const char *cacert;
    const char *crl;
    const char *host; /* the name under which we look for the peer; NULL when it comes to us */
    const char *known_path;
    const struct dane *dane; /* the TLSA records of that name; NULL: not asked for */
    bool insecure;
    bool allow_self;
    bool strict_eku;
    enum trust_tofu tofu;
    enum trust_ocsp ocsp;
    enum trust_remote_id remote_id;
};

/* What else there is to know. Borrowed. */
struct trust_occasion {
    const char *const *our_pins; /* of every key that we could have shown */
    size_t our_pin_count;
    const char *our_psk_name;    /* NULL: we have no pre-shared key */
    const char *address;         /* where the peer is, without a port */
    bool peer_is_server;         /* for --strict-eku alone */
    bool peer_cannot_staple;     /* its role and version leave it no way to send an OCSP response */
};

/* What came of it. */
struct trust_result {
    struct trust_verdict verdict;
    char pin[TEXT_PIN_SIZE];
    char name[FACTS_NAME_SIZE];       /* who it is; "" when nobody vouches for a name */
    char claimed[FACTS_NAME_SIZE];    /* who it says it is: no more than that */
    char remember_as[KNOWN_NAME_SIZE];/* what a stranger would be remembered under */
    char reason[512];                 /* the rest of "trusted because " */
    char elsewhere[464];              /* its key is known under a name that is not expected: that, file and line; or "" */
    char doubt[512];                  /* why no CA vouches for it, for the question; "" where that was not looked at */
};

/* Is there what --cacert and --crl name? False with an error. They are read anew for each peer. */
bool trust_check(const struct trust_config *config, struct error *error);

/* Judge who presented that. On TRUST_REFUSE the error has the story. On TRUST_ASK show trust_question() to the user and
 * pass on the answer. */
void trust_examine(const struct trust_config *config, const struct presented *presented,
                   const struct trust_occasion *occasion, struct trust_result *result, struct error *error);

/* The question, several lines; it ends in a prompt. */
void trust_question(const struct trust_result *result, const char *remote, char *text, size_t size);

/* What the user typed; NULL when nobody could be asked. "yes" and the pin itself accept, all else refuses with an error. */
void trust_answer(const struct trust_config *config, const char *answer, struct trust_result *result,
                  struct error *error);

/* The peer has proven by now that it holds its key: if it is new, write it down. False with an error. */
bool trust_remember(const struct trust_config *config, const struct trust_result *result, struct error *error);

/* What was presented as PEM: certificates, or a public key. False: no memory, or it cannot be read. */
bool trust_write_pem(const struct presented *presented, struct buffer *pem);

/* The same as certtool prints it, line by line, fit for a terminal. */
void trust_print(const struct presented *presented, void (*line)(void *context, const char *text), void *context);

/* Fill facts->peer with what it presented, and with what `result` found. */
void trust_describe(const struct presented *presented, const struct trust_result *result, struct facts *facts);

#endif
