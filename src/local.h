/* local.h - the plain side of a session: where the bytes for the peer come from, and where those of the peer go.
 *
 * local_init(), then local_open() once we have accepted the peer: nothing here is reached, started or written to before. Then reads and
 * writes, as poll(2) says of `in.fd` and `out.fd`, local_look() when it says so of `program.ears`, and local_close() in the end,
 * whatever happened. */
#ifndef SYMTLS_LOCAL_H
#define SYMTLS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "framing.h"
#include "local_occasion.h"
#include "local_program.h"
#include "local_target.h"
#include "tty.h"
#include "wait.h"

enum local_kind {
    LOCAL_STDIO,     /* stdin and stdout */
    LOCAL_PROGRAM,   /* those of a program that is started for it */
    LOCAL_TARGET,    /* a connection to a service */
    LOCAL_DESCRIPTOR /* a connection that somebody else has accepted for us */
};

struct local_config {
    enum local_kind kind;
    bool use_in;     /* false: nothing is read; our direction ends when the peer's does */
    bool in_follows; /* the same, though until then it is read */
    bool use_out;    /* false: what the peer sends is thrown away */
    enum framing_kind framing; /* these two are for who moves the bytes */
    bool crlf;                 /* what is read has lines that end with LF, and is to be sent with CR LF */
    bool raw;        /* LOCAL_STDIO: stdin is a terminal, and hands over each key */
    int fd;          /* LOCAL_DESCRIPTOR: a stream socket, ours from local_init() on */
    const char *const *words; /* LOCAL_PROGRAM: see local_program.h */
    const char *hidden;
    bool pty;
    struct local_target target; /* LOCAL_TARGET */
};

struct local_end {
    int fd;           /* -1: over, or never was */
    const char *name; /* for people */
    bool is_socket;
    bool may_block;   /* it could not be made non-blocking for us alone: small steps, after poll(2) */
    bool has_ended;   /* of `in`: its end has been read */
};

struct local {
    const struct local_config *config;
    int connection;    /* of our own, for both directions; -1: none */
    struct tty_raw raw;
    struct local_program program;
    struct local_end in;
    struct local_end out;
    size_t left;       /* of a program that has ended: the bytes that it has left to be read, at most */
    bool in_line;      /* what was written last to a terminal does not end a line */
    bool is_held;      /* it has ended, and something that it has started could still write */
    bool discard;      /* what would go to `out` is thrown away */
    bool reader_gone;  /* nobody takes what goes to `out` any more */
    bool failed;       /* an error has been set */
    bool was_reset;    /* the connection was reset, and an error says so: the peer's is to be reset, too */
};

/* Descriptors 0 to 2 exist from now on, so that no socket becomes one of them; a closed one stays useless. */
void local_reserve(void);

/* Borrows the configuration. */
void local_init(struct local *local, const struct local_config *config);

/* False with an error, or with wait->signal set. */
bool local_open(struct local *local, const struct local_occasion *occasion, struct wait *wait, struct error *error);

/* The session has come to no good end: a connection is reset, so that nobody takes what came for all there was; a program is told. */
void local_hang_up(struct local *local);

/* Wait for a program's end, see local_program_finish(), and close everything. */
void local_close(struct local *local, struct wait *wait, int patience_ms);

/* When program.ears can be read: has the program ended? Nobody takes what the peer sends then, and local_read() is to be called
 * until the end, whatever poll(2) says: see local_is_ending(). */
void local_look(struct local *local);
bool local_is_ending(const struct local *local);
bool local_is_running(const struct local *local);

/* Does the session end when nobody takes what the peer sends any more? Else it goes on until `in` has ended. */
bool local_ends_with_reader(const struct local *local);

enum local_read { LOCAL_READ_SOME, LOCAL_READ_NOTHING, LOCAL_READ_END, LOCAL_READ_FAILED /* with an error */ };

/* Read what is there, up to `size` bytes, into *length. */
enum local_read local_read(struct local *local, uint8_t *bytes, size_t size, size_t *length, struct error *error);

/* Write what fits; returns how much it was. On failure 0 with an error, unless the reader has gone: reader_gone then. */
size_t local_write(struct local *local, const uint8_t *bytes, size_t length, struct error *error);

/* The peer's data has ended: so does what we write. False with an error: what was written may not be on the disk. */
bool local_close_out(struct local *local, struct error *error);

#endif
