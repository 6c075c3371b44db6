/* tcp_meet.c - both ends bind, listen and call from one port until they meet.
 *
 * With one pair of addresses and ports the kernels can make one connection only, whichever SYN comes first and even when
 * both cross (RFC 9293 section 3.5). */
#include "tcp_meet.h"
#include "endpoints.h"

#include <errno.h>
#include <linux/tcp.h> /* a tcp_info that counts segments */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    WAYS_MAX = TCP_MEET_FDS / 2,
    PLAIN_CALLS = 3,     /* then the calls are short ones */
    SHORT_HOPS = 2,      /* through the firewall or NAT at our end, and no further */
    DEAF_MS = 300,       /* over IPv6, to all that is not from our own network: the ICMP error is to come in that time */
    HOLE_MS = 900,       /* a refusal after that came through a hole that is open no more */
    ANSWERS = 2          /* repeated after 1 and 3 s; after 7 s the half-open connection is forgotten */
};

/* One of the peer's addresses, and how we call it. */
struct way {
    struct address remote;
    struct address local;
    int listener;       /* our own port; -1 when another way has the same */
    int caller;         /* -1: not calling now */
    int64_t called_at;
    int64_t call_next;  /* WAIT_FOREVER: there is a connection */
    int64_t hear_at; /* when a deaf call begins to hear; WAIT_FOREVER: it hears */
    unsigned calls;
    int reason;         /* errno of the last call */
};

struct tcp_meet {
    struct way ways[WAYS_MAX];
    size_t count;
    int64_t started;
    unsigned strangers; /* who were turned away */
};

/* ---- Starting ---- */

/* The address from which the kernel would speak to `remote`: a datagram socket tells without sending anything. */
static bool find_local(const struct address *remote, struct address *local)
{
    struct address ignored;
    int fd = socket(address_family(remote), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && connect(fd, (const struct sockaddr *)&remote->storage, remote->length) == 0;

    if (found)
        address_of_socket(fd, local, &ignored);
    if (fd >= 0)
        close(fd);
    return found;
}

static bool choose_local(const struct address_list *sources, bool source_given, struct way *way)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (address_family(&sources->at[i]) != address_family(&way->remote))
            continue;
        if (source_given) {
            way->local = sources->at[i];
            return true;
        }
        if (!find_local(&way->remote, &way->local))
            return false;
        address_set_port(&way->local, address_port(&sources->at[i]));
        return true;
    }
    errno = EAFNOSUPPORT;
    return false;
}

/* SO_REUSEPORT only after bind(): so a port that somebody else has still says so.
 *
 * While a SYN is answered whose sender has gone, or does not hear us, we cannot call: the connection exists by half. The kernel
 * would hold on to it for a minute, and to close the listener would not free it before the next repetition. */
static int listen_here(const struct address *local)
{
    int on = 1, answers = ANSWERS, reason;
    int fd = tcp_socket(address_family(local));

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address_family(local) == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &answers, sizeof answers);
    if (bind(fd, (const struct sockaddr *)&local->storage, local->length) == 0 && listen(fd, 16) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0)
        return fd;
    reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static bool has_listener(const struct tcp_meet *meet, const struct address *local)
{
    for (size_t i = 0; i < meet->count; i++)
        if (meet->ways[i].listener >= 0 && address_same(&meet->ways[i].local, local))
            return true;
    return false;
}

static bool add_ways(struct tcp_meet *meet, const struct address_list *targets, const struct address_list *sources,
                     bool source_given, struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    struct error first = {0};

    for (size_t i = 0; i < targets->count && meet->count < WAYS_MAX; i++) {
        struct way *way = &meet->ways[meet->count];

        *way = (struct way){.remote = targets->at[i], .listener = -1, .caller = -1, .hear_at = WAIT_FOREVER};
        if (!choose_local(sources, source_given, way)) {
            error_set(&first, STATUS_NETWORK, "no way from here to %s: %s", address_text(&way->remote, text),
                      transport_reason(errno));
            continue;
        }
        if (!has_listener(meet, &way->local)) {
            way->listener = listen_here(&way->local);
            if (way->listener < 0) {
                error_set(error, STATUS_NETWORK, "cannot listen on %s: %s%s", address_text(&way->local, text),
                          transport_reason(errno), errno == EADDRINUSE ? "; -p gives our end another port" : "");
                return false;
            }
        }
        meet->count++;
    }
    if (meet->count == 0)
        error_set(error, first.status, "%s", first.story);
    return meet->count > 0;
}

struct tcp_meet *tcp_meet_start(const struct transport_config *config, struct wait *wait, struct error *error)
{
    int64_t deadline = wait_until(config->wait_ms);
    struct address_list targets, sources;
    struct tcp_meet *meet = calloc(1, sizeof *meet);

    if (!meet) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return NULL;
    }
    meet->started = wait_now();
    if (endpoints_peer(config, wait, deadline, &targets, error) &&
        endpoints_ours(config, config->source, config->source_port, wait, deadline, &sources, error) &&
        add_ways(meet, &targets, &sources, config->source != NULL, error))
        return meet;
    tcp_meet_free(meet);
    return NULL;
}

static void stop_calling(struct way *way)
{
    if (way->caller >= 0)
        close(way->caller);
    way->caller = -1;
}

void tcp_meet_free(struct tcp_meet *meet)
{
    if (!meet)
        return;
    for (size_t i = 0; i < meet->count; i++) {
        stop_calling(&meet->ways[i]);
        if (meet->ways[i].listener >= 0)
            close(meet->ways[i].listener);
    }
    free(meet);
}

/* ---- Waiting ---- */

nfds_t tcp_meet_poll(const struct tcp_meet *meet, struct pollfd fds[TCP_MEET_FDS])
{
    for (size_t i = 0; i < meet->count; i++) {
        fds[2 * i] = (struct pollfd){.fd = meet->ways[i].listener, .events = POLLIN};
        fds[2 * i + 1] = (struct pollfd){.fd = meet->ways[i].caller, .events = POLLOUT};
    }
    return 2 * meet->count;
}

int64_t tcp_meet_deadline(const struct tcp_meet *meet)
{
    int64_t first = WAIT_FOREVER;

    for (size_t i = 0; i < meet->count; i++) {
        const struct way *way = &meet->ways[i];
        int64_t next = way->caller < 0 ? way->call_next : way->hear_at;

        if (next < first)
            first = next;
    }
    return first;
}

/* ---- Calling ---- */

static int64_t at_random(int64_t least, int64_t most)
{
    uint16_t chance = 0;

    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) < 0)
        chance = (uint16_t)wait_now();
    return least + chance % (most - least + 1);
}

/* After a refusal: half to twice the time that it took to come, at random, so that two ends fall out of step; seldom
 * enough to be no burden, more seldom the longer it lasts. */
static int64_t pause_after(const struct tcp_meet *meet, const struct way *way)
{
    int64_t now = wait_now(), lasted = now - meet->started, took = now - way->called_at;
    int64_t least = lasted < 2000 ? 1 : lasted < 10000 ? 20 : 250;
    int64_t pause = took * at_random(50, 200) / 100;

    if (way->calls > PLAIN_CALLS) /* our hole was just closed, or there was none: see shorten() */
        return took > HOLE_MS ? 1 : at_random(200, 400);
    return pause < least ? at_random(least, least + 1) : pause > 300 ? 300 : pause;
}

static void call_later(const struct tcp_meet *meet, struct way *way, int reason)
{
    stop_calling(way);
    way->reason = reason;
    way->call_next = wait_now() + pause_after(meet, way);
}

/* A firewall that answers an unexpected SYN with RST ends the caller's attempt before the callee's SYN has opened its own
 * side, and crossing SYNs are rare. The SYN of a short call opens our own firewall and dies behind it; the kernel's
 * repetition of it goes into the hole that the peer has opened in the same manner. The ICMP error that it meets is ignored:
 * it quotes fewer hops than the socket wants to see, or, over IPv6, it comes while the socket is deaf. */
static void shorten(struct way *way)
{
    int hops = SHORT_HOPS, all = 255;

    if (address_family(&way->remote) == AF_INET) {
        setsockopt(way->caller, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
        setsockopt(way->caller, IPPROTO_IP, IP_MINTTL, &hops, sizeof hops);
    } else {
        setsockopt(way->caller, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
        setsockopt(way->caller, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &all, sizeof all);
        way->hear_at = wait_until(DEAF_MS);
    }
}

/* The SYN is on its way: all else goes the whole way, above all the answer to a SYN of the peer's. */
static void lengthen(const struct way *way)
{
    int usual = -1;

    if (address_family(&way->remote) == AF_INET)
        setsockopt(way->caller, IPPROTO_IP, IP_TTL, &usual, sizeof usual);
    else
        setsockopt(way->caller, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &usual, sizeof usual);
}

static void hear(struct way *way)
{
    int any = 0;

    if (way->hear_at != WAIT_FOREVER)
        setsockopt(way->caller, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &any, sizeof any);
    way->hear_at = WAIT_FOREVER;
}

static void call(const struct tcp_meet *meet, struct way *way)
{
    int on = 1;

    way->called_at = wait_now();
    way->hear_at = WAIT_FOREVER;
    way->calls++;
    way->caller = tcp_socket(address_family(&way->remote));
    if (way->caller < 0) {
        call_later(meet, way, errno);
        return;
    }
    setsockopt(way->caller, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(way->caller, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (address_family(&way->remote) == AF_INET6)
        setsockopt(way->caller, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (way->calls > PLAIN_CALLS)
        shorten(way);
    if (bind(way->caller, (struct sockaddr *)&way->local.storage, way->local.length) != 0)
        call_later(meet, way, errno);
    /* EADDRNOTAVAIL: that very connection exists, and our listener is about to hand it out; or it is half open, or was there
     * a moment ago. Every other reason may pass as well. */
    else if (connect(way->caller, (struct sockaddr *)&way->remote.storage, way->remote.length) != 0 && errno != EINPROGRESS)
        call_later(meet, way, errno == EADDRNOTAVAIL ? EISCONN : errno);
    else if (way->calls > PLAIN_CALLS)
        lengthen(way);
}

/* Had the peer called as well? Then its SYN came before the answer to ours: one segment more. */
static enum transport_setup how_it_came(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return TRANSPORT_ACTIVE;
    return info.tcpi_segs_in - info.tcpi_data_segs_in > 1 ? TRANSPORT_SIMULTANEOUS : TRANSPORT_ACTIVE;
}

/* Is the call over, and did it come to a connection? */
static bool answered(struct tcp_meet *meet, struct way *way, struct transport *transport)
{
    struct pollfd poll_fd = {.fd = way->caller, .events = POLLOUT};
    int reason = 0;
    socklen_t size = sizeof reason;

    if (way->caller < 0 || poll(&poll_fd, 1, 0) != 1)
        return false;
    if (getsockopt(way->caller, SOL_SOCKET, SO_ERROR, &reason, &size) != 0)
        reason = errno;
    if (reason) {
        call_later(meet, way, reason);
        return false;
    }
    hear(way);
    tcp_describe(transport, way->caller, how_it_came(way->caller));
    way->caller = -1;
    way->call_next = WAIT_FOREVER;
    return true;
}

/* ---- Being called ---- */

/* The peer is whoever has one of HOST's addresses; a NAT may have changed its port. */
static struct way *way_of(struct tcp_meet *meet, const struct transport *transport)
{
    struct way *same_host = NULL;

    for (size_t i = 0; i < meet->count; i++) {
        if (address_same(&meet->ways[i].remote, &transport->remote))
            return &meet->ways[i];
        if (address_same_host(&meet->ways[i].remote, &transport->remote))
            same_host = &meet->ways[i];
    }
    return same_host;
}

static bool called(struct tcp_meet *meet, const struct way *way, struct transport *transport)
{
    struct way *caller;
    int fd = way->listener < 0 ? -1 : tcp_take(way->listener);

    if (fd < 0)
        return false;
    tcp_describe(transport, fd, TRANSPORT_PASSIVE);
    caller = way_of(meet, transport);
    if (!caller) {
        meet->strangers++;
        transport_abort(transport);
        return false;
    }
    if (address_same(&caller->remote, &transport->remote)) {
        stop_calling(caller);
        caller->call_next = WAIT_FOREVER;
    }
    return true;
}

bool tcp_meet_step(struct tcp_meet *meet, struct transport *transport)
{
    for (size_t i = 0; i < meet->count; i++) {
        struct way *way = &meet->ways[i];

        if (called(meet, way, transport) || answered(meet, way, transport))
            return true;
        if (way->caller < 0 && way->call_next <= wait_now())
            call(meet, way);
        if (way->caller >= 0 && way->hear_at <= wait_now())
            hear(way);
    }
    return false;
}

void tcp_meet_again(struct tcp_meet *meet, const struct transport *transport)
{
    struct way *way = way_of(meet, transport);

    if (way && way->call_next == WAIT_FOREVER) {
        way->called_at = wait_now();
        call_later(meet, way, ECONNRESET);
    }
}

/* ---- Telling ---- */

size_t tcp_meet_ways(const struct tcp_meet *meet)
{
    return meet->count;
}

size_t tcp_meet_local(const struct tcp_meet *meet, struct address *local, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < meet->count && count < size; i++)
        if (meet->ways[i].listener >= 0)
            local[count++] = meet->ways[i].local;
    return count;
}

static const char *told(int reason)
{
    switch (reason) {
    case 0:
        return "no answer";
    case EISCONN:
        return "a connection between these two ports is half open, or not long over";
    default:
        return transport_reason(reason);
    }
}

void tcp_meet_story(const struct tcp_meet *meet, char *text, size_t size)
{
    char remote[ADDRESS_TEXT_SIZE];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < meet->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s: %s", i ? "; " : "",
                                 address_text(&meet->ways[i].remote, remote), told(meet->ways[i].reason));
    if (meet->strangers && used < size)
        snprintf(text + used, size - used, "; %u connections from elsewhere were turned away", meet->strangers);
}
