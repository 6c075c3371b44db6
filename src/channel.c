/* channel.c - a session on its transport. */
#include "channel.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
    READ_SIZE = 65536,
    DATAGRAMS_AT_ONCE = 64, /* then it is the turn of others */
    GONE_MS = 2000          /* of ICMP errors and nothing else, and the peer is gone */
};

_Static_assert(SESSION_NEVER == WAIT_FOREVER, "the session's never is ours");

/* ---- Datagrams ---- */

bool channel_is_datagrams(const struct channel *channel)
{
    return channel->transport.kind == TRANSPORT_UDP;
}

/* What the kernel knows of the path by now. */
static void learn_mtu(struct channel *channel)
{
    bool six = address_family(&channel->transport.remote) == AF_INET6;
    int mtu = 0;
    socklen_t size = sizeof mtu;

    if (channel_is_datagrams(channel) && !channel->transport.unconnected &&
        getsockopt(channel->transport.fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu, &size) == 0 &&
        mtu > (int)channel->overhead)
        session_set_mtu(channel->session, (size_t)mtu - channel->overhead);
}

/* An ICMP error: patience before the handshake is over, and after it for a while. */
static void note_unreachable(struct channel *channel, int reason)
{
    int64_t now = wait_now();

    if (reason == EMSGSIZE) {
        learn_mtu(channel);
        return;
    }
    if (!channel->unreachable)
        channel->unreachable_since = now;
    channel->unreachable = reason;
    if (session_state(channel->session) == SESSION_OPEN && now - channel->unreachable_since >= GONE_MS) {
        channel->ended = channel->broken = true;
        session_end(channel->session);
    }
}

/* An unconnected socket keeps them for whoever asks. */
static void read_errors(struct channel *channel)
{
    struct address ignored;
    bool is_local;
    int reason;

    while (channel->transport.unconnected && (reason = transport_queued_error(channel->transport.fd, &ignored, &is_local)) != 0)
        note_unreachable(channel, reason);
}

/* The peer has spoken, from `source`: from now on the socket is for it alone. */
static void settle_on(struct channel *channel, const struct address *source)
{
    struct address ignored;
    int off = 0;

    if (connect(channel->transport.fd, (const struct sockaddr *)&source->storage, source->length) != 0)
        return; /* it stays as it is */
    /* The kernel tells of errors by itself now; nobody would empty the queue of those that were asked for. */
    read_errors(channel);
    setsockopt(channel->transport.fd, IPPROTO_IP, IP_RECVERR, &off, sizeof off);
    if (address_family(source) == AF_INET6)
        setsockopt(channel->transport.fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof off);
    channel->transport.unconnected = false;
    channel->transport.remote = *source;
    address_of_socket(channel->transport.fd, &channel->transport.local, &ignored);
    learn_mtu(channel);
}

/* From another port than we were told anybody on the peer's host could end the meeting with one. */
static bool is_alert(const uint8_t *bytes, size_t length)
{
    return length && bytes[0] == 21; /* ContentType, RFC 6347 section 4.1 */
}

static void take_datagram(struct channel *channel, const uint8_t *bytes, size_t length, const struct address *source)
{
    if (!address_same(source, &channel->transport.remote)) {
        /* Only the port may be another than we were told; and what came before the socket was connected is late. */
        if (!channel->transport.unconnected || !address_same_host(source, &channel->transport.remote) ||
            is_alert(bytes, length)) {
            channel->strangers++;
            return;
        }
        channel->other_port = address_port(source);
    }
    session_feed(channel->session, bytes, length);
    if (!session_understood(channel->session))
        return;
    channel->last_traffic = channel->heard_at = wait_now();
    channel->unreachable = 0;
    if (channel->transport.unconnected)
        settle_on(channel, source);
    if (session_state(channel->session) == SESSION_FAILED)
        session_repeat_alert(channel->session); /* it may not have heard the first one */
}

static void take_datagrams(struct channel *channel)
{
    uint8_t bytes[READ_SIZE];

    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        struct address source = {.length = sizeof source.storage};
        ssize_t length;

        if (session_room(channel->session) == 0 && session_state(channel->session) != SESSION_FAILED)
            return;
        length = recvfrom(channel->transport.fd, bytes, sizeof bytes, 0, (struct sockaddr *)&source.storage, &source.length);
        if (length >= 0)
            take_datagram(channel, bytes, (size_t)length, &source);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            note_unreachable(channel, errno);
        if (channel->ended)
            return;
    }
}

static void put_datagrams(struct channel *channel)
{
    const struct address *remote = &channel->transport.remote;
    const uint8_t *bytes;
    size_t length;
    bool again = false;

    while ((bytes = session_output(channel->session, &length))) {
        bool to = channel->transport.unconnected;
        ssize_t sent = sendto(channel->transport.fd, bytes, length, MSG_NOSIGNAL,
                              to ? (const struct sockaddr *)&remote->storage : NULL, to ? remote->length : 0);

        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            again = !again && errno != EMSGSIZE;
            note_unreachable(channel, errno);
            if (again)
                continue; /* the error was of another one, and this one has not been sent */
        } else if (!session_we_closed(channel->session)) /* then only what the peer says is of interest */
            channel->last_traffic = wait_now();
        again = false;
        session_sent(channel->session, length);
    }
}

static void trace_connection(const struct trace_sink *trace, const struct transport *transport)
{
    static const char *const kinds[] = {[TRANSPORT_TCP] = "TCP",
                                        [TRANSPORT_UDP] = "UDP",
                                        [TRANSPORT_SCTP] = "SCTP",
                                        [TRANSPORT_SCTP_IN_UDP] = "SCTP in UDP",
                                        [TRANSPORT_UNIX] = "UNIX"};
    char local[ADDRESS_TEXT_SIZE], remote[ADDRESS_TEXT_SIZE];
    struct trace_event event = {.kind = TRACE_CONNECTION,
                                .texts = {address_text(&transport->local, local), address_text(&transport->remote, remote),
                                          kinds[transport->kind]}};

    if (trace)
        trace->take(trace->context, &event);
}

bool channel_open(struct channel *channel, const struct session_config *config, const struct transport *transport,
                  struct error *error)
{
    *channel = (struct channel){.transport = *transport, .error = error, .last_traffic = wait_now()};
    channel->overhead = address_family(&transport->remote) == AF_INET6 ? 40 + 8 : 20 + 8;
    trace_connection(config->trace, transport);
    channel->session = session_new(config, channel->last_traffic, error);
    if (channel->session) {
        learn_mtu(channel);
        return true;
    }
    transport_abort(&channel->transport);
    return false;
}

void channel_free(struct channel *channel)
{
    session_free(channel->session);
    channel->session = NULL;
    transport_abort(&channel->transport);
}

bool channel_is_flushed(const struct channel *channel)
{
    size_t length;

    session_output(channel->session, &length);
    return length == 0;
}

/* The peer has ended its direction, and may still take what we send. Or it has gone altogether: that comes as a hang-up. */
static bool may_hang_up(const struct channel *channel)
{
    return channel->ended && !channel->broken && !channel_is_datagrams(channel) && session_peer_closed(channel->session);
}

struct pollfd channel_poll(const struct channel *channel)
{
    short events = 0;

    if (!channel->ended && (session_room(channel->session) > 0 || (channel_is_datagrams(channel) && session_state(channel->session) == SESSION_FAILED)))
        events |= POLLIN;
    if (!channel->broken && !channel_is_flushed(channel))
        events |= POLLOUT;
    /* poll(2) tells of a hang-up even when nothing is asked for, and would go on telling: it is asked for the first one. */
    return (struct pollfd){.fd = events || may_hang_up(channel) ? channel->transport.fd : -1, .events = events};
}

static void end_input(struct channel *channel, bool reset)
{
    enum session_state state = session_state(channel->session);

    channel->ended = true;
    if (reset && state != SESSION_OPEN && state != SESSION_FAILED)
        error_set(channel->error, STATUS_NETWORK, "the peer reset the connection %s",
                  session_was_fed(channel->session) ? "in the middle of the handshake" : "without a word");
    session_end(channel->session);
    if (!reset)
        transport_keep_asking(&channel->transport);
}

static void take_in(struct channel *channel)
{
    uint8_t bytes[READ_SIZE];
    size_t room = session_room(channel->session);
    ssize_t length;

    channel->flows = false;
    if (room == 0)
        return;
    if (room > sizeof bytes)
        room = sizeof bytes;
    length = transport_receive(&channel->transport, bytes, room);
    if (length > 0) {
        channel->flows = (size_t)length == room;
        channel->last_traffic = wait_now();
        session_feed(channel->session, bytes, (size_t)length);
    } else if (length == 0) {
        end_input(channel, channel->broken); /* send() has had the reset */
    } else if (errno != EAGAIN && errno != EINTR) {
        end_input(channel, true);
    }
}

static void put_out(struct channel *channel)
{
    size_t length;
    const uint8_t *bytes = session_output(channel->session, &length);
    ssize_t sent;

    if (length == 0 || channel->broken)
        return;
    sent = send(channel->transport.fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
        channel->last_traffic = wait_now();
        session_sent(channel->session, (size_t)sent);
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        /* What the peer said before it went may still be there to be read: an alert, or the end of its data. */
        channel->broken = true;
    }
}

void channel_feed(struct channel *channel, const uint8_t *bytes, size_t length)
{
    struct address remote = channel->transport.remote;

    channel_tick(channel);
    take_datagram(channel, bytes, length, &remote);
}

int64_t channel_deadline(const struct channel *channel)
{
    return session_deadline(channel->session);
}

void channel_tick(struct channel *channel)
{
    session_time(channel->session, wait_now());
}

void channel_move(struct channel *channel, short revents)
{
    channel_tick(channel);
    if (channel_is_datagrams(channel)) {
        if (revents & POLLERR)
            read_errors(channel);
        if (revents & (POLLIN | POLLERR))
            take_datagrams(channel);
        if (revents & (POLLOUT | POLLERR))
            put_datagrams(channel);
        return;
    }
    if (may_hang_up(channel) && (revents & (POLLHUP | POLLERR)))
        channel->broken = true;
    else if (revents & (POLLIN | POLLHUP | POLLERR))
        take_in(channel);
    if (revents & (POLLOUT | POLLHUP | POLLERR))
        put_out(channel);
}
