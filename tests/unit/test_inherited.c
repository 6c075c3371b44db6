/* test_inherited.c - descriptors from whoever started us: which are taken, which are not, and what becomes of the rest. */
#include "check.h"
#include "inherited.h"
#include "sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything here is about low numbers and the environment, so each test runs in a child. */

static void pass(const char *pid, const char *count)
{
    char own[16];

    snprintf(own, sizeof own, "%d", (int)getpid());
    setenv("LISTEN_PID", strcmp(pid, "own") == 0 ? own : pid, 1);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_FDNAMES", "a", 1);
}

/* ---- LISTEN_FDS ---- */

static int count(void *argument)
{
    static const struct {
        const char *pid, *count;
        unsigned wanted;
    } rows[] = {{"own", "1", 1}, {"own", "3", 3}, {"own", "0", 0}, {"own", "", 0}, {"own", "-1", 0}, {"own", "x", 0},
                {"own", "1 ", 0}, {"own", "99999999999999999999", 0}, {"1", "1", 0}, {"", "1", 0}, {"own1", "1", 0}};

    (void)argument;
    for (size_t i = 0; i < COUNT(rows); i++) {
        pass(rows[i].pid, rows[i].count);
        check_row(inherited_count() == rows[i].wanted, "\"%s\" \"%s\": %u", rows[i].pid, rows[i].count, inherited_count());
    }
    unsetenv("LISTEN_FDS");
    return inherited_count() != 0;
}

static void test_count(void **state)
{
    (void)state;
    assert_int_equal(in_child(count, NULL), 0);
}

static int tcp_listener(void)
{
    int fd = socket_at(SOCK_STREAM, "127.0.0.1", 0);

    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int tcp_bound(void)
{
    return socket_at(SOCK_STREAM, "127.0.0.1", 0);
}

static int udp_bound(void)
{
    return socket_at(SOCK_DGRAM, "127.0.0.1", 0);
}

static int unix_one(void)
{
    return unix_listener(scratch_path("passed"));
}

static int connected(void)
{
    int fds[2];

    tcp_pair(fds);
    return fds[0];
}

static int unix_datagrams(void)
{
    return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int file(void)
{
    return open("/dev/null", O_RDONLY);
}

static int nothing(void)
{
    return -1;
}

static const struct passed {
    int (*make)(void);
    bool datagrams;
    const char *wrong; /* NULL: it is taken */
} passed[] = {
    {tcp_listener, false, NULL},
    {unix_one, false, NULL},
    {udp_bound, true, NULL},
    {udp_bound, false, "it is no stream socket (with -u: a UDP socket)"},
    {tcp_listener, true, "it is no UDP socket"},
    {unix_datagrams, true, "it is of a kind that is not known here"},
    {tcp_bound, false, "it does not listen; a connection goes with --fd"},
    {connected, false, "it does not listen; a connection goes with --fd"},
    {file, false, "it is no stream socket"},
    {nothing, false, "it is not open"},
};

/* That number is it, and no other one is; as somebody leaves it who is about to start us. */
static void put(int (*make)(void), int number)
{
    int fd = make();

    if (fd < 0)
        close(number);
    else if (fd != number)
        assert_int_equal(dup2(fd, number), number);
    if (fd > number)
        close(fd);
    fcntl(number, F_SETFD, 0);
}

static int take(void *argument)
{
    const struct passed *row = argument;
    struct listeners listeners;
    struct error error = {0};
    bool taken;

    put(row->make, 3);
    pass("own", "1");
    taken = inherited_listeners(row->datagrams, &listeners, &error);
    if (row->wrong)
        return taken || error.status != STATUS_LOCAL || !has(error.story, "LISTEN_FDS: descriptor 3 is of no use: ") || !has(error.story, row->wrong);
    check_row(taken && listeners.count == 1 && listeners.fds[0] == 3, "%s", error.story);
    check_row(fcntl(3, F_GETFD) & FD_CLOEXEC && fcntl(3, F_GETFL) & O_NONBLOCK, "it is as ours are");
    check_row(listeners.local[0].length > 0, "it has an address");
    return getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES");
}

static int take_too_many(void *argument)
{
    struct listeners listeners;
    struct error error = {0};

    (void)argument;
    put(tcp_listener, 3);
    for (int fd = 4; fd < 20; fd++)
        dup2(3, fd);
    pass("own", "17");
    return inherited_listeners(false, &listeners, &error) || error.status != STATUS_LOCAL ||
           !has(error.story, "LISTEN_FDS: 17 sockets are more than the 16 that can be listened on");
}

static void test_listeners(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(passed); i++)
        check_row(in_child(take, (void *)&passed[i]) == 0, "row %zu", i);
    assert_int_equal(in_child(take_too_many, NULL), 0);
}

/* ---- A connection ---- */

static int check_one(void *argument)
{
    static const struct {
        int (*make)(void);
        const char *wrong;
    } rows[] = {{connected, NULL},
                {tcp_listener, "--fd 7: it listens, and is no connection"},
                {tcp_bound, "--fd 7: it is not connected, or not any more"},
                {udp_bound, "--fd 7: it is no stream socket"},
                {file, "--fd 7: it is no stream socket"},
                {nothing, "--fd 7: it is not open"}};

    (void)argument;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error error = {0};

        put(rows[i].make, 7);
        check_row(inherited_check(7, &error) == !rows[i].wrong, "row %zu: %s", i, error.story);
        check_row(!rows[i].wrong || (error.status == STATUS_LOCAL && has(error.story, rows[i].wrong)), "row %zu: %s", i, error.story);
    }
    return 0;
}

static void test_check(void **state)
{
    (void)state;
    assert_int_equal(in_child(check_one, NULL), 0);
}

static bool is_null(int fd)
{
    struct stat info, null;

    return fstat(fd, &info) == 0 && stat("/dev/null", &null) == 0 && info.st_rdev == null.st_rdev && S_ISCHR(info.st_mode);
}

/* As from inetd, all three are the connection; or only stdin is, and stdout is a pipe. */
static int take_connection(void *argument)
{
    bool all = argument != NULL;
    struct transport transport;
    struct error error = {0};
    int fds[2], ends[2], errors = dup(2);
    char byte;

    tcp_pair(fds);
    fcntl(fds[0], F_SETFL, 0);
    check_row(pipe(ends) == 0 && dup2(fds[0], 0) == 0 && dup2(all ? fds[0] : ends[1], 1) == 1 && dup2(all ? fds[0] : errors, 2) == 2, "ends");
    close(fds[0]);
    if (inherited_is_same(0, 1) != all || !inherited_is_same(0, 0) || inherited_is_same(0, fds[1]) || inherited_is_same(ends[0], ends[0]))
        return 1;
    inherited_silence(0);
    dup2(errors, all ? 9 : 2); /* for what may be said below */
    if (all && !is_null(2))
        return 2;
    if (!inherited_connection(0, TRANSPORT_PASSIVE, &transport, &error))
        return 3;
    if (transport.fd < 3 || transport.kind != TRANSPORT_TCP || transport.setup != TRANSPORT_PASSIVE || !(fcntl(transport.fd, F_GETFD) & FD_CLOEXEC))
        return 4;
    if (!is_null(0) || is_null(1) != all)
        return 5;
    if (fcntl(transport.fd, F_GETFL) & O_NONBLOCK) /* others who have it find it as it was */
        return 6;
    if (write(transport.fd, "x", 1) != 1)
        return 7;
    await(fds[1], POLLIN);
    if (read(fds[1], &byte, 1) != 1)
        return 8;
    close(transport.fd); /* the last one that has it */
    await(fds[1], POLLIN);
    return read(fds[1], &byte, 1) != 0 ? 10 : 0;
}

static void test_connection(void **state)
{
    (void)state;
    assert_int_equal(in_child(take_connection, NULL), 0);
    assert_int_equal(in_child(take_connection, ""), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_connection),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
