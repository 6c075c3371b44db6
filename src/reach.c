/* reach.c - from the options to a connection with the peer. */
#include "reach.h"
#include "datagrams.h"
#include "inherited.h"
#include "meet.h"
#include "pump.h"
#include "tcp.h"
#include "udp.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- What to type at the other end ---- */

/* An address under which others may reach us: the one that we listen on, or our first that is not loopback. */
static void reachable(const struct address *local, char text[ADDRESS_TEXT_SIZE])
{
    struct ifaddrs *all = NULL;

    address_host(local, text);
    if (strcmp(text, "::") != 0 && strcmp(text, "0.0.0.0") != 0)
        return;
    if (gethostname(text, ADDRESS_TEXT_SIZE) != 0)
        strcpy(text, "HOST");
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
        struct address address = {.length = sizeof(struct sockaddr_in)};

        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || (at->ifa_flags & (IFF_LOOPBACK | IFF_UP)) != IFF_UP)
            continue;
        memcpy(&address.storage, at->ifa_addr, address.length);
        address_host(&address, text);
        break;
    }
    freeifaddrs(all);
}

/* On a terminal: the command for the other host. */
static void suggest(struct reach *reach, const struct address *local)
{
    const struct options *options = reach->options;
    char host[ADDRESS_TEXT_SIZE], role[96] = "";
    char transport[48] = "";
    const char *pin = reach->our_pin;

    if (!isatty(STDERR_FILENO))
        return;
    reachable(local, host);
    if (options->transport == OPTIONS_UDP)
        strcpy(transport, " -u");
    else if (options->transport == OPTIONS_SCTP && reach->sctp->user)
        snprintf(transport, sizeof transport, " --sctp-udp=%u:%u", options->sctp_udp_remote, options->sctp_udp_local);
    else if (options->transport == OPTIONS_SCTP)
        strcpy(transport, " -S");
    if (options->extension_id != HELLO_EXTENSION_ID)
        snprintf(role, sizeof role, " --extension-id %u", options->extension_id);
    if (options->implicit)
        snprintf(role, sizeof role, " --implicit");
    if (reach->shared_key)
        snprintf(role + strlen(role), sizeof role - strlen(role), " --psk-file FILE");
    else if (!*pin) /* or it would refuse us for showing nothing */
        snprintf(role + strlen(role), sizeof role - strlen(role), " --remote-id request");
    report_say(reach->report, REPORT_NORMAL, "the command for the other host:");
    if (options->task == OPTIONS_BOTH && strcmp(options->source_port, options->port) != 0)
        report_say(reach->report, REPORT_NORMAL, "    symtls%s -b%s%s%s -p %s %s %u", transport, role, *pin ? " --pin " : "", pin,
                   options->port, host, address_port(local));
    else
        report_say(reach->report, REPORT_NORMAL, "    symtls%s%s%s%s%s %s %u", transport,
                   options->task == OPTIONS_BOTH ? " -b" : "", role,
                   *pin ? " --pin " : "", pin, host, address_port(local));
}

/* ---- Listening ---- */

static void tell_listening(struct reach *reach, enum transport_kind kind, const struct address *local, size_t count)
{
    for (size_t i = 0; i < count; i++)
        report_listening(reach->report, address_family(&local[i]) == AF_UNIX ? TRANSPORT_UNIX : kind, &local[i], false);
    if (address_family(&local[0]) != AF_UNIX)
        suggest(reach, &local[0]);
}

static bool listen_tcp(struct reach *reach, struct reach_listener *listener)
{
    if (reach->options->inherited ? !inherited_listeners(false, &listener->listeners, reach->error)
                                  : !tcp_listen(reach->transport, reach->wait, &listener->listeners, reach->error))
        return false;
    tell_listening(reach, TRANSPORT_TCP, listener->listeners.local, listener->listeners.count);
    return true;
}

static bool listen_udp(struct reach *reach, struct reach_listener *listener)
{
    if (!session_door_init(&listener->door)) {
        error_set(reach->error, STATUS_LOCAL, "no random numbers");
        return false;
    }
    if (reach->options->inherited ? !inherited_listeners(true, &listener->listeners, reach->error)
                                  : !udp_listen(reach->transport, reach->wait, &listener->listeners, reach->error))
        return false;
    tell_listening(reach, TRANSPORT_UDP, listener->listeners.local, listener->listeners.count);
    return true;
}

static bool listen_sctp(struct reach *reach, struct reach_listener *listener)
{
    if (!sctp_listen(reach->sctp, reach->wait, &listener->sctp, reach->error))
        return false;
    tell_listening(reach, listener->sctp.kind, listener->sctp.local.at, listener->sctp.local.count);
    return true;
}

static bool listen_unix(struct reach *reach, struct reach_listener *listener)
{
    if (!unixsock_listen(reach->options->path, &listener->listeners, &listener->place, reach->error))
        return false;
    tell_listening(reach, TRANSPORT_UNIX, listener->listeners.local, 1);
    return true;
}

bool reach_listen_locally(struct reach *reach, struct reach_listener *listener)
{
    const struct options_target *from = &reach->options->from;
    struct transport_config config = {
        .host = from->host, .port = from->port, .family = AF_UNSPEC, .numeric = reach->options->numeric, .wait_ms = -1};
    bool listens;

    *listener = (struct reach_listener){.transport = from->path ? OPTIONS_UNIX : OPTIONS_TCP, .sctp = {.fd = -1}};
    listens = from->path ? unixsock_listen(from->path, &listener->listeners, &listener->place, reach->error)
                         : tcp_listen(&config, reach->wait, &listener->listeners, reach->error);
    if (!listens)
        error_prefix(reach->error, "--from %s: ", from->name);
    for (size_t i = 0; i < listener->listeners.count; i++)
        report_listening(reach->report, from->path ? TRANSPORT_UNIX : TRANSPORT_TCP, &listener->listeners.local[i], true);
    return listens;
}

bool reach_listen(struct reach *reach, struct reach_listener *listener)
{
    static bool (*const ways[])(struct reach *, struct reach_listener *) = {
        [OPTIONS_TCP] = listen_tcp, [OPTIONS_UDP] = listen_udp, [OPTIONS_SCTP] = listen_sctp, [OPTIONS_UNIX] = listen_unix};

    *listener = (struct reach_listener){.transport = reach->options->transport, .sctp = {.fd = -1}};
    return ways[listener->transport](reach, listener);
}

void reach_listener_close(struct reach_listener *listener)
{
    if (listener->transport == OPTIONS_SCTP)
        sctp_listener_close(&listener->sctp);
    unixsock_remove(&listener->place);
    listeners_close(&listener->listeners);
}

void reach_listener_leave(struct reach_listener *listener)
{
    if (listener->transport == OPTIONS_SCTP)
        sctp_listener_leave(&listener->sctp);
    listeners_close(&listener->listeners);
}

void reach_tell_late(struct reach *reach)
{
    listeners_tell_late(reach->transport, reach->error);
}

size_t reach_poll(const struct reach_listener *listener, struct pollfd fds[ADDRESS_LIST_MAX])
{
    if (listener->transport == OPTIONS_SCTP) {
        fds[0] = (struct pollfd){.fd = sctp_listener_fd(&listener->sctp), .events = POLLIN};
        return 1;
    }
    for (size_t i = 0; i < listener->listeners.count; i++)
        fds[i] = (struct pollfd){.fd = listener->listeners.fds[i], .events = POLLIN};
    return listener->listeners.count;
}

/* ---- Who comes ---- */

struct door_keeper {
    struct session_door *door;
    const struct trace_sink *trace;
};

/* A stranger is no session yet, and gets no more of the trace than a line. */
static void trace_stranger(const struct trace_sink *trace, const char *who)
{
    char text[2 * ADDRESS_TEXT_SIZE];
    struct trace_event event = {.kind = TRACE_NOTE, .texts = {text}};

    if (!trace)
        return;
    snprintf(text, sizeof text, "%s: a ClientHello without our cookie; answered with a HelloVerifyRequest", who);
    trace->take(trace->context, &event);
}

/* Whoever sends a datagram has to show first that it gets ours. */
static enum udp_verdict look_at_stranger(void *context, const struct address *remote, const uint8_t *bytes, size_t length,
                                         uint8_t answer[UDP_ANSWER_MAX], size_t *answer_length)
{
    const struct door_keeper *keeper = context;
    char who[ADDRESS_TEXT_SIZE];

    address_text(remote, who);
    switch (session_door_judge(keeper->door, who, bytes, length, answer, answer_length)) {
    case SESSION_DOOR_OPEN:
        return UDP_TAKE;
    case SESSION_DOOR_ANSWER:
        trace_stranger(keeper->trace, who);
        return UDP_ANSWER;
    default:
        return UDP_IGNORE;
    }
}

_Static_assert(UDP_ANSWER_MAX >= SESSION_DOOR_ANSWER_MAX, "an answer has room");

enum listeners_next reach_next(struct reach *reach, struct reach_listener *listener, struct reach_arrival *arrival)
{
    struct listeners *listeners = &listener->listeners;
    struct transport *transport = &arrival->transport;
    struct door_keeper keeper = {.door = &listener->door, .trace = reach->session->trace};
    enum listeners_next next = LISTENERS_NOBODY;

    *arrival = (struct reach_arrival){.transport = {.fd = -1}};
    switch (listener->transport) {
    case OPTIONS_TCP:
    case OPTIONS_UNIX:
        next = tcp_next(listeners, transport);
        if (next == LISTENERS_PEER && address_family(&transport->local) == AF_UNIX)
            unixsock_describe(transport, transport->fd, TRANSPORT_PASSIVE);
        break;
    case OPTIONS_UDP:
        next = udp_next(listeners, look_at_stranger, &keeper, transport, &arrival->first);
        break;
    case OPTIONS_SCTP:
        return sctp_next(&listener->sctp, reach->wait, transport, reach->error);
    }
    if (next == LISTENERS_EXHAUSTED)
        error_set(reach->error, STATUS_NETWORK, "cannot accept a connection: %s", transport_reason(errno));
    return next;
}

static bool await(struct reach *reach, struct reach_listener *listener, struct reach_arrival *arrival)
{
    struct door_keeper keeper = {.door = &listener->door, .trace = reach->session->trace};

    *arrival = (struct reach_arrival){.transport = {.fd = -1}};
    switch (listener->transport) {
    case OPTIONS_TCP:
    case OPTIONS_UNIX:
        if (!tcp_accept(reach->transport, &listener->listeners, reach->wait, &arrival->transport, reach->error))
            return false;
        if (address_family(&arrival->transport.local) == AF_UNIX)
            unixsock_describe(&arrival->transport, arrival->transport.fd, TRANSPORT_PASSIVE);
        return true;
    case OPTIONS_UDP:
        return udp_accept(reach->transport, &listener->listeners, look_at_stranger, &keeper, reach->wait,
                          &arrival->transport, &arrival->first, reach->error);
    case OPTIONS_SCTP:
        return sctp_accept(reach->sctp, &listener->sctp, reach->wait, &arrival->transport, reach->error);
    }
    return false;
}

static bool open_channel(struct reach *reach, const struct transport *transport)
{
    report_connected(reach->report, transport);
    return channel_open(reach->channel, reach->session, transport, reach->error);
}

bool reach_open(struct reach *reach, struct reach_arrival *arrival)
{
    bool opened = open_channel(reach, &arrival->transport);
    const uint8_t *bytes;
    size_t length;

    for (; opened && (bytes = datagrams_first(&arrival->first, &length)); datagrams_drop_first(&arrival->first))
        channel_feed(reach->channel, bytes, length);
    buffer_free(&arrival->first);
    return opened;
}

/* The first one, and nobody else. */
static bool be_called(struct reach *reach)
{
    struct reach_listener listener;
    struct reach_arrival arrival;
    bool accepted;

    if (!reach_listen(reach, &listener))
        return false;
    accepted = await(reach, &listener, &arrival);
    reach_listener_close(&listener);
    return accepted && reach_open(reach, &arrival);
}

bool reach_take_local(struct reach *reach, int *fd)
{
    struct transport_config config = {.wait_ms = -1};
    struct transport transport = {.fd = -1};
    struct reach_listener listener;
    bool accepted;

    if (!reach_listen_locally(reach, &listener))
        return false;
    accepted = tcp_accept(&config, &listener.listeners, reach->wait, &transport, reach->error);
    reach_listener_close(&listener);
    *fd = transport.fd;
    return accepted;
}

/* ---- Calling and meeting ---- */

static void suggest_meeting(void *context, const struct address *local)
{
    suggest(context, local);
}

static bool meet(struct reach *reach, enum transport_kind kind)
{
    struct meet_config config = {.kind = kind,
                                 .both = reach->options->task == OPTIONS_BOTH,
                                 .transport = reach->transport,
                                 .session = reach->session,
                                 .handshake_ms = reach->options->handshake_ms,
                                 .listening = suggest_meeting,
                                 .listening_context = reach};
    bool met = meet_run(&config, reach->report, reach->wait, reach->channel, reach->error);

    if (met)
        report_connected(reach->report, &reach->channel->transport);
    return met;
}

static bool connect_tcp(struct reach *reach)
{
    struct transport transport = {.fd = -1};

    return tcp_connect(reach->transport, reach->wait, &transport, reach->error) && open_channel(reach, &transport);
}

/* Nobody says that there is nobody: to try again is to wait for longer. */
static bool connect_udp(struct reach *reach)
{
    int64_t all = (int64_t)reach->transport->wait_ms * (1 + (int64_t)reach->transport->retries);

    if (reach->transport->retries < 0 || all > INT_MAX)
        reach->transport->wait_ms = -1;
    else if (reach->transport->wait_ms >= 0)
        reach->transport->wait_ms = (int)all;
    return meet(reach, TRANSPORT_UDP);
}

/* Until the peer's first byte, or the end of it all. False: a signal, or time ran out, with the error. */
static bool hear_peer(struct reach *reach)
{
    struct channel *channel = reach->channel;
    int64_t deadline = wait_until(reach->options->handshake_ms);

    while (!session_was_fed(channel->session) && !channel->ended) {
        struct pollfd fd = channel_poll(channel);

        switch (wait_for(reach->wait, &fd, 1, deadline)) {
        case WAIT_SIGNALLED:
            return false;
        case WAIT_LATE:
            pump_tell_handshake_timeout(channel, reach->options->handshake_ms, reach->error);
            return false;
        case WAIT_READY:
            channel_move(channel, fd.revents);
            break;
        }
    }
    return true;
}

/* An association may come up at our end alone while the peer gives up its call, and die before a byte has come: that was no
 * meeting yet, as with a connection of TCP's (meet.c). */
static bool meet_until_heard(struct reach *reach, struct sctp_meeting *meeting)
{
    for (;;) {
        struct transport transport = {.fd = -1};

        if (!sctp_meet(reach->sctp, meeting, reach->wait, &transport, reach->error) ||
            !channel_open(reach->channel, reach->session, &transport, reach->error) || !hear_peer(reach))
            return false;
        if (session_was_fed(reach->channel->session)) {
            report_connected(reach->report, &transport);
            return true;
        }
        channel_free(reach->channel);
        error_clear(reach->error);
        report_say(reach->report, REPORT_NORMAL, "the association ended before the peer said anything: meeting again");
    }
}

static bool meet_sctp(struct reach *reach)
{
    struct sctp_meeting meeting;
    bool met;

    if (!sctp_meeting_open(reach->sctp, reach->wait, &meeting, reach->error))
        return false;
    report_listening(reach->report, meeting.kind, &meeting.local, false);
    suggest(reach, &meeting.local);
    met = meet_until_heard(reach, &meeting);
    sctp_meeting_close(&meeting);
    return met;
}

static bool connect_sctp(struct reach *reach)
{
    struct transport transport = {.fd = -1};

    return sctp_connect(reach->sctp, reach->wait, &transport, reach->error) && open_channel(reach, &transport);
}

static bool meet_tcp(struct reach *reach)
{
    return meet(reach, TRANSPORT_TCP);
}

static bool meet_udp(struct reach *reach)
{
    return meet(reach, TRANSPORT_UDP);
}

static bool connect_unix(struct reach *reach)
{
    struct transport transport = {.fd = -1};

    return unixsock_connect(reach->transport, reach->wait, &transport, reach->error) && open_channel(reach, &transport);
}

/* The connection is there already. */
static bool adopt(struct reach *reach)
{
    enum transport_setup setup = reach->options->task == OPTIONS_LISTEN ? TRANSPORT_PASSIVE : TRANSPORT_ACTIVE;
    struct transport transport = {.fd = -1};

    return inherited_connection(reach->options->descriptor, setup, &transport, reach->error) && open_channel(reach, &transport);
}

bool reach_peer(struct reach *reach)
{
    static bool (*const ways[][4])(struct reach *) = {
        [OPTIONS_CONNECT] = {[OPTIONS_TCP] = connect_tcp, [OPTIONS_UDP] = connect_udp, [OPTIONS_SCTP] = connect_sctp,
                             [OPTIONS_UNIX] = connect_unix},
        [OPTIONS_LISTEN] = {[OPTIONS_TCP] = be_called, [OPTIONS_UDP] = be_called, [OPTIONS_SCTP] = be_called,
                            [OPTIONS_UNIX] = be_called},
        [OPTIONS_BOTH] = {[OPTIONS_TCP] = meet_tcp, [OPTIONS_UDP] = meet_udp, [OPTIONS_SCTP] = meet_sctp},
    };

    if (reach->options->descriptor >= 0)
        return adopt(reach);
    return ways[reach->options->task][reach->options->transport](reach);
}
