/* pump_data.c - the pump's middle: bytes between the local side and the session, until there is a reason to leave. */
#include "pump_parts.h"
#include "text.h"
#include "tty.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    PLAIN_IN_SIZE = 65536,
    PLAIN_OUT_SIZE = 65536 + SESSION_RECORD_MAX,
    TYPED_SIZE = 4096 /* a terminal's longest line */
};

static bool has_units(const struct pump *pump)
{
    return pump->config->local->framing != FRAMING_READ;
}

static void send_to_peer(struct pump *pump)
{
    size_t taken;

    if (has_units(pump)) {
        pump_send_units(pump);
        return;
    }
    taken = session_send(pump->session, buffer_at(&pump->in), buffer_used(&pump->in));

    if (taken == 0)
        return;
    buffer_skip(&pump->in, taken);
    pump->result.sent += taken;
    pump->last_data = wait_now();
}

/* ---- What is typed at a terminal: data, and commands ---- */

static void do_command(struct pump *pump, char letter)
{
    struct commands_numbers numbers;

    send_to_peer(pump); /* what was typed before it */
    numbers = (struct commands_numbers){pump->result.sent, pump->result.received, buffer_used(&pump->in)};
    switch (commands_do(&pump->commands, letter, &numbers)) {
    case COMMANDS_NOTHING:
        break;
    case COMMANDS_CLOSE:
        pump->in_ended = true;
        break;
    case COMMANDS_QUIT:
        pump->quit = true;
        break;
    }
}

static void take_typed(struct pump *pump, const uint8_t *typed, size_t length)
{
    bool by_line = tty_is_by_line(pump->local.in.fd), lost = false;

    for (size_t i = 0; i < length && !pump->quit; i++) {
        struct escape_result result = escape_take(&pump->commands.escape, by_line, typed[i]);

        lost = lost || (pump->in_ended && result.length > 0);
        if (!pump->in_ended)
            pump_take_in(pump, (const uint8_t *)result.data, result.length);
        if (result.command)
            do_command(pump, result.command);
    }
    if (lost)
        commands_tell_closed(&pump->commands);
}

static void end_typed(struct pump *pump)
{
    struct escape_result held = escape_end(&pump->commands.escape);

    if (!pump->in_ended)
        pump_take_in(pump, (const uint8_t *)held.data, held.length);
}

static void read_typed(struct pump *pump)
{
    uint8_t typed[TYPED_SIZE];
    size_t length;

    switch (local_read(&pump->local, typed, sizeof typed, &length, pump->error)) {
    case LOCAL_READ_SOME:
        take_typed(pump, typed, length);
        break;
    case LOCAL_READ_END:
        end_typed(pump);
        pump->in_ended = true;
        break;
    case LOCAL_READ_NOTHING:
    case LOCAL_READ_FAILED:
        break;
    }
}

/* ---- The local side ---- */

static void read_local(struct pump *pump)
{
    uint8_t lines[TYPED_SIZE];
    bool crlf = pump->config->local->crlf;
    uint8_t *room = crlf ? lines : buffer_room(&pump->in, PLAIN_IN_SIZE);
    size_t length;

    if (!room) {
        error_set(pump->error, STATUS_LOCAL, "out of memory");
        return;
    }
    switch (local_read(&pump->local, room, crlf ? sizeof lines : PLAIN_IN_SIZE, &length, pump->error)) {
    case LOCAL_READ_SOME:
        if (crlf)
            pump_take_in(pump, lines, length);
        else
            buffer_filled(&pump->in, length);
        break;
    case LOCAL_READ_END:
        pump->in_ended = true;
        if (pump->local.is_held)
            report_say(pump->report, REPORT_VERBOSE, "what the program has started still holds its output, and is not waited for");
        break;
    case LOCAL_READ_NOTHING:
    case LOCAL_READ_FAILED:
        break;
    }
}

static void write_local(struct pump *pump)
{
    size_t written = local_write(&pump->local, buffer_at(&pump->out), buffer_used(&pump->out), pump->error);

    if (pump->local.reader_gone && local_ends_with_reader(&pump->local))
        pump->result.reader_gone = true;
    if (pump->local.reader_gone && pump->config->local->kind == LOCAL_PROGRAM && !pump->waste_told) {
        pump->waste_told = true;
        report_say(pump->report, REPORT_VERBOSE, "the program reads no more: what the peer still sends is thrown away");
    }
    buffer_skip(&pump->out, written);
}

/* A program has ended, or may have. */
static void look_at_program(struct pump *pump)
{
    if (!local_is_running(&pump->local))
        return;
    local_look(&pump->local);
    if (!pump->local.program.ended)
        return;
    report_say(pump->report, REPORT_VERBOSE, "the program has ended with status %d", pump->local.program.status);
    if (!pump->config->local->use_in)
        pump->in_ended = true;
}

/* Datagrams are written one by one, so that their limits can be seen. */
static bool has_room(const struct pump *pump)
{
    if (channel_is_datagrams(pump->channel))
        return buffer_used(&pump->out) == 0;
    return buffer_used(&pump->out) + SESSION_RECORD_MAX <= PLAIN_OUT_SIZE;
}

/* As much as stdout has room for: what is not taken here is not read from the socket either. */
void pump_receive(struct pump *pump)
{
    while (has_room(pump)) {
        uint8_t *room = has_units(pump) ? NULL : buffer_room(&pump->out, SESSION_RECORD_MAX);
        size_t length = has_units(pump) ? pump_receive_unit(pump)
                        : room          ? session_receive(pump->session, room, SESSION_RECORD_MAX)
                                        : 0;

        if (length == 0)
            break;
        if (room)
            buffer_filled(&pump->out, length);
        pump->result.received += length;
        pump->last_data = wait_now();
    }
}

/* Datagrams come out one by one. Where there is room for one it is written at once, and the next one looked at: to ask poll(2)
 * about each took so long that many were lost. */
static void receive_all(struct pump *pump)
{
    bool may_write = channel_is_datagrams(pump->channel) && pump->local.out.fd >= 0 && !pump->local.out.may_block &&
                     !pump->local.discard;

    pump_receive(pump);
    while (may_write && buffer_used(&pump->out)) {
        write_local(pump);
        if (buffer_used(&pump->out) || pump->local.failed || pump->local.reader_gone)
            break;
        pump_receive(pump);
    }
}

static void end_directions(struct pump *pump)
{
    bool peer_closed = session_peer_closed(pump->session);
    bool all_written = buffer_used(&pump->out) == 0;

    if (peer_closed && all_written && pump->local.out.fd >= 0)
        local_close_out(&pump->local, pump->error);
    /* Without stdin there is no end of ours to wait for, and nobody types one while the data goes into a file. */
    if (peer_closed && (!pump->config->local->use_in || pump->config->local->in_follows))
        pump->in_ended = true;
    if (pump->config->zero && session_is_accepted(pump->session))
        pump->in_ended = true;
    /* Whoever closes last tells by it that everything was written. */
    if (pump->in_ended && buffer_used(&pump->in) == 0 && !session_we_closed(pump->session) &&
        (!peer_closed || all_written) && pump->error->status == STATUS_OK) {
        session_close(pump->session);
        pump->closed_at = wait_now();
        pump->peer_closed_first = peer_closed;
    }
    if (peer_closed && !pump->result.peer_closed && !pump->in_ended)
        report_say(pump->report, pump->config->local->kind == LOCAL_STDIO && isatty(STDIN_FILENO) ? REPORT_NORMAL : REPORT_VERBOSE,
                   "the peer has ended its direction; the end of our input ends the session");
    /* A terminal whose user has left hangs up, even if there were good-byes. */
    if (peer_closed && pump->channel->ended && pump->local.program.has_pty)
        local_program_hang_up(&pump->local.program);
    pump->result.peer_closed = peer_closed;
}

static void tell_acceptance(struct pump *pump)
{
    if (pump->accepted_reported || !session_is_accepted(pump->session) || session_state(pump->session) != SESSION_OPEN)
        return;
    pump->accepted_reported = true;
    report_accepted(pump->report);
}

/* At once; which is a good end only where nothing is missing. */
static void quit(struct pump *pump)
{
    if (session_peer_closed(pump->session) && buffer_used(&pump->out) == 0 && buffer_used(&pump->in) == 0 &&
        channel_is_flushed(pump->channel)) {
        pump->quit = false;
        pump->in_ended = true;
    } else {
        error_set(pump->error, STATUS_CUT, "you have ended the session; the peer had not ended its direction, or had not taken everything");
    }
}

/* Nothing is left to be done. */
static bool is_over(const struct pump *pump)
{
    bool we_closed =
        session_we_closed(pump->session) && (channel_is_flushed(pump->channel) || pump->channel->broken);

    if (pump->result.reader_gone || pump->quit)
        return true;
    /* What did arrive is written, also when the session has failed since; but who takes nothing gets no more time. */
    if (buffer_used(&pump->out) > 0 && pump->local.out.fd >= 0 && !pump->local.failed && pump->error->status != STATUS_TIME)
        return false;
    if (pump->error->status != STATUS_OK || session_state(pump->session) == SESSION_FAILED)
        return true;
    if (pump->config->zero)
        return we_closed;
    /* With nobody left to take it, what the peer may still send makes no difference. */
    return we_closed && (session_peer_closed(pump->session) || pump->local.reader_gone);
}

/* The peer has gone while we still had something to say. */
static bool is_cut(struct pump *pump)
{
    if (!pump->channel->broken || !pump->channel->ended)
        return false;
    if (session_we_closed(pump->session) && session_peer_closed(pump->session))
        return false;
    pump_receive(pump);
    if (buffer_used(&pump->out) > 0 || session_is_resting(pump->session))
        return false;
    if (session_peer_closed(pump->session) && buffer_used(&pump->in) == 0 && channel_is_flushed(pump->channel))
        error_set(pump->error, STATUS_CUT, "the peer has ended its direction, and has gone before ours had ended");
    else
        error_set(pump->error, STATUS_CUT, "the peer has gone before it had taken everything that we sent");
    return true;
}

static int64_t soonest(struct pump *pump)
{
    const struct pump_config *config = pump->config;
    int64_t deadline = WAIT_FOREVER;

    if (config->idle_ms >= 0)
        deadline = pump->last_data + config->idle_ms;
    if (config->zero)
        deadline = pump_earlier(deadline, pump->handshake_deadline);
    if (!pump->accepted_reported)
        deadline = pump_earlier(deadline, pump->news_at);
    /* The linger time is for a silent peer: not for a slow reader of ours, nor for one of the peer's. */
    if (session_we_closed(pump->session) && !session_peer_closed(pump->session) && config->linger_ms >= 0 &&
        buffer_used(&pump->out) == 0 && channel_is_flushed(pump->channel)) {
        int64_t since = pump->channel->last_traffic > pump->closed_at ? pump->channel->last_traffic : pump->closed_at;

        deadline = pump_earlier(deadline, since + config->linger_ms);
    }
    return deadline;
}

static void time_ran_out(struct pump *pump)
{
    const struct pump_config *config = pump->config;
    char duration[TEXT_DURATION_SIZE];

    if (!pump->accepted_reported && pump->news_at <= wait_now()) {
        pump_tell_news(pump, "the peer has not accepted us yet; perhaps somebody is being asked there");
        return;
    }
    if (config->idle_ms >= 0 && wait_now() - pump->last_data >= config->idle_ms)
        error_set(pump->error, STATUS_TIME, "time ran out: no data for %s either way (--idle-timeout)",
                  text_from_duration(duration, config->idle_ms));
    else if (config->zero)
        error_set(pump->error, STATUS_TIME, "time ran out while waiting for the peer to accept us (--handshake-timeout %s)",
                  text_from_duration(duration, config->handshake_ms));
    else if (transport_unacknowledged(&pump->channel->transport) > 0)
        pump->channel->last_traffic = wait_now(); /* it is there, and has not taken everything yet */
    else
        error_set(pump->error, STATUS_TIME,
                  "time ran out while waiting for the peer to end its direction too (--linger %s without traffic)",
                  text_from_duration(duration, config->linger_ms));
}

/* Commands are taken also while the peer does not take data, and when our direction is closed. */
static bool wants_in(const struct pump *pump)
{
    if (pump->config->commands)
        return !pump->local.in.has_ended && buffer_used(&pump->in) < PLAIN_IN_SIZE;
    return !pump->in_ended && pump->config->local->use_in &&
           (buffer_used(&pump->in) == 0 || (has_units(pump) && pump->needs_more));
}

/* While much comes from the peer, the local side waits every other time. When both send as fast as they can, the peer's bytes would
 * pile up in the kernel otherwise, and be out of the processor's cache when their turn comes. */
static bool gives_way(struct pump *pump, bool heard)
{
    pump->gave_way = heard && pump->channel->flows && !pump->gave_way;
    return pump->gave_way;
}

/* What is wanted of the local side and of the peer, by what there is room for. */
static enum wait_result wait_for_all(struct pump *pump)
{
    bool want_in = wants_in(pump);
    bool want_out = buffer_used(&pump->out) > 0 && !pump->local.discard;
    bool want_rest = want_in && local_is_ending(&pump->local);
    struct pollfd fds[5] = {
        channel_poll(pump->channel),
        {.fd = want_in ? pump->local.in.fd : -1, .events = POLLIN},
        {.fd = want_out ? pump->local.out.fd : -1, .events = POLLOUT},
        {.fd = local_is_running(&pump->local) ? pump->local.program.ears : -1, .events = POLLIN},
        {.fd = pump->local.program.resizes, .events = POLLIN},
    };
    int64_t deadline = want_rest ? wait_now() : soonest(pump);
    enum wait_result result =
        pump_wait(pump, fds, 5, pump->report->progress ? pump_earlier(deadline, progress_due(&pump->progress)) : deadline);

    if (result == WAIT_LATE && wait_now() < deadline)
        return WAIT_READY; /* but for the progress to be shown */
    if (result == WAIT_SIGNALLED || (result == WAIT_LATE && !want_rest))
        return result;
    if (fds[2].revents || (pump->local.discard && buffer_used(&pump->out)))
        write_local(pump);
    channel_move(pump->channel, fds[0].revents);
    if (fds[1].revents && pump->config->commands)
        read_typed(pump);
    else if (want_rest || (fds[1].revents && !gives_way(pump, fds[0].revents & POLLIN)))
        read_local(pump);
    if (fds[3].revents)
        look_at_program(pump);
    if (fds[4].revents)
        local_program_resize(&pump->local.program);
    return WAIT_READY;
}

/* The peer's host, or a router, says that it is not there. */
static void tell_unreachable(struct pump *pump)
{
    if (!pump->channel->unreachable || pump->unreachable_told)
        return;
    pump->unreachable_told = true;
    report_say(pump->report, REPORT_NORMAL, "the peer cannot be reached just now (%s); if that goes on, it has gone",
               transport_reason(pump->channel->unreachable));
}

/* In one write(2), as all that we say. */
static void show_progress(struct pump *pump)
{
    struct progress_state state = {.sent = pump->result.sent,
                                   .received = pump->result.received,
                                   .we_closed = session_we_closed(pump->session),
                                   .peer_closed = session_peer_closed(pump->session)};
    struct winsize size = {.ws_col = 0};
    char line[PROGRESS_SIZE];

    if (!pump->report->progress || wait_now() < progress_due(&pump->progress))
        return;
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    progress_line(&pump->progress, wait_now(), &state, size.ws_col ? size.ws_col : 80, line);
    dprintf(STDERR_FILENO, PROGRESS_CLEAR "%s", line);
}

void pump_move_data(struct pump *pump)
{
    pump->last_data = pump->progress.began = wait_now();
    pump->news_at = wait_until(PUMP_NEWS_MS);
    for (;;) {
        receive_all(pump);
        tell_acceptance(pump);
        if (pump->config->resumption)
            resumption_keep(pump->config->resumption, pump->session, &pump->aside);
        tell_unreachable(pump);
        if (pump->local.discard && buffer_used(&pump->out))
            write_local(pump);
        send_to_peer(pump);
        if (pump->config->commands)
            commands_look(&pump->commands);
        if (pump->quit)
            quit(pump);
        end_directions(pump);
        if (is_over(pump) || is_cut(pump))
            return;
        show_progress(pump);
        switch (wait_for_all(pump)) {
        case WAIT_SIGNALLED:
            return;
        case WAIT_LATE:
            time_ran_out(pump);
            break;
        case WAIT_READY:
            break;
        }
    }
}
