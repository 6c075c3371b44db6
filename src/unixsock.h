/* unixsock.h - UNIX sockets: called and awaited, for the peer as well as for what is local.
 *
 * A path is a place where others may have put something. What is no socket, or somebody else's, is never touched; a socket of ours is
 * replaced only if nobody listens there any more; and in the end only the one that we have made is removed. */
#ifndef SYMTLS_UNIXSOCK_H
#define SYMTLS_UNIXSOCK_H

#include <sys/types.h>

#include "listeners.h"
#include "transport.h"

/* A path that we have made a socket at. A zeroed struct is none. */
struct unixsock_place {
    const char *path; /* borrowed; NULL: none */
    dev_t device;
    ino_t inode;
};

/* Listen there: one socket in `listeners`, which only our own user may connect to (mode 0600, or less by the umask). False with an
 * error. */
bool unixsock_listen(const char *path, struct listeners *listeners, struct unixsock_place *place, struct error *error);

/* Remove it, if it is still the one that we have made. */
void unixsock_remove(struct unixsock_place *place);

/* Connect; where nobody listens, again as the configuration says, whose host is the path. False with an error, or with wait->signal
 * set. */
bool unixsock_connect(const struct transport_config *config, struct wait *wait, struct transport *transport, struct error *error);

/* Fill the transport for this connection. A socket without a name is called by its user's number. */
void unixsock_describe(struct transport *transport, int fd, enum transport_setup setup);

#endif
