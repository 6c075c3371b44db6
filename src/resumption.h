/* resumption.h - going on from earlier sessions: what the file of --session holds, when it may be used, and what goes into it. */
#ifndef SYMTLS_RESUMPTION_H
#define SYMTLS_RESUMPTION_H

#include "error.h"
#include "report.h"
#include "session.h"
#include "tickets.h"
#include "trust.h"

/* Who serves many sessions prepares it once: they share the key of our tickets. */
struct resumption {
    const char *path;     /* of the file; NULL: nothing is kept */
    bool gives_tickets;   /* --tickets */
    const struct session_config *config; /* of all its sessions */
    const struct report *report;
    /* ---- */
    struct tickets tickets;
    struct session_ticket offer;
    uint8_t key[SESSION_TICKET_KEY_SIZE];
};

/* Read the file, and say in `session`, which is complete otherwise, what it came to. What the rules would not accept any more is not
 * offered. False with an error: the file cannot be used, or cannot be made. */
bool resumption_prepare(struct resumption *resumption, const struct trust_config *trust, const struct trust_occasion *us,
                        struct session_config *session, struct error *error);
void resumption_free(struct resumption *resumption);

/* The session has failed: perhaps for the ticket that we showed, and not again for that one. */
void resumption_forget(const struct resumption *resumption, const struct session *session);

/* If the server has given us a ticket, keep it. False with an error. */
bool resumption_keep(const struct resumption *resumption, struct session *session, struct error *error);

#endif
