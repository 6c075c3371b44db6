/* fuzz_datagram.c - anything arrives in datagrams, with time in between, for any configuration; and then anything more, once
 * the role is decided.
 *
 * The first byte is the configuration. Then come events: a byte that says what, one that says how much time has passed (in
 * units of 8 ms), and for what is 0 to 3 a datagram: its length in two bytes, and its bytes. 4 to 9 are datagrams that we
 * make, so that what lies behind a decision is found soon. */
#include "datagrams.h"
#include "fuzzing.h"
#include "role_datagram.h"
#include "../unit/hellos_dtls.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_REPEAT_MS = 50, HELD_MOST = 16384 + 2, VERIFIED_MOST = 8 };

struct play {
    struct role_stream stream;
    struct role_datagram datagram;
    struct wire events;
    unsigned asked, verified;
    size_t cookie;
    int64_t now;
};

/* ---- What a user of the core does ---- */

static void give_hello(struct play *play)
{
    const struct hellos hellos = hellos_ours(&play->stream.config, 'U');
    struct buffer queue = {0};
    uint8_t record[1024];

    must(datagrams_append(&queue, record, hellos_dtls_make(record, &hellos, play->cookie, play->datagram.sequence)));
    must(role_datagram_our_hello(&play->datagram, &queue, play->now));
    must(play->stream.step == ROLE_STEP_MORE && play->stream.said_hello);
    buffer_free(&queue);
}

/* The same words, and numbers that were never used. */
static void check_again(struct play *play)
{
    uint64_t before = play->datagram.sequence;
    struct buffer said = {0};
    struct wire ours, now;
    struct dtls_record first, second;
    const uint8_t *bytes;
    size_t length, ours_length;

    must(role_datagram_again(&play->datagram, &said));
    bytes = datagrams_first(&said, &length);
    ours = wire_from(datagrams_first(&play->datagram.hello, &ours_length), ours_length);
    must(bytes && length == ours_length);
    now = wire_from(bytes, length);
    must(dtls_next_record(&ours, &first) && dtls_next_record(&now, &second));
    must(second.epoch == 0 && second.sequence == before && play->datagram.sequence == before + 1);
    must(memcmp(first.body.at, second.body.at, second.body.left) == 0);
    buffer_free(&said);
}

static enum role_step follow(struct play *play, enum role_step step)
{
    if (step == ROLE_STEP_HELLO) {
        must(++play->asked == 1);
        give_hello(play);
        step = role_datagram_next(&play->datagram);
    } else if (step == ROLE_STEP_VERIFY) {
        must(play->stream.said_hello && ++play->verified <= VERIFIED_MOST);
        play->cookie = 20;
        give_hello(play);
    } else if (step == ROLE_STEP_REPEAT) {
        must(play->stream.said_hello);
        check_again(play);
    }
    return play->stream.step;
}

/* The next datagram into memory of its own; NULL: there are no more events. */
static uint8_t *next_datagram(struct play *play, size_t *length)
{
    static const struct hellos plain = {.random = 0xff};
    static const struct hellos *const hellos[] = {&hellos_of_client, &hellos_of_server, &plain};
    static uint8_t made[DATAGRAM_SIZE];
    uint8_t what = wire_u8(&play->events) % 10;
    struct wire taken;

    play->now += 8 * wire_u8(&play->events);
    if (play->events.failed)
        return NULL;
    if (what >= 4 && what < 7)
        *length = hellos_dtls_make(made, hellos[what - 4], 0, 1);
    else if (what == 7)
        *length = hellos_dtls_server(made, 2);
    else if (what == 8)
        *length = hellos_dtls_verify(made, 3);
    else if (what == 9)
        *length = hellos_dtls_record(made, DTLS_APPLICATION_DATA, 1ULL << 48 | 4, "data", 4);
    else {
        size_t size = wire_u16(&play->events);

        taken = wire_take(&play->events, size < play->events.left ? size : play->events.left);
        *length = taken.left;
        return hellos_exactly(taken.at, taken.left);
    }
    return hellos_exactly(made, *length);
}

/* ---- What has to be ---- */

static bool is_hello(const struct dtls_record *record)
{
    return record->epoch == 0 && record->type == DTLS_HANDSHAKE && record->body.left &&
           record->body.at[0] == HANDSHAKE_CLIENT_HELLO;
}

/* A queue for the session: a record a datagram; no hello for a client, nothing in the clear once the handshake is over. */
static void check_input(const struct play *play, struct buffer *input, bool handshake_over)
{
    const uint8_t *bytes;
    size_t length;

    for (; (bytes = datagrams_first(input, &length)); datagrams_drop_first(input)) {
        struct wire wire = wire_from(bytes, length);
        struct dtls_record record;

        must(dtls_next_record(&wire, &record) && wire_done(&wire));
        must(!handshake_over || record.epoch > 0);
        must(play->stream.step == ROLE_STEP_SERVER || !is_hello(&record));
    }
}

/* A server reads one whole hello, and it is one. */
static void check_server(struct play *play)
{
    size_t length, size;
    const uint8_t *bytes = datagrams_first(&play->datagram.rest, &length);
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;
    struct dtls_fragment fragment;
    struct hello hello;

    must(bytes && length + 2 == buffer_used(&play->datagram.rest));
    must(dtls_next_record(&wire, &record) && wire_done(&wire) && is_hello(&record));
    must(dtls_next_fragment(&record.body, &fragment) && wire_done(&record.body));
    size = fragment.body.left;
    must(size == fragment.size && size <= DTLS_MESSAGE_MAX);
    if (play->stream.config.symmetric != ROLE_SYMMETRIC_NEVER)
        must(hello_read_datagram(fragment.body.at, size, HELLO_EXTENSION_ID, &hello) <= HELLO_ABSENT);
}

static void check_decision(const struct play *play)
{
    const struct role_stream *stream = &play->stream;
    const struct role_config *config = &stream->config;
    int order = role_preference_compare(&config->ours, &stream->peer);

    must(!(stream->symmetric && stream->symmetric_unknown));
    must(config->symmetric != ROLE_SYMMETRIC_REQUIRE || stream->symmetric);
    must(config->symmetric != ROLE_SYMMETRIC_NEVER || (!stream->symmetric && !stream->symmetric_unknown));
    must(!stream->symmetric_unknown || stream->step == ROLE_STEP_CLIENT);
    must(stream->symmetric == (stream->peer.length > 0));
    must(!stream->symmetric || stream->step == (order < 0 ? ROLE_STEP_CLIENT : ROLE_STEP_SERVER));
    must(!stream->symmetric || order != 0);
    must(stream->step == ROLE_STEP_SERVER || stream->said_hello);
    must(role_datagram_deadline(&play->datagram) == ROLE_DATAGRAM_NEVER);
}

static void check_undecided(const struct play *play)
{
    int64_t deadline = role_datagram_deadline(&play->datagram);

    must(play->stream.said_hello == (deadline != ROLE_DATAGRAM_NEVER));
    must(!play->stream.said_hello || (deadline > play->now && deadline <= play->now + 1000));
    must(buffer_used(&play->datagram.held) <= HELD_MOST && buffer_used(&play->datagram.rest) == 0);
    must(play->datagram.theirs.size <= DTLS_MESSAGE_MAX && play->datagram.theirs.missing <= play->datagram.theirs.size);
}

static void check_refusal_of_datagrams(const struct role_stream *stream)
{
    check_refusal(stream);
    must(stream->reason != ROLE_REASON_TWO_SERVERS); /* a server that comes too early is late, or astray */
    must(stream->reason != ROLE_REASON_SERVER_UNWANTED || stream->config.symmetric == ROLE_SYMMETRIC_ALLOW);
}

/* ---- Playing ---- */

static void decide(struct play *play)
{
    uint8_t *bytes;
    size_t length;

    follow(play, play->stream.step);
    while (play->stream.step == ROLE_STEP_MORE && (bytes = next_datagram(play, &length))) {
        unsigned strange = play->datagram.strange;

        follow(play, role_datagram_time(&play->datagram, play->now));
        follow(play, role_datagram_feed(&play->datagram, bytes, length, play->now));
        must(play->datagram.strange - strange <= 1);
        must(play->datagram.round_trip_ms >= -1 && play->datagram.round_trip_ms <= play->now);
        if (play->stream.step == ROLE_STEP_MORE)
            check_undecided(play);
        free(bytes);
    }
}

/* Half of what is left comes in the handshake, half after it. */
static void go_on(struct play *play)
{
    size_t half = play->events.left / 2;
    enum role_step step = play->stream.step;
    uint8_t *bytes;
    size_t length;

    if (step == ROLE_STEP_SERVER)
        check_server(play);
    check_input(play, &play->datagram.rest, false);
    while ((bytes = next_datagram(play, &length))) {
        bool handshake_over = play->events.left < half, had = play->stream.symmetric;
        struct buffer input = {0};
        enum role_heard heard = role_datagram_filter(&play->datagram, bytes, length, handshake_over, &input);

        must(play->stream.step == step && (play->stream.symmetric == had || (!had && !handshake_over)));
        must(heard != ROLE_HEARD_NOTHING || buffer_used(&input) == 0);
        must(heard != ROLE_HEARD_MORE || buffer_used(&input) > 0);
        must(heard != ROLE_HEARD_HELLO || (step == ROLE_STEP_SERVER) == (buffer_used(&input) > 0));
        check_input(play, &input, handshake_over);
        check_decision(play);
        buffer_free(&input);
        free(bytes);
    }
    if (play->stream.said_hello)
        check_again(play);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct role_config config;
    struct play play = {.now = 1000};

    if (length < 1)
        return 0;
    config = config_of(bytes[0]);
    play.events = wire_from(bytes + 1, length - 1);
    role_init(&play.stream, &config);
    role_datagram_init(&play.datagram, &play.stream, FIRST_REPEAT_MS);
    decide(&play);
    if (play.stream.step == ROLE_STEP_REFUSE) {
        check_refusal_of_datagrams(&play.stream);
    } else if (play.stream.step != ROLE_STEP_MORE) {
        check_decision(&play);
        go_on(&play);
    }
    role_datagram_free(&play.datagram);
    role_free(&play.stream);
    return 0;
}
