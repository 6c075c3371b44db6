/* error.h - what went wrong, told once, and the exit status that follows from it. */
#ifndef SYMTLS_ERROR_H
#define SYMTLS_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* Where it went wrong; the values are the exit statuses of the program (symtls(1), EXIT STATUS). */
enum status {
    STATUS_OK = 0,
    STATUS_NETWORK = 1,  /* name not found, refused, reset, unreachable */
    STATUS_LOCAL = 2,    /* usage, or a local file that cannot be read or written */
    STATUS_TIME = 3,     /* time ran out */
    STATUS_TLS = 4,      /* no common ground, malformed, not TLS at all */
    STATUS_ROLE = 5,     /* no two roles came out, or we met ourselves */
    STATUS_WRONG = 6,    /* the peer's identity is wrong, expired, revoked or changed */
    STATUS_UNKNOWN = 7,  /* the peer is unknown, and nobody vouched for it */
    STATUS_REFUSED = 8,  /* the peer refused us */
    STATUS_CUT = 9,      /* the connection ended without the peer's close_notify */
    STATUS_IDENTITY = 10, /* our own key or certificate can't be used */
    STATUS_NOT_EXECUTABLE = 126, /* --exec could not start, as a shell says it */
    STATUS_NO_PROGRAM = 127
};

/* A zeroed struct is "nothing went wrong". */
struct error {
    enum status status;
    char story[1024]; /* one sentence for people, without a full stop or a newline */
};

/* Keep the story unless one is kept already: the first error is the cause, later ones are consequences.
 * Returns the status that is kept, so that `return error_set(...)` ends a function. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, for a wrapper that has a va_list. */
enum status error_vset(struct error *error, enum status status, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Forget it: another try follows. */
void error_clear(struct error *error);

/* Put words in front of the story that is kept ("connecting to HOST: ..."); nothing is kept: no effect. */
void error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
