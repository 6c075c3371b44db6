/* local_proxy.c - the header of the PROXY protocol, version 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). */
#include "local_proxy.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

enum {
    VERSION_2_PROXY = 0x21,
    FAMILY_UNSPECIFIED = 0x00,
    FAMILY_INET = 0x10,
    FAMILY_INET6 = 0x20,
    PROTOCOL_STREAM = 0x01,
    PROTOCOL_DATAGRAM = 0x02,
    TYPE_ALPN = 0x01,
    TYPE_SSL = 0x20,
    SUBTYPE_SSL_VERSION = 0x21,
    SUBTYPE_SSL_CN = 0x22,
    CLIENT_SSL = 0x01,
    CLIENT_CERT_CONN = 0x02,
    HEADER_SIZE = 16
};

struct writer {
    uint8_t *bytes;
    size_t used;
};

static void put(struct writer *writer, const void *bytes, size_t length)
{
    assert(writer->used + length <= LOCAL_PROXY_MAX);
    memcpy(writer->bytes + writer->used, bytes, length);
    writer->used += length;
}

static void put_u8(struct writer *writer, unsigned number)
{
    put(writer, &(uint8_t){(uint8_t)number}, 1);
}

static void put_u16(struct writer *writer, size_t number)
{
    put(writer, ((const uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number}), 2);
}

/* The length of what has come since goes in front of it. */
static void close_length(struct writer *writer, size_t start)
{
    struct writer length = {.bytes = writer->bytes, .used = start};

    put_u16(&length, writer->used - start - 2);
}

static void put_text(struct writer *writer, unsigned type, const char *text)
{
    if (!*text)
        return;
    put_u8(writer, type);
    put_u16(writer, strlen(text));
    put(writer, text, strlen(text));
}

static bool put_addresses(struct writer *writer, const struct address *remote, const struct address *local)
{
    struct address from = address_plain(remote), to = address_plain(local);
    const struct sockaddr_in *four[] = {(const struct sockaddr_in *)&from.storage, (const struct sockaddr_in *)&to.storage};
    const struct sockaddr_in6 *six[] = {(const struct sockaddr_in6 *)&from.storage, (const struct sockaddr_in6 *)&to.storage};
    int family = address_family(&from);

    if (family != address_family(&to) || (family != AF_INET && family != AF_INET6))
        return false;
    for (int i = 0; i < 2; i++)
        if (family == AF_INET)
            put(writer, &four[i]->sin_addr, sizeof four[i]->sin_addr);
        else
            put(writer, &six[i]->sin6_addr, sizeof six[i]->sin6_addr);
    put_u16(writer, address_port(&from));
    put_u16(writer, address_port(&to));
    return true;
}

static void put_tls(struct writer *writer, const struct facts *facts)
{
    size_t start;

    put_text(writer, TYPE_ALPN, facts->alpn);
    put_u8(writer, TYPE_SSL);
    start = writer->used;
    put_u16(writer, 0);
    put_u8(writer, CLIENT_SSL | (facts->peer.kind == PRESENTED_X509 ? CLIENT_CERT_CONN : 0));
    put(writer, "\0\0\0", 3);
    put_u8(writer, facts->trust == TRUST_NONE || facts->trust == TRUST_INSECURE); /* verify: 0, it was */
    put_text(writer, SUBTYPE_SSL_VERSION, facts->version);
    put_text(writer, SUBTYPE_SSL_CN, facts->peer.name);
    close_length(writer, start);
}

size_t local_proxy_header(const struct local_occasion *occasion, uint8_t bytes[LOCAL_PROXY_MAX])
{
    const struct transport *transport = occasion->transport;
    struct writer writer = {.bytes = bytes};
    unsigned protocol = transport->kind == TRANSPORT_UDP ? PROTOCOL_DATAGRAM : PROTOCOL_STREAM;

    put(&writer, "\r\n\r\n\0\r\nQUIT\n", 12);
    put_u8(&writer, VERSION_2_PROXY);
    put_u8(&writer, FAMILY_UNSPECIFIED);
    put_u16(&writer, 0);
    if (put_addresses(&writer, &transport->remote, &transport->local)) {
        struct address remote = address_plain(&transport->remote);

        bytes[13] = (uint8_t)((address_family(&remote) == AF_INET ? FAMILY_INET : FAMILY_INET6) | protocol);
    }
    put_tls(&writer, occasion->facts);
    close_length(&writer, HEADER_SIZE - 2);
    return writer.used;
}
