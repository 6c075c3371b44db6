/* resolve.h - names to addresses, without losing the ears for a deadline or a signal. */
#ifndef SYMTLS_RESOLVE_H
#define SYMTLS_RESOLVE_H

#include "address.h"
#include "error.h"
#include "wait.h"

struct resolve_query {
    const char *host;    /* NULL: the wildcard, to listen on */
    const char *service; /* a port number or a service's name */
    int family;          /* AF_UNSPEC, AF_INET, AF_INET6 */
    bool numeric;        /* ask no name server */
    bool passive;        /* addresses of ours, to bind to */
};

/* Fill the list, in the order in which they should be tried. False with an error: STATUS_NETWORK (no such name), STATUS_LOCAL
 * (no such service), STATUS_TIME; or wait->signal is set. */
bool resolve(const struct resolve_query *query, struct wait *wait, int64_t deadline, struct address_list *list,
             struct error *error);

#endif
