/* tickets.h - the file of --session: what an end needs to go on from an earlier session, as client and as server (symtls(1), FILES).
 *
 * Lines of a word and what belongs to it; binary in hexadecimal; the last line is "end". It holds secrets, and is never made or
 * used such that others can read it. A file that is something else is not touched. */
#ifndef SYMTLS_TICKETS_H
#define SYMTLS_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "error.h"
#include "presented.h"
#include "text.h"

#define TICKETS_KEY_SIZE     64
#define TICKETS_CONTEXT_SIZE 32
#define TICKETS_NAME_SIZE    256
#define TICKETS_DOUBT_SIZE   512

/* Zeroed, it holds nothing. Times are seconds since the epoch. */
struct tickets {
    /* As server: the key of our own tickets. */
    bool has_key;
    uint8_t key[TICKETS_KEY_SIZE];
    int64_t key_until;

    /* As client: a ticket of the peer's, and who that was. */
    bool has_ticket;
    int64_t until;
    uint8_t context[TICKETS_CONTEXT_SIZE]; /* of the session that it is from */
    char our_pin[TEXT_PIN_SIZE];           /* what we showed there; "": nothing */
    enum presented_kind kind;
    char psk_name[TICKETS_NAME_SIZE];      /* with PRESENTED_PSK */
    struct buffer shown[PRESENTED_MAX];    /* with X509 and RAWPK, as DER */
    size_t shown_count;
    struct buffer data;
};

void tickets_free(struct tickets *tickets);

/* Read it. What is there and cannot be used is left out, and `doubt` says why ("": nothing was). What has expired by `now` is
 * not used either. False with an error (STATUS_LOCAL): it cannot be read, or it is no such file. */
bool tickets_read(const char *path, int64_t now, struct tickets *tickets, char doubt[TICKETS_DOUBT_SIZE], struct error *error);

enum tickets_part { TICKETS_NOTHING /* but the file itself, where there is none */, TICKETS_KEY, TICKETS_TICKET };

/* Put that part of `tickets` in place of what the file has; the other part stays as it is there. A key that the file has got
 * meanwhile is taken over from it. False with an error. */
bool tickets_write(const char *path, int64_t now, enum tickets_part part, struct tickets *tickets, struct error *error);

/* As a peer that has just shown this. Borrowed. */
void tickets_presented(const struct tickets *tickets, struct presented *presented);

#endif
