/* test_local_target.c - a service is reached, told whom it talks to, or the user is told why not. */
#include "check.h"
#include "helpers.h"
#include "local_proxy.h"
#include "local_target.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct facts facts = {.version = "TLS1.3", .alpn = "smtp", .peer = {.name = "bob", .kind = PRESENTED_X509}, .trust = TRUST_PIN};

static int connect_to(const struct local_target *target, struct error *error)
{
    struct transport transport = {.fd = -1, .remote = address_at("192.0.2.1", 1000), .local = address_at("192.0.2.2", 2000)};
    struct local_occasion occasion = {.facts = &facts, .transport = &transport};

    memset(error, 0, sizeof *error);
    return local_target_connect(target, &occasion, &waiting, error);
}

static void test_connects(void **state)
{
    struct error error;
    char port[8];
    int listeners[2] = {socket_at(SOCK_STREAM, "127.0.0.1", 0), unix_listener(scratch_path("socket"))};
    const struct local_target targets[] = {{.name = "t", .host = "127.0.0.1", .port = port, .wait_ms = TEST_PATIENCE_MS},
                                           {.name = "u", .path = scratch_path("socket"), .wait_ms = TEST_PATIENCE_MS}};

    (void)state;
    assert_int_equal(listen(listeners[0], 1), 0);
    snprintf(port, sizeof port, "%u", socket_port(listeners[0]));
    for (int i = 0; i < 2; i++) {
        int fd = connect_to(&targets[i], &error), other = accept(listeners[i], NULL, NULL);

        check_row(fd >= 0, "%s", error.story);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(recv(other, &(char){0}, 1, MSG_DONTWAIT), -1); /* and nothing was said */
        close(fd);
        close(other);
        close(listeners[i]);
    }
    unlink(scratch_path("socket"));
}

static void test_says_who_comes(void **state)
{
    struct error error;
    struct local_target target = {.name = "u", .path = scratch_path("socket"), .wait_ms = TEST_PATIENCE_MS, .send_proxy = true};
    int listener = unix_listener(target.path), fd = connect_to(&target, &error), other = accept(listener, NULL, NULL);
    uint8_t bytes[16];

    (void)state;
    assert_int_equal(recv(other, bytes, sizeof bytes, 0), sizeof bytes);
    assert_memory_equal(bytes, "\r\n\r\n\0\r\nQUIT\n\x21\x11", 14);
    close(fd);
    close(other);
    close(listener);
    unlink(target.path);
}

static void test_cannot_connect(void **state)
{
    struct error error;
    char port[8], other[8];
    int listener = unix_listener(scratch_path("full")), waiting_one;
    struct local_target full = {.name = "u", .path = scratch_path("full"), .wait_ms = TEST_PATIENCE_MS};
    const struct {
        struct local_target target;
        enum status status;
        const char *story;
    } cases[] = {
        {{.name = "tcp:x", .host = "127.0.0.1", .port = port, .wait_ms = -1}, STATUS_NETWORK, "--to tcp:x: cannot connect to 127.0.0.1: "},
        {{.name = "tcp:x", .host = "no.name", .port = "1", .numeric = true, .wait_ms = -1}, STATUS_NETWORK, "-n asks no name server"},
        {{.name = "unix:x", .path = scratch_path("nowhere"), .wait_ms = -1}, STATUS_NETWORK, "--to unix:x: cannot connect to \""},
        {{.name = "unix:x", .path = scratch_path("file"), .wait_ms = -1}, STATUS_NETWORK, "file\": Connection refused; nobody listens there"},
        {{.name = "unix:x", .path = scratch_path("full"), .wait_ms = 1}, STATUS_TIME, "--to unix:x: time ran out"},
    };

    (void)state;
    free_ports(SOCK_STREAM, port, other);
    file_put(scratch_path("file"), "", 0600);
    waiting_one = connect_to(&full, &error);
    assert_true(waiting_one >= 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_row(connect_to(&cases[i].target, &error) == -1, "%s", cases[i].story);
        check_row(error.status == cases[i].status && has(error.story, cases[i].story), "%d: %s", error.status, error.story);
    }
    close(waiting_one);
    close(listener);
}

/* No descriptors are left: in a child, whose limit that is. */
static int connect_without_descriptors(void *argument)
{
    struct error error;

    while (open("/dev/null", O_RDONLY) >= 0)
        ;
    return connect_to(argument, &error) != -1 || error.status != STATUS_NETWORK || !has(error.story, "Too many open files");
}

static void test_no_descriptors(void **state)
{
    struct local_target targets[] = {{.name = "t", .host = "127.0.0.1", .port = "1", .numeric = true, .wait_ms = TEST_PATIENCE_MS},
                                     {.name = "u", .path = scratch_path("nowhere"), .wait_ms = TEST_PATIENCE_MS}};

    (void)state;
    for (int i = 0; i < 2; i++)
        check_row(in_child(connect_without_descriptors, &targets[i]) == 0, "%s", targets[i].name);
}

/* While we wait for room in its queue a signal is heard. */
static int stopped(void *argument)
{
    struct error error;
    struct local_target full = {.name = "u", .path = argument, .wait_ms = -1};

    return connect_to(&full, &error) != -1 || error.status != STATUS_OK;
}

static void test_signal(void **state)
{
    struct error error;
    int listener = unix_listener(scratch_path("busy")), waiting_one;
    struct local_target busy = {.name = "u", .path = scratch_path("busy"), .wait_ms = -1};

    (void)state;
    waiting_one = connect_to(&busy, &error);
    assert_int_equal(in_stopped_child(stopped, (void *)scratch_path("busy")), 0);
    close(waiting_one);
    close(listener);
}

/* ---- The header, byte by byte ---- */

static void test_header(void **state)
{
    static const uint8_t tls[] = {0x01, 0, 4, 's', 'm', 't', 'p', 0x20, 0, 20, 3, 0, 0, 0, 0,
                                  0x21, 0, 6, 'T', 'L', 'S', '1', '.', '3', 0x22, 0, 3, 'b', 'o', 'b'};
    static const uint8_t four[] = {192, 0, 2, 1, 192, 0, 2, 2, 0x03, 0xe8, 0x07, 0xd0};
    static const uint8_t six[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0x0d, 0xb8,
                                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x03, 0xe8, 0x07, 0xd0};
    const struct {
        enum transport_kind kind;
        const char *remote, *local;
        uint8_t family;
        const uint8_t *addresses;
        size_t length;
    } cases[] = {
        {TRANSPORT_TCP, "192.0.2.1", "192.0.2.2", 0x11, four, sizeof four},
        {TRANSPORT_TCP, "::ffff:192.0.2.1", "::ffff:192.0.2.2", 0x11, four, sizeof four},
        {TRANSPORT_UDP, "192.0.2.1", "192.0.2.2", 0x12, four, sizeof four},
        {TRANSPORT_SCTP, "2001:db8::1", "2001:db8::2", 0x21, six, sizeof six},
        {TRANSPORT_TCP, NULL, NULL, 0x00, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct transport transport = {.kind = cases[i].kind};
        struct local_occasion occasion = {.facts = &facts, .transport = &transport};
        uint8_t bytes[LOCAL_PROXY_MAX];
        size_t length, rest = cases[i].length + sizeof tls;

        if (cases[i].remote) {
            transport.remote = address_at(cases[i].remote, 1000);
            transport.local = address_at(cases[i].local, 2000);
        }
        length = local_proxy_header(&occasion, bytes);
        check_row(length == 16 + rest, "row %zu: %zu", i, length);
        assert_memory_equal(bytes, "\r\n\r\n\0\r\nQUIT\n\x21", 13);
        check_row(bytes[13] == cases[i].family && bytes[14] == 0 && bytes[15] == rest, "row %zu: %02x", i, bytes[13]);
        if (cases[i].length)
            assert_memory_equal(bytes + 16, cases[i].addresses, cases[i].length);
        assert_memory_equal(bytes + 16 + cases[i].length, tls, sizeof tls);
    }
}

/* Whoever was not looked at is not vouched for. */
static void test_header_of_anybody(void **state)
{
    struct facts anybody = {.version = "TLS1.2", .trust = TRUST_INSECURE};
    struct transport transport = {.kind = TRANSPORT_TCP};
    struct local_occasion occasion = {.facts = &anybody, .transport = &transport};
    uint8_t bytes[LOCAL_PROXY_MAX];

    (void)state;
    assert_int_equal(local_proxy_header(&occasion, bytes), 16 + 3 + 5 + 3 + 6);
    assert_memory_equal(bytes + 16, "\x20\0\x0e\x01\0\0\0\x01", 8);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connects),       cmocka_unit_test(test_says_who_comes),
        cmocka_unit_test(test_cannot_connect), cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_signal),
        cmocka_unit_test(test_header),         cmocka_unit_test(test_header_of_anybody),
    };

    return cmocka_run_group_tests(tests, waiting_and_scratch_setup, waiting_and_scratch_teardown);
}
