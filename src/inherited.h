/* inherited.h - descriptors that whoever started us has passed on: by number (inetd), or as LISTEN_FDS (sd_listen_fds(3)). */
#ifndef SYMTLS_INHERITED_H
#define SYMTLS_INHERITED_H

#include <stdbool.h>

#include "error.h"
#include "listeners.h"
#include "transport.h"

/* How many listening descriptors were passed to this very process; 0: none. */
unsigned inherited_count(void);

/* Take them: streams that listen, or with `datagrams` UDP sockets. No program that we start will take them for its own. False
 * with an error. */
bool inherited_listeners(bool datagrams, struct listeners *listeners, struct error *error);

/* Is it an open, connected stream? False with an error. */
bool inherited_check(int fd, struct error *error);

/* The same connection as on `fd`? */
bool inherited_is_same(int fd, int other);

/* If stderr is that connection, as with inetd, it is /dev/null from now on: sentences would be in the way of the session. */
void inherited_silence(int fd);

/* Take the connection: it gets a number beyond those of stdin, stdout and stderr. Whichever of these was the same connection is
 * /dev/null from now on, so that nothing but the session speaks on it. False with an error. */
bool inherited_connection(int fd, enum transport_setup setup, struct transport *transport, struct error *error);

#endif
