/* test_tcp_meet.c - two that call each other from one port: one connection, whoever is first. */
#include "check.h"
#include "names.h"
#include "sockets.h"
#include "tcp_meet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *free_port(void)
{
    static char text[8];
    char other[8];

    free_ports(SOCK_STREAM, text, other);
    return text;
}

static struct transport_config config(const char *source, const char *source_port, const char *host, const char *port)
{
    return (struct transport_config){
        .host = host, .port = port, .source = source, .source_port = source_port, .wait_ms = TEST_PATIENCE_MS};
}

static struct tcp_meet *start(const char *source, const char *source_port, const char *host, const char *port)
{
    struct transport_config how = config(source, source_port, host, port);
    struct error error = {0};
    struct tcp_meet *meet = tcp_meet_start(&how, &waiting, &error);

    check_row(meet, "%s", error.story);
    return meet;
}

/* ---- Two of them, step by step ---- */

struct party {
    struct tcp_meet *meet;
    struct transport found[4];
    size_t count;
};

static void step(struct party *party)
{
    struct transport transport = {.fd = -1};

    while (tcp_meet_step(party->meet, &transport)) {
        assert_true(party->count < COUNT(party->found));
        party->found[party->count++] = transport;
    }
}

/* Wait until anything happens to either of them, and no longer than `most_ms`. */
static void wait_for_both(struct party *a, struct party *b, int most_ms)
{
    struct pollfd fds[2 * TCP_MEET_FDS];
    nfds_t count = tcp_meet_poll(a->meet, fds);
    int64_t deadline = wait_until(most_ms), at = tcp_meet_deadline(a->meet);

    count += b ? tcp_meet_poll(b->meet, fds + count) : 0;
    deadline = at < deadline ? at : deadline;
    at = b ? tcp_meet_deadline(b->meet) : deadline;
    wait_for(&waiting, fds, count, at < deadline ? at : deadline);
}

static void end(struct party *party)
{
    for (size_t i = 0; i < party->count; i++)
        transport_abort(&party->found[i]);
    tcp_meet_free(party->meet);
}

/* Both ends have found the same connection. */
static void assert_met(struct party *a, struct party *b)
{
    char byte;

    assert_int_equal(a->count, 1);
    assert_int_equal(b->count, 1);
    assert_true(address_same(&a->found[0].local, &b->found[0].remote));
    assert_true(address_same(&a->found[0].remote, &b->found[0].local));
    assert_false(tcp_is_self(&a->found[0]));
    for (int i = 0; i < 2; i++) {
        struct party *from = i ? b : a, *to = i ? a : b;

        assert_tuned(from->found[0].fd);
        write_all(from->found[0].fd, "x", 1);
        await(to->found[0].fd, POLLIN);
        assert_int_equal(recv(to->found[0].fd, &byte, 1, 0), 1);
    }
}

static void meet(struct party *a, struct party *b)
{
    int64_t deadline = wait_until(TEST_PATIENCE_MS);

    while (!a->count || !b->count) {
        step(a);
        step(b);
        if (a->count && b->count)
            break;
        assert_true(wait_now() < deadline);
        wait_for_both(a, b, 1000);
    }
}

/* The one is there some steps before the other; or some pass before the first is asked again. */
static void test_exactly_one(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 60; round++) {
        const char *port = free_port();
        bool a_first = next_random(&seed) % 2;
        struct party first = {.count = 0}, second = {.count = 0};
        unsigned head_start = next_random(&seed) % 6;

        first.meet = start(a_first ? "127.0.0.1" : "127.0.0.2", port, a_first ? "127.0.0.2" : "127.0.0.1", port);
        for (unsigned i = 0; i < head_start; i++) {
            step(&first);
            wait_for_both(&first, NULL, 2);
        }
        assert_int_equal(first.count, 0);
        second.meet = start(a_first ? "127.0.0.2" : "127.0.0.1", port, a_first ? "127.0.0.1" : "127.0.0.2", port);
        if (round % 2)
            meet(&first, &second);
        else
            meet(&second, &first);
        assert_met(&first, &second);
        for (int i = 0; i < 3; i++) { /* nor does a second one come later */
            wait_for_both(&first, &second, 2);
            step(&first);
            step(&second);
        }
        assert_int_equal(first.count + second.count, 2);
        end(&first);
        end(&second);
    }
}

static void test_ipv6(void **state)
{
    struct party a = {.count = 0}, b = {.count = 0};
    char one[8], other[8];

    (void)state;
    if (!names_have_ipv6())
        skip();
    free_ports(SOCK_STREAM, one, other);
    a.meet = start("::1", one, "::1", other);
    b.meet = start(NULL, other, "six.test", one); /* our address is found by theirs */
    meet(&a, &b);
    assert_met(&a, &b);
    end(&a);
    end(&b);
}

/* Two pairs of addresses: two connections may come about, and all of them are told. */
static void test_two_ways(void **state)
{
    struct party a = {.count = 0}, b = {.count = 0};
    char one[8], other[8];
    int64_t deadline = wait_until(TEST_PATIENCE_MS);

    (void)state;
    if (!names_have_ipv6())
        skip();
    free_ports(SOCK_STREAM, one, other);
    a.meet = start(NULL, one, "both.test", other);
    b.meet = start(NULL, other, "both.test", one);
    assert_int_equal(tcp_meet_ways(a.meet), 2);
    while (a.count < 2 || b.count < 2) {
        step(&a);
        step(&b);
        assert_true(wait_now() < deadline);
        wait_for_both(&a, &b, 50);
    }
    assert_int_not_equal(address_family(&a.found[0].remote), address_family(&a.found[1].remote));
    assert_int_not_equal(address_family(&b.found[0].remote), address_family(&b.found[1].remote));
    end(&a);
    end(&b);
}

/* ---- Not the peer ---- */

static void test_ourselves(void **state)
{
    struct party a = {.count = 0};
    const char *port = free_port();
    int64_t deadline = wait_until(TEST_PATIENCE_MS);

    (void)state;
    a.meet = start("127.0.0.1", port, "127.0.0.1", port);
    while (!a.count) {
        step(&a);
        assert_true(wait_now() < deadline);
        if (!a.count)
            wait_for_both(&a, NULL, 1000);
    }
    assert_true(tcp_is_self(&a.found[0]));
    end(&a);
}

static int call_from(const char *host, uint16_t port, const char *there, const char *there_port)
{
    struct address address = address_at(there, (uint16_t)atoi(there_port));
    int fd = socket_at(SOCK_STREAM, host, port);

    assert_true(socket_connect(fd, &address));
    return fd;
}

/* Somebody else is turned away, and counted; the peer may come from another port, as behind a NAT. */
static void test_strangers(void **state)
{
    struct party a = {.count = 0};
    const char *port = free_port();
    char story[1024], byte;
    int stranger, peer;

    (void)state;
    a.meet = start("127.0.0.1", port, "127.0.0.2", port);
    step(&a);
    stranger = call_from("127.0.0.3", 0, "127.0.0.1", port);
    step(&a);
    await(stranger, POLLIN);
    assert_int_equal(recv(stranger, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(a.count, 0);
    tcp_meet_story(a.meet, story, sizeof story);
    assert_true(has(story, "127.0.0.2:"));
    assert_true(has(story, "; 1 connections from elsewhere were turned away"));

    peer = call_from("127.0.0.2", 0, "127.0.0.1", port);
    step(&a);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.found[0].setup, TRANSPORT_PASSIVE);
    close(stranger);
    close(peer);
    end(&a);
}

/* ---- Half open ---- */

/* Hear a SYN, and nothing else: no answer to one of our own. */
static void hear_calls_only(int fd)
{
    enum { FLAGS_AT = 13, SYN = 0x02, ACK = 0x10 };
    struct sock_filter rules[] = {BPF_STMT(BPF_LD + BPF_B + BPF_ABS, FLAGS_AT), BPF_STMT(BPF_ALU + BPF_AND + BPF_K, SYN | ACK),
                                  BPF_JUMP(BPF_JMP + BPF_JEQ + BPF_K, SYN, 0, 1), BPF_STMT(BPF_RET + BPF_K, UINT16_MAX),
                                  BPF_STMT(BPF_RET + BPF_K, 0)};
    struct sock_fprog program = {.len = COUNT(rules), .filter = rules};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

/* A peer that is deaf to our answers keeps us from calling it; but not for the minute that the kernel would give it. */
static void test_half_open(void **state)
{
    struct party a = {.count = 0};
    const char *port = free_port();
    struct address there = address_at("127.0.0.1", (uint16_t)atoi(port));
    int on = 1, fd = socket_at(SOCK_STREAM, "127.0.0.2", (uint16_t)atoi(port));
    struct pollfd fds[TCP_MEET_FDS];
    int64_t deadline = wait_until(25000);
    char story[1024];

    (void)state;
    a.meet = start("127.0.0.1", port, "127.0.0.2", port);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    hear_calls_only(fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    assert_false(socket_connect(fd, &there));
    assert_int_equal(errno, EINPROGRESS);
    step(&a);
    tcp_meet_story(a.meet, story, sizeof story);
    check_row(has(story, "a connection between these two ports is half open"), "%s", story);
    do {
        wait_for_both(&a, NULL, 1000);
        step(&a);
        assert_true(wait_now() < deadline);
        assert_int_equal(tcp_meet_poll(a.meet, fds), 2);
    } while (!a.count && fds[1].fd < 0);
    close(fd);
    end(&a);
}

/* ---- Behind a firewall that answers RST ---- */

/* Be two hops away: hear neither what goes less far, nor, when `deaf`, anything. */
static void move_away(int fd, bool deaf)
{
    enum { TTL_AT = 8 };
    struct sock_filter rules[] = {BPF_STMT(BPF_LD + BPF_B + BPF_ABS, (uint32_t)(SKF_NET_OFF + TTL_AT)),
                                  BPF_JUMP(BPF_JMP + BPF_JGT + BPF_K, deaf ? UINT8_MAX : 2, 0, 1),
                                  BPF_STMT(BPF_RET + BPF_K, UINT16_MAX), BPF_STMT(BPF_RET + BPF_K, 0)};
    struct sock_fprog program = {.len = COUNT(rules), .filter = rules};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

/* Who has been refused before calls no further than the own firewall; but the answer to the peer's call goes all the way. */
static void test_short_calls(void **state)
{
    struct party a = {.count = 0};
    const char *port = free_port();
    struct address here = address_at("127.0.0.2", (uint16_t)atoi(port)), there = address_at("127.0.0.1", (uint16_t)atoi(port));
    struct pollfd fds[TCP_MEET_FDS];
    int deaf, peer, on = 1, hops = 0;
    socklen_t size = sizeof hops;
    int64_t deadline = wait_until(TEST_PATIENCE_MS);

    (void)state;
    a.meet = start("127.0.0.1", port, "127.0.0.2", port);
    for (int calls = 0; calls < 3;) {
        step(&a);
        assert_int_equal(tcp_meet_poll(a.meet, fds), 2);
        calls += fds[1].fd >= 0;
        wait_for_both(&a, NULL, 1000);
        assert_true(wait_now() < deadline);
    }
    deaf = socket_at(SOCK_STREAM, "127.0.0.2", (uint16_t)atoi(port));
    assert_int_equal(setsockopt(deaf, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    move_away(deaf, true);
    assert_int_equal(listen(deaf, 1), 0);
    do {
        step(&a);
        assert_int_equal(tcp_meet_poll(a.meet, fds), 2);
        if (fds[1].fd < 0)
            wait_for_both(&a, NULL, 1000);
        assert_true(wait_now() < deadline);
    } while (fds[1].fd < 0);
    assert_int_equal(getsockopt(fds[1].fd, IPPROTO_IP, IP_MINTTL, &hops, &size), 0);
    assert_int_equal(hops, 2); /* it is a short one */

    peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(peer, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    assert_int_equal(bind(peer, (struct sockaddr *)&here.storage, here.length), 0);
    move_away(peer, false);
    assert_false(socket_connect(peer, &there));
    assert_int_equal(errno, EINPROGRESS);
    deadline = wait_until(900); /* before anything is repeated */
    for (step(&a); !a.count && wait_now() < deadline; step(&a))
        wait_for_both(&a, NULL, 100);
    assert_int_equal(a.count, 1);
    close(deaf);
    close(peer);
    end(&a);
}

/* ---- Again ---- */

/* The connection came to nothing, and its way is taken once more. */
static void test_again(void **state)
{
    struct party a = {.count = 0}, b = {.count = 0};
    const char *port = free_port();

    (void)state;
    a.meet = start("127.0.0.1", port, "127.0.0.2", port);
    b.meet = start("127.0.0.2", port, "127.0.0.1", port);
    for (int round = 0; round < 3; round++) {
        meet(&a, &b);
        assert_met(&a, &b);
        assert_int_equal(tcp_meet_deadline(a.meet), WAIT_FOREVER);
        transport_abort(&a.found[0]);
        transport_abort(&b.found[0]);
        tcp_meet_again(a.meet, &a.found[0]);
        tcp_meet_again(b.meet, &b.found[0]);
        assert_true(tcp_meet_deadline(a.meet) != WAIT_FOREVER);
        a.count = b.count = 0;
    }
    end(&a);
    end(&b);
}

/* The peer starts anew, and so on the same addresses and ports. */
static void test_restart(void **state)
{
    struct party a = {.count = 0}, b = {.count = 0};
    const char *port = free_port();

    (void)state;
    for (int round = 0; round < 3; round++) {
        a = (struct party){.meet = start("127.0.0.1", port, "127.0.0.2", port)};
        b = (struct party){.meet = start("127.0.0.2", port, "127.0.0.1", port)};
        meet(&a, &b);
        assert_met(&a, &b);
        end(&a);
        end(&b);
    }
}

/* ---- Errors, and what is told ---- */

static void test_port_in_use(void **state)
{
    const char *port = free_port();
    struct transport_config how = config("127.0.0.1", port, "127.0.0.2", port);
    struct error error = {0};
    int fd = socket_at(SOCK_STREAM, "127.0.0.1", (uint16_t)atoi(port));

    (void)state;
    assert_int_equal(listen(fd, 1), 0);
    assert_null(tcp_meet_start(&how, &waiting, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_true(has(error.story, "cannot listen on 127.0.0.1:"));
    assert_true(has(error.story, "Address already in use; -p gives our end another port"));
    close(fd);
}

static void test_start_errors(void **state)
{
    static const struct {
        const char *source, *host;
        const char *story;
    } table[] = {
        {"127.0.0.1", "none.test", "cannot find the address of \"none.test\""},
        {"none.test", "127.0.0.1", "cannot find the address of \"none.test\""},
        {"::1", "127.0.0.1", "no way from here to 127.0.0.1:"},
        {"198.51.100.77", "127.0.0.1", "cannot listen on 198.51.100.77:"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *port = free_port();
        struct transport_config how = config(table[i].source, port, table[i].host, port);
        struct error error = {0};

        assert_null(tcp_meet_start(&how, &waiting, &error));
        check_row(error.status == STATUS_NETWORK, "row %zu: %s", i, error.story);
        check_row(strstr(error.story, table[i].story), "row %zu: %s", i, error.story);
    }
    tcp_meet_free(NULL);
}

static void test_story(void **state)
{
    struct party a = {.count = 0};
    const char *port = free_port();
    struct address local[TCP_MEET_FDS];
    char story[1024], small[16], expected[64], text[ADDRESS_TEXT_SIZE];
    int64_t deadline = wait_until(TEST_PATIENCE_MS);

    (void)state;
    a.meet = start("127.0.0.1", port, "127.0.0.2", port);
    tcp_meet_story(a.meet, story, sizeof story);
    snprintf(expected, sizeof expected, "127.0.0.2:%s: no answer", port);
    assert_string_equal(story, expected);
    snprintf(expected, sizeof expected, "127.0.0.2:%s: Connection refused", port);
    do {
        step(&a);
        wait_for_both(&a, NULL, 1000);
        tcp_meet_story(a.meet, story, sizeof story);
        assert_true(wait_now() < deadline);
    } while (strcmp(story, expected) != 0);
    tcp_meet_story(a.meet, small, sizeof small); /* as much as there is room for */
    assert_int_equal(strlen(small), sizeof small - 1);
    assert_int_equal(tcp_meet_local(a.meet, local, TCP_MEET_FDS), 1);
    snprintf(expected, sizeof expected, "127.0.0.1:%s", port);
    assert_string_equal(address_text(&local[0], text), expected);
    assert_int_equal(tcp_meet_local(a.meet, local, 0), 0);
    end(&a);
}

/* Two addresses of the peer are called from one address of ours: that is one listener. */
static void test_one_listener_for_two(void **state)
{
    struct party a = {.count = 0}, b = {.count = 0};
    const char *port = free_port();
    struct address local[TCP_MEET_FDS];

    (void)state;
    a.meet = start("127.0.0.5", port, "pair.test", port);
    assert_int_equal(tcp_meet_ways(a.meet), 2);
    assert_int_equal(tcp_meet_local(a.meet, local, TCP_MEET_FDS), 1);
    b.meet = start("127.0.0.2", port, "127.0.0.5", port);
    meet(&a, &b);
    assert_met(&a, &b);
    end(&a);
    end(&b);
}

/* More addresses than there is room for are not a problem. */
static void test_many_addresses(void **state)
{
    struct party a = {.count = 0};
    struct pollfd fds[TCP_MEET_FDS];

    (void)state;
    a.meet = start("127.0.0.5", free_port(), "many.test", "1");
    assert_int_equal(tcp_meet_ways(a.meet), TCP_MEET_FDS / 2);
    for (int i = 0; i < 20; i++) {
        step(&a);
        assert_int_equal(tcp_meet_poll(a.meet, fds), TCP_MEET_FDS);
        wait_for_both(&a, NULL, 1);
    }
    end(&a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exactly_one),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_two_ways),
        cmocka_unit_test(test_ourselves),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_half_open),
        cmocka_unit_test(test_short_calls),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_start_errors),
        cmocka_unit_test(test_story),
        cmocka_unit_test(test_one_listener_for_two),
        cmocka_unit_test(test_many_addresses),
    };

    names_use();
    return cmocka_run_group_tests(tests, waiting_setup, waiting_teardown);
}
