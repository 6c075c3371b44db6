/* known.h - the file known_peers: names, and the keys that they had when we met them (symtls(1), FILES).
 *
 * Lines "NAME PIN DATE HOW"; "#" begins a comment. A line that cannot be read is an error and not skipped: it may
 * hold the very key that would give a stranger away. */
#ifndef SYMTLS_KNOWN_H
#define SYMTLS_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"
#include "text.h"

#define KNOWN_NAME_SIZE 256

enum known_result {
    KNOWN_NONE,    /* nothing is known of that name */
    KNOWN_MATCH,   /* the name has this key */
    KNOWN_CHANGED, /* the name is known with another key, and not with this one */
    KNOWN_FAILED   /* the file cannot be used; the error says why */
};

/* The line that decided. */
struct known_line {
    char name[KNOWN_NAME_SIZE];
    unsigned number;
};

/* Is `pin` (canonical, text_pin()) known under one of `names`? With no names: under any name at all. A file that is not
 * there knows nobody. */
enum known_result known_find(const char *path, const char *const *names, size_t name_count, const char *pin,
                             struct known_line *line, struct error *error);

/* Add a line; done when it is there already. `how` is one word. False with an error (STATUS_LOCAL). */
bool known_add(const char *path, const char *name, const char *pin, const char *how, struct error *error);

/* Take out every line of that name; *count says how many there were. */
bool known_delete(const char *path, const char *name, size_t *count, struct error *error);

/* Print the lines with people in them. */
bool known_list(const char *path, FILE *out, struct error *error);

/* A name is printable, has no spaces, does not begin with "#" and is not too long. */
bool known_is_name(const char *name);

#endif
