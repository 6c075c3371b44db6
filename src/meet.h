/* meet.h - of the connections on which two ends that call each other may meet, keep one, and the same at both.
 *
 * Several exist only where the addresses differ (IPv4 beside IPv6, a NAT with a forwarded port). The hellos go over each of
 * them; the roles are the same on all; the client-elect chooses, and the server-elect follows. */
#ifndef SYMTLS_MEET_H
#define SYMTLS_MEET_H

#include "channel.h"
#include "report.h"
#include "session.h"
#include "tcp_meet.h"
#include "udp.h"

struct meet_config {
    enum transport_kind kind; /* TCP or UDP */
    bool both;                /* the peer calls us as well; with TCP it always does */
    const struct transport_config *transport;
    const struct session_config *session;
    int handshake_ms; /* for each connection */
    void (*listening)(void *context, const struct address *local); /* with `both`: now the peer can be told to come */
    void *listening_context;
};

/* Datagrams that are sent to several addresses are the same case, also when only we call. */

/* Meet, and fill `channel` with the session that goes on (its error is `error`), perhaps a failed one that has a last
 * alert to send. False with an error, or with wait->signal set. */
bool meet_run(const struct meet_config *config, struct report *report, struct wait *wait, struct channel *channel,
              struct error *error);

#endif
