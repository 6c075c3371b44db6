/* trust_examination.h - one examination of a peer, for the trust*.c files. */
#ifndef SYMTLS_TRUST_EXAMINATION_H
#define SYMTLS_TRUST_EXAMINATION_H

#include <gnutls/x509.h>

#include "trust.h"
#include "trust_dane.h"

/* What the questions of the rules need, and what came up on the way. */
struct trust_examination {
    const struct trust_config *config;
    const struct presented *presented;
    const struct trust_occasion *occasion;
    struct trust_result *result;
    struct error *error;
    gnutls_x509_crt_t certificates[PRESENTED_MAX];
    unsigned count;
    const char *const *expected; /* --peer, or else the host */
    size_t expected_count;
    const char *matched; /* the expected name that the peer bears */
    struct known_found known;
    struct trust_dane_finding dane;
};

/* A key that has another name is pointed out, where it is new or refused. */
void trust_point_elsewhere(struct trust_examination *examination);

/* Fill in why the peer is accepted, and its name; nothing for another verdict. */
void trust_name_the_peer(struct trust_examination *examination);

/* Keep the story of why it is refused. */
void trust_tell_refusal(struct trust_examination *examination);

#endif
