/* report.h - what is told: sentences on stderr for people, JSON lines for programs (symtls(1), EVENTS). */
#ifndef SYMTLS_REPORT_H
#define SYMTLS_REPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "facts.h"
#include "transport.h"

enum report_verbosity { REPORT_QUIET = -1, REPORT_NORMAL = 0, REPORT_VERBOSE = 1 };

struct report {
    int fd; /* where the JSON lines go; -1: nowhere */
    const char *name; /* of that, for an error */
    int verbosity;
    int64_t started; /* wait_now() */
    bool closed;
    bool progress; /* a line of the terminal tells how far it is (progress.h), and gives way to sentences */
    struct error error; /* the report itself could not be written */

    /* Where several processes tell of several sessions: */
    unsigned long session; /* whose; 0: of none in particular */
    int locks;             /* lock.h; 0: there is nobody else */
    unsigned locked;       /* how often report_lock() was called */
    atomic_bool *torn;     /* shared: somebody is writing a line, or has died over it */
};

/* `target` is a file, "fd:N", or NULL. False with an error of STATUS_LOCAL. */
bool report_init(struct report *report, const char *target, int verbosity, struct error *error);
void report_free(struct report *report);

/* From now on forked processes tell of their sessions here, too, each line in one piece. False with errno. */
bool report_share(struct report *report);

/* In one of them, or in its place: it tells of this session, which began at `started`. */
void report_enter(struct report *report, unsigned long session, int64_t started);

/* Nobody else writes an event meanwhile. Calls can be nested. */
void report_lock(struct report *report);
void report_unlock(struct report *report);

/* A sentence without its full stop; said at that verbosity and above. */
void report_say(const struct report *report, enum report_verbosity verbosity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `for_local`: whoever comes there is no peer, but what --from leads to one. */
void report_listening(struct report *report, enum transport_kind kind, const struct address *local, bool for_local);
void report_connected(struct report *report, const struct transport *transport);
void report_handshake(struct report *report, const struct facts *facts);
void report_accepted(struct report *report);

/* How it ended. `exit` is the exit status, or 128 and the signal that we shall die by; `error` may be empty. */
struct report_end {
    int exit;
    uint64_t sent;
    uint64_t received;
    bool peer_closed;
    bool datagrams;
    uint64_t lost; /* with datagrams: records of the peer that never came */
    int64_t moving_ms; /* since data could move; 0: it never could */
    bool peer_has_all;
    const struct error *error;
};
void report_closed(struct report *report, const struct report_end *end);

#endif
