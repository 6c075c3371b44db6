/* trust_name.c - does a name in a certificate stand for the one that is expected? */
#include "trust_name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* How long the scheme of a URI is, with its colon (RFC 3986 section 3.1); 0: it is none. */
static size_t scheme_length(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return isalpha((unsigned char)text[0]) && text[length] == ':' ? length + 1 : 0;
}

/* Of an address that may have a scope, which no certificate has. False: it is no address. */
static bool parse_address(const char *text, uint8_t address[16], size_t *length)
{
    char plain[64];
    size_t size = strcspn(text, "%");

    if (size >= sizeof plain)
        return false;
    memcpy(plain, text, size);
    plain[size] = '\0';
    *length = strchr(plain, ':') ? 16 : 4;
    return inet_pton(*length == 16 ? AF_INET6 : AF_INET, plain, address) == 1;
}

enum trust_name_kind trust_name_kind(const char *expected)
{
    uint8_t address[16];
    size_t length;

    if (parse_address(expected, address, &length))
        return TRUST_NAME_IP;
    if (scheme_length(expected))
        return TRUST_NAME_URI;
    return strchr(expected, '@') ? TRUST_NAME_EMAIL : TRUST_NAME_DNS;
}

static bool same_host(const char *presented, size_t length, const char *expected, size_t expected_length)
{
    return length == expected_length && strncasecmp(presented, expected, length) == 0;
}

/* "*.example.net" stands for "a.example.net", not for "example.net", nor "a.b.example.net"; "*.net" for nothing. */
static bool fits_host(const char *presented, size_t length, const char *expected)
{
    size_t expected_length = strlen(expected), first = strcspn(expected, ".");

    if (expected_length && expected[expected_length - 1] == '.') /* the root is not in certificates */
        expected_length--;
    if (length == 0)
        return false;
    if (length < 3 || memcmp(presented, "*.", 2) != 0)
        return same_host(presented, length, expected, expected_length);
    return memchr(presented + 2, '.', length - 2) && first > 0 && first < expected_length &&
           same_host(presented + 1, length - 1, expected + first, expected_length - first);
}

static bool fits_email(const char *presented, size_t length, const char *expected)
{
    const char *at = strrchr(expected, '@');
    size_t local = (size_t)(at - expected);

    return length > local && memcmp(presented, expected, local + 1) == 0 &&
           same_host(presented + local + 1, length - local - 1, at + 1, strlen(at + 1));
}

static bool fits_uri(const char *presented, size_t length, const char *expected)
{
    size_t head = scheme_length(expected);

    if (strncmp(expected + head, "//", 2) == 0)
        head += 2 + strcspn(expected + head + 2, "/?#");
    return length == strlen(expected) && strncasecmp(presented, expected, head) == 0 &&
           memcmp(presented + head, expected + head, length - head) == 0;
}

bool trust_name_fits(enum trust_name_kind kind, const uint8_t *presented, size_t length, const char *expected)
{
    const char *text = (const char *)presented;
    uint8_t address[16];
    size_t address_length;

    switch (kind) {
    case TRUST_NAME_IP:
        return parse_address(expected, address, &address_length) && length == address_length &&
               memcmp(presented, address, length) == 0;
    case TRUST_NAME_EMAIL:
        return fits_email(text, length, expected);
    case TRUST_NAME_URI:
        return fits_uri(text, length, expected);
    case TRUST_NAME_DNS:
        break;
    }
    return fits_host(text, length, expected);
}
