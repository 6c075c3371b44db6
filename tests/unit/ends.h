/* ends.h - the two ends of a real connection: one led by hand, step by step, the other a child in which the pump runs. */
#ifndef SYMTLS_TEST_ENDS_H
#define SYMTLS_TEST_ENDS_H

#include "identity.h"
#include "pump.h"
#include "session.h"
#include "sockets.h"

/* ---- Led by hand ---- */

struct hand {
    int fd;
    int refuse; /* the alert with which it refuses the peer; 0: it accepts */
    struct session_config config;
    struct error error;
    struct session *session;
};

/* An active (or passive) symmetric end on the connection. */
void hand_open(struct hand *hand, int fd, struct identity *identity, enum role_want want, bool active);
void hand_reopen(struct hand *hand); /* with the configuration that the test has made of it */
void hand_free(struct hand *hand);

enum session_state hand_handshake(struct hand *hand);
void hand_step(struct hand *hand); /* as far as it goes with what has come */
void hand_flush(struct hand *hand);
void hand_send(struct hand *hand, const void *bytes, size_t length);

/* At least one byte; 0: the peer has closed its direction, or the session has failed. */
size_t hand_receive(struct hand *hand, void *bytes, size_t size);

/* Until exactly this has come, and no more. */
void hand_expect(struct hand *hand, const char *text);
void hand_close(struct hand *hand);        /* close_notify */
void hand_expect_close(struct hand *hand); /* and no data before it */
void hand_hang_up(struct hand *hand);      /* FIN */
void hand_reset(struct hand *hand);        /* RST */
void hand_wait_for_end(struct hand *hand); /* until the peer has sent its last; then we go as well */

/* ---- A child in which the pump runs ---- */

struct outcome {
    struct pump_result result;
    struct error error;
    int signal;
};

struct side {
    struct pump_config config;
    struct trust_config trust;
    struct session_config session;
    struct local_config local; /* stdin and stdout */
    int stdin_is;  /* in place of a pipe from us; -1: a pipe */
    int stdout_is;
    const char *terminal; /* the child's controlling terminal */

    int in;        /* what we write comes out of its stdin; -1: closed */
    int out;       /* what it writes to stdout */
    int events;    /* its report */
    int ended;     /* its outcome */
    int child;
};

/* Symmetric and active; it accepts everybody and has no time limits. */
void side_init(struct side *side, struct identity *identity);
void side_start(struct side *side, int fd);
void side_close_in(struct side *side);

/* Wait for that event; the line of it, for free(). NULL: there was another one, or none. */
char *side_event(struct side *side, const char *name);

/* Wait for its end. */
struct outcome side_end(struct side *side);

#endif
