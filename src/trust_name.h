/* trust_name.h - does a name in a certificate stand for the one that is expected? Pure: texts in, an answer out. */
#ifndef SYMTLS_TRUST_NAME_H
#define SYMTLS_TRUST_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trust_name_kind { TRUST_NAME_DNS, TRUST_NAME_IP, TRUST_NAME_EMAIL, TRUST_NAME_URI };

/* What kind of name the user has given: an address, "scheme:...", something with "@", or else a host's name. */
enum trust_name_kind trust_name_kind(const char *expected);

/* Does `presented`, a subject alternative name of that kind as it is in the certificate, stand for `expected`?
 * DNS: without regard to case, and "*" may stand for the whole first label (RFC 9525 section 6.3). IP: 4 or 16 bytes.
 * E-mail: the host without regard to case (RFC 5280 section 7.5). URI: scheme and host likewise, the rest as it is. */
bool trust_name_fits(enum trust_name_kind kind, const uint8_t *presented, size_t length, const char *expected);

#endif
