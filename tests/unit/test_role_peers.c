/* test_role_peers.c - two ends in one process: whatever the network does to the bytes, they agree. */
#include "check.h"
#include "helpers.h"
#include "role_alert.h"
#include "roles.h"

#include <stdio.h>
#include <string.h>

enum { ANY = ROLE_WANT_ANY, CLIENT = ROLE_WANT_CLIENT, SERVER = ROLE_WANT_SERVER };

/* ---- One end ---- */

struct peer {
    struct role_stream stream;
    uint8_t random;       /* fills the Random of its hello */
    size_t record_size;   /* its hello leaves in records of this size */
    uint8_t hello[2048];  /* as it left */
    size_t hello_length;
    uint8_t flight[64];   /* what it says as the server, right behind its hello */
    size_t flight_length;
    uint8_t sent[4096];   /* everything that it said */
    size_t sent_length;
    size_t heard;         /* bytes of the other's that reached it */
    struct buffer input;  /* what its TLS session reads */
};

static void say(struct peer *peer, const uint8_t *bytes, size_t length)
{
    memcpy(peer->sent + peer->sent_length, bytes, length);
    peer->sent_length += length;
}

static void say_hello(struct peer *peer)
{
    const struct hellos hellos = hellos_ours(&peer->stream.config, peer->random);
    static uint8_t message[2048], record[2048];
    size_t length = hellos_message(message, &hellos);

    assert_true(role_our_hello(&peer->stream, record, hellos_records(record, message, length, 16384)));
    peer->hello_length = hellos_records(peer->hello, message, length, peer->record_size);
    say(peer, peer->hello, peer->hello_length);
}

/* Do what the step asks for, as the program would. */
static void act(struct peer *peer)
{
    if (role_next(&peer->stream) == ROLE_STEP_HELLO) {
        say_hello(peer);
        role_next(&peer->stream);
    }
    if (peer->stream.step == ROLE_STEP_MORE)
        return;
    if (peer->stream.step == ROLE_STEP_REFUSE) {
        uint8_t record[ROLE_ALERT_RECORD_SIZE];

        role_alert_record(record, peer->stream.alert);
        say(peer, record, sizeof record);
        return;
    }
    assert_true(role_rest(&peer->stream, &peer->input));
    if (peer->stream.step == ROLE_STEP_SERVER)
        say(peer, peer->flight, peer->flight_length);
}

static void peer_start(struct peer *peer, const struct role_config *config, uint8_t random, size_t record_size)
{
    static const uint8_t flight[] = {22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3, 20, 3, 3, 0, 1, 1};

    memset(peer, 0, sizeof *peer);
    peer->random = random;
    peer->record_size = record_size;
    peer->flight_length = sizeof flight;
    memcpy(peer->flight, flight, sizeof flight);
    role_init(&peer->stream, config);
    act(peer);
}

static void peer_free(struct peer *peer)
{
    role_free(&peer->stream);
    buffer_free(&peer->input);
}

/* Up to `most` bytes that `from` said reach `to`; what comes once the role is known is the TLS session's. */
static void deliver(struct peer *from, struct peer *to, size_t most)
{
    size_t length = from->sent_length - to->heard < most ? from->sent_length - to->heard : most;
    const uint8_t *bytes = from->sent + to->heard;

    to->heard += length;
    if (length == 0 || to->stream.step == ROLE_STEP_REFUSE)
        return;
    if (to->stream.step != ROLE_STEP_MORE) {
        assert_true(buffer_append(&to->input, bytes, length));
        return;
    }
    role_feed(&to->stream, bytes, length);
    act(to);
}

static void deliver_all(struct peer *a, struct peer *b)
{
    while (a->heard < b->sent_length || b->heard < a->sent_length) {
        deliver(a, b, SIZE_MAX);
        deliver(b, a, SIZE_MAX);
    }
}

/* ---- What has to be, whatever happened ---- */

static void check_input(const struct peer *peer, const uint8_t *bytes, size_t length, const char *where)
{
    check_row(buffer_used(&peer->input) == length, "%s", where);
    check_row(memcmp(buffer_at(&peer->input), bytes, length) == 0, "%s", where);
}

/* Everything has been delivered: opposite roles and both symmetric, or a tie on both ends. */
static void check_outcome(const struct peer *a, const struct peer *b, const char *where)
{
    const struct peer *client = a->stream.step == ROLE_STEP_CLIENT ? a : b;
    const struct peer *server = client == a ? b : a;
    enum role_decided_by by = a->stream.config.implicit ? ROLE_BY_IMPLICIT : ROLE_BY_EXTENSION;

    if (role_preference_compare(&a->stream.config.ours, &b->stream.config.ours) == 0) {
        check_row(a->stream.step == ROLE_STEP_REFUSE && a->stream.reason == ROLE_REASON_TIE, "%s", where);
        check_row(b->stream.step == ROLE_STEP_REFUSE && b->stream.reason == ROLE_REASON_TIE, "%s", where);
        check_row(a->stream.alert == ALERT_HANDSHAKE_FAILURE && b->stream.alert == a->stream.alert, "%s", where);
        return;
    }
    check_row(client->stream.step == ROLE_STEP_CLIENT, "%s", where);
    check_row(server->stream.step == ROLE_STEP_SERVER, "%s", where);
    check_row(role_preference_compare(&client->stream.config.ours, &server->stream.config.ours) < 0, "%s", where);
    check_row(a->stream.symmetric && b->stream.symmetric, "%s", where);
    check_row(a->stream.decided_by == by && b->stream.decided_by == by, "%s", where);
    check_row(role_preference_compare(&a->stream.peer, &b->stream.config.ours) == 0, "%s", where);
    check_row(role_preference_compare(&b->stream.peer, &a->stream.config.ours) == 0, "%s", where);
    /* The losing hello never happened; the winning one is there to the byte. */
    check_input(server, client->hello, client->hello_length, where);
    check_input(client, server->flight, server->flight_length, where);
}

/* It may require a symmetric peer or not. */
static struct role_config config_for(enum role_want want, bool active, bool implicit)
{
    return config_with_dice(want, active, dice(2) ? ROLE_SYMMETRIC_ALLOW : ROLE_SYMMETRIC_REQUIRE, implicit);
}

/* ---- Tests ---- */

/* Who becomes what: CLI option by CLI option. */
static void test_table_of_wants(void **state)
{
    static const char *const table[WANTS] = {
        /*  any client server p-client p-server   <- theirs; ours: */
        "R" "S" "C" "S" "C", /* any */
        "C" "T" "C" "C" "C", /* client */
        "S" "S" "T" "S" "S", /* server */
        "C" "S" "C" "R" "C", /* prefer-client */
        "S" "S" "C" "S" "R", /* prefer-server */
    };

    (void)state;
    dice_start(1);
    for (int ours = 0; ours < WANTS; ours++)
        for (int theirs = 0; theirs < WANTS; theirs++)
            for (unsigned who = 1; who < 4; who++) { /* a bit for each end that is active */
                const struct role_config config_a = config_for((enum role_want)ours, who & 1, false);
                const struct role_config config_b = config_for((enum role_want)theirs, who & 2, false);
                struct peer a, b;
                char where[64], outcome;

                snprintf(where, sizeof where, "%s meets %s, %u", want_names[ours], want_names[theirs], who);
                peer_start(&a, &config_a, 1, 16384);
                peer_start(&b, &config_b, 2, 16384);
                deliver_all(&a, &b);
                check_outcome(&a, &b, where);
                outcome = a.stream.step == ROLE_STEP_CLIENT ? 'C' : a.stream.step == ROLE_STEP_SERVER ? 'S' : 'T';
                check_row(outcome == table[ours][theirs] || (table[ours][theirs] == 'R' && outcome != 'T'), "%s: %c",
                          where, outcome);
                peer_free(&a);
                peer_free(&b);
            }
}

/* What each hears comes in two segments: every split of the one with every `stride`th of the other. */
static void check_splits(const struct role_config *config_a, const struct role_config *config_b, size_t record_size,
                         size_t stride)
{
    size_t most = 1;

    for (size_t split_a = 0; split_a <= most; split_a++)
        for (size_t split_b = split_a % stride; split_b <= most; split_b += stride) {
            struct peer a, b;
            char where[96];

            snprintf(where, sizeof where, "records of %zu, split at %zu and %zu", record_size, split_a, split_b);
            peer_start(&a, config_a, 1, record_size);
            peer_start(&b, config_b, 2, record_size);
            deliver(&a, &b, split_b);
            deliver(&b, &a, split_a);
            deliver_all(&a, &b);
            check_outcome(&a, &b, where);
            most = a.sent_length > b.sent_length ? a.sent_length : b.sent_length;
            peer_free(&a);
            peer_free(&b);
        }
}

static void test_every_split(void **state)
{
    static const struct {
        int want_a, want_b;
        bool active_a, active_b, implicit;
        size_t record_size, stride;
    } rows[] = {
        {ANY, ANY, true, true, false, 16384, 1},         {CLIENT, SERVER, true, true, false, 16384, 7},
        {SERVER, CLIENT, true, false, false, 16384, 1},  {ANY, CLIENT, false, true, false, 50, 7},
        {SERVER, ANY, false, true, false, 1, 101},       {SERVER, SERVER, true, true, false, 16384, 7},
        {CLIENT, CLIENT, true, false, false, 16384, 7},  {ANY, ANY, true, true, true, 16384, 1},
        {ANY, ANY, true, false, true, 7, 101},
    };

    (void)state;
    dice_start(2);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct role_config config_a =
            config_for((enum role_want)rows[i].want_a, rows[i].active_a, rows[i].implicit);
        struct role_config config_b =
            config_for((enum role_want)rows[i].want_b, rows[i].active_b, rows[i].implicit);

        check_splits(&config_a, &config_b, rows[i].record_size, rows[i].stride * stride(4));
    }
}

static void test_random_runs(void **state)
{
    enum { RUNS = 10000 };
    const uint64_t first_seed = 20160316;
    unsigned ties = 0, clients = 0;

    (void)state;
    print_message("# %d runs from seed %llu\n", RUNS, (unsigned long long)first_seed);
    dice_start(first_seed);
    for (int run = 0; run < RUNS; run++) {
        bool implicit = dice(4) == 0;
        unsigned who = 1 + dice(3);
        const struct role_config config_a = config_for((enum role_want)dice(implicit ? 1 : WANTS), who & 1, implicit);
        const struct role_config config_b = config_for((enum role_want)dice(implicit ? 1 : WANTS), who & 2, implicit);
        unsigned segment = dice(3) ? 1 + dice(200) : 1; /* the longest of this run */
        struct peer a, b;
        char where[32];

        snprintf(where, sizeof where, "run %d", run);
        peer_start(&a, &config_a, (uint8_t)dice(8), 1 + dice(200));
        peer_start(&b, &config_b, (uint8_t)dice(8), 1 + dice(200));
        while (a.heard < b.sent_length || b.heard < a.sent_length) {
            if (dice(2))
                deliver(&a, &b, 1 + dice(segment));
            else
                deliver(&b, &a, 1 + dice(segment));
        }
        check_outcome(&a, &b, where);
        ties += a.stream.step == ROLE_STEP_REFUSE;
        clients += a.stream.step == ROLE_STEP_CLIENT;
        peer_free(&a);
        peer_free(&b);
    }
    assert_in_range(ties, RUNS / 20, RUNS / 5); /* all outcomes were seen, and neither end is favoured */
    assert_in_range(clients, RUNS * 2 / 5, RUNS / 2);
}

/* Two ends that wait: nobody speaks, and the handshake time-out ends it. */
static void test_both_wait(void **state)
{
    struct role_config config = config_for(ROLE_WANT_ANY, false, false);
    struct peer a, b;

    (void)state;
    peer_start(&a, &config, 1, 16384);
    peer_start(&b, &config, 2, 16384);
    deliver_all(&a, &b);
    assert_int_equal(a.stream.step, ROLE_STEP_MORE);
    assert_int_equal(a.sent_length + b.sent_length, 0);
    peer_free(&a);
    peer_free(&b);
}

/* Somebody on the path changes the values: both ends may get the same role, and that is all that can happen. */
static void test_changed_on_the_way(void **state)
{
    static const struct {
        char value; /* is put in front of both */
        enum role_step step;
        enum role_reason reason;
    } rows[] = {
        {'~', ROLE_STEP_CLIENT, ROLE_REASON_NONE},
        {'!', ROLE_STEP_SERVER, ROLE_REASON_NONE},
        {' ', ROLE_STEP_REFUSE, ROLE_REASON_BAD_PREFERENCE},
    };

    (void)state;
    dice_start(3);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct role_config config = config_for(ROLE_WANT_ANY, true, false);
        struct peer a, b;

        peer_start(&a, &config, 1, 16384);
        peer_start(&b, &config, 2, 16384);
        a.sent[a.sent_length - HELLO_PREFERENCE_MAX] = (uint8_t)rows[i].value; /* it stands at the end */
        b.sent[b.sent_length - HELLO_PREFERENCE_MAX] = (uint8_t)rows[i].value;
        deliver_all(&a, &b);
        check_row(a.stream.step == rows[i].step && b.stream.step == rows[i].step, "'%c'", rows[i].value);
        check_row(a.stream.reason == rows[i].reason && b.stream.reason == rows[i].reason, "'%c'", rows[i].value);
        peer_free(&a);
        peer_free(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_of_wants), cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_random_runs),    cmocka_unit_test(test_both_wait),
        cmocka_unit_test(test_changed_on_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
