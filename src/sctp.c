/* sctp.c - SCTP: which of the two it is, whom to call, and what came of it. */
#include "sctp.h"
#include "endpoints.h"
#include "sctp_kernel.h"
#include "sctp_udp.h"
#include "text.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool sctp_kernel(void)
{
    return sctp_kernel_is_there();
}

enum transport_kind sctp_kind(bool in_udp)
{
    return !in_udp && sctp_kernel() ? TRANSPORT_SCTP : TRANSPORT_SCTP_IN_UDP;
}

/* Which of the two; said where it is not what was asked for. False with an error. */
static bool choose(const struct sctp_config *config, enum transport_kind *kind, struct error *error)
{
    *kind = sctp_kind(config->in_udp);
    if (*kind == TRANSPORT_SCTP)
        return true;
    if (!sctp_user_is_built_in())
        error_set(error, STATUS_LOCAL, config->in_udp ? "symtls was built without user-space SCTP: it cannot speak SCTP in UDP"
                                                      : "this kernel has no SCTP, and symtls was built without user-space SCTP");
    else if (config->source_count > 1)
        error_set(error, STATUS_LOCAL, "SCTP in UDP has one address at each end%s: give -s once",
                  config->in_udp ? "" : ", and this kernel has no other SCTP");
    else if (!config->user || config->user->control < 0)
        error_set(error, STATUS_LOCAL, "the process for SCTP in UDP was not prepared");
    else
        return true;
    return false;
}

static void tell_choice(const struct sctp_config *config, enum transport_kind kind)
{
    if (kind == TRANSPORT_SCTP_IN_UDP && !config->in_udp)
        transport_tell(config->common,
                       "this kernel has no SCTP: speaking SCTP in UDP, from port %u to port %u; a peer whose kernel has SCTP "
                       "has to say --sctp-udp too",
                       config->udp_local, config->udp_remote);
}

/* ---- Addresses ---- */

/* Any address of ours: one IPv6 socket takes IPv4 too. */
static void choose_wildcard(struct address_list *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (address_family(&addresses->at[i]) == AF_INET6)
            addresses->at[0] = addresses->at[i];
    addresses->count = 1;
}

static bool find_sources(const struct sctp_config *config, const char *port, struct wait *wait, int64_t deadline,
                         struct address_list *sources, struct error *error)
{
    struct transport_config one = *config->common;
    size_t count = config->source_count ? config->source_count : 1;

    one.source_port = port;
    sources->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct address_list found;

        if (config->source_count)
            one.source = config->sources[i];
        if (!endpoints_source(&one, wait, deadline, &found, error))
            return false;
        if (!one.source && found.count)
            choose_wildcard(&found);
        /* A name of ours may have more than one address, and each of several -s adds to them. */
        for (size_t j = 0; j < found.count && sources->count < ADDRESS_LIST_MAX && (j == 0 || config->source_count); j++)
            sources->at[sources->count++] = found.at[j];
    }
    return true;
}

/* ---- What came of it ---- */

static bool tell_outcome(enum sctp_outcome outcome, const struct transport_config *common, const struct sctp_ways *ways,
                         bool meeting, struct error *error)
{
    char list[768], duration[TEXT_DURATION_SIZE];

    sctp_ways_list(ways, list, sizeof list);
    switch (outcome) {
    case SCTP_OUTCOME_UP:
        return true;
    case SCTP_OUTCOME_LATE:
        error_set(error, STATUS_TIME, "time ran out while %s %s (-w %s): %s", meeting ? "meeting" : "connecting to", common->host,
                  text_from_duration(duration, common->wait_ms), list);
        break;
    case SCTP_OUTCOME_SELF:
        error_set(error, STATUS_ROLE, "we are talking to ourselves: the peer's address and port are our own%s",
                  meeting ? "; give the peer's, and ours with -p" : "");
        break;
    case SCTP_OUTCOME_OVER:
        error_set(error, STATUS_NETWORK, "cannot connect to %s: %s%s", common->host, list,
                  ways->reasons[0] == ECONNREFUSED ? "; nobody listens there (yet: --retry would wait for the peer)" : "");
        break;
    case SCTP_OUTCOME_SIGNAL:
    case SCTP_OUTCOME_ERROR:
        break;
    }
    return false;
}

/* ---- Connecting ---- */

static bool try_once(const struct sctp_config *config, enum transport_kind kind, struct wait *wait, struct transport *transport,
                     struct error *error)
{
    static const struct sctp_ways none;
    struct sctp_ways ways = none;
    int64_t deadline = wait_until(config->common->wait_ms);
    enum sctp_outcome outcome;

    if (!find_sources(config, config->common->source_port, wait, deadline, &ways.sources, error) ||
        !endpoints_peer(config->common, wait, deadline, &ways.targets, error))
        return false;
    outcome = kind == TRANSPORT_SCTP ? sctp_kernel_call(&ways, wait, deadline, transport)
                                     : sctp_udp_call(config, &ways, wait, deadline, transport, error);
    return tell_outcome(outcome, config->common, &ways, false, error);
}

bool sctp_connect(const struct sctp_config *config, struct wait *wait, struct transport *transport, struct error *error)
{
    const struct transport_config *common = config->common;
    enum transport_kind kind;

    if (!choose(config, &kind, error))
        return false;
    tell_choice(config, kind);
    for (int failures = 0; !try_once(config, kind, wait, transport, error); failures++)
        if (!transport_try_again(common, failures, wait, error))
            return false;
    if (transport->kind != TRANSPORT_SCTP || !address_same(&transport->local, &transport->remote))
        return true;
    transport_abort(transport);
    error_set(error, STATUS_ROLE, "we are talking to ourselves: the peer's address and port are our own");
    return false;
}

/* ---- Listening ---- */

static bool listen_in_kernel(const struct sctp_config *config, struct sctp_listener *listener, const struct address_list *addresses,
                             struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];

    listener->fd = sctp_kernel_listen(addresses, config->common->family);
    if (listener->fd < 0) {
        error_set(error, STATUS_NETWORK, "cannot listen on %s: %s", address_text(&addresses->at[0], text), transport_reason(errno));
        return false;
    }
    if (config->common->host)
        sctp_kernel_addresses(listener->fd, &listener->local);
    else {
        struct address ignored;

        address_of_socket(listener->fd, &listener->local.at[0], &ignored);
        listener->local.count = 1;
    }
    return true;
}

bool sctp_listen(const struct sctp_config *config, struct wait *wait, struct sctp_listener *listener, struct error *error)
{
    const struct transport_config *common = config->common;
    int64_t deadline = wait_until(common->wait_ms);
    struct address_list addresses;

    *listener = (struct sctp_listener){.fd = -1};
    if (!choose(config, &listener->kind, error))
        return false;
    if (config->source_count > 1 ? !find_sources(config, common->port, wait, deadline, &addresses, error)
                                 : !endpoints_ours(common, common->host, common->port, wait, deadline, &addresses, error))
        return false;
    tell_choice(config, listener->kind);
    if (!common->host)
        choose_wildcard(&addresses);
    return listener->kind == TRANSPORT_SCTP ? listen_in_kernel(config, listener, &addresses, error)
                                            : sctp_udp_listen(config, &addresses, listener, error);
}

int sctp_listener_fd(const struct sctp_listener *listener)
{
    return listener->kind == TRANSPORT_SCTP ? listener->fd : listener->user->control;
}

static void tell_failure(struct error *error)
{
    error_set(error, STATUS_NETWORK, "cannot accept an association: %s", transport_reason(errno));
}

enum listeners_next sctp_next(struct sctp_listener *listener, struct wait *wait, struct transport *transport, struct error *error)
{
    switch (listener->kind == TRANSPORT_SCTP ? sctp_kernel_next(listener->fd, transport)
                                             : sctp_udp_accept(listener, wait, wait_now(), transport, error)) {
    case SCTP_OUTCOME_UP:
        return LISTENERS_PEER;
    case SCTP_OUTCOME_ERROR:
        tell_failure(error);
        return LISTENERS_EXHAUSTED;
    default:
        return LISTENERS_NOBODY;
    }
}

bool sctp_accept(const struct sctp_config *config, struct sctp_listener *listener, struct wait *wait,
                 struct transport *transport, struct error *error)
{
    int64_t deadline = wait_until(config->common->wait_ms);
    enum sctp_outcome outcome;

    outcome = listener->kind == TRANSPORT_SCTP ? sctp_kernel_accept(listener->fd, wait, deadline, transport)
                                               : sctp_udp_accept(listener, wait, deadline, transport, error);
    if (outcome == SCTP_OUTCOME_LATE)
        listeners_tell_late(config->common, error);
    else if (outcome == SCTP_OUTCOME_ERROR)
        tell_failure(error);
    return outcome == SCTP_OUTCOME_UP;
}

void sctp_listener_leave(struct sctp_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}

void sctp_listener_close(struct sctp_listener *listener)
{
    if (listener->fd >= 0 && listener->kind == TRANSPORT_SCTP_IN_UDP)
        sctp_user_stop(listener->user);
    sctp_listener_leave(listener);
}

/* ---- Meeting ---- */

/* With the socket go the associations that are half made, or somebody else's. */
static void leave_kernel(struct sctp_meeting *meeting)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(meeting->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(meeting->fd);
    meeting->fd = -1;
}

static bool open_in_kernel(const struct sctp_config *config, struct sctp_meeting *meeting, struct error *error)
{
    const struct address_list *sources = &meeting->ways.sources;
    char text[ADDRESS_TEXT_SIZE];
    struct address ignored;

    meeting->fd = sctp_kernel_meeting_place(sources, config->common->family);
    if (meeting->fd < 0) {
        error_set(error, STATUS_NETWORK, "cannot listen on %s: %s%s", address_text(&sources->at[0], text), transport_reason(errno),
                  errno == EADDRINUSE ? "; -p gives our end another port" : "");
        return false;
    }
    address_of_socket(meeting->fd, &meeting->local, &ignored);
    return true;
}

static enum sctp_outcome meet_in_kernel(const struct sctp_config *config, struct sctp_meeting *meeting, struct wait *wait,
                                        struct transport *transport, struct error *error)
{
    enum sctp_outcome outcome;

    if (meeting->fd < 0 && !open_in_kernel(config, meeting, error))
        return SCTP_OUTCOME_ERROR;
    outcome = sctp_kernel_meet(meeting->fd, &meeting->ways, wait,
                               meeting->news_at < meeting->deadline ? meeting->news_at : meeting->deadline, transport);
    if (outcome == SCTP_OUTCOME_LATE && meeting->news_at < meeting->deadline) {
        meeting->news_at = WAIT_FOREVER;
        sctp_ways_tell_waiting(config->common, &meeting->ways);
        outcome = sctp_kernel_meet(meeting->fd, &meeting->ways, wait, meeting->deadline, transport);
    }
    leave_kernel(meeting);
    return outcome;
}

bool sctp_meeting_open(const struct sctp_config *config, struct wait *wait, struct sctp_meeting *meeting, struct error *error)
{
    const struct transport_config *common = config->common;
    const char *port = common->source_port ? common->source_port : common->port;

    *meeting = (struct sctp_meeting){.fd = -1, .user = config->user, .deadline = wait_until(common->wait_ms)};
    meeting->news_at = wait_until(TRANSPORT_NEWS_MS);
    if (!choose(config, &meeting->kind, error) ||
        !find_sources(config, port, wait, meeting->deadline, &meeting->ways.sources, error) ||
        !endpoints_peer(common, wait, meeting->deadline, &meeting->ways.targets, error))
        return false;
    tell_choice(config, meeting->kind);
    return meeting->kind == TRANSPORT_SCTP ? open_in_kernel(config, meeting, error)
                                           : sctp_udp_meeting_open(config, meeting, error);
}

bool sctp_meet(const struct sctp_config *config, struct sctp_meeting *meeting, struct wait *wait, struct transport *transport,
               struct error *error)
{
    enum sctp_outcome outcome = meeting->kind == TRANSPORT_SCTP ? meet_in_kernel(config, meeting, wait, transport, error)
                                                                : sctp_udp_meet(config, meeting, wait, transport, error);

    return tell_outcome(outcome, config->common, &meeting->ways, true, error);
}

void sctp_meeting_close(struct sctp_meeting *meeting)
{
    if (meeting->fd < 0)
        return;
    if (meeting->kind == TRANSPORT_SCTP) {
        leave_kernel(meeting);
        return;
    }
    sctp_user_stop(meeting->user);
    close(meeting->fd);
    meeting->fd = -1;
}
