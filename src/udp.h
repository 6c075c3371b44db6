/* udp.h - datagrams: called, awaited, and both. Nothing is sent here but answers to strangers; what to say is the session's. */
#ifndef SYMTLS_UDP_H
#define SYMTLS_UDP_H

#include "buffer.h"
#include "listeners.h"
#include "transport.h"

/* At most so many addresses of the peer. */
#define UDP_WAYS_MAX 6

/* Sockets towards each of the host's addresses. With `both` they are bound to config->source_port, and are not connected (where
 * that is possible): the peer may speak from another port than the one that we were told. Returns how many; 0 with an
 * error, or with wait->signal set. */
size_t udp_ways(const struct transport_config *config, bool both, struct wait *wait, struct transport ways[UDP_WAYS_MAX],
                struct error *error);

/* A bound socket that somebody else has made: for a listener of ours. */
void udp_adopt(int fd);

bool udp_listen(const struct transport_config *config, struct wait *wait, struct listeners *listeners, struct error *error);

/* What a listener does with a datagram from somebody whom it does not know. */
enum udp_verdict { UDP_IGNORE, UDP_ANSWER, UDP_TAKE };

#define UDP_ANSWER_MAX 128

/* Judge it; with UDP_ANSWER fill the answer, which is never longer than what it answers. It keeps nothing. */
typedef enum udp_verdict udp_gate(void *context, const struct address *remote, const uint8_t *bytes, size_t length,
                                  uint8_t answer[UDP_ANSWER_MAX], size_t *answer_length);

/* The next peer that `gate` takes, on a connected socket of its own: the kernel keeps its datagrams apart from then on. What
 * it has sent so far is in the queue `first`; what others have sent meanwhile is judged the next time. */
enum listeners_next udp_next(struct listeners *listeners, udp_gate *gate, void *context, struct transport *transport,
                             struct buffer *first);

/* Wait for it. False with an error (STATUS_TIME after config->wait_ms), or with wait->signal set. */
bool udp_accept(const struct transport_config *config, struct listeners *listeners, udp_gate *gate, void *context,
                struct wait *wait, struct transport *transport, struct buffer *first, struct error *error);

#endif
