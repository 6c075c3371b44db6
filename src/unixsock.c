/* unixsock.c - UNIX sockets: called and awaited. */
#include "unixsock.h"
#include "text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FULL_MS = 20 /* after which we knock again where too many wait already */ };

/* ---- Listening ---- */

/* Does anybody have that socket? 0: yes; ECONNREFUSED: not any more. It is asked with the wrong type of socket: a connection would be a
 * caller to whoever is there, and perhaps the only one that is taken. */
static int knock(const struct address *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), reason = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address->storage, address->length) != 0)
        reason = errno;
    if (fd >= 0)
        close(fd);
    return reason == EPROTOTYPE ? 0 : reason;
}

/* What is at the path has to go, or we do. False with an error. */
static bool make_room(const char *path, const struct address *address, struct error *error)
{
    struct stat before, now;
    int reason;

    if (lstat(path, &before) != 0)
        return true; /* there is nothing; or bind(2) will say what is wrong */
    if (!S_ISSOCK(before.st_mode)) {
        error_set(error, STATUS_LOCAL, "\"%s\" is there, and is no socket: it is left alone", path);
        return false;
    }
    if (before.st_uid != geteuid()) {
        error_set(error, STATUS_LOCAL, "the socket \"%s\" is somebody else's (user %u): it is left alone", path, before.st_uid);
        return false;
    }
    reason = knock(address);
    if (reason == ECONNREFUSED && lstat(path, &now) == 0 && now.st_dev == before.st_dev && now.st_ino == before.st_ino &&
        unlink(path) == 0)
        return true;
    if (reason == 0)
        error_set(error, STATUS_NETWORK, "somebody listens on \"%s\" already", path);
    else
        error_set(error, STATUS_LOCAL, "the socket \"%s\" cannot be replaced: %s", path, transport_reason(reason));
    return false;
}

/* For ourselves alone, from its very beginning. */
static bool bind_privately(int fd, const struct address *address)
{
    mode_t before = umask(0177);
    bool bound;
    int reason;

    umask(before | 0177);
    bound = bind(fd, (const struct sockaddr *)&address->storage, address->length) == 0;
    reason = errno;
    umask(before);
    errno = reason;
    return bound;
}

bool unixsock_listen(const char *path, struct listeners *listeners, struct unixsock_place *place, struct error *error)
{
    struct address address;
    struct stat made;
    int fd;

    *listeners = (struct listeners){.count = 0};
    *place = (struct unixsock_place){.path = NULL};
    address_of_path(&address, path);
    if (!make_room(path, &address, error))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !bind_privately(fd, &address) || lstat(path, &made) != 0) {
        error_set(error, STATUS_LOCAL, "cannot listen on \"%s\": %s", path, transport_reason(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    *place = (struct unixsock_place){.path = path, .device = made.st_dev, .inode = made.st_ino};
    listeners->local[0] = address;
    listeners->fds[0] = fd;
    listeners->count = 1;
    if (listen(fd, SOMAXCONN) == 0)
        return true;
    error_set(error, STATUS_LOCAL, "cannot listen on \"%s\": %s", path, transport_reason(errno));
    unixsock_remove(place);
    listeners_close(listeners);
    return false;
}

void unixsock_remove(struct unixsock_place *place)
{
    struct stat now;

    if (place->path && lstat(place->path, &now) == 0 && now.st_dev == place->device && now.st_ino == place->inode)
        unlink(place->path);
    place->path = NULL;
}

/* ---- Connections ---- */

static void name_after_user(struct address *address, uid_t user)
{
    char text[32];

    snprintf(text, sizeof text, "uid:%u", user);
    address_of_path(address, text);
}

void unixsock_describe(struct transport *transport, int fd, enum transport_setup setup)
{
    struct ucred who;
    socklen_t size = sizeof who;

    *transport = (struct transport){.kind = TRANSPORT_UNIX, .fd = fd, .setup = setup};
    address_of_socket(fd, &transport->local, &transport->remote);
    if (!address_is_named(&transport->remote) && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0)
        name_after_user(&transport->remote, who.uid);
    if (!address_is_named(&transport->local))
        name_after_user(&transport->local, geteuid());
}

/* It is a connection at once, or never will be; unless too many wait there already. 0, or errno. */
static int try_once(const struct address *address, struct wait *wait, int64_t deadline, struct transport *transport)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), reason = errno;

    while (fd >= 0 && connect(fd, (const struct sockaddr *)&address->storage, address->length) != 0) {
        reason = errno;
        if (reason == EAGAIN && wait_now() < deadline && wait_for(wait, NULL, 0, wait_until(FULL_MS)) != WAIT_SIGNALLED)
            continue;
        close(fd);
        return reason;
    }
    if (fd < 0)
        return reason;
    unixsock_describe(transport, fd, TRANSPORT_ACTIVE);
    return 0;
}

static void tell_failure(const struct transport_config *config, int reason, struct error *error)
{
    bool nobody = reason == ECONNREFUSED || reason == ENOENT;

    error_set(error, STATUS_NETWORK, "cannot connect to \"%s\": %s%s%s", config->host, transport_reason(reason),
              nobody ? "; nobody listens there" : "", nobody && !config->is_once ? " (yet: --retry would wait for the peer)" : "");
}

bool unixsock_connect(const struct transport_config *config, struct wait *wait, struct transport *transport, struct error *error)
{
    char duration[TEXT_DURATION_SIZE];
    struct address address;
    int failures = 0;

    address_of_path(&address, config->host);
    do {
        int reason = try_once(&address, wait, wait_until(config->wait_ms), transport);

        if (reason == 0)
            return true;
        if (wait->signal)
            return false;
        if (reason == EAGAIN)
            error_set(error, STATUS_TIME, "time ran out while connecting to \"%s\" (-w %s): too many wait there already", config->host,
                      text_from_duration(duration, config->wait_ms));
        else
            tell_failure(config, reason, error);
    } while (transport_try_again(config, failures++, wait, error));
    return false;
}
