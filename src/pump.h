/* pump.h - the loop of a session: handshake, acceptance, then bytes both ways until both ends have ended. */
#ifndef SYMTLS_PUMP_H
#define SYMTLS_PUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"
#include "error.h"
#include "local.h"
#include "report.h"
#include "resumption.h"
#include "trust.h"
#include "wait.h"

/* How far a session has come, for whoever looks after many. */
enum pump_stage {
    PUMP_HEARD,   /* something has come from the peer */
    PUMP_ASKING,  /* the user is about to be asked about it; false: not now, since it is being asked about somebody else */
    PUMP_ANSWERED,
    PUMP_ACCEPTED /* we have accepted the peer */
};
typedef bool pump_told(void *context, enum pump_stage stage);

/* Times in milliseconds; -1: no limit. Everything is borrowed. */
struct pump_config {
    const struct trust_config *trust;
    const struct local_config *local;
    struct trust_occasion us; /* its address is not looked at */
    struct resumption *resumption; /* where a ticket that the peer gives is kept; NULL: nowhere */
    const char *save_cert;         /* where what the peer shows is written; NULL: nowhere */
    int handshake_ms;
    int idle_ms;
    int linger_ms;
    bool zero;    /* leave once both have accepted each other */
    uint8_t commands; /* what the user's commands begin with, where stdin is a terminal; 0: there are none */
    pump_told *told; /* NULL: nobody wants to know */
    void *told_context;
};

struct pump_result {
    uint64_t sent;     /* application bytes that went to the peer */
    uint64_t received; /* application bytes that came from it */
    uint64_t lost;     /* records of the peer that never came: datagrams only */
    bool peer_closed;  /* its close_notify has come */
    int64_t moving_ms; /* since we had accepted the peer; 0: we never had */
    bool peer_has_all; /* its close_notify came after ours */
    int program_status; /* how a program has ended, as a shell says it; 0: well, or there was none */
    int program_signal; /* that it died by; 0: none */
    bool reader_gone;  /* stdout has no reader any more: end as SIGPIPE would */
};

/* Run a channel, whose session is young or old, to its end. channel->error says how that was, wait->signal if a signal ended it.
 * The transport and the local side are closed afterwards. */
struct pump_result pump_run(const struct pump_config *config, struct channel *channel, struct report *report, struct wait *wait);

/* Before a channel is chosen (meet.h): what the phase is called when time runs out in it. */
void pump_tell_handshake_timeout(const struct channel *channel, int handshake_ms, struct error *error);

#endif
