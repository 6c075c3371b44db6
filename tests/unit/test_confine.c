/* test_confine.c - what a process that is confined can still do, and what not. */
#include "check.h"
#include "confine.h"
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* What everybody may read: it is not for being nobody that it cannot be. */
static const char for_everybody[] = "/etc/passwd";

static bool can_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Each is the exit status of a child that was confined; 0: it is as it should be. */
static int opens_nothing(void *unused)
{
    (void)unused;
    if (!can_open(for_everybody, O_RDONLY) || !confine())
        return 1;
    if (can_open(for_everybody, O_RDONLY) || errno != EACCES)
        return 2;
    return can_open("/proc/self/status", O_RDONLY) || can_open("/", O_RDONLY | O_DIRECTORY) ? 3 : 0;
}

static int starts_nothing(void *unused)
{
    char *const arguments[] = {(char[]){"true"}, NULL};

    (void)unused;
    if (!confine())
        return 1;
    execv("/bin/true", arguments);
    return errno == EACCES ? 0 : 2;
}

/* Somebody of the same user: until `end` is closed. */
static int neighbour(void *end)
{
    int fd = *(int *)end;
    char byte = 'x';

    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return 1;
    return write(fd, &byte, 1) == 1 && recv(fd, &byte, 1, 0) == 0 ? 0 : 2;
}

static int signals_nobody(void *other)
{
    if (!confine())
        return 1;
    return kill(*(pid_t *)other, 0) != 0 && errno == EPERM ? 0 : 2;
}

/* No file, and no right that it could gain; no other process of its user's looks into it. */
static int has_no_rights(void *unused)
{
    int file = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    (void)unused;
    signal(SIGXFSZ, SIG_IGN);
    if (!confine())
        return 1;
    if (chroot("/") == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE) != 0)
        return 2;
    return file >= 0 && write(file, "x", 1) > 0 ? 3 : 0;
}

/* What the process that does SCTP in UDP lives on: what it has got, and random numbers. */
static int works(void *end)
{
    int fd = *(int *)end, pair[2];
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte;

    if (!confine())
        return 1;
    if (poll(&poll_fd, 1, -1) != 1 || recv(fd, &byte, 1, 0) != 1 || send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
        return 2;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || getrandom(&byte, 1, 0) != 1)
        return 3;
    return can_open("/dev/urandom", O_RDONLY) ? 0 : 4;
}

static void test_files(void **state)
{
    (void)state;
    if (confine_landlock() < 1) {
        print_message("# this kernel has no Landlock\n");
        skip();
    }
    assert_int_equal(child_end(child_start(opens_nothing, NULL)), 0);
    assert_int_equal(child_end(child_start(starts_nothing, NULL)), 0);
}

static void test_signals(void **state)
{
    int ends[2], other;
    char byte;

    (void)state;
    if (confine_landlock() < 6) {
        print_message("# this kernel's Landlock lets its processes signal others\n");
        skip();
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    other = child_start(neighbour, &ends[1]);
    close(ends[1]);
    assert_int_equal(recv(ends[0], &byte, 1, 0), 1);
    assert_int_equal(child_end(child_start(signals_nobody, &other)), 0);
    shutdown(ends[0], SHUT_WR);
    close(ends[0]);
    assert_int_equal(child_end(other), 0);
}

static void test_rights(void **state)
{
    (void)state;
    assert_int_equal(child_end(child_start(has_no_rights, NULL)), 0);
}

static void test_works(void **state)
{
    int ends[2], child;
    char byte = 'x';

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    child = child_start(works, &ends[1]);
    assert_int_equal(send(ends[0], "y", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(child_end(child), 0);
    assert_int_equal(recv(ends[0], &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(byte, 'y');
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
