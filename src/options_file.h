/* options_file.h - the file of settings (symtls(1), CONFIGURATION): its lines as options, in sections. For `options`. */
#ifndef SYMTLS_OPTIONS_FILE_H
#define SYMTLS_OPTIONS_FILE_H

#include "options_said.h"

struct options_section {
    const char *name; /* as it goes over the wire; NULL: what comes before the first section, the defaults */
    unsigned line;    /* where it begins */
    const char *host; /* NULL: not said */
    const char *port;
    struct options_said_list said;
};

struct options_file {
    char *path;                       /* NULL: none was to be read */
    bool exists;
    struct options_section *sections; /* the defaults are the first */
    size_t count;
    struct options texts; /* owns them */
};

/* Read the file at `path`; NULL: the usual one, which need not be there; "none": none at all. All of it is checked: names and
 * values of options, who could have written it. False with an error of STATUS_LOCAL that names file and line. In both cases
 * options_file_free(). */
bool options_file_read(struct options_file *file, const char *path, struct error *error);
void options_file_free(struct options_file *file);

/* The section of that name; capitals make no difference. NULL: there is none. */
const struct options_section *options_file_find(const struct options_file *file, const char *name);

#endif
