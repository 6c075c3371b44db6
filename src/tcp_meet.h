/* tcp_meet.h - the third way to a TCP connection: both ends bind, listen and call from one port until they meet. */
#ifndef SYMTLS_TCP_MEET_H
#define SYMTLS_TCP_MEET_H

#include "tcp.h"

/* At most this many entries for poll(2). */
#define TCP_MEET_FDS 12

struct tcp_meet;

/* Find the addresses, bind and listen. config->source_port is the port of ours, config->port the peer's. NULL with an error. */
struct tcp_meet *tcp_meet_start(const struct transport_config *config, struct wait *wait, struct error *error);
void tcp_meet_free(struct tcp_meet *meet);

/* What to wait for, and until when at the latest; call when anything happened, or nothing in time. */
nfds_t tcp_meet_poll(const struct tcp_meet *meet, struct pollfd fds[TCP_MEET_FDS]);
int64_t tcp_meet_deadline(const struct tcp_meet *meet);

/* Go on: one connection that has come about, or false when there is none now. Call again until it is false. Two
 * can exist where the peer has several addresses; it may also be one with ourselves: tcp_is_self(). */
bool tcp_meet_step(struct tcp_meet *meet, struct transport *transport);

/* That connection came to nothing: go on calling its address. */
void tcp_meet_again(struct tcp_meet *meet, const struct transport *transport);

size_t tcp_meet_ways(const struct tcp_meet *meet); /* how many addresses of the peer are called */

/* Our own addresses, and what happened so far, for the user. */
size_t tcp_meet_local(const struct tcp_meet *meet, struct address *local, size_t size);
void tcp_meet_story(const struct tcp_meet *meet, char *text, size_t size);

#endif
