/* options_take.h - one option after the other, and what each sets. For `options`. */
#ifndef SYMTLS_OPTIONS_TAKE_H
#define SYMTLS_OPTIONS_TAKE_H

#include "options.h"

/* What holds where nothing is said. */
void options_begin(struct options *options);

/* One option (a value of options_check.h). `value` is NULL or owned by the options. */
bool options_take(struct options *options, int option, const char *value, struct error *error);

/* The value of an option whose value is optional, where it has none; NULL: it needs one. `name` is the long one. */
const char *options_usual(const char *name);

#endif
