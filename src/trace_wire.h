/* trace_wire.h - the records in what goes over the wire: of a stream in pieces of any size, or in datagrams. Pure. */
#ifndef SYMTLS_TRACE_WIRE_H
#define SYMTLS_TRACE_WIRE_H

#include "dtls.h"
#include "trace_event.h"
#include "wire.h"

/* ---- Streams ---- */

/* One direction. A zeroed struct is at its beginning. */
struct trace_stream {
    uint8_t header[5];
    size_t have;    /* of the header */
    size_t left;    /* of the record's body */
    size_t offset;  /* in the record */
    bool lost;      /* what came is no record: from there on there are none */
};

/* A piece of a record, or of what is none. */
struct trace_piece {
    bool begins;      /* the record's header is whole now: */
    uint8_t type;
    uint16_t version;
    size_t length;    /* of its body */
    bool is_record;
    size_t offset;    /* of the bytes, in the record */
    struct wire bytes;
};

/* The next piece of `bytes`. False: there is no more. */
bool trace_stream_next(struct trace_stream *stream, struct wire *bytes, struct trace_piece *piece);

/* ---- Datagrams: what was said before ---- */

#define TRACE_SEEN_MAX 64

/* Both directions. A zeroed struct has seen nothing. */
struct trace_seen {
    struct trace_fragment {
        enum trace_direction direction;
        uint8_t type;
        uint16_t message_seq;
        uint32_t offset;
    } at[TRACE_SEEN_MAX];
    size_t count;
    bool sealed[2]; /* an encrypted handshake message: in DTLS 1.2 there is one, Finished */
};

enum trace_novelty { TRACE_NEW, TRACE_AGAIN };

/* Was this fragment, or (NULL) an encrypted handshake message, said before? Once TRACE_SEEN_MAX are known, what is new
 * stays so. */
enum trace_novelty trace_seen_note(struct trace_seen *seen, enum trace_direction direction, const struct dtls_fragment *fragment);

/* Of how many fragments was this message, as far as they are known? */
size_t trace_seen_fragments(const struct trace_seen *seen, enum trace_direction direction, const struct dtls_fragment *fragment);

#endif
