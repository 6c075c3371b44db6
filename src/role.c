/* role.c - who becomes TLS client and who TLS server. Pure: bytes in, a step out. */
#include "role.h"
#include "role_alert.h"
#include "role_decide.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* ContentType, RFC 8446 section 5.1. */
enum { RECORD_CHANGE_CIPHER_SPEC = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_APPLICATION_DATA = 23 };

enum {
    RECORD_HEADER_SIZE = 5,
    RECORD_SIZE_MAX = 16384 + 256, /* RFC 8446 section 5.2 */
    IMPLICIT_SIZE = 28             /* of a Random; the four bytes before may be the time of day */
};

/* ---- The value ---- */

/* Uniform over first..first+count-1. */
static bool random_byte(uint8_t *byte, uint8_t first, uint8_t count, role_random *random)
{
    unsigned limit = 256U - 256U % count; /* above it a remainder would come up more often */

    do {
        if (!random(byte, 1))
            return false;
    } while (*byte >= limit);
    *byte = (uint8_t)(first + *byte % count);
    return true;
}

bool role_preference_make(struct role_preference *preference, enum role_want want, role_random *random)
{
    preference->length = HELLO_PREFERENCE_MAX;
    switch (want) {
    case ROLE_WANT_CLIENT:
        preference->length = 1;
        preference->value[0] = 33;
        return true;
    case ROLE_WANT_SERVER:
        memset(preference->value, 126, HELLO_PREFERENCE_MAX);
        return true;
    case ROLE_WANT_PREFER_CLIENT:
        preference->value[0] = 34;
        break;
    case ROLE_WANT_PREFER_SERVER:
        preference->value[0] = 125;
        break;
    case ROLE_WANT_ANY:
        if (!random_byte(preference->value, 35, 90, random))
            return false;
        break;
    }
    for (size_t i = 1; i < HELLO_PREFERENCE_MAX; i++)
        if (!random_byte(preference->value + i, 33, 94, random))
            return false;
    return true;
}

bool role_preference_parse(struct role_preference *preference, const char *text)
{
    size_t length = strlen(text);

    if (length < 1 || length > HELLO_PREFERENCE_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] < 33 || text[i] > 126)
            return false;
    memcpy(preference->value, text, length);
    preference->length = length;
    return true;
}

int role_preference_compare(const struct role_preference *ours, const struct role_preference *theirs)
{
    size_t shorter = ours->length < theirs->length ? ours->length : theirs->length;
    int order = memcmp(ours->value, theirs->value, shorter);

    if (order)
        return order;
    return (ours->length > theirs->length) - (ours->length < theirs->length);
}

/* ---- The first message ---- */

void role_init(struct role_stream *stream, const struct role_config *config)
{
    memset(stream, 0, sizeof *stream);
    stream->config = *config;
    stream->alert = ROLE_NO_ALERT;
    stream->peer_alert = ROLE_NO_ALERT;
    stream->step = config->active ? ROLE_STEP_HELLO : ROLE_STEP_MORE;
}

void role_free(struct role_stream *stream)
{
    buffer_free(&stream->raw);
    buffer_free(&stream->message);
}

enum role_step role_refuse(struct role_stream *stream, enum role_reason reason, int alert)
{
    stream->reason = reason;
    stream->alert = alert;
    return stream->step = ROLE_STEP_REFUSE;
}

enum role_step role_decide(struct role_stream *stream, enum role role, enum role_decided_by by)
{
    stream->decided_by = by;
    stream->symmetric = by == ROLE_BY_EXTENSION || by == ROLE_BY_IMPLICIT;
    return stream->step = role == ROLE_CLIENT ? ROLE_STEP_CLIENT : ROLE_STEP_SERVER;
}

static void take_implicit(struct role_preference *preference, const struct hello *hello)
{
    memcpy(preference->value, hello->random + HELLO_RANDOM_SIZE - IMPLICIT_SIZE, IMPLICIT_SIZE);
    preference->length = IMPLICIT_SIZE;
}

void role_preference_of(const struct role_config *config, enum hello_result result, const struct hello *hello,
                        struct role_preference *preference)
{
    preference->length = 0;
    if (result == HELLO_FOUND) {
        memcpy(preference->value, hello->preference, hello->preference_length);
        preference->length = hello->preference_length;
    } else if (result == HELLO_ABSENT && config->implicit) {
        take_implicit(preference, hello);
    }
}

void role_said_hello(struct role_stream *stream, const struct hello *hello)
{
    if (stream->config.implicit)
        take_implicit(&stream->config.ours, hello);
    stream->said_hello = true;
    stream->step = ROLE_STEP_MORE;
}

bool role_our_hello(struct role_stream *stream, const uint8_t *records, size_t length)
{
    struct wire wire = wire_from(records, length);
    uint8_t type = wire_u8(&wire);
    struct hello hello;
    struct wire message;
    enum hello_result result;

    wire_u16(&wire); /* legacy_record_version */
    message = wire_vector16(&wire);
    result = hello_read(message.at, message.left, stream->config.extension_id, &hello);
    if (wire.failed || type != RECORD_HANDSHAKE || (result != HELLO_FOUND && result != HELLO_ABSENT))
        return false;
    role_said_hello(stream, &hello);
    return true;
}

/* A complete ClientHello with a role_preference of either kind. */
enum role_step role_compare(struct role_stream *stream)
{
    enum role_decided_by by = stream->config.implicit ? ROLE_BY_IMPLICIT : ROLE_BY_EXTENSION;
    int order;

    if (!stream->said_hello)
        return stream->step = ROLE_STEP_HELLO;
    order = role_preference_compare(&stream->config.ours, &stream->peer);
    if (order == 0)
        return role_refuse(stream, ROLE_REASON_TIE, ALERT_HANDSHAKE_FAILURE);
    return role_decide(stream, order < 0 ? ROLE_CLIENT : ROLE_SERVER, by);
}

/* A complete ClientHello without one: a plain TLS client. */
static enum role_step plain_client(struct role_stream *stream)
{
    if (stream->config.symmetric == ROLE_SYMMETRIC_REQUIRE || stream->config.want == ROLE_WANT_CLIENT)
        return role_refuse(stream, ROLE_REASON_CLIENT_UNWANTED, ALERT_HANDSHAKE_FAILURE);
    if (stream->said_hello)
        return role_refuse(stream, ROLE_REASON_PLAIN_CLIENT, ALERT_HANDSHAKE_FAILURE);
    return role_decide(stream, ROLE_SERVER, ROLE_BY_PLAIN_CLIENT);
}

enum role_step role_heard_hello(struct role_stream *stream, enum hello_result result, const struct hello *hello)
{
    switch (result) {
    case HELLO_MORE:
        return ROLE_STEP_MORE;
    case HELLO_MALFORMED:
        return role_refuse(stream, ROLE_REASON_BAD_HELLO, ALERT_DECODE_ERROR);
    case HELLO_BAD_PREFERENCE:
        return role_refuse(stream, ROLE_REASON_BAD_PREFERENCE, ALERT_ILLEGAL_PARAMETER);
    case HELLO_FOUND:
    case HELLO_ABSENT:
        break;
    }
    role_preference_of(&stream->config, result, hello, &stream->peer);
    stream->peer_is_explicit = result == HELLO_FOUND;
    return stream->peer.length ? role_compare(stream) : plain_client(stream); /* then nothing is struck */
}

/* Nothing is struck and nothing is compared: the TLS library may see it byte by byte. */
enum role_step role_never_symmetric(struct role_stream *stream, enum role peer)
{
    if (peer == ROLE_CLIENT && stream->said_hello)
        return role_refuse(stream, ROLE_REASON_TWO_CLIENTS, ALERT_UNEXPECTED_MESSAGE);
    if (peer == ROLE_SERVER && !stream->said_hello)
        return role_refuse(stream, ROLE_REASON_TWO_SERVERS, ALERT_UNEXPECTED_MESSAGE);
    return role_decide(stream, peer == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT, ROLE_BY_OPTION);
}

static enum role_step client_hello(struct role_stream *stream)
{
    struct hello hello;
    enum hello_result result;

    if (stream->config.symmetric == ROLE_SYMMETRIC_NEVER)
        return role_never_symmetric(stream, ROLE_CLIENT);
    result = hello_read(buffer_at(&stream->message), buffer_used(&stream->message), stream->config.extension_id,
                        &hello);
    if (hello.size > HELLO_SIZE_MAX)
        return role_refuse(stream, ROLE_REASON_HELLO_TOO_LARGE, ALERT_DECODE_ERROR);
    if (result == HELLO_FOUND || result == HELLO_ABSENT)
        stream->surplus = buffer_used(&stream->message) - hello.size;
    return role_heard_hello(stream, result, &hello);
}

enum role_step role_heard_server(struct role_stream *stream)
{
    if (stream->config.symmetric == ROLE_SYMMETRIC_NEVER)
        return role_never_symmetric(stream, ROLE_SERVER);
    if (!stream->said_hello)
        return role_refuse(stream, ROLE_REASON_TWO_SERVERS, ALERT_UNEXPECTED_MESSAGE);
    if (stream->config.symmetric == ROLE_SYMMETRIC_REQUIRE || stream->config.want == ROLE_WANT_SERVER)
        return role_refuse(stream, ROLE_REASON_SERVER_UNWANTED, ALERT_HANDSHAKE_FAILURE);
    return role_decide(stream, ROLE_CLIENT, ROLE_BY_PLAIN_SERVER);
}

/* What the handshake message says so far; its type alone decides for a ServerHello. */
static enum role_step handshake_message(struct role_stream *stream)
{
    if (buffer_used(&stream->message) == 0)
        return ROLE_STEP_MORE;
    switch (buffer_at(&stream->message)[0]) {
    case HANDSHAKE_CLIENT_HELLO:
        return client_hello(stream);
    case HANDSHAKE_SERVER_HELLO:
        return role_heard_server(stream);
    default:
        return role_refuse(stream, ROLE_REASON_UNEXPECTED, ALERT_UNEXPECTED_MESSAGE);
    }
}

/* The start of something that is no TLS record. */
static enum role_reason looks_like(const uint8_t *bytes, size_t length)
{
    static const struct {
        const char *start;
        enum role_reason reason;
    } table[] = {
        {"SSH-", ROLE_REASON_SSH},     {"HTTP/", ROLE_REASON_HTTP},  {"GET ", ROLE_REASON_HTTP},
        {"HEAD ", ROLE_REASON_HTTP},   {"POST ", ROLE_REASON_HTTP},  {"PUT ", ROLE_REASON_HTTP},
        {"DELETE ", ROLE_REASON_HTTP}, {"PATCH ", ROLE_REASON_HTTP}, {"OPTIONS ", ROLE_REASON_HTTP},
        {"CONNECT ", ROLE_REASON_HTTP}, {"PRI * HTTP", ROLE_REASON_HTTP},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t known = strlen(table[i].start);

        if (memcmp(bytes, table[i].start, known < length ? known : length) == 0)
            return length < known ? ROLE_REASON_NONE : table[i].reason; /* NONE: it may still become one */
    }
    if (bytes[0] & 0x80) { /* a two-byte length, then CLIENT-HELLO */
        if (length < 3)
            return ROLE_REASON_NONE;
        if (bytes[2] == HANDSHAKE_CLIENT_HELLO)
            return ROLE_REASON_SSLV2;
    }
    return ROLE_REASON_NOT_TLS;
}

static bool is_record_type(uint8_t type)
{
    return type >= RECORD_CHANGE_CIPHER_SPEC && type <= RECORD_APPLICATION_DATA;
}

/* The record at `at`. MORE with *size 0: its header, or (no handshake) its body, is not there yet. */
static enum role_step one_record(struct role_stream *stream, const uint8_t *at, size_t left, size_t *size)
{
    struct wire wire = wire_from(at, left);
    uint8_t type = wire_u8(&wire);
    uint8_t major = wire_u8(&wire);
    uint8_t minor = wire_u8(&wire);
    uint16_t length = wire_u16(&wire);
    struct wire body;

    (void)minor;
    *size = 0;
    if (!is_record_type(type) || (left > 1 && major != 3)) {
        enum role_reason reason = stream->parsed ? ROLE_REASON_UNEXPECTED : looks_like(at, left);

        /* Whoever sent this reads no alerts, unless it began with TLS. */
        if (reason != ROLE_REASON_NONE)
            return role_refuse(stream, reason, stream->parsed ? ALERT_UNEXPECTED_MESSAGE : ROLE_NO_ALERT);
        return ROLE_STEP_MORE;
    }
    if (wire.failed)
        return ROLE_STEP_MORE;
    if (length > RECORD_SIZE_MAX)
        return role_refuse(stream, ROLE_REASON_RECORD_TOO_LONG, ALERT_RECORD_OVERFLOW);
    if (type == RECORD_ALERT && !stream->parsed) {
        if (length != 2)
            return role_refuse(stream, ROLE_REASON_UNEXPECTED, ALERT_UNEXPECTED_MESSAGE);
        body = wire_take(&wire, length);
        if (wire.failed)
            return ROLE_STEP_MORE;
        wire_u8(&body); /* AlertLevel says nothing since RFC 8446 section 6 */
        stream->peer_alert = wire_u8(&body);
        return role_refuse(stream, ROLE_REASON_ALERT, ROLE_NO_ALERT);
    }
    /* A record without a byte in it is no part of a handshake (RFC 8446 section 5.1). */
    if (type != RECORD_HANDSHAKE || length == 0)
        return role_refuse(stream, ROLE_REASON_UNEXPECTED, ALERT_UNEXPECTED_MESSAGE);
    body = wire_take(&wire, length);
    if (wire.failed)
        return ROLE_STEP_MORE;
    if (!buffer_append(&stream->message, body.at, body.left))
        return role_refuse(stream, ROLE_REASON_MEMORY, ALERT_INTERNAL_ERROR);
    *size = RECORD_HEADER_SIZE + (size_t)length;
    return ROLE_STEP_MORE;
}

enum role_step role_next(struct role_stream *stream)
{
    while (stream->step == ROLE_STEP_MORE) {
        size_t left = buffer_used(&stream->raw) - stream->parsed;
        size_t size;

        if (handshake_message(stream) != ROLE_STEP_MORE || left == 0)
            break;
        if (one_record(stream, buffer_at(&stream->raw) + stream->parsed, left, &size) != ROLE_STEP_MORE || !size)
            break;
        stream->parsed += size;
    }
    return stream->step;
}

enum role_step role_feed(struct role_stream *stream, const uint8_t *bytes, size_t length)
{
    if (!buffer_append(&stream->raw, bytes, length))
        return role_refuse(stream, ROLE_REASON_MEMORY, ALERT_INTERNAL_ERROR);
    return role_next(stream);
}

enum role_step role_end(struct role_stream *stream)
{
    if (stream->step != ROLE_STEP_MORE)
        return stream->step;
    if (buffer_used(&stream->raw) == 0)
        return role_refuse(stream, ROLE_REASON_SILENT_END, ROLE_NO_ALERT);
    return role_refuse(stream, ROLE_REASON_CUT, ROLE_NO_ALERT);
}

bool role_rest(const struct role_stream *stream, struct buffer *input)
{
    const uint8_t *raw = buffer_at(&stream->raw);
    size_t used = buffer_used(&stream->raw);
    uint8_t header[RECORD_HEADER_SIZE] = {RECORD_HANDSHAKE, 3, 3, 0, 0};

    if (stream->step == ROLE_STEP_SERVER || !stream->symmetric)
        return buffer_append(input, raw, used);
    if (stream->surplus) {
        header[3] = (uint8_t)(stream->surplus >> 8);
        header[4] = (uint8_t)stream->surplus;
        if (!buffer_append(input, header, sizeof header) ||
            !buffer_append(input, raw + stream->parsed - stream->surplus, stream->surplus))
            return false;
    }
    return buffer_append(input, raw + stream->parsed, used - stream->parsed);
}

void role_alert_record(uint8_t record[ROLE_ALERT_RECORD_SIZE], int alert)
{
    const uint8_t bytes[ROLE_ALERT_RECORD_SIZE] = {RECORD_ALERT, 3, 3, 0, 2, 2 /* fatal */, (uint8_t)alert};

    memcpy(record, bytes, sizeof bytes);
}
