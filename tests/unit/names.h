/* names.h - a resolver that knows names under ".test". A program that uses this has it in place of getaddrinfo().
 *
 *   one.test     127.0.0.1                 pair.test   127.0.0.1, 127.0.0.2
 *   six.test     ::1                       both.test   ::1, 127.0.0.1
 *   many.test    127.0.1.1 to 127.0.1.20   twice.test  127.0.0.1, 127.0.0.1, 127.0.0.2
 *   none.test    no such name              later.test  it cannot be found just now
 *   slow.test    no answer, ever           dead.test   the resolver dies
 */
#ifndef SYMTLS_TEST_NAMES_H
#define SYMTLS_TEST_NAMES_H

#include <stdbool.h>

/* Every program that wants it calls this once; otherwise the linker leaves it out. */
void names_use(void);

/* How often this process has been asked so far; children that it makes count for themselves. */
unsigned names_asked(void);

/* Whether the kernel has IPv6 here. */
bool names_have_ipv6(void);

#endif
