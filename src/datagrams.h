/* datagrams.h - a queue of datagrams in a buffer, each with its length in front of it. How many may be in it is for its
 * owner to say. */
#ifndef SYMTLS_DATAGRAMS_H
#define SYMTLS_DATAGRAMS_H

#include "buffer.h"

#define DATAGRAM_MAX 65535 /* bytes of one */

/* Append one of up to DATAGRAM_MAX bytes. False when there is no memory; the queue is then as it was. */
bool datagrams_append(struct buffer *queue, const void *bytes, size_t length);

/* The same for all that are in another queue. */
bool datagrams_append_all(struct buffer *queue, const struct buffer *others);

/* Make the last one longer; `last` is how long it is now. False when there is no memory. */
bool datagrams_extend_last(struct buffer *queue, size_t last, const void *bytes, size_t length);

/* The first one, valid until the next call; NULL with *length 0 when there is none. */
const uint8_t *datagrams_first(const struct buffer *queue, size_t *length);
void datagrams_drop_first(struct buffer *queue);

#endif
