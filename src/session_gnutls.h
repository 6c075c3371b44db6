/* session_gnutls.h - a session's insides, for the session_*.c files. */
#ifndef SYMTLS_SESSION_GNUTLS_H
#define SYMTLS_SESSION_GNUTLS_H

#include <gnutls/gnutls.h>

#include "session.h"

struct session {
    const struct session_config *config;
    struct error *error;
    struct role_stream role;
    gnutls_session_t tls; /* NULL while a passive end is undecided */
    enum role our_role;
    enum session_state state;
    struct buffer input;  /* from the peer, for the library */
    struct buffer output; /* from the library, for the peer */
    uint8_t header[5]; /* of the record that the library is reading */
    int clear_alert;   /* in it, not encrypted; ROLE_NO_ALERT: none */
    bool fed;
    bool heard_after_hello;
    size_t close_size; /* of the record with our close_notify */
    bool input_ended;
    bool judged;          /* the caller has given its verdict */
    bool finished;        /* the library has done its handshake */
    bool declined;        /* the peer wanted to renegotiate, and was told no */
    bool asked_for_identity; /* the server wanted a certificate of ours */
    bool accepted;        /* the peer has accepted us */
    bool we_closed;
    bool peer_closed;
};

/* A library session for a role, in place of the one that there was. False with an error. */
bool session_make_tls(struct session *session, enum role role);

/* Keep the story of a GnuTLS error, as it is for the state that the session is in. */
void session_tell(struct session *session, int code);

/* Does the library speak TLS 1.3 here? */
bool session_is_tls13(const struct session *session);

#endif
