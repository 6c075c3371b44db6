/* test_meet.c - two ends that call each other keep one connection, and the same one, however many came about. */
#include "check.h"
#include "ends.h"
#include "helpers.h"
#include "meet.h"
#include "names.h"
#include "pair.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One end, in a child: it meets, then handshakes and leaves (-z). */
struct party {
    struct transport_config tcp;
    struct session_config session;
    int handshake_ms;
    int stop; /* a signal that is there already */

    int ended; /* its outcome */
    int child;
};

struct outcome_of_party {
    bool met;
    struct error error;
    int signal;
    unsigned told; /* addresses that were told to be listened on */
    char local[ADDRESS_TEXT_SIZE], remote[ADDRESS_TEXT_SIZE];
    bool decided; /* the role, when it had met */
};

static void party_init(struct party *party, struct identity *identity)
{
    struct pair pair; /* for its configuration */

    pair_init(&pair);
    *party = (struct party){.handshake_ms = TEST_PATIENCE_MS, .tcp = {.wait_ms = TEST_PATIENCE_MS}};
    party->session = pair.at[A].config;
    party->session.identity = identity;
    party->session.role.symmetric = ROLE_SYMMETRIC_REQUIRE;
    pair_free(&pair);
}

static void count_listening(void *context, const struct address *local)
{
    struct outcome_of_party *outcome = context;

    outcome->told += local->length > 0;
}

static void converse(struct party *party, struct channel *channel, struct report *report, struct wait *wait,
                     struct outcome_of_party *outcome)
{
    struct trust_config trust = {.insecure = true};
    struct pump_config config = {.trust = &trust, .handshake_ms = party->handshake_ms, .idle_ms = -1,
                                 .linger_ms = 10000, .zero = true};
    static const struct local_config local = {.kind = LOCAL_STDIO, .fd = -1};

    address_text(&channel->transport.local, outcome->local);
    address_text(&channel->transport.remote, outcome->remote);
    outcome->decided = session_state(channel->session) != SESSION_HELLO;
    config.local = &local;
    pump_run(&config, channel, report, wait);
    channel_free(channel);
}

static int run_party(void *argument)
{
    struct party *party = argument;
    static struct outcome_of_party outcome;
    struct meet_config config = {.both = true, .transport = &party->tcp, .session = &party->session, .handshake_ms = party->handshake_ms,
                                 .listening = count_listening, .listening_context = &outcome};
    struct report report;
    struct channel channel;
    struct wait wait;

    if (!wait_init(&wait) || !report_init(&report, NULL, REPORT_QUIET, &outcome.error))
        return 1;
    if (party->stop)
        raise(party->stop);
    outcome.met = meet_run(&config, &report, &wait, &channel, &outcome.error);
    if (outcome.met)
        converse(party, &channel, &report, &wait, &outcome);
    outcome.signal = wait.signal;
    return write(party->ended, &outcome, sizeof outcome) != sizeof outcome;
}

static void party_start(struct party *party)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    party->ended = ends[1];
    party->child = child_start(run_party, party);
    close(ends[1]);
    party->ended = ends[0];
}

static struct outcome_of_party party_end(struct party *party)
{
    struct outcome_of_party outcome;

    await(party->ended, POLLIN);
    assert_int_equal(read(party->ended, &outcome, sizeof outcome), sizeof outcome);
    assert_int_equal(child_end(party->child), 0);
    close(party->ended);
    return outcome;
}

static struct outcome_of_party party_run(struct party *party)
{
    party_start(party);
    return party_end(party);
}

/* ---- Two of them ---- */

struct parties {
    struct party a, b;
    char a_port[8], b_port[8];
};

static int set_up(void **state)
{
    names_use();
    return pair_setup(state);
}

/* Each calls the other at its port, by that name. */
static void parties_init(struct parties *parties, const char *host)
{
    party_init(&parties->a, alice);
    party_init(&parties->b, bob);
    free_ports(SOCK_STREAM, parties->a_port, parties->b_port);
    parties->a.tcp.host = parties->b.tcp.host = host;
    parties->a.tcp.source_port = parties->b.tcp.port = parties->a_port;
    parties->b.tcp.source_port = parties->a.tcp.port = parties->b_port;
}

static void assert_met(struct parties *parties)
{
    struct outcome_of_party a, b;

    party_start(&parties->a);
    party_start(&parties->b);
    a = party_end(&parties->a);
    b = party_end(&parties->b);
    check_row(a.met && b.met, "%s; %s", a.error.story, b.error.story);
    check_row(a.error.status == STATUS_OK && b.error.status == STATUS_OK, "%s; %s", a.error.story, b.error.story);
    assert_string_equal(a.local, b.remote);
    assert_string_equal(a.remote, b.local);
    assert_true(a.decided && b.decided);
    assert_int_equal(a.told, 1); /* once, whatever the number of addresses */
}

static void test_one_way(void **state)
{
    (void)state;
    for (size_t round = 0; round < 15; round += stride(5)) {
        struct parties parties;

        parties_init(&parties, "one.test");
        assert_met(&parties);
    }
}

/* Two connections come about, over IPv6 and IPv4, and the roles are the same on both: one and the same is kept. */
static void test_two_ways(void **state)
{
    (void)state;
    if (!names_have_ipv6())
        skip();
    for (size_t round = 0; round < 25; round += stride(5)) {
        struct parties parties;

        parties_init(&parties, "both.test");
        assert_met(&parties);
    }
}

/* The one knows two addresses of the other, the other only one. */
static void test_uneven_ways(void **state)
{
    (void)state;
    if (!names_have_ipv6())
        skip();
    for (size_t round = 0; round < 10; round += stride(3)) {
        struct parties parties;

        parties_init(&parties, "both.test");
        parties.b.tcp.host = round % 2 ? "one.test" : "six.test";
        assert_met(&parties);
    }
}

static void test_tls12(void **state)
{
    struct parties parties;

    (void)state;
    parties_init(&parties, "both.test");
    parties.a.session.priority = versions[1];
    if (!names_have_ipv6())
        parties.a.tcp.host = parties.b.tcp.host = "one.test";
    assert_met(&parties);
}

static void test_implicit(void **state)
{
    struct parties parties;

    (void)state;
    parties_init(&parties, "one.test");
    parties.a.session.role.implicit = parties.b.session.role.implicit = true;
    assert_met(&parties);
}

/* Each Random would decide by itself. */
static void test_implicit_at_several_addresses(void **state)
{
    struct parties parties;
    struct outcome_of_party a;

    (void)state;
    parties_init(&parties, "pair.test");
    parties.a.tcp.source = "127.0.0.5";
    parties.a.session.role.implicit = true;
    a = party_run(&parties.a);
    assert_false(a.met);
    assert_int_equal(a.error.status, STATUS_LOCAL);
    assert_true(has(a.error.story, "--implicit can meet at one only"));
}

/* Both insist on one and the same role: both are told so, also when one of them has left by the time the other looks at
 * the second connection. */
static void test_tie(void **state)
{
    static const char *const names[] = {"one.test", "both.test"};

    (void)state;
    for (size_t i = 0; i < 20; i += stride(19)) {
        struct parties parties;
        struct outcome_of_party a, b;

        if (i % 2 == 1 && !names_have_ipv6())
            continue;
        parties_init(&parties, names[i % 2]);
        for (int end = 0; end < 2; end++) {
            struct party *party = end ? &parties.b : &parties.a;

            party->session.role.want = ROLE_WANT_CLIENT;
            party->session.role.ours = (struct role_preference){.value = "!", .length = 1};
            party->tcp.wait_ms = 3000;
            party_start(party);
        }
        a = party_end(&parties.a);
        b = party_end(&parties.b);
        check_row(a.error.status == STATUS_ROLE, "%s: %s", names[i % 2], a.error.story);
        check_row(b.error.status == STATUS_ROLE, "%s: %s", names[i % 2], b.error.story);
        assert_true(has(a.error.story, "both ends insist on being the TLS client"));
    }
}

/* ---- Nobody, or nobody but us ---- */

static void test_nobody_there(void **state)
{
    struct parties parties;
    struct outcome_of_party a;

    (void)state;
    parties_init(&parties, "one.test");
    parties.a.tcp.wait_ms = 1500; /* on a busy machine, too, it has been refused once by then */
    a = party_run(&parties.a);
    assert_false(a.met);
    assert_int_equal(a.error.status, STATUS_TIME);
    assert_true(has(a.error.story, "time ran out while meeting one.test (-w 1500ms): 127.0.0.1:"));
    assert_true(has(a.error.story, "Connection refused"));
    assert_int_equal(a.told, 1);
}

static void test_ourselves(void **state)
{
    struct parties parties;
    struct outcome_of_party a;

    (void)state;
    parties_init(&parties, "one.test");
    parties.a.tcp.port = parties.a_port;
    a = party_run(&parties.a);
    assert_false(a.met);
    assert_int_equal(a.error.status, STATUS_ROLE);
    assert_true(has(a.error.story, "talking to ourselves"));
}

static void test_cannot_start(void **state)
{
    struct parties parties;
    struct outcome_of_party a;

    (void)state;
    parties_init(&parties, "none.test");
    a = party_run(&parties.a);
    assert_false(a.met);
    assert_int_equal(a.error.status, STATUS_NETWORK);
    assert_int_equal(a.told, 0);
}

static void test_signal(void **state)
{
    struct parties parties;
    struct outcome_of_party a;

    (void)state;
    parties_init(&parties, "one.test");
    parties.a.stop = SIGTERM;
    a = party_run(&parties.a);
    assert_false(a.met);
    assert_int_equal(a.error.status, STATUS_OK);
    assert_int_equal(a.signal, SIGTERM);
}

/* ---- Connections that come to nothing ---- */

/* Call A from where B would, as soon as it listens. */
static int call(struct parties *parties)
{
    struct address here = address_at("127.0.0.1", (uint16_t)atoi(parties->b_port));
    struct address there = address_at("127.0.0.1", (uint16_t)atoi(parties->a_port));
    int64_t deadline = wait_until(TEST_PATIENCE_MS);
    int on = 1, fd;

    for (;;) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        assert_int_equal(bind(fd, (struct sockaddr *)&here.storage, here.length), 0);
        if (socket_connect(fd, &there))
            return fd;
        close(fd);
        assert_true(wait_now() < deadline);
        poll(NULL, 0, 1);
    }
}

/* One that dies before its first byte leads back into meeting. */
static void test_lost_before_it_began(void **state)
{
    struct parties parties;
    struct outcome_of_party a, b;

    (void)state;
    parties_init(&parties, "one.test");
    party_start(&parties.a);
    for (int i = 0; i < 4; i++) {
        int fd = call(&parties);

        if (i % 2)
            await(fd, POLLIN); /* its hello */
        tcp_reset(fd);
    }
    b = party_run(&parties.b);
    a = party_end(&parties.a);
    check_row(a.met && a.error.status == STATUS_OK, "%s", a.error.story);
    check_row(b.met && b.error.status == STATUS_OK, "%s", b.error.story);
}

/* One that says something else is the peer, and no good. */
static void test_not_tls(void **state)
{
    struct parties parties;
    struct outcome_of_party a;
    int fd;

    (void)state;
    parties_init(&parties, "one.test");
    party_start(&parties.a);
    fd = call(&parties);
    write_all(fd, "SSH-2.0-OpenSSH_9.2\r\n", 21);
    a = party_end(&parties.a);
    assert_true(a.met);
    assert_int_equal(a.error.status, STATUS_TLS);
    assert_true(has(a.error.story, "SSH"));
    close(fd);
}

/* One that says nothing at all, or not enough. */
static void test_silent_peer(void **state)
{
    (void)state;
    for (int some = 0; some < 2; some++) {
        struct parties parties;
        struct outcome_of_party a;
        int fd;

        parties_init(&parties, "one.test");
        parties.a.handshake_ms = some ? 1500 : 100;
        party_start(&parties.a);
        fd = call(&parties);
        if (some)
            write_all(fd, "\x16\x03\x01", 3);
        a = party_end(&parties.a);
        assert_int_equal(a.error.status, STATUS_TIME);
        assert_true(has(a.error.story, some ? "never came to its end" : "the peer said nothing"));
        close(fd);
    }
}

/* Of the parties that have ended. */
static int64_t cpu_ms(void)
{
    struct rusage used;

    getrusage(RUSAGE_CHILDREN, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

/* It has begun, and then nothing comes for longer than until we tell what we are waiting for: we sleep all the same. */
static void test_waiting_is_sleeping(void **state)
{
    struct parties parties;
    struct outcome_of_party a;
    int64_t before;
    int fd;

    (void)state;
    if (stride(2) != 1)
        skip(); /* it takes a while, and other tools find nothing in it */
    parties_init(&parties, "one.test");
    parties.a.handshake_ms = TRANSPORT_NEWS_MS + 2500;
    party_start(&parties.a);
    fd = call(&parties);
    write_all(fd, "\x16\x03\x01", 3);
    before = cpu_ms();
    a = party_end(&parties.a);
    assert_true(cpu_ms() - before < 1000);
    assert_int_equal(a.error.status, STATUS_TIME);
    close(fd);
}

static void test_plain_server(void **state)
{
    struct parties parties;
    struct outcome_of_party a;
    struct hand hand;
    int fd;

    (void)state;
    parties_init(&parties, "one.test");
    party_start(&parties.a);
    fd = call(&parties);
    hand_open(&hand, fd, bob, ROLE_WANT_SERVER, false);
    hand.config.role.symmetric = ROLE_SYMMETRIC_NEVER;
    hand_reopen(&hand);
    assert_int_equal(hand_handshake(&hand), SESSION_FAILED);
    hand_wait_for_end(&hand);
    a = party_end(&parties.a);
    assert_int_equal(a.error.status, STATUS_ROLE);
    assert_true(has(a.error.story, "plain TLS server"));
    hand_free(&hand);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_two_ways),
        cmocka_unit_test(test_uneven_ways),
        cmocka_unit_test(test_tls12),
        cmocka_unit_test(test_implicit),
        cmocka_unit_test(test_implicit_at_several_addresses),
        cmocka_unit_test(test_tie),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_ourselves),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_lost_before_it_began),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_silent_peer),
        cmocka_unit_test(test_waiting_is_sleeping),
        cmocka_unit_test(test_plain_server),
    };

    return cmocka_run_group_tests(tests, set_up, pair_teardown);
}
