/* test_psk.c - shared keys: what a file of them may be and what not, and which key is for whom. */
#include "check.h"
#include "helpers.h"
#include "psk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define K1 "000102030405060708090a0b0c0d0e0f"
#define K2 "101112131415161718191A1B1C1D1E1F"
#define K3 "202122232425262728292a2b2c2d2e2f30"

static struct psk_config config_of(const char *text)
{
    file_put(scratch_path("psk"), text, 0600);
    return (struct psk_config){.path = scratch_path("psk"), .our_name = "us"};
}

static struct psk *load(const struct psk_config *config)
{
    struct error error = {0};
    struct psk *psk = psk_load(config, &error);

    check_row(psk, "%s", error.story);
    assert_int_equal(error.status, STATUS_OK);
    return psk;
}

/* The whole key is counted up from its first byte. */
static void check_key(const struct psk_key *key, uint8_t first, size_t length)
{
    assert_non_null(key);
    assert_int_equal(key->length, length);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(key->bytes[i], first + i);
}

/* ---- The file ---- */

static void test_one_key(void **state)
{
    static const char *const files[] = {K1, K1 "\n", K1 "\r\n", "  " K1 " \t\n", "\n\n" K1 "\n\n", "# from carol: last week\n" K1 "\n#\n"};
    const struct psk_key *key;
    const char *peer;

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct psk_config config = config_of(files[i]);
        struct psk *psk = load(&config);

        key = psk_of_client(psk, &peer);
        check_key(key, 0, 16);
        assert_string_equal(key->name, "");
        assert_string_equal(peer, "");
        assert_string_equal(psk_our_name(psk), "us");
        psk_free(psk);
    }
}

/* As psktool writes them; a name with a colon is in hexadecimal there. */
static void test_names(void **state)
{
    struct psk_config config = config_of("alice:" K1 "\n bob : " K2 " \n#323030313a3a31:" K3 "\nd\xc3\xb6rte zwei:" K1 "\n");
    struct psk *psk = load(&config);
    static const struct {
        const char *name;
        uint8_t first;
        size_t length;
    } rows[] = {{"alice", 0, 16}, {"bob", 16, 16}, {"BOB", 16, 16}, {"2001::1", 32, 17}, {"d\xc3\xb6rte zwei", 0, 16}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct psk_key *key = NULL;

        check_row(psk_of_server(psk, rows[i].name, strlen(rows[i].name), &key) == PSK_KEY, "%s", rows[i].name);
        check_key(key, rows[i].first, rows[i].length);
    }
    psk_free(psk);
}

static const struct {
    const char *text, *story;
} bad[] = {
    {"", "there is no key in"},
    {"\n\n", "there is no key in"},
    {"# nothing\n", "there is no key in"},
    {"00010203\n", ":1: the key is too short"},
    {"000102030405060708090a0b0c0d0e\n", ":1: the key is too short: 16 bytes are the least"},
    {"bob:0011\n", ":1: the key is too short"},
    {"000102030405060708090a0b0c0d0e0\n", ":1: the key is not hexadecimal"}, /* an odd digit */
    {"000102030405060708090a0b0c0d0e0g\n", ":1: the key is not hexadecimal"},
    {"0x0102030405060708090a0b0c0d0e0f\n", ":1: the key is not hexadecimal"},
    {"00010203 04050607 08090a0b 0c0d0e0f\n", ":1: the key is not hexadecimal"},
    {"correct horse battery staple\n", ":1: the key is not hexadecimal"},
    {"-----BEGIN PRIVATE KEY-----\n", ":1: the key is not hexadecimal"},
    {"bob:" K1 ":" K2 "\n", ":1: the key is not hexadecimal"},
    {"bob:\n", ":1: there is a name, but no key"},
    {":" K1 "\n", ":1: a name has 1 to 255 bytes"},
    {"b\x01:" K1 "\n", ":1: a name has 1 to 255 bytes"},
    {"b\xff:" K1 "\n", ":1: a name has 1 to 255 bytes"},
    {"#00:" K1 "\n", ":1: a name has 1 to 255 bytes"},
    {"#2362:" K1 "\n", ":1: a name has 1 to 255 bytes"}, /* #b */
    {"bob:" K1 "\ncarol:" K2 "\n\nbob:" K3 "\n", ":4: there is a key for \"bob\" already, in line 1"},
    {"bob:" K1 "\nBob:" K1 "\n", ":2: there is a key for \"Bob\" already, in line 1"},
    {"bob:" K1 "\n#626f62:" K2 "\n", ":2: there is a key for \"bob\" already, in line 1"},
    {K1 "\n" K2 "\n", ":2: a key without a name has to be the only one"},
    {K1 "\nbob:" K2 "\n", ":2: a key without a name has to be the only one"},
    {"bob:" K2 "\n" K1 "\n", ":2: a key without a name has to be the only one"},
};

static void check_bad(const struct psk_config *config, enum status status, const char *story)
{
    static const char *const secret[] = {"010203", "111213", "horse", "BEGIN"};
    struct error error = {0};

    check_row(psk_load(config, &error) == NULL, "%s", story);
    check_row(error.status == status, "%s: %d", story, (int)error.status);
    check_row(has(error.story, story), "%s: %s", story, error.story);
    /* Nothing that may be secret is told. */
    for (size_t i = 0; i < COUNT(secret); i++)
        check_row(!strstr(error.story, secret[i]), "%s", error.story);
}

static void test_bad_files(void **state)
{
    struct psk_config config;
    char text[2048];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        config = config_of(bad[i].text);
        check_bad(&config, STATUS_IDENTITY, bad[i].story);
    }
    /* the longest name and the longest key, and one more */
    snprintf(text, sizeof text, "%0255d:%01024d\n", 0, 0);
    config = config_of(text);
    psk_free(load(&config));
    snprintf(text, sizeof text, "%0256d:%01024d\n", 0, 0);
    config = config_of(text);
    check_bad(&config, STATUS_IDENTITY, ":1: a name has 1 to 255 bytes");
    snprintf(text, sizeof text, "%0255d:%01026d\n", 0, 0);
    config = config_of(text);
    check_bad(&config, STATUS_IDENTITY, ":1: the key is too long");
}

static void test_zero_bytes(void **state)
{
    static const char text[] = K1 "\0\n";
    struct psk_config config = config_of("");
    FILE *file = fopen(config.path, "w");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, sizeof text - 1, file), sizeof text - 1);
    assert_int_equal(fclose(file), 0);
    check_bad(&config, STATUS_IDENTITY, ":1: the key is not hexadecimal");
}

static void test_not_private(void **state)
{
    static const unsigned modes[] = {0604, 0640, 0644, 0660, 0666};
    struct psk_config config = config_of(K1 "\n");

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        file_put(config.path, K1 "\n", modes[i]);
        check_bad(&config, STATUS_IDENTITY, "chmod 600 mends it");
    }
    file_put(config.path, K1 "\n", 0400);
    psk_free(load(&config));
    config.path = scratch_path("missing");
    check_bad(&config, STATUS_IDENTITY, "cannot open");
    config.path = scratch_path("");
    check_bad(&config, STATUS_IDENTITY, "cannot read");
}

/* ---- Which key a client uses ---- */

#define THREE "alice:" K1 "\nbob:" K2 "\ncarol:" K3 "\n"

struct client_case {
    const char *what, *text, *our_name, *host, *peers[2];
    const char *line; /* whose key it is; NULL: none */
    const char *peer; /* whom it is shared with */
};

static const struct client_case client_cases[] = {
    {"one key", K1, "us", NULL, {NULL}, "", ""},
    {"one key, a host", K1, "us", "bob", {NULL}, "", ""},
    {"the host's", THREE, "us", "bob", {NULL}, "bob", "bob"},
    {"the host's, in other letters", THREE, "us", "Bob", {NULL}, "bob", "bob"},
    {"the host's, though we have a line too", THREE, "alice", "bob", {NULL}, "bob", "bob"},
    {"--peer before host", THREE, "us", "bob", {"carol"}, "carol", "carol"},
    {"the first --peer", THREE, "us", NULL, {"carol", "bob"}, "carol", "carol"},
    {"the first --peer that has a line", THREE, "us", NULL, {"dave", "bob"}, "bob", "bob"},
    {"our own", THREE, "alice", NULL, {NULL}, "alice", ""},
    {"our own, the host is not there", THREE, "Alice", "198.51.100.1", {NULL}, "alice", ""},
    {"our own, and the host is called as we are", THREE, "alice", "alice", {NULL}, "alice", ""},
    {"nobody told", THREE, "us", NULL, {NULL}, NULL, ""},
    {"the host is not there", THREE, "us", "dave", {NULL}, NULL, ""},
    {"the only one", "bob:" K2 "\n", "us", NULL, {NULL}, "bob", "bob"},
    {"the only one, and another host", "bob:" K2 "\n", "us", "198.51.100.1", {NULL}, "bob", "bob"},
    {"the only one is ours", "us:" K2 "\n", "us", NULL, {NULL}, "us", ""},
};

static void test_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(client_cases); i++) {
        const struct client_case *at = &client_cases[i];
        struct psk_config config = config_of(at->text);
        const struct psk_key *key;
        const char *peer;
        struct psk *psk;

        config.our_name = at->our_name;
        config.host = at->host;
        config.peers = at->peers;
        config.peer_count = (size_t)(at->peers[0] != NULL) + (at->peers[1] != NULL);
        psk = load(&config);
        key = psk_of_client(psk, &peer);
        check_row((key != NULL) == (at->line != NULL), "%s", at->what);
        check_row(!key || strcmp(key->name, at->line) == 0, "%s: %s", at->what, key ? key->name : "");
        check_row(strcmp(peer, at->peer) == 0, "%s: %s", at->what, peer);
        psk_free(psk);
    }
}

/* ---- What a server makes of a name ---- */

struct server_case {
    const char *what, *text, *host, *peers[2];
    bool allow_self;
    const char *name;
    enum psk_claim claim;
};

static const struct server_case server_cases[] = {
    {"one key, any name", K1, NULL, {NULL}, false, "anybody", PSK_KEY},
    {"one key, our name", K1, NULL, {NULL}, false, "us", PSK_OURSELVES},
    {"one key, our name in other letters", K1, NULL, {NULL}, false, "US", PSK_OURSELVES},
    {"one key, our name, --allow-self", K1, NULL, {NULL}, true, "us", PSK_KEY},
    {"one key, no name", K1, NULL, {NULL}, false, "", PSK_UNKNOWN},
    {"one key, control characters", K1, NULL, {NULL}, false, "a\x1b[m", PSK_UNKNOWN},
    {"a line", THREE, NULL, {NULL}, false, "bob", PSK_KEY},
    {"a line in other letters", THREE, NULL, {NULL}, false, "BOB", PSK_KEY},
    {"no line", THREE, NULL, {NULL}, false, "dave", PSK_UNKNOWN},
    {"less than a line", THREE, NULL, {NULL}, false, "bo", PSK_UNKNOWN},
    {"more than a line", THREE, NULL, {NULL}, false, "bobb", PSK_UNKNOWN},
    {"our name has no line", THREE, NULL, {NULL}, false, "us", PSK_OURSELVES},
    {"our name has a line", THREE "us:" K1, NULL, {NULL}, false, "us", PSK_OURSELVES},
    {"our name has a line, --allow-self", THREE "us:" K1, NULL, {NULL}, true, "us", PSK_KEY},
    {"--peer", THREE, NULL, {"bob"}, false, "bob", PSK_KEY},
    {"not --peer", THREE, NULL, {"bob"}, false, "carol", PSK_UNEXPECTED},
    {"not --peer, and no line", THREE, NULL, {"bob"}, false, "dave", PSK_UNKNOWN},
    {"another --peer", THREE, NULL, {"bob", "carol"}, false, "carol", PSK_KEY},
    {"--peer, not the host", THREE, "carol", {"bob"}, false, "bob", PSK_KEY},
    {"the host, but --peer is another", THREE, "carol", {"bob"}, false, "carol", PSK_UNEXPECTED},
    {"the host", THREE, "bob", {NULL}, false, "bob", PSK_KEY},
    {"not the host", THREE, "bob", {NULL}, false, "carol", PSK_UNEXPECTED},
    {"the host has no line", THREE, "198.51.100.1", {NULL}, false, "carol", PSK_KEY},
    {"our name, and --peer", THREE, NULL, {"bob"}, false, "us", PSK_OURSELVES},
};

static void test_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(server_cases); i++) {
        const struct server_case *at = &server_cases[i];
        struct psk_config config = config_of(at->text);
        const struct psk_key *key = NULL;
        struct psk *psk;

        config.host = at->host;
        config.peers = at->peers;
        config.peer_count = (size_t)(at->peers[0] != NULL) + (at->peers[1] != NULL);
        config.allow_self = at->allow_self;
        psk = load(&config);
        check_row(psk_of_server(psk, at->name, strlen(at->name), &key) == at->claim, "%s", at->what);
        check_row((key != NULL) == (at->claim == PSK_KEY), "%s", at->what);
        check_row(!key || !*key->name || strcasecmp(key->name, at->name) == 0, "%s", at->what);
        psk_free(psk);
    }
}

/* What comes over the wire is no text. */
static void test_names_of_bytes(void **state)
{
    struct psk_config config = config_of(K1);
    struct psk *psk = load(&config);
    const struct psk_key *key;
    char name[300];

    (void)state;
    memset(name, 'x', sizeof name);
    assert_int_equal(psk_of_server(psk, name, 255, &key), PSK_KEY);
    assert_int_equal(psk_of_server(psk, name, 256, &key), PSK_UNKNOWN);
    assert_int_equal(psk_of_server(psk, name, 300, &key), PSK_UNKNOWN);
    assert_int_equal(psk_of_server(psk, "us\0x", 4, &key), PSK_UNKNOWN);
    assert_int_equal(psk_of_server(psk, "x\0", 2, &key), PSK_UNKNOWN);
    assert_int_equal(psk_of_server(psk, "\xe2\x80\x8b", 3, &key), PSK_UNKNOWN); /* nobody would see it */
    assert_int_equal(psk_of_server(psk, "#x", 2, &key), PSK_UNKNOWN);
    psk_free(psk);
}

/* ---- --peer ---- */

static void test_peers(void **state)
{
    static const char *const bob[] = {"bob"}, *const us[] = {"bob", "Us"}, *const others[] = {"dave", "eve"};
    struct psk_config config = config_of(K1);

    (void)state;
    config.peers = bob;
    config.peer_count = 1;
    check_bad(&config, STATUS_LOCAL, "--peer \"bob\": the key in");
    config = config_of(THREE);
    config.peers = others;
    config.peer_count = 2;
    check_bad(&config, STATUS_IDENTITY, "there is no key for \"dave\" in");
    config = config_of("bob:" K1);
    config.peers = others;
    config.peer_count = 1;
    check_bad(&config, STATUS_IDENTITY, "there is no key for \"dave\" in");
    config = config_of(THREE);
    config.peer_count = 2;
    config.peers = us;
    check_bad(&config, STATUS_LOCAL, "--peer \"Us\" is our own name");
    config.allow_self = true;
    psk_free(load(&config));
}

/* ---- A fresh key ---- */

static bool counting(void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(0xf0 + i);
    return true;
}

static bool failing(void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    return false;
}

static void test_make(void **state)
{
    char line[PSK_LINE_SIZE];
    struct psk_config config;
    const char *peer;
    struct psk *psk;

    (void)state;
    assert_true(psk_make(line, counting));
    assert_string_equal(line, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f");
    assert_false(psk_make(line, failing));
    config = config_of(line);
    psk = load(&config);
    assert_int_equal(psk_of_client(psk, &peer)->length, 32);
    psk_free(psk);
    psk_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_key),   cmocka_unit_test(test_names),      cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_zero_bytes), cmocka_unit_test(test_not_private), cmocka_unit_test(test_client),
        cmocka_unit_test(test_server),    cmocka_unit_test(test_names_of_bytes), cmocka_unit_test(test_peers),
        cmocka_unit_test(test_make),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
