/* sctp_process.c - the process in which libusrsctp runs: UDP on one side, streams to the session on the other. */
#include "sctp_process.h"
#include "fdpass.h"
#include "sctp_library.h"
#include "sctp_stack.h"
#include "sctp_stream.h"
#include "wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    DATAGRAM_SIZE = 65536,     /* no UDP datagram is larger */
    DATAGRAMS_AT_ONCE = 64,    /* then the streams have their turn */
    NEXT_TARGET_MS = 250,      /* the Connection Attempt Delay of RFC 8305 section 5 */
    AGAIN_MS = 300,            /* to AGAIN_MS + 200 */
    TURN_MS = 1000,            /* to 3 * TURN_MS: how long one of several addresses is met at */
    TICK_MS = 10, IDLE_TICK_MS = 100, IDLE_AFTER_MS = 1000,
    WATCHDOG_S = 30
};

/* The SCTP common header and the first chunk: RFC 9260 sections 3, 3.3.2 and 3.3.3. */
enum { TAG_AT = 4, CHUNK_AT = 12, INITIATE_TAG_AT = 16, INIT_SIZE = 20 };
enum chunk { INIT = 1, INIT_ACK = 2, HEARTBEAT_ACK = 5, ABORT = 6, COOKIE_ACK = 11, SHUTDOWN_COMPLETE = 14 };

struct target {
    struct sctp_path path;
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
    struct sctp_stream streams[SCTP_STREAMS_MAX];
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

static struct sctp_path *path_of(uint64_t key)
{
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        if (process->streams[i].sctp && process->streams[i].path.key == key)
            return &process->streams[i].path;
    for (size_t i = 0; process->many && i < process->job.targets.count; i++)
        if (process->targets[i].path.key == key)
            return &process->targets[i].path;
    return NULL;
}

/* An association that has a socket of its own is found by both addresses, and ours is the same number; a call needs it too. A
 * stranger needs none: nothing is kept for who has not shown a cookie. */
static void know(uint64_t key)
{
    usrsctp.register_address((void *)(uintptr_t)key);
}

/* Unless the next one, with the same peer, needs it. */
static void forget(uint64_t key)
{
    if (!path_of(key))
        usrsctp.deregister_address((void *)(uintptr_t)key);
}

/* Whose datagram is this? 0: nobody's. A peer may change its port (a NAT has forgotten it): it is followed when the
 * datagram bears the tag that only the peer knows. */
static uint64_t key_of(const struct address *source, const uint8_t *packet)
{
    uint32_t tag = u32(packet + TAG_AT);
    uint64_t key;

    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++) {
        struct sctp_stream *stream = &process->streams[i];

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
    const struct sctp_path *path = path_of((uintptr_t)key);
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

/* ---- The job: calling and listening ---- */

static uint32_t random_below(uint32_t limit)
{
    uint32_t value = 0;

    return getrandom(&value, sizeof value, 0) == sizeof value ? value % limit : 0;
}

static void stop_job(void)
{
    if (process->many)
        sctp_stack_abort(process->many); /* and whatever is half made with it */
    process->many = NULL;
}

static void start_job(void)
{
    struct sctp_news failed = {.kind = SCTP_NEWS_FAILED};

    memset(process->targets, 0, sizeof process->targets);
    for (size_t i = 0; i < process->job.targets.count; i++) {
        struct sctp_path *path = &process->targets[i].path;

        path->remote = process->job.targets.at[i];
        path->key = hash(&path->remote);
        know(path->key);
    }
    process->turn = 0;
    process->next = 0;
    process->told_self = false;
    process->many = sctp_stack_socket(process->job.local_port);
    if (process->many && (process->job.task == SCTP_TASK_CALL || usrsctp.listen(process->many, SCTP_STREAMS_MAX) == 0))
        return;
    failed.reason = errno;
    stop_job();
    tell(&failed, -1);
}

static void call(size_t number)
{
    struct target *target = &process->targets[number];

    target->calling = true;
    target->again = WAIT_FOREVER;
    if (sctp_stack_call(process->many, target->path.key, process->job.remote_port))
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

static struct sctp_stream *free_stream(void)
{
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        if (!process->streams[i].sctp)
            return &process->streams[i];
    return NULL;
}

static void association_up(sctp_assoc_t id)
{
    struct sctp_news news = {.kind = SCTP_NEWS_UP};
    struct sctp_stream *stream = free_stream();
    struct socket *sctp = usrsctp.peeloff(process->many, id);
    struct sctp_path path = {.key = process->now.key, .remote = process->now.source};
    int end = -1;

    if (!sctp)
        return;
    news.remote = path.remote;
    news.remote_port = sctp_stack_peer_port(sctp);
    if (stream && process->now.packet && news.remote_port) {
        path.tag = u32(process->now.packet + TAG_AT);
        news.slot = (size_t)(stream - process->streams);
        end = sctp_stream_open(stream, sctp, &path, &process->progress[news.slot]);
    }
    if (end < 0) {
        sctp_stack_abort(sctp);
        return;
    }
    know(path.key);
    tell(&news, end);
    close(end);
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

        length = usrsctp.recvv(process->many, &read, sizeof read, &from.sa, &from_size, NULL, &info_size, &info_type, &flags);
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

/* ---- Input ---- */

static void read_errors(void)
{
    struct address target;
    bool is_local;
    int reason;

    while ((reason = transport_queued_error(process->udp, &target, &is_local)) != 0)
        for (size_t i = 0; process->many && i < process->job.targets.count; i++)
            if (process->targets[i].calling && !process->targets[i].over &&
                address_same(&target, &process->targets[i].path.remote))
                tell_reason(i, reason, process->job.task == SCTP_TASK_CALL && reason == ECONNREFUSED && !is_local);
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
    static uint8_t packet[DATAGRAM_SIZE];

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
        usrsctp.conninput((void *)(uintptr_t)process->now.key, packet, (size_t)length, 0);
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
    bool busy = process->many && process->job.task != SCTP_TASK_LISTEN;

    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        busy = busy || sctp_stream_is_busy(&process->streams[i]);
    if (busy || wait_now() - process->traffic_at < IDLE_AFTER_MS)
        return TICK_MS;
    return has_streams() ? IDLE_TICK_MS : WATCHDOG_S * 1000 / 2;
}

static void run_timers(void)
{
    int64_t now = wait_now(), elapsed = now - process->timers_at;

    if (elapsed > 0)
        usrsctp.handle_timers((uint32_t)elapsed);
    process->timers_at = now;
    read_many();
}

static void turn(void)
{
    struct pollfd fds[2 + SCTP_STREAMS_MAX];

    fds[0] = (struct pollfd){.fd = process->ending ? -1 : process->control, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = process->udp, .events = POLLIN};
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++)
        fds[2 + i] = sctp_stream_wanted(&process->streams[i]);
    poll(fds, 2 + SCTP_STREAMS_MAX, tick());
    if (fds[1].revents & POLLERR)
        read_errors();
    if (fds[1].revents)
        read_datagrams();
    run_timers();
    keep_calling();
    for (size_t i = 0; i < SCTP_STREAMS_MAX; i++) {
        struct sctp_stream *stream = &process->streams[i];

        if (stream->sctp && !sctp_stream_run(stream, fds[2 + i].revents))
            forget(stream->path.key);
    }
    if (fds[0].revents) /* last: a stream that was closed before it is no more then, and does not keep the port from the next */
        read_job();
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
    sctp_stack_start(send_packet);
    if (setrlimit(RLIMIT_NPROC, &none) != 0) /* now: the library has a thread of its own for housekeeping */
        _exit(1);
    while (!process->ending || has_streams()) {
        alarm(WATCHDOG_S); /* should a packet ever lead the library into a loop without an end */
        turn();
    }
    _exit(0);
}
