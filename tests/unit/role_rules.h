/* role_rules.h - what arrives, and what we do: a table with one row for each case. See symtls-protocol(7). */
#ifndef SYMTLS_TEST_ROLE_RULES_H
#define SYMTLS_TEST_ROLE_RULES_H

#include "hellos.h"
#include "role.h"

/* What arrives first. What else may, each transport counts on from ARRIVES_ELSE. */
enum {
    HELLO_OF_CLIENT, /* symmetric, of one that insists on being the client */
    HELLO_OF_SERVER,
    HELLO_PLAIN,
    ARRIVES_ELSE
};

enum { ACTIVE = 1, PASSIVE = 2, BOTH = 3 };                                                /* bits */
enum { ANY = 1, CLIENT = 2, SERVER = 4, PREFER_CLIENT = 8, PREFER_SERVER = 16, ALL = 31 }; /* 1 << enum role_want */
enum { ALLOW = 1, REQUIRE = 2, EITHER = 3 };                                               /* 1 << enum role_symmetric */

struct role_rule {
    unsigned arrives;
    unsigned ends, wants, symmetric; /* every combination of these bits ... */
    enum role_step step;             /* ... leads to this */
    enum role_decided_by by;
    enum role_reason reason;
    int alert;
    enum status status;
};

typedef void role_rule_check(const struct role_rule *rule, bool active, enum role_want want, enum role_symmetric symmetric);

/* Check each case of these rules, and of those about a hello, which are the same on all transports. What arrives is
 * below `arrives_count`: no case is without a rule, and none has two. */
void role_rules_check(const struct role_rule *rules, size_t count, unsigned arrives_count, role_rule_check *check);

/* --implicit: the last 28 bytes of a Random stand in for a missing value, as unsigned bytes. Ours are all 0x55, 'U'. */
enum { ROLE_IMPLICITS = 9 };
extern const struct role_implicit {
    struct hellos peer;
    enum role_step step;
    bool is_explicit;
} role_implicits[ROLE_IMPLICITS];

/* The hello of that row has arrived, and came to that. */
void role_implicit_check(const struct role_stream *stream, size_t row);

#endif
