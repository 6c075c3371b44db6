/* serve_sessions.c - many sessions: their processes, and what is heard of them. */
#include "lock.h"
#include "serve_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAITING_MAX = 256, WAITING_SHARE = 4 /* of the descriptors that we may have */ };

/* ---- From a session to the server: a message, to which the kernel adds whose it is ---- */

struct news {
    enum news_kind { NEWS_HEARD, NEWS_ASKING, NEWS_ANSWERED, NEWS_ACCEPTED, NEWS_ENDED } kind;
    uint64_t sent, received; /* with ENDED */
    bool reader_gone;
};

static void send_news(const struct serve *serve, const struct news *news)
{
    while (send(serve->news[1], news, sizeof *news, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ; /* if there is no server any more, nobody misses it */
}

static bool receive_news(const struct serve *serve, struct news *news, pid_t *pid)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = news, .iov_len = sizeof *news};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct ucred who = {.pid = 0};
    ssize_t length = recvmsg(serve->news[0], &message, MSG_DONTWAIT);
    struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
        memcpy(&who, CMSG_DATA(header), sizeof who);
    *pid = length == (ssize_t)sizeof *news ? who.pid : 0;
    return length > 0;
}

/* ---- Seats ---- */

void seat_let_go(struct seat *seat)
{
    if (!seat->arrival)
        return;
    if (seat->arrival->transport.fd >= 0)
        close(seat->arrival->transport.fd);
    buffer_free(&seat->arrival->first);
    free(seat->arrival);
    seat->arrival = NULL;
}

void seat_clear(struct serve *serve, size_t index, bool abort)
{
    struct seat *seat = &serve->seats[index];

    if (seat->arrival && abort)
        transport_abort(&seat->arrival->transport);
    seat_let_go(seat);
    *seat = (struct seat){.pid = 0};
    serve->crowd.places[index] = (struct crowd_place){.state = CROWD_FREE};
}

/* CROWD_NOBODY: it is no session's. */
static size_t find_pid(const struct serve *serve, pid_t pid)
{
    for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
        if (serve->seats[i].pid == pid)
            return i;
    return CROWD_NOBODY;
}

size_t serve_count_sessions(const struct serve *serve)
{
    size_t count = 0;

    for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
        count += serve->seats[i].pid > 0;
    return count;
}

/* ---- News ---- */

static void take_news(struct serve *serve, const struct news *news, size_t index)
{
    struct crowd_place *place = &serve->crowd.places[index];

    switch (news->kind) {
    case NEWS_HEARD:
        place->spoke = true;
        break;
    case NEWS_ASKING:
    case NEWS_ANSWERED:
        if (place->state == CROWD_OPENING || place->state == CROWD_ASKING)
            place->state = news->kind == NEWS_ASKING ? CROWD_ASKING : CROWD_OPENING;
        break;
    case NEWS_ACCEPTED:
        if (place->state == CROWD_OPENING || place->state == CROWD_ASKING)
            place->state = CROWD_ACCEPTED;
        break;
    case NEWS_ENDED:
        serve->seats[index].ended = true;
        serve->sent += news->sent;
        serve->received += news->received;
        serve->reader_gone = serve->reader_gone || news->reader_gone;
        break;
    }
}

void serve_read_news(struct serve *serve)
{
    struct news news;
    pid_t pid;

    while (receive_news(serve, &news, &pid)) {
        size_t index = pid > 0 ? find_pid(serve, pid) : CROWD_NOBODY;

        if (index != CROWD_NOBODY)
            take_news(serve, &news, index);
    }
}

/* A session that could not tell of its end: we do, in its name. */
static void tell_end(struct serve *serve, const struct seat *seat, const struct crowd_place *place, int status)
{
    struct report report = serve->program->report;
    struct error error = {.status = STATUS_OK};
    struct report_end end = {.exit = 128 + WTERMSIG(status),
                             .datagrams = serve->program->options.transport == OPTIONS_UDP,
                             .error = &error};

    report_enter(&report, seat->session, place->since);
    if (!WIFSIGNALED(status)) {
        end.exit = WEXITSTATUS(status);
        error_set(&error, STATUS_LOCAL, "its process has ended before it was through");
    } else if (place->state == CROWD_LEAVING) {
        error_set(&error, STATUS_NETWORK, "ended before the peer was accepted: %s, and others wait for a place",
                  place->spoke ? "it took its time, or has too many of them" : "it said nothing");
    } else {
        error_set(&error, STATUS_LOCAL, "its process was ended by signal %d (%s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    }
    report_closed(&report, &end);
}

static void bury(struct serve *serve, size_t index, int status)
{
    struct seat *seat = &serve->seats[index];

    if (!seat->ended)
        tell_end(serve, seat, &serve->crowd.places[index], status);
    seat_clear(serve, index, false);
    serve->busy_at = wait_now();
    serve->pause_until = 0; /* what was missing is free now, perhaps */
}

void serve_reap(struct serve *serve)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    while (read(serve->children_fd, &info, sizeof info) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        size_t index;

        serve_read_news(serve); /* everything that it had said is there by now */
        index = find_pid(serve, pid);
        if (index != CROWD_NOBODY)
            bury(serve, index, status);
        else if (pid == serve->program->sctp_user.pid)
            error_set(&serve->life->error, STATUS_NETWORK, "the process that does SCTP in UDP has ended");
    }
}

/* ---- A session's own process ---- */

static bool told(void *context, enum pump_stage stage)
{
    static const enum news_kind kinds[] = {[PUMP_HEARD] = NEWS_HEARD,
                                           [PUMP_ASKING] = NEWS_ASKING,
                                           [PUMP_ANSWERED] = NEWS_ANSWERED,
                                           [PUMP_ACCEPTED] = NEWS_ACCEPTED};
    struct serve *serve = context;
    struct news news = {.kind = kinds[stage]};

    if (stage == PUMP_ASKING && !lock_take(serve->program->report.locks, LOCK_QUESTION, false))
        return false;
    if (stage == PUMP_ANSWERED)
        lock_release(serve->program->report.locks, LOCK_QUESTION);
    send_news(serve, &news);
    return true;
}

int serve_session(struct serve *serve, struct reach_arrival *arrival)
{
    struct life *life = serve->life;
    struct report *report = &serve->program->report;
    struct news news = {.kind = NEWS_ENDED};
    int exit;

    sctp_user_leave(&serve->program->sctp_user);
    life->told = told;
    life->told_context = serve;
    if (serve->stdin_start >= 0)
        lseek(STDIN_FILENO, serve->stdin_start, SEEK_SET); /* each gets the whole file */
    if (serve->from)
        life_lead(life, arrival->transport.fd);
    if (life_renew(life) && (serve->from ? life_reach(life) : reach_open(&life->reach, arrival)))
        life_converse(life);
    report_lock(report);
    exit = life_tell(life);
    news.sent = life->result.sent;
    news.received = life->result.received;
    news.reader_gone = life->result.reader_gone;
    send_news(serve, &news);
    report_unlock(report);
    return exit;
}

/* ---- Beginning and end ---- */

/* With one stdin and one stdout it is one session after the other. */
static size_t sessions_at_once(const struct life *life)
{
    bool stdio = life->local.kind == LOCAL_STDIO && !life->program->options.from.name && !life->program->options.zero;

    return stdio ? 1 : (size_t)life->program->options.max_sessions;
}

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

static bool make_seats(struct serve *serve)
{
    struct crowd *crowd = &serve->crowd;
    struct rlimit files;

    crowd->sessions_max = sessions_at_once(serve->life);
    crowd->waiting_max = WAITING_MAX;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        crowd->waiting_max = smaller(WAITING_MAX, files.rlim_cur / WAITING_SHARE);
    if (serve->from) {
        crowd->waiting_max = 0;
    } else if (serve->program->sctp_user.pid > 0) { /* its process has no more to give */
        crowd->waiting_max = smaller(crowd->waiting_max, SCTP_STREAMS_MAX / WAITING_SHARE);
        crowd->sessions_max = smaller(crowd->sessions_max, SCTP_STREAMS_MAX - crowd->waiting_max);
    }
    crowd->opening_max = serve->from ? crowd->sessions_max : crowd_opening_max(crowd->sessions_max);
    crowd->places = calloc(crowd_size(crowd), sizeof *crowd->places);
    serve->seats = calloc(crowd_size(crowd), sizeof *serve->seats);
    serve->fds = calloc(crowd->waiting_max + ADDRESS_LIST_MAX + 8, sizeof *serve->fds);
    if (crowd->places && serve->seats && serve->fds)
        return true;
    error_set(&serve->life->error, STATUS_LOCAL, "out of memory");
    return false;
}

static bool open_news(struct serve *serve)
{
    sigset_t children;
    int on = 1;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    signal(SIGCHLD, SIG_DFL); /* whoever ignores it gets no exit status */
    if (sigprocmask(SIG_BLOCK, &children, NULL) == 0)
        serve->children_fd = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
    if (serve->children_fd >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, serve->news) == 0 &&
        setsockopt(serve->news[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 && report_share(&serve->program->report))
        return true;
    error_set(&serve->life->error, STATUS_LOCAL, "cannot hear from sessions: %s", strerror(errno));
    return false;
}

bool serve_init(struct serve *serve, struct life *life)
{
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;

    *serve = (struct serve){.program = life->program,
                            .life = life,
                            .first = life,
                            .listener = {.sctp = {.fd = -1}},
                            .children_fd = -1,
                            .news = {-1, -1},
                            .stdin_start = -1,
                            .had_terminal = terminal >= 0,
                            .from = life->program->options.from.name != NULL,
                            .busy_at = wait_now(),
                            .ask_again = WAIT_FOREVER};
    if (terminal >= 0)
        close(terminal);
    if (fstat(STDIN_FILENO, &info) == 0 && S_ISREG(info.st_mode))
        serve->stdin_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (serve->from && life->program->sctp_user.pid > 0) {
        error_set(&life->error, STATUS_LOCAL, "with SCTP in UDP --from leads one connection to the peer, and not many: without -k it does");
        return false;
    }
    return make_seats(serve) && open_news(serve);
}

void serve_replace_life(struct serve *serve, struct life *life)
{
    struct life *old = serve->life;

    serve->life = life;
    life_free(old);
    if (old != serve->first)
        free(old);
}

int serve_free(struct serve *serve)
{
    struct life *life = serve->life;
    int exit = serve->status;

    if (serve->seats)
        for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
            seat_clear(serve, i, true);
    free(serve->seats);
    free(serve->crowd.places);
    free(serve->fds);
    if (!serve->is_session) {
        reach_listener_close(&serve->listener);
        close(serve->children_fd);
        close(serve->news[0]);
    }
    close(serve->news[1]);
    serve->first->result = life->result;
    if (life != serve->first) {
        life_free(life);
        free(life);
    }
    return life_leave(serve->first, exit);
}
