/* sctp_process.c - the process in which libusrsctp runs: UDP on one side, streams to the session on the other. */
#include "sctp_process.h"
#include "fdpass.h"
#include "wait.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>
#include <usrsctp.h>

enum {
    PIECE = 65536,
    BUFFER = 1 << 20,
    PATH_MTU = 1200,           /* fits with UDP and IPv6 into the 1280 that every path has (RFC 8200 section 5) */
    DATAGRAMS_AT_ONCE = 64,    /* then the streams have their turn */
    NEXT_TARGET_MS = 250,      /* the Connection Attempt Delay of RFC 8305 section 5 */
    AGAIN_MS = 300,            /* to AGAIN_MS + 200 */
    TURN_MS = 1000,            /* to 3 * TURN_MS: how long one of several addresses is met at */
    SHUTDOWN_MS = 3000,
    TICK_MS = 10, IDLE_TICK_MS = 100, IDLE_AFTER_MS = 1000,
    WATCHDOG_S = 30
};

/* The SCTP common header and the first chunk: RFC 9260 sections 3, 3.3.2 and 3.3.3. */
enum { TAG_AT = 4, CHUNK_AT = 12, INITIATE_TAG_AT = 16, INIT_SIZE = 20 };
enum chunk { INIT = 1, INIT_ACK = 2, HEARTBEAT_ACK = 5, ABORT = 6, COOKIE_ACK = 11, SHUTDOWN_COMPLETE = 14 };

/* libusrsctp knows a peer by a number ("AF_CONN"); we know where it is. */
struct path {
    uint64_t key;
    struct address remote;
    uint32_t tag; /* our verification tag: who knows it has received what we sent */
};

struct stream {
    struct socket *sctp; /* NULL: this one is free */
    struct path path;
    int fd; /* -1: the session has gone, and the association is being shut down */
    bool we_ended, peer_ended, shutting_down, complete;
    int64_t deadline; /* of the shutdown */
    size_t sent; /* and perhaps not acknowledged */
    size_t unacknowledged;
    uint8_t out[PIECE], in[PIECE]; /* what SCTP, what the session has not taken yet */
    size_t out_length, in_at, in_length;
};

struct target {
    struct path path;
    uint32_t init_tag; /* in our INIT: if one comes with it, it is ours */
    bool calling, over;
    int64_t again; /* when to call next */
};

struct process {
    int control, udp;
    bool ending; /* no more jobs will come */
    struct transport_progress *progress;
    struct sctp_job job;
    struct socket *many; /* one-to-many: it calls and listens. NULL: no job */
    struct target targets[ADDRESS_LIST_MAX];
    size_t turn; /* whom we call, with SCTP_TASK_MEET */
    int64_t next; /* target, or turn */
    bool told_self;
    uint64_t secret;
    int64_t timers_at, traffic_at;
    struct { /* the datagram that is being read */
        const uint8_t *packet;
        uint64_t key;
        struct address source;
    } now;
    struct stream streams[SCTP_STREAMS_MAX];
};

/* libusrsctp's output function is not told whose output it is; and there is one stack in a process. */
static struct process *process;

/* ---- UDP ---- */

static uint32_t u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* FNV-1a. It does not have to stand up to anybody: a number that is taken is seen to be so (key_of). */
static uint64_t hash(const struct address *address)
{
    const uint8_t *bytes = (const uint8_t *)&address->storage;
    uint64_t value = process->secret;

    for (size_t i = 0; i < address->length; i++)
        value = (value ^ bytes[i]) * 0x100000001b3U;
    return value ? value : 1;
}

static struct sockaddr_conn conn(uint64_t key, uint16_t port)
{
    return (struct sockaddr_conn){.sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = (void *)(uintptr_t)key};
}

static struct path *path_of(uint64_t key)
{
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        if (process->streams[i].sctp && process->streams[i].path.key == key)
            return &process->streams[i].path;
    for (size_t i = 0; process->many && i < process->job.targets.count; i++)
        if (process->targets[i].path.key == key)
            return &process->targets[i].path;
    return NULL;
}

/* Whose datagram is this? 0: nobody's. A peer may change its port (a NAT has forgotten it): it is followed when the
 * datagram bears the tag that only the peer knows. */
static uint64_t key_of(const struct address *source, const uint8_t *packet)
{
    uint32_t tag = u32(packet + TAG_AT);
    uint64_t key;

    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++) {
        struct stream *stream = &process->streams[i];

        if (stream->sctp && address_same(source, &stream->path.remote))
            return stream->path.key;
        if (stream->sctp && tag == stream->path.tag && address_same_host(source, &stream->path.remote)) {
            stream->path.remote = *source;
            return stream->path.key;
        }
    }
    if (!process->many)
        return 0;
    if (process->job.task == SCTP_TASK_LISTEN) {
        key = hash(source);
        return path_of(key) ? 0 : key;
    }
    for (size_t i = 0; i < process->job.targets.count; i++)
        if ((process->job.task == SCTP_TASK_CALL || process->turn == i) &&
            address_same_host(source, &process->targets[i].path.remote))
            return process->targets[i].path.key;
    return 0;
}

/* These go where the question came from; all else to where the peer is known to be. */
static bool is_answer(uint8_t chunk)
{
    return chunk == INIT_ACK || chunk == HEARTBEAT_ACK || chunk == ABORT || chunk == COOKIE_ACK || chunk == SHUTDOWN_COMPLETE;
}

static int send_packet(void *key, void *buffer, size_t length, uint8_t tos, uint8_t df)
{
    const uint8_t *packet = buffer;
    const struct path *path = path_of((uintptr_t)key);
    const struct address *to = path ? &path->remote : NULL;

    (void)tos;
    (void)df;
    if (process->now.packet && process->now.key == (uintptr_t)key && (!path || is_answer(packet[CHUNK_AT])))
        to = &process->now.source;
    for (size_t i = 0; packet[CHUNK_AT] == INIT && i < process->job.targets.count; i++)
        if (process->targets[i].path.key == (uintptr_t)key)
            process->targets[i].init_tag = u32(packet + INITIATE_TAG_AT);
    process->traffic_at = wait_now();
    /* An error that an ICMP message left behind is told in place of sending: once more then. */
    for (int i = 0; to && i < 3; i++)
        if (sendto(process->udp, buffer, length, 0, (const struct sockaddr *)&to->storage, to->length) >= 0 || errno == EAGAIN)
            break;
    return 0;
}

static void tell(struct sctp_news *news, int fd)
{
    news->number = process->job.number;
    /* Nobody takes it: then the stream's other end is closed with this copy of it, and that is seen. */
    fdpass_send(process->control, news, sizeof *news, fd, MSG_DONTWAIT);
}

static void tell_reason(size_t target, int reason, bool over)
{
    struct sctp_news news = {.kind = over ? SCTP_NEWS_OVER : SCTP_NEWS_REASON, .target = target, .reason = reason};

    process->targets[target].over = over;
    tell(&news, -1);
}

/* ---- SCTP sockets ---- */

static bool set(struct socket *sctp, int level, int option, const void *value, size_t size)
{
    return usrsctp_setsockopt(sctp, level, option, value, (socklen_t)size) == 0;
}

static void abort_socket(struct socket *sctp)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    set(sctp, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    usrsctp_close(sctp);
}

static struct socket *make_socket(uint16_t port)
{
    static const uint16_t events[] = {SCTP_ASSOC_CHANGE, SCTP_SHUTDOWN_EVENT};
    struct sctp_initmsg init = {
        .sinit_num_ostreams = 1, .sinit_max_instreams = 1, .sinit_max_attempts = 8, .sinit_max_init_timeo = 1000};
    struct sctp_rtoinfo rto = {.srto_initial = 500, .srto_max = 5000, .srto_min = 200};
    struct sctp_assocparams association = {.sasoc_asocmaxrxt = 4};
    struct sctp_paddrparams path = {.spp_hbinterval = 5000,
                                    .spp_pathmtu = PATH_MTU,
                                    .spp_pathmaxrxt = 3,
                                    .spp_flags = SPP_HB_ENABLE | SPP_PMTUD_DISABLE};
    struct sockaddr_conn any = conn(0, port);
    int on = 1, size = BUFFER;
    struct socket *sctp = usrsctp_socket(AF_CONN, SOCK_SEQPACKET, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    bool good = sctp != NULL;

    path.spp_address.ss_family = AF_CONN;
    good = good && usrsctp_set_non_blocking(sctp, 1) == 0 && set(sctp, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) &&
           set(sctp, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto) &&
           set(sctp, IPPROTO_SCTP, SCTP_ASSOCINFO, &association, sizeof association) &&
           set(sctp, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path) &&
           set(sctp, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) && set(sctp, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) &&
           set(sctp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (size_t i = 0; good && i < sizeof events / sizeof *events; i++) {
        struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = events[i], .se_on = 1};

        good = set(sctp, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
    }
    if (good && usrsctp_bind(sctp, (struct sockaddr *)&any, sizeof any) == 0)
        return sctp;
    if (sctp)
        abort_socket(sctp);
    return NULL;
}

static uint32_t random_below(uint32_t limit)
{
    uint32_t value = 0;

    return getrandom(&value, sizeof value, 0) == sizeof value ? value % limit : 0;
}

/* ---- The job: calling and listening ---- */

static void stop_job(void)
{
    if (process->many)
        abort_socket(process->many); /* and whatever is half made with it */
    process->many = NULL;
}

static void start_job(void)
{
    struct sctp_news failed = {.kind = SCTP_NEWS_FAILED};

    memset(process->targets, 0, sizeof process->targets);
    for (size_t i = 0; i < process->job.targets.count; i++) {
        struct path *path = &process->targets[i].path;

        path->remote = process->job.targets.at[i];
        path->key = hash(&path->remote);
        usrsctp_register_address((void *)(uintptr_t)path->key);
    }
    process->turn = 0;
    process->next = 0;
    process->told_self = false;
    process->many = make_socket(process->job.local_port);
    if (process->many && (process->job.task == SCTP_TASK_CALL || usrsctp_listen(process->many, SCTP_STREAMS_MAX) == 0))
        return;
    failed.reason = errno;
    stop_job();
    tell(&failed, -1);
}

static void call(size_t number)
{
    struct target *target = &process->targets[number];
    struct sockaddr_conn to = conn(target->path.key, process->job.remote_port);

    target->calling = true;
    target->again = WAIT_FOREVER;
    if (usrsctp_connect(process->many, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS || errno == EALREADY ||
        errno == EISCONN)
        return;
    tell_reason(number, errno, false);
    target->again = wait_until(AGAIN_MS);
}

/* Begin what is due. */
static void keep_calling(void)
{
    struct sctp_job *job = &process->job;
    int64_t now = wait_now();
    bool pending = false;

    if (!process->many || job->task == SCTP_TASK_LISTEN)
        return;
    if (job->task == SCTP_TASK_MEET && job->targets.count > 1 && process->next && process->next <= now) {
        unsigned number = job->number;
        size_t turn = (process->turn + 1) % job->targets.count;

        /* What was half made at the last address must not come about any more: there would be two. */
        stop_job();
        start_job();
        job->number = number;
        process->turn = turn;
        if (!process->many)
            return;
    }
    for (size_t i = 0; i < job->targets.count; i++) {
        struct target *target = &process->targets[i];

        if (target->over || (job->task == SCTP_TASK_MEET && i != process->turn))
            continue;
        if (!target->calling && (job->task == SCTP_TASK_MEET || !pending || process->next <= now)) {
            call(i);
            process->next = job->task == SCTP_TASK_MEET ? now + TURN_MS + random_below(2 * TURN_MS) : now + NEXT_TARGET_MS;
        } else if (target->calling && target->again <= now) {
            call(i);
        }
        pending = true;
    }
}

/* The association of the call that was answered just now (or of none) has failed. */
static void call_failed(uint64_t key)
{
    bool answered = process->now.packet != NULL;

    for (size_t i = 0; i < process->job.targets.count; i++) {
        struct target *target = &process->targets[i];

        if (target->path.key != key)
            continue;
        tell_reason(i, answered ? ECONNREFUSED : ETIMEDOUT, answered && process->job.task == SCTP_TASK_CALL);
        target->again = wait_until((int)(AGAIN_MS + random_below(200)));
    }
}

static struct stream *free_stream(void)
{
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        if (!process->streams[i].sctp)
            return &process->streams[i];
    return NULL;
}

static void association_up(sctp_assoc_t id)
{
    struct sctp_news news = {.kind = SCTP_NEWS_UP};
    struct stream *stream = free_stream();
    struct socket *sctp = usrsctp_peeloff(process->many, id);
    struct sockaddr *peer = NULL;
    int ends[2];

    if (!sctp)
        return;
    if (!stream || !process->now.packet || usrsctp_set_non_blocking(sctp, 1) != 0 ||
        usrsctp_getpaddrs(sctp, 0, &peer) < 1 || peer->sa_family != AF_CONN ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        if (peer)
            usrsctp_freepaddrs(peer);
        abort_socket(sctp);
        return;
    }
    stream->sctp = sctp;
    stream->path = (struct path){
        .key = process->now.key, .remote = process->now.source, .tag = u32(process->now.packet + TAG_AT)};
    /* An association that has a socket of its own is found by both addresses, and ours is the same number. A stranger needs
     * none: nothing is kept for who has not shown a cookie. */
    usrsctp_register_address((void *)(uintptr_t)stream->path.key);
    stream->fd = ends[0];
    stream->we_ended = stream->peer_ended = stream->shutting_down = stream->complete = false;
    stream->out_length = stream->in_length = stream->unacknowledged = stream->sent = 0;
    news.remote = stream->path.remote;
    news.remote_port = ntohs(((struct sockaddr_conn *)peer)->sconn_port);
    news.slot = (size_t)(stream - process->streams);
    process->progress[news.slot].unacknowledged = 0;
    process->progress[news.slot].lost = false;
    usrsctp_freepaddrs(peer);
    tell(&news, ends[1]);
    close(ends[1]);
    if (process->job.task != SCTP_TASK_LISTEN)
        stop_job();
}

/* What has happened to associations that have no stream yet. */
static void read_many(void)
{
    union {
        union sctp_notification notification;
        uint8_t bytes[4096];
    } read;
    ssize_t length;

    while (process->many) {
        union sctp_sockstore from;
        socklen_t from_size = sizeof from, info_size = 0;
        unsigned info_type = 0;
        int flags = 0;
        const struct sctp_assoc_change *change = &read.notification.sn_assoc_change;

        length = usrsctp_recvv(process->many, &read, sizeof read, &from.sa, &from_size, NULL, &info_size, &info_type, &flags);
        if (length <= 0)
            return;
        if (!(flags & MSG_NOTIFICATION) || (size_t)length < sizeof *change ||
            read.notification.sn_header.sn_type != SCTP_ASSOC_CHANGE)
            continue;
        if (change->sac_state == SCTP_COMM_UP)
            association_up(change->sac_assoc_id);
        else if (change->sac_state == SCTP_CANT_STR_ASSOC)
            call_failed(process->now.packet ? process->now.key : (uintptr_t)from.sconn.sconn_addr);
    }
}

/* ---- Streams ---- */

static void drop(struct stream *stream, bool lost)
{
    struct transport_progress *progress = &process->progress[stream - process->streams];

    if (!lost)
        progress->unacknowledged = 0;
    progress->lost = lost;
    abort_socket(stream->sctp); /* which says nothing where there is no association any more */
    usrsctp_deregister_address((void *)(uintptr_t)stream->path.key);
    stream->sctp = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

/* False: the association is no more. */
static bool heed(struct stream *stream, const union sctp_notification *notification)
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
static bool deliver(struct stream *stream)
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
static bool take_in(struct stream *stream)
{
    while (deliver(stream)) {
        socklen_t from_size = 0, info_size = 0;
        unsigned info_type = 0;
        int flags = 0;
        ssize_t length;

        if (stream->peer_ended && stream->fd >= 0)
            shutdown(stream->fd, SHUT_WR);
        length = usrsctp_recvv(stream->sctp, stream->in, sizeof stream->in, NULL, &from_size, NULL, &info_size, &info_type, &flags);
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

/* From the session to the peer. False: the association is no more, or is not to be. */
static bool put_out(struct stream *stream, short revents)
{
    for (;;) {
        if (stream->out_length) {
            if (usrsctp_sendv(stream->sctp, stream->out, stream->out_length, NULL, 0, NULL, 0, SCTP_SENDV_NOINFO, 0) < 0)
                return errno == EAGAIN || stream->peer_ended;
            stream->sent += stream->out_length;
            stream->out_length = 0;
        }
        if (stream->we_ended || stream->fd < 0)
            return true;
        if ((revents & POLLHUP) && !stream->peer_ended)
            return false; /* closed without a word */
        if (stream->out_length == 0) {
            ssize_t length = recv(stream->fd, stream->out, sizeof stream->out, 0);

            if (length < 0)
                return errno == EAGAIN;
            stream->out_length = (size_t)length;
            stream->we_ended = length == 0;
        }
    }
}

/* At most so many bytes: the library counts in packets that were sent, and in messages that were not. */
static size_t unacknowledged(struct stream *stream)
{
    struct sctp_status status;
    socklen_t size = sizeof status;
    size_t most;

    memset(&status, 0, sizeof status);
    if (usrsctp_getsockopt(stream->sctp, IPPROTO_SCTP, SCTP_STATUS, &status, &size) != 0)
        return stream->out_length;
    most = (size_t)status.sstat_unackdata * PATH_MTU + (size_t)status.sstat_penddata * PIECE;
    if (stream->sent > most)
        stream->sent = most;
    return stream->sent + stream->out_length;
}

/* False: it is over. */
static bool shut_down(struct stream *stream, size_t left)
{
    if (!stream->we_ended || stream->out_length)
        return true;
    if (!stream->shutting_down) {
        stream->shutting_down = true;
        stream->deadline = wait_until(SHUTDOWN_MS);
        return usrsctp_shutdown(stream->sctp, SHUT_WR) == 0 || stream->peer_ended;
    }
    if (left < stream->unacknowledged)
        stream->deadline = wait_until(SHUTDOWN_MS);
    return wait_now() < stream->deadline;
}

static void run_stream(struct stream *stream, short revents)
{
    size_t left;

    if (stream->fd >= 0 && stream->we_ended && (revents & POLLHUP)) {
        close(stream->fd);
        stream->fd = -1;
    }
    if (!take_in(stream) || !put_out(stream, revents)) {
        drop(stream, !stream->complete);
        return;
    }
    left = unacknowledged(stream);
    if (!shut_down(stream, left)) {
        drop(stream, true);
        return;
    }
    stream->unacknowledged = left;
    process->progress[stream - process->streams].unacknowledged = left;
}

/* ---- Input ---- */

static void read_errors(void)
{
    for (;;) {
        struct address target = {.length = 0};
        union {
            char bytes[512];
            struct cmsghdr align;
        } control;
        char packet[1];
        struct iovec part = {.iov_base = packet, .iov_len = sizeof packet};
        struct msghdr message = {.msg_name = &target.storage,
                                 .msg_namelen = sizeof target.storage,
                                 .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes};
        struct sock_extended_err error = {0};

        if (recvmsg(process->udp, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        target.length = message.msg_namelen;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
            if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
                memcpy(&error, CMSG_DATA(header), sizeof error);
        for (size_t i = 0; process->many && error.ee_errno && i < process->job.targets.count; i++)
            if (process->targets[i].calling && !process->targets[i].over &&
                address_same(&target, &process->targets[i].path.remote))
                tell_reason(i, (int)error.ee_errno,
                            process->job.task == SCTP_TASK_CALL && error.ee_errno == ECONNREFUSED && error.ee_origin != SO_EE_ORIGIN_LOCAL);
    }
}

static bool is_our_own(const uint8_t *packet, size_t length)
{
    struct sctp_news news = {.kind = SCTP_NEWS_SELF};

    if (packet[CHUNK_AT] != INIT || length < INIT_SIZE)
        return false;
    for (size_t i = 0; process->many && i < process->job.targets.count; i++)
        if (process->targets[i].init_tag && process->targets[i].init_tag == u32(packet + INITIATE_TAG_AT)) {
            if (!process->told_self)
                tell(&news, -1);
            process->told_self = true;
            return true;
        }
    return false;
}

static void read_datagrams(void)
{
    static uint8_t packet[PIECE];

    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        struct address *source = &process->now.source;
        ssize_t length;

        memset(source, 0, sizeof *source);
        source->length = sizeof source->storage;
        length = recvfrom(process->udp, packet, sizeof packet, 0, (struct sockaddr *)&source->storage, &source->length);
        if (length < 0) {
            if (errno == EAGAIN)
                break;
            continue; /* an ICMP message's: the error queue has it */
        }
        if (length <= CHUNK_AT)
            continue;
        process->now.key = key_of(source, packet);
        if (process->now.key == 0 || is_our_own(packet, (size_t)length))
            continue;
        process->now.packet = packet;
        process->traffic_at = wait_now();
        usrsctp_conninput((void *)(uintptr_t)process->now.key, packet, (size_t)length, 0);
        read_many();
        process->now.packet = NULL;
    }
}

static bool has_streams(void)
{
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        if (process->streams[i].sctp)
            return true;
    return false;
}

/* Somebody else may want it now. */
static void free_port(void)
{
    if (process->job.task != SCTP_TASK_STOP || process->udp < 0 || has_streams())
        return;
    close(process->udp);
    process->udp = -1;
}

static void read_job(void)
{
    struct sctp_news stopped = {.kind = SCTP_NEWS_STOPPED};
    struct sctp_job job;
    int udp;

    if (!fdpass_receive(process->control, &job, sizeof job, &udp)) {
        if (errno == EAGAIN || errno == EINTR)
            return;
        stop_job();
        process->ending = true; /* we are not needed any more */
        return;
    }
    stop_job();
    process->job = job;
    if (udp >= 0) {
        if (process->udp >= 0)
            close(process->udp);
        process->udp = udp;
    }
    if (job.task != SCTP_TASK_STOP) {
        start_job();
        return;
    }
    free_port();
    tell(&stopped, -1);
}

/* ---- The loop ---- */

static int tick(void)
{
    bool busy = process->many && process->job.task != SCTP_TASK_LISTEN, streams = false;

    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++) {
        const struct stream *stream = &process->streams[i];

        streams = streams || stream->sctp;
        busy = busy || (stream->sctp && (stream->unacknowledged || stream->shutting_down));
    }
    if (busy || wait_now() - process->traffic_at < IDLE_AFTER_MS)
        return TICK_MS;
    return streams ? IDLE_TICK_MS : WATCHDOG_S * 1000 / 2;
}

static void run_timers(void)
{
    int64_t now = wait_now(), elapsed = now - process->timers_at;

    if (elapsed > 0)
        usrsctp_handle_timers((uint32_t)elapsed);
    process->timers_at = now;
    read_many();
}

static struct pollfd wanted(const struct stream *stream)
{
    short events = (short)((!stream->we_ended && stream->out_length == 0 ? POLLIN : 0) | (stream->in_length ? POLLOUT : 0));

    /* A hang-up is told whether it is asked for or not. Once the peer has ended, there is one as soon as we have. */
    return (struct pollfd){.fd = stream->sctp && (events || !stream->peer_ended) ? stream->fd : -1, .events = events};
}

static void turn(void)
{
    struct pollfd fds[2 + SCTP_STREAMS_MAX];

    fds[0] = (struct pollfd){.fd = process->ending ? -1 : process->control, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = process->udp, .events = POLLIN};
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        fds[2 + i] = wanted(&process->streams[i]);
    poll(fds, 2 + SCTP_STREAMS_MAX, tick());
    if (fds[0].revents)
        read_job();
    if (fds[1].revents & POLLERR)
        read_errors();
    if (fds[1].revents)
        read_datagrams();
    run_timers();
    keep_calling();
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        if (process->streams[i].sctp)
            run_stream(&process->streams[i], fds[2 + i].revents);
    free_port();
}

void sctp_process_run(int control, struct transport_progress *progress)
{
    static const struct rlimit none = {0, 0};

    process = calloc(1, sizeof *process);
    if (!process || getrandom(&process->secret, sizeof process->secret, 0) != sizeof process->secret)
        _exit(1);
    process->control = control;
    process->udp = -1;
    process->progress = progress;
    process->timers_at = wait_now();
    usrsctp_init_nothreads(0, send_packet, NULL);
    if (setrlimit(RLIMIT_NPROC, &none) != 0) /* now: the library has a thread of its own for housekeeping */
        _exit(1);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(0);
    usrsctp_sysctl_set_sctp_reconfig_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
    while (!process->ending || has_streams()) {
        alarm(WATCHDOG_S); /* should a packet ever lead the library into a loop without an end */
        turn();
    }
    _exit(0);
}
