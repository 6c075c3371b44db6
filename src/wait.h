/* wait.h - the clock, and waiting: for descriptors, for a deadline, for a signal that ends the session in order. */
#ifndef SYMTLS_WAIT_H
#define SYMTLS_WAIT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WAIT_FOREVER INT64_MAX

struct wait {
    int signal_fd;
    int signal; /* the one that came; 0: none */
    sigset_t before; /* the mask that programs started by us get back */
    struct sigaction pipe_before; /* and what SIGPIPE meant to us */
    pid_t group; /* of a program that must not outlive us: a second signal kills it, too; 0: none */
};

/* SIGINT, SIGTERM and SIGHUP (unless they are ignored) come out of wait_for() from now on; SIGPIPE is ignored. */
bool wait_init(struct wait *wait);
void wait_free(struct wait *wait);

/* Milliseconds on a clock that only goes forward. */
int64_t wait_now(void);

/* The moment `ms` from now; WAIT_FOREVER for a negative one. */
int64_t wait_until(int ms);

enum wait_result {
    WAIT_READY,   /* some revents are set */
    WAIT_LATE,    /* the deadline has passed */
    WAIT_SIGNALLED /* wait->signal says which. A second one ends the process at once */
};

/* poll(2). Entries with fd -1 are passed over; `count` is at most 32. */
enum wait_result wait_for(struct wait *wait, struct pollfd *fds, nfds_t count, int64_t deadline);

/* In a child that is about to become another program: signals are for it what they were for us. */
void wait_release(const struct wait *wait);

/* A descriptor that can be read when a child of ours has ended; wait_heard_children() then, and waitid(2) for each. -1 with errno. */
int wait_hear_children(void);
void wait_heard_children(int fd);

/* The same for a change of our terminal's size. */
int wait_hear_resizes(void);

/* End the process by `signal`, as if it had never been caught. */
void wait_die(int signal) __attribute__((noreturn));

#endif
