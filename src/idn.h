/* idn.h - names that people type, as they go over the wire (IDNA 2008, RFC 5891). */
#ifndef SYMTLS_IDN_H
#define SYMTLS_IDN_H

#include <stdbool.h>

/* The ASCII form of a host's name, an e-mail address (its host is converted) or anything else that is ASCII already; a
 * URI stays as it is. *ascii is for free(). False: it cannot be converted, and *why is the reason (static). */
bool idn_to_ascii(const char *name, char **ascii, const char **why);

#endif
