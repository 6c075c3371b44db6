/* test_escape.c - what is a command among what is typed, and what is data. */
#include "check.h"
#include "escape.h"
#include "helpers.h"

#include <stdio.h>
#include <string.h>

#define LETTERS ".?s\x04"

/* All of it typed; data as it is, and commands in angle brackets. */
static void type(struct escape *escape, bool by_line, const char *typed, size_t length, char *text)
{
    size_t at = strlen(text);

    for (size_t i = 0; i < length; i++) {
        struct escape_result result = escape_take(escape, by_line, (uint8_t)typed[i]);

        memcpy(text + at, result.data, result.length);
        at += result.length;
        if (result.command)
            at += (size_t)sprintf(text + at, "<%c>", result.command);
    }
    text[at] = '\0';
}

static void end(struct escape *escape, char *text)
{
    struct escape_result result = escape_end(escape);

    assert_int_equal(result.command, 0);
    strncat(text, (char *)result.data, result.length);
}

/* ---- By examples ---- */

static void test_examples(void **state)
{
    static const struct {
        const char *typed, *by_line, *by_key;
    } rows[] = {
        {"", "", ""},
        {"hello\n", "hello\n", "hello\n"},
        {"~s\n", "<s>", "<s>\n"},
        {"~s", "~s", "<s>"}, /* without its end it is no line */
        {"~.\n", "<.>", "<.>\n"},
        {"hello\n~s\nworld\n", "hello\n<s>world\n", "hello\n<s>\nworld\n"},
        {"hello\r~s\rworld\r", "hello\r<s>world\r", "hello\r<s>\rworld\r"},
        {"~s\n~?\n~.\n", "<s><?><.>", "<s>\n<?>\n<.>\n"},
        {"~s~?~.", "~s~?~.", "<s><?><.>"},
        {"~s\r\n", "<s>\n", "<s>\r\n"},
        {"hello ~s\n", "hello ~s\n", "hello ~s\n"},
        {" ~s\n", " ~s\n", " ~s\n"},
        {"~~s\n", "~s\n", "~s\n"},
        {"~~\n", "~\n", "~\n"},
        {"~~~s\n", "~~s\n", "~~s\n"},
        {"~\n", "~\n", "~\n"},
        {"~\n~s\n", "~\n<s>", "~\n<s>\n"},
        {"~", "~", "~"},
        {"~x\n", "~x\n", "~x\n"},
        {"~/.profile\n", "~/.profile\n", "~/.profile\n"},
        {"~.profile\n", "~.profile\n", "<.>profile\n"},
        {"~some\n~s\n", "~some\n<s>", "<s>ome\n<s>\n"},
        {"~s~\n", "~s~\n", "<s>~\n"},
        {"~s \n", "~s \n", "<s> \n"},
        {"\n\n~s\n", "\n\n<s>", "\n\n<s>\n"},
        {"~\x04", "~\x04", "<\x04>"},
        {"~S\n", "~S\n", "~S\n"},
        {"\xc3\xa9~s\n", "\xc3\xa9~s\n", "\xc3\xa9~s\n"},
        {"~\xc3\xa9\n", "~\xc3\xa9\n", "~\xc3\xa9\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int by_line = 0; by_line <= 1; by_line++) {
            const char *wanted = by_line ? rows[i].by_line : rows[i].by_key;
            struct escape escape;
            char text[256] = "";

            escape_init(&escape, '~', LETTERS);
            type(&escape, by_line, rows[i].typed, strlen(rows[i].typed), text);
            end(&escape, text);
            check_row(strcmp(text, wanted) == 0, "%s (%s): %s", rows[i].typed, by_line ? "by line" : "by key", text);
        }
}

static void test_other_characters(void **state)
{
    struct escape escape;
    char text[64] = "";

    (void)state;
    escape_init(&escape, '%', LETTERS);
    type(&escape, true, "~s\n%s\n%%s\n%", 11, text);
    end(&escape, text);
    assert_string_equal(text, "~s\n<s>%s\n%");

    /* One that is no character of a text at all: binary data comes through as it is. */
    text[0] = '\0';
    escape_init(&escape, 0x1d, LETTERS);
    type(&escape, false, "\x1d" "s\x1d\x1d", 4, text);
    end(&escape, text);
    assert_string_equal(text, "<s>\x1d");
}

/* A NUL is no letter, though the list of letters ends with one. */
static void test_nul(void **state)
{
    for (int by_line = 0; by_line <= 1; by_line++) {
        struct escape escape;
        struct escape_result result;

        (void)state;
        escape_init(&escape, '~', LETTERS);
        escape_take(&escape, by_line, '~');
        result = escape_take(&escape, by_line, '\0');
        assert_int_equal(result.command, 0);
        assert_int_equal(result.length, 2);
        assert_memory_equal(result.data, "~", 2);
    }
}

/* A terminal may change from one to the other, also in the middle of a command. */
static void test_change(void **state)
{
    struct escape escape;
    char text[64] = "";

    (void)state;
    escape_init(&escape, '~', LETTERS);
    type(&escape, true, "~s", 2, text);
    type(&escape, false, "\n", 1, text);
    type(&escape, true, "~", 1, text);
    type(&escape, false, "?", 1, text);
    assert_string_equal(text, "<s><?>");
}

/* ---- By the whole text at once, said another way ---- */

/* Lines: each is a command, or data. What follows the last line end is no whole line. */
static void split_lines(const char *typed, char *text)
{
    while (*typed) {
        size_t length = strcspn(typed, "\n");
        bool whole = typed[length] == '\n';

        if (whole && length == 2 && typed[0] == '~' && strchr(LETTERS, typed[1]))
            text += sprintf(text, "<%c>", typed[1]);
        else
            text += sprintf(text, "%.*s", (int)(length + whole - (strncmp(typed, "~~", 2) == 0)),
                            typed + (strncmp(typed, "~~", 2) == 0));
        typed += length + whole;
    }
    *text = '\0';
}

static void test_random(void **state)
{
    static const char alphabet[] = "~~~~s.?xa\n\n\n";
    uint32_t random = 4711;

    (void)state;
    for (unsigned run = 0; run < 20000; run++) {
        char typed[24] = "", text[128] = "", wanted[128] = "";
        size_t length = next_random(&random) % (sizeof typed - 1);
        struct escape escape;

        for (size_t i = 0; i < length; i++)
            typed[i] = alphabet[next_random(&random) % (sizeof alphabet - 1)];
        split_lines(typed, wanted);
        escape_init(&escape, '~', LETTERS);
        type(&escape, true, typed, length, text);
        end(&escape, text);
        check_row(strcmp(text, wanted) == 0, "%s: %s, not %s", typed, text, wanted);
    }
}

/* Nothing is lost: with the commands put back, and the doubled ones, it is what was typed. */
static void test_nothing_is_lost(void **state)
{
    static const char alphabet[] = "~~~~s.?xa\n\n\r";
    uint32_t random = 815;

    (void)state;
    for (unsigned run = 0; run < 20000; run++) {
        struct escape escape;
        size_t in = 0, out = 0, doubled = 0, length = next_random(&random) % 30;
        bool by_line = next_random(&random) % 2;

        escape_init(&escape, '~', LETTERS);
        for (size_t i = 0; i < length; i++) {
            uint8_t byte = (uint8_t)alphabet[next_random(&random) % (sizeof alphabet - 1)];
            bool seen = escape.state == ESCAPE_SEEN;
            struct escape_result result = escape_take(&escape, by_line, byte);

            in++;
            doubled += seen && byte == '~';
            out += result.length + (result.command ? 2 + (size_t)by_line : 0);
            assert_true(result.length <= ESCAPE_DATA_MAX);
        }
        out += escape_end(&escape).length;
        assert_int_equal(in, out + doubled);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_other_characters),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
