/* ends.c - the two ends of a real connection. */
#include "check.h"
#include "ends.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void configure(struct session_config *config, struct identity *identity, enum role_want want, bool active)
{
    *config = (struct session_config){.identity = identity, .ask_identity = true, .keylog = -1};
    config->role = (struct role_config){.want = want, .active = active, .extension_id = HELLO_EXTENSION_ID};
    assert_true(role_preference_make(&config->role.ours, want, random_bytes));
}

/* ---- Led by hand ---- */

void hand_open(struct hand *hand, int fd, struct identity *identity, enum role_want want, bool active)
{
    *hand = (struct hand){.fd = fd};
    configure(&hand->config, identity, want, active);
    hand_reopen(hand);
}

void hand_reopen(struct hand *hand)
{
    session_free(hand->session);
    hand->session = session_new(&hand->config, 0, &hand->error);
    assert_non_null(hand->session);
}

void hand_free(struct hand *hand)
{
    session_free(hand->session);
    if (hand->fd >= 0)
        close(hand->fd);
}

void hand_flush(struct hand *hand)
{
    size_t length;
    const uint8_t *bytes;

    while (bytes = session_output(hand->session, &length), length) {
        ssize_t sent = send(hand->fd, bytes, length, MSG_NOSIGNAL);

        if (sent > 0)
            session_sent(hand->session, (size_t)sent);
        else if (errno == EAGAIN)
            await(hand->fd, POLLOUT);
        else
            return;
    }
}

/* Wait for something from the peer, and hand it to the session. */
static void take_in(struct hand *hand)
{
    uint8_t bytes[65536];
    size_t room = session_room(hand->session);
    ssize_t count;

    await(hand->fd, POLLIN);
    count = recv(hand->fd, bytes, room < sizeof bytes ? room : sizeof bytes, 0);
    if (count > 0)
        session_feed(hand->session, bytes, (size_t)count);
    else if (count == 0 || errno != EAGAIN)
        session_end(hand->session);
}

static enum session_state advance(struct hand *hand)
{
    enum session_state state = session_advance(hand->session);

    if (state == SESSION_VERDICT) {
        if (hand->refuse)
            session_refuse(hand->session, hand->refuse);
        else
            session_accept(hand->session);
        state = session_advance(hand->session);
    }
    hand_flush(hand);
    return state;
}

void hand_step(struct hand *hand)
{
    struct pollfd poll_fd = {.fd = hand->fd, .events = POLLIN};

    advance(hand);
    if (session_room(hand->session) && poll(&poll_fd, 1, 0) == 1)
        take_in(hand);
    advance(hand);
}

enum session_state hand_handshake(struct hand *hand)
{
    enum session_state state;

    while (state = advance(hand), state == SESSION_HELLO || state == SESSION_HANDSHAKE)
        take_in(hand);
    return state;
}

void hand_send(struct hand *hand, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    while (length) {
        size_t taken = session_send(hand->session, at, length);

        hand_flush(hand);
        at += taken;
        length -= taken;
    }
}

size_t hand_receive(struct hand *hand, void *bytes, size_t size)
{
    for (;;) {
        size_t count = session_receive(hand->session, bytes, size);

        if (count || session_state(hand->session) != SESSION_OPEN || session_peer_closed(hand->session))
            return count;
        take_in(hand);
    }
}

void hand_expect(struct hand *hand, const char *text)
{
    uint8_t bytes[SESSION_RECORD_MAX];

    while (*text) {
        size_t count = hand_receive(hand, bytes, sizeof bytes);

        check_row(count > 0 && count <= strlen(text), "%zu bytes; %s", count, hand->error.story);
        assert_memory_equal(bytes, text, count);
        text += count;
    }
}

void hand_close(struct hand *hand)
{
    session_close(hand->session);
    hand_flush(hand);
}

void hand_expect_close(struct hand *hand)
{
    uint8_t bytes[SESSION_RECORD_MAX];

    assert_int_equal(hand_receive(hand, bytes, sizeof bytes), 0);
    check_row(session_peer_closed(hand->session), "%s", hand->error.story);
}

void hand_hang_up(struct hand *hand)
{
    shutdown(hand->fd, SHUT_WR);
}

void hand_wait_for_end(struct hand *hand)
{
    char rest[4096];

    if (hand->fd < 0)
        return;
    do
        await(hand->fd, POLLIN);
    while (recv(hand->fd, rest, sizeof rest, 0) > 0);
    close(hand->fd);
    hand->fd = -1;
}

void hand_reset(struct hand *hand)
{
    tcp_reset(hand->fd);
    hand->fd = -1;
}

/* ---- A child in which the pump runs ---- */

void side_init(struct side *side, struct identity *identity)
{
    *side = (struct side){.stdin_is = -1, .stdout_is = -1, .in = -1, .out = -1};
    configure(&side->session, identity, ROLE_WANT_ANY, true);
    side->trust = (struct trust_config){.insecure = true, .known_path = scratch_path("known_peers")};
    side->config = (struct pump_config){
                                        .handshake_ms = -1,
                                        .idle_ms = -1,
                                        .linger_ms = -1};
    side->local = (struct local_config){.kind = LOCAL_STDIO, .use_in = true, .use_out = true, .fd = -1};
}

/* A descriptor that is still open here would keep a pipe or a connection from ending. */
static void close_all_but(const int *kept, size_t count)
{
    for (int fd = 3; fd < 256; fd++) {
        bool keep = false;

        for (size_t i = 0; i < count; i++)
            keep = keep || kept[i] == fd;
        if (!keep)
            close(fd);
    }
}

static void run_child(struct side *side, int fd, int in, int out, int events, int ended)
{
    const int kept[] = {fd, events, ended, terminal_take(side->terminal), side->local.fd};
    struct transport transport;
    struct channel channel;
    struct wait wait;
    struct report report;
    char target[32];
    static struct outcome outcome;

    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(97);
    close_all_but(kept, COUNT(kept));
    if (!wait_init(&wait))
        _exit(96);
    snprintf(target, sizeof target, "fd:%d", events);
    transport = (struct transport){.fd = fd, .setup = TRANSPORT_ACTIVE};
    address_of_socket(fd, &transport.local, &transport.remote);
    side->config.trust = &side->trust;
    side->config.local = &side->local;
    report_init(&report, target, REPORT_QUIET, &outcome.error);
    if (channel_open(&channel, &side->session, &transport, &outcome.error)) {
        outcome.result = pump_run(&side->config, &channel, &report, &wait);
        channel_free(&channel);
    }
    outcome.signal = wait.signal;
    wait_free(&wait);
    report_free(&report);
    _exit(write(ended, &outcome, sizeof outcome) != sizeof outcome);
}

/* Descriptors above the first three, so that they survive what the child does to those. */
static void make_pipe(int ends[2])
{
    int raw[2];

    assert_int_equal(pipe2(raw, O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 10);
        assert_true(ends[i] >= 10);
        close(raw[i]);
    }
}

void side_start(struct side *side, int fd)
{
    int in[2], out[2], events[2], ended[2];

    make_pipe(in);
    make_pipe(out);
    make_pipe(events);
    make_pipe(ended);
    side->in = in[1];
    side->out = out[0];
    side->events = events[0];
    side->ended = ended[0];
    side->child = fork();
    assert_true(side->child >= 0);
    if (side->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves it behind */
        run_child(side, fd, side->stdin_is >= 0 ? side->stdin_is : in[0], side->stdout_is >= 0 ? side->stdout_is : out[1],
                  events[1], ended[1]);
    }
    close(in[0]);
    close(out[1]);
    close(events[1]);
    close(ended[1]);
    close(fd);
    assert_int_equal(fcntl(side->in, F_SETFL, O_NONBLOCK), 0);
}

void side_close_in(struct side *side)
{
    close(side->in);
    side->in = -1;
}

char *side_event(struct side *side, const char *name)
{
    char line[4096], wanted[64];
    size_t length = 0;

    snprintf(wanted, sizeof wanted, "\"event\":\"%s\"", name);
    do {
        await(side->events, POLLIN);
        if (length == sizeof line - 1 || read(side->events, line + length, 1) != 1)
            return NULL;
    } while (line[length++] != '\n');
    line[length] = '\0';
    return strstr(line, wanted) ? strdup(line) : NULL;
}

struct outcome side_end(struct side *side)
{
    struct outcome outcome;
    char rest[4096];

    await(side->ended, POLLIN);
    check_row(read(side->ended, &outcome, sizeof outcome) == sizeof outcome, "the child has died");
    assert_int_equal(child_end(side->child), 0);
    while (read(side->events, rest, sizeof rest) > 0)
        ;
    close(side->events);
    close(side->ended);
    if (side->in >= 0)
        close(side->in);
    if (side->out >= 0)
        close(side->out);
    side->in = side->out = -1;
    return outcome;
}
