/* session_error.c - what a GnuTLS error means to the user: the exit status and the sentence. */
#include "session_gnutls.h"
#include "identity.h"
#include "role_alert.h"

#include <stdio.h>
#include <string.h>

static bool shows_nothing(const struct session *session)
{
    return !*session_our_pin(session);
}

/* A TLS 1.2 server that wanted a certificate and got none has but handshake_failure to say so. */
static bool refuses_our_identity(const struct session *session, int alert)
{
    return role_alert_rejects_identity(alert) ||
           (alert == ALERT_HANDSHAKE_FAILURE && session->asked_for_identity && shows_nothing(session));
}

static void tell_alert(struct session *session, int alert)
{
    const char *name = role_alert_name(alert);
    const char *meaning = role_alert_meaning(alert);

    if (session_psk_tell_alert(session, alert))
        return;
    if (refuses_our_identity(session, alert) && shows_nothing(session))
        error_set(session->error, STATUS_REFUSED, "the peer refused us (alert %d, %s): we did not show who we are%s%s", alert,
                  name, session->shown_none ? ", since " : "", session->shown_none ? session->shown_none : "");
    else if (refuses_our_identity(session, alert))
        error_set(session->error, STATUS_REFUSED,
                  "the peer refused us (alert %d, %s)%s%s; our pin, for --pin at its end, is %s", alert, name,
                  meaning ? ": " : "", meaning ? meaning : "", session_our_pin(session));
    else
        error_set(session->error, STATUS_TLS, "the peer ended the %s with alert %d, %s%s%s",
                  session->state == SESSION_OPEN ? "session" : "handshake", alert, name, meaning ? ": " : "",
                  meaning ? meaning : "");
}

static void tell_end(struct session *session)
{
    if (session->state == SESSION_OPEN)
        error_set(session->error, STATUS_CUT,
                  "the connection ended without the peer's close_notify; data may be missing");
    else
        error_set(session->error, STATUS_TLS, "the peer closed the connection in the middle of the handshake");
}

/* The token that has our key may be gone. */
static bool is_about_our_key(int code)
{
    return code == GNUTLS_E_PK_SIGN_FAILED || (code <= GNUTLS_E_PKCS11_ERROR && code >= GNUTLS_E_PKCS11_USER_ERROR);
}

void session_tell(struct session *session, int code)
{
    if (code == GNUTLS_E_DECRYPTION_FAILED && session->state != SESSION_OPEN && session->clear_alert != ROLE_NO_ALERT) {
        tell_alert(session, session->clear_alert);
        return;
    }
    /* Many give up then; the library makes no more of their alert than of any surprise. */
    if (session->declined && (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_UNEXPECTED_PACKET)) {
        error_set(session->error, STATUS_TLS, "the peer wanted to renegotiate, was told no, and ended the session");
        return;
    }
    /* To the library a stream that ends in the middle of a record is a record that is too short. */
    if (code == GNUTLS_E_UNEXPECTED_PACKET_LENGTH && session->input_ended && buffer_used(&session->input) == 0)
        code = GNUTLS_E_PREMATURE_TERMINATION;
    if (session_psk_tell(session, code))
        return;
    if (is_about_our_key(code)) {
        error_set(session->error, STATUS_IDENTITY, "our key cannot be used any more: %s", gnutls_strerror(code));
        return;
    }
    if (session->shown_none && session->our_role == ROLE_SERVER && code != GNUTLS_E_FATAL_ALERT_RECEIVED) {
        error_set(session->error, STATUS_TLS, "we cannot be the TLS server: %s", session->shown_none);
        return;
    }
    switch (code) {
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        tell_alert(session, (int)gnutls_alert_get(session->tls));
        break;
    case GNUTLS_E_PREMATURE_TERMINATION:
        tell_end(session);
        break;
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
        error_set(session->error, STATUS_TLS, "the peer and we have no TLS version in common");
        break;
    case GNUTLS_E_NO_CIPHER_SUITES:
    case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
    case GNUTLS_E_NO_COMMON_KEY_SHARE:
    case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
        error_set(session->error, STATUS_TLS, "the peer and we have no TLS version or cipher suite in common (%s)", gnutls_strerror(code));
        break;
    case GNUTLS_E_NO_APPLICATION_PROTOCOL:
        error_set(session->error, STATUS_TLS, "the peer and we have no --alpn protocol in common");
        break;
    case GNUTLS_E_RECEIVED_ILLEGAL_EXTENSION:
        error_set(session->error, STATUS_TLS, "the peer sent a TLS extension where it must not be");
        break;
    case GNUTLS_E_DECRYPTION_FAILED:
    case GNUTLS_E_ERROR_IN_FINISHED_PACKET:
        error_set(session->error, STATUS_TLS, "what the peer sent was changed on the way (%s)", gnutls_strerror(code));
        break;
    default:
        error_set(session->error, STATUS_TLS, "TLS failed: %s", gnutls_strerror(code));
        break;
    }
}
