/* certs.h - certificates made in memory, right and wrong. */
#ifndef SYMTLS_TEST_CERTS_H
#define SYMTLS_TEST_CERTS_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "presented.h"
#include "text.h"

struct cert {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    gnutls_datum_t der;
    char pin[TEXT_PIN_SIZE];
};

/* A zeroed one is a self-signed certificate without any name, valid for a day. */
struct cert_wish {
    const struct cert *issuer; /* NULL: self-signed */
    const struct cert *key_of; /* the same key as that one; NULL: a new one */
    const char *cn;            /* common name */
    const char *dns[3];        /* subject alternative names */
    const char *raw_dns;       /* in place of all other names: `raw_length` bytes of any kind */
    size_t raw_length;
    const char *email;
    const char *uri;
    const char *ip;            /* its text, of either family */
    bool ca;
    const char *purpose;       /* extended key usage, an OID */
    int from_days, to_days;    /* from now; both 0: from yesterday until tomorrow */
};

void cert_make(struct cert *cert, const struct cert_wish *wish);
void cert_free(struct cert *cert);

/* What a peer would show: one certificate, or two; NULL: none. */
void cert_present(struct presented *presented, const struct cert *cert, const struct cert *second);

/* PEM, for free(). */
char *cert_pem(const struct cert *cert);
char *cert_key_pem(const struct cert *cert);

#endif
