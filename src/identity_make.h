/* identity_make.h - new keys, and self-signed certificates for keys. For `identity` alone. */
#ifndef SYMTLS_IDENTITY_MAKE_H
#define SYMTLS_IDENTITY_MAKE_H

#include <stdbool.h>

#include "buffer.h"
#include "error.h"

/* Append a fresh ECDSA P-256 key and its self-signed certificate, as PEM. False with an error of STATUS_IDENTITY. */
bool identity_make(struct buffer *pem, struct error *error);

/* Append a self-signed certificate, as PEM, for the private key in `key` (PEM, from the file `path`). */
bool identity_make_certificate(const struct buffer *key, const char *passphrase, const char *path,
                               struct buffer *certificate, struct error *error);

#endif
