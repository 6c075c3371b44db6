/* roles.c - what the tests of roles share. */
#include "check.h"
#include "roles.h"

#include <string.h>

const char *const want_names[WANTS] = {"any", "client", "server", "prefer-client", "prefer-server"};

static bool not_very_random(void *bytes, size_t length)
{
    memset(bytes, 42, length);
    return true;
}

static struct role_config make_config(struct role_config config, role_random *random)
{
    config.extension_id = HELLO_EXTENSION_ID;
    assert_true(role_preference_make(&config.ours, config.want, random));
    return config;
}

struct role_config config_of(enum role_want want, bool active, enum role_symmetric symmetric)
{
    const struct role_config config = {.want = want, .symmetric = symmetric, .active = active};

    return make_config(config, not_very_random);
}

/* ---- Random numbers ---- */

static uint64_t seed;

void dice_start(uint64_t number)
{
    seed = number;
}

unsigned dice(unsigned sides)
{
    seed ^= seed << 13; /* xorshift64 */
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % sides;
}

bool dice_random(void *bytes, size_t length)
{
    for (uint8_t *at = bytes; length--; at++)
        *at = (uint8_t)dice(256);
    return true;
}

struct role_config config_with_dice(enum role_want want, bool active, enum role_symmetric symmetric, bool implicit)
{
    const struct role_config config = {.want = want, .symmetric = symmetric, .active = active, .implicit = implicit};

    return make_config(config, dice_random);
}
