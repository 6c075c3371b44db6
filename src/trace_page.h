/* trace_page.h - where a ladder diagram goes: a terminal, a file, or a drawing. For `trace`. */
#ifndef SYMTLS_TRACE_PAGE_H
#define SYMTLS_TRACE_PAGE_H

#include "error.h"
#include "trace_row.h"

struct trace_page {
    const char *name; /* of the file, for an error; borrowed */
    int fd;           /* -1: nothing is written any more */
    bool is_ours;     /* to be closed */
    bool is_terminal;
    bool is_drawing;
    unsigned long number; /* of the session, in front of each line; 0: it is the only one */
    struct buffer lines;
    struct trace_svg drawing;
    struct error error; /* it could not be written */
};

/* `target` as for trace_new(). False with an error of STATUS_LOCAL. */
bool trace_page_open(struct trace_page *page, const char *target, struct error *error);
void trace_page_free(struct trace_page *page);

bool trace_page_is_open(const struct trace_page *page);
void trace_page_add(struct trace_page *page, const struct trace_row *row);

/* Write what was added, in one write(2): others may write to the same place. */
void trace_page_flush(struct trace_page *page);

/* That was all: a drawing is written now. */
void trace_page_end(struct trace_page *page);

#endif
