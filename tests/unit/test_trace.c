/* test_trace.c - ladder diagrams: golden text at several widths, colours, drawings, repetitions, and files that fill up. */
#include "check.h"
#include "hellos.h"
#include "hellos_dtls.h"
#include "helpers.h"
#include "terminal.h"
#include "trace.h"
#include "trace_row.h"
#include "trace_wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int64_t now_us;

static int64_t clock_us(void)
{
    return now_us;
}

static char one, two; /* sessions: only their addresses matter */

static struct trace *begin(const char *columns, int verbosity)
{
    struct error error = {0};
    struct trace *trace;

    setenv("COLUMNS", columns, 1);
    now_us = 1000000;
    trace = trace_new(scratch_path("ladder"), verbosity, clock_us, &error);
    check_row(trace, "%s", error.story);
    return trace;
}

static void tell(struct trace *trace, struct trace_event event)
{
    const struct trace_sink *sink = trace_sink(trace);

    if (!event.session && event.kind != TRACE_CONNECTION && event.kind != TRACE_NOTE)
        event.session = &one;
    event.extension_id = HELLO_EXTENSION_ID;
    sink->take(sink->context, &event);
    now_us += 1234;
}

/* What was written, for free(). */
static char *end(struct trace *trace)
{
    assert_int_equal(trace_error(trace)->status, STATUS_OK);
    trace_free(trace);
    return file_get(scratch_path("ladder"));
}

/* It is what tests/vectors/NAME has. (A change on purpose: look at what is printed, and put it there.) */
static void check_golden(char *got, const char *name)
{
    const char *srcdir = getenv("srcdir");
    char path[512], *wanted;

    snprintf(path, sizeof path, "%s/tests/vectors/%s", srcdir ? srcdir : ".", name);
    wanted = file_get(path);
    if (!wanted || strcmp(got, wanted) != 0)
        for (char *rest = got, *line; (line = strsep(&rest, "\n")) && rest;)
            print_message("#%s: %s\n", name, line);
    check_row(wanted && strcmp(got, wanted) == 0, "it is not %s", path);
    free(wanted);
    free(got);
}

static void connect_one(struct trace *trace)
{
    tell(trace, (struct trace_event){.kind = TRACE_CONNECTION, .texts = {"192.0.2.1:4433", "[2001:db8::2]:50000", "TCP"}});
}

/* A small conversation, with one of each. */
static void converse(struct trace *trace)
{
    static const struct hellos ours = {.preference = "!", .preference_length = 1}, theirs = {.preference = "~me", .preference_length = 3};
    static uint8_t bytes[HELLOS_SIZE];
    static const uint8_t update[] = {0};
    size_t length = hellos_message(bytes, &ours);

    connect_one(trace);
    tell(trace, (struct trace_event){.kind = TRACE_MESSAGE, .direction = TRACE_OUT, .number = 1, .message_seq = -1, .bytes = bytes + 4, .length = length - 4});
    length = hellos_message(bytes, &theirs);
    tell(trace, (struct trace_event){.kind = TRACE_MESSAGE, .direction = TRACE_IN, .number = 1, .message_seq = -1, .struck = true, .bytes = bytes + 4, .length = length - 4});
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .important = true, .texts = {"our value \"!\" is ordered before the peer's \"~me\": we are the TLS client"}});
    tell(trace, (struct trace_event){.kind = TRACE_MESSAGE, .direction = TRACE_IN, .number = 24, .message_seq = -1, .encrypted = true, .bytes = update, .length = 1});
    tell(trace, (struct trace_event){.kind = TRACE_DATA, .direction = TRACE_OUT, .encrypted = true, .length = 5});
    tell(trace, (struct trace_event){.kind = TRACE_ALERT, .direction = TRACE_IN, .encrypted = true, .fatal = true, .number = 40});
    tell(trace, (struct trace_event){.kind = TRACE_ALERT, .direction = TRACE_OUT, .number = 0});
    trace_end(trace, false, "the peer ended the session with alert 40, handshake_failure");
}

/* ---- Golden text ---- */

/* Each line is no wider than that. */
static void check_width(const char *text, size_t width)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        check_row(length <= width, "%zu columns are wider than %zu: %.*s", length, width, (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void test_ladder(void **state)
{
    static const struct {
        const char *columns;
        size_t width;
        int verbosity;
        const char *golden;
    } rows[] = {
        {"20", 20, 0, "ladder-20.txt"},
        {"40", 40, 0, "ladder-40.txt"},
        {"80", 80, 0, "ladder-80.txt"},
        {"200", 120, 0, "ladder-200.txt"},
        {"1", 20, 0, "ladder-20.txt"}, /* narrower than that is not of this world */
        {"", 80, 0, "ladder-80.txt"},
        {"wide", 80, 0, "ladder-80.txt"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct trace *trace = begin(rows[i].columns, rows[i].verbosity);
        char *text;

        converse(trace);
        text = end(trace);
        check_width(text, rows[i].width);
        check_golden(text, rows[i].golden);
    }
    for (unsigned width = 20; width <= 130; width++) { /* whatever the width: nothing sticks out, with bytes and all */
        char columns[8];
        struct trace *trace;
        char *text;

        snprintf(columns, sizeof columns, "%u", width);
        trace = begin(columns, 3);
        converse(trace);
        tell(trace, (struct trace_event){.kind = TRACE_WIRE, .bytes = (const uint8_t *)"\26\3\3\0\24a record of 20 bytes", .length = 25});
        text = end(trace);
        check_width(text, width);
        free(text);
    }
}

static size_t occurrences(const char *text, const char *words)
{
    size_t count = 0;

    for (text = strstr(text, words); text; text = strstr(text + 1, words))
        count++;
    return count;
}

/* In front of each line, of which session it is; and the time begins anew. */
static void test_number(void **state)
{
    struct trace *trace = begin("80", 0);
    char *text;

    (void)state;
    connect_one(trace);
    trace_number(trace, 7);
    now_us += 5000000;
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .texts = {"hello"}});
    text = end(trace);
    check_width(text, 80);
    assert_true(has(text, "\n7     0.0 | * hello"));
    free(text);
}

/* ---- Records, streams in pieces ---- */

static void test_records(void **state)
{
    static const uint8_t bytes[] = "\26\3\1\0\3abc" "\27\3\3\0\0" "\24\3\3\0\1\1" "GET / HTTP/1.0";
    static const char *const words[] = {"> record: handshake, TLS 1.0, 3 bytes", "> record: application_data, TLS 1.2, 0 bytes",
                                        "> record: change_cipher_spec, TLS 1.2, 1 bytes", "> no record, and none can follow"};

    (void)state;
    for (size_t piece = 1; piece < sizeof bytes; piece++) { /* in pieces of any size */
        struct trace *trace = begin("80", 2);
        char *text;

        connect_one(trace);
        for (size_t at = 0; at < sizeof bytes - 1; at += piece) {
            size_t left = sizeof bytes - 1 - at;

            tell(trace, (struct trace_event){.kind = TRACE_WIRE, .direction = TRACE_OUT, .bytes = bytes + at, .length = left < piece ? left : piece});
        }
        text = end(trace);
        for (size_t i = 0; i < COUNT(words); i++)
            check_row(occurrences(text, words[i]) == 1, "pieces of %zu: %s in\n%s", piece, words[i], text);
        assert_int_equal(occurrences(text, "record"), 4);
        free(text);
    }
}

static void test_bytes(void **state)
{
    static const uint8_t bytes[] = "\26\3\3\0\24" "twenty bytes of text";
    struct trace *trace = begin("80", 3);
    char *text;

    (void)state;
    connect_one(trace);
    tell(trace, (struct trace_event){.kind = TRACE_WIRE, .direction = TRACE_IN, .bytes = bytes, .length = sizeof bytes - 1});
    text = end(trace);
    assert_true(has(text, "record: handshake, TLS 1.2, 20 bytes <|"));
    assert_true(has(text, "|0000 16 03 03 00 14 "));
    assert_true(has(text, "|0005 74 77 65 6e 74 79 20 62 79 74 65 73 20 6f 66 20  twenty bytes of |"));
    assert_true(has(text, "|0015 74 65 78 74 "));
    free(text);

    trace = begin("80", 1); /* who does not ask for it does not get it */
    tell(trace, (struct trace_event){.kind = TRACE_WIRE, .direction = TRACE_IN, .bytes = bytes, .length = sizeof bytes - 1});
    text = end(trace);
    assert_string_equal(text, "");
    free(text);
}

/* ---- Datagrams ---- */

static size_t make_datagram(uint8_t *out, uint8_t type, uint16_t message_seq, size_t offset, size_t length, uint64_t sequence)
{
    static const uint8_t message[200];
    struct hellos_fragment fragment = {.type = type, .message_seq = message_seq, .message = message, .size = sizeof message, .offset = offset, .length = length};

    return hellos_dtls_handshake(out, sequence, &fragment);
}

static void send_datagram(struct trace *trace, enum trace_direction direction, const uint8_t *bytes, size_t length)
{
    tell(trace, (struct trace_event){.kind = TRACE_WIRE, .datagrams = true, .direction = direction, .bytes = bytes, .length = length});
}

static void test_repetitions(void **state)
{
    static uint8_t bytes[DATAGRAM_SIZE];
    struct trace *trace = begin("80", 0);
    size_t length = make_datagram(bytes, 2, 1, 0, 200, 3);
    char *text;

    (void)state;
    connect_one(trace);
    length += make_datagram(bytes + length, 11, 2, 0, 200, 4);
    length += make_datagram(bytes + length, 12, 3, 0, 200, 5);
    send_datagram(trace, TRACE_IN, bytes, length);
    send_datagram(trace, TRACE_OUT, bytes, length); /* the other direction is another matter */
    send_datagram(trace, TRACE_IN, bytes, length);
    length = make_datagram(bytes, 11, 3, 0, 200, 6); /* another message */
    send_datagram(trace, TRACE_IN, bytes, length);
    text = end(trace);
    assert_int_equal(occurrences(text, "again"), 1);
    assert_true(has(text, "<---------------- again: ServerHello #1, Certificate #2, and 1 more --|"));
    free(text);
}

static void test_fragments(void **state)
{
    static uint8_t bytes[DATAGRAM_SIZE];
    struct trace *trace = begin("80", 0);
    char *text;

    (void)state;
    send_datagram(trace, TRACE_OUT, bytes, make_datagram(bytes, 11, 2, 0, 80, 1));
    send_datagram(trace, TRACE_OUT, bytes, make_datagram(bytes, 11, 2, 80, 80, 2));
    send_datagram(trace, TRACE_OUT, bytes, make_datagram(bytes, 11, 2, 160, 40, 3));
    text = end(trace);
    assert_true(has(text, "Certificate #2 in 3 fragments"));
    assert_int_equal(occurrences(text, "\n"), 1);
    free(text);

    trace = begin("100", 2);
    send_datagram(trace, TRACE_OUT, bytes, make_datagram(bytes, 11, 2, 80, 80, 7));
    text = end(trace);
    assert_true(has(text, "> datagram: 105 bytes"));
    assert_true(has(text, "> record: handshake, epoch 0, number 7, 92 bytes; Certificate #2, bytes 80 to 160 of 200"));
    free(text);
}

/* An encrypted handshake message is the last one of a handshake, and whoever repeats it repeats a flight. */
static void test_sealed_repetition(void **state)
{
    static uint8_t bytes[DATAGRAM_SIZE];
    struct trace *trace = begin("80", 0);
    size_t length = hellos_dtls_record(bytes, 22, (uint64_t)1 << 48, "sealed", 6);
    char *text;

    (void)state;
    send_datagram(trace, TRACE_IN, bytes, length);
    send_datagram(trace, TRACE_IN, bytes, length);
    text = end(trace);
    assert_int_equal(occurrences(text, "again: Finished"), 1);
    free(text);
}

/* A peer, or somebody who plays one, repeats itself without end, and says ever new things. */
static void test_flood(void **state)
{
    static uint8_t bytes[DATAGRAM_SIZE];
    struct trace *trace = begin("80", 0);
    char *text;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        send_datagram(trace, TRACE_IN, bytes, make_datagram(bytes, 11, (uint16_t)i, 0, 200, i));
    for (unsigned i = 0; i < 1000; i++)
        send_datagram(trace, TRACE_IN, bytes, make_datagram(bytes, 11, 0, 0, 200, i));
    for (unsigned i = 0; i < 1000; i++)
        tell(trace, (struct trace_event){.kind = TRACE_NOTE, .texts = {"a stranger asks"}});
    for (unsigned i = 0; i < 1000; i++)
        tell(trace, (struct trace_event){.kind = TRACE_ALERT, .direction = TRACE_IN, .datagrams = true, .number = 0});
    text = end(trace);
    assert_int_equal(occurrences(text, "again: "), 101);
    assert_int_equal(occurrences(text, "further repetitions are not shown"), 1);
    assert_int_equal(occurrences(text, "a stranger asks"), 21);
    assert_int_equal(occurrences(text, "close_notify"), 2);
    free(text);
}

/* A second ClientHello is told by what is new in it. */
static void test_second_hello(void **state)
{
    static uint8_t bytes[HELLOS_SIZE];
    struct hellos hellos = {.preference = "me", .preference_length = 2};
    struct trace *trace = begin("80", 0);
    char *text;

    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t length = hellos_dtls_body(bytes, &hellos, i ? 20 : 0, 0);

        tell(trace, (struct trace_event){.kind = TRACE_MESSAGE, .datagrams = true, .direction = TRACE_OUT, .number = 1, .message_seq = i, .bytes = bytes, .length = length});
    }
    text = end(trace);
    assert_int_equal(occurrences(text, "role_preference: "), 1);
    assert_true(has(text, "ClientHello #1, "));
    assert_true(has(strstr(text, "#1"), "cookie: 20 bytes"));
    assert_true(has(strstr(text, "#1"), "everything else as before"));
    free(text);
}

/* ---- Several connections ---- */

static void test_connections(void **state)
{
    struct trace *trace = begin("80", 0);
    char *text;

    (void)state;
    connect_one(trace);
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .texts = {"first"}});
    connect_one(trace);
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &two, .texts = {"second"}});
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .texts = {"third"}});
    tell(trace, (struct trace_event){.kind = TRACE_GONE, .session = &one});
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &two, .texts = {"last"}});
    tell(trace, (struct trace_event){.kind = TRACE_GONE, .session = &two});
    text = end(trace);
    assert_true(has(text, "* first"));
    assert_true(has(text, "[2] TCP; "));
    assert_true(has(text, "* [2] second"));
    assert_true(has(text, "* [1] third"));
    assert_true(has(text, "* [1] this connection is given up"));
    assert_true(has(text, "* [2] last"));
    assert_int_equal(occurrences(text, "given up"), 1);
    free(text);

    /* More of them than there can be, and each with the address of one that has gone. */
    trace = begin("80", 0);
    for (unsigned i = 0; i < 50; i++) {
        static char many[50];

        connect_one(trace);
        tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &many[i], .texts = {"here"}});
        if (i % 2)
            tell(trace, (struct trace_event){.kind = TRACE_GONE, .session = &many[i]});
    }
    free(end(trace));
}

/* ---- A terminal ---- */

static int draw_on_terminal(void *argument)
{
    int fd = terminal_take(argument);
    struct error error = {0};
    struct trace *trace;

    dup2(fd, STDERR_FILENO);
    trace = trace_new(NULL, 0, clock_us, &error);
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .texts = {"over"}});
    trace_free(trace);
    return 0;
}

static void test_terminal(void **state)
{
    static const struct {
        const char *no_colour;
        unsigned short columns;
        const char *wanted;
    } rows[] = {
        {NULL, 70, "    0.0 |\033[1m * over\033[0m"},
        {"", 70, "    0.0 |\033[1m * over\033[0m"}, /* set, and empty: as if it were not */
        {"1", 70, "    0.0 | * over      "},
        {NULL, 30, "\033[1m0.0 * over\033[0m"},
        {"1", 30, "0.0 * over"},
        {NULL, 20, "\033[1m0.0 * over\033[0m"},
    };
    char path[64];

    (void)state;
    setenv("COLUMNS", "99", 1); /* the terminal knows better */
    for (size_t i = 0; i < COUNT(rows); i++) {
        int terminal = terminal_new(path), child;
        struct winsize size = {.ws_col = rows[i].columns, .ws_row = 24};
        const char *shown;

        if (rows[i].no_colour)
            setenv("NO_COLOR", rows[i].no_colour, 1);
        else
            unsetenv("NO_COLOR");
        assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
        child = child_start(draw_on_terminal, path);
        shown = terminal_expect(terminal, "\n");
        check_row(strncmp(shown, rows[i].wanted, strlen(rows[i].wanted)) == 0, "row %zu: %s", i, shown);
        check_row(rows[i].columns < 60 || has(shown, "|\r\n"), "row %zu: %s", i, shown);
        assert_int_equal(child_end(child), 0);
        close(terminal);
    }
    unsetenv("NO_COLOR");
}

static int converse_on_terminal(void *argument)
{
    struct error error = {0};
    struct trace *trace;

    dup2(terminal_take(argument), STDERR_FILENO);
    trace = trace_new(NULL, 0, clock_us, &error);
    converse(trace);
    trace_free(trace);
    dprintf(STDERR_FILENO, "that was it");
    return 0;
}

/* Without its colours, a ladder on a terminal of 20 columns is the one of 20 columns. */
static void test_narrow_terminal(void **state)
{
    char path[64], *plain = calloc(1, 4096);
    int terminal = terminal_new(path), child;
    struct winsize size = {.ws_col = 20, .ws_row = 24};
    const char *shown;
    size_t colours = 0, length = 0;

    (void)state;
    setenv("COLUMNS", "80", 1);
    now_us = 1000000;
    assert_non_null(plain);
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    child = child_start(converse_on_terminal, path);
    for (shown = terminal_expect(terminal, "that was it"); strcmp(shown, "that was it") != 0; shown++)
        if (*shown == '\033') {
            shown = strchr(shown, 'm');
            colours++;
        } else if (*shown != '\r') {
            plain[length++] = *shown;
        }
    assert_true(colours > 10);
    assert_int_equal(child_end(child), 0);
    close(terminal);
    check_golden(plain, "ladder-20.txt");
}

/* ---- Files ---- */

static void test_cannot_open(void **state)
{
    struct error error = {0};

    (void)state;
    assert_null(trace_new(scratch_path("nowhere/ladder"), 0, clock_us, &error));
    assert_int_equal(error.status, STATUS_LOCAL);
    assert_true(has(error.story, "cannot write the trace to \""));
    assert_true(has(error.story, "No such file or directory"));
    error_clear(&error);
    assert_null(trace_new("fd:987", 0, clock_us, &error));
    assert_true(has(error.story, "Bad file descriptor"));
    trace_free(NULL);
    trace_end(NULL, true, "");
    assert_null(trace_sink(NULL));
    assert_int_equal(trace_error(NULL)->status, STATUS_OK);
}

static void test_full(void **state)
{
    struct error error = {0};
    struct trace *trace = trace_new("/dev/full", 0, clock_us, &error);

    (void)state;
    if (!trace)
        skip();
    converse(trace);
    assert_int_equal(trace_error(trace)->status, STATUS_LOCAL);
    assert_true(has(trace_error(trace)->story, "cannot write the trace to \"/dev/full\": No space left on device"));
    trace_free(trace);
}

static void test_descriptor(void **state)
{
    struct error error = {0};
    int fds[2];
    char target[16], text[16] = "";
    struct trace *trace;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    snprintf(target, sizeof target, "fd:%d", fds[1]);
    setenv("COLUMNS", "20", 1);
    trace = trace_new(target, 0, clock_us, &error);
    assert_non_null(trace);
    tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .texts = {"hi"}});
    trace_free(trace);
    assert_int_equal(write(fds[1], "!", 1), 1); /* it is not ours, and stays open */
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    assert_true(has(text, "* hi\n"));
    close(fds[0]);
    close(fds[1]);
}

/* ---- Drawings ---- */

static void test_drawing(void **state)
{
    struct error error = {0};
    struct trace *trace = trace_new(scratch_path("ladder.svg"), 3, clock_us, &error);
    char *text;

    (void)state;
    assert_non_null(trace);
    converse(trace);
    tell(trace, (struct trace_event){.kind = TRACE_WIRE, .bytes = (const uint8_t *)"\26\3\3\0\4<&>\"", .length = 9});
    assert_int_equal(trace_error(trace)->status, STATUS_OK);
    trace_free(trace);
    text = file_get(scratch_path("ladder.svg"));
    assert_true(strncmp(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg ", 44) == 0);
    assert_true(strcmp(text + strlen(text) - 7, "</svg>\n") == 0);
    assert_int_equal(occurrences(text, "<text"), occurrences(text, "</text>"));
    assert_int_equal(occurrences(text, ">ClientHello, "), 2);
    assert_true(has(text, "class=\"name end struck\""));
    assert_true(has(text, "class=\"sealed bad\""));
    free(text);
}

/* What is drawn and never ends is cut, and says so. */
static void test_long_drawing(void **state)
{
    struct error error = {0};
    struct trace *trace = trace_new(scratch_path("long.svg"), 0, clock_us, &error);
    char *text;

    (void)state;
    for (unsigned i = 0; i < 6000; i++)
        tell(trace, (struct trace_event){.kind = TRACE_NOTE, .session = &one, .texts = {"<once & more>"}});
    trace_end(trace, true, "");
    trace_free(trace);
    text = file_get(scratch_path("long.svg"));
    assert_int_equal(occurrences(text, "&lt;once &amp; more&gt;"), 5000);
    assert_int_equal(occurrences(text, "there is too much of it"), 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder),       cmocka_unit_test(test_number),   cmocka_unit_test(test_records),
        cmocka_unit_test(test_bytes),        cmocka_unit_test(test_repetitions), cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_sealed_repetition), cmocka_unit_test(test_flood), cmocka_unit_test(test_second_hello),
        cmocka_unit_test(test_connections),  cmocka_unit_test(test_terminal), cmocka_unit_test(test_narrow_terminal), cmocka_unit_test(test_cannot_open),
        cmocka_unit_test(test_full),         cmocka_unit_test(test_descriptor), cmocka_unit_test(test_drawing),
        cmocka_unit_test(test_long_drawing),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
