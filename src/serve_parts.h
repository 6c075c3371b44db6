/* serve_parts.h - what the parts of the server share: who comes and goes (serve.c), and the sessions' processes (serve_sessions.c). */
#ifndef SYMTLS_SERVE_PARTS_H
#define SYMTLS_SERVE_PARTS_H

#include "crowd.h"
#include "life.h"

enum { EXHAUSTED_AGAIN_MS = 10000 /* of success, and running out of something is told again */ };

/* Somebody who waits (`arrival`), or the process of a session (`pid`). */
struct seat {
    struct reach_arrival *arrival;
    pid_t pid;
    unsigned long session;
    struct address remote;
    bool ended; /* it has told of its end */
};

struct serve {
    struct program *program;
    struct life *life;  /* what the sessions to come are made of */
    struct life *first; /* that was there at the beginning, and is not ours */
    struct reach_listener listener;
    struct crowd crowd;
    struct seat *seats; /* beside crowd.places */
    struct pollfd *fds; /* for all of them */
    int children_fd;    /* SIGCHLD */
    int news[2];        /* from all sessions to us */
    off_t stdin_start;  /* -1: stdin is no regular file */
    bool had_terminal;
    bool from;          /* who comes connects to our local side, and leads to a session with a peer that we call */

    unsigned long sessions; /* so many have begun */
    uint64_t sent, received;
    int64_t busy_at;      /* when a session was there last */
    int64_t exhausted_at; /* 0: never */
    int64_t pause_until;  /* nothing is begun before */
    int64_t ask_again;    /* the crowd may have something to say then */
    bool has_room;        /* for newcomers */

    bool stopping, hastened;
    int ended_by; /* signal; 0: none */
    bool reader_gone;

    bool is_session; /* we are not the server any more, but one of the sessions */
    int status;      /* the exit status so far */
};

/* ---- serve_sessions.c ---- */

/* False with an error in the life. */
bool serve_init(struct serve *serve, struct life *life);

/* Free everything but the life that is not ours. Returns the exit status, or ends the process by the signal that it has to be. */
int serve_free(struct serve *serve);

/* What new sessions are made of, from now on. */
void serve_replace_life(struct serve *serve, struct life *life);

/* The place is free again. `abort`: whoever waited there is told so by a reset. */
void seat_clear(struct serve *serve, size_t index, bool abort);

/* Our copy of what the session's process has. */
void seat_let_go(struct seat *seat);

size_t serve_count_sessions(const struct serve *serve);

/* What the sessions say of how far they have come; and those that have ended. */
void serve_read_news(struct serve *serve);
void serve_reap(struct serve *serve);

/* We are a process of its own for this session. Returns its exit status, or 128 and the signal. */
int serve_session(struct serve *serve, struct reach_arrival *arrival);

#endif
