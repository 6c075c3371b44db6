/* trust_dane.h - what a peer presented, against the TLSA records of its name (RFC 6698 section 2.1, RFC 7671 sections 4 and 5).
 *
 * Ours, and not dane_verify_crt_raw(): that one looks at no name and no date with usage 2, checks no chain with usages 0 and 1, finds a
 * CA among what was sent even when the chain does not lead there, and knows no bare keys. */
#ifndef SYMTLS_TRUST_DANE_H
#define SYMTLS_TRUST_DANE_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "dane.h"
#include "presented.h"
#include "trust_rules.h"

/* What there is to judge; everything is borrowed. */
struct trust_dane_case {
    const struct dane *dane;
    const struct presented *presented;
    const gnutls_x509_crt_t *certificates; /* of `presented`, its own first */
    unsigned count;
    bool (*load_cas)(void *context, gnutls_x509_trust_list_t list); /* for usages 0 and 1; false: they cannot be used */
    void *context;
};

#define TRUST_DANE_WHY_SIZE 384

/* What came of it. */
struct trust_dane_finding {
    const struct dane_record *record; /* with GOOD: the one that vouches */
    char why[TRUST_DANE_WHY_SIZE];    /* else: why none does */
};

/* One record that vouches is enough. A record with a usage, selector or matching type that is unknown, or with data that cannot be what
 * they say, is passed over (RFC 7671 section 4). */
enum trust_dane trust_dane_judge(const struct trust_dane_case *about, struct trust_dane_finding *finding);

#endif
