/* local_target.h - a service that the session is led on to: connected to once the peer is accepted. */
#ifndef SYMTLS_LOCAL_TARGET_H
#define SYMTLS_LOCAL_TARGET_H

#include <stdbool.h>

#include "error.h"
#include "local_occasion.h"
#include "wait.h"

/* Where it is: a TCP port, or a UNIX socket. */
struct local_target {
    const char *name; /* as the user wrote it */
    const char *host; /* TCP */
    const char *port;
    const char *path; /* UNIX; else NULL */
    bool numeric;     /* ask no name server */
    int wait_ms;      /* -1: no limit */
    bool send_proxy;  /* begin with a header of the PROXY protocol */
};

/* A connected, non-blocking socket. -1 with an error, or with wait->signal set. */
int local_target_connect(const struct local_target *target, const struct local_occasion *occasion, struct wait *wait,
                         struct error *error);

#endif
