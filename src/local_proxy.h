/* local_proxy.h - the header of the PROXY protocol, version 2: it tells a target whom it talks to. Pure. */
#ifndef SYMTLS_LOCAL_PROXY_H
#define SYMTLS_LOCAL_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "local_occasion.h"

enum { LOCAL_PROXY_MAX = 1024 };

/* Write the header into `bytes`; returns its length. It has the addresses of the connection, the application protocol, and of TLS the
 * version and the peer's name, if there are any. */
size_t local_proxy_header(const struct local_occasion *occasion, uint8_t bytes[LOCAL_PROXY_MAX]);

#endif
