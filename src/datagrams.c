/* datagrams.c - a queue of datagrams in a buffer. */
#include "datagrams.h"

#include <assert.h>
#include <string.h>

enum { LENGTH_SIZE = 2 };

bool datagrams_append(struct buffer *queue, const void *bytes, size_t length)
{
    uint8_t *room;

    assert(length <= DATAGRAM_MAX);
    room = buffer_room(queue, LENGTH_SIZE + length);
    if (!room)
        return false;
    room[0] = (uint8_t)(length >> 8);
    room[1] = (uint8_t)length;
    if (length)
        memcpy(room + LENGTH_SIZE, bytes, length);
    buffer_filled(queue, LENGTH_SIZE + length);
    return true;
}

bool datagrams_extend_last(struct buffer *queue, size_t last, const void *bytes, size_t length)
{
    uint8_t *end, *prefix;

    assert(last + length <= DATAGRAM_MAX && buffer_used(queue) >= LENGTH_SIZE + last);
    end = buffer_room(queue, length);
    if (!end)
        return false;
    prefix = end - last - LENGTH_SIZE;
    prefix[0] = (uint8_t)((last + length) >> 8);
    prefix[1] = (uint8_t)(last + length);
    memcpy(end, bytes, length);
    buffer_filled(queue, length);
    return true;
}

bool datagrams_append_all(struct buffer *queue, const struct buffer *others)
{
    return buffer_append(queue, buffer_at(others), buffer_used(others));
}

const uint8_t *datagrams_first(const struct buffer *queue, size_t *length)
{
    const uint8_t *at = buffer_at(queue);

    *length = 0;
    if (buffer_used(queue) == 0)
        return NULL;
    *length = (size_t)at[0] << 8 | at[1];
    return at + LENGTH_SIZE;
}

void datagrams_drop_first(struct buffer *queue)
{
    size_t length;

    if (datagrams_first(queue, &length))
        buffer_skip(queue, LENGTH_SIZE + length);
}
