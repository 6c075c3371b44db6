/* identity.h - who we are: our certificate and its key, loaded or made on first use. */
#ifndef SYMTLS_IDENTITY_H
#define SYMTLS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct identity;

/* Asks the user for a passphrase on the terminal. False: there is nobody to ask, or no answer. */
typedef bool identity_ask(void *context, const char *question, char *answer, size_t size);

struct identity_config {
    const char *certificate; /* PEM file; NULL: a self-signed certificate is made for the key */
    const char *key;         /* PEM file; NULL: it is in the certificate's file */
    const char *passphrase;  /* NULL: ask, if the key is encrypted */
    identity_ask *ask;
    void *ask_context;
};

/* All of these give NULL with an error of STATUS_IDENTITY, else what identity_free() takes. */

/* The files that the user named. */
struct identity *identity_load(const struct identity_config *config, struct error *error);

/* The user's own at `path`, made there first if it is missing (*made then says so). */
struct identity *identity_own(const char *path, bool *made, struct error *error);

/* None: we show no certificate, and so can only be a TLS client. */
struct identity *identity_none(struct error *error);

void identity_free(struct identity *identity);

/* The pin of our key, and the name in our certificate, fit for printing; both "" with none. */
const char *identity_pin(const struct identity *identity);
const char *const *identity_pins(const struct identity *identity, size_t *count); /* of all that could be shown */
const char *identity_name(const struct identity *identity);

/* For `session`: GnuTLS's gnutls_certificate_credentials_t, owned by the identity, usable in either role. */
struct gnutls_certificate_credentials_st *identity_credentials(const struct identity *identity);

#endif
