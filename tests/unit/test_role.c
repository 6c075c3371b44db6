/* test_role.c - what arrives first on a stream, and what we do. */
#include "check.h"
#include "role_alert.h"
#include "role_rules.h"
#include "roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A stage for one end ---- */

static const uint8_t our_random = 0x55;
static const size_t pieces[] = {1, 2, 3, 7, 100, SIZE_MAX}; /* ways to cut what arrives */

struct play {
    struct role_stream stream;
    unsigned asked; /* how often it wanted our hello */
    size_t fed;     /* bytes that it took before it knew */
};

static void give_hello(struct play *play)
{
    const struct hellos hellos = hellos_ours(&play->stream.config, our_random);
    static uint8_t records[HELLOS_SIZE];

    play->asked++;
    assert_true(role_our_hello(&play->stream, records, hellos_make(records, &hellos)));
    role_next(&play->stream);
}

/* One end sees `bytes` arrive in pieces. The caller frees the stream. */
static void play_bytes(struct play *play, const struct role_config *config, const uint8_t *bytes, size_t length,
                       size_t piece)
{
    memset(play, 0, sizeof *play);
    role_init(&play->stream, config);
    for (;;) {
        size_t size = length - play->fed < piece ? length - play->fed : piece;
        uint8_t *exactly;

        if (play->stream.step == ROLE_STEP_HELLO)
            give_hello(play);
        if (play->stream.step != ROLE_STEP_MORE || play->fed == length)
            break;
        exactly = hellos_exactly(bytes + play->fed, size);
        role_feed(&play->stream, exactly, size);
        free(exactly);
        play->fed += size;
    }
    assert_int_equal(role_next(&play->stream), play->stream.step); /* asking changes nothing */
}

static void play_hello(struct play *play, const struct role_config *config, const struct hellos *hellos, size_t piece)
{
    static uint8_t records[HELLOS_SIZE];

    play_bytes(play, config, records, hellos_make(records, hellos), piece);
}

/* ---- What arrives, and what we do: symtls-protocol(7) ---- */

enum {
    SERVER_HELLO = ARRIVES_ELSE,
    HELLO_RETRY_REQUEST,
    ALERT_OF_TLS,
    ALERT_OF_IDENTITY,
    SOMETHING_ELSE,
    ARRIVES_COUNT
};

static const char *const arrives_names[] = {"hello of a client", "hello of a server", "plain hello", "ServerHello",
                                            "HelloRetryRequest", "alert", "alert about us", "something else"};

static size_t make_arrival(uint8_t *out, unsigned arrives)
{
    switch (arrives) {
    case HELLO_OF_CLIENT:
        return hellos_make(out, &hellos_of_client);
    case HELLO_OF_SERVER:
        return hellos_make(out, &hellos_of_server);
    case HELLO_PLAIN:
        return hellos_make(out, &hellos_plain);
    case SERVER_HELLO:
        return hellos_vector(out, "server-hello-tls13.bin");
    case HELLO_RETRY_REQUEST:
        return hellos_vector(out, "hello-retry-request.bin");
    case ALERT_OF_TLS:
        return hellos_vector(out, "alert-protocol-version.bin");
    case ALERT_OF_IDENTITY:
        role_alert_record(out, ALERT_UNKNOWN_CA);
        return ROLE_ALERT_RECORD_SIZE;
    default:
        memcpy(out, "GET / HTTP/1.1\r\n\r\n", 18);
        return 18;
    }
}

static const struct role_rule rules[] = {
    {SERVER_HELLO, ACTIVE, ALL - SERVER, ALLOW, ROLE_STEP_CLIENT, ROLE_BY_PLAIN_SERVER, 0, -1, 0},
    {SERVER_HELLO, ACTIVE, SERVER, ALLOW, ROLE_STEP_REFUSE, 0, ROLE_REASON_SERVER_UNWANTED, 40, 5},
    {SERVER_HELLO, ACTIVE, ALL, REQUIRE, ROLE_STEP_REFUSE, 0, ROLE_REASON_SERVER_UNWANTED, 40, 5},
    {SERVER_HELLO, PASSIVE, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_TWO_SERVERS, 10, 4},
    {HELLO_RETRY_REQUEST, ACTIVE, ALL - SERVER, ALLOW, ROLE_STEP_CLIENT, ROLE_BY_PLAIN_SERVER, 0, -1, 0},
    {HELLO_RETRY_REQUEST, ACTIVE, SERVER, ALLOW, ROLE_STEP_REFUSE, 0, ROLE_REASON_SERVER_UNWANTED, 40, 5},
    {HELLO_RETRY_REQUEST, ACTIVE, ALL, REQUIRE, ROLE_STEP_REFUSE, 0, ROLE_REASON_SERVER_UNWANTED, 40, 5},
    {HELLO_RETRY_REQUEST, PASSIVE, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_TWO_SERVERS, 10, 4},

    {ALERT_OF_TLS, BOTH, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_ALERT, ROLE_NO_ALERT, 4},
    {ALERT_OF_IDENTITY, BOTH, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_ALERT, ROLE_NO_ALERT, 8},
    {SOMETHING_ELSE, BOTH, ALL, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_HTTP, ROLE_NO_ALERT, 4},
};

static void check_rule(const struct role_rule *rule, bool active, enum role_want want, enum role_symmetric symmetric)
{
    struct role_config config = config_of(want, active, symmetric);
    bool is_hello = rule->arrives == HELLO_OF_CLIENT || rule->arrives == HELLO_OF_SERVER;
    static uint8_t bytes[HELLOS_SIZE];
    size_t length = make_arrival(bytes, rule->arrives);

    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct play play;
        const struct role_stream *stream = &play.stream;
        char where[128];

        snprintf(where, sizeof where, "%s, %s, %s, %s, pieces of %zu", arrives_names[rule->arrives],
                 active ? "active" : "passive", want_names[want], symmetric ? "require" : "allow", pieces[i]);
        play_bytes(&play, &config, bytes, length, pieces[i]);
        check_row(stream->step == rule->step, "%s", where);
        check_row(stream->reason == rule->reason, "%s", where);
        check_row(stream->alert == rule->alert, "%s", where);
        check_row(role_status(stream) == rule->status, "%s", where);
        check_row(play.asked == (active || is_hello), "%s", where);
        if (rule->step != ROLE_STEP_REFUSE) {
            check_row(stream->decided_by == rule->by, "%s", where);
            check_row(stream->symmetric == is_hello, "%s", where);
        }
        check_row(stream->peer_is_explicit == is_hello, "%s", where);
        check_row(stream->peer.length == (is_hello ? (rule->arrives == HELLO_OF_CLIENT ? 1 : 32) : 0), "%s", where);
        check_row(memcmp(stream->peer.value, (rule->arrives == HELLO_OF_CLIENT ? hellos_of_client : hellos_of_server).preference,
                         stream->peer.length) == 0,
                  "%s", where);
        check_row(stream->peer_alert == (rule->arrives == ALERT_OF_TLS        ? 70
                                         : rule->arrives == ALERT_OF_IDENTITY ? ALERT_UNKNOWN_CA
                                                                              : ROLE_NO_ALERT),
                  "%s", where);
        role_free(&play.stream);
    }
}

static void test_rules(void **state)
{
    (void)state;
    role_rules_check(rules, COUNT(rules), ARRIVES_COUNT, check_rule);
}

/* Plain TLS on request: nothing is compared, and nothing is read that need not be. */
static void test_never(void **state)
{
    static const struct {
        enum role_want want;
        unsigned arrives;
        enum role_step step;
        enum role_reason reason;
        int alert;
        enum status status;
    } rows[] = {
        {ROLE_WANT_CLIENT, SERVER_HELLO, ROLE_STEP_CLIENT, 0, -1, 0},
        {ROLE_WANT_CLIENT, HELLO_RETRY_REQUEST, ROLE_STEP_CLIENT, 0, -1, 0},
        {ROLE_WANT_CLIENT, HELLO_PLAIN, ROLE_STEP_REFUSE, ROLE_REASON_TWO_CLIENTS, 10, 5},
        {ROLE_WANT_CLIENT, HELLO_OF_SERVER, ROLE_STEP_REFUSE, ROLE_REASON_TWO_CLIENTS, 10, 5},
        {ROLE_WANT_CLIENT, ALERT_OF_IDENTITY, ROLE_STEP_REFUSE, ROLE_REASON_ALERT, -1, 8},
        {ROLE_WANT_CLIENT, SOMETHING_ELSE, ROLE_STEP_REFUSE, ROLE_REASON_HTTP, -1, 4},
        {ROLE_WANT_SERVER, HELLO_PLAIN, ROLE_STEP_SERVER, 0, -1, 0},
        {ROLE_WANT_SERVER, HELLO_OF_CLIENT, ROLE_STEP_SERVER, 0, -1, 0},
        {ROLE_WANT_SERVER, HELLO_OF_SERVER, ROLE_STEP_SERVER, 0, -1, 0},
        {ROLE_WANT_SERVER, SERVER_HELLO, ROLE_STEP_REFUSE, ROLE_REASON_TWO_SERVERS, 10, 4},
        {ROLE_WANT_SERVER, ALERT_OF_TLS, ROLE_STEP_REFUSE, ROLE_REASON_ALERT, -1, 4},
        {ROLE_WANT_SERVER, SOMETHING_ELSE, ROLE_STEP_REFUSE, ROLE_REASON_HTTP, -1, 4},
    };
    static uint8_t bytes[HELLOS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t j = 0; j < COUNT(pieces); j++) {
            bool active = rows[i].want == ROLE_WANT_CLIENT;
            struct role_config config = config_of(rows[i].want, active, ROLE_SYMMETRIC_NEVER);
            struct buffer rest = {0};
            struct play play;

            play_bytes(&play, &config, bytes, make_arrival(bytes, rows[i].arrives), pieces[j]);
            check_row(play.stream.step == rows[i].step, "row %zu, pieces of %zu", i, pieces[j]);
            check_row(play.stream.reason == rows[i].reason, "row %zu, pieces of %zu", i, pieces[j]);
            check_row(play.stream.alert == rows[i].alert, "row %zu, pieces of %zu", i, pieces[j]);
            check_row(role_status(&play.stream) == rows[i].status, "row %zu, pieces of %zu", i, pieces[j]);
            check_row(!play.stream.symmetric && play.stream.peer.length == 0, "row %zu", i);
            if (rows[i].step != ROLE_STEP_REFUSE) {
                check_row(play.stream.decided_by == ROLE_BY_OPTION, "row %zu", i);
                check_row(role_rest(&play.stream, &rest), "row %zu", i);
                check_row(buffer_used(&rest) == play.fed, "row %zu", i);
                check_row(memcmp(buffer_at(&rest), bytes, play.fed) == 0, "row %zu", i);
            }
            buffer_free(&rest);
            role_free(&play.stream);
        }
}

static void test_implicit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROLE_IMPLICITS; i++)
        for (int active = 0; active < 2; active++)
            for (size_t j = 0; j < COUNT(pieces); j++) {
                struct role_config config = config_of(ROLE_WANT_ANY, active, active ? ROLE_SYMMETRIC_REQUIRE : 0);
                struct play play;

                config.implicit = true;
                play_hello(&play, &config, &role_implicits[i].peer, pieces[j]);
                check_row(play.asked == 1, "row %zu, active %d", i, active);
                role_implicit_check(&play.stream, i);
                role_free(&play.stream);
            }
}

/* The four bytes in front may be the time of day, and do not count. */
static void test_implicit_without_time(void **state)
{
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    const struct hellos peer = {.random = our_random};
    static uint8_t records[HELLOS_SIZE];
    size_t length = hellos_make(records, &peer);
    struct play play;

    (void)state;
    config.implicit = true;
    memset(records + 5 + 6, 0, 4);
    play_bytes(&play, &config, records, length, SIZE_MAX);
    assert_int_equal(play.stream.reason, ROLE_REASON_TIE);
    role_free(&play.stream);
    records[5 + 6 + 4]--; /* the first that does */
    play_bytes(&play, &config, records, length, SIZE_MAX);
    assert_int_equal(play.stream.step, ROLE_STEP_SERVER);
    role_free(&play.stream);
    records[5 + 6 + 4]++;
    records[5 + 6 + 31]++; /* the last */
    play_bytes(&play, &config, records, length, SIZE_MAX);
    assert_int_equal(play.stream.step, ROLE_STEP_CLIENT);
    role_free(&play.stream);
}

/* What we sent comes back: a tie, whatever we want. */
static void test_reflected(void **state)
{
    (void)state;
    for (int want = 0; want < 5; want++)
        for (int implicit = 0; implicit < 2; implicit++)
            for (int active = 0; active < 2; active++) {
                struct role_config config = config_of((enum role_want)want, active, ROLE_SYMMETRIC_REQUIRE);
                struct hellos ours;
                struct play play;

                config.implicit = implicit;
                ours = hellos_ours(&config, our_random);
                play_hello(&play, &config, &ours, 1);
                check_row(play.stream.step == ROLE_STEP_REFUSE, "%s", want_names[want]);
                check_row(play.stream.reason == ROLE_REASON_TIE, "%s", want_names[want]);
                check_row(play.stream.alert == ALERT_HANDSHAKE_FAILURE, "%s", want_names[want]);
                check_row(role_status(&play.stream) == STATUS_ROLE, "%s", want_names[want]);
                role_free(&play.stream);
            }
}

static void test_other_extension_id(void **state)
{
    const struct hellos peer = {.preference = "!", .preference_length = 1, .extension_id = 65001};
    struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    struct play play;

    (void)state;
    play_hello(&play, &config, &peer, SIZE_MAX);
    assert_int_equal(play.stream.decided_by, ROLE_BY_PLAIN_CLIENT);
    role_free(&play.stream);
    config.extension_id = 65001;
    play_hello(&play, &config, &peer, SIZE_MAX);
    assert_int_equal(play.stream.decided_by, ROLE_BY_EXTENSION);
    role_free(&play.stream);
}

/* ---- Not TLS, or not as it has to be ---- */

struct refusal {
    const char *what;
    const char *bytes;
    size_t length;
    enum role_reason reason;
    int alert;
};

static void check_refusals(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int active = 0; active < 2; active++)
            for (size_t j = 0; j < COUNT(pieces); j++) {
                struct role_config config = config_of(ROLE_WANT_ANY, active, ROLE_SYMMETRIC_ALLOW);
                struct play play;

                play_bytes(&play, &config, (const uint8_t *)rows[i].bytes, rows[i].length, pieces[j]);
                check_row(play.stream.step == ROLE_STEP_REFUSE, "%s", rows[i].what);
                check_row(play.stream.reason == rows[i].reason, "%s", rows[i].what);
                check_row(play.stream.alert == rows[i].alert, "%s", rows[i].what);
                check_row(role_status(&play.stream) == STATUS_TLS, "%s", rows[i].what);
                role_free(&play.stream);
            }
}

static void test_not_tls(void **state)
{
    static const struct refusal rows[] = {
        {"HTTP request", "GET / HTTP/1.0\r\n\r\n", 18, ROLE_REASON_HTTP, -1},
        {"HEAD", "HEAD / HTTP/1.0\r\n", 17, ROLE_REASON_HTTP, -1},
        {"POST", "POST /x HTTP/1.1\r\n", 18, ROLE_REASON_HTTP, -1},
        {"PUT", "PUT /x HTTP/1.1\r\n", 17, ROLE_REASON_HTTP, -1},
        {"DELETE", "DELETE /x HTTP/1.1\r\n", 20, ROLE_REASON_HTTP, -1},
        {"PATCH", "PATCH /x HTTP/1.1\r\n", 19, ROLE_REASON_HTTP, -1},
        {"OPTIONS", "OPTIONS * HTTP/1.1\r\n", 20, ROLE_REASON_HTTP, -1},
        {"CONNECT", "CONNECT h:1 HTTP/1.1\r\n", 22, ROLE_REASON_HTTP, -1},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, ROLE_REASON_HTTP, -1},
        {"HTTP answer", "HTTP/1.1 400 Bad Request\r\n", 26, ROLE_REASON_HTTP, -1},
        {"SSH", "SSH-2.0-OpenSSH_9.2\r\n", 21, ROLE_REASON_SSH, -1},
        {"SSLv2", "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11, ROLE_REASON_SSLV2, -1},
        {"SSLv2 hello of SSLv3", "\x80\x46\x01\x03\x00\x00\x2d\x00\x00\x00\x10", 11, ROLE_REASON_SSLV2, -1},
        {"like SSLv2, but a SERVER-HELLO", "\x80\x2e\x04\x00\x02", 5, ROLE_REASON_NOT_TLS, -1},
        {"GETAWAY", "GETAWAY", 7, ROLE_REASON_NOT_TLS, -1},
        {"SSO", "SSO", 3, ROLE_REASON_NOT_TLS, -1},
        {"SMTP", "220 mail.example.org ESMTP\r\n", 28, ROLE_REASON_NOT_TLS, -1},
        {"a line of text", "hello\n", 6, ROLE_REASON_NOT_TLS, -1},
        {"zeros", "\0\0\0\0\0\0\0\0\0\0", 10, ROLE_REASON_NOT_TLS, -1},
        {"one zero", "\0", 1, ROLE_REASON_NOT_TLS, -1},
        {"random", "\xd3\x1c\x9e\x44\x07\xb2\x61\xfa", 8, ROLE_REASON_NOT_TLS, -1},
        {"a record type below", "\x13\3\3\0\1\1", 6, ROLE_REASON_NOT_TLS, -1},
        {"a record type above", "\x18\3\3\0\1\1", 6, ROLE_REASON_NOT_TLS, -1},
        {"a handshake of version 2", "\x16\2\0\0\4\1\0\0\0", 9, ROLE_REASON_NOT_TLS, -1},
        {"datagram TLS", "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\4", 13, ROLE_REASON_NOT_TLS, -1},
    };

    (void)state;
    check_refusals(rows, COUNT(rows));
}

/* Less than a word is not judged: it may still become one. */
static void test_not_tls_yet(void **state)
{
    static const char *const words[] = {"GET ", "HTTP/", "SSH-", "OPTIONS ", "POST ", "PUT ", "PATCH ", "HEAD ",
                                        "DELETE ", "CONNECT ", "\x80\x2e\x01"};
    struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++)
        for (size_t cut = 1; cut < strlen(words[i]); cut++) {
            struct play play;

            play_bytes(&play, &config, (const uint8_t *)words[i], cut, SIZE_MAX);
            check_row(play.stream.step == ROLE_STEP_MORE, "%.*s", (int)cut, words[i]);
            check_row(role_end(&play.stream) == ROLE_STEP_REFUSE, "%.*s", (int)cut, words[i]);
            check_row(play.stream.reason == ROLE_REASON_CUT, "%.*s", (int)cut, words[i]);
            role_free(&play.stream);
        }
}

static void test_bad_records(void **state)
{
    static const struct refusal rows[] = {
        {"too long by one", "\x16\3\1\x41\1", 5, ROLE_REASON_RECORD_TOO_LONG, 22},
        {"longest that can be told", "\x16\3\1\xff\xff\1", 6, ROLE_REASON_RECORD_TOO_LONG, 22},
        {"too long, no handshake", "\x17\3\3\xff\xff", 5, ROLE_REASON_RECORD_TOO_LONG, 22},
        {"too long, later", "\x16\3\1\0\1\1\x16\3\1\x41\1", 11, ROLE_REASON_RECORD_TOO_LONG, 22},
        {"empty", "\x16\3\1\0\0", 5, ROLE_REASON_UNEXPECTED, 10},
        {"empty, later", "\x16\3\1\0\1\1\x16\3\1\0\0", 11, ROLE_REASON_UNEXPECTED, 10},
        {"change_cipher_spec", "\x14\3\3\0\1\1", 6, ROLE_REASON_UNEXPECTED, 10},
        {"application data", "\x17\3\3\0\5abcde", 10, ROLE_REASON_UNEXPECTED, 10},
        {"application data, later", "\x16\3\1\0\1\1\x17\3\3\0\1x", 12, ROLE_REASON_UNEXPECTED, 10},
        {"an alert in the middle of a hello", "\x16\3\1\0\1\1\x15\3\3\0\2\2\x28", 13, ROLE_REASON_UNEXPECTED, 10},
        {"HTTP in the middle of a hello", "\x16\3\1\0\1\1GET /", 11, ROLE_REASON_UNEXPECTED, 10},
        {"other version, later", "\x16\3\1\0\1\1\x16\2\1\0\1\0", 12, ROLE_REASON_UNEXPECTED, 10},
        {"HelloRequest", "\x16\3\1\0\4\0\0\0\0", 9, ROLE_REASON_UNEXPECTED, 10},
        {"EncryptedExtensions", "\x16\3\1\0\4\x08\0\0\0", 9, ROLE_REASON_UNEXPECTED, 10},
        {"Finished", "\x16\3\1\0\4\x14\0\0\0", 9, ROLE_REASON_UNEXPECTED, 10},
        {"empty alert", "\x15\3\3\0\0", 5, ROLE_REASON_UNEXPECTED, 10},
        {"half an alert", "\x15\3\3\0\1\2", 6, ROLE_REASON_UNEXPECTED, 10},
        {"an alert and a half", "\x15\3\3\0\3\2\x28\0", 8, ROLE_REASON_UNEXPECTED, 10},
        {"a hello of more than 64 KiB", "\x16\3\1\0\4\1\0\xff\xfd", 9, ROLE_REASON_HELLO_TOO_LARGE, 50},
        {"a hello of 16 MiB", "\x16\3\1\0\4\1\xff\xff\xff", 9, ROLE_REASON_HELLO_TOO_LARGE, 50},
        {"an empty hello", "\x16\3\1\0\4\1\0\0\0", 9, ROLE_REASON_BAD_HELLO, 50},
        {"a hello of one byte", "\x16\3\1\0\5\1\0\0\1\3", 10, ROLE_REASON_BAD_HELLO, 50},
    };

    (void)state;
    check_refusals(rows, COUNT(rows));
}

/* The longest record, and the largest hello, that are good; in records of any size. */
static void test_largest(void **state)
{
    const struct hellos peer = {.preference = "!", .preference_length = 1, .size = HELLO_SIZE_MAX};
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_REQUIRE);
    static const size_t sizes[] = {1, 2, 255, 16384, 16640};
    static uint8_t message[HELLOS_SIZE], records[HELLOS_SIZE];
    size_t length = hellos_message(message, &peer);

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t j = 0; j < COUNT(pieces); j++) {
            size_t size = hellos_records(records, message, length, sizes[i]);
            struct play play;

            if (pieces[j] < 100 && sizes[i] != 255) /* they are many: once is enough */
                continue;
            play_bytes(&play, &config, records, size - 1, pieces[j]);
            check_row(play.stream.step == ROLE_STEP_MORE, "records of %zu", sizes[i]);
            check_row(role_feed(&play.stream, records + size - 1, 1) == ROLE_STEP_SERVER, "records of %zu", sizes[i]);
            role_free(&play.stream);
        }
}

static void test_bad_hello(void **state)
{
    static const struct {
        const char *what;
        struct hellos peer;
        enum role_reason reason;
        int alert;
    } rows[] = {
        {"empty", {.preference = "", .preference_length = 0}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"33 bytes", {.preference = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", .preference_length = 33},
         ROLE_REASON_BAD_PREFERENCE, 47},
        {"a space", {.preference = "a b", .preference_length = 3}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"not ASCII", {.preference = "\xc3\xa9", .preference_length = 2}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"delete", {.preference = "\x7f", .preference_length = 1}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"twice", {.preference = "a", .preference_length = 1, .twice = true}, ROLE_REASON_BAD_PREFERENCE, 47},
        {"extensions too long", {.field = FIELD_EXTENSIONS, .lie = 1}, ROLE_REASON_BAD_HELLO, 50},
        {"extensions too short", {.field = FIELD_EXTENSIONS, .lie = -1}, ROLE_REASON_BAD_HELLO, 50},
        {"session id too long", {.field = FIELD_SESSION_ID, .lie = 1}, ROLE_REASON_BAD_HELLO, 50},
        {"message too short", {.field = FIELD_MESSAGE, .lie = -1}, ROLE_REASON_BAD_HELLO, 50},
        {"over 64 KiB", {.size = HELLO_SIZE_MAX + 1}, ROLE_REASON_HELLO_TOO_LARGE, 50},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int active = 0; active < 2; active++)
            for (size_t j = 0; j < COUNT(pieces); j++) {
                struct role_config config = config_of(ROLE_WANT_ANY, active, ROLE_SYMMETRIC_ALLOW);
                struct play play;

                play_hello(&play, &config, &rows[i].peer, pieces[j]);
                check_row(play.stream.step == ROLE_STEP_REFUSE, "%s", rows[i].what);
                check_row(play.stream.reason == rows[i].reason, "%s", rows[i].what);
                check_row(play.stream.alert == rows[i].alert, "%s", rows[i].what);
                check_row(role_status(&play.stream) == STATUS_TLS, "%s", rows[i].what);
                check_row(play.asked == (active ? 1 : 0), "%s", rows[i].what); /* nothing of ours for nonsense */
                role_free(&play.stream);
            }
}

/* ---- The end of the stream ---- */

static void test_end_at_every_offset(void **state)
{
    static const unsigned cuts[] = {HELLO_OF_CLIENT, HELLO_PLAIN, SERVER_HELLO, ALERT_OF_TLS};
    static uint8_t bytes[HELLOS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(cuts); i++) {
        size_t length = make_arrival(bytes, cuts[i]);

        for (size_t cut = 0; cut < length; cut++)
            for (int active = 0; active < 2; active++) {
                struct role_config config = config_of(ROLE_WANT_ANY, active, ROLE_SYMMETRIC_ALLOW);
                struct play play;

                play_bytes(&play, &config, bytes, cut, cut % 2 ? 1 : SIZE_MAX);
                check_row(play.stream.step == ROLE_STEP_MORE, "%s, %zu bytes", arrives_names[cuts[i]], cut);
                check_row(play.asked == (active ? 1 : 0), "%s, %zu bytes", arrives_names[cuts[i]], cut);
                check_row(role_end(&play.stream) == ROLE_STEP_REFUSE, "%s, %zu bytes", arrives_names[cuts[i]], cut);
                check_row(play.stream.reason == (cut ? ROLE_REASON_CUT : ROLE_REASON_SILENT_END), "%s, %zu bytes",
                          arrives_names[cuts[i]], cut);
                check_row(role_status(&play.stream) == (cut ? STATUS_TLS : STATUS_NETWORK), "%s, %zu bytes",
                          arrives_names[cuts[i]], cut);
                check_row(play.stream.alert == ROLE_NO_ALERT, "%s, %zu bytes", arrives_names[cuts[i]], cut);
                role_free(&play.stream);
            }
    }
}

static void test_no_memory(void **state)
{
    struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    struct role_stream stream;

    (void)state;
    role_init(&stream, &config);
    assert_int_equal(role_feed(&stream, (const uint8_t *)"", SIZE_MAX / 8), ROLE_STEP_REFUSE);
    assert_int_equal(stream.reason, ROLE_REASON_MEMORY);
    assert_int_equal(stream.alert, ALERT_INTERNAL_ERROR);
    assert_int_equal(role_status(&stream), STATUS_LOCAL);
    role_free(&stream);
}

/* Under a sanitizer, too, too much memory is none, and no crash. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* ---- Striking ---- */

static uint8_t next[3000]; /* what follows the hello */

/* A hello in records of any size, the last of which goes on with `shared` bytes of the next message; then come
 * `behind` bytes of anything. What the TLS session gets, together with what is read later, has to be exactly this: */
static size_t expected_rest(uint8_t *out, size_t shared, size_t behind)
{
    uint8_t *at = out;

    if (shared) {
        const uint8_t header[] = {22, 3, 3, (uint8_t)(shared >> 8), (uint8_t)shared};

        memcpy(at, header, sizeof header);
        memcpy(at + sizeof header, next, shared);
        at += sizeof header + shared;
    }
    memcpy(at, next + shared, behind);
    return (size_t)(at - out) + behind;
}

static void check_striking(unsigned arrives, size_t record_size, size_t shared, size_t behind, size_t piece)
{
    static uint8_t hello[HELLOS_SIZE], records[HELLOS_SIZE], expected[HELLOS_SIZE];
    struct role_config config = config_of(ROLE_WANT_ANY, arrives == HELLO_OF_SERVER && piece % 2 == 0, 0);
    size_t length = make_arrival(hello, arrives) - 5;
    size_t last = length % record_size ? length % record_size : record_size;
    size_t size = hellos_records(records, hello + 5, length - last, record_size);
    struct buffer rest = {0};
    struct play play;
    size_t expected_size;
    char where[128];

    snprintf(where, sizeof where, "%s, records of %zu, %zu shared, %zu behind, pieces of %zu", arrives_names[arrives],
             record_size, shared, behind, piece);
    memcpy(hello + 5 + length, next, shared);
    size += hellos_records(records + size, hello + 5 + length - last, last + shared, last + shared);
    memcpy(records + size, next + shared, behind);
    size += behind;

    play_bytes(&play, &config, records, size, piece);
    if (arrives == HELLO_OF_SERVER) {
        check_row(play.stream.step == ROLE_STEP_CLIENT, "%s", where);
        expected_size = expected_rest(expected, shared, behind);
    } else { /* nothing is struck for a server */
        check_row(play.stream.step == ROLE_STEP_SERVER, "%s", where);
        memcpy(expected, records, size);
        expected_size = size;
    }
    check_row(buffer_append(&rest, "in front", 8), "%s", where);
    check_row(role_rest(&play.stream, &rest), "%s", where);
    check_row(buffer_append(&rest, records + play.fed, size - play.fed), "%s", where);
    check_row(buffer_used(&rest) == 8 + expected_size, "%s", where);
    check_row(memcmp(buffer_at(&rest), "in front", 8) == 0, "%s", where);
    check_row(memcmp(buffer_at(&rest) + 8, expected, expected_size) == 0, "%s", where);
    buffer_free(&rest);
    role_free(&play.stream);
}

static void test_striking(void **state)
{
    static const unsigned hellos[] = {HELLO_OF_SERVER, HELLO_OF_CLIENT, HELLO_PLAIN};
    static const size_t record_sizes[] = {1, 2, 3, 50, 16384};
    static const size_t shareds[] = {0, 1, 4, 255, 256, 2000};
    static const size_t behinds[] = {0, 1, 5, 700};

    (void)state;
    for (size_t i = 0; i < sizeof next; i++)
        next[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t i = 0; i < COUNT(hellos); i++)
        for (size_t j = 0; j < COUNT(record_sizes); j++)
            for (size_t k = 0; k < COUNT(shareds); k++)
                for (size_t l = 0; l < COUNT(behinds); l++)
                    for (size_t m = 0; m < COUNT(pieces); m++)
                        check_striking(hellos[i], record_sizes[j], shareds[k], behinds[l], pieces[m]);
}

/* A plain server's first flight is its client's, to the last byte. */
static void test_rest_of_plain_server(void **state)
{
    static uint8_t bytes[HELLOS_SIZE];
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);

    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t length = make_arrival(bytes, SERVER_HELLO);
        struct buffer rest = {0};
        struct play play;

        memcpy(bytes + length, "\x14\3\3\0\1\1", 6);
        play_bytes(&play, &config, bytes, length + 6, pieces[i]);
        assert_int_equal(play.stream.step, ROLE_STEP_CLIENT);
        assert_true(role_rest(&play.stream, &rest));
        assert_int_equal(buffer_used(&rest), play.fed);
        assert_memory_equal(buffer_at(&rest), bytes, play.fed);
        buffer_free(&rest);
        role_free(&play.stream);
    }
}

/* ---- Our own side ---- */

static void test_our_hello(void **state)
{
    const struct hellos good = {.preference = "us", .preference_length = 2};
    const struct hellos bad = {.preference = "", .preference_length = 0};
    const struct hellos lying = {.field = FIELD_EXTENSIONS, .lie = 1};
    struct role_config config = config_of(ROLE_WANT_ANY, true, ROLE_SYMMETRIC_ALLOW);
    static uint8_t records[HELLOS_SIZE];
    size_t length = hellos_make(records, &good);
    struct role_stream stream;

    (void)state;
    role_init(&stream, &config);
    assert_int_equal(role_next(&stream), ROLE_STEP_HELLO);
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *exactly = hellos_exactly(records, cut);

        check_row(!role_our_hello(&stream, exactly, cut), "%zu bytes", cut);
        free(exactly);
    }
    records[0] = 23;
    assert_false(role_our_hello(&stream, records, length));
    assert_false(role_our_hello(&stream, records, hellos_make(records, &bad)));
    assert_false(role_our_hello(&stream, records, hellos_make(records, &lying)));
    assert_false(role_our_hello(&stream, records, hellos_vector(records, "server-hello-tls13.bin")));
    assert_int_equal(role_next(&stream), ROLE_STEP_HELLO);
    assert_true(role_our_hello(&stream, records, hellos_make(records, &good)));
    assert_int_equal(role_next(&stream), ROLE_STEP_MORE);
    assert_true(stream.said_hello);
    assert_memory_equal(&stream.config.ours, &config.ours, sizeof config.ours); /* only --implicit reads it there */
    role_free(&stream);
    assert_int_equal(buffer_used(&stream.raw), 0);
}

/* Without --symmetric never a passive end says nothing until a whole symmetric hello is there. */
static void test_passive_waits(void **state)
{
    static uint8_t bytes[HELLOS_SIZE];
    struct role_config config = config_of(ROLE_WANT_ANY, false, ROLE_SYMMETRIC_ALLOW);
    size_t length = make_arrival(bytes, HELLO_OF_CLIENT);
    struct role_stream stream;

    (void)state;
    role_init(&stream, &config);
    assert_int_equal(role_next(&stream), ROLE_STEP_MORE);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(role_feed(&stream, bytes + i, 1), i + 1 < length ? ROLE_STEP_MORE : ROLE_STEP_HELLO);
    assert_int_equal(role_next(&stream), ROLE_STEP_HELLO);
    assert_false(stream.said_hello);
    role_free(&stream);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_implicit),
        cmocka_unit_test(test_implicit_without_time),
        cmocka_unit_test(test_reflected),
        cmocka_unit_test(test_other_extension_id),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_not_tls_yet),
        cmocka_unit_test(test_bad_records),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_bad_hello),
        cmocka_unit_test(test_end_at_every_offset),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_striking),
        cmocka_unit_test(test_rest_of_plain_server),
        cmocka_unit_test(test_our_hello),
        cmocka_unit_test(test_passive_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
