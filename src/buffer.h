/* buffer.h - a growing queue of bytes. How much may be in it is for its owner to say. */
#ifndef SYMTLS_BUFFER_H
#define SYMTLS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct is an empty buffer. */
struct buffer {
    uint8_t *bytes;
    size_t start;    /* the first byte in the queue */
    size_t end;      /* one past the last */
    size_t touched;  /* one past the last byte that ever was in it: what there is to wipe */
    size_t capacity; /* what is allocated */
};

void buffer_free(struct buffer *buffer); /* wipes what was in it, and leaves an empty one */

size_t buffer_used(const struct buffer *buffer);
const uint8_t *buffer_at(const struct buffer *buffer); /* the first byte; valid until the next call */

/* Append. False when there is no memory; the buffer is then as it was. */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);

/* Room for `length` bytes behind the last one, to be filled by the caller and then announced with
 * buffer_filled(). NULL when there is no memory. */
uint8_t *buffer_room(struct buffer *buffer, size_t length);
void buffer_filled(struct buffer *buffer, size_t length);

/* Take up to `length` bytes off the front into `bytes`; returns how many. */
size_t buffer_take(struct buffer *buffer, void *bytes, size_t length);
void buffer_skip(struct buffer *buffer, size_t length);

/* Take the last `length` bytes away. */
void buffer_cut(struct buffer *buffer, size_t length);

#endif
