/* session_trace.c - what a session tells whoever draws it (trace_event.h). Without a listener it tells nothing, and costs nothing. */
#include "datagrams.h"
#include "role_alert.h"
#include "session_gnutls.h"
#include "text.h"
#include "trace_message.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    CERTIFICATES_MAX = 2, /* the peer's own, and who vouches for it */
    WHO_SIZE = 192,
    SHORT_PIN = 20 /* "pin-sha256:" and enough to tell two of them apart */
};

static void tell(const struct session *session, struct trace_event event)
{
    const struct trace_sink *sink = session->config->trace;

    event.session = session;
    event.datagrams = session->config->datagrams;
    event.extension_id = session->config->role.extension_id;
    sink->take(sink->context, &event);
}

/* ---- Certificates ---- */

static void append_pin(char who[WHO_SIZE], const uint8_t hash[TEXT_PIN_HASH])
{
    char pin[TEXT_PIN_SIZE];
    size_t used = strlen(who);

    text_from_pin(pin, hash);
    snprintf(who + used, WHO_SIZE - used, "%s%.*s...", used ? ", " : "", SHORT_PIN, pin);
}

static bool describe_x509(const gnutls_datum_t *der, char who[WHO_SIZE])
{
    gnutls_x509_crt_t certificate;
    gnutls_datum_t subject = {0};
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    bool understood;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return false;
    understood = gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) >= 0;
    if (understood && gnutls_x509_crt_get_dn3(certificate, &subject, 0) >= 0) {
        trace_message_quote(who, WHO_SIZE - TEXT_PIN_SIZE, subject.data, subject.size);
        gnutls_free(subject.data);
    }
    if (understood && gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, hash, &size) >= 0)
        append_pin(who, hash);
    gnutls_x509_crt_deinit(certificate);
    return understood;
}

static bool describe_key(const gnutls_datum_t *der, char who[WHO_SIZE])
{
    gnutls_pubkey_t key;
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    bool understood;

    if (gnutls_pubkey_init(&key) < 0)
        return false;
    understood = gnutls_pubkey_import(key, der, GNUTLS_X509_FMT_DER) >= 0 &&
                 gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, hash, &size) >= 0;
    if (understood) {
        strcpy(who, "a bare key");
        append_pin(who, hash);
    }
    gnutls_pubkey_deinit(key);
    return understood;
}

/* Who is in a Certificate message: a line for each of the first ones. */
static size_t describe_certificates(const struct session *session, const gnutls_datum_t *body, char who[CERTIFICATES_MAX][WHO_SIZE])
{
    struct wire at[CERTIFICATES_MAX];
    size_t count = trace_message_certificates(session_is_tls13(session), body->data, body->size, at, CERTIFICATES_MAX);

    for (size_t i = 0; i < count; i++) {
        gnutls_datum_t der = {.data = (unsigned char *)at[i].at, .size = (unsigned)at[i].left};

        who[i][0] = '\0';
        if (!describe_x509(&der, who[i]) && !describe_key(&der, who[i]))
            strcpy(who[i], "not a certificate that could be read");
    }
    return count;
}

/* ---- Messages ---- */

/* TLS 1.3: all but the hellos. Before: the last message of each, and whatever comes later. */
static bool is_encrypted(const struct session *session, unsigned type)
{
    if (session->state == SESSION_OPEN || type == GNUTLS_HANDSHAKE_FINISHED)
        return true;
    return type != GNUTLS_HANDSHAKE_CLIENT_HELLO && type != GNUTLS_HANDSHAKE_SERVER_HELLO && session->tls && session_is_tls13(session);
}

void session_trace_message(struct session *session, unsigned type, bool incoming, const gnutls_datum_t *body)
{
    struct trace_event event = {.kind = TRACE_MESSAGE, .direction = incoming ? TRACE_IN : TRACE_OUT, .message_seq = -1};
    char who[CERTIFICATES_MAX][WHO_SIZE];

    if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC)
        return; /* it is no message, and only a library calls it one */
    if (type == GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST)
        type = GNUTLS_HANDSHAKE_SERVER_HELLO;
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO_V2)
        type = GNUTLS_HANDSHAKE_CLIENT_HELLO;
    if (session->config->datagrams)
        event.message_seq = incoming ? session->trace.their_seq++ : session->trace.our_seq++;
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && incoming && session->trace.told_hello) {
        session->trace.told_hello = false; /* it was told when the role core had it */
        return;
    }
    event.number = (uint8_t)type;
    event.encrypted = is_encrypted(session, type);
    event.bytes = body->data;
    event.length = body->size;
    if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
        for (size_t i = 0, count = describe_certificates(session, body, who); i < count; i++)
            event.texts[i] = who[i];
    tell(session, event);
    if (incoming)
        session_trace_role(session);
}

/* The message that the role core has, as far as it goes; false: none that it has looked into. */
static bool find_hello(const struct session *session, struct trace_event *event)
{
    const struct role_datagram *datagram = &session->datagram;
    const struct buffer *message = &session->role.message;
    struct wire wire;
    uint32_t size;

    if (session->config->datagrams) {
        if (datagram->theirs.size == 0 || datagram->theirs.missing > 0)
            return false;
        event->number = HANDSHAKE_CLIENT_HELLO;
        event->bytes = buffer_at(&datagram->theirs.bytes);
        event->length = datagram->theirs.size;
        event->message_seq = datagram->theirs.message_seq;
        return true;
    }
    wire = wire_from(buffer_at(message), buffer_used(message));
    event->number = wire_u8(&wire);
    size = wire_u24(&wire);
    if (wire.failed || (wire.left < size && session->role.step != ROLE_STEP_REFUSE))
        return false; /* the library will see it, and tell of it */
    event->bytes = wire.at;
    event->length = wire.left < size ? wire.left : size;
    return event->number == HANDSHAKE_CLIENT_HELLO || session->role.step == ROLE_STEP_REFUSE;
}

void session_trace_hello(struct session *session)
{
    struct trace_event event = {.kind = TRACE_MESSAGE, .direction = TRACE_IN, .message_seq = -1};

    if (!session->config->trace || session->trace.told_hello || !find_hello(session, &event))
        return;
    event.struck = session->role.symmetric && session->role.step == ROLE_STEP_CLIENT;
    session->trace.told_hello = true;
    tell(session, event);
}

/* ---- Sentences ---- */

void session_trace_note(const struct session *session, bool important, const char *format, ...)
{
    struct trace_event event = {.kind = TRACE_NOTE, .important = important};
    char text[1280];
    va_list arguments;

    if (!session->config->trace)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    event.texts[0] = text;
    tell(session, event);
}

/* The first bytes of a value are what decides, nearly always. */
static const char *short_value(char text[64], const struct role_preference *preference)
{
    enum { FIRST = 8 };
    size_t length = preference->length > FIRST ? FIRST : preference->length;

    trace_message_quote(text, 48, preference->value, length);
    if (preference->length > length)
        strcat(text, "...");
    return text;
}

static void note_comparison(const struct session *session)
{
    const struct role_stream *role = &session->role;
    const char *order = session->our_role == ROLE_CLIENT ? "before" : "behind";
    const char *client = session->our_role == ROLE_CLIENT ? "we are the TLS client, and the peer's ClientHello is STRUCK"
                                                         : "the peer is the TLS client, and our ClientHello is STRUCK";
    char ours[64], theirs[64];

    if (role->decided_by == ROLE_BY_IMPLICIT)
        session_trace_note(session, true, "the random numbers decide: ours is ordered %s the peer's: %s", order, client);
    else
        session_trace_note(session, true, "our value \"%s\" is ordered %s the peer's \"%s\": %s", short_value(ours, &role->config.ours),
                           order, short_value(theirs, &role->peer), client);
}

/* Told once, when the message that it is about has been told. */
void session_trace_role(struct session *session)
{
    if (!session->config->trace || session->trace.told_role || session->our_role == ROLE_UNDECIDED)
        return;
    session->trace.told_role = true;
    switch (session->role.decided_by) {
    case ROLE_BY_EXTENSION:
    case ROLE_BY_IMPLICIT:
        note_comparison(session);
        break;
    case ROLE_BY_PLAIN_CLIENT:
        session_trace_note(session, true, "the peer's ClientHello has no role_preference: it is a plain TLS client, and we are the server");
        break;
    case ROLE_BY_PLAIN_SERVER:
        session_trace_note(session, true, session->role.symmetric_unknown
                               ? "the peer answers as a TLS server, plain, or symmetric with a ClientHello that was lost: we are the client"
                               : "the peer answers as a plain TLS server: we are the client");
        break;
    case ROLE_BY_OPTION:
        session_trace_note(session, true, "--symmetric never: we are the TLS %s", session->our_role == ROLE_CLIENT ? "client" : "server");
        break;
    }
}

/* The role core gives up; what it had is shown, if it is TLS at all. */
void session_trace_refusal(struct session *session)
{
    const struct role_stream *role = &session->role;
    char text[64], ours[64];

    if (!session->config->trace)
        return;
    if (role->reason == ROLE_REASON_ALERT)
        session_trace_alert(session, TRACE_IN, role->peer_alert, true, false);
    else if (role->reason == ROLE_REASON_TIE)
        session_trace_note(session, true, "both values are \"%s\": neither end can be the client", short_value(ours, &role->config.ours));
    else if (role->alert == ROLE_NO_ALERT && buffer_used(&role->raw))
        session_trace_note(session, true, "what came is no TLS: \"%s\"",
                           trace_message_quote(text, sizeof text, buffer_at(&role->raw), buffer_used(&role->raw)));
}

void session_trace_open(const struct session *session)
{
    const char *group;

    if (!session->config->trace)
        return;
    group = gnutls_group_get_name(gnutls_group_get(session->tls));
    session_trace_note(session, false, "the handshake is over: %s, %s%s%s%s", gnutls_protocol_get_name(gnutls_protocol_get_version(session->tls)),
                       gnutls_cipher_get_name(gnutls_cipher_get(session->tls)), group ? ", " : "", group ? group : "",
                       gnutls_session_is_resumed(session->tls) ? ", resumed" : "");
}

/* ---- Alerts ---- */

void session_trace_alert(const struct session *session, enum trace_direction direction, int alert, bool fatal, bool encrypted)
{
    if (session->config->trace)
        tell(session, (struct trace_event){.kind = TRACE_ALERT, .direction = direction, .number = (uint8_t)alert, .fatal = fatal,
                                           .encrypted = encrypted});
}

/* The library has sent an alert since the output was `before` long; how it is packed shows whether it is encrypted. */
static void trace_said_alert(const struct session *session, size_t before, int alert, bool fatal)
{
    size_t clear = session->config->datagrams ? 2 + DTLS_ALERT_RECORD_SIZE : ROLE_ALERT_RECORD_SIZE;
    size_t grown = buffer_used(&session->output) - before;

    if (session->config->trace && grown > 0)
        session_trace_alert(session, TRACE_OUT, alert, fatal, grown != clear);
}

int session_send_alert(struct session *session, gnutls_alert_level_t level, int alert)
{
    size_t before = buffer_used(&session->output);
    int code = gnutls_alert_send(session->tls, level, (gnutls_alert_description_t)alert);

    trace_said_alert(session, before, alert, level == GNUTLS_AL_FATAL);
    return code;
}

void session_send_alert_for(struct session *session, int code)
{
    size_t before = buffer_used(&session->output);
    int level = GNUTLS_AL_FATAL, alert = gnutls_error_to_alert(code, &level);

    gnutls_alert_send_appropriate(session->tls, code);
    trace_said_alert(session, before, alert, level == GNUTLS_AL_FATAL);
}

void session_trace_heard_alert(const struct session *session, int code)
{
    static const uint8_t record_of_alert = 21;
    bool clear;

    if (!session->config->trace)
        return;
    if (code == GNUTLS_E_DECRYPTION_FAILED && session->clear_alert != ROLE_NO_ALERT) {
        session_trace_alert(session, TRACE_IN, session->clear_alert, true, false);
        return;
    }
    if (code != GNUTLS_E_FATAL_ALERT_RECEIVED && code != GNUTLS_E_WARNING_ALERT_RECEIVED)
        return;
    clear = session->config->datagrams ? !session->finished
                                       : session->header[0] == record_of_alert && session->header[3] == 0 && session->header[4] == 2;
    session_trace_alert(session, TRACE_IN, (int)gnutls_alert_get(session->tls), code == GNUTLS_E_FATAL_ALERT_RECEIVED, !clear);
}

/* ---- The rest ---- */

void session_trace_data(struct session *session, enum trace_direction direction, size_t length)
{
    if (session->trace.told_data[direction])
        return;
    session->trace.told_data[direction] = true;
    tell(session, (struct trace_event){.kind = TRACE_DATA, .direction = direction, .length = length, .encrypted = true});
}

void session_trace_wire(const struct session *session, enum trace_direction direction, const uint8_t *bytes, size_t length)
{
    if (length)
        tell(session, (struct trace_event){.kind = TRACE_WIRE, .direction = direction, .bytes = bytes, .length = length});
}

void session_trace_gone(const struct session *session)
{
    if (session->config->trace)
        tell(session, (struct trace_event){.kind = TRACE_GONE});
}
