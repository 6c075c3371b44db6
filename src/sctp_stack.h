/* sctp_stack.h - libusrsctp as we want it: the stack without threads, and its sockets. For sctp_process, in whose process it runs.
 *
 * To the library a peer is a number, its "key" (AF_CONN): where the peer is, it does not know. Keys go over the wire in cookies,
 * so they are no pointers. */
#ifndef SYMTLS_SCTP_STACK_H
#define SYMTLS_SCTP_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest packet: fits with UDP and IPv6 into the 1280 that every path has (RFC 8200 section 5). */
enum { SCTP_STACK_PACKET_MAX = 1200 };

struct socket; /* the library's */

/* Send a packet to the peer that has this key. Returns 0: what cannot be sent is lost. */
typedef int sctp_stack_output(void *key, void *packet, size_t length, uint8_t tos, uint8_t df);

/* Start the stack; once in a process. */
void sctp_stack_start(sctp_stack_output *output);

/* A non-blocking one-to-many socket at that port of SCTP's, which tells when associations come and go. NULL with errno. */
struct socket *sctp_stack_socket(uint16_t port);

/* Begin to call a peer at that port. True also if that has been begun already. False with errno. */
bool sctp_stack_call(struct socket *sctp, uint64_t key, uint16_t port);

/* The port of the peer, with a socket for one association. 0: it has gone already. */
uint16_t sctp_stack_peer_port(struct socket *sctp);

/* How many bytes of ours the peer of an association's socket has not acknowledged, whether they were sent or wait for it. 0 also
 * when there is no association any more. */
size_t sctp_stack_unacknowledged(struct socket *sctp);

/* Close the socket, and reset whatever associations it has: their peers are told. */
void sctp_stack_abort(struct socket *sctp);

#endif
