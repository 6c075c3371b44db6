/* sctp_ways.h - whom to call with SCTP, from where, and what came of it: what sctp.c and those who do it have in common. */
#ifndef SYMTLS_SCTP_WAYS_H
#define SYMTLS_SCTP_WAYS_H

#include "address.h"

/* The addresses of the peer, and of ours (none: any). */
struct sctp_ways {
    struct address_list targets, sources;
    int reasons[ADDRESS_LIST_MAX]; /* errno: why nothing came of that target. 0: no answer */
    bool tried[ADDRESS_LIST_MAX];
    unsigned strangers; /* whom we turned away */
};

enum sctp_outcome {
    SCTP_OUTCOME_UP,     /* the transport is filled */
    SCTP_OUTCOME_OVER,   /* nothing came of any target */
    SCTP_OUTCOME_LATE,
    SCTP_OUTCOME_SIGNAL,
    SCTP_OUTCOME_SELF,   /* the one that we called was us */
    SCTP_OUTCOME_ERROR   /* which is told already, or is in errno where there is no error to tell it */
};

#endif
