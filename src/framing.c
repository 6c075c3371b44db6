/* framing.c - units of data. */
#include "framing.h"

#include <string.h>

enum { LENGTH_SIZE = 2 };

static enum framing_result next_delimited(uint8_t delimiter, const uint8_t *bytes, size_t length, bool is_last, size_t most,
                                          struct framing_unit *unit)
{
    const uint8_t *end = length ? memchr(bytes, delimiter, length) : NULL;

    *unit = (struct framing_unit){.length = end ? (size_t)(end - bytes) + 1 : length};
    if (unit->length > most)
        return FRAMING_TOO_LONG;
    return end || (is_last && length) ? FRAMING_UNIT : FRAMING_MORE;
}

static enum framing_result next_counted(const uint8_t *bytes, size_t length, bool is_last, size_t most, struct framing_unit *unit)
{
    enum framing_result incomplete = is_last && length ? FRAMING_CUT : FRAMING_MORE;

    if (length < LENGTH_SIZE)
        return incomplete;
    *unit = (struct framing_unit){.skip = LENGTH_SIZE, .length = (size_t)bytes[0] << 8 | bytes[1]};
    if (unit->length == 0)
        return FRAMING_EMPTY;
    if (unit->length > most)
        return FRAMING_TOO_LONG;
    return length - LENGTH_SIZE < unit->length ? incomplete : FRAMING_UNIT;
}

enum framing_result framing_next(enum framing_kind kind, const uint8_t *bytes, size_t length, bool is_last, size_t most,
                                 struct framing_unit *unit)
{
    *unit = (struct framing_unit){.length = length < most ? length : most};
    switch (kind) {
    case FRAMING_LINE:
        return next_delimited('\n', bytes, length, is_last, most, unit);
    case FRAMING_NUL:
        return next_delimited('\0', bytes, length, is_last, most, unit);
    case FRAMING_LEN16:
        return next_counted(bytes, length, is_last, most, unit);
    case FRAMING_READ:
        break;
    }
    return length ? FRAMING_UNIT : FRAMING_MORE;
}

static bool put_delimited(uint8_t delimiter, const uint8_t *unit, size_t length, struct buffer *out)
{
    return buffer_append(out, unit, length) &&
           ((length && unit[length - 1] == delimiter) || buffer_append(out, &delimiter, 1));
}

bool framing_put(enum framing_kind kind, const uint8_t *unit, size_t length, struct buffer *out)
{
    const uint8_t count[LENGTH_SIZE] = {(uint8_t)(length >> 8), (uint8_t)length};

    switch (kind) {
    case FRAMING_LINE:
        return put_delimited('\n', unit, length, out);
    case FRAMING_NUL:
        return put_delimited('\0', unit, length, out);
    case FRAMING_LEN16:
        return buffer_append(out, count, sizeof count) && buffer_append(out, unit, length);
    case FRAMING_READ:
        break;
    }
    return buffer_append(out, unit, length);
}

bool framing_crlf(bool *after_cr, const uint8_t *bytes, size_t length, struct buffer *out)
{
    while (length) {
        const uint8_t *end = memchr(bytes, '\n', length);
        size_t piece = end ? (size_t)(end - bytes) : length;
        bool has_cr = piece ? bytes[piece - 1] == '\r' : *after_cr;

        if (!buffer_append(out, bytes, piece) || (end && !buffer_append(out, &"\r\n"[has_cr], 2u - has_cr)))
            return false;
        *after_cr = !end && has_cr;
        piece += end ? 1 : 0;
        bytes += piece;
        length -= piece;
    }
    return true;
}
