/* trust_certificate.h - what a certificate says, made fit for printing; and whether a name is in it. For `trust`. */
#ifndef SYMTLS_TRUST_CERTIFICATE_H
#define SYMTLS_TRUST_CERTIFICATE_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "facts.h"

/* As GnuTLS wants it; borrowed. */
gnutls_datum_t trust_certificate_datum(const struct presented_der *der);

/* The pin of its key, or of a bare one (a SubjectPublicKeyInfo); false: it has no usable one. */
bool trust_certificate_pin(gnutls_x509_crt_t certificate, char pin[TEXT_PIN_SIZE]);
bool trust_certificate_pin_of_key(const struct presented_der *key, char pin[TEXT_PIN_SIZE]);

/* The first of its names, else its common name, else "". */
void trust_certificate_name(gnutls_x509_crt_t certificate, char name[FACTS_NAME_SIZE]);

/* It bears `expected`: a DNS name, an IP address, or an e-mail address. */
bool trust_certificate_bears(gnutls_x509_crt_t certificate, const char *expected);

/* Fill what facts->peer has of it. */
void trust_certificate_describe(gnutls_x509_crt_t certificate, struct facts *facts);

#endif
