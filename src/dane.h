/* dane.h - TLSA records (RFC 6698, RFC 7671): what the owner of a name says about the keys to be met there.
 *
 * They come out of a file, for which the user vouches, or out of the DNS, where they count only when DNSSEC vouches for them. */
#ifndef SYMTLS_DANE_H
#define SYMTLS_DANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "wait.h"

/* RFC 6698 section 7; any other number may come too. */
enum { DANE_PKIX_TA = 0, DANE_PKIX_EE = 1, DANE_TA = 2, DANE_EE = 3 };  /* usage */
enum { DANE_CERTIFICATE = 0, DANE_KEY = 1 };                            /* selector: a SubjectPublicKeyInfo is a key */
enum { DANE_FULL = 0, DANE_SHA256 = 1, DANE_SHA512 = 2 };               /* matching type */

struct dane_record {
    uint8_t usage, selector, matching;
    uint8_t *data; /* owned */
    size_t size;   /* never 0 */
};

#define DANE_HOST_SIZE 256

/* Zeroed at first. */
struct dane {
    char host[DANE_HOST_SIZE]; /* without a last dot */
    unsigned port;
    const char *protocol;      /* "tcp", "udp", "sctp" */
    char owner[DANE_HOST_SIZE + 16]; /* _PORT._PROTOCOL.HOST */
    const char *source;        /* a file's name, or "DNSSEC"; borrowed */
    struct dane_record *records;
    size_t count;
};

/* What we look for. `port` is a number or a service's name. False with an error (STATUS_LOCAL). */
bool dane_init(struct dane *dane, const char *host, const char *port, const char *protocol, struct error *error);
void dane_free(struct dane *dane);

/* Add the records of our owner name out of lines of a zone file:
 *     _4433._tcp.bob.example. [TTL] [IN] TLSA 3 1 1 HEX...   ; a comment
 * Names are whole, with or without the last dot. All lines are checked, also those about others. False with an error
 * (STATUS_LOCAL), in which `source` is the file's name. */
bool dane_parse(struct dane *dane, const char *source, const char *text, size_t length, struct error *error);

/* The same for a file. No record for us is an error of STATUS_UNKNOWN. */
bool dane_read(struct dane *dane, const char *path, struct error *error);

/* Ask the DNS. False with an error, STATUS_UNKNOWN where nothing could be learnt, STATUS_WRONG where the answer is forged, STATUS_LOCAL
 * where we cannot ask, STATUS_TIME; or wait->signal is set. */
bool dane_ask(struct dane *dane, struct wait *wait, int64_t deadline, struct error *error);

#endif
