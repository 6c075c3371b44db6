/* terminal.h - a terminal with a test sitting at it. */
#ifndef SYMTLS_TEST_TERMINAL_H
#define SYMTLS_TEST_TERMINAL_H

#include <stdbool.h>

/* A new one: where the user sits, and the path under which a program finds it. */
int terminal_new(char path[64]);

/* In a child: be a session of its own, with this terminal (NULL: with none). The descriptor has to stay open, or the
 * terminal hangs up. */
int terminal_take(const char *path);

/* What it shows, up to these words. Valid until the next call. */
char *terminal_expect(int terminal, const char *words);

/* Wait until what is typed is shown again, or is not shown any more. */
void terminal_wait_for_echo(int terminal, bool echo);

#endif
