/* test_known.c - the file known_peers: found, added, taken out, and never harmed. */
#include "check.h"
#include "helpers.h"
#include "known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Three pins; they differ in their first digit. */
#define PIN(digit) "pin-sha256:" digit "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
static const char *const one = PIN("A"), *const two = PIN("B"), *const three = PIN("C");
#define CURL(digit) "sha256//" digit "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const char *path(void)
{
    return scratch_path("known_peers");
}

static void put(const char *text)
{
    scratch_clear();
    file_put(path(), text, 0600);
}

static void assert_content(const char *text)
{
    char *found = file_get(path());

    assert_non_null(found);
    assert_string_equal(found, text);
    free(found);
}

/* ---- Finding ---- */

static const struct find {
    const char *file;
    const char *names[3];
    enum known_result result;
    const char *name; /* of the line that decided */
    unsigned number;
} finds[] = { /* of the pin "one" */
    /* under a name */
    {"bob " PIN("A") " 2020-01-01 asked\n", {"bob"}, KNOWN_MATCH, "bob", 1},
    {"bob " PIN("A") "\n", {"bob"}, KNOWN_MATCH, "bob", 1},
    {"bob " PIN("A"), {"bob"}, KNOWN_MATCH, "bob", 1},
    {"bob " PIN("A") "\r\n", {"bob"}, KNOWN_MATCH, "bob", 1},
    {"  \tbob\t " PIN("A") "  x y z\n", {"bob"}, KNOWN_MATCH, "bob", 1},
    {"bob " CURL("A") "\n", {"bob"}, KNOWN_MATCH, "bob", 1},
    {"bob " PIN("B") "\n", {"bob"}, KNOWN_CHANGED, "bob", 1},
    {"Bob " PIN("A") "\n", {"bOB"}, KNOWN_MATCH, "Bob", 1},
    {"Bob " PIN("B") "\n", {"bOB"}, KNOWN_CHANGED, "Bob", 1},
    {"bobby " PIN("A") "\nbo " PIN("A") "\n", {"bob"}, KNOWN_NONE, NULL, 0},
    {"# c\n\n   # bob " PIN("A") "\n#bob " PIN("A") "\n", {"bob"}, KNOWN_NONE, NULL, 0},
    {"# c\n\n \t\nbob " PIN("A") "\n", {"bob"}, KNOWN_MATCH, "bob", 4},
    {"", {"bob"}, KNOWN_NONE, NULL, 0},
    /* one name may have several keys: any of them will do, and the first is told */
    {"bob " PIN("B") "\nbob " PIN("A") "\n", {"bob"}, KNOWN_MATCH, "bob", 2},
    {"x " PIN("A") "\nbob " PIN("B") "\nBOB " PIN("C") "\n", {"bob"}, KNOWN_CHANGED, "bob", 2},
    {"bob " PIN("B") "\nBOB " PIN("C") "\nbob " PIN("A") "\n", {"bob"}, KNOWN_MATCH, "bob", 3},
    /* several names */
    {"ann " PIN("B") "\nbob " PIN("A") "\n", {"bob", "ann"}, KNOWN_MATCH, "bob", 2},
    {"ann " PIN("B") "\nbob " PIN("C") "\n", {"bob", "ann"}, KNOWN_CHANGED, "ann", 1},
    {"eve " PIN("A") "\n", {"bob", "ann"}, KNOWN_NONE, NULL, 0},
    /* under any name: others' keys say nothing */
    {"ann " PIN("B") "\nbob " PIN("A") "\n", {NULL}, KNOWN_MATCH, "bob", 2},
    {"ann " PIN("B") "\n", {NULL}, KNOWN_NONE, NULL, 0},
    {"ann " PIN("A") "\nbob " PIN("A") "\n", {NULL}, KNOWN_MATCH, "ann", 1},
};

static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(finds); i++) {
        const struct find *at = &finds[i];
        struct known_found found;
        struct error error = {0};
        size_t count = 0;
        enum known_result result;

        put(at->file);
        while (at->names[count])
            count++;
        result = known_find(path(), at->names, count, one, &found, &error);
        check_row(result == at->result, "row %zu: %d, %s", i, result, error.story);
        check_row(error.status == STATUS_OK, "row %zu: %s", i, error.story);
        if (at->name)
            check_row(strcmp(found.line.name, at->name) == 0 && found.line.number == at->number, "row %zu: %s, line %u", i, found.line.name, found.line.number);
    }
}

/* What else there is to say when the key is not known under the name "bob": how many more keys bob has, and which other
 * name has this one. */
static void test_find_more(void **state)
{
    static const struct {
        const char *file;
        unsigned more;
        const char *name; /* "": no other name */
        unsigned number;
    } table[] = {
        {"eve " PIN("A") "\n", 0, "eve", 1},
        {"# c\r\nzoe " PIN("B") "\r\nEve " PIN("A") "\r\nzoe " PIN("A") "\r\n", 0, "Eve", 3}, /* the first */
        {"bob " PIN("B") "\nzoe " CURL("A") " x", 0, "zoe", 2},
        {"x " PIN("A") "\nbob " PIN("B") "\nBOB " PIN("C") "\n", 1, "x", 1},
        {"bob " PIN("B") "\nbob " PIN("C") "\nann " PIN("C") "\nbob " PIN("B") "\n", 2, "", 0},
        {"zoe " PIN("B") "\n# eve " PIN("A") "\n", 0, "", 0},
        {"bob " PIN("B") "\n", 0, "", 0},
        {"", 0, "", 0},
    };
    static const char *const names[] = {"bob"};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error = {0};
        struct known_found found;
        enum known_result result;

        memset(&found, 'x', sizeof found);
        put(table[i].file);
        result = known_find(path(), names, 1, one, &found, &error);
        check_row(result == KNOWN_NONE || result == KNOWN_CHANGED, "row %zu: %d", i, result);
        check_row(found.more == table[i].more, "row %zu: %u more", i, found.more);
        check_row(strcmp(found.elsewhere.name, table[i].name) == 0 && found.elsewhere.number == table[i].number,
                  "row %zu: \"%s\", line %u", i, found.elsewhere.name, found.elsewhere.number);
    }
}

static void test_no_file(void **state)
{
    static const char *const names[] = {"bob"};
    struct known_found found;
    struct error error = {0};
    size_t count = 9;

    (void)state;
    scratch_clear();
    assert_int_equal(known_find(path(), names, 1, one, &found, &error), KNOWN_NONE);
    assert_int_equal(known_find(path(), NULL, 0, one, &found, &error), KNOWN_NONE);
    assert_int_equal(known_find(scratch_path("no/folder"), names, 1, one, &found, &error), KNOWN_NONE);
    assert_true(known_delete(path(), "bob", NULL, &count, &error));
    assert_int_equal(count, 0);
    assert_int_equal(error.status, STATUS_OK);
    assert_int_equal(scratch_count(""), 0);
}

/* ---- Lines that cannot be read ---- */

static const char *const bad_lines[] = {
    "bob", "bob pin", "bob pin-sha256:AAAA", "bob " PIN("?"), "bob " PIN("A") "A", PIN("A"), "b\x1b[2Job " PIN("A"),
    "b\xff " PIN("A"), "b\\ob " PIN("A"), "bob " CURL("A") "=",
};

/* In whichever way the file is used: an error with its line, and no harm to the file. */
static void check_bad(const char *text, unsigned number)
{
    static const char *const names[] = {"bob"};
    char where[64];
    struct known_found found;
    struct error errors[5] = {{.status = STATUS_OK}};
    FILE *nowhere = fopen("/dev/null", "we");
    size_t count;

    snprintf(where, sizeof where, "known_peers:%u: not a line", number);
    put(text);
    assert_non_null(nowhere);
    assert_int_equal(known_find(path(), names, 1, three, &found, &errors[0]), KNOWN_FAILED);
    assert_int_equal(known_find(path(), NULL, 0, three, &found, &errors[1]), KNOWN_FAILED);
    assert_false(known_add(path(), "new", three, "asked", &errors[2]));
    assert_false(known_delete(path(), "ann", NULL, &count, &errors[3]));
    assert_false(known_list(path(), KNOWN_ALIGNED, nowhere, &errors[4]));
    for (size_t i = 0; i < COUNT(errors); i++) {
        check_row(errors[i].status == STATUS_LOCAL && strstr(errors[i].story, where), "%s: %zu: %s", text, i, errors[i].story);
    }
    fclose(nowhere);
    assert_content(text);
    assert_int_equal(scratch_count(""), 1);
}

static void test_bad_lines(void **state)
{
    char text[2048], longest[1200];

    (void)state;
    for (size_t i = 0; i < COUNT(bad_lines); i++) {
        snprintf(text, sizeof text, "%s", bad_lines[i]);
        check_bad(text, 1);
        snprintf(text, sizeof text, "# mine\nann " PIN("B") " 2020-01-01 asked\n%s\n", bad_lines[i]);
        check_bad(text, 3);
    }
    memset(longest, 'x', sizeof longest);
    snprintf(text, sizeof text, "\n%.*s " PIN("A") "\n", KNOWN_NAME_SIZE, longest); /* a name that is too long */
    check_bad(text, 2);
    snprintf(text, sizeof text, "bob " PIN("A") " %.1000s\n", longest); /* a line that is */
    check_bad(text, 1);
}

static void test_zero_byte(void **state)
{
    static const char *const names[] = {"bob"};
    static const char text[] = "bob " PIN("A") "\0\n";
    struct known_found found;
    struct error error = {0};
    FILE *file;

    (void)state;
    scratch_clear();
    file = fopen(path(), "we");
    fwrite(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(known_find(path(), names, 1, one, &found, &error), KNOWN_FAILED);
    assert_true(has(error.story, "known_peers:1"));
}

static void test_cannot_be_read(void **state)
{
    static const char *const names[] = {"bob"};
    struct known_found found;
    struct error error = {0};

    (void)state;
    scratch_clear();
    assert_int_equal(mkdir(path(), 0755), 0);
    assert_int_equal(known_find(path(), names, 1, one, &found, &error), KNOWN_FAILED);
    assert_int_equal(error.status, STATUS_LOCAL);
}

/* ---- Adding ---- */

static const char *today(void)
{
    static char date[16];
    time_t now = time(NULL);
    struct tm utc;

    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    return date;
}

static void test_add(void **state)
{
    static const struct {
        const char *before, *name, *pin, *after; /* %s: today; NULL: as it was */
    } table[] = {
        {"", "bob", PIN("A"), "bob " PIN("A") " %s asked\n"},
        {"# mine\n", "bob", PIN("A"), "# mine\nbob " PIN("A") " %s asked\n"},
        {"# mine", "bob", PIN("A"), "# mine\nbob " PIN("A") " %s asked\n"},
        {"ann " PIN("B"), "bob", PIN("A"), "ann " PIN("B") "\nbob " PIN("A") " %s asked\n"},
        {"ann  " CURL("B") "\tx\r\n\n#\n", "bob", PIN("A"), "ann  " CURL("B") "\tx\r\n\n#\nbob " PIN("A") " %s asked\n"},
        {"bob " PIN("B") "\n", "bob", PIN("A"), "bob " PIN("B") "\nbob " PIN("A") " %s asked\n"},
        {"# mine\r\n\r\nann " PIN("B") "\r\n", "bob", PIN("A"), "# mine\r\n\r\nann " PIN("B") "\r\nbob " PIN("A") " %s asked\n"},
        {"ann " PIN("B") "\r", "bob", PIN("A"), "ann " PIN("B") "\r\nbob " PIN("A") " %s asked\n"},
        /* it is there already */
        {"bob " PIN("A") " 2020-01-01 by phone\r\n", "bob", PIN("A"), NULL},
        {"# mine\nbob " PIN("A") "\n", "bob", PIN("A"), NULL},
        {"Bob " CURL("A"), "bob", PIN("A"), NULL},
        {"bob " PIN("B") "\nbob " PIN("A") " 2020-01-01 added", "bob", PIN("A"), NULL},
    };
    char expected[512];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error = {0};
        char date[16], *found;

        do { /* again when midnight came between */
            strcpy(date, today());
            put(table[i].before);
            check_row(known_add(path(), table[i].name, table[i].pin, "asked", &error), "row %zu: %s", i, error.story);
        } while (strcmp(date, today()) != 0);
        if (table[i].after) {
            const char *rest = strstr(table[i].after, "%s");

            snprintf(expected, sizeof expected, "%.*s%s%s", (int)(rest - table[i].after), table[i].after, date, rest + 2);
        } else {
            snprintf(expected, sizeof expected, "%s", table[i].before);
        }
        found = file_get(path());
        check_row(strcmp(found, expected) == 0, "row %zu: %s", i, found);
        free(found);
    }
}

/* A name that had no key when we looked, and may have one by now. */
static void test_add_first(void **state)
{
    static const char *const names[] = {"bob"};
    struct error error = {0};
    struct known_found found;

    (void)state;
    put("# mine\n");
    assert_true(known_add_first(path(), "bob", one, "asked", &error));
    assert_true(known_add_first(path(), "BOB", one, "asked", &error));
    assert_int_equal(error.status, STATUS_OK);
    assert_false(known_add_first(path(), "Bob", two, "asked", &error));
    assert_int_equal(error.status, STATUS_WRONG);
    assert_true(has(error.story, "\"bob\" has got another key meanwhile"));
    assert_true(has(error.story, "known_peers, line 2"));
    assert_int_equal(known_find(path(), names, 1, two, &found, &error), KNOWN_CHANGED);
}

/* What would make the file too large to be read again is not written. */
static void test_add_to_a_full_file(void **state)
{
    static const char *const names[] = {"bob"};
    struct known_found found;
    char *text = malloc((1 << 20) + 1);

    (void)state;
    assert_non_null(text);
    memset(text, '\n', 1 << 20);
    text[1 << 20] = '\0';
    memcpy(text, "bob " PIN("A"), strlen("bob " PIN("A")));
    for (size_t room = 90; room <= 180; room += 90) { /* a line has less than 90 bytes */
        struct error error = {0};

        text[(1 << 20) - room + 20] = '\0';
        put(text);
        assert_int_equal(known_add(path(), "ann", two, "added", &error), room == 180);
        assert_int_equal(error.status, room == 180 ? STATUS_OK : STATUS_LOCAL);
        assert_true(room == 180 || has(error.story, "known_peers\" is full"));
        assert_int_equal(known_find(path(), names, 1, one, &found, &error), KNOWN_MATCH);
    }
    free(text);
}

static void test_add_makes_file_and_folder(void **state)
{
    struct error error = {0};
    struct known_found found;
    static const char *const names[] = {"bob"};
    const char *deep = scratch_path("share/symtls/known_peers");

    (void)state;
    scratch_clear();
    assert_true(known_add(deep, "bob", two, "added", &error));
    assert_int_equal(file_mode(deep), 0600);
    assert_int_equal(file_mode(scratch_path("share/symtls")), 0700);
    assert_int_equal(known_find(deep, names, 1, two, &found, &error), KNOWN_MATCH);
}

/* Two at once, each with names of its own: none is lost, none is doubled. */
static int add_twenty(void *argument)
{
    for (int i = 0; i < 20; i++) {
        struct error error = {0};
        char name[32];

        snprintf(name, sizeof name, "%s-%d", (const char *)argument, i);
        if (!known_add(path(), name, one, "added", &error))
            return 1;
        if (!known_add(path(), "both", two, "added", &error))
            return 1;
    }
    return 0;
}

static void test_two_at_once(void **state)
{
    static const char *const names[] = {"ann", "bob"};
    struct known_found found;
    int children[2];
    char *text;
    size_t lines = 0;

    (void)state;
    put("# of both\n");
    for (int i = 0; i < 2; i++)
        children[i] = child_start(add_twenty, (void *)names[i]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(child_end(children[i]), 0);
    text = file_get(path());
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 1 + 20 + 20 + 1);
    assert_memory_equal(text, "# of both\n", 10);
    free(text);
    for (int i = 0; i < 40; i++) {
        struct error error = {0};
        char name[32];
        const char *const wanted[] = {name};

        snprintf(name, sizeof name, "%s-%d", names[i % 2], i / 2);
        assert_int_equal(known_find(path(), wanted, 1, one, &found, &error), KNOWN_MATCH);
    }
    assert_int_equal(scratch_count(""), 1);
}

/* ---- When it cannot be written ---- */

static int add_without_room(void *argument)
{
    struct error error = {0};
    size_t count;

    if (argument)
        become_nobody();
    else
        limit_file_size(64);
    if (known_add(path(), "new", one, "added", &error) || error.status != STATUS_LOCAL)
        return 1;
    error_clear(&error);
    if (known_delete(path(), "bob", NULL, &count, &error) || error.status != STATUS_LOCAL)
        return 2;
    return !has(error.story, "known_peers");
}

static void test_unwritable(void **state)
{
    static const char text[] = "# many words, so that it is more than there is room for\nbob " PIN("A") "\nann " PIN("B") "\n";

    (void)state;
    put(text);
    assert_int_equal(chmod(path(), 0644), 0);
    assert_int_equal(in_child(add_without_room, "as nobody"), 0);
    assert_content(text);
    assert_int_equal(in_child(add_without_room, NULL), 0);
    assert_content(text);
    assert_int_equal(scratch_count(""), 1);
}

/* ---- Taking out ---- */

static void test_delete(void **state)
{
    static const struct {
        const char *before, *name, *after;
        size_t count;
        const char *pin;
    } table[] = {
        {"bob " PIN("A") "\n", "bob", "", 1, NULL},
        {"# c\nbob " PIN("A") "\n\nann " PIN("B"), "bob", "# c\n\nann " PIN("B") "\n", 1, NULL},
        {"BOB " PIN("A") "\nann " PIN("B") "\nbob " PIN("C") "\n", "Bob", "ann " PIN("B") "\n", 2, NULL},
        {"ann " PIN("B") "  as it was\r\n# bob\nbob " PIN("A"), "bob", "ann " PIN("B") "  as it was\r\n# bob\n", 1, NULL},
        {"# mine\nann " PIN("B"), "bob", "# mine\nann " PIN("B"), 0, NULL}, /* nothing to do: not a byte changes */
        {"bobby " PIN("A") "\n", "bob", "bobby " PIN("A") "\n", 0, NULL},
        {"", "bob", "", 0, NULL},
        {"# c\r\n\r\nbob " PIN("A") " x y\r\nann " PIN("B") "\r\n", "bob", "# c\r\n\r\nann " PIN("B") "\r\n", 1, NULL},
        /* one of several keys */
        {"bob " PIN("A") "\n#\nBob " PIN("B") " x\r\nbob " PIN("C"), "bob", "bob " PIN("A") "\n#\nbob " PIN("C") "\n", 1, PIN("B")},
        {"bob " PIN("A") "\nbob " CURL("A") "\nann " PIN("A") "\n", "bob", "ann " PIN("A") "\n", 2, PIN("A")},
        {"bob " PIN("A") "\nann " PIN("B"), "bob", "bob " PIN("A") "\nann " PIN("B"), 0, PIN("B")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct error error = {0};
        size_t count = 99;
        char *found;

        put(table[i].before);
        check_row(known_delete(path(), table[i].name, table[i].pin, &count, &error), "row %zu: %s", i, error.story);
        check_row(count == table[i].count, "row %zu: %zu", i, count);
        found = file_get(path());
        check_row(strcmp(found, table[i].after) == 0, "row %zu: %s", i, found);
        free(found);
        assert_int_equal(scratch_count(""), 1);
    }
}

/* ---- Listing ---- */

static void test_list(void **state)
{
    struct error error = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    put("# mine\nbob " PIN("A") " 2020-01-01 asked\r\n\n  ann " PIN("B"));
    assert_true(known_list(path(), KNOWN_AS_WRITTEN, out, &error));
    fclose(out);
    assert_string_equal(text, "bob " PIN("A") " 2020-01-01 asked\n  ann " PIN("B") "\n");
    free(text);
}

static char *aligned(const char *content)
{
    struct error error = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    put(content);
    assert_true(known_list(path(), KNOWN_ALIGNED, out, &error));
    fclose(out);
    return text;
}

static void test_list_aligned(void **state)
{
    static const struct {
        const char *content, *shown;
    } table[] = {
        {"", ""},
        {"bob " PIN("A") " 2020-01-01 asked\n", "bob  " PIN("A") "  2020-01-01  asked\n"},
        {"# c\n\n bob\t" CURL("A") "  2020-01-01 by  phone \r\nannabel " PIN("B") "\n",
         "bob      " PIN("A") "  2020-01-01  by  phone\nannabel  " PIN("B") "  -           -\n"},
        /* its width is not its length */
        {"\xc3\xa9mile " PIN("A") " 2020 x\nbob " PIN("B") " 2020-01-01 asked",
         "\xc3\xa9mile  " PIN("A") "  2020        x\nbob    " PIN("B") "  2020-01-01  asked\n"},
        {"bob " PIN("A") " 2020-01-01 \x1b[2J\xff\n", "bob  " PIN("A") "  2020-01-01  \\x1b[2J\\xff\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char *text = aligned(table[i].content);

        check_row(strcmp(text, table[i].shown) == 0, "row %zu: %s", i, text);
        free(text);
    }
}

static void test_delete_words(void **state)
{
    static const struct {
        const char *name, *pin, *words;
    } table[] = {
        {"bob", NULL, "bob"},
        {"fe80::1%eth0", PIN("A"), "fe80::1%eth0 " PIN("A")},
        {"bob's;$x", NULL, "'bob'\\''s;$x'"},
        {"*", PIN("A"), "'*' " PIN("A")},
        {"~bob", NULL, "'~bob'"},
        {"-bob", PIN("A"), "-- -bob " PIN("A")},
        {"\xc3\xa9mile", NULL, "'\xc3\xa9mile'"},
    };
    char text[KNOWN_DELETE_SIZE], worst[KNOWN_NAME_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        assert_string_equal(known_delete_words(text, table[i].name, table[i].pin), table[i].words);
    memset(worst, '\'', sizeof worst);
    worst[0] = '-';
    worst[sizeof worst - 1] = '\0';
    assert_true(strlen(known_delete_words(text, worst, one)) < sizeof text);
}

static void test_list_of_nobody(void **state)
{
    struct error error = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    scratch_clear();
    assert_true(known_list(path(), KNOWN_AS_WRITTEN, out, &error));
    fclose(out);
    assert_int_equal(size, 0);
    free(text);
}

/* ---- Names ---- */

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } table[] = {
        {"bob", true},     {"peer.example", true}, {"192.0.2.1", true},    {"2001:db8::1", true}, {"fe80::1%eth0", true},
        {"b#b", true},     {"\xc3\xa9mile", true}, {"bob@example", true},  {"*", true},
        {"", false},       {"#bob", false},        {"b b", false},         {"b\tb", false},       {"bob\n", false},
        {"b\x1b", false},  {"b\\b", false},        {"b\xff", false},       {"b\x7f", false},      {"b\xe2\x80\xae", false},
    };
    char longest[KNOWN_NAME_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        check_row(known_is_name(table[i].name) == table[i].good, "row %zu: %s", i, table[i].name);
    memset(longest, 'x', sizeof longest);
    longest[KNOWN_NAME_SIZE - 1] = '\0';
    assert_true(known_is_name(longest));
    longest[KNOWN_NAME_SIZE - 1] = 'x';
    longest[KNOWN_NAME_SIZE] = '\0';
    assert_false(known_is_name(longest));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_more),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_zero_byte),
        cmocka_unit_test(test_cannot_be_read),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_add_first),
        cmocka_unit_test(test_add_to_a_full_file),
        cmocka_unit_test(test_add_makes_file_and_folder),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_aligned),
        cmocka_unit_test(test_delete_words),
        cmocka_unit_test(test_list_of_nobody),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
