/* test_session_datagram.c - two sessions over datagrams, in one process, with a network that does what the test says. */
#include "check.h"
#include "datagrams.h"
#include "helpers.h"
#include "pair.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS_MAX = 200000, STEP_MS = 5, MTU = 1232, FIRST_REPEAT_MS = 50 };

struct network {
    struct pair pair;
    int64_t now;
    uint32_t chance;
    unsigned loss, doubled; /* percent */
    size_t largest;         /* datagrams larger than that vanish */
    size_t seen;            /* the largest that was said */
    size_t drop_data[2];    /* so many of an end's next records of data vanish */
    unsigned count;         /* datagrams that were said */
};

static void network_init(struct network *network)
{
    memset(network, 0, sizeof *network);
    pair_init(&network->pair);
    network->now = 1000;
    network->chance = 7;
    network->largest = DATAGRAM_MAX;
    for (int i = A; i <= B; i++) {
        struct session_config *config = &network->pair.at[i].config;

        config->datagrams = true;
        config->mtu = MTU;
        config->first_repeat_ms = FIRST_REPEAT_MS;
        config->role.symmetric = ROLE_SYMMETRIC_REQUIRE;
    }
}

static bool is_lost(struct network *network, int from, const uint8_t *bytes, size_t length)
{
    network->count++;
    network->seen = length > network->seen ? length : network->seen;
    if (bytes[0] == 23 && network->drop_data[from]) {
        network->drop_data[from]--;
        return true;
    }
    return length > network->largest || next_random(&network->chance) % 100 < network->loss;
}

static void deliver(struct network *network, int from)
{
    struct pair_end *sender = &network->pair.at[from], *receiver = &network->pair.at[!from];
    const uint8_t *bytes;
    uint8_t copy[DATAGRAM_MAX];
    size_t length;

    while ((bytes = session_output(sender->session, &length))) {
        memcpy(copy, bytes, length);
        session_sent(sender->session, length);
        if (is_lost(network, from, copy, length))
            continue;
        session_feed(receiver->session, copy, length);
        if (next_random(&network->chance) % 100 < network->doubled)
            session_feed(receiver->session, copy, length);
    }
}

static void advance(struct network *network, int at)
{
    struct pair_end *end = &network->pair.at[at];
    uint8_t bytes[SESSION_RECORD_MAX];
    size_t length;

    session_time(end->session, network->now);
    if (session_advance(end->session) == SESSION_VERDICT) {
        session_accept(end->session);
        session_advance(end->session);
    }
    while ((length = session_receive(end->session, bytes, sizeof bytes)) > 0)
        assert_true(datagrams_append(&end->received, bytes, length));
}

static bool are_open(const struct network *network)
{
    return pair_is_open(&network->pair);
}

static bool are_settled(const struct network *network)
{
    return session_is_settled(network->pair.at[A].session) && session_is_settled(network->pair.at[B].session);
}

static bool have_failed(const struct network *network)
{
    return pair_state(&network->pair, A) == SESSION_FAILED && pair_state(&network->pair, B) == SESSION_FAILED;
}

/* Until it is so; time goes on by itself. */
static bool run(struct network *network, bool (*so)(const struct network *))
{
    for (int i = A; i <= B; i++) {
        struct pair_end *end = &network->pair.at[i];

        if (!end->session)
            end->session = session_new(&end->config, network->now, &end->error);
        assert_non_null(end->session);
    }
    for (unsigned round = 0; round < ROUNDS_MAX && !so(network); round++) {
        for (int i = A; i <= B; i++) {
            advance(network, i);
            deliver(network, i);
        }
        network->now += STEP_MS;
    }
    return so(network);
}

static void check_open(struct network *network, const char *what)
{
    check_row(run(network, are_open), "%s: %s / %s", what, network->pair.at[A].error.story, network->pair.at[B].error.story);
    check_row(pair_agrees(&network->pair), "%s", what);
}

static void send_text(struct network *network, int from, const char *text)
{
    assert_int_equal(session_send(network->pair.at[from].session, (const uint8_t *)text, strlen(text)), strlen(text));
}

static void both_close(struct network *network)
{
    session_close(network->pair.at[A].session);
    session_close(network->pair.at[B].session);
    assert_true(run(network, are_settled));
}

static void test_session(void **state)
{
    static const struct {
        const char *what;
        bool a, b; /* who is active */
        unsigned loss, doubled;
        size_t largest;
    } rows[] = {
        {"both call", true, true, 0, 0, DATAGRAM_MAX},      {"one waits", true, false, 0, 0, DATAGRAM_MAX},
        {"20 % are lost", true, true, 20, 0, DATAGRAM_MAX}, {"half are doubled", true, false, 0, 50, DATAGRAM_MAX},
        {"lost and doubled", true, true, 20, 20, DATAGRAM_MAX}, {"large ones vanish", true, true, 0, 0, 572},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct network network;

        network_init(&network);
        network.loss = rows[i].loss;
        network.doubled = rows[i].doubled;
        network.largest = rows[i].largest;
        network.pair.at[A].config.role.active = rows[i].a;
        network.pair.at[B].config.role.active = rows[i].b;
        check_open(&network, rows[i].what);
        check_row(network.seen <= MTU, "%s: %zu", rows[i].what, network.seen);
        both_close(&network);
        pair_free(&network.pair);
    }
}

/* Each record comes as it was sent; what was lost is known by the numbers of the others, and of close_notify. */
static void test_data_and_loss(void **state)
{
    struct network network;
    size_t length;

    (void)state;
    network_init(&network);
    check_open(&network, "open");
    send_text(&network, A, "one");
    run(&network, are_open);
    deliver(&network, A);
    network.drop_data[A] = 2;
    send_text(&network, A, "two");
    send_text(&network, A, "three");
    send_text(&network, A, "four");
    deliver(&network, A);
    network.drop_data[B] = 3;
    for (int i = 0; i < 3; i++)
        send_text(&network, B, "the end of it");
    both_close(&network);
    assert_memory_equal(datagrams_first(&network.pair.at[B].received, &length), "one", 3);
    assert_int_equal(length, 3);
    datagrams_drop_first(&network.pair.at[B].received);
    assert_memory_equal(datagrams_first(&network.pair.at[B].received, &length), "four", 4);
    assert_int_equal(length, 4);
    assert_int_equal(session_lost(network.pair.at[B].session), 2);
    assert_int_equal(session_lost(network.pair.at[A].session), 3);
    pair_free(&network.pair);
}

/* A repeated farewell is none of the records that were lost; nor is a record that somebody made up. */
static void test_forgery(void **state)
{
    static const uint8_t forged[] = {21, 254, 253, 0, 1, 255, 255, 255, 255, 255, 255, 0, 2, 2, 40};
    static const uint8_t clear[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40};
    struct network network;

    (void)state;
    network_init(&network);
    check_open(&network, "open");
    for (int i = 0; i < 3; i++) {
        session_feed(network.pair.at[A].session, forged, sizeof forged);
        session_feed(network.pair.at[A].session, clear, sizeof clear);
        session_feed(network.pair.at[A].session, forged, 5);
    }
    send_text(&network, B, "still here");
    both_close(&network);
    assert_true(buffer_used(&network.pair.at[A].received) > 0);
    assert_int_equal(session_lost(network.pair.at[A].session), 0);
    assert_int_equal(session_lost(network.pair.at[B].session), 0);
    pair_free(&network.pair);
}

/* What does not fit into one datagram goes into several. */
static void test_mtu(void **state)
{
    struct network network;
    uint8_t bytes[5000] = {0};
    size_t most;

    (void)state;
    network_init(&network);
    check_open(&network, "open");
    session_set_mtu(network.pair.at[A].session, 600);
    most = session_record_size(network.pair.at[A].session);
    assert_in_range(most, 500, 599);
    network.seen = 0;
    assert_int_equal(session_send(network.pair.at[A].session, bytes, sizeof bytes), sizeof bytes);
    deliver(&network, A);
    assert_in_range(network.seen, most, 600);
    both_close(&network);
    assert_int_equal(session_lost(network.pair.at[B].session), 0);
    pair_free(&network.pair);
}

/* Two that refuse each other say so, and do not go on shouting. */
static void test_tie(void **state)
{
    struct network network;
    unsigned said;

    (void)state;
    network_init(&network);
    pair_want(&network.pair.at[A], ROLE_WANT_SERVER, true);
    pair_want(&network.pair.at[B], ROLE_WANT_SERVER, true);
    assert_true(run(&network, have_failed));
    for (int i = A; i <= B; i++)
        assert_int_equal(network.pair.at[i].error.status, STATUS_ROLE);
    said = network.count;
    for (int i = 0; i < 1000; i++) {
        session_repeat_alert(network.pair.at[A].session);
        deliver(&network, A);
    }
    assert_in_range(network.count - said, 0, 1); /* no time has passed */
    pair_free(&network.pair);
}

/* The door: a hello without a cookie gets one, and only its sender's is any good. */
static void test_door(void **state)
{
    struct session_door door, other;
    struct network network;
    uint8_t answer[SESSION_DOOR_ANSWER_MAX];
    const uint8_t *hello;
    size_t length, answer_length;
    struct session *caller;

    (void)state;
    network_init(&network);
    assert_true(session_door_init(&door) && session_door_init(&other));
    caller = session_new(&network.pair.at[A].config, network.now, &network.pair.at[A].error);
    hello = session_output(caller, &length);
    assert_int_equal(session_door_judge(&door, "a:1", hello, length, answer, &answer_length), SESSION_DOOR_ANSWER);
    assert_in_range(answer_length, 1, length);
    session_sent(caller, length);
    session_feed(caller, answer, answer_length);
    hello = session_output(caller, &length);
    assert_non_null(hello);
    assert_int_equal(session_door_judge(&door, "a:2", hello, length, answer, &answer_length), SESSION_DOOR_ANSWER);
    assert_int_equal(session_door_judge(&other, "a:1", hello, length, answer, &answer_length), SESSION_DOOR_ANSWER);
    assert_int_equal(session_door_judge(&door, "a:1", hello, length, answer, &answer_length), SESSION_DOOR_OPEN);
    assert_int_equal(session_door_judge(&door, "a:1", hello, 20, answer, &answer_length), SESSION_DOOR_IGNORE);
    session_free(caller);
    pair_free(&network.pair);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session), cmocka_unit_test(test_data_and_loss), cmocka_unit_test(test_forgery),
        cmocka_unit_test(test_mtu),     cmocka_unit_test(test_tie),           cmocka_unit_test(test_door),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
