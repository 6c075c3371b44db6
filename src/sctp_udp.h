/* sctp_udp.h - SCTP in UDP: called, awaited, met. For sctp.c, which says what comes of it.
 *
 * It is done by the process of sctp_user.h: `config->user` is prepared. SCTP_OUTCOME_ERROR is told
 * already, unless another word is said of it. */
#ifndef SYMTLS_SCTP_UDP_H
#define SYMTLS_SCTP_UDP_H

#include "sctp.h"

enum sctp_outcome sctp_udp_call(const struct sctp_config *config, struct sctp_ways *ways, struct wait *wait, int64_t deadline,
                                struct transport *transport, struct error *error);

/* The same from a port that is given, and hear who calls it. False with an error. */
bool sctp_udp_meeting_open(const struct sctp_config *config, struct sctp_meeting *meeting, struct error *error);
enum sctp_outcome sctp_udp_meet(const struct sctp_config *config, struct sctp_meeting *meeting, struct wait *wait,
                                struct transport *transport, struct error *error);

/* At the first of these addresses of ours; at any if config->common->host is NULL, and then only their port counts. False with an
 * error. */
bool sctp_udp_listen(const struct sctp_config *config, const struct address_list *addresses, struct sctp_listener *listener,
                     struct error *error);

/* The next association. SCTP_OUTCOME_ERROR: it is told already, or is in errno. */
enum sctp_outcome sctp_udp_accept(const struct sctp_listener *listener, struct wait *wait, int64_t deadline,
                                  struct transport *transport, struct error *error);

#endif
