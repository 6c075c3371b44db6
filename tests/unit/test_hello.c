/* test_hello.c - the role_preference in a ClientHello: there or not, malformed, cut, with lengths that lie. */
#include "check.h"
#include "hello.h"
#include "hellos.h"
#include "hellos_dtls.h"

#include <stdlib.h>
#include <string.h>

static const char thirty_two[] = "M4ny-equals-meet-and-one-is-firs";

/* What it borrows from the copy is the same places in `bytes` from now on, which stay. */
static void move(struct hello *hello, uint8_t *copy, const uint8_t *bytes)
{
    if (hello->random)
        hello->random = bytes + (hello->random - copy);
    if (hello->preference)
        hello->preference = bytes + (hello->preference - copy);
    free(copy);
}

/* hello_read() of bytes that end where they end; what it borrows is checked for being in there. */
static enum hello_result read_exactly(const uint8_t *bytes, size_t length, uint16_t id, struct hello *hello)
{
    uint8_t *copy = hellos_exactly(bytes, length);
    enum hello_result result = hello_read(copy, length, id, hello);

    move(hello, copy, bytes);
    return result;
}

static enum hello_result read_made(const struct hellos *hellos, struct hello *hello)
{
    static uint8_t message[HELLOS_SIZE];
    size_t length = hellos_message(message, hellos);

    return read_exactly(message, length, HELLO_EXTENSION_ID, hello);
}

/* ---- There or not there ---- */

static void test_found(void **state)
{
    static const struct hellos rows[] = {
        {.preference = "!", .preference_length = 1},
        {.preference = "~", .preference_length = 1},
        {.preference = "!~", .preference_length = 2, .preference_first = true},
        {.preference = thirty_two, .preference_length = 32},
        {.preference = thirty_two, .preference_length = 32, .preference_first = true, .random = 0xff},
        {.preference = thirty_two, .preference_length = 31, .size = 517, .random = 1},
        {.preference = thirty_two, .preference_length = 32, .size = 16384},
        {.preference = thirty_two, .preference_length = 32, .size = HELLO_SIZE_MAX, .preference_first = true},
        {.preference = thirty_two, .preference_length = 32, .size = HELLO_SIZE_MAX},
    };
    static uint8_t message[HELLOS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length = hellos_message(message, &rows[i]);
        struct hello hello;

        check_row(!rows[i].size || length == rows[i].size, "row %zu", i);
        for (size_t behind = 0; behind < 6; behind++) { /* trailing bytes are the next message: another's business */
            enum hello_result result;

            memset(message + length, (int)(behind * 51), 5);
            result = read_exactly(message, length + behind, HELLO_EXTENSION_ID, &hello);
            check_row(result == HELLO_FOUND, "row %zu, %zu behind", i, behind);
            check_row(hello.size == length, "row %zu, %zu behind", i, behind);
            check_row(hello.preference_length == rows[i].preference_length, "row %zu, %zu behind", i, behind);
            check_row(memcmp(hello.preference, rows[i].preference, hello.preference_length) == 0, "row %zu", i);
            for (size_t j = 0; j < HELLO_RANDOM_SIZE; j++)
                check_row(hello.random[j] == rows[i].random, "row %zu, %zu behind", i, behind);
        }
    }
}

static void test_absent(void **state)
{
    static const struct hellos rows[] = {
        {.random = 7},
        {.bare = true},
        {.size = 517},
        {.size = HELLO_SIZE_MAX},
        {.preference = "!", .preference_length = 1, .extension_id = HELLO_EXTENSION_ID - 1},
        {.preference = "!", .preference_length = 1, .extension_id = HELLO_EXTENSION_ID + 1},
        {.preference = "!", .preference_length = 1, .extension_id = HELLO_EXTENSION_ID & 0xff},
        {.preference = "!", .preference_length = 1, .extension_id = 0x53ff}, /* its bytes swapped */
        {.preference = "", .preference_length = 0, .extension_id = 65000, .twice = true},
    };
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_row(read_made(&rows[i], &hello) == HELLO_ABSENT, "row %zu", i);
        check_row(!hello.preference && hello.preference_length == 0, "row %zu", i);
        check_row(hello.random && hello.random[0] == rows[i].random, "row %zu", i);
        check_row(hello.random[31] == rows[i].random, "row %zu", i);
    }
}

static void test_other_extension_id(void **state)
{
    static const struct hellos here = {.preference = "me", .preference_length = 2, .extension_id = 65001};
    static const struct hellos there = {.preference = "me", .preference_length = 2};
    static uint8_t message[HELLOS_SIZE];
    size_t length = hellos_message(message, &here);
    struct hello hello;

    (void)state;
    assert_int_equal(read_exactly(message, length, 65001, &hello), HELLO_FOUND);
    assert_memory_equal(hello.preference, "me", 2);
    assert_int_equal(read_exactly(message, length, HELLO_EXTENSION_ID, &hello), HELLO_ABSENT);
    length = hellos_message(message, &there);
    assert_int_equal(read_exactly(message, length, 65001, &hello), HELLO_ABSENT);
}

/* ---- The value ---- */

static void test_preference_length(void **state)
{
    static const char long_one[] = "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!";
    struct hello hello;

    (void)state;
    for (size_t length = 0; length <= 40; length++) {
        const struct hellos hellos = {.preference = long_one, .preference_length = length};
        enum hello_result expected = length >= 1 && length <= 32 ? HELLO_FOUND : HELLO_BAD_PREFERENCE;

        check_row(read_made(&hellos, &hello) == expected, "%zu bytes", length);
        check_row(expected != HELLO_FOUND || hello.preference_length == length, "%zu bytes", length);
    }
}

/* Each byte, in front, in the middle and at the end of a value. */
static void test_preference_bytes(void **state)
{
    struct hello hello;

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 3; place++) {
            uint8_t value[] = "abc";
            const struct hellos hellos = {.preference = value, .preference_length = 3};
            enum hello_result expected = byte >= 33 && byte <= 126 ? HELLO_FOUND : HELLO_BAD_PREFERENCE;

            value[place] = (uint8_t)byte;
            check_row(read_made(&hellos, &hello) == expected, "byte %u at %zu", byte, place);
        }
    }
}

static void test_preference_twice(void **state)
{
    struct hellos hellos = {.preference = "abc", .preference_length = 3, .twice = true};
    struct hello hello;

    (void)state;
    assert_int_equal(read_made(&hellos, &hello), HELLO_BAD_PREFERENCE);
    hellos.preference_first = true; /* not side by side */
    assert_int_equal(read_made(&hellos, &hello), HELLO_BAD_PREFERENCE);
    hellos.size = 1000;
    assert_int_equal(read_made(&hellos, &hello), HELLO_BAD_PREFERENCE);
    hellos.preference_length = 0;
    assert_int_equal(read_made(&hellos, &hello), HELLO_BAD_PREFERENCE);
}

/* ---- Cut short ---- */

static void test_cut_is_more(void **state)
{
    static const struct hellos rows[] = {
        {.preference = thirty_two, .preference_length = 32},
        {.preference = "", .preference_length = 0}, /* not even what is malformed is told too early */
        {.preference = "!", .preference_length = 1, .twice = true, .preference_first = true},
        {.random = 22},
        {.bare = true},
        {.field = FIELD_EXTENSIONS, .lie = 1},
        {.field = FIELD_MESSAGE, .lie = 1},
    };
    static uint8_t message[HELLOS_SIZE];
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length = hellos_message(message, &rows[i]);

        for (size_t cut = 0; cut < length; cut++)
            check_row(read_exactly(message, cut, HELLO_EXTENSION_ID, &hello) == HELLO_MORE, "row %zu, %zu bytes", i,
                      cut);
    }
}

static void test_too_large(void **state)
{
    static uint8_t message[HELLOS_SIZE];
    const struct hellos hellos = {.preference = "!", .preference_length = 1, .size = HELLO_SIZE_MAX + 1};
    size_t length = hellos_message(message, &hellos);
    struct hello hello;

    (void)state;
    assert_int_equal(length, HELLO_SIZE_MAX + 1);
    assert_int_equal(read_exactly(message, length, HELLO_EXTENSION_ID, &hello), HELLO_MALFORMED);
    assert_int_equal(hello.size, HELLO_SIZE_MAX + 1);
    for (size_t cut = 0; cut < 200; cut++) /* its header says so: nobody has to wait for the rest */
        assert_int_equal(read_exactly(message, cut, HELLO_EXTENSION_ID, &hello),
                         cut < 4 ? HELLO_MORE : HELLO_MALFORMED);
    assert_int_equal(read_exactly((const uint8_t *)"\1\xff\xff\xff", 4, HELLO_EXTENSION_ID, &hello), HELLO_MALFORMED);
    assert_int_equal(hello.size, 0x1000003);
}

/* ---- Tampered with ---- */

static void test_other_type(void **state)
{
    static uint8_t message[HELLOS_SIZE];
    const struct hellos hellos = {.preference = "!", .preference_length = 1};
    size_t length = hellos_message(message, &hellos);
    struct hello hello;

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        enum hello_result expected = type == HANDSHAKE_CLIENT_HELLO ? HELLO_FOUND : HELLO_MALFORMED;

        message[0] = (uint8_t)type;
        check_row(read_exactly(message, length, HELLO_EXTENSION_ID, &hello) == expected, "type %u", type);
    }
}

/* A length field that says anything but the truth; bytes enough follow that nothing is merely incomplete. */
static void test_lying_lengths(void **state)
{
    static const int lies[] = {-200, -100, -36, -35, -34, -33, -32, -8, -5, -4, -3, -2, -1,
                               1,      2,    3,    4,   5,   8,   32,  33,  100, 200, 40000};
    static const struct hellos bases[] = {
        {.preference = thirty_two, .preference_length = 32},
        {.preference = thirty_two, .preference_length = 32, .preference_first = true},
        {.preference = thirty_two, .preference_length = 32, .size = 1000},
    };
    static uint8_t message[HELLOS_SIZE];
    struct hello hello;

    (void)state;
    for (size_t base = 0; base < COUNT(bases); base++)
        for (int field = FIELD_MESSAGE; field < FIELD_COUNT; field++)
            for (size_t i = 0; i < COUNT(lies); i++) {
                struct hellos hellos = bases[base];
                size_t length;

                hellos.field = (enum hellos_field)field;
                hellos.lie = lies[i];
                length = hellos_message(message, &hellos);
                memset(message + length, 0xaa, HELLO_SIZE_MAX);
                check_row(read_exactly(message, length + HELLO_SIZE_MAX, HELLO_EXTENSION_ID, &hello) ==
                              HELLO_MALFORMED,
                          "hello %zu, field %d, lie %d", base, field, lies[i]);
            }
}

/* The bounds of RFC 8446 section 4.1.2 on what stands in front of the extensions. */
static void test_bounds(void **state)
{
    static const struct {
        const char *what;
        const char *tail; /* behind legacy_version and Random */
        size_t length;
        enum hello_result result;
    } rows[] = {
        {"least", "\0" "\0\2ab" "\1\0", 7, HELLO_ABSENT},
        {"empty extensions block", "\0" "\0\2ab" "\1\0" "\0\0", 9, HELLO_ABSENT},
        {"one empty extension", "\0" "\0\2ab" "\1\0" "\0\4\0\x17\0\0", 13, HELLO_ABSENT},
        {"no cipher suites", "\0" "\0\0" "\1\0", 5, HELLO_MALFORMED},
        {"half a cipher suite", "\0" "\0\1a" "\1\0", 6, HELLO_MALFORMED},
        {"one and a half", "\0" "\0\3abc" "\1\0", 8, HELLO_MALFORMED},
        {"no compression method", "\0" "\0\2ab" "\0", 6, HELLO_MALFORMED},
        {"nothing", "", 0, HELLO_MALFORMED},
        {"session id of 32", "\x20" "abcdefghijklmnopqrstuvwxyzabcdef" "\0\2ab" "\1\0", 39, HELLO_ABSENT},
        {"session id of 33", "\x21" "abcdefghijklmnopqrstuvwxyzabcdefg" "\0\2ab" "\1\0", 40, HELLO_MALFORMED},
        {"half an extensions block", "\0" "\0\2ab" "\1\0" "\0", 8, HELLO_MALFORMED},
        {"half an extension", "\0" "\0\2ab" "\1\0" "\0\2\0\x17", 11, HELLO_MALFORMED},
        {"a byte behind them", "\0" "\0\2ab" "\1\0" "\0\0" "x", 10, HELLO_MALFORMED},
        {"a misshapen one behind ours", "\0" "\0\2ab" "\1\0" "\0\7\xff\x53\0\1!\0\x17", 16, HELLO_MALFORMED},
        {"a misshapen one behind a bad one", "\0" "\0\2ab" "\1\0" "\0\6\xff\x53\0\0\0\x17", 15, HELLO_MALFORMED},
    };
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t message[128] = {1, 0, 0, 0, 3, 3};

        message[3] = (uint8_t)(34 + rows[i].length);
        memcpy(message + 38, rows[i].tail, rows[i].length);
        check_row(read_exactly(message, 38 + rows[i].length, HELLO_EXTENSION_ID, &hello) == rows[i].result, "%s",
                  rows[i].what);
        check_row(hello.size == 38 + rows[i].length, "%s", rows[i].what);
    }
}

/* ---- In datagrams: the body alone, and with a cookie ---- */

static enum hello_result read_body_exactly(const uint8_t *bytes, size_t length, struct hello *hello)
{
    uint8_t *copy = hellos_exactly(bytes, length);
    enum hello_result result = hello_read_datagram(copy, length, HELLO_EXTENSION_ID, hello);

    move(hello, copy, bytes);
    return result;
}

static const size_t cookie_lengths[] = {0, 1, 20, 32, 254, 255};

static void test_datagram(void **state)
{
    static const struct {
        struct hellos hellos;
        enum hello_result result;
    } rows[] = {
        {{.preference = thirty_two, .preference_length = 32, .random = 0x5a}, HELLO_FOUND},
        {{.preference = "!", .preference_length = 1, .preference_first = true, .size = 15000}, HELLO_FOUND},
        {{.random = 7}, HELLO_ABSENT},
        {{.bare = true}, HELLO_ABSENT},
        {{.preference = "!", .preference_length = 1, .extension_id = HELLO_EXTENSION_ID + 1}, HELLO_ABSENT},
        {{.preference = ""}, HELLO_BAD_PREFERENCE},
        {{.preference = "!", .preference_length = 1, .twice = true}, HELLO_BAD_PREFERENCE},
        {{.field = FIELD_EXTENSIONS, .lie = 1}, HELLO_MALFORMED},
        {{.field = FIELD_SESSION_ID, .lie = 1}, HELLO_MALFORMED},
    };
    static uint8_t body[HELLOS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t j = 0; j < COUNT(cookie_lengths); j++) {
            size_t length = hellos_dtls_body(body, &rows[i].hellos, cookie_lengths[j], 0);
            struct hello hello;

            check_row(read_body_exactly(body, length, &hello) == rows[i].result, "row %zu, cookie %zu", i, j);
            check_row(hello.size == length, "row %zu, cookie %zu", i, j);
            if (rows[i].result != HELLO_FOUND && rows[i].result != HELLO_ABSENT)
                continue;
            check_row(hello.cookie_length == cookie_lengths[j], "row %zu, cookie %zu", i, j);
            check_row(hello.random == body + 2 && *hello.random == rows[i].hellos.random, "row %zu, cookie %zu", i, j);
            check_row(hello.preference_length == (rows[i].result == HELLO_FOUND ? rows[i].hellos.preference_length : 0),
                      "row %zu, cookie %zu", i, j);
            check_row(hello.preference_length == 0 ||
                          memcmp(hello.preference, rows[i].hellos.preference, hello.preference_length) == 0,
                      "row %zu, cookie %zu", i, j);
        }
}

/* It is said to be whole: what is cut is malformed, and never waited for. It may end behind the compression methods. */
static void test_datagram_cut(void **state)
{
    static const struct hellos hellos = {.preference = thirty_two, .preference_length = 32};
    static const struct hellos bare = {.bare = true};
    static uint8_t body[HELLOS_SIZE];
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(cookie_lengths); i++) {
        size_t least = hellos_dtls_body(body, &bare, cookie_lengths[i], 0);
        size_t length = hellos_dtls_body(body, &hellos, cookie_lengths[i], 0);

        for (size_t cut = 0; cut < length; cut++)
            check_row(read_body_exactly(body, cut, &hello) == (cut == least ? HELLO_ABSENT : HELLO_MALFORMED),
                      "cookie %zu, %zu bytes", i, cut);
        body[length] = 0; /* nor is anything behind it */
        check_row(read_body_exactly(body, length + 1, &hello) == HELLO_MALFORMED, "cookie %zu", i);
    }
}

static void test_datagram_cookie_lies(void **state)
{
    static const struct hellos hellos = {.preference = thirty_two, .preference_length = 32};
    static uint8_t body[HELLOS_SIZE];
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(cookie_lengths); i++)
        for (int lie = -(int)cookie_lengths[i]; (int)cookie_lengths[i] + lie < 256; lie++) {
            size_t length = hellos_dtls_body(body, &hellos, cookie_lengths[i], lie);

            check_row(read_body_exactly(body, length, &hello) == (lie ? HELLO_MALFORMED : HELLO_FOUND), "cookie %zu, lie %d",
                      i, lie);
        }
}

/* The beginning of a hello is enough for its cookie. */
static void test_cookie_of_beginning(void **state)
{
    static const struct hellos hellos = {.preference = thirty_two, .preference_length = 32};
    enum { BEFORE = 2 + HELLO_RANDOM_SIZE + 1 + 32 + 1 }; /* the session id, and how long the cookie is */
    static uint8_t body[HELLOS_SIZE];
    size_t found;

    (void)state;
    for (size_t i = 0; i < COUNT(cookie_lengths); i++) {
        size_t length = hellos_dtls_body(body, &hellos, cookie_lengths[i], 0);

        for (size_t cut = 0; cut <= length; cut++) {
            uint8_t *copy = hellos_exactly(body, cut);

            check_row(hello_read_cookie(copy, cut, &found) == (cut >= BEFORE + cookie_lengths[i]), "cookie %zu, %zu bytes",
                      i, cut);
            check_row(cut < BEFORE + cookie_lengths[i] || found == cookie_lengths[i], "cookie %zu, %zu bytes", i, cut);
            free(copy);
        }
    }
    for (unsigned size = 0; size < 256; size++) { /* of the session id */
        memset(body, 0, 600);
        body[2 + HELLO_RANDOM_SIZE] = (uint8_t)size;
        check_row(hello_read_cookie(body, 600, &found) == (size <= 32), "session id of %u", size);
    }
}

/* A stream's hello has no cookie, and what is there is not taken for one. */
static void test_stream_has_no_cookie(void **state)
{
    static const struct hellos hellos = {.preference = thirty_two, .preference_length = 32};
    static uint8_t message[HELLOS_SIZE];
    size_t length = hellos_message(message, &hellos);
    struct hello hello;

    (void)state;
    assert_int_equal(read_exactly(message, length, HELLO_EXTENSION_ID, &hello), HELLO_FOUND);
    assert_int_equal(hello.cookie_length, 0);
    assert_int_equal(read_body_exactly(message + 4, length - 4, &hello), HELLO_MALFORMED);
}

/* ---- What real programs send ---- */

static void test_vectors(void **state)
{
    static const struct {
        const char *name;
        enum hello_result result;
    } rows[] = {
        {"openssl-tls13.bin", HELLO_ABSENT},   {"openssl-tls12.bin", HELLO_ABSENT},
        {"gnutls-tls13.bin", HELLO_ABSENT},    {"gnutls-tls12.bin", HELLO_ABSENT},
        {"gnutls-bare.bin", HELLO_ABSENT},     {"curl.bin", HELLO_ABSENT},
        {"symmetric-tls13.bin", HELLO_FOUND},  {"symmetric-tls12.bin", HELLO_FOUND},
        {"server-hello-tls13.bin", HELLO_MALFORMED},
    };
    static uint8_t records[HELLOS_SIZE];
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint8_t *message = records + 5; /* it is all in one record */
        size_t length = hellos_vector(records, rows[i].name);

        check_row(length > 5 && records[0] == 22, "%s", rows[i].name);
        length -= 5;
        check_row(read_exactly(message, length, HELLO_EXTENSION_ID, &hello) == rows[i].result, "%s", rows[i].name);
        check_row(hello.size == length, "%s", rows[i].name);
        if (rows[i].result == HELLO_MALFORMED)
            continue;
        check_row(hello.random == message + 6, "%s", rows[i].name);
        check_row(rows[i].result != HELLO_FOUND ||
                      (hello.preference_length == 32 && memcmp(hello.preference, thirty_two, 32) == 0),
                  "%s", rows[i].name);
        for (size_t cut = 0; cut < length; cut++)
            check_row(read_exactly(message, cut, HELLO_EXTENSION_ID, &hello) == HELLO_MORE, "%s, %zu bytes",
                      rows[i].name, cut);
    }
}

static void test_datagram_vectors(void **state)
{
    static const char *const names[] = {"openssl-dtls12.bin", "gnutls-dtls12.bin"};
    static uint8_t datagram[HELLOS_SIZE];
    const uint8_t *body = datagram + RECORD_HEADER + FRAGMENT_HEADER;
    struct hello hello;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t length = hellos_vector(datagram, names[i]);

        check_row(length > RECORD_HEADER + FRAGMENT_HEADER && datagram[0] == 22, "%s", names[i]);
        length -= RECORD_HEADER + FRAGMENT_HEADER; /* it is all in one record */
        check_row(read_body_exactly(body, length, &hello) == HELLO_ABSENT, "%s", names[i]);
        check_row(hello.random == body + 2 && hello.cookie_length == 0 && hello.size == length, "%s", names[i]);
        check_row(body[2 + HELLO_RANDOM_SIZE] == 0, "%s: no session id", names[i]);
        for (size_t cut = 0; cut < length; cut++) {
            bool is_bare = cut > 38 && cut == 40 + (size_t)(body[36] << 8 | body[37]); /* behind one compression method */

            check_row(read_body_exactly(body, cut, &hello) == (is_bare ? HELLO_ABSENT : HELLO_MALFORMED), "%s, %zu bytes",
                      names[i], cut);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_other_extension_id),
        cmocka_unit_test(test_preference_length),
        cmocka_unit_test(test_preference_bytes),
        cmocka_unit_test(test_preference_twice),
        cmocka_unit_test(test_cut_is_more),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_other_type),
        cmocka_unit_test(test_lying_lengths),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_datagram),
        cmocka_unit_test(test_datagram_cut),
        cmocka_unit_test(test_datagram_cookie_lies),
        cmocka_unit_test(test_cookie_of_beginning),
        cmocka_unit_test(test_stream_has_no_cookie),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_datagram_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
