/* test_session_psk.c - two sessions with keys that they share, in either role and each version: the right key, another
 * one, a name that nobody knows, and one's own name. */
#include "check.h"
#include "datagrams.h"
#include "helpers.h"
#include "pair.h"
#include "role_alert.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define K1 "000102030405060708090a0b0c0d0e0f"
#define K2 "101112131415161718191a1b1c1d1e1f"
#define K3 "202122232425262728292a2b2c2d2e2f"

enum { TLS13, TLS12, DTLS12, VERSIONS };

static const char *const version_names[] = {"TLS 1.3", "TLS 1.2", "DTLS 1.2"};
static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL};

enum { STEP_MS = 5, ROUNDS_MAX = 200000 }; /* the library has a clock of its own, and it is real */

/* A is alice and becomes the client, B is bob and becomes the server. */
struct ends {
    struct pair pair;
    struct psk *psk[2];
    struct psk_config config[2];
    int64_t now;
    unsigned loss; /* percent */
    uint32_t chance;
    bool split;      /* each of A's records comes in a datagram of its own, or does not come */
    unsigned forged; /* so many of them have one in front of them that nobody can decrypt */
};

static void prepare(struct ends *ends, int version, const char *file_a, const char *file_b)
{
    static const char *const names[] = {"alice", "bob"}, *const files[] = {"a.psk", "b.psk"};

    memset(ends, 0, sizeof *ends);
    ends->chance = 3;
    pair_init(&ends->pair);
    pair_want(&ends->pair.at[A], ROLE_WANT_PREFER_CLIENT, true);
    for (int i = A; i <= B; i++) {
        struct session_config *config = &ends->pair.at[i].config;

        file_put(scratch_path(files[i]), i == A ? file_a : file_b, 0600);
        ends->config[i] = (struct psk_config){.path = scratch_path(files[i]), .our_name = names[i]};
        config->identity = nobody;
        config->priority = priorities[version];
        config->datagrams = version == DTLS12;
        config->mtu = 1232;
        config->first_repeat_ms = 50;
    }
}

static void free_ends(struct ends *ends)
{
    pair_free(&ends->pair);
    for (int i = A; i <= B; i++)
        psk_free(ends->psk[i]);
}

/* ---- Datagrams ---- */

static void hand_over(struct ends *ends, int from, const uint8_t *bytes, size_t length)
{
    static const uint8_t forged[] = {22, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                                     1,  2,   3,   4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3,
                                     4,  5,   6,   7, 8, 9, 0};
    struct session *to = ends->pair.at[!from].session;

    if (from == A && ends->forged && session_role(ends->pair.at[A].session) == ROLE_CLIENT) {
        ends->forged--;
        session_feed(to, forged, sizeof forged);
        session_advance(to);
    }
    if (next_random(&ends->chance) % 100 >= ends->loss)
        session_feed(to, bytes, length);
    session_advance(to);
}

static void deliver(struct ends *ends, int from)
{
    struct pair_end *sender = &ends->pair.at[from];
    const uint8_t *bytes;
    uint8_t copy[DATAGRAM_MAX];
    size_t length, piece;

    while ((bytes = session_output(sender->session, &length))) {
        memcpy(copy, bytes, length);
        assert_true(buffer_append(&sender->said, bytes, length));
        session_sent(sender->session, length);
        for (size_t at = 0; at < length; at += piece) {
            piece = from == A && ends->split ? 13 + (size_t)(copy[at + 11] << 8 | copy[at + 12]) : length;
            hand_over(ends, from, copy + at, piece);
        }
    }
}

static bool has_ended(const struct pair *pair, int end)
{
    return pair_state(pair, end) == SESSION_FAILED || pair_state(pair, end) == SESSION_OPEN;
}

static void run_datagrams(struct ends *ends)
{
    struct pair *pair = &ends->pair;

    for (int i = A; i <= B; i++)
        pair->at[i].session = session_new(&pair->at[i].config, ends->now, &pair->at[i].error);
    for (unsigned round = 0; round < ROUNDS_MAX && !(has_ended(pair, A) && has_ended(pair, B)); round++) {
        for (int i = A; i <= B; i++) {
            struct session *session = pair->at[i].session;

            session_time(session, ends->now);
            if (session_advance(session) == SESSION_VERDICT) {
                pair->at[i].verdicts++;
                session_accept(session);
                session_advance(session);
            }
            session_receive(session, (uint8_t[SESSION_RECORD_MAX]){0}, SESSION_RECORD_MAX); /* it also answers what comes again */
            if (session_state(session) == SESSION_FAILED)
                session_repeat_alert(session);
            deliver(ends, i);
        }
        ends->now += STEP_MS;
    }
}

/* ---- All of them ---- */

static void load(struct ends *ends)
{
    for (int i = A; i <= B; i++) {
        struct pair_end *end = &ends->pair.at[i];

        if (!ends->psk[i] && end->config.identity == nobody)
            ends->psk[i] = psk_load(&ends->config[i], &end->error);
        check_row(end->config.identity != nobody || ends->psk[i], "%s", end->error.story);
        end->config.psk = ends->psk[i];
    }
}

static void run(struct ends *ends)
{
    load(ends);
    if (ends->pair.at[A].config.datagrams)
        run_datagrams(ends);
    else
        pair_run(&ends->pair);
}

static const char *stories(const struct ends *ends)
{
    static char text[2100];

    snprintf(text, sizeof text, "%d %s / %d %s", (int)pair_state(&ends->pair, A), ends->pair.at[A].error.story,
             (int)pair_state(&ends->pair, B), ends->pair.at[B].error.story);
    return text;
}

/* ---- The right key ---- */

static void check_peer(struct ends *ends, int end, const char *name)
{
    struct presented presented;
    struct facts facts = {.role = ROLE_UNDECIDED};
    struct pair_end *at = &ends->pair.at[end];

    session_presented(at->session, &presented);
    assert_int_equal(presented.kind, PRESENTED_PSK);
    assert_string_equal(presented.psk_name, name);
    assert_int_equal(presented.count, 0);
    assert_int_equal(at->verdicts, 1);
    assert_true(session_is_accepted(at->session));
    assert_true(session_facts(at->session, &facts));
    assert_string_equal(facts.our_pin, "");
    assert_string_equal(facts.signature, "");
    assert_true(*facts.group); /* there was a fresh key too */
    facts_free(&facts);
}

struct right {
    const char *what, *a, *b, *seen_by_a, *seen_by_b;
};

static const struct right rights[] = {
    {"one key", K1, K1, "", "alice"},
    {"a line for the other", "bob:" K1, "alice:" K1, "bob", "alice"},
    {"a line for oneself, as the client", "alice:" K1, "alice:" K1 "\ncarol:" K3, "", "alice"},
    {"a line in other letters", "bob:" K1, "Alice:" K1, "bob", "Alice"},
    {"one key and lines", K1, "carol:" K2 "\nalice:" K1, "", "alice"},
};

static void test_right_key(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = 0; version < VERSIONS; version++)
        for (size_t i = 0; i < COUNT(rights); i++) {
            prepare(&ends, version, rights[i].a, rights[i].b);
            if (*rights[i].seen_by_a)
                ends.config[A].host = rights[i].seen_by_a;
            run(&ends);
            check_row(pair_agrees(&ends.pair), "%s, %s: %s", rights[i].what, version_names[version], stories(&ends));
            assert_int_equal(pair_with(&ends.pair, ROLE_CLIENT), A);
            check_peer(&ends, A, rights[i].seen_by_a);
            check_peer(&ends, B, rights[i].seen_by_b);
            free_ends(&ends);
        }
}

static void test_data(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = TLS13; version <= TLS12; version++) {
        prepare(&ends, version, K1, K1);
        run(&ends);
        pair_send(&ends.pair, A, "from alice", 10);
        pair_send(&ends.pair, B, "from bob", 8);
        assert_memory_equal(buffer_at(&ends.pair.at[B].received), "from alice", 10);
        assert_memory_equal(buffer_at(&ends.pair.at[A].received), "from bob", 8);
        free_ends(&ends);
    }
}

/* Once the session is open an alert is about something else than keys. */
static void test_changed_data(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = TLS13; version <= TLS12; version++) {
        prepare(&ends, version, K1, K1);
        run(&ends);
        ends.pair.at[A].flip = ends.pair.at[A].passed + 10;
        pair_send(&ends.pair, A, "from alice", 10);
        for (int end = A; end <= B; end++)
            check_row(ends.pair.at[end].error.status == STATUS_TLS, "%s: %s", version_names[version], stories(&ends));
        assert_false(strstr(stories(&ends), "key"));
        free_ends(&ends);
    }
}

/* Every kind of group, in the versions that have it: there is always one. */
static void test_groups(void **state)
{
    static const char *const groups[] = {"X25519", "SECP256R1", "FFDHE2048"};
    struct ends ends;
    char priority[2][128];

    (void)state;
    for (int version = TLS13; version <= TLS12; version++)
        for (size_t i = 0; i < COUNT(groups); i++) {
            prepare(&ends, version, K1, K1);
            for (int end = A; end <= B; end++) {
                snprintf(priority[end], sizeof priority[end], "%s:-GROUP-ALL:+GROUP-%s", priorities[version], groups[i]);
                ends.pair.at[end].config.priority = priority[end];
            }
            run(&ends);
            check_row(pair_agrees(&ends.pair), "%s, %s: %s", groups[i], version_names[version], stories(&ends));
            check_peer(&ends, A, "");
            free_ends(&ends);
        }
}

/* The first ClientHello has a share for another group than the server's, so there is a second one with another proof. */
static void check_retry(int roles, const char *key_of_a, const char *wanted_of_b)
{
    struct ends ends;

    prepare(&ends, TLS13, key_of_a, K1);
    if (roles)
        pair_plain(&ends.pair.at[A], ROLE_CLIENT);
    ends.pair.at[B].config.role.active = !roles;
    ends.pair.at[A].config.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-SECP384R1";
    ends.pair.at[B].config.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1";
    run(&ends);
    if (!*wanted_of_b) {
        check_row(pair_agrees(&ends.pair), "%s", stories(&ends));
        check_peer(&ends, B, "alice");
    } else {
        assert_true(has(ends.pair.at[B].error.story, wanted_of_b));
    }
    free_ends(&ends);
}

static void test_hello_retry(void **state)
{
    (void)state;
    check_retry(0, K1, "");
    check_retry(1, K1, "");
    check_retry(0, K2, "has another key");
}

/* ---- What a hello says ---- */

/* An extension of the ClientHello at the beginning of what was said, and whether it is the last. */
static struct wire find_extension(const struct buffer *said, unsigned number, bool *is_last)
{
    struct wire wire = wire_from(buffer_at(said), buffer_used(said)), body, extensions, found = {0};

    wire_take(&wire, 5);
    assert_int_equal(wire_u8(&wire), 1);
    body = wire_take(&wire, wire_u24(&wire));
    wire_take(&body, 2 + 32);
    wire_vector8(&body);
    wire_vector16(&body);
    wire_vector8(&body);
    extensions = wire_vector16(&body);
    *is_last = false;
    while (extensions.left) {
        unsigned type = wire_u16(&extensions);
        struct wire data = wire_vector16(&extensions);

        if (type == number) {
            found = data;
            *is_last = extensions.left == 0;
        }
    }
    assert_false(extensions.failed);
    return found;
}

static void test_hello(void **state)
{
    struct ends ends;
    struct wire found;
    bool is_last;

    (void)state;
    prepare(&ends, TLS13, K1, K1);
    run(&ends);
    /* RFC 8446 section 4.2.11: it has to be the last, whatever we add */
    found = find_extension(&ends.pair.at[A].said, 41, &is_last);
    assert_true(is_last);
    assert_int_equal(found.left, 2 + 2 + 5 + 4 + 2 + 1 + 32);
    assert_memory_equal(found.at + 4, "alice", 5);
    /* psk_dhe_ke, and nothing else */
    found = find_extension(&ends.pair.at[A].said, 45, &is_last);
    assert_int_equal(found.left, 2);
    assert_memory_equal(found.at, "\x01\x01", 2);
    assert_true(find_extension(&ends.pair.at[A].said, 65363, &is_last).left > 0);
    free_ends(&ends);
}

/* Who does not know whom it will meet says a hello that will be struck, and is the server. */
static void test_server_only(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = 0; version < VERSIONS; version++) {
        prepare(&ends, version, "alice:" K1, "carol:" K2 "\nalice:" K1 "\n");
        pair_want(&ends.pair.at[B], ROLE_WANT_SERVER, true);
        run(&ends);
        check_row(pair_agrees(&ends.pair), "%s: %s", version_names[version], stories(&ends));
        check_peer(&ends, B, "alice");
        free_ends(&ends);
    }
}

/* ---- Names and keys that do not fit ---- */

struct refusal {
    const char *what, *a, *b;
    const char *host; /* whom B expects */
    enum status status; /* of B */
    const char *story;
    int alert;
};

static const struct refusal refusals[] = {
    {"another key", K1, K2, NULL, STATUS_WRONG, "\"alice\", but has another key", ALERT_DECRYPT_ERROR},
    {"another key in a line", K1, "alice:" K2, NULL, STATUS_WRONG, "\"alice\", but has another key", ALERT_DECRYPT_ERROR},
    {"a longer key", K1, K1 "00", NULL, STATUS_WRONG, "\"alice\", but has another key", ALERT_DECRYPT_ERROR},
    {"nobody's name", K1, "carol:" K1, NULL, STATUS_UNKNOWN, "\"alice\", for whom there is no key", ALERT_DECRYPT_ERROR},
    {"another's name", K1, "carol:" K1 "\nalice:" K1, "carol", STATUS_WRONG, "\"alice\", which is not whom we expect", ALERT_DECRYPT_ERROR},
};

/* What B has said last is that alert, in the clear. */
static void check_alert(const struct ends *ends, int alert, const char *what)
{
    const struct buffer *said = &ends->pair.at[B].said;
    const uint8_t *end = buffer_at(said) + buffer_used(said);

    check_row(end[-2] == 2 && end[-1] == alert, "%s: %d %d", what, end[-2], end[-1]);
}

static void check_refused(struct ends *ends, enum status status, const char *story, const char *what)
{
    assert_int_equal(pair_with(&ends->pair, ROLE_SERVER), B);
    check_row(ends->pair.at[B].error.status == status && has(ends->pair.at[B].error.story, story), "%s: %s", what, stories(ends));
    check_row(ends->pair.at[A].error.status == STATUS_REFUSED, "%s: %s", what, stories(ends));
    check_row(has(ends->pair.at[A].error.story, "perhaps it has no key for \"alice\""), "%s", what);
    check_row(ends->pair.at[A].verdicts + ends->pair.at[B].verdicts == 0, "%s", what);
    check_row(!session_is_accepted(ends->pair.at[A].session) && !session_is_accepted(ends->pair.at[B].session), "%s", what);
}

static void test_refusals(void **state)
{
    struct ends ends;
    char what[64];

    (void)state;
    for (int version = 0; version < VERSIONS; version++) {
        size_t said = 0;

        for (size_t i = 0; i < COUNT(refusals); i++) {
            const struct refusal *at = &refusals[i];

            snprintf(what, sizeof what, "%s, %s", at->what, version_names[version]);
            prepare(&ends, version, at->a, at->b);
            ends.config[B].host = at->host;
            run(&ends);
            check_refused(&ends, at->status, at->story, what);
            check_alert(&ends, at->alert, what);
            /* The peer cannot tell a name that there is from one that there is not. */
            check_row(i == 0 || version == DTLS12 || buffer_used(&ends.pair.at[B].said) == said, "%s", what); /* but for repetitions */
            said = buffer_used(&ends.pair.at[B].said);
            free_ends(&ends);
        }
    }
}

/* One's own name: before TLS 1.3 it comes a message later. */
static void test_ourselves(void **state)
{
    static const char *const names[] = {"alice", "ALICE"};
    struct ends ends;

    (void)state;
    for (int version = 0; version < VERSIONS; version++)
        for (size_t i = 0; i < COUNT(names); i++) {
            prepare(&ends, version, K1, K1);
            ends.config[B].our_name = names[i];
            run(&ends);
            check_refused(&ends, STATUS_ROLE, "so we are talking to ourselves", version_names[version]);
            assert_true(has(ends.pair.at[A].error.story, "or that name itself"));
            check_alert(&ends, ALERT_HANDSHAKE_FAILURE, version_names[version]);
            if (version == TLS13) { /* its own hello, struck, and no ServerHello */
                const uint8_t *said = buffer_at(&ends.pair.at[B].said);

                assert_int_equal(buffer_used(&ends.pair.at[B].said), 5 + (said[3] << 8 | said[4]) + 7);
            }
            free_ends(&ends);
            prepare(&ends, version, K1, K1);
            ends.config[B].our_name = names[i];
            ends.config[B].allow_self = true;
            run(&ends);
            check_row(pair_agrees(&ends.pair), "%s: %s", version_names[version], stories(&ends));
            check_peer(&ends, B, "alice");
            free_ends(&ends);
        }
}

/* What a name is worth: changed on the way, it is not the one for which the proof is. */
static void test_changed_name(void **state)
{
    struct ends ends;
    const uint8_t *said, *name;

    (void)state;
    prepare(&ends, TLS13, K1, K1);
    pair_want(&ends.pair.at[B], ROLE_WANT_SERVER, false);
    load(&ends);
    ends.pair.stop_after = 1;
    ends.pair.at[A].cut = 0;
    pair_run(&ends.pair);
    said = buffer_at(&ends.pair.at[A].said);
    name = memmem(said, buffer_used(&ends.pair.at[A].said), "alice", 5);
    assert_non_null(name);
    for (int i = A; i <= B; i++)
        psk_free(ends.psk[i]);
    {
        size_t at = (size_t)(name - said);

        pair_free(&ends.pair);
        prepare(&ends, TLS13, K1, K1);
        ends.pair.at[A].flip = at;
        run(&ends);
        assert_int_equal(ends.pair.at[B].error.status, STATUS_WRONG);
        assert_true(has(ends.pair.at[B].error.story, "\"qlice\", but has another key"));
        assert_int_equal(ends.pair.at[A].error.status, STATUS_REFUSED);
        free_ends(&ends);
    }
}

/* ---- Datagrams that get lost, or come from somebody else ---- */

/* With the right key it goes on whatever is lost, with another one it ends. */
static void test_lost(void **state)
{
    struct ends ends;
    bool is_right = false;

    (void)state;
    for (uint32_t seed = 1; seed <= 120; seed += (uint32_t)stride(6)) {
        is_right = !is_right;
        prepare(&ends, DTLS12, K1, is_right ? K1 : K2);
        ends.loss = 25;
        ends.chance = seed;
        ends.split = seed % 4 < 2;
        run(&ends);
        if (is_right)
            check_row(pair_agrees(&ends.pair), "seed %u: %s", seed, stories(&ends));
        else
            check_row(ends.pair.at[B].error.status == STATUS_WRONG && ends.pair.at[A].error.status == STATUS_REFUSED,
                      "seed %u: %s", seed, stories(&ends));
        free_ends(&ends);
    }
}

/* Somebody's garbage, ahead of what the client says, is no reason to give up on it. */
static void test_forged(void **state)
{
    struct ends ends;

    (void)state;
    for (int split = 0; split <= 1; split++) {
        prepare(&ends, DTLS12, K1, K1);
        ends.forged = 100;
        ends.split = split;
        run(&ends);
        check_row(pair_agrees(&ends.pair), "%s", stories(&ends));
        assert_true(ends.forged < 99);
        free_ends(&ends);
    }
}

/* ---- One end has no shared key ---- */

static void test_certificates(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = TLS13; version <= TLS12; version++) {
        prepare(&ends, version, K1, K1); /* the server shows a certificate, and asks for one */
        ends.pair.at[B].config.identity = bob;
        run(&ends);
        assert_int_equal(pair_with(&ends.pair, ROLE_SERVER), B);
        if (version == TLS13) {
            assert_int_equal(ends.pair.at[A].error.status, STATUS_WRONG);
            assert_true(has(ends.pair.at[A].error.story, "the peer shows a certificate"));
            assert_int_equal(ends.pair.at[B].error.status, STATUS_REFUSED);
        } else {
            assert_int_equal(ends.pair.at[A].error.status, STATUS_REFUSED);
            assert_int_equal(ends.pair.at[B].error.status, STATUS_TLS);
        }
        assert_int_equal(ends.pair.at[A].verdicts + ends.pair.at[B].verdicts, 0);
        free_ends(&ends);
        prepare(&ends, version, K1, K1); /* the client would show one */
        ends.pair.at[A].config.identity = alice;
        run(&ends);
        assert_int_equal(pair_with(&ends.pair, ROLE_SERVER), B);
        assert_int_equal(ends.pair.at[B].error.status, STATUS_TLS);
        assert_true(has(ends.pair.at[B].error.story, "the peer offers no pre-shared key"));
        assert_int_equal(ends.pair.at[A].error.status, STATUS_TLS);
        free_ends(&ends);
    }
}

/* Whatever --priority asks for: nothing without a fresh key from (EC)DHE, and nothing without the shared one. */
static void test_priority(void **state)
{
    static const char *const others[] = {":-KX-ALL:+PSK", ":-KX-ALL:+ECDHE-RSA:+ECDHE-ECDSA", ":-KX-ALL:+ANON-ECDH", ":-KX-ALL:+RSA-PSK"};
    struct ends ends;
    char priority[128];

    (void)state;
    for (int version = TLS13; version <= TLS12; version++)
        for (size_t i = 0; i < COUNT(others); i++) {
            prepare(&ends, version, K1, K1);
            snprintf(priority, sizeof priority, "%s%s", priorities[version], others[i]);
            ends.pair.at[A].config.priority = ends.pair.at[B].config.priority = priority;
            run(&ends);
            check_row(pair_agrees(&ends.pair), "%s: %s", priority, stories(&ends));
            check_peer(&ends, A, "");
            free_ends(&ends);
        }
}

/* ---- Verdicts ---- */

/* The client's name is known only after its handshake in TLS 1.3: it waits to hear that it is accepted. */
static void test_accepted(void **state)
{
    struct ends ends;

    (void)state;
    prepare(&ends, TLS13, K1, K1);
    ends.pair.at[B].hold = true;
    run(&ends);
    assert_int_equal(pair_state(&ends.pair, A), SESSION_OPEN);
    assert_int_equal(pair_state(&ends.pair, B), SESSION_VERDICT);
    assert_false(session_is_accepted(ends.pair.at[A].session));
    ends.pair.at[B].hold = false;
    pair_run(&ends.pair);
    assert_true(session_is_accepted(ends.pair.at[A].session));
    free_ends(&ends);
    /* and is not, where the server refuses */
    prepare(&ends, TLS13, K1, K1);
    ends.pair.at[B].refuse = ALERT_ACCESS_DENIED;
    run(&ends);
    assert_false(session_is_accepted(ends.pair.at[A].session));
    assert_int_equal(ends.pair.at[A].error.status, STATUS_REFUSED);
    assert_true(has(ends.pair.at[A].error.story, "alert 49, access_denied"));
    assert_false(strstr(ends.pair.at[A].error.story, "did not show") || strstr(ends.pair.at[A].error.story, "pin"));
    free_ends(&ends);
    /* the server hears it likewise */
    prepare(&ends, TLS13, K1, K1);
    ends.pair.at[A].refuse = ALERT_ACCESS_DENIED;
    run(&ends);
    assert_int_equal(ends.pair.at[B].error.status, STATUS_REFUSED);
    assert_false(strstr(ends.pair.at[B].error.story, "did not show") || strstr(ends.pair.at[B].error.story, "pin"));
    free_ends(&ends);
}

/* ---- Plain TLS peers ---- */

static void test_plain(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = 0; version < VERSIONS; version++)
        for (int plain = A; plain <= B; plain++) {
            prepare(&ends, version, "bob:" K1, "alice:" K1);
            ends.config[A].host = "bob";
            pair_plain(&ends.pair.at[plain], plain == A ? ROLE_CLIENT : ROLE_SERVER);
            ends.pair.at[B].config.role.active = false;
            run(&ends);
            check_row(pair_agrees(&ends.pair), "%s: %s", version_names[version], stories(&ends));
            if (plain == B || version != TLS13) /* else it learns that with the first data */
                check_peer(&ends, A, "bob");
            check_peer(&ends, B, "alice");
            free_ends(&ends);
        }
}

/* A plain server's alert is all that it says, and it comes while our role is open. */
static void test_plain_refusal(void **state)
{
    struct ends ends;

    (void)state;
    for (int version = TLS13; version <= DTLS12; version++) {
        prepare(&ends, version, K1, K2);
        pair_plain(&ends.pair.at[B], ROLE_SERVER);
        run(&ends);
        check_row(ends.pair.at[A].error.status == STATUS_REFUSED, "%s: %s", version_names[version], stories(&ends));
        check_row(has(ends.pair.at[A].error.story, "alert 51, decrypt_error"), "%s: %s", version_names[version], stories(&ends));
        assert_int_equal(ends.pair.at[B].error.status, STATUS_WRONG);
        free_ends(&ends);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_key),   cmocka_unit_test(test_data),         cmocka_unit_test(test_changed_data), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_hello_retry), cmocka_unit_test(test_hello),        cmocka_unit_test(test_server_only),
        cmocka_unit_test(test_refusals),    cmocka_unit_test(test_ourselves),    cmocka_unit_test(test_changed_name),
        cmocka_unit_test(test_lost),        cmocka_unit_test(test_forged),       cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_priority),    cmocka_unit_test(test_accepted),     cmocka_unit_test(test_plain),
        cmocka_unit_test(test_plain_refusal),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
