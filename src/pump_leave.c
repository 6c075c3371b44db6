/* pump_leave.c - the pump's end: our last words, and what still has to be known before the connection is closed. */
#include "pump_parts.h"
#include "role_alert.h"
#include "text.h"

enum {
    LEAVE_MS = 1000, /* for the last bytes, when we are not waiting for the peer any more */
    /* Over datagrams: how long we stay to say it again. */
    ZERO_MS = 1500,    /* our end of the handshake: the peer's timer is a second */
    REFUSED_MS = 1200, /* the same for an alert */
    GOODBYE_MS = 300   /* close_notify, when we do not wait for the peer's */
};

/* Our last words: close_notify, or, if what the peer sent could not be kept, an alert that says so. */
static void say_goodbye(struct pump *pump)
{
    if (session_state(pump->session) != SESSION_OPEN)
        return;
    if ((pump->local.failed || pump->error->status == STATUS_LOCAL) && !session_we_closed(pump->session))
        session_refuse(pump->session, ALERT_INTERNAL_ERROR);
    else
        session_close(pump->session);
}

static void flush(struct pump *pump, int64_t deadline)
{
    struct channel *channel = pump->channel;

    while (!channel_is_flushed(channel) && !channel->broken) {
        struct pollfd poll_fd = {.fd = channel->transport.fd, .events = POLLOUT};

        if (wait_for(pump->wait, &poll_fd, 1, deadline) != WAIT_READY)
            break;
        channel_move(channel, POLLOUT);
    }
}

/* We leave before the peer has ended. If it still sends, nobody takes that, and it has to know: so no polite close. */
static bool peer_still_sends(struct pump *pump, int64_t deadline)
{
    if (session_state(pump->session) != SESSION_OPEN)
        return false;
    for (;;) {
        uint64_t before = pump->result.received;
        struct pollfd poll_fd;

        if (buffer_used(&pump->out) > 0)
            return true;
        pump_receive(pump);
        if (pump->result.received > before)
            return true;
        if (session_state(pump->session) != SESSION_OPEN || session_peer_closed(pump->session) || pump->channel->ended)
            return false;
        poll_fd = channel_poll(pump->channel);
        if (wait_for(pump->wait, &poll_fd, 1, deadline) != WAIT_READY)
            return false;
        channel_move(pump->channel, poll_fd.revents);
    }
}

/* Datagrams: what we said last may be lost. Say it again until the peer must have heard it, or for at most `ms`. */
static void stay(struct pump *pump, int ms)
{
    int64_t deadline = wait_until(ms);

    while (session_state(pump->session) == SESSION_FAILED || !session_is_settled(pump->session)) {
        if (pump->channel->ended || pump_wait_for_channel(pump, NULL, deadline) != WAIT_READY)
            break;
        buffer_skip(&pump->out, buffer_used(&pump->out));
        pump_receive(pump);
        pump->result.peer_closed = session_peer_closed(pump->session);
    }
}

static void leave_datagrams(struct pump *pump, bool well)
{
    bool refused = session_state(pump->session) == SESSION_FAILED;

    say_goodbye(pump);
    flush(pump, wait_until(LEAVE_MS));
    if (well)
        stay(pump, pump->config->zero ? ZERO_MS : pump->local.reader_gone ? GOODBYE_MS : pump->config->linger_ms);
    else if (refused && pump->error->status != STATUS_CUT && !pump->wait->signal)
        stay(pump, REFUSED_MS);
    else
        stay(pump, GOODBYE_MS);
    transport_finish(&pump->channel->transport, pump->wait, 0, 0, 0);
}

static void leave_stream(struct pump *pump, bool well)
{
    const struct pump_config *config = pump->config;
    struct channel *channel = pump->channel;
    int64_t deadline = wait_until(LEAVE_MS);
    size_t close_size, unsent;
    int rest_ms;

    say_goodbye(pump);
    flush(pump, deadline);
    if (!well && peer_still_sends(pump, deadline)) {
        transport_abort(&channel->transport);
        return;
    }
    session_output(pump->session, &unsent);
    close_size = session_close_size(pump->session);
    rest_ms = config->zero || deadline <= wait_now() ? 0 : (int)(deadline - wait_now());
    unsent += transport_finish(&channel->transport, pump->wait, rest_ms, close_size, well ? config->linger_ms : rest_ms);
    /* That the peer has not heard our close_notify any more does no harm: it had closed before. */
    if (well && unsent > close_size)
        error_set(pump->error, STATUS_CUT, "the peer has gone before it had taken everything that we sent");
}

/* What a program did not want is its own affair: the session may end well all the same. */
static bool is_well(const struct pump *pump)
{
    return pump->error->status == STATUS_OK && !pump->wait->signal && !pump->result.reader_gone;
}

/* The local side's end: a program has its time for it. */
static void leave_local(struct pump *pump)
{
    char duration[TEXT_DURATION_SIZE];

    if (!is_well(pump))
        local_hang_up(&pump->local);
    else if (local_is_running(&pump->local))
        report_say(pump->report, REPORT_VERBOSE, "the session is over; waiting for the program to end");
    local_close(&pump->local, pump->wait, pump->config->linger_ms);
    pump->result.program_status = pump->local.program.status;
    pump->result.program_signal = pump->local.program.signal;
    if (pump->local.program.is_killed)
        report_say(pump->report, REPORT_NORMAL, "the program did not end when it was told to, and was killed (--linger %s)",
                   text_from_duration(duration, pump->config->linger_ms));
}

void pump_leave(struct pump *pump)
{
    bool well = is_well(pump);

    if (!well)
        local_hang_up(&pump->local);
    if (channel_is_datagrams(pump->channel))
        leave_datagrams(pump, well);
    else if (pump->local.was_reset)
        transport_abort(&pump->channel->transport); /* without a word: this is what it came to at our end, too */
    else
        leave_stream(pump, well);
    pump->result.peer_has_all = is_well(pump) && session_we_closed(pump->session) && session_peer_closed(pump->session) && !pump->peer_closed_first;
    leave_local(pump);
}
