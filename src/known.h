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

struct known_line {
    char name[KNOWN_NAME_SIZE];
    char pin[TEXT_PIN_SIZE];
    unsigned number;
};

struct known_found {
    struct known_line line;      /* MATCH, CHANGED: the line that decided */
    unsigned more;               /* CHANGED: how many more lines have keys of that name */
    struct known_line elsewhere; /* NONE, CHANGED: the first that has this key, under another name; number 0: there is none */
};

/* Is `pin` (canonical, text_pin()) known under one of `names`? With no names: under any name at all. A file that is not
 * there knows nobody. */
enum known_result known_find(const char *path, const char *const *names, size_t name_count, const char *pin,
                             struct known_found *found, struct error *error);

/* Add a line; done when it is there already. A name that has other keys keeps them. `how` is one word. False with an
 * error (STATUS_LOCAL). */
bool known_add(const char *path, const char *name, const char *pin, const char *how, struct error *error);

/* The same for a name that had no key when we looked: if it has another one by now, that is an error (STATUS_WRONG). */
bool known_add_first(const char *path, const char *name, const char *pin, const char *how, struct error *error);

/* Take out every line of that name, or only those with this pin (NULL: any); *count says how many there were. */
bool known_delete(const char *path, const char *name, const char *pin, size_t *count, struct error *error);

enum known_layout { KNOWN_AS_WRITTEN, KNOWN_ALIGNED /* in columns, and nothing that moves a cursor */ };

/* Print the lines with people in them. */
bool known_list(const char *path, enum known_layout layout, FILE *out, struct error *error);

/* The arguments of --known del as they are typed to a shell; `pin` may be NULL. */
#define KNOWN_DELETE_SIZE (4 * KNOWN_NAME_SIZE + TEXT_PIN_SIZE + 8)
const char *known_delete_words(char text[KNOWN_DELETE_SIZE], const char *name, const char *pin);

/* A name is printable, has no spaces, does not begin with "#" and is not too long. */
bool known_is_name(const char *name);

#endif
