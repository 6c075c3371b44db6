/* test_sctp.c - SCTP, the kernel's and that in UDP: each test for both of them, unless only one has the trait. */
#include "check.h"
#include "names.h"
#include "sctp.h"
#include "sockets.h"

#include <errno.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHORT_MS = 300 };

/* Which of the two a test is for. */
static bool is_user(void **state)
{
    return *(enum transport_kind *)*state == TRANSPORT_SCTP_IN_UDP;
}

/* One of two ends, a and b; each has a process for UDP of its own. */
struct end {
    struct sctp_user user;
    struct transport_config common;
    struct sctp_config config;
    char source[32], host[32], port[8], udp[8];
    struct transport transport;
    struct error error;
};

static void prepare(struct end *end, const char *source, const char *host, const char *port, bool in_udp)
{
    snprintf(end->source, sizeof end->source, "%s", source);
    snprintf(end->host, sizeof end->host, "%s", host);
    snprintf(end->port, sizeof end->port, "%s", port);
    end->common = (struct transport_config){
        .host = end->host, .port = end->port, .source = *end->source ? end->source : NULL, .wait_ms = TEST_PATIENCE_MS};
    end->config = (struct sctp_config){.common = &end->common, .in_udp = in_udp, .user = &end->user};
    end->user.control = -1;
    end->transport.fd = -1;
    if (in_udp)
        check_row(sctp_user_prepare(&end->user, &end->error), "%s", end->error.story);
}

/* a at 127.0.0.1 and b at 127.0.0.2, each knowing the other's ports. Skips the test where there is no such SCTP. */
static void two_ends(void **state, struct end *a, struct end *b)
{
    char port[8], ignored[8];

    if (is_user(state) ? !sctp_user_is_built_in() : !sctp_kernel()) {
        print_message("# %s\n", is_user(state) ? "built without libusrsctp" : "this kernel has no SCTP");
        skip();
    }
    memset(a, 0, sizeof *a);
    memset(b, 0, sizeof *b);
    free_ports(SOCK_STREAM, port, ignored);
    free_ports(SOCK_DGRAM, a->udp, b->udp);
    prepare(a, "127.0.0.1", "127.0.0.2", port, is_user(state));
    prepare(b, "127.0.0.2", "127.0.0.1", port, is_user(state));
    a->config.udp_local = b->config.udp_remote = (uint16_t)atoi(a->udp);
    b->config.udp_local = a->config.udp_remote = (uint16_t)atoi(b->udp);
}

static void end_free(struct end *end)
{
    int status = 0;
    pid_t pid = end->user.pid;

    transport_abort(&end->transport);
    if (end->user.control < 0)
        return;
    shutdown(end->user.control, SHUT_WR);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    check_row(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    sctp_user_free(&end->user);
}

/* b listens: at its source, that is. */
static struct sctp_listener listen_at(struct end *b)
{
    struct sctp_listener listener;

    b->common.host = b->source;
    b->common.source = NULL;
    check_row(sctp_listen(&b->config, &waiting, &listener, &b->error), "%s", b->error.story);
    assert_int_equal(listener.kind, b->config.in_udp ? TRANSPORT_SCTP_IN_UDP : TRANSPORT_SCTP);
    return listener;
}

static void connect_to(struct end *a)
{
    check_row(sctp_connect(&a->config, &waiting, &a->transport, &a->error), "%s", a->error.story);
}

static void accept_at(struct end *b, struct sctp_listener *listener)
{
    check_row(sctp_accept(&b->config, listener, &waiting, &b->transport, &b->error), "%s", b->error.story);
}

/* a has connected to b. */
static void connected(void **state, struct end *a, struct end *b)
{
    struct sctp_listener listener;

    two_ends(state, a, b);
    listener = listen_at(b);
    connect_to(a);
    accept_at(b, &listener);
    sctp_listener_close(&listener);
}

static void say(const struct end *end, const char *text)
{
    assert_int_equal(send(end->transport.fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* 0 at the end, -1 with errno. */
static ssize_t receive(const struct end *end, void *bytes, size_t size)
{
    ssize_t length;

    do {
        await(end->transport.fd, POLLIN);
        length = transport_receive(&end->transport, bytes, size);
    } while (length < 0 && errno == EAGAIN);
    return length;
}

static void hear(const struct end *end, const char *text)
{
    char bytes[64];
    size_t length = 0;

    while (length < strlen(text)) {
        ssize_t count = receive(end, bytes + length, strlen(text) - length);

        check_row(count > 0, "%s: %zd, %s", text, count, strerror(errno));
        length += (size_t)count;
    }
    assert_memory_equal(bytes, text, length);
}

static void assert_ended(const struct end *end)
{
    char bytes[4096];

    while (receive(end, bytes, sizeof bytes) > 0)
        ;
}

/* ---- Called and awaited ---- */

static void test_connect_and_accept(void **state)
{
    struct end a, b;
    struct sctp_listener listener;

    two_ends(state, &a, &b);
    listener = listen_at(&b);
    assert_int_equal(listener.local.count, 1);
    assert_int_equal(address_port(&listener.local.at[0]), atoi(b.port));
    connect_to(&a);
    accept_at(&b, &listener);
    assert_int_equal(a.transport.kind, sctp_kind(is_user(state)));
    assert_int_equal(a.transport.setup, TRANSPORT_ACTIVE);
    assert_int_equal(b.transport.setup, TRANSPORT_PASSIVE);
    assert_true(address_same(&a.transport.remote, &listener.local.at[0]));
    assert_true(address_same(&a.transport.local, &b.transport.remote));
    assert_true(address_same(&a.transport.remote, &b.transport.local));
    assert_int_equal(a.transport.locals.count, 0);
    say(&a, "ping");
    hear(&b, "ping");
    say(&b, "pong");
    hear(&a, "pong");
    sctp_listener_close(&listener); /* which leaves the association alone */
    say(&a, "more");
    hear(&b, "more");
    end_free(&a);
    end_free(&b);
}

/* Several peers come to one listener. */
static void test_several_peers(void **state)
{
    struct end a, b, c;
    struct transport first;
    struct sctp_listener listener;
    char ignored[8];

    two_ends(state, &a, &b);
    memset(&c, 0, sizeof c);
    prepare(&c, "127.0.0.3", "127.0.0.2", a.port, is_user(state));
    free_ports(SOCK_DGRAM, c.udp, ignored);
    c.config.udp_local = (uint16_t)atoi(c.udp);
    c.config.udp_remote = a.config.udp_remote;
    listener = listen_at(&b);
    connect_to(&a);
    accept_at(&b, &listener);
    first = b.transport;
    connect_to(&c);
    accept_at(&b, &listener);
    assert_false(address_same(&first.remote, &b.transport.remote));
    say(&c, "c");
    hear(&b, "c");
    say(&b, "for c");
    hear(&c, "for c");
    transport_abort(&b.transport);
    b.transport = first;
    say(&a, "a");
    hear(&b, "a");
    sctp_listener_close(&listener);
    end_free(&c);
    end_free(&a);
    end_free(&b);
}

static void test_ipv6_and_wildcard(void **state)
{
    struct end a, b;
    struct sctp_listener listener;

    for (int six = 0; six < 2; six++) {
        if (six && !names_have_ipv6())
            continue;
        two_ends(state, &a, &b);
        a.common.source = b.common.host = b.common.source = NULL;
        a.common.host = six ? "::1" : "127.0.0.1";
        check_row(sctp_listen(&b.config, &waiting, &listener, &b.error), "%s", b.error.story);
        connect_to(&a);
        accept_at(&b, &listener);
        say(&a, "x");
        hear(&b, "x");
        check_row(address_same(&a.transport.local, &b.transport.remote), "%d", six);
        sctp_listener_close(&listener);
        end_free(&a);
        end_free(&b);
    }
}

static void test_several_addresses(void **state)
{
    static const char *const ours[] = {"127.0.0.1", "127.0.0.11"};
    struct end a, b;
    struct sctp_listener listener;

    two_ends(state, &a, &b);
    a.config.sources = ours;
    a.config.source_count = 2;
    listener = listen_at(&b);
    connect_to(&a);
    accept_at(&b, &listener);
    assert_int_equal(a.transport.locals.count, 2);
    assert_int_equal(b.transport.remotes.count, 2);
    assert_int_equal(b.transport.locals.count, 1);
    sctp_listener_close(&listener);
    end_free(&a);
    end_free(&b);
}

static void test_one_address_in_udp(void **state)
{
    static const char *const ours[] = {"127.0.0.1", "127.0.0.11"};
    struct end a, b;

    two_ends(state, &a, &b);
    a.config.sources = ours;
    a.config.source_count = 2;
    assert_false(sctp_connect(&a.config, &waiting, &a.transport, &a.error));
    assert_int_equal(a.error.status, STATUS_LOCAL);
    assert_true(has(a.error.story, "one address"));
    end_free(&a);
    end_free(&b);
}

/* ---- Bytes ---- */

/* Much, both ways at the same time; and before that as much as fits where nobody reads. */
static void test_much_data(void **state)
{
    enum { SIZE = 6 << 20, BACK = 3 << 20 };
    static uint8_t got[SIZE];
    uint8_t *data;
    size_t sent = 0, received = 0, returned = 0, came = 0;
    struct pollfd poll_fd;
    struct end a, b;

    connected(state, &a, &b);
    data = some_data(SIZE, 7);
    for (;;) {
        size_t piece = SIZE - sent < 65536 ? SIZE - sent : 65536;
        ssize_t count = piece ? send(a.transport.fd, data + sent, piece, MSG_NOSIGNAL) : -1;

        assert_true(piece > 0); /* else nothing holds it back */
        if (count > 0) {
            sent += (size_t)count;
            continue;
        }
        assert_int_equal(errno, EAGAIN);
        poll_fd = (struct pollfd){.fd = a.transport.fd, .events = POLLOUT};
        if (poll(&poll_fd, 1, SHORT_MS) == 0)
            break;
    }
    assert_true(sent > 65536);
    assert_true(transport_unacknowledged(&a.transport) > 0);
    while (received < SIZE || came < BACK) {
        struct pollfd fds[2] = {{.fd = a.transport.fd, .events = (short)(POLLIN | (sent < SIZE ? POLLOUT : 0))},
                                {.fd = b.transport.fd, .events = (short)(POLLIN | (returned < BACK ? POLLOUT : 0))}};
        uint8_t bytes[30000];
        ssize_t count;

        check_row(poll(fds, 2, TEST_PATIENCE_MS) > 0, "%zu %zu %zu %zu", sent, received, returned, came);
        if (fds[0].revents & POLLOUT && sent < SIZE &&
            (count = send(a.transport.fd, data + sent, SIZE - sent < 65536 ? SIZE - sent : 65536, MSG_NOSIGNAL)) > 0)
            sent += (size_t)count;
        if (fds[1].revents & POLLOUT && returned < BACK &&
            (count = send(b.transport.fd, data + returned, BACK - returned < 9999 ? BACK - returned : 9999, MSG_NOSIGNAL)) > 0)
            returned += (size_t)count;
        if (fds[1].revents & POLLIN && (count = transport_receive(&b.transport, got + received, SIZE - received < 30000 ? SIZE - received : 30000)) > 0)
            received += (size_t)count;
        if (fds[0].revents & POLLIN && (count = transport_receive(&a.transport, bytes, sizeof bytes)) > 0) {
            assert_memory_equal(bytes, data + came, (size_t)count);
            came += (size_t)count;
        }
    }
    assert_int_equal(received, SIZE);
    assert_memory_equal(got, data, SIZE);
    free(data);
    end_free(&a);
    end_free(&b);
}

static size_t not_taken(const struct transport *transport)
{
    int unsent = 0;

    assert_int_equal(ioctl(transport->fd, SIOCOUTQ, &unsent), 0);
    return (size_t)unsent;
}

/* What cannot go on its way yet, as the peer's window or the network's is full, is not acknowledged either. */
static void test_unacknowledged(void **state)
{
    enum { SIZE = 60000 };
    uint8_t *data = some_data(SIZE, 3);
    int64_t deadline = wait_until(TEST_PATIENCE_MS);
    struct end a, b;

    connected(state, &a, &b);
    kill(b.user.pid, SIGSTOP);
    assert_int_equal(send(a.transport.fd, data, SIZE, MSG_NOSIGNAL), SIZE);
    while ((not_taken(&a.transport) || transport_unacknowledged(&a.transport) != SIZE) && wait_now() < deadline)
        poll(NULL, 0, 1);
    assert_int_equal(not_taken(&a.transport), 0);
    assert_int_equal(transport_unacknowledged(&a.transport), SIZE);
    kill(b.user.pid, SIGCONT);
    while (transport_unacknowledged(&a.transport) && wait_now() < deadline)
        poll(NULL, 0, 1);
    assert_int_equal(transport_unacknowledged(&a.transport), 0);
    free(data);
    end_free(&a);
    end_free(&b);
}

/* ---- The end ---- */

static int finish(void *argument)
{
    struct end *end = argument;

    return (int)transport_finish(&end->transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS) != 0;
}

/* Everything arrives, and then the end. */
static void test_finish(void **state)
{
    enum { SIZE = 200000 };
    struct end a, b;
    static uint8_t *data; /* the child has it as well, and ends with it */
    uint8_t bytes[5000];
    size_t received = 0;
    ssize_t count;
    int child;

    connected(state, &a, &b);
    data = some_data(SIZE, 7);
    write_all(a.transport.fd, data, SIZE);
    child = child_start(finish, &a);
    close(a.transport.fd);
    a.transport.fd = -1;
    while ((count = receive(&b, bytes, sizeof bytes)) > 0) {
        assert_memory_equal(bytes, data + received, (size_t)count);
        received += (size_t)count;
    }
    check_row(count == 0, "%s", strerror(errno));
    assert_int_equal(received, SIZE);
    assert_int_equal(transport_finish(&b.transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS), 0);
    assert_int_equal(b.transport.fd, -1);
    assert_int_equal(child_end(child), 0);
    free(data);
    end_free(&a);
    end_free(&b);
}

/* There is no time to wait for the peer: it gets everything all the same. */
static void test_finish_at_once(void **state)
{
    struct end a, b;

    connected(state, &a, &b);
    if (is_user(state)) /* so busy that it sees words, end and closing at once */
        kill(a.user.pid, SIGSTOP);
    say(&a, "last words");
    transport_finish(&a.transport, &waiting, 0, 0, 0);
    if (is_user(state))
        kill(a.user.pid, SIGCONT);
    hear(&b, "last words");
    assert_int_equal(receive(&b, (char[8]){0}, 8), 0);
    end_free(&a);
    end_free(&b);
}

/* Both at the same time. */
static void test_finish_both(void **state)
{
    struct end a, b;
    int child;

    connected(state, &a, &b);
    child = child_start(finish, &a);
    close(a.transport.fd);
    a.transport.fd = -1;
    assert_int_equal(finish(&b), 0);
    assert_int_equal(child_end(child), 0);
    end_free(&a);
    end_free(&b);
}

static void test_abort(void **state)
{
    struct end a, b;
    ssize_t length;
    char byte;

    connected(state, &a, &b);
    transport_abort(&a.transport);
    assert_int_equal(a.transport.fd, -1);
    length = receive(&b, &byte, 1);
    check_row(length == 0 || errno == ECONNRESET, "%zd: %s", length, strerror(errno));
    if (!is_user(state))
        assert_int_equal(length, -1);
    end_free(&a);
    end_free(&b);
}

/* A session that dies says nothing more; its peer is told. */
static int hold(void *argument)
{
    (void)argument;
    for (;;)
        pause();
    return 0;
}

static void test_killed(void **state)
{
    struct end a, b;
    int child;

    connected(state, &a, &b);
    child = child_start(hold, &a);
    close(a.transport.fd);
    a.transport.fd = -1;
    say(&b, "anybody there?");
    kill(child, SIGKILL);
    assert_int_equal(child_end(child), -SIGKILL);
    assert_ended(&b);
    end_free(&a);
    end_free(&b);
}

/* The process that does SCTP dies: its own session sees that at once, the peer when nothing is acknowledged any more. */
static void test_process_killed(void **state)
{
    struct end a, b;
    struct sctp_listener listener;
    siginfo_t info;

    connected(state, &a, &b);
    say(&b, "not read");
    hear(&a, "not");
    kill(a.user.pid, SIGKILL);
    assert_ended(&a);
    assert_int_equal(waitid(P_PID, (id_t)a.user.pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(sctp_connect(&a.config, &waiting, &a.transport, &a.error));
    assert_int_equal(a.error.status, STATUS_NETWORK);
    assert_true(has(a.error.story, "the process that does SCTP in UDP was ended by signal 9"));
    error_clear(&a.error);
    a.common.host = a.source;
    assert_false(sctp_listen(&a.config, &waiting, &listener, &a.error));
    assert_true(has(a.error.story, "the process that does SCTP in UDP has ended"));
    say(&b, "x");
    assert_ended(&b);
    transport_abort(&a.transport);
    sctp_user_free(&a.user);
    end_free(&b);
}

/* What it took is counted as ours, and nothing of it is left behind. */
static void test_process_waited_for(void **state)
{
    struct end a, b;

    two_ends(state, &a, &b);
    end_free(&b);
    for (int i = 0; i < 30; i++) {
        int64_t since = wait_now();
        pid_t pid = a.user.pid;
        bool late;

        sctp_user_free(&a.user);
        late = wait_now() - since >= 500; /* then it is on its own: under valgrind it may take longer to begin */
        errno = 0;
        check_row((waitpid(pid, NULL, WNOHANG) < 0 && errno == ECHILD) || late, "process %d", i);
        check_row(sctp_user_prepare(&a.user, &a.error), "%s", a.error.story);
    }
    end_free(&a);
}

/* ---- Meeting ---- */

/* False with the error in `end`. */
static bool meet(struct end *end)
{
    struct sctp_meeting meeting;
    bool met = sctp_meeting_open(&end->config, &waiting, &meeting, &end->error) &&
               sctp_meet(&end->config, &meeting, &waiting, &end->transport, &end->error);

    sctp_meeting_close(&meeting);
    return met;
}

struct other {
    struct end *end;
    int go;     /* read first; -1: at once */
    bool again; /* an association may end without a word, and then there is another one */
};

/* Meet, repeat what comes, and end. */
static int meet_in_child(void *argument)
{
    struct other *other = argument;
    struct end *end = other->end;
    struct sctp_meeting meeting;
    char bytes[64];
    ssize_t length;

    if (other->go >= 0 && read(other->go, bytes, 1) != 1)
        return 90;
    if (!sctp_meeting_open(&end->config, &waiting, &meeting, &end->error))
        return 91;
    for (int left = other->again ? 2 : 1, heard = 0; !heard; left--) {
        if (left == 0)
            return 92;
        transport_abort(&end->transport);
        if (!sctp_meet(&end->config, &meeting, &waiting, &end->transport, &end->error)) {
            fprintf(stderr, "# %s\n", end->error.story);
            return 91;
        }
        heard = receive(end, bytes, sizeof bytes) > 0;
    }
    sctp_meeting_close(&meeting);
    say(end, "other");
    length = receive(end, bytes, sizeof bytes);
    transport_finish(&end->transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS);
    return length == 0 ? 0 : 93;
}

/* Whoever is first, or neither: the first third lets us go before, the second the other, the rest both at once. */
static void test_meet(void **state)
{
    size_t rounds = 30 / stride(6);

    for (size_t round = 0; round < rounds; round++) {
        struct end a, b;
        struct other other;
        int ends[2], child, status;

        two_ends(state, &a, &b);
        assert_int_equal(pipe(ends), 0);
        other = (struct other){.end = &b, .go = round % 3 == 0 ? ends[0] : -1};
        child = child_start(meet_in_child, &other);
        if (round % 3 == 0) { /* it begins in the middle of our trying */
            a.common.wait_ms = (int)(5 * round);
            if (!meet(&a))
                assert_int_equal(a.error.status, STATUS_TIME);
            assert_int_equal(write(ends[1], "x", 1), 1);
            error_clear(&a.error);
            a.common.wait_ms = TEST_PATIENCE_MS;
        }
        if (round % 3 == 1) {
            struct pollfd none = {.fd = -1};

            poll(&none, 1, (int)round); /* a head start for it */
        }
        check_row(meet(&a), "round %zu: %s", round, a.error.story);
        assert_int_equal(a.transport.setup, TRANSPORT_SIMULTANEOUS);
        assert_int_equal(address_port(&a.transport.remote), atoi(a.port));
        say(&a, "one");
        hear(&a, "other");
        assert_int_equal(transport_finish(&a.transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS), 0);
        check_row((status = child_end(child)) == 0, "round %zu: the child's status is %d", round, status);
        close(ends[0]);
        close(ends[1]);
        end_free(&a);
        end_free(&b);
    }
}

/* Let the stopped process of an end go on once it has a job to do. */
static int wake_for_job(void *argument)
{
    const struct sctp_user *user = argument;
    int unread = 0;

    while (ioctl(user->control, SIOCOUTQ, &unread) == 0 && unread == 0)
        poll(NULL, 0, 1);
    return kill(user->pid, SIGCONT);
}

/* What came about was of no use: at once, at the same place, there is another one; also when our process hears of both in one
 * turn. */
static void test_meet_again(void **state)
{
    struct end a, b;
    struct other other = {.end = &b, .go = -1, .again = true};
    struct sctp_meeting meeting;
    int child, waker = 0;

    two_ends(state, &a, &b);
    /* First, so that it does not hold our place open. */
    child = child_start(meet_in_child, &other);
    check_row(sctp_meeting_open(&a.config, &waiting, &meeting, &a.error), "%s", a.error.story);
    assert_true(meeting.local.length > 0);
    check_row(sctp_meet(&a.config, &meeting, &waiting, &a.transport, &a.error), "%s", a.error.story);
    if (is_user(state))
        kill(a.user.pid, SIGSTOP);
    transport_abort(&a.transport);
    if (is_user(state))
        waker = child_start(wake_for_job, &a.user);
    a.common.wait_ms = SHORT_MS; /* which is no concern of a meeting that is open */
    check_row(sctp_meet(&a.config, &meeting, &waiting, &a.transport, &a.error), "%s", a.error.story);
    sctp_meeting_close(&meeting);
    say(&a, "one");
    hear(&a, "other");
    transport_finish(&a.transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS);
    assert_int_equal(child_end(child), 0);
    if (waker)
        assert_int_equal(child_end(waker), 0);
    end_free(&a);
    end_free(&b);
}

static void test_meet_ourselves(void **state)
{
    struct end a, b;

    two_ends(state, &a, &b);
    a.common.host = a.source;
    a.config.udp_remote = a.config.udp_local;
    assert_false(meet(&a));
    assert_int_equal(a.error.status, STATUS_ROLE);
    assert_true(has(a.error.story, "talking to ourselves"));
    end_free(&a);
    end_free(&b);
}

static void test_meet_in_vain(void **state)
{
    struct end a, b;

    two_ends(state, &a, &b);
    a.common.wait_ms = SHORT_MS;
    assert_false(meet(&a));
    assert_int_equal(a.error.status, STATUS_TIME);
    assert_true(has(a.error.story, "time ran out while meeting 127.0.0.2 (-w 300ms): 127.0.0.2:"));
    end_free(&a);
    end_free(&b);
}

/* Somebody else calls, and gets nothing; the peer does. */
static int call_as_stranger(void *argument)
{
    struct end *stranger = argument;

    stranger->common.wait_ms = 1000;
    if (!sctp_connect(&stranger->config, &waiting, &stranger->transport, &stranger->error))
        return 0;
    assert_ended(stranger); /* it came about, and was reset */
    return 0;
}

static void test_meet_strangers(void **state)
{
    struct end a, b, stranger;
    struct other other = {.end = &b};
    char ignored[8];
    int ends[2], children[2];

    two_ends(state, &a, &b);
    memset(&stranger, 0, sizeof stranger);
    prepare(&stranger, "127.0.0.9", "127.0.0.1", a.port, is_user(state));
    free_ports(SOCK_DGRAM, stranger.udp, ignored);
    stranger.config.udp_local = (uint16_t)atoi(stranger.udp);
    stranger.config.udp_remote = a.config.udp_local;
    assert_int_equal(pipe(ends), 0);
    other.go = ends[0];
    children[0] = child_start(meet_in_child, &other);
    children[1] = child_start(call_as_stranger, &stranger);
    a.common.wait_ms = SHORT_MS;
    assert_false(meet(&a));
    assert_int_equal(a.error.status, STATUS_TIME);
    a.common.wait_ms = TEST_PATIENCE_MS;
    error_clear(&a.error);
    assert_int_equal(write(ends[1], "x", 1), 1);
    check_row(meet(&a), "%s", a.error.story);
    assert_true(address_same_host(&a.transport.remote, &b.transport.local) || !b.transport.local.length);
    say(&a, "one");
    hear(&a, "other");
    transport_finish(&a.transport, &waiting, TEST_PATIENCE_MS, 0, TEST_PATIENCE_MS);
    assert_int_equal(child_end(children[0]), 0);
    assert_int_equal(child_end(children[1]), 0);
    close(ends[0]);
    close(ends[1]);
    end_free(&stranger);
    end_free(&a);
    end_free(&b);
}

/* ---- Nobody there ---- */

static void test_refused(void **state)
{
    struct end a, b;

    two_ends(state, &a, &b);
    assert_false(sctp_connect(&a.config, &waiting, &a.transport, &a.error));
    assert_int_equal(a.error.status, STATUS_NETWORK);
    assert_true(has(a.error.story, "cannot connect to 127.0.0.2: 127.0.0.2:"));
    assert_true(has(a.error.story, "Connection refused; nobody listens there"));
    end_free(&a);
    end_free(&b);
}

/* Its UDP port is there, and does not answer. */
static void test_silence(void **state)
{
    struct end a, b;
    struct address local = {.length = 0};
    int udp;

    two_ends(state, &a, &b);
    udp = sctp_user_socket(&local, AF_INET, b.config.udp_local, &b.error);
    assert_true(udp >= 0);
    a.common.wait_ms = SHORT_MS;
    assert_false(sctp_connect(&a.config, &waiting, &a.transport, &a.error));
    assert_int_equal(a.error.status, STATUS_TIME);
    assert_true(has(a.error.story, "time ran out while connecting to 127.0.0.2 (-w 300ms): 127.0.0.2:"));
    assert_true(has(a.error.story, ": no answer"));
    close(udp);
    end_free(&a);
    end_free(&b);
}

static void test_nobody_comes(void **state)
{
    struct end a, b;
    struct sctp_listener listener;

    two_ends(state, &a, &b);
    b.common.wait_ms = 20;
    listener = listen_at(&b);
    assert_false(sctp_accept(&b.config, &listener, &waiting, &b.transport, &b.error));
    assert_int_equal(b.error.status, STATUS_TIME);
    assert_true(has(b.error.story, "(-w 20ms): nobody came"));
    sctp_listener_close(&listener);
    end_free(&a);
    end_free(&b);
}

/* The first of two addresses refuses, the second one is it. */
static void test_second_address(void **state)
{
    struct end a, b;
    struct sctp_listener listener;

    two_ends(state, &a, &b);
    a.common.source = NULL;
    a.common.host = "pair.test";
    listener = listen_at(&b);
    connect_to(&a);
    assert_true(address_same(&a.transport.remote, &listener.local.at[0]));
    sctp_listener_close(&listener);
    end_free(&a);
    end_free(&b);
}

struct comes {
    struct end *end;
    struct sctp_listener listener;
    unsigned notes;
    char text[1024];
};

static void come(void *context, const char *text)
{
    struct comes *comes = context;

    snprintf(comes->text, sizeof comes->text, "%s", text);
    if (comes->notes++ == 0 && comes->end)
        comes->listener = listen_at(comes->end);
}

static void test_retry(void **state)
{
    struct end a, b;
    struct comes comes = {.end = &b};

    two_ends(state, &a, &b);
    a.common.retries = -1;
    a.common.retry_delay_ms = 1;
    a.common.note = come;
    a.common.note_context = &comes;
    connect_to(&a);
    assert_int_equal(comes.notes, 1);
    assert_true(has(comes.text, "; trying again until the peer is there"));
    sctp_listener_close(&comes.listener);
    end_free(&a);
    end_free(&b);
}

/* ---- Ports ---- */

static void test_port_in_use(void **state)
{
    struct end a, b;
    struct sctp_listener first, second;
    char expected[128];

    two_ends(state, &a, &b);
    first = listen_at(&b);
    a.common.host = b.source;
    a.common.source = NULL;
    a.config.udp_local = b.config.udp_local;
    assert_false(sctp_listen(&a.config, &waiting, &second, &a.error));
    assert_int_equal(a.error.status, STATUS_NETWORK);
    snprintf(expected, sizeof expected, "cannot listen on 127.0.0.2:%s: Address already in use%s", is_user(state) ? b.udp : b.port,
             is_user(state) ? "; --sctp-udp=LOCAL:REMOTE takes other ports" : "");
    assert_string_equal(a.error.story, expected);
    sctp_listener_close(&first);
    end_free(&a);
    end_free(&b);
}

/* ---- Strangers, and what is no SCTP ---- */

/* From the peer's host and from elsewhere: noise, and things that look like SCTP. */
static void flood(const struct end *to, unsigned count)
{
    struct address address = address_at(to->source, to->config.udp_local);
    int fds[2] = {socket_at(SOCK_DGRAM, "127.0.0.1", 0), socket_at(SOCK_DGRAM, "127.0.0.9", 0)};
    uint32_t seed = count;
    uint8_t bytes[1500];

    for (unsigned i = 0; i < count; i++) {
        size_t length = next_random(&seed) % sizeof bytes;

        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (uint8_t)next_random(&seed);
        if (i % 2) { /* ports and verification tag as in an INIT; the checksum is wrong */
            bytes[0] = bytes[2] = (uint8_t)(atoi(to->port) >> 8);
            bytes[1] = bytes[3] = (uint8_t)atoi(to->port);
            memset(bytes + 4, 0, 4);
            memcpy(bytes + 12, "\1\0\0\24", 4);
        }
        sendto(fds[i % 4 / 2], bytes, length, 0, (struct sockaddr *)&address.storage, address.length);
    }
    close(fds[0]);
    close(fds[1]);
}

static void test_noise(void **state)
{
    struct end a, b;
    struct sctp_listener listener;

    two_ends(state, &a, &b);
    listener = listen_at(&b);
    flood(&b, 3000);
    connect_to(&a);
    accept_at(&b, &listener);
    sctp_listener_close(&listener);
    for (int i = 0; i < 5; i++) {
        flood(&b, 500);
        say(&a, "ping");
        hear(&b, "ping");
        say(&b, "pong");
        hear(&a, "pong");
    }
    end_free(&a);
    end_free(&b);
}

/* ---- Signals ---- */

static int connect_and_be_stopped(void *argument)
{
    struct end *end = argument;

    return sctp_connect(&end->config, &waiting, &end->transport, &end->error) || end->error.status != STATUS_OK;
}

static int meet_and_be_stopped(void *argument)
{
    struct end *end = argument;

    return meet(end) || end->error.status != STATUS_OK;
}

static int accept_and_be_stopped(void *argument)
{
    struct end *end = argument;
    struct sctp_listener listener = listen_at(end);

    return sctp_accept(&end->config, &listener, &waiting, &end->transport, &end->error) || end->error.status != STATUS_OK;
}

static void test_signals(void **state)
{
    static child_function *const functions[] = {connect_and_be_stopped, meet_and_be_stopped, accept_and_be_stopped};

    for (size_t i = 0; i < COUNT(functions); i++) {
        struct end a, b;

        two_ends(state, &a, &b);
        check_row(in_stopped_child(functions[i], &a) == 0, "row %zu", i);
        end_free(&a);
        end_free(&b);
    }
}

/* ---- Which of the two ---- */

static void test_choice(void **state)
{
    struct end a;
    struct comes comes = {.end = NULL};
    char port[8], udp[8], ignored[8];

    (void)state;
    if (sctp_kernel()) {
        assert_int_equal(sctp_kind(false), TRANSPORT_SCTP);
        assert_int_equal(sctp_kind(true), TRANSPORT_SCTP_IN_UDP);
        return;
    }
    memset(&a, 0, sizeof a);
    free_ports(SOCK_STREAM, port, ignored);
    free_ports(SOCK_DGRAM, udp, ignored);
    prepare(&a, "127.0.0.1", "127.0.0.2", port, sctp_user_is_built_in());
    a.config.in_udp = false;
    a.config.udp_local = a.config.udp_remote = (uint16_t)atoi(udp);
    a.common.note = come;
    a.common.note_context = &comes;
    assert_int_equal(sctp_kind(false), TRANSPORT_SCTP_IN_UDP);
    assert_false(sctp_connect(&a.config, &waiting, &a.transport, &a.error));
    if (sctp_user_is_built_in()) {
        assert_int_equal(comes.notes, 1);
        assert_true(has(comes.text, "this kernel has no SCTP: speaking SCTP in UDP, from port "));
        assert_int_equal(a.error.status, STATUS_NETWORK);
    } else {
        assert_int_equal(a.error.status, STATUS_LOCAL);
        assert_string_equal(a.error.story, "this kernel has no SCTP, and symtls was built without user-space SCTP");
    }
    end_free(&a);
}

static enum transport_kind kernel = TRANSPORT_SCTP, user = TRANSPORT_SCTP_IN_UDP;

#define KERNEL(test) {#test " (kernel)", test, NULL, NULL, &kernel}
#define USER(test)   {#test " (in UDP)", test, NULL, NULL, &user}
#define BOTH(test)   KERNEL(test), USER(test)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BOTH(test_connect_and_accept),
        BOTH(test_several_peers),
        BOTH(test_ipv6_and_wildcard),
        KERNEL(test_several_addresses),
        USER(test_one_address_in_udp),
        BOTH(test_much_data),
        USER(test_unacknowledged),
        BOTH(test_finish),
        BOTH(test_finish_at_once),
        BOTH(test_finish_both),
        BOTH(test_abort),
        BOTH(test_killed),
        USER(test_process_killed),
        USER(test_process_waited_for),
        BOTH(test_meet),
        BOTH(test_meet_again),
        BOTH(test_meet_ourselves),
        BOTH(test_meet_in_vain),
        BOTH(test_meet_strangers),
        BOTH(test_refused),
        USER(test_silence),
        BOTH(test_nobody_comes),
        BOTH(test_second_address),
        BOTH(test_retry),
        BOTH(test_port_in_use),
        USER(test_noise),
        BOTH(test_signals),
        cmocka_unit_test(test_choice),
    };

    if (!sctp_kernel()) {
        print_message("# this kernel has no SCTP: tests/net/sctp-kernel.test runs the other half on one that has\n");
        cmocka_set_skip_filter("*(kernel)");
    } else if (getenv("SCTP_KERNEL_ONLY")) {
        cmocka_set_skip_filter("*(in UDP)");
    }
    names_use();
    return cmocka_run_group_tests(tests, waiting_setup, waiting_teardown);
}
