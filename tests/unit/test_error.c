/* test_error.c - the first error is kept, and told whole. */
#include "check.h"
#include "error.h"

#include <string.h>

static void test_zeroed_is_no_error(void **state)
{
    struct error error = {0};

    (void)state;
    assert_int_equal(error.status, STATUS_OK);
    error_prefix(&error, "connecting to %s: ", "HOST");
    assert_int_equal(error.status, STATUS_OK);
    assert_string_equal(error.story, "");
}

static void test_status_is_exit_status(void **state)
{
    static const enum status in_order[] = {STATUS_OK,    STATUS_NETWORK, STATUS_LOCAL,   STATUS_TIME,
                                           STATUS_TLS,   STATUS_ROLE,    STATUS_WRONG,   STATUS_UNKNOWN,
                                           STATUS_REFUSED, STATUS_CUT,   STATUS_IDENTITY};

    (void)state;
    for (unsigned i = 0; i < COUNT(in_order); i++)
        assert_int_equal(in_order[i], i);
}

static void test_first_is_kept(void **state)
{
    struct error error = {0};

    (void)state;
    assert_int_equal(error_set(&error, STATUS_ROLE, "%s %d", "cause", 1), STATUS_ROLE);
    assert_int_equal(error_set(&error, STATUS_CUT, "consequence"), STATUS_ROLE);
    assert_int_equal(error.status, STATUS_ROLE);
    assert_string_equal(error.story, "cause 1");
}

static enum status wrapper(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static enum status wrapper(struct error *error, const char *format, ...)
{
    va_list arguments;
    enum status status;

    va_start(arguments, format);
    status = error_vset(error, STATUS_TLS, format, arguments);
    va_end(arguments);
    return status;
}

static void test_wrapper(void **state)
{
    struct error error = {0};

    (void)state;
    assert_int_equal(wrapper(&error, "alert %d", 40), STATUS_TLS);
    assert_int_equal(wrapper(&error, "alert %d", 47), STATUS_TLS);
    assert_string_equal(error.story, "alert 40");
}

static void test_clear(void **state)
{
    struct error error = {0};

    (void)state;
    error_set(&error, STATUS_NETWORK, "refused");
    error_clear(&error);
    assert_int_equal(error.status, STATUS_OK);
    assert_string_equal(error.story, "");
    assert_int_equal(error_set(&error, STATUS_TIME, "late"), STATUS_TIME);
    assert_string_equal(error.story, "late");
}

static void test_prefix(void **state)
{
    struct error error = {0};

    (void)state;
    error_set(&error, STATUS_NETWORK, "refused");
    error_prefix(&error, "port %d: ", 4433);
    error_prefix(&error, "%s: ", "connecting");
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_string_equal(error.story, "connecting: port 4433: refused");
    error_prefix(&error, "%s / ", error.story); /* its own story may be part of the words */
    assert_string_equal(error.story, "connecting: port 4433: refused / connecting: port 4433: refused");
}

/* A story of any length fits: what is too much is cut off at the end. */
static void test_too_long(void **state)
{
    char words[2 * sizeof((struct error *)0)->story];

    (void)state;
    for (size_t length = 0; length < sizeof words; length++) {
        struct error error = {0};
        const size_t most = sizeof error.story - 1;

        memset(words, 'a', length);
        words[length] = '\0';
        error_set(&error, STATUS_LOCAL, "%s", words);
        check_row(strlen(error.story) == (length < most ? length : most), "%zu bytes", length);

        error_clear(&error);
        error_set(&error, STATUS_LOCAL, "refused");
        error_prefix(&error, "%s", words);
        check_row(strlen(error.story) == (length + 7 < most ? length + 7 : most), "prefix of %zu bytes", length);
        check_row(strncmp(error.story, words, length < most ? length : most) == 0, "prefix of %zu bytes", length);
        check_row(length + 7 > most || strcmp(error.story + length, "refused") == 0, "prefix of %zu bytes", length);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_is_no_error),
        cmocka_unit_test(test_status_is_exit_status),
        cmocka_unit_test(test_first_is_kept),
        cmocka_unit_test(test_wrapper),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
