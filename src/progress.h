/* progress.h - how far a session has come, on one line of the terminal. Pure: numbers in, text out. */
#ifndef SYMTLS_PROGRESS_H
#define SYMTLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_SIZE 160

enum { PROGRESS_MS = 200 /* between two lines */ };

/* Begins what is written in place of the line that stands there. */
#define PROGRESS_CLEAR "\r\033[K"

/* A zeroed struct has shown nothing yet. Times are in milliseconds, of one clock. */
struct progress {
    int64_t began;
    int64_t shown_at; /* 0: never */
    uint64_t shown;   /* bytes both ways, when it was shown */
    uint64_t rate;    /* bytes a second, of late */
};

struct progress_state {
    uint64_t sent;
    uint64_t received;
    bool we_closed;
    bool peer_closed;
};

/* When the next line is due. */
int64_t progress_due(const struct progress *progress);

/* The line at this moment, for a terminal with so many columns. */
void progress_line(struct progress *progress, int64_t now, const struct progress_state *state, unsigned columns,
                   char text[PROGRESS_SIZE]);

/* The last one: "sent 1.0 GiB, received 0 B in 0.9 s; the peer has it all". */
void progress_total(uint64_t sent, uint64_t received, int64_t ms, bool has_it_all, char text[PROGRESS_SIZE]);

#endif
