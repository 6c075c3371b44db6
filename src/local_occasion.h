/* local_occasion.h - the session that the plain side is opened for: what a program or a target may want to know of it. */
#ifndef SYMTLS_LOCAL_OCCASION_H
#define SYMTLS_LOCAL_OCCASION_H

#include "facts.h"
#include "transport.h"

struct local_occasion {
    const struct facts *facts;
    const struct transport *transport;
};

#endif
