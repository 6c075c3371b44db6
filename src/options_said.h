/* options_said.h - what was said, on the command line or in a file, before it is known what comes of it. For `options`. */
#ifndef SYMTLS_OPTIONS_SAID_H
#define SYMTLS_OPTIONS_SAID_H

#include "options.h"

/* An option, a value of options_check.h, and its value; texts belong to whoever has it. */
struct options_said {
    int option;
    const char *value;
    unsigned line; /* 0: on the command line */
    bool off;      /* "numeric no": not even if the defaults say so */
};

struct options_said_list {
    struct options_said *at;
    size_t count;
};

/* False: no memory. */
bool options_say(struct options_said_list *list, const struct options_said *said);

#endif
