/* hello.c - find the role_preference in a ClientHello. Pure: no I/O. */
#include "hello.h"
#include "wire.h"

#include <string.h>

/* The value itself is the extension's data: 1 to 32 bytes, each printable ASCII but the space. */
static bool well_formed(const struct wire *value)
{
    if (value->left < 1 || value->left > HELLO_PREFERENCE_MAX)
        return false;
    for (size_t i = 0; i < value->left; i++)
        if (value->at[i] < 33 || value->at[i] > 126)
            return false;
    return true;
}

static enum hello_result read_extensions(struct wire extensions, uint16_t extension_id, struct hello *hello)
{
    enum hello_result result = HELLO_ABSENT;

    while (extensions.left) {
        uint16_t type = wire_u16(&extensions);
        struct wire data = wire_vector16(&extensions);

        if (extensions.failed)
            return HELLO_MALFORMED;
        if (type != extension_id)
            continue;
        /* A second one is as bad as a misshapen one; the structure behind it has still to be right. */
        if (result != HELLO_ABSENT || !well_formed(&data)) {
            result = HELLO_BAD_PREFERENCE;
        } else {
            hello->preference = data.at;
            hello->preference_length = data.left;
            result = HELLO_FOUND;
        }
    }
    return result;
}

/* RFC 8446 section 4.1.2, RFC 6347 section 4.2.1. */
static enum hello_result read_body(struct wire body, bool has_cookie, uint16_t extension_id, struct hello *hello)
{
    struct wire random, session_id, cookie = {0}, cipher_suites, compression_methods, extensions;

    wire_u16(&body); /* legacy_version: the TLS library's to judge */
    random = wire_take(&body, HELLO_RANDOM_SIZE);
    session_id = wire_vector8(&body);
    if (has_cookie)
        cookie = wire_vector8(&body);
    cipher_suites = wire_vector16(&body);
    compression_methods = wire_vector8(&body);
    if (body.failed || session_id.left > 32 || cipher_suites.left < 2 || cipher_suites.left % 2 != 0 ||
        compression_methods.left < 1)
        return HELLO_MALFORMED;
    hello->random = random.at;
    hello->cookie_length = cookie.left;
    if (body.left == 0)
        return HELLO_ABSENT; /* before TLS 1.3 a hello may end here */
    extensions = wire_vector16(&body);
    if (!wire_done(&body))
        return HELLO_MALFORMED;
    return read_extensions(extensions, extension_id, hello);
}

enum hello_result hello_read(const uint8_t *message, size_t length, uint16_t extension_id, struct hello *hello)
{
    struct wire wire = wire_from(message, length);
    uint8_t type = wire_u8(&wire);
    uint32_t size = wire_u24(&wire);
    struct wire body;

    memset(hello, 0, sizeof *hello);
    if (wire.failed)
        return HELLO_MORE;
    hello->size = (size_t)size + 4;
    if (type != HANDSHAKE_CLIENT_HELLO || hello->size > HELLO_SIZE_MAX)
        return HELLO_MALFORMED;
    body = wire_take(&wire, size);
    if (wire.failed)
        return HELLO_MORE;
    return read_body(body, false, extension_id, hello);
}

enum hello_result hello_read_datagram(const uint8_t *body, size_t length, uint16_t extension_id, struct hello *hello)
{
    memset(hello, 0, sizeof *hello);
    hello->size = length;
    return read_body(wire_from(body, length), true, extension_id, hello);
}

bool hello_read_cookie(const uint8_t *body, size_t length, size_t *cookie_length)
{
    struct wire wire = wire_from(body, length);
    struct wire session_id;

    wire_u16(&wire);
    wire_take(&wire, HELLO_RANDOM_SIZE);
    session_id = wire_vector8(&wire);
    *cookie_length = wire_vector8(&wire).left;
    return !wire.failed && session_id.left <= 32;
}
