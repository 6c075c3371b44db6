/* wire.h - a bounds-checked cursor over bytes from outside.
 *
 * A read past the end makes the cursor fail, gives zeros, and leaves it failed, so that a parser reads like the
 * schema and asks once, at the end, whether everything was there. */
#ifndef SYMTLS_WIRE_H
#define SYMTLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
    const uint8_t *at; /* borrowed: the bytes must outlive the cursor */
    size_t left;
    bool failed;
};

struct wire wire_from(const uint8_t *bytes, size_t length);

/* Big-endian numbers of 8, 16 and 24 bits; 0 once failed. */
uint8_t wire_u8(struct wire *wire);
uint16_t wire_u16(struct wire *wire);
uint32_t wire_u24(struct wire *wire);

/* The next `length` bytes as a cursor of their own; a failed one when there are not so many. */
struct wire wire_take(struct wire *wire, size_t length);

/* A vector of RFC 8446 section 3.4 whose length field is one or two bytes wide. */
struct wire wire_vector8(struct wire *wire);
struct wire wire_vector16(struct wire *wire);

/* Nothing failed and nothing is left. */
bool wire_done(const struct wire *wire);

#endif
