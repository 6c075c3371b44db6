/* config.h - the lines of a file of settings, read one by one. Pure: what they mean is for others to say.
 *
 *     # a comment                    a line of its own; blank lines are nothing either
 *     wait 10s                       a key and a value: the rest of the line, without the blanks around it
 *     numeric                        a key alone
 *     port = 4433                    a "=" in between does no harm
 *     [bob]                          from here on: the section of that name
 *
 * Lines end with LF or CR LF; the last one need not. */
#ifndef SYMTLS_CONFIG_H
#define SYMTLS_CONFIG_H

#include <stddef.h>

#include "error.h"

enum { CONFIG_LINE_MAX = 4096 };

struct config {
    const char *name; /* of the file, for errors */
    char *at, *end;   /* what is still to be read; it is written over */
    unsigned number;  /* of the line that was read last */
};

struct config_line {
    const char *section; /* a section begins; else NULL, and there is */
    const char *key;
    const char *value; /* NULL: none */
    unsigned number;
};

enum config_result { CONFIG_LINE, CONFIG_END, CONFIG_WRONG };

/* Read `length` bytes at `bytes`, which texts will point into. bytes[length] has to be there, and may be anything. */
void config_init(struct config *config, const char *name, char *bytes, size_t length);

/* The next line that says something. WRONG: an error (STATUS_LOCAL) with the name of the file and the line in front. */
enum config_result config_next(struct config *config, struct config_line *line, struct error *error);

#endif
