/* presented.h - what a peer showed of who it is, as it sent it. */
#ifndef SYMTLS_PRESENTED_H
#define SYMTLS_PRESENTED_H

#include <stddef.h>
#include <stdint.h>

#define PRESENTED_MAX 16 /* certificates; what a peer sends beyond that is not looked at */

enum presented_kind {
    PRESENTED_NONE,
    PRESENTED_X509,  /* certificates, its own first */
    PRESENTED_RAWPK, /* a bare SubjectPublicKeyInfo (RFC 7250) */
    PRESENTED_PSK    /* that it holds a key which it shares with us */
};

/* Everything is borrowed from the session. */
struct presented {
    enum presented_kind kind;
    struct presented_der {
        const uint8_t *der;
        size_t size;
    } at[PRESENTED_MAX];
    size_t count;                /* of certificates and keys above */
    struct presented_der status; /* an OCSP response about the first certificate (RFC 6066 section 8); size 0: none */
    const char *psk_name;        /* whose key it holds; "": nobody told */
};

#endif
