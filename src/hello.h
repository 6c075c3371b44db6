/* hello.h - find the role_preference in a ClientHello. Pure: no I/O, no memory.
 *
 * draft-vanrein-tls-symmetry section 2; the ClientHello is RFC 8446 section 4.1.2 and RFC 5246 section 7.4.1.2. */
#ifndef SYMTLS_HELLO_H
#define SYMTLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_PREFERENCE_MAX 32      /* bytes; the shortest is one */
#define HELLO_EXTENSION_ID   65363   /* role_preference, private use */
#define HELLO_SIZE_MAX       65536   /* bytes, with the handshake header; a larger one ends the handshake */
#define HELLO_RANDOM_SIZE    32

/* HandshakeType, RFC 8446 section 4. */
enum { HANDSHAKE_CLIENT_HELLO = 1, HANDSHAKE_SERVER_HELLO = 2, HANDSHAKE_HELLO_VERIFY_REQUEST = 3 };

enum hello_result {
    HELLO_MORE,          /* it is not complete: call again with more of it */
    HELLO_FOUND,         /* it has a well-formed role_preference */
    HELLO_ABSENT,        /* it is a well-formed ClientHello without one */
    HELLO_MALFORMED,     /* its structure is wrong: decode_error */
    HELLO_BAD_PREFERENCE /* its role_preference is empty, too long, not printable, or there twice: illegal_parameter */
};

/* What was found; the pointers borrow from the message. */
struct hello {
    const uint8_t *random;     /* HELLO_RANDOM_SIZE bytes; with FOUND and ABSENT */
    const uint8_t *preference; /* with FOUND */
    size_t preference_length;
    size_t size;               /* of the whole message with its header; with all but MORE */
    size_t cookie_length;      /* of a DTLS hello; 0: it answers no HelloVerifyRequest */
};

/* Read a ClientHello, from its HandshakeType on, as it is in `length` bytes (more may follow it). Extension
 * `extension_id` is the role_preference. */
enum hello_result hello_read(const uint8_t *message, size_t length, uint16_t extension_id, struct hello *hello);

/* The same for the body of a DTLS ClientHello (RFC 6347 section 4.2.1: it has a cookie), whole and without any header.
 * Never HELLO_MORE. */
enum hello_result hello_read_datagram(const uint8_t *body, size_t length, uint16_t extension_id, struct hello *hello);

/* How long is the cookie of a DTLS ClientHello whose first `length` bytes of body these are? False: they are none, or do not
 * go so far. */
bool hello_read_cookie(const uint8_t *body, size_t length, size_t *cookie_length);

#endif
