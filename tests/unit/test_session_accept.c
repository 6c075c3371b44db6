/* test_session_accept.c - the verdicts of both ends: who hears of them, how, and when; and what the handshake came to. */
#include "check.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Verdicts ---- */

/* Each end is asked once, and sees the other's certificate. */
static void test_each_sees_the_other(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        pair_init_as(&pair, versions[version]);
        pair.at[A].hold = pair.at[B].hold = true;
        pair_run(&pair);
        assert_int_equal(pair_state(&pair, A), SESSION_VERDICT); /* a server's certificate comes first */
        for (int end = A; end <= B; end++) {
            struct presented chain;
            struct identity *other = end == A ? bob : alice;

            pair.at[end].hold = true;
            pair_run(&pair);
            assert_int_equal(pair_state(&pair, end), SESSION_VERDICT);
            session_presented(pair.at[end].session, &chain);
            assert_int_equal(chain.count, 1);
            assert_true(chain.at[0].size > 100);
            assert_non_null(identity_pin(other, 0));
            pair.at[end].hold = false;
            pair_run(&pair);
        }
        assert_true(pair_agrees(&pair));
        assert_int_equal(pair.at[A].verdicts + pair.at[B].verdicts, 2);
        pair_free(&pair);
    }
}

struct refusal {
    int alert;
    enum status status; /* at the end that is refused */
    const char *story;
};

static const struct refusal refusals[] = {
    {ALERT_CERTIFICATE_UNKNOWN, STATUS_REFUSED, "alert 46, certificate_unknown"},
    {ALERT_BAD_CERTIFICATE, STATUS_REFUSED, "alert 42, bad_certificate"},
    {ALERT_UNKNOWN_CA, STATUS_REFUSED, "alert 48, unknown_ca"},
    {ALERT_CERTIFICATE_EXPIRED, STATUS_REFUSED, "alert 45, certificate_expired"},
    {ALERT_ACCESS_DENIED, STATUS_REFUSED, "alert 49, access_denied"},
    {ALERT_HANDSHAKE_FAILURE, STATUS_TLS, "alert 40, handshake_failure"},
    {ALERT_INTERNAL_ERROR, STATUS_TLS, "alert 80, internal_error"},
    {ALERT_USER_CANCELED, STATUS_TLS, "alert 90, user_canceled"},
};

static void check_refusal(const struct refusal *at, int who, const char *version)
{
    struct pair pair;

    pair_init_as(&pair, version);
    pair.at[who].refuse = at->alert;
    pair_run(&pair);
    check_row(pair_state(&pair, A) == SESSION_FAILED && pair_state(&pair, B) == SESSION_FAILED, "%s, by %d", at->story, who);
    check_row(pair.at[!who].error.status == at->status, "%s, by %d: %s", at->story, who, pair.at[!who].error.story);
    check_row(strstr(pair.at[!who].error.story, at->story), "%s: %s", at->story, pair.at[!who].error.story);
    if (at->status == STATUS_REFUSED) /* and what it can do about it */
        assert_true(has(pair.at[!who].error.story, identity_pin(who == A ? bob : alice, 0)));
    check_row(pair.at[who].error.status == STATUS_UNKNOWN, "%s", at->story);
    check_row(!session_is_accepted(pair.at[!who].session), "%s, by %d", at->story, who);
    pair_free(&pair);
}

static void test_refusals(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (size_t i = 0; i < COUNT(refusals); i++)
            for (int who = A; who <= B; who++)
                check_refusal(&refusals[i], who, versions[version]);
}

/* A TLS 1.3 client may have sent data by the time it hears that it is refused; none comes out at the other end. */
static void test_refused_with_data_under_way(void **state)
{
    struct pair pair;

    (void)state;
    pair_init_as(&pair, NULL);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, A), SESSION_OPEN);
    assert_int_equal(pair_state(&pair, B), SESSION_VERDICT);
    assert_false(session_is_accepted(pair.at[A].session));
    assert_int_equal(session_send(pair.at[A].session, (const uint8_t *)"secret", 6), 6);
    pair.at[B].hold = false;
    pair.at[B].refuse = ALERT_CERTIFICATE_UNKNOWN;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, A), SESSION_FAILED);
    assert_int_equal(pair.at[A].error.status, STATUS_REFUSED);
    assert_int_equal(buffer_used(&pair.at[B].received), 0);
    assert_false(session_is_accepted(pair.at[A].session));
    pair_free(&pair);
}

/* ---- Without an identity ---- */

static void test_no_identity(void **state)
{
    struct pair pair;
    struct presented chain;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int accept = 0; accept < 2; accept++) {
            pair_init_as(&pair, versions[version]);
            pair.at[A].config.identity = nobody;
            pair_want(&pair.at[A], ROLE_WANT_CLIENT, true);
            pair.at[B].hold = true;
            pair_run(&pair);
            assert_int_equal(pair_state(&pair, B), SESSION_VERDICT);
            session_presented(pair.at[B].session, &chain);
            assert_int_equal(chain.count, 0);
            pair.at[B].hold = false;
            pair.at[B].refuse = accept ? 0 : ALERT_CERTIFICATE_REQUIRED;
            pair_run(&pair);
            assert_int_equal(pair_agrees(&pair), accept);
            if (!accept) {
                assert_int_equal(pair.at[A].error.status, STATUS_REFUSED);
                assert_true(has(pair.at[A].error.story, "we did not show who we are"));
                /* TLS 1.2 has no such alert (RFC 5246 section 7.4.6) */
                assert_true(has(pair.at[A].error.story, version ? "alert 40," : "alert 116, certificate_required"));
            }
            pair_free(&pair);
        }
}

/* A server that does not ask sees nobody, and is asked for its verdict all the same. */
static void test_server_that_does_not_ask(void **state)
{
    struct pair pair;
    struct presented chain;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        pair_init_as(&pair, versions[version]);
        pair.at[B].config.ask_identity = false;
        pair.at[B].hold = true;
        pair_run(&pair);
        assert_int_equal(pair_state(&pair, B), SESSION_VERDICT);
        session_presented(pair.at[B].session, &chain);
        assert_int_equal(chain.count, 0);
        pair.at[B].hold = false;
        pair_run(&pair);
        assert_true(pair_agrees(&pair));
        assert_int_equal(pair.at[B].verdicts, 1);
        assert_true(session_is_accepted(pair.at[A].session));
        pair_free(&pair);
    }
}

/* ---- Hearing that we are accepted ---- */

/* The server says nothing but what tells it: the TLS 1.3 client is accepted when that has come, and not before. */
static void test_accepted_by_a_symmetric_server(void **state)
{
    struct pair pair;
    size_t before;

    (void)state;
    pair_init_as(&pair, NULL);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, A), SESSION_OPEN);
    assert_false(session_is_accepted(pair.at[A].session));
    before = buffer_used(&pair.at[B].said);
    pair.at[B].hold = false;
    pair_run(&pair);
    assert_true(session_is_accepted(pair.at[B].session));
    assert_true(session_is_accepted(pair.at[A].session));
    assert_int_equal(buffer_used(&pair.at[B].said) - before, 5 + 5 + 1 + 16); /* a KeyUpdate and nothing else */
    pair_free(&pair);
}

/* In TLS 1.2 the Finished of each end says so. */
static void test_accepted_in_tls12(void **state)
{
    struct pair pair;

    (void)state;
    pair_init_as(&pair, versions[1]);
    pair.at[B].hold = true;
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, A), SESSION_HANDSHAKE);
    assert_false(session_is_accepted(pair.at[A].session));
    pair.at[B].hold = false;
    pair_run(&pair);
    assert_true(session_is_accepted(pair.at[A].session) && session_is_accepted(pair.at[B].session));
    pair_free(&pair);
}

/* A plain client gets no byte behind the handshake that it may leave unread when it closes. */
static void test_a_plain_client_gets_nothing_more(void **state)
{
    struct pair pair;
    size_t before;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        pair_init(&pair);
        pair_plain(&pair.at[A], ROLE_CLIENT);
        pair.at[B].config.role.active = false;
        pair_version(&pair, versions[version]);
        pair.at[B].hold = true;
        pair_run(&pair);
        before = buffer_used(&pair.at[B].said);
        pair.at[B].hold = false;
        pair_run(&pair);
        assert_true(pair_agrees(&pair));
        assert_true(session_is_accepted(pair.at[B].session));
        if (version == 0) {
            assert_int_equal(buffer_used(&pair.at[B].said), before);
            assert_false(session_is_accepted(pair.at[A].session)); /* it cannot know */
        }
        before = buffer_used(&pair.at[B].said);
        pair_run(&pair);
        assert_int_equal(buffer_used(&pair.at[B].said), before);
        pair_send(&pair, B, "data", 4);
        assert_true(session_is_accepted(pair.at[A].session)); /* now it does */
        pair_free(&pair);
    }
}

/* A TLS 1.3 client of a plain server: data or close_notify says that it is accepted, or that nobody asked who it is. */
static void check_plain_server(bool asks, bool closes)
{
    struct pair pair;

    pair_init(&pair);
    pair_plain(&pair.at[B], ROLE_SERVER);
    pair.at[B].config.ask_identity = asks;
    pair_run(&pair);
    assert_true(pair_agrees(&pair));
    assert_int_equal(session_is_accepted(pair.at[A].session), !asks);
    if (closes)
        session_close(pair.at[B].session);
    else
        session_send(pair.at[B].session, (const uint8_t *)"welcome", 7);
    pair_run(&pair);
    assert_true(session_is_accepted(pair.at[A].session));
    pair_free(&pair);
}

static void test_accepted_by_a_plain_server(void **state)
{
    (void)state;
    check_plain_server(true, false);
    check_plain_server(true, true);
    check_plain_server(false, false);
}

/* ---- ALPN ---- */

struct alpn_case {
    const char *a[3], *b[3];
    const char *chosen; /* NULL: nothing in common */
};

static const struct alpn_case alpn_cases[] = {
    {{"one"}, {"one"}, "one"},           {{"one", "two"}, {"two", "three"}, "two"}, {{"one"}, {NULL}, ""},
    {{NULL}, {"one"}, ""},               {{NULL}, {NULL}, ""},                      {{"one"}, {"two"}, NULL},
    {{"x\x1by"}, {"x\x1by"}, "x\\x1by"}, {{"a"}, {"b", "a"}, "a"},
};

static size_t count_of(const char *const *list)
{
    size_t count = 0;

    while (count < 3 && list[count])
        count++;
    return count;
}

static void check_alpn(const struct alpn_case *at, const char *version, int client)
{
    struct pair pair;
    struct facts facts = {0};

    pair_init_as(&pair, version);
    if (client == B) {
        pair_want(&pair.at[A], ROLE_WANT_SERVER, true);
        pair_want(&pair.at[B], ROLE_WANT_CLIENT, true);
    }
    pair.at[A].config.alpn = at->a;
    pair.at[A].config.alpn_count = count_of(at->a);
    pair.at[B].config.alpn = at->b;
    pair.at[B].config.alpn_count = count_of(at->b);
    pair_run(&pair);
    check_row(pair_agrees(&pair) == (at->chosen != NULL), "%s and %s: %s", at->a[0], at->b[0], pair.at[A].error.story);
    for (int end = A; end <= B; end++)
        if (at->chosen) {
            assert_true(session_facts(pair.at[end].session, &facts));
            assert_string_equal(facts.alpn, at->chosen);
            facts_free(&facts);
        } else {
            assert_int_equal(pair.at[end].error.status, STATUS_TLS);
            assert_true(has(pair.at[end].error.story, "--alpn"));
        }
    pair_free(&pair);
}

static void test_alpn(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (size_t i = 0; i < COUNT(alpn_cases); i++)
            for (int client = A; client <= B; client++)
                check_alpn(&alpn_cases[i], versions[version], client);
}

/* ---- No common ground ---- */

static void test_no_common_version(void **state)
{
    struct pair pair;

    (void)state;
    for (int client = A; client <= B; client++) {
        pair_init_as(&pair, NULL);
        pair.at[client].config.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
        pair.at[!client].config.priority = versions[1];
        pair_run(&pair);
        for (int end = A; end <= B; end++) {
            assert_int_equal(pair_state(&pair, end), SESSION_FAILED);
            assert_int_equal(pair.at[end].error.status, STATUS_TLS);
            assert_true(has(pair.at[end].error.story, "in common")); /* the library may call it ciphers */
        }
        pair_free(&pair);
    }
}

static void test_no_common_cipher(void **state)
{
    struct pair pair;

    (void)state;
    pair_init_as(&pair, NULL);
    pair.at[A].config.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM";
    pair.at[B].config.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM";
    pair_run(&pair);
    for (int end = A; end <= B; end++) {
        assert_int_equal(pair_state(&pair, end), SESSION_FAILED);
        assert_int_equal(pair.at[end].error.status, STATUS_TLS);
        assert_true(has(pair.at[end].error.story, "cipher"));
    }
    pair_free(&pair);
}

/* ---- Facts ---- */

static void test_facts(void **state)
{
    struct pair pair;
    struct facts facts[2] = {{.role = ROLE_UNDECIDED}};

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        pair_open(&pair, versions[version]);
        for (int end = A; end <= B; end++) {
            struct facts *at = &facts[end];

            assert_true(session_facts(pair.at[end].session, at));
            assert_int_equal(at->role, end == A ? ROLE_CLIENT : ROLE_SERVER);
            assert_true(at->symmetric);
            assert_int_equal(at->decided_by, ROLE_BY_EXTENSION);
            assert_string_equal(at->version, version ? "TLS1.2" : "TLS1.3");
            assert_string_equal(at->cipher, "AES-256-GCM");
            assert_true(strlen(at->group) > 4);
            assert_string_equal(at->signature, version ? "ECDSA-SHA256" : "ECDSA-SECP256R1-SHA256");
            assert_string_equal(at->alpn, "");
            assert_false(at->resumed);
            assert_string_equal(at->our_pin, identity_pin(end == A ? alice : bob, 0));
        }
        assert_int_equal(facts[A].our_preference[0], '"');
        assert_string_equal(facts[A].our_preference, facts[B].peer_preference);
        assert_string_equal(facts[B].our_preference, facts[A].peer_preference);
        assert_int_equal(strlen(facts[A].our_preference), 32);
        facts_free(&facts[A]);
        facts_free(&facts[B]);
        pair_free(&pair);
    }
}

/* A plain peer has no preference; ours was said to a server, and kept from a client. */
static void test_facts_of_plain(void **state)
{
    struct pair pair;
    struct facts facts = {0};

    (void)state;
    for (int role = ROLE_CLIENT; role <= ROLE_SERVER; role++) {
        pair_init(&pair);
        pair_plain(&pair.at[A], (enum role)role);
        pair.at[B].config.role.active = role == ROLE_SERVER;
        pair_run(&pair);
        assert_true(pair_agrees(&pair));
        assert_true(session_facts(pair.at[B].session, &facts));
        assert_false(facts.symmetric);
        assert_string_equal(facts.peer_preference, "");
        assert_int_equal(*facts.our_preference != '\0', role == ROLE_SERVER);
        facts_free(&facts);
        assert_true(session_facts(pair.at[A].session, &facts));
        assert_string_equal(facts.our_preference, "");
        facts_free(&facts);
        pair_free(&pair);
    }
}

static char *export_of(const char *label, size_t length, const char *context, const char *version)
{
    struct pair pair;
    struct facts facts = {0};
    char *hex;

    pair_init_as(&pair, version);
    for (int end = A; end <= B; end++) {
        pair.at[end].config.export_label = label;
        pair.at[end].config.export_length = length;
        pair.at[end].config.export_context = context;
    }
    pair_run(&pair);
    assert_true(pair_agrees(&pair)); /* it is the same at both ends */
    assert_true(session_facts(pair.at[A].session, &facts));
    hex = strdup(facts.export_hex);
    facts_free(&facts);
    pair_free(&pair);
    return hex;
}

static void test_export(void **state)
{
    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        char *one = export_of("EXPORTER-test", 1, NULL, versions[version]);
        char *other = export_of("EXPORTER-test", 100, "context", versions[version]);

        assert_int_equal(strlen(one), 2);
        assert_int_equal(strlen(other), 200);
        assert_int_equal(strspn(other, "0123456789abcdef"), 200);
        free(one);
        free(other);
    }
}

/* Label and context count: with another of either the ends do not export the same. */
static void test_export_differs(void **state)
{
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++)
        for (int i = 0; i < 2; i++) {
            pair_open(&pair, versions[version]);
            if (i)
                pair.at[B].config.export_label = "EXPORTER-other";
            else
                pair.at[B].config.export_context = "context";
            assert_false(pair_agrees(&pair));
            pair_free(&pair);
        }
}

static void test_no_export(void **state)
{
    struct pair pair;
    struct facts facts = {0};

    (void)state;
    pair_open(&pair, NULL);
    pair.at[A].config.export_label = NULL;
    assert_true(session_facts(pair.at[A].session, &facts));
    assert_null(facts.export_hex);
    facts_free(&facts);
    pair_free(&pair);
}

/* ---- The key log ---- */

/* LABEL, the client's Random, the secret; in hexadecimal. */
static void check_keylog_line(char *line, const uint8_t *client_random)
{
    char *label = strtok(line, " "), *random = strtok(NULL, " "), *secret = strtok(NULL, " ");
    char digits[3];

    assert_true(label && random && secret);
    assert_null(strtok(NULL, " "));
    assert_int_equal(strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"), strlen(label));
    assert_int_equal(strlen(random), 64);
    for (size_t i = 0; i < 32; i++) {
        snprintf(digits, sizeof digits, "%02x", client_random[i]);
        assert_memory_equal(digits, random + 2 * i, 2);
    }
    assert_int_equal(strspn(secret, "0123456789abcdef"), strlen(secret));
    assert_true(strlen(secret) == 64 || strlen(secret) == 96);
}

static void test_keylog(void **state)
{
    static const char *const labels[2][4] = {
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "},
        {"CLIENT_RANDOM "},
    };
    struct pair pair;

    (void)state;
    for (size_t version = 0; version < COUNT(versions); version++) {
        char *text[2];

        pair_init_as(&pair, versions[version]);
        for (int end = A; end <= B; end++)
            pair.at[end].config.keylog = memfd_create("keylog", MFD_CLOEXEC);
        pair_run(&pair);
        assert_true(pair_agrees(&pair));
        for (int end = A; end <= B; end++)
            text[end] = fd_get(pair.at[end].config.keylog);
        assert_string_equal(text[A], text[B]); /* one session, one set of secrets, and none of a hello that was struck */
        for (size_t i = 0; i < 4 && labels[version][i]; i++)
            assert_true(has(text[A], labels[version][i]));
        for (char *rest = text[A], *line; (line = strsep(&rest, "\n")) && rest;)
            check_keylog_line(line, buffer_at(&pair.at[A].said) + 5 + 4 + 2);
        for (int end = A; end <= B; end++) {
            close(pair.at[end].config.keylog);
            free(text[end]);
        }
        pair_free(&pair);
    }
}

/* A key log that cannot be written ends the session: whoever asked for it relies on it. */
static void test_keylog_full(void **state)
{
    struct pair pair;

    (void)state;
    pair_init_as(&pair, NULL);
    pair.at[B].config.keylog = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(pair.at[B].config.keylog >= 0);
    pair_run(&pair);
    assert_int_equal(pair_state(&pair, B), SESSION_FAILED);
    assert_int_equal(pair.at[B].error.status, STATUS_LOCAL);
    assert_true(has(pair.at[B].error.story, "cannot write the key log"));
    assert_false(pair_state(&pair, A) == SESSION_OPEN);
    close(pair.at[B].config.keylog);
    pair_free(&pair);
}

/* ---- Errors move ---- */

static void test_tell_to(void **state)
{
    struct pair pair;
    struct error other = {0};

    (void)state;
    pair_init_as(&pair, NULL);
    pair.at[B].hold = true;
    pair_run(&pair);
    session_tell_to(pair.at[A].session, &other);
    assert_int_equal(other.status, STATUS_OK);
    pair.at[B].hold = false;
    pair.at[B].refuse = ALERT_UNKNOWN_CA;
    pair_run(&pair);
    assert_int_equal(other.status, STATUS_REFUSED);
    assert_int_equal(pair.at[A].error.status, STATUS_OK);
    session_tell_to(pair.at[A].session, &pair.at[A].error); /* what was told is taken along */
    assert_int_equal(pair.at[A].error.status, STATUS_REFUSED);
    pair_free(&pair);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sees_the_other),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refused_with_data_under_way),
        cmocka_unit_test(test_no_identity),
        cmocka_unit_test(test_server_that_does_not_ask),
        cmocka_unit_test(test_accepted_by_a_symmetric_server),
        cmocka_unit_test(test_accepted_in_tls12),
        cmocka_unit_test(test_a_plain_client_gets_nothing_more),
        cmocka_unit_test(test_accepted_by_a_plain_server),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_no_common_version),
        cmocka_unit_test(test_no_common_cipher),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_facts_of_plain),
        cmocka_unit_test(test_export),
        cmocka_unit_test(test_export_differs),
        cmocka_unit_test(test_no_export),
        cmocka_unit_test(test_keylog),
        cmocka_unit_test(test_keylog_full),
        cmocka_unit_test(test_tell_to),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
