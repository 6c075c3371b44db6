/* reach.h - from the options to a connection with the peer: who calls whom, over what; and what the user is told meanwhile. */
#ifndef SYMTLS_REACH_H
#define SYMTLS_REACH_H

#include "channel.h"
#include "error.h"
#include "options.h"
#include "report.h"
#include "sctp.h"
#include "session.h"
#include "wait.h"

/* Everything is borrowed; fill in what is above the line. */
struct reach {
    const struct options *options;
    struct transport_config *transport;
    const struct sctp_config *sctp;
    const struct session_config *session;
    const char *our_pin; /* for the command that is suggested for the other host; "": we show nothing */
    bool shared_key;
    struct report *report;
    struct wait *wait;
    struct channel *channel;
    struct error *error;
    /* ---- */
    struct session_door door;
};

/* Listen, call or meet, as the options say, until the channel is open. False with an error, or with a signal (`wait`). */
bool reach_peer(struct reach *reach);

#endif
