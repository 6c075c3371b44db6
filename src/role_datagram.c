/* role_datagram.c - who becomes TLS client and who server, over datagrams. Pure: datagrams and time in, a step out. */
#include "role_datagram.h"
#include "datagrams.h"
#include "role_alert.h"
#include "role_decide.h"

#include <string.h>

enum {
    INTERVAL_MAX_MS = 1000, /* the timer of RFC 6347 section 4.2.4.1 */
    VERIFIED_MAX = 8,       /* a server that still wants another cookie will want one more */
    HELD_MAX = 16384
};

void role_datagram_init(struct role_datagram *datagram, struct role_stream *stream, int first_repeat_ms)
{
    memset(datagram, 0, sizeof *datagram);
    datagram->stream = stream;
    datagram->interval_ms = first_repeat_ms;
    datagram->repeat_at = ROLE_DATAGRAM_NEVER;
    datagram->round_trip_ms = -1;
}

void role_datagram_free(struct role_datagram *datagram)
{
    buffer_free(&datagram->hello);
    buffer_free(&datagram->held);
    buffer_free(&datagram->rest);
    dtls_assembly_free(&datagram->theirs);
}

/* ---- Our hello ---- */

/* What the library said is a ClientHello, perhaps in fragments; its records are numbered. */
static enum hello_result read_ours(struct role_datagram *datagram, struct dtls_assembly *ours, struct hello *hello)
{
    struct buffer copy = {0};
    enum hello_result result = HELLO_MALFORMED;
    const uint8_t *bytes;
    size_t length;

    if (!datagrams_append_all(&copy, &datagram->hello))
        return HELLO_MALFORMED;
    while ((bytes = datagrams_first(&copy, &length))) {
        struct wire wire = wire_from(bytes, length);
        struct dtls_record record;
        struct dtls_fragment fragment;

        while (dtls_next_record(&wire, &record)) {
            if (record.sequence >= datagram->sequence)
                datagram->sequence = record.sequence + 1;
            while (record.type == DTLS_HANDSHAKE && dtls_next_fragment(&record.body, &fragment))
                if (fragment.type == HANDSHAKE_CLIENT_HELLO && dtls_assemble(ours, &fragment))
                    result = hello_read_datagram(buffer_at(&ours->bytes), ours->size,
                                                 datagram->stream->config.extension_id, hello);
        }
        datagrams_drop_first(&copy);
    }
    buffer_free(&copy);
    return result;
}

bool role_datagram_our_hello(struct role_datagram *datagram, const struct buffer *queue, int64_t now)
{
    struct dtls_assembly ours = {0};
    struct hello hello;
    enum hello_result result;
    bool is_hello;

    buffer_free(&datagram->hello);
    if (!datagrams_append_all(&datagram->hello, queue))
        return false;
    result = read_ours(datagram, &ours, &hello);
    is_hello = result == HELLO_FOUND || result == HELLO_ABSENT;
    if (is_hello)
        role_said_hello(datagram->stream, &hello);
    dtls_assembly_free(&ours);
    datagram->repeat_at = now + datagram->interval_ms;
    if (!datagram->understood)
        datagram->said_at = now;
    return is_hello;
}

bool role_datagram_again(struct role_datagram *datagram, struct buffer *queue)
{
    struct buffer left = {0};
    const uint8_t *bytes;
    size_t length;
    bool whole = datagrams_append_all(&left, &datagram->hello);

    while (whole && (bytes = datagrams_first(&left, &length))) {
        dtls_renumber((uint8_t *)bytes, length, &datagram->sequence); /* in our own copy */
        whole = datagrams_append(queue, bytes, length);
        datagrams_drop_first(&left);
    }
    buffer_free(&left);
    return whole;
}

enum role_step role_datagram_time(struct role_datagram *datagram, int64_t now)
{
    if (datagram->stream->step != ROLE_STEP_MORE || now < datagram->repeat_at)
        return datagram->stream->step;
    datagram->said_at = -1;
    datagram->interval_ms *= 2;
    if (datagram->interval_ms > INTERVAL_MAX_MS)
        datagram->interval_ms = INTERVAL_MAX_MS;
    datagram->repeat_at = now + datagram->interval_ms;
    return ROLE_STEP_REPEAT;
}

int64_t role_datagram_deadline(const struct role_datagram *datagram)
{
    return datagram->stream->step == ROLE_STEP_MORE ? datagram->repeat_at : ROLE_DATAGRAM_NEVER;
}

/* ---- The peer's ---- */

static bool is_message(const struct dtls_record *record, uint8_t type)
{
    return record->epoch == 0 && record->type == DTLS_HANDSHAKE && record->body.left && record->body.at[0] == type;
}

static bool is_hello(const struct dtls_record *record)
{
    return is_message(record, HANDSHAKE_CLIENT_HELLO);
}

static bool is_verify(const struct dtls_record *record)
{
    return is_message(record, HANDSHAKE_HELLO_VERIFY_REQUEST);
}

/* The ClientHello is whole; read it. */
static enum hello_result read_theirs(const struct role_datagram *datagram, struct hello *hello)
{
    return hello_read_datagram(buffer_at(&datagram->theirs.bytes), datagram->theirs.size,
                               datagram->stream->config.extension_id, hello);
}

/* All fragments of the peer's hello in a record. True: it is whole now (rule 2). */
static bool assemble(struct role_datagram *datagram, const struct dtls_record *record)
{
    struct wire body = record->body;
    struct dtls_fragment fragment;
    bool whole = false;

    while (dtls_next_fragment(&body, &fragment))
        if (fragment.type == HANDSHAKE_CLIENT_HELLO && dtls_assemble(&datagram->theirs, &fragment)) {
            datagram->their_sequence = record->sequence;
            whole = true;
        }
    return whole;
}

static enum role_step client_hello(struct role_datagram *datagram)
{
    struct role_stream *stream = datagram->stream;
    enum hello_result result;
    struct hello hello;

    if (stream->config.symmetric == ROLE_SYMMETRIC_NEVER)
        return role_never_symmetric(stream, ROLE_CLIENT);
    result = read_theirs(datagram, &hello);
    return role_heard_hello(stream, result, &hello);
}

/* Rule 6: with --symmetric require the peer's hello has to come first, and by rule 5 it will. */
static enum role_step server_hello(struct role_datagram *datagram)
{
    struct role_stream *stream = datagram->stream;

    if (!stream->said_hello || stream->config.symmetric == ROLE_SYMMETRIC_REQUIRE)
        return ROLE_STEP_MORE;
    /* A symmetric server would have the greater value; one that insists can only be that. */
    if (role_heard_server(stream) == ROLE_STEP_CLIENT)
        stream->symmetric_unknown = stream->config.symmetric != ROLE_SYMMETRIC_NEVER;
    return stream->step;
}

static enum role_step alert(struct role_datagram *datagram, struct wire body)
{
    struct role_stream *stream = datagram->stream;
    uint8_t level = wire_u8(&body), number = wire_u8(&body);

    if (!wire_done(&body) || level != 2)
        return ROLE_STEP_MORE;
    datagram->understood = true;
    stream->peer_alert = number;
    return role_refuse(stream, ROLE_REASON_ALERT, ROLE_NO_ALERT);
}

static enum role_step one_record(struct role_datagram *datagram, const struct dtls_record *record)
{
    struct wire body = record->body;
    struct dtls_fragment fragment;

    if (record->type == DTLS_ALERT && datagram->stream->said_hello)
        return alert(datagram, body);
    if (record->type != DTLS_HANDSHAKE || !dtls_next_fragment(&body, &fragment))
        return ROLE_STEP_MORE;
    switch (fragment.type) {
    case HANDSHAKE_CLIENT_HELLO:
        if (!assemble(datagram, record))
            return ROLE_STEP_MORE;
        datagram->understood = true;
        return client_hello(datagram);
    case HANDSHAKE_SERVER_HELLO:
        datagram->understood = datagram->understood || datagram->stream->said_hello;
        return server_hello(datagram);
    case HANDSHAKE_HELLO_VERIFY_REQUEST: /* rule 3 */
        if (!datagram->stream->said_hello || datagram->verified == VERIFIED_MAX)
            return ROLE_STEP_MORE;
        datagram->understood = true;
        datagram->verified++;
        return ROLE_STEP_VERIFY;
    default:
        return ROLE_STEP_MORE;
    }
}

/* The role is decided: what has the TLS session to read first? */
static enum role_step settle(struct role_datagram *datagram, const uint8_t *bytes, size_t length)
{
    struct role_stream *stream = datagram->stream;
    struct buffer whole = {0};
    bool kept = true;

    if (stream->step == ROLE_STEP_SERVER) {
        kept = dtls_whole_record(&datagram->theirs, HANDSHAKE_CLIENT_HELLO, datagram->their_sequence, &whole) &&
               datagrams_append(&datagram->rest, buffer_at(&whole), buffer_used(&whole));
    } else if (stream->step == ROLE_STEP_CLIENT) {
        const uint8_t *early;
        size_t early_length;

        for (; (early = datagrams_first(&datagram->held, &early_length)); datagrams_drop_first(&datagram->held))
            role_datagram_filter(datagram, early, early_length, false, &datagram->rest);
        role_datagram_filter(datagram, bytes, length, false, &datagram->rest);
    }
    buffer_free(&whole);
    buffer_free(&datagram->held);
    return kept ? stream->step : role_refuse(stream, ROLE_REASON_MEMORY, ALERT_INTERNAL_ERROR);
}

/* Of a server's flight the parts may come in any order, and its hello last. */
static void hold(struct role_datagram *datagram, const uint8_t *bytes, size_t length)
{
    if (datagram->stream->said_hello && buffer_used(&datagram->held) + length <= HELD_MAX)
        datagrams_append(&datagram->held, bytes, length);
}

enum role_step role_datagram_next(struct role_datagram *datagram)
{
    struct role_stream *stream = datagram->stream;

    /* After HELLO: the hello that asked for it is still there. */
    if (stream->step == ROLE_STEP_MORE && stream->peer.length && role_compare(stream) != ROLE_STEP_MORE)
        return settle(datagram, NULL, 0);
    return stream->step;
}

enum role_step role_datagram_feed(struct role_datagram *datagram, const uint8_t *bytes, size_t length, int64_t now)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;
    bool any = false, keep = true, had_understood = datagram->understood;

    while (dtls_next_record(&wire, &record)) {
        enum role_step step = record.epoch == 0 ? one_record(datagram, &record) : ROLE_STEP_MORE;

        any = true;
        /* A hello of the peer's is no answer to ours: they may have crossed. */
        if (datagram->understood && !had_understood && datagram->said_at >= 0 && !is_hello(&record))
            datagram->round_trip_ms = now - datagram->said_at;
        keep = keep && record.type != DTLS_ALERT && !is_hello(&record) && !is_verify(&record);
        if (step == ROLE_STEP_CLIENT || step == ROLE_STEP_SERVER)
            return settle(datagram, bytes, length);
        if (step != ROLE_STEP_MORE)
            return step;
    }
    if (!any)
        datagram->strange++;
    else if (keep)
        hold(datagram, bytes, length);
    return ROLE_STEP_MORE;
}

/* ---- Once it is decided ---- */

/* We took the peer for a server, plain or not; here is its hello, and it has to be one that makes it the server. */
static void learn(struct role_datagram *datagram)
{
    struct role_stream *stream = datagram->stream;
    struct role_preference peer;
    struct hello hello;
    enum hello_result result = read_theirs(datagram, &hello);

    if (result != HELLO_FOUND && result != HELLO_ABSENT)
        return;
    role_preference_of(&stream->config, result, &hello, &peer);
    if (role_preference_compare(&stream->config.ours, &peer) >= 0)
        return;
    stream->peer = peer;
    stream->peer_is_explicit = result == HELLO_FOUND;
    stream->symmetric = true;
    stream->symmetric_unknown = false;
    stream->decided_by = stream->config.implicit ? ROLE_BY_IMPLICIT : ROLE_BY_EXTENSION;
}

/* Of another kind anybody could send one: the library would end the handshake over it. */
static bool is_known(const struct dtls_record *record)
{
    return record->type >= DTLS_CHANGE_CIPHER_SPEC && record->type <= DTLS_APPLICATION_DATA;
}

enum role_heard role_datagram_filter(struct role_datagram *datagram, const uint8_t *bytes, size_t length,
                                     bool handshake_over, struct buffer *input)
{
    struct wire wire = wire_from(bytes, length);
    enum role_heard heard = ROLE_HEARD_NOTHING;
    struct dtls_record record;

    while (dtls_next_record(&wire, &record)) {
        if ((handshake_over && record.epoch == 0) || !is_known(&record))
            continue;
        if (is_hello(&record) && heard == ROLE_HEARD_NOTHING)
            heard = ROLE_HEARD_HELLO;
        if (is_hello(&record) && datagram->stream->step == ROLE_STEP_CLIENT) {
            if (datagram->stream->symmetric_unknown && assemble(datagram, &record))
                learn(datagram);
            continue;
        }
        if (!is_hello(&record))
            heard = ROLE_HEARD_MORE;
        datagrams_append(input, record.whole.at, record.whole.left); /* without memory it is one more that was lost */
    }
    return heard;
}
