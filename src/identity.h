/* identity.h - who we are: our keys and certificates, loaded or made on first use, and which of them to show to whom. */
#ifndef SYMTLS_IDENTITY_H
#define SYMTLS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct identity;

/* Asks the user for a passphrase or a token's PIN on the terminal. False: there is nobody to ask, or no answer. */
typedef bool identity_ask(void *context, const char *question, char *answer, size_t size);

/* One that the user named: files of PEM or PKCS#12, or pkcs11: URIs (RFC 7512). */
struct identity_source {
    const char *peer;        /* for the peer of this name only; NULL: for anybody */
    const char *certificate; /* NULL: a self-signed certificate is made for the key */
    const char *key;         /* NULL: it is where the certificate is */
    const char *status;      /* a file with an OCSP response about the certificate; NULL: none */
};

struct identity_config {
    const struct identity_source *sources;
    size_t source_count;
    bool bare;              /* show the bare public key in place of the certificate (RFC 7250) */
    const char *passphrase; /* NULL: ask, for what is encrypted */
    identity_ask *ask;
    void *ask_context;
};

/* All of these give NULL with an error of STATUS_IDENTITY, else what identity_free() takes. */

/* What the user named; of the config only the sources are looked at later on. */
struct identity *identity_load(const struct identity_config *config, struct error *error);

/* The user's own at `path`, made there first if it is missing (*made then says so). */
struct identity *identity_own(const char *path, bool bare, bool *made, struct error *error);

/* None: we show nothing, and so can only be a TLS client. */
struct identity *identity_none(struct error *error);

void identity_free(struct identity *identity);

/* What an end is called that was given no name: USER@HOST. */
#define IDENTITY_NAME_SIZE 128
void identity_usual_name(char name[IDENTITY_NAME_SIZE]);

/* How many there are, and of each its pin, its name fit for printing (either may be ""), and where it is from. */
size_t identity_count(const struct identity *identity);
const char *identity_pin(const struct identity *identity, size_t index);
const char *identity_name(const struct identity *identity, size_t index);
const char *identity_place(const struct identity *identity, size_t index);
bool identity_is_bare(const struct identity *identity);

/* The pins of all of them. */
const char *const *identity_pins(const struct identity *identity);

/* Days, rounded, until that certificate has expired; INT64_MAX: its dates do not matter. */
int64_t identity_days_left(const struct identity *identity, size_t index);

#endif
