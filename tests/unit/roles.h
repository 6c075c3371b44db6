/* roles.h - what the tests of roles share: names, configurations, and dice. */
#ifndef SYMTLS_TEST_ROLES_H
#define SYMTLS_TEST_ROLES_H

#include "hellos.h"
#include "role.h"

enum { WANTS = 5 };
extern const char *const want_names[WANTS]; /* by enum role_want */

/* A random value in it is the same each time. */
struct role_config config_of(enum role_want want, bool active, enum role_symmetric symmetric);

/* ---- Random numbers that are the same in each run ---- */

void dice_start(uint64_t seed); /* not 0 */
unsigned dice(unsigned sides);  /* from 0 */
bool dice_random(void *bytes, size_t length);

/* A random value in it is thrown. */
struct role_config config_with_dice(enum role_want want, bool active, enum role_symmetric symmetric, bool implicit);

#endif
