/* role_alert.h - the alerts of TLS: their numbers, their names, and what they mean between equals. */
#ifndef SYMTLS_ROLE_ALERT_H
#define SYMTLS_ROLE_ALERT_H

#include <stdbool.h>

/* AlertDescription, RFC 8446 section 6: those that we send ourselves. */
enum {
    ALERT_UNEXPECTED_MESSAGE = 10,
    ALERT_BAD_RECORD_MAC = 20,
    ALERT_RECORD_OVERFLOW = 22,
    ALERT_HANDSHAKE_FAILURE = 40,
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_UNSUPPORTED_CERTIFICATE = 43,
    ALERT_CERTIFICATE_REVOKED = 44,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_ILLEGAL_PARAMETER = 47,
    ALERT_UNKNOWN_CA = 48,
    ALERT_ACCESS_DENIED = 49,
    ALERT_DECODE_ERROR = 50,
    ALERT_DECRYPT_ERROR = 51,
    ALERT_INTERNAL_ERROR = 80,
    ALERT_USER_CANCELED = 90,
    ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 113,
    ALERT_CERTIFICATE_REQUIRED = 116
};

/* The name that the RFCs give it; "unknown alert" for a number that they don't have. */
const char *role_alert_name(int alert);

/* What a peer that sends it most likely means, a clause for people; NULL when the name says it all. */
const char *role_alert_meaning(int alert);

/* The peer refuses us for who we are, or for not saying it: exit status 8. */
bool role_alert_rejects_identity(int alert);

#endif
