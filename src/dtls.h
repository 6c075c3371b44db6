/* dtls.h - what is in a DTLS 1.2 datagram (RFC 6347 section 4): records, and fragments of handshake messages. Pure: no I/O. */
#ifndef SYMTLS_DTLS_H
#define SYMTLS_DTLS_H

#include "buffer.h"
#include "wire.h"

/* ContentType. */
enum { DTLS_CHANGE_CIPHER_SPEC = 20, DTLS_ALERT = 21, DTLS_HANDSHAKE = 22, DTLS_APPLICATION_DATA = 23 };

#define DTLS_MESSAGE_MAX 16000 /* bytes of a hello that we put together; memory is bounded by it */

struct dtls_record {
    uint8_t type;
    uint16_t epoch;    /* 0: in the clear */
    uint64_t sequence; /* within the epoch */
    struct wire body;
    struct wire whole; /* with its header */
};

/* Take the next record off a datagram. False: there is none, or what is left is no record. */
bool dtls_next_record(struct wire *datagram, struct dtls_record *record);

/* RFC 6347 section 4.2.2. */
struct dtls_fragment {
    uint8_t type;   /* HandshakeType */
    uint32_t size;  /* of the whole message */
    uint16_t message_seq;
    uint32_t offset;
    struct wire body;
};

/* Take the next fragment off a cleartext handshake record. False: there is none, or it lies. */
bool dtls_next_fragment(struct wire *record, struct dtls_fragment *fragment);

/* A message that comes in fragments. A zeroed struct is an empty one. */
struct dtls_assembly {
    struct buffer bytes; /* `size` of them */
    struct buffer there; /* a byte for each of them: 1 when it has come */
    size_t size;
    size_t missing;
    uint16_t message_seq;
};

/* Put a fragment into its place. A fragment of another message, or one that contradicts what came before, begins anew: the
 * sender repeats itself. True when the message is complete with it. A message that is larger than DTLS_MESSAGE_MAX, or that
 * there is no memory for, is not put together. */
bool dtls_assemble(struct dtls_assembly *assembly, const struct dtls_fragment *fragment);
void dtls_assembly_free(struct dtls_assembly *assembly);

/* Append the complete message as one cleartext handshake record of that type and number to `datagram`. False: no memory. */
bool dtls_whole_record(const struct dtls_assembly *assembly, uint8_t type, uint64_t sequence, struct buffer *datagram);

/* A fatal alert as a cleartext record. */
#define DTLS_ALERT_RECORD_SIZE 15
void dtls_alert_record(uint8_t record[DTLS_ALERT_RECORD_SIZE], uint64_t sequence, int alert);

/* Give each record of a cleartext datagram the next number from *sequence on: the same words, said again. */
void dtls_renumber(uint8_t *datagram, size_t length, uint64_t *sequence);

#endif
