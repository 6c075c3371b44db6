/* reach.h - from the options to a connection with the peer: who calls whom, over what; and what the user is told meanwhile.
 *
 * reach_peer() does all of it for one session. Whoever serves many listens with reach_listen(), polls what reach_poll()
 * says, asks reach_next() for one after the other, and has reach_open() begin a session with each. */
#ifndef SYMTLS_REACH_H
#define SYMTLS_REACH_H

#include "channel.h"
#include "error.h"
#include "listeners.h"
#include "options.h"
#include "report.h"
#include "sctp.h"
#include "session.h"
#include "unixsock.h"
#include "wait.h"

/* Everything is borrowed. */
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
};

/* Listen, call or meet, as the options say, until the channel is open. False with an error, or with a signal (`wait`). */
bool reach_peer(struct reach *reach);

/* ---- Listening, step by step ---- */

/* A zeroed struct is closed. */
struct reach_listener {
    enum options_transport transport;
    struct listeners listeners;  /* of all but SCTP */
    struct unixsock_place place;
    struct sctp_listener sctp;
    struct session_door door;    /* UDP's */
};

/* Somebody who has come. */
struct reach_arrival {
    struct transport transport;
    struct buffer first; /* the datagrams that it has sent by now */
};

/* Listen, and tell the user. False with an error, or with a signal. */
bool reach_listen(struct reach *reach, struct reach_listener *listener);

/* The same for --from: who comes there is no peer. */
bool reach_listen_locally(struct reach *reach, struct reach_listener *listener);

/* All of that for one connection, which is the caller's. */
bool reach_take_local(struct reach *reach, int *fd);

void reach_listener_close(struct reach_listener *listener);
void reach_listener_leave(struct reach_listener *listener); /* in a child: others go on listening */

/* Nobody came in time: an error. */
void reach_tell_late(struct reach *reach);

/* What to wait for; returns how many. */
size_t reach_poll(const struct reach_listener *listener, struct pollfd fds[ADDRESS_LIST_MAX]);

/* Whoever is first among those who have come. LISTENERS_EXHAUSTED: with an error. */
enum listeners_next reach_next(struct reach *reach, struct reach_listener *listener, struct reach_arrival *arrival);

/* Begin a session with it: the channel is open then. False with an error. In both cases nothing is left of the arrival. */
bool reach_open(struct reach *reach, struct reach_arrival *arrival);

#endif
