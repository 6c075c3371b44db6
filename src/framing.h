/* framing.h - units of data: cut out of a stream where it comes from, and marked in it where it goes to. Pure: no I/O.
 *
 * A unit is sent as one record or one datagram. With LINE and NUL it is sent with its delimiter, so that an end without framing
 * sees the same bytes; with LEN16 without its length. */
#ifndef SYMTLS_FRAMING_H
#define SYMTLS_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

enum framing_kind {
    FRAMING_READ,  /* whatever is there: no units */
    FRAMING_LINE,  /* up to and with LF */
    FRAMING_NUL,   /* up to and with a zero byte */
    FRAMING_LEN16  /* a length in two bytes, the higher first, and so many bytes */
};

/* `skip` bytes that are not sent, and the unit behind them. */
struct framing_unit {
    size_t skip;
    size_t length;
};

enum framing_result {
    FRAMING_UNIT,
    FRAMING_MORE,     /* it is not whole yet; with `is_last`: there is none */
    FRAMING_TOO_LONG, /* it has more than `most` bytes */
    FRAMING_EMPTY,    /* it has none, which cannot be sent */
    FRAMING_CUT       /* what came last is not whole */
};

/* The first unit of these bytes. `is_last`: nothing comes after them; a last line needs no delimiter. */
enum framing_result framing_next(enum framing_kind kind, const uint8_t *bytes, size_t length, bool is_last, size_t most,
                                 struct framing_unit *unit);

/* Append a unit that was received, with its delimiter, if it has none, or its length. False: no memory. */
bool framing_put(enum framing_kind kind, const uint8_t *unit, size_t length, struct buffer *out);

/* Append the bytes with CR LF for each LF that has no CR before it. *after_cr is kept from one call to the next. False: no memory. */
bool framing_crlf(bool *after_cr, const uint8_t *bytes, size_t length, struct buffer *out);

#endif
