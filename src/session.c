/* session.c - one TLS session between equals, in memory. */
#include "session.h"
#include "datagrams.h"
#include "role_alert.h"
#include "session_gnutls.h"

#include <gnutls/ocsp.h>

#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = 65536,                          /* read from a socket at a time */
    OUTPUT_MAX = 4 * (SESSION_RECORD_MAX + 256) /* four full records: larger writes were slower (cache) */
};

/* ---- Setting up ---- */

/* Our ClientHello, into the output. */
static bool say_hello(struct session *session)
{
    size_t before = buffer_used(&session->output);
    int code;

    if (!session_make_tls(session, ROLE_CLIENT))
        return false;
    session_before_flight(session);
    code = gnutls_handshake(session->tls);
    if (code == GNUTLS_E_AGAIN && session_said_hello(session, before))
        return true;
    /* With no cipher suite left, the library makes a hello without any, and would wait for an answer to it. */
    if (session->config->priority && (code == GNUTLS_E_AGAIN || code == GNUTLS_E_NO_PRIORITIES_WERE_SET))
        session_tell_nothing_left(session);
    else
        error_set(session->error, STATUS_LOCAL, "the TLS library cannot make a ClientHello: %s", gnutls_strerror(code));
    return false;
}

struct session *session_new(const struct session_config *config, int64_t now, struct error *error)
{
    struct session *session = calloc(1, sizeof *session);

    if (!session) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return NULL;
    }
    session->config = config;
    session->error = error;
    session->state = SESSION_HELLO;
    session->clear_alert = ROLE_NO_ALERT;
    role_init(&session->role, &config->role);
    role_datagram_init(&session->datagram, &session->role, config->first_repeat_ms);
    session->mtu = config->mtu;
    session->now = session->sent_at = now;
    session->close_at = SESSION_NEVER;
    if (session->role.step == ROLE_STEP_HELLO ? say_hello(session) : true)
        return session;
    session_free(session);
    return NULL;
}

bool session_check(const struct session_config *config, struct error *error)
{
    struct session_config mine = *config;
    struct session *session;
    bool usable;

    /* Only a hello tells whether anything is left of somebody's own priorities. It costs two keys, which are thrown away. */
    mine.role.active = config->priority != NULL;
    mine.trace = NULL;
    session = session_new(&mine, 0, error);
    usable = session && (mine.role.active || session_make_tls(session, ROLE_CLIENT));
    session_free(session);
    return usable;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    session_trace_gone(session);
    if (session->tls)
        gnutls_deinit(session->tls);
    session_free_psk(session);
    role_free(&session->role);
    role_datagram_free(&session->datagram);
    buffer_free(&session->early);
    buffer_free(&session->input);
    buffer_free(&session->output);
    free(session);
}

/* ---- Small views ---- */

enum session_state session_state(const struct session *session)
{
    return session->state;
}

enum role session_role(const struct session *session)
{
    return session->our_role;
}

void session_tell_to(struct session *session, struct error *error)
{
    *error = *session->error;
    session->error = error;
}

bool session_heard_after_hello(const struct session *session)
{
    return session->heard_after_hello;
}

size_t session_close_size(const struct session *session)
{
    return session->close_size;
}

bool session_was_fed(const struct session *session)
{
    return session->fed;
}

bool session_is_accepted(const struct session *session)
{
    return session->accepted;
}

bool session_we_closed(const struct session *session)
{
    return session->we_closed;
}

bool session_peer_closed(const struct session *session)
{
    return session->peer_closed;
}

bool session_is_tls13(const struct session *session)
{
    return gnutls_protocol_get_version(session->tls) == GNUTLS_TLS1_3; /* DTLS has greater numbers */
}

const struct session_counts *session_counts(const struct session *session)
{
    return &session->counts;
}

bool session_output_has_room(const struct session *session)
{
    return buffer_used(&session->output) < OUTPUT_MAX;
}

const uint8_t *session_output(const struct session *session, size_t *length)
{
    *length = buffer_used(&session->output) - session->resumption.withheld;
    if (session->config->datagrams && *length)
        return datagrams_first(&session->output, length);
    return *length ? buffer_at(&session->output) : NULL;
}

void session_sent(struct session *session, size_t length)
{
    session->last_length = 0; /* nothing can go into that datagram any more */
    if (session->config->trace)
        session_trace_wire(session, TRACE_OUT, session_output(session, &(size_t){0}), length);
    if (session->config->datagrams)
        datagrams_drop_first(&session->output);
    else
        buffer_skip(&session->output, length);
}

/* ---- Failing ---- */

enum session_state session_fail(struct session *session, int code)
{
    int alert = session_psk_alert(session, code);

    session_trace_heard_alert(session, code);
    session_tell(session, code);
    if (alert == ROLE_NO_ALERT)
        session_send_alert_for(session, code);
    else
        session_send_alert(session, GNUTLS_AL_FATAL, alert);
    return session->state = SESSION_FAILED;
}

void session_refuse(struct session *session, int alert)
{
    /* Before TLS 1.3 that alert did not exist (RFC 5246 section 7.4.6). */
    if (alert == ALERT_CERTIFICATE_REQUIRED && !session_is_tls13(session))
        alert = ALERT_HANDSHAKE_FAILURE;
    session->state = SESSION_FAILED;
    /* What was held back would have brought the peer to where it can decrypt. */
    if (session->resumption.withheld > 0) {
        session_withdraw(session);
        session_say_alert(session, alert);
        return;
    }
    session_release(session);
    session_send_alert(session, GNUTLS_AL_FATAL, alert);
}

/* ---- The role ---- */

static enum session_state give_up_role(struct session *session)
{
    char story[sizeof session->error->story];

    session_trace_refusal(session);
    if (session->role.reason == ROLE_REASON_ALERT)
        session_psk_tell_alert(session, session->role.peer_alert);
    role_story(&session->role, story, sizeof story);
    error_set(session->error, role_status(&session->role), "%s", story);
    if (session->role.alert != ROLE_NO_ALERT)
        session_say_alert(session, session->role.alert);
    return session->state = SESSION_FAILED;
}

enum session_state session_take_role(struct session *session, enum role role)
{
    session->our_role = role;
    if (session->trace.told_hello)
        session_trace_role(session);
    if (!(session->config->datagrams ? datagrams_append_all(&session->input, &session->datagram.rest)
                                     : role_rest(&session->role, &session->input))) {
        error_set(session->error, STATUS_LOCAL, "out of memory");
        return session->state = SESSION_FAILED;
    }
    if (role == ROLE_SERVER && !session_make_tls(session, ROLE_SERVER))
        return session->state = SESSION_FAILED;
    if (session->config->datagrams)
        session_take_role_datagram(session);
    return session->state = SESSION_HANDSHAKE;
}

enum session_state session_follow_role(struct session *session, enum role_step step)
{
    session_trace_hello(session);
    while (step == ROLE_STEP_HELLO) {
        if (!say_hello(session))
            return session->state = SESSION_FAILED;
        step = session->config->datagrams ? role_datagram_next(&session->datagram) : role_next(&session->role);
    }
    switch (step) {
    case ROLE_STEP_CLIENT:
        return session_take_role(session, ROLE_CLIENT);
    case ROLE_STEP_SERVER:
        return session_take_role(session, ROLE_SERVER);
    case ROLE_STEP_REFUSE:
        return give_up_role(session);
    default:
        return session->state;
    }
}

size_t session_room(const struct session *session)
{
    size_t used = buffer_used(&session->input);

    if (session->state == SESSION_FAILED || session->input_ended)
        return 0;
    if (session->config->datagrams)
        return used < INPUT_MAX ? DATAGRAM_MAX : 0;
    return used < INPUT_MAX ? INPUT_MAX - used : 0;
}

void session_feed(struct session *session, const uint8_t *bytes, size_t length)
{
    if (session->config->trace)
        session_trace_wire(session, TRACE_IN, bytes, length);
    if (session->config->datagrams) {
        session_feed_datagram(session, bytes, length);
        return;
    }
    session->fed = true;
    if (session->state == SESSION_HELLO) {
        session_follow_role(session, role_feed(&session->role, bytes, length));
        return;
    }
    session->heard_after_hello = true;
    if (!buffer_append(&session->input, bytes, length)) {
        error_set(session->error, STATUS_LOCAL, "out of memory");
        session->state = SESSION_FAILED;
    }
}

void session_end(struct session *session)
{
    session->input_ended = true;
    if (session->state == SESSION_HELLO && !session->config->datagrams)
        session_follow_role(session, role_end(&session->role));
}

/* ---- The handshake ---- */

void session_learn_acceptance(struct session *session)
{
    if (session->accepted)
        return;
    session->accepted = true;
    session_trace_note(session, false, "so the peer has accepted us");
}

/* Both ends have finished it: what is left to tell each other about acceptance? */
static enum session_state open_session(struct session *session)
{
    session->state = SESSION_OPEN;
    session_trace_open(session);
    if (session->config->datagrams)
        session_open_datagrams(session);
    if (!session_is_tls13(session) || session->our_role == ROLE_SERVER) {
        session->accepted = true; /* the peer's Finished says so */
        /* A TLS 1.3 client cannot know yet; a symmetric one waits for this. A plain one gets no bytes that it may
         * leave unread when it closes, but for a ticket if there are any. */
        if (session_is_tls13(session) && !session_give_ticket(session) && session->role.symmetric) {
            int code = gnutls_session_key_update(session->tls, 0);

            if (code < 0)
                return session_fail(session, code);
        }
    } else if (!session->role.symmetric && !session->asked_for_identity) {
        session->accepted = true; /* a plain server that asked for nothing has nothing to refuse */
    }
    return session->state;
}

/* The library wants more, and there will be none: in the middle of a record's header it does not see that by itself. */
static bool is_starved(const struct session *session)
{
    return session->input_ended && buffer_used(&session->input) == 0;
}

static enum session_state handshake(struct session *session)
{
    /* Once the library has finished, gnutls_handshake() would begin anew. */
    while (!session->finished) {
        size_t before = buffer_used(&session->input), said = buffer_used(&session->output);
        int code;

        session_before_flight(session);
        code = gnutls_handshake(session->tls);
        session_after_flight(session, buffer_used(&session->output) > said);

        if (session->state == SESSION_VERDICT) {
            if (code < 0 && gnutls_error_is_fatal(code))
                return session_fail(session, code);
            session->finished = code == 0;
            return session_hold(session);
        }
        /* A record that holds but a part of a message ends the library's appetite for a while. */
        if (code == GNUTLS_E_AGAIN && buffer_used(&session->input) > 0 && buffer_used(&session->input) < before)
            continue;
        if (code == GNUTLS_E_LARGE_PACKET)
            code = GNUTLS_E_AGAIN;
        if (code == GNUTLS_E_AGAIN && session_psk_is_stuck(session))
            return session_fail(session, GNUTLS_E_DECRYPTION_FAILED);
        if (code == GNUTLS_E_AGAIN && !is_starved(session))
            return session->state;
        if (code == GNUTLS_E_AGAIN)
            code = GNUTLS_E_PREMATURE_TERMINATION;
        if (code < 0 && code != GNUTLS_E_INTERRUPTED && code != GNUTLS_E_WARNING_ALERT_RECEIVED)
            return session_fail(session, code);
        session_trace_heard_alert(session, code);
        session->finished = code == 0;
    }
    /* A server that did not ask has not been asked for a verdict either, nor has an end with a pre-shared key. */
    if (!session->judged)
        return session_hold(session);
    return open_session(session);
}

enum session_state session_advance(struct session *session)
{
    return session->state == SESSION_HANDSHAKE ? handshake(session) : session->state;
}

void session_accept(struct session *session)
{
    session->judged = true;
    session_trace_note(session, false, "we accept the peer");
    session->state = SESSION_HANDSHAKE;
    session_release(session);
}

/* ---- Application data ---- */

size_t session_send(struct session *session, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;
    int owed = session->state == SESSION_OPEN ? session_pay_key_update(session) : 0;

    if (owed < 0)
        session_fail(session, owed);
    while (session->state == SESSION_OPEN && taken < length &&
           buffer_used(&session->output) + SESSION_RECORD_MAX + 256 <= OUTPUT_MAX) {
        size_t most = session_record_size(session);
        size_t piece = length - taken < most ? length - taken : most;
        ssize_t code = gnutls_record_send(session->tls, bytes + taken, piece);

        if (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_AGAIN)
            continue;
        if (code < 0) {
            session_fail(session, (int)code);
            break;
        }
        if (session->config->trace)
            session_trace_data(session, TRACE_OUT, (size_t)code);
        taken += (size_t)code;
        session->counts.records_sent++;
    }
    return taken;
}

bool session_break(struct session *session)
{
    /* One byte of padding makes it a record that the library is willing to send; only TLS 1.3 has padding. */
    return session->state == SESSION_OPEN && !session->we_closed && session_is_tls13(session) &&
           session_output_has_room(session) && gnutls_record_send2(session->tls, "", 0, 1, 0) == 0;
}

/* A TLS 1.2 peer wants to negotiate anew. It is told no; one that keeps asking without reading is thrown out. */
static bool decline_renegotiation(struct session *session)
{
    session->declined = true;
    return session_output_has_room(session) &&
           session_send_alert(session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION) == 0;
}

size_t session_receive(struct session *session, uint8_t *bytes, size_t size)
{
    while (session->state == SESSION_OPEN && !session->peer_closed && !session_is_resting(session)) {
        ssize_t code = session->config->datagrams ? session_receive_datagram(session, bytes, size)
                                                  : gnutls_record_recv(session->tls, bytes, size);
        int owed;

        if (code > 0) {
            session->counts.records_received++;
            if (session->config->trace)
                session_trace_data(session, TRACE_IN, (size_t)code);
            if (!session->accepted)
                session_learn_acceptance(session);
            return (size_t)code;
        }
        owed = session_pay_key_update(session);
        if (owed < 0)
            code = owed;
        if (code == 0) {
            session->peer_closed = true;
            session_trace_alert(session, TRACE_IN, GNUTLS_A_CLOSE_NOTIFY, false, true);
            /* Like data: a server that had refused us would have said so. */
            session_learn_acceptance(session);
        } else if (code == GNUTLS_E_AGAIN) {
            if (is_starved(session))
                session_fail(session, GNUTLS_E_PREMATURE_TERMINATION);
            else if (buffer_used(&session->input) == 0)
                break;
        } else if (code == GNUTLS_E_REHANDSHAKE) {
            if (!decline_renegotiation(session))
                session_fail(session, (int)code);
        } else if (code == GNUTLS_E_WARNING_ALERT_RECEIVED) {
            session_trace_heard_alert(session, (int)code);
        } else if (code != GNUTLS_E_INTERRUPTED) {
            session_fail(session, (int)code);
        }
    }
    return 0;
}

void session_close(struct session *session)
{
    size_t before = buffer_used(&session->output);

    if (session->state == SESSION_OPEN && !session->we_closed) {
        if (session->config->datagrams)
            session_close_datagram(session);
        else if (gnutls_bye(session->tls, GNUTLS_SHUT_WR) >= 0)
            session_trace_alert(session, TRACE_OUT, GNUTLS_A_CLOSE_NOTIFY, false, true);
    }
    session->close_size += buffer_used(&session->output) - before;
    session->we_closed = true;
}
