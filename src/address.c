/* address.c - socket addresses and their texts. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

int address_family(const struct address *address)
{
    return address->length ? address->storage.ss_family : AF_UNSPEC;
}

struct address address_plain(const struct address *address)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->storage;
    struct address result = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in *four = (struct sockaddr_in *)&result.storage;

    if (address_family(address) != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return *address;
    four->sin_family = AF_INET;
    four->sin_port = six->sin6_port;
    memcpy(&four->sin_addr, six->sin6_addr.s6_addr + 12, 4);
    return result;
}

void address_of_path(struct address *address, const char *path)
{
    struct sockaddr_un *at = (struct sockaddr_un *)&address->storage;

    *address = (struct address){.length = sizeof *at};
    at->sun_family = AF_UNIX;
    snprintf(at->sun_path, sizeof at->sun_path, "%s", path);
}

bool address_is_named(const struct address *address)
{
    return address_family(address) != AF_UNIX || address->length > offsetof(struct sockaddr_un, sun_path);
}

/* Abstract ones begin with a NUL, which is "@" to people. */
static const char *path_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    const struct sockaddr_un *at = (const struct sockaddr_un *)&address->storage;
    size_t length = address->length - offsetof(struct sockaddr_un, sun_path);

    if (!address_is_named(address))
        return strcpy(text, "a socket without a name");
    if (at->sun_path[0])
        length = strnlen(at->sun_path, length);
    memcpy(text, at->sun_path, length);
    text[length] = '\0';
    if (!text[0])
        text[0] = '@';
    return text;
}

const char *address_host(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    struct address shown = address_plain(address);

    if (address_family(&shown) == AF_UNIX)
        return path_text(&shown, text);
    if (shown.length == 0 || getnameinfo((const struct sockaddr *)&shown.storage, shown.length, text, NI_MAXHOST, NULL, 0,
                                         NI_NUMERICHOST) != 0)
        strcpy(text, "unknown");
    return text;
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    char host[ADDRESS_TEXT_SIZE];

    if (address_family(address) == AF_UNIX)
        return path_text(address, text);
    address_host(address, host);
    snprintf(text, ADDRESS_TEXT_SIZE, strchr(host, ':') ? "[%.*s]:%u" : "%.*s:%u", NI_MAXHOST, host,
             address_port(address));
    return text;
}

uint16_t address_port(const struct address *address)
{
    switch (address_family(address)) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    default:
        return 0;
    }
}

void address_set_port(struct address *address, uint16_t port)
{
    switch (address_family(address)) {
    case AF_INET:
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
        break;
    case AF_INET6:
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
        break;
    default:
        break;
    }
}

bool address_same_host(const struct address *a, const struct address *b)
{
    struct address x = address_plain(a), y = address_plain(b);

    if (address_family(&x) != address_family(&y))
        return false;
    if (address_family(&x) == AF_INET)
        return ((struct sockaddr_in *)&x.storage)->sin_addr.s_addr == ((struct sockaddr_in *)&y.storage)->sin_addr.s_addr;
    if (address_family(&x) == AF_INET6) {
        const struct sockaddr_in6 *p = (struct sockaddr_in6 *)&x.storage, *q = (struct sockaddr_in6 *)&y.storage;

        return IN6_ARE_ADDR_EQUAL(&p->sin6_addr, &q->sin6_addr) &&
               (!IN6_IS_ADDR_LINKLOCAL(&p->sin6_addr) || p->sin6_scope_id == q->sin6_scope_id);
    }
    return false;
}

bool address_same(const struct address *a, const struct address *b)
{
    return address_same_host(a, b) && address_port(a) == address_port(b);
}

void address_group(const struct address *address, uint8_t group[ADDRESS_GROUP_SIZE])
{
    struct address shown = address_plain(address);

    memset(group, 0, ADDRESS_GROUP_SIZE);
    if (address_family(&shown) == AF_INET)
        memcpy(group + 8, &((const struct sockaddr_in *)&shown.storage)->sin_addr, 4);
    else if (address_family(&shown) == AF_INET6)
        memcpy(group, &((const struct sockaddr_in6 *)&shown.storage)->sin6_addr, 8);
    else if (address_family(&shown) == AF_UNIX)
        memcpy(group, ((const struct sockaddr_un *)&shown.storage)->sun_path, ADDRESS_GROUP_SIZE);
}

struct address address_towards(const struct address *remote)
{
    struct address local = {.length = 0}, ignored, target = *remote;
    int fd = socket(address_family(remote), SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return local;
    address_set_port(&target, 9); /* nothing is sent */
    if (connect(fd, (const struct sockaddr *)&target.storage, target.length) == 0)
        address_of_socket(fd, &local, &ignored);
    close(fd);
    address_set_port(&local, 0);
    return local;
}

void address_of_socket(int fd, struct address *local, struct address *remote)
{
    local->length = sizeof local->storage;
    if (getsockname(fd, (struct sockaddr *)&local->storage, &local->length) != 0)
        local->length = 0;
    remote->length = sizeof remote->storage;
    if (getpeername(fd, (struct sockaddr *)&remote->storage, &remote->length) != 0)
        remote->length = 0;
}
