/* test_report.c - events as JSON lines with exactly the keys that they are to have, and sentences for people. */
#include "check.h"
#include "report.h"
#include "sockets.h"

#include <fcntl.h>
#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Events, read back ---- */

static void begin(struct report *report, int verbosity)
{
    struct error error = {0};

    check_row(report_init(report, scratch_path("events"), verbosity, &error), "%s", error.story);
    stderr_catch();
}

/* What was said on stderr, for free(). */
static char *end(struct report *report)
{
    assert_int_equal(report->error.status, STATUS_OK);
    report_free(report);
    return stderr_caught();
}

/* The events; each line of the file is one object. */
static json_t *events(void)
{
    char *text = file_get(scratch_path("events")), *rest = text, *line;
    json_t *list = json_array();

    assert_non_null(text);
    while ((line = strsep(&rest, "\n")) && rest) {
        json_error_t why;
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, &why);

        check_row(json_is_object(event), "%s: %s", line, why.text);
        json_array_append_new(list, event);
    }
    check_row(!line || !*line, "a line without an end: %s", line);
    free(text);
    return list;
}

/* The one event that there is. */
static json_t *only_event(void)
{
    json_t *list = events(), *event;

    assert_int_equal(json_array_size(list), 1);
    event = json_incref(json_array_get(list, 0));
    json_decref(list);
    return event;
}

static bool matches(const char *value, const char *pattern)
{
    regex_t regex;
    bool does;

    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    does = regexec(&regex, value, 0, NULL, 0) == 0;
    regfree(&regex);
    return does;
}

/* The event is this one, and has the keys that all have, then these and no others. */
static void assert_event(const json_t *event, const char *name, const char *const *keys, size_t count)
{
    assert_int_equal(json_integer_value(json_object_get(event, "schema")), 1);
    assert_string_equal(json_string_value(json_object_get(event, "event")), name);
    assert_true(matches(json_string_value(json_object_get(event, "time")),
                        "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z$"));
    for (size_t i = 0; i < count; i++)
        check_row(json_object_get(event, keys[i]), "%s has no key \"%s\"", name, keys[i]);
    check_row(json_object_size(event) == 3 + count, "%s has %zu keys", name, json_object_size(event));
}

/* "a.b" is the key b of the object a. */
static const json_t *value(const json_t *event, const char *key)
{
    const char *dot = strchr(key, '.');
    char first[32];

    if (!dot)
        return json_object_get(event, key);
    snprintf(first, sizeof first, "%.*s", (int)(dot - key), key);
    return json_object_get(json_object_get(event, first), dot + 1);
}

static void assert_text(const json_t *event, const char *key, const char *expected)
{
    const json_t *found = value(event, key);

    if (expected)
        check_row(json_is_string(found) && strcmp(json_string_value(found), expected) == 0, "%s is %s, not %s", key,
                  json_string_value(found), expected);
    else
        check_row(json_is_null(found), "%s is not null", key);
}

static void assert_bool(const json_t *event, const char *key, bool expected)
{
    check_row(json_is_boolean(value(event, key)) && json_is_true(value(event, key)) == expected, "%s", key);
}

/* ---- listening, connected, accepted ---- */

static void test_listening(void **state)
{
    static const char *const keys[] = {"transport", "local"};
    const struct {
        struct address local;
        const char *text;
    } table[] = {
        {address_at("192.0.2.1", 4433), "192.0.2.1:4433"},
        {address_at("2001:db8::1", 1), "[2001:db8::1]:1"},
        {address_at("::", 65535), "[::]:65535"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct report report;
        json_t *event;
        char *said;

        begin(&report, REPORT_NORMAL);
        report_listening(&report, TRANSPORT_TCP, &table[i].local, false);
        said = end(&report);
        event = only_event();
        assert_event(event, "listening", keys, COUNT(keys));
        assert_text(event, "transport", "tcp");
        assert_text(event, "local", table[i].text);
        assert_true(has(said, "symtls: listening on "));
        assert_true(has(said, table[i].text));
        json_decref(event);
        free(said);
    }
}

/* Which of the two SCTPs it is, and all addresses where there are several. */
static void test_connected_by_sctp(void **state)
{
    static const char *const one[] = {"transport", "sctp", "local", "remote", "setup"};
    static const char *const several[] = {"transport", "sctp", "local", "remote", "locals", "remotes", "setup"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct transport transport = {.kind = i ? TRANSPORT_SCTP : TRANSPORT_SCTP_IN_UDP,
                                      .fd = -1,
                                      .local = address_at("192.0.2.1", 5),
                                      .remote = address_at("192.0.2.2", 4433)};
        struct report report;
        json_t *event;

        transport.locals.at[0] = transport.local;
        transport.locals.at[1] = address_at("192.0.2.3", 5);
        transport.locals.count = i ? 2 : 0;
        transport.remotes.at[0] = transport.remote;
        transport.remotes.count = i ? 1 : 0;
        begin(&report, REPORT_NORMAL);
        report_connected(&report, &transport);
        free(end(&report));
        event = only_event();
        assert_event(event, "connected", i ? several : one, i ? COUNT(several) : COUNT(one));
        assert_text(event, "transport", "sctp");
        assert_text(event, "sctp", i ? "kernel" : "user");
        if (i) {
            assert_int_equal(json_array_size(value(event, "locals")), 2);
            assert_string_equal(json_string_value(json_array_get(value(event, "locals"), 1)), "192.0.2.3:5");
            assert_int_equal(json_array_size(value(event, "remotes")), 1);
        }
        json_decref(event);
    }
}

static void test_connected(void **state)
{
    static const char *const keys[] = {"transport", "local", "remote", "setup"};
    static const struct {
        enum transport_setup setup;
        const char *text, *sentence;
    } table[] = {
        {TRANSPORT_ACTIVE, "active", "symtls: connected to [2001:db8::2]:4433\n"},
        {TRANSPORT_PASSIVE, "passive", "symtls: [2001:db8::2]:4433 connected\n"},
        {TRANSPORT_SIMULTANEOUS, "simultaneous", "symtls: connected to [2001:db8::2]:4433\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct transport transport = {
            .fd = -1, .setup = table[i].setup, .local = address_at("2001:db8::1", 5), .remote = address_at("2001:db8::2", 4433)};
        struct report report;
        json_t *event;
        char *said;

        begin(&report, REPORT_VERBOSE);
        report_connected(&report, &transport);
        said = end(&report);
        event = only_event();
        assert_event(event, "connected", keys, COUNT(keys));
        assert_text(event, "transport", "tcp");
        assert_text(event, "local", "[2001:db8::1]:5");
        assert_text(event, "remote", "[2001:db8::2]:4433");
        assert_text(event, "setup", table[i].text);
        assert_true(has(said, table[i].sentence));
        assert_true(has(said, "symtls: the connection is [2001:db8::1]:5 to [2001:db8::2]:4433 over TCP, set up "));
        json_decref(event);
        free(said);
    }
}

static void test_accepted(void **state)
{
    struct report report;
    json_t *event;
    char *said;

    (void)state;
    begin(&report, REPORT_VERBOSE);
    report_accepted(&report);
    said = end(&report);
    event = only_event();
    assert_event(event, "accepted", NULL, 0);
    assert_string_equal(said, "symtls: the peer has accepted us\n");
    json_decref(event);
    free(said);
}

/* ---- handshake ---- */

static const char *const handshake_keys[] = {"role",  "symmetric", "decided_by", "our_preference", "peer_preference",
                                             "version", "cipher",  "group",      "signature",      "alpn",
                                             "resumed", "our_pin", "peer",       "trust",          "export"};
static const char *const peer_keys[] = {"name", "subject", "issuer", "names", "pin", "type", "not_after"};

static struct facts full_facts(void)
{
    static char names[2][FACTS_NAME_SIZE] = {"peer.example", "192.0.2.1"};
    static char hex[] = "c0ffee";

    return (struct facts){
        .role = ROLE_CLIENT, .symmetric = true, .decided_by = ROLE_BY_EXTENSION, .our_preference = "\"abc\\", .peer_preference = "}xyz",
        .version = "TLS1.3", .cipher = "AES-256-GCM", .group = "X25519", .signature = "EdDSA-Ed25519", .alpn = "h2",
        .our_pin = "pin-sha256:ours", .export_hex = hex,
        .peer = {.name = "bob", .subject = "CN=Bob \"the\" peer", .issuer = "CN=\xc3\xa9", .names = names, .name_count = 2,
                 .pin = "pin-sha256:theirs", .kind = PRESENTED_X509, .not_after = 1700000000},
        .trust = TRUST_KNOWN, .trust_reason = "its key is known"};
}

static json_t *handshake(const struct facts *facts, int verbosity, char **said)
{
    struct report report;

    begin(&report, verbosity);
    report_handshake(&report, facts);
    *said = end(&report);
    return only_event();
}

static void test_handshake(void **state)
{
    struct facts facts = full_facts();
    char *said;
    json_t *event = handshake(&facts, REPORT_NORMAL, &said);
    const json_t *peer = json_object_get(event, "peer");

    (void)state;
    assert_event(event, "handshake", handshake_keys, COUNT(handshake_keys));
    assert_text(event, "role", "client");
    assert_bool(event, "symmetric", true);
    assert_text(event, "decided_by", "extension");
    assert_text(event, "our_preference", "\"abc\\");
    assert_text(event, "peer_preference", "}xyz");
    assert_text(event, "version", "TLS1.3");
    assert_text(event, "cipher", "AES-256-GCM");
    assert_text(event, "group", "X25519");
    assert_text(event, "signature", "EdDSA-Ed25519");
    assert_text(event, "alpn", "h2");
    assert_bool(event, "resumed", false);
    assert_text(event, "our_pin", "pin-sha256:ours");
    assert_text(event, "trust", "known");
    assert_text(event, "export", "c0ffee");

    assert_int_equal(json_object_size(peer), COUNT(peer_keys));
    for (size_t i = 0; i < COUNT(peer_keys); i++)
        assert_non_null(json_object_get(peer, peer_keys[i]));
    assert_text(event, "peer.name", "bob");
    assert_text(event, "peer.subject", "CN=Bob \"the\" peer");
    assert_text(event, "peer.issuer", "CN=\xc3\xa9");
    assert_text(event, "peer.pin", "pin-sha256:theirs");
    assert_text(event, "peer.type", "x509");
    assert_text(event, "peer.not_after", "2023-11-14T22:13:20Z");
    assert_int_equal(json_array_size(json_object_get(peer, "names")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(peer, "names"), 0)), "peer.example");
    assert_string_equal(json_string_value(json_array_get(json_object_get(peer, "names"), 1)), "192.0.2.1");
    json_decref(event);

    assert_true(has(said, "symtls: we are the TLS client: the role preferences decided (TLS1.3, AES-256-GCM)\n"));
    assert_true(has(said, "symtls: the peer is bob, pin-sha256:theirs\n"));
    assert_true(has(said, "symtls: it is accepted because its key is known\n"));
    assert_null(strstr(said, "preferences: ours")); /* for -v */
    free(said);
}

/* A channel binding is there where one was asked for, and its value is what programs need. */
static void test_handshake_binding(void **state)
{
    static const char *const types[] = {[FACTS_BINDING_TLS_EXPORTER] = "tls-exporter", [FACTS_BINDING_TLS_UNIQUE] = "tls-unique"};
    static char hex[] = "beef";

    (void)state;
    for (int binding = FACTS_BINDING_TLS_EXPORTER; binding <= FACTS_BINDING_TLS_UNIQUE; binding++) {
        struct facts facts = full_facts();
        json_t *event;
        char *said;

        facts.binding = (enum facts_binding)binding;
        facts.binding_hex = hex;
        facts.resumed = true;
        event = handshake(&facts, REPORT_VERBOSE, &said);
        assert_text(event, "channel_binding.type", types[binding]);
        assert_text(event, "channel_binding.value", "beef");
        assert_int_equal(json_object_size(json_object_get(event, "channel_binding")), 2);
        assert_bool(event, "resumed", true);
        assert_true(has(said, "an earlier session was resumed"));
        json_decref(event);
        free(said);
    }
}

/* What there is none of is null; and there is no export where none was asked for. */
static void test_handshake_nulls(void **state)
{
    static const char *const nulls[] = {"our_preference", "peer_preference", "group",       "signature", "alpn",
                                        "our_pin",        "peer.name",       "peer.subject", "peer.issuer", "peer.pin",
                                        "peer.not_after"};
    struct facts facts = {.role = ROLE_SERVER, .version = "TLS1.2", .cipher = "AES-128-GCM", .decided_by = ROLE_BY_PLAIN_CLIENT,
                          .trust_reason = "nobody asked"};
    char *said;
    json_t *event = handshake(&facts, REPORT_VERBOSE, &said);

    (void)state;
    assert_event(event, "handshake", handshake_keys, COUNT(handshake_keys) - 1);
    assert_null(json_object_get(event, "export"));
    for (size_t i = 0; i < COUNT(nulls); i++)
        assert_text(event, nulls[i], NULL);
    assert_bool(event, "symmetric", false);
    assert_text(event, "peer.type", "none");
    assert_text(event, "trust", "none");
    assert_int_equal(json_array_size(value(event, "peer.names")), 0);
    assert_true(json_is_array(value(event, "peer.names")));
    assert_true(has(said, "symtls: the peer did not show who it is\n"));
    json_decref(event);
    free(said);
}

static void test_handshake_words(void **state)
{
    static const char *const decisions[] = {"extension", "implicit", "plain-client", "plain-server", "option"};
    static const char *const trusts[] = {"none", "pin", "known", "ca", "new", "psk", "insecure", "dane"};
    static const char *const kinds[] = {"none", "x509", "rawpk", "psk"};
    struct facts facts = full_facts();
    json_t *event;
    char *said;

    (void)state;
    for (size_t i = 0; i < COUNT(decisions); i++) {
        facts.decided_by = (enum role_decided_by)i;
        facts.role = i % 2 ? ROLE_SERVER : ROLE_CLIENT;
        facts.symmetric = i < 2;
        facts.resumed = i == 2;
        event = handshake(&facts, REPORT_NORMAL, &said);
        assert_text(event, "decided_by", decisions[i]);
        assert_text(event, "role", i % 2 ? "server" : "client");
        assert_bool(event, "symmetric", i < 2);
        assert_bool(event, "resumed", i == 2);
        assert_true(has(said, i % 2 ? "we are the TLS server: " : "we are the TLS client: "));
        json_decref(event);
        free(said);
    }
    for (size_t i = 0; i < COUNT(trusts); i++) {
        facts.trust = (enum trust_how)i;
        event = handshake(&facts, REPORT_QUIET, &said);
        assert_text(event, "trust", trusts[i]);
        assert_string_equal(said, "");
        json_decref(event);
        free(said);
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        facts.peer.kind = (enum presented_kind)i;
        event = handshake(&facts, REPORT_NORMAL, &said);
        assert_string_equal(json_string_value(json_object_get(json_object_get(event, "peer"), "type")), kinds[i]);
        assert_int_equal(json_is_null(json_object_get(json_object_get(event, "peer"), "not_after")), i != PRESENTED_X509);
        assert_true(has(said, i == PRESENTED_NONE ? "the peer did not show who it is" : "the peer is "));
        json_decref(event);
        free(said);
    }
}

static void test_not_after(void **state)
{
    static const struct {
        int64_t moment;
        const char *text;
    } table[] = {
        {0, "1970-01-01T00:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {4102444800, "2100-01-01T00:00:00Z"},
        {FACTS_NO_EXPIRY, NULL},
    };
    struct facts facts = full_facts();

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char *said;
        json_t *event;

        facts.peer.not_after = table[i].moment;
        event = handshake(&facts, REPORT_QUIET, &said);
        assert_text(event, "peer.not_after", table[i].text);
        json_decref(event);
        free(said);
    }
}

static void test_verbose_handshake(void **state)
{
    struct facts facts = full_facts();
    char *said;

    (void)state;
    json_decref(handshake(&facts, REPORT_VERBOSE, &said));
    assert_true(has(said, "preferences: ours \"abc\\, the peer's }xyz\n"));
    assert_true(has(said, "group X25519, the peer's signature EdDSA-Ed25519, ALPN h2\n"));
    assert_true(has(said, "its certificate: subject CN=Bob \"the\" peer, issuer CN="));
    assert_true(has(said, "a name in it: peer.example\n"));
    assert_true(has(said, "a name in it: 192.0.2.1\n"));
    assert_true(has(said, "our own pin: pin-sha256:ours\n"));
    free(said);
}

/* ---- closed ---- */

static const char *const closed_keys[] = {"exit", "sent", "received", "peer_closed", "seconds", "cause"};

static json_t *closed(const struct report_end *how, int verbosity, char **said)
{
    struct report report;

    begin(&report, verbosity);
    report_closed(&report, how);
    report_closed(&report, how); /* whatever happens: one session, one of these */
    *said = end(&report);
    return only_event();
}

static void test_closed(void **state)
{
    struct error none = {0};
    struct report_end how = {.exit = 0, .sent = 5000000000, .received = 1, .peer_closed = true, .error = &none};
    char *said;
    json_t *event;

    (void)state;
    for (int verbosity = REPORT_QUIET; verbosity <= REPORT_VERBOSE; verbosity++) {
        event = closed(&how, verbosity, &said);
        assert_event(event, "closed", closed_keys, COUNT(closed_keys));
        assert_int_equal(json_integer_value(value(event, "exit")), 0);
        assert_int_equal(json_integer_value(value(event, "sent")), 5000000000);
        assert_int_equal(json_integer_value(value(event, "received")), 1);
        assert_bool(event, "peer_closed", true);
        assert_true(json_is_number(value(event, "seconds")));
        assert_true(json_number_value(value(event, "seconds")) >= 0 && json_number_value(value(event, "seconds")) < 60);
        assert_text(event, "cause", NULL);
        assert_string_equal(said, verbosity == REPORT_VERBOSE ? "symtls: closed; 5000000000 bytes sent, 1 received\n" : "");
        json_decref(event);
        free(said);
    }
}

static void test_closed_by_an_error(void **state)
{
    struct error error = {.status = STATUS_CUT, .story = "the connection \"ended\""};
    struct report_end how = {.exit = 9, .error = &error};
    char *said;
    json_t *event;

    (void)state;
    for (int verbosity = REPORT_QUIET; verbosity <= REPORT_VERBOSE; verbosity++) {
        event = closed(&how, verbosity, &said);
        assert_event(event, "closed", closed_keys, COUNT(closed_keys));
        assert_int_equal(json_integer_value(value(event, "exit")), 9);
        assert_bool(event, "peer_closed", false);
        assert_text(event, "cause", "the connection \"ended\""); /* the sentence that stderr got */
        assert_string_equal(said, "symtls: the connection \"ended\"\n");
        json_decref(event);
        free(said);
    }
}

/* A sentence may have a file's name in it, and that any bytes; or be cut off in the middle of a character. No key is lost. */
static void test_cause_that_is_no_utf8(void **state)
{
    struct error error = {.status = STATUS_LOCAL};
    struct report_end how = {.exit = 2, .error = &error};
    char *said;
    json_t *event;

    (void)state;
    snprintf(error.story, sizeof error.story, "cannot open \"b\xe4r\"");
    event = closed(&how, REPORT_QUIET, &said);
    assert_event(event, "closed", closed_keys, COUNT(closed_keys));
    assert_true(json_is_string(value(event, "cause")));
    json_decref(event);
    free(said);
}

/* ---- Where it goes ---- */

static void test_several_events_are_several_lines(void **state)
{
    struct facts facts = full_facts();
    struct error none = {0};
    struct report_end how = {.error = &none};
    struct address local = address_at("192.0.2.1", 1);
    struct transport transport = {.fd = -1, .local = local, .remote = local};
    static const char *const names[] = {"listening", "connected", "handshake", "accepted", "closed"};
    struct report report;
    json_t *list;

    (void)state;
    file_put(scratch_path("events"), "what was there before\n", 0600);
    begin(&report, REPORT_QUIET);
    report_listening(&report, TRANSPORT_TCP, &local, false);
    report_connected(&report, &transport);
    report_handshake(&report, &facts);
    report_accepted(&report);
    report_closed(&report, &how);
    free(end(&report));
    list = events();
    assert_int_equal(json_array_size(list), COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "event")), names[i]);
    json_decref(list);
}

static void test_descriptor(void **state)
{
    struct report report;
    struct error error = {0};
    char target[32], text[512] = "";
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    snprintf(target, sizeof target, "fd:%d", ends[1]);
    assert_true(report_init(&report, target, REPORT_QUIET, &error));
    report_accepted(&report);
    report_free(&report); /* closes it */
    assert_in_range(read(ends[0], text, sizeof text - 1), 20, 200);
    assert_true(has(text, "\"accepted\""));
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_int_equal(read(ends[0], text, sizeof text), 0);
    close(ends[0]);
}

static void test_no_report(void **state)
{
    struct report report;
    struct error error = {0};
    char *said;

    (void)state;
    stderr_catch();
    assert_true(report_init(&report, NULL, REPORT_VERBOSE, &error));
    report_accepted(&report);
    report_free(&report);
    said = stderr_caught();
    assert_string_equal(said, "symtls: the peer has accepted us\n");
    free(said);
}

static void test_unwritable_target(void **state)
{
    struct report report;
    static const char *const targets[] = {"/proc/self/nowhere/x", "/", "fd:987"};

    (void)state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct error error = {0};

        check_row(!report_init(&report, targets[i], REPORT_QUIET, &error), "%s", targets[i]);
        assert_int_equal(error.status, STATUS_LOCAL);
        assert_true(has(error.story, "cannot write the report to \""));
        assert_true(has(error.story, targets[i]));
        report_accepted(&report); /* does nothing */
        report_free(&report);
    }
}

/* The disk is full: that is told once, and the session goes on without. */
static void test_full_target(void **state)
{
    struct report report;
    struct error error = {0}, none = {0};
    struct report_end how = {.error = &none};
    char *said;

    (void)state;
    stderr_catch();
    assert_true(report_init(&report, "/dev/full", REPORT_VERBOSE, &error));
    report_accepted(&report);
    assert_int_equal(report.error.status, STATUS_LOCAL);
    report_closed(&report, &how);
    report_free(&report);
    said = stderr_caught();
    assert_true(has(report.error.story, "cannot write the report to \"/dev/full\": No space left"));
    assert_true(has(said, "symtls: closed; "));
    free(said);
}

/* A reader that leaves is no reason to die. */
static void test_reader_of_the_report_leaves(void **state)
{
    struct report report;
    struct error error = {0};
    char target[32];
    int ends[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as wait_init() does */
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    snprintf(target, sizeof target, "fd:%d", ends[1]);
    assert_true(report_init(&report, target, REPORT_QUIET, &error));
    close(ends[0]);
    report_accepted(&report);
    assert_int_equal(report.error.status, STATUS_LOCAL);
    assert_true(has(report.error.story, "Broken pipe"));
    report_free(&report);
}

/* ---- Sentences ---- */

static void test_say(void **state)
{
    static const char *const expected[] = {"symtls: always 1\n", "symtls: always 1\nsymtls: mostly\n",
                                           "symtls: always 1\nsymtls: mostly\nsymtls: seldom\n"};

    (void)state;
    for (int verbosity = REPORT_QUIET; verbosity <= REPORT_VERBOSE; verbosity++) {
        struct report report = {.fd = -1, .verbosity = verbosity};
        char *said;

        stderr_catch();
        report_say(&report, REPORT_QUIET, "always %d", 1);
        report_say(&report, REPORT_NORMAL, "mostly");
        report_say(&report, REPORT_VERBOSE, "seldom");
        said = stderr_caught();
        assert_string_equal(said, expected[verbosity + 1]);
        free(said);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listening),
        cmocka_unit_test(test_connected),
        cmocka_unit_test(test_connected_by_sctp),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_handshake_binding),
        cmocka_unit_test(test_handshake_nulls),
        cmocka_unit_test(test_handshake_words),
        cmocka_unit_test(test_not_after),
        cmocka_unit_test(test_verbose_handshake),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_closed_by_an_error),
        cmocka_unit_test(test_cause_that_is_no_utf8),
        cmocka_unit_test(test_several_events_are_several_lines),
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_no_report),
        cmocka_unit_test(test_unwritable_target),
        cmocka_unit_test(test_full_target),
        cmocka_unit_test(test_reader_of_the_report_leaves),
        cmocka_unit_test(test_say),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
