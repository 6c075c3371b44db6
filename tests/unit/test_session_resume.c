/* test_session_resume.c - going on from an earlier session: who may, who is judged when, and what becomes of it if not. */
#include "check.h"
#include "ends.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t ticket_key[SESSION_TICKET_KEY_SIZE];

/* ---- A, the client, gets a ticket of B ---- */

static void want_tickets(struct pair *pair, const char *version)
{
    pair_init_as(pair, version);
    pair->at[A].config.keep_tickets = true;
    pair->at[B].config.ticket_key = ticket_key;
}

static void take_ticket(struct pair *pair, struct session_ticket *ticket)
{
    check_row(pair_agrees(pair), "%s, %s", pair->at[A].error.story, pair->at[B].error.story);
    memset(ticket, 0, sizeof *ticket);
    assert_true(session_take_ticket(pair->at[A].session, ticket));
    assert_true(buffer_used(&ticket->data) > 0);
    assert_false(session_take_ticket(pair->at[A].session, ticket));
}

static void get_ticket(struct session_ticket *ticket, const char *version)
{
    struct pair pair;

    want_tickets(&pair, version);
    pair_run(&pair);
    take_ticket(&pair, ticket);
    pair_free(&pair);
}

static bool is_resumed(struct pair *pair)
{
    struct facts facts[2] = {{.role = ROLE_UNDECIDED}};

    for (int end = A; end <= B; end++) {
        assert_true(session_facts(pair->at[end].session, &facts[end]));
        assert_int_equal(facts[end].resumed, session_is_resumed(pair->at[end].session));
        facts_free(&facts[end]);
    }
    assert_int_equal(facts[A].resumed, facts[B].resumed);
    return session_is_resumed(pair->at[A].session);
}

static void resume(struct pair *pair, const struct session_ticket *ticket, const char *version)
{
    want_tickets(pair, version);
    pair->at[A].config.resume = ticket;
}

/* Both ends are asked about the other once more, and it is the same other. */
static void test_goes_on(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        struct session_ticket ticket;
        struct pair pair;

        get_ticket(&ticket, versions[version]);
        assert_int_equal(ticket.seconds, 24 * 60 * 60);
        assert_string_equal(ticket.our_pin, identity_pin(alice, 0));
        resume(&pair, &ticket, versions[version]);
        pair_run(&pair);
        check_row(pair_agrees(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
        check_row(is_resumed(&pair), "version %zu", version);
        assert_int_equal(pair.at[A].verdicts, 1);
        assert_int_equal(pair.at[B].verdicts, 1);
        for (int end = A; end <= B; end++) {
            struct presented presented;
            struct facts facts = {.role = ROLE_UNDECIDED};

            session_presented(pair.at[end].session, &presented);
            assert_int_equal(presented.kind, PRESENTED_X509);
            assert_int_equal(presented.count, 1);
            assert_true(session_facts(pair.at[end].session, &facts));
            assert_string_equal(facts.our_pin, identity_pin(end == A ? alice : bob, 0));
            assert_string_equal(facts.signature, ""); /* nobody signed anything */
            facts_free(&facts);
            assert_true(session_is_accepted(pair.at[end].session));
            pair_send(&pair, end, "data", 4);
            assert_int_equal(buffer_used(&pair.at[!end].received), 4);
        }
        pair_free(&pair);
        session_ticket_free(&ticket);
    }
}

/* ---- The verdict is asked for before it is too late ---- */

/* In TLS 1.3 a server's word is its ticket or KeyUpdate, in TLS 1.2 its Finished; a client's is its Finished. Until it is asked neither
 * says that; but a TLS 1.3 client has judged its ticket before. */
static void test_is_held(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int end = A; end <= B; end++) {
            struct session_ticket ticket;
            struct presented presented;
            struct pair pair;

            get_ticket(&ticket, versions[version]);
            resume(&pair, &ticket, versions[version]);
            pair.at[end].hold = true;
            pair_run(&pair);
            assert_int_equal(pair_state(&pair, end), SESSION_VERDICT);
            assert_true(session_is_resumed(pair.at[end].session));
            if (versions[version])
                check_row(pair_state(&pair, !end) == SESSION_HANDSHAKE, "%d: %d", end, pair_state(&pair, !end));
            else if (end == B)
                assert_false(session_is_accepted(pair.at[A].session));
            session_presented(pair.at[end].session, &presented);
            assert_int_equal(presented.kind, PRESENTED_X509);
            assert_int_equal(presented.count, 1);
            pair.at[end].hold = false;
            pair_run(&pair);
            check_row(pair_agrees(&pair) && is_resumed(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
            pair_free(&pair);
            session_ticket_free(&ticket);
        }
}

static void test_is_refused(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int end = A; end <= B; end++) {
            struct session_ticket ticket;
            struct pair pair;

            get_ticket(&ticket, versions[version]);
            resume(&pair, &ticket, versions[version]);
            pair.at[end].refuse = ALERT_CERTIFICATE_UNKNOWN;
            pair_run(&pair);
            assert_int_equal(pair_state(&pair, A), SESSION_FAILED);
            assert_int_equal(pair_state(&pair, B), SESSION_FAILED);
            check_row(pair.at[!end].error.status == STATUS_REFUSED && has(pair.at[!end].error.story, "certificate_unknown"),
                      "version %zu, by %d: %s", version, end, pair.at[!end].error.story);
            if (versions[version] || end == B)
                assert_false(session_is_accepted(pair.at[!end].session));
            pair_free(&pair);
            session_ticket_free(&ticket);
        }
}

/* The server does not go on from that, but looks at the client again; it is not seen on the wire that it had a choice. */
static void test_is_declined(void **state)
{
    struct session_ticket ticket;
    struct pair pair;

    (void)state;
    get_ticket(&ticket, versions[1]);
    resume(&pair, &ticket, versions[1]);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, B), SESSION_VERDICT);
    assert_true(session_decline_resumption(pair.at[B].session));
    assert_false(session_decline_resumption(pair.at[B].session));
    pair.at[B].hold = false;
    pair_run(&pair);
    check_row(pair_agrees(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
    assert_false(is_resumed(&pair));
    assert_int_equal(pair.at[A].verdicts, 1);
    assert_int_equal(pair.at[B].verdicts, 1);
    pair_free(&pair);
    session_ticket_free(&ticket);
}

/* A client cannot: its hello is out. Nor can who is asked about a fresh certificate, nor in TLS 1.3, where it is too late. */
static void test_cannot_decline(void **state)
{
    struct session_ticket ticket;
    struct pair pair;

    (void)state;
    get_ticket(&ticket, NULL);
    resume(&pair, &ticket, NULL);
    pair.at[A].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, A), SESSION_VERDICT);
    assert_false(session_decline_resumption(pair.at[A].session));
    pair_free(&pair);
    resume(&pair, &ticket, NULL);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, B), SESSION_VERDICT);
    assert_true(session_is_resumed(pair.at[B].session));
    assert_false(session_decline_resumption(pair.at[B].session));
    pair_free(&pair);
    session_ticket_free(&ticket);
    want_tickets(&pair, NULL);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, B), SESSION_VERDICT);
    assert_false(session_decline_resumption(pair.at[B].session));
    pair_free(&pair);
}

/* ---- Nothing to go on from ---- */

/* Every one of these is a full handshake, and nobody hears of it. */
static void test_begins_anew(void **state)
{
    enum change { OTHER_KEY, NO_KEY, OTHER_CLIENT, OTHER_SERVER, GARBAGE, EMPTY, CHANGES };
    static uint8_t other_key[SESSION_TICKET_KEY_SIZE];

    (void)state;
    assert_true(session_make_ticket_key(other_key));
    for (size_t version = 0; version < COUNT(versions); version++)
        for (enum change change = 0; change < CHANGES; change++) {
            struct session_ticket ticket, none = {.seconds = 1}, garbage = {.seconds = 1};
            struct pair pair;

            get_ticket(&ticket, versions[version]);
            resume(&pair, &ticket, versions[version]);
            assert_true(buffer_append(&garbage.data, "garbage that is no session", 26));
            switch (change) {
            case OTHER_KEY:
                pair.at[B].config.ticket_key = other_key;
                break;
            case NO_KEY:
                pair.at[B].config.ticket_key = NULL;
                break;
            case OTHER_CLIENT: /* the caller looks at session_context() */
                pair.at[A].config.resume = NULL;
                pair.at[A].config.identity = nobody;
                pair_want(&pair.at[A], ROLE_WANT_CLIENT, true);
                break;
            case OTHER_SERVER:
                pair.at[B].config.identity = alice;
                break;
            case GARBAGE:
                pair.at[A].config.resume = &garbage;
                break;
            default:
                pair.at[A].config.resume = &none;
                break;
            }
            pair_run(&pair);
            check_row(pair_agrees(&pair) && !is_resumed(&pair), "version %zu, change %d: %s, %s", version, change,
                      pair.at[A].error.story, pair.at[B].error.story);
            pair_free(&pair);
            session_ticket_free(&ticket);
            session_ticket_free(&garbage);
        }
}

/* The hello with the ticket was struck: it does no harm, and in TLS 1.2 and 1.3 the other end's counts. */
static void test_struck(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        struct session_ticket ticket;
        struct pair pair;

        get_ticket(&ticket, versions[version]);
        resume(&pair, &ticket, versions[version]);
        pair_want(&pair.at[A], ROLE_WANT_PREFER_SERVER, true);
        pair_run(&pair);
        check_row(pair_agrees(&pair) && !is_resumed(&pair), "%s, %s", pair.at[A].error.story, pair.at[B].error.story);
        assert_int_equal(pair_with(&pair, ROLE_CLIENT), B);
        pair_free(&pair);
        session_ticket_free(&ticket);
    }
}

/* ---- Who gets tickets ---- */

/* Nobody does who did not ask for them; a symmetric client hears that it is accepted all the same. */
static void test_no_tickets(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++)
        for (size_t version = 0; version < COUNT(versions); version++) {
            struct session_ticket ticket = {.seconds = 0};
            struct pair pair;

            want_tickets(&pair, versions[version]);
            if (which & 1)
                pair.at[A].config.keep_tickets = false;
            if (which & 2)
                pair.at[B].config.ticket_key = NULL;
            pair_run(&pair);
            assert_true(pair_agrees(&pair));
            assert_true(session_is_accepted(pair.at[A].session));
            assert_int_equal(session_take_ticket(pair.at[A].session, &ticket), which == 0);
            assert_false(session_take_ticket(pair.at[B].session, &ticket));
            session_ticket_free(&ticket);
            pair_free(&pair);
        }
}

/* A TLS 1.3 server that refuses us sends no ticket, which would look like a word for us. */
static void test_no_ticket_for_the_refused(void **state)
{
    struct session_ticket ticket = {.seconds = 0};
    struct pair pair;

    (void)state;
    want_tickets(&pair, NULL);
    pair.at[B].refuse = ALERT_ACCESS_DENIED;
    pair_run(&pair);
    assert_false(session_is_accepted(pair.at[A].session));
    assert_false(session_take_ticket(pair.at[A].session, &ticket));
    pair_free(&pair);
}

/* Before TLS 1.3 a session without an extended master secret is not tied to its handshake (RFC 7627). */
static void test_no_master_secret(void **state)
{
    struct session_ticket ticket = {.seconds = 0};
    struct pair pair;

    (void)state;
    want_tickets(&pair, "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH");
    pair.at[A].config.export_label = pair.at[B].config.export_label = NULL;
    pair_run(&pair);
    assert_true(pair_is_open(&pair));
    assert_false(session_take_ticket(pair.at[A].session, &ticket));
    pair_free(&pair);
}

/* ---- What there has to be in common ---- */

static void test_context(void **state)
{
    static const char *const one[] = {"one"}, *const two[] = {"one", "two"}, *const joined[] = {"onetwo"};
    const struct session_config configs[] = {
        {.identity = alice},
        {.identity = bob},
        {.identity = nobody},
        {.identity = alice, .datagrams = true},
        {.identity = alice, .ask_identity = true},
        {.identity = alice, .server_name = "one"},
        {.identity = alice, .server_name = ""},
        {.identity = alice, .priority = "one"},
        {.identity = alice, .peers = one, .peer_count = 1},
        {.identity = alice, .peers = two, .peer_count = 2},
        {.identity = alice, .peers = joined, .peer_count = 1},
    };
    uint8_t contexts[COUNT(configs)][SESSION_CONTEXT_SIZE], again[SESSION_CONTEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(configs); i++) {
        assert_true(session_context(&configs[i], contexts[i]));
        assert_true(session_context(&configs[i], again));
        assert_memory_equal(contexts[i], again, sizeof again);
        for (size_t j = 0; j < i; j++)
            check_row(memcmp(contexts[i], contexts[j], sizeof again) != 0, "%zu and %zu", i, j);
    }
}

static int setup(void **state)
{
    return session_make_ticket_key(ticket_key) ? pair_setup(state) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_is_held),
        cmocka_unit_test(test_is_refused),
        cmocka_unit_test(test_is_declined),
        cmocka_unit_test(test_cannot_decline),
        cmocka_unit_test(test_begins_anew),
        cmocka_unit_test(test_struck),
        cmocka_unit_test(test_no_tickets),
        cmocka_unit_test(test_no_ticket_for_the_refused),
        cmocka_unit_test(test_no_master_secret),
        cmocka_unit_test(test_context),
    };

    return cmocka_run_group_tests(tests, setup, pair_teardown);
}
