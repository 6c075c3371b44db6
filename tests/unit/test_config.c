/* test_config.c - files of settings: what their lines say, and what is said against them. */
#include "check.h"
#include "config.h"
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What comes of it, in a line: "section [bob], 3 port=4433, 4 both" or the error. It is read from memory of exactly that size. */
static const char *outcome(const char *bytes, size_t length)
{
    static char text[1024];
    struct config config;
    struct config_line line;
    struct error error = {.status = STATUS_OK};
    enum config_result result;
    char *copy = malloc(length + 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    copy[length] = 'x';
    config_init(&config, "f", copy, length);
    *text = '\0';
    while ((result = config_next(&config, &line, &error)) == CONFIG_LINE) {
        char *end = text + strlen(text);
        size_t room = sizeof text - strlen(text);

        if (line.section)
            snprintf(end, room, "%s%u [%s]", *text ? ", " : "", line.number, line.section);
        else
            snprintf(end, room, "%s%u %s%s%s", *text ? ", " : "", line.number, line.key, line.value ? "=" : "", line.value ? line.value : "");
    }
    if (result == CONFIG_WRONG) {
        assert_int_equal(error.status, STATUS_LOCAL);
        snprintf(text, sizeof text, "%s", error.story);
    }
    free(copy);
    return text;
}

static void test_lines(void **state)
{
    static const struct {
        const char *bytes, *wanted;
    } rows[] = {
        {"", ""},
        {"\n\n  \n", ""},
        {"# nothing", ""},
        {"  # nothing\n\t#\n", ""},
        {"both", "1 both"},
        {"both\n", "1 both"},
        {"both\r\nport 1\r\n", "1 both, 2 port=1"},
        {"both\r", "1 both"},
        {"port 4433", "1 port=4433"},
        {"\t port \t 4433 \t\n", "1 port=4433"},
        {"port=4433\n", "1 port=4433"},
        {"port = 4433\n", "1 port=4433"},
        {"port =\n", "1 port"},
        {"port = =\n", "1 port=="},
        {"identity bob=my key.pem\n", "1 identity=bob=my key.pem"},
        {"priority NORMAL:-VERS-ALL # all of it\n", "1 priority=NORMAL:-VERS-ALL # all of it"},
        {"udp\n\n# here\n[bob]\nport 1\n[ alice ]\n", "1 udp, 4 [bob], 5 port=1, 6 [alice]"},
        {"[2001:db8::1]\n", "1 [2001:db8::1]"},
        {"\xef\xbb\xbfudp\n", "1 udp"},
        {"\xef\xbb", "1 \xef\xbb"},
        {"peer b\xc3\xbc" "cher.example\n", "1 peer=b\xc3\xbc" "cher.example"},
        {"[bob\n", "f:1: a section begins with a name in brackets, like [bob]"},
        {"udp\n[]\n", "f:2: a section begins with a name in brackets, like [bob]"},
        {"[ ]\n", "f:1: a section begins with a name in brackets, like [bob]"},
        {"[\n", "f:1: a section begins with a name in brackets, like [bob]"},
        {"[bob alice]\n", "f:1: a section begins with a name in brackets, like [bob]"},
        {"[bob] port 4433\n", "f:1: a section begins with a name in brackets, like [bob]"},
        {"[[::1]]\n", "f:1: a section begins with a name in brackets, like [bob]"},
        {"\n\n= 4433\n", "f:3: there is a \"=\", and no name of an option before it"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = outcome(rows[i].bytes, strlen(rows[i].bytes));

        check_row(strcmp(got, rows[i].wanted) == 0, "row %zu: \"%s\"", i, got);
    }
}

static void test_no_text(void **state)
{
    static const char *const wanted = "f:2: there is a byte 0 in this line, so this is no file of settings";

    (void)state;
    assert_string_equal(outcome("udp\nport\0 1\n", 12), wanted);
    assert_string_equal(outcome("udp\n\0", 5), wanted);
    assert_string_equal(outcome("udp\n# \0", 7), wanted);
}

static void test_long_lines(void **state)
{
    char bytes[CONFIG_LINE_MAX + 8];

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    bytes[CONFIG_LINE_MAX] = '\n';
    assert_int_equal(strlen(outcome(bytes, CONFIG_LINE_MAX + 1)), 1023); /* as much as fits into a text there */
    bytes[CONFIG_LINE_MAX] = 'x';
    assert_string_equal(outcome(bytes, CONFIG_LINE_MAX + 1), "f:1: this line is longer than 4096 bytes");
    *bytes = '#';
    assert_string_equal(outcome(bytes, CONFIG_LINE_MAX + 1), "f:1: this line is longer than 4096 bytes");
}

/* Whatever is in it, it comes to an end, and nothing beyond it is touched (by the sanitizers' word). */
static void test_garbage(void **state)
{
    static const char letters[] = "ab [=]#\n\r\t";
    uint32_t random = 1;
    char bytes[64];

    (void)state;
    for (int run = 0; run < 2000; run++) {
        size_t length = next_random(&random) % sizeof bytes;

        for (size_t i = 0; i < length; i++)
            bytes[i] = letters[next_random(&random) % (sizeof letters - 1)];
        outcome(bytes, length);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_no_text),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
