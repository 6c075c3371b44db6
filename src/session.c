/* session.c - one TLS session between equals, in memory. */
#include "session.h"
#include "hello.h"
#include "role_alert.h"
#include "session_gnutls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INPUT_MAX = 65536,                             /* read from a socket at a time */
    OUTPUT_MAX = 4 * (SESSION_RECORD_MAX + 256),   /* four full records: larger writes were slower (cache) */
    OUTPUT_LIMIT = 1 << 20                         /* a flight of the handshake may exceed that, but not without end */
};

#define DEFAULT_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* ---- The library's side of the buffers ---- */

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t length)
{
    struct session *session = pointer;

    if (buffer_used(&session->output) + length > OUTPUT_LIMIT || !buffer_append(&session->output, bytes, length)) {
        gnutls_transport_set_errno(session->tls, ENOMEM);
        return -1;
    }
    return (ssize_t)length;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *bytes, size_t length)
{
    struct session *session = pointer;
    size_t taken;

    /* A client that saw the peer's ClientHello would end with an alert. */
    if (session->state == SESSION_HELLO) {
        gnutls_transport_set_errno(session->tls, EAGAIN);
        return -1;
    }
    taken = buffer_take(&session->input, bytes, length);
    if (taken == 0 && !session->input_ended) {
        gnutls_transport_set_errno(session->tls, EAGAIN);
        return -1;
    }
    return (ssize_t)taken;
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
    struct buffer message = {0};
    struct hello hello;
    const uint8_t header[4] = {HANDSHAKE_CLIENT_HELLO, (uint8_t)(body->size >> 16), (uint8_t)(body->size >> 8),
                               (uint8_t)body->size};
    int code = 0;

    if (!session->role.peer_is_explicit)
        return 0;
    if (!buffer_append(&message, header, sizeof header) || !buffer_append(&message, body->data, body->size) ||
        hello_read(buffer_at(&message), buffer_used(&message), session->config->role.extension_id, &hello) !=
            HELLO_FOUND ||
        hello.preference_length != first->length || memcmp(hello.preference, first->value, first->length) != 0)
        code = GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
    buffer_free(&message);
    return code;
}

static int watch_handshake(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *body)
{
    struct session *session = gnutls_session_get_ptr(tls);

    (void)when;
    if (!incoming)
        return 0;
    switch (type) {
    case GNUTLS_HANDSHAKE_CLIENT_HELLO:
        return check_client_hello(session, body);
    case GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST:
        session->asked_for_identity = true;
        break;
    case GNUTLS_HANDSHAKE_KEY_UPDATE:
    case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET:
        if (session->state == SESSION_OPEN)
            session->accepted = true;
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

static bool set_priority(struct session *session, gnutls_session_t tls)
{
    const char *priority = session->config->priority;
    const char *at = NULL;
    int code = gnutls_priority_set_direct(tls, priority ? priority : DEFAULT_PRIORITY, &at);

    if (code >= 0)
        return true;
    error_set(session->error, STATUS_LOCAL, "--priority: GnuTLS does not understand \"%s\" from \"%s\" on; see "
              "gnutls-cli --priority-list", priority ? priority : DEFAULT_PRIORITY, at ? at : "");
    return false;
}

static bool set_alpn(struct session *session, gnutls_session_t tls)
{
    gnutls_datum_t protocols[16];
    unsigned count = (unsigned)session->config->alpn_count;

    if (count == 0)
        return true;
    if (count > 16)
        count = 16;
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
                                       GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_TLS);
}

/* A library session for a role, in place of the one that there was. */
static bool make_tls(struct session *session, enum role role)
{
    gnutls_session_t tls = NULL;
    const char *name = session->config->server_name;
    unsigned flags = (role == ROLE_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
                     GNUTLS_NO_TICKETS | GNUTLS_FORCE_CLIENT_CERT;
    int code = gnutls_init(&tls, flags);

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
    gnutls_handshake_set_hook_function(tls, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST, watch_handshake);
    gnutls_handshake_set_timeout(tls, 0); /* ours is in the pump */
    if (session->config->keylog >= 0)
        gnutls_session_set_keylog_function(tls, write_keylog);
    if (!set_priority(session, tls))
        return false;
    code = gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, identity_credentials(session->config->identity));
    if (code >= 0 && !set_alpn(session, tls))
        code = GNUTLS_E_MEMORY_ERROR;
    if (code >= 0 && role == ROLE_CLIENT)
        code = set_preference(session, tls);
    if (code == GNUTLS_E_ALREADY_REGISTERED) {
        error_set(session->error, STATUS_LOCAL, "--extension-id %u: the TLS library uses that number for an extension of its own",
                  session->config->role.extension_id);
        return false;
    }
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

/* Our ClientHello, into the output. */
static bool say_hello(struct session *session)
{
    size_t before = buffer_used(&session->output);
    int code;

    if (!make_tls(session, ROLE_CLIENT))
        return false;
    code = gnutls_handshake(session->tls);
    if (code != GNUTLS_E_AGAIN || !role_our_hello(&session->role, buffer_at(&session->output) + before,
                                                  buffer_used(&session->output) - before)) {
        error_set(session->error, STATUS_LOCAL, "the TLS library cannot make a ClientHello: %s", gnutls_strerror(code));
        return false;
    }
    return true;
}

struct session *session_new(const struct session_config *config, struct error *error)
{
    struct session *session = calloc(1, sizeof *session);

    if (!session) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return NULL;
    }
    session->config = config;
    session->error = error;
    session->state = SESSION_HELLO;
    role_init(&session->role, &config->role);
    if (session->role.step == ROLE_STEP_HELLO ? say_hello(session) : true)
        return session;
    session_free(session);
    return NULL;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    if (session->tls)
        gnutls_deinit(session->tls);
    role_free(&session->role);
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
    return gnutls_protocol_get_version(session->tls) >= GNUTLS_TLS1_3;
}

const uint8_t *session_output(const struct session *session, size_t *length)
{
    *length = buffer_used(&session->output);
    return buffer_at(&session->output);
}

void session_sent(struct session *session, size_t length)
{
    buffer_skip(&session->output, length);
}

/* ---- Failing ---- */

static enum session_state fail(struct session *session, int code)
{
    session_tell(session, code);
    gnutls_alert_send_appropriate(session->tls, code);
    return session->state = SESSION_FAILED;
}

void session_refuse(struct session *session, int alert)
{
    /* Before TLS 1.3 that alert did not exist (RFC 5246 section 7.4.6). */
    if (alert == ALERT_CERTIFICATE_REQUIRED && !session_is_tls13(session))
        alert = ALERT_HANDSHAKE_FAILURE;
    gnutls_alert_send(session->tls, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
    session->state = SESSION_FAILED;
}

/* ---- The role ---- */

static enum session_state give_up_role(struct session *session)
{
    char story[sizeof session->error->story];
    uint8_t record[ROLE_ALERT_RECORD_SIZE];

    role_story(&session->role, story, sizeof story);
    error_set(session->error, role_status(&session->role), "%s", story);
    if (session->role.alert != ROLE_NO_ALERT) {
        role_alert_record(record, session->role.alert);
        buffer_append(&session->output, record, sizeof record);
    }
    return session->state = SESSION_FAILED;
}

static enum session_state take_role(struct session *session, enum role role)
{
    session->our_role = role;
    if (!role_rest(&session->role, &session->input)) {
        error_set(session->error, STATUS_LOCAL, "out of memory");
        return session->state = SESSION_FAILED;
    }
    if (role == ROLE_SERVER && !make_tls(session, ROLE_SERVER))
        return session->state = SESSION_FAILED;
    return session->state = SESSION_HANDSHAKE;
}

static enum session_state follow_role(struct session *session, enum role_step step)
{
    while (step == ROLE_STEP_HELLO) {
        if (!say_hello(session))
            return session->state = SESSION_FAILED;
        step = role_next(&session->role);
    }
    switch (step) {
    case ROLE_STEP_CLIENT:
        return take_role(session, ROLE_CLIENT);
    case ROLE_STEP_SERVER:
        return take_role(session, ROLE_SERVER);
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
    return used < INPUT_MAX ? INPUT_MAX - used : 0;
}

void session_feed(struct session *session, const uint8_t *bytes, size_t length)
{
    session->fed = true;
    if (session->state == SESSION_HELLO) {
        follow_role(session, role_feed(&session->role, bytes, length));
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
    if (session->state == SESSION_HELLO)
        follow_role(session, role_end(&session->role));
}

/* ---- The handshake ---- */

/* Both ends have finished it: what is left to tell each other about acceptance? */
static enum session_state open_session(struct session *session)
{
    session->state = SESSION_OPEN;
    if (!session_is_tls13(session) || session->our_role == ROLE_SERVER) {
        session->accepted = true; /* the peer's Finished says so */
        /* A TLS 1.3 client cannot know yet; a symmetric one waits for this. A plain one gets no bytes that it may
         * leave unread when it closes. */
        if (session_is_tls13(session) && session->role.symmetric) {
            int code = gnutls_session_key_update(session->tls, 0);

            if (code < 0)
                return fail(session, code);
        }
    } else if (!session->role.symmetric && !session->asked_for_identity) {
        session->accepted = true; /* a plain server that asked for nothing has nothing to refuse */
    }
    return session->state;
}

static enum session_state handshake(struct session *session)
{
    /* Once the library has finished, gnutls_handshake() would begin anew. */
    while (!session->finished) {
        int code = gnutls_handshake(session->tls);

        if (session->state == SESSION_VERDICT)
            return session->state;
        if (code == GNUTLS_E_AGAIN)
            return session->state;
        if (code < 0 && code != GNUTLS_E_INTERRUPTED && code != GNUTLS_E_WARNING_ALERT_RECEIVED)
            return fail(session, code);
        session->finished = code == 0;
    }
    /* A server that did not ask has not been asked for a verdict either. */
    if (!session->judged)
        return session->state = SESSION_VERDICT;
    return open_session(session);
}

enum session_state session_advance(struct session *session)
{
    return session->state == SESSION_HANDSHAKE ? handshake(session) : session->state;
}

void session_accept(struct session *session)
{
    session->judged = true;
    session->state = SESSION_HANDSHAKE;
}

void session_chain(const struct session *session, struct chain *chain)
{
    unsigned count = 0;
    const gnutls_datum_t *list = NULL;

    memset(chain, 0, sizeof *chain);
    if (gnutls_certificate_type_get2(session->tls, GNUTLS_CTYPE_PEERS) == GNUTLS_CRT_X509)
        list = gnutls_certificate_get_peers(session->tls, &count);
    for (unsigned i = 0; list && i < count && i < CHAIN_MAX; i++) {
        chain->at[i].der = list[i].data;
        chain->at[i].size = list[i].size;
        chain->count++;
    }
}

/* ---- Application data ---- */

size_t session_send(struct session *session, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;

    while (session->state == SESSION_OPEN && taken < length &&
           buffer_used(&session->output) + SESSION_RECORD_MAX + 256 <= OUTPUT_MAX) {
        size_t piece = length - taken < SESSION_RECORD_MAX ? length - taken : SESSION_RECORD_MAX;
        ssize_t code = gnutls_record_send(session->tls, bytes + taken, piece);

        if (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_AGAIN)
            continue;
        if (code < 0) {
            fail(session, (int)code);
            break;
        }
        taken += (size_t)code;
    }
    return taken;
}

/* A TLS 1.2 peer wants to negotiate anew. It is told no; one that keeps asking without reading is thrown out. */
static bool decline_renegotiation(struct session *session)
{
    return buffer_used(&session->output) < OUTPUT_MAX &&
           gnutls_alert_send(session->tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION) == 0;
}

size_t session_receive(struct session *session, uint8_t *bytes, size_t size)
{
    while (session->state == SESSION_OPEN && !session->peer_closed) {
        ssize_t code = gnutls_record_recv(session->tls, bytes, size);

        if (code > 0) {
            session->accepted = true;
            return (size_t)code;
        }
        if (code == 0) {
            session->peer_closed = true;
            /* Like data: a server that had refused us would have said so. */
            session->accepted = true;
        } else if (code == GNUTLS_E_AGAIN) {
            if (buffer_used(&session->input) == 0 && !session->input_ended)
                break;
        } else if (code == GNUTLS_E_REHANDSHAKE) {
            if (!decline_renegotiation(session))
                fail(session, (int)code);
        } else if (code != GNUTLS_E_INTERRUPTED && code != GNUTLS_E_WARNING_ALERT_RECEIVED) {
            fail(session, (int)code);
        }
    }
    return 0;
}

void session_close(struct session *session)
{
    size_t before = buffer_used(&session->output);

    if (session->state == SESSION_OPEN && !session->we_closed)
        gnutls_bye(session->tls, GNUTLS_SHUT_WR);
    session->close_size += buffer_used(&session->output) - before;
    session->we_closed = true;
}
