/* sockets.h - what the tests of sockets share: something that waits, addresses, ports, connections. */
#ifndef SYMTLS_TEST_SOCKETS_H
#define SYMTLS_TEST_SOCKETS_H

#include "address.h"
#include "helpers.h"
#include "wait.h"

enum { TEST_PATIENCE_MS = 20000 }; /* a test that waits longer has failed */

/* ---- What waits while a group of tests runs: for cmocka_run_group_tests() ---- */

extern struct wait waiting;
int waiting_setup(void **state);
int waiting_teardown(void **state);

/* The same with a scratch folder. */
int waiting_and_scratch_setup(void **state);
int waiting_and_scratch_teardown(void **state);

/* Run it in a child that has a `waiting` of its own and has just got a SIGTERM. 0: it returned 0, and `waiting` has
 * told it of the signal. */
int in_stopped_child(child_function *function, void *argument);

/* ---- Addresses and ports ---- */

/* Of a number, IPv4 or IPv6. */
struct address address_at(const char *host, uint16_t port);

/* A socket of that type, SOCK_..., bound to that address; port 0 is any. */
int socket_at(int type, const char *host, uint16_t port);
uint16_t socket_port(int fd);

/* A UNIX socket that listens there, and has room for one who waits. */
int unix_listener(const char *path);

/* connect(2); false: errno says why not. */
bool socket_connect(int fd, const struct address *address);

/* Two different ports for sockets of that type, free on all of 127.0.0.0/8 for some time. */
void free_ports(int type, char one[8], char other[8]);

/* ---- Connections ---- */

/* A TCP connection over loopback, both ends non-blocking. */
void tcp_pair(int fds[2]);

/* Its TCP does not wait with a small write for more (TCP_NODELAY), and sees a peer that is dead (SO_KEEPALIVE). */
void assert_tuned(int fd);

/* Close our end with a reset. */
void tcp_reset(int fd);

/* Wait until the descriptor is ready for that. */
void await(int fd, short events);

/* Read until the end; for free(). */
uint8_t *read_to_end(int fd, size_t *length);
void write_all(int fd, const void *bytes, size_t length);

#endif
