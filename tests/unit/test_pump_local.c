/* test_pump_local.c - a session whose plain side is a connection: half-close and resets go through it. */
#include "check.h"
#include "ends.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The pump under test is `side`, in a child. `hand` is its peer, and `plain` the far end of its local connection. */
struct talk {
    struct side side;
    struct hand hand;
    int plain;
};

static void start(struct talk *talk)
{
    int fds[2], locals[2];

    tcp_pair(fds);
    tcp_pair(locals);
    side_init(&talk->side, alice);
    talk->side.local = (struct local_config){.kind = LOCAL_DESCRIPTOR, .use_in = true, .use_out = true, .fd = locals[0]};
    talk->plain = locals[1];
    side_start(&talk->side, fds[0]);
    close(locals[0]);
    hand_open(&talk->hand, fds[1], bob, ROLE_WANT_CLIENT, true);
}

static void begin(struct talk *talk)
{
    start(talk);
    check_row(hand_handshake(&talk->hand) == SESSION_OPEN, "%s", talk->hand.error.story);
}

static void end(struct talk *talk, enum status status, const char *story)
{
    struct outcome outcome;

    hand_wait_for_end(&talk->hand);
    outcome = side_end(&talk->side);
    check_row(outcome.error.status == status, "%d: %s", outcome.error.status, outcome.error.story);
    check_row(strstr(outcome.error.story, story), "%s", outcome.error.story);
    hand_free(&talk->hand);
    if (talk->plain >= 0)
        close(talk->plain);
}

static void expect_plain(struct talk *talk, const char *text)
{
    char bytes[64];
    size_t length = strlen(text);

    await(talk->plain, POLLIN);
    assert_int_equal(recv(talk->plain, bytes, sizeof bytes, 0), length);
    assert_memory_equal(bytes, text, length);
}

static void expect_plain_end(struct talk *talk)
{
    await(talk->plain, POLLIN);
    assert_int_equal(recv(talk->plain, &(char){0}, 1, 0), 0);
}

static void expect_plain_reset(struct talk *talk)
{
    await(talk->plain, POLLIN);
    assert_int_equal(recv(talk->plain, &(char){0}, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

/* Each direction ends by itself, in either order. */
static void test_half_close(void **state)
{
    (void)state;
    for (int peer_first = 0; peer_first < 2; peer_first++) {
        struct talk talk;

        begin(&talk);
        write_all(talk.plain, "ask", 3);
        hand_expect(&talk.hand, "ask");
        if (peer_first) {
            hand_send(&talk.hand, "answer", 6);
            hand_close(&talk.hand);
            expect_plain(&talk, "answer");
            expect_plain_end(&talk);
            write_all(talk.plain, "more", 4);
            hand_expect(&talk.hand, "more");
            shutdown(talk.plain, SHUT_WR);
            hand_expect_close(&talk.hand);
        } else {
            shutdown(talk.plain, SHUT_WR);
            hand_expect_close(&talk.hand);
            hand_send(&talk.hand, "answer", 6);
            hand_close(&talk.hand);
            expect_plain(&talk, "answer");
            expect_plain_end(&talk);
        }
        end(&talk, STATUS_OK, "");
    }
}

/* Nobody may take what has come for all there was. */
static void test_reset_here(void **state)
{
    struct talk talk;
    uint8_t byte;

    (void)state;
    begin(&talk);
    write_all(talk.plain, "half", 4);
    hand_expect(&talk.hand, "half");
    tcp_reset(talk.plain);
    talk.plain = -1;
    assert_int_equal(hand_receive(&talk.hand, &byte, 1), 0);
    assert_false(session_peer_closed(talk.hand.session));
    assert_int_equal(talk.hand.error.status, STATUS_CUT);
    end(&talk, STATUS_NETWORK, "the local connection was reset");
}

/* It takes nothing any more, and has said so before, or not. */
static void test_reset_by_what_we_write(void **state)
{
    (void)state;
    for (int ended_before = 0; ended_before < 2; ended_before++) {
        struct talk talk;
        uint8_t byte;

        begin(&talk);
        if (ended_before) {
            shutdown(talk.plain, SHUT_WR);
            hand_expect_close(&talk.hand);
        }
        close(talk.plain);
        talk.plain = -1;
        if (!ended_before)
            hand_expect_close(&talk.hand);
        /* The first is answered by a reset, and then there is nobody for the others. */
        while (session_state(talk.hand.session) == SESSION_OPEN && talk.hand.fd >= 0) {
            struct pollfd poll_fd = {.fd = talk.hand.fd, .events = POLLIN};

            hand_send(&talk.hand, "data", 4);
            if (poll(&poll_fd, 1, 10) > 0 && recv(talk.hand.fd, &byte, 1, MSG_PEEK) < 0)
                break;
        }
        end(&talk, STATUS_NETWORK, "the local connection was reset");
    }
}

static void test_cut(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk);
    hand_send(&talk.hand, "half", 4);
    hand_hang_up(&talk.hand);
    expect_plain(&talk, "half"); /* what did arrive */
    expect_plain_reset(&talk);
    end(&talk, STATUS_CUT, "without the peer's close_notify");
}

/* Nothing moves before the peer is accepted, and never if it is not. */
static void test_not_before_acceptance(void **state)
{
    struct talk talk;

    (void)state;
    start(&talk);
    talk.hand.refuse = ALERT_BAD_CERTIFICATE;
    write_all(talk.plain, "not sent", 8);
    hand_handshake(&talk.hand);
    expect_plain_reset(&talk);
    end(&talk, STATUS_REFUSED, "bad_certificate");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_reset_here),
        cmocka_unit_test(test_reset_by_what_we_write),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_not_before_acceptance),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
