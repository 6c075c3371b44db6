/* test_wait.c - waiting: for descriptors, for a deadline, for a signal. */
#include "check.h"
#include "helpers.h"
#include "wait.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Everything here is about the whole process, so each test runs in a child: 0 is success, else the line that failed. */
#define SO(condition)          \
    do {                       \
        if (!(condition))      \
            return __LINE__ % 250 + 1; \
    } while (0)

static int clock_goes_forward(void *argument)
{
    int64_t now = wait_now();

    (void)argument;
    SO(now > 0);
    for (int i = 0; i < 1000; i++)
        SO(wait_now() >= now);
    SO(wait_until(-1) == WAIT_FOREVER);
    SO(wait_until(0) - now < 60000 && wait_until(0) >= now);
    SO(wait_until(100000) - now >= 100000 && wait_until(100000) - now < 160000);
    return 0;
}

static int descriptors(void *argument)
{
    struct wait wait;
    int one[2], other[2];
    struct pollfd fds[4];

    (void)argument;
    SO(wait_init(&wait) && pipe(one) == 0 && pipe(other) == 0);
    fds[0] = (struct pollfd){.fd = one[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = other[0], .events = POLLIN};
    fds[2] = (struct pollfd){.fd = -1, .events = POLLIN, .revents = POLLIN};
    fds[3] = (struct pollfd){.fd = one[0], .events = 0};
    SO(wait_for(&wait, fds, 4, 0) == WAIT_LATE);
    SO(!fds[0].revents && !fds[1].revents && !fds[2].revents && !fds[3].revents);
    SO(wait_for(&wait, fds, 4, wait_until(1)) == WAIT_LATE);
    SO(write(other[1], "x", 1) == 1);
    SO(wait_for(&wait, fds, 4, WAIT_FOREVER) == WAIT_READY);
    SO(!fds[0].revents && fds[1].revents == POLLIN && !fds[2].revents);
    SO(wait_for(&wait, fds, 4, 0) == WAIT_READY); /* what is ready counts, also when it is late */
    close(one[1]);
    SO(wait_for(&wait, fds, 4, WAIT_FOREVER) == WAIT_READY);
    SO(fds[0].revents == POLLHUP && fds[3].revents == POLLHUP);
    SO(wait_for(&wait, NULL, 0, wait_until(1)) == WAIT_LATE);
    wait_free(&wait);
    return 0;
}

static int many_descriptors(void *argument)
{
    struct wait wait;
    struct pollfd fds[32];
    int ends[2];

    (void)argument;
    SO(wait_init(&wait) && pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    for (int i = 0; i < 32; i++)
        fds[i] = (struct pollfd){.fd = i == 31 ? ends[0] : -1, .events = POLLIN};
    SO(wait_for(&wait, fds, 32, WAIT_FOREVER) == WAIT_READY && fds[31].revents == POLLIN);
    return 0;
}

static int comes_out(void *number)
{
    struct wait wait;
    struct pollfd fd;
    int ends[2], signal_number = *(int *)number;

    SO(wait_init(&wait) && pipe(ends) == 0);
    SO(wait.signal == 0);
    raise(signal_number);
    fd = (struct pollfd){.fd = ends[0], .events = POLLIN};
    SO(write(ends[1], "x", 1) == 1); /* a signal comes first */
    SO(wait_for(&wait, &fd, 1, WAIT_FOREVER) == WAIT_SIGNALLED);
    SO(wait.signal == signal_number);
    SO(wait_for(&wait, &fd, 1, WAIT_FOREVER) == WAIT_READY); /* once; what is left is to leave */
    return 0;
}

static int second_one_kills(void *number)
{
    struct wait wait;
    int signal_number = *(int *)number;

    SO(wait_init(&wait));
    raise(SIGINT);
    SO(wait_for(&wait, NULL, 0, WAIT_FOREVER) == WAIT_SIGNALLED);
    raise(signal_number);
    wait_for(&wait, NULL, 0, WAIT_FOREVER);
    return 200;
}

static void note(int number)
{
    (void)number;
}

/* Neither another signal nor an ignored one ends the waiting. */
static int others_do_not(void *argument)
{
    struct wait wait;
    struct sigaction interrupt = {.sa_handler = note};
    pid_t child, self = getpid();
    int ends[2];
    struct pollfd fd;

    (void)argument;
    signal(SIGHUP, SIG_IGN); /* as nohup(1) does */
    SO(sigaction(SIGUSR1, &interrupt, NULL) == 0 && wait_init(&wait) && pipe(ends) == 0);
    raise(SIGHUP);
    SO(wait_for(&wait, NULL, 0, 0) == WAIT_LATE && wait.signal == 0);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 50; i++) {
            kill(self, SIGUSR1);
            poll(NULL, 0, 1);
        }
        _exit(write(ends[1], "x", 1) != 1);
    }
    fd = (struct pollfd){.fd = ends[0], .events = POLLIN};
    SO(wait_for(&wait, &fd, 1, WAIT_FOREVER) == WAIT_READY);
    SO(child_end(child) == 0);
    return 0;
}

static int sigpipe_is_ignored(void *argument)
{
    struct wait wait;
    int ends[2];

    (void)argument;
    SO(wait_init(&wait) && pipe(ends) == 0);
    close(ends[0]);
    SO(write(ends[1], "x", 1) < 0);
    return 0;
}

/* What is started by us gets the signals as we got them. */
static int mask_before(void *argument)
{
    struct wait wait;
    sigset_t now;

    (void)argument;
    sigemptyset(&now);
    sigaddset(&now, SIGUSR2);
    SO(sigprocmask(SIG_SETMASK, &now, NULL) == 0 && wait_init(&wait));
    SO(sigismember(&wait.before, SIGUSR2) && !sigismember(&wait.before, SIGTERM));
    SO(sigprocmask(SIG_SETMASK, NULL, &now) == 0 && sigismember(&now, SIGTERM) && sigismember(&now, SIGINT));
    SO(fcntl(wait.signal_fd, F_GETFD) == FD_CLOEXEC);
    wait_free(&wait);
    SO(wait.signal_fd == -1);
    wait_free(&wait);
    return 0;
}

static int die(void *number)
{
    struct wait wait;

    if (!wait_init(&wait))
        return 1;
    wait_die(*(int *)number);
}

static void test_in_child(child_function *function, void *argument, int expected)
{
    int status = in_child(function, argument);

    check_row(status == expected, "it is %d, not %d", status, expected);
}

static void test_clock(void **state)
{
    (void)state;
    test_in_child(clock_goes_forward, NULL, 0);
}

static void test_descriptors(void **state)
{
    (void)state;
    test_in_child(descriptors, NULL, 0);
    test_in_child(many_descriptors, NULL, 0);
}

static int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void test_signals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        test_in_child(comes_out, &numbers[i], 0);
    test_in_child(others_do_not, NULL, 0);
    test_in_child(sigpipe_is_ignored, NULL, 0);
    test_in_child(mask_before, NULL, 0);
}

static void test_second_signal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        test_in_child(second_one_kills, &numbers[i], -numbers[i]);
}

static void test_die(void **state)
{
    int more[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

    (void)state;
    for (size_t i = 0; i < COUNT(more); i++)
        test_in_child(die, &more[i], -more[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),         cmocka_unit_test(test_descriptors), cmocka_unit_test(test_signals),
        cmocka_unit_test(test_second_signal), cmocka_unit_test(test_die),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
