/* facts.h - what a handshake came to, in words that need no TLS library: what the report tells. */
#ifndef SYMTLS_FACTS_H
#define SYMTLS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "presented.h"
#include "role.h"
#include "text.h"

#define FACTS_NAME_SIZE 256

/* How the peer came to be accepted (symtls(1), "Who is accepted"). */
enum trust_how { TRUST_NONE, TRUST_PIN, TRUST_KNOWN, TRUST_CA, TRUST_NEW, TRUST_PSK, TRUST_INSECURE, TRUST_DANE };

/* What ties another protocol to this session (RFC 5929, RFC 9266), and the names that these have. */
enum facts_binding { FACTS_BINDING_NONE, FACTS_BINDING_TLS_EXPORTER, FACTS_BINDING_TLS_UNIQUE };
#define FACTS_BINDINGS "none|tls-exporter|tls-unique"

/* Texts are printable UTF-8, whatever the peer sent; "" is "there is none". */
struct facts {
    enum role role;
    bool symmetric;
    bool symmetric_unknown; /* whether the peer is symmetric: its hello, if it sent one, was lost */
    enum role_decided_by decided_by;
    char our_preference[HELLO_PREFERENCE_MAX + 1];
    char peer_preference[HELLO_PREFERENCE_MAX + 1];
    char version[16];
    char cipher[32];
    char group[32];
    char signature[48]; /* the algorithm with which the peer proved that it holds its key */
    char alpn[256];
    bool resumed;
    char our_pin[TEXT_PIN_SIZE];
    char our_choice[512]; /* which of our identities the peer got to see, and why; "": none */
    char *export_hex; /* owned; NULL unless --export */
    enum facts_binding binding;
    char *binding_hex; /* owned; NULL without one */

    struct {
        char name[FACTS_NAME_SIZE]; /* who we take it for; "" when nobody vouches for a name */
        char subject[512];
        char issuer[512];
        char (*names)[FACTS_NAME_SIZE]; /* owned; the names in its certificate */
        size_t name_count;
        char pin[TEXT_PIN_SIZE];
        enum presented_kind kind;
        int64_t not_after; /* of its certificate: seconds since the epoch; FACTS_NO_EXPIRY for never */
    } peer;
    enum trust_how trust;
    char trust_reason[512]; /* the rest of "trusted because " */
};

#define FACTS_NO_EXPIRY INT64_MAX

void facts_free(struct facts *facts);

/* As programs read it: "client", "pin". */
const char *facts_role(enum role role);
const char *facts_trust(enum trust_how how);

#endif
