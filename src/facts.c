/* facts.c - what a handshake came to. */
#include "facts.h"

#include <stdlib.h>
#include <string.h>

void facts_free(struct facts *facts)
{
    if (facts->export_hex)
        explicit_bzero(facts->export_hex, strlen(facts->export_hex));
    free(facts->export_hex);
    free(facts->peer.names);
    memset(facts, 0, sizeof *facts);
}
