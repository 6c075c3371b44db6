/* sctp_ways.c - what came of calling with SCTP, in words. */
#include "sctp_ways.h"

#include <stdio.h>

void sctp_ways_list(const struct sctp_ways *ways, char *list, size_t size)
{
    char text[ADDRESS_TEXT_SIZE];
    size_t used = 0;

    *list = '\0';
    for (size_t i = 0; i < ways->targets.count && used < size; i++)
        used += (size_t)snprintf(list + used, size - used, "%s%s: %s", i ? "; " : "", address_text(&ways->targets.at[i], text),
                                 ways->reasons[i] ? transport_reason(ways->reasons[i])
                                 : ways->tried[i] ? "no answer"
                                                  : "not tried");
    if (ways->strangers && used < size)
        snprintf(list + used, size - used, "; %u associations from elsewhere were turned away", ways->strangers);
}

void sctp_ways_tell_waiting(const struct transport_config *config, const struct sctp_ways *ways)
{
    char list[768];

    sctp_ways_list(ways, list, sizeof list);
    transport_tell_waiting(config, true, list);
}
