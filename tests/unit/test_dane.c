/* test_dane.c - TLSA records out of lines of a zone file: what is one, whose it is, and what is said against the rest. */
#include "check.h"
#include "dane.h"
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Whose records ---- */

static void test_owner(void **state)
{
    static const struct {
        const char *host, *port, *protocol, *owner; /* NULL: refused */
    } table[] = {
        {"bob.example", "4433", "tcp", "_4433._tcp.bob.example"},
        {"bob.example.", "4433", "udp", "_4433._udp.bob.example"},
        {"Bob", "65535", "sctp", "_65535._sctp.Bob"},
        {"bob", "0443", "tcp", "_443._tcp.bob"},
        {"bob", "https", "tcp", "_443._tcp.bob"},
        {"bob", "https", "udp", "_443._udp.bob"},
        {"bob", "no-such-service", "tcp", NULL},
        {"bob", "65536", "tcp", NULL},
        {"bob", "", "tcp", NULL},
        {".", "1", "tcp", NULL},
        {"", "1", "tcp", NULL},
    };
    char name[DANE_HOST_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error = {0};
        struct dane dane;
        bool good = dane_init(&dane, table[i].host, table[i].port, table[i].protocol, &error);

        check_row(good == (table[i].owner != NULL), "row %zu: %s", i, error.story);
        check_row(!good || strcmp(dane.owner, table[i].owner) == 0, "row %zu: %s", i, dane.owner);
        check_row(good || error.status == STATUS_LOCAL, "row %zu", i);
        dane_free(&dane);
    }
    for (size_t length = DANE_HOST_SIZE - 1; length <= DANE_HOST_SIZE; length++) {
        struct error error = {0};
        struct dane dane;

        memset(name, 'a', length);
        name[length] = '\0';
        assert_int_equal(dane_init(&dane, name, "65535", "sctp", &error), length < DANE_HOST_SIZE);
        if (length < DANE_HOST_SIZE)
            assert_int_equal(strlen(dane.owner), length + strlen("_65535._sctp."));
    }
}

/* ---- Lines ---- */

/* Read them for bob.example, tcp port 4433, from memory that ends where they end. */
static bool read_text(struct dane *dane, const char *text, size_t length, struct error *error)
{
    char *copy = malloc(length ? length : 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy, text, length);
    memset(error, 0, sizeof *error);
    assert_true(dane_init(dane, "bob.example", "4433", "tcp", error));
    good = dane_parse(dane, "zone", copy, length, error);
    free(copy);
    return good;
}

/* "3 1 1 ab01, ..." */
static const char *records(const struct dane *dane)
{
    static char text[4096];

    text[0] = '\0';
    for (size_t i = 0; i < dane->count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u %u %u ", i ? ", " : "", dane->records[i].usage,
                 dane->records[i].selector, dane->records[i].matching);
        for (size_t j = 0; j < dane->records[i].size; j++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%02x", dane->records[i].data[j]);
    }
    return text;
}

#define BOB "_4433._tcp.bob.example"

static void test_right(void **state)
{
    static const struct {
        const char *text, *records;
    } table[] = {
        {BOB ". IN TLSA 3 1 1 ab01\n", "3 1 1 ab01"},
        {BOB " IN TLSA 3 1 1 ab01", "3 1 1 ab01"},
        {BOB " TLSA 3 1 1 AB01", "3 1 1 ab01"},
        {BOB ". 3600 IN TLSA 3 1 1 ab01\n", "3 1 1 ab01"},
        {BOB ". IN 3600 TLSA 3 1 1 ab01\n", "3 1 1 ab01"},
        {BOB ". 3600 TLSA 3 1 1 ab01\n", "3 1 1 ab01"},
        {"_4433._TCP.BOB.example. in tlsa 3 1 1 ab01\r\n", "3 1 1 ab01"},
        {"_04433._tcp.bob.example. IN TLSA 3 1 1 ab01\n", "3 1 1 ab01"},
        {BOB "\t\tIN\tTLSA  3 1\t1  ab 0 1 0  2\t03 \t ; a comment\n", "3 1 1 ab010203"},
        {BOB " IN TLSA 3 1 1 ab;cd\n", "3 1 1 ab"},
        {"; nothing\n\n   \n\t; nothing\n\r\n" BOB " TLSA 0 0 0 00\n" BOB " TLSA 255 254 253 ff\n", "0 0 0 00, 255 254 253 ff"},
        {"", ""},
        {"\n\n;", ""},
        {";" BOB " TLSA 3 1 1 ab\n", ""},
        /* of others */
        {"_4434._tcp.bob.example TLSA 3 1 1 ab\n", ""},
        {"_443._tcp.bob.example TLSA 3 1 1 ab\n", ""},
        {"_4433._udp.bob.example TLSA 3 1 1 ab\n", ""},
        {"_4433._sctp.bob.example TLSA 3 1 1 ab\n", ""},
        {"_4433._tcp.alice.example TLSA 3 1 1 ab\n", ""},
        {"_4433._tcp.bob.example.com TLSA 3 1 1 ab\n", ""},
        {"_4433._tcp.bob TLSA 3 1 1 ab\n", ""},
        {"_4433._tcp.bob.exampl TLSA 3 1 1 ab\n" BOB " TLSA 3 1 1 cd\n_1._tcp.b TLSA 1 2 3 ef\n", "3 1 1 cd"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error;
        struct dane dane;

        check_row(read_text(&dane, table[i].text, strlen(table[i].text), &error), "row %zu: %s", i, error.story);
        check_row(strcmp(records(&dane), table[i].records) == 0, "row %zu: %s", i, records(&dane));
        check_row(error.status == STATUS_OK, "row %zu", i);
        dane_free(&dane);
    }
}

static void test_wrong(void **state)
{
    static const char name[] = "begin with a name", behind[] = "behind the name", three[] = "three numbers",
                      hexadecimal[] = "hexadecimal", half[] = "within a byte", missing[] = "missing";
    static const struct {
        const char *line, *words;
    } table[] = {
        {" IN TLSA 3 1 1 ab", name}, /* the name of the line before */
        {"bob.example. IN TLSA 3 1 1 ab", name},
        {"bob.example. IN A 192.0.2.1", name},
        {"$ORIGIN example.", name},
        {"@ IN TLSA 3 1 1 ab", name},
        {"*._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_4433 IN TLSA 3 1 1 ab", name},
        {"_4433. IN TLSA 3 1 1 ab", name},
        {"_4433._tcp IN TLSA 3 1 1 ab", name},
        {"_4433._tcp. IN TLSA 3 1 1 ab", name},
        {"_4433._tcp.. IN TLSA 3 1 1 ab", name},
        {"_._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_x._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_-1._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_65536._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_99999999999999999999._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"4433._tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_4433._dccp.bob.example IN TLSA 3 1 1 ab", name},
        {"_4433.tcp.bob.example IN TLSA 3 1 1 ab", name},
        {"_4433._tcp.\"bob\".example IN TLSA 3 1 1 ab", name},
        {"_4433._tcp.bob\\.example IN TLSA 3 1 1 ab", name},
        {"_4433._tcp.b\xc3\xb6" "b.example IN TLSA 3 1 1 ab", name},
        {BOB, behind},
        {BOB ".", behind},
        {BOB " IN", behind},
        {BOB " IN A 192.0.2.1", behind},
        {BOB " IN IN TLSA 3 1 1 ab", behind},
        {BOB " 1 2 TLSA 3 1 1 ab", behind},
        {BOB " -1 TLSA 3 1 1 ab", behind},
        {BOB " 1h TLSA 3 1 1 ab", behind},
        {BOB " 2147483648 TLSA 3 1 1 ab", behind},
        {BOB " CH TLSA 3 1 1 ab", behind},
        {BOB " IN TLS 3 1 1 ab", behind},
        {BOB " IN TLSA", three},
        {BOB " IN TLSA 3", three},
        {BOB " IN TLSA 3 1", three},
        {BOB " IN TLSA 256 1 1 ab", three},
        {BOB " IN TLSA 3 256 1 ab", three},
        {BOB " IN TLSA 3 1 256 ab", three},
        {BOB " IN TLSA -3 1 1 ab", three},
        {BOB " IN TLSA DANE-EE SPKI SHA2-256 ab", three},
        {BOB " IN TLSA 3 1 0x1 ab", three},
        {BOB " IN TLSA 99999999999999999999 1 1 ab", three},
        {BOB " IN TLSA 3 1 1", missing},
        {BOB " IN TLSA 3 1 1 ; ab", missing},
        {BOB " IN TLSA 3 1 1 a", half},
        {BOB " IN TLSA 3 1 1 ab c", half},
        {BOB " IN TLSA 3 1 1 ag", hexadecimal},
        {BOB " IN TLSA 3 1 1 0xab", hexadecimal},
        {BOB " IN TLSA 3 1 1 ( ab", hexadecimal},
        {BOB " IN TLSA 3 1 1 ab:cd", hexadecimal},
        {BOB " IN TLSA 3 1 1 \xff\xff", hexadecimal},
        {"_1._tcp.of.others IN TLSA 3 1 1 x", hexadecimal}, /* what is not ours has to be right too */
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error;
        struct dane dane;

        snprintf(text, sizeof text, BOB " TLSA 3 1 1 ab\n\n%s\n" BOB " TLSA 3 1 1 cd\n", table[i].line);
        check_row(!read_text(&dane, text, strlen(text), &error), "row %zu: %s", i, table[i].line);
        check_row(error.status == STATUS_LOCAL && has(error.story, "zone:3: ") && has(error.story, table[i].words),
                  "row %zu: %s", i, error.story);
        dane_free(&dane);
    }
}

/* A zero ends no name and no number. */
static void test_zeros(void **state)
{
    static const char good[] = BOB " IN TLSA 3 1 1 abcd\n";
    char text[sizeof good];

    (void)state;
    for (size_t i = 0; i < sizeof good - 1; i++) {
        struct error error;
        struct dane dane;

        memcpy(text, good, sizeof good);
        text[i] = '\0';
        check_row(!read_text(&dane, text, sizeof good - 1, &error), "a zero at %zu", i);
        check_row(dane.count == 0, "a zero at %zu", i);
        dane_free(&dane);
    }
}

/* Cut anywhere, or with anything in it: no crash, and never another record than the text has. */
static void test_cut_and_tampered(void **state)
{
    static const char good[] = BOB ". 60 IN TLSA 3 1 1 abcd ; x\n" BOB " TLSA 2 0 1 ef\n";
    char text[sizeof good];
    uint32_t random = 1;

    (void)state;
    for (size_t length = 0; length < sizeof good; length++) {
        struct error error;
        struct dane dane;
        bool read = read_text(&dane, good, length, &error);

        check_row(read || error.status == STATUS_LOCAL, "%zu", length);
        check_row(!read || dane.count <= 2, "%zu", length);
        dane_free(&dane);
    }
    for (unsigned i = 0; i < 20000; i++) {
        struct error error;
        struct dane dane;

        memcpy(text, good, sizeof good);
        for (unsigned j = 0; j <= i % 4; j++)
            text[next_random(&random) % (sizeof good - 1)] = (char)next_random(&random);
        read_text(&dane, text, sizeof good - 1, &error);
        check_row(dane.count <= 2 + 4, "%u", i);
        dane_free(&dane);
    }
}

static void test_a_name_of_any_length(void **state)
{
    char line[8192];
    struct error error;
    struct dane dane;

    (void)state;
    for (size_t length = 1; length < 8000; length += 37) {
        char host[8001];

        memset(host, 'h', length);
        host[length] = '\0';
        snprintf(line, sizeof line, "_4433._tcp.%s TLSA 3 1 1 ab\n", host);
        check_row(read_text(&dane, line, strlen(line), &error) && dane.count == 0, "%zu: %s", length, error.story);
        dane_free(&dane);
    }
}

/* ---- Files ---- */

static void test_files(void **state)
{
    struct dane dane;
    struct error error = {0};

    (void)state;
    file_put(scratch_path("zone"), "; ours\n" BOB " TLSA 3 1 1 ab\n", 0644);
    assert_true(dane_init(&dane, "bob.example", "4433", "tcp", &error));
    assert_true(dane_read(&dane, scratch_path("zone"), &error));
    assert_string_equal(records(&dane), "3 1 1 ab");
    assert_true(has(dane.source, "zone"));
    dane_free(&dane);

    assert_true(dane_init(&dane, "alice.example", "4433", "tcp", &error));
    assert_false(dane_read(&dane, scratch_path("zone"), &error));
    assert_int_equal(error.status, STATUS_UNKNOWN);
    assert_true(has(error.story, "no TLSA record of _4433._tcp.alice.example in"));
    dane_free(&dane);

    error_clear(&error);
    assert_true(dane_init(&dane, "bob.example", "4433", "tcp", &error));
    assert_false(dane_read(&dane, scratch_path("missing"), &error));
    assert_int_equal(error.status, STATUS_LOCAL);
    assert_true(has(error.story, "missing"));
    dane_free(&dane);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owner),
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_cut_and_tampered),
        cmocka_unit_test(test_a_name_of_any_length),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
