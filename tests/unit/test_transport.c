/* test_transport.c - the end of a connection: nothing of ours is lost by our leaving, and nobody makes us stay for ever. */
#include "check.h"
#include "sockets.h"
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection: our end, and the peer's. */
static struct transport connect_to(int *peer)
{
    struct transport transport = {.fd = -1};
    int fds[2];

    tcp_pair(fds);
    transport.fd = fds[0];
    address_of_socket(fds[0], &transport.local, &transport.remote);
    *peer = fds[1];
    return transport;
}

/* Send until the kernel takes no more; how much it was. */
static size_t fill(int fd)
{
    static const char zeros[65536];
    size_t sent = 0;
    ssize_t count;

    while ((count = send(fd, zeros, sizeof zeros, MSG_NOSIGNAL)) > 0)
        sent += (size_t)count;
    assert_int_equal(errno, EAGAIN);
    return sent;
}

static void assert_over(struct transport *transport)
{
    assert_int_equal(transport->fd, -1);
}

/* The peer has ended: so do we. */
static void test_finish(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);
    char byte;

    (void)state;
    write_all(peer, "not read", 8);
    shutdown(peer, SHUT_WR);
    assert_int_equal(transport_finish(&transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS), 0);
    assert_over(&transport);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    close(peer);
}

/* Much of what the peer has sent is not read. It gets all of ours, and no reset. */
static int leave_unread(void *argument)
{
    struct transport *transport = argument;
    char part[100000];

    memset(part, 'x', sizeof part);
    return send(transport->fd, part, sizeof part, MSG_NOSIGNAL) != sizeof part ||
           transport_finish(transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS) != 0;
}

static void test_finish_throws_away(void **state)
{
    int peer, child;
    struct transport transport = connect_to(&peer);
    size_t sent, length;

    (void)state;
    sent = fill(peer);
    assert_true(sent > 0);
    child = child_start(leave_unread, &transport);
    close(transport.fd);
    free(read_to_end(peer, &length));
    assert_int_equal(length, 100000);
    shutdown(peer, SHUT_WR);
    assert_int_equal(child_end(child), 0);
    close(peer);
}

/* A peer that never ends is not waited for beyond the time. */
static void test_finish_in_time(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);
    char byte;

    (void)state;
    assert_int_equal(transport_finish(&transport, &waiting, 30, 0, 30), 0);
    assert_over(&transport);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    close(peer);
}

static void test_finish_at_once(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);

    (void)state;
    assert_int_equal(transport_finish(&transport, &waiting, 0, 0, 0), 0);
    assert_over(&transport);
    close(peer);
}

/* What the peer has not taken is waited for, as long as there is patience, and then it is told how much it is. */
static void test_unacknowledged(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);
    size_t left;

    (void)state;
    assert_int_equal(transport_unacknowledged(&transport), 0);
    fill(transport.fd);
    left = transport_unacknowledged(&transport);
    assert_true(left > 10000);
    left = transport_finish(&transport, &waiting, 0, 0, 50);
    assert_true(left > 10000);
    assert_over(&transport);
    close(peer);
}

static void test_round_trip(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);
    unsigned us = 0;

    (void)state;
    assert_true(transport_round_trip(&transport, &us));
    assert_in_range(us, 1, TEST_PATIENCE_MS * 1000);
    transport.kind = TRANSPORT_UDP;
    assert_false(transport_round_trip(&transport, &us));
    transport_abort(&transport);
    close(peer);
}

/* What does not matter is not waited for; and that we end is no byte more. */
static void test_immaterial(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);
    int64_t before = wait_now();
    size_t left;

    (void)state;
    fill(transport.fd);
    do { /* until the peer's side is full as well */
        left = transport_unacknowledged(&transport);
        poll(NULL, 0, 50);
    } while (transport_unacknowledged(&transport) != left);
    assert_int_equal(transport_finish(&transport, &waiting, 0, left, 10000), left);
    assert_over(&transport);
    assert_true(wait_now() - before < 10000);
    close(peer);
}

/* A slow peer gets its time: until it has all, and not until some moment. */
static int finish_patiently(void *argument)
{
    return transport_finish(argument, &waiting, 0, 0, TEST_PATIENCE_MS) != 0;
}

static void test_patience(void **state)
{
    int peer, child;
    struct transport transport = connect_to(&peer);
    size_t sent, length;

    (void)state;
    sent = fill(transport.fd);
    child = child_start(finish_patiently, &transport);
    close(transport.fd);
    poll(NULL, 0, 100); /* however long */
    free(read_to_end(peer, &length));
    assert_int_equal(length, sent);
    assert_int_equal(child_end(child), 0);
    close(peer);
}

/* A peer that has gone acknowledges nothing more: whether we know it by now or not, there is nothing to be waited for. */
static void test_reset(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        int peer;
        struct transport transport = connect_to(&peer);
        int64_t before = wait_now();
        char byte;

        fill(transport.fd);
        tcp_reset(peer);
        await(transport.fd, POLLIN);
        if (known)
            assert_int_equal(recv(transport.fd, &byte, 1, 0), -1);
        transport_finish(&transport, &waiting, 10000, 0, 10000);
        assert_over(&transport);
        check_row(wait_now() - before < 10000, "known %d", known);
    }
}

/* A signal ends the waiting. */
static int finish_and_be_stopped(void *argument)
{
    transport_finish(argument, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS);
    return 0;
}

static void test_signal(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);

    (void)state;
    assert_int_equal(in_stopped_child(finish_and_be_stopped, &transport), 0);
    close(transport.fd);
    close(peer);
}

static void test_abort(void **state)
{
    int peer;
    struct transport transport = connect_to(&peer);
    char byte;

    (void)state;
    write_all(transport.fd, "data", 4);
    transport_abort(&transport);
    assert_over(&transport);
    await(peer, POLLIN);
    while (recv(peer, &byte, 1, 0) == 1)
        ;
    assert_int_equal(errno, ECONNRESET);
    transport_abort(&transport); /* once is enough */
    close(peer);
}

/* Each error once, with whom it is about; none from an empty queue. */
static void test_queued_error(void **state)
{
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct address there, target, ignored;
    int on = 1, taken = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char large[65507 + 1] = {0};
    bool is_local = true;

    (void)state;
    assert_int_equal(bind(taken, (struct sockaddr *)&nobody, sizeof nobody), 0);
    address_of_socket(taken, &there, &ignored);
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    assert_int_equal(transport_queued_error(fd, &target, &is_local), 0);
    close(taken);
    assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&there.storage, there.length), 1);
    await(fd, POLLERR);
    assert_int_equal(transport_queued_error(fd, &target, &is_local), ECONNREFUSED);
    assert_true(address_same(&target, &there));
    assert_false(is_local);
    assert_int_equal(sendto(fd, large, sizeof large, 0, (struct sockaddr *)&there.storage, there.length), -1);
    assert_int_equal(transport_queued_error(fd, &target, &is_local), EMSGSIZE);
    assert_true(is_local);
    assert_int_equal(transport_queued_error(fd, &target, &is_local), 0);
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finish),         cmocka_unit_test(test_finish_throws_away),
        cmocka_unit_test(test_finish_in_time), cmocka_unit_test(test_finish_at_once),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_unacknowledged), cmocka_unit_test(test_immaterial),
        cmocka_unit_test(test_patience),       cmocka_unit_test(test_reset),
        cmocka_unit_test(test_signal),         cmocka_unit_test(test_abort),
        cmocka_unit_test(test_queued_error),
    };

    return cmocka_run_group_tests(tests, waiting_setup, waiting_teardown);
}
