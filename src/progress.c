/* progress.c - how far a session has come. */
#include "progress.h"

#include <stdio.h>
#include <string.h>

enum { AMOUNT_SIZE = 24 };

/* "0 B", "1023 B", "1.0 KiB", "17.3 GiB". */
static const char *amount(char text[AMOUNT_SIZE], uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(text, AMOUNT_SIZE, "%u B", (unsigned)bytes);
        return text;
    }
    for (; tenths >= 10240; tenths /= 1024)
        unit++;
    snprintf(text, AMOUNT_SIZE, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[unit]);
    return text;
}

int64_t progress_due(const struct progress *progress)
{
    return progress->shown_at + PROGRESS_MS;
}

void progress_line(struct progress *progress, int64_t now, const struct progress_state *state, unsigned columns,
                   char text[PROGRESS_SIZE])
{
    char sent[AMOUNT_SIZE], received[AMOUNT_SIZE], rate[AMOUNT_SIZE];
    uint64_t all = state->sent + state->received;
    int64_t seconds = (now - progress->began) / 1000, since = now - (progress->shown_at ? progress->shown_at : progress->began);
    const char *news = state->we_closed && state->peer_closed ? ", both have ended"
                       : state->we_closed                     ? ", we have ended"
                       : state->peer_closed                   ? ", the peer has ended"
                                                              : "";

    if (since > 0) { /* of the last second or so */
        uint64_t latest = (all - progress->shown) * 1000 / (uint64_t)since;

        progress->rate = progress->shown_at ? (progress->rate * 3 + latest) / 4 : latest;
    }
    progress->shown = all;
    progress->shown_at = now;
    snprintf(text, PROGRESS_SIZE, "sent %s, received %s, %s/s, %lld:%02lld%s", amount(sent, state->sent),
             amount(received, state->received), amount(rate, progress->rate), (long long)seconds / 60, (long long)seconds % 60, news);
    /* What does not fit would begin a second line, which nobody clears. */
    if (columns > 0 && strlen(text) >= columns)
        text[columns - 1] = '\0';
}

void progress_total(uint64_t sent, uint64_t received, int64_t ms, bool has_it_all, char text[PROGRESS_SIZE])
{
    char sent_text[AMOUNT_SIZE], received_text[AMOUNT_SIZE];

    snprintf(text, PROGRESS_SIZE, "sent %s, received %s in %lld.%lld s%s", amount(sent_text, sent), amount(received_text, received),
             (long long)ms / 1000, (long long)ms % 1000 / 100, has_it_all ? "; the peer has it all" : "");
}
