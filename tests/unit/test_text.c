/* test_text.c - nothing from outside moves the cursor; durations and pins are read and written as documented. */
#include "check.h"
#include "text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- Escaping ---- */

static const struct escape {
    const char *what;
    const char *bytes;
    size_t length;
    const char *text;
} escapes[] = {
    {"nothing", "", 0, ""},
    {"plain", "alice <a@example.org> 100%", 26, "alice <a@example.org> 100%"},
    {"zero byte", "a\0b", 3, "a\\x00b"},
    {"newline and tab", "a\nb\tc\r", 6, "a\\x0ab\\x09c\\x0d"},
    {"escape sequence", "\033[2J", 4, "\\x1b[2J"},
    {"last control, first printable", "\x1f ", 2, "\\x1f "},
    {"delete", "~\x7f", 2, "~\\x7f"},
    {"backslash", "\\x41", 4, "\\x5cx41"},
    {"C1 control", "\xc2\x80\xc2\x9b\xc2\x9f", 6, "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f"},
    {"first behind C1", "\xc2\xa0", 2, "\xc2\xa0"},
    {"a bare C1 byte", "\x9b", 1, "\\x9b"},
    {"two, three, four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91"},
    {"least of two, three, four", "\xe0\xa0\x80\xf0\x90\x80\x80", 7, "\xe0\xa0\x80\xf0\x90\x80\x80"},
    {"direction override", "\xe2\x80\xae", 3, "\\xe2\\x80\\xae"},
    {"direction embedding", "\xe2\x80\xaa", 3, "\\xe2\\x80\\xaa"},
    {"direction isolate", "\xe2\x81\xa6\xe2\x81\xa9", 6, "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},
    {"direction mark", "\xe2\x80\x8e\xe2\x80\x8f", 6, "\\xe2\\x80\\x8e\\xe2\\x80\\x8f"},
    {"Arabic letter mark", "\xd8\x9c", 2, "\\xd8\\x9c"},
    {"line separator", "\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8"},
    {"zero width space", "\xe2\x80\x8b", 3, "\\xe2\\x80\\x8b"},
    {"byte order mark", "\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf"},
    {"tag character", "\xf3\xa0\x81\x81", 4, "\\xf3\\xa0\\x81\\x81"},
    {"a dash between them", "\xe2\x80\x93", 3, "\xe2\x80\x93"},
    {"overlong, two bytes", "\xc0\xaf\xc1\xbf", 4, "\\xc0\\xaf\\xc1\\xbf"},
    {"overlong, three bytes", "\xe0\x9f\xbf", 3, "\\xe0\\x9f\\xbf"},
    {"overlong, four bytes", "\xf0\x8f\xbf\xbf", 4, "\\xf0\\x8f\\xbf\\xbf"},
    {"surrogate", "\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},
    {"before the surrogates", "\xed\x9f\xbf", 3, "\xed\x9f\xbf"},
    {"the last code point", "\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf"},
    {"one more", "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"},
    {"no such byte", "\xf5\xff", 2, "\\xf5\\xff"},
    {"cut short", "\xe2\x82\xac", 2, "\\xe2\\x82"},
    {"cut by another", "\xe2\x82" "a", 3, "\\xe2\\x82" "a"},
    {"cut by a longer one", "\xc3\xc3\xa9", 3, "\\xc3\xc3\xa9"},
    {"continuation alone", "\xbf", 1, "\\xbf"},
};

static void test_escape(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(escapes); i++) {
        char text[128];

        text_escape(text, sizeof text, escapes[i].bytes, escapes[i].length);
        check_row(strcmp(text, escapes[i].text) == 0, "%s", escapes[i].what);
    }
}

/* Room of every size: it is whole where it fits; else it is cut between characters, and ends with "...". */
static void test_escape_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(escapes); i++) {
        const struct escape *row = &escapes[i];
        size_t whole = strlen(row->text);

        for (size_t size = 1; size <= whole + 2; size++) {
            char *text = malloc(size); /* a byte behind it is seen by ASan and valgrind */
            size_t length, kept;

            text_escape(text, size, row->bytes, row->length);
            length = strlen(text);
            check_row(length < size, "%s in %zu", row->what, size);
            if (size > whole) {
                check_row(strcmp(text, row->text) == 0, "%s in %zu: %s", row->what, size, text);
            } else if (size < sizeof "...") {
                check_row(strncmp(text, "...", length) == 0, "%s in %zu: %s", row->what, size, text);
            } else {
                kept = length - 3;
                check_row(strcmp(text + kept, "...") == 0, "%s in %zu: %s", row->what, size, text);
                check_row(strncmp(text, row->text, kept) == 0, "%s in %zu: %s", row->what, size, text);
                check_row((row->text[kept] & 0xc0) != 0x80, "%s in %zu: within a character", row->what, size);
            }
            free(text);
        }
    }
}

/* Any two bytes: what comes out has no control character in it, and is UTF-8. */
static void test_escape_is_clean(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        const uint8_t bytes[] = {(uint8_t)(i >> 8), (uint8_t)i};
        char text[16], again[64];

        text_escape(text, sizeof text, bytes, sizeof bytes);
        for (const char *at = text; *at; at++)
            check_row((unsigned char)*at >= 0x20 && *at != 0x7f, "%02x %02x", bytes[0], bytes[1]);
        if (strchr(text, '\\'))
            continue;
        text_escape(again, sizeof again, text, strlen(text));
        check_row(strcmp(text, again) == 0, "%02x %02x", bytes[0], bytes[1]);
    }
}

/* ---- Durations ---- */

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int ms;
    } rows[] = {
        {"0", 0},          {"0s", 0},       {"500ms", 500},   {"10s", 10000},       {"10", 10000},
        {"2m", 120000},    {"1h", 3600000}, {"1.5s", 1500},   {"0.5", 500},         {".25s", 250},
        {"1.5m", 90000},   {"1.4ms", 1},    {"1.6ms", 2},     {"0.001s", 1},        {"007s", 7000},
        {"24h", 86400000}, {"576h", 2073600000}, {"2147483646ms", INT_MAX - 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int ms = -1;

        check_row(text_duration(rows[i].text, &ms), "%s", rows[i].text);
        check_row(ms == rows[i].ms, "%s: %d", rows[i].text, ms);
    }
}

static void test_duration_is_none(void **state)
{
    static const char *const rows[] = {
        "",      "s",    "ms",    ".",     "-1",     "+1",       "-1s",  " 1s",   "1s ",          "1 s",
        "1x",    "1S",   "1sec",  "1.2.3", "1,5s",   "0x10",     "1e3",  "1e3s",  "1s1s",         "nan",
        "inf",   "1d",   "1mss",  "1hm",   "ten",    "1\n",      "600h", "25000h", "2147483647ms",
        "99999999999999999999s",
        "999999999999999999999999999999999999s", "..5s", "1.s.", "infinity",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int ms = 4711;

        check_row(!text_duration(rows[i], &ms), "\"%s\"", rows[i]);
        check_row(ms == 4711, "\"%s\" is left alone", rows[i]);
    }
}

static void test_from_duration(void **state)
{
    static const struct {
        int ms;
        const char *text;
    } rows[] = {
        {0, "0s"},        {1, "1ms"},      {999, "999ms"},  {1000, "1s"},      {1001, "1001ms"},       {10000, "10s"},
        {59000, "59s"},   {60000, "1m"},   {61000, "61s"},  {120000, "2m"},    {INT_MAX, "2147483647ms"},
        {3600000, "1h"},  {5400000, "90m"}, {86400000, "24h"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TEXT_DURATION_SIZE];
        int ms = -1;

        check_row(text_from_duration(text, rows[i].ms) == text, "%d", rows[i].ms);
        if (rows[i].ms < INT_MAX)
            check_row(text_duration(text, &ms) && ms == rows[i].ms, "%d: %s", rows[i].ms, text);
        check_row(strcmp(text, rows[i].text) == 0, "%d: %s", rows[i].ms, text);
    }
}

/* ---- Pins ---- */

static void test_pin_of_hash(void **state)
{
    /* printf symtls | sha256sum, and the same through base64 */
    static const uint8_t hash[TEXT_PIN_HASH] = {
        0x25, 0x04, 0x75, 0x63, 0x1c, 0x0e, 0x63, 0x1a, 0xca, 0x2e, 0xdb,
        0xa7, 0x5b, 0x89, 0x11, 0x34, 0xe7, 0x5e, 0x10, 0x14, 0x84, 0x4f,
        0x32, 0x4b, 0xe3, 0xaa, 0x81, 0x7f, 0xaf, 0x00, 0x01, 0xa6
    };
    static const char known[] = "pin-sha256:JQR1YxwOYxrKLtunW4kRNOdeEBSETzJL46qBf68AAaY=";
    static const uint8_t zeros[TEXT_PIN_HASH];
    uint8_t ones[TEXT_PIN_HASH];
    char text[TEXT_PIN_SIZE];

    (void)state;
    text_from_pin(text, hash);
    assert_string_equal(text, known);
    assert_int_equal(strlen(text), TEXT_PIN_SIZE - 1);
    text_from_pin(text, zeros);
    assert_string_equal(text, "pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    memset(ones, 0xff, sizeof ones);
    text_from_pin(text, ones);
    assert_string_equal(text, "pin-sha256://////////////////////////////////////////8=");
}

static void test_pin_round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256 * TEXT_PIN_HASH; i++) {
        uint8_t hash[TEXT_PIN_HASH] = {0};
        char text[TEXT_PIN_SIZE], again[TEXT_PIN_SIZE];

        hash[i / 256] = (uint8_t)i;
        text_from_pin(text, hash);
        check_row(text_pin(text, again), "%s", text);
        check_row(strcmp(text, again) == 0, "%s", text);
    }
}

#define DIGITS42 "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/zzzz"

static void test_pin(void **state)
{
    static const struct {
        const char *pin;
        bool good;
    } rows[] = {
        {"pin-sha256:" DIGITS42 "A=", true},
        {"sha256//" DIGITS42 "A=", true},
        {"pin-sha256:" DIGITS42 "8=", true},
        {"pin-sha256:" DIGITS42 "B=", false}, /* bits behind the 256th */
        {"pin-sha256:" DIGITS42 "/=", false},
        {"pin-sha256:" DIGITS42 "==", false},
        {"pin-sha256:" DIGITS42 "AA", false},
        {"pin-sha256:" DIGITS42 "A-", false},
        {"pin-sha256:" DIGITS42 "A", false},
        {"pin-sha256:" DIGITS42 "A= ", false},
        {"pin-sha256:" DIGITS42 "A=A=", false},
        {"pin-sha256: " DIGITS42 "A=", false},
        {"pin-sha256:" DIGITS42 "-=", false}, /* base64url */
        {"pin-sha256:=" DIGITS42 "=", false},
        {"pin-sha256:\xc3" DIGITS42 "=", false},
        {"pin-sha256//" DIGITS42 "A=", false},
        {"sha256:" DIGITS42 "A=", false},
        {"PIN-SHA256:" DIGITS42 "A=", false},
        {" pin-sha256:" DIGITS42 "A=", false},
        {"pin-sha1:" DIGITS42 "A=", false},
        {DIGITS42 "A=", false},
        {"pin-sha256:", false},
        {"sha256//", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TEXT_PIN_SIZE] = "";

        check_row(text_pin(rows[i].pin, text) == rows[i].good, "%s", rows[i].pin);
        if (rows[i].good) {
            check_row(strncmp(text, "pin-sha256:" DIGITS42, 53) == 0, "%s: %s", rows[i].pin, text);
            check_row(strcmp(text + 53, rows[i].pin + strlen(rows[i].pin) - 2) == 0, "%s: %s", rows[i].pin, text);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_escape_cut),
        cmocka_unit_test(test_escape_is_clean),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_duration_is_none),
        cmocka_unit_test(test_from_duration),
        cmocka_unit_test(test_pin_of_hash),
        cmocka_unit_test(test_pin_round_trip),
        cmocka_unit_test(test_pin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
