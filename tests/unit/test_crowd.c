/* test_crowd.c - who of many gets a place, who waits, and who has to make room. */
#include "check.h"
#include "crowd.h"

#include <string.h>

enum { PLACES = 16 };

static struct crowd_place places[PLACES];

/* Each place is three characters and a blank: for how many seconds, what (w: waits, o: opens, ?: the user is asked, +: is accepted,
 * -: leaves; W and O have spoken), and from which address. */
static struct crowd make(const char *text, size_t sessions_max, size_t opening_max)
{
    struct crowd crowd = {.places = places, .sessions_max = sessions_max, .opening_max = opening_max};
    size_t count = 0;

    memset(places, 0, sizeof places);
    for (; *text; text += text[3] ? 4 : 3) {
        struct crowd_place *place = &places[count++];

        place->since = 100000 - (text[0] - '0') * 1000;
        place->spoke = text[1] >= 'A' && text[1] <= 'Z';
        place->group[0] = (uint8_t)text[2];
        switch (text[1]) {
        case 'w':
        case 'W':
            place->state = CROWD_WAITING;
            break;
        case 'o':
        case 'O':
            place->state = CROWD_OPENING;
            break;
        case '?':
            place->state = CROWD_ASKING;
            break;
        case '+':
            place->state = CROWD_ACCEPTED;
            break;
        case '-':
            place->state = CROWD_LEAVING;
            break;
        default:
            break;
        }
    }
    crowd.waiting_max = PLACES - sessions_max;
    return crowd;
}

static int number(size_t index)
{
    return index == CROWD_NOBODY ? -1 : (int)index;
}

static void test_advice(void **state)
{
    static const struct {
        const char *what, *places;
        size_t sessions_max, opening_max;
        int start, evict; /* index; -1: nobody */
        int when;         /* seconds from now; -1: never */
    } rows[] = {
        {"nobody waits", "0Oa 0+a", 4, 2, -1, -1, -1},
        {"there is room", "0Oa 0Wa", 4, 2, 1, -1, -1},
        {"there is room for a silent one", "0wa", 4, 2, 0, -1, -1},
        {"who has spoken goes first", "5wa 1Wa", 4, 2, 1, -1, -1},
        {"who waits longer goes first", "1Wa 2Wa", 4, 2, 1, -1, -1},
        {"who has nothing yet goes first", "0Oa 2Wa 1Wb", 4, 2, 2, -1, -1},
        {"accepted ones are not in the smaller bound", "0+a 0+a 0Oa 0Wa", 6, 2, 3, -1, -1},
        {"but in the larger one, and are not disturbed", "9+a 9+a 0Wb", 2, 2, -1, -1, -1},
        {"a good crowd from one address takes its turns", "0Oa 0Oa 0Wa", 4, 2, -1, -1, 5},
        {"no more than that", "4Oa 3Oa 0Wa", 4, 2, -1, -1, 1},
        {"who takes too long makes room", "5Oa 3Oa 0Wa", 4, 2, -1, 0, -1},
        {"the oldest of them", "6Oa 7Oa 0Wa", 4, 2, -1, 1, -1},
        {"a silent one sooner", "1Oa 2oa 0Wa", 4, 2, -1, 1, -1},
        {"not before it could have spoken", "1oa 1oa 0Wa", 4, 2, -1, -1, 1},
        {"not for another silent one", "9oa 9oa 0wa", 4, 2, -1, -1, -1},
        {"too many of one address make room for another", "1Oa 2Oa 0Wb", 4, 2, -1, 1, -1},
        {"even for a silent one", "1Oa 2Oa 0wb", 4, 2, -1, 1, -1},
        {"not one for one", "0Oa 0Ob 0Wc", 4, 2, -1, -1, 5},
        {"one address cannot change places with itself", "0Oa 0Oa 0Ob 0Wb 0Wb", 5, 3, -1, -1, 5},
        {"a question is not interrupted", "9?a 0Wb", 1, 1, -1, -1, -1},
        {"when the larger bound is reached, too", "9+a 3oa 0Wb", 2, 2, -1, 1, -1},
        {"one after the other", "9-a 9oa 0Wb", 2, 2, -1, -1, -1},
        {"who leaves still has its place", "9-a 0Wb", 1, 1, -1, -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct crowd crowd = make(rows[i].places, rows[i].sessions_max, rows[i].opening_max);
        struct crowd_advice advice = crowd_advise(&crowd, 100000);

        check_row(number(advice.start) == rows[i].start, "%s: start %d", rows[i].what, number(advice.start));
        check_row(number(advice.evict) == rows[i].evict, "%s: evict %d", rows[i].what, number(advice.evict));
        check_row(advice.when == (rows[i].when < 0 ? CROWD_NEVER : 100000 + rows[i].when * 1000), "%s: when %lld",
                  rows[i].what, (long long)advice.when);
    }
}

static void test_entrance(void **state)
{
    static const struct {
        const char *what, *places;
        size_t waiting_max;
        bool may;
        int drop, when;
    } rows[] = {
        {"there is room", "0Wa 0wa", 3, true, -1, -1},
        {"a silent one goes at once", "0Wa 0wa", 2, true, 1, -1},
        {"the oldest", "0wa 1wa", 2, true, 1, -1},
        {"of the address that has most", "1wa 1wa 2wb", 3, true, 0, -1},
        {"a good crowd waits outside", "1Wa 2Wa", 2, false, -1, 3},
        {"until one has had its time", "1Wa 5Wa", 2, true, 1, -1},
        {"who opens is not looked at", "9oa 0Wa", 1, false, -1, 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct crowd crowd = make(rows[i].places, 4, 4);
        size_t drop;
        int64_t when;
        bool may;

        crowd.waiting_max = rows[i].waiting_max;
        may = crowd_may_enter(&crowd, 100000, &drop, &when);
        check_row(may == rows[i].may && number(drop) == rows[i].drop, "%s: %d, drop %d", rows[i].what, may, number(drop));
        check_row(when == (rows[i].when < 0 ? CROWD_NEVER : 100000 + rows[i].when * 1000), "%s: when %lld", rows[i].what,
                  (long long)when);
    }
}

/* 10,000 of one address that say nothing, and one somewhere else who does: it is let in before its first second is over. */
static void test_flood(void **state)
{
    static struct crowd_place many[12 + 8];
    struct crowd crowd = {.places = many, .sessions_max = 12, .opening_max = 4, .waiting_max = 8};
    size_t open = 0, drop;
    int64_t when, now = 1000;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        many[i].state = CROWD_ACCEPTED;
    for (int i = 0; i <= 10000; i++, now++) {
        struct crowd_advice advice;

        assert_true(crowd_may_enter(&crowd, now, &drop, &when));
        if (drop != CROWD_NOBODY)
            many[drop].state = CROWD_FREE;
        open = crowd_find_free(&crowd);
        assert_true(open != CROWD_NOBODY);
        many[open] = (struct crowd_place){.state = CROWD_WAITING, .since = now, .group = {i == 10000}, .spoke = i == 10000};
        while ((advice = crowd_advise(&crowd, now)).start != CROWD_NOBODY || advice.evict != CROWD_NOBODY) {
            if (advice.evict != CROWD_NOBODY)
                many[advice.evict].state = CROWD_FREE; /* it is gone at once */
            else
                many[advice.start].state = CROWD_OPENING;
        }
    }
    assert_int_equal(many[open].state, CROWD_OPENING);
    assert_int_equal(crowd_count(&crowd, CROWD_ACCEPTED), 8);
}

static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(crowd_opening_max(1), 1);
    assert_int_equal(crowd_opening_max(10), 8);
    assert_int_equal(crowd_opening_max(100), 25);
    assert_int_equal(crowd_opening_max(1000), 250);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_entrance),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
