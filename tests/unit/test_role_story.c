/* test_role_story.c - each refusal has its exit status, and a sentence that says what to do next. */
#include "check.h"
#include "role.h"
#include "role_alert.h"

#include <string.h>

/* How each reason is told, in general and where our own options change the remedy. */
static const struct story {
    enum role_reason reason;
    enum status status;
    struct role_config config;
    bool said_hello;
    int peer_alert;
    const char *words;     /* are in the sentence */
    const char *not_words; /* are not, unless NULL */
} stories[] = {
    {ROLE_REASON_NONE, STATUS_OK, {0}, false, -1, "nothing", NULL},
    {ROLE_REASON_TIE, STATUS_ROLE, {0}, true, -1, "talking to ourselves", "insist"},
    {ROLE_REASON_TIE, STATUS_ROLE, {.want = ROLE_WANT_PREFER_CLIENT}, true, -1, "talking to ourselves", "insist"},
    {ROLE_REASON_TIE, STATUS_ROLE, {.want = ROLE_WANT_PREFER_SERVER}, true, -1, "talking to ourselves", "insist"},
    {ROLE_REASON_TIE, STATUS_ROLE, {.want = ROLE_WANT_CLIENT}, true, -1, "--role client", "ourselves"},
    {ROLE_REASON_TIE, STATUS_ROLE, {.want = ROLE_WANT_CLIENT}, true, -1, "--no-identity", "--role server"},
    {ROLE_REASON_TIE, STATUS_ROLE, {.want = ROLE_WANT_SERVER}, true, -1, "--role server", "ourselves"},
    {ROLE_REASON_PLAIN_CLIENT, STATUS_ROLE, {0}, true, -1, "--hello wait", NULL},
    {ROLE_REASON_CLIENT_UNWANTED, STATUS_ROLE, {.want = ROLE_WANT_CLIENT}, false, -1, "--role client", "--symmetric"},
    {ROLE_REASON_CLIENT_UNWANTED, STATUS_ROLE, {.want = ROLE_WANT_CLIENT}, true, -1, "--role client", "--hello wait"},
    {ROLE_REASON_CLIENT_UNWANTED, STATUS_ROLE, {.symmetric = ROLE_SYMMETRIC_REQUIRE}, false, -1,
     "--symmetric allow would", "--hello wait"},
    {ROLE_REASON_CLIENT_UNWANTED, STATUS_ROLE, {.symmetric = ROLE_SYMMETRIC_REQUIRE}, true, -1,
     "--symmetric allow --hello wait", NULL},
    {ROLE_REASON_SERVER_UNWANTED, STATUS_ROLE, {.want = ROLE_WANT_SERVER}, true, -1, "--role server", "--symmetric"},
    {ROLE_REASON_SERVER_UNWANTED, STATUS_ROLE, {.symmetric = ROLE_SYMMETRIC_REQUIRE}, true, -1,
     "--symmetric allow", NULL},
    {ROLE_REASON_TWO_CLIENTS, STATUS_ROLE, {.symmetric = ROLE_SYMMETRIC_NEVER}, true, -1, "--symmetric never", NULL},
    {ROLE_REASON_TWO_SERVERS, STATUS_TLS, {0}, false, -1, "ServerHello", NULL},
    {ROLE_REASON_BAD_PREFERENCE, STATUS_TLS, {0}, false, -1, "1 to 32", NULL},
    {ROLE_REASON_BAD_HELLO, STATUS_TLS, {0}, false, -1, "malformed", NULL},
    {ROLE_REASON_HELLO_TOO_LARGE, STATUS_TLS, {0}, false, -1, "64 KiB", NULL},
    {ROLE_REASON_RECORD_TOO_LONG, STATUS_TLS, {0}, false, -1, "record", NULL},
    {ROLE_REASON_UNEXPECTED, STATUS_TLS, {0}, false, -1, "neither", NULL},
    {ROLE_REASON_ALERT, STATUS_TLS, {0}, false, 40, "alert 40, handshake_failure: no roles", NULL},
    {ROLE_REASON_ALERT, STATUS_TLS, {0}, false, 50, "alert 50, decode_error", ":"},
    {ROLE_REASON_ALERT, STATUS_TLS, {0}, false, 200, "alert 200, unknown alert", ":"},
    {ROLE_REASON_ALERT, STATUS_TLS, {0}, false, 0, "close_notify", NULL},
    {ROLE_REASON_ALERT, STATUS_REFUSED, {0}, false, 42, "bad_certificate: it does not accept", NULL},
    {ROLE_REASON_ALERT, STATUS_REFUSED, {0}, false, 116, "certificate_required: it wants us to show", NULL},
    {ROLE_REASON_HTTP, STATUS_TLS, {0}, false, -1, "HTTP", NULL},
    {ROLE_REASON_SSH, STATUS_TLS, {0}, false, -1, "SSH", NULL},
    {ROLE_REASON_SSLV2, STATUS_TLS, {0}, false, -1, "SSLv2", NULL},
    {ROLE_REASON_NOT_TLS, STATUS_TLS, {0}, false, -1, "does not speak TLS", NULL},
    {ROLE_REASON_SILENT_END, STATUS_NETWORK, {0}, false, -1, "without a word", NULL},
    {ROLE_REASON_CUT, STATUS_TLS, {0}, false, -1, "middle", NULL},
    {ROLE_REASON_MEMORY, STATUS_LOCAL, {0}, false, -1, "memory", NULL},
};

static void test_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        const struct story *row = &stories[i];
        const struct role_stream stream = {.reason = row->reason, .config = row->config,
                                           .said_hello = row->said_hello, .peer_alert = row->peer_alert};
        char text[1024];

        memset(text, 'x', sizeof text);
        role_story(&stream, text, sizeof text);
        check_row(role_status(&stream) == row->status, "row %zu: %s", i, text);
        check_row(memchr(text, '\0', sizeof text) != NULL, "row %zu", i);
        check_row(strlen(text) > 8 && strlen(text) < 300, "row %zu: %s", i, text);
        check_row(strstr(text, row->words) != NULL, "row %zu: %s", i, text);
        check_row(!row->not_words || !strstr(text, row->not_words), "row %zu: %s", i, text);
        check_row(text[strlen(text) - 1] != '.' && !strchr(text, '\n'), "row %zu: %s", i, text);
    }
}

static void test_every_reason_has_a_story(void **state)
{
    (void)state;
    for (int reason = 0; reason <= ROLE_REASON_MEMORY; reason++) {
        size_t rows = 0;

        for (size_t i = 0; i < COUNT(stories); i++)
            rows += (int)stories[i].reason == reason;
        check_row(rows > 0, "reason %d", reason);
    }
}

/* A sentence is cut where there is no room for it, and nothing is written behind. */
static void test_short_of_room(void **state)
{
    (void)state;
    for (int reason = 0; reason <= ROLE_REASON_MEMORY; reason++)
        for (size_t size = 1; size < 300; size++) {
            const struct role_stream stream = {.reason = (enum role_reason)reason};
            char text[301];

            memset(text, 'x', sizeof text);
            role_story(&stream, text, size);
            check_row(memchr(text, '\0', size) != NULL, "reason %d in %zu", reason, size);
            check_row(text[size] == 'x', "reason %d in %zu", reason, size);
        }
}

/* What the peer began with is shown, fit for a terminal and not for ever. */
static void test_excerpt(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *shown;
    } rows[] = {
        {"220 mail ESMTP\r\n", 16, "\"220 mail ESMTP\\x0d\\x0a\""},
        {"\0\0", 2, "\"\\x00\\x00\""},
        {"\033[2J", 4, "\"\\x1b[2J\""},
        {"0123456789012345678901234567890123456789012345678901234567890123456789", 70, "0123...\""},
    };
    const struct role_config config = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct role_stream stream;
        char text[256];

        role_init(&stream, &config);
        assert_int_equal(role_feed(&stream, (const uint8_t *)rows[i].bytes, rows[i].length), ROLE_STEP_REFUSE);
        role_story(&stream, text, sizeof text);
        check_row(strstr(text, rows[i].shown) != NULL, "row %zu: %s", i, text);
        check_row(strlen(text) < 120, "row %zu: %s", i, text);
        role_free(&stream);
    }
}

static void test_alerts(void **state)
{
    static const struct {
        int number;
        const char *name;
        bool rejects_identity;
    } rows[] = {
        {0, "close_notify", false},                 {10, "unexpected_message", false},
        {20, "bad_record_mac", false},              {22, "record_overflow", false},
        {40, "handshake_failure", false},           {41, "no_certificate", true},
        {42, "bad_certificate", true},              {43, "unsupported_certificate", true},
        {44, "certificate_revoked", true},          {45, "certificate_expired", true},
        {46, "certificate_unknown", true},          {47, "illegal_parameter", false},
        {48, "unknown_ca", true},                   {49, "access_denied", true},
        {50, "decode_error", false},                {51, "decrypt_error", false},
        {70, "protocol_version", false},            {71, "insufficient_security", false},
        {80, "internal_error", false},              {86, "inappropriate_fallback", false},
        {90, "user_canceled", false},               {100, "no_renegotiation", false},
        {109, "missing_extension", false},          {110, "unsupported_extension", false},
        {112, "unrecognized_name", false},          {113, "bad_certificate_status_response", true},
        {115, "unknown_psk_identity", true},        {116, "certificate_required", true},
        {120, "no_application_protocol", false},
    };

    (void)state;
    for (int number = -1; number < 256; number++) {
        const char *name = "unknown alert";
        bool rejects_identity = false;

        for (size_t i = 0; i < COUNT(rows); i++)
            if (rows[i].number == number) {
                name = rows[i].name;
                rejects_identity = rows[i].rejects_identity;
            }
        check_row(strcmp(role_alert_name(number), name) == 0, "alert %d", number);
        check_row(role_alert_rejects_identity(number) == rejects_identity, "alert %d", number);
        check_row(!role_alert_meaning(number) || *role_alert_meaning(number), "alert %d", number);
    }
}

static void test_alert_record(void **state)
{
    uint8_t record[ROLE_ALERT_RECORD_SIZE + 1];

    (void)state;
    for (int alert = 0; alert < 256; alert++) {
        const uint8_t expected[] = {21, 3, 3, 0, 2, 2, (uint8_t)alert, 0xee};

        memset(record, 0xee, sizeof record);
        role_alert_record(record, alert);
        assert_memory_equal(record, expected, sizeof record);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),       cmocka_unit_test(test_every_reason_has_a_story),
        cmocka_unit_test(test_short_of_room), cmocka_unit_test(test_excerpt),
        cmocka_unit_test(test_alerts),        cmocka_unit_test(test_alert_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
