/* crowd.c - who gets a place, who waits, and who has to make room. */
#include "crowd.h"

#include <string.h>

enum { OPENING_LEAST = 8, OPENING_SHARE = 4 };

size_t crowd_opening_max(size_t sessions_max)
{
    size_t usual = sessions_max / OPENING_SHARE > OPENING_LEAST ? sessions_max / OPENING_SHARE : OPENING_LEAST;

    return usual < sessions_max ? usual : sessions_max;
}

size_t crowd_size(const struct crowd *crowd)
{
    return crowd->sessions_max + crowd->waiting_max;
}

size_t crowd_count(const struct crowd *crowd, enum crowd_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < crowd_size(crowd); i++)
        count += crowd->places[i].state == state;
    return count;
}

size_t crowd_find_free(const struct crowd *crowd)
{
    for (size_t i = 0; i < crowd_size(crowd); i++)
        if (crowd->places[i].state == CROWD_FREE)
            return i;
    return CROWD_NOBODY;
}

static bool is_alike(const struct crowd_place *one, const struct crowd_place *other)
{
    return memcmp(one->group, other->group, CROWD_GROUP_SIZE) == 0;
}

/* How many of that state are of the same group. */
static size_t held(const struct crowd *crowd, const struct crowd_place *like, enum crowd_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < crowd_size(crowd); i++)
        count += crowd->places[i].state == state && is_alike(&crowd->places[i], like);
    return count;
}

/* The best of some places, and how many its group has. */
struct pick {
    const struct crowd_place *best; /* NULL: none yet */
    size_t held;
};

/* In a flood they are all of one group, and then nothing has to be counted again. */
static size_t held_beside(const struct crowd *crowd, const struct pick *pick, const struct crowd_place *place,
                          enum crowd_state state)
{
    return pick->best && is_alike(pick->best, place) ? pick->held : held(crowd, place, state);
}

static size_t place_of(const struct crowd *crowd, const struct pick *pick)
{
    return pick->best ? (size_t)(pick->best - crowd->places) : CROWD_NOBODY;
}

static int64_t grace(const struct crowd_place *place)
{
    return place->spoke ? CROWD_GRACE_MS : CROWD_SILENCE_MS;
}

/* Those who have spoken first, then those whose group has least, then those who wait longest. */
static size_t choose_next(const struct crowd *crowd)
{
    struct pick pick = {.best = NULL};

    for (size_t i = 0; i < crowd_size(crowd); i++) {
        const struct crowd_place *place = &crowd->places[i], *best = pick.best;
        size_t place_held;

        if (place->state != CROWD_WAITING || (best && best->spoke && !place->spoke))
            continue;
        place_held = held_beside(crowd, &pick, place, CROWD_OPENING);
        if (!best || place->spoke > best->spoke || place_held < pick.held ||
            (place_held == pick.held && place->since < best->since))
            pick = (struct pick){.best = place, .held = place_held};
    }
    return place_of(crowd, &pick);
}

/* Of two that may go: the one whose group has more, then the silent one, then the older. */
static bool is_worse(const struct crowd_place *place, size_t place_held, const struct pick *pick)
{
    if (!pick->best || place_held != pick->held)
        return !pick->best || place_held > pick->held;
    if (place->spoke != pick->best->spoke)
        return pick->best->spoke;
    return place->since < pick->best->since;
}

static size_t choose_victim(const struct crowd *crowd, const struct crowd_place *next, int64_t now)
{
    size_t next_held = held(crowd, next, CROWD_OPENING);
    struct pick pick = {.best = NULL};

    for (size_t i = 0; i < crowd_size(crowd); i++) {
        const struct crowd_place *place = &crowd->places[i];
        bool is_idle = now - place->since >= grace(place);
        size_t place_held;

        if (place->state != CROWD_OPENING)
            continue;
        place_held = held_beside(crowd, &pick, place, CROWD_OPENING);
        if (((next->spoke && is_idle) || place_held > next_held + 1) && is_worse(place, place_held, &pick))
            pick = (struct pick){.best = place, .held = place_held};
    }
    return place_of(crowd, &pick);
}

/* When the first of them has had its time. */
static int64_t end_of_grace(const struct crowd *crowd, enum crowd_state state)
{
    int64_t when = CROWD_NEVER;

    for (size_t i = 0; i < crowd_size(crowd); i++)
        if (crowd->places[i].state == state && crowd->places[i].since + grace(&crowd->places[i]) < when)
            when = crowd->places[i].since + grace(&crowd->places[i]);
    return when;
}

struct crowd_advice crowd_advise(const struct crowd *crowd, int64_t now)
{
    struct crowd_advice advice = {.start = CROWD_NOBODY, .evict = CROWD_NOBODY, .when = CROWD_NEVER};
    size_t next = choose_next(crowd);
    size_t leaving = crowd_count(crowd, CROWD_LEAVING);
    size_t opening = crowd_count(crowd, CROWD_OPENING) + crowd_count(crowd, CROWD_ASKING) + leaving;

    if (next == CROWD_NOBODY)
        return advice;
    if (opening < crowd->opening_max && opening + crowd_count(crowd, CROWD_ACCEPTED) < crowd->sessions_max) {
        advice.start = next;
        return advice;
    }
    if (leaving) /* one after the other: its place is for this one */
        return advice;
    advice.evict = choose_victim(crowd, &crowd->places[next], now);
    if (advice.evict == CROWD_NOBODY && crowd->places[next].spoke)
        advice.when = end_of_grace(crowd, CROWD_OPENING);
    return advice;
}

/* A silent one goes at once, the others once they have had their time. */
bool crowd_may_enter(const struct crowd *crowd, int64_t now, size_t *drop, int64_t *when)
{
    struct pick silent = {.best = NULL}, late = {.best = NULL};

    *drop = CROWD_NOBODY;
    *when = CROWD_NEVER;
    if (crowd_count(crowd, CROWD_WAITING) < crowd->waiting_max)
        return true;
    for (size_t i = 0; i < crowd_size(crowd); i++) {
        const struct crowd_place *place = &crowd->places[i];
        struct pick *pick = place->spoke ? &late : &silent;
        size_t place_held;

        if (place->state != CROWD_WAITING || (place->spoke && now - place->since < CROWD_GRACE_MS))
            continue;
        place_held = held_beside(crowd, pick, place, CROWD_WAITING);
        if (is_worse(place, place_held, pick))
            *pick = (struct pick){.best = place, .held = place_held};
    }
    *drop = place_of(crowd, silent.best ? &silent : &late);
    if (*drop == CROWD_NOBODY)
        *when = end_of_grace(crowd, CROWD_WAITING);
    return *drop != CROWD_NOBODY;
}
