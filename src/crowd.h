/* crowd.h - of many who come at once: who gets a place, who waits, and who has to make room. Pure: no I/O, no clock.
 *
 * Whoever comes waits first, then opens a session, and has it once it is accepted. Two bounds hold: one on sessions, and a
 * smaller one on those that are still opening, since anybody can open one. An accepted session is never disturbed. While
 * the bound on the opening ones is reached, one of them makes room
 *
 *   - that has said nothing for CROWD_SILENCE_MS, for somebody who has spoken;
 *   - of a group (an address) that has more of them, for one of a group that has fewer;
 *   - that has been opening for longer than CROWD_GRACE_MS, for somebody who has spoken.
 *
 * So many good connections at once, from one address, just take their turns; while silent ones, and too many from one
 * address, keep nobody out. */
#ifndef SYMTLS_CROWD_H
#define SYMTLS_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWD_GROUP_SIZE 16
#define CROWD_SILENCE_MS 2000
#define CROWD_GRACE_MS   5000
#define CROWD_NOBODY     SIZE_MAX
#define CROWD_NEVER      INT64_MAX

enum crowd_state {
    CROWD_FREE,
    CROWD_WAITING,  /* for a place */
    CROWD_OPENING,  /* a session that is not accepted yet */
    CROWD_ASKING,   /* the same, while the user is asked about it: it makes room for nobody */
    CROWD_ACCEPTED,
    CROWD_LEAVING   /* told to make room; its place is not free before it has gone */
};

struct crowd_place {
    enum crowd_state state;
    bool spoke;    /* something has come from it */
    int64_t since; /* milliseconds: since it waits, or opens */
    uint8_t group[CROWD_GROUP_SIZE];
};

/* Owned by the caller: places[sessions_max + waiting_max], zeroed at first, whose states the caller changes. */
struct crowd {
    struct crowd_place *places;
    size_t sessions_max;
    size_t opening_max; /* at most sessions_max */
    size_t waiting_max;
};

/* The usual bound on opening sessions: a quarter, but not so few that they wait for each other. */
size_t crowd_opening_max(size_t sessions_max);

size_t crowd_size(const struct crowd *crowd);
size_t crowd_count(const struct crowd *crowd, enum crowd_state state);

/* A free place; CROWD_NOBODY: there is none. */
size_t crowd_find_free(const struct crowd *crowd);

struct crowd_advice {
    size_t start; /* who of those that wait gets a place now; or CROWD_NOBODY */
    size_t evict; /* who of the opening ones has to go, so that somebody can start; or CROWD_NOBODY */
    int64_t when; /* ask again then, even if nothing happens; or CROWD_NEVER */
};

struct crowd_advice crowd_advise(const struct crowd *crowd, int64_t now);

/* May another one come in to wait? If that takes a place from one that waits already, *drop is that one; else CROWD_NOBODY.
 * If not, *when is when to ask again. */
bool crowd_may_enter(const struct crowd *crowd, int64_t now, size_t *drop, int64_t *when);

#endif
