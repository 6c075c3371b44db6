/* pair.c - two sessions in one process. */
#include "check.h"
#include "helpers.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const versions[2] = {NULL, "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
struct identity *alice, *bob, *nobody;

int pair_setup(void **state)
{
    struct error error = {0};
    bool made;

    if (scratch_setup(state))
        return -1;
    alice = identity_own(scratch_path("alice.pem"), false, &made, &error);
    bob = identity_own(scratch_path("bob.pem"), false, &made, &error);
    nobody = identity_none(&error);
    return alice && bob && nobody ? 0 : -1;
}

int pair_teardown(void **state)
{
    identity_free(alice);
    identity_free(bob);
    identity_free(nobody);
    return scratch_teardown(state);
}

void pair_want(struct pair_end *end, enum role_want want, bool active)
{
    end->config.role.want = want;
    end->config.role.active = active;
    assert_true(role_preference_make(&end->config.role.ours, want, random_bytes));
}

void pair_plain(struct pair_end *end, enum role role)
{
    end->config.role.symmetric = ROLE_SYMMETRIC_NEVER;
    end->config.role.want = role == ROLE_CLIENT ? ROLE_WANT_CLIENT : ROLE_WANT_SERVER;
    end->config.role.active = role == ROLE_CLIENT;
}

void pair_init(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    for (int i = A; i <= B; i++) {
        struct pair_end *end = &pair->at[i];

        end->config = (struct session_config){.identity = i == A ? alice : bob,
                                              .ask_identity = true,
                                              .keylog = -1,
                                              .export_label = "EXPORTER-test",
                                              .export_length = 32};
        end->config.role.extension_id = HELLO_EXTENSION_ID;
        end->cut = end->flip = SIZE_MAX;
        pair_want(end, ROLE_WANT_ANY, true);
    }
}

void pair_version(struct pair *pair, const char *version)
{
    pair->at[A].config.priority = pair->at[B].config.priority = version;
}

void pair_init_as(struct pair *pair, const char *version)
{
    pair_init(pair);
    pair_version(pair, version);
    pair_want(&pair->at[A], ROLE_WANT_PREFER_CLIENT, true);
}

void pair_open(struct pair *pair, const char *version)
{
    pair_init_as(pair, version);
    pair_run(pair);
    check_row(pair_agrees(pair), "%s, %s", pair->at[A].error.story, pair->at[B].error.story);
}

void pair_free(struct pair *pair)
{
    for (int i = A; i <= B; i++) {
        session_free(pair->at[i].session);
        buffer_free(&pair->at[i].said);
        buffer_free(&pair->at[i].received);
        buffer_free(&pair->at[i].wire);
    }
}

/* What the session says goes onto the wire, and to the log as it was. */
static bool put_on_wire(struct pair_end *end)
{
    size_t length;
    const uint8_t *bytes = session_output(end->session, &length);
    uint8_t *copy;

    if (length == 0)
        return false;
    copy = buffer_room(&end->wire, length);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    assert_true(buffer_append(&end->said, bytes, length));
    session_sent(end->session, length);
    if (end->flip >= end->passed && end->flip < end->passed + length)
        copy[end->flip - end->passed] ^= 0x10;
    if (end->change)
        end->change(end, copy, length);
    end->passed += length;
    buffer_filled(&end->wire, length);
    return true;
}

/* How much of what is on the wire arrives next. */
static size_t piece_of(struct pair *pair, size_t length)
{
    size_t most = pair->piece && pair->piece < length ? pair->piece : length;

    return pair->random && most ? 1 + next_random(&pair->random) % most : most;
}

static bool deliver(struct pair *pair, struct pair_end *from, struct session *to)
{
    size_t length = buffer_used(&from->wire), room = session_room(to);
    size_t left = from->cut - (from->passed - length);
    uint8_t *exactly;

    if (from->ended)
        return false;
    length = piece_of(pair, length);
    length = length < room ? length : room;
    length = length < left ? length : left;
    if (length) {
        /* In memory that ends where the bytes end, so that a read behind them is seen. */
        exactly = malloc(length);
        assert_non_null(exactly);
        assert_int_equal(buffer_take(&from->wire, exactly, length), length);
        session_feed(to, exactly, length);
        free(exactly);
    }
    if (length == left) {
        from->ended = true;
        session_end(to);
    }
    return length || from->ended;
}

static void judge(struct pair_end *end)
{
    end->verdicts++;
    if (end->refuse) {
        error_set(&end->error, STATUS_UNKNOWN, "the test refuses the peer");
        session_refuse(end->session, end->refuse);
    } else {
        session_accept(end->session);
    }
}

/* One end does what it can. True: something has changed. */
static bool go_on(struct pair_end *end)
{
    enum session_state before = session_state(end->session);
    enum session_state state = session_advance(end->session);
    bool changed = state != before;

    if (state == SESSION_VERDICT && !end->hold) {
        judge(end);
        return true;
    }
    if (state == SESSION_OPEN && !end->deaf) {
        uint8_t *room = buffer_room(&end->received, SESSION_RECORD_MAX);
        size_t length = session_receive(end->session, room, SESSION_RECORD_MAX);

        buffer_filled(&end->received, length);
        changed = changed || length || session_state(end->session) != state;
    }
    return changed;
}

void pair_run(struct pair *pair)
{
    bool changed = true;

    for (int i = A; i <= B; i++) {
        struct pair_end *end = &pair->at[i];

        if (!end->session)
            end->session = session_new(&end->config, 0, &end->error);
        check_row(end->session, "%s", end->error.story);
    }
    for (unsigned round = 0; changed && (!pair->stop_after || round < pair->stop_after); round++) {
        changed = false;
        for (int i = A; i <= B; i++) {
            struct pair_end *end = &pair->at[i];

            changed |= go_on(end);
            changed |= put_on_wire(end);
            changed |= deliver(pair, end, pair->at[!i].session);
        }
    }
}


enum session_state pair_state(const struct pair *pair, int end)
{
    return session_state(pair->at[end].session);
}

bool pair_is_open(const struct pair *pair)
{
    return pair_state(pair, A) == SESSION_OPEN && pair_state(pair, B) == SESSION_OPEN;
}

int pair_with(const struct pair *pair, enum role role)
{
    bool a = session_role(pair->at[A].session) == role, b = session_role(pair->at[B].session) == role;

    return a == b ? -1 : a ? A : B;
}

bool pair_agrees(struct pair *pair)
{
    struct facts facts[2] = {{.role = ROLE_UNDECIDED}};
    bool agrees;

    if (!pair_is_open(pair) || pair_with(pair, ROLE_CLIENT) < 0 || pair_with(pair, ROLE_SERVER) < 0)
        return false;
    agrees = session_facts(pair->at[A].session, &facts[A]) && session_facts(pair->at[B].session, &facts[B]) &&
             strlen(facts[A].export_hex) == 2 * pair->at[A].config.export_length &&
             strcmp(facts[A].export_hex, facts[B].export_hex) == 0;
    facts_free(&facts[A]);
    facts_free(&facts[B]);
    return agrees;
}

void pair_send(struct pair *pair, int from, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    while (length) {
        size_t taken = session_send(pair->at[from].session, at, length);

        at += taken;
        length -= taken;
        pair_run(pair);
        if (taken == 0 && session_state(pair->at[from].session) != SESSION_OPEN)
            return;
    }
}
