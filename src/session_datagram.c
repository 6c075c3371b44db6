/* session_datagram.c - what a session does about datagrams that are lost, doubled, late or too large. */
#include "datagrams.h"
#include "session_gnutls.h"

#include <gnutls/dtls.h>
#include <string.h>

enum {
    TIMER_MS = 1000,     /* before a flight is said again (RFC 6347 section 4.2.4.1) */
    TIMER_LEAST_MS = 100,
    NO_LIMIT_MS = 0x7fffffff, /* the handshake's own is in the pump */
    POLL_MS = 50,        /* when the library does not say what it waits for */
    SMALL_MTU = 548,     /* what every path lets through, or has every right to: 576 less IPv4 and UDP (RFC 791) */
    RETRIES_MAX = 2,     /* before flights are made small (RFC 6347 section 4.1.1.1) */
    EARLY_MAX = 65536,
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

    gnutls_dtls_set_timeouts(tls, TIMER_MS, NO_LIMIT_MS);
    gnutls_dtls_set_mtu(tls, (unsigned)session->mtu);
    /* A hello that answers a HelloVerifyRequest is the client's second message, and ours that follows it our second too. */
    if (role == ROLE_SERVER && datagram->theirs.message_seq > 0) {
        gnutls_dtls_prestate_st prestate = {.record_seq = (unsigned)datagram->their_sequence,
                                            .hsk_read_seq = datagram->theirs.message_seq,
                                            .hsk_write_seq = datagram->theirs.message_seq - 1U};

        gnutls_dtls_prestate_set(tls, &prestate);
    }
}

bool session_push_datagram(struct session *session, const void *bytes, size_t length)
{
    const uint8_t *record = bytes;

    /* Rule 5: ahead of each of our flights. */
    if (session->our_role == ROLE_SERVER && session->role.symmetric && !session->hello_told &&
        (record[0] == DTLS_HANDSHAKE || record[0] == DTLS_CHANGE_CIPHER_SPEC)) {
        session->hello_told = true;
        if (!role_datagram_again(&session->datagram, &session->output))
            return false;
    }
    if (is_alert(record, length) && length <= sizeof session->last_alert) {
        memcpy(session->last_alert, record, length);
        session->last_alert_size = length;
    }
    session->sent_at = session->now;
    return datagrams_append(&session->output, bytes, length);
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
    session->retries = 0;
    return size;
}

void session_say_alert(struct session *session, int alert)
{
    if (session->config->datagrams) {
        uint8_t record[DTLS_ALERT_RECORD_SIZE];

        /* The peer may not have our hello yet, and could not know what we know. */
        role_datagram_again(&session->datagram, &session->output);
        dtls_alert_record(record, session->datagram.sequence++, alert);
        session_push_datagram(session, record, sizeof record);
    } else {
        uint8_t record[ROLE_ALERT_RECORD_SIZE];

        role_alert_record(record, alert);
        buffer_append(&session->output, record, sizeof record);
    }
}

void session_repeat_alert(struct session *session)
{
    if (session->config->datagrams && session->last_alert_size)
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

    if (round_trip >= 0) {
        int64_t timer = 4 * round_trip;

        timer = timer < TIMER_LEAST_MS ? TIMER_LEAST_MS : timer > TIMER_MS ? TIMER_MS : timer;
        gnutls_dtls_set_timeouts(session->tls, (unsigned)timer, NO_LIMIT_MS);
    }
    /* The peer spoke after we had, and perhaps before it could hear us. A server-elect says it with its flight. */
    if (session->our_role == ROLE_CLIENT && session->role.symmetric)
        say_hello_again(session);
}

/* ---- Feeding ---- */

/* Which of its records have come: what was in the clear of them, since the library tells of data only. */
static void count_record(struct session *session, const struct dtls_record *record)
{
    if (record->epoch == 0 || record->type == DTLS_APPLICATION_DATA)
        return;
    if (!session->theirs.any)
        session->theirs.first = record->sequence;
    session->theirs.any = true;
    if (record->sequence >= session->theirs.others_end) {
        session->theirs.others++;
        session->theirs.others_end = record->sequence + 1;
    }
}

static bool overtakes(const struct session *session, const struct dtls_record *record)
{
    return session->state != SESSION_OPEN && session->our_role == ROLE_CLIENT && record->epoch > 0 &&
           record->type == DTLS_APPLICATION_DATA;
}

/* Data that comes ahead of the end of the handshake is kept for after it: the library would throw it away. */
static void look_at_records(struct session *session, const uint8_t *bytes, size_t length, bool *early)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;

    *early = false;
    while (dtls_next_record(&wire, &record)) {
        count_record(session, &record);
        *early = *early || overtakes(session, &record);
        /* A farewell: it has not heard ours yet. */
        if (session->peer_closed && session->we_closed && record.epoch > 0 && record.type == DTLS_ALERT)
            session->close_at = session->now;
    }
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

void session_open_datagrams(struct session *session)
{
    datagrams_append_all(&session->input, &session->early);
    buffer_free(&session->early);
}

ssize_t session_receive_datagram(struct session *session, uint8_t *bytes, size_t size)
{
    uint8_t number[8];
    uint64_t sequence = 0;
    ssize_t code;

    session->hello_told = false;
    code = gnutls_record_recv_seq(session->tls, bytes, size, number);
    if (code > 0) {
        for (int i = 2; i < 8; i++) /* behind the epoch */
            sequence = sequence << 8 | number[i];
        session->theirs.data++;
        if (sequence >= session->theirs.end)
            session->theirs.end = sequence + 1;
    } else if (code == 0 && session->theirs.others_end > session->theirs.end) {
        session->theirs.end = session->theirs.others_end; /* its close_notify: what was behind the last data is lost too */
    }
    return code;
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
            gnutls_alert_send(session->tls, GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY);
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
    unsigned left;

    if (!session->config->datagrams)
        return SESSION_NEVER;
    switch (session->state) {
    case SESSION_HELLO:
        return role_datagram_deadline(&session->datagram);
    case SESSION_HANDSHAKE:
        left = gnutls_dtls_get_timeout(session->tls);
        return session->now + (left ? left : POLL_MS);
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
    gnutls_alert_send(session->tls, GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY);
    session->close_interval_ms = CLOSE_MS;
    session->close_at = session->now + CLOSE_MS;
}

bool session_is_settled(const struct session *session)
{
    return !session->config->datagrams || session->state != SESSION_OPEN ||
           (session->peer_closed && session->we_closed && session->farewells >= FAREWELLS);
}

uint64_t session_lost(const struct session *session)
{
    uint64_t came = session->theirs.data + session->theirs.others;
    uint64_t sent = session->theirs.end > session->theirs.first ? session->theirs.end - session->theirs.first : 0;

    return sent > came ? sent - came : 0;
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
    return session->config->datagrams ? gnutls_dtls_get_data_mtu(session->tls) : SESSION_RECORD_MAX;
}

/* A flight had to be said again, and again: perhaps its datagrams are too large for the path, and nobody says so. */
void session_count_retry(struct session *session)
{
    if (++session->retries > RETRIES_MAX)
        session_set_mtu(session, SMALL_MTU);
}
