/* trace_row.h - a row of a ladder diagram, before it is known how wide that will be, and whether it is text or a drawing. */
#ifndef SYMTLS_TRACE_ROW_H
#define SYMTLS_TRACE_ROW_H

#include "buffer.h"
#include "trace_event.h"

enum trace_row_kind {
    TRACE_ROW_TITLE,  /* `text` is our address, `more` the peer's, `label` the transport */
    TRACE_ROW_ARROW,  /* a message: `text` */
    TRACE_ROW_FIELD,  /* of the message above: `label` (or NULL) and `text` */
    TRACE_ROW_NOTE,   /* a sentence, or more */
    TRACE_ROW_RECORD, /* what carried a message: `text` */
    TRACE_ROW_DUMP    /* `bytes`, from `offset` on */
};

enum trace_mood { TRACE_PLAIN, TRACE_STRESSED, TRACE_STRUCK, TRACE_BAD };

#define TRACE_WORDS_SIZE 2304 /* of a row's texts, put together */

/* Texts are printable ASCII. */
struct trace_row {
    enum trace_row_kind kind;
    enum trace_mood mood;
    enum trace_direction direction;
    bool encrypted;
    int64_t us;         /* since the beginning, in microseconds */
    const char *label;
    const char *text;
    const char *more;
    const uint8_t *bytes;
    size_t length;
    size_t offset;
};

/* ---- trace_text.c: as text ---- */

#define TRACE_WIDTH_LEAST 20
#define TRACE_WIDTH_MOST 120 /* wider, and the eye loses its way between the two ends */

struct trace_style {
    unsigned width; /* of a line, in columns */
    bool colour;
    const char *tag; /* in front of each line, or NULL: of which session it is */
};

/* Append the row, as lines no longer than style->width (or the least width). False: no memory. */
bool trace_text_append(struct buffer *out, const struct trace_style *style, const struct trace_row *row);

/* How much of `text` goes on a line of `width` columns; what follows is at *next. */
size_t trace_text_wrap(const char *text, size_t width, const char **next);

/* "12.3": milliseconds. */
#define TRACE_TIME_SIZE 24
const char *trace_text_time(char text[TRACE_TIME_SIZE], int64_t us);

/* Up to 16 bytes as "0010 16 03 03  ...". */
#define TRACE_DUMP_BYTES 16
#define TRACE_DUMP_SIZE 96
void trace_text_dump(char line[TRACE_DUMP_SIZE], size_t offset, const uint8_t *bytes, size_t length, size_t columns);

/* ---- trace_svg.c: as a drawing ---- */

struct trace_svg {
    struct buffer body;
    unsigned y;
    unsigned rows;
    bool full;      /* no more than so many are drawn */
    bool no_memory;
};

void trace_svg_add(struct trace_svg *svg, const struct trace_row *row);

/* Append the whole document. False: no memory, now or before. */
bool trace_svg_finish(struct trace_svg *svg, struct buffer *out);
void trace_svg_free(struct trace_svg *svg);

#endif
