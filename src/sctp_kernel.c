/* sctp_kernel.c - the kernel's SCTP. */
#include "sctp_kernel.h"

#include <errno.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    NEXT_ADDRESS_MS = 250, /* the Connection Attempt Delay of RFC 8305 section 5 */
    AGAIN_MS = 300,        /* to AGAIN_MS + 200 */
    SILENCE_MS = 2000,     /* a call that fails later was not answered */
    BUFFER = 1 << 20
};

bool sctp_kernel_is_there(void)
{
    int fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* ---- Sockets ---- */

static bool set(int fd, int option, const void *value, size_t size)
{
    return setsockopt(fd, IPPROTO_SCTP, option, value, (socklen_t)size) == 0;
}

/* What shall be told of an association, and how it behaves. */
static void tune(int fd)
{
    struct sctp_event_subscribe events = {.sctp_association_event = 1, .sctp_shutdown_event = 1};
    struct sctp_initmsg init = {
        .sinit_num_ostreams = 1, .sinit_max_instreams = 1, .sinit_max_attempts = 8, .sinit_max_init_timeo = 1000};
    struct sctp_rtoinfo rto = {.srto_initial = 500, .srto_max = 5000, .srto_min = 200};
    struct sctp_assocparams association = {.sasoc_asocmaxrxt = 8};
    struct sctp_paddrparams path = {.spp_hbinterval = 5000, .spp_pathmaxrxt = 3, .spp_flags = SPP_HB_ENABLE};
    int on = 1, size = BUFFER;

    set(fd, SCTP_EVENTS, &events, sizeof events);
    set(fd, SCTP_INITMSG, &init, sizeof init);
    set(fd, SCTP_RTOINFO, &rto, sizeof rto);
    set(fd, SCTP_ASSOCINFO, &association, sizeof association);
    set(fd, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
    set(fd, SCTP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* more than any one message of ours */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

/* An IPv6 socket takes IPv4 addresses too; the other way round it cannot be. */
static int family_for(const struct address_list *addresses, int family)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (address_family(&addresses->at[i]) == AF_INET6)
            return AF_INET6;
    return family;
}

static int make_socket(int family, int type, bool six_only)
{
    int only = six_only;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);

    if (fd < 0)
        return -1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    tune(fd);
    return fd;
}

static size_t pack(const struct address *addresses, size_t count, uint8_t packed[sizeof(struct sockaddr_in6) * ADDRESS_LIST_MAX])
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        size_t length = address_family(&addresses[i]) == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

        memcpy(packed + size, &addresses[i].storage, length);
        size += length;
    }
    return size;
}

/* bind(2) to the first, and add the others. */
static bool bind_all(int fd, const struct address_list *addresses)
{
    uint8_t packed[sizeof(struct sockaddr_in6) * ADDRESS_LIST_MAX];
    struct address_list rest = *addresses;
    struct address first, ignored;

    if (addresses->count == 0)
        return true;
    if (bind(fd, (const struct sockaddr *)&addresses->at[0].storage, addresses->at[0].length) != 0)
        return false;
    address_of_socket(fd, &first, &ignored);
    for (size_t i = 1; i < rest.count; i++)
        address_set_port(&rest.at[i], address_port(&first));
    return rest.count == 1 ||
           set(fd, SCTP_SOCKOPT_BINDX_ADD, packed, pack(rest.at + 1, rest.count - 1, packed));
}

/* ---- Facts ---- */

static void get_addresses(int fd, int option, sctp_assoc_t id, struct address_list *addresses)
{
    union {
        struct sctp_getaddrs head;
        uint8_t bytes[sizeof(struct sctp_getaddrs) + 64 * sizeof(struct sockaddr_in6)];
    } got;
    socklen_t size = sizeof got;
    size_t at = offsetof(struct sctp_getaddrs, addrs);

    addresses->count = 0;
    memset(&got, 0, sizeof got);
    got.head.assoc_id = id;
    if (getsockopt(fd, IPPROTO_SCTP, option, &got, &size) != 0)
        return;
    for (uint32_t i = 0; i < got.head.addr_num && addresses->count < ADDRESS_LIST_MAX; i++) {
        struct address *address = &addresses->at[addresses->count];
        sa_family_t family;

        memcpy(&family, got.bytes + at, sizeof family);
        address->length = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        if (at + address->length > sizeof got) /* `size` is without the head, for one of the two options */
            return;
        memset(&address->storage, 0, sizeof address->storage);
        memcpy(&address->storage, got.bytes + at, address->length);
        at += address->length;
        addresses->count++;
    }
}

void sctp_kernel_addresses(int fd, struct address_list *addresses)
{
    get_addresses(fd, SCTP_GET_LOCAL_ADDRS, 0, addresses);
}

/* The addresses between which most goes first; all are in the lists. False: it is gone already. */
static bool describe(struct transport *transport, int fd, enum transport_setup setup)
{
    struct sctp_status status;
    socklen_t size = sizeof status;
    struct address towards;

    memset(&status, 0, sizeof status);
    if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &status, &size) != 0)
        return false;
    *transport = (struct transport){.kind = TRANSPORT_SCTP, .fd = fd, .setup = setup};
    get_addresses(fd, SCTP_GET_LOCAL_ADDRS, status.sstat_assoc_id, &transport->locals);
    get_addresses(fd, SCTP_GET_PEER_ADDRS, status.sstat_assoc_id, &transport->remotes);
    if (transport->locals.count == 0 || transport->remotes.count == 0)
        return false;
    transport->remote = transport->remotes.at[0];
    for (size_t i = 0; i < transport->remotes.count; i++) {
        struct address primary = {.length = transport->remotes.at[i].length};

        memcpy(&primary.storage, &status.sstat_primary.spinfo_address, sizeof primary.storage);
        if (address_same(&primary, &transport->remotes.at[i]))
            transport->remote = primary;
    }
    towards = address_towards(&transport->remote);
    transport->local = transport->locals.at[0];
    for (size_t i = 0; i < transport->locals.count; i++)
        if (address_same_host(&towards, &transport->locals.at[i]))
            transport->local = transport->locals.at[i];
    if (transport->locals.count == 1 && transport->remotes.count == 1)
        transport->locals.count = transport->remotes.count = 0;
    return true;
}

/* ---- Calling ---- */

struct attempt {
    int fd; /* -1: not begun, or over */
};

static bool begin(struct attempt *attempt, struct sctp_ways *ways, size_t number)
{
    const struct address *target = &ways->targets.at[number];

    ways->tried[number] = true;
    attempt->fd = make_socket(family_for(&ways->sources, address_family(target)), SOCK_STREAM, false);
    if (attempt->fd >= 0 && bind_all(attempt->fd, &ways->sources) &&
        (connect(attempt->fd, (const struct sockaddr *)&target->storage, target->length) == 0 || errno == EINPROGRESS))
        return true;
    ways->reasons[number] = errno;
    if (attempt->fd >= 0)
        close(attempt->fd);
    attempt->fd = -1;
    return false;
}

/* The attempt's socket has become ready: is it a connection? */
static bool conclude(struct attempt *attempt, int *reason, struct transport *transport)
{
    socklen_t length = sizeof *reason;
    int fd = attempt->fd;

    attempt->fd = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, reason, &length) != 0)
        *reason = errno;
    if (*reason == 0 && describe(transport, fd, TRANSPORT_ACTIVE))
        return true;
    if (*reason == 0)
        *reason = ECONNRESET;
    close(fd);
    return false;
}

/* Begin the next call when the last one is over, or has been silent for a while. False: all are over. */
static bool keep_calling(struct attempt *attempts, struct sctp_ways *ways, int64_t *next)
{
    bool pending = false;

    for (size_t i = 0; i < ways->targets.count; i++) {
        if (!ways->tried[i]) {
            if (pending && wait_now() < *next)
                return true;
            begin(&attempts[i], ways, i);
            *next = wait_until(NEXT_ADDRESS_MS);
        }
        pending = pending || attempts[i].fd >= 0;
    }
    *next = pending ? WAIT_FOREVER : *next;
    return pending;
}

enum sctp_outcome sctp_kernel_call(struct sctp_ways *ways, struct wait *wait, int64_t deadline, struct transport *transport)
{
    struct attempt attempts[ADDRESS_LIST_MAX];
    struct pollfd fds[ADDRESS_LIST_MAX];
    enum sctp_outcome outcome = SCTP_OUTCOME_OVER;
    size_t count = ways->targets.count;
    int64_t next = 0;

    for (size_t i = 0; i < count; i++)
        attempts[i].fd = -1;
    while (outcome == SCTP_OUTCOME_OVER && keep_calling(attempts, ways, &next)) {
        enum wait_result result;

        for (size_t i = 0; i < count; i++)
            fds[i] = (struct pollfd){.fd = attempts[i].fd, .events = POLLOUT};
        result = wait_for(wait, fds, count, next < deadline ? next : deadline);
        if (result == WAIT_SIGNALLED)
            outcome = SCTP_OUTCOME_SIGNAL;
        else if (result == WAIT_LATE && deadline <= wait_now())
            outcome = SCTP_OUTCOME_LATE;
        for (size_t i = 0; result == WAIT_READY && outcome == SCTP_OUTCOME_OVER && i < count; i++)
            if (attempts[i].fd >= 0 && fds[i].revents && conclude(&attempts[i], &ways->reasons[i], transport))
                outcome = SCTP_OUTCOME_UP;
    }
    for (size_t i = 0; i < count; i++)
        if (attempts[i].fd >= 0)
            close(attempts[i].fd);
    return outcome;
}

/* ---- Listening ---- */

static int listen_at(const struct address_list *addresses, int family, int type)
{
    int fd = make_socket(family_for(addresses, family == AF_INET ? AF_INET : AF_INET6), type, family == AF_INET6), reason;

    if (fd < 0 && family == AF_UNSPEC && addresses->count == 0)
        fd = make_socket(AF_INET, type, false);
    if (fd >= 0 && bind_all(fd, addresses) && listen(fd, SOMAXCONN) == 0)
        return fd;
    reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return -1;
}

int sctp_kernel_listen(const struct address_list *addresses, int family)
{
    return listen_at(addresses, family, SOCK_STREAM);
}

enum sctp_outcome sctp_kernel_next(int listener, struct transport *transport)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
            return SCTP_OUTCOME_ERROR;
        if (fd < 0)
            return SCTP_OUTCOME_LATE;
        tune(fd);
        if (describe(transport, fd, TRANSPORT_PASSIVE))
            return SCTP_OUTCOME_UP;
        close(fd); /* it has gone already */
    }
}

enum sctp_outcome sctp_kernel_accept(int listener, struct wait *wait, int64_t deadline, struct transport *transport)
{
    for (;;) {
        struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
        enum sctp_outcome outcome;

        switch (wait_for(wait, &poll_fd, 1, deadline)) {
        case WAIT_SIGNALLED:
            return SCTP_OUTCOME_SIGNAL;
        case WAIT_LATE:
            return SCTP_OUTCOME_LATE;
        case WAIT_READY:
            break;
        }
        outcome = sctp_kernel_next(listener, transport);
        if (outcome != SCTP_OUTCOME_LATE)
            return outcome;
    }
}

/* ---- Meeting ---- */

int sctp_kernel_meeting_place(const struct address_list *sources, int family)
{
    return listen_at(sources, family, SOCK_SEQPACKET);
}

/* What we call is what we are bound to. */
static bool is_ours(int place, const struct sctp_ways *ways)
{
    struct address_list ours;

    sctp_kernel_addresses(place, &ours);
    for (size_t i = 0; i < ours.count; i++)
        for (size_t j = 0; j < ways->targets.count; j++)
            if (address_same(&ours.at[i], &ways->targets.at[j]))
                return true;
    return false;
}

/* Call all addresses of the peer: it is one host. */
static bool call_all(int place, struct sctp_ways *ways)
{
    uint8_t packed[sizeof(struct sockaddr_in6) * ADDRESS_LIST_MAX];
    size_t size = pack(ways->targets.at, ways->targets.count, packed);

    for (size_t i = 0; i < ways->targets.count; i++)
        ways->tried[i] = true;
    return setsockopt(place, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, packed, (socklen_t)size) >= 0 || errno == EINPROGRESS ||
           errno == EALREADY || errno == EISCONN;
}

static void reject(int place, sctp_assoc_t id)
{
    union {
        char bytes[CMSG_SPACE(sizeof(struct sctp_sndinfo))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct msghdr message = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct sctp_sndinfo how = {.snd_flags = SCTP_ABORT, .snd_assoc_id = id};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = IPPROTO_SCTP;
    header->cmsg_type = SCTP_SNDINFO;
    header->cmsg_len = CMSG_LEN(sizeof how);
    memcpy(CMSG_DATA(header), &how, sizeof how);
    sendmsg(place, &message, MSG_NOSIGNAL);
}

/* An association has come about: a socket of its own, if it is the peer's. */
static bool take(int place, sctp_assoc_t id, struct sctp_ways *ways, struct transport *transport)
{
    sctp_peeloff_flags_arg_t peel = {.p_arg = {.associd = id}, .flags = SOCK_NONBLOCK | SOCK_CLOEXEC};
    socklen_t size = sizeof peel;
    struct address_list came;
    bool known = false;
    int fd;

    get_addresses(place, SCTP_GET_PEER_ADDRS, id, &came);
    for (size_t i = 0; i < came.count; i++)
        for (size_t j = 0; j < ways->targets.count; j++)
            known = known || address_same_host(&came.at[i], &ways->targets.at[j]);
    if (!known) {
        ways->strangers += came.count > 0;
        reject(place, id);
        return false;
    }
    fd = getsockopt(place, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF_FLAGS, &peel, &size);
    if (fd < 0)
        return false;
    tune(fd);
    if (describe(transport, fd, TRANSPORT_SIMULTANEOUS))
        return true;
    close(fd);
    return false;
}

static int64_t soon(void)
{
    uint8_t random = 0;

    return getrandom(&random, sizeof random, 0) == sizeof random ? wait_until(AGAIN_MS + random * 200 / 255) : wait_until(AGAIN_MS);
}

enum sctp_outcome sctp_kernel_meet(int place, struct sctp_ways *ways, struct wait *wait, int64_t deadline,
                                   struct transport *transport)
{
    int64_t again = 0, called = 0;

    if (is_ours(place, ways))
        return SCTP_OUTCOME_SELF;
    for (;;) {
        struct pollfd poll_fd = {.fd = place, .events = POLLIN};
        union sctp_notification notification;
        struct iovec part = {.iov_base = &notification, .iov_len = sizeof notification};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        const struct sctp_assoc_change *change = &notification.sn_assoc_change;
        enum wait_result result;

        if (again <= wait_now()) {
            called = wait_now();
            again = WAIT_FOREVER;
            if (!call_all(place, ways)) {
                ways->reasons[0] = errno;
                again = soon();
            }
        }
        result = wait_for(wait, &poll_fd, 1, again < deadline ? again : deadline);
        if (result == WAIT_SIGNALLED)
            return SCTP_OUTCOME_SIGNAL;
        if (result == WAIT_LATE && deadline <= wait_now())
            return SCTP_OUTCOME_LATE;
        if (result != WAIT_READY || recvmsg(place, &message, 0) < (ssize_t)sizeof *change ||
            !(message.msg_flags & MSG_NOTIFICATION) || notification.sn_header.sn_type != SCTP_ASSOC_CHANGE)
            continue;
        if (change->sac_state == SCTP_COMM_UP || change->sac_state == SCTP_RESTART) {
            if (take(place, change->sac_assoc_id, ways, transport))
                return SCTP_OUTCOME_UP;
        } else if (change->sac_state == SCTP_CANT_STR_ASSOC) {
            ways->reasons[0] = wait_now() - called < SILENCE_MS ? ECONNREFUSED : ETIMEDOUT;
            again = soon();
        } else if (again == WAIT_FOREVER) {
            again = soon(); /* it came, and went before we had looked */
        }
    }
}
