/* test_framing.c - units are cut out of any stream, in whatever pieces it comes, and survive the way through another one. */
#include "check.h"
#include "framing.h"
#include "helpers.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 10 };

static void test_next(void **state)
{
    static const struct {
        enum framing_kind kind;
        const char *bytes;
        size_t length;
        bool is_last;
        enum framing_result result;
        struct framing_unit unit;
    } cases[] = {
        {FRAMING_READ, "", 0, false, FRAMING_MORE, {0, 0}},
        {FRAMING_READ, "abc", 3, false, FRAMING_UNIT, {0, 3}},
        {FRAMING_READ, "0123456789abc", 13, false, FRAMING_UNIT, {0, 10}},
        {FRAMING_LINE, "", 0, false, FRAMING_MORE, {0, 0}},
        {FRAMING_LINE, "", 0, true, FRAMING_MORE, {0, 0}},
        {FRAMING_LINE, "ab", 2, false, FRAMING_MORE, {0, 2}},
        {FRAMING_LINE, "ab", 2, true, FRAMING_UNIT, {0, 2}},
        {FRAMING_LINE, "ab\ncd\n", 6, false, FRAMING_UNIT, {0, 3}},
        {FRAMING_LINE, "\n\n", 2, false, FRAMING_UNIT, {0, 1}},
        {FRAMING_LINE, "a\0b\n", 4, false, FRAMING_UNIT, {0, 4}},
        {FRAMING_LINE, "012345678\n", 10, false, FRAMING_UNIT, {0, 10}},
        {FRAMING_LINE, "0123456789\n", 11, false, FRAMING_TOO_LONG, {0, 11}},
        {FRAMING_LINE, "0123456789", 10, false, FRAMING_MORE, {0, 10}},
        {FRAMING_LINE, "0123456789a", 11, false, FRAMING_TOO_LONG, {0, 11}},
        {FRAMING_NUL, "a\nb\0c", 5, false, FRAMING_UNIT, {0, 4}},
        {FRAMING_NUL, "a\nb", 3, false, FRAMING_MORE, {0, 3}},
        {FRAMING_LEN16, "", 0, true, FRAMING_MORE, {0, 0}},
        {FRAMING_LEN16, "\0", 1, false, FRAMING_MORE, {0, 1}},
        {FRAMING_LEN16, "\0", 1, true, FRAMING_CUT, {0, 1}},
        {FRAMING_LEN16, "\0\2a", 3, false, FRAMING_MORE, {2, 2}},
        {FRAMING_LEN16, "\0\2a", 3, true, FRAMING_CUT, {2, 2}},
        {FRAMING_LEN16, "\0\2abc", 5, false, FRAMING_UNIT, {2, 2}},
        {FRAMING_LEN16, "\0\0", 2, false, FRAMING_EMPTY, {2, 0}},
        {FRAMING_LEN16, "\0\012", 2, false, FRAMING_MORE, {2, 10}},
        {FRAMING_LEN16, "\0\013", 2, false, FRAMING_TOO_LONG, {2, 11}},
        {FRAMING_LEN16, "\1\0", 2, false, FRAMING_TOO_LONG, {2, 256}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct framing_unit unit;
        enum framing_result result =
            framing_next(cases[i].kind, (const uint8_t *)cases[i].bytes, cases[i].length, cases[i].is_last, MOST, &unit);

        check_row(result == cases[i].result, "row %zu: %d", i, result);
        check_row(unit.skip == cases[i].unit.skip && unit.length == cases[i].unit.length, "row %zu: %zu %zu", i, unit.skip, unit.length);
    }
}

static void expect(struct buffer *buffer, const char *bytes, size_t length)
{
    assert_int_equal(buffer_used(buffer), length);
    if (length)
        assert_memory_equal(buffer_at(buffer), bytes, length);
    buffer_free(buffer);
}

static void test_put(void **state)
{
    static const struct {
        enum framing_kind kind;
        const char *unit;
        size_t length;
        const char *bytes;
        size_t out;
    } cases[] = {
        {FRAMING_READ, "a\n", 2, "a\n", 2},     {FRAMING_LINE, "a\n", 2, "a\n", 2},   {FRAMING_LINE, "a", 1, "a\n", 2},
        {FRAMING_LINE, "\n", 1, "\n", 1},       {FRAMING_NUL, "a\n", 2, "a\n\0", 3},  {FRAMING_NUL, "a\0", 2, "a\0", 2},
        {FRAMING_LEN16, "abc", 3, "\0\3abc", 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out = {0};

        assert_true(framing_put(cases[i].kind, (const uint8_t *)cases[i].unit, cases[i].length, &out));
        expect(&out, cases[i].bytes, cases[i].out);
    }
}

/* Any units, in any pieces, come out as they went in. */
static void test_there_and_back(void **state)
{
    uint32_t random = 5;

    (void)state;
    for (enum framing_kind kind = FRAMING_LINE; kind <= FRAMING_LEN16; kind++) {
        struct buffer all = {0}, in = {0}, out = {0};
        struct framing_unit unit;
        size_t given = 0;

        for (int i = 0; i < 200; i++) {
            size_t length = 1 + next_random(&random) % (MOST - 1);
            uint8_t *bytes = some_data(length, next_random(&random));

            for (size_t j = 0; j < length; j++)
                bytes[j] |= 0x80; /* no delimiter */
            assert_true(framing_put(kind, bytes, length, &all));
            free(bytes);
        }
        while (given < buffer_used(&all)) {
            size_t piece = 1 + next_random(&random) % 30;

            if (piece > buffer_used(&all) - given)
                piece = buffer_used(&all) - given;
            buffer_append(&in, buffer_at(&all) + given, piece);
            given += piece;
            while (framing_next(kind, buffer_at(&in), buffer_used(&in), given == buffer_used(&all), MOST, &unit) == FRAMING_UNIT) {
                assert_true(framing_put(kind, buffer_at(&in) + unit.skip, unit.length, &out));
                buffer_skip(&in, unit.skip + unit.length);
            }
        }
        assert_int_equal(buffer_used(&in), 0);
        expect(&out, (const char *)buffer_at(&all), buffer_used(&all));
        buffer_free(&all);
        buffer_free(&in);
    }
}

/* In one piece, and in every two. */
static void test_crlf(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""}, {"a", "a"}, {"a\n", "a\r\n"}, {"\n", "\r\n"}, {"\n\n", "\r\n\r\n"}, {"a\r\n", "a\r\n"},
        {"\r\n\n", "\r\n\r\n"}, {"a\rb\n", "a\rb\r\n"}, {"\r\r\n", "\r\r\n"}, {"a\r", "a\r"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = strlen(cases[i].in);

        for (size_t cut = 0; cut <= length; cut++) {
            struct buffer out = {0};
            bool after_cr = false;

            assert_true(framing_crlf(&after_cr, (const uint8_t *)cases[i].in, cut, &out));
            assert_true(framing_crlf(&after_cr, (const uint8_t *)cases[i].in + cut, length - cut, &out));
            expect(&out, cases[i].out, strlen(cases[i].out));
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_crlf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
