/* trace_text.c - the rows of a ladder diagram as text, for a terminal of any width and for a bug report. */
#include "trace_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LADDER_LEAST = 60, /* narrower, and there is no place for two ends: arrows become signs */
    TIME_COLUMNS = 8,
    LINE_MAX_SIZE = 256
};

_Static_assert(LINE_MAX_SIZE > TRACE_WIDTH_MOST + 64, "a line has room for its colours");

struct page {
    struct buffer *out;
    const struct trace_style *style;
    const struct trace_row *row;
    unsigned width; /* without the tag */
    bool failed;
};

/* ---- Lines ---- */

static const char *colour_of(const struct page *page)
{
    const struct trace_row *row = page->row;

    if (!page->style->colour)
        return "";
    if (row->mood == TRACE_BAD)
        return "\033[1;31m";
    if (row->mood == TRACE_STRUCK)
        return "\033[35m";
    switch (row->kind) {
    case TRACE_ROW_ARROW:
        return row->direction == TRACE_OUT ? "\033[36m" : "\033[32m";
    case TRACE_ROW_NOTE:
        return row->mood == TRACE_STRESSED ? "\033[1;33m" : "\033[1m";
    case TRACE_ROW_RECORD:
    case TRACE_ROW_DUMP:
        return "\033[2m";
    default:
        return "";
    }
}

static void put(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct page *page, const char *format, ...)
{
    char line[2 * LINE_MAX_SIZE];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    page->failed = page->failed || !buffer_append(page->out, line, (size_t)length);
}

/* A whole line: `before` is plain, then `text` has the row's colour, and `behind` is plain again. */
static void put_line(struct page *page, const char *before, const char *text, const char *behind)
{
    const char *colour = colour_of(page);
    char line[LINE_MAX_SIZE];
    size_t end;

    if (page->style->tag)
        put(page, "%s", page->style->tag);
    snprintf(line, sizeof line, "%s%s%s%s%s", before, colour, text, *colour ? "\033[0m" : "", behind);
    end = strlen(line);
    while (end > 0 && line[end - 1] == ' ') /* nobody sees them, and they are in the way when lines are copied */
        line[--end] = '\0';
    put(page, "%s\n", line);
}

/* Behind the last sign at which a word that is wider than the line may be taken apart. */
static size_t take_apart(const char *word, size_t width)
{
    for (size_t at = width; at > width / 3; at--)
        if (strchr("_-,:/.", word[at - 1]))
            return at;
    return width;
}

size_t trace_text_wrap(const char *text, size_t width, const char **next)
{
    size_t length = strlen(text), space = width;

    if (length <= width) {
        *next = text + length;
        return length;
    }
    while (space > 0 && text[space] != ' ')
        space--;
    if (space == 0 || (space < width / 3 && strcspn(text + space + 1, " ") > width)) {
        space = take_apart(text, width);
        *next = text + space + strspn(text + space, " ");
    } else {
        *next = text + space + 1;
    }
    return space;
}

const char *trace_text_time(char text[TRACE_TIME_SIZE], int64_t us)
{
    if (us < 10000 * (int64_t)1000)
        snprintf(text, TRACE_TIME_SIZE, "%lld.%lld", (long long)(us / 1000), (long long)(us / 100 % 10));
    else
        snprintf(text, TRACE_TIME_SIZE, "%lld", (long long)(us / 1000));
    return text;
}

void trace_text_dump(char line[TRACE_DUMP_SIZE], size_t offset, const uint8_t *bytes, size_t length, size_t columns)
{
    size_t used = (size_t)snprintf(line, TRACE_DUMP_SIZE, "%04zx", offset);

    for (size_t i = 0; i < columns; i++)
        if (i < length)
            used += (size_t)snprintf(line + used, TRACE_DUMP_SIZE - used, " %02x", bytes[i]);
        else
            used += (size_t)snprintf(line + used, TRACE_DUMP_SIZE - used, "   ");
    used += (size_t)snprintf(line + used, TRACE_DUMP_SIZE - used, "  ");
    for (size_t i = 0; i < length; i++)
        used += (size_t)snprintf(line + used, TRACE_DUMP_SIZE - used, "%c", bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
}

/* ---- Two ends, and between them the arrows ---- */

static unsigned inner_of(const struct page *page)
{
    return page->width - TIME_COLUMNS - 2;
}

/* Between the two bars; the time is shown on the first line of a row. */
static void put_between(struct page *page, bool with_time, const char *text)
{
    char before[TIME_COLUMNS + 8], behind[LINE_MAX_SIZE], time[TRACE_TIME_SIZE];
    size_t inner = inner_of(page), length = strlen(text);

    if (with_time)
        trace_text_time(time, page->row->us);
    snprintf(before, sizeof before, "%*.*s |", TIME_COLUMNS - 1, TIME_COLUMNS - 1, with_time ? time : "");
    snprintf(behind, sizeof behind, "%*s|", length < inner ? (int)(inner - length) : 0, "");
    put_line(page, before, text, behind);
}

/* Words from column `indent` on; the lines that follow are a little further in. */
static void put_words(struct page *page, bool with_time, const char *words, unsigned indent)
{
    char line[LINE_MAX_SIZE];
    unsigned further = 0;

    do {
        const char *next;
        size_t piece = trace_text_wrap(words, inner_of(page) - indent - further - 1, &next);

        snprintf(line, sizeof line, "%*s%.*s", (int)(indent + further), "", (int)piece, words);
        put_between(page, with_time, line);
        with_time = false;
        further = 2;
        words = next;
    } while (*words);
}

static void draw_arrow(struct page *page)
{
    const struct trace_row *row = page->row;
    unsigned inner = inner_of(page);
    char line[LINE_MAX_SIZE], text[LINE_MAX_SIZE];
    char stroke = row->encrypted ? '=' : '-';
    size_t length;

    trace_text_wrap(row->text, inner - 8, &(const char *){NULL});
    snprintf(text, sizeof text, " %.*s ", (int)inner - 8, row->text);
    length = strlen(text);
    memset(line, stroke, inner);
    line[inner] = '\0';
    if (row->direction == TRACE_OUT) {
        memcpy(line + 2, text, length);
        line[inner - 1] = '>';
    } else {
        memcpy(line + inner - 2 - length, text, length);
        line[0] = '<';
    }
    put_between(page, true, line);
}

/* Ours at the left, the peer's at the right. */
static void draw_record(struct page *page)
{
    const struct trace_row *row = page->row;
    unsigned inner = inner_of(page);
    char line[LINE_MAX_SIZE];

    if (row->direction == TRACE_OUT)
        snprintf(line, sizeof line, "> %.*s", (int)inner - 2, row->text);
    else
        snprintf(line, sizeof line, "%*.*s <", (int)inner - 2, (int)inner - 2, row->text);
    put_between(page, true, line);
}

static unsigned field_indent(const struct page *page)
{
    return page->row->direction == TRACE_OUT ? 4 : inner_of(page) / 6;
}

static void name_field(const struct trace_row *row, char *words, size_t size)
{
    snprintf(words, size, "%s%s%s", row->label ? row->label : "", row->label ? ": " : "", row->text);
}

static void draw_field(struct page *page)
{
    char words[TRACE_WORDS_SIZE];

    name_field(page->row, words, sizeof words);
    put_words(page, false, words, field_indent(page));
}

static void draw_note(struct page *page)
{
    char words[TRACE_WORDS_SIZE];

    snprintf(words, sizeof words, "* %s", page->row->text);
    put_words(page, true, words, 1);
}

static void draw_dump(struct page *page, size_t columns)
{
    const struct trace_row *row = page->row;
    char line[TRACE_DUMP_SIZE];

    for (size_t at = 0; at < row->length; at += columns) {
        size_t piece = row->length - at < columns ? row->length - at : columns;

        trace_text_dump(line, row->offset + at, row->bytes + at, piece, columns);
        if (page->width >= LADDER_LEAST)
            put_between(page, false, line);
        else
            put_line(page, "", line, "");
    }
}

static void draw_title(struct page *page)
{
    const struct trace_row *row = page->row;
    int across = (int)inner_of(page) + 1; /* from one bar to the other */
    char ends[2 * LINE_MAX_SIZE];
    int used = snprintf(ends, sizeof ends, "us %s", row->text), rest = snprintf(NULL, 0, "%s the peer", row->more);

    if (used + rest + 2 <= across) {
        snprintf(ends + used, sizeof ends - (size_t)used, "%*s%s the peer", across - used - rest, "", row->more);
        put_line(page, "      ms ", ends, "");
    } else { /* long addresses have a line each */
        put_line(page, "      ms ", ends, "");
        snprintf(ends, sizeof ends, "%*s the peer", across - 9, row->more);
        put_line(page, "         ", ends, "");
    }
    snprintf(ends, sizeof ends, "%s; -- in the clear, == encrypted", row->label);
    put_words(page, false, ends, 4);
}

static void draw_ladder(struct page *page)
{
    switch (page->row->kind) {
    case TRACE_ROW_TITLE:
        draw_title(page);
        break;
    case TRACE_ROW_ARROW:
        draw_arrow(page);
        break;
    case TRACE_ROW_FIELD:
        draw_field(page);
        break;
    case TRACE_ROW_NOTE:
        draw_note(page);
        break;
    case TRACE_ROW_RECORD:
        draw_record(page);
        break;
    case TRACE_ROW_DUMP:
        draw_dump(page, inner_of(page) >= 70 ? 16 : 8);
        break;
    }
}

/* ---- Where there is no place for that: one column ---- */

static void put_column(struct page *page, const char *words, unsigned indent)
{
    char line[LINE_MAX_SIZE];
    unsigned further = 0;

    do {
        const char *next;
        size_t piece = trace_text_wrap(words, page->width - indent - further, &next);

        snprintf(line, sizeof line, "%*s%.*s", (int)(indent + further), "", (int)piece, words);
        put_line(page, "", line, "");
        words = next;
        further = 2;
    } while (*words);
}

static void draw_column(struct page *page)
{
    const struct trace_row *row = page->row;
    const char *sign = row->direction == TRACE_OUT ? row->encrypted ? "=>" : "->" : row->encrypted ? "<=" : "<-";
    char words[TRACE_WORDS_SIZE], time[TRACE_TIME_SIZE];

    trace_text_time(time, row->us);
    switch (row->kind) {
    case TRACE_ROW_TITLE:
        snprintf(words, sizeof words, "%s from us, %s, to the peer, %s; times in ms; -> in the clear, => encrypted", row->label, row->text,
                 row->more);
        put_column(page, words, 0);
        return;
    case TRACE_ROW_ARROW:
        snprintf(words, sizeof words, "%s %s %s", time, sign, row->text);
        break;
    case TRACE_ROW_FIELD:
        name_field(row, words, sizeof words);
        put_column(page, words, 2);
        return;
    case TRACE_ROW_NOTE:
        snprintf(words, sizeof words, "%s * %s", time, row->text);
        break;
    case TRACE_ROW_RECORD:
        snprintf(words, sizeof words, "%s %s %s", time, row->direction == TRACE_OUT ? ">" : "<", row->text);
        break;
    case TRACE_ROW_DUMP: /* the offset, two spaces, and for each byte three columns in hex and one as it is */
        draw_dump(page, page->width >= 40 ? 8 : 3);
        return;
    }
    put_column(page, words, 0);
}

bool trace_text_append(struct buffer *out, const struct trace_style *style, const struct trace_row *row)
{
    struct page page = {.out = out, .style = style, .row = row, .width = style->width};
    unsigned tag = style->tag ? (unsigned)strlen(style->tag) : 0;

    if (page.width > TRACE_WIDTH_MOST)
        page.width = TRACE_WIDTH_MOST;
    page.width = page.width > tag + TRACE_WIDTH_LEAST ? page.width - tag : TRACE_WIDTH_LEAST;
    if (page.width >= LADDER_LEAST)
        draw_ladder(&page);
    else
        draw_column(&page);
    return !page.failed;
}
