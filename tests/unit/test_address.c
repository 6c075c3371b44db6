/* test_address.c - socket addresses: their texts, their ports, and which are the same. */
#include "check.h"
#include "address.h"
#include "sockets.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static struct address with_scope(const char *host, uint16_t port, unsigned scope)
{
    struct address result = address_at(host, port);

    if (address_family(&result) == AF_INET6)
        ((struct sockaddr_in6 *)&result.storage)->sin6_scope_id = scope;
    return result;
}

static void test_texts(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        const char *host_text, *text;
    } table[] = {
        {"192.0.2.1", 4433, "192.0.2.1", "192.0.2.1:4433"},
        {"0.0.0.0", 0, "0.0.0.0", "0.0.0.0:0"},
        {"2001:db8::1", 65535, "2001:db8::1", "[2001:db8::1]:65535"},
        {"::", 1, "::", "[::]:1"},
        {"::ffff:192.0.2.1", 4433, "192.0.2.1", "192.0.2.1:4433"}, /* an IPv4 peer of an IPv6 socket */
    };
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct address address = address_at(table[i].host, table[i].port);

        assert_ptr_equal(address_text(&address, text), text);
        assert_string_equal(text, table[i].text);
        assert_string_equal(address_host(&address, text), table[i].host_text);
        assert_int_equal(address_port(&address), table[i].port);
    }
}

/* A link-local address is none without its scope. */
static void test_scope(void **state)
{
    struct address address = with_scope("fe80::1", 4433, 1), other = with_scope("fe80::1", 4433, 2);
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    assert_string_equal(address_text(&address, text), "[fe80::1%lo]:4433");
    assert_string_equal(address_host(&address, text), "fe80::1%lo");
    assert_false(address_same(&address, &other));
    assert_true(address_same(&address, &address));
}

static void test_none(void **state)
{
    struct address none = {.length = 0}, local = {.length = sizeof(struct sockaddr_un)};
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    local.storage.ss_family = AF_UNIX;
    assert_int_equal(address_family(&none), AF_UNSPEC);
    assert_string_equal(address_host(&none, text), "unknown");
    assert_string_equal(address_text(&none, text), "unknown:0");
    assert_int_equal(address_port(&none), 0);
    address_set_port(&none, 5);
    assert_false(address_same(&none, &none)); /* nobody is nobody's like */
    assert_int_equal(address_port(&local), 0);
    assert_false(address_same_host(&local, &local));
}

static void test_same(void **state)
{
    static const struct {
        const char *a;
        uint16_t a_port;
        const char *b;
        uint16_t b_port;
        bool host, all;
    } table[] = {
        {"192.0.2.1", 1, "192.0.2.1", 1, true, true},
        {"192.0.2.1", 1, "192.0.2.1", 2, true, false},
        {"192.0.2.1", 1, "192.0.2.2", 1, false, false},
        {"2001:db8::1", 1, "2001:db8::1", 1, true, true},
        {"2001:db8::1", 1, "2001:db8::1", 2, true, false},
        {"2001:db8::1", 1, "2001:db8::2", 1, false, false},
        {"192.0.2.1", 1, "::ffff:192.0.2.1", 1, true, true},
        {"192.0.2.1", 1, "::ffff:192.0.2.2", 1, false, false},
        {"127.0.0.1", 1, "::1", 1, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct address a = address_at(table[i].a, table[i].a_port), b = with_scope(table[i].b, table[i].b_port, 3);

        check_row(address_same_host(&a, &b) == table[i].host, "row %zu", i);
        check_row(address_same_host(&b, &a) == table[i].host, "row %zu", i);
        check_row(address_same(&a, &b) == table[i].all, "row %zu", i);
    }
}

static void test_set_port(void **state)
{
    struct address four = address_at("192.0.2.1", 1), six = address_at("::1", 1);

    (void)state;
    address_set_port(&four, 65535);
    address_set_port(&six, 443);
    assert_int_equal(address_port(&four), 65535);
    assert_int_equal(address_port(&six), 443);
}

static void test_of_socket(void **state)
{
    struct address a[2], b[2];
    int fds[2];

    (void)state;
    tcp_pair(fds);
    address_of_socket(fds[0], &a[0], &a[1]);
    address_of_socket(fds[1], &b[0], &b[1]);
    assert_true(address_same(&a[0], &b[1]));
    assert_true(address_same(&a[1], &b[0]));
    assert_false(address_same(&a[0], &a[1]));
    close(fds[0]);
    close(fds[1]);
    address_of_socket(-1, &a[0], &a[1]);
    assert_int_equal(a[0].length + a[1].length, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts), cmocka_unit_test(test_scope),    cmocka_unit_test(test_none),
        cmocka_unit_test(test_same),  cmocka_unit_test(test_set_port), cmocka_unit_test(test_of_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
