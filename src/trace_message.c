/* trace_message.c - what is in a handshake message, in words. Pure: no I/O. */
#include "trace_message.h"
#include "hello.h"
#include "trace_fields.h"
#include "trace_names.h"

#include <stdio.h>
#include <string.h>

/* HandshakeType, RFC 8446 section 4, and those of RFC 5246 that are gone since. */
enum {
    NEW_SESSION_TICKET = 4,
    HELLO_RETRY_REQUEST = 6,
    ENCRYPTED_EXTENSIONS = 8,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CERTIFICATE_REQUEST = 13,
    CERTIFICATE_VERIFY = 15,
    CERTIFICATE_STATUS = 22,
    KEY_UPDATE = 24
};

enum {
    VERSION_TLS13 = 0x0304,
    NAMED_CURVE = 3 /* ECCurveType, RFC 8422 section 5.4 */
};

static bool has_field(const struct trace_message *message, const char *label)
{
    for (size_t i = 0; i < message->count; i++)
        if (strcmp(message->fields[i].label, label) == 0)
            return true;
    return false;
}

static void read_client_hello(struct trace_reader *reader, struct wire *body)
{
    struct trace_message *message = reader->message;
    uint16_t version = wire_u16(body);
    struct wire random = wire_take(body, HELLO_RANDOM_SIZE);
    struct wire session_id = wire_vector8(body), cookie = {0}, suites;

    if (reader->context->datagrams)
        cookie = wire_vector8(body);
    if (cookie.left)
        trace_say(message, "cookie", "%zu bytes", cookie.left);
    trace_say_hex(message, "random", random, HELLO_RANDOM_SIZE);
    trace_only_in_detail(message);
    if (session_id.left) {
        trace_say_hex(message, "session", session_id, 32);
        trace_only_in_detail(message);
    }
    suites = wire_vector16(body);
    if (body->failed)
        return;
    trace_say_numbers(message, reader->context, "suites", trace_suite_name, &suites);
    wire_vector8(body); /* compression_methods */
    reader->place = TRACE_IN_CLIENT_HELLO;
    if (body->left)
        trace_read_extensions(reader, body);
    if (!has_field(message, "versions"))
        trace_say_number(message, "up to version", trace_version_name(version), version);
    body->failed = body->failed || suites.failed;
}

static bool is_retry(const struct wire *random)
{
    /* SHA-256 of "HelloRetryRequest", RFC 8446 section 4.1.3. */
    static const uint8_t retry[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

    return random->left == sizeof retry && memcmp(random->at, retry, sizeof retry) == 0;
}

static void read_server_hello(struct trace_reader *reader, struct wire *body)
{
    struct trace_message *message = reader->message;
    uint16_t version = wire_u16(body), suite;
    struct wire random = wire_take(body, HELLO_RANDOM_SIZE);
    struct wire session_id = wire_vector8(body);

    if (is_retry(&random))
        message->name = trace_handshake_name(HELLO_RETRY_REQUEST);
    reader->place = is_retry(&random) ? TRACE_IN_RETRY : TRACE_IN_SERVER_HELLO;
    suite = wire_u16(body);
    wire_u8(body); /* compression_method */
    if (body->failed)
        return;
    reader->context->version = version;
    reader->context->suite = suite;
    if (reader->place == TRACE_IN_SERVER_HELLO) {
        trace_say_hex(message, "random", random, HELLO_RANDOM_SIZE);
        trace_only_in_detail(message);
        if (session_id.left) {
            trace_say_hex(message, "session", session_id, 32);
            trace_only_in_detail(message);
        }
    }
    trace_say_number(message, "suite", trace_suite_name(suite), suite);
    if (body->left)
        trace_read_extensions(reader, body);
    if (!has_field(message, "version"))
        trace_say_number(message, "version", trace_version_name(version), version);
}

static void read_verify_request(struct trace_reader *reader, struct wire *body)
{
    size_t length;

    wire_u16(body); /* server_version */
    length = wire_vector8(body).left;
    if (!body->failed)
        trace_say(reader->message, "cookie", "%zu bytes", length);
}

static bool is_tls13(const struct trace_context *context)
{
    return context->version == VERSION_TLS13;
}

static void read_encrypted_extensions(struct trace_reader *reader, struct wire *body)
{
    trace_read_extensions(reader, body);
}

/* The list in the body of a Certificate message. A bare key of TLS 1.2 has none around it (RFC 7250 section 3): DER begins
 * with 0x30, and no list of certificates has a first one of 3 MiB. */
static struct wire certificate_list(bool tls13, struct wire *body, bool *is_bare_key)
{
    struct wire list;
    size_t size;

    if (tls13)
        wire_vector8(body); /* certificate_request_context */
    size = wire_u24(body);
    list = wire_take(body, size);
    *is_bare_key = !tls13 && list.left && list.at[0] == 0x30;
    return list;
}

static struct wire next_certificate(bool tls13, struct wire *list)
{
    size_t size = wire_u24(list);
    struct wire certificate = wire_take(list, size);

    if (tls13)
        wire_vector16(list); /* its extensions */
    return certificate;
}

static void read_certificate(struct trace_reader *reader, struct wire *body)
{
    bool tls13 = is_tls13(reader->context), is_bare_key;
    struct wire list = certificate_list(tls13, body, &is_bare_key);
    size_t count = 0;

    for (; !is_bare_key && list.left && !list.failed; count++)
        next_certificate(tls13, &list);
    body->failed = body->failed || list.failed;
    if (!body->failed && !is_bare_key && count != 1)
        trace_say(reader->message, "certificates", count ? "%zu" : "none", count);
}

static void read_certificate_request(struct trace_reader *reader, struct wire *body)
{
    struct trace_message *message = reader->message;
    struct wire schemes, authorities;
    size_t count = 0;

    if (is_tls13(reader->context)) {
        wire_vector8(body); /* certificate_request_context */
        trace_read_extensions(reader, body);
        return;
    }
    wire_vector8(body); /* certificate_types */
    schemes = wire_vector16(body);
    trace_say_numbers(message, reader->context, "signatures", trace_signature_name, &schemes);
    authorities = wire_vector16(body);
    for (; authorities.left && !authorities.failed; count++)
        wire_vector16(&authorities);
    if (count)
        trace_say(message, "accepts CAs", "%zu", count);
    body->failed = body->failed || authorities.failed || schemes.failed;
}

static void say_signature(struct trace_reader *reader, struct wire *body)
{
    uint16_t scheme = wire_u16(body);

    wire_vector16(body);
    if (!body->failed)
        trace_say_number(reader->message, "signature", trace_signature_name(scheme), scheme);
}

static bool exchanges(const struct trace_context *context, const char *how)
{
    const char *name = trace_suite_name(context->suite);

    return name && strncmp(name, how, strlen(how)) == 0;
}

/* Only what the suite says; the group of the others has no number. */
static void read_server_key_exchange(struct trace_reader *reader, struct wire *body)
{
    bool with_psk = exchanges(reader->context, "ECDHE_PSK_") || exchanges(reader->context, "DHE_PSK_") ||
                    exchanges(reader->context, "PSK_") || exchanges(reader->context, "RSA_PSK_");
    char text[64];

    if (with_psk) {
        struct wire hint = wire_vector16(body);

        if (hint.left)
            trace_say(reader->message, "identity hint", "%s", trace_message_quote(text, sizeof text, hint.at, hint.left));
    }
    if (exchanges(reader->context, "ECDHE_")) {
        uint8_t kind = wire_u8(body);
        uint16_t group = wire_u16(body);

        if (kind != NAMED_CURVE || body->failed)
            return;
        trace_say_number(reader->message, "group", trace_group_name(group), group);
        wire_vector8(body); /* its public key */
        if (!with_psk && !exchanges(reader->context, "ECDH_anon"))
            say_signature(reader, body);
    } else {
        *body = wire_from(NULL, 0);
    }
}

static void read_status(struct trace_reader *reader, struct wire *body)
{
    size_t length;

    wire_u8(body); /* ocsp */
    length = wire_u24(body);
    wire_take(body, length);
    if (!body->failed)
        trace_say(reader->message, "OCSP response", "%zu bytes", length);
}

static void read_ticket(struct trace_reader *reader, struct wire *body)
{
    uint32_t high = wire_u16(body), lifetime_s = high << 16 | wire_u16(body);
    size_t length;

    if (is_tls13(reader->context)) {
        wire_take(body, 4); /* ticket_age_add */
        wire_vector8(body); /* ticket_nonce */
    }
    length = wire_vector16(body).left;
    if (body->failed)
        return;
    trace_say(reader->message, "ticket", "%zu bytes, good for %u s", length, lifetime_s);
    if (is_tls13(reader->context))
        trace_read_extensions(reader, body);
}

static void read_key_update(struct trace_reader *reader, struct wire *body)
{
    uint8_t request = wire_u8(body);

    if (!body->failed)
        trace_say(reader->message, "new keys", request == 0 ? "for this direction" : request == 1 ? "for this direction, and asked for in the other" : "malformed");
}

/* What has nothing in it but what only a computer can read. */
static void read_nothing(struct trace_reader *reader, struct wire *body)
{
    (void)reader;
    *body = wire_from(NULL, 0);
}

/* What one looks for first comes first. */
static size_t rank(const struct trace_field *field)
{
    static const char *const order[] = {"versions", "up to version", "version", "role_preference", "server name", "ALPN", "cookie", "suites", "suite", "groups", "group",
                                        "key shares", "wants a key share of", "pre-shared keys", "pre-shared key"};
    size_t at = 0;

    while (at < sizeof order / sizeof *order && strcmp(order[at], field->label) != 0)
        at++;
    return at;
}

static void sort(struct trace_message *message)
{
    for (size_t i = 1; i < message->count; i++)
        for (size_t j = i; j > 0 && rank(&message->fields[j - 1]) > rank(&message->fields[j]); j--) {
            struct trace_field other = message->fields[j];

            message->fields[j] = message->fields[j - 1];
            message->fields[j - 1] = other;
        }
}

void trace_message_read(struct trace_message *message, struct trace_context *context, uint8_t type, const uint8_t *body,
                        size_t length)
{
    static const struct {
        uint8_t type;
        void (*read)(struct trace_reader *reader, struct wire *body);
    } table[] = {
        {HANDSHAKE_CLIENT_HELLO, read_client_hello},
        {HANDSHAKE_SERVER_HELLO, read_server_hello},
        {HANDSHAKE_HELLO_VERIFY_REQUEST, read_verify_request},
        {NEW_SESSION_TICKET, read_ticket},
        {HELLO_RETRY_REQUEST, read_server_hello}, /* so a library may call it; it is a ServerHello on the wire */
        {ENCRYPTED_EXTENSIONS, read_encrypted_extensions},
        {CERTIFICATE, read_certificate},
        {SERVER_KEY_EXCHANGE, read_server_key_exchange},
        {CERTIFICATE_REQUEST, read_certificate_request},
        {CERTIFICATE_VERIFY, say_signature},
        {CERTIFICATE_STATUS, read_status},
        {KEY_UPDATE, read_key_update},
    };
    struct trace_reader reader = {.message = message, .context = context, .place = TRACE_ELSEWHERE};
    struct wire wire = wire_from(body, length);
    void (*read)(struct trace_reader *, struct wire *) = read_nothing;

    message->count = 0;
    message->name = trace_handshake_name(type);
    if (!message->name) {
        snprintf(message->number_name, sizeof message->number_name, "message %u", type);
        message->name = message->number_name;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].type == type)
            read = table[i].read;
    read(&reader, &wire);
    if (wire.failed)
        trace_say(message, "malformed", "its lengths contradict each other, or it is cut short");
    else if (wire.left)
        trace_say(message, "malformed", "%zu byte%s behind its end", wire.left, wire.left == 1 ? "" : "s");
    sort(message);
}

size_t trace_message_certificates(bool tls13, const uint8_t *body, size_t length, struct wire *certificates, size_t most)
{
    struct wire wire = wire_from(body, length);
    bool is_bare_key;
    struct wire list = certificate_list(tls13, &wire, &is_bare_key);
    size_t count = 0;

    if (is_bare_key && most)
        certificates[count++] = list;
    while (!is_bare_key && count < most && list.left) {
        struct wire certificate = next_certificate(tls13, &list);

        if (list.failed)
            break;
        certificates[count++] = certificate;
    }
    return count;
}
