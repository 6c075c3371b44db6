/* local.h - the plain side of a session: stdin and stdout. */
#ifndef SYMTLS_LOCAL_H
#define SYMTLS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct local_end {
    int fd;           /* -1: over, or never was */
    bool is_socket;
    bool may_block;   /* it could not be made non-blocking for us alone: small steps, after poll(2) */
};

struct local {
    struct local_end in;
    struct local_end out;
    bool discard;      /* what would go to stdout is thrown away */
    bool reader_gone;  /* stdout is a pipe whose reader has left */
};

/* Descriptors 0 to 2 exist from now on, so that no socket becomes one of them; a closed one stays useless. */
void local_reserve(void);

/* stdin and stdout. With `use_in` false stdin is left alone: it neither gives data nor ends. */
void local_init(struct local *local, bool use_in, bool use_out);
void local_free(struct local *local);

enum local_read { LOCAL_READ_SOME, LOCAL_READ_NOTHING, LOCAL_READ_END, LOCAL_READ_FAILED /* with an error */ };

/* Read what is there, up to `size` bytes, into *length. */
enum local_read local_read(struct local *local, uint8_t *bytes, size_t size, size_t *length, struct error *error);

/* Write what fits; returns how much it was. On failure 0 with an error, unless the reader has gone: reader_gone then. */
size_t local_write(struct local *local, const uint8_t *bytes, size_t length, struct error *error);

/* The peer's data has ended: close stdout. False with an error: what was written may not be on the disk. */
bool local_close_out(struct local *local, struct error *error);

#endif
