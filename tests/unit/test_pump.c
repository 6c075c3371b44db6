/* test_pump.c - a session from its first byte to its last, with pipes at one side and a connection at the other. */
#include "check.h"
#include "ends.h"
#include "helpers.h"
#include "known.h"
#include "pair.h"
#include "role_alert.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The pump under test is `side`, in a child; `hand` is its peer, and does what the test says. */
struct talk {
    struct side side;
    struct hand hand;
    int fds[2];
};

static void prepare(struct talk *talk)
{
    tcp_pair(talk->fds);
    side_init(&talk->side, alice);
}

static void start(struct talk *talk, enum role_want hand_wants)
{
    side_start(&talk->side, talk->fds[0]);
    hand_open(&talk->hand, talk->fds[1], bob, hand_wants, true);
}

/* Both are open. */
static void begin(struct talk *talk, enum role_want hand_wants)
{
    start(talk, hand_wants);
    check_row(hand_handshake(&talk->hand) == SESSION_OPEN, "%s", talk->hand.error.story);
}

static void expect_event(struct talk *talk, const char *name)
{
    char *line = side_event(&talk->side, name);

    check_row(line, "there is no event \"%s\"", name);
    free(line);
}

static void expect_output(struct talk *talk, const char *text)
{
    size_t length;
    char *found = (char *)read_to_end(talk->side.out, &length);

    assert_int_equal(length, strlen(text));
    assert_string_equal(found, text);
    free(found);
}

static struct outcome end(struct talk *talk, enum status status, const char *story)
{
    struct outcome outcome;

    hand_wait_for_end(&talk->hand);
    outcome = side_end(&talk->side);
    check_row(outcome.error.status == status, "%d: %s", outcome.error.status, outcome.error.story);
    check_row(strstr(outcome.error.story, story), "%s", outcome.error.story);
    hand_free(&talk->hand);
    return outcome;
}

/* ---- A conversation ---- */

static void test_conversation(void **state)
{
    static const enum role_want wants[] = {ROLE_WANT_CLIENT, ROLE_WANT_SERVER};

    (void)state;
    for (size_t i = 0; i < COUNT(wants); i++) {
        struct talk talk;
        struct outcome outcome;
        char byte[5];

        prepare(&talk);
        begin(&talk, wants[i]);
        expect_event(&talk, "handshake");
        expect_event(&talk, "accepted");
        write_all(talk.side.in, "hello", 5);
        hand_expect(&talk.hand, "hello");
        hand_send(&talk.hand, "world", 5);
        await(talk.side.out, POLLIN);
        assert_int_equal(read(talk.side.out, byte, 5), 5);
        assert_memory_equal(byte, "world", 5);

        /* Our input ends: close_notify, and we go on receiving. */
        write_all(talk.side.in, "bye", 3);
        side_close_in(&talk.side);
        hand_expect(&talk.hand, "bye");
        hand_expect_close(&talk.hand);
        hand_send(&talk.hand, "still here", 10);
        hand_close(&talk.hand);
        expect_output(&talk, "still here");
        outcome = end(&talk, STATUS_OK, "");
        assert_int_equal(outcome.result.sent, 8);
        assert_int_equal(outcome.result.received, 15);
        assert_true(outcome.result.peer_closed);
        assert_false(outcome.result.reader_gone);
        assert_int_equal(outcome.signal, 0);
    }
}

/* The peer's direction ends: stdout is closed, and we go on sending. */
static void test_peer_closes_first(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "all", 3);
    hand_close(&talk.hand);
    expect_output(&talk, "all"); /* to its end, while we still send */
    write_all(talk.side.in, "more", 4);
    hand_expect(&talk.hand, "more");
    side_close_in(&talk.side);
    hand_expect_close(&talk.hand);
    end(&talk, STATUS_OK, "");
}

/* Data that arrives together with the end of the handshake, and close_notify with it. */
static void test_all_at_once(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    start(&talk, ROLE_WANT_CLIENT);
    write_all(talk.side.in, "early", 5);
    side_close_in(&talk.side);
    assert_int_equal(hand_handshake(&talk.hand), SESSION_OPEN);
    hand_send(&talk.hand, "data", 4);
    hand_close(&talk.hand);
    expect_output(&talk, "data");
    hand_expect(&talk.hand, "early");
    hand_expect_close(&talk.hand);
    end(&talk, STATUS_OK, "");
}

static void test_empty_both_ways(void **state)
{
    struct talk talk;
    struct outcome outcome;

    (void)state;
    prepare(&talk);
    begin(&talk, ROLE_WANT_SERVER);
    side_close_in(&talk.side);
    hand_expect_close(&talk.hand);
    hand_close(&talk.hand);
    expect_output(&talk, "");
    outcome = end(&talk, STATUS_OK, "");
    assert_int_equal(outcome.result.sent + outcome.result.received, 0);
}

/* ---- Much data ---- */

enum { MUCH = 4 << 20 };

/* Two pumps, and both write much before anybody reads. */
static void test_much_both_ways(void **state)
{
    struct side sides[2];
    int fds[2];
    uint8_t *data = some_data(MUCH, 7);
    size_t written[2] = {0, 0};
    struct buffer read_from[2] = {{.bytes = NULL}};

    (void)state;
    tcp_pair(fds);
    for (int i = 0; i < 2; i++) {
        side_init(&sides[i], i ? bob : alice);
        side_start(&sides[i], fds[i]);
    }
    for (bool reading = true; reading;) {
        struct pollfd polls[4];

        for (int i = 0; i < 2; i++) {
            polls[i] = (struct pollfd){.fd = sides[i].in, .events = POLLOUT};
            polls[2 + i] = (struct pollfd){.fd = sides[i].out, .events = POLLIN};
        }
        /* Nothing is read while anything more can be written. */
        if (poll(polls, 2, 100) == 0)
            assert_true(poll(polls, 4, TEST_PATIENCE_MS) > 0);
        else
            polls[2].revents = polls[3].revents = 0;
        reading = sides[0].in >= 0 || sides[1].in >= 0;
        for (int i = 0; i < 2; i++) {
            if (polls[i].revents && sides[i].in >= 0) {
                ssize_t count = write(sides[i].in, data + written[i], MUCH - written[i]);

                assert_true(count > 0 || errno == EAGAIN);
                written[i] += count > 0 ? (size_t)count : 0;
                if (written[i] == MUCH)
                    side_close_in(&sides[i]);
            }
            if (polls[2 + i].revents)
                buffer_filled(&read_from[i], (size_t)read(sides[i].out, buffer_room(&read_from[i], 65536), 65536));
        }
    }
    for (int i = 0; i < 2; i++) {
        size_t length;
        uint8_t *rest = read_to_end(sides[i].out, &length);

        buffer_append(&read_from[i], rest, length);
        free(rest);
    }
    for (int i = 0; i < 2; i++) {
        struct outcome outcome = side_end(&sides[i]);

        check_row(outcome.error.status == STATUS_OK, "%s", outcome.error.story);
        assert_int_equal(outcome.result.sent, MUCH);
        assert_int_equal(outcome.result.received, MUCH);
        assert_int_equal(buffer_used(&read_from[i]), MUCH);
        assert_memory_equal(buffer_at(&read_from[i]), data, MUCH);
        buffer_free(&read_from[i]);
    }
    free(data);
}

/* Small buffers in the kernel, so that what we hold ourselves can be told. */
static void small_buffers(int fd)
{
    int size = 16384;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* Write to its stdin until it takes no more; how much it was. */
static size_t fill_stdin(const struct side *side)
{
    static const uint8_t zeros[65536];
    size_t written = 0;

    for (struct pollfd poll_fd = {.fd = side->in, .events = POLLOUT}; poll(&poll_fd, 1, 300) == 1;) {
        ssize_t length = write(side->in, zeros, sizeof zeros);

        written += length > 0 ? (size_t)length : 0;
    }
    return written;
}

/* A peer that does not read: our input is taken in no further than there is room for. */
static void test_slow_peer(void **state)
{
    struct talk talk;
    uint8_t bytes[SESSION_RECORD_MAX];
    size_t written, received = 0, count;

    (void)state;
    prepare(&talk);
    small_buffers(talk.fds[0]);
    small_buffers(talk.fds[1]);
    begin(&talk, ROLE_WANT_CLIENT);
    written = fill_stdin(&talk.side);
    assert_in_range(written, 65536, 1 << 20);
    /* Everything comes, once it is asked for. */
    side_close_in(&talk.side);
    while ((count = hand_receive(&talk.hand, bytes, sizeof bytes)) > 0)
        received += count;
    assert_int_equal(received, written);
    hand_close(&talk.hand);
    end(&talk, STATUS_OK, "");
}

/* What is left to be sent goes while we read. */
static int flush_in_child(void *hand)
{
    hand_flush(hand);
    return 0;
}

/* A stdout that nobody reads: the peer is not read any further than there is room for. */
static void test_slow_stdout(void **state)
{
    struct talk talk;
    uint8_t *data = some_data(65536, 7), *found;
    size_t sent = 0, length;
    int child;

    (void)state;
    prepare(&talk);
    small_buffers(talk.fds[0]);
    small_buffers(talk.fds[1]);
    begin(&talk, ROLE_WANT_CLIENT);
    for (struct pollfd poll_fd = {.fd = talk.fds[1], .events = POLLOUT}; poll(&poll_fd, 1, 300) == 1;) {
        const uint8_t *bytes;
        ssize_t count;

        sent += session_send(talk.hand.session, data, 16384);
        bytes = session_output(talk.hand.session, &length);
        count = send(talk.fds[1], bytes, length, MSG_NOSIGNAL);
        session_sent(talk.hand.session, count > 0 ? (size_t)count : 0);
        assert_in_range(sent, 1, 1 << 20);
    }
    assert_true(sent > 65536);
    session_close(talk.hand.session);
    side_close_in(&talk.side);
    child = child_start(flush_in_child, &talk.hand);
    found = read_to_end(talk.side.out, &length);
    assert_int_equal(length, sent);
    free(found);
    assert_int_equal(child_end(child), 0);
    session_output(talk.hand.session, &length);
    session_sent(talk.hand.session, length);
    end(&talk, STATUS_OK, "");
    free(data);
}

/* ---- Options ---- */

/* -d: our direction ends when the peer's does. */
static void test_no_stdin(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.local.use_in = false;
    begin(&talk, ROLE_WANT_CLIENT);
    write_all(talk.side.in, "not read", 8);
    hand_send(&talk.hand, "data", 4);
    hand_close(&talk.hand);
    hand_expect_close(&talk.hand);
    expect_output(&talk, "data");
    assert_int_equal(end(&talk, STATUS_OK, "").result.sent, 0);
}

/* --send-only: what comes is counted and thrown away. */
static void test_discard(void **state)
{
    struct talk talk;
    uint8_t *data = some_data(MUCH, 7);
    struct outcome outcome;

    (void)state;
    prepare(&talk);
    talk.side.local.use_out = false;
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, data, MUCH);
    write_all(talk.side.in, "data", 4);
    side_close_in(&talk.side);
    hand_expect(&talk.hand, "data");
    hand_expect_close(&talk.hand);
    hand_close(&talk.hand);
    outcome = end(&talk, STATUS_OK, "");
    assert_int_equal(outcome.result.received, MUCH);
    assert_int_equal(outcome.result.sent, 4);
    free(data);
}

/* -z: both have accepted each other, and we leave. */
static void test_zero(void **state)
{
    static const enum role_want wants[] = {ROLE_WANT_CLIENT, ROLE_WANT_SERVER};

    (void)state;
    for (size_t i = 0; i < COUNT(wants); i++) {
        struct talk talk;

        prepare(&talk);
        talk.side.config.zero = true;
        talk.side.local.use_in = false;
        talk.side.local.use_out = false;
        begin(&talk, wants[i]);
        expect_event(&talk, "handshake");
        expect_event(&talk, "accepted");
        hand_expect_close(&talk.hand);
        end(&talk, STATUS_OK, "");
    }
}

/* It does not leave before the peer has accepted it. */
static void test_zero_refused(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.config.zero = true;
    start(&talk, ROLE_WANT_SERVER);
    talk.hand.refuse = ALERT_UNKNOWN_CA;
    assert_int_equal(hand_handshake(&talk.hand), SESSION_FAILED);
    expect_event(&talk, "handshake");
    assert_null(side_event(&talk.side, "accepted"));
    end(&talk, STATUS_REFUSED, "alert 48, unknown_ca");
}

static void test_zero_and_a_silent_peer(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.config.zero = true;
    talk.side.config.handshake_ms = 300;
    side_start(&talk.side, talk.fds[0]);
    hand_open(&talk.hand, talk.fds[1], bob, ROLE_WANT_SERVER, false);
    talk.hand.config.role.symmetric = ROLE_SYMMETRIC_NEVER; /* it asks who we are, and never says whether it liked it */
    hand_reopen(&talk.hand);
    assert_int_equal(hand_handshake(&talk.hand), SESSION_OPEN);
    expect_event(&talk, "handshake");
    assert_null(side_event(&talk.side, "accepted"));
    end(&talk, STATUS_TIME, "waiting for the peer to accept us");
}

/* ---- Time ---- */

static void test_handshake_timeout(void **state)
{
    static const struct {
        size_t length; /* of our hello that is sent */
        const char *story;
    } table[] = {{0, "the peer said nothing"}, {1, "never came to its end"}, {100, "never came to its end"}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct talk talk;
        const uint8_t *hello;
        size_t length;

        prepare(&talk);
        talk.side.config.handshake_ms = 100;
        start(&talk, ROLE_WANT_CLIENT);
        hello = session_output(talk.hand.session, &length);
        write_all(talk.fds[1], hello, table[i].length);
        end(&talk, STATUS_TIME, table[i].story);
    }
}

static void test_handshake_timeout_later(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.config.handshake_ms = 300;
    start(&talk, ROLE_WANT_CLIENT);
    hand_flush(&talk.hand); /* the hello, and nothing more */
    end(&talk, STATUS_TIME, "time ran out in the handshake (--handshake-timeout 300ms)");
}

/* A byte now and then does not keep it waiting. */
static void test_endless_hello(void **state)
{
    struct talk talk;
    const uint8_t *hello;
    size_t length, sent = 0;
    struct pollfd ended;

    (void)state;
    prepare(&talk);
    talk.side.config.handshake_ms = 200;
    start(&talk, ROLE_WANT_CLIENT);
    hello = session_output(talk.hand.session, &length);
    ended = (struct pollfd){.fd = talk.side.ended, .events = POLLIN};
    while (sent < length - 1 && poll(&ended, 1, 20) == 0)
        assert_int_equal(send(talk.fds[1], hello + sent++, 1, MSG_NOSIGNAL), 1);
    end(&talk, STATUS_TIME, "never came to its end");
}

static void test_idle_timeout(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.config.idle_ms = 100;
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "data", 4);
    hand_expect_close(&talk.hand); /* it says goodbye */
    hand_wait_for_end(&talk.hand);
    expect_output(&talk, "data");
    end(&talk, STATUS_TIME, "no data for 100ms either way (--idle-timeout)");
}

static void test_linger(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.config.linger_ms = 100;
    begin(&talk, ROLE_WANT_CLIENT);
    side_close_in(&talk.side);
    hand_expect_close(&talk.hand);
    end(&talk, STATUS_TIME, "(--linger 100ms without traffic)");
}

/* Not while our input goes on: then nobody has ended anything. */
static void test_no_linger_before_the_end(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    talk.side.config.linger_ms = 20;
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "data", 4);
    hand_close(&talk.hand);
    expect_output(&talk, "data");
    poll(NULL, 0, 100); /* silence: whatever it costs, it ends nothing */
    write_all(talk.side.in, "more", 4);
    hand_expect(&talk.hand, "more");
    side_close_in(&talk.side);
    hand_expect_close(&talk.hand);
    end(&talk, STATUS_OK, "");
}

/* Time enough for the other end to answer at once, wherever it runs. */
#define SHORT_LINGER_MS (int)(100 * stride(10))

/* Nor while the peer has not taken everything yet: it is slow, not silent. */
static void test_linger_waits_for_a_slow_peer(void **state)
{
    struct talk talk;
    uint8_t *data = some_data(MUCH, 7), bytes[SESSION_RECORD_MAX];
    size_t received = 0, count;

    (void)state;
    prepare(&talk);
    talk.side.config.linger_ms = SHORT_LINGER_MS;
    small_buffers(talk.fds[1]);
    begin(&talk, ROLE_WANT_CLIENT);
    write_all(talk.side.in, data, 200000);
    side_close_in(&talk.side);
    poll(NULL, 0, 3 * SHORT_LINGER_MS);
    while ((count = hand_receive(&talk.hand, bytes, sizeof bytes)) > 0)
        received += count;
    assert_int_equal(received, 200000);
    assert_true(session_peer_closed(talk.hand.session));
    hand_close(&talk.hand);
    end(&talk, STATUS_OK, "");
    free(data);
}

/* Nor while our own stdout is the slow one. */
static void test_linger_waits_for_a_slow_stdout(void **state)
{
    struct talk talk;
    uint8_t *data = some_data(400000, 7), *found;
    size_t length;

    (void)state;
    prepare(&talk);
    talk.side.config.linger_ms = SHORT_LINGER_MS;
    begin(&talk, ROLE_WANT_CLIENT);
    side_close_in(&talk.side);
    hand_send(&talk.hand, data, 400000);
    hand_close(&talk.hand);
    poll(NULL, 0, 3 * SHORT_LINGER_MS);
    found = read_to_end(talk.side.out, &length);
    assert_int_equal(length, 400000);
    assert_memory_equal(found, data, 400000);
    free(found);
    end(&talk, STATUS_OK, "");
    free(data);
}

/* ---- Cut short ---- */

static void test_hang_up(void **state)
{
    struct talk talk;
    struct outcome outcome;

    (void)state;
    prepare(&talk);
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "all that came", 13);
    hand_hang_up(&talk.hand);
    expect_output(&talk, "all that came");
    outcome = end(&talk, STATUS_CUT, "without the peer's close_notify");
    assert_false(outcome.result.peer_closed);
    assert_int_equal(outcome.result.received, 13);
}

/* In the middle of a record, as it is when the peer is killed. */
static void test_hang_up_in_a_record(void **state)
{
    static const size_t missing[] = {1, 10, 26, 28};

    (void)state;
    for (size_t i = 0; i < COUNT(missing); i++) {
        struct talk talk;
        const uint8_t *bytes;
        size_t length;

        prepare(&talk);
        begin(&talk, ROLE_WANT_CLIENT);
        hand_send(&talk.hand, "whole", 5);
        session_send(talk.hand.session, (const uint8_t *)"not whole", 9);
        bytes = session_output(talk.hand.session, &length);
        write_all(talk.fds[1], bytes, length - missing[i]);
        hand_hang_up(&talk.hand);
        expect_output(&talk, "whole");
        end(&talk, STATUS_CUT, "without the peer's close_notify");
    }
}

static void test_reset(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    begin(&talk, ROLE_WANT_CLIENT);
    expect_event(&talk, "handshake");
    expect_event(&talk, "accepted");
    hand_reset(&talk.hand);
    end(&talk, STATUS_CUT, "");
}

/* It has closed its direction properly, and then goes before it has ours. */
static void test_reset_before_it_had_all(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    small_buffers(talk.fds[0]);
    small_buffers(talk.fds[1]);
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "mine", 4);
    hand_close(&talk.hand);
    assert_true(fill_stdin(&talk.side) > 65536);
    expect_output(&talk, "mine");
    hand_reset(&talk.hand);
    end(&talk, STATUS_CUT, "before it had taken everything");
}

/* At each step of the handshake: none comes to more than it is. */
static void test_end_in_the_handshake(void **state)
{
    (void)state;
    for (int reset = 0; reset < 2; reset++)
        for (int step = 0; step < 3; step++) {
            struct talk talk;
            struct outcome outcome;

            prepare(&talk);
            start(&talk, ROLE_WANT_CLIENT);
            if (step > 0)
                hand_flush(&talk.hand); /* our hello */
            if (step > 1)
                await(talk.fds[1], POLLIN); /* the peer has said something */
            if (reset)
                hand_reset(&talk.hand);
            else
                hand_hang_up(&talk.hand);
            hand_wait_for_end(&talk.hand);
            outcome = side_end(&talk.side);
            if (reset || step == 0)
                check_row(outcome.error.status == STATUS_NETWORK, "step %d: %s", step, outcome.error.story);
            else
                check_row(outcome.error.status == STATUS_TLS, "step %d: %s", step, outcome.error.story);
            check_row(strstr(outcome.error.story, reset ? "reset the connection" : "closed the connection"), "step %d: %s", step,
                      outcome.error.story);
            hand_free(&talk.hand);
        }
}

static void test_not_tls(void **state)
{
    static const struct {
        const char *text, *story;
    } table[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP without TLS"},
        {"SSH-2.0-OpenSSH_9.2\r\n", "SSH"},
        {"\x15\x03\x01\x02\x02\x28", ""},
        {"hello \x1b[2J\n", "hello \\x1b[2J"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct talk talk;

        prepare(&talk);
        start(&talk, ROLE_WANT_CLIENT);
        write_all(talk.fds[1], table[i].text, strlen(table[i].text));
        end(&talk, STATUS_TLS, table[i].story);
    }
}

/* ---- The plain side fails ---- */

static void test_stdout_full(void **state)
{
    struct talk talk;
    uint8_t bytes[SESSION_RECORD_MAX];

    (void)state;
    prepare(&talk);
    talk.side.stdout_is = open("/dev/full", O_WRONLY | O_CLOEXEC);
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "data", 4);
    assert_int_equal(hand_receive(&talk.hand, bytes, sizeof bytes), 0);
    assert_false(session_peer_closed(talk.hand.session)); /* the peer does not take it for a good end */
    assert_true(has(talk.hand.error.story, "alert 80, internal_error"));
    end(&talk, STATUS_LOCAL, "cannot write to stdout: No space left on device");
    close(talk.side.stdout_is);
}

static void test_stdout_without_a_reader(void **state)
{
    struct talk talk;
    uint8_t bytes[SESSION_RECORD_MAX];
    struct outcome outcome;

    (void)state;
    prepare(&talk);
    begin(&talk, ROLE_WANT_CLIENT);
    close(talk.side.out);
    talk.side.out = -1;
    hand_send(&talk.hand, "data", 4);
    assert_int_equal(hand_receive(&talk.hand, bytes, sizeof bytes), 0); /* a close_notify or a reset: nobody has its data */
    outcome = end(&talk, STATUS_OK, "");
    assert_true(outcome.result.reader_gone);
}

static void test_stdin_unreadable(void **state)
{
    struct talk talk;
    uint8_t bytes[SESSION_RECORD_MAX];

    (void)state;
    prepare(&talk);
    talk.side.stdin_is = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    begin(&talk, ROLE_WANT_CLIENT);
    assert_int_equal(hand_receive(&talk.hand, bytes, sizeof bytes), 0);
    assert_false(session_peer_closed(talk.hand.session));
    end(&talk, STATUS_LOCAL, "cannot read stdin: Is a directory");
    close(talk.side.stdin_is);
}

static void test_stdin_is_a_file(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    file_put(scratch_path("input"), "from a file", 0600);
    talk.side.stdin_is = open(scratch_path("input"), O_RDONLY | O_CLOEXEC);
    begin(&talk, ROLE_WANT_CLIENT);
    hand_expect(&talk.hand, "from a file");
    hand_expect_close(&talk.hand);
    hand_close(&talk.hand);
    end(&talk, STATUS_OK, "");
    close(talk.side.stdin_is);
}

/* ---- Who is accepted ---- */

/* Give the hand's session what has come, and no more. */
static void feed_once(struct hand *hand)
{
    uint8_t bytes[4096];

    await(hand->fd, POLLIN);
    session_feed(hand->session, bytes, (size_t)recv(hand->fd, bytes, sizeof bytes, 0));
}

static void careful(struct talk *talk, enum trust_tofu tofu)
{
    prepare(talk);
    scratch_clear();
    talk->side.trust.insecure = false;
    talk->side.trust.host = "bob";
    talk->side.trust.tofu = tofu;
}

static void test_refused_by_us(void **state)
{
    static const enum role_want wants[] = {ROLE_WANT_CLIENT, ROLE_WANT_SERVER};

    (void)state;
    for (size_t i = 0; i < COUNT(wants); i++) {
        struct talk talk;
        uint8_t bytes[SESSION_RECORD_MAX];
        struct outcome outcome;

        careful(&talk, TRUST_TOFU_NEVER);
        start(&talk, wants[i]);
        write_all(talk.side.in, "secret", 6);
        if (hand_handshake(&talk.hand) == SESSION_OPEN) {
            hand_send(&talk.hand, "take this", 9); /* a client may be early; nobody sees what it says */
            assert_int_equal(hand_receive(&talk.hand, bytes, sizeof bytes), 0);
        }
        assert_int_equal(talk.hand.error.status, STATUS_REFUSED);
        assert_true(has(talk.hand.error.story, "alert 46, certificate_unknown"));
        hand_wait_for_end(&talk.hand);
        expect_output(&talk, "");
        outcome = end(&talk, STATUS_UNKNOWN, "the peer is unknown");
        assert_int_equal(outcome.result.sent + outcome.result.received, 0);
        assert_int_equal(scratch_count(""), 0);
    }
}

static void test_refused_by_the_peer(void **state)
{
    static const enum role_want wants[] = {ROLE_WANT_CLIENT, ROLE_WANT_SERVER};

    (void)state;
    for (size_t i = 0; i < COUNT(wants); i++) {
        struct talk talk;

        prepare(&talk);
        start(&talk, wants[i]);
        talk.hand.refuse = ALERT_CERTIFICATE_UNKNOWN;
        assert_int_equal(hand_handshake(&talk.hand), SESSION_FAILED);
        hand_wait_for_end(&talk.hand);
        expect_output(&talk, "");
        end(&talk, STATUS_REFUSED, "the peer refused us (alert 46, certificate_unknown)");
    }
}

static void test_new_peer_is_remembered(void **state)
{
    struct talk talk;
    struct known_found found;
    struct error error = {0};
    const char *const names[] = {"bob"};

    (void)state;
    careful(&talk, TRUST_TOFU_ACCEPT_NEW);
    begin(&talk, ROLE_WANT_CLIENT);
    expect_event(&talk, "handshake"); /* by then it is */
    assert_int_equal(known_find(scratch_path("known_peers"), names, 1, identity_pin(bob, 0), &found, &error), KNOWN_MATCH);
    side_close_in(&talk.side);
    hand_close(&talk.hand);
    end(&talk, STATUS_OK, "");
}

enum { FINISHED_SIZE = 5 + 4 + 48 + 1 + 16 /* header, message with a SHA-384, content type, tag */ };

/* One that does not come to the end of its handshake has proven nothing, and is not. */
static void test_nobody_is_remembered_too_early(void **state)
{
    struct talk talk;
    const uint8_t *bytes;
    size_t length;

    (void)state;
    careful(&talk, TRUST_TOFU_ACCEPT_NEW);
    start(&talk, ROLE_WANT_SERVER);
    hand_flush(&talk.hand);
    while (session_state(talk.hand.session) == SESSION_HELLO)
        feed_once(&talk.hand);
    session_advance(talk.hand.session);
    bytes = session_output(talk.hand.session, &length);
    write_all(talk.fds[1], bytes, length - FINISHED_SIZE);
    hand_hang_up(&talk.hand);
    end(&talk, STATUS_TLS, "closed the connection in the middle of the handshake");
    assert_int_equal(scratch_count(""), 0);
}

static void test_cannot_remember(void **state)
{
    struct talk talk;
    uint8_t bytes[SESSION_RECORD_MAX];

    (void)state;
    careful(&talk, TRUST_TOFU_ACCEPT_NEW);
    talk.side.trust.known_path = "/proc/self/nowhere/known_peers";
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "data", 4);
    assert_int_equal(hand_receive(&talk.hand, bytes, sizeof bytes), 0);
    assert_true(has(talk.hand.error.story, "internal_error"));
    hand_wait_for_end(&talk.hand);
    expect_output(&talk, "");
    end(&talk, STATUS_LOCAL, "/proc/self/nowhere");
}

/* ---- Asking on the terminal ---- */

static void ask(struct talk *talk, int *fd)
{
    static char path[64];

    careful(talk, TRUST_TOFU_ASK);
    *fd = terminal_new(path);
    talk->side.terminal = path;
    start(talk, ROLE_WANT_SERVER); /* our answer is then all that is missing */
    talk->hand.refuse = 0;
    hand_flush(&talk->hand);
}

static int handshake_in_child(void *hand)
{
    return (int)hand_handshake(hand);
}

static void test_asked(void **state)
{
    static const struct {
        const char *typed;
        bool accepts;
    } table[] = {{"yes\n", true}, {"no\n", false}, {"\n", false}, {"\x04", false}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct talk talk;
        int fd, child;

        ask(&talk, &fd);
        talk.side.config.handshake_ms = 20000;
        child = child_start(handshake_in_child, &talk.hand); /* the peer's part, while we are the user */
        terminal_expect(fd, "(yes, no, or its pin) ");
        write_all(fd, table[i].typed, strlen(table[i].typed));
        if (table[i].accepts) {
            expect_event(&talk, "handshake");
            assert_int_equal(scratch_count(""), 1);
        }
        assert_int_equal(child_end(child), table[i].accepts ? SESSION_OPEN : SESSION_FAILED);
        hand_hang_up(&talk.hand);
        end(&talk, table[i].accepts ? STATUS_CUT : STATUS_UNKNOWN, table[i].accepts ? "" : "you did not accept it");
        assert_int_equal(scratch_count(""), table[i].accepts);
        close(fd);
    }
}

static void test_nobody_to_ask(void **state)
{
    struct talk talk;

    (void)state;
    careful(&talk, TRUST_TOFU_ASK); /* the child is in a session without a terminal */
    start(&talk, ROLE_WANT_SERVER);
    assert_int_equal(hand_handshake(&talk.hand), SESSION_FAILED);
    end(&talk, STATUS_UNKNOWN, "there is no terminal to ask at; --pin pin-sha256:");
}

static void test_hang_up_while_asked(void **state)
{
    struct talk talk;
    int fd;

    (void)state;
    ask(&talk, &fd);
    while (session_state(talk.hand.session) == SESSION_HELLO)
        feed_once(&talk.hand);
    session_advance(talk.hand.session);
    hand_flush(&talk.hand); /* who we are */
    terminal_expect(fd, "its pin) ");
    hand_hang_up(&talk.hand);
    end(&talk, STATUS_TLS, "hung up while you were being asked");
    assert_int_equal(scratch_count(""), 0);
    close(fd);
}

/* ---- Signals ---- */

static void test_signal_when_open(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    begin(&talk, ROLE_WANT_CLIENT);
    hand_send(&talk.hand, "data", 4);
    await(talk.side.out, POLLIN);
    kill(talk.side.child, SIGTERM);
    hand_expect_close(&talk.hand); /* in order */
    assert_int_equal(end(&talk, STATUS_OK, "").signal, SIGTERM);
}

static void test_signal_in_the_handshake(void **state)
{
    struct talk talk;

    (void)state;
    prepare(&talk);
    start(&talk, ROLE_WANT_CLIENT);
    await(talk.fds[1], POLLIN); /* its hello: so it listens to signals */
    kill(talk.side.child, SIGINT);
    assert_int_equal(end(&talk, STATUS_OK, "").signal, SIGINT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_peer_closes_first),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_empty_both_ways),
        cmocka_unit_test(test_much_both_ways),
        cmocka_unit_test(test_slow_peer),
        cmocka_unit_test(test_slow_stdout),
        cmocka_unit_test(test_no_stdin),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_zero_refused),
        cmocka_unit_test(test_zero_and_a_silent_peer),
        cmocka_unit_test(test_handshake_timeout),
        cmocka_unit_test(test_handshake_timeout_later),
        cmocka_unit_test(test_endless_hello),
        cmocka_unit_test(test_idle_timeout),
        cmocka_unit_test(test_linger),
        cmocka_unit_test(test_no_linger_before_the_end),
        cmocka_unit_test(test_linger_waits_for_a_slow_peer),
        cmocka_unit_test(test_linger_waits_for_a_slow_stdout),
        cmocka_unit_test(test_hang_up),
        cmocka_unit_test(test_hang_up_in_a_record),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_reset_before_it_had_all),
        cmocka_unit_test(test_end_in_the_handshake),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_stdout_full),
        cmocka_unit_test(test_stdout_without_a_reader),
        cmocka_unit_test(test_stdin_unreadable),
        cmocka_unit_test(test_stdin_is_a_file),
        cmocka_unit_test(test_refused_by_us),
        cmocka_unit_test(test_refused_by_the_peer),
        cmocka_unit_test(test_new_peer_is_remembered),
        cmocka_unit_test(test_nobody_is_remembered_too_early),
        cmocka_unit_test(test_cannot_remember),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_nobody_to_ask),
        cmocka_unit_test(test_hang_up_while_asked),
        cmocka_unit_test(test_signal_when_open),
        cmocka_unit_test(test_signal_in_the_handshake),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
