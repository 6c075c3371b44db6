/* wire.c - a bounds-checked byte cursor. */
#include "wire.h"

struct wire wire_from(const uint8_t *bytes, size_t length)
{
    return (struct wire){.at = bytes, .left = length};
}

struct wire wire_take(struct wire *wire, size_t length)
{
    struct wire part;

    if (wire->failed || length > wire->left) {
        wire->failed = true;
        wire->left = 0;
        return (struct wire){.failed = true};
    }
    part = wire_from(wire->at, length);
    if (length)
        wire->at += length;
    wire->left -= length;
    return part;
}

static uint32_t number(struct wire *wire, size_t width)
{
    struct wire part = wire_take(wire, width);
    uint32_t value = 0;

    for (size_t i = 0; i < part.left; i++)
        value = value << 8 | part.at[i];
    return value;
}

uint8_t wire_u8(struct wire *wire)
{
    return (uint8_t)number(wire, 1);
}

uint16_t wire_u16(struct wire *wire)
{
    return (uint16_t)number(wire, 2);
}

uint32_t wire_u24(struct wire *wire)
{
    return number(wire, 3);
}

struct wire wire_vector8(struct wire *wire)
{
    size_t length = wire_u8(wire);

    return wire_take(wire, length);
}

struct wire wire_vector16(struct wire *wire)
{
    size_t length = wire_u16(wire);

    return wire_take(wire, length);
}

bool wire_done(const struct wire *wire)
{
    return !wire->failed && wire->left == 0;
}
