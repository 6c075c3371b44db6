/* psk.h - keys that we share with our peers: read from a file, and which of them is for whom.
 *
 * The file is what psktool writes, a line NAME:HEXKEY for each peer (#HEXNAME:HEXKEY where the name is unusual), or one
 * HEXKEY alone, for whoever has it. Names are the same if they differ in case only. */
#ifndef SYMTLS_PSK_H
#define SYMTLS_PSK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define PSK_NAME_SIZE 256 /* with the byte that ends it */

struct psk;

struct psk_key {
    const char *name; /* whose line it is; "": the one key has no name */
    const uint8_t *bytes;
    size_t length;
};

/* Borrowed for as long as the keys live. */
struct psk_config {
    const char *path;
    const char *our_name;
    const char *const *peers; /* --peer: nobody else will do */
    size_t peer_count;
    const char *host;         /* whom we call; if it has a line, nobody else will do. NULL: we are called */
    bool allow_self;          /* the peer may have our own name */
};

/* Read them. NULL with an error: STATUS_IDENTITY, or STATUS_LOCAL where --peer does not go with the file. */
struct psk *psk_load(const struct psk_config *config, struct error *error);

/* Wipes them. */
void psk_free(struct psk *psk);

/* 1 to 255 bytes of printable UTF-8, the first no "#". */
bool psk_is_name(const void *name, size_t length);

const char *psk_our_name(const struct psk *psk);

/* All of them, one by one; NULL behind the last. */
const struct psk_key *psk_at(const struct psk *psk, size_t index);

/* As TLS client: the key to prove, and in *peer whom that is shared with ("": nobody told). NULL: it is not known whom we
 * shall meet, so that we can only be the server. */
const struct psk_key *psk_of_client(const struct psk *psk, const char **peer);

enum psk_claim {
    PSK_KEY,       /* it has to have *key */
    PSK_OURSELVES, /* the name is our own */
    PSK_UNKNOWN,   /* there is no such line, or it cannot be a name */
    PSK_UNEXPECTED /* there is, but of somebody else than whom we expect */
};

/* As TLS server: a client says that this is its name. */
enum psk_claim psk_of_server(const struct psk *psk, const void *name, size_t length, const struct psk_key **key);

/* ---- A fresh key ---- */

#define PSK_LINE_SIZE (2 * 32 + 1)

/* Fill `length` bytes with random ones; false when there are none to be had. */
typedef bool psk_random(void *bytes, size_t length);

/* 32 bytes in hexadecimal: a file as it is. False when `random` failed. */
bool psk_make(char line[PSK_LINE_SIZE], psk_random *random);

#endif
