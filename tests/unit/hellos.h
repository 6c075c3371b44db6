/* hellos.h - ClientHellos made in memory, right and wrong, cut into records in any way. */
#ifndef SYMTLS_TEST_HELLOS_H
#define SYMTLS_TEST_HELLOS_H

#include "role.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length fields of a ClientHello: any of them can lie. */
enum hellos_field {
    FIELD_NONE,
    FIELD_MESSAGE,
    FIELD_SESSION_ID,
    FIELD_CIPHER_SUITES,
    FIELD_COMPRESSION,
    FIELD_EXTENSIONS,
    FIELD_VERSIONS, /* the extension supported_versions, there as a bystander */
    FIELD_PREFERENCE,
    FIELD_COUNT
};

/* A zeroed one is a plain ClientHello. */
struct hellos {
    const void *preference; /* the data of role_preference; NULL: it has none */
    size_t preference_length;
    bool twice;             /* role_preference is there twice */
    bool preference_first;  /* in front of supported_versions, not behind it */
    bool bare;              /* it ends behind compression_methods */
    uint16_t extension_id;  /* of role_preference; 0: 65363 */
    uint8_t random;         /* every byte of the Random */
    size_t size;            /* more than it would have: an unknown extension makes it so, with its header */
    enum hellos_field field;
    int lie;                /* is added to that length field */
};

/* Of a peer that insists on being the client, with the lowest of all values; on being the server, with the highest; and
 * of a plain one. */
extern const struct hellos hellos_of_client, hellos_of_server, hellos_plain;

/* Ours, as the configuration wants it. */
struct hellos hellos_ours(const struct role_config *config, uint8_t random);

enum { HELLOS_SIZE = 400000 }; /* holds 64 KiB in records of one byte, and some more */

/* Write the handshake message, header and all; returns its length. */
size_t hellos_message(uint8_t *out, const struct hellos *hellos);

/* Write `length` bytes of handshake messages as records of up to `piece` bytes each; returns the length. */
size_t hellos_records(uint8_t *out, const uint8_t *message, size_t length, size_t piece);

/* Both: a ClientHello in one record (in as few as can be, when it is larger than one). */
size_t hellos_make(uint8_t *out, const struct hellos *hellos);

/* A file of tests/vectors; its length, or 0 when it can't be read. */
size_t hellos_vector(uint8_t *out, const char *name);

/* A copy in memory that ends where the bytes end, so that a read behind them is seen. For free(). */
uint8_t *hellos_exactly(const uint8_t *bytes, size_t length);

#endif
