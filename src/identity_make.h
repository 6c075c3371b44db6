/* identity_make.h - new keys, and self-signed certificates for keys. For `identity` alone. */
#ifndef SYMTLS_IDENTITY_MAKE_H
#define SYMTLS_IDENTITY_MAKE_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>

#include "buffer.h"
#include "error.h"

/* USER@HOST, as far as that can be a name. */
#define IDENTITY_MAKE_NAME_SIZE 128
void identity_make_name(char name[IDENTITY_MAKE_NAME_SIZE]);

/* Append a fresh ECDSA P-256 key and its self-signed certificate, as PEM. False with an error of STATUS_IDENTITY. */
bool identity_make(struct buffer *pem, struct error *error);

/* A self-signed certificate for a key, from `place`; the caller's. False with an error of STATUS_IDENTITY. */
bool identity_make_certificate(gnutls_privkey_t key, const char *place, gnutls_x509_crt_t *certificate, struct error *error);

#endif
