/* sctp_stack.c - libusrsctp as we want it. */
#include "sctp_stack.h"
#include "sctp_library.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
    BUFFER = 1 << 20,
    FAILURES = 8, /* in a row, before a peer is given up: 13 s when there is data, a minute else */
    GUARD_S = 60  /* our own limits for the end are in sctp_stream.c; the library's is 10 s, and where INITs were lost, what is
                   * lost next may be repeated only after that: it takes all of their time for one round trip */
};

void sctp_stack_start(sctp_stack_output *output)
{
    usrsctp.init_nothreads(0, output, NULL);
    usrsctp.sysctl_set_sctp_ecn_enable(0);
    usrsctp.sysctl_set_sctp_asconf_enable(0);
    usrsctp.sysctl_set_sctp_auth_enable(0);
    usrsctp.sysctl_set_sctp_pr_enable(0);
    usrsctp.sysctl_set_sctp_reconfig_enable(0);
    usrsctp.sysctl_set_sctp_nrsack_enable(0);
    usrsctp.sysctl_set_sctp_pktdrop_enable(0);
    usrsctp.sysctl_set_sctp_no_csum_on_loopback(0);
    usrsctp.sysctl_set_sctp_shutdown_guard_time_default(GUARD_S);
}

static struct sockaddr_conn conn(uint64_t key, uint16_t port)
{
    return (struct sockaddr_conn){.sconn_family = AF_CONN, .sconn_port = htons(port), .sconn_addr = (void *)(uintptr_t)key};
}

static bool set(struct socket *sctp, int level, int option, const void *value, size_t size)
{
    return usrsctp.setsockopt(sctp, level, option, value, (socklen_t)size) == 0;
}

struct socket *sctp_stack_socket(uint16_t port)
{
    static const uint16_t events[] = {SCTP_ASSOC_CHANGE, SCTP_SHUTDOWN_EVENT};
    /* When both call, the library goes on counting the failures of its own call in the association: let it have few. Once it
     * holds the path to be down it sends nothing before a heartbeat has come back. */
    struct sctp_initmsg init = {
        .sinit_num_ostreams = 1, .sinit_max_instreams = 1, .sinit_max_attempts = 3, .sinit_max_init_timeo = 1000};
    struct sctp_rtoinfo rto = {.srto_initial = 500, .srto_max = 2000, .srto_min = 200};
    struct sctp_assocparams association = {.sasoc_asocmaxrxt = FAILURES};
    struct sctp_paddrparams path = {.spp_hbinterval = 5000,
                                    .spp_pathmtu = SCTP_STACK_PACKET_MAX,
                                    .spp_pathmaxrxt = FAILURES, /* there is no other path */
                                    .spp_flags = SPP_HB_ENABLE | SPP_PMTUD_DISABLE};
    struct sockaddr_conn any = conn(0, port);
    int on = 1, size = BUFFER;
    struct socket *sctp = usrsctp.socket(AF_CONN, SOCK_SEQPACKET, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    bool good = sctp != NULL;

    path.spp_address.ss_family = AF_CONN;
    good = good && usrsctp.set_non_blocking(sctp, 1) == 0 && set(sctp, IPPROTO_SCTP, SCTP_INITMSG, &init, sizeof init) &&
           set(sctp, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto) &&
           set(sctp, IPPROTO_SCTP, SCTP_ASSOCINFO, &association, sizeof association) &&
           set(sctp, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path) &&
           set(sctp, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on) && set(sctp, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) &&
           set(sctp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (size_t i = 0; good && i < sizeof events / sizeof *events; i++) {
        struct sctp_event event = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = events[i], .se_on = 1};

        good = set(sctp, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
    }
    if (good && usrsctp.bind(sctp, (struct sockaddr *)&any, sizeof any) == 0)
        return sctp;
    if (sctp)
        sctp_stack_abort(sctp);
    return NULL;
}

bool sctp_stack_call(struct socket *sctp, uint64_t key, uint16_t port)
{
    struct sockaddr_conn to = conn(key, port);

    return usrsctp.connect(sctp, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS || errno == EALREADY ||
           errno == EISCONN;
}

uint16_t sctp_stack_peer_port(struct socket *sctp)
{
    struct sockaddr *peer = NULL;
    uint16_t port = 0;

    if (usrsctp.getpaddrs(sctp, 0, &peer) > 0 && peer->sa_family == AF_CONN)
        port = ntohs(((struct sockaddr_conn *)peer)->sconn_port);
    if (peer)
        usrsctp.freepaddrs(peer);
    return port;
}

/* SCTP_STATUS (RFC 6458 section 8.2.1) tells of packets that were sent, but not of what waits to be: its sstat_penddata is here
 * what has come in. This option is no part of the library's public header. */
enum { GET_SNDBUF_USE = 0x1101 };

struct usage { /* its sctp_sockstat */
    sctp_assoc_t association;
    uint32_t to_send; /* bytes, and a header for each chunk that was sent */
    uint32_t to_receive;
};

enum { CHUNK_HEADER = 16 }; /* of DATA (RFC 9260 section 3.3.1) */

size_t sctp_stack_unacknowledged(struct socket *sctp)
{
    struct usage usage = {.association = 0};
    struct sctp_status status;
    socklen_t usage_size = sizeof usage, status_size = sizeof status;
    size_t headers;

    memset(&status, 0, sizeof status);
    if (usrsctp.getsockopt(sctp, IPPROTO_SCTP, GET_SNDBUF_USE, &usage, &usage_size) != 0 ||
        usrsctp.getsockopt(sctp, IPPROTO_SCTP, SCTP_STATUS, &status, &status_size) != 0)
        return 0;
    headers = (size_t)status.sstat_unackdata * CHUNK_HEADER;
    return usage.to_send > headers ? usage.to_send - headers : 0;
}

void sctp_stack_abort(struct socket *sctp)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    set(sctp, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    usrsctp.close(sctp);
}
