/* test_resolve.c - names to addresses, in time or not at all. */
#include "check.h"
#include "names.h"
#include "resolve.h"
#include "sockets.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static bool find(const struct resolve_query *query, struct address_list *list, struct error *error)
{
    memset(error, 0, sizeof *error);
    return resolve(query, &waiting, wait_until(60000), list, error);
}

static void test_found(void **state)
{
    static const struct {
        struct resolve_query query;
        const char *addresses;
    } table[] = {
        {{.host = "192.0.2.1", .service = "4433"}, "192.0.2.1:4433"},
        {{.host = "2001:db8::1", .service = "4433"}, "[2001:db8::1]:4433"},
        {{.host = "192.0.2.1", .service = "https"}, "192.0.2.1:443"},
        {{.host = "192.0.2.1", .service = "0"}, "192.0.2.1:0"},
        {{.host = "192.0.2.1", .service = "1", .numeric = true}, "192.0.2.1:1"},
        {{.host = "192.0.2.1", .service = "1", .family = AF_INET}, "192.0.2.1:1"},
        {{.host = "one.test", .service = "4433"}, "127.0.0.1:4433"},
        {{.host = "pair.test", .service = "1"}, "127.0.0.1:1 127.0.0.2:1"},
        {{.host = "both.test", .service = "1"}, "[::1]:1 127.0.0.1:1"}, /* in the order in which they came */
        {{.host = "both.test", .service = "1", .family = AF_INET}, "127.0.0.1:1"},
        {{.host = "both.test", .service = "1", .family = AF_INET6}, "[::1]:1"},
        {{.host = "twice.test", .service = "1"}, "127.0.0.1:1 127.0.0.2:1"}, /* each once */
        {{.host = NULL, .service = "5", .family = AF_INET, .passive = true}, "0.0.0.0:5"},
        {{.host = NULL, .service = "5", .family = AF_INET6, .passive = true}, "[::]:5"},
        {{.host = "one.test", .service = "5", .passive = true}, "127.0.0.1:5"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct address_list list;
        struct error error;
        char found[1024] = "", text[ADDRESS_TEXT_SIZE];

        check_row(find(&table[i].query, &list, &error), "row %zu: %s", i, error.story);
        for (size_t j = 0; j < list.count; j++)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", j ? " " : "", address_text(&list.at[j], text));
        check_row(strcmp(found, table[i].addresses) == 0, "row %zu: %s", i, found);
    }
}

static void test_not_found(void **state)
{
    static const struct {
        struct resolve_query query;
        enum status status;
        const char *story;
    } table[] = {
        {{.host = "none.test", .service = "1"}, STATUS_NETWORK, "cannot find the address of \"none.test\": "},
        {{.host = "later.test", .service = "1"}, STATUS_NETWORK, "cannot find the address of \"later.test\": "},
        {{.host = "dead.test", .service = "1"}, STATUS_NETWORK, "the resolver failed"},
        {{.host = "one.test", .service = "1", .numeric = true}, STATUS_NETWORK, "-n asks no name server"},
        {{.host = "one.test", .service = "1", .family = AF_INET6}, STATUS_NETWORK, "\"one.test\" for IPv6: "},
        {{.host = "six.test", .service = "1", .family = AF_INET}, STATUS_NETWORK, "\"six.test\" for IPv4: "},
        {{.host = "192.0.2.1", .service = "1", .family = AF_INET6}, STATUS_NETWORK, "192.0.2.1"},
        {{.host = "192.0.2.1", .service = "nonsense"}, STATUS_LOCAL, "no service is named \"nonsense\""},
        {{.host = "one.test", .service = "nonsense"}, STATUS_LOCAL, "no service is named \"nonsense\""},
        {{.host = "", .service = "1"}, STATUS_NETWORK, "cannot find"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct address_list list;
        struct error error;

        check_row(!find(&table[i].query, &list, &error), "row %zu", i);
        check_row(error.status == table[i].status, "row %zu: %d, %s", i, error.status, error.story);
        check_row(strstr(error.story, table[i].story), "row %zu: %s", i, error.story);
    }
}

static void test_many(void **state)
{
    struct resolve_query query = {.host = "many.test", .service = "1"};
    struct address_list list;
    struct error error;

    (void)state;
    assert_true(find(&query, &list, &error));
    assert_int_equal(list.count, ADDRESS_LIST_MAX);
}

/* A resolver that does not answer is given up, and does not stay behind. */
static void test_slow(void **state)
{
    struct resolve_query query = {.host = "slow.test", .service = "1"};
    struct address_list list;
    struct error error = {0};

    (void)state;
    assert_false(resolve(&query, &waiting, wait_until(50), &list, &error));
    assert_int_equal(error.status, STATUS_TIME);
    assert_true(has(error.story, "time ran out while looking for the address of \"slow.test\""));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static int resolve_and_be_stopped(void *argument)
{
    struct resolve_query query = {.host = "slow.test", .service = "1"};
    struct address_list list;
    struct error error = {0};

    (void)argument;
    return resolve(&query, &waiting, WAIT_FOREVER, &list, &error) || error.status != STATUS_OK ||
           waitpid(-1, NULL, WNOHANG) != -1;
}

static void test_signal(void **state)
{
    (void)state;
    assert_int_equal(in_stopped_child(resolve_and_be_stopped, NULL), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found), cmocka_unit_test(test_not_found), cmocka_unit_test(test_many),
        cmocka_unit_test(test_slow),  cmocka_unit_test(test_signal),
    };

    names_use();
    return cmocka_run_group_tests(tests, waiting_setup, waiting_teardown);
}
