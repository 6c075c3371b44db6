/* sctp_stream.c - one association of libusrsctp's as a stream socket to the session. */
#include "sctp_stream.h"
#include "sctp_library.h"
#include "sctp_stack.h"
#include "wait.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    LAST_DATA_MS = 30000, /* without progress, for what has to be sent before: SCTP gives up sooner on a peer that is not there */
    SHUTDOWN_MS = 10000   /* and for the farewell */
};

/* ---- Beginning and end ---- */

int sctp_stream_open(struct sctp_stream *stream, struct socket *sctp, const struct sctp_path *path,
                     struct transport_progress *progress)
{
    int ends[2];

    if (usrsctp.set_non_blocking(sctp, 1) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    stream->sctp = sctp;
    stream->path = *path;
    stream->progress = progress;
    progress->unacknowledged = 0;
    progress->lost = progress->finished = false;
    stream->fd = ends[0];
    stream->we_ended = stream->peer_ended = stream->shutting_down = stream->complete = false;
    stream->out_length = stream->in_length = stream->unacknowledged = 0;
    return ends[1];
}

static void drop(struct sctp_stream *stream, bool lost)
{
    if (!lost)
        stream->progress->unacknowledged = 0;
    stream->progress->lost = lost;
    sctp_stack_abort(stream->sctp); /* which says nothing where there is no association any more */
    stream->sctp = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

/* ---- From one side to the other ---- */

/* False: the association is no more. */
static bool heed(struct sctp_stream *stream, const union sctp_notification *notification)
{
    if (notification->sn_header.sn_type == SCTP_SHUTDOWN_EVENT) {
        stream->peer_ended = true;
        return true;
    }
    if (notification->sn_header.sn_type != SCTP_ASSOC_CHANGE || notification->sn_assoc_change.sac_state == SCTP_COMM_UP)
        return true;
    stream->complete = notification->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP;
    return false; /* else COMM_LOST; or RESTART: it is not who it was */
}

/* Hand over what has come for the session. False: it does not take more now. */
static bool deliver(struct sctp_stream *stream)
{
    while (stream->in_length) {
        ssize_t sent = stream->fd < 0 ? (ssize_t)stream->in_length
                                      : send(stream->fd, stream->in + stream->in_at, stream->in_length, MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN)
            sent = (ssize_t)stream->in_length; /* it does not want it any more */
        if (sent < 0)
            return false;
        stream->in_at += (size_t)sent;
        stream->in_length -= (size_t)sent;
    }
    return true;
}

/* From the peer to the session. False: the association is no more. */
static bool take_in(struct sctp_stream *stream)
{
    while (deliver(stream)) {
        socklen_t from_size = 0, info_size = 0;
        unsigned info_type = 0;
        int flags = 0;
        ssize_t length;

        if (stream->peer_ended && stream->fd >= 0)
            shutdown(stream->fd, SHUT_WR);
        length = usrsctp.recvv(stream->sctp, stream->in, sizeof stream->in, NULL, &from_size, NULL, &info_size, &info_type, &flags);
        if (length < 0)
            return errno == EAGAIN;
        if (length == 0)
            return true;
        if (flags & MSG_NOTIFICATION) {
            union sctp_notification notification;

            memset(&notification, 0, sizeof notification);
            memcpy(&notification, stream->in, (size_t)length < sizeof notification ? (size_t)length : sizeof notification);
            if (!heed(stream, &notification))
                return false;
            continue;
        }
        stream->in_at = 0;
        stream->in_length = (size_t)length;
    }
    return true;
}

/* At the end of what the session says: has it closed its socket without having finished? */
static bool has_gone(const struct sctp_stream *stream)
{
    struct pollfd fd = {.fd = stream->fd};

    return !stream->progress->finished && poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP);
}

/* Read what the session says. It is counted before it is taken: in between it would be nowhere, and the session might hold everything
 * for acknowledged. */
static ssize_t read_session(struct sctp_stream *stream)
{
    int waiting = 0;
    size_t size;

    while (ioctl(stream->fd, FIONREAD, &waiting) == 0 && waiting <= 0) {
        ssize_t length = recv(stream->fd, stream->out, 1, MSG_PEEK);

        if (length <= 0)
            return length;
    }
    size = (size_t)waiting < sizeof stream->out ? (size_t)waiting : sizeof stream->out;
    atomic_fetch_add(&stream->progress->unacknowledged, size);
    return recv(stream->fd, stream->out, size, 0);
}

/* From the session to the peer. False: the association is no more, or is not to be. */
static bool put_out(struct sctp_stream *stream, short revents)
{
    for (;;) {
        ssize_t length;

        if (stream->out_length) {
            if (usrsctp.sendv(stream->sctp, stream->out, stream->out_length, NULL, 0, NULL, 0, SCTP_SENDV_NOINFO, 0) < 0)
                return errno == EAGAIN || stream->peer_ended;
            stream->out_length = 0;
        }
        if (stream->we_ended || stream->fd < 0)
            return true;
        if ((revents & POLLHUP) && !stream->peer_ended && !stream->progress->finished)
            return false; /* closed without a word */
        length = read_session(stream);
        if (length < 0 && errno == EAGAIN)
            return true;
        if (length < 0 && !stream->progress->finished)
            return false;
        if (length <= 0) { /* an error only says that it has left something unread */
            if (!stream->peer_ended && has_gone(stream))
                return false;
            stream->we_ended = true;
            continue;
        }
        stream->out_length = (size_t)length;
    }
}

/* ---- How it goes ---- */

/* False: it is over. */
static bool shut_down(struct sctp_stream *stream, size_t left)
{
    if (!stream->we_ended || stream->out_length)
        return true;
    if (!stream->shutting_down || left < stream->unacknowledged)
        stream->deadline = wait_until(left ? LAST_DATA_MS : SHUTDOWN_MS);
    if (!stream->shutting_down) {
        stream->shutting_down = true;
        return usrsctp.shutdown(stream->sctp, SHUT_WR) == 0 || stream->peer_ended;
    }
    return wait_now() < stream->deadline;
}

bool sctp_stream_run(struct sctp_stream *stream, short revents)
{
    size_t left;

    if (stream->fd >= 0 && stream->we_ended && (revents & POLLHUP)) {
        close(stream->fd);
        stream->fd = -1;
    }
    if (!take_in(stream) || !put_out(stream, revents)) {
        drop(stream, !stream->complete);
        return false;
    }
    left = sctp_stack_unacknowledged(stream->sctp) + stream->out_length;
    if (!shut_down(stream, left)) {
        drop(stream, true);
        return false;
    }
    stream->unacknowledged = left;
    stream->progress->unacknowledged = left;
    return true;
}

struct pollfd sctp_stream_wanted(const struct sctp_stream *stream)
{
    short events = (short)((!stream->we_ended && stream->out_length == 0 ? POLLIN : 0) | (stream->in_length ? POLLOUT : 0));

    /* A hang-up is told whether it is asked for or not. Once the peer has ended, there is one as soon as we have. */
    return (struct pollfd){.fd = stream->sctp && (events || !stream->peer_ended) ? stream->fd : -1, .events = events};
}

bool sctp_stream_is_busy(const struct sctp_stream *stream)
{
    return stream->sctp && (stream->unacknowledged || stream->shutting_down);
}
