/* sctp_ways.h - whom to call with SCTP, from where, and what came of it: what sctp.c and those who do it have in common. */
#ifndef SYMTLS_SCTP_WAYS_H
#define SYMTLS_SCTP_WAYS_H

#include "transport.h"

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

/* What came of each target, in one line. */
void sctp_ways_list(const struct sctp_ways *ways, char *list, size_t size);

/* The same, to the user of two ends that have not met yet. */
void sctp_ways_tell_waiting(const struct transport_config *config, const struct sctp_ways *ways);

#endif
