/* fuzzing.c - what the fuzz targets share. */
#include "fuzzing.h"

#include <stdlib.h>
#include <string.h>

void must(int truth)
{
    if (!truth)
        abort();
}

static bool not_very_random(void *bytes, size_t length)
{
    memset(bytes, 42, length);
    return true;
}

struct role_config config_of(uint8_t bits)
{
    struct role_config config = {
        .active = bits & 1,
        .implicit = bits >> 1 & 1,
        .symmetric = (enum role_symmetric)((bits >> 2 & 3) % 3),
        .want = (enum role_want)((bits >> 4 & 7) % 5),
        .extension_id = HELLO_EXTENSION_ID,
    };

    if (config.symmetric == ROLE_SYMMETRIC_NEVER)
        config.want = config.active ? ROLE_WANT_CLIENT : ROLE_WANT_SERVER;
    must(role_preference_make(&config.ours, config.want, not_very_random));
    return config;
}

void check_refusal(const struct role_stream *stream)
{
    char story[1024];

    must(stream->reason != ROLE_REASON_NONE && role_status(stream) != STATUS_OK);
    must(stream->alert == ROLE_NO_ALERT || (stream->alert > 0 && stream->alert < 256));
    role_story(stream, story, sizeof story);
    must(strlen(story) > 8 && strlen(story) < sizeof story - 1);
    for (const char *at = story; *at; at++)
        must((unsigned char)*at >= 0x20);
}
