/* pump.c - a session from its first byte to its last: handshake, acceptance; then pump_data.c and pump_leave.c. */
#include "pump_parts.h"
#include "file.h"
#include "role_alert.h"
#include "text.h"
#include "tty.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WARNING_DAYS = 14 /* before the peer's certificate expires */ };

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

static bool tell_stage(const struct pump *pump, enum pump_stage stage)
{
    return !pump->config->told || pump->config->told(pump->config->told_context, stage);
}

/* Wait, and have the channel do what is due. What is due there is no reason to say that `deadline` has passed. */
enum wait_result pump_wait(struct pump *pump, struct pollfd *fds, nfds_t count, int64_t deadline)
{
    enum wait_result result = wait_for(pump->wait, fds, count, pump_earlier(deadline, channel_deadline(pump->channel)));

    if (result != WAIT_SIGNALLED)
        channel_tick(pump->channel);
    return result == WAIT_LATE && wait_now() < deadline ? WAIT_READY : result;
}

/* Wait for the channel and up to one more descriptor, and move the channel's bytes. */
enum wait_result pump_wait_for_channel(struct pump *pump, struct pollfd *other, int64_t deadline)
{
    struct pollfd fds[2] = {channel_poll(pump->channel), other ? *other : (struct pollfd){.fd = -1}};
    enum wait_result result = pump_wait(pump, fds, 2, deadline);

    if (result == WAIT_READY)
        channel_move(pump->channel, fds[0].revents);
    if (other)
        other->revents = result == WAIT_READY ? fds[1].revents : 0;
    return result;
}

/* One question at a time. False, and the peer remains unknown. */
static bool may_ask(struct pump *pump)
{
    if (tell_stage(pump, PUMP_ASKING))
        return true;
    error_set(pump->error, STATUS_UNKNOWN, "the peer is unknown, and you are being asked about another one just now");
    return false;
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
    if (!may_ask(pump) || !tty_ask(&tty, question)) {
        trust_answer(pump->config->trust, NULL, &pump->trust, pump->error);
        return true;
    }
    poll_tty = (struct pollfd){.fd = tty.fd, .events = POLLIN};
    while (!answered) {
        if (pump_wait_for_channel(pump, &poll_tty, WAIT_FOREVER) == WAIT_SIGNALLED)
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
    tell_stage(pump, PUMP_ANSWERED);
    if (pump->handshake_deadline != WAIT_FOREVER)
        pump->handshake_deadline += wait_now() - since;
    return answered;
}

/* What is left of somebody whom we refuse, for whoever wonders why; nothing of somebody that nobody asked about. */
static void save_certificate(struct pump *pump, const struct presented *presented)
{
    struct buffer pem = {0};

    if (!pump->config->save_cert)
        return;
    if (presented->kind != PRESENTED_X509 && presented->kind != PRESENTED_RAWPK) {
        report_say(pump->report, REPORT_NORMAL, "the peer showed no certificate or key, so none is written to \"%s\"", pump->config->save_cert);
        return;
    }
    if (!trust_write_pem(presented, &pem))
        error_set(&pump->aside, STATUS_LOCAL, "out of memory");
    else if (file_write(pump->config->save_cert, FILE_REPLACE, buffer_at(&pem), buffer_used(&pem), STATUS_LOCAL, &pump->aside))
        report_say(pump->report, REPORT_VERBOSE, "what the peer showed is in %s", pump->config->save_cert);
    buffer_free(&pem);
}

static void judge(struct pump *pump)
{
    char address[ADDRESS_TEXT_SIZE];
    struct trust_occasion occasion = pump->config->us;
    struct presented presented;
    struct error doubt = {0};

    occasion.peer_is_server = session_role(pump->session) == ROLE_CLIENT;
    occasion.address = address_host(&pump->channel->transport.remote, address);
    occasion.peer_cannot_staple = session_peer_cannot_staple(pump->session);
    session_presented(pump->session, &presented);
    trust_examine(pump->config->trust, &presented, &occasion, &pump->trust, &doubt);
    /* Whoever is not welcome for what was shown in an earlier session may show something else. */
    if (pump->trust.verdict.answer != TRUST_ACCEPT && session_decline_resumption(pump->session))
        return;
    if (doubt.status)
        error_set(pump->error, doubt.status, "%s", doubt.story);
    if (pump->trust.verdict.answer == TRUST_ASK && !ask(pump)) {
        session_refuse(pump->session, ALERT_USER_CANCELED);
        return;
    }
    if (pump->trust.verdict.answer == TRUST_ACCEPT) {
        session_accept(pump->session);
        return;
    }
    save_certificate(pump, &presented);
    session_refuse(pump->session, pump->trust.verdict.alert);
}

/* Once, when there is somebody to read it. */
void pump_tell_news(struct pump *pump, const char *news)
{
    report_say(pump->report, isatty(STDERR_FILENO) ? REPORT_NORMAL : REPORT_VERBOSE, "%s", news);
    pump->news_at = WAIT_FOREVER;
}

static bool do_handshake(struct pump *pump)
{
    bool heard = false;

    for (;;) {
        if (!heard && session_was_fed(pump->session))
            heard = tell_stage(pump, PUMP_HEARD);
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
        switch (pump_wait_for_channel(pump, NULL, pump_earlier(pump->handshake_deadline, pump->news_at))) {
        case WAIT_SIGNALLED:
            return false;
        case WAIT_LATE:
            if (wait_now() < pump->handshake_deadline) {
                pump_tell_news(pump, "still waiting for the peer; perhaps somebody is being asked there");
                break;
            }
            pump_tell_handshake_timeout(pump->channel, pump->config->handshake_ms, pump->error);
            return false;
        case WAIT_READY:
            break;
        }
    }
}

static void say_line(void *context, const char *line)
{
    report_say(context, REPORT_VERBOSE, "  %s", line);
}

/* From then on the CA's word does not count any more. */
static void warn_of_expiry(const struct pump *pump, const struct facts *facts)
{
    int64_t days = (facts->peer.not_after - time(NULL) + 43200) / 86400;

    if ((facts->trust == TRUST_CA || pump->config->trust->cacert) && days < WARNING_DAYS)
        report_say(pump->report, REPORT_NORMAL, "the peer's certificate expires in %lld day%s", (long long)days,
                   days == 1 ? "" : "s");
}

/* We have accepted the peer: tell, and open the local side, which has not heard of it until now. */
static bool begin(struct pump *pump)
{
    struct facts *facts = &pump->facts;
    struct local_occasion occasion = {.facts = facts, .transport = &pump->channel->transport};
    struct presented presented;
    bool begun = session_facts(pump->session, facts) && trust_remember(pump->config->trust, &pump->trust, pump->error);

    if (begun) {
        tell_stage(pump, PUMP_ACCEPTED);
        session_presented(pump->session, &presented);
        trust_describe(&presented, &pump->trust, facts);
        report_handshake(pump->report, facts);
        if (pump->report->verbosity >= REPORT_VERBOSE)
            trust_print(&presented, say_line, pump->report);
        save_certificate(pump, &presented);
        warn_of_expiry(pump, facts);
        if (pump->trust.verdict.because == TRUST_BECAUSE_NEW)
            report_say(pump->report, REPORT_NORMAL, "it is remembered as \"%s\" in %s", pump->trust.remember_as,
                       pump->config->trust->known_path);
        begun = pump->config->zero || local_open(&pump->local, &occasion, pump->wait, pump->error);
    } else {
        session_refuse(pump->session, ALERT_INTERNAL_ERROR);
    }
    if (begun && pump->config->commands)
        commands_init(&pump->commands, pump->config->commands, pump->channel, facts);
    pump->commands.raw = &pump->local.raw;
    return begun;
}

struct pump_result pump_run(const struct pump_config *config, struct channel *channel, struct report *report, struct wait *wait)
{
    struct pump pump = {.config = config,
                        .channel = channel,
                        .session = channel->session,
                        .report = report,
                        .wait = wait,
                        .error = channel->error,
                        .handshake_deadline = wait_until(config->handshake_ms),
                        .news_at = wait_until(PUMP_NEWS_MS)};

    local_init(&pump.local, config->local);
    if (do_handshake(&pump) && begin(&pump))
        pump_move_data(&pump);
    if (config->resumption && session_state(pump.session) == SESSION_FAILED)
        resumption_forget(config->resumption, pump.session);
    pump_leave(&pump);
    if (pump.progress.began)
        pump.result.moving_ms = wait_now() - pump.progress.began + 1;
    if (pump.aside.status && pump.error->status)
        report_say(report, REPORT_QUIET, "%s", pump.aside.story);
    else if (pump.aside.status)
        error_set(pump.error, pump.aside.status, "%s", pump.aside.story);
    pump.result.lost = session_lost(pump.session);
    facts_free(&pump.facts);
    buffer_free(&pump.in);
    buffer_free(&pump.out);
    return pump.result;
}
