/* meet.c - of the connections on which two ends may meet, keep one, and the same at both. */
#include "meet.h"
#include "pump.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

enum { CANDIDATES_MAX = 8 };

struct candidate {
    struct channel channel; /* transport.fd -1: none */
    struct error error;
    int64_t deadline; /* of its handshake; WAIT_FOREVER: the peer has not been heard on it */
};

struct meet {
    const struct meet_config *config;
    struct tcp_meet *tcp; /* NULL: datagrams, which have a candidate for each address from the start */
    struct report *report;
    struct candidate candidates[CANDIDATES_MAX];
};

static bool exists(const struct candidate *candidate)
{
    return candidate->channel.session != NULL;
}

static size_t count(const struct meet *meet)
{
    size_t number = 0;

    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        number += exists(&meet->candidates[i]);
    return number;
}

/* Of those on which the peer is. */
static size_t count_begun(const struct meet *meet)
{
    size_t number = 0;

    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        number += exists(&meet->candidates[i]) && meet->candidates[i].deadline != WAIT_FOREVER;
    return number;
}

static void drop(struct candidate *candidate)
{
    channel_free(&candidate->channel);
    memset(candidate, 0, sizeof *candidate);
    candidate->channel.transport.fd = -1;
}

/* Without a limit it is far off: WAIT_FOREVER would say that nothing has begun. */
static int64_t handshake_deadline(const struct meet *meet)
{
    return meet->config->handshake_ms < 0 ? WAIT_FOREVER - 1 : wait_until(meet->config->handshake_ms);
}

/* A new connection. False: the error says why there is no going on. */
static bool add(struct meet *meet, struct transport *transport, struct error *error)
{
    if (tcp_is_self(transport)) {
        transport_abort(transport);
        error_set(error, STATUS_ROLE,
                  "we are talking to ourselves: the address and port to meet at are our own; give the peer's, and ours with -p");
        return false;
    }
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        struct candidate *candidate = &meet->candidates[i];

        if (exists(candidate))
            continue;
        candidate->deadline = meet->tcp ? handshake_deadline(meet) : WAIT_FOREVER;
        if (channel_open(&candidate->channel, meet->config->session, transport, &candidate->error))
            return true;
        error_set(error, candidate->error.status, "%s", candidate->error.story);
        return false;
    }
    transport_abort(transport);
    return true;
}

/* Is this the one? For the client-elect the first on which the roles came out, for the server-elect the one on which
 * the client went on. */
static bool is_chosen(const struct candidate *candidate)
{
    const struct session *session = candidate->channel.session;

    switch (session_state(session)) {
    case SESSION_HELLO:
        return false;
    case SESSION_FAILED:
        return true;
    default:
        return session_role(session) == ROLE_CLIENT || session_heard_after_hello(session);
    }
}

/* It ended before it had begun: nothing is lost but the connection. */
static bool is_lost(const struct candidate *candidate, size_t others)
{
    if (candidate->error.status == STATUS_ROLE)
        return false; /* the roles are the same on all: there is no other outcome */
    if (others && (candidate->channel.ended || session_state(candidate->channel.session) == SESSION_FAILED))
        return true;
    return candidate->error.status == STATUS_NETWORK && !session_was_fed(candidate->channel.session);
}

static struct candidate *look_for_chosen(struct meet *meet)
{
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        struct candidate *candidate = &meet->candidates[i];

        if (!exists(candidate))
            continue;
        session_advance(candidate->channel.session);
        if (candidate->deadline == WAIT_FOREVER && session_understood(candidate->channel.session))
            candidate->deadline = handshake_deadline(meet);
        if (is_lost(candidate, count(meet) - 1)) {
            if (meet->tcp)
                tcp_meet_again(meet->tcp, &candidate->channel.transport);
            drop(candidate);
            continue;
        }
        if (candidate->deadline <= wait_now() && session_state(candidate->channel.session) != SESSION_FAILED) {
            pump_tell_handshake_timeout(&candidate->channel, meet->config->handshake_ms, &candidate->error);
            return candidate;
        }
        /* A server-elect whose peer has gone has nobody to wait for. */
        if (is_chosen(candidate) || candidate->channel.ended)
            return candidate;
    }
    return NULL;
}

static int64_t soonest(const struct meet *meet, int64_t deadline)
{
    int64_t first = meet->tcp ? tcp_meet_deadline(meet->tcp) : WAIT_FOREVER;

    if (deadline < first)
        first = deadline;
    for (size_t i = 0; i < CANDIDATES_MAX; i++) {
        const struct candidate *candidate = &meet->candidates[i];

        if (exists(candidate) && candidate->deadline < first)
            first = candidate->deadline;
        if (exists(candidate) && channel_deadline(&candidate->channel) < first)
            first = channel_deadline(&candidate->channel);
    }
    return first;
}

static enum wait_result wait_for_meet(struct meet *meet, struct wait *wait, int64_t deadline)
{
    struct pollfd fds[TCP_MEET_FDS + CANDIDATES_MAX];
    nfds_t callers = meet->tcp ? tcp_meet_poll(meet->tcp, fds) : 0;
    enum wait_result result;

    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        fds[callers + i] = exists(&meet->candidates[i]) ? channel_poll(&meet->candidates[i].channel)
                                                         : (struct pollfd){.fd = -1};
    result = wait_for(wait, fds, callers + CANDIDATES_MAX, soonest(meet, deadline));
    for (size_t i = 0; result != WAIT_SIGNALLED && i < CANDIDATES_MAX; i++) {
        struct channel *channel = &meet->candidates[i].channel;

        if (!exists(&meet->candidates[i]))
            continue;
        channel_tick(channel);
        if (result == WAIT_READY && fds[callers + i].revents)
            channel_move(channel, fds[callers + i].revents);
    }
    return result;
}

/* ---- Telling ---- */

static size_t tell_channel(const struct channel *channel, char *text, size_t size)
{
    char remote[ADDRESS_TEXT_SIZE];
    const char *seen = channel->unreachable ? transport_reason(channel->unreachable) : "no answer";
    int used = snprintf(text, size, "%s: %s", address_text(&channel->transport.remote, remote),
                        session_strange(channel->session) ? "what it answers is no DTLS" : seen);

    if (channel->other_port && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, ", but something came from its port %u: a NAT that changes ports?",
                         channel->other_port);
    if (channel->strangers && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, "; %u datagrams from elsewhere were thrown away", channel->strangers);
    return (size_t)used;
}

static void tell_story(const struct meet *meet, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    if (meet->tcp) {
        tcp_meet_story(meet->tcp, text, size);
        return;
    }
    for (size_t i = 0; i < CANDIDATES_MAX && used < size; i++) {
        if (!exists(&meet->candidates[i]))
            continue;
        if (used)
            used += (size_t)snprintf(text + used, size - used, "; ");
        if (used < size)
            used += tell_channel(&meet->candidates[i].channel, text + used, size - used);
    }
}

static void tell_timeout(const struct meet *meet, const char *story, struct error *error)
{
    const struct transport_config *transport = meet->config->transport;
    char duration[TEXT_DURATION_SIZE];

    error_set(error, STATUS_TIME, "time ran out while %s %s (-w %s): %s", meet->config->both ? "meeting" : "connecting to",
              transport->host, text_from_duration(duration, transport->wait_ms), story);
}

/* ---- Meeting ---- */

static struct candidate *find(struct meet *meet, struct wait *wait, struct error *error)
{
    const struct transport_config *config = meet->config->transport;
    int64_t deadline = wait_until(config->wait_ms), news = wait_until(TRANSPORT_NEWS_MS);
    char story[768];

    for (;;) {
        struct candidate *chosen;
        struct transport transport = {.fd = -1};

        while (meet->tcp && tcp_meet_step(meet->tcp, &transport))
            if (!add(meet, &transport, error))
                return NULL;
        chosen = look_for_chosen(meet);
        if (chosen)
            return chosen;
        /* Where a handshake has begun its own time counts, and no other. */
        if (wait_for_meet(meet, wait, count_begun(meet) ? WAIT_FOREVER : deadline < news ? deadline : news) == WAIT_SIGNALLED)
            return NULL;
        if (count_begun(meet))
            continue;
        tell_story(meet, story, sizeof story);
        if (deadline <= wait_now()) {
            tell_timeout(meet, story, error);
            return NULL;
        }
        if (news <= wait_now()) {
            transport_tell_waiting(config, meet->config->both, story);
            news = WAIT_FOREVER;
        }
    }
}

/* Each Random would decide by itself, and differently. */
static bool check_implicit(const struct meet_config *config, size_t ways, struct error *error)
{
    if (!config->session->role.implicit || ways <= 1)
        return true;
    error_set(error, STATUS_LOCAL, "%s has several addresses, and --implicit can meet at one only: give one, or -4 or -6",
              config->transport->host);
    return false;
}

static void tell_listening(const struct meet *meet, const struct address *local, size_t count)
{
    const struct meet_config *config = meet->config;

    for (size_t i = 0; i < count; i++)
        report_listening(meet->report, config->kind, &local[i], false);
    config->listening(config->listening_context, &local[0]);
}

static bool start_tcp(struct meet *meet, struct wait *wait, struct error *error)
{
    struct address local[TCP_MEET_FDS];

    meet->tcp = tcp_meet_start(meet->config->transport, wait, error);
    if (!meet->tcp)
        return false;
    tell_listening(meet, local, tcp_meet_local(meet->tcp, local, TCP_MEET_FDS));
    return check_implicit(meet->config, tcp_meet_ways(meet->tcp), error);
}

static bool start_udp(struct meet *meet, struct wait *wait, struct error *error)
{
    struct transport ways[UDP_WAYS_MAX];
    struct address local[UDP_WAYS_MAX];
    size_t count_ways = udp_ways(meet->config->transport, meet->config->both, wait, ways, error), count_local = 0;
    bool added = count_ways > 0 && check_implicit(meet->config, count_ways, error);

    for (size_t i = 0; i < count_ways; i++) {
        if (count_local == 0 || !address_same(&local[count_local - 1], &ways[i].local))
            local[count_local++] = ways[i].local;
        if (!added)
            transport_abort(&ways[i]);
        else
            added = add(meet, &ways[i], error);
    }
    if (added && meet->config->both)
        tell_listening(meet, local, count_local);
    return added;
}

bool meet_run(const struct meet_config *config, struct report *report, struct wait *wait, struct channel *channel,
              struct error *error)
{
    struct meet meet = {.config = config, .report = report};
    struct candidate *chosen = NULL;

    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        meet.candidates[i].channel.transport.fd = -1;
    if (config->kind == TRANSPORT_UDP ? start_udp(&meet, wait, error) : start_tcp(&meet, wait, error))
        chosen = find(&meet, wait, error);
    if (chosen) {
        *channel = chosen->channel;
        channel->error = error;
        session_tell_to(channel->session, error);
        memset(chosen, 0, sizeof *chosen);
        chosen->channel.transport.fd = -1;
    }
    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        if (exists(&meet.candidates[i]))
            drop(&meet.candidates[i]);
    tcp_meet_free(meet.tcp);
    return chosen != NULL;
}
