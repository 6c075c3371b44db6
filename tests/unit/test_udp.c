/* test_udp.c - datagrams: called, awaited, and both; on real sockets. */
#include "check.h"
#include "datagrams.h"
#include "sockets.h"
#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int stranger(const char *host, uint16_t port)
{
    struct address address = address_at(host, port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(socket_connect(fd, &address));
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static void hear(int fd, const char *text)
{
    char bytes[256];
    ssize_t length;

    await(fd, POLLIN);
    length = recv(fd, bytes, sizeof bytes, 0);
    check_row(length == (ssize_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0, "\"%s\": %zd bytes", text, length);
}

/* "take" is let in, "answer" gets one, "long" one that is longer than the question. */
static enum udp_verdict gate(void *context, const struct address *remote, const uint8_t *bytes, size_t length,
                             uint8_t answer[UDP_ANSWER_MAX], size_t *answer_length)
{
    unsigned *asked = context;

    assert_true(address_port(remote) > 0);
    ++*asked;
    if (length == 4 && memcmp(bytes, "take", 4) == 0)
        return UDP_TAKE;
    *answer_length = length == 4 ? 5 : 2;
    memcpy(answer, "hello", 5);
    return length >= 4 ? UDP_ANSWER : UDP_IGNORE;
}

/* Who is let in has a socket of its own, with what it said meanwhile; others are heard by the listener alone. */
static void test_accept(void **state)
{
    struct transport_config config = {.host = "127.0.0.1", .port = "0", .wait_ms = TEST_PATIENCE_MS};
    struct listeners listeners;
    struct transport transport = {.fd = -1};
    struct buffer first = {0};
    struct error error = {0};
    char host[ADDRESS_TEXT_SIZE];
    unsigned asked = 0;
    size_t length;
    int one, other;

    (void)state;
    assert_true(udp_listen(&config, &waiting, &listeners, &error));
    one = stranger("127.0.0.1", address_port(&listeners.local[0]));
    other = stranger("127.0.0.1", address_port(&listeners.local[0]));
    say(other, "answer");
    say(other, "long"); /* four bytes: the answer would have five */
    say(other, "no");
    say(one, "take");
    say(other, "no");
    say(one, "more");
    assert_true(udp_accept(&config, &listeners, gate, &asked, &waiting, &transport, &first, &error));
    assert_int_equal(asked, 4);
    assert_int_equal(transport.kind, TRANSPORT_UDP);
    assert_int_equal(transport.setup, TRANSPORT_PASSIVE);
    assert_int_equal(address_port(&transport.local), address_port(&listeners.local[0]));
    assert_string_equal(address_host(&transport.local, host), "127.0.0.1");
    assert_memory_equal(datagrams_first(&first, &length), "take", 4);
    datagrams_drop_first(&first);
    assert_memory_equal(datagrams_first(&first, &length), "more", 4);
    datagrams_drop_first(&first);
    assert_null(datagrams_first(&first, &length));

    hear(other, "he");
    say(other, "for the listener");
    say(one, "for its own socket");
    hear(transport.fd, "for its own socket");
    hear(listeners.fds[0], "for the listener");
    assert_int_equal(send(transport.fd, "back", 4, 0), 4);
    hear(one, "back");
    close(one);
    close(other);
    transport_abort(&transport);
    listeners_close(&listeners);
    buffer_free(&first);
}

/* Who comes while another one is taken is the next, and has lost nothing. */
static void test_next(void **state)
{
    struct transport_config config = {.host = "127.0.0.1", .port = "0", .wait_ms = TEST_PATIENCE_MS};
    struct listeners listeners;
    struct transport transports[2] = {{.fd = -1}, {.fd = -1}}, nobody = {.fd = -1};
    struct buffer first[2] = {{0}}, nothing = {0};
    struct error error = {0};
    unsigned asked = 0;
    size_t length;
    int ends[2];

    (void)state;
    assert_true(udp_listen(&config, &waiting, &listeners, &error));
    for (size_t i = 0; i < 2; i++)
        ends[i] = stranger("127.0.0.1", address_port(&listeners.local[0]));
    say(ends[0], "take");
    say(ends[1], "answer");
    say(ends[1], "take");
    say(ends[0], "more");
    say(ends[1], "MORE");
    await(listeners.fds[0], POLLIN);
    assert_int_equal(udp_next(&listeners, gate, &asked, &transports[0], &first[0]), LISTENERS_PEER);
    assert_int_equal(asked, 1);
    assert_int_equal(udp_next(&listeners, gate, &asked, &transports[1], &first[1]), LISTENERS_PEER);
    assert_int_equal(udp_next(&listeners, gate, &asked, &nobody, &nothing), LISTENERS_NOBODY);
    for (size_t i = 0; i < 2; i++) {
        struct address here, ignored;

        address_of_socket(ends[i], &here, &ignored);
        assert_true(address_same(&here, &transports[i].remote));
        assert_memory_equal(datagrams_first(&first[i], &length), "take", 4);
        datagrams_drop_first(&first[i]);
        assert_memory_equal(datagrams_first(&first[i], &length), i ? "MORE" : "more", 4);
        datagrams_drop_first(&first[i]);
        assert_null(datagrams_first(&first[i], &length));
        close(ends[i]);
        transport_abort(&transports[i]);
        buffer_free(&first[i]);
    }
    listeners_close(&listeners);
}

/* A listener on all addresses answers from the one that was spoken to. */
static void test_wildcard(void **state)
{
    struct transport_config config = {.port = "0", .wait_ms = TEST_PATIENCE_MS};
    struct listeners listeners;
    struct transport transport = {.fd = -1};
    struct buffer first = {0};
    struct error error = {0};
    char host[ADDRESS_TEXT_SIZE];
    unsigned asked = 0;
    int fd;

    (void)state;
    assert_true(udp_listen(&config, &waiting, &listeners, &error));
    fd = stranger("127.0.0.9", address_port(&listeners.local[0]));
    say(fd, "answer");
    say(fd, "take");
    assert_true(udp_accept(&config, &listeners, gate, &asked, &waiting, &transport, &first, &error));
    assert_string_equal(address_host(&transport.local, host), "127.0.0.9");
    hear(fd, "he"); /* a connected socket hears its peer only */
    assert_int_equal(send(transport.fd, "back", 4, 0), 4);
    hear(fd, "back");
    close(fd);
    transport_abort(&transport);
    listeners_close(&listeners);
    buffer_free(&first);
}

static void test_nobody(void **state)
{
    struct transport_config config = {.host = "127.0.0.1", .port = "0", .wait_ms = 50};
    struct listeners listeners;
    struct transport transport = {.fd = -1};
    struct buffer first = {0};
    struct error error = {0};
    unsigned asked = 0;

    (void)state;
    assert_true(udp_listen(&config, &waiting, &listeners, &error));
    assert_false(udp_accept(&config, &listeners, gate, &asked, &waiting, &transport, &first, &error));
    assert_int_equal(error.status, STATUS_TIME);
    assert_true(has(error.story, "nobody came"));
    listeners_close(&listeners);
}

/* Towards one address: connected when we call, and open to another port when both do. A port that is in use says so. */
static void test_ways(void **state)
{
    char mine[8], theirs[8];
    struct transport_config config = {.host = "127.0.0.1", .port = theirs, .wait_ms = TEST_PATIENCE_MS};
    struct transport ways[UDP_WAYS_MAX], more[UDP_WAYS_MAX];
    struct address local, remote;
    struct error error = {0};

    (void)state;
    free_ports(SOCK_DGRAM, mine, theirs);
    assert_int_equal(udp_ways(&config, false, &waiting, ways, &error), 1);
    assert_false(ways[0].unconnected);
    address_of_socket(ways[0].fd, &local, &remote);
    assert_true(address_same(&remote, &ways[0].remote));
    assert_int_equal(ways[0].setup, TRANSPORT_ACTIVE);
    transport_abort(&ways[0]);

    config.source_port = mine;
    assert_int_equal(udp_ways(&config, true, &waiting, ways, &error), 1);
    assert_true(ways[0].unconnected);
    assert_int_equal(ways[0].setup, TRANSPORT_SIMULTANEOUS);
    address_of_socket(ways[0].fd, &local, &remote);
    assert_int_equal(remote.length, 0);
    assert_int_equal(address_port(&local), (uint16_t)strtol(mine, NULL, 10));

    assert_int_equal(udp_ways(&config, true, &waiting, more, &error), 0);
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_true(has(error.story, "Address already in use; -p gives our end another port"));
    transport_abort(&ways[0]);
}

static void test_no_such_name(void **state)
{
    struct transport_config config = {.host = "no.such.host", .port = "1", .numeric = true, .wait_ms = TEST_PATIENCE_MS};
    struct transport ways[UDP_WAYS_MAX];
    struct error error = {0};

    (void)state;
    assert_int_equal(udp_ways(&config, false, &waiting, ways, &error), 0);
    assert_int_equal(error.status, STATUS_NETWORK);
}

/* Nothing is fragmented: what is too large comes back. */
static void test_too_large(void **state)
{
    static char bytes[65508];
    struct transport_config config = {.host = "127.0.0.1", .port = "9", .wait_ms = TEST_PATIENCE_MS};
    struct transport ways[UDP_WAYS_MAX];
    struct error error = {0};
    int discover = 0;
    socklen_t size = sizeof discover;

    (void)state;
    assert_int_equal(udp_ways(&config, false, &waiting, ways, &error), 1);
    assert_int_equal(getsockopt(ways[0].fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, &size), 0);
    assert_int_equal(discover, IP_PMTUDISC_DO);
    assert_int_equal(send(ways[0].fd, bytes, sizeof bytes, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EMSGSIZE);
    transport_abort(&ways[0]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept), cmocka_unit_test(test_next),         cmocka_unit_test(test_wildcard),     cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_ways),   cmocka_unit_test(test_no_such_name), cmocka_unit_test(test_too_large),
    };

    return cmocka_run_group_tests(tests, waiting_setup, waiting_teardown);
}
