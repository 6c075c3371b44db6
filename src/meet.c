/* meet.c - of the connections on which two ends may meet, keep one, and the same at both. */
#include "meet.h"
#include "pump.h"
#include "text.h"

#include <string.h>

enum { CANDIDATES_MAX = 8, NEWS_MS = 5000 /* then tell that nothing has happened yet */ };

struct candidate {
    struct channel channel; /* transport.fd -1: none */
    struct error error;
    int64_t deadline;
};

struct meet {
    struct tcp_meet *tcp;
    const struct session_config *session;
    int handshake_ms;
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

static void drop(struct candidate *candidate)
{
    channel_free(&candidate->channel);
    memset(candidate, 0, sizeof *candidate);
    candidate->channel.transport.fd = -1;
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
        candidate->deadline = wait_until(meet->handshake_ms);
        if (channel_open(&candidate->channel, meet->session, transport, &candidate->error))
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
        if (is_lost(candidate, count(meet) - 1)) {
            tcp_meet_again(meet->tcp, &candidate->channel.transport);
            drop(candidate);
            continue;
        }
        if (candidate->deadline <= wait_now() && session_state(candidate->channel.session) != SESSION_FAILED) {
            pump_tell_handshake_timeout(&candidate->channel, meet->handshake_ms, &candidate->error);
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
    int64_t first = tcp_meet_deadline(meet->tcp);

    if (deadline < first)
        first = deadline;
    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        if (exists(&meet->candidates[i]) && meet->candidates[i].deadline < first)
            first = meet->candidates[i].deadline;
    return first;
}

static enum wait_result wait_for_meet(struct meet *meet, struct wait *wait, int64_t deadline)
{
    struct pollfd fds[TCP_MEET_FDS + CANDIDATES_MAX];
    nfds_t callers = tcp_meet_poll(meet->tcp, fds);
    enum wait_result result;

    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        fds[callers + i] = exists(&meet->candidates[i]) ? channel_poll(&meet->candidates[i].channel)
                                                         : (struct pollfd){.fd = -1};
    result = wait_for(wait, fds, callers + CANDIDATES_MAX, soonest(meet, deadline));
    for (size_t i = 0; result == WAIT_READY && i < CANDIDATES_MAX; i++)
        if (fds[callers + i].revents && exists(&meet->candidates[i]))
            channel_move(&meet->candidates[i].channel, fds[callers + i].revents);
    return result;
}

static struct candidate *find(struct meet *meet, const struct transport_config *tcp, struct wait *wait, struct error *error)
{
    int64_t deadline = wait_until(tcp->wait_ms), news = wait_until(NEWS_MS);
    char story[768], duration[TEXT_DURATION_SIZE];

    for (;;) {
        struct candidate *chosen;
        struct transport transport;

        while (tcp_meet_step(meet->tcp, &transport))
            if (!add(meet, &transport, error))
                return NULL;
        chosen = look_for_chosen(meet);
        if (chosen)
            return chosen;
        if (wait_for_meet(meet, wait, deadline < news ? deadline : news) == WAIT_SIGNALLED)
            return NULL;
        if (count(meet))
            continue;
        tcp_meet_story(meet->tcp, story, sizeof story);
        if (deadline <= wait_now()) {
            error_set(error, STATUS_TIME, "time ran out while meeting %s (-w %s): %s", tcp->host,
                      text_from_duration(duration, tcp->wait_ms), story);
            return NULL;
        }
        if (news <= wait_now()) {
            report_say(meet->report, REPORT_NORMAL, "still waiting for %s: %s", tcp->host, story);
            news = WAIT_FOREVER;
        }
    }
}

bool meet_run(const struct meet_config *config, struct report *report, struct wait *wait, struct channel *channel,
              struct error *error)
{
    struct meet meet = {.session = config->session, .handshake_ms = config->handshake_ms, .report = report};
    struct address local[TCP_MEET_FDS];
    struct candidate *chosen;
    size_t count_local;
    bool met;

    for (size_t i = 0; i < CANDIDATES_MAX; i++)
        meet.candidates[i].channel.transport.fd = -1;
    meet.tcp = tcp_meet_start(config->tcp, wait, error);
    if (!meet.tcp)
        return false;
    count_local = tcp_meet_local(meet.tcp, local, TCP_MEET_FDS);
    for (size_t i = 0; i < count_local; i++)
        report_listening(report, TRANSPORT_TCP, &local[i]);
    config->listening(config->listening_context, &local[0]);
    /* Each Random would decide by itself, and differently. */
    if (config->session->role.implicit && tcp_meet_ways(meet.tcp) > 1)
        error_set(error, STATUS_LOCAL, "%s has several addresses, and --implicit can meet at one only: give one, or -4 or -6",
                  config->tcp->host);
    chosen = error->status ? NULL : find(&meet, config->tcp, wait, error);
    met = chosen != NULL;
    if (met) {
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
    return met;
}
