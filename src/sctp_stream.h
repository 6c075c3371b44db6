/* sctp_stream.h - one association of libusrsctp's as a stream socket, whose other end is the session's. For sctp_process.
 *
 * Nothing here waits: poll what sctp_stream_wanted() says, and call sctp_stream_run() then, and whenever the association may have
 * something new. How a stream ends, sctp_process.h says. */
#ifndef SYMTLS_SCTP_STREAM_H
#define SYMTLS_SCTP_STREAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "transport.h"

/* The most that is read from one side at once, and so the largest message of SCTP's that we send. */
enum { SCTP_STREAM_PIECE = 65536 };

struct socket; /* libusrsctp's */

/* The library knows a peer by its key (sctp_stack.h); we know where it is. */
struct sctp_path {
    uint64_t key;
    struct address remote;
    uint32_t tag; /* our verification tag: who knows it has received what we sent */
};

/* A zeroed struct is a free one. */
struct sctp_stream {
    struct socket *sctp; /* NULL: this one is free */
    struct sctp_path path;
    struct transport_progress *progress; /* what the session may see of it */
    int fd; /* -1: the session has gone, and the association is being shut down */
    bool we_ended, peer_ended, shutting_down, complete;
    int64_t deadline; /* of the shutdown */
    size_t unacknowledged;
    uint8_t out[SCTP_STREAM_PIECE], in[SCTP_STREAM_PIECE]; /* what SCTP, what the session has not taken yet */
    size_t out_length, in_at, in_length;
};

/* Make a free one the stream of an association, whose socket it owns from now on. Returns the session's end, which is the caller's;
 * -1: it is free as before, and the socket stays the caller's. */
int sctp_stream_open(struct sctp_stream *stream, struct socket *sctp, const struct sctp_path *path,
                     struct transport_progress *progress);

/* What it waits for on the session's side; of a free one fd is -1. */
struct pollfd sctp_stream_wanted(const struct sctp_stream *stream);

/* Move what can be moved, with what poll(2) said of the session's side. False: all is over, and the stream is free again. */
bool sctp_stream_run(struct sctp_stream *stream, short revents);

/* The library's timers matter to it now. */
bool sctp_stream_is_busy(const struct sctp_stream *stream);

#endif
