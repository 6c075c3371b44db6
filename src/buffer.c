/* buffer.c - a growing queue of bytes. */
#include "buffer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void buffer_free(struct buffer *buffer)
{
    if (buffer->bytes) /* and no more than that: memory that was never used costs nothing so far */
        explicit_bzero(buffer->bytes, buffer->touched);
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}

size_t buffer_used(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

const uint8_t *buffer_at(const struct buffer *buffer)
{
    return buffer->bytes ? buffer->bytes + buffer->start : NULL;
}

/* Plaintext passes through buffers: realloc() would leave copies of it behind, so grow by hand. */
static bool grow(struct buffer *buffer, size_t capacity)
{
    size_t used = buffer_used(buffer);
    uint8_t *bytes = malloc(capacity);

    if (!bytes)
        return false;
    if (used)
        memcpy(bytes, buffer_at(buffer), used);
    buffer_free(buffer);
    *buffer = (struct buffer){.bytes = bytes, .end = used, .touched = used, .capacity = capacity};
    return true;
}

uint8_t *buffer_room(struct buffer *buffer, size_t length)
{
    size_t used = buffer_used(buffer);

    if (buffer->capacity - buffer->end < length && buffer->start) {
        memmove(buffer->bytes, buffer_at(buffer), used);
        buffer->start = 0;
        buffer->end = used;
    }
    if (!buffer->bytes || buffer->capacity - buffer->end < length) {
        size_t capacity = buffer->capacity ? buffer->capacity : 1024;

        if (length > SIZE_MAX / 4) /* doubling would wrap around */
            return NULL;
        while (capacity - used < length)
            capacity *= 2;
        if (!grow(buffer, capacity))
            return NULL;
    }
    return buffer->bytes + buffer->end;
}

void buffer_filled(struct buffer *buffer, size_t length)
{
    assert(length <= buffer->capacity - buffer->end);
    buffer->end += length;
    if (buffer->touched < buffer->end)
        buffer->touched = buffer->end;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    uint8_t *room;

    if (length == 0)
        return true;
    room = buffer_room(buffer, length);
    if (!room)
        return false;
    memcpy(room, bytes, length);
    buffer_filled(buffer, length);
    return true;
}

void buffer_skip(struct buffer *buffer, size_t length)
{
    assert(length <= buffer_used(buffer));
    buffer->start += length;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

size_t buffer_take(struct buffer *buffer, void *bytes, size_t length)
{
    if (length > buffer_used(buffer))
        length = buffer_used(buffer);
    if (length) {
        memcpy(bytes, buffer_at(buffer), length);
        buffer_skip(buffer, length);
    }
    return length;
}

void buffer_cut(struct buffer *buffer, size_t length)
{
    assert(length <= buffer_used(buffer));
    buffer->end -= length;
}
