/* facts.c - what a handshake came to. */
#include "facts.h"

#include <stdlib.h>
#include <string.h>

void facts_free(struct facts *facts)
{
    if (facts->export_hex)
        explicit_bzero(facts->export_hex, strlen(facts->export_hex));
    free(facts->export_hex);
    free(facts->binding_hex);
    free(facts->peer.names);
    memset(facts, 0, sizeof *facts);
}

const char *facts_role(enum role role)
{
    return role == ROLE_CLIENT ? "client" : "server";
}

const char *facts_trust(enum trust_how how)
{
    static const char *const names[] = {[TRUST_NONE] = "none",   [TRUST_PIN] = "pin", [TRUST_KNOWN] = "known",
                                        [TRUST_CA] = "ca",       [TRUST_NEW] = "new", [TRUST_PSK] = "psk",
                                        [TRUST_INSECURE] = "insecure", [TRUST_DANE] = "dane"};

    return names[how];
}
