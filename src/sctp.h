/* sctp.h - SCTP (RFC 9260): called, awaited, met. The kernel's where it has it, else in UDP (RFC 6951) by a process of ours.
 *
 * The two do not hear each other: what is spoken in UDP has to be so at both ends. On one host two ends in UDP need
 * different UDP ports. Whoever came first, there is one association: TLS roles come from the hellos. */
#ifndef SYMTLS_SCTP_H
#define SYMTLS_SCTP_H

#include "listeners.h"
#include "sctp_user.h"
#include "sctp_ways.h"
#include "transport.h"

enum { SCTP_UDP_PORT = 9899 };

struct sctp_config {
    const struct transport_config *common; /* its ports are SCTP's */
    const char *const *sources;            /* several of our addresses: multihoming, which is the kernel's; the first one is */
    size_t source_count;                   /* common->source too. 0: common->source alone */
    bool in_udp;                           /* even where the kernel has SCTP */
    uint16_t udp_local, udp_remote;        /* UDP's ports */
    struct sctp_user *user;                /* prepared if it is needed: sctp_kind() */
};

/* This kernel has SCTP. */
bool sctp_kernel(void);

/* Which of the two it will be: TRANSPORT_SCTP_IN_UDP needs a prepared `user`. */
enum transport_kind sctp_kind(bool in_udp);

/* Connect, to the first address that answers. False with an error, or with wait->signal set. */
bool sctp_connect(const struct sctp_config *config, struct wait *wait, struct transport *transport, struct error *error);

/* One socket for all addresses. */
struct sctp_listener {
    enum transport_kind kind;
    struct address_list local; /* with the real (SCTP) port */
    int fd;                    /* the kernel's, or the UDP socket */
    struct sctp_user *user;
    struct sctp_job job;
};

/* Listen on every address of the host. False with an error. */
bool sctp_listen(const struct sctp_config *config, struct wait *wait, struct sctp_listener *listener, struct error *error);

/* What to poll(2) for associations. */
int sctp_listener_fd(const struct sctp_listener *listener);

/* One that has come. LISTENERS_EXHAUSTED comes with an error, which may be for good. */
enum listeners_next sctp_next(struct sctp_listener *listener, struct wait *wait, struct transport *transport,
                              struct error *error);

/* The next association. False with an error (STATUS_TIME after common->wait_ms), or with wait->signal set. */
bool sctp_accept(const struct sctp_config *config, struct sctp_listener *listener, struct wait *wait,
                 struct transport *transport, struct error *error);
void sctp_listener_close(struct sctp_listener *listener);

/* In a child: let go of it, without an effect on who listens. */
void sctp_listener_leave(struct sctp_listener *listener);

/* Both ends call and listen on one port each (common->source_port, or else common->port) until they meet. */
struct sctp_meeting {
    enum transport_kind kind;
    struct address local; /* where the peer can come to */
    struct sctp_ways ways;
    int64_t deadline, news_at; /* WAIT_FOREVER: they are told */
    int fd;                    /* the kernel's socket, or the UDP socket */
    struct sctp_user *user;
};

/* The peer can come from now on. False with an error. */
bool sctp_meeting_open(const struct sctp_config *config, struct wait *wait, struct sctp_meeting *meeting, struct error *error);

/* An association. It may be up at our end alone, and be of no use: then, when its transport is closed, call this again. False with an
 * error (STATUS_TIME when common->wait_ms have passed since the opening; STATUS_ROLE: we have met ourselves), or with
 * wait->signal set. */
bool sctp_meet(const struct sctp_config *config, struct sctp_meeting *meeting, struct wait *wait, struct transport *transport,
               struct error *error);
void sctp_meeting_close(struct sctp_meeting *meeting);

#endif
