/* test_role_datagram_peers.c - two ends in one process, and a network between them that loses, doubles, reorders and delays:
 * they agree, or they give up. Time is a number. */
#include "check.h"
#include "datagrams.h"
#include "hellos_dtls.h"
#include "helpers.h"
#include "role_datagram.h"
#include "roles.h"

#include <stdio.h>
#include <string.h>

enum {
    FIRST_REPEAT_MS = 50,
    LIBRARY_TIMER_MS = 1000, /* doubled each time */
    TIME_OUT_MS = 60000,
    IN_FLIGHT_MAX = 2048,
    SAID_MAX = 1500 /* bytes of a datagram */
};

#define EPOCH_1 (1ULL << 48)

/* ---- One end: the core, and as much of a TLS library as says and repeats flights ---- */

enum state {
    NOT_UP,
    UNDECIDED,
    FIRST,     /* client: no whole flight of the server has come; server: it said that */
    SECOND,    /* client: it said its second flight */
    FINISHED,
    REFUSED,
    TIMED_OUT
};

/* What a library says behind the hellos: a flight is two records, both of which have to come. CHANGE stands for a
 * ChangeCipherSpec. */
enum { SERVER_HELLO = 2, SERVER_HELLO_DONE = 14, CLIENT_KEY_EXCHANGE = 16, FINISH = 20, CHANGE = 21 };

struct end {
    struct role_stream stream;
    struct role_datagram datagram;
    struct role_config config;
    enum state state;
    uint8_t random;          /* fills the Random of its hello */
    size_t cookie;           /* of its hello */
    size_t split;            /* its hello leaves in two fragments, ... */
    bool later_first;        /* ... and these in this order */
    bool has_door;           /* a hello without a cookie is answered with a HelloVerifyRequest, and forgotten */
    bool joins;              /* our hello and the flight behind it are one datagram */
    uint64_t sequence[2];    /* of the library's next record, in each epoch */
    bool come[32];           /* handshake messages of the flight that it waits for */
    int64_t up_at, timer_at, interval_ms, finished_at;
    struct buffer said;      /* datagrams that leave now */
};

static bool is_over(const struct end *end)
{
    return end->state == REFUSED || end->state == TIMED_OUT;
}

static bool is_client(const struct end *end)
{
    return end->stream.step == ROLE_STEP_CLIENT;
}

static void say_hello(struct end *end, int64_t now)
{
    const struct hellos hellos = hellos_ours(&end->config, end->random);
    static uint8_t body[HELLOS_SIZE], bytes[DATAGRAM_SIZE];
    struct hellos_fragment part = {.type = HANDSHAKE_CLIENT_HELLO, .message = body, .message_seq = end->cookie > 0};
    struct buffer hello = {0};

    part.size = hellos_dtls_body(body, &hellos, end->cookie, 0);
    for (int i = 0; i < 2; i++) {
        bool is_later = i != end->later_first;
        size_t split = end->split < part.size ? end->split : part.size;

        part.offset = is_later ? split : 0;
        part.length = is_later ? part.size - split : split;
        if (end->split || is_later)
            assert_true(datagrams_append(&hello, bytes, hellos_dtls_handshake(bytes, end->sequence[0]++, &part)));
    }
    assert_true(datagrams_append_all(&end->said, &hello));
    assert_true(role_datagram_our_hello(&end->datagram, &hello, now));
    buffer_free(&hello);
}

static void say_hello_again(struct end *end)
{
    assert_true(role_datagram_again(&end->datagram, &end->said));
    end->sequence[0] = end->datagram.sequence;
}

/* The server's hello goes ahead of each of its flights (rule 5). */
static void say_flight(struct end *end, uint8_t first, unsigned first_epoch, uint8_t second, unsigned second_epoch)
{
    const struct {
        uint8_t type;
        unsigned epoch;
    } parts[] = {{first, first_epoch}, {second, second_epoch}};
    bool is_new = true;

    if (!is_client(end) && end->stream.symmetric) {
        say_hello_again(end);
        is_new = !end->joins || end->split;
    }
    for (size_t i = 0; i < COUNT(parts); i++) {
        static const uint8_t nothing[100];
        const struct hellos_fragment part = {.type = parts[i].type, .message = nothing, .size = 100, .length = 100};
        uint64_t number = (uint64_t)parts[i].epoch << 48 | end->sequence[parts[i].epoch]++;
        uint8_t record[256];
        size_t length = hellos_dtls_handshake(record, number, &part), last = 0;

        if (!is_new) { /* the last one is our hello */
            datagrams_first(&end->datagram.hello, &last);
            assert_true(datagrams_extend_last(&end->said, last, record, length));
            is_new = true;
        } else {
            assert_true(datagrams_append(&end->said, record, length));
        }
    }
    if (!is_client(end) && end->datagram.sequence < end->sequence[0])
        end->datagram.sequence = end->sequence[0];
}

static void set_timer(struct end *end, int64_t now, int64_t interval_ms)
{
    end->interval_ms = interval_ms;
    end->timer_at = now + interval_ms;
}

static void finish(struct end *end, int64_t now)
{
    if (end->state != FINISHED)
        end->finished_at = now;
    end->state = FINISHED;
    end->timer_at = ROLE_DATAGRAM_NEVER;
}

/* What a client's session reads: no hello, ever. */
static void client_reads(struct end *end, uint8_t type, int64_t now)
{
    check_row(type != HANDSHAKE_CLIENT_HELLO, "a client's session sees a hello");
    end->come[type] = true;
    if (end->state == FIRST && end->come[SERVER_HELLO] && end->come[SERVER_HELLO_DONE]) {
        end->state = SECOND;
        say_flight(end, CLIENT_KEY_EXCHANGE, 0, FINISH, 1);
        set_timer(end, now, LIBRARY_TIMER_MS);
    } else if (end->state == SECOND && end->come[FINISH]) {
        finish(end, now);
    }
}

/* A server answers hellos, and the second flight when its end comes again (rules 8 and 9). */
static void server_reads(struct end *end, uint8_t type, int64_t now)
{
    end->come[type] = true;
    if (type == HANDSHAKE_CLIENT_HELLO && end->state == FIRST) {
        say_flight(end, SERVER_HELLO, 0, SERVER_HELLO_DONE, 0);
    } else if (type == FINISH || type == CLIENT_KEY_EXCHANGE) {
        if (!end->come[FINISH] || !end->come[CLIENT_KEY_EXCHANGE])
            return;
        finish(end, now);
        say_flight(end, CHANGE, 0, FINISH, 1);
    }
}

static void read_input(struct end *end, struct buffer *input, int64_t now)
{
    const uint8_t *bytes;
    size_t length;

    for (; (bytes = datagrams_first(input, &length)); datagrams_drop_first(input)) {
        struct wire wire = wire_from(bytes, length);
        struct dtls_record record;

        while (dtls_next_record(&wire, &record)) {
            uint8_t type = record.body.left ? record.body.at[0] & 31 : 0;

            if (record.type != DTLS_HANDSHAKE)
                continue;
            if (is_client(end))
                client_reads(end, type, now);
            else
                server_reads(end, type, now);
        }
    }
}

static void follow(struct end *end, enum role_step step, int64_t now)
{
    if (step == ROLE_STEP_HELLO) {
        say_hello(end, now);
        step = role_datagram_next(&end->datagram);
    }
    switch (step) {
    case ROLE_STEP_VERIFY:
        if (!end->cookie) {
            end->cookie = 20;
            say_hello(end, now);
        }
        break;
    case ROLE_STEP_REPEAT:
        say_hello_again(end);
        break;
    case ROLE_STEP_CLIENT:
        end->state = FIRST;
        set_timer(end, now, LIBRARY_TIMER_MS);
        read_input(end, &end->datagram.rest, now);
        break;
    case ROLE_STEP_SERVER:
        end->state = FIRST;
        read_input(end, &end->datagram.rest, now);
        break;
    case ROLE_STEP_REFUSE:
        end->state = REFUSED;
        end->finished_at = now;
        say_hello_again(end);
        if (end->stream.alert != ROLE_NO_ALERT) {
            uint8_t record[DTLS_ALERT_RECORD_SIZE];

            dtls_alert_record(record, end->datagram.sequence++, end->stream.alert);
            assert_true(datagrams_append(&end->said, record, sizeof record));
        }
        break;
    default:
        break;
    }
}

static void start(struct end *end)
{
    role_init(&end->stream, &end->config);
    role_datagram_init(&end->datagram, &end->stream, FIRST_REPEAT_MS);
    end->state = UNDECIDED;
    end->timer_at = ROLE_DATAGRAM_NEVER;
    follow(end, end->stream.step, end->up_at);
}

/* True: the datagram may come in. */
static bool passes_door(struct end *end, const uint8_t *bytes, size_t length)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;
    struct dtls_fragment fragment;
    size_t cookie_length;
    uint8_t answer[256];

    if (!end->has_door)
        return true;
    if (!dtls_next_record(&wire, &record) || !dtls_next_fragment(&record.body, &fragment) ||
        fragment.type != HANDSHAKE_CLIENT_HELLO || fragment.offset != 0 ||
        !hello_read_cookie(fragment.body.at, fragment.body.left, &cookie_length))
        return false;
    end->has_door = !cookie_length;
    if (end->has_door)
        assert_true(datagrams_append(&end->said, answer, hellos_dtls_verify(answer, record.sequence)));
    return !end->has_door;
}

static void hear(struct end *end, const uint8_t *bytes, size_t length, int64_t now)
{
    struct buffer input = {0};

    if (end->state == NOT_UP || is_over(end) || !passes_door(end, bytes, length))
        return;
    if (end->state == UNDECIDED) {
        follow(end, role_datagram_feed(&end->datagram, bytes, length, now), now);
        return;
    }
    role_datagram_filter(&end->datagram, bytes, length, end->state == FINISHED, &input);
    read_input(end, &input, now);
    buffer_free(&input);
}

static void pass_time(struct end *end, int64_t now)
{
    if (end->state == NOT_UP) {
        if (now >= end->up_at)
            start(end);
        return;
    }
    if (is_over(end) || end->state == FINISHED)
        return;
    if (now >= end->up_at + TIME_OUT_MS) {
        end->state = TIMED_OUT;
        return;
    }
    if (end->state == UNDECIDED)
        follow(end, role_datagram_time(&end->datagram, now), now);
    else if (now >= end->timer_at) {
        if (end->state == FIRST)
            say_hello_again(end); /* the library's: the same hello, the next number */
        else
            say_flight(end, CLIENT_KEY_EXCHANGE, 0, FINISH, 1);
        set_timer(end, now, end->interval_ms * 2);
    }
}

static int64_t deadline(const struct end *end)
{
    int64_t at = end->up_at + TIME_OUT_MS, next;

    if (end->state == NOT_UP)
        return end->up_at;
    if (is_over(end) || end->state == FINISHED)
        return ROLE_DATAGRAM_NEVER;
    next = end->state == UNDECIDED ? role_datagram_deadline(&end->datagram) : end->timer_at;
    return next < at ? next : at;
}

/* ---- The network ---- */

struct network {
    unsigned loss, doubled; /* of a hundred */
    unsigned delay_most_ms; /* each datagram takes from 1 ms up to that */
    size_t count;
    struct {
        int64_t at;
        uint64_t order; /* of those that arrive at the same time */
        unsigned to;
        size_t length;
        uint8_t bytes[SAID_MAX];
    } flying[IN_FLIGHT_MAX];
    uint64_t order;
};

static void send_one(struct network *network, unsigned to, const uint8_t *bytes, size_t length, int64_t now)
{
    assert_true(network->count < IN_FLIGHT_MAX && length <= SAID_MAX);
    network->flying[network->count].at = now + 1 + (int64_t)dice(network->delay_most_ms);
    network->flying[network->count].order = network->order++;
    network->flying[network->count].to = to;
    network->flying[network->count].length = length;
    memcpy(network->flying[network->count++].bytes, bytes, length);
}

/* Whatever they have said since is on its way, or lost. */
static void collect(struct network *network, struct end ends[2], int64_t now)
{
    for (unsigned from = 0; from < 2; from++) {
        const uint8_t *bytes;
        size_t length;

        for (; (bytes = datagrams_first(&ends[from].said, &length)); datagrams_drop_first(&ends[from].said))
            for (unsigned copies = 1 + (dice(100) < network->doubled); copies; copies--)
                if (dice(100) >= network->loss)
                    send_one(network, !from, bytes, length, now);
    }
}

/* The next datagram to arrive; `count`: none. */
static size_t next_arrival(const struct network *network)
{
    size_t next = network->count;

    for (size_t i = 0; i < network->count; i++)
        if (next == network->count || network->flying[i].at < network->flying[next].at ||
            (network->flying[i].at == network->flying[next].at && network->flying[i].order < network->flying[next].order))
            next = i;
    return next;
}

/* Until nothing is on its way and nobody has plans. */
static void run(struct network *network, struct end ends[2])
{
    for (;;) {
        size_t next = next_arrival(network);
        int64_t a = deadline(&ends[0]), b = deadline(&ends[1]), now = a < b ? a : b;

        if (next < network->count && network->flying[next].at <= now) {
            uint8_t bytes[SAID_MAX];
            size_t length = network->flying[next].length;
            unsigned to = network->flying[next].to;

            now = network->flying[next].at;
            memcpy(bytes, network->flying[next].bytes, length);
            network->flying[next] = network->flying[--network->count];
            hear(&ends[to], bytes, length, now);
        } else if (now == ROLE_DATAGRAM_NEVER) {
            return;
        } else {
            pass_time(&ends[a <= b ? 0 : 1], now);
        }
        collect(network, ends, now);
    }
}

static void ends_free(struct end ends[2])
{
    for (unsigned i = 0; i < 2; i++) {
        role_datagram_free(&ends[i].datagram);
        role_free(&ends[i].stream);
        buffer_free(&ends[i].said);
    }
}

/* ---- What has to be, whatever happened ---- */

static void check_end(const struct end *end, const struct end *peer, const char *where)
{
    const struct role_stream *stream = &end->stream;

    if (end->state != FINISHED)
        return;
    check_row(peer->state != REFUSED, "%s", where);
    check_row(is_client(end) == (role_preference_compare(&stream->config.ours, &peer->stream.config.ours) < 0), "%s",
              where);
    check_row(stream->symmetric != stream->symmetric_unknown, "%s", where); /* never false: the peer is symmetric */
    check_row(stream->symmetric || (is_client(end) && end->config.symmetric == ROLE_SYMMETRIC_ALLOW), "%s", where);
    if (!stream->symmetric)
        return;
    check_row(stream->decided_by == (end->config.implicit ? ROLE_BY_IMPLICIT : ROLE_BY_EXTENSION), "%s", where);
    check_row(role_preference_compare(&stream->peer, &peer->stream.config.ours) == 0, "%s", where);
}

/* Opposite roles, if both have one; both finished or timed out. */
static void check_outcome(const struct end ends[2], const char *where)
{
    bool decided[2];

    for (unsigned i = 0; i < 2; i++) {
        check_row(ends[i].state == FINISHED || ends[i].state == TIMED_OUT, "%s: end %u, state %d, reason %d", where, i,
                  ends[i].state, ends[i].stream.reason);
        check_end(&ends[i], &ends[!i], where);
        decided[i] = ends[i].stream.step == ROLE_STEP_CLIENT || ends[i].stream.step == ROLE_STEP_SERVER;
    }
    check_row(!decided[0] || !decided[1] || is_client(&ends[0]) != is_client(&ends[1]), "%s", where);
    /* A client finishes with what the server said when it finished. */
    for (unsigned i = 0; i < 2; i++)
        check_row(ends[i].state != FINISHED || !is_client(&ends[i]) || ends[!i].state == FINISHED, "%s", where);
}

/* ---- Tests ---- */

/* The ways two ends may be set up; each gets its share of the runs. */
struct setup {
    bool active_b;
    enum role_symmetric symmetric_a, symmetric_b;
};

static const struct setup setups[] = {
    {true, ROLE_SYMMETRIC_REQUIRE, ROLE_SYMMETRIC_REQUIRE},  {true, ROLE_SYMMETRIC_REQUIRE, ROLE_SYMMETRIC_ALLOW},
    {true, ROLE_SYMMETRIC_ALLOW, ROLE_SYMMETRIC_ALLOW},      {false, ROLE_SYMMETRIC_REQUIRE, ROLE_SYMMETRIC_REQUIRE},
    {false, ROLE_SYMMETRIC_REQUIRE, ROLE_SYMMETRIC_ALLOW},   {false, ROLE_SYMMETRIC_ALLOW, ROLE_SYMMETRIC_REQUIRE},
    {false, ROLE_SYMMETRIC_ALLOW, ROLE_SYMMETRIC_ALLOW},
};

/* Of the runs with one rate of loss. */
struct tally {
    unsigned runs, unknown, timed_out, one_timed_out, clients;
    int64_t took_ms; /* those that finished on both ends */
};

static void count(struct tally *tally, const struct end ends[2])
{
    unsigned finished = (ends[0].state == FINISHED ? 1U : 0U) + (ends[1].state == FINISHED ? 1U : 0U);

    tally->runs++;
    tally->timed_out += finished == 0;
    tally->one_timed_out += finished == 1;
    tally->clients += is_client(&ends[0]);
    for (unsigned i = 0; i < 2; i++)
        tally->unknown += ends[i].state == FINISHED && ends[i].stream.symmetric_unknown;
    if (finished == 2)
        tally->took_ms += (ends[0].finished_at > ends[1].finished_at ? ends[0].finished_at : ends[1].finished_at) -
                          (ends[0].up_at > ends[1].up_at ? ends[0].up_at : ends[1].up_at);
}

static void random_ends(struct end ends[2], const struct setup *setup)
{
    static const enum role_want wants[] = {ROLE_WANT_ANY, ROLE_WANT_ANY, ROLE_WANT_CLIENT, ROLE_WANT_SERVER,
                                           ROLE_WANT_PREFER_CLIENT, ROLE_WANT_PREFER_SERVER};
    bool implicit = dice(5) == 0, joins = dice(2);
    unsigned a, b;

    memset(ends, 0, 2 * sizeof *ends);
    do {
        a = implicit ? 0 : dice(COUNT(wants));
        b = implicit ? 0 : dice(COUNT(wants));
    } while (a == b && a > 1 && a < 4); /* two that insist on the same */
    ends[0].config = config_with_dice(wants[a], true, setup->symmetric_a, implicit);
    ends[1].config = config_with_dice(wants[b], setup->active_b, setup->symmetric_b, implicit);
    ends[0].random = (uint8_t)dice(128);
    ends[1].random = (uint8_t)(128 + dice(128));
    if (dice(2)) {
        ends[1].random = ends[0].random;
        ends[0].random = (uint8_t)(128 + dice(128));
    }
    for (unsigned i = 0; i < 2; i++) {
        ends[i].joins = joins;
        ends[i].split = dice(4) ? 0 : 1 + dice(150);
        ends[i].later_first = ends[i].split && dice(2);
        ends[i].up_at = dice(2) ? 0 : dice(3000);
    }
    ends[1].has_door = !setup->active_b && dice(2);
    if (ends[1].has_door && ends[0].split) /* RFC 6347 section 4.2.1 wants the cookie in the first fragment */
        ends[0].split = 100 + dice(50);
}

static void test_random_networks(void **state)
{
    enum { RUNS = 10000, RATES = 5 };
    const uint64_t first_seed = 20160316;
    /* Of a thousand: twice what it was when this was written. */
    static const unsigned most_unknown[RATES] = {2, 3, 6, 10, 17}, most_timed_out[RATES] = {0, 2, 10, 60, 260};
    static struct network network;
    struct tally tallies[RATES] = {{0}}, all = {0};

    (void)state;
    for (unsigned number = 0; number < RUNS; number += (unsigned)stride(23)) {
        struct tally *tally = &tallies[number % RATES];
        struct end ends[2];
        char where[64];

        snprintf(where, sizeof where, "run %u", number);
        dice_start((first_seed + number) * 0x9e3779b97f4a7c15ULL);
        network.count = 0;
        network.loss = number % RATES * 10;
        network.doubled = dice(2) ? 0 : dice(30);
        network.delay_most_ms = dice(3) == 0 ? 1 : dice(2) ? 1 + dice(50) : 1 + dice(2000);
        random_ends(ends, &setups[number / RATES % COUNT(setups)]);
        run(&network, ends);
        check_outcome(ends, where);
        count(tally, ends);
        ends_free(ends);
    }
    for (unsigned rate = 0; rate < RATES; rate++) {
        const struct tally *tally = &tallies[rate];
        unsigned both = tally->runs - tally->timed_out - tally->one_timed_out;

        if (!tally->runs)
            continue;
        print_message("# %u %% lost: %u runs, %u unknown, %u with both timed out, %u with one; %lld ms on average\n",
                      rate * 10, tally->runs, tally->unknown, tally->timed_out, tally->one_timed_out,
                      (long long)(both ? tally->took_ms / both : 0));
        all.runs += tally->runs;
        all.clients += tally->clients;
        check_row(tally->unknown <= tally->runs * most_unknown[rate] / 1000 + 2, "%u %% lost", rate * 10);
        check_row(tally->timed_out + tally->one_timed_out <= tally->runs * most_timed_out[rate] / 1000 + (rate ? 3 : 0),
                  "%u %% lost", rate * 10);
    }
    assert_in_range(all.clients, all.runs * 2 / 5, all.runs * 3 / 5); /* neither end is favoured */
}

/* Equal values: both refuse, or one does and the other learns it from the alert, or never hears of it. */
static void test_ties(void **state)
{
    static const enum role_want wants[] = {ROLE_WANT_CLIENT, ROLE_WANT_SERVER, ROLE_WANT_ANY};
    static struct network network;
    unsigned both = 0, alerted = 0, never = 0;

    (void)state;
    for (unsigned number = 0; number < 2000; number += (unsigned)stride(23)) {
        const struct setup *setup = &setups[number % COUNT(setups)];
        struct end ends[2];
        unsigned ties = 0;

        dice_start((number + 1) * 0x9e3779b97f4a7c15ULL);
        network.count = 0;
        network.loss = number / COUNT(setups) % 5 * 10;
        network.doubled = dice(30);
        network.delay_most_ms = 1 + dice(1000);
        random_ends(ends, setup);
        ends[0].config = config_with_dice(wants[number % COUNT(wants)], true, setup->symmetric_a, number % 4 == 0);
        ends[1].config = ends[0].config;
        ends[1].config.active = setup->active_b;
        ends[1].config.symmetric = setup->symmetric_b;
        ends[1].random = ends[0].random;
        run(&network, ends);
        for (unsigned i = 0; i < 2; i++) {
            check_row(is_over(&ends[i]), "run %u: end %u, state %d", number, i, ends[i].state);
            ties += ends[i].stream.reason == ROLE_REASON_TIE;
            check_row(ends[i].state != REFUSED || ends[i].stream.reason == ROLE_REASON_TIE ||
                          (ends[i].stream.reason == ROLE_REASON_ALERT && ends[i].stream.peer_alert == 40),
                      "run %u: end %u, reason %d", number, i, ends[i].stream.reason);
        }
        check_row(ties > 0 || network.loss > 0, "run %u", number);
        both += ties == 2;
        alerted += ties == 1 && ends[0].state == REFUSED && ends[1].state == REFUSED;
        never += ends[0].state == TIMED_OUT || ends[1].state == TIMED_OUT;
        ends_free(ends);
    }
    print_message("# ties: both saw it %u times, one by the alert %u times, one or both timed out %u times\n", both,
                  alerted, never);
    assert_true(both > alerted + never);
}

/* Each hello comes as two fragments, in both orders. */
static void test_every_split(void **state)
{
    static struct network network = {.delay_most_ms = 1};

    (void)state;
    for (size_t split = 1; split < 160; split += stride(7))
        for (unsigned turn = 0; turn < 4 * COUNT(setups); turn++) {
            const struct setup *setup = &setups[turn / 4];
            const enum role_want wants[] = {ROLE_WANT_ANY, ROLE_WANT_CLIENT};
            struct end ends[2] = {{.split = split, .later_first = turn & 1},
                                  {.split = 1 + split * 7 % 157, .later_first = turn & 2}};
            char where[64];

            snprintf(where, sizeof where, "split at %zu, %u", split, turn);
            dice_start(split * 100 + turn + 1);
            ends[0].config = config_with_dice(wants[split % 2], true, setup->symmetric_a, false);
            ends[1].config = config_with_dice(wants[!(split % 2)], setup->active_b, setup->symmetric_b, false);
            run(&network, ends);
            check_outcome(ends, where);
            check_row(ends[0].state == FINISHED && ends[1].state == FINISHED, "%s", where);
            check_row(ends[0].stream.symmetric && ends[1].stream.symmetric, "%s", where);
            check_row(is_client(&ends[0]) == (split % 2 == 1), "%s", where);
            check_row(ends[0].finished_at < 1000 && ends[1].finished_at < 1000, "%s", where); /* no timer was needed */
            ends_free(ends);
        }
}

/* Nobody speaks, and the time-out ends it. */
static void test_both_wait(void **state)
{
    static struct network network = {.delay_most_ms = 1};
    struct end ends[2] = {{.state = NOT_UP}};

    (void)state;
    dice_start(1);
    for (unsigned i = 0; i < 2; i++)
        ends[i].config = config_with_dice(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW, false);
    run(&network, ends);
    assert_int_equal(ends[0].state, TIMED_OUT);
    assert_int_equal(ends[1].state, TIMED_OUT);
    assert_int_equal(network.order, 0);
    ends_free(ends);
}

/* Nothing gets through: the time-out ends it, too. */
static void test_silence(void **state)
{
    static struct network network = {.delay_most_ms = 1, .loss = 100};
    struct end ends[2] = {{.state = NOT_UP}};

    (void)state;
    dice_start(1);
    for (unsigned i = 0; i < 2; i++)
        ends[i].config = config_with_dice(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW, false);
    run(&network, ends);
    check_outcome(ends, "silence");
    assert_int_equal(ends[0].state, TIMED_OUT);
    /* 1 at first, then after 50, 150, 350, 750 and 1550 ms, then each second up to a minute. */
    assert_int_equal(ends[0].datagram.sequence, 1 + 5 + 58);
    ends_free(ends);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_networks), cmocka_unit_test(test_ties),   cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_both_wait),       cmocka_unit_test(test_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
