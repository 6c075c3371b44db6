/* sctp_kernel.h - the kernel's SCTP: called, awaited, met. For sctp.c, which says what comes of it. */
#ifndef SYMTLS_SCTP_KERNEL_H
#define SYMTLS_SCTP_KERNEL_H

#include "sctp_ways.h"
#include "transport.h"

bool sctp_kernel_is_there(void);

enum sctp_outcome sctp_kernel_call(struct sctp_ways *ways, struct wait *wait, int64_t deadline, struct transport *transport);

/* A listening socket at all these addresses, one port. -1 with errno. */
int sctp_kernel_listen(const struct address_list *addresses, int family);

/* Who has come: SCTP_OUTCOME_LATE is nobody, SCTP_OUTCOME_ERROR comes with errno. */
enum sctp_outcome sctp_kernel_next(int listener, struct transport *transport);
enum sctp_outcome sctp_kernel_accept(int listener, struct wait *wait, int64_t deadline, struct transport *transport);

/* A socket that can both call and be called. -1 with errno. */
int sctp_kernel_meeting_place(const struct address_list *sources, int family);
enum sctp_outcome sctp_kernel_meet(int place, struct sctp_ways *ways, struct wait *wait, int64_t deadline,
                                   struct transport *transport);

/* All addresses of a socket's own. */
void sctp_kernel_addresses(int fd, struct address_list *addresses);

#endif
