/* pump_parts.h - what the parts of the pump share: the handshake (pump.c), moving data (pump_data.c), leaving (pump_leave.c). */
#ifndef SYMTLS_PUMP_PARTS_H
#define SYMTLS_PUMP_PARTS_H

#include "commands.h"
#include "progress.h"
#include "pump.h"

struct pump {
    const struct pump_config *config;
    struct channel *channel;
    struct session *session;
    struct local local;
    struct report *report;
    struct wait *wait;
    struct error *error;
    struct pump_result result;

    struct buffer in;       /* read from the local side, not yet sent */
    struct buffer out;      /* received, not yet written to the local side */
    bool in_ended;          /* nothing more will come from the local side */
    bool gave_way;          /* the local side has had to wait once */
    bool accepted_reported;
    bool unreachable_told;
    bool waste_told;
    struct progress progress;
    bool needs_more;        /* of the local side, for one unit */
    bool after_cr;          /* the last byte that was read is one */
    int64_t news_at;        /* WAIT_FOREVER: told */
    int64_t handshake_deadline;
    int64_t last_data;      /* wait_now() when application bytes went either way */
    int64_t closed_at;      /* wait_now() when we ended our direction */
    bool peer_closed_first; /* the peer had ended its own by then */
    struct trust_result trust;
    struct error aside;     /* what failed beside the session, which goes on */
    struct facts facts;
    struct commands commands; /* only with config->commands */
    bool quit;                /* the user has had enough */
};

enum {
    PUMP_NEWS_MS = 2000 /* of silence, before we say what we are waiting for */
};

static inline int64_t pump_earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* Wait, and have the channel do what is due. What is due there is no reason to say that `deadline` has passed. */
enum wait_result pump_wait(struct pump *pump, struct pollfd *fds, nfds_t count, int64_t deadline);

/* Wait for the channel and up to one more descriptor, and move the channel's bytes. */
enum wait_result pump_wait_for_channel(struct pump *pump, struct pollfd *other, int64_t deadline);

/* Tell what we are waiting for: once, and when there is somebody to read it. */
void pump_tell_news(struct pump *pump, const char *news);

/* What was read is to be sent, with CR LF for LF if that is wanted. */
void pump_take_in(struct pump *pump, const uint8_t *bytes, size_t length);

/* With --framing: send the units that are whole; receive one, and return its length, or 0. */
void pump_send_units(struct pump *pump);
size_t pump_receive_unit(struct pump *pump);

/* Both ends have accepted each other, as far as we can know: data, until there is a reason to leave. */
void pump_move_data(struct pump *pump);

/* Take in what the peer sent, as much as there is room for. */
void pump_receive(struct pump *pump);

/* Last words, and the end of the connection. */
void pump_leave(struct pump *pump);

#endif
