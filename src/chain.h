/* chain.h - the certificates that a peer showed, as it sent them. */
#ifndef SYMTLS_CHAIN_H
#define SYMTLS_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#define CHAIN_MAX 16 /* certificates; what a peer sends beyond that is not looked at */

/* The peer's own certificate first, in DER. Borrowed from the session. count 0: it showed none. */
struct chain {
    struct {
        const uint8_t *der;
        size_t size;
    } at[CHAIN_MAX];
    size_t count;
};

#endif
