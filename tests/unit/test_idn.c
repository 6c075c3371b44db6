/* test_idn.c - names that people type. */
#include "check.h"
#include "idn.h"

#include <stdlib.h>
#include <string.h>

static void test_names(void **state)
{
    static const struct {
        const char *name, *ascii; /* NULL: it is none */
    } table[] = {
        {"bob.example", "bob.example"},
        {"Bob_1.Example", "Bob_1.Example"}, /* ASCII stays as it is */
        {"192.0.2.1", "192.0.2.1"},
        {"fe80::1%eth0", "fe80::1%eth0"},
        {"", ""},
        {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
        {"B\xc3\x9c" "CHER.example", "xn--bcher-kva.example"},
        {"bu\xcc\x88" "cher.example", "xn--bcher-kva.example"}, /* u and a diaeresis of its own */
        {"stra\xc3\x9f" "e.example", "xn--strae-oqa.example"},
        {"\xe4\xbe\x8b\xe3\x81\x88.example", "xn--r8jz45g.example"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"bob@b\xc3\xbc" "cher.example", "bob@xn--bcher-kva.example"},
        {"https://b\xc3\xbc" "cher.example/", "https://b\xc3\xbc" "cher.example/"},
        {"\xe2\x84\x80.example", NULL},       /* the sign for "a/c" */
        {"b\xfc" "cher.example", NULL},        /* no UTF-8 */
        {"\xe2\x98\x83\xe2\x80\x8d.example", NULL}, /* a joiner that joins nothing */
        {"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", NULL}, /* a label of more than 63 bytes */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char *ascii = NULL;
        const char *why = "";
        bool converted = idn_to_ascii(table[i].name, &ascii, &why);

        check_row(converted == (table[i].ascii != NULL), "row %zu, %s: %s", i, table[i].name, converted ? ascii : why);
        if (converted)
            check_row(strcmp(ascii, table[i].ascii) == 0, "row %zu: %s", i, ascii);
        else
            assert_true(*why);
        free(ascii);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
