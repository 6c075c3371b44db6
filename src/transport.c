/* transport.c - the end of a connection. */
#include "transport.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sctp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    ACKNOWLEDGE_MS = 10,
    ASK_S = 20, /* a kernel answers for a process that has gone for a minute (tcp_fin_timeout) */
    ASK_TIMES = 4
};

/* ---- Before there is one ---- */

void transport_tell(const struct transport_config *config, const char *format, ...)
{
    char text[1280];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (config->note)
        config->note(config->note_context, text);
}

void transport_tell_waiting(const struct transport_config *config, bool meeting, const char *seen)
{
    transport_tell(config, "still waiting for %s: %s%s", config->host, seen,
                   meeting ? "; if the peer is there, and calls our address and port, a NAT on the way may have changed a port: "
                             "a port that is forwarded to one end helps, or a relay"
                           : "");
}

bool transport_try_again(const struct transport_config *config, int failures, struct wait *wait, struct error *error)
{
    if (wait->signal || (error->status != STATUS_NETWORK && error->status != STATUS_TIME) ||
        (config->retries >= 0 && failures >= config->retries))
        return false;
    if (failures == 0)
        transport_tell(config, "%s; trying again until the peer is there", error->story);
    error_clear(error);
    return wait_for(wait, NULL, 0, wait_until(config->retry_delay_ms)) != WAIT_SIGNALLED;
}

/* ---- Bytes of SCTP ---- */

/* 0 with the end of the association, -1 with errno; 1: it is of no interest. */
static ssize_t heed(const union sctp_notification *notification)
{
    if (notification->sn_header.sn_type == SCTP_SHUTDOWN_EVENT)
        return 0;
    if (notification->sn_header.sn_type != SCTP_ASSOC_CHANGE || notification->sn_assoc_change.sac_state == SCTP_COMM_UP)
        return 1;
    if (notification->sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP)
        return 0;
    errno = ECONNRESET; /* lost; or restarted: then it is not who it was */
    return -1;
}

static ssize_t receive_message(int fd, void *bytes, size_t size)
{
    for (;;) {
        struct iovec part = {.iov_base = bytes, .iov_len = size};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        union sctp_notification notification;
        ssize_t length = recvmsg(fd, &message, 0), meaning;

        if (length <= 0 || !(message.msg_flags & MSG_NOTIFICATION))
            return length;
        memset(&notification, 0, sizeof notification);
        memcpy(&notification, bytes, (size_t)length < sizeof notification ? (size_t)length : sizeof notification);
        meaning = heed(&notification);
        if (meaning <= 0)
            return meaning;
    }
}

ssize_t transport_receive(const struct transport *transport, void *bytes, size_t size)
{
    return transport->kind == TRANSPORT_SCTP ? receive_message(transport->fd, bytes, size) : recv(transport->fd, bytes, size, MSG_DONTWAIT);
}

/* What the kernel holds for us until it is acknowledged, with its own bookkeeping. */
static size_t queued(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof memory;

    return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0 ? memory[SK_MEMINFO_WMEM_QUEUED] : 0;
}

/* SCTP's SHUTDOWN. shutdown(2) does nothing on a socket that was peeled off, and this is not allowed on another. */
static void shut_down(int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct sctp_sndinfo))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct msghdr message = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct sctp_sndinfo how = {.snd_flags = SCTP_EOF};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = IPPROTO_SCTP;
    header->cmsg_type = SCTP_SNDINFO;
    header->cmsg_len = CMSG_LEN(sizeof how);
    memcpy(CMSG_DATA(header), &how, sizeof how);
    if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
        shutdown(fd, SHUT_WR);
}

bool transport_round_trip(const struct transport *transport, unsigned *us)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    if (transport->kind != TRANSPORT_TCP || getsockopt(transport->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return false;
    *us = info.tcpi_rtt;
    return true;
}

/* ---- What ICMP says to UDP ---- */

int transport_queued_error(int fd, struct address *target, bool *is_local)
{
    for (;;) {
        _Alignas(struct cmsghdr) uint8_t control[512];
        uint8_t byte; /* of what we had sent */
        struct iovec part = {.iov_base = &byte, .iov_len = sizeof byte};
        struct msghdr message = {.msg_name = &target->storage,
                                 .msg_namelen = sizeof target->storage,
                                 .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        struct sock_extended_err error = {0};

        memset(target, 0, sizeof *target);
        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return 0;
        target->length = message.msg_namelen;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
            if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
                memcpy(&error, CMSG_DATA(header), sizeof error);
        *is_local = error.ee_origin == SO_EE_ORIGIN_LOCAL;
        if (error.ee_errno)
            return (int)error.ee_errno;
    }
}

/* ---- All of them ---- */

const char *transport_reason(int reason)
{
    return strerrordesc_np(reason) ? strerrordesc_np(reason) : "unknown error";
}

void transport_keep_asking(const struct transport *transport)
{
    static const struct {
        int level, option, value;
    } options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, ASK_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, ASK_S},
        {IPPROTO_TCP, TCP_KEEPCNT, ASK_TIMES},
    };

    if (transport->kind != TRANSPORT_TCP)
        return;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(transport->fd, options[i].level, options[i].option, &options[i].value, sizeof options[i].value);
}

size_t transport_unacknowledged(const struct transport *transport)
{
    int unsent = 0;

    if (transport->kind == TRANSPORT_UDP)
        return 0; /* nobody acknowledges */
    if (transport->kind == TRANSPORT_SCTP)
        return queued(transport->fd);
    if (ioctl(transport->fd, SIOCOUTQ, &unsent) != 0 || unsent < 0)
        unsent = 0;
    return (size_t)unsent + (transport->progress ? atomic_load(&transport->progress->unacknowledged) : 0);
}

/* Throw away what has come. False: nothing more will. */
static bool drain(const struct transport *transport)
{
    char rest[16384];
    ssize_t length = transport_receive(transport, rest, sizeof rest);

    return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The same once we have said that no more comes: the kernel counts that as one byte more. */
static size_t not_taken(const struct transport *transport)
{
    size_t unacknowledged = transport_unacknowledged(transport);

    return unacknowledged ? unacknowledged - 1 : 0;
}

/* The connection was reset: no acknowledgement will come either. */
static bool is_dead(const struct transport *transport)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    return getsockopt(transport->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
}

static size_t finish_tcp(struct transport *transport, struct wait *wait, int64_t deadline, size_t immaterial, int64_t patience)
{
    struct pollfd poll_fd = {.fd = transport->fd, .events = POLLIN};

    shutdown(transport->fd, SHUT_WR);
    for (;;) {
        enum wait_result result = wait_for(wait, &poll_fd, 1, deadline);

        if (result == WAIT_SIGNALLED)
            break;
        if (result == WAIT_READY && !drain(transport)) {
            poll_fd.fd = -1;
            deadline = wait_now();
        }
        if (deadline > wait_now())
            continue;
        if (not_taken(transport) <= immaterial || patience <= wait_now() || is_dead(transport))
            break;
        deadline = wait_until(ACKNOWLEDGE_MS); /* no event tells of that */
    }
    return not_taken(transport);
}

/* The end comes by itself when everything has arrived; if it comes by a reset, the last count holds. */
static size_t finish_sctp(struct transport *transport, struct wait *wait, int64_t deadline, size_t immaterial, int64_t patience)
{
    struct pollfd poll_fd = {.fd = transport->fd, .events = POLLIN};
    size_t left = 0;

    if (transport->kind == TRANSPORT_SCTP) {
        shut_down(transport->fd);
    } else {
        if (transport->progress)
            atomic_store(&transport->progress->finished, true);
        shutdown(transport->fd, SHUT_WR);
    }
    for (;;) {
        enum wait_result result;
        char rest[16384];
        ssize_t length = 1;

        left = transport_unacknowledged(transport);
        result = wait_for(wait, &poll_fd, 1, deadline);
        if (result == WAIT_SIGNALLED)
            break;
        if (result == WAIT_READY)
            length = transport_receive(transport, rest, sizeof rest);
        if (length < 0 && errno != EAGAIN && errno != EINTR)
            break;
        if (length == 0) {
            poll_fd.fd = -1;
            deadline = wait_now();
        }
        if (deadline > wait_now())
            continue;
        left = transport_unacknowledged(transport);
        if (left <= immaterial || patience <= wait_now() || (transport->progress && atomic_load(&transport->progress->lost)))
            break;
        deadline = wait_until(ACKNOWLEDGE_MS); /* no event tells of that */
    }
    return left;
}

size_t transport_finish(struct transport *transport, struct wait *wait, int ms, size_t immaterial, int patience_ms)
{
    int64_t deadline = wait_until(ms), patience = wait_until(patience_ms);
    size_t left = 0;

    switch (transport->kind) {
    case TRANSPORT_TCP:
    case TRANSPORT_UNIX:
        left = finish_tcp(transport, wait, deadline, immaterial, patience);
        break;
    case TRANSPORT_UDP:
        break; /* it has no end */
    case TRANSPORT_SCTP:
    case TRANSPORT_SCTP_IN_UDP:
        left = finish_sctp(transport, wait, deadline, immaterial, patience);
        break;
    }
    close(transport->fd);
    transport->fd = -1;
    return left;
}

void transport_abort(struct transport *transport)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (transport->fd < 0)
        return;
    setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(transport->fd);
    transport->fd = -1;
}
