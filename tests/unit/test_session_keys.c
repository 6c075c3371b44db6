/* test_session_keys.c - new keys while a session is open, at our wish and the peer's, one at a time, at once, and in floods. */
#include "check.h"
#include "helpers.h"
#include "pair.h"
#include "stock.h"
#include "wait.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static const char tls13[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

static void pass_time(struct pair *pair, int64_t now)
{
    for (int end = A; end <= B; end++)
        session_time(pair->at[end].session, now);
}

static unsigned answers(const struct pair *pair, int end)
{
    return session_rekey_answers(pair->at[end].session);
}

static enum session_rekey rekey(struct pair *pair, int end)
{
    return session_rekey(pair->at[end].session);
}

/* Data gets through both ways, and nothing has been lost or added. */
static void check_talk(struct pair *pair)
{
    for (int from = A; from <= B; from++) {
        size_t before = buffer_used(&pair->at[!from].received);

        pair_send(pair, from, "as before", 9);
        assert_int_equal(buffer_used(&pair->at[!from].received), before + 9);
        assert_memory_equal(buffer_at(&pair->at[!from].received) + before, "as before", 9);
        check_row(pair->at[from].error.status == STATUS_OK, "%s", pair->at[from].error.story);
    }
}

/* ---- Our wish ---- */

/* Whoever asks: both directions get new keys, though the other end says nothing of its own. */
static void test_rekey(void **state)
{
    (void)state;
    for (int end = A; end <= B; end++) {
        struct pair pair;
        struct session_counts before[2];

        pair_open(&pair, NULL);
        check_talk(&pair);
        before[A] = *session_counts(pair.at[A].session);
        before[B] = *session_counts(pair.at[B].session);
        assert_int_equal(rekey(&pair, end), SESSION_REKEY_BOTH);
        assert_int_equal(answers(&pair, end), 0);
        pair_run(&pair);
        assert_int_equal(answers(&pair, end), 1);
        assert_int_equal(answers(&pair, !end), 0);
        for (int i = A; i <= B; i++) {
            const struct session_counts *counts = session_counts(pair.at[i].session);

            assert_int_equal(counts->key_updates_sent, before[i].key_updates_sent + 1);
            assert_int_equal(counts->key_updates_received, before[i].key_updates_received + 1);
            assert_int_equal(counts->records_sent, before[i].records_sent);
        }
        check_talk(&pair);
        pair_free(&pair);
    }
}

static void test_one_at_a_time(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, NULL);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_BOTH);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_WAITING);
    pass_time(&pair, 10000);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_WAITING);
    pair_run(&pair);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_BOTH);
    pair_run(&pair);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_TOO_SOON);
    pass_time(&pair, 10499);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_TOO_SOON);
    pass_time(&pair, 10500);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_BOTH);
    pair_run(&pair);
    assert_int_equal(answers(&pair, A), 3);
    check_talk(&pair);
    pair_free(&pair);
}

static void test_no_rekey(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, versions[1]);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_UNKNOWN);
    assert_int_equal(rekey(&pair, B), SESSION_REKEY_UNKNOWN);
    check_talk(&pair);
    pair_free(&pair);

    /* A client that has not heard that it is accepted. */
    pair_init_as(&pair, NULL);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, A), SESSION_OPEN);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_NOT_ACCEPTED);
    assert_int_equal(rekey(&pair, B), SESSION_REKEY_CLOSED);
    pair_free(&pair);

    /* Ends that have closed: ours has no keys any more, and the peer's gives no answer. */
    pair_open(&pair, NULL);
    session_close(pair.at[A].session);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_CLOSED);
    pair_run(&pair);
    assert_int_equal(rekey(&pair, B), SESSION_REKEY_OURS);
    pair_send(&pair, B, "more", 4);
    assert_int_equal(buffer_used(&pair.at[A].received), 4);
    assert_int_equal(answers(&pair, B), 0);
    pass_time(&pair, 500);
    assert_int_equal(rekey(&pair, B), SESSION_REKEY_OURS);
    pair_send(&pair, B, "and more", 8);
    assert_int_equal(buffer_used(&pair.at[A].received), 12);
    check_row(pair.at[A].error.status == STATUS_OK, "%s", pair.at[A].error.story);
    pair_free(&pair);
}

/* The peer closes while our wish is on its way: no answer, and no harm. */
static void test_wish_meets_close(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, NULL);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_BOTH);
    session_close(pair.at[B].session);
    pair_run(&pair);
    assert_int_equal(answers(&pair, A), 0);
    assert_true(session_peer_closed(pair.at[A].session));
    pair_send(&pair, A, "more", 4);
    assert_int_equal(buffer_used(&pair.at[B].received), 4);
    check_row(pair_is_open(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
    pair_free(&pair);
}

/* ---- Both ends at once, in the middle of much data ---- */

static void test_both_at_once(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, NULL);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_BOTH);
    assert_int_equal(rekey(&pair, B), SESSION_REKEY_BOTH);
    pair_run(&pair);
    check_row(pair_is_open(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
    for (int end = A; end <= B; end++) {
        assert_int_equal(answers(&pair, end), 1);
        /* The wish, the answer; and the server's word that the client is accepted. */
        assert_int_equal(session_counts(pair.at[end].session)->key_updates_sent,
                         2 + (session_role(pair.at[end].session) == ROLE_SERVER));
    }
    check_talk(&pair);
    pair_free(&pair);
}

/* The wire delivers in pieces of any size, so that wishes, answers and data cross in many ways. */
static void test_in_volume(void **state)
{
    enum { SIZE = 1 << 20 };
    uint8_t *bytes[2] = {some_data(SIZE, 1), some_data(SIZE, 2)};
    struct pair pair;
    size_t done[2] = {0, 0};
    unsigned wishes[2] = {0, 0};

    (void)state;
    pair_open(&pair, NULL);
    pair.piece = 40000;
    pair.random = 77;
    pair.stop_after = 1;
    for (int64_t now = 0; done[A] < SIZE || done[B] < SIZE; now += 300) {
        pass_time(&pair, now);
        for (int end = A; end <= B; end++) {
            /* The library counts its own seconds: no more than it takes of us in one. */
            if (wishes[end] < 2 && session_rekey(pair.at[end].session) == SESSION_REKEY_BOTH)
                wishes[end]++;
            done[end] += session_send(pair.at[end].session, bytes[end] + done[end], SIZE - done[end]);
        }
        pair_run(&pair);
        check_row(pair_is_open(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
    }
    pair.stop_after = 0;
    pair_run(&pair);
    for (int end = A; end <= B; end++) {
        assert_int_equal(wishes[end], 2);
        assert_int_equal(answers(&pair, end), 2);
        assert_int_equal(buffer_used(&pair.at[!end].received), SIZE);
        assert_memory_equal(buffer_at(&pair.at[!end].received), bytes[end], SIZE);
    }
    pair_free(&pair);
    free(bytes[A]);
    free(bytes[B]);
}

/* ---- The peer's wish: the peer is the library itself ---- */

static void test_peer_wishes(void **state)
{
    static const enum role roles[] = {ROLE_CLIENT, ROLE_SERVER};

    (void)state;
    for (size_t i = 0; i < COUNT(roles); i++) {
        struct stock stock;
        uint8_t bytes[SESSION_RECORD_MAX];

        stock_open(&stock, roles[i], tls13);
        session_receive(stock.session, bytes, sizeof bytes); /* a server's tickets */
        assert_int_equal(gnutls_session_key_update(stock.tls, GNUTLS_KU_PEER), 0);
        stock_to_session(&stock);
        assert_int_equal(session_receive(stock.session, bytes, sizeof bytes), 0);
        assert_int_equal(session_counts(stock.session)->key_updates_sent, 1); /* at once, and not ahead of data */
        stock_from_session(&stock);
        assert_int_equal(session_send(stock.session, (const uint8_t *)"data", 4), 4);
        stock_from_session(&stock);
        while (gnutls_record_recv(stock.tls, bytes, sizeof bytes) != 4)
            assert_int_equal(buffer_used(&stock.in) > 0, 1);
        assert_int_equal(session_counts(stock.session)->key_updates_sent, 1);
        stock_free(&stock);
    }
}

/* Two wishes of the peer have one answer, if they come before it. */
static void test_many_wishes_one_answer(void **state)
{
    struct stock stock;
    uint8_t bytes[SESSION_RECORD_MAX];
    size_t before, length;

    (void)state;
    stock_open(&stock, ROLE_CLIENT, tls13);
    /* Nothing of ours has been taken: there is no room for the answer. */
    while (session_send(stock.session, bytes, sizeof bytes) > 0)
        continue;
    session_output(stock.session, &before);
    for (int i = 0; i < 3; i++)
        assert_int_equal(gnutls_session_key_update(stock.tls, GNUTLS_KU_PEER), 0);
    stock_to_session(&stock);
    session_receive(stock.session, bytes, sizeof bytes);
    session_output(stock.session, &length);
    assert_in_range(length, before, before + 200);
    assert_int_equal(session_counts(stock.session)->key_updates_received, 3);
    stock_from_session(&stock);
    session_receive(stock.session, bytes, sizeof bytes);
    assert_in_range(session_counts(stock.session)->key_updates_sent, 1, 3);
    check_row(session_state(stock.session) == SESSION_OPEN, "%s", stock.pair.at[A].error.story);
    stock_free(&stock);
}

/* One that floods us has to wait; nothing is lost, and nothing ends. The library's own clock counts here, and so does ours. */
static void test_flood(void **state)
{
    struct stock stock;
    uint8_t bytes[SESSION_RECORD_MAX];
    unsigned rests = 0;
    size_t length = 0;

    (void)state;
    stock_open(&stock, ROLE_CLIENT, tls13);
    session_time(stock.session, wait_now());
    for (int i = 0; i < 9; i++) /* one more than the library takes in a second */
        assert_int_equal(gnutls_session_key_update(stock.tls, i % 2 ? GNUTLS_KU_PEER : 0), 0);
    assert_int_equal(gnutls_record_send(stock.tls, "end", 3), 3);
    stock_to_session(&stock);
    session_end(stock.session); /* which changes nothing of that */
    while ((length = session_receive(stock.session, bytes, sizeof bytes)) == 0) {
        int64_t wait = session_deadline(stock.session) - wait_now();

        check_row(session_is_resting(stock.session), "%s", stock.pair.at[A].error.story);
        assert_in_range(wait, 0, 1100);
        rests++;
        poll(NULL, 0, (int)wait);
        session_time(stock.session, wait_now());
    }
    assert_int_equal(rests, 2);
    assert_int_equal(length, 3);
    assert_memory_equal(bytes, "end", 3);
    assert_int_equal(session_counts(stock.session)->key_updates_received, 9);
    assert_int_equal(session_deadline(stock.session), SESSION_NEVER);
    stock_free(&stock);
}

/* What is no KeyUpdate is the library's to refuse, as before. */
static void test_nonsense(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, NULL);
    assert_int_equal(rekey(&pair, A), SESSION_REKEY_BOTH);
    pair.at[A].flip = pair.at[A].passed + 8;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, B), SESSION_FAILED);
    assert_int_equal(pair.at[B].error.status, STATUS_TLS);
    assert_int_equal(answers(&pair, A), 0);
    pair_free(&pair);
}

/* ---- Records ---- */

static void test_counts(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        uint8_t *bytes = some_data(40000, 1);

        pair_open(&pair, versions[version]);
        pair_send(&pair, A, bytes, 40000);
        pair_send(&pair, A, "x", 1);
        assert_int_equal(session_counts(pair.at[A].session)->records_sent, 4);
        assert_int_equal(session_counts(pair.at[B].session)->records_received, 4);
        assert_int_equal(session_counts(pair.at[B].session)->records_sent, 0);
        pair_free(&pair);
        free(bytes);
    }
}

static void test_break(void **state)
{
    struct pair pair;
    size_t before;

    (void)state;
    pair_open(&pair, NULL);
    before = buffer_used(&pair.at[A].said);
    for (int i = 0; i < 100; i++)
        assert_true(session_break(pair.at[A].session));
    pair_run(&pair);
    assert_int_equal(buffer_used(&pair.at[A].said) - before, 100 * (5 + 2 + 16)); /* header, type and padding, tag */
    assert_int_equal(buffer_used(&pair.at[B].received), 0);
    check_talk(&pair);
    session_close(pair.at[A].session);
    assert_false(session_break(pair.at[A].session));
    pair_free(&pair);

    /* Nobody takes them: they do not pile up. */
    pair_open(&pair, NULL);
    for (int i = 0; i < 10000; i++)
        session_break(pair.at[A].session);
    session_output(pair.at[A].session, &before);
    assert_in_range(before, 23, 70000);
    assert_false(session_break(pair.at[A].session));
    pair_free(&pair);

    pair_open(&pair, versions[1]);
    assert_false(session_break(pair.at[A].session));
    check_talk(&pair);
    pair_free(&pair);
}

/* ---- What both ends can compare ---- */

static void test_channel_binding(void **state)
{
    static const char without[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH";
    uint8_t bindings[2][2][SESSION_BINDING_SIZE];
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        for (int run = 0; run < 2; run++) {
            pair_open(&pair, versions[version]);
            for (int end = A; end <= B; end++)
                assert_true(session_channel_binding(pair.at[end].session, bindings[run][end]));
            assert_memory_equal(bindings[run][A], bindings[run][B], SESSION_BINDING_SIZE);
            if (rekey(&pair, A) == SESSION_REKEY_BOTH) { /* new keys are no new session */
                pair_run(&pair);
                session_channel_binding(pair.at[B].session, bindings[run][B]);
                assert_memory_equal(bindings[run][A], bindings[run][B], SESSION_BINDING_SIZE);
            }
            pair_free(&pair);
        }
        assert_memory_not_equal(bindings[0][A], bindings[1][A], SESSION_BINDING_SIZE);
    }
    pair_init_as(&pair, without);
    pair.at[A].config.export_label = pair.at[B].config.export_label = NULL;
    pair_run(&pair);
    assert_true(pair_is_open(&pair));
    assert_false(session_channel_binding(pair.at[A].session, bindings[0][A]));
    pair_free(&pair);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rekey),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_no_rekey),
        cmocka_unit_test(test_wish_meets_close),
        cmocka_unit_test(test_both_at_once),
        cmocka_unit_test(test_in_volume),
        cmocka_unit_test(test_peer_wishes),
        cmocka_unit_test(test_many_wishes_one_answer),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_break),
        cmocka_unit_test(test_channel_binding),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
