/* test_endpoints.c - the addresses at both ends: whose they are, and what is said where there are none. */
#include "check.h"
#include "endpoints.h"
#include "helpers.h"
#include "names.h"

#include <stdio.h>
#include <string.h>

static struct wait waiting;

static int set_up(void **state)
{
    (void)state;
    names_use();
    return wait_init(&waiting) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    wait_free(&waiting);
    return 0;
}

static void check_list(size_t row, const struct address_list *list, const char *expected)
{
    char found[1024] = "", text[ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < list->count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "", address_text(&list->at[i], text));
    check_row(strcmp(found, expected) == 0, "row %zu: %s", row, found);
}

static void test_found(void **state)
{
    static const struct {
        struct transport_config config;
        const char *peer, *source;
    } table[] = {
        {{.host = "pair.test", .port = "4433"}, "127.0.0.1:4433 127.0.0.2:4433", ""},
        {{.host = "both.test", .port = "1", .family = AF_INET6}, "[::1]:1", ""},
        {{.host = "one.test", .port = "1", .source = "pair.test"}, "127.0.0.1:1", "127.0.0.1:0 127.0.0.2:0"},
        {{.host = "one.test", .port = "1", .source = "one.test", .source_port = "2"}, "127.0.0.1:1", "127.0.0.1:2"},
        {{.host = "one.test", .port = "1", .source_port = "2", .family = AF_INET}, "127.0.0.1:1", "0.0.0.0:2"},
        {{.host = "one.test", .port = "1", .source = "six.test"}, "127.0.0.1:1", "[::1]:0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct address_list list;
        struct error error = {0};

        check_row(endpoints_peer(&table[i].config, &waiting, WAIT_FOREVER, &list, &error), "row %zu: %s", i, error.story);
        check_list(i, &list, table[i].peer);
        check_row(endpoints_source(&table[i].config, &waiting, WAIT_FOREVER, &list, &error), "row %zu: %s", i, error.story);
        check_list(i, &list, table[i].source);
    }
}

static void test_ours(void **state)
{
    struct transport_config config = {.family = AF_INET};
    struct address_list list;
    struct error error = {0};

    (void)state;
    assert_true(endpoints_ours(&config, NULL, "5", &waiting, WAIT_FOREVER, &list, &error));
    check_list(0, &list, "0.0.0.0:5");
    assert_true(endpoints_ours(&config, "pair.test", "5", &waiting, WAIT_FOREVER, &list, &error));
    check_list(1, &list, "127.0.0.1:5 127.0.0.2:5");
    assert_false(endpoints_ours(&config, "six.test", "5", &waiting, WAIT_FOREVER, &list, &error));
    assert_true(has(error.story, "\"six.test\" for IPv4"));
}

/* Which end it is that cannot be found. */
static void test_not_found(void **state)
{
    struct transport_config config = {.host = "none.test", .port = "1", .source = "later.test"};
    struct address_list list;
    struct error error = {0};

    (void)state;
    assert_false(endpoints_peer(&config, &waiting, WAIT_FOREVER, &list, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_int_equal(strncmp(error.story, "cannot find the address of \"none.test\"", 38), 0);
    error_clear(&error);
    assert_false(endpoints_source(&config, &waiting, WAIT_FOREVER, &list, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_int_equal(strncmp(error.story, "-s: cannot find the address of \"later.test\"", 43), 0);
    error_clear(&error);
    config.source = "slow.test";
    assert_false(endpoints_source(&config, &waiting, wait_until(50), &list, &error));
    assert_int_equal(error.status, STATUS_TIME);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_not_found),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
