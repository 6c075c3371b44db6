/* pump.c - the loop of a session: local side, session, transport. */
#include "pump.h"
#include "role_alert.h"
#include "text.h"
#include "tty.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PLAIN_IN_SIZE = 65536,
    PLAIN_OUT_SIZE = 65536 + SESSION_RECORD_MAX,
    NEWS_MS = 2000, /* of silence, before we say what we are waiting for */
    LEAVE_MS = 1000, /* for the last bytes, when we are not waiting for the peer any more */
    /* Over datagrams: how long we stay to say it again. */
    ZERO_MS = 1500,    /* our end of the handshake: the peer's timer is a second */
    REFUSED_MS = 1200, /* the same for an alert */
    GOODBYE_MS = 300,  /* close_notify, when we do not wait for the peer's */
    WARNING_DAYS = 14  /* before the peer's certificate expires */
};

struct pump {
    const struct pump_config *config;
    struct channel *channel;
    struct session *session;
    struct local *local;
    struct report *report;
    struct wait *wait;
    struct error *error;
    struct pump_result result;

    struct buffer in;       /* read from stdin, not yet sent */
    struct buffer out;      /* received, not yet written to stdout */
    bool in_ended;          /* nothing more will come from stdin */
    bool accepted_reported;
    bool unreachable_told;
    int64_t news_at;        /* WAIT_FOREVER: told */
    int64_t handshake_deadline;
    int64_t last_data;      /* wait_now() when application bytes went either way */
    int64_t closed_at;      /* wait_now() when we ended our direction */
    struct trust_result trust;
};

/* ---- Handshake ---- */

void pump_tell_handshake_timeout(const struct channel *channel, int handshake_ms, struct error *error)
{
    char duration[TEXT_DURATION_SIZE];

    text_from_duration(duration, handshake_ms);
    if (session_state(channel->session) != SESSION_HELLO)
        error_set(error, STATUS_TIME, "time ran out in the handshake (--handshake-timeout %s)", duration);
    else if (session_was_fed(channel->session))
        error_set(error, STATUS_TIME, "time ran out in the handshake (--handshake-timeout %s): the peer's first message never came to its end",
                  duration);
    else
        error_set(error, STATUS_TIME,
                  "time ran out in the handshake (--handshake-timeout %s): the peer said nothing; if both ends wait for "
                  "the other to begin, --hello now at one of them helps",
                  duration);
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* Wait, and have the channel do what is due. What is due there is no reason to say that `deadline` has passed. */
static enum wait_result wait_and_tick(struct pump *pump, struct pollfd *fds, nfds_t count, int64_t deadline)
{
    enum wait_result result = wait_for(pump->wait, fds, count, earlier(deadline, channel_deadline(pump->channel)));

    if (result != WAIT_SIGNALLED)
        channel_tick(pump->channel);
    return result == WAIT_LATE && wait_now() < deadline ? WAIT_READY : result;
}

/* Wait for the channel and up to one more descriptor, and move the channel's bytes. */
static enum wait_result wait_for_channel(struct pump *pump, struct pollfd *other, int64_t deadline)
{
    struct pollfd fds[2] = {channel_poll(pump->channel), other ? *other : (struct pollfd){.fd = -1}};
    enum wait_result result = wait_and_tick(pump, fds, 2, deadline);

    if (result == WAIT_READY)
        channel_move(pump->channel, fds[0].revents);
    if (other)
        other->revents = result == WAIT_READY ? fds[1].revents : 0;
    return result;
}

/* The user decides, on the terminal; the handshake is held meanwhile, and its time stands still. */
static bool ask(struct pump *pump)
{
    char question[2048], remote[ADDRESS_TEXT_SIZE];
    const char *answer = NULL;
    bool answered = false;
    struct tty tty;
    struct pollfd poll_tty;
    int64_t since = wait_now();

    trust_question(&pump->trust, address_text(&pump->channel->transport.remote, remote), question, sizeof question);
    if (!tty_ask(&tty, question)) {
        trust_answer(pump->config->trust, NULL, &pump->trust, pump->error);
        return true;
    }
    poll_tty = (struct pollfd){.fd = tty.fd, .events = POLLIN};
    while (!answered) {
        if (wait_for_channel(pump, &poll_tty, WAIT_FOREVER) == WAIT_SIGNALLED)
            break;
        if (pump->channel->ended) {
            error_set(pump->error, STATUS_TLS, "the peer hung up while you were being asked; a longer --handshake-timeout at its end gives you more time");
            break;
        }
        if (poll_tty.revents)
            answered = tty_read(&tty, &answer);
    }
    if (answered)
        trust_answer(pump->config->trust, answer ? answer : "", &pump->trust, pump->error);
    tty_close(&tty);
    if (pump->handshake_deadline != WAIT_FOREVER)
        pump->handshake_deadline += wait_now() - since;
    return answered;
}

static void judge(struct pump *pump)
{
    char address[ADDRESS_TEXT_SIZE];
    struct trust_occasion occasion = pump->config->us;
    struct presented presented;

    occasion.peer_is_server = session_role(pump->session) == ROLE_CLIENT;
    occasion.address = address_host(&pump->channel->transport.remote, address);
    occasion.peer_cannot_staple = session_peer_cannot_staple(pump->session);
    session_presented(pump->session, &presented);
    trust_examine(pump->config->trust, &presented, &occasion, &pump->trust, pump->error);
    if (pump->trust.verdict.answer == TRUST_ASK && !ask(pump)) {
        session_refuse(pump->session, ALERT_USER_CANCELED);
        return;
    }
    if (pump->trust.verdict.answer == TRUST_ACCEPT)
        session_accept(pump->session);
    else
        session_refuse(pump->session, pump->trust.verdict.alert);
}

/* Once, when there is somebody to read it. */
static void tell_news(struct pump *pump, const char *news)
{
    report_say(pump->report, isatty(STDERR_FILENO) ? REPORT_NORMAL : REPORT_VERBOSE, "%s", news);
    pump->news_at = WAIT_FOREVER;
}

static bool do_handshake(struct pump *pump)
{
    for (;;) {
        switch (session_advance(pump->session)) {
        case SESSION_OPEN:
            return true;
        case SESSION_FAILED:
            return false;
        case SESSION_VERDICT:
            judge(pump);
            continue;
        case SESSION_HELLO:
        case SESSION_HANDSHAKE:
            break;
        }
        switch (wait_for_channel(pump, NULL, earlier(pump->handshake_deadline, pump->news_at))) {
        case WAIT_SIGNALLED:
            return false;
        case WAIT_LATE:
            if (wait_now() < pump->handshake_deadline) {
                tell_news(pump, "still waiting for the peer; perhaps somebody is being asked there");
                break;
            }
            pump_tell_handshake_timeout(pump->channel, pump->config->handshake_ms, pump->error);
            return false;
        case WAIT_READY:
            break;
        }
    }
}

/* From then on the CA's word does not count any more. */
static void warn_of_expiry(const struct pump *pump, const struct facts *facts)
{
    int64_t days = (facts->peer.not_after - time(NULL) + 43200) / 86400;

    if ((facts->trust == TRUST_CA || pump->config->trust->cacert) && days < WARNING_DAYS)
        report_say(pump->report, REPORT_NORMAL, "the peer's certificate expires in %lld day%s", (long long)days,
                   days == 1 ? "" : "s");
}

static bool tell_handshake(struct pump *pump)
{
    struct facts facts = {0};
    struct presented presented;
    bool told = session_facts(pump->session, &facts) &&
                trust_remember(pump->config->trust, &pump->trust, pump->error);

    if (told) {
        session_presented(pump->session, &presented);
        trust_describe(&presented, &pump->trust, &facts);
        report_handshake(pump->report, &facts);
        warn_of_expiry(pump, &facts);
        if (pump->trust.verdict.because == TRUST_BECAUSE_NEW)
            report_say(pump->report, REPORT_NORMAL, "it is remembered as \"%s\" in %s", pump->trust.remember_as,
                       pump->config->trust->known_path);
    } else {
        session_refuse(pump->session, ALERT_INTERNAL_ERROR);
    }
    facts_free(&facts);
    return told;
}

/* ---- Data ---- */

static void read_local(struct pump *pump)
{
    uint8_t *room = buffer_room(&pump->in, PLAIN_IN_SIZE);
    size_t length;

    if (!room) {
        error_set(pump->error, STATUS_LOCAL, "out of memory");
        return;
    }
    switch (local_read(pump->local, room, PLAIN_IN_SIZE, &length, pump->error)) {
    case LOCAL_READ_SOME:
        buffer_filled(&pump->in, length);
        break;
    case LOCAL_READ_END:
        pump->in_ended = true;
        break;
    case LOCAL_READ_NOTHING:
    case LOCAL_READ_FAILED:
        break;
    }
}

static void write_local(struct pump *pump)
{
    size_t written = local_write(pump->local, buffer_at(&pump->out), buffer_used(&pump->out), pump->error);

    if (pump->local->reader_gone)
        pump->result.reader_gone = true;
    buffer_skip(&pump->out, written);
}

static void send_to_peer(struct pump *pump)
{
    size_t taken = session_send(pump->session, buffer_at(&pump->in), buffer_used(&pump->in));

    if (taken == 0)
        return;
    buffer_skip(&pump->in, taken);
    pump->result.sent += taken;
    pump->last_data = wait_now();
}

/* Datagrams are written one by one, so that their limits can be seen. */
static bool has_room(const struct pump *pump)
{
    if (channel_is_datagrams(pump->channel))
        return buffer_used(&pump->out) == 0;
    return buffer_used(&pump->out) + SESSION_RECORD_MAX <= PLAIN_OUT_SIZE;
}

/* As much as stdout has room for: what is not taken here is not read from the socket either. */
static void receive_from_peer(struct pump *pump)
{
    while (has_room(pump)) {
        uint8_t *room = buffer_room(&pump->out, SESSION_RECORD_MAX);
        size_t length = room ? session_receive(pump->session, room, SESSION_RECORD_MAX) : 0;

        if (length == 0)
            break;
        buffer_filled(&pump->out, length);
        pump->result.received += length;
        pump->last_data = wait_now();
    }
}

static void end_directions(struct pump *pump)
{
    bool peer_closed = session_peer_closed(pump->session);
    bool all_written = buffer_used(&pump->out) == 0;

    if (peer_closed && all_written && pump->local->out.fd >= 0)
        local_close_out(pump->local, pump->error);
    /* Without stdin there is no end of ours to wait for, and nobody types one while the data goes into a file. */
    if (peer_closed && (!pump->config->use_in || pump->config->in_follows))
        pump->in_ended = true;
    if (pump->config->zero && session_is_accepted(pump->session))
        pump->in_ended = true;
    /* Whoever closes last tells by it that everything was written. */
    if (pump->in_ended && buffer_used(&pump->in) == 0 && !session_we_closed(pump->session) &&
        (!peer_closed || all_written) && pump->error->status == STATUS_OK) {
        session_close(pump->session);
        pump->closed_at = wait_now();
    }
    if (peer_closed && !pump->result.peer_closed && !pump->in_ended)
        report_say(pump->report, isatty(STDIN_FILENO) ? REPORT_NORMAL : REPORT_VERBOSE,
                   "the peer has ended its direction; the end of our input ends the session");
    pump->result.peer_closed = peer_closed;
}

static void tell_acceptance(struct pump *pump)
{
    if (pump->accepted_reported || !session_is_accepted(pump->session) || session_state(pump->session) != SESSION_OPEN)
        return;
    pump->accepted_reported = true;
    report_accepted(pump->report);
}

/* Nothing is left to be done. */
static bool is_over(const struct pump *pump)
{
    bool we_closed =
        session_we_closed(pump->session) && (channel_is_flushed(pump->channel) || pump->channel->broken);

    if (pump->result.reader_gone)
        return true;
    /* What did arrive is written, also when the session has failed since. */
    if (buffer_used(&pump->out) > 0 && pump->local->out.fd >= 0 && pump->error->status != STATUS_LOCAL)
        return false;
    if (pump->error->status != STATUS_OK || session_state(pump->session) == SESSION_FAILED)
        return true;
    if (pump->config->zero)
        return we_closed;
    return we_closed && session_peer_closed(pump->session);
}

/* The peer has gone while we still had something to say. */
static bool is_cut(struct pump *pump)
{
    if (!pump->channel->broken || !pump->channel->ended)
        return false;
    if (session_we_closed(pump->session) && session_peer_closed(pump->session))
        return false;
    receive_from_peer(pump);
    if (buffer_used(&pump->out) > 0)
        return false;
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
        deadline = earlier(deadline, pump->handshake_deadline);
    if (!pump->accepted_reported)
        deadline = earlier(deadline, pump->news_at);
    /* The linger time is for a silent peer: not for a slow reader of ours, nor for one of the peer's. */
    if (session_we_closed(pump->session) && !session_peer_closed(pump->session) && config->linger_ms >= 0 &&
        buffer_used(&pump->out) == 0 && channel_is_flushed(pump->channel)) {
        int64_t since = pump->channel->last_traffic > pump->closed_at ? pump->channel->last_traffic : pump->closed_at;

        deadline = earlier(deadline, since + config->linger_ms);
    }
    return deadline;
}

static void time_ran_out(struct pump *pump)
{
    const struct pump_config *config = pump->config;
    char duration[TEXT_DURATION_SIZE];

    if (!pump->accepted_reported && pump->news_at <= wait_now()) {
        tell_news(pump, "the peer has not accepted us yet; perhaps somebody is being asked there");
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

/* What is wanted of the local side and of the peer, by what there is room for. */
static enum wait_result wait_for_all(struct pump *pump)
{
    bool want_in = !pump->in_ended && pump->config->use_in && buffer_used(&pump->in) == 0;
    bool want_out = buffer_used(&pump->out) > 0 && !pump->local->discard;
    struct pollfd fds[3] = {
        channel_poll(pump->channel),
        {.fd = want_in ? pump->local->in.fd : -1, .events = POLLIN},
        {.fd = want_out ? pump->local->out.fd : -1, .events = POLLOUT},
    };
    enum wait_result result = wait_and_tick(pump, fds, 3, soonest(pump));

    if (result != WAIT_READY)
        return result;
    if (fds[2].revents || (pump->local->discard && buffer_used(&pump->out)))
        write_local(pump);
    channel_move(pump->channel, fds[0].revents);
    if (fds[1].revents)
        read_local(pump);
    return result;
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

static void move_data(struct pump *pump)
{
    pump->last_data = wait_now();
    pump->news_at = wait_until(NEWS_MS);
    for (;;) {
        receive_from_peer(pump);
        tell_acceptance(pump);
        tell_unreachable(pump);
        if (pump->local->discard && buffer_used(&pump->out))
            write_local(pump);
        send_to_peer(pump);
        end_directions(pump);
        if (is_over(pump) || is_cut(pump))
            return;
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

/* ---- Leaving ---- */

/* Our last words: close_notify, or, if what the peer sent could not be kept, an alert that says so. */
static void say_goodbye(struct pump *pump)
{
    if (session_state(pump->session) != SESSION_OPEN)
        return;
    if (pump->error->status == STATUS_LOCAL && !session_we_closed(pump->session))
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
        receive_from_peer(pump);
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
        if (pump->channel->ended || wait_for_channel(pump, NULL, deadline) != WAIT_READY)
            break;
        buffer_skip(&pump->out, buffer_used(&pump->out));
        receive_from_peer(pump);
        pump->result.peer_closed = session_peer_closed(pump->session);
    }
}

static void leave_datagrams(struct pump *pump, bool well)
{
    bool refused = session_state(pump->session) == SESSION_FAILED;

    say_goodbye(pump);
    flush(pump, wait_until(LEAVE_MS));
    if (well)
        stay(pump, pump->config->zero ? ZERO_MS : pump->config->linger_ms);
    else if (refused && pump->error->status != STATUS_CUT && !pump->wait->signal)
        stay(pump, REFUSED_MS);
    else
        stay(pump, GOODBYE_MS);
    transport_finish(&pump->channel->transport, pump->wait, 0, 0, 0);
}

static void leave(struct pump *pump)
{
    const struct pump_config *config = pump->config;
    struct channel *channel = pump->channel;
    bool well = pump->error->status == STATUS_OK && !pump->wait->signal && !pump->result.reader_gone;
    int64_t deadline = wait_until(LEAVE_MS);
    size_t close_size, unsent;
    int rest_ms;

    if (channel_is_datagrams(channel)) {
        leave_datagrams(pump, well);
        return;
    }
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

struct pump_result pump_run(const struct pump_config *config, struct channel *channel, struct local *local,
                            struct report *report, struct wait *wait)
{
    struct pump pump = {.config = config,
                        .channel = channel,
                        .session = channel->session,
                        .local = local,
                        .report = report,
                        .wait = wait,
                        .error = channel->error,
                        .handshake_deadline = wait_until(config->handshake_ms),
                        .news_at = wait_until(NEWS_MS)};

    if (do_handshake(&pump) && tell_handshake(&pump))
        move_data(&pump);
    leave(&pump);
    pump.result.lost = session_lost(pump.session);
    buffer_free(&pump.in);
    buffer_free(&pump.out);
    return pump.result;
}
