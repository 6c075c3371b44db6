/* local_program.h - a program as the plain side of a session: started, told that the session is over, waited for.
 *
 * It has a process group of its own, pipes for stdin and stdout or a terminal, and nothing of ours but stderr. local_program_start(); when
 * `ears` can be read, local_program_look(); in the end local_program_finish(), whatever happened. */
#ifndef SYMTLS_LOCAL_PROGRAM_H
#define SYMTLS_LOCAL_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"
#include "local_occasion.h"
#include "wait.h"

struct local_program_config {
    const char *const *words; /* its name, looked up in PATH, and its arguments; NULL at the end */
    const char *hidden; /* a variable of the environment that it must not see; NULL: none */
    bool use_in;  /* false: what it writes goes nowhere */
    bool use_out; /* false: it has nothing to read */
    bool pty;     /* it gets a terminal, for its stderr too; both directions are used */
};

/* A zeroed struct is no program. */
struct local_program {
    pid_t pid;   /* and its process group; 0: none */
    bool has_pty;
    int resizes; /* with a pty: can be read when our terminal's size has changed; -1: none */
    int ears;    /* can be read when a child of ours has ended */
    int in;      /* what it writes; -1: not used. These two are the caller's */
    int out;     /* what it reads; -1: not used */
    bool ended;
    int status;  /* once it has ended: as a shell says it, 128 and the signal if it died by one */
    int signal;  /* that one; 0: none */
    bool is_told;   /* that it has to end */
    bool is_killed; /* because it did not */
};

/* False with an error: STATUS_NO_PROGRAM, STATUS_NOT_EXECUTABLE, or STATUS_LOCAL. It runs once this returns true. */
bool local_program_start(struct local_program *program, const struct local_program_config *config,
                         const struct local_occasion *occasion, struct wait *wait, struct error *error);

/* Has it ended? */
void local_program_look(struct local_program *program);

/* When `resizes` can be read. */
void local_program_resize(struct local_program *program);

/* The session has come to no good end: tell its group, as a terminal that hangs up does. */
void local_program_hang_up(struct local_program *program);

/* Wait until it has ended. Once it has been told to, which a signal (`wait`) does as well, it has `patience_ms` for that
 * (-1: no limit), and then it is killed; a second signal ends us at once, and kills it before. Nothing of it is left afterwards
 * but its status. */
void local_program_finish(struct local_program *program, struct wait *wait, int patience_ms);

#endif
