/* test_role_datagram.c - what arrives in datagrams, when, and what we do: symtls-protocol(7), "Datagrams", rule by rule. */
#include "check.h"
#include "datagrams.h"
#include "hellos_dtls.h"
#include "helpers.h"
#include "role_alert.h"
#include "role_datagram.h"
#include "role_rules.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t our_random = 0x55;

enum { FIRST_REPEAT_MS = 50, START_MS = 1000, EPOCH_1_SHIFT = 48 };

/* ---- A stage for one end ---- */

struct play {
    struct role_stream stream;
    struct role_datagram datagram;
    unsigned asked; /* how often it wanted our hello */
    size_t cookie;  /* of our next one */
    int64_t now;
};

static size_t our_hello(const struct play *play, uint8_t *out, uint64_t sequence)
{
    const struct hellos hellos = hellos_ours(&play->stream.config, our_random);

    return hellos_dtls_make(out, &hellos, play->cookie, sequence);
}

/* As the TLS library would, under the number `sequence`. */
static void say_hello(struct play *play, uint64_t sequence)
{
    static uint8_t bytes[DATAGRAM_SIZE];
    struct buffer queue = {0};

    assert_true(datagrams_append(&queue, bytes, our_hello(play, bytes, sequence)));
    assert_true(role_datagram_our_hello(&play->datagram, &queue, play->now));
    buffer_free(&queue);
}

static void follow(struct play *play, enum role_step step)
{
    if (step != ROLE_STEP_HELLO)
        return;
    play->asked++;
    say_hello(play, 0);
    role_datagram_next(&play->datagram);
}

static void play_start(struct play *play, const struct role_config *config)
{
    memset(play, 0, sizeof *play);
    play->now = START_MS;
    role_init(&play->stream, config);
    role_datagram_init(&play->datagram, &play->stream, FIRST_REPEAT_MS);
    follow(play, play->stream.step);
}

static void play_end(struct play *play)
{
    role_datagram_free(&play->datagram);
    role_free(&play->stream);
}

/* The step that the datagram leads to, HELLO done if it was that. */
static enum role_step hear(struct play *play, const uint8_t *bytes, size_t length)
{
    uint8_t *exactly = hellos_exactly(bytes, length);
    enum role_step step = role_datagram_feed(&play->datagram, exactly, length, play->now);

    free(exactly);
    follow(play, step);
    return step == ROLE_STEP_HELLO ? play->stream.step : step;
}

static enum role_step hear_hello(struct play *play, const struct hellos *hellos)
{
    static uint8_t bytes[DATAGRAM_SIZE];

    return hear(play, bytes, hellos_dtls_make(bytes, hellos, 0, 0));
}

static enum role_step hear_server(struct play *play)
{
    uint8_t bytes[256];

    return hear(play, bytes, hellos_dtls_server(bytes, 1));
}

/* One fragment of a peer's hello, as a datagram. */
static enum role_step hear_part(struct play *play, const struct hellos *hellos, uint64_t sequence, size_t offset,
                                size_t length)
{
    static uint8_t body[HELLOS_SIZE], bytes[DATAGRAM_SIZE];
    struct hellos_fragment part = {.type = 1, .message = body, .message_seq = 0, .offset = offset, .length = length};

    part.size = hellos_dtls_body(body, hellos, 0, 0);
    if (part.length > part.size - offset)
        part.length = part.size - offset;
    return hear(play, bytes, hellos_dtls_handshake(bytes, sequence, &part));
}

static enum role_heard filter(struct play *play, const uint8_t *bytes, size_t length, bool handshake_over,
                              struct buffer *input)
{
    uint8_t *exactly = hellos_exactly(bytes, length);
    enum role_heard heard = role_datagram_filter(&play->datagram, exactly, length, handshake_over, input);

    free(exactly);
    return heard;
}

/* Take the first datagram off; was it this one? */
static bool next_is(struct buffer *queue, const uint8_t *bytes, size_t length)
{
    size_t size;
    const uint8_t *first = datagrams_first(queue, &size);
    bool same = first && size == length && memcmp(first, bytes, length) == 0;

    datagrams_drop_first(queue);
    return same;
}

/* ---- Rule 1: each end repeats its hello until it has heard from the peer ---- */

static void test_rule_1_repeats(void **state)
{
    static const int64_t intervals[] = {50, 100, 200, 400, 800, 1000, 1000, 1000, 1000};
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    struct play play;
    int64_t now = START_MS;

    (void)state;
    play_start(&play, &config);
    assert_int_equal(play.asked, 1);
    for (size_t i = 0; i < COUNT(intervals); i++) {
        check_row(role_datagram_deadline(&play.datagram) == now + intervals[i], "repetition %zu", i);
        check_row(role_datagram_time(&play.datagram, now) == ROLE_STEP_MORE, "repetition %zu", i);
        now += intervals[i];
        check_row(role_datagram_time(&play.datagram, now - 1) == ROLE_STEP_MORE, "repetition %zu", i);
        check_row(role_datagram_time(&play.datagram, now) == ROLE_STEP_REPEAT, "repetition %zu", i);
        check_row(role_datagram_time(&play.datagram, now) == ROLE_STEP_MORE, "repetition %zu", i); /* once */
    }
    play_end(&play);
}

/* Whoever looks late repeats once, and waits from then on. */
static void test_rule_1_late(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    struct play play;

    (void)state;
    play_start(&play, &config);
    assert_int_equal(role_datagram_time(&play.datagram, START_MS + 5000), ROLE_STEP_REPEAT);
    assert_int_equal(role_datagram_deadline(&play.datagram), START_MS + 5100);
    assert_int_equal(role_datagram_time(&play.datagram, START_MS + 5001), ROLE_STEP_MORE);
    play_end(&play);
}

/* Nothing to repeat: we wait, or it is decided. */
static void test_rule_1_ends(void **state)
{
    struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    static const struct hellos bad = {.preference = ""};
    const struct hellos *const peers[] = {&hellos_of_client, &hellos_of_server, &bad};
    struct play play;

    (void)state;
    play_start(&play, &config);
    assert_true(role_datagram_deadline(&play.datagram) == ROLE_DATAGRAM_NEVER);
    assert_int_equal(role_datagram_time(&play.datagram, INT64_MAX - 1), ROLE_STEP_MORE);
    play_end(&play);
    config.active = true;
    for (size_t i = 0; i < COUNT(peers); i++) {
        enum role_step step;

        play_start(&play, &config);
        hear_part(&play, peers[i], 0, 0, 30);
        check_row(role_datagram_deadline(&play.datagram) == START_MS + FIRST_REPEAT_MS, "peer %zu, half of it", i);
        step = hear_hello(&play, peers[i]);
        check_row(step == (i == 0 ? ROLE_STEP_SERVER : i == 1 ? ROLE_STEP_CLIENT : ROLE_STEP_REFUSE), "peer %zu", i);
        check_row(role_datagram_deadline(&play.datagram) == ROLE_DATAGRAM_NEVER, "peer %zu", i);
        check_row(role_datagram_time(&play.datagram, START_MS + 100000) == step, "peer %zu", i);
        play_end(&play);
    }
}

/* Our hello as several datagrams, fragments, one with two records in it, numbered from 7 on. */
static size_t fragmented_hello(const struct play *play, struct buffer *queue)
{
    static uint8_t whole[DATAGRAM_SIZE], bytes[DATAGRAM_SIZE];
    size_t length = our_hello(play, whole, 0), at = 0;
    struct hellos_fragment part = {.type = 1, .message = whole + RECORD_HEADER + FRAGMENT_HEADER,
                                   .size = length - RECORD_HEADER - FRAGMENT_HEADER};

    part.length = 40;
    at = hellos_dtls_handshake(bytes, 7, &part);
    assert_true(datagrams_append(queue, bytes, at));
    part.offset = 40;
    at = hellos_dtls_handshake(bytes, 8, &part);
    part.offset = 80;
    part.length = part.size - 80;
    at += hellos_dtls_handshake(bytes + at, 9, &part);
    assert_true(datagrams_append(queue, bytes, at));
    return part.size;
}

/* The same words under numbers that were never used, as often as they are said. */
static void test_again(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    struct buffer ours = {0}, said = {0};
    uint64_t number = 10;
    struct play play;

    (void)state;
    play_start(&play, &config);
    fragmented_hello(&play, &ours);
    assert_true(role_datagram_our_hello(&play.datagram, &ours, START_MS));
    assert_true(datagrams_append(&said, "ahead", 5));
    for (unsigned i = 0; i < 300; i++)
        assert_true(role_datagram_again(&play.datagram, &said));
    assert_true(next_is(&said, (const uint8_t *)"ahead", 5));
    for (unsigned i = 0; i < 300; i++) {
        struct buffer left = {0};
        size_t length;

        assert_true(datagrams_append_all(&left, &ours));
        for (const uint8_t *bytes; (bytes = datagrams_first(&left, &length)); datagrams_drop_first(&left)) {
            uint8_t expected[512];
            size_t second = RECORD_HEADER + FRAGMENT_HEADER + 40; /* where another record may begin */

            memcpy(expected, bytes, length);
            expected[9] = (uint8_t)(number >> 8);
            expected[10] = (uint8_t)number++;
            if (length > second) {
                expected[second + 9] = (uint8_t)(number >> 8);
                expected[second + 10] = (uint8_t)number++;
            }
            check_row(next_is(&said, expected, length), "time %u", i);
        }
        buffer_free(&left);
    }
    assert_int_equal(buffer_used(&said), 0);
    assert_true(play.datagram.sequence == number);
    buffer_free(&ours);
    buffer_free(&said);
    play_end(&play);
}

static void test_our_hello_is_one(void **state)
{
    static const struct hellos lies = {.field = FIELD_EXTENSIONS, .lie = 1};
    const struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    static uint8_t bytes[DATAGRAM_SIZE], body[HELLOS_SIZE];
    struct hellos_fragment half = {.type = 1, .message = body, .length = 60};

    (void)state;
    half.size = hellos_dtls_body(body, &hellos_plain, 0, 0);
    for (unsigned row = 0; row < 6; row++) {
        struct buffer queue = {0};
        struct play play;
        size_t length;

        play_start(&play, &config);
        length = row == 0   ? hellos_dtls_make(bytes, &hellos_plain, 20, 0)
                 : row == 1 ? hellos_dtls_make(bytes, &lies, 0, 0)
                 : row == 2 ? hellos_dtls_server(bytes, 0)
                 : row == 3 ? hellos_dtls_handshake(bytes, 0, &half)
                            : hellos_dtls_alert(bytes, 0, 2, 80);
        assert_true(row == 5 || datagrams_append(&queue, bytes, length));
        check_row(role_datagram_our_hello(&play.datagram, &queue, 0) == (row == 0), "row %u", row);
        check_row(play.stream.said_hello == (row == 0), "row %u", row);
        buffer_free(&queue);
        play_end(&play);
    }
}

/* ---- Rule 2: fragments of a hello are put together by offset ---- */

static void check_rest_is_hello(struct play *play, const struct hellos *hellos, uint64_t sequence, const char *where)
{
    static uint8_t expected[DATAGRAM_SIZE];
    size_t length = hellos_dtls_make(expected, hellos, 0, sequence);

    check_row(play->stream.step == ROLE_STEP_SERVER, "%s", where);
    check_row(next_is(&play->datagram.rest, expected, length), "%s", where);
    check_row(buffer_used(&play->datagram.rest) == 0, "%s", where);
}

static void test_rule_2_every_split(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    static uint8_t body[HELLOS_SIZE];
    size_t size = hellos_dtls_body(body, &hellos_of_client, 0, 0);

    (void)state;
    for (size_t split = 1; split < size; split++)
        for (int later_first = 0; later_first < 2; later_first++) {
            const size_t starts[] = {0, split}, lengths[] = {split, size - split};
            struct play play;
            char where[64];
            enum role_step step;

            snprintf(where, sizeof where, "split at %zu, %d", split, later_first);
            play_start(&play, &config);
            step = hear_part(&play, &hellos_of_client, 4, starts[later_first], lengths[later_first]);
            check_row(step == ROLE_STEP_MORE, "%s", where);
            step = hear_part(&play, &hellos_of_client, 5, starts[!later_first], lengths[!later_first]);
            check_row(step == ROLE_STEP_SERVER, "%s", where);
            check_rest_is_hello(&play, &hellos_of_client, 5, where); /* one record, under the number of the one that completed it */
            play_end(&play);
        }
}

/* Pieces from anywhere to anywhere: decided with the last byte that was missing, and not before. */
static void test_rule_2_any_order(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_REQUIRE);
    static uint8_t body[HELLOS_SIZE];
    const size_t size = hellos_dtls_body(body, &hellos_of_server, 0, 0);
    uint32_t random = 3;

    (void)state;
    for (unsigned run = 0; run < 1000; run += (unsigned)stride(20)) {
        bool come[512] = {false};
        size_t missing = size;
        uint64_t number = 0;
        struct play play;

        play_start(&play, &config);
        while (missing) {
            size_t offset = next_random(&random) % size, length = 1 + next_random(&random) % 60;
            enum role_step step = hear_part(&play, &hellos_of_server, number++, offset, length);

            for (size_t at = offset; at < size && at < offset + length; at++) {
                missing -= !come[at];
                come[at] = true;
            }
            check_row(step == (missing ? ROLE_STEP_MORE : ROLE_STEP_CLIENT), "run %u, %zu missing", run, missing);
            check_row(play.asked == (missing ? 0 : 1), "run %u", run);
        }
        play_end(&play);
    }
}

static void test_rule_2_in_one_datagram(void **state)
{
    static uint8_t body[HELLOS_SIZE];
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    struct hellos_fragment part = {.type = 1, .message = body};

    (void)state;
    part.size = hellos_dtls_body(body, &hellos_of_client, 0, 0);
    for (int one_record = 0; one_record < 2; one_record++) {
        uint8_t bytes[1024], fragments[512];
        size_t length = 0, at = 0;
        struct play play;

        for (size_t i = 3; i-- > 0;) { /* backwards */
            part.offset = 40 * i;
            part.length = i == 2 ? part.size - 80 : 40;
            at += hellos_dtls_fragment(fragments + at, &part);
            length += hellos_dtls_handshake(bytes + length, 7 - i, &part);
        }
        if (one_record)
            length = hellos_dtls_record(bytes, 22, 7, fragments, at);
        play_start(&play, &config);
        check_row(hear(&play, bytes, length) == ROLE_STEP_SERVER, "%d", one_record);
        check_rest_is_hello(&play, &hellos_of_client, 7, "in one datagram");
        play_end(&play);
    }
}

/* A repeated hello has the same number; one that answers a HelloVerifyRequest has another, and is another. */
static void test_rule_2_two_hellos(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    static uint8_t bytes[DATAGRAM_SIZE];
    struct play play;

    (void)state;
    play_start(&play, &config);
    hear_part(&play, &hellos_of_server, 0, 0, 50);
    assert_int_equal(hear_part(&play, &hellos_of_client, 1, 50, SIZE_MAX), ROLE_STEP_MORE); /* not half of one and half of the other */
    assert_int_equal(hear(&play, bytes, hellos_dtls_make(bytes, &hellos_of_client, 20, 2)), ROLE_STEP_SERVER);
    assert_true(next_is(&play.datagram.rest, bytes, hellos_dtls_make(bytes, &hellos_of_client, 20, 2)));
    play_end(&play);
}

static void test_rule_2_bounded(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    struct hellos large = {.preference = "!", .preference_length = 1, .size = DTLS_MESSAGE_MAX + 3};
    static uint8_t bytes[DATAGRAM_SIZE];
    struct play play;

    (void)state;
    play_start(&play, &config);
    large.size++; /* with 4 bytes of a header that is not here, and one for a cookie that is */
    assert_int_equal(hear(&play, bytes, hellos_dtls_make(bytes, &large, 0, 0)), ROLE_STEP_MORE);
    large.size--;
    assert_int_equal(hear(&play, bytes, hellos_dtls_make(bytes, &large, 0, 0)), ROLE_STEP_SERVER);
    play_end(&play);
}

/* ---- Rule 3: a HelloVerifyRequest is answered, and decides nothing ---- */

static void test_rule_3_verify(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    uint8_t bytes[256], expected[512];
    struct buffer said = {0};
    struct play play;

    (void)state;
    play_start(&play, &config);
    for (unsigned i = 0; i < 8; i++) {
        check_row(hear(&play, bytes, hellos_dtls_verify(bytes, i)) == ROLE_STEP_VERIFY, "request %u", i);
        check_row(play.stream.step == ROLE_STEP_MORE, "request %u", i);
        play.cookie = 20 + i;
        say_hello(&play, i + 1);
        /* It is the one with the cookie that is repeated. */
        check_row(role_datagram_deadline(&play.datagram) == START_MS + FIRST_REPEAT_MS, "request %u", i);
        check_row(role_datagram_again(&play.datagram, &said), "request %u", i);
        check_row(next_is(&said, expected, our_hello(&play, expected, i + 2)), "request %u", i);
        check_row(buffer_used(&said) == 0, "request %u", i);
    }
    assert_int_equal(hear(&play, bytes, hellos_dtls_verify(bytes, 9)), ROLE_STEP_MORE); /* enough */
    assert_int_equal(hear_hello(&play, &hellos_of_client), ROLE_STEP_SERVER);
    assert_true(play.stream.symmetric);
    buffer_free(&said);
    play_end(&play);
}

static void test_rule_3_not_asked(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    uint8_t bytes[256];
    struct play play;

    (void)state;
    play_start(&play, &config);
    assert_int_equal(hear(&play, bytes, hellos_dtls_verify(bytes, 0)), ROLE_STEP_MORE);
    assert_false(play.datagram.understood);
    play_end(&play);
}

/* ---- Rule 4: a whole ClientHello decides; and what everything else does ---- */

enum {
    SERVER_HELLO = ARRIVES_ELSE,
    FATAL_ALERT,
    ALERT_OF_IDENTITY,
    WARNING_ALERT,
    CUT_ALERT,
    ENCRYPTED,
    OTHER_HANDSHAKE,
    GARBAGE,
    ARRIVES_COUNT
};

static const char *const arrives_names[] = {"hello of a client", "hello of a server", "plain hello", "ServerHello",
                                            "fatal alert", "alert about us", "warning", "cut alert", "encrypted",
                                            "other handshake message", "garbage"};

static size_t make_arrival(uint8_t *out, unsigned arrives)
{
    static const uint8_t zeros[40];
    const struct hellos_fragment other = {.type = 14, .message = zeros};

    switch (arrives) {
    case HELLO_OF_CLIENT:
        return hellos_dtls_make(out, &hellos_of_client, 0, 0);
    case HELLO_OF_SERVER:
        return hellos_dtls_make(out, &hellos_of_server, 0, 0);
    case HELLO_PLAIN:
        return hellos_dtls_make(out, &hellos_plain, 0, 0);
    case SERVER_HELLO:
        return hellos_dtls_server(out, 0);
    case FATAL_ALERT:
        return hellos_dtls_alert(out, 0, 2, 70);
    case ALERT_OF_IDENTITY:
        return hellos_dtls_alert(out, 0, 2, ALERT_UNKNOWN_CA);
    case WARNING_ALERT:
        return hellos_dtls_alert(out, 0, 1, 70);
    case CUT_ALERT:
        return hellos_dtls_record(out, 21, 0, "\2", 1);
    case ENCRYPTED:
        return hellos_dtls_record(out, 21, 1ULL << EPOCH_1_SHIFT, "\2\50", 2);
    case OTHER_HANDSHAKE:
        return hellos_dtls_handshake(out, 0, &other);
    default:
        memcpy(out, "GET / HTTP/1.1\r\n\r\n", 18);
        return 18;
    }
}

static const struct role_rule rules[] = {
    {SERVER_HELLO, ACTIVE, ALL - SERVER, ALLOW, ROLE_STEP_CLIENT, ROLE_BY_PLAIN_SERVER, 0, -1, 0}, /* rule 6 */
    {SERVER_HELLO, ACTIVE, SERVER, ALLOW, ROLE_STEP_REFUSE, 0, ROLE_REASON_SERVER_UNWANTED, 40, 5},
    {SERVER_HELLO, ACTIVE, ALL, REQUIRE, ROLE_STEP_MORE, 0, 0, -1, 0},
    {SERVER_HELLO, PASSIVE, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},

    {FATAL_ALERT, ACTIVE, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_ALERT, -1, 4},
    {ALERT_OF_IDENTITY, ACTIVE, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_ALERT, -1, 8},
    {FATAL_ALERT, PASSIVE, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0}, /* we have said nothing that it could be about */
    {ALERT_OF_IDENTITY, PASSIVE, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},
    {WARNING_ALERT, BOTH, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},
    {CUT_ALERT, BOTH, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},
    {ENCRYPTED, BOTH, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},
    {OTHER_HANDSHAKE, BOTH, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},
    {GARBAGE, BOTH, ALL, EITHER, ROLE_STEP_MORE, 0, 0, -1, 0},
};

static void check_rule(const struct role_rule *rule, bool active, enum role_want want, enum role_symmetric symmetric)
{
    struct role_config config = config_of(want, active, symmetric);
    bool is_hello = rule->arrives == HELLO_OF_CLIENT || rule->arrives == HELLO_OF_SERVER;
    static uint8_t bytes[DATAGRAM_SIZE];
    size_t length = make_arrival(bytes, rule->arrives);
    const struct role_stream *stream;
    struct play play;
    char where[128];

    snprintf(where, sizeof where, "%s, %s, %s, %s", arrives_names[rule->arrives], active ? "active" : "passive",
             want_names[want], symmetric ? "require" : "allow");
    play_start(&play, &config);
    stream = &play.stream;
    check_row(hear(&play, bytes, length) == rule->step && stream->step == rule->step, "%s", where);
    check_row(stream->reason == rule->reason && stream->alert == rule->alert, "%s", where);
    check_row(rule->step != ROLE_STEP_REFUSE || role_status(stream) == rule->status, "%s", where);
    check_row(play.asked == (active || is_hello), "%s", where);
    if (rule->step == ROLE_STEP_CLIENT || rule->step == ROLE_STEP_SERVER) {
        check_row(stream->decided_by == rule->by && stream->symmetric == is_hello, "%s", where);
        check_row(stream->symmetric_unknown == (rule->arrives == SERVER_HELLO), "%s", where);
    }
    check_row(stream->peer_is_explicit == is_hello, "%s", where);
    check_row(stream->peer.length == (is_hello ? (rule->arrives == HELLO_OF_CLIENT ? 1 : 32) : 0), "%s", where);
    check_row(stream->peer_alert == (rule->reason != ROLE_REASON_ALERT ? ROLE_NO_ALERT
                                     : rule->arrives == FATAL_ALERT    ? 70
                                                                       : ALERT_UNKNOWN_CA),
              "%s", where);
    check_row(play.datagram.strange == (rule->arrives == GARBAGE), "%s", where);
    check_row(play.datagram.understood == (is_hello || rule->arrives == HELLO_PLAIN ||
                                           (active && (rule->arrives == SERVER_HELLO || rule->reason == ROLE_REASON_ALERT))),
              "%s", where);
    /* A server reads the hello, a client nothing of it, but the ServerHello. */
    if (rule->step == ROLE_STEP_SERVER || (rule->step == ROLE_STEP_CLIENT && !is_hello))
        check_row(next_is(&play.datagram.rest, bytes, length), "%s", where);
    check_row(buffer_used(&play.datagram.rest) == 0, "%s", where);
    play_end(&play);
}

static void test_rule_4_and_all_others(void **state)
{
    (void)state;
    role_rules_check(rules, COUNT(rules), ARRIVES_COUNT, check_rule);
}

static void test_rule_4_bad_hello(void **state)
{
    static const struct {
        const char *what;
        struct hellos peer;
        enum role_reason reason;
        int alert;
    } rows[] = {
        {"empty", {.preference = "", .preference_length = 0}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"33 bytes", {.preference = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", .preference_length = 33},
         ROLE_REASON_BAD_PREFERENCE, 47},
        {"a space", {.preference = "a b", .preference_length = 3}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"twice", {.preference = "a", .preference_length = 1, .twice = true}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"extensions too long", {.field = FIELD_EXTENSIONS, .lie = 1}, ROLE_REASON_BAD_HELLO, 50},
        {"session id too long", {.field = FIELD_SESSION_ID, .lie = 1}, ROLE_REASON_BAD_HELLO, 50},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int active = 0; active < 2; active++) {
            struct role_config config = config_of(ROLE_WANT_ANY, active, ROLE_SYMMETRIC_ALLOW);
            struct play play;

            play_start(&play, &config);
            check_row(hear_hello(&play, &rows[i].peer) == ROLE_STEP_REFUSE, "%s", rows[i].what);
            check_row(play.stream.reason == rows[i].reason && play.stream.alert == rows[i].alert, "%s", rows[i].what);
            check_row(play.asked == (active ? 1 : 0), "%s", rows[i].what); /* nothing of ours for nonsense */
            play_end(&play);
        }
}

/* Our own hello comes back: a tie, which is what defeats a reflector. */
static void test_rule_4_reflected(void **state)
{
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    uint8_t bytes[512];

    (void)state;
    for (int implicit = 0; implicit < 2; implicit++) {
        struct play play;

        config.implicit = implicit;
        play_start(&play, &config);
        assert_int_equal(hear(&play, bytes, our_hello(&play, bytes, 0)), ROLE_STEP_REFUSE);
        assert_int_equal(play.stream.reason, ROLE_REASON_TIE);
        play_end(&play);
    }
}

static void test_never(void **state)
{
    static const struct {
        enum role_want want;
        unsigned arrives;
        enum role_step step;
        enum role_reason reason;
        int alert;
        enum status status;
    } rows[] = {
        {ROLE_WANT_CLIENT, SERVER_HELLO, ROLE_STEP_CLIENT, 0, -1, 0},
        {ROLE_WANT_CLIENT, HELLO_PLAIN, ROLE_STEP_REFUSE, ROLE_REASON_TWO_CLIENTS, 10, 5},
        {ROLE_WANT_CLIENT, HELLO_OF_SERVER, ROLE_STEP_REFUSE, ROLE_REASON_TWO_CLIENTS, 10, 5},
        {ROLE_WANT_CLIENT, ALERT_OF_IDENTITY, ROLE_STEP_REFUSE, ROLE_REASON_ALERT, -1, 8},
        {ROLE_WANT_CLIENT, GARBAGE, ROLE_STEP_MORE, 0, -1, 0},
        {ROLE_WANT_SERVER, HELLO_PLAIN, ROLE_STEP_SERVER, 0, -1, 0},
        {ROLE_WANT_SERVER, HELLO_OF_CLIENT, ROLE_STEP_SERVER, 0, -1, 0},
        {ROLE_WANT_SERVER, HELLO_OF_SERVER, ROLE_STEP_SERVER, 0, -1, 0},
        {ROLE_WANT_SERVER, SERVER_HELLO, ROLE_STEP_MORE, 0, -1, 0},
        {ROLE_WANT_SERVER, FATAL_ALERT, ROLE_STEP_MORE, 0, -1, 0},
    };
    static uint8_t bytes[DATAGRAM_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct role_config config = config_of(rows[i].want, rows[i].want == ROLE_WANT_CLIENT, ROLE_SYMMETRIC_NEVER);
        size_t length = make_arrival(bytes, rows[i].arrives);
        struct play play;

        play_start(&play, &config);
        check_row(hear(&play, bytes, length) == rows[i].step, "row %zu", i);
        check_row(play.stream.reason == rows[i].reason && play.stream.alert == rows[i].alert, "row %zu", i);
        check_row(rows[i].step != ROLE_STEP_REFUSE || role_status(&play.stream) == rows[i].status, "row %zu", i);
        check_row(!play.stream.symmetric && !play.stream.symmetric_unknown && play.stream.peer.length == 0, "row %zu", i);
        if (rows[i].step == ROLE_STEP_CLIENT || rows[i].step == ROLE_STEP_SERVER) {
            check_row(play.stream.decided_by == ROLE_BY_OPTION, "row %zu", i);
            check_row(next_is(&play.datagram.rest, bytes, length), "row %zu", i);
        }
        play_end(&play);
    }
}

/* Plain DTLS on request: a hello that comes later teaches nothing. */
static void test_never_learns(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_CLIENT, true, ROLE_SYMMETRIC_NEVER);
    uint8_t bytes[512];
    struct buffer input = {0};
    struct play play;

    (void)state;
    play_start(&play, &config);
    assert_int_equal(hear_server(&play), ROLE_STEP_CLIENT);
    assert_int_equal(filter(&play, bytes, hellos_dtls_make(bytes, &hellos_of_server, 0, 0), false, &input), ROLE_HEARD_HELLO);
    assert_false(play.stream.symmetric || play.stream.symmetric_unknown);
    assert_int_equal(play.stream.decided_by, ROLE_BY_OPTION);
    buffer_free(&input);
    play_end(&play);
}

/* --implicit: the last 28 bytes of a Random stand in for a missing value. */
static void test_implicit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROLE_IMPLICITS; i++)
        for (int active = 0; active < 2; active++) {
            struct role_config config = config_of(ROLE_WANT_ANY, active, active ? ROLE_SYMMETRIC_REQUIRE : 0);
            struct play play;

            config.implicit = true;
            play_start(&play, &config);
            check_row(hear_hello(&play, &role_implicits[i].peer) == role_implicits[i].step, "row %zu", i);
            check_row(play.asked == 1, "row %zu, active %d", i, active);
            role_implicit_check(&play.stream, i);
            play_end(&play);
        }
}

/* ---- Rule 6: a ServerHello comes first ---- */

/* Records of a server's flight: number 1 is its ServerHello. */
static size_t make_flight(uint8_t *out, unsigned number)
{
    static const uint8_t certificate[300];
    const struct hellos_fragment part = {.type = 11, .message_seq = 2, .message = certificate, .size = 300, .length = 300};

    return number == 1 ? hellos_dtls_server(out, 1) : hellos_dtls_handshake(out, number, &part);
}

static void test_rule_6_require(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    static const unsigned orders[][3] = {{1, 2, 3}, {3, 1, 2}, {2, 3, 1}};
    uint8_t bytes[1024];

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct play play;
        size_t length;

        play_start(&play, &config);
        for (size_t j = 0; j < 3; j++)
            check_row(hear(&play, bytes, make_flight(bytes, orders[i][j])) == ROLE_STEP_MORE, "order %zu", i);
        check_row(!play.stream.symmetric_unknown, "order %zu", i);
        check_row(role_datagram_deadline(&play.datagram) != ROLE_DATAGRAM_NEVER, "order %zu", i); /* rule 1 goes on */

        /* The hello comes, and in its datagram more of the flight: nothing of what came early has to be said again. */
        length = hellos_dtls_make(bytes, &hellos_of_server, 0, 7);
        length += make_flight(bytes + length, 4);
        check_row(hear(&play, bytes, length) == ROLE_STEP_CLIENT, "order %zu", i);
        check_row(play.stream.symmetric && !play.stream.symmetric_unknown, "order %zu", i);
        check_row(play.stream.decided_by == ROLE_BY_EXTENSION, "order %zu", i);
        for (size_t j = 0; j < 3; j++)
            check_row(next_is(&play.datagram.rest, bytes, make_flight(bytes, orders[i][j])), "order %zu, %zu", i, j);
        check_row(next_is(&play.datagram.rest, bytes, make_flight(bytes, 4)), "order %zu", i);
        check_row(buffer_used(&play.datagram.rest) == 0 && buffer_used(&play.datagram.held) == 0, "order %zu", i);
        play_end(&play);
    }
}

/* What was held is no server's input, and is not there before we have said anything. */
static void test_rule_6_held_in_vain(void **state)
{
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    uint8_t bytes[1024];
    struct play play;

    (void)state;
    play_start(&play, &config);
    hear(&play, bytes, make_flight(bytes, 2));
    assert_true(buffer_used(&play.datagram.held) > 0);
    assert_int_equal(hear_hello(&play, &hellos_of_client), ROLE_STEP_SERVER);
    check_rest_is_hello(&play, &hellos_of_client, 0, "a flight and then a client");
    play_end(&play);

    config.active = false;
    play_start(&play, &config);
    for (unsigned i = 1; i < 4; i++)
        hear(&play, bytes, make_flight(bytes, i));
    assert_int_equal(buffer_used(&play.datagram.held), 0);
    assert_int_equal(hear_hello(&play, &hellos_of_server), ROLE_STEP_CLIENT);
    assert_int_equal(buffer_used(&play.datagram.rest), 0);
    play_end(&play);
}

static void test_rule_6_held_is_bounded(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    uint8_t bytes[1024];
    struct play play;
    unsigned kept = 0;

    (void)state;
    play_start(&play, &config);
    for (unsigned i = 1; i <= 1000; i++) /* hellos take no room in it, ... */
        hear_part(&play, &hellos_of_server, i, 0, 60);
    assert_int_equal(buffer_used(&play.datagram.held), 0);
    for (unsigned i = 1; i <= 1000; i++)
        hear(&play, bytes, make_flight(bytes, i));
    assert_in_range(buffer_used(&play.datagram.held), 12000, 16384 + 2);
    assert_int_equal(hear_hello(&play, &hellos_of_server), ROLE_STEP_CLIENT);
    while (next_is(&play.datagram.rest, bytes, make_flight(bytes, kept + 1)))
        kept++;
    assert_in_range(kept, 40, 100); /* ... and of the flight it is the beginning that is kept */
    assert_int_equal(buffer_used(&play.datagram.rest), 0);
    play_end(&play);
}

/* Allowed: we go on as its client, and don't know; what comes with and ahead of the ServerHello is read. */
static void test_rule_6_allow(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    uint8_t bytes[1024];
    struct play play;
    size_t length;

    (void)state;
    play_start(&play, &config);
    assert_int_equal(hear(&play, bytes, make_flight(bytes, 2)), ROLE_STEP_MORE);
    length = make_flight(bytes, 1);
    length += make_flight(bytes + length, 3);
    assert_int_equal(hear(&play, bytes, length), ROLE_STEP_CLIENT);
    assert_true(play.stream.symmetric_unknown && !play.stream.symmetric);
    assert_int_equal(play.stream.decided_by, ROLE_BY_PLAIN_SERVER);
    assert_int_equal(play.stream.peer.length, 0);
    assert_true(next_is(&play.datagram.rest, bytes, make_flight(bytes, 2)));
    assert_true(next_is(&play.datagram.rest, bytes, make_flight(bytes, 1)));
    assert_true(next_is(&play.datagram.rest, bytes, make_flight(bytes, 3)));
    assert_int_equal(buffer_used(&play.datagram.rest), 0);
    play_end(&play);
}

/* What a client that does not know learns from a hello that comes later. */
static void test_rule_6_learns(void **state)
{
    static const struct hellos inconsistent = {.preference = "\"", .preference_length = 1}; /* that would be a client */
    static const struct hellos malformed = {.field = FIELD_EXTENSIONS, .lie = 1}, bad = {.preference = ""};
    static const struct hellos above = {.random = 0x56}, below = {.random = 0x54}, ours = {.random = 0x55};
    static const struct {
        const char *what;
        const struct hellos *peer;
        bool implicit, handshake_over, learned;
    } rows[] = {
        {"a server", &hellos_of_server, false, false, true},        {"after the handshake", &hellos_of_server, false, true, false},
        {"a client", &hellos_of_client, false, false, false},        {"one below ours", &inconsistent, false, false, false},
        {"no preference", &hellos_plain, false, false, false}, {"malformed", &malformed, false, false, false},
        {"empty value", &bad, false, false, false},     {"implicit", &above, true, false, true},
        {"implicit, below", &below, true, false, false}, {"implicit, a tie", &ours, true, false, false},
        {"implicit and explicit", &hellos_of_server, true, false, true},
    };
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    static uint8_t bytes[DATAGRAM_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer input = {0};
        struct play play;

        config.implicit = rows[i].implicit;
        play_start(&play, &config);
        hear_server(&play);
        check_row(play.stream.symmetric_unknown, "%s", rows[i].what);
        check_row(filter(&play, bytes, hellos_dtls_make(bytes, rows[i].peer, 0, 0), rows[i].handshake_over, &input) ==
                      (rows[i].handshake_over ? ROLE_HEARD_NOTHING : ROLE_HEARD_HELLO),
                  "%s", rows[i].what);
        check_row(play.stream.step == ROLE_STEP_CLIENT, "%s", rows[i].what);
        check_row(play.stream.symmetric == rows[i].learned, "%s", rows[i].what);
        check_row(play.stream.symmetric_unknown == !rows[i].learned, "%s", rows[i].what);
        check_row(play.stream.decided_by == (!rows[i].learned    ? ROLE_BY_PLAIN_SERVER
                                             : rows[i].implicit ? ROLE_BY_IMPLICIT
                                                                : ROLE_BY_EXTENSION),
                  "%s", rows[i].what);
        check_row(play.stream.peer_is_explicit == (rows[i].learned && rows[i].peer == &hellos_of_server), "%s", rows[i].what);
        check_row((play.stream.peer.length > 0) == rows[i].learned, "%s", rows[i].what);
        check_row(buffer_used(&input) == 0, "%s", rows[i].what); /* rule 7 */
        buffer_free(&input);
        play_end(&play);
    }
}

/* It learns from fragments too, the first of which came when it was undecided; and from the ServerHello's own datagram. */
static void test_rule_6_learns_from_pieces(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    static uint8_t body[HELLOS_SIZE], bytes[DATAGRAM_SIZE];
    struct hellos_fragment part = {.type = 1, .message = body, .offset = 50};
    struct buffer input = {0};
    struct play play;
    size_t length;

    (void)state;
    part.size = hellos_dtls_body(body, &hellos_of_server, 0, 0);
    part.length = part.size - 50;
    play_start(&play, &config);
    hear_part(&play, &hellos_of_server, 0, 0, 50);
    hear_server(&play);
    assert_true(play.stream.symmetric_unknown);
    filter(&play, bytes, hellos_dtls_handshake(bytes, 1, &part), false, &input);
    assert_true(play.stream.symmetric && !play.stream.symmetric_unknown);
    play_end(&play);

    play_start(&play, &config);
    length = hellos_dtls_server(bytes, 1);
    length += hellos_dtls_make(bytes + length, &hellos_of_server, 0, 2);
    assert_int_equal(hear(&play, bytes, length), ROLE_STEP_CLIENT);
    assert_true(play.stream.symmetric && !play.stream.symmetric_unknown);
    assert_true(next_is(&play.datagram.rest, bytes, hellos_dtls_server(bytes, 1)));
    assert_int_equal(buffer_used(&play.datagram.rest), 0);
    play_end(&play);
    buffer_free(&input);
}

/* ---- Rules 7 and 8, and what is let through once the handshake is over ---- */

enum { HELLO = 1, SERVERS, ALERT, CIPHER, HELLO_1, DATA_1, RUBBISH }; /* records; _1: encrypted */

static size_t make_record(uint8_t *out, int kind)
{
    switch (kind) {
    case HELLO:
        return hellos_dtls_make(out, &hellos_of_server, 0, 3);
    case SERVERS:
        return hellos_dtls_server(out, 4);
    case ALERT:
        return hellos_dtls_alert(out, 5, 2, 40);
    case CIPHER:
        return hellos_dtls_record(out, 20, 6, "\1", 1);
    case HELLO_1: /* it only looks like one: it is encrypted */
        return hellos_dtls_record(out, 22, 1ULL << EPOCH_1_SHIFT | 7, "\1\0\0\0\0\0\0\0\0\0\0\0", 12);
    case DATA_1:
        return hellos_dtls_record(out, 23, 1ULL << EPOCH_1_SHIFT | 8, "secret", 6);
    default:
        memcpy(out, "\x16\x03\x03zzzzzzzzzzzzzzz", 18);
        return 18;
    }
}

static void test_filter(void **state)
{
    static const struct {
        int records[6];
        struct outcome {
            enum role_heard heard;
            int through[6];
        } client, server, over; /* while the handshake lasts, and then in both roles */
    } rows[] = {
        {{HELLO}, {ROLE_HEARD_HELLO, {0}}, {ROLE_HEARD_HELLO, {HELLO}}, {ROLE_HEARD_NOTHING, {0}}},
        {{HELLO, HELLO}, {ROLE_HEARD_HELLO, {0}}, {ROLE_HEARD_HELLO, {HELLO, HELLO}}, {ROLE_HEARD_NOTHING, {0}}},
        {{SERVERS}, {ROLE_HEARD_MORE, {SERVERS}}, {ROLE_HEARD_MORE, {SERVERS}}, {ROLE_HEARD_NOTHING, {0}}},
        {{SERVERS, HELLO, CIPHER}, {ROLE_HEARD_MORE, {SERVERS, CIPHER}}, {ROLE_HEARD_MORE, {SERVERS, HELLO, CIPHER}},
         {ROLE_HEARD_NOTHING, {0}}},
        {{HELLO, SERVERS}, {ROLE_HEARD_MORE, {SERVERS}}, {ROLE_HEARD_MORE, {HELLO, SERVERS}}, {ROLE_HEARD_NOTHING, {0}}},
        {{SERVERS, HELLO}, {ROLE_HEARD_MORE, {SERVERS}}, {ROLE_HEARD_MORE, {SERVERS, HELLO}}, {ROLE_HEARD_NOTHING, {0}}},
        {{ALERT}, {ROLE_HEARD_MORE, {ALERT}}, {ROLE_HEARD_MORE, {ALERT}}, {ROLE_HEARD_NOTHING, {0}}},
        {{HELLO_1}, {ROLE_HEARD_MORE, {HELLO_1}}, {ROLE_HEARD_MORE, {HELLO_1}}, {ROLE_HEARD_MORE, {HELLO_1}}},
        {{CIPHER, HELLO_1, ALERT, HELLO, DATA_1},
         {ROLE_HEARD_MORE, {CIPHER, HELLO_1, ALERT, DATA_1}},
         {ROLE_HEARD_MORE, {CIPHER, HELLO_1, ALERT, HELLO, DATA_1}},
         {ROLE_HEARD_MORE, {HELLO_1, DATA_1}}},
        {{DATA_1, RUBBISH, DATA_1}, {ROLE_HEARD_MORE, {DATA_1}}, {ROLE_HEARD_MORE, {DATA_1}}, {ROLE_HEARD_MORE, {DATA_1}}},
        {{RUBBISH}, {ROLE_HEARD_NOTHING, {0}}, {ROLE_HEARD_NOTHING, {0}}, {ROLE_HEARD_NOTHING, {0}}},
        {{0}, {ROLE_HEARD_NOTHING, {0}}, {ROLE_HEARD_NOTHING, {0}}, {ROLE_HEARD_NOTHING, {0}}},
    };
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int is_server = 0; is_server < 2; is_server++)
            for (int over = 0; over < 2; over++) {
                const struct outcome *expected = over ? &rows[i].over : is_server ? &rows[i].server : &rows[i].client;
                uint8_t bytes[2048], record[512];
                struct buffer input = {0};
                size_t length = 0;
                struct play play;
                char where[64];

                snprintf(where, sizeof where, "row %zu, server %d, over %d", i, is_server, over);
                for (size_t j = 0; rows[i].records[j]; j++)
                    length += make_record(bytes + length, rows[i].records[j]);
                play_start(&play, &config);
                hear_hello(&play, is_server ? &hellos_of_client : &hellos_of_server);
                check_row(play.stream.step == (is_server ? ROLE_STEP_SERVER : ROLE_STEP_CLIENT), "%s", where);
                check_row(filter(&play, bytes, length, over, &input) == expected->heard, "%s", where);
                for (size_t j = 0; expected->through[j]; j++) /* each record for itself */
                    check_row(next_is(&input, record, make_record(record, expected->through[j])), "%s, %zu", where, j);
                check_row(buffer_used(&input) == 0, "%s", where);
                check_row(play.stream.symmetric && !play.stream.symmetric_unknown, "%s", where);
                buffer_free(&input);
                play_end(&play);
            }
}

/* A client strikes fragments of a hello one by one, too. */
static void test_filter_fragments(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    static uint8_t body[HELLOS_SIZE];
    struct hellos_fragment part = {.type = 1, .message = body, .offset = 60, .length = 5};
    struct buffer input = {0};
    uint8_t bytes[256];
    struct play play;

    (void)state;
    part.size = hellos_dtls_body(body, &hellos_of_server, 0, 0);
    play_start(&play, &config);
    hear_hello(&play, &hellos_of_server);
    assert_int_equal(filter(&play, bytes, hellos_dtls_handshake(bytes, 9, &part), false, &input), ROLE_HEARD_HELLO);
    assert_int_equal(buffer_used(&input), 0);
    buffer_free(&input);
    play_end(&play);
}

/* ---- Garbage, and a flood of it ---- */

static void test_strange(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        unsigned strange;
    } rows[] = {
        {"", 0, 1},
        {"\0", 1, 1},
        {"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0", 12, 1},
        {"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\0", 13, 0}, /* a record, if an empty one */
        {"\x16\x03\x03\0\0\0\0\0\0\0\0\0\0", 13, 1},
        {"\x17\xfe\xfd\0\1\0\0\0\0\0\0\0\1x", 14, 0},
        {"\x17\xfe\xfd\0\1\0\0\0\0\0\0\0\1xyz", 16, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int active = 0; active < 2; active++) {
            const struct role_config config = config_of(ROLE_WANT_ANY, active, ROLE_SYMMETRIC_ALLOW);
            struct play play;

            play_start(&play, &config);
            for (unsigned j = 1; j < 4; j++) {
                check_row(hear(&play, (const uint8_t *)rows[i].bytes, rows[i].length) == ROLE_STEP_MORE, "row %zu", i);
                check_row(play.datagram.strange == j * rows[i].strange, "row %zu", i);
            }
            check_row(!play.datagram.understood && play.datagram.round_trip_ms == -1, "row %zu", i);
            check_row(hear_hello(&play, &hellos_of_client) == ROLE_STEP_SERVER, "row %zu", i);
            play_end(&play);
        }
}

/* A good datagram with any bit changed: no, or not yet, or the role that it would have led to. */
static void test_tampered(void **state)
{
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    static uint8_t bytes[DATAGRAM_SIZE];
    size_t length = hellos_dtls_make(bytes, &hellos_of_client, 0, 0);

    (void)state;
    for (size_t at = 0; at < length; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct play play;
            enum role_step step;

            bytes[at] ^= (uint8_t)(1U << bit);
            play_start(&play, &config);
            step = hear(&play, bytes, length);
            /* Its last byte is the value: it may have become one of somebody greater. */
            check_row(step != ROLE_STEP_CLIENT || at == length - 1, "byte %zu, bit %u", at, bit);
            check_row(step != ROLE_STEP_VERIFY || at == RECORD_HEADER, "byte %zu, bit %u", at, bit);
            check_row(play.asked == 1, "byte %zu, bit %u", at, bit);
            play_end(&play);
            bytes[at] ^= (uint8_t)(1U << bit);
        }
}

/* ---- The round trip ---- */

static void test_round_trip(void **state)
{
    static const struct {
        const char *what;
        unsigned first; /* 7 ms after our hello */
        bool repeated;      /* we had said it twice */
        int64_t round_trip_ms;
    } rows[] = {
        {"a hello, which may have crossed ours", HELLO_OF_CLIENT, false, -1}, {"a ServerHello", SERVER_HELLO, false, 7},
        {"an alert", FATAL_ALERT, false, 7},       {"a hello, repeated", HELLO_OF_SERVER, true, -1},
        {"garbage", GARBAGE, false, -1},           {"a warning", WARNING_ALERT, false, -1},
        {"encrypted", ENCRYPTED, false, -1},       {"a ServerHello, repeated", SERVER_HELLO, true, -1},
    };
    const struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    static uint8_t bytes[DATAGRAM_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct play play;

        play_start(&play, &config);
        assert_int_equal(play.datagram.round_trip_ms, -1);
        if (rows[i].repeated)
            assert_int_equal(role_datagram_time(&play.datagram, START_MS + FIRST_REPEAT_MS), ROLE_STEP_REPEAT);
        play.now = START_MS + (rows[i].repeated ? FIRST_REPEAT_MS : 0) + 7;
        hear(&play, bytes, make_arrival(bytes, rows[i].first));
        check_row(play.datagram.round_trip_ms == rows[i].round_trip_ms, "%s", rows[i].what);
        play_end(&play);
    }
}

/* It is the first answer that says it; and a passive end, which has asked nothing, does not know. */
static void test_round_trip_once(void **state)
{
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    uint8_t bytes[512];
    struct play play;

    (void)state;
    play_start(&play, &config);
    play.now += 9;
    hear(&play, bytes, hellos_dtls_verify(bytes, 0));
    assert_int_equal(play.datagram.round_trip_ms, 9);
    play.cookie = 20;
    say_hello(&play, 1);
    play.now += 30;
    hear_server(&play);
    hear_hello(&play, &hellos_of_server);
    assert_int_equal(play.datagram.round_trip_ms, 9);
    play_end(&play);

    config.active = false;
    play_start(&play, &config);
    play.now += 9;
    assert_int_equal(hear_hello(&play, &hellos_of_server), ROLE_STEP_CLIENT);
    assert_int_equal(play.datagram.round_trip_ms, -1);
    play_end(&play);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_1_repeats),
        cmocka_unit_test(test_rule_1_late),
        cmocka_unit_test(test_rule_1_ends),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_our_hello_is_one),
        cmocka_unit_test(test_rule_2_every_split),
        cmocka_unit_test(test_rule_2_any_order),
        cmocka_unit_test(test_rule_2_in_one_datagram),
        cmocka_unit_test(test_rule_2_two_hellos),
        cmocka_unit_test(test_rule_2_bounded),
        cmocka_unit_test(test_rule_3_verify),
        cmocka_unit_test(test_rule_3_not_asked),
        cmocka_unit_test(test_rule_4_and_all_others),
        cmocka_unit_test(test_rule_4_bad_hello),
        cmocka_unit_test(test_rule_4_reflected),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_never_learns),
        cmocka_unit_test(test_implicit),
        cmocka_unit_test(test_rule_6_require),
        cmocka_unit_test(test_rule_6_held_in_vain),
        cmocka_unit_test(test_rule_6_held_is_bounded),
        cmocka_unit_test(test_rule_6_allow),
        cmocka_unit_test(test_rule_6_learns),
        cmocka_unit_test(test_rule_6_learns_from_pieces),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filter_fragments),
        cmocka_unit_test(test_strange),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
