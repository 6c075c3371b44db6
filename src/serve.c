/* serve.c - many sessions: listening, and what happens to each. */
#include "serve.h"
#include "crowd.h"
#include "serve_parts.h"
#include "trace.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PAUSE_MS = 1000,  /* after which we look again whether there are descriptors and processes to be had */
    AT_ONCE = 64,     /* newcomers, and then it is time for everything else */
    POLL_FIXED = 3
};

/* ---- What there is to say ---- */

/* Once, until it has been well for a while. */
static void tell_exhausted(struct serve *serve, const char *why)
{
    int64_t now = wait_now();

    if (serve->exhausted_at == 0 || now - serve->exhausted_at > EXHAUSTED_AGAIN_MS)
        report_say(&serve->program->report, REPORT_QUIET, "%s; going on when something is free again", why);
    serve->exhausted_at = now;
    serve->pause_until = now + PAUSE_MS;
}

/* ---- Who comes ---- */

/* A connection that waits: is there something to be read, or has it gone again? */
enum word { SILENT, SPOKEN, GONE };

static enum word first_word(const struct reach_arrival *arrival)
{
    struct pollfd poll_fd = {.fd = arrival->transport.fd, .events = POLLIN};
    uint8_t byte;
    ssize_t length;

    if (buffer_used(&arrival->first) > 0)
        return SPOKEN;
    if (poll(&poll_fd, 1, 0) <= 0)
        return SILENT;
    if (arrival->transport.kind == TRANSPORT_SCTP) /* it could be a notification */
        return SPOKEN;
    length = recv(arrival->transport.fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    return length > 0 ? SPOKEN : length < 0 && errno == EAGAIN ? SILENT : GONE;
}

static void drop(struct serve *serve, size_t index)
{
    char text[ADDRESS_TEXT_SIZE];
    struct seat *seat = &serve->seats[index];

    report_say(&serve->program->report, REPORT_VERBOSE, "%s had to wait, and makes room for others",
               address_text(&seat->arrival->transport.remote, text));
    seat_clear(serve, index, true);
}

static void seat_newcomer(struct serve *serve, const struct reach_arrival *arrival, size_t dropped)
{
    struct reach_arrival *kept = malloc(sizeof *kept);
    struct crowd_place *place;
    size_t index;

    if (dropped != CROWD_NOBODY)
        drop(serve, dropped);
    index = crowd_find_free(&serve->crowd);
    assert(index != CROWD_NOBODY);
    if (!kept) {
        struct reach_arrival lost = *arrival;

        transport_abort(&lost.transport);
        buffer_free(&lost.first);
        return;
    }
    *kept = *arrival;
    serve->seats[index] = (struct seat){.arrival = kept};
    place = &serve->crowd.places[index];
    place->state = CROWD_WAITING;
    place->since = wait_now();
    place->spoke = serve->from || first_word(kept) == SPOKEN;
    address_group(&kept->transport.remote, place->group);
}

static bool may_enter(struct serve *serve, size_t *dropped)
{
    int64_t when;

    if (serve->from) { /* who connects here is no stranger; without a place it waits outside */
        *dropped = CROWD_NOBODY;
        return serve->has_room = crowd_find_free(&serve->crowd) != CROWD_NOBODY;
    }
    serve->has_room = crowd_may_enter(&serve->crowd, wait_now(), dropped, &when);
    if (when < serve->ask_again)
        serve->ask_again = when;
    return serve->has_room;
}

static bool take_one(struct serve *serve)
{
    struct reach_arrival arrival;
    size_t dropped;

    if (wait_now() < serve->pause_until || !may_enter(serve, &dropped))
        return false;
    switch (reach_next(&serve->life->reach, &serve->listener, &arrival)) {
    case LISTENERS_PEER:
        seat_newcomer(serve, &arrival, dropped);
        return true;
    case LISTENERS_EXHAUSTED:
        tell_exhausted(serve, serve->life->error.story);
        error_clear(&serve->life->error);
        return false;
    case LISTENERS_NOBODY:
        break;
    }
    return false;
}

/* ---- Who gets a place ---- */

/* What a session does not need, and must not see: the others. */
static void leave_others(struct serve *serve)
{
    sigset_t children;

    close(serve->children_fd);
    close(serve->news[0]);
    reach_listener_leave(&serve->listener);
    for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
        if (serve->seats[i].arrival)
            seat_clear(serve, i, false);
    free(serve->seats);
    free(serve->crowd.places);
    serve->seats = NULL;
    serve->crowd.places = NULL;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &children, NULL);
}

static void become_session(struct serve *serve, size_t index)
{
    struct reach_arrival *arrival = serve->seats[index].arrival;

    serve->seats[index].arrival = NULL;
    leave_others(serve);
    report_enter(&serve->program->report, serve->sessions, wait_now());
    trace_number(serve->program->trace, serve->sessions);
    serve->is_session = true;
    serve->status = serve_session(serve, arrival);
    free(arrival);
}

/* False: there is no process for it now, and it goes on waiting; or we are the new process, and are through. */
static bool start(struct serve *serve, size_t index)
{
    struct seat *seat = &serve->seats[index];
    struct crowd_place *place = &serve->crowd.places[index];
    char text[128];
    pid_t pid;

    place->spoke = place->spoke || first_word(seat->arrival) == SPOKEN;
    serve->sessions++;
    pid = fork();
    if (pid == 0) {
        become_session(serve, index);
        return false;
    }
    if (pid < 0) {
        serve->sessions--;
        snprintf(text, sizeof text, "cannot start a process for a session: %s", transport_reason(errno));
        tell_exhausted(serve, text);
        return false;
    }
    *seat = (struct seat){.pid = pid, .arrival = seat->arrival, .session = serve->sessions};
    seat->remote = seat->arrival->transport.remote;
    seat_let_go(seat);
    place->state = serve->from ? CROWD_ACCEPTED : CROWD_OPENING;
    place->since = wait_now();
    serve->busy_at = place->since;
    return true;
}

/* Its process is ended where it stands: it holds nothing but a connection that nobody has accepted. With the lock it is not
 * in the middle of telling something. */
static void evict(struct serve *serve, size_t index)
{
    struct report *report = &serve->program->report;
    struct seat *seat = &serve->seats[index];
    struct crowd_place *place = &serve->crowd.places[index];

    report_lock(report);
    serve_read_news(serve);
    if (place->state == CROWD_OPENING && !seat->ended) {
        kill(seat->pid, SIGKILL);
        place->state = CROWD_LEAVING;
    }
    report_unlock(report);
}

/* False: we are a session, and it is over. */
static bool give_places(struct serve *serve)
{
    for (;;) {
        struct crowd_advice advice = crowd_advise(&serve->crowd, wait_now());

        if (advice.when < serve->ask_again)
            serve->ask_again = advice.when;
        if (advice.evict != CROWD_NOBODY)
            evict(serve, advice.evict);
        if (advice.start == CROWD_NOBODY || wait_now() < serve->pause_until || serve->stopping)
            return true;
        if (!start(serve, advice.start))
            return !serve->is_session;
    }
}

/* ---- Signals ---- */

/* Keys, CAs and so on, for the sessions to come. */
static void load_anew(struct serve *serve)
{
    struct report *report = &serve->program->report;
    struct life *fresh = malloc(sizeof *fresh);

    if (!fresh)
        return;
    life_init(fresh, serve->program);
    if (ourselves_read_passphrase(&serve->program->options, serve->program->passphrase, &fresh->error) && life_prepare(fresh)) {
        report_say(report, REPORT_NORMAL, "keys and certificates are loaded anew");
        serve_replace_life(serve, fresh);
        return;
    }
    report_say(report, REPORT_QUIET, "nothing is loaded anew, what was loaded before stays in force: %s", fresh->error.story);
    life_free(fresh);
    free(fresh);
}

static void stop(struct serve *serve, int signal)
{
    size_t sessions = serve_count_sessions(serve);

    serve->stopping = true;
    serve->ended_by = signal;
    reach_listener_close(&serve->listener);
    for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
        if (serve->crowd.places[i].state == CROWD_WAITING)
            seat_clear(serve, i, true);
    if (sessions)
        report_say(&serve->program->report, REPORT_NORMAL,
                   "nobody comes in any more; waiting for the end of %zu session%s, which a second signal hastens", sessions,
                   sessions == 1 ? "" : "s");
}

/* To a server a hang-up means something else than to somebody at a terminal that is no more. */
static bool terminal_has_gone(const struct serve *serve)
{
    int fd;

    if (!serve->had_terminal)
        return false;
    fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static void heed(struct serve *serve, int signal)
{
    serve->program->wait.signal = 0;
    if (signal == SIGHUP && !serve->stopping && !terminal_has_gone(serve)) {
        load_anew(serve);
    } else if (!serve->stopping) {
        stop(serve, signal);
    } else if (signal != SIGHUP) {
        if (serve->hastened)
            wait_die(signal);
        serve->hastened = true;
        for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
            if (serve->seats[i].pid > 0)
                kill(serve->seats[i].pid, SIGTERM);
    }
}

static void read_signals(struct serve *serve)
{
    struct signalfd_siginfo info;

    if (serve->program->wait.signal) /* it came while we waited for something else */
        heed(serve, serve->program->wait.signal);
    while (read(serve->program->wait.signal_fd, &info, sizeof info) == sizeof info)
        heed(serve, (int)info.ssi_signo);
}

/* ---- The loop ---- */

/* Nobody has come for as long as -w allows. */
static int64_t end_of_patience(const struct serve *serve)
{
    int wait_ms = serve->program->options.wait_ms;

    return wait_ms < 0 || serve->from || serve_count_sessions(serve) ? WAIT_FOREVER : serve->busy_at + wait_ms;
}

static int64_t soonest(struct serve *serve)
{
    int64_t when = end_of_patience(serve);

    if (serve->ask_again < when)
        when = serve->ask_again;
    if (serve->pause_until > wait_now() && serve->pause_until < when)
        when = serve->pause_until;
    return when;
}

static int poll_ms(int64_t deadline)
{
    int64_t left = deadline - wait_now();

    if (deadline == WAIT_FOREVER)
        return -1;
    return left <= 0 ? 0 : left > PAUSE_MS * 3600 ? PAUSE_MS * 3600 : (int)left;
}

static void hear_first_word(struct serve *serve, size_t index)
{
    switch (first_word(serve->seats[index].arrival)) {
    case SPOKEN:
        serve->crowd.places[index].spoke = true;
        break;
    case GONE:
        seat_clear(serve, index, false);
        break;
    case SILENT:
        break;
    }
}

/* Wait for a signal, for news, for newcomers, and for the first word of those who wait. */
static void wait_for_something(struct serve *serve)
{
    struct pollfd *fds = serve->fds;
    size_t count = POLL_FIXED, waiting;

    fds[0] = (struct pollfd){.fd = serve->program->wait.signal_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = serve->children_fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = serve->news[0], .events = POLLIN};
    if (!serve->stopping && serve->pause_until <= wait_now() && serve->has_room)
        count += reach_poll(&serve->listener, fds + count);
    waiting = count;
    for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
        if (serve->crowd.places[i].state == CROWD_WAITING && !serve->crowd.places[i].spoke)
            fds[count++] = (struct pollfd){.fd = serve->seats[i].arrival->transport.fd, .events = POLLIN};
    if (poll(fds, count, poll_ms(soonest(serve))) <= 0)
        return;
    for (size_t i = 0; i < crowd_size(&serve->crowd); i++)
        if (serve->crowd.places[i].state == CROWD_WAITING && !serve->crowd.places[i].spoke && fds[waiting++].revents)
            hear_first_word(serve, i);
}

/* Those who have waited for too long. */
static void drop_late(struct serve *serve)
{
    int handshake_ms = serve->program->options.handshake_ms;

    for (size_t i = 0; handshake_ms >= 0 && i < crowd_size(&serve->crowd); i++) {
        const struct crowd_place *place = &serve->crowd.places[i];

        if (place->state != CROWD_WAITING)
            continue;
        if (wait_now() >= place->since + handshake_ms)
            drop(serve, i); /* its peer has given up by now */
        else if (place->since + handshake_ms < serve->ask_again)
            serve->ask_again = place->since + handshake_ms;
    }
}

/* False: we are a session, and it is over. */
static bool take_newcomers(struct serve *serve)
{
    for (int i = 0; i < AT_ONCE; i++) {
        if (!give_places(serve))
            return false;
        if (serve->stopping || !take_one(serve))
            return true;
    }
    serve->ask_again = wait_now(); /* there may be more of them */
    return true;
}

static bool is_over(struct serve *serve)
{
    if (serve->stopping)
        return serve_count_sessions(serve) == 0;
    if (end_of_patience(serve) > wait_now())
        return false;
    reach_tell_late(&serve->life->reach);
    return true;
}

static void run(struct serve *serve)
{
    while (!is_over(serve)) {
        serve->ask_again = WAIT_FOREVER;
        drop_late(serve);
        if (!take_newcomers(serve))
            return;
        wait_for_something(serve);
        serve_read_news(serve);
        serve_reap(serve);
        read_signals(serve);
    }
}

/* The server's own end: what all sessions have moved, and no session's number. */
static int finish(struct serve *serve)
{
    struct life *life = serve->life;

    life->program->wait.signal = serve->ended_by;
    life->result = (struct pump_result){.sent = serve->sent, .received = serve->received, .reader_gone = serve->reader_gone};
    return life_tell(life);
}

int serve(struct life *life)
{
    struct serve serve;
    int exit;

    if (life->error.status != STATUS_OK || !life_prepare(life)) {
        exit = life_tell(life);
        return life_leave(life, exit);
    }
    if (serve_init(&serve, life) && (serve.from ? reach_listen_locally(&life->reach, &serve.listener)
                                                : reach_listen(&life->reach, &serve.listener)))
        run(&serve);
    else
        serve.ended_by = life->program->wait.signal;
    if (!serve.is_session)
        serve.status = finish(&serve);
    return serve_free(&serve);
}
