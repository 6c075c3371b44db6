/* stock.h - a session, and the TLS library itself as its peer: for what no end of ours would do. */
#ifndef SYMTLS_TEST_STOCK_H
#define SYMTLS_TEST_STOCK_H

#include "pair.h"

#include <gnutls/gnutls.h>

struct stock {
    gnutls_session_t tls;
    gnutls_certificate_credentials_t credentials;
    struct buffer in, out;
    struct pair pair; /* for its configuration */
    struct session *session;
};

/* The library has that role; both are open. Between the pair's group set-up and tear-down. */
void stock_open(struct stock *stock, enum role role, const char *version);
void stock_free(struct stock *stock);

/* What one has said reaches the other. */
void stock_to_session(struct stock *stock);
void stock_from_session(struct stock *stock);

#endif
