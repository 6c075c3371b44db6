/* test_trace_message.c - handshake messages in words: those of real programs, lying ones, and ones without end. */
#include "check.h"
#include "hellos.h"
#include "hellos_dtls.h"
#include "helpers.h"
#include "role.h"
#include "trace_message.h"
#include "trace_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, VERIFY_REQUEST = 3, TICKET = 4, CERTIFICATE = 11, KEY_EXCHANGE = 12, REQUEST = 13, VERIFY = 15, STATUS = 22, KEY_UPDATE = 24 };

static struct trace_context context;
static struct trace_message message;

static const char *value_of(const char *label)
{
    for (size_t i = 0; i < message.count; i++)
        if (strcmp(message.fields[i].label, label) == 0)
            return message.fields[i].value;
    return "";
}

static void begin(bool datagrams)
{
    context = (struct trace_context){.datagrams = datagrams, .extension_id = HELLO_EXTENSION_ID, .items_max = 3};
}

/* What is wrong for every message: too many fields, bytes that a terminal would not show as they are. */
static void check_message(void)
{
    assert_non_null(message.name);
    assert_true(message.count <= TRACE_FIELDS_MAX);
    for (size_t i = 0; i < message.count; i++) {
        size_t length = strlen(message.fields[i].value);

        assert_non_null(message.fields[i].label);
        assert_true(length < TRACE_FIELD_SIZE);
        for (size_t j = 0; j < length; j++)
            check_row(message.fields[i].value[j] >= 0x20 && message.fields[i].value[j] < 0x7f, "%s", message.fields[i].label);
    }
}

static void read_bytes(uint8_t type, const void *body, size_t length)
{
    uint8_t *copy = hellos_exactly(body, length);

    trace_message_read(&message, &context, type, copy, length);
    free(copy);
    check_message();
}

/* The first message of a file of tests/vectors. */
static void read_vector(const char *name, bool datagrams)
{
    static uint8_t bytes[HELLOS_SIZE];
    size_t length = hellos_vector(bytes, name), header = datagrams ? 13 + 12 : 5 + 4;

    check_row(length > header, "%s", name);
    begin(datagrams);
    read_bytes(bytes[datagrams ? 13 : 5], bytes + header, ((size_t)bytes[header - 2] << 8 | bytes[header - 1]));
}

/* ---- What real programs sent ---- */

static void test_hellos(void **state)
{
    (void)state;
    read_vector("openssl-tls13.bin", false);
    assert_string_equal(message.name, "ClientHello");
    assert_string_equal(value_of("versions"), "TLS 1.3");
    assert_string_equal(value_of("server name"), "example.org");
    assert_string_equal(value_of("suites"), "AES_256_GCM_SHA384, CHACHA20_POLY1305_SHA256, AES_128_GCM_SHA256, and 1 more");
    assert_string_equal(value_of("key shares"), "x25519 (32 bytes)");
    assert_string_equal(value_of("role_preference"), "");
    assert_string_equal(message.fields[0].label, "versions"); /* what matters comes first */

    read_vector("symmetric-tls13.bin", false);
    assert_string_equal(value_of("role_preference"), "\"M4ny-equals-meet-and-one-is-firs\"");
    assert_true(has(value_of("extensions"), "role_preference"));

    read_vector("gnutls-tls12.bin", false);
    assert_string_equal(value_of("up to version"), "TLS 1.2");
    read_vector("gnutls-bare.bin", false);
    assert_string_equal(value_of("up to version"), "TLS 1.2");
    assert_string_equal(value_of("extensions"), "");

    read_vector("curl.bin", false);
    assert_string_equal(value_of("ALPN"), "h2, http/1.1");

    read_vector("openssl-dtls12.bin", true);
    assert_string_equal(value_of("up to version"), "DTLS 1.2");
    assert_string_equal(value_of("malformed"), "");
}

static void test_server_hellos(void **state)
{
    (void)state;
    read_vector("server-hello-tls13.bin", false);
    assert_string_equal(message.name, "ServerHello");
    assert_string_equal(value_of("version"), "TLS 1.3");
    assert_string_equal(value_of("suite"), "AES_256_GCM_SHA384");
    assert_string_equal(value_of("group"), "x25519");
    assert_int_equal(context.version, 0x0304);
    assert_int_equal(context.suite, 0x1302);

    read_vector("server-hello-tls12.bin", false);
    assert_string_equal(value_of("version"), "TLS 1.2");
    assert_int_equal(context.version, 0x0303);

    read_vector("hello-retry-request.bin", false);
    assert_string_equal(message.name, "HelloRetryRequest");
    assert_string_equal(value_of("wants a key share of"), "secp521r1");
}

/* The number of the extension is configured. */
static void test_other_extension_id(void **state)
{
    static const struct hellos here = {.preference = "me", .preference_length = 2, .extension_id = 65001};
    static uint8_t bytes[HELLOS_SIZE];
    size_t length = hellos_message(bytes, &here);

    (void)state;
    begin(false);
    context.extension_id = 65001;
    read_bytes(CLIENT_HELLO, bytes + 4, length - 4);
    assert_string_equal(value_of("role_preference"), "\"me\"");
    begin(false);
    read_bytes(CLIENT_HELLO, bytes + 4, length - 4);
    assert_string_equal(value_of("role_preference"), "");
    assert_true(has(value_of("extensions"), "0xfde9"));
}

/* ---- The others, one by one ---- */

static void test_messages(void **state)
{
    static const struct {
        uint8_t type;
        uint16_t version, suite;
        const char *body;
        size_t length;
        const char *name, *label, *value;
    } rows[] = {
#define BODY(text) text, sizeof text - 1
        {CLIENT_HELLO, 0, 0, BODY("\3\3" "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR" "\0" "\0\3\x13\1\x13" "\1\0"), "ClientHello", "malformed",
         "its lengths contradict each other, or it is cut short"}, /* a suite and a half */
        {VERIFY_REQUEST, 0, 0, BODY("\xfe\xff\x04" "abcd"), "HelloVerifyRequest", "cookie", "4 bytes"},
        {TICKET, 0x0304, 0, BODY("\0\0\x0e\x10" "aged" "\1\0" "\0\5" "hello" "\0\0"), "NewSessionTicket", "ticket", "5 bytes, good for 3600 s"},
        {TICKET, 0x0303, 0, BODY("\0\0\0\x3c" "\0\5" "hello"), "NewSessionTicket", "ticket", "5 bytes, good for 60 s"},
        {8, 0x0304, 0, BODY("\0\7" "\0\x10" "\0\3" "\0\1" "\0"), "EncryptedExtensions", "ALPN", ""},
        {8, 0x0304, 0, BODY("\0\x09" "\0\x10" "\0\5" "\0\3" "\2h2"), "EncryptedExtensions", "ALPN", "h2"},
        {8, 0x0304, 0, BODY("\0\6" "\0\x1c" "\0\2" "\x40\1"), "EncryptedExtensions", "record size limit", "16385 bytes"},
        {8, 0x0304, 0, BODY("\0\5" "\0\1" "\0\1" "\4"), "EncryptedExtensions", "max fragment length", "4096 bytes"},
        {8, 0x0304, 0, BODY("\0\5" "\0\x14" "\0\1" "\2"), "EncryptedExtensions", "server's certificate", "bare key"},
        {CERTIFICATE, 0x0304, 0, BODY("\0\0\0\0"), "Certificate", "certificates", "none"},
        {CERTIFICATE, 0x0304, 0, BODY("\0\0\0\x0c" "\0\0\1a\0\0" "\0\0\1b\0\0"), "Certificate", "certificates", "2"},
        {CERTIFICATE, 0x0303, 0, BODY("\0\0\4" "\0\0\1a"), "Certificate", "malformed", ""},
        {KEY_EXCHANGE, 0x0303, 0xc02c, BODY("\3\0\x1d\2xy" "\4\3\0\3sig"), "ServerKeyExchange", "group", "x25519"},
        {KEY_EXCHANGE, 0x0303, 0xc02c, BODY("\3\0\x1d\2xy" "\4\3\0\3sig"), "ServerKeyExchange", "signature", "ecdsa_secp256r1_sha256"},
        {KEY_EXCHANGE, 0x0303, 0xc035, BODY("\0\4hint" "\3\0\x17\2xy"), "ServerKeyExchange", "identity hint", "hint"},
        {KEY_EXCHANGE, 0x0303, 0x009e, BODY("whatever"), "ServerKeyExchange", "malformed", ""},
        {REQUEST, 0x0303, 0, BODY("\1\x40" "\0\2\4\3" "\0\3\0\1z"), "CertificateRequest", "signatures", "ecdsa_secp256r1_sha256"},
        {REQUEST, 0x0303, 0, BODY("\1\x40" "\0\2\4\3" "\0\3\0\1z"), "CertificateRequest", "accepts CAs", "1"},
        {REQUEST, 0x0304, 0, BODY("\0\0\x08" "\0\x0d\0\4\0\2\x08\7"), "CertificateRequest", "signatures", "ed25519"},
        {VERIFY, 0x0304, 0, BODY("\x08\4\0\1s"), "CertificateVerify", "signature", "rsa_pss_rsae_sha256"},
        {VERIFY, 0x0304, 0, BODY("\x77\x77\0\1s"), "CertificateVerify", "signature", "0x7777"},
        {STATUS, 0x0303, 0, BODY("\1\0\0\3abc"), "CertificateStatus", "OCSP response", "3 bytes"},
        {KEY_UPDATE, 0x0304, 0, BODY("\0"), "KeyUpdate", "new keys", "for this direction"},
        {KEY_UPDATE, 0x0304, 0, BODY("\1"), "KeyUpdate", "new keys", "for this direction, and asked for in the other"},
        {KEY_UPDATE, 0x0304, 0, BODY("\2"), "KeyUpdate", "new keys", "malformed"},
        {20, 0x0304, 0, BODY("12345678"), "Finished", "malformed", ""},
        {99, 0x0304, 0, BODY("?"), "message 99", "malformed", ""},
#undef BODY
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(false);
        context.version = rows[i].version;
        context.suite = rows[i].suite;
        read_bytes(rows[i].type, rows[i].body, rows[i].length);
        check_row(strcmp(message.name, rows[i].name) == 0, "row %zu: %s", i, message.name);
        check_row(strcmp(value_of(rows[i].label), rows[i].value) == 0, "row %zu: %s", i, value_of(rows[i].label));
    }
}

/* Each of them, cut anywhere, is malformed, and nothing behind the cut is read. */
static void test_cut(void **state)
{
    static const char *const names[] = {"openssl-tls13.bin", "symmetric-tls13.bin", "curl.bin", "server-hello-tls13.bin", "hello-retry-request.bin"};
    static uint8_t bytes[HELLOS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t length = hellos_vector(bytes, names[i]), extensions = 0;

        assert_true(length > 9);
        for (size_t cut = stride(7); cut < length - 9; cut += stride(7)) {
            begin(false);
            read_bytes(bytes[5], bytes + 9, cut);
            /* A hello may end in front of its extensions. */
            extensions += !*value_of("malformed");
        }
        check_row(extensions <= 1, "%s", names[i]);
        begin(false);
        bytes[length] = 0;
        read_bytes(bytes[5], bytes + 9, length - 9 + 1);
        check_row(has(value_of("malformed"), "1 byte behind its end") || has(value_of("malformed"), "lengths"), "%s: %s", names[i], value_of("malformed"));
    }
}

/* Every length field of a hello may lie. */
static void test_lies(void **state)
{
    static uint8_t bytes[HELLOS_SIZE];

    (void)state;
    for (int field = FIELD_SESSION_ID; field < FIELD_COUNT; field++)
        for (int lie = -3; lie <= 300; lie = lie < 3 ? lie + 1 : lie * 10) {
            struct hellos hellos = {.preference = "me", .preference_length = 2, .field = (enum hellos_field)field, .lie = lie};
            size_t length = hellos_message(bytes, &hellos);

            begin(false);
            read_bytes(CLIENT_HELLO, bytes + 4, length - 4); /* check_message() looks at it */
        }
}

/* ---- Without end ---- */

static void put16(uint8_t **at, size_t number)
{
    *(*at)++ = (uint8_t)(number >> 8);
    *(*at)++ = (uint8_t)number;
}

static uint8_t *begin_hello(uint8_t *at)
{
    memcpy(at, "\3\3", 2);
    memset(at + 2, 'R', 32);
    at[34] = 0;                             /* session_id */
    memcpy(at + 35, "\0\2\x13\1" "\1\0", 6); /* suites, compression_methods */
    return at + 41;
}

static void test_many_extensions(void **state)
{
    enum { MANY = 10000 };
    static uint8_t bytes[65536];
    uint8_t *at = begin_hello(bytes);

    (void)state;
    put16(&at, 4 * MANY);
    for (size_t i = 0; i < MANY; i++) {
        put16(&at, i % 2 ? 0xabcd : 0); /* every other one is an empty server_name */
        put16(&at, 0);
    }
    begin(false);
    read_bytes(CLIENT_HELLO, bytes, (size_t)(at - bytes));
    assert_true(message.count <= TRACE_FIELDS_MAX);
    assert_true(has(value_of("extensions"), "and 9988 more"));
    assert_string_equal(value_of("malformed"), "");

    /* The same extension again and again, each time with something to say. */
    at = begin_hello(bytes);
    put16(&at, 6 * MANY);
    for (size_t i = 0; i < MANY; i++) {
        put16(&at, 28);
        put16(&at, 2);
        put16(&at, i);
    }
    begin(false);
    read_bytes(CLIENT_HELLO, bytes, (size_t)(at - bytes));
    assert_int_equal(message.count, TRACE_FIELDS_MAX);
    assert_string_equal(value_of("and"), "more than fits here");
}

/* A name of 64 KiB, with what a terminal would obey in it. */
static void test_long_name(void **state)
{
    enum { NAME = 65000 };
    static uint8_t bytes[65536 + 64];
    uint8_t *at = begin_hello(bytes);

    (void)state;
    put16(&at, NAME + 9);
    put16(&at, 0);
    put16(&at, NAME + 5);
    put16(&at, NAME + 3);
    *at++ = 0;
    put16(&at, NAME);
    memset(at, 0x1b, NAME);
    memcpy(at, "evil\\", 5);
    at += NAME;
    begin(false);
    read_bytes(CLIENT_HELLO, bytes, (size_t)(at - bytes));
    assert_true(has(value_of("server name"), "evil\\x5c\\x1b\\x1b"));
    assert_true(strlen(value_of("server name")) < 200);
    assert_true(has(value_of("server name"), "..."));
}

static void test_many_suites(void **state)
{
    static uint8_t bytes[65536];
    uint8_t *at = bytes;

    (void)state;
    memcpy(at, "\3\3", 2);
    memset(at + 2, 'R', 32);
    at[34] = 0;
    at += 35;
    put16(&at, 60000);
    for (size_t i = 0; i < 30000; i++)
        put16(&at, i == 0 ? 0x1a1a : i == 1 ? 0x1302 : 0xee00 + i % 16);
    memcpy(at, "\1\0", 2);
    at += 2;
    for (size_t most = 3; most <= 64; most += 61) {
        begin(false);
        context.items_max = most;
        read_bytes(CLIENT_HELLO, bytes, (size_t)(at - bytes));
        assert_true(has(value_of("suites"), "GREASE, AES_256_GCM_SHA384, 0xee02, "));
        assert_true(has(value_of("suites"), most == 3 ? "and 29997 more" : "and 29936 more"));
    }
}

/* ---- The rest ---- */

static void test_certificates(void **state)
{
    static const uint8_t two[] = "\0\0\0\x0e" "\0\0\2ab\0\0" "\0\0\2cd\0\0", old[] = "\0\0\5" "\0\0\2ab", key[] = "\0\0\3" "\x30xy";
    struct wire at[2];

    (void)state;
    assert_int_equal(trace_message_certificates(true, two, sizeof two - 1, at, 2), 2);
    assert_memory_equal(at[1].at, "cd", 2);
    assert_int_equal(trace_message_certificates(true, two, sizeof two - 1, at, 1), 1);
    assert_int_equal(trace_message_certificates(true, two, sizeof two - 2, at, 2), 0); /* the list is cut */
    assert_int_equal(trace_message_certificates(false, old, sizeof old - 1, at, 2), 1);
    assert_int_equal(at[0].left, 2);
    assert_int_equal(trace_message_certificates(false, key, sizeof key - 1, at, 2), 1);
    assert_memory_equal(at[0].at, "\x30xy", 3);
    assert_int_equal(trace_message_certificates(false, key, 0, at, 2), 0);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(trace_suite_name(0x0001), "RSA_WITH_NULL_MD5"); /* the first and the last of the table, and what is not in it */
    assert_string_equal(trace_suite_name(0x1303), "CHACHA20_POLY1305_SHA256");
    assert_null(trace_suite_name(0));
    assert_null(trace_suite_name(0xffff));
    for (unsigned number = 0, last = 0; number <= 0xffff; number++) { /* in order, or some are never found */
        if (!trace_suite_name((uint16_t)number))
            continue;
        assert_true(number >= last);
        last = number;
    }
    assert_string_equal(trace_suite_name(0xccae), "RSA_PSK_WITH_CHACHA20_POLY1305_SHA256");
    assert_string_equal(trace_group_name(4588), "X25519MLKEM768");
    assert_null(trace_extension_name(HELLO_EXTENSION_ID));
    assert_true(trace_is_grease(0x0a0a) && trace_is_grease(0xfafa));
    assert_false(trace_is_grease(0x0a1a) || trace_is_grease(0x0b0b) || trace_is_grease(0x1302));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hellos),          cmocka_unit_test(test_server_hellos),
        cmocka_unit_test(test_other_extension_id), cmocka_unit_test(test_messages),
        cmocka_unit_test(test_cut),             cmocka_unit_test(test_lies),
        cmocka_unit_test(test_many_extensions), cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_many_suites),     cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
