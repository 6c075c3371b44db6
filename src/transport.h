/* transport.h - every transport is a descriptor plus a few facts. */
#ifndef SYMTLS_TRANSPORT_H
#define SYMTLS_TRANSPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"
#include "error.h"
#include "wait.h"

/* A sentence for the user about how it goes; not an error. */
typedef void transport_note(void *context, const char *text);

/* How to reach the peer, whatever the transport. */
struct transport_config {
    const char *host;        /* NULL: the wildcard */
    const char *port;        /* a number or a service's name */
    const char *source;      /* our address, or NULL */
    const char *source_port; /* or NULL: any */
    int family;
    bool numeric;
    int wait_ms;       /* for one attempt; -1: no limit */
    int retries;       /* further attempts; -1: without end */
    int retry_delay_ms;
    bool is_once;      /* nobody could ask for further attempts */
    transport_note *note;
    void *note_context;
};

enum transport_kind { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_SCTP, TRANSPORT_SCTP_IN_UDP, TRANSPORT_UNIX };
enum transport_setup { TRANSPORT_ACTIVE, TRANSPORT_PASSIVE, TRANSPORT_SIMULTANEOUS };

/* What the process that does SCTP in UDP and we have to say to each other of a connection, in memory that we share. */
struct transport_progress {
    atomic_size_t unacknowledged; /* bytes that it has taken from us, and the peer has not */
    atomic_bool lost;             /* they never will be */
    atomic_bool finished;         /* ours: what was sent is to arrive, also when our end of the stream is closed before that */
};

/* fd: TCP's socket; the kernel's SCTP socket for one association; or one end of a stream socket to the process that does SCTP
 * in UDP. Of SCTP it is the first stream that carries the bytes, and where one message ends means nothing. */
struct transport {
    enum transport_kind kind;
    int fd; /* close-on-exec; -1: none. It may block (others may have it, too), and is never left to */
    enum transport_setup setup;
    struct address local;
    struct address remote;
    bool unconnected; /* UDP: `remote` is where we look for the peer; it may turn out to speak from another port */
    struct address_list locals; /* with the kernel's SCTP: all of them, where there are several at one of the ends */
    struct address_list remotes;
    struct transport_progress *progress; /* with SCTP in UDP */
};

/* Tell the user, if there is somebody to tell. */
void transport_tell(const struct transport_config *config, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* After TRANSPORT_NEWS_MS without a connection, tell the user what has been seen so far, and when meeting what may help. */
enum { TRANSPORT_NEWS_MS = 5000 };
void transport_tell_waiting(const struct transport_config *config, bool meeting, const char *seen);

/* An attempt to connect has failed with this error; `failures` have before it. True: the error is cleared, the delay is over, and
 * it is time for another attempt. False: that was the last one, and the error stands; or wait->signal is set. */
bool transport_try_again(const struct transport_config *config, int failures, struct wait *wait, struct error *error);

/* What the user wants to see of errno: "connection refused". */
const char *transport_reason(int reason);

/* recv(2): 0 is the end of the stream. The notifications of an SCTP socket do not come through. */
ssize_t transport_receive(const struct transport *transport, void *bytes, size_t size);

/* The peer's end of the stream has come, and perhaps we have nothing to say for hours: without that nobody would notice that it has
 * gone. So from now on its kernel is asked now and then (TCP); if there is nobody any more, poll(2) tells of a hang-up within
 * two minutes. */
void transport_keep_asking(const struct transport *transport);

/* Bytes that were sent and that the peer's kernel has not acknowledged; of SCTP it is about so many. */
size_t transport_unacknowledged(const struct transport *transport);

/* How long it takes there and back, as the kernel has measured; microseconds. False: it does not say. */
bool transport_round_trip(const struct transport *transport, unsigned *us);

/* The next error that the kernel keeps for a UDP socket which has asked for that (IP_RECVERR, IPV6_RECVERR), and to whom we were
 * sending. `is_local`: it is our own kernel that says so, and no ICMP message. Returns its errno; 0: there is none. */
int transport_queued_error(int fd, struct address *target, bool *is_local);

/* Say that no more will come, wait until the peer has said so too, or `ms` have passed, throwing away what it still
 * sends; then close. Closing with unread data would reset the connection, and the peer would lose what it had not read
 * yet. SCTP has no half-close: there it ends both directions, once everything of ours has arrived. While more than
 * `immaterial` bytes are unacknowledged it waits up to `patience_ms`. Returns how many are in the end. */
size_t transport_finish(struct transport *transport, struct wait *wait, int ms, size_t immaterial, int patience_ms);

/* Close at once, by a reset. */
void transport_abort(struct transport *transport);

#endif
