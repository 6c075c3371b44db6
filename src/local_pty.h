/* local_pty.h - a terminal for a program: what is typed at the peer's end comes out of it. */
#ifndef SYMTLS_LOCAL_PTY_H
#define SYMTLS_LOCAL_PTY_H

#include <stdbool.h>
#include <stddef.h>

#define LOCAL_PTY_PATH_SIZE 64

enum { LOCAL_PTY_LEFT_MAX = 131072 /* bytes that a program which has ended may have left in it; nothing tells how many they are */ };

/* A new one: its master side, non-blocking, for both directions, and the path of the other. -1 with errno. */
int local_pty_open(char path[LOCAL_PTY_PATH_SIZE]);

/* In the child: make it the controlling terminal of a new session, and stdin, stdout and stderr. False with errno. */
bool local_pty_take(const char *path);

/* It is as large as our own terminal; 80 columns and 24 lines where we have none. */
void local_pty_resize(int master);

/* What is typed has come to its end: as Control-D says it. `in_line`: in the middle of a line. */
void local_pty_end(int master, bool in_line);

#endif
