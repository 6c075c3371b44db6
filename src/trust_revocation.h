/* trust_revocation.h - has a CA taken back its word for the peer's certificate? CRLs (RFC 5280 section 5), and the OCSP
 * response that came with it (RFC 6066 section 8, RFC 6960). For `trust`. */
#ifndef SYMTLS_TRUST_REVOCATION_H
#define SYMTLS_TRUST_REVOCATION_H

#include "trust_examination.h"

/* The peer's chain leads to a CA in `list`: does it still hold? GOOD, REVOKED or NO_STATUS, and then result->doubt says
 * why; FAILED with an error when --crl cannot be used. */
enum trust_chain trust_revocation(struct trust_examination *examination, gnutls_x509_trust_list_t list);

/* Can --crl be read, of which the examination needs no more than the configuration? False with an error. */
bool trust_revocation_check(struct trust_examination *examination);

#endif
