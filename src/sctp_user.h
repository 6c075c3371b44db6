/* sctp_user.h - SCTP in UDP (RFC 6951) without the kernel's help: our end of the process that does it.
 *
 * One process does it for all associations of a program, sctp_process.h says how. Call sctp_user_prepare() before any key is
 * loaded: what it forks off holds everything that is in memory by then. */
#ifndef SYMTLS_SCTP_USER_H
#define SYMTLS_SCTP_USER_H

#include <sys/types.h>

#include "error.h"
#include "sctp_process.h"
#include "transport.h"

struct sctp_user {
    int control; /* -1: there is none */
    pid_t pid;
    struct transport_progress *progress; /* of SCTP_STREAMS_MAX */
    unsigned number; /* of the last job */
};

/* It was compiled in. */
bool sctp_user_is_built_in(void);

/* Start the process. False with an error (STATUS_LOCAL). */
bool sctp_user_prepare(struct sctp_user *user, struct error *error);

/* Let it end; each association that is still open is reset when its transport is closed. Transports must not be used after this,
 * and a zeroed struct (or one of -1) is fine. */
void sctp_user_free(struct sctp_user *user);

/* In a child that goes on with a transport of its own: let go of the rest. */
void sctp_user_leave(struct sctp_user *user);

/* ---- For sctp ---- */

/* A UDP socket for it, at our address `local` (length 0: any of the family). -1 with an error. */
int sctp_user_socket(const struct address *local, int family, uint16_t port, struct error *error);

/* Our address, as a peer at `remote` sees it; the port is UDP's, or 0. */
struct address sctp_user_local(int udp, const struct address *remote);

/* Start a job on that UDP socket, which stays the caller's. False with an error. */
bool sctp_user_start(struct sctp_user *user, struct sctp_job *job, int udp, struct error *error);

/* The next news of that job; with SCTP_NEWS_UP the transport is filled, but for its setup. */
enum wait_result sctp_user_next(struct sctp_user *user, const struct sctp_job *job, struct wait *wait, int64_t deadline,
                                struct sctp_news *news, struct transport *transport, struct error *error);

/* No more associations. */
void sctp_user_stop(struct sctp_user *user);

#endif
