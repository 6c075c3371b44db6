/* test_pass.c - the passphrase that --pass points at: its first line, from a file, a descriptor or a variable. */
#include "check.h"
#include "helpers.h"
#include "pass.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *text, *passphrase;
} contents[] = {
    {"secret\n", "secret"}, {"secret", "secret"},     {"secret\r\n", "secret"}, {"secret\nand more\n", "secret"},
    {"", ""},               {"\n", ""},               {"\nsecond\n", ""},       {" with spaces \n", " with spaces "},
    {"env:X\n", "env:X"},   {"1234567\n", "1234567"}, {"p\xc3\xa4ss", "p\xc3\xa4ss"},
};

static void check_source(const char *source, const char *passphrase)
{
    struct error error = {0};
    char found[64] = "not touched";

    check_row(pass_read(source, found, sizeof found, &error), "%s: %s", source, error.story);
    assert_string_equal(found, passphrase);
    assert_int_equal(error.status, STATUS_OK);
}

static void test_file(void **state)
{
    char source[600];

    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        file_put(scratch_path("pass"), contents[i].text, 0600);
        snprintf(source, sizeof source, "file:%s", scratch_path("pass"));
        check_source(source, contents[i].passphrase);
    }
}

static void test_descriptor(void **state)
{
    char source[32];
    int ends[2];

    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(write(ends[1], contents[i].text, strlen(contents[i].text)), strlen(contents[i].text));
        close(ends[1]);
        snprintf(source, sizeof source, "fd:%d", ends[0]);
        check_source(source, contents[i].passphrase);
        close(ends[0]);
    }
}

static void test_variable(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        setenv("SYMTLS_TEST_PASS", contents[i].text, 1);
        check_source("env:SYMTLS_TEST_PASS", contents[i].passphrase);
    }
    unsetenv("SYMTLS_TEST_PASS");
}

static void check_error(const char *source, size_t size, const char *story)
{
    struct error error = {0};
    char found[64];

    assert_false(pass_read(source, found, size, &error));
    assert_int_equal(error.status, STATUS_IDENTITY);
    assert_true(has(error.story, story));
}

static void test_errors(void **state)
{
    char source[600];

    (void)state;
    scratch_clear();
    unsetenv("SYMTLS_TEST_PASS");
    check_error("env:SYMTLS_TEST_PASS", 64, "there is no such variable");
    check_error("fd:987", 64, "cannot open");
    check_error("fd:x", 64, "cannot open");
    snprintf(source, sizeof source, "file:%s", scratch_path("pass"));
    check_error(source, 64, "/pass\": No such file");
    file_put(scratch_path("pass"), "secret\n", 0644);
    check_error(source, 64, "can be read by others");
    setenv("SYMTLS_TEST_PASS", "1234567", 1);
    check_error("env:SYMTLS_TEST_PASS", 7, "too long");
    unsetenv("SYMTLS_TEST_PASS");
}

/* An error names the source, and never says what was in it. */
static void test_nothing_is_given_away(void **state)
{
    struct error error = {0};
    char found[4];

    (void)state;
    setenv("SYMTLS_TEST_PASS", "hunter2", 1);
    assert_false(pass_read("env:SYMTLS_TEST_PASS", found, sizeof found, &error));
    assert_null(strstr(error.story, "hunter2"));
    unsetenv("SYMTLS_TEST_PASS");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),   cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_variable), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_nothing_is_given_away),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
