/* hellos_dtls.h - datagrams made in memory: hellos with cookies and in fragments, and what else a DTLS peer says. */
#ifndef SYMTLS_TEST_HELLOS_DTLS_H
#define SYMTLS_TEST_HELLOS_DTLS_H

#include "hellos.h"

enum {
    DATAGRAM_SIZE = 65536, /* holds anything that is made here */
    RECORD_HEADER = 13,
    FRAGMENT_HEADER = 12
};

/* The body of a DTLS ClientHello, without any header, with a cookie of `cookie_length` bytes; `cookie_lie` is added to that
 * length field. Returns its length. */
size_t hellos_dtls_body(uint8_t *out, const struct hellos *hellos, size_t cookie_length, int cookie_lie);

/* One record. `sequence` has the epoch in its upper 16 bits. Returns its length. */
size_t hellos_dtls_record(uint8_t *out, uint8_t type, uint64_t sequence, const void *body, size_t length);

/* A fragment of a handshake message: `length` bytes of it from `offset` on, without a record header. */
struct hellos_fragment {
    uint8_t type; /* HandshakeType */
    uint16_t message_seq;
    const uint8_t *message; /* without any header */
    size_t size, offset, length;
};
size_t hellos_dtls_fragment(uint8_t *out, const struct hellos_fragment *fragment);

/* The same as a record of its own. */
size_t hellos_dtls_handshake(uint8_t *out, uint64_t sequence, const struct hellos_fragment *fragment);

/* A whole ClientHello in one record. */
size_t hellos_dtls_make(uint8_t *out, const struct hellos *hellos, size_t cookie_length, uint64_t sequence);

/* A HelloVerifyRequest, and the beginning of a server's flight: nobody here reads more of them than their type. */
size_t hellos_dtls_verify(uint8_t *out, uint64_t sequence);
size_t hellos_dtls_server(uint8_t *out, uint64_t sequence);

size_t hellos_dtls_alert(uint8_t *out, uint64_t sequence, uint8_t level, uint8_t number);

#endif
