/* endpoints.h - the addresses at both ends of a connection, for every transport.
 *
 * Each function fills `list`, in the order in which the addresses should be tried, by `deadline` (wait.h). False with an error, or
 * with wait->signal set, as of resolve(). */
#ifndef SYMTLS_ENDPOINTS_H
#define SYMTLS_ENDPOINTS_H

#include "transport.h"

/* The peer's, to call: config->host and config->port. */
bool endpoints_peer(const struct transport_config *config, struct wait *wait, int64_t deadline, struct address_list *list,
                    struct error *error);

/* Ours, to bind to: the addresses of `host`, or the wildcard of each family where it is NULL. */
bool endpoints_ours(const struct transport_config *config, const char *host, const char *port, struct wait *wait, int64_t deadline,
                    struct address_list *list, struct error *error);

/* Ours, to call from: config->source and config->source_port. Where neither was given the list is empty: the kernel chooses. */
bool endpoints_source(const struct transport_config *config, struct wait *wait, int64_t deadline, struct address_list *list,
                      struct error *error);

#endif
