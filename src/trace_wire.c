/* trace_wire.c - the records in what goes over the wire. */
#include "trace_wire.h"

/* ---- Streams ---- */

static bool is_record(const uint8_t header[5])
{
    return header[0] >= 20 && header[0] <= 26 && header[1] == 3;
}

/* So much of the header as is there; true when it is whole. */
static bool read_header(struct trace_stream *stream, struct wire *bytes)
{
    while (stream->have < sizeof stream->header && bytes->left)
        stream->header[stream->have++] = wire_u8(bytes);
    return stream->have == sizeof stream->header;
}

bool trace_stream_next(struct trace_stream *stream, struct wire *bytes, struct trace_piece *piece)
{
    struct wire header;

    *piece = (struct trace_piece){0};
    if (bytes->left == 0)
        return false;
    if (stream->lost) {
        piece->bytes = wire_take(bytes, bytes->left);
        piece->offset = stream->offset;
        stream->offset += piece->bytes.left;
        return true;
    }
    if (stream->left == 0 && stream->have < sizeof stream->header) {
        if (!read_header(stream, bytes))
            return false;
        header = wire_from(stream->header, sizeof stream->header);
        piece->begins = true;
        piece->is_record = is_record(stream->header);
        piece->bytes = header;
        piece->type = wire_u8(&header);
        piece->version = wire_u16(&header);
        piece->length = stream->left = wire_u16(&header);
        stream->offset = sizeof stream->header;
        stream->lost = !piece->is_record;
        if (stream->left == 0)
            stream->have = 0;
        return true;
    }
    piece->is_record = true;
    piece->offset = stream->offset;
    piece->bytes = wire_take(bytes, bytes->left < stream->left ? bytes->left : stream->left);
    stream->left -= piece->bytes.left;
    stream->offset += piece->bytes.left;
    if (stream->left == 0)
        stream->have = 0;
    return true;
}

/* ---- Datagrams ---- */

static bool is_of(const struct trace_fragment *known, enum trace_direction direction, const struct dtls_fragment *fragment)
{
    return known->direction == direction && known->type == fragment->type && known->message_seq == fragment->message_seq;
}

enum trace_novelty trace_seen_note(struct trace_seen *seen, enum trace_direction direction, const struct dtls_fragment *fragment)
{
    if (!fragment) {
        bool again = seen->sealed[direction];

        seen->sealed[direction] = true;
        return again ? TRACE_AGAIN : TRACE_NEW;
    }
    for (size_t i = 0; i < seen->count; i++)
        if (is_of(&seen->at[i], direction, fragment) && seen->at[i].offset == fragment->offset)
            return TRACE_AGAIN;
    if (seen->count < TRACE_SEEN_MAX)
        seen->at[seen->count++] = (struct trace_fragment){.direction = direction,
                                                          .type = fragment->type,
                                                          .message_seq = fragment->message_seq,
                                                          .offset = fragment->offset};
    return TRACE_NEW;
}

size_t trace_seen_fragments(const struct trace_seen *seen, enum trace_direction direction, const struct dtls_fragment *fragment)
{
    size_t count = 0;

    for (size_t i = 0; i < seen->count; i++)
        count += is_of(&seen->at[i], direction, fragment);
    return count;
}
