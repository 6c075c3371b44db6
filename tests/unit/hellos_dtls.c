/* hellos_dtls.c - datagrams made in memory: hellos with cookies and in fragments, and what else a DTLS peer says. */
#include "hellos_dtls.h"
#include "hello.h"

#include <string.h>

enum {
    TLS_HEADER = 4,
    COOKIE_AT = 2 + HELLO_RANDOM_SIZE + 1 + 32 /* behind the session id, as hellos_message() makes it */
};

static uint8_t *put(uint8_t *at, size_t width, uint64_t number)
{
    while (width--)
        *at++ = (uint8_t)(number >> 8 * width);
    return at;
}

size_t hellos_dtls_body(uint8_t *out, const struct hellos *hellos, size_t cookie_length, int cookie_lie)
{
    static uint8_t message[HELLOS_SIZE];
    size_t length = hellos_message(message, hellos) - TLS_HEADER;
    uint8_t *at = out;

    memcpy(at, message + TLS_HEADER, COOKIE_AT);
    put(at, 2, 0xfefd);
    at = put(at + COOKIE_AT, 1, (uint64_t)((int)cookie_length + cookie_lie));
    memset(at, 0xcc, cookie_length);
    memcpy(at + cookie_length, message + TLS_HEADER + COOKIE_AT, length - COOKIE_AT);
    return length + 1 + cookie_length;
}

size_t hellos_dtls_record(uint8_t *out, uint8_t type, uint64_t sequence, const void *body, size_t length)
{
    uint8_t *at = put(out, 1, type);

    at = put(at, 2, 0xfefd);
    at = put(at, 8, sequence);
    at = put(at, 2, length);
    if (length)
        memcpy(at, body, length);
    return RECORD_HEADER + length;
}

size_t hellos_dtls_fragment(uint8_t *out, const struct hellos_fragment *fragment)
{
    uint8_t *at = put(out, 1, fragment->type);

    at = put(at, 3, fragment->size);
    at = put(at, 2, fragment->message_seq);
    at = put(at, 3, fragment->offset);
    at = put(at, 3, fragment->length);
    if (fragment->length)
        memcpy(at, fragment->message + fragment->offset, fragment->length);
    return FRAGMENT_HEADER + fragment->length;
}

size_t hellos_dtls_handshake(uint8_t *out, uint64_t sequence, const struct hellos_fragment *fragment)
{
    static uint8_t body[DATAGRAM_SIZE];

    return hellos_dtls_record(out, 22, sequence, body, hellos_dtls_fragment(body, fragment));
}

size_t hellos_dtls_make(uint8_t *out, const struct hellos *hellos, size_t cookie_length, uint64_t sequence)
{
    static uint8_t body[HELLOS_SIZE];
    struct hellos_fragment fragment = {.type = HANDSHAKE_CLIENT_HELLO, .message = body, .message_seq = cookie_length > 0};

    fragment.size = fragment.length = hellos_dtls_body(body, hellos, cookie_length, 0);
    return hellos_dtls_handshake(out, sequence, &fragment);
}

size_t hellos_dtls_verify(uint8_t *out, uint64_t sequence)
{
    static const uint8_t message[] = {0xfe, 0xff, 4, 'c', 'o', 'o', 'k'};
    const struct hellos_fragment fragment = {
        .type = HANDSHAKE_HELLO_VERIFY_REQUEST, .message = message, .size = sizeof message, .length = sizeof message};

    return hellos_dtls_handshake(out, sequence, &fragment);
}

size_t hellos_dtls_server(uint8_t *out, uint64_t sequence)
{
    static const uint8_t message[38] = {0xfe, 0xfd};
    const struct hellos_fragment fragment = {
        .type = HANDSHAKE_SERVER_HELLO, .message = message, .size = sizeof message, .length = sizeof message};

    return hellos_dtls_handshake(out, sequence, &fragment);
}

size_t hellos_dtls_alert(uint8_t *out, uint64_t sequence, uint8_t level, uint8_t number)
{
    const uint8_t body[] = {level, number};

    return hellos_dtls_record(out, 21, sequence, body, sizeof body);
}
