/* test_trust_name.c - names in certificates, and those that are expected. */
#include "check.h"
#include "trust_name.h"

#include <stdio.h>
#include <string.h>

static void test_kind(void **state)
{
    static const struct {
        const char *expected;
        enum trust_name_kind kind;
    } table[] = {
        {"bob", TRUST_NAME_DNS},
        {"bob.example", TRUST_NAME_DNS},
        {"1.2.3.example", TRUST_NAME_DNS},
        {"192.0.2.1", TRUST_NAME_IP},
        {"192.0.2.1.", TRUST_NAME_DNS},
        {"192.0.2.256", TRUST_NAME_DNS},
        {"2001:db8::1", TRUST_NAME_IP},
        {"fe80::1%eth0", TRUST_NAME_IP},
        {"::", TRUST_NAME_IP},
        {"abcd::12345", TRUST_NAME_URI}, /* no address, after all */
        {"bob@example", TRUST_NAME_EMAIL},
        {"\"a@b\"@example", TRUST_NAME_EMAIL},
        {"https://bob.example/", TRUST_NAME_URI},
        {"spiffe://example/bob", TRUST_NAME_URI},
        {"sip:bob@example", TRUST_NAME_URI},
        {"urn:x", TRUST_NAME_URI},
        {"1a:x", TRUST_NAME_DNS},
        {":x", TRUST_NAME_DNS},
        {"", TRUST_NAME_DNS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        check_row(trust_name_kind(table[i].expected) == table[i].kind, "%s: %d", table[i].expected, trust_name_kind(table[i].expected));
}

#define FITS(kind, presented, expected)     {TRUST_NAME_##kind, presented, sizeof presented - 1, expected, true}
#define DIFFERS(kind, presented, expected)  {TRUST_NAME_##kind, presented, sizeof presented - 1, expected, false}

static void test_fits(void **state)
{
    static const struct {
        enum trust_name_kind kind;
        const char *presented;
        size_t length;
        const char *expected;
        bool fits;
    } table[] = {
        FITS(DNS, "bob.example", "bob.example"),
        FITS(DNS, "BOB.example", "bob.EXAMPLE"),
        FITS(DNS, "bob", "bob"),
        FITS(DNS, "bob.example", "bob.example."),
        DIFFERS(DNS, "bob.example.", "bob.example"),
        DIFFERS(DNS, "bob.example", "bob.exampl"),
        DIFFERS(DNS, "bob.exampl", "bob.example"),
        DIFFERS(DNS, "bob.example\0.evil", "bob.example"),
        DIFFERS(DNS, "bob\0example", "bob.example"),
        DIFFERS(DNS, "", ""),
        DIFFERS(DNS, "", "bob"),
        FITS(DNS, "*.bob.example", "a.bob.example"),
        FITS(DNS, "*.BOB.example", "a.bob.example"),
        DIFFERS(DNS, "*.bob.example", "bob.example"),
        DIFFERS(DNS, "*.bob.example", "a.b.bob.example"),
        DIFFERS(DNS, "*.bob.example", ".bob.example"),
        DIFFERS(DNS, "*.bob.example", "*.bob.exampl"),
        DIFFERS(DNS, "*.example", "bob.example"),
        DIFFERS(DNS, "*", "bob"),
        DIFFERS(DNS, "*.", "bob."),
        DIFFERS(DNS, "b*.bob.example", "bob.bob.example"),
        DIFFERS(DNS, "*b.bob.example", "bob.bob.example"),
        DIFFERS(DNS, "a.*.example", "a.bob.example"),
        DIFFERS(DNS, "**.bob.example", "a.bob.example"),
        FITS(DNS, "xn--bcher-kva.example", "xn--bcher-kva.example"),
        FITS(IP, "\xc0\0\2\1", "192.0.2.1"),
        DIFFERS(IP, "\xc0\0\2\2", "192.0.2.1"),
        DIFFERS(IP, "192.0.2.1", "192.0.2.1"),
        DIFFERS(IP, "\xc0\0\2", "192.0.2.1"),
        DIFFERS(IP, "", "192.0.2.1"),
        FITS(IP, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", "2001:db8::1"),
        FITS(IP, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", "fe80::1%eth0"),
        DIFFERS(IP, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", "2001:db8::1"),
        DIFFERS(IP, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", "192.0.2.1"),
        FITS(EMAIL, "bob@example", "bob@EXAMPLE"),
        DIFFERS(EMAIL, "Bob@example", "bob@example"),
        DIFFERS(EMAIL, "bob@example.net", "bob@example"),
        DIFFERS(EMAIL, "example", "bob@example"),
        DIFFERS(EMAIL, "bob@*.example", "bob@a.example"),
        DIFFERS(EMAIL, "bob", "bob@example"),
        DIFFERS(EMAIL, "", "bob@example"),
        FITS(EMAIL, "\"a@b\"@example", "\"a@b\"@example"),
        FITS(URI, "https://bob.example/a", "HTTPS://Bob.example/a"),
        DIFFERS(URI, "https://bob.example/a", "https://bob.example/A"),
        DIFFERS(URI, "https://bob.example/", "https://bob.example"),
        DIFFERS(URI, "https://bob.example/?x", "https://bob.example/?y"),
        FITS(URI, "urn:x:A", "URN:x:A"),
        DIFFERS(URI, "urn:x:A", "urn:X:A"),
        DIFFERS(URI, "", "urn:x"),
        FITS(URI, "sip:bob@example", "sip:bob@example"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        check_row(trust_name_fits(table[i].kind, (const uint8_t *)table[i].presented, table[i].length, table[i].expected) ==
                      table[i].fits,
                  "row %zu: %s, %s", i, table[i].presented, table[i].expected);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
