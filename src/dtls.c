/* dtls.c - what is in a DTLS 1.2 datagram. Pure: no I/O. */
#include "dtls.h"

#include <string.h>

enum {
    RECORD_HEADER_SIZE = 13,
    HANDSHAKE_HEADER_SIZE = 12,
    SEQUENCE_OFFSET = 5, /* in a record's header */
    SEQUENCE_SIZE = 6
};

/* ---- Reading ---- */

static uint64_t u48(struct wire *wire)
{
    uint64_t high = wire_u24(wire);

    return high << 24 | wire_u24(wire);
}

bool dtls_next_record(struct wire *datagram, struct dtls_record *record)
{
    struct wire start = *datagram;
    uint8_t major;

    if (datagram->left == 0)
        return false;
    record->type = wire_u8(datagram);
    major = wire_u8(datagram);
    wire_u8(datagram); /* 255 for DTLS 1.0 in a hello, 253 for 1.2: the TLS library's to judge */
    record->epoch = wire_u16(datagram);
    record->sequence = u48(datagram);
    record->body = wire_vector16(datagram);
    record->whole = wire_take(&start, start.left - datagram->left);
    return !datagram->failed && major == 254;
}

bool dtls_next_fragment(struct wire *record, struct dtls_fragment *fragment)
{
    uint32_t length;

    if (record->left == 0)
        return false;
    fragment->type = wire_u8(record);
    fragment->size = wire_u24(record);
    fragment->message_seq = wire_u16(record);
    fragment->offset = wire_u24(record);
    length = wire_u24(record);
    fragment->body = wire_take(record, length);
    return !record->failed && fragment->offset <= fragment->size && length <= fragment->size - fragment->offset;
}

/* ---- Putting together ---- */

void dtls_assembly_free(struct dtls_assembly *assembly)
{
    buffer_free(&assembly->bytes);
    buffer_free(&assembly->there);
    memset(assembly, 0, sizeof *assembly);
}

static bool begin(struct dtls_assembly *assembly, const struct dtls_fragment *fragment)
{
    dtls_assembly_free(assembly);
    if (fragment->size > DTLS_MESSAGE_MAX)
        return false;
    if (!buffer_room(&assembly->bytes, fragment->size) || !buffer_room(&assembly->there, fragment->size)) {
        dtls_assembly_free(assembly);
        return false;
    }
    memset(assembly->there.bytes, 0, fragment->size);
    buffer_filled(&assembly->bytes, fragment->size);
    buffer_filled(&assembly->there, fragment->size);
    assembly->size = assembly->missing = fragment->size;
    assembly->message_seq = fragment->message_seq;
    return true;
}

static bool contradicts(const struct dtls_assembly *assembly, const struct dtls_fragment *fragment)
{
    if (assembly->size != fragment->size || assembly->message_seq != fragment->message_seq)
        return true;
    for (size_t i = 0; i < fragment->body.left; i++)
        if (assembly->there.bytes[fragment->offset + i] &&
            assembly->bytes.bytes[fragment->offset + i] != fragment->body.at[i])
            return true;
    return false;
}

bool dtls_assemble(struct dtls_assembly *assembly, const struct dtls_fragment *fragment)
{
    if (fragment->size == 0 || ((assembly->size == 0 || contradicts(assembly, fragment)) && !begin(assembly, fragment)))
        return false;
    for (size_t i = 0; i < fragment->body.left; i++) {
        uint8_t *there = &assembly->there.bytes[fragment->offset + i];

        assembly->missing -= !*there;
        *there = 1;
        assembly->bytes.bytes[fragment->offset + i] = fragment->body.at[i];
    }
    return assembly->missing == 0;
}

/* ---- Writing ---- */

static void put(uint8_t *at, size_t size, uint64_t number)
{
    for (size_t i = size; i > 0; i--, number >>= 8)
        at[i - 1] = (uint8_t)number;
}

bool dtls_whole_record(const struct dtls_assembly *assembly, uint8_t type, uint64_t sequence, struct buffer *datagram)
{
    uint8_t header[RECORD_HEADER_SIZE + HANDSHAKE_HEADER_SIZE] = {DTLS_HANDSHAKE, 254, 253};

    put(header + SEQUENCE_OFFSET, SEQUENCE_SIZE, sequence);
    put(header + 11, 2, HANDSHAKE_HEADER_SIZE + assembly->size);
    header[RECORD_HEADER_SIZE] = type;
    put(header + RECORD_HEADER_SIZE + 1, 3, assembly->size);
    put(header + RECORD_HEADER_SIZE + 4, 2, assembly->message_seq);
    put(header + RECORD_HEADER_SIZE + 9, 3, assembly->size);
    return buffer_append(datagram, header, sizeof header) &&
           buffer_append(datagram, buffer_at(&assembly->bytes), assembly->size);
}

void dtls_alert_record(uint8_t record[DTLS_ALERT_RECORD_SIZE], uint64_t sequence, int alert)
{
    const uint8_t bytes[DTLS_ALERT_RECORD_SIZE] = {DTLS_ALERT, 254, 253, [12] = 2, 2 /* fatal */, (uint8_t)alert};

    memcpy(record, bytes, sizeof bytes);
    put(record + SEQUENCE_OFFSET, SEQUENCE_SIZE, sequence);
}

void dtls_renumber(uint8_t *datagram, size_t length, uint64_t *sequence)
{
    struct wire wire = wire_from(datagram, length);
    struct dtls_record record;

    while (dtls_next_record(&wire, &record))
        put(datagram + (record.whole.at - datagram) + SEQUENCE_OFFSET, SEQUENCE_SIZE, (*sequence)++);
}
