/* test_tickets.c - the file of --session: what goes in comes out, and nothing else is taken for it. */
#include "check.h"
#include "helpers.h"
#include "tickets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 1000000 };

static const char *file(void)
{
    return scratch_path("session");
}

static void fill(struct tickets *tickets)
{
    *tickets = (struct tickets){.has_key = true, .key_until = NOW + 10, .has_ticket = true, .until = NOW + 5, .kind = PRESENTED_X509,
                                .shown_count = 2, .psk_name = "", .our_pin = "pin-sha256:ours"};
    memset(tickets->key, 0xa5, sizeof tickets->key);
    memset(tickets->context, 0x5a, sizeof tickets->context);
    assert_true(buffer_append(&tickets->shown[0], "one\0\n", 5));
    assert_true(buffer_append(&tickets->shown[1], "\xff", 1));
    assert_true(buffer_append(&tickets->data, "ticket", 6));
}

static void write_both(void)
{
    struct tickets tickets;
    struct error error = {0};

    unlink(file());
    fill(&tickets);
    assert_true(tickets_write(file(), NOW, TICKETS_KEY, &tickets, &error));
    assert_true(tickets_write(file(), NOW, TICKETS_TICKET, &tickets, &error));
    tickets_free(&tickets);
}

static void test_comes_back(void **state)
{
    struct tickets tickets;
    struct presented presented;
    char doubt[TICKETS_DOUBT_SIZE];
    struct error error = {0};
    struct stat info;

    (void)state;
    write_both();
    assert_int_equal(stat(file(), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(tickets_read(file(), NOW, &tickets, doubt, &error));
    assert_string_equal(doubt, "");
    assert_true(tickets.has_key && tickets.has_ticket);
    assert_int_equal(tickets.key_until, NOW + 10);
    assert_int_equal(tickets.until, NOW + 5);
    assert_int_equal(tickets.key[0], 0xa5);
    assert_int_equal(tickets.key[TICKETS_KEY_SIZE - 1], 0xa5);
    assert_int_equal(tickets.context[TICKETS_CONTEXT_SIZE - 1], 0x5a);
    assert_string_equal(tickets.our_pin, "pin-sha256:ours");
    assert_int_equal(buffer_used(&tickets.data), 6);
    assert_memory_equal(buffer_at(&tickets.data), "ticket", 6);
    tickets_presented(&tickets, &presented);
    assert_int_equal(presented.kind, PRESENTED_X509);
    assert_int_equal(presented.count, 2);
    assert_int_equal(presented.at[0].size, 5);
    assert_memory_equal(presented.at[0].der, "one\0\n", 5);
    assert_memory_equal(presented.at[1].der, "\xff", 1);
    tickets_free(&tickets);
    assert_false(tickets.has_key);
}

static void test_psk(void **state)
{
    struct tickets tickets;
    struct presented presented;
    char doubt[TICKETS_DOUBT_SIZE];
    struct error error = {0};

    (void)state;
    unlink(file());
    fill(&tickets);
    tickets.kind = PRESENTED_PSK;
    strcpy(tickets.psk_name, "a name with spaces");
    assert_true(tickets_write(file(), NOW, TICKETS_TICKET, &tickets, &error));
    tickets_free(&tickets);
    assert_true(tickets_read(file(), NOW, &tickets, doubt, &error));
    assert_false(tickets.has_key); /* it was not to be written */
    tickets_presented(&tickets, &presented);
    assert_int_equal(presented.kind, PRESENTED_PSK);
    assert_string_equal(presented.psk_name, "a name with spaces");
    tickets_free(&tickets);
}

/* None is there: it is made, empty, to see whether it can be. What is there stays. */
static void test_is_made(void **state)
{
    struct tickets tickets;
    char doubt[TICKETS_DOUBT_SIZE], *text;
    struct error error = {0};

    (void)state;
    unlink(file());
    assert_true(tickets_read(file(), NOW, &tickets, doubt, &error));
    assert_string_equal(doubt, "");
    assert_false(tickets.has_key || tickets.has_ticket);
    assert_true(tickets_write(file(), NOW, TICKETS_NOTHING, &tickets, &error));
    text = file_get(file());
    assert_string_equal(text, "symtls-session 1\nend\n");
    free(text);
    write_both();
    assert_true(tickets_write(file(), NOW, TICKETS_NOTHING, &tickets, &error));
    assert_true(tickets_read(file(), NOW, &tickets, doubt, &error));
    assert_true(tickets.has_key && tickets.has_ticket);
    tickets_free(&tickets);
    assert_false(tickets_write(scratch_path("missing/session"), NOW, TICKETS_NOTHING, &tickets, &error));
    assert_int_equal(error.status, STATUS_LOCAL);
}

/* Of two that make a key at once, one wins, and both use that. */
static void test_key_is_shared(void **state)
{
    struct tickets first, second;
    struct error error = {0};

    (void)state;
    unlink(file());
    fill(&first);
    fill(&second);
    memset(second.key, 0x11, sizeof second.key);
    assert_true(tickets_write(file(), NOW, TICKETS_KEY, &first, &error));
    assert_true(tickets_write(file(), NOW, TICKETS_KEY, &second, &error));
    assert_memory_equal(first.key, second.key, sizeof first.key);
    tickets_free(&first);
    tickets_free(&second);
}

static void test_expires(void **state)
{
    static const struct {
        int64_t now;
        bool key, ticket;
        const char *doubt;
    } table[] = {
        {NOW + 4, true, true, ""},
        {NOW + 5, true, false, "has expired"},
        {NOW + 9, true, false, "has expired"},
        {NOW + 10, false, false, "has expired"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tickets tickets;
        char doubt[TICKETS_DOUBT_SIZE];
        struct error error = {0};

        write_both();
        assert_true(tickets_read(file(), table[i].now, &tickets, doubt, &error));
        check_row(tickets.has_key == table[i].key && tickets.has_ticket == table[i].ticket, "row %zu", i);
        check_row(*table[i].doubt ? has(doubt, table[i].doubt) : !*doubt, "row %zu: %s", i, doubt);
        tickets_free(&tickets);
    }
}

static void test_others_can_read(void **state)
{
    struct tickets tickets;
    char doubt[TICKETS_DOUBT_SIZE];
    struct error error = {0};

    (void)state;
    write_both();
    assert_int_equal(chmod(file(), 0644), 0);
    assert_true(tickets_read(file(), NOW, &tickets, doubt, &error));
    assert_false(tickets.has_key || tickets.has_ticket);
    assert_true(has(doubt, "can be read by others"));
    fill(&tickets);
    assert_true(tickets_write(file(), NOW, TICKETS_TICKET, &tickets, &error));
    tickets_free(&tickets);
    assert_true(tickets_read(file(), NOW, &tickets, doubt, &error)); /* the new one is for us alone, and the old key is gone */
    assert_true(tickets.has_ticket && !tickets.has_key);
    tickets_free(&tickets);
}

/* However it is cut short, nothing in it counts, and it can be replaced. */
static void test_cut_short(void **state)
{
    char *text;
    size_t length;

    (void)state;
    write_both();
    text = file_get(file());
    length = strlen(text);
    for (size_t cut = 0; cut < length; cut++) {
        struct tickets tickets;
        char doubt[TICKETS_DOUBT_SIZE];
        struct error error = {0};
        int fd = open(file(), O_WRONLY | O_TRUNC | O_CLOEXEC);
        bool read;

        assert_int_equal(write(fd, text, cut), cut);
        close(fd);
        read = tickets_read(file(), NOW, &tickets, doubt, &error);
        if (cut > 0 && cut < strlen("symtls-session ")) {
            check_row(!read && has(error.story, "left alone"), "%zu bytes: %s", cut, error.story);
        } else {
            check_row(read && !tickets.has_key && !tickets.has_ticket, "%zu bytes", cut);
            check_row(cut == 0 ? !*doubt : has(doubt, "damaged or cut short") || has(doubt, "another version"), "%zu bytes: %s", cut, doubt);
        }
        tickets_free(&tickets);
    }
    free(text);
}

static void test_damaged(void **state)
{
    static const struct {
        const char *text, *doubt; /* NULL: it is left alone */
    } table[] = {
        {"symtls-session 1\nend\n", ""},
        {"symtls-session 2\nwhatever\n", "another version"},
        {"symtls-session 10\nend\n", "another version"},
        {"symtls-session 1\nend\nmore\n", "damaged"},
        {"symtls-session 1\nunheard-of 1\nend\n", "damaged"},
        {"symtls-session 1\nkey 00\nend\n", "damaged"},
        {"symtls-session 1\nuntil x\nend\n", "damaged"},
        {"symtls-session 1\nuntil 99999999999999999999\nend\n", "damaged"},
        {"symtls-session 1\nticket 0\nend\n", "damaged"},
        {"symtls-session 1\nticket zz\nend\n", "damaged"},
        {"symtls-session 1\nticket \nend\n", "damaged"},
        {"symtls-session 1\npeer martian\nend\n", "damaged"},
        {"symtls-session 1\nour-pin 0123456789012345678901234567890123456789012345678901234567890123456789\nend\n", "damaged"},
        {"# a shell script\n", NULL},
        {"\n", NULL},
        {"-----BEGIN PRIVATE KEY-----\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tickets tickets;
        char doubt[TICKETS_DOUBT_SIZE], *text;
        struct error error = {0};
        bool read;

        file_put(file(), table[i].text, 0600);
        read = tickets_read(file(), NOW, &tickets, doubt, &error);
        check_row(read == (table[i].doubt != NULL), "row %zu: %s", i, error.story);
        if (table[i].doubt)
            check_row(*table[i].doubt ? has(doubt, table[i].doubt) : !*doubt, "row %zu: %s", i, doubt);
        else
            check_row(error.status == STATUS_LOCAL && has(error.story, "left alone"), "row %zu: %s", i, error.story);
        check_row(!tickets.has_key && !tickets.has_ticket, "row %zu", i);
        tickets_free(&tickets);
        fill(&tickets);
        error_clear(&error);
        check_row(tickets_write(file(), NOW, TICKETS_TICKET, &tickets, &error) == read, "row %zu: %s", i, error.story);
        tickets_free(&tickets);
        text = file_get(file());
        check_row(read == (strcmp(text, table[i].text) != 0), "row %zu: %s", i, text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),  cmocka_unit_test(test_psk),     cmocka_unit_test(test_is_made),
        cmocka_unit_test(test_key_is_shared), cmocka_unit_test(test_expires), cmocka_unit_test(test_others_can_read),
        cmocka_unit_test(test_cut_short),   cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
