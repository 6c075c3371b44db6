/* test_session.c - two sessions in one process: who becomes what, however the bytes arrive; and what the hellos hold. */
#include "check.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who A is when A (the row) and B (the column) want this: c, s, ? (random decides), or - (a tie). */
static const char table[5][6] = {
    [ROLE_WANT_ANY] = "?scsc",
    [ROLE_WANT_CLIENT] = "c-ccc",
    [ROLE_WANT_SERVER] = "ss-ss",
    [ROLE_WANT_PREFER_CLIENT] = "csc?c",
    [ROLE_WANT_PREFER_SERVER] = "sscs?",
};

/* ---- Roles ---- */

static void meet(struct pair *pair, int a, int b, bool a_active, bool b_active, const char *version)
{
    pair_init(pair);
    pair_want(&pair->at[A], (enum role_want)a, a_active);
    pair_want(&pair->at[B], (enum role_want)b, b_active);
    pair_version(pair, version);
    pair_run(pair);
}

static void check_tie(struct pair *pair, const char *what)
{
    for (int i = A; i <= B; i++) {
        check_row(pair_state(pair, i) == SESSION_FAILED, "%s: end %d", what, i);
        check_row(pair->at[i].error.status == STATUS_ROLE, "%s: end %d: %s", what, i, pair->at[i].error.story);
        /* both say so on the wire */
        check_row(buffer_at(&pair->at[i].said)[buffer_used(&pair->at[i].said) - 1] == ALERT_HANDSHAKE_FAILURE, "%s", what);
    }
}

static void test_all_roles(void **state)
{
    struct pair pair;
    char what[128];

    (void)state;
    for (size_t row = 0; row < 2 * 3 * 25; row += stride(7)) {
        size_t version = row / 75, ways = 1 + row / 25 % 3, a = row / 5 % 5, b = row % 5; /* ways: bit 0, A is active; bit 1, B is */
        enum role expected = table[a][b] == 'c' ? ROLE_CLIENT : ROLE_SERVER;

        snprintf(what, sizeof what, "%s meets %s, active %zu, TLS 1.%d", want_names[a], want_names[b], ways, version ? 2 : 3);
        meet(&pair, (int)a, (int)b, ways & 1, ways & 2, versions[version]);
        if (table[a][b] == '-') {
            check_tie(&pair, what);
        } else {
            check_row(pair_agrees(&pair), "%s: %s, %s", what, pair.at[A].error.story, pair.at[B].error.story);
            if (table[a][b] != '?')
                check_row(session_role(pair.at[A].session) == expected, "%s", what);
            check_row(session_is_accepted(pair.at[A].session) && session_is_accepted(pair.at[B].session), "%s", what);
        }
        pair_free(&pair);
    }
}

/* Two that are neutral come out either way, and about as often. */
static void test_random_decides(void **state)
{
    struct pair pair;
    unsigned clients = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        pair_init(&pair);
        pair.at[A].hold = pair.at[B].hold = true;
        pair_run(&pair);
        clients += session_role(pair.at[A].session) == ROLE_CLIENT;
        pair_free(&pair);
    }
    assert_in_range(clients, 15, 85); /* 10^-12 that chance is to blame */
}

static void test_both_wait(void **state)
{
    struct pair pair;

    (void)state;
    meet(&pair, ROLE_WANT_ANY, ROLE_WANT_ANY, false, false, NULL);
    assert_int_equal(pair_state(&pair, A), SESSION_HELLO);
    assert_int_equal(pair_state(&pair, B), SESSION_HELLO);
    assert_int_equal(session_role(pair.at[A].session), ROLE_UNDECIDED);
    assert_int_equal(buffer_used(&pair.at[A].said) + buffer_used(&pair.at[B].said), 0);
    assert_false(session_was_fed(pair.at[A].session));
    assert_false(session_is_accepted(pair.at[A].session));
    pair_free(&pair);
}

/* Two sessions with one and the same preference, as when our own hello is sent back to us. */
static void test_reflected(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.at[B].config.role.ours = pair.at[A].config.role.ours;
    pair_run(&pair);
    check_tie(&pair, "the same value");
    assert_true(has(pair.at[A].error.story, "talking to ourselves"));
    pair_free(&pair);
}

static void test_implicit(void **state)
{
    struct pair pair;
    struct facts facts = {0};
    unsigned clients = 0;

    (void)state;
    for (size_t i = 0; i < 60; i += stride(3)) {
        pair_init(&pair);
        pair.at[A].config.role.implicit = pair.at[B].config.role.implicit = true;
        pair.at[B].config.role.active = i % 2;
        pair_version(&pair, versions[i / 2 % 2]);
        pair_run(&pair);
        check_row(pair_agrees(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
        clients += session_role(pair.at[A].session) == ROLE_CLIENT;
        assert_true(session_facts(pair.at[A].session, &facts));
        assert_int_equal(facts.decided_by, ROLE_BY_IMPLICIT);
        assert_true(facts.symmetric);
        assert_string_equal(facts.our_preference, "");
        assert_string_equal(facts.peer_preference, "");
        facts_free(&facts);
        pair_free(&pair);
    }
    assert_in_range(clients, 1, 59);
}

/* ---- Plain peers ---- */

struct plain_case {
    const char *what;
    enum role plain;              /* A is plain TLS in that role */
    enum role_want want;          /* B is symmetric */
    enum role_symmetric symmetric;
    bool active;
    enum status status;           /* what B comes to */
    const char *story;
};

static const struct plain_case plain_cases[] = {
    {"a client comes to us", ROLE_CLIENT, ROLE_WANT_ANY, ROLE_SYMMETRIC_ALLOW, false, STATUS_OK, ""},
    {"the same, whatever we prefer", ROLE_CLIENT, ROLE_WANT_PREFER_CLIENT, ROLE_SYMMETRIC_ALLOW, false, STATUS_OK, ""},
    {"the same, as we insist", ROLE_CLIENT, ROLE_WANT_SERVER, ROLE_SYMMETRIC_ALLOW, false, STATUS_OK, ""},
    {"but not when we insist", ROLE_CLIENT, ROLE_WANT_CLIENT, ROLE_SYMMETRIC_ALLOW, false, STATUS_ROLE, "insist on being the client"},
    {"nor when we require", ROLE_CLIENT, ROLE_WANT_ANY, ROLE_SYMMETRIC_REQUIRE, false, STATUS_ROLE, "--symmetric allow would"},
    {"a client, and we began too", ROLE_CLIENT, ROLE_WANT_ANY, ROLE_SYMMETRIC_ALLOW, true, STATUS_ROLE, "--hello wait would serve it"},
    {"the same, required", ROLE_CLIENT, ROLE_WANT_ANY, ROLE_SYMMETRIC_REQUIRE, true, STATUS_ROLE, "--hello wait would serve it"},
    {"we come to a server", ROLE_SERVER, ROLE_WANT_ANY, ROLE_SYMMETRIC_ALLOW, true, STATUS_OK, ""},
    {"the same, whatever we prefer", ROLE_SERVER, ROLE_WANT_PREFER_SERVER, ROLE_SYMMETRIC_ALLOW, true, STATUS_OK, ""},
    {"but not when we insist", ROLE_SERVER, ROLE_WANT_SERVER, ROLE_SYMMETRIC_ALLOW, true, STATUS_ROLE, "insist on being the server"},
    {"nor when we require", ROLE_SERVER, ROLE_WANT_ANY, ROLE_SYMMETRIC_REQUIRE, true, STATUS_ROLE, "--symmetric allow would"},
};

static void check_plain(const struct plain_case *at, const char *version)
{
    struct pair pair;
    struct facts facts = {0};

    pair_init(&pair);
    pair_plain(&pair.at[A], at->plain);
    pair_want(&pair.at[B], at->want, at->active);
    pair.at[B].config.role.symmetric = at->symmetric;
    pair.at[A].config.priority = pair.at[B].config.priority = version;
    pair_run(&pair);
    check_row(pair.at[B].error.status == at->status && strstr(pair.at[B].error.story, at->story), "%s: %s", at->what,
              pair.at[B].error.story);
    check_row(pair_agrees(&pair) == (at->status == STATUS_OK), "%s", at->what);
    if (at->status == STATUS_OK) {
        check_row(session_role(pair.at[A].session) == at->plain, "%s", at->what);
        assert_true(session_facts(pair.at[B].session, &facts));
        check_row(!facts.symmetric, "%s", at->what);
        check_row(facts.decided_by == (at->plain == ROLE_CLIENT ? ROLE_BY_PLAIN_CLIENT : ROLE_BY_PLAIN_SERVER), "%s", at->what);
        facts_free(&facts);
        assert_true(session_facts(pair.at[A].session, &facts));
        check_row(!facts.symmetric && facts.decided_by == ROLE_BY_OPTION, "%s", at->what);
        facts_free(&facts);
    } else {
        check_row(pair_state(&pair, A) == SESSION_FAILED, "%s", at->what);
    }
    pair_free(&pair);
}

static void test_plain_peers(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (size_t i = 0; i < COUNT(plain_cases); i++)
            check_plain(&plain_cases[i], versions[version]);
}

/* Plain TLS at both ends works, and two of one kind do not. */
static void test_plain_both(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int roles = 0; roles < 4; roles++) {
            pair_init(&pair);
            pair_plain(&pair.at[A], roles & 1 ? ROLE_CLIENT : ROLE_SERVER);
            pair_plain(&pair.at[B], roles & 2 ? ROLE_CLIENT : ROLE_SERVER);
            pair_version(&pair, versions[version]);
            pair_run(&pair);
            check_row(pair_agrees(&pair) == (roles == 1 || roles == 2), "%d", roles);
            if (roles == 3)
                assert_int_equal(pair.at[A].error.status, STATUS_ROLE);
            pair_free(&pair);
        }
}

/* ---- However it is cut ---- */

static void check_pieces(int ways, bool tls12, bool implicit, size_t piece, uint32_t random)
{
    struct pair pair;

    pair_init(&pair);
    if (tls12)
        pair_version(&pair, versions[1]);
    if (!implicit)
        pair_want(&pair.at[A], ROLE_WANT_PREFER_CLIENT, ways & 1);
    pair.at[A].config.role.active = ways & 1;
    pair.at[B].config.role.active = ways & 2;
    pair.at[A].config.role.implicit = pair.at[B].config.role.implicit = implicit;
    pair.piece = piece;
    pair.random = random;
    pair_run(&pair);
    check_row(pair_agrees(&pair), "pieces of %zu, random %u, active %d, TLS 1.%d%s: %s, %s", piece, random, ways, tls12 ? 2 : 3,
              implicit ? ", implicit" : "", pair.at[A].error.story, pair.at[B].error.story);
    if (!implicit)
        assert_int_equal(pair_with(&pair, ROLE_CLIENT), A);
    pair_send(&pair, A, "hello", 5);
    pair_send(&pair, B, "world", 5);
    check_row(buffer_used(&pair.at[B].received) == 5 && buffer_used(&pair.at[A].received) == 5, "pieces of %zu", piece);
    pair_free(&pair);
}

static void test_every_piece(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 600; piece += piece < 90 ? stride(17) : 23 * stride(10))
        for (int ways = 1; ways < 4; ways++) {
            check_pieces(ways, false, false, piece, 0);
            check_pieces(ways, true, false, piece, 0);
        }
    check_pieces(3, false, true, 1, 0);
    check_pieces(1, true, true, 1, 0);
}

static void test_random_pieces(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 300; i += (uint32_t)stride(30))
        check_pieces((int)(i % 3) + 1, i % 2, i % 5 == 0, 1 + i % 50 * i, i);
}

/* ---- A second hello ---- */

/* This end takes only a group for which the other's hello has no key yet. */
static void demand_another_group(struct pair_end *end)
{
    end->config.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1";
}

static void test_hello_retry_request(void **state)
{
    struct pair pair;
    struct facts facts = {0};

    (void)state;
    for (int ways = 1; ways < 4; ways++)
        for (size_t piece = 0; piece < 3; piece++) {
            pair_init(&pair);
            pair_want(&pair.at[A], ROLE_WANT_CLIENT, ways & 1);
            pair_want(&pair.at[B], ROLE_WANT_SERVER, ways & 2);
            demand_another_group(&pair.at[B]);
            pair.piece = piece;
            pair_run(&pair);
            check_row(pair_agrees(&pair), "active %d, pieces of %zu: %s, %s", ways, piece, pair.at[A].error.story, pair.at[B].error.story);
            assert_true(session_facts(pair.at[B].session, &facts));
            assert_string_equal(facts.group, "SECP384R1");
            assert_string_equal(facts.peer_preference, "!");
            facts_free(&facts);
            pair_free(&pair);
        }
}

/* What the wire does to the last role_preference that A says: the second one after a HelloRetryRequest. */
static void change_second(struct pair_end *from, uint8_t *bytes, size_t length, uint8_t value, size_t at)
{
    static const uint8_t extension[] = {0xff, 0x53, 0, 1, '!'};
    uint8_t *found = memmem(bytes, length, extension, sizeof extension);

    if (found && from->passed > 0)
        found[at] = value;
}

static void another_value(struct pair_end *from, uint8_t *bytes, size_t length)
{
    change_second(from, bytes, length, '#', 4);
}

static void bad_value(struct pair_end *from, uint8_t *bytes, size_t length)
{
    change_second(from, bytes, length, ' ', 4);
}

static void no_value(struct pair_end *from, uint8_t *bytes, size_t length)
{
    change_second(from, bytes, length, 0x54, 1); /* another extension */
}

static void test_second_hello_differs(void **state)
{
    void (*const changes[])(struct pair_end *, uint8_t *, size_t) = {another_value, bad_value, no_value};
    struct pair pair;

    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        pair_init(&pair);
        pair_want(&pair.at[A], ROLE_WANT_CLIENT, true);
        pair_want(&pair.at[B], ROLE_WANT_SERVER, false);
        demand_another_group(&pair.at[B]);
        pair.at[A].change = changes[i];
        pair_run(&pair);
        assert_int_equal(pair_state(&pair, B), SESSION_FAILED);
        assert_int_equal(pair.at[B].error.status, STATUS_TLS);
        assert_int_equal(pair_state(&pair, A), SESSION_FAILED);
        /* It is for this that it is refused, and not for a transcript that differs. */
        assert_true(has(pair.at[A].error.story, "alert 47, illegal_parameter"));
        pair_free(&pair);
    }
}

/* ---- What the hellos hold ---- */

/* The first record that this end said: a ClientHello with our extension, or without. */
static bool says_preference(const struct pair_end *end)
{
    struct hello hello;
    enum hello_result result;

    assert_true(buffer_used(&end->said) > 5);
    result = hello_read(buffer_at(&end->said) + 5, buffer_used(&end->said) - 5, HELLO_EXTENSION_ID, &hello);
    assert_true(result == HELLO_FOUND || result == HELLO_ABSENT);
    if (result == HELLO_FOUND) {
        assert_int_equal(hello.preference_length, end->config.role.ours.length);
        assert_memory_equal(hello.preference, end->config.role.ours.value, hello.preference_length);
    }
    return result == HELLO_FOUND;
}

static bool says(const struct pair_end *end, const void *words, size_t length)
{
    return memmem(buffer_at(&end->said), buffer_used(&end->said), words, length) != NULL;
}

static void test_hello_extension(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int i = 0; i < 4; i++) {
            pair_init(&pair);
            pair.at[A].config.priority = versions[version];
            if (i == 1)
                pair.at[A].config.role.implicit = true;
            if (i == 2)
                pair_plain(&pair.at[A], ROLE_CLIENT);
            if (i == 3)
                pair.at[A].config.role.extension_id = 65280;
            pair.stop_after = 1;
            pair_run(&pair);
            check_row(says_preference(&pair.at[A]) == (i == 0), "%d", i);
            check_row(says(&pair.at[A], "\xff\x00\x00\x20", 4) == (i == 3), "%d", i);
            pair_free(&pair);
        }
}

/* It stays in the hello: a client would refuse it anywhere else, and nobody says it twice. */
static void test_extension_only_in_hellos(void **state)
{
    struct pair pair;
    const uint8_t *first;
    size_t length;

    (void)state;
    pair_init(&pair);
    pair_version(&pair, versions[1]); /* all of it can be read */
    pair_want(&pair.at[A], ROLE_WANT_SERVER, true);
    pair_run(&pair);
    assert_true(pair_agrees(&pair));
    first = memmem(buffer_at(&pair.at[A].said), buffer_used(&pair.at[A].said), "\xff\x53\x00\x20", 4);
    assert_non_null(first);
    length = buffer_used(&pair.at[A].said) - (size_t)(first + 4 - buffer_at(&pair.at[A].said));
    assert_null(memmem(first + 4, length, "\xff\x53", 2));
    pair_free(&pair);
}

static void test_server_name(void **state)
{
    struct pair pair;

    (void)state;
    for (int named = 0; named < 2; named++) {
        pair_init(&pair);
        pair.at[B].config.role.active = false;
        pair.at[A].config.server_name = named ? "peer.example" : NULL;
        pair_run(&pair);
        assert_true(pair_agrees(&pair));
        assert_int_equal(says(&pair.at[A], "peer.example", 12), named);
        assert_false(says(&pair.at[B], "peer.example", 12)); /* nobody told it of any name */
        pair_free(&pair);
    }
}

/* Numbers of extensions that the library has itself cannot be ours. */
static void test_extension_id_taken(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.at[A].config.role.extension_id = 0; /* server_name */
    assert_null(session_new(&pair.at[A].config, 0, &pair.at[A].error));
    assert_int_equal(pair.at[A].error.status, STATUS_LOCAL);
    assert_true(has(pair.at[A].error.story, "--extension-id 0"));
    pair_free(&pair);
}

static void test_bad_priority(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.at[A].config.priority = "NORMAL:+NONSENSE";
    assert_null(session_new(&pair.at[A].config, 0, &pair.at[A].error));
    assert_int_equal(pair.at[A].error.status, STATUS_LOCAL);
    assert_true(has(pair.at[A].error.story, "--priority"));
    assert_true(has(pair.at[A].error.story, "NONSENSE"));
    pair_free(&pair);
}

/* A passive end makes its hello only when it is needed; what is wrong with its options is told then. */
static void test_bad_priority_of_a_listener(void **state)
{
    struct pair pair;

    (void)state;
    pair_init(&pair);
    pair.at[B].config.role.active = false;
    pair.at[B].config.priority = "NONSENSE";
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, B), SESSION_FAILED);
    assert_int_equal(pair.at[B].error.status, STATUS_LOCAL);
    pair_free(&pair);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_roles),
        cmocka_unit_test(test_random_decides),
        cmocka_unit_test(test_both_wait),
        cmocka_unit_test(test_reflected),
        cmocka_unit_test(test_implicit),
        cmocka_unit_test(test_plain_peers),
        cmocka_unit_test(test_plain_both),
        cmocka_unit_test(test_every_piece),
        cmocka_unit_test(test_random_pieces),
        cmocka_unit_test(test_hello_retry_request),
        cmocka_unit_test(test_second_hello_differs),
        cmocka_unit_test(test_hello_extension),
        cmocka_unit_test(test_extension_only_in_hellos),
        cmocka_unit_test(test_server_name),
        cmocka_unit_test(test_extension_id_taken),
        cmocka_unit_test(test_bad_priority),
        cmocka_unit_test(test_bad_priority_of_a_listener),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
