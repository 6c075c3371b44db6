/* sctp_process.h - the process in which libusrsctp runs, and what is said between it and us.
 *
 * That library reads bytes from anybody, so it runs where there is nothing to be had: a process that was forked off before
 * any key was loaded, with no files, no rights and no children. It gets a job and a bound UDP socket, and answers with
 * news; each association comes as one end of a stream socket. Both directions are datagrams on a socketpair, so nothing
 * is ever torn apart; the descriptor is attached. The process knows associations and UDP, nothing else. */
#ifndef SYMTLS_SCTP_PROCESS_H
#define SYMTLS_SCTP_PROCESS_H

#include "address.h"
#include "transport.h"

enum { SCTP_STREAMS_MAX = 64 };

enum sctp_task {
    SCTP_TASK_STOP,   /* no more associations; those that are there go on */
    SCTP_TASK_CALL,   /* the first of the targets that answers */
    SCTP_TASK_LISTEN, /* whoever comes, until told otherwise */
    SCTP_TASK_MEET    /* call one of the targets after the other, and listen to the one that is being called */
};

struct sctp_job {
    enum sctp_task task;
    unsigned number; /* comes back with all news of this job */
    uint16_t local_port, remote_port; /* SCTP's */
    struct address_list targets;      /* with UDP's port */
};

enum sctp_news_kind {
    SCTP_NEWS_UP,     /* an association; its stream is attached. It is the only one but for SCTP_TASK_LISTEN */
    SCTP_NEWS_REASON, /* why nothing came of that target so far */
    SCTP_NEWS_OVER,   /* the same, and it is not tried any more */
    SCTP_NEWS_SELF,   /* our own call has come back to us */
    SCTP_NEWS_FAILED, /* the job cannot be done */
    SCTP_NEWS_STOPPED
};

struct sctp_news {
    enum sctp_news_kind kind;
    unsigned number;
    size_t target;         /* with REASON, OVER */
    int reason;            /* errno; with REASON, OVER, FAILED */
    struct address remote; /* with UP: host and UDP port */
    uint16_t remote_port;  /* and SCTP's */
    size_t slot;           /* where in `progress` it is */
};

/* Run in a process of its own until `control` and all streams are closed. progress[SCTP_STREAMS_MAX], in shared memory,
 * is kept up to date. What ends a stream:
 *
 *   shutdown(SHUT_WR) by us     SCTP's SHUTDOWN, when everything is sent; ABORT if that makes no progress (30 s, then 10 s for
 *                               the farewell); then close() may follow at once, if `finished` was set before
 *   close() without that        ABORT
 *   the peer's SHUTDOWN         end of file, after its last byte
 *   the peer's ABORT, a peer    close(): an error, or end of file where nothing of ours was left unread
 *   that is dead (some 30 s) */
void sctp_process_run(int control, struct transport_progress *progress) __attribute__((noreturn));

#endif
