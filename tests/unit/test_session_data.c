/* test_session_data.c - once it is open: data both ways, half-close both ways, limits, and the ends that are none. */
#include "check.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"
#include "stock.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIG = 1 << 20 };

/* ---- Data ---- */

static void test_big_data_both_ways(void **state)
{
    static const size_t pieces[] = {0, 1400, 65536};
    uint8_t *bytes[2] = {some_data(BIG, 1), some_data(BIG, 2)};
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (size_t i = 0; i < COUNT(pieces); i++) {
            size_t done[2] = {0, 0};

            pair_open(&pair, versions[version]);
            pair.piece = pieces[i];
            while (done[A] < BIG || done[B] < BIG) {
                for (int end = A; end <= B; end++)
                    done[end] += session_send(pair.at[end].session, bytes[end] + done[end], BIG - done[end]);
                pair_run(&pair);
            }
            for (int end = A; end <= B; end++) {
                assert_int_equal(buffer_used(&pair.at[!end].received), BIG);
                assert_memory_equal(buffer_at(&pair.at[!end].received), bytes[end], BIG);
            }
            pair_free(&pair);
        }
    free(bytes[A]);
    free(bytes[B]);
}

/* The largest record that this end has put on the wire, behind what was there before. */
static size_t largest_record(const struct pair_end *end, size_t before)
{
    const uint8_t *bytes = buffer_at(&end->said);
    size_t largest = 0;

    for (size_t at = before; at < buffer_used(&end->said);) {
        size_t length = (size_t)bytes[at + 3] << 8 | bytes[at + 4];

        largest = length > largest ? length : largest;
        at += 5 + length;
    }
    return largest;
}

/* One end wants small records: it sends none that are larger, and the other one neither. */
static void test_record_size(void **state)
{
    static const size_t sizes[] = {512, 1000, 16384};
    uint8_t *bytes = some_data(BIG, 4);
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (size_t i = 0; i < COUNT(sizes); i++)
            for (int wants = A; wants <= B; wants++) {
                pair_init_as(&pair, versions[version]);
                pair.at[wants].config.record_size = sizes[i];
                pair_run(&pair);
                assert_true(pair_agrees(&pair));
                for (int end = A; end <= B; end++) {
                    size_t before = buffer_used(&pair.at[end].said), most;

                    pair_send(&pair, end, bytes, 40000);
                    assert_int_equal(buffer_used(&pair.at[!end].received), 40000);
                    most = largest_record(&pair.at[end], before);
                    check_row(most >= sizes[i] && most <= sizes[i] + 64, "version %zu, %d wants %zu, %d sent %zu", version, wants,
                              sizes[i], end, most);
                }
                pair_free(&pair);
            }
    free(bytes);
}

/* What is sent and not taken away is bounded, and so is what is taken in. */
static void test_limits(void **state)
{
    uint8_t *bytes = some_data(BIG, 3);
    struct pair pair;
    size_t length, taken, room;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        pair_open(&pair, versions[version]);
        taken = session_send(pair.at[A].session, bytes, BIG);
        assert_in_range(taken, 32768, 65536);
        session_output(pair.at[A].session, &length);
        assert_in_range(length, taken, 4 * (16384 + 256));
        assert_int_equal(session_send(pair.at[A].session, bytes, BIG), 0);
        session_sent(pair.at[A].session, 100);
        assert_int_equal(session_send(pair.at[A].session, bytes, BIG), 0);
        session_output(pair.at[A].session, &taken);
        assert_int_equal(taken, length - 100);
        pair_free(&pair);

        /* The other side: whoever does not receive takes in no more than it has room for. */
        pair_open(&pair, versions[version]);
        pair.at[B].deaf = true;
        for (int i = 0; i < 20; i++) {
            session_send(pair.at[A].session, bytes, BIG);
            pair_run(&pair);
        }
        room = session_room(pair.at[B].session);
        assert_int_equal(room, 0);
        assert_true(buffer_used(&pair.at[A].wire) > BIG / 2);
        /* And goes on where it was. */
        pair.at[B].deaf = false;
        pair_run(&pair);
        assert_int_equal(buffer_used(&pair.at[A].wire), 0);
        assert_memory_equal(buffer_at(&pair.at[B].received), bytes, 32768);
        pair_free(&pair);
    }
    free(bytes);
}

static void test_small_pieces(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair, NULL);
    pair.piece = 1;
    for (int i = 0; i < 100; i++)
        pair_send(&pair, i % 2, &(char){(char)i}, 1);
    assert_int_equal(buffer_used(&pair.at[A].received), 50);
    assert_int_equal(buffer_at(&pair.at[B].received)[49], 98);
    assert_int_equal(session_send(pair.at[A].session, (const uint8_t *)"", 0), 0);
    pair_free(&pair);
}

/* Not before it is open, and not before we have accepted the peer: whatever the state is, nothing is taken. */
static void test_no_data_before_it_is_open(void **state)
{
    struct pair pair;
    uint8_t bytes[SESSION_RECORD_MAX];

    (void)state;
    for (unsigned rounds = 1; rounds < 8; rounds++)
        for (int hold = A; hold <= B; hold++) {
            pair_init_as(&pair, NULL);
            pair.at[hold].hold = true;
            pair.stop_after = rounds;
            pair_run(&pair);
            if (pair_state(&pair, hold) != SESSION_OPEN) {
                assert_int_equal(session_send(pair.at[hold].session, (const uint8_t *)"early", 5), 0);
                assert_int_equal(session_receive(pair.at[hold].session, bytes, sizeof bytes), 0);
            }
            pair.stop_after = 0;
            pair_run(&pair);
            /* The other one may be open already (a TLS 1.3 client is); what it says stays unread. */
            session_send(pair.at[!hold].session, (const uint8_t *)"early", 5);
            pair_run(&pair);
            assert_int_equal(pair_state(&pair, hold), SESSION_VERDICT);
            assert_int_equal(session_send(pair.at[hold].session, (const uint8_t *)"early", 5), 0);
            assert_int_equal(session_receive(pair.at[hold].session, bytes, sizeof bytes), 0);
            pair_free(&pair);
        }
}

/* ---- Half-close ---- */

static void check_half_close(int first, const char *version)
{
    struct pair pair;
    struct session *one, *other;
    size_t before, after;

    pair_open(&pair, version);
    one = pair.at[first].session;
    other = pair.at[!first].session;
    pair_send(&pair, first, "last", 4);
    session_output(one, &before);
    session_close(one);
    session_output(one, &after);
    assert_int_equal(session_close_size(one), after - before);
    assert_true(after > before);
    session_close(one); /* once is enough */
    session_output(one, &before);
    assert_int_equal(before, after);
    pair_run(&pair);
    assert_true(session_we_closed(one) && session_peer_closed(other));
    assert_false(session_we_closed(other) || session_peer_closed(one));
    assert_int_equal(pair_state(&pair, A), SESSION_OPEN);
    assert_int_equal(pair_state(&pair, B), SESSION_OPEN);
    assert_int_equal(buffer_used(&pair.at[!first].received), 4);

    /* The other direction goes on. */
    for (int i = 0; i < 10; i++)
        pair_send(&pair, !first, "still here", 10);
    assert_int_equal(buffer_used(&pair.at[first].received), 100);
    session_close(other);
    pair_run(&pair);
    assert_true(session_peer_closed(one) && session_we_closed(other));
    assert_int_equal(pair.at[A].error.status + pair.at[B].error.status, 0);

    /* And now the end of the stream is no news. */
    session_end(one);
    session_end(other);
    pair_run(&pair);
    assert_int_equal(pair.at[A].error.status + pair.at[B].error.status, 0);
    pair_free(&pair);
}

static void test_half_close(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int first = A; first <= B; first++)
            check_half_close(first, versions[version]);
}

/* close_notify comes behind all data, also when they come together. */
static void test_data_then_close(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        pair_open(&pair, versions[version]);
        session_send(pair.at[A].session, (const uint8_t *)"all of it", 9);
        session_close(pair.at[A].session);
        session_send(pair.at[B].session, (const uint8_t *)"and this", 8);
        session_close(pair.at[B].session);
        pair_run(&pair);
        for (int end = A; end <= B; end++) {
            assert_true(session_peer_closed(pair.at[end].session));
            assert_int_equal(buffer_used(&pair.at[end].received), end == A ? 8 : 9);
            assert_int_equal(pair.at[end].error.status, STATUS_OK);
        }
        pair_free(&pair);
    }
}

/* ---- Ends that are none ---- */

static void say_one_two(struct pair *pair)
{
    session_send(pair->at[A].session, (const uint8_t *)"one", 3);
    session_send(pair->at[A].session, (const uint8_t *)"two", 3);
    session_close(pair->at[A].session);
    pair_run(pair);
}

/* The stream ends after each byte of data and close_notify: what came whole is there, and the end is a cut. */
static void check_cut(const char *version, size_t cut, size_t *said)
{
    struct pair pair;
    size_t before;

    pair_open(&pair, version);
    before = buffer_used(&pair.at[A].said);
    pair.at[A].cut = before + cut;
    say_one_two(&pair);
    *said = buffer_used(&pair.at[A].said) - before;
    if (cut == *said) {
        assert_true(session_peer_closed(pair.at[B].session));
        assert_int_equal(pair_state(&pair, B), SESSION_OPEN);
        assert_int_equal(buffer_used(&pair.at[B].received), 6);
    } else {
        check_row(!session_peer_closed(pair.at[B].session), "cut after %zu", cut);
        check_row(pair_state(&pair, B) == SESSION_FAILED, "cut after %zu", cut);
        check_row(pair.at[B].error.status == STATUS_CUT, "cut after %zu: %d, %s", cut, pair.at[B].error.status,
                  pair.at[B].error.story);
        check_row(memcmp("onetwo", buffer_at(&pair.at[B].received), buffer_used(&pair.at[B].received)) == 0, "cut after %zu", cut);
        check_row(buffer_used(&pair.at[B].received) % 3 == 0, "cut after %zu", cut);
    }
    pair_free(&pair);
}

static void test_cut(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        size_t said = 1;

        for (size_t cut = 0; cut <= said; cut += stride(7))
            check_cut(versions[version], cut, &said);
    }
}

/* Every byte of data and close_notify is changed: it is noticed, and nothing changed is ever handed out. */
static void check_change(const char *version, size_t at, size_t *said)
{
    struct pair pair;
    size_t before;

    pair_open(&pair, version);
    before = buffer_used(&pair.at[A].said);
    pair.at[A].flip = before + at;
    say_one_two(&pair);
    session_end(pair.at[B].session);
    pair_run(&pair);
    *said = buffer_used(&pair.at[A].said) - before;
    check_row(pair_state(&pair, B) == SESSION_FAILED, "byte %zu", at);
    check_row(pair.at[B].error.status == STATUS_TLS || pair.at[B].error.status == STATUS_CUT, "byte %zu: %s", at,
              pair.at[B].error.story);
    check_row(!session_peer_closed(pair.at[B].session), "byte %zu", at);
    check_row(buffer_used(&pair.at[B].received) % 3 == 0, "byte %zu", at);
    check_row(memcmp("onetwo", buffer_at(&pair.at[B].received), buffer_used(&pair.at[B].received)) == 0, "byte %zu", at);
    pair_free(&pair);
}

static void test_change(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        size_t said = 1;

        for (size_t at = 0; at < said; at += stride(7))
            check_change(versions[version], at, &said);
    }
}

/* ---- An alert when it is open ---- */

static void test_late_alert(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int from = A; from <= B; from++) {
            pair_open(&pair, versions[version]);
            session_send(pair.at[from].session, (const uint8_t *)"but", 3);
            error_set(&pair.at[from].error, STATUS_LOCAL, "our disk is full");
            session_refuse(pair.at[from].session, ALERT_INTERNAL_ERROR);
            pair_run(&pair);
            assert_int_equal(pair_state(&pair, from), SESSION_FAILED);
            assert_int_equal(pair_state(&pair, !from), SESSION_FAILED);
            assert_int_equal(buffer_used(&pair.at[!from].received), 3);
            assert_int_equal(pair.at[!from].error.status, STATUS_TLS);
            assert_true(has(pair.at[!from].error.story, "ended the session with alert 80, internal_error"));
            assert_true(has(pair.at[from].error.story, "our disk is full"));
            assert_int_equal(session_room(pair.at[from].session), 0);
            assert_int_equal(session_send(pair.at[from].session, (const uint8_t *)"x", 1), 0);
            pair_free(&pair);
        }
}

/* ---- Renegotiation: a peer that is the library itself, in TLS 1.2 ---- */

/* The peer, a server, asks: it is told no, and all goes on. */
static void test_renegotiation_with_a_server(void **state)
{
    struct stock stock;
    uint8_t bytes[SESSION_RECORD_MAX];

    (void)state;
    stock_open(&stock, ROLE_SERVER, versions[1]);
    assert_int_equal(gnutls_rehandshake(stock.tls), 0);
    stock_to_session(&stock);
    assert_int_equal(session_receive(stock.session, bytes, sizeof bytes), 0);
    check_row(session_state(stock.session) == SESSION_OPEN, "%s", stock.pair.at[A].error.story);
    stock_from_session(&stock);
    assert_int_equal(gnutls_record_recv(stock.tls, bytes, sizeof bytes), GNUTLS_E_WARNING_ALERT_RECEIVED);
    assert_int_equal(gnutls_alert_get(stock.tls), GNUTLS_A_NO_RENEGOTIATION);

    assert_int_equal(gnutls_record_send(stock.tls, "data", 4), 4);
    stock_to_session(&stock);
    assert_int_equal(session_receive(stock.session, bytes, sizeof bytes), 4);
    stock_free(&stock);
}

/* One that asks and asks, and does not read the answers, makes no memory grow. */
static void test_endless_renegotiation(void **state)
{
    struct stock stock;
    uint8_t bytes[SESSION_RECORD_MAX];
    size_t length;

    (void)state;
    stock_open(&stock, ROLE_SERVER, versions[1]);
    for (int i = 0; i < 20000 && session_state(stock.session) == SESSION_OPEN; i++) {
        gnutls_rehandshake(stock.tls);
        stock_to_session(&stock);
        session_receive(stock.session, bytes, sizeof bytes);
    }
    assert_int_equal(session_state(stock.session), SESSION_FAILED);
    assert_int_equal(stock.pair.at[A].error.status, STATUS_TLS);
    session_output(stock.session, &length);
    assert_in_range(length, 1000, 100000);
    stock_free(&stock);
}

/* The peer, a client, begins anew: it is told no, and since the library has its hello and cannot go on, that is the end. */
static void test_renegotiation_with_a_client(void **state)
{
    struct stock stock;
    uint8_t bytes[SESSION_RECORD_MAX];

    (void)state;
    stock_open(&stock, ROLE_CLIENT, versions[1]);
    assert_int_equal(gnutls_handshake(stock.tls), GNUTLS_E_AGAIN);
    stock_to_session(&stock);
    assert_int_equal(session_receive(stock.session, bytes, sizeof bytes), 0);
    assert_true(session_state(stock.session) == SESSION_OPEN || stock.pair.at[A].error.status == STATUS_TLS);
    stock_from_session(&stock);
    assert_int_equal(gnutls_handshake(stock.tls), GNUTLS_E_WARNING_ALERT_RECEIVED);
    assert_int_equal(gnutls_alert_get(stock.tls), GNUTLS_A_NO_RENEGOTIATION);
    stock_free(&stock);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_big_data_both_ways),
        cmocka_unit_test(test_record_size),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_small_pieces),
        cmocka_unit_test(test_no_data_before_it_is_open),
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_data_then_close),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_late_alert),
        cmocka_unit_test(test_renegotiation_with_a_server),
        cmocka_unit_test(test_endless_renegotiation),
        cmocka_unit_test(test_renegotiation_with_a_client),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
