/* options_check.h - the rules between options, and the defaults that depend on others. For `options`. */
#ifndef SYMTLS_OPTIONS_CHECK_H
#define SYMTLS_OPTIONS_CHECK_H

#include "options.h"

/* The letter, or a number beyond the letters. */
enum {
    OPT_HANDSHAKE_TIMEOUT = 256,
    OPT_IDLE_TIMEOUT,
    OPT_LINGER,
    OPT_RETRY,
    OPT_RETRY_DELAY,
    OPT_MTU,
    OPT_SCTP_UDP,
    OPT_HELLO,
    OPT_SYMMETRIC,
    OPT_IMPLICIT,
    OPT_EXTENSION_ID,
    OPT_ROLE_PREFERENCE,
    OPT_CERT,
    OPT_KEY,
    OPT_PASS,
    OPT_NO_IDENTITY,
    OPT_RAWPK,
    OPT_OCSP_RESPONSE,
    OPT_PSK_FILE,
    OPT_PSK_IDENTITY,
    OPT_MAKE_PSK,
    OPT_PEER,
    OPT_PIN,
    OPT_CACERT,
    OPT_CRL,
    OPT_OCSP,
    OPT_DANE,
    OPT_TOFU,
    OPT_REMOTE_ID,
    OPT_INSECURE,
    OPT_ALLOW_SELF,
    OPT_STRICT_EKU,
    OPT_PRIORITY,
    OPT_ALPN,
    OPT_SNI,
    OPT_NO_SNI,
    OPT_KEYLOG,
    OPT_EXPORT,
    OPT_CHANNEL_BINDING,
    OPT_RECORDSIZE,
    OPT_TICKETS,
    OPT_SESSION,
    OPT_SAVE_CERT,
    OPT_TO,
    OPT_SEND_PROXY,
    OPT_FRAMING,
    OPT_FD,
    OPT_FROM,
    OPT_PTY,
    OPT_RAW,
    OPT_PROGRESS,
    OPT_SEND_ONLY,
    OPT_RECV_ONLY,
    OPT_REPORT,
    OPT_CONFIG,
    OPT_TRACE,
    OPT_SHOW_IDENTITY,
    OPT_COMMANDS,
    OPT_KNOWN,
    OPT_VERSION,
    OPT_COUNT
};

/* How often each option was given. */
struct options_given {
    unsigned times[OPT_COUNT];
};

/* Check all of it and fill in what follows from it; `words` are the arguments that are no options. */
bool options_check(struct options *options, const struct options_given *given, const struct options_list *words,
                   struct error *error);

#endif
