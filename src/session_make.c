/* session_make.c - a GnuTLS session for a role: its buffers, callbacks and settings. */
#include "session_gnutls.h"
#include "hello.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 1 << 20 /* a flight of the handshake may be large, but not without end */ };

#define DEFAULT_PRIORITY          "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define DEFAULT_DATAGRAM_PRIORITY "NORMAL:-VERS-ALL:+VERS-DTLS1.2"

/* ---- The library's side of the buffers ---- */

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t length)
{
    struct session *session = pointer;

    if (buffer_used(&session->output) + length > OUTPUT_LIMIT ||
        !(session->config->datagrams ? session_push_datagram(session, bytes, length)
                                     : buffer_append(&session->output, bytes, length))) {
        gnutls_transport_set_errno(session->tls, ENOMEM);
        return -1;
    }
    return (ssize_t)length;
}

/* A client that gives up on our ServerHello has no keys yet, so its alert is in the clear, and the library takes that for
 * a record that was changed on the way. It reads a record's header and then the rest of it. */
static void watch_records(struct session *session, const uint8_t *bytes, size_t length)
{
    static const uint8_t alert_header[] = {21, 3, 3, 0, 2};

    if (length == sizeof session->header) {
        memcpy(session->header, bytes, length);
        session->clear_alert = ROLE_NO_ALERT;
    } else if (length == 2 && memcmp(session->header, alert_header, sizeof alert_header) == 0) {
        session->clear_alert = bytes[1];
    }
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *bytes, size_t length)
{
    struct session *session = pointer;
    size_t taken;

    /* A client that saw the peer's ClientHello would end with an alert; and what follows a ServerHello that resumes a session
     * waits for the verdict. */
    session_look_for_resumption(session);
    if ((session->state == SESSION_HELLO && !session->answering) || session->state == SESSION_VERDICT) {
        gnutls_transport_set_errno(session->tls, EAGAIN);
        return -1;
    }
    taken = session->config->datagrams ? session_pull_datagram(session, bytes, length)
                                       : buffer_take(&session->input, bytes, length);
    if (taken == 0 && !session->input_ended) {
        gnutls_transport_set_errno(session->tls, EAGAIN);
        return -1;
    }
    if (!session->config->datagrams)
        watch_records(session, bytes, taken);
    return (ssize_t)taken;
}

/* Is there anything to pull? The library asks before it repeats a flight, and does so if there is not. Its timer doubles without
 * end; ours does not, and so it hears that there is something until it is time. */
static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned ms)
{
    const struct session *session = pointer;

    (void)ms;
    return !session_may_repeat_flight(session) || buffer_used(&session->input) > 0;
}

/* ---- Callbacks ---- */

/* The library holds its handshake here, after the peer's certificate and before our Finished, until the caller has
 * decided: GNUTLS_E_AGAIN makes the next gnutls_handshake() ask again. */
static int verify(gnutls_session_t tls)
{
    struct session *session = gnutls_session_get_ptr(tls);

    if (session->judged)
        return 0;
    session->state = SESSION_VERDICT;
    return GNUTLS_E_AGAIN;
}

/* After a HelloRetryRequest the second ClientHello has to repeat the role_preference of the first. */
static int check_client_hello(const struct session *session, const gnutls_datum_t *body)
{
    const struct role_preference *first = &session->role.peer;
    uint16_t id = session->config->role.extension_id;
    struct buffer message = {0};
    struct hello hello;
    const uint8_t header[4] = {HANDSHAKE_CLIENT_HELLO, (uint8_t)(body->size >> 16), (uint8_t)(body->size >> 8),
                               (uint8_t)body->size};
    enum hello_result result = HELLO_MALFORMED;
    bool same;

    if (!session->role.peer_is_explicit)
        return 0;
    if (session->config->datagrams)
        result = hello_read_datagram(body->data, body->size, id, &hello);
    else if (buffer_append(&message, header, sizeof header) && buffer_append(&message, body->data, body->size))
        result = hello_read(buffer_at(&message), buffer_used(&message), id, &hello);
    same = result == HELLO_FOUND && hello.preference_length == first->length &&
           memcmp(hello.preference, first->value, first->length) == 0;
    buffer_free(&message);
    return same ? 0 : GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
}

static int watch_handshake(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *body)
{
    struct session *session = gnutls_session_get_ptr(tls);

    if (when == GNUTLS_HOOK_PRE && session->config->trace) /* what the library will not like is shown as well */
        session_trace_message(session, type, incoming, body);
    if (type == GNUTLS_HANDSHAKE_KEY_UPDATE)
        session_watch_key_update(session, when == GNUTLS_HOOK_PRE, incoming, body->data, body->size);
    /* What is in a message is to be seen before the library has read it, and what it means afterwards. */
    if (incoming && when == GNUTLS_HOOK_PRE && type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET)
        session_note_ticket(session, body);
    if (!incoming || when == GNUTLS_HOOK_PRE)
        return 0;
    switch (type) {
    case GNUTLS_HANDSHAKE_CLIENT_HELLO:
        session->resumption.hellos++;
        session_look_for_resumption(session);
        return check_client_hello(session, body);
    case GNUTLS_HANDSHAKE_FINISHED: /* it came in one datagram with what is in front of it */
        session_look_for_resumption(session);
        break;
    case GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST:
        session->asked_for_identity = true;
        break;
    case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET:
        if (session->state == SESSION_OPEN)
            session_learn_acceptance(session);
        break;
    default:
        break;
    }
    return 0;
}

static int send_preference(gnutls_session_t tls, gnutls_buffer_t data)
{
    const struct session *session = gnutls_session_get_ptr(tls);
    const struct role_preference *ours = &session->config->role.ours;
    int code = gnutls_buffer_append_data(data, ours->value, ours->length);

    return code < 0 ? code : (int)ours->length;
}

/* Only a ServerHello could bring it here, and there the library refuses it by itself: it is not what we allowed. */
static int receive_preference(gnutls_session_t tls, const unsigned char *data, size_t length)
{
    (void)tls;
    (void)data;
    (void)length;
    return 0;
}

static int write_keylog(gnutls_session_t tls, const char *label, const gnutls_datum_t *secret)
{
    const struct session *session = gnutls_session_get_ptr(tls);
    gnutls_datum_t client_random, server_random;
    struct buffer line = {0};
    char digits[3];
    bool whole = buffer_append(&line, label, strlen(label)) && buffer_append(&line, " ", 1);

    gnutls_session_get_random(tls, &client_random, &server_random);
    for (unsigned i = 0; whole && i < client_random.size; i++) {
        snprintf(digits, sizeof digits, "%02x", client_random.data[i]);
        whole = buffer_append(&line, digits, 2);
    }
    whole = whole && buffer_append(&line, " ", 1);
    for (unsigned i = 0; whole && i < secret->size; i++) {
        snprintf(digits, sizeof digits, "%02x", secret->data[i]);
        whole = buffer_append(&line, digits, 2);
    }
    whole = whole && buffer_append(&line, "\n", 1) &&
            write(session->config->keylog, buffer_at(&line), buffer_used(&line)) == (ssize_t)buffer_used(&line);
    buffer_free(&line);
    if (!whole)
        error_set(session->error, STATUS_LOCAL, "cannot write the key log: %s", strerror(errno));
    return whole ? 0 : GNUTLS_E_FILE_ERROR;
}

/* ---- Setting up ---- */

void session_tell_nothing_left(struct session *session)
{
    const char *priority = session->config->priority;

    error_set(session->error, STATUS_LOCAL, "--priority: \"%s\" leaves nothing to offer: versions, ciphers, key exchanges, groups and signatures "
              "have to go together, and with %s; gnutls-cli --list --priority shows what there is",
              priority ? priority : "NORMAL", session->config->datagrams ? "UDP" : "a stream");
}

static bool set_priority(struct session *session, gnutls_session_t tls, enum role role)
{
    const char *priority = session->config->priority;
    const char *types = session->config->psk ? session_psk_exchanges : session_certificate_types(session, role);
    const char *at = NULL;
    char *whole = NULL;
    int code;

    if (!priority)
        priority = session->config->datagrams ? DEFAULT_DATAGRAM_PRIORITY : DEFAULT_PRIORITY;
    if (asprintf(&whole, "%s%s", priority, types) < 0) {
        error_set(session->error, STATUS_LOCAL, "out of memory");
        return false;
    }
    code = gnutls_priority_set_direct(tls, whole, &at);
    if (code == GNUTLS_E_NO_PRIORITIES_WERE_SET) {
        session_tell_nothing_left(session);
    } else if (code < 0) {
        if (at && strlen(at) >= strlen(types)) /* ours is no business of the user's */
            whole[strlen(priority)] = '\0';
        error_set(session->error, STATUS_LOCAL, "--priority: GnuTLS does not understand \"%s\" from \"%s\" on; see "
                  "gnutls-cli --priority-list", priority, at ? at : "");
    }
    free(whole);
    return code >= 0;
}

static bool set_alpn(struct session *session, gnutls_session_t tls)
{
    gnutls_datum_t protocols[8];
    unsigned count = (unsigned)session->config->alpn_count;

    if (count == 0)
        return true;
    if (count > 8) /* options has looked */
        count = 8;
    for (unsigned i = 0; i < count; i++)
        protocols[i] = (gnutls_datum_t){.data = (unsigned char *)session->config->alpn[i],
                                        .size = (unsigned)strlen(session->config->alpn[i])};
    return gnutls_alpn_set_protocols(tls, protocols, count, GNUTLS_ALPN_MANDATORY) >= 0;
}

static int set_preference(struct session *session, gnutls_session_t tls)
{
    const struct role_config *role = &session->config->role;

    if (role->implicit || role->symmetric == ROLE_SYMMETRIC_NEVER)
        return 0;
    return gnutls_session_ext_register(tls, "role_preference", role->extension_id, GNUTLS_EXT_TLS, receive_preference,
                                       send_preference, NULL, NULL, NULL,
                                       GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_DTLS);
}

static unsigned flags_for(const struct session *session, enum role role)
{
    unsigned flags = (role == ROLE_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
                     session_ticket_flags(session, role) | GNUTLS_FORCE_CLIENT_CERT | GNUTLS_ENABLE_RAWPK;

    if (session->config->datagrams)
        flags |= GNUTLS_DATAGRAM;
    /* A hello that answers one is struck, most likely: a second key for it would be made for nothing. */
    if (role == ROLE_CLIENT && !session->config->role.active)
        flags |= GNUTLS_KEY_SHARE_TOP;
    return flags;
}

bool session_make_tls(struct session *session, enum role role)
{
    gnutls_session_t tls = NULL;
    const char *name = session->config->server_name;
    int code = gnutls_init(&tls, flags_for(session, role));

    if (session->tls)
        gnutls_deinit(session->tls); /* with the secrets of a hello that never happened */
    session->tls = tls;
    if (code < 0)
        goto failed;
    gnutls_session_set_ptr(tls, session);
    gnutls_transport_set_ptr(tls, session);
    gnutls_transport_set_push_function(tls, push);
    gnutls_transport_set_pull_function(tls, pull);
    gnutls_session_set_verify_function(tls, verify);
    gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, watch_handshake);
    gnutls_transport_set_pull_timeout_function(tls, pull_timeout);
    gnutls_handshake_set_timeout(tls, 0); /* ours is in the pump */
    if (session->config->datagrams)
        session_set_datagrams(session, tls, role);
    if (session->config->keylog >= 0)
        gnutls_session_set_keylog_function(tls, write_keylog);
    if (!set_priority(session, tls, role))
        return false;
    code = session->config->psk ? session_set_psk(session, tls, role) : session_set_identity(session, tls);
    if (code >= 0 && !set_alpn(session, tls))
        code = GNUTLS_E_MEMORY_ERROR;
    if (code >= 0)
        code = session_set_tickets(session, tls, role);
    if (code >= 0 && role == ROLE_CLIENT)
        code = set_preference(session, tls);
    if (code == GNUTLS_E_ALREADY_REGISTERED) {
        error_set(session->error, STATUS_LOCAL, "--extension-id %u: the TLS library uses that number for an extension of its own",
                  session->config->role.extension_id);
        return false;
    }
    if (code >= 0 && session->config->record_size) /* record_size_limit (RFC 8449), and max_fragment_length for older peers */
        code = (int)gnutls_record_set_max_size(tls, session->config->record_size);
    if (code >= 0 && role == ROLE_CLIENT && name)
        code = gnutls_server_name_set(tls, GNUTLS_NAME_DNS, name, strlen(name));
    if (role == ROLE_SERVER) /* asked, not required: a client without one is refused by our rules, with a sentence */
        gnutls_certificate_server_set_request(tls, session->config->ask_identity ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
    if (code >= 0)
        return true;
failed:
    error_set(session->error, STATUS_LOCAL, "the TLS library cannot make a session: %s", gnutls_strerror(code));
    return false;
}
