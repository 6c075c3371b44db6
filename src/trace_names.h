/* trace_names.h - the names that IANA gives to the numbers in a handshake. Pure: tables. */
#ifndef SYMTLS_TRACE_NAMES_H
#define SYMTLS_TRACE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* Each is NULL for a number that has no name here; the caller shows the number then. */
const char *trace_handshake_name(uint8_t type);   /* HandshakeType, RFC 8446 section 4: "ClientHello" */
const char *trace_record_name(uint8_t type);      /* ContentType, section 5.1: "handshake" */
const char *trace_version_name(uint16_t version); /* ProtocolVersion: "TLS 1.3" */
const char *trace_extension_name(uint16_t type);  /* not the role_preference: its number is configured */
const char *trace_group_name(uint16_t group);
const char *trace_signature_name(uint16_t scheme);
const char *trace_suite_name(uint16_t suite);     /* without "TLS_" in front */

/* One of those that are reserved so that nobody gets used to knowing all numbers (RFC 8701). */
bool trace_is_grease(uint16_t number);

#endif
