/* udp.c - datagrams: called, awaited, and both. */
#include "udp.h"
#include "datagrams.h"
#include "endpoints.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 1 << 20, /* of the kernel's: a burst is worth keeping */
    AT_ONCE = 256,         /* datagrams of strangers, and then it is time to look at the clock */
    ASIDE_MAX = 1 << 18    /* bytes of theirs, while a peer is taken; what is more comes again */
};

static void tune(int fd, int family)
{
    int on = 1, size = BUFFER_SIZE, discover = IP_PMTUDISC_DO;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    /* A datagram is never fragmented: what is too large comes back as EMSGSIZE. */
    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover); /* also for IPv4 over an IPv6 socket */
    if (family == AF_INET6) {
        discover = IPV6_PMTUDISC_DO;
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover, sizeof discover);
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    } else {
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    }
}

static int udp_socket(int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        tune(fd, family);
    return fd;
}

static int close_failed(int fd)
{
    int reason = errno;

    if (fd >= 0)
        close(fd);
    errno = reason;
    return -1;
}

/* Several sockets of ours may have this address. To be said after bind(), so that one which somebody else has still says so. */
static void share(int fd)
{
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

/* ---- Calling ---- */

static const struct address *source_for(const struct address_list *sources, const struct address *target)
{
    for (size_t i = 0; i < sources->count; i++)
        if (address_family(&sources->at[i]) == address_family(target))
            return &sources->at[i];
    return NULL;
}

/* With `both`: the address from which the kernel would speak, since others than the peer may speak to the port. */
static bool choose_local(const struct address *source, const struct address *target, bool given, struct address *local)
{
    struct address ignored;
    int fd;

    *local = *source;
    if (given)
        return true;
    fd = socket(address_family(target), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&target->storage, target->length) != 0) {
        close_failed(fd);
        return false;
    }
    address_of_socket(fd, local, &ignored);
    close(fd);
    address_set_port(local, address_port(source));
    return true;
}

static bool is_taken(const struct transport *ways, size_t count, const struct address *local)
{
    for (size_t i = 0; i < count; i++)
        if (address_same(&ways[i].local, local))
            return true;
    return false;
}

static int way_socket(const struct address *target, const struct address *local, bool shared, bool unconnected)
{
    int on = 1, fd = udp_socket(address_family(target));

    if (fd < 0)
        return -1;
    if (shared)
        share(fd);
    if (address_family(target) == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (local && bind(fd, (const struct sockaddr *)&local->storage, local->length) != 0)
        return close_failed(fd);
    if (local)
        share(fd);
    if (!unconnected && connect(fd, (const struct sockaddr *)&target->storage, target->length) != 0)
        return close_failed(fd);
    /* An unconnected socket hears of ICMP errors only if it asks for them. */
    if (unconnected && address_family(target) == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    else if (unconnected)
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    return fd;
}

/* Do several addresses of the peer's have the same one of ours? Then only connected sockets are told apart. */
static bool is_crowded(const struct address_list *targets, const struct address *target)
{
    size_t alike = 0;

    for (size_t i = 0; i < targets->count; i++)
        alike += address_family(&targets->at[i]) == address_family(target);
    return alike > 1;
}

static bool add_way(const struct transport_config *config, bool both, const struct address_list *targets,
                    const struct address *target, const struct address_list *sources, struct transport *ways, size_t count)
{
    const struct address *source = source_for(sources, target);
    struct transport *way = &ways[count];
    struct address local, remote;

    *way = (struct transport){.kind = TRANSPORT_UDP,
                              .setup = both ? TRANSPORT_SIMULTANEOUS : TRANSPORT_ACTIVE,
                              .remote = *target,
                              .unconnected = both && !is_crowded(targets, target)};
    if (!source && (config->source || config->source_port)) {
        errno = EAFNOSUPPORT;
        return false;
    }
    if (both && !choose_local(source, target, config->source != NULL, &local))
        return false;
    way->fd = way_socket(target, both ? &local : source, both && is_taken(ways, count, &local), way->unconnected);
    if (way->fd < 0)
        return false;
    address_of_socket(way->fd, &way->local, &remote);
    return true;
}

size_t udp_ways(const struct transport_config *config, bool both, struct wait *wait, struct transport ways[UDP_WAYS_MAX],
                struct error *error)
{
    struct address_list targets, sources;
    char text[ADDRESS_TEXT_SIZE];
    struct error first = {0};
    int64_t deadline = wait_until(config->wait_ms);
    size_t count = 0;

    if (!endpoints_peer(config, wait, deadline, &targets, error) || !endpoints_source(config, wait, deadline, &sources, error))
        return 0;
    for (size_t i = 0; i < targets.count && count < UDP_WAYS_MAX; i++) {
        if (add_way(config, both, &targets, &targets.at[i], &sources, ways, count))
            count++;
        else
            error_set(&first, STATUS_NETWORK, "no way from here to %s: %s%s", address_text(&targets.at[i], text),
                      transport_reason(errno), errno == EADDRINUSE ? "; -p gives our end another port" : "");
    }
    if (count == 0)
        error_set(error, first.status, "%s", first.story);
    return count;
}

/* ---- Listening ---- */

static int listen_on(const struct address *address, bool dual_stack)
{
    int six_only = !dual_stack, on = 1;
    int fd = udp_socket(address_family(address));

    if (fd < 0)
        return -1;
    if (address_family(address) == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, sizeof six_only);
    if (dual_stack)
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) != 0)
        return close_failed(fd);
    share(fd);
    return fd;
}

void udp_adopt(int fd)
{
    struct address local, ignored;
    int six_only = 0, on = 1;
    socklen_t size = sizeof six_only;

    address_of_socket(fd, &local, &ignored);
    tune(fd, address_family(&local));
    if (address_family(&local) == AF_INET6 &&
        getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, &size) == 0 && !six_only)
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    share(fd);
}

bool udp_listen(const struct transport_config *config, struct wait *wait, struct listeners *listeners, struct error *error)
{
    return listeners_open(config, wait, listen_on, listeners, error);
}

/* A datagram, who sent it, and to which of our addresses. The addresses are as the socket wants them: an IPv6 socket has IPv4
 * ones in their IPv6 form. */
struct arrival {
    int listener;
    struct sockaddr_storage remote;
    struct sockaddr_storage local; /* without a port */
    socklen_t remote_length;
    size_t length;
    uint8_t bytes[DATAGRAM_MAX];
};

static void note_local(struct arrival *arrival, const struct cmsghdr *part)
{
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO && arrival->remote.ss_family == AF_INET) {
        struct in_pktinfo info;
        struct sockaddr_in *local = (struct sockaddr_in *)&arrival->local;

        memcpy(&info, CMSG_DATA(part), sizeof info);
        local->sin_family = AF_INET;
        local->sin_addr = info.ipi_spec_dst;
    } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        struct sockaddr_in6 *local = (struct sockaddr_in6 *)&arrival->local;

        memcpy(&info, CMSG_DATA(part), sizeof info);
        local->sin6_family = AF_INET6;
        local->sin6_addr = info.ipi6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
            local->sin6_scope_id = (uint32_t)info.ipi6_ifindex;
    }
}

static bool receive(int fd, struct arrival *arrival)
{
    _Alignas(struct cmsghdr) uint8_t control[256];
    struct iovec vector = {.iov_base = arrival->bytes, .iov_len = sizeof arrival->bytes};
    struct msghdr message = {.msg_name = &arrival->remote,
                             .msg_namelen = sizeof arrival->remote,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(fd, &message, 0);

    if (length < 0)
        return false;
    arrival->length = (size_t)length;
    arrival->remote_length = message.msg_namelen;
    memset(&arrival->local, 0, sizeof arrival->local);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
        note_local(arrival, part);
    return true;
}

static struct address remote_of(const struct arrival *arrival)
{
    struct address remote = {.storage = arrival->remote, .length = arrival->remote_length};

    return remote;
}

/* From the address that the datagram came to: its sender listens to no other. */
static void answer(int fd, const struct arrival *arrival, const uint8_t *bytes, size_t length)
{
    union {
        struct cmsghdr align;
        uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control;
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_name = (void *)&arrival->remote,
                             .msg_namelen = arrival->remote_length,
                             .msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control};
    struct cmsghdr *part = &control.align;

    memset(&control, 0, sizeof control);
    if (arrival->local.ss_family == AF_INET) {
        struct in_pktinfo info = {.ipi_spec_dst = ((const struct sockaddr_in *)&arrival->local)->sin_addr};

        message.msg_controllen = CMSG_SPACE(sizeof info);
        *part = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
        memcpy(CMSG_DATA(part), &info, sizeof info);
    } else {
        const struct sockaddr_in6 *local = (const struct sockaddr_in6 *)&arrival->local;
        struct in6_pktinfo info = {.ipi6_addr = local->sin6_addr, .ipi6_ifindex = local->sin6_scope_id};

        message.msg_controllen = CMSG_SPACE(sizeof info);
        *part = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
        memcpy(CMSG_DATA(part), &info, sizeof info);
    }
    sendmsg(fd, &message, MSG_NOSIGNAL); /* one that cannot be sent is lost */
}

/* A socket for this peer alone, on the address and port that it spoke to. */
static int hand_over(int listener, const struct arrival *arrival)
{
    struct sockaddr_storage local;
    socklen_t length = sizeof local;
    int fd, port_of = arrival->remote.ss_family, off = 0;

    memset(&local, 0, sizeof local);
    if (getsockname(listener, (struct sockaddr *)&local, &length) != 0)
        return -1;
    if (port_of == AF_INET && arrival->local.ss_family == AF_INET) {
        ((struct sockaddr_in *)&local)->sin_addr = ((const struct sockaddr_in *)&arrival->local)->sin_addr;
    } else if (port_of == AF_INET6 && arrival->local.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&local)->sin6_addr = ((const struct sockaddr_in6 *)&arrival->local)->sin6_addr;
        ((struct sockaddr_in6 *)&local)->sin6_scope_id = ((const struct sockaddr_in6 *)&arrival->local)->sin6_scope_id;
    }
    fd = udp_socket(local.ss_family);
    if (fd < 0)
        return -1;
    share(fd);
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, (const struct sockaddr *)&local, length) != 0 ||
        connect(fd, (const struct sockaddr *)&arrival->remote, arrival->remote_length) != 0)
        return close_failed(fd);
    return fd;
}

/* What of `arrival` is kept, when it is. */
static const size_t head_size = offsetof(struct arrival, bytes);

/* Somebody else's, for the next time. */
static void put_aside(struct buffer *aside, const struct arrival *arrival)
{
    if (buffer_used(aside) < ASIDE_MAX && head_size + arrival->length <= DATAGRAM_MAX)
        datagrams_append(aside, arrival, head_size + arrival->length);
}

static bool take_from_aside(struct buffer *aside, struct arrival *arrival)
{
    size_t length;
    const uint8_t *bytes = datagrams_first(aside, &length);

    if (!bytes)
        return false;
    memcpy(arrival, bytes, length);
    datagrams_drop_first(aside);
    return true;
}

static void sort_out(struct listeners *listeners, const struct arrival *first, const struct arrival *next, struct buffer *queue)
{
    if (next->remote_length == first->remote_length && memcmp(&next->remote, &first->remote, first->remote_length) == 0)
        datagrams_append(queue, next->bytes, next->length);
    else
        put_aside(&listeners->aside, next);
}

/* What this peer sent before the socket was its own is still at the listener; and before it was connected, it may have got
 * what was for the listener. */
static void collect_rest(struct listeners *listeners, int fd, const struct arrival *first, struct buffer *queue)
{
    struct buffer aside = listeners->aside;
    struct arrival next;

    listeners->aside = (struct buffer){0};
    while (take_from_aside(&aside, &next))
        sort_out(listeners, first, &next, queue);
    buffer_free(&aside);
    for (int i = 0; i < AT_ONCE && receive(first->listener, &next); i++) {
        next.listener = first->listener;
        sort_out(listeners, first, &next, queue);
    }
    for (int i = 0; i < AT_ONCE && receive(fd, &next); i++) {
        next.listener = first->listener;
        sort_out(listeners, first, &next, queue);
    }
}

/* Is it a peer's? */
static enum listeners_next look(struct listeners *listeners, const struct arrival *arrival, udp_gate *gate, void *context,
                                struct transport *transport, struct buffer *first)
{
    struct address remote = remote_of(arrival);
    uint8_t reply[UDP_ANSWER_MAX];
    size_t reply_length = 0;

    switch (gate(context, &remote, arrival->bytes, arrival->length, reply, &reply_length)) {
    case UDP_IGNORE:
        break;
    case UDP_ANSWER:
        if (reply_length <= arrival->length)
            answer(arrival->listener, arrival, reply, reply_length);
        break;
    case UDP_TAKE:
        *transport = (struct transport){.kind = TRANSPORT_UDP, .setup = TRANSPORT_PASSIVE};
        transport->fd = hand_over(arrival->listener, arrival);
        if (transport->fd < 0)
            return listeners_is_exhausted(errno) ? LISTENERS_EXHAUSTED : LISTENERS_NOBODY; /* it comes again */
        address_of_socket(transport->fd, &transport->local, &transport->remote);
        datagrams_append(first, arrival->bytes, arrival->length);
        collect_rest(listeners, transport->fd, arrival, first);
        return LISTENERS_PEER;
    }
    return LISTENERS_NOBODY;
}

enum listeners_next udp_next(struct listeners *listeners, udp_gate *gate, void *context, struct transport *transport,
                             struct buffer *first)
{
    enum listeners_next next = LISTENERS_NOBODY;
    struct arrival arrival;

    while (next == LISTENERS_NOBODY && take_from_aside(&listeners->aside, &arrival))
        next = look(listeners, &arrival, gate, context, transport, first);
    for (size_t i = 0; next == LISTENERS_NOBODY && i < listeners->count; i++) {
        arrival.listener = listeners->fds[listeners->turn++ % listeners->count];
        for (int j = 0; next == LISTENERS_NOBODY && j < AT_ONCE && receive(arrival.listener, &arrival); j++)
            next = look(listeners, &arrival, gate, context, transport, first);
    }
    return next;
}

bool udp_accept(const struct transport_config *config, struct listeners *listeners, udp_gate *gate, void *context,
                struct wait *wait, struct transport *transport, struct buffer *first, struct error *error)
{
    int64_t deadline = wait_until(config->wait_ms);
    struct pollfd fds[ADDRESS_LIST_MAX];

    while (listeners_wait(config, listeners, wait, deadline, fds, error))
        if (udp_next(listeners, gate, context, transport, first) == LISTENERS_PEER)
            return true;
    return false;
}
