/* session_datagram.c - what a session does about datagrams that are lost, doubled, late or too large. */
#include "datagrams.h"
#include "session_gnutls.h"

#include <gnutls/dtls.h>
#include <string.h>

enum {
    /* Before a flight is said again: twice as long each time. RFC 6347 section 4.2.4.1 begins with a second where nothing is known
     * of the path and goes on to a minute; our handshakes have half of that altogether. */
    TIMER_MS = 250,
    TIMER_LEAST_MS = 100,
    TIMER_FIRST_MOST_MS = 1000,
    TIMER_MOST_MS = 2000,
    LIBRARY_TIMER_MS = 1,     /* ours decides: session_may_repeat_flight() */
    NO_LIMIT_MS = 0x7fffffff, /* the handshake's own is in the pump */
    SMALL_MTU = 548,     /* what every path lets through, or has every right to: 576 less IPv4 and UDP (RFC 791) */
    RETRIES_MAX = 2,     /* before flights are made small (RFC 6347 section 4.1.1.1) */
    EARLY_MAX = 65536,
    ALERT_MS = 100,      /* between repetitions of an alert: two that refuse each other answer each other */
    CLOSE_MS = 40,       /* between our farewells */
    CLOSE_MAX_MS = 1000, /* between repetitions of a close_notify that has no answer */
    FAREWELLS = 8,       /* 30 % of loss swallows all of them once in 15,000 sessions */
    KEEP_ALIVE_MS = 15000 /* a mapping without an answer lives for 30 s in many NATs */
};

static bool is_alert(const uint8_t *bytes, size_t length)
{
    return length && bytes[0] == DTLS_ALERT;
}

/* ---- The library's side ---- */

void session_set_datagrams(struct session *session, gnutls_session_t tls, enum role role)
{
    const struct role_datagram *datagram = &session->datagram;

    gnutls_dtls_set_timeouts(tls, LIBRARY_TIMER_MS, NO_LIMIT_MS);
    gnutls_dtls_set_mtu(tls, (unsigned)session->mtu);
    if (role == ROLE_SERVER)
        session->trace.our_seq = session->trace.their_seq = datagram->theirs.message_seq;
    /* A hello that answers a HelloVerifyRequest is the client's second message, and ours that follows it our second too. */
    if (role == ROLE_SERVER && datagram->theirs.message_seq > 0) {
        gnutls_dtls_prestate_st prestate = {.record_seq = (unsigned)datagram->their_sequence,
                                            .hsk_read_seq = datagram->theirs.message_seq,
                                            .hsk_write_seq = datagram->theirs.message_seq - 1U};

        gnutls_dtls_prestate_set(tls, &prestate);
    }
}

/* Rule 5: ahead of each of our flights, and in one datagram with its beginning, so that they are lost together or not at all. */
static bool tell_hello(struct session *session)
{
    size_t before = buffer_used(&session->output), hello = buffer_used(&session->datagram.hello), length;

    session->hello_told = true;
    if (!role_datagram_again(&session->datagram, &session->output))
        return false;
    if (datagrams_first(&session->datagram.hello, &length) && buffer_used(&session->output) - before == hello &&
        hello == length + 2)
        session->last_length = length;
    return true;
}

static bool is_of_flight(const uint8_t *record)
{
    return record[0] == DTLS_HANDSHAKE || record[0] == DTLS_CHANGE_CIPHER_SPEC;
}

/* Is it one that was not said before? What is encrypted does not show its number. */
static void note_message(struct session *session, const uint8_t *bytes, size_t length)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;
    struct dtls_fragment fragment;

    if (dtls_next_record(&wire, &record) && record.epoch == 0 && record.type == DTLS_HANDSHAKE &&
        dtls_next_fragment(&record.body, &fragment) && fragment.message_seq >= session->flight_seen) {
        session->flight_seen = fragment.message_seq + 1U;
        session->flight_is_new = true;
    }
}

bool session_push_datagram(struct session *session, const void *bytes, size_t length)
{
    const uint8_t *record = bytes;
    bool pushed;

    session->sent_at = session->now;
    if (!is_of_flight(record)) {
        if (is_alert(record, length) && length <= sizeof session->last_alert) {
            memcpy(session->last_alert, record, length);
            session->last_alert_size = length;
            session->alert_at = session->now;
        }
        return datagrams_append(&session->output, bytes, length);
    }
    note_message(session, record, length);
    if (session->our_role == ROLE_SERVER && session->role.symmetric && !session->hello_told && !tell_hello(session))
        return false;
    /* The library sends each record by itself; what fits goes together (RFC 6347 section 4.1.1). */
    if (session->last_length && session->last_length + length <= session->mtu) {
        pushed = datagrams_extend_last(&session->output, session->last_length, bytes, length);
        session->last_length += length;
    } else {
        pushed = datagrams_append(&session->output, bytes, length);
        session->last_length = length;
    }
    return pushed;
}

void session_before_flight(struct session *session)
{
    session->hello_told = false;
    session->flight_is_new = false;
    session->last_length = 0;
}

void session_after_flight(struct session *session, bool grown)
{
    if (!session->config->datagrams || (!grown && session->now < session->flight_at))
        return;
    if (grown)
        session->flight_sent_at = session->now;
    if (!grown) {
        /* There is no flight of ours to repeat: the peer's comes first. */
    } else if (session->flight_is_new) {
        session->retries = 0;
        session->flight_interval_ms = session->flight_first_ms;
    } else {
        /* Perhaps its datagrams are too large for the path, and nobody says so. */
        if (++session->retries > RETRIES_MAX)
            session_set_mtu(session, SMALL_MTU);
        session->flight_interval_ms *= 2;
        if (session->flight_interval_ms > TIMER_MOST_MS)
            session->flight_interval_ms = TIMER_MOST_MS;
    }
    session->flight_at = session->now + session->flight_interval_ms;
}

bool session_may_repeat_flight(const struct session *session)
{
    return session->state == SESSION_OPEN || (session->state == SESSION_HANDSHAKE && session->now >= session->flight_at);
}

size_t session_pull_datagram(struct session *session, void *bytes, size_t length)
{
    size_t size;
    const uint8_t *first = datagrams_first(&session->input, &size);

    if (!first)
        return 0;
    if (size > length)
        size = length; /* no record is so large; the library throws it away */
    memcpy(bytes, first, size);
    datagrams_drop_first(&session->input);
    return size;
}

static void say_alert_in_datagrams(struct session *session, int alert)
{
    uint8_t record[DTLS_ALERT_RECORD_SIZE];

    session->alert_at = session->now;
    /* The peer may not have our hello yet, and could not know what we know: so both go together. */
    session_before_flight(session);
    if (!tell_hello(session))
        return;
    dtls_alert_record(record, session->datagram.sequence++, alert);
    if (session->last_length && session->last_length + sizeof record <= session->mtu)
        datagrams_extend_last(&session->output, session->last_length, record, sizeof record);
    else
        datagrams_append(&session->output, record, sizeof record);
    session->last_length = 0;
}

void session_say_alert(struct session *session, int alert)
{
    uint8_t record[ROLE_ALERT_RECORD_SIZE];

    session_trace_alert(session, TRACE_OUT, alert, true, false);
    if (session->config->datagrams) {
        say_alert_in_datagrams(session, alert);
        return;
    }
    role_alert_record(record, alert);
    buffer_append(&session->output, record, sizeof record);
}

void session_repeat_alert(struct session *session)
{
    if (!session->config->datagrams || session->now - session->alert_at < ALERT_MS)
        return;
    session->alert_at = session->now;
    if (session->our_role == ROLE_UNDECIDED && session->role.alert != ROLE_NO_ALERT)
        say_alert_in_datagrams(session, session->role.alert);
    else if (session->last_alert_size > 0)
        datagrams_append(&session->output, session->last_alert, session->last_alert_size);
}

/* ---- The role ---- */

bool session_said_hello(struct session *session, size_t before)
{
    struct buffer said = {0};
    bool whole;

    if (!session->config->datagrams)
        return role_our_hello(&session->role, buffer_at(&session->output) + before, buffer_used(&session->output) - before);
    whole = buffer_append(&said, buffer_at(&session->output) + before, buffer_used(&session->output) - before) &&
            role_datagram_our_hello(&session->datagram, &said, session->now);
    buffer_free(&said);
    return whole;
}

/* The records that we numbered ourselves are numbered for the library too: some peers drop what seems to be a repetition. */
static void say_hello_again(struct session *session)
{
    uint8_t number[8];

    if (!role_datagram_again(&session->datagram, &session->output) || session->our_role == ROLE_SERVER || !session->tls)
        return;
    for (int i = 0; i < 8; i++)
        number[i] = (uint8_t)(session->datagram.sequence >> (56 - 8 * i));
    gnutls_record_set_state(session->tls, 0, number);
    session->sent_at = session->now;
}

/* The library's client session answers with the same hello and the cookie (rule 3). */
static bool answer_verify(struct session *session, const uint8_t *bytes, size_t length)
{
    size_t before = buffer_used(&session->output);
    int code;

    if (!datagrams_append(&session->input, bytes, length))
        return false;
    session->answering = true;
    session_before_flight(session);
    code = gnutls_handshake(session->tls);
    session->answering = false;
    buffer_free(&session->input);
    /* One that it did not understand, or had before, changes nothing. */
    if (buffer_used(&session->output) == before)
        return code == GNUTLS_E_AGAIN;
    return session_said_hello(session, before);
}

void session_take_role_datagram(struct session *session)
{
    int64_t round_trip = session->datagram.round_trip_ms;

    session->flight_first_ms = TIMER_MS;
    if (round_trip >= 0)
        session->flight_first_ms = 4 * round_trip < TIMER_LEAST_MS        ? TIMER_LEAST_MS
                                   : 4 * round_trip > TIMER_FIRST_MOST_MS ? TIMER_FIRST_MOST_MS
                                                                          : 4 * round_trip;
    session->flight_interval_ms = session->flight_first_ms;
    session->flight_at = session->now + session->flight_interval_ms;
    /* The peer spoke after we had, and perhaps before it could hear us. A server-elect says it with its flight. */
    if (session->our_role == ROLE_CLIENT && session->role.symmetric)
        say_hello_again(session);
}

/* ---- Feeding ---- */

static bool overtakes(const struct session *session, const struct dtls_record *record)
{
    return session->state != SESSION_OPEN && record->epoch > 0 &&
           (record->type == DTLS_APPLICATION_DATA || record->type == DTLS_ALERT);
}

/* Data and farewells that come ahead of the end of the handshake are kept for after it: the library would throw them away. */
static void look_at_records(struct session *session, const uint8_t *bytes, size_t length, bool *early)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;

    *early = false;
    while (dtls_next_record(&wire, &record)) {
        *early = *early || overtakes(session, &record);
        if (record.epoch == 1 && record.type == DTLS_HANDSHAKE)
            session_psk_sealed(session);
        /* A farewell: it has not heard ours yet. */
        if (session->peer_closed && session->we_closed && record.epoch > 0 && record.type == DTLS_ALERT)
            session->close_at = session->now;
    }
}

/* The peer has finished, and we have not heard the end of it: it is time to say our last flight again. */
static void hurry(struct session *session)
{
    if (session->state == SESSION_HANDSHAKE && session->now - session->flight_sent_at >= session->flight_first_ms &&
        session->flight_at > session->now)
        session->flight_at = session->now;
}

static void feed_decided(struct session *session, const uint8_t *bytes, size_t length)
{
    bool early;

    look_at_records(session, bytes, length, &early);
    if (session->peer_closed)
        return; /* nothing but farewells can come */
    if (early) {
        if (buffer_used(&session->early) + length <= EARLY_MAX)
            datagrams_append(&session->early, bytes, length);
        hurry(session);
        return;
    }
    if (role_datagram_filter(&session->datagram, bytes, length, session->state == SESSION_OPEN, &session->input) ==
        ROLE_HEARD_MORE)
        session->heard_after_hello = true;
}

void session_feed_datagram(struct session *session, const uint8_t *bytes, size_t length)
{
    enum role_step step;

    if (session->state == SESSION_FAILED)
        return;
    if (session->state != SESSION_HELLO) {
        feed_decided(session, bytes, length);
        return;
    }
    step = role_datagram_feed(&session->datagram, bytes, length, session->now);
    session->fed = session->fed || session->datagram.understood;
    if (step == ROLE_STEP_VERIFY)
        answer_verify(session, bytes, length);
    else
        session_follow_role(session, step);
}

/* ---- What was lost ---- */

/* One past the number of the last record of the peer's that was genuine. */
static uint64_t next_record(const struct session *session)
{
    uint8_t number[8] = {0};
    uint64_t sequence = 0;

    gnutls_record_get_state(session->tls, 1, NULL, NULL, NULL, number);
    for (int i = 2; i < 8; i++) /* behind the epoch */
        sequence = sequence << 8 | number[i];
    return sequence;
}

void session_open_datagrams(struct session *session)
{
    session->theirs.first = session->theirs.end = next_record(session);
    datagrams_append_all(&session->input, &session->early);
    buffer_free(&session->early);
}

ssize_t session_receive_datagram(struct session *session, uint8_t *bytes, size_t size)
{
    uint64_t before = next_record(session), after;
    ssize_t code;

    session_before_flight(session);
    code = gnutls_record_recv(session->tls, bytes, size);
    after = next_record(session);
    session->theirs.came += code > 0 || after != before; /* a flight that was repeated, or close_notify */
    if (after > session->theirs.end)
        session->theirs.end = after;
    return code;
}

uint64_t session_lost(const struct session *session)
{
    uint64_t sent = session->theirs.end - session->theirs.first;

    return sent > session->theirs.came ? sent - session->theirs.came : 0;
}

/* ---- Time ---- */

void session_time(struct session *session, int64_t now)
{
    session->now = now;
    if (!session->config->datagrams)
        return;
    switch (session->state) {
    case SESSION_HELLO:
        if (role_datagram_time(&session->datagram, now) == ROLE_STEP_REPEAT)
            say_hello_again(session);
        break;
    case SESSION_HANDSHAKE:
        break; /* the library's own timer, when it is asked to go on */
    case SESSION_OPEN:
        if (session->close_at <= now) {
            session_send_alert(session, GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY);
            session->close_interval_ms *= 2;
            if (session->close_interval_ms > CLOSE_MAX_MS)
                session->close_interval_ms = CLOSE_MAX_MS;
            if (session->peer_closed)
                session->farewells++;
            session->close_at = now + (session->peer_closed ? CLOSE_MS : session->close_interval_ms);
        } else if (session->peer_closed && session->we_closed && session->close_at > now + CLOSE_MS) {
            session->close_at = now + CLOSE_MS;
        } else if (!session->we_closed && session->role.symmetric && session->sent_at + KEEP_ALIVE_MS <= now) {
            /* Less than a record: whoever gets it throws it away. A plain peer might take it for something else. */
            datagrams_append(&session->output, "", 1);
            session->sent_at = now;
        }
        break;
    case SESSION_VERDICT:
    case SESSION_FAILED:
        break;
    }
}

int64_t session_deadline(const struct session *session)
{
    if (!session->config->datagrams)
        return session_rest_deadline(session);
    switch (session->state) {
    case SESSION_HELLO:
        return role_datagram_deadline(&session->datagram);
    case SESSION_HANDSHAKE:
        return session->flight_at;
    case SESSION_OPEN:
        if (session->we_closed)
            return session->close_at;
        return session->role.symmetric ? session->sent_at + KEEP_ALIVE_MS : SESSION_NEVER;
    default:
        return SESSION_NEVER;
    }
}

/* ---- The end ---- */

void session_close_datagram(struct session *session)
{
    session_send_alert(session, GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY);
    session->close_interval_ms = CLOSE_MS;
    session->close_at = session->now + CLOSE_MS;
}

bool session_is_settled(const struct session *session)
{
    return !session->config->datagrams || session->state != SESSION_OPEN ||
           (session->peer_closed && session->we_closed && session->farewells >= FAREWELLS);
}

/* ---- Small views ---- */

bool session_understood(const struct session *session)
{
    return session->datagram.understood;
}

unsigned session_strange(const struct session *session)
{
    return session->datagram.strange;
}

void session_set_mtu(struct session *session, size_t mtu)
{
    if (mtu >= session->mtu)
        return;
    session->mtu = mtu;
    if (session->tls)
        gnutls_dtls_set_mtu(session->tls, (unsigned)mtu);
}

size_t session_record_size(const struct session *session)
{
    size_t mtu = session->config->datagrams ? gnutls_dtls_get_data_mtu(session->tls) : SESSION_RECORD_MAX;
    size_t most = gnutls_record_get_max_size(session->tls);

    return mtu < most ? mtu : most;
}
