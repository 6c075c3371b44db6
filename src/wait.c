/* wait.c - the clock, and waiting. */
#include "wait.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 32 };

bool wait_init(struct wait *wait)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;

    memset(wait, 0, sizeof *wait);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction now;

        /* nohup(1) and shells with "&" ignore some for us: let it be so. */
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&set, signals[i]);
    }
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &wait->pipe_before);
    if (sigprocmask(SIG_BLOCK, &set, &wait->before) != 0)
        return false;
    wait->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return wait->signal_fd >= 0;
}

void wait_free(struct wait *wait)
{
    if (wait->signal_fd >= 0)
        close(wait->signal_fd);
    wait->signal_fd = -1;
}

void wait_release(const struct wait *wait)
{
    sigaction(SIGPIPE, &wait->pipe_before, NULL);
    sigprocmask(SIG_SETMASK, &wait->before, NULL);
}

static int hear(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    return sigprocmask(SIG_BLOCK, &set, NULL) == 0 ? signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
}

int wait_hear_children(void)
{
    signal(SIGCHLD, SIG_DFL); /* who ignores it has no children to wait for */
    return hear(SIGCHLD);
}

int wait_hear_resizes(void)
{
    return hear(SIGWINCH);
}

void wait_heard_children(int fd)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof info) == sizeof info)
        ;
}

int64_t wait_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t wait_until(int ms)
{
    return ms < 0 ? WAIT_FOREVER : wait_now() + ms;
}

void wait_die(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _exit(128 + number); /* only if that signal does not kill */
}

static int remaining(int64_t deadline)
{
    int64_t left;

    if (deadline == WAIT_FOREVER)
        return -1;
    left = deadline - wait_now();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

enum wait_result wait_for(struct wait *wait, struct pollfd *fds, nfds_t count, int64_t deadline)
{
    struct pollfd all[FDS_MAX + 1];
    struct signalfd_siginfo info;
    int ready;

    assert(count <= FDS_MAX);
    if (count)
        memcpy(all, fds, count * sizeof *fds);
    all[count] = (struct pollfd){.fd = wait->signal_fd, .events = POLLIN};
    do
        ready = poll(all, count + 1, remaining(deadline));
    while (ready < 0 && errno == EINTR);
    if (count)
        memcpy(fds, all, count * sizeof *fds);
    if (ready > 0 && all[count].revents && read(wait->signal_fd, &info, sizeof info) == sizeof info) {
        if (wait->signal) {
            if (wait->group > 0)
                kill(-wait->group, SIGKILL);
            wait_die((int)info.ssi_signo);
        }
        wait->signal = (int)info.ssi_signo;
        return WAIT_SIGNALLED;
    }
    return ready > 0 ? WAIT_READY : WAIT_LATE;
}
