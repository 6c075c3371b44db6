/* trace_message.h - what is in a handshake message, in words. Pure: bytes in, a short list of fields out.
 *
 * Whatever the bytes are, the list is short and its texts are printable ASCII: long lists end with how many more there are,
 * what is cut or contradicts itself is said to be so, and what was understood before that is kept. */
#ifndef SYMTLS_TRACE_MESSAGE_H
#define SYMTLS_TRACE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define TRACE_FIELDS_MAX 24
#define TRACE_FIELD_SIZE 2048

struct trace_field {
    const char *label; /* "versions" */
    char value[TRACE_FIELD_SIZE];
    bool is_detail;    /* of interest only to those who want to know everything */
};

/* What one has to know of what went before. Zeroed at the beginning; each message that is read brings it up to date. */
struct trace_context {
    bool datagrams;        /* DTLS: a ClientHello has a cookie */
    uint16_t extension_id; /* of the role_preference */
    size_t items_max;      /* of a list that are named */
    uint16_t version;      /* chosen by the ServerHello; 0: not yet */
    uint16_t suite;
};

struct trace_message {
    const char *name;      /* "ClientHello", "message 99" */
    char number_name[16];
    struct trace_field fields[TRACE_FIELDS_MAX];
    size_t count;
};

/* The body of a handshake message, without any header. */
void trace_message_read(struct trace_message *message, struct trace_context *context, uint8_t type, const uint8_t *body,
                        size_t length);

/* The certificates (or bare keys) in a Certificate message, up to `most` of them; returns how many. */
size_t trace_message_certificates(bool tls13, const uint8_t *body, size_t length, struct wire *certificates, size_t most);

/* Bytes as printable ASCII: others as \xNN, and so many that it fits. Returns `text`. */
const char *trace_message_quote(char *text, size_t size, const void *bytes, size_t length);

#endif
