/* endpoints.c - the addresses at both ends of a connection. */
#include "endpoints.h"
#include "resolve.h"

bool endpoints_peer(const struct transport_config *config, struct wait *wait, int64_t deadline, struct address_list *list,
                    struct error *error)
{
    struct resolve_query query = {
        .host = config->host, .service = config->port, .family = config->family, .numeric = config->numeric};

    return resolve(&query, wait, deadline, list, error);
}

bool endpoints_ours(const struct transport_config *config, const char *host, const char *port, struct wait *wait, int64_t deadline,
                    struct address_list *list, struct error *error)
{
    struct resolve_query query = {
        .host = host, .service = port, .family = config->family, .numeric = config->numeric, .passive = true};

    return resolve(&query, wait, deadline, list, error);
}

bool endpoints_source(const struct transport_config *config, struct wait *wait, int64_t deadline, struct address_list *list,
                      struct error *error)
{
    const char *port = config->source_port ? config->source_port : "0";

    list->count = 0;
    if (!config->source && !config->source_port)
        return true;
    if (endpoints_ours(config, config->source, port, wait, deadline, list, error))
        return true;
    error_prefix(error, "-s: ");
    return false;
}
