/* life.h - one session's life: keys and rules loaded, the peer reached, a conversation, and how it ended.
 *
 * Whoever holds one session calls these from top to bottom; whoever serves many prepares one life, and
 * lets each child go on with its copy of it. */
#ifndef SYMTLS_LIFE_H
#define SYMTLS_LIFE_H

#include "channel.h"
#include "dane.h"
#include "error.h"
#include "identity.h"
#include "local.h"
#include "options.h"
#include "ourselves.h"
#include "psk.h"
#include "pump.h"
#include "reach.h"
#include "report.h"
#include "resumption.h"
#include "sctp.h"
#include "session.h"
#include "trace.h"
#include "wait.h"

/* What the command line came to, and what stays the same for as long as the program runs. */
struct program {
    struct options options;
    struct wait wait;
    struct report report;
    struct trace *trace; /* NULL without --trace */
    char passphrase[OURSELVES_PASSPHRASE_SIZE]; /* for our keys; wiped once they are loaded */
    char *known_path;
    struct sctp_user sctp_user; /* SCTP in UDP is spoken by a process of its own */
};

/* It has pointers into itself: it stays where it is. */
struct life {
    struct program *program;
    struct error error;
    struct identity *identity;
    struct psk *psk; /* NULL without --psk-file */
    char usual_name[IDENTITY_NAME_SIZE]; /* that we have with it, unless told another one */
    struct dane dane;
    struct session_config session;
    struct trust_config trust;
    struct trust_occasion us; /* but for where the peer is */
    struct resumption resumption;
    struct transport_config transport;
    struct sctp_config sctp;
    struct reach reach;
    struct local_config local; /* stdin and stdout; who has another local side for this session says so here, after life_prepare() */
    struct channel channel;
    pump_told *told; /* NULL: nobody looks after it */
    void *told_context;
    struct pump_result result;
};

void life_init(struct life *life, struct program *program);
void life_free(struct life *life);

/* Our keys alone: for --show-identity, too. False with life->error; so do the others. */
bool life_load_identity(struct life *life);

/* Everything that does not depend on who the peer is: keys, rules, and whether a session could be made with them. */
bool life_prepare(struct life *life);

/* In a copy of a prepared one: a life of its own. */
bool life_renew(struct life *life);

/* With --from, and for one session: wait for who comes there. */
bool life_take_local(struct life *life);

/* With --from, and for one session: wait for who comes there. */
bool life_take_local(struct life *life);

/* This connection, which is taken over, is the local side. */
void life_lead(struct life *life, int fd);

/* Until there is a channel to the peer. False also with a signal (`wait`). */
bool life_reach(struct life *life);

void life_converse(struct life *life);

/* Tell how it ended. Returns the exit status, or 128 and the signal that ends the process; which life_leave() does, as if it had
 * not been caught, or returns the exit status. */
int life_tell(struct life *life);
int life_leave(const struct life *life, int exit);

#endif
