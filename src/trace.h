/* trace.h - a ladder diagram of handshakes, drawn while they happen (symtls(1), --trace). What it shows it is told by others
 * (trace_event.h); it asks nobody. */
#ifndef SYMTLS_TRACE_H
#define SYMTLS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "trace_event.h"

struct trace;

/* It is ... microseconds on a clock that only goes forward. */
typedef int64_t trace_clock(void);

/* `target` is a file, which is written anew (a drawing, if its name ends in ".svg"), "fd:N", or NULL for stderr. `verbosity` is
 * what -v came to: from 2 on records and datagrams are shown, from 3 on their bytes. NULL with an error of STATUS_LOCAL. */
struct trace *trace_new(const char *target, int verbosity, trace_clock *clock, struct error *error);
void trace_free(struct trace *trace); /* NULL will do */

/* Whom sessions and channels are to tell. Lives as long as the trace does. */
const struct trace_sink *trace_sink(struct trace *trace);

/* In a child process that is for session `number` alone: that is said on each line. NULL will do. */
void trace_number(struct trace *trace, unsigned long number);

/* It is over, for this reason ("": well). A drawing is written now. NULL will do. */
void trace_end(struct trace *trace, bool well, const char *why);

/* It could not be written: STATUS_LOCAL, from then on nothing is drawn any more, and its owner tells in the end. */
const struct error *trace_error(const struct trace *trace);

#endif
