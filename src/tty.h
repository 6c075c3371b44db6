/* tty.h - questions to the user, and answers to commands. They go to /dev/tty, never to stdin or stdout, which belong to the peer. */
#ifndef SYMTLS_TTY_H
#define SYMTLS_TTY_H

#include <stdbool.h>
#include <stddef.h>

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

/* Stop, as by Control-Z. Once we go on, the terminal is as it was. */
void tty_suspend(void);

#endif
