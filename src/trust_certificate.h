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

/* It bears `expected`: a DNS name, an IP address, an e-mail address or a URI (trust_name.h). The common name counts for a
 * host's name, and only where there are no alternative names of any kind (RFC 6125 section 6.4.4), and it may be a TLS server's. */
bool trust_certificate_bears(gnutls_x509_crt_t certificate, const char *expected);

/* Its extended key usage allows a TLS server, or a TLS client. */
bool trust_certificate_is_for(gnutls_x509_crt_t certificate, bool server);

/* Fill what facts->peer has of it. */
void trust_certificate_describe(gnutls_x509_crt_t certificate, struct facts *facts);

#endif
