/* sctp_user.c - our end of the process that does SCTP in UDP. */
#include "sctp_user.h"
#include "confine.h"
#include "fdpass.h"
#ifdef HAVE_USRSCTP
#include "sctp_library.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 500, STOP_MS = 10000, UDP_BUFFER = 1 << 20 };

static const size_t shared_size = SCTP_STREAMS_MAX * sizeof(struct transport_progress);

bool sctp_user_is_built_in(void)
{
#ifdef HAVE_USRSCTP
    return true;
#else
    return false;
#endif
}

#ifdef HAVE_USRSCTP

/* Nothing of ours goes with it but its descriptor, which becomes number 3. */
static bool let_go(int control)
{
    int nothing = open("/dev/null", O_RDWR);

    if (nothing < 0 || control < 3)
        return false;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(nothing, fd) < 0)
            return false;
    if (control != 3 && dup2(control, 3) < 0)
        return false;
    closefrom(4);
    return true;
}

/* A ^C is for the session to deal with: this process ends when its descriptors do. */
static void be_deaf(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t mine;

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_IGN);
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&mine);
    sigprocmask(SIG_SETMASK, &mine, NULL);
}

static bool start_process(struct sctp_user *user)
{
    void *shared = mmap(NULL, shared_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2] = {-1, -1}, raised;

    if (shared == MAP_FAILED)
        return false;
    user->progress = shared;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    /* Even where stdin is closed. */
    raised = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    close(ends[1]);
    user->control = ends[0];
    user->pid = raised < 0 ? -1 : fork();
    if (user->pid == 0) {
        prctl(PR_SET_NAME, "symtls-sctp");
        be_deaf();
        if (let_go(raised) && confine())
            sctp_process_run(3, user->progress);
        _exit(1);
    }
    if (raised >= 0)
        close(raised);
    return user->pid > 0;
}

#endif

bool sctp_user_prepare(struct sctp_user *user, struct error *error)
{
    *user = (struct sctp_user){.control = -1, .pid = -1};
#ifdef HAVE_USRSCTP
    if (!sctp_library_load(error))
        return false;
    if (start_process(user))
        return true;
    error_set(error, STATUS_LOCAL, "cannot start the process for SCTP: %s", strerror(errno));
    sctp_user_leave(user);
#else
    error_set(error, STATUS_LOCAL, "symtls was built without user-space SCTP");
#endif
    return false;
}

void sctp_user_leave(struct sctp_user *user)
{
    if (user->control > 0)
        close(user->control);
    user->control = -1;
    user->pid = -1;
}

void sctp_user_free(struct sctp_user *user)
{
    struct pollfd poll_fd = {.fd = user->control, .events = POLLIN};
    struct sctp_news rest;
    int64_t deadline = wait_until(END_MS);
    bool ends = false; /* it keeps its end of `control` until then */

    if (user->control > 0) {
        shutdown(user->control, SHUT_WR);
        /* So that its port is free when we are gone. It may have more to do, and then it does that by itself. */
        while (!ends && wait_now() < deadline && poll(&poll_fd, 1, (int)(deadline - wait_now())) > 0)
            ends = recv(user->control, &rest, sizeof rest, MSG_DONTWAIT) <= 0;
        waitpid(user->pid, NULL, ends ? 0 : WNOHANG);
    }
    if (user->progress)
        munmap(user->progress, shared_size);
    user->progress = NULL;
    sctp_user_leave(user);
}

/* ---- UDP ---- */

static bool bind_udp(int fd, const struct address *local, int family)
{
    int on = 1, size = UDP_BUFFER, six_only = family == AF_INET6;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on); /* what ICMP says */
    if (address_family(local) == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, sizeof six_only);
    }
    return bind(fd, (const struct sockaddr *)&local->storage, local->length) == 0;
}

static struct address any(int family)
{
    struct address address = {.length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)};

    address.storage.ss_family = (sa_family_t)family;
    return address;
}

int sctp_user_socket(const struct address *local, int family, uint16_t port, struct error *error)
{
    struct address address = local->length ? *local : any(family == AF_INET ? AF_INET : AF_INET6);
    char text[ADDRESS_TEXT_SIZE];
    int fd = socket(address_family(&address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 && errno == EAFNOSUPPORT && !local->length && family == AF_UNSPEC) {
        address = any(AF_INET);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    address_set_port(&address, port);
    if (fd >= 0 && bind_udp(fd, &address, local->length ? address_family(local) : family))
        return fd;
    error_set(error, STATUS_NETWORK, "cannot listen on %s: %s%s", address_text(&address, text), strerrordesc_np(errno),
              errno == EADDRINUSE ? "; --sctp-udp=LOCAL:REMOTE takes other ports" : "");
    if (fd >= 0)
        close(fd);
    return -1;
}

struct address sctp_user_local(int udp, const struct address *remote)
{
    struct address bound, nobody, wildcard;

    address_of_socket(udp, &bound, &nobody);
    wildcard = any(address_family(&bound) == AF_INET ? AF_INET : AF_INET6);
    return address_same_host(&bound, &wildcard) ? address_towards(remote) : bound;
}

/* ---- Jobs ---- */

static bool tell(struct sctp_user *user, struct sctp_job *job, int udp)
{
    job->number = ++user->number;
    return fdpass_send(user->control, job, sizeof *job, udp, 0);
}

static void tell_death(struct sctp_user *user, struct error *error)
{
    int status = 0;

    if (waitpid(user->pid, &status, WNOHANG) == user->pid && WIFSIGNALED(status))
        error_set(error, STATUS_NETWORK, "the process that does SCTP in UDP was ended by signal %d", WTERMSIG(status));
    else
        error_set(error, STATUS_NETWORK, "the process that does SCTP in UDP has ended");
}

/* An IPv4 address, as a socket for both knows it. */
static void map(struct address *address)
{
    struct sockaddr_in four;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->storage;

    if (address_family(address) != AF_INET)
        return;
    memcpy(&four, &address->storage, sizeof four);
    memset(&address->storage, 0, sizeof address->storage);
    six->sin6_family = AF_INET6;
    six->sin6_port = four.sin_port;
    six->sin6_addr.s6_addr[10] = six->sin6_addr.s6_addr[11] = 0xff;
    memcpy(six->sin6_addr.s6_addr + 12, &four.sin_addr, 4);
    address->length = sizeof *six;
}

bool sctp_user_start(struct sctp_user *user, struct sctp_job *job, int udp, struct error *error)
{
    int family = 0;
    socklen_t size = sizeof family;

    if (getsockopt(udp, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_INET6)
        for (size_t i = 0; i < job->targets.count; i++)
            map(&job->targets.at[i]);
    if (tell(user, job, udp))
        return true;
    tell_death(user, error);
    return false;
}

enum wait_result sctp_user_next(struct sctp_user *user, const struct sctp_job *job, struct wait *wait, int64_t deadline,
                                struct sctp_news *news, struct transport *transport, struct error *error)
{
    struct pollfd poll_fd = {.fd = user->control, .events = POLLIN};
    int fd;

    for (;;) {
        enum wait_result result = wait_for(wait, &poll_fd, 1, deadline);

        if (result != WAIT_READY)
            return result;
        if (!fdpass_receive(user->control, news, sizeof *news, &fd)) {
            if (errno == EAGAIN || errno == EINTR)
                continue;
            tell_death(user, error);
            return WAIT_READY;
        }
        if (news->number == job->number && (news->kind == SCTP_NEWS_UP ? fd >= 0 && news->slot < SCTP_STREAMS_MAX
                                                                       : news->target < ADDRESS_LIST_MAX))
            break;
        if (fd >= 0)
            close(fd); /* of a job that is over */
    }
    if (news->kind == SCTP_NEWS_UP) {
        transport->kind = TRANSPORT_SCTP_IN_UDP;
        transport->fd = fd;
        transport->progress = &user->progress[news->slot];
        transport->remote = news->remote;
        address_set_port(&transport->remote, news->remote_port);
        transport->local.length = 0;
    } else if (fd >= 0) {
        close(fd);
    }
    return WAIT_READY;
}

void sctp_user_stop(struct sctp_user *user)
{
    struct sctp_job job = {.task = SCTP_TASK_STOP};
    struct pollfd poll_fd = {.fd = user->control, .events = POLLIN};
    struct sctp_news news = {.kind = SCTP_NEWS_FAILED};
    int64_t deadline = wait_until(STOP_MS);
    int fd;

    if (user->control < 0 || !tell(user, &job, -1))
        return;
    while (news.kind != SCTP_NEWS_STOPPED && wait_now() < deadline && poll(&poll_fd, 1, (int)(deadline - wait_now())) > 0) {
        if (!fdpass_receive(user->control, &news, sizeof news, &fd))
            return;
        if (fd >= 0)
            close(fd);
    }
}
