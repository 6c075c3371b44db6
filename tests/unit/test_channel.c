/* test_channel.c - a session on its connection: what is waited for, and the ways in which it can end. */
#include "check.h"
#include "channel.h"
#include "ends.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    struct session_config config;
    struct error error;
    struct channel channel;
    int peer;
};

static void begin(struct end *end, bool active)
{
    struct pair pair; /* for its configuration */
    struct transport transport = {.fd = -1};
    int fds[2];

    memset(end, 0, sizeof *end);
    pair_init(&pair);
    pair_want(&pair.at[A], ROLE_WANT_CLIENT, active);
    end->config = pair.at[A].config;
    pair_free(&pair);
    tcp_pair(fds);
    end->peer = fds[1];
    transport.fd = fds[0];
    address_of_socket(fds[0], &transport.local, &transport.remote);
    assert_true(channel_open(&end->channel, &end->config, &transport, &end->error));
}

static void finish(struct end *end)
{
    channel_free(&end->channel);
    assert_int_equal(end->channel.transport.fd, -1);
    if (end->peer >= 0)
        close(end->peer);
}

static void go_on(struct end *end)
{
    struct pollfd poll_fd = channel_poll(&end->channel);

    if (poll_fd.fd < 0)
        return;
    await(poll_fd.fd, poll_fd.events);
    poll(&poll_fd, 1, 0);
    channel_move(&end->channel, poll_fd.revents);
    session_advance(end->channel.session);
}

static void reset(int *fd)
{
    tcp_reset(*fd);
    *fd = -1;
}

/* ---- What is waited for ---- */

static void test_poll(void **state)
{
    struct end end;

    (void)state;
    begin(&end, true);
    assert_int_equal(channel_poll(&end.channel).fd, end.channel.transport.fd);
    assert_int_equal(channel_poll(&end.channel).events, POLLIN | POLLOUT); /* the hello is to be sent */
    assert_false(channel_is_flushed(&end.channel));
    channel_move(&end.channel, POLLOUT);
    assert_true(channel_is_flushed(&end.channel));
    assert_int_equal(channel_poll(&end.channel).events, POLLIN);
    channel_move(&end.channel, 0); /* nothing has happened */
    channel_move(&end.channel, POLLIN); /* nor has it now, whatever was said */
    assert_false(end.channel.ended || end.channel.broken);
    finish(&end);

    begin(&end, false);
    assert_int_equal(channel_poll(&end.channel).events, POLLIN);
    shutdown(end.peer, SHUT_WR);
    go_on(&end);
    assert_true(end.channel.ended);
    assert_int_equal(channel_poll(&end.channel).fd, -1); /* or poll(2) would tell of it again and again */
    finish(&end);
}

static void test_traffic_is_noted(void **state)
{
    struct end end;

    (void)state;
    begin(&end, true);
    assert_true(end.channel.last_traffic <= wait_now() && end.channel.last_traffic > wait_now() - 60000);
    end.channel.last_traffic = 0;
    channel_move(&end.channel, POLLOUT);
    assert_true(end.channel.last_traffic > 0);
    end.channel.last_traffic = 0;
    channel_move(&end.channel, POLLIN);
    assert_int_equal(end.channel.last_traffic, 0);
    write_all(end.peer, "\x16", 1);
    go_on(&end);
    assert_true(end.channel.last_traffic > 0);
    finish(&end);
}

/* ---- A FIN or a reset, and after what ---- */

static void test_ends(void **state)
{
    static const struct {
        bool active, reset;
        const char *before;
        enum status status;
        const char *story;
    } table[] = {
        {false, false, "", STATUS_NETWORK, "closed the connection without a word"},
        {true, false, "", STATUS_NETWORK, "closed the connection without a word"},
        {false, true, "", STATUS_NETWORK, "reset the connection without a word"},
        {true, true, "", STATUS_NETWORK, "reset the connection without a word"},
        {false, false, "\x16\x03\x01", STATUS_TLS, "closed the connection in the middle of its first message"},
        {false, true, "\x16\x03\x01", STATUS_NETWORK, "reset the connection in the middle of the handshake"},
        {true, false, "\x15\x03\x03", STATUS_TLS, "closed the connection"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct end end;

        begin(&end, table[i].active);
        channel_move(&end.channel, POLLOUT);
        if (*table[i].before) {
            write_all(end.peer, table[i].before, strlen(table[i].before));
            go_on(&end);
        }
        if (table[i].reset)
            reset(&end.peer);
        else
            shutdown(end.peer, SHUT_WR);
        while (!end.channel.ended)
            go_on(&end);
        check_row(end.error.status == table[i].status, "row %zu: %d, %s", i, end.error.status, end.error.story);
        check_row(strstr(end.error.story, table[i].story), "row %zu: %s", i, end.error.story);
        check_row(session_state(end.channel.session) == SESSION_FAILED, "row %zu", i);
        finish(&end);
    }
}

/* What the peer said before it went is heard, also when sending has failed already. */
static void test_last_words_are_heard(void **state)
{
    struct end end;
    uint8_t record[ROLE_ALERT_RECORD_SIZE];

    (void)state;
    begin(&end, true);
    role_alert_record(record, ALERT_UNKNOWN_CA);
    write_all(end.peer, record, sizeof record);
    shutdown(end.channel.transport.fd, SHUT_WR); /* so that sending fails */
    channel_move(&end.channel, POLLOUT);
    assert_true(end.channel.broken);
    assert_false(end.channel.ended);
    assert_int_equal(channel_poll(&end.channel).events, POLLIN); /* no more sending */
    go_on(&end);
    assert_int_equal(end.error.status, STATUS_REFUSED);
    assert_true(has(end.error.story, "alert 48, unknown_ca"));
    finish(&end);
}

/* An open session with `hand` at the other end, which has been accepted. */
static void open_with(struct end *end, struct hand *hand)
{
    uint8_t bytes[SESSION_RECORD_MAX];

    begin(end, true);
    hand_open(hand, end->peer, bob, ROLE_WANT_SERVER, false);
    end->peer = -1;
    while (session_state(end->channel.session) != SESSION_OPEN) {
        struct pollfd poll_fd = channel_poll(&end->channel);

        poll(&poll_fd, 1, 0);
        channel_move(&end->channel, poll_fd.revents);
        if (session_advance(end->channel.session) == SESSION_VERDICT)
            session_accept(end->channel.session);
        session_advance(end->channel.session);
        hand_step(hand);
    }
    while (!channel_is_flushed(&end->channel))
        go_on(end);
    assert_int_equal(hand_handshake(hand), SESSION_OPEN);
    while (!session_is_accepted(end->channel.session)) {
        go_on(end);
        assert_int_equal(session_receive(end->channel.session, bytes, sizeof bytes), 0);
    }
}

/* When it is open: a cut, either way. */
static void test_ends_when_open(void **state)
{
    (void)state;
    for (int by_reset = 0; by_reset < 2; by_reset++) {
        struct end end;
        struct hand hand;
        uint8_t bytes[SESSION_RECORD_MAX];

        open_with(&end, &hand);
        if (by_reset)
            hand_reset(&hand);
        else
            hand_hang_up(&hand);
        while (!end.channel.ended)
            go_on(&end);
        assert_int_equal(end.error.status, STATUS_OK); /* what came before has its turn first */
        assert_int_equal(session_receive(end.channel.session, bytes, sizeof bytes), 0);
        assert_int_equal(end.error.status, STATUS_CUT);
        hand_free(&hand);
        finish(&end);
    }
}

/* It has ended its direction, and may take what we send for as long as it likes; that it has gone is noticed without sending. */
static void test_goes_after_its_end(void **state)
{
    struct end end;
    struct hand hand;
    struct pollfd poll_fd;
    uint8_t bytes[SESSION_RECORD_MAX];
    int asks = 0;
    socklen_t size = sizeof asks;

    (void)state;
    open_with(&end, &hand);
    hand_close(&hand);
    hand_hang_up(&hand);
    while (!end.channel.ended) {
        go_on(&end);
        session_receive(end.channel.session, bytes, sizeof bytes);
    }
    assert_true(session_peer_closed(end.channel.session));
    poll_fd = channel_poll(&end.channel);
    assert_int_equal(poll_fd.fd, end.channel.transport.fd);
    assert_int_equal(poll_fd.events, 0);
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    assert_int_equal(getsockopt(end.channel.transport.fd, SOL_SOCKET, SO_KEEPALIVE, &asks, &size), 0);
    assert_int_equal(asks, 1); /* its kernel answers for a minute, and then no more */

    hand_reset(&hand);
    go_on(&end);
    assert_true(end.channel.broken);
    assert_int_equal(channel_poll(&end.channel).fd, -1); /* once is enough */
    hand_free(&hand);
    finish(&end);
}

/* ---- Opening and freeing ---- */

/* Without a session there is no connection either. */
static void test_cannot_open(void **state)
{
    struct end end;
    struct channel channel;
    struct transport transport = {.fd = -1};
    int fds[2];
    char byte;

    (void)state;
    begin(&end, true);
    end.config.priority = "NONSENSE";
    tcp_pair(fds);
    transport.fd = fds[0];
    assert_false(channel_open(&channel, &end.config, &transport, &end.error));
    assert_int_equal(end.error.status, STATUS_LOCAL);
    assert_int_equal(channel.transport.fd, -1);
    await(fds[1], POLLIN);
    assert_int_equal(recv(fds[1], &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fds[1]);
    finish(&end);
}

static void test_free_resets(void **state)
{
    struct end end;
    char bytes[4096];

    (void)state;
    begin(&end, true);
    channel_move(&end.channel, POLLOUT);
    channel_free(&end.channel);
    await(end.peer, POLLIN);
    while (recv(end.peer, bytes, sizeof bytes, 0) > 0)
        ;
    assert_int_equal(errno, ECONNRESET);
    assert_null(end.channel.session);
    finish(&end); /* twice does no harm */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poll),
        cmocka_unit_test(test_traffic_is_noted),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_last_words_are_heard),
        cmocka_unit_test(test_ends_when_open),
        cmocka_unit_test(test_goes_after_its_end),
        cmocka_unit_test(test_cannot_open),
        cmocka_unit_test(test_free_resets),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
