/* tty.h - questions to the user, and answers to commands. They go to /dev/tty, never to stdin or stdout, which belong to the peer. */
#ifndef SYMTLS_TTY_H
#define SYMTLS_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "wait.h"

struct tty {
    int fd; /* -1: there is none */
    char line[512];
    size_t length;
};

/* Open the terminal and ask; what was typed ahead is thrown away. False: there is no terminal. */
bool tty_ask(struct tty *tty, const char *question);

/* The terminal has become readable. True when the answer is complete: *answer is the line without its end, or
 * NULL for the end of input. */
bool tty_read(struct tty *tty, const char **answer);
void tty_close(struct tty *tty);

/* Ask for something that is not to be seen, and wait for it. False: no terminal, no answer, or a signal. */
bool tty_ask_secret(struct wait *wait, const char *question, char *answer, size_t size);

/* ---- While it is what we read from ---- */

/* Does this terminal hand over whole lines, or each key? */
bool tty_is_by_line(int fd);

/* A line to whoever sits at the terminal: on stderr if that is one, else on /dev/tty, or on stderr if there is none. */
void tty_tell(const char *text);

/* How large it is: the one that we are started at, whichever of stdin, stdout and stderr it is. False: none of them. */
bool tty_window(struct winsize *size);

/* Each key is handed over as it is, and shown by nobody. tty_raw_end() has to come; if we are killed before, another process
 * gives the terminal its settings back. A zeroed struct is not raw. */
struct tty_raw {
    pid_t guard; /* that process; 0: not raw */
    int line;    /* on which it hears whether we live */
    int fd;
    struct termios before;
};
bool tty_raw_begin(struct tty_raw *raw, int fd);
void tty_raw_end(struct tty_raw *raw);

/* Stop, as by Control-Z; with the settings from before it was made raw (`raw` may be NULL). Once we go on, the terminal is as it was. */
void tty_suspend(const struct tty_raw *raw);

#endif
