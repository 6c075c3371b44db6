/* test_session_wire.c - whoever is on the path can break a handshake, and do nothing else: it is cut off after every byte,
 * and every byte of it is changed. */
#include "check.h"
#include "helpers.h"
#include "pair.h"

#include <string.h>

enum way { ACTIVE, PASSIVE, PLAIN_CLIENT, PLAIN_SERVER, WAYS };

/* A is the one whose bytes are cut or changed. It insists on a role, so that each run is like the one before. */
static void prepare(struct pair *pair, enum way way, enum role role, bool tls12)
{
    enum role_want want = role == ROLE_CLIENT ? ROLE_WANT_CLIENT : ROLE_WANT_SERVER;

    pair_init(pair);
    for (int i = A; i <= B; i++) /* the one fast group: there are thousands of these */
        pair->at[i].config.priority = tls12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1"
                                            : "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519";
    pair_want(&pair->at[A], want, way == ACTIVE);
    if (way == PLAIN_CLIENT)
        pair_plain(&pair->at[B], ROLE_CLIENT);
    if (way == PLAIN_SERVER) {
        pair_plain(&pair->at[B], ROLE_SERVER);
        pair_want(&pair->at[A], want, true);
    }
}

/* Between two equals each byte is tried; of what differs with plain peers and listeners, every third does. */
static size_t step(enum way way)
{
    return stride(31) * (way == ACTIVE ? 1 : 3);
}

static bool is_possible(enum way way, enum role role)
{
    return !(way == PLAIN_CLIENT && role == ROLE_CLIENT) && !(way == PLAIN_SERVER && role == ROLE_SERVER);
}

typedef void attack(enum way way, enum role role, bool tls12);

static void for_each_way(attack *each)
{
    for (int way = 0; way < WAYS; way++)
        for (int role = ROLE_CLIENT; role <= ROLE_SERVER; role++)
            for (int tls12 = 0; tls12 < 2; tls12++)
                if (is_possible((enum way)way, (enum role)role))
                    each((enum way)way, (enum role)role, tls12);
}

/* ---- Cut off ---- */

enum { KEY_UPDATE_SIZE = 5 + 5 + 1 + 16 /* header, message, content type, tag */ };

/* B hears the end of the stream after `cut` bytes of A. True: it had heard enough to open the session. */
static bool cut_off(enum way way, enum role role, bool tls12, size_t cut, size_t *said)
{
    struct pair pair;
    bool tells = way <= PASSIVE && role == ROLE_SERVER && !tls12;
    bool open;

    prepare(&pair, way, role, tls12);
    pair.at[B].deaf = true; /* so that the end of data is not looked at */
    pair.at[A].cut = cut;
    pair_run(&pair);
    *said = buffer_used(&pair.at[A].said);
    open = pair_state(&pair, B) == SESSION_OPEN;
    if (open) {
        /* Only what tells that it is accepted may be missing. */
        check_row(cut + (tells ? KEY_UPDATE_SIZE : 0) >= *said, "way %d, role %d, cut after %zu of %zu", way, role, cut, *said);
        check_row(pair_agrees(&pair), "way %d, role %d, cut after %zu of %zu", way, role, cut, *said);
    } else {
        enum status expected = cut == 0 ? STATUS_NETWORK : STATUS_TLS;

        check_row(pair_state(&pair, B) == SESSION_FAILED, "way %d, role %d, cut after %zu of %zu", way, role, cut, *said);
        check_row(pair.at[B].error.status == expected, "way %d, role %d, cut after %zu of %zu: %s", way, role, cut, *said,
                  pair.at[B].error.story);
        check_row(strstr(pair.at[B].error.story, "closed the connection"), "way %d, role %d, cut after %zu of %zu: %s", way, role,
                  cut, *said, pair.at[B].error.story);
        check_row(!session_is_accepted(pair.at[B].session), "cut after %zu", cut);
    }
    pair_free(&pair);
    return open;
}

static void cut_everywhere(enum way way, enum role role, bool tls12)
{
    size_t said;
    size_t cut = 0;

    while (!cut_off(way, role, tls12, cut, &said))
        cut += step(way);
    assert_true(cut > 500); /* it was a handshake that was cut */
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    for_each_way(cut_everywhere);
}

/* ---- Changed ---- */

/* What may be changed on the way without either noticing: the hello that is struck, the version in the header of a
 * cleartext record (RFC 8446 section 5.1: nobody looks), and the one byte of TLS 1.2's ChangeCipherSpec, which means nothing. */
static bool is_harmless(const struct buffer *said, size_t at, bool struck)
{
    const uint8_t *bytes = buffer_at(said);
    size_t start = 0, length;

    for (;; start += 5 + length) {
        assert_true(start + 5 <= buffer_used(said));
        length = (size_t)bytes[start + 3] << 8 | bytes[start + 4];
        if (at < start + 5 + length)
            break;
    }
    return (struck && start == 0) || at == start + 1 || at == start + 2 || (bytes[start] == 20 && at == start + 5);
}

static void change(enum way way, enum role role, bool tls12, size_t at, size_t *said, size_t *survived)
{
    struct pair pair;
    bool struck = way <= PASSIVE && role == ROLE_SERVER; /* A said a hello, and is the server */
    bool tells = struck && !tls12;

    prepare(&pair, way, role, tls12);
    pair.at[A].flip = at;
    pair_run(&pair);
    *said = buffer_used(&pair.at[A].said);
    if (pair_is_open(&pair) && tells && at < *said && at >= *said - KEY_UPDATE_SIZE) {
        check_row(!session_is_accepted(pair.at[B].session), "byte %zu of %zu", at, *said);
    } else if (pair_is_open(&pair) && at < *said) {
        ++*survived;
        check_row(pair_agrees(&pair), "way %d, role %d, TLS 1.%d: byte %zu of %zu", way, role, tls12 ? 2 : 3, at, *said);
        check_row(is_harmless(&pair.at[A].said, at, struck), "way %d, role %d, TLS 1.%d: byte %zu of %zu", way, role, tls12 ? 2 : 3,
                  at, *said);
        check_row(pair.at[A].verdicts == 1 && pair.at[B].verdicts == 1, "byte %zu", at);
    }
    pair_free(&pair);
}

static void change_everywhere(enum way way, enum role role, bool tls12)
{
    size_t said, survived = 0;
    size_t at = 0;

    /* A handshake that is broken says less: only one that was left alone tells that there are no more bytes. */
    for (;; at += step(way)) {
        change(way, role, tls12, at, &said, &survived);
        if (at >= said)
            break;
    }
    assert_true(said > 500);
    if (way <= PASSIVE && role == ROLE_SERVER && step(way) < 9)
        assert_true(survived > 50); /* a struck hello is not looked at but for its preference */
}

static void test_change_every_byte(void **state)
{
    (void)state;
    for_each_way(change_everywhere);
}

/* Whoever changes the preference itself makes two clients or two servers; both notice, or wait for their time-out. */
static bool make_preference(struct pair_end *end, uint8_t *bytes, size_t length, uint8_t with)
{
    uint8_t *found = memmem(bytes, length, "\xff\x53\x00\x20", 4);

    if (found && end->passed == 0)
        memset(found + 4, with, 32);
    return found != NULL;
}

static void make_first(struct pair_end *from, uint8_t *bytes, size_t length)
{
    make_preference(from, bytes, length, '!');
}

static void make_last(struct pair_end *from, uint8_t *bytes, size_t length)
{
    make_preference(from, bytes, length, '~');
}

static void test_change_the_preference(void **state)
{
    void (*const changes[])(struct pair_end *, uint8_t *, size_t) = {make_first, make_last};
    struct pair pair;

    (void)state;
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 2; b++) {
            pair_init(&pair);
            pair_want(&pair.at[A], ROLE_WANT_PREFER_CLIENT, true);
            pair_want(&pair.at[B], ROLE_WANT_PREFER_SERVER, true);
            pair.at[A].change = changes[a];
            pair.at[B].change = changes[b];
            pair_run(&pair);
            assert_false(pair_is_open(&pair));
            if (a == b)
                assert_int_equal(pair_with(&pair, ROLE_CLIENT), -1);
            assert_int_not_equal(pair_state(&pair, A), SESSION_OPEN);
            assert_int_not_equal(pair_state(&pair, B), SESSION_OPEN);
            pair_free(&pair);
        }
}

/* Taking the extension out of one hello makes it a plain one: no roles come out where they had been two equals. */
static void rename_extension(struct pair_end *from, uint8_t *bytes, size_t length)
{
    uint8_t *found = memmem(bytes, length, "\xff\x53\x00\x20", 4);

    if (found && from->passed == 0)
        found[1] = 0x54;
}

static void test_take_the_extension_out(void **state)
{
    struct pair pair;

    (void)state;
    for (int ways = 1; ways < 4; ways++)
        for (int require = 0; require < 2; require++) {
            pair_init(&pair);
            pair.at[A].config.role.active = ways & 1;
            pair.at[B].config.role.active = ways & 2;
            if (require)
                pair.at[A].config.role.symmetric = pair.at[B].config.role.symmetric = ROLE_SYMMETRIC_REQUIRE;
            pair.at[A].change = pair.at[B].change = rename_extension;
            pair_run(&pair);
            assert_false(pair_is_open(&pair));
            pair_free(&pair);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_change_every_byte),
        cmocka_unit_test(test_change_the_preference),
        cmocka_unit_test(test_take_the_extension_out),
    };

    return cmocka_run_group_tests(tests, pair_setup, pair_teardown);
}
