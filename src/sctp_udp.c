/* sctp_udp.c - SCTP in UDP: the jobs that the process for it gets, and the news that it sends. */
#include "sctp_udp.h"
#include "sctp_user.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

/* ---- Addresses and ports ---- */

static uint16_t port_of(const struct address_list *addresses)
{
    return addresses->count ? address_port(&addresses->at[0]) : 0;
}

/* In UDP it is us who choose a port of SCTP's: there is nobody else on our UDP port. RFC 6335 section 6. */
static uint16_t some_port(void)
{
    uint16_t random = 0;

    return getrandom(&random, sizeof random, 0) == sizeof random ? (uint16_t)(49152 + random % 16384) : 49152;
}

/* Our address for the UDP socket; none where it is any. */
static struct address udp_address(const struct address_list *sources, bool named)
{
    return named && sources->count ? sources->at[0] : (struct address){.length = 0};
}

/* The UDP socket from which we call. -1 with an error. */
static int open_udp(const struct sctp_config *config, struct sctp_ways *ways, struct error *error)
{
    bool named = config->common->source || config->source_count;
    struct address local = udp_address(&ways->sources, named);
    int udp = sctp_user_socket(&local, config->common->family, config->udp_local, error);

    if (!named)
        ways->sources.count = 0;
    return udp;
}

static void describe(struct transport *transport, int udp, uint16_t port, enum transport_setup setup)
{
    transport->local = sctp_user_local(udp, &transport->remote);
    address_set_port(&transport->local, port);
    transport->setup = setup;
}

/* ---- A job that is done when there is an association ---- */

/* Only those that our UDP socket can reach; the others know why. `number` says which they were. */
static void make_job(const struct sctp_config *config, struct sctp_ways *ways, int udp, struct sctp_job *job,
                     size_t number[ADDRESS_LIST_MAX])
{
    struct address bound, ignored;
    int only;

    address_of_socket(udp, &bound, &ignored);
    /* A wildcard IPv6 socket sends to both, one with an address to its own family. */
    only = address_family(&bound) == AF_INET || ways->sources.count ? address_family(&bound) : AF_UNSPEC;
    job->targets.count = 0;
    for (size_t i = 0; i < ways->targets.count; i++) {
        if (only != AF_UNSPEC && address_family(&ways->targets.at[i]) != only) {
            ways->reasons[i] = EAFNOSUPPORT;
            continue;
        }
        number[job->targets.count] = i;
        job->targets.at[job->targets.count] = ways->targets.at[i];
        address_set_port(&job->targets.at[job->targets.count++], config->udp_remote);
        ways->tried[i] = true;
    }
    job->remote_port = port_of(&ways->targets);
}

/* False: there is none, and *outcome says why. */
static bool next_news(struct sctp_user *user, const struct sctp_job *job, struct wait *wait, int64_t deadline,
                      struct sctp_news *news, struct transport *transport, enum sctp_outcome *outcome, struct error *error)
{
    enum wait_result result = sctp_user_next(user, job, wait, deadline, news, transport, error);

    *outcome = result == WAIT_SIGNALLED ? SCTP_OUTCOME_SIGNAL : result == WAIT_LATE ? SCTP_OUTCOME_LATE : SCTP_OUTCOME_ERROR;
    return result == WAIT_READY && !error->status;
}

/* At *news_at, which is WAIT_FOREVER afterwards, it is told what has come of it so far. */
static enum sctp_outcome do_job(const struct sctp_config *config, struct sctp_job *job, struct sctp_ways *ways, int udp,
                                struct wait *wait, int64_t deadline, int64_t *news_at, struct transport *transport,
                                struct error *error)
{
    size_t number[ADDRESS_LIST_MAX] = {0}, left;
    enum sctp_outcome outcome;
    struct sctp_news news;

    make_job(config, ways, udp, job, number);
    left = job->targets.count;
    if (left == 0)
        return SCTP_OUTCOME_OVER;
    if (!sctp_user_start(config->user, job, udp, error))
        return SCTP_OUTCOME_ERROR;
    for (;;) {
        if (!next_news(config->user, job, wait, *news_at < deadline ? *news_at : deadline, &news, transport, &outcome, error)) {
            if (outcome != SCTP_OUTCOME_LATE || deadline <= *news_at)
                return outcome;
            *news_at = WAIT_FOREVER;
            sctp_ways_tell_waiting(config->common, ways);
            continue;
        }
        switch (news.kind) {
        case SCTP_NEWS_UP:
            describe(transport, udp, job->local_port, job->task == SCTP_TASK_MEET ? TRANSPORT_SIMULTANEOUS : TRANSPORT_ACTIVE);
            return SCTP_OUTCOME_UP;
        case SCTP_NEWS_REASON:
        case SCTP_NEWS_OVER:
            ways->reasons[number[news.target]] = news.reason;
            if (news.kind == SCTP_NEWS_OVER && --left == 0)
                return SCTP_OUTCOME_OVER;
            break;
        case SCTP_NEWS_SELF:
            return SCTP_OUTCOME_SELF;
        case SCTP_NEWS_FAILED:
        case SCTP_NEWS_STOPPED:
            error_set(error, STATUS_NETWORK, "SCTP in UDP does not work: %s", transport_reason(news.reason));
            return SCTP_OUTCOME_ERROR;
        }
    }
}

enum sctp_outcome sctp_udp_call(const struct sctp_config *config, struct sctp_ways *ways, struct wait *wait, int64_t deadline,
                                struct transport *transport, struct error *error)
{
    struct sctp_job job = {.task = SCTP_TASK_CALL, .local_port = port_of(&ways->sources)};
    int udp = open_udp(config, ways, error);
    int64_t never = WAIT_FOREVER;
    enum sctp_outcome outcome;

    if (udp < 0)
        return SCTP_OUTCOME_ERROR;
    if (job.local_port == 0)
        job.local_port = some_port();
    outcome = do_job(config, &job, ways, udp, wait, deadline, &never, transport, error);
    close(udp); /* what goes on needs only the copy that the process has */
    if (outcome != SCTP_OUTCOME_UP)
        sctp_user_stop(config->user);
    return outcome;
}

/* ---- Meeting ---- */

bool sctp_udp_meeting_open(const struct sctp_config *config, struct sctp_meeting *meeting, struct error *error)
{
    uint16_t port = port_of(&meeting->ways.sources);
    struct address ignored;

    meeting->fd = open_udp(config, &meeting->ways, error);
    if (meeting->fd < 0)
        return false;
    address_of_socket(meeting->fd, &meeting->local, &ignored);
    address_set_port(&meeting->local, port);
    return true;
}

enum sctp_outcome sctp_udp_meet(const struct sctp_config *config, struct sctp_meeting *meeting, struct wait *wait,
                                struct transport *transport, struct error *error)
{
    struct sctp_job job = {.task = SCTP_TASK_MEET, .local_port = address_port(&meeting->local)};

    return do_job(config, &job, &meeting->ways, meeting->fd, wait, meeting->deadline, &meeting->news_at, transport, error);
}

/* ---- Listening ---- */

bool sctp_udp_listen(const struct sctp_config *config, const struct address_list *addresses, struct sctp_listener *listener,
                     struct error *error)
{
    struct address local = udp_address(addresses, config->common->host != NULL), ignored;

    listener->user = config->user;
    listener->job = (struct sctp_job){.task = SCTP_TASK_LISTEN, .local_port = port_of(addresses)};
    if (listener->job.local_port == 0)
        listener->job.local_port = some_port();
    listener->fd = sctp_user_socket(&local, config->common->family, config->udp_local, error);
    if (listener->fd < 0)
        return false;
    address_of_socket(listener->fd, &listener->local.at[0], &ignored);
    address_set_port(&listener->local.at[0], listener->job.local_port);
    listener->local.count = 1;
    if (sctp_user_start(listener->user, &listener->job, listener->fd, error))
        return true;
    close(listener->fd);
    listener->fd = -1;
    return false;
}

enum sctp_outcome sctp_udp_accept(const struct sctp_listener *listener, struct wait *wait, int64_t deadline,
                                  struct transport *transport, struct error *error)
{
    enum sctp_outcome outcome;
    struct sctp_news news;

    while (next_news(listener->user, &listener->job, wait, deadline, &news, transport, &outcome, error)) {
        if (news.kind == SCTP_NEWS_FAILED) {
            errno = news.reason;
            return SCTP_OUTCOME_ERROR;
        }
        if (news.kind == SCTP_NEWS_UP) {
            describe(transport, listener->fd, listener->job.local_port, TRANSPORT_PASSIVE);
            return SCTP_OUTCOME_UP;
        }
    }
    return outcome;
}
