/* role_alert.c - the alerts of TLS. */
#include "role_alert.h"

#include <stddef.h>

/* The IANA registry "TLS Alerts". */
static const struct alert {
    int number;
    bool rejects_identity;
    const char *name;
    const char *meaning;
} table[] = {
    {0, false, "close_notify", "it closed before it said anything"},
    {10, false, "unexpected_message", NULL},
    {20, false, "bad_record_mac", "what we sent was changed on the way"},
    {22, false, "record_overflow", NULL},
    {40, false, "handshake_failure", "no roles, versions or ciphers in common"},
    {41, true, "no_certificate", "it wants us to show a certificate"},
    {42, true, "bad_certificate", "it does not accept our certificate"},
    {43, true, "unsupported_certificate", "it cannot use our kind of certificate"},
    {44, true, "certificate_revoked", "it holds our certificate for revoked"},
    {45, true, "certificate_expired", "it holds our certificate for expired"},
    {46, true, "certificate_unknown", "it does not know us"},
    {47, false, "illegal_parameter", NULL},
    {48, true, "unknown_ca", "it does not know who vouches for us"},
    {49, true, "access_denied", "it knows who we are and does not want us"},
    {50, false, "decode_error", NULL},
    {51, false, "decrypt_error", NULL},
    {70, false, "protocol_version", "no TLS version in common"},
    {71, false, "insufficient_security", "our ciphers are too weak for it"},
    {80, false, "internal_error", NULL},
    {86, false, "inappropriate_fallback", NULL},
    {90, false, "user_canceled", "it was stopped"},
    {100, false, "no_renegotiation", NULL},
    {109, false, "missing_extension", NULL},
    {110, false, "unsupported_extension", NULL},
    {112, false, "unrecognized_name", "it does not serve the name that we asked for"},
    {113, true, "bad_certificate_status_response", "nothing fresh told it that our certificate is not revoked"},
    {115, true, "unknown_psk_identity", "it does not know our key"},
    {116, true, "certificate_required", "it wants us to show a certificate"},
    {120, false, "no_application_protocol", "no --alpn protocol in common"},
};

static const struct alert *find(int alert)
{
    static const struct alert unknown = {-1, false, "unknown alert", NULL};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].number == alert)
            return &table[i];
    return &unknown;
}

const char *role_alert_name(int alert)
{
    return find(alert)->name;
}

const char *role_alert_meaning(int alert)
{
    return find(alert)->meaning;
}

bool role_alert_rejects_identity(int alert)
{
    return find(alert)->rejects_identity;
}
