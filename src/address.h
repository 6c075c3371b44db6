/* address.h - socket addresses and their texts. */
#ifndef SYMTLS_ADDRESS_H
#define SYMTLS_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_SIZE (NI_MAXHOST + 16)
#define ADDRESS_LIST_MAX  16

struct address {
    struct sockaddr_storage storage;
    socklen_t length; /* 0: none */
};

struct address_list {
    struct address at[ADDRESS_LIST_MAX];
    size_t count;
};

int address_family(const struct address *address);

/* An IPv4 peer of a dual-stack socket is an IPv4 peer to people; so it is in the texts below. */
struct address address_plain(const struct address *address);

/* A UNIX socket's. A path that is too long is cut off: options have looked. */
void address_of_path(struct address *address, const char *path);

/* False for a UNIX socket without a path. */
bool address_is_named(const struct address *address);

/* "192.0.2.1:4433", "[2001:db8::1]:4433", "/run/a.socket"; the scope of a link-local address is in it. Returns `text`. */
const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

/* The same without the port and the brackets. */
const char *address_host(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

bool address_same(const struct address *a, const struct address *b);
bool address_same_host(const struct address *a, const struct address *b);

/* Who counts as one: an IPv4 address, or an IPv6 network of 64 bits, of which one host can have every address. */
#define ADDRESS_GROUP_SIZE 16
void address_group(const struct address *address, uint8_t group[ADDRESS_GROUP_SIZE]);

/* Our address from which the kernel would send there; its port is 0. Length 0: it would not. */
struct address address_towards(const struct address *remote);

/* The two ends of a socket; length 0 where there is none. */
void address_of_socket(int fd, struct address *local, struct address *remote);

#endif
