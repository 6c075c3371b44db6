/* test_role_value.c - the values of a role_preference: how they are made, read, and put in order. */
#include "check.h"
#include "roles.h"

#include <stdio.h>
#include <string.h>

static uint8_t script[64];     /* what the random source says, over and over */
static size_t script_length;
static size_t script_said;
static size_t script_fails_at; /* it fails when it has said so many bytes */

static bool scripted(void *bytes, size_t length)
{
    uint8_t *at = bytes;

    while (length--) {
        if (script_said == script_fails_at)
            return false;
        *at++ = script[script_said++ % script_length];
    }
    return true;
}

static void set_script(size_t fails_at, size_t length, const uint8_t *bytes)
{
    memcpy(script, bytes, length);
    script_length = length;
    script_said = 0;
    script_fails_at = fails_at;
}

static bool counting(void *bytes, size_t length)
{
    static uint8_t next;
    uint8_t *at = bytes;

    while (length--)
        *at++ = next++;
    return true;
}

static void test_make(void **state)
{
    static const struct {
        enum role_want want;
        size_t length;
        uint8_t least, most; /* of the first byte */
        uint8_t rest;        /* 0: random */
    } rows[] = {
        {ROLE_WANT_CLIENT, 1, 33, 33, 0},         {ROLE_WANT_PREFER_CLIENT, 32, 34, 34, 0},
        {ROLE_WANT_ANY, 32, 35, 124, 0},          {ROLE_WANT_PREFER_SERVER, 32, 125, 125, 0},
        {ROLE_WANT_SERVER, 32, 126, 126, 126},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int again = 0; again < 2000; again++) {
            struct role_preference made;

            assert_true(role_preference_make(&made, rows[i].want, counting));
            check_row(made.length == rows[i].length, "row %zu", i);
            check_row(made.value[0] >= rows[i].least && made.value[0] <= rows[i].most, "row %zu", i);
            for (size_t j = 1; j < made.length; j++) {
                check_row(made.value[j] >= 33 && made.value[j] <= 126, "row %zu, byte %zu", i, j);
                check_row(!rows[i].rest || made.value[j] == rows[i].rest, "row %zu, byte %zu", i, j);
            }
        }
}

/* From a source that says each byte equally often, each value comes equally often. */
static void test_make_is_uniform(void **state)
{
    unsigned seen[256] = {0};

    (void)state;
    for (int i = 0; i < 188; i++) { /* 94 values twice: so many of 256 bytes are good */
        struct role_preference made;

        assert_true(role_preference_make(&made, ROLE_WANT_PREFER_CLIENT, counting));
        for (size_t j = 1; j < made.length; j++)
            seen[made.value[j]]++;
    }
    for (unsigned i = 0; i < 256; i++)
        check_row(seen[i] == (i >= 33 && i <= 126 ? 2 * 31 : 0), "value %u came %u times", i, seen[i]);
}

/* The first byte of `any`: 90 values, each of two bytes; the other 76 bytes are thrown away. */
static void test_first_byte_is_uniform(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t bytes[33] = {(uint8_t)byte, 1};
        struct role_preference made;

        set_script(SIZE_MAX, sizeof bytes, bytes);
        assert_true(role_preference_make(&made, ROLE_WANT_ANY, scripted));
        check_row(made.value[0] == (byte < 180 ? 35 + byte % 90 : 36), "byte %u: %u", byte, made.value[0]);
        check_row(script_said == (byte < 180 ? 32 : 33), "byte %u", byte);
    }
}

static void test_no_random(void **state)
{
    const uint8_t byte = 5;
    struct role_preference made;

    (void)state;
    for (size_t at = 0; at < 32; at++) {
        set_script(at, 1, &byte);
        check_row(!role_preference_make(&made, ROLE_WANT_ANY, scripted), "at %zu", at);
        set_script(at, 1, &byte);
        check_row(role_preference_make(&made, ROLE_WANT_PREFER_CLIENT, scripted) == (at > 30), "at %zu", at);
        set_script(at, 1, &byte);
        check_row(role_preference_make(&made, ROLE_WANT_PREFER_SERVER, scripted) == (at > 30), "at %zu", at);
    }
    set_script(0, 1, &byte); /* who insists needs none */
    assert_true(role_preference_make(&made, ROLE_WANT_CLIENT, scripted));
    assert_true(role_preference_make(&made, ROLE_WANT_SERVER, scripted));
}

/* Insisting beats preferring beats neutral, however the dice fall. */
static void test_order_of_kinds(void **state)
{
    static const enum role_want order[] = {ROLE_WANT_CLIENT, ROLE_WANT_PREFER_CLIENT, ROLE_WANT_ANY,
                                           ROLE_WANT_PREFER_SERVER, ROLE_WANT_SERVER};
    const uint8_t lowest = 0, highest_of_90 = 179, highest_of_94 = 187;
    uint8_t highest[32];

    (void)state;
    memset(highest, highest_of_94, sizeof highest);
    highest[0] = highest_of_90;
    for (size_t i = 0; i < COUNT(order); i++)
        for (size_t j = i + 1; j < COUNT(order); j++) {
            struct role_preference low, high;

            set_script(SIZE_MAX, sizeof highest, highest);
            assert_true(role_preference_make(&low, order[i], scripted));
            set_script(SIZE_MAX, 1, &lowest);
            assert_true(role_preference_make(&high, order[j], scripted));
            check_row(role_preference_compare(&low, &high) < 0, "%s, %s", want_names[order[i]], want_names[order[j]]);
            check_row(role_preference_compare(&high, &low) > 0, "%s, %s", want_names[order[i]], want_names[order[j]]);
        }
}

static struct role_preference preference_of(const char *text)
{
    struct role_preference preference = {.length = strlen(text)};

    memcpy(preference.value, text, preference.length);
    return preference;
}

static void test_compare(void **state)
{
    static const struct {
        const char *low, *high;
    } rows[] = {
        {"", "!"},     {"!", "\""},        {"a", "b"},           {"a", "ab"},          {"ab", "b"},
        {"az", "b"},   {"a", "a!"},        {"\x7f", "\x80"},     {"!", "\xff"},        {"\xfe", "\xff"},
        {"aZ", "aa"},  {"}~~~~~~~~~", "~"}, {"!", "!!!!!!!!!!!!"}, {"~", "~~"},
        {"M4ny-equals-meet-and-one-is-firs", "M4ny-equals-meet-and-one-is-firt"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct role_preference low = preference_of(rows[i].low), high = preference_of(rows[i].high);

        memset(low.value + low.length, '~', sizeof low.value - low.length); /* what is behind does not count */
        check_row(role_preference_compare(&low, &high) < 0, "%s, %s", rows[i].low, rows[i].high);
        check_row(role_preference_compare(&high, &low) > 0, "%s, %s", rows[i].low, rows[i].high);
        check_row(role_preference_compare(&low, &low) == 0, "%s", rows[i].low);
        high = preference_of(rows[i].low);
        check_row(role_preference_compare(&low, &high) == 0, "%s", rows[i].low);
    }
}

static void test_parse(void **state)
{
    char text[40];

    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct role_preference parsed = {.length = 99};

        memset(text, '!' + (int)length, length);
        text[length] = '\0';
        check_row(role_preference_parse(&parsed, text) == (length >= 1 && length <= 32), "%zu bytes", length);
        if (length >= 1 && length <= 32)
            check_row(parsed.length == length && memcmp(parsed.value, text, length) == 0, "%zu bytes", length);
    }
    for (int byte = 1; byte < 256; byte++) {
        struct role_preference parsed;

        snprintf(text, sizeof text, "ab%c", byte);
        check_row(role_preference_parse(&parsed, text) == (byte >= 33 && byte <= 126), "byte %d", byte);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_make_is_uniform),
        cmocka_unit_test(test_first_byte_is_uniform),
        cmocka_unit_test(test_no_random),
        cmocka_unit_test(test_order_of_kinds),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
