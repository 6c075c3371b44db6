/* options_table.h - every option, as popt wants it. For `options`. */
#ifndef SYMTLS_OPTIONS_TABLE_H
#define SYMTLS_OPTIONS_TABLE_H

#include <popt.h>

/* The values that popt gives are those of options_check.h. */
extern const struct poptOption options_table[];

/* The option of that long name; NULL: there is none. */
const struct poptOption *options_named(const char *name);

#endif
