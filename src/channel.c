/* channel.c - a session on its transport. */
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { READ_SIZE = 65536 };

bool channel_open(struct channel *channel, const struct session_config *config, const struct transport *transport,
                  struct error *error)
{
    *channel = (struct channel){.transport = *transport, .error = error, .last_traffic = wait_now()};
    channel->session = session_new(config, error);
    if (channel->session)
        return true;
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

struct pollfd channel_poll(const struct channel *channel)
{
    short events = 0;

    if (!channel->ended && session_room(channel->session) > 0)
        events |= POLLIN;
    if (!channel->broken && !channel_is_flushed(channel))
        events |= POLLOUT;
    /* poll(2) tells of a hang-up even when nothing is asked for, and would go on telling. */
    return (struct pollfd){.fd = events ? channel->transport.fd : -1, .events = events};
}

static void end_input(struct channel *channel, bool reset)
{
    enum session_state state = session_state(channel->session);

    channel->ended = true;
    if (reset && state != SESSION_OPEN && state != SESSION_FAILED)
        error_set(channel->error, STATUS_NETWORK, "the peer reset the connection %s",
                  session_was_fed(channel->session) ? "in the middle of the handshake" : "without a word");
    session_end(channel->session);
}

static void take_in(struct channel *channel)
{
    uint8_t bytes[READ_SIZE];
    size_t room = session_room(channel->session);
    ssize_t length;

    if (room == 0)
        return;
    length = transport_receive(&channel->transport, bytes, room < sizeof bytes ? room : sizeof bytes);
    if (length > 0) {
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
    sent = send(channel->transport.fd, bytes, length, MSG_NOSIGNAL);
    if (sent > 0) {
        channel->last_traffic = wait_now();
        session_sent(channel->session, (size_t)sent);
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        /* What the peer said before it went may still be there to be read: an alert, or the end of its data. */
        channel->broken = true;
    }
}

void channel_move(struct channel *channel, short revents)
{
    if (revents & (POLLIN | POLLHUP | POLLERR))
        take_in(channel);
    if (revents & (POLLOUT | POLLHUP | POLLERR))
        put_out(channel);
}
