/* fdpass.h - messages between two processes, with a descriptor attached (SCM_RIGHTS, unix(7)).
 *
 * The socket keeps messages apart (SOCK_SEQPACKET, SOCK_DGRAM), and all that go one way are of one size: a struct, as it is in
 * memory, since both ends are the same program. */
#ifndef SYMTLS_FDPASS_H
#define SYMTLS_FDPASS_H

#include <stdbool.h>
#include <stddef.h>

/* Send `size` bytes and, unless it is -1, a copy of `fd`, which stays the caller's. `flags` are those of sendmsg(2). False with
 * errno. */
bool fdpass_send(int socket, const void *bytes, size_t size, int fd, int flags);

/* The next message, without waiting for it. True: *fd is the descriptor that came with it, and is the caller's (-1: none did).
 * False: *fd is -1, and there is no message now (errno is EAGAIN or EINTR), or there will never be one (any other: the other
 * end is closed, or sends messages of another size). */
bool fdpass_receive(int socket, void *bytes, size_t size, int *fd);

#endif
