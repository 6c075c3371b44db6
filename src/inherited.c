/* inherited.c - descriptors that whoever started us has passed on. */
#include "inherited.h"
#include "tcp.h"
#include "udp.h"
#include "unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST = 3 /* SD_LISTEN_FDS_START */ };

/* A plain number from the environment; 0: there is none. */
static unsigned long number(const char *name)
{
    const char *text = getenv(name);

    return text && *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10 ? strtoul(text, NULL, 10) : 0;
}

unsigned inherited_count(void)
{
    return number("LISTEN_PID") == (unsigned long)getpid() ? (unsigned)number("LISTEN_FDS") : 0;
}

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* NULL: it is as it should be. */
static const char *wrong_listener(int fd, bool datagrams)
{
    int domain = option_of(fd, SO_DOMAIN);

    if (fcntl(fd, F_GETFD) < 0)
        return "it is not open";
    if (option_of(fd, SO_TYPE) != (datagrams ? SOCK_DGRAM : SOCK_STREAM))
        return datagrams ? "it is no UDP socket" : "it is no stream socket (with -u: a UDP socket)";
    if (domain != AF_INET && domain != AF_INET6 && (datagrams || domain != AF_UNIX))
        return "it is of a kind that is not known here";
    return datagrams || option_of(fd, SO_ACCEPTCONN) == 1 ? NULL : "it does not listen; a connection goes with --fd";
}

bool inherited_listeners(bool datagrams, struct listeners *listeners, struct error *error)
{
    unsigned count = inherited_count();

    *listeners = (struct listeners){.count = 0};
    if (count > ADDRESS_LIST_MAX) {
        error_set(error, STATUS_LOCAL, "LISTEN_FDS: %u sockets are more than the %d that can be listened on", count, ADDRESS_LIST_MAX);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        int fd = FIRST + (int)i;
        const char *wrong = wrong_listener(fd, datagrams);
        struct address ignored;

        if (wrong) {
            error_set(error, STATUS_LOCAL, "LISTEN_FDS: descriptor %d is of no use: %s", fd, wrong);
            return false;
        }
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        if (datagrams)
            udp_adopt(fd);
        listeners->fds[i] = fd;
        address_of_socket(fd, &listeners->local[i], &ignored);
        listeners->count++;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return true;
}

/* ---- A connection ---- */

bool inherited_check(int fd, struct error *error)
{
    struct address local, remote;
    const char *wrong = NULL;
    int domain = option_of(fd, SO_DOMAIN);

    address_of_socket(fd, &local, &remote);
    if (fcntl(fd, F_GETFD) < 0)
        wrong = "it is not open";
    else if (option_of(fd, SO_TYPE) != SOCK_STREAM || (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX))
        wrong = "it is no stream socket";
    else if (option_of(fd, SO_ACCEPTCONN) == 1)
        wrong = "it listens, and is no connection";
    else if (remote.length == 0)
        wrong = "it is not connected, or not any more";
    if (wrong)
        error_set(error, STATUS_LOCAL, "--fd %d: %s", fd, wrong);
    return !wrong;
}

bool inherited_is_same(int fd, int other)
{
    struct stat one, two;

    return fstat(fd, &one) == 0 && fstat(other, &two) == 0 && S_ISSOCK(one.st_mode) && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

void inherited_silence(int fd)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nothing >= 0 && inherited_is_same(fd, STDERR_FILENO))
        dup2(nothing, STDERR_FILENO);
    if (nothing >= 0)
        close(nothing);
}

bool inherited_connection(int fd, enum transport_setup setup, struct transport *transport, struct error *error)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3), nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool taken = own >= 0 && nothing >= 0;

    for (int i = 0; taken && i < 3; i++)
        if (inherited_is_same(own, i))
            taken = dup2(nothing, i) == i;
    if (taken) {
        if (fd > 2)
            close(fd);
        tcp_tune(own);
        tcp_describe(transport, own, setup);
        if (address_family(&transport->local) == AF_UNIX)
            unixsock_describe(transport, own, setup);
    } else {
        error_set(error, STATUS_LOCAL, "--fd %d: %s", fd, strerror(errno));
        if (own >= 0)
            close(own);
    }
    if (nothing >= 0)
        close(nothing);
    return taken;
}
