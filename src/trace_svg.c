/* trace_svg.c - the rows of a ladder diagram as a drawing: SVG 1.1, that any browser shows. */
#include "trace_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 960,
    LEFT = 90,   /* our line */
    RIGHT = 920, /* the peer's */
    TOP = 70,    /* below the addresses' line */
    LINE = 16,   /* from one line of text to the next */
    COLUMNS = 96, /* of small text between the two, a column being somewhat more than seven units wide */
    ROWS_MAX = 5000
};

static void put(struct trace_svg *svg, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct trace_svg *svg, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    svg->no_memory = svg->no_memory || !buffer_append(&svg->body, text, (size_t)length);
}

/* Text is printable ASCII by now; here is what XML makes of it. */
static void put_text(struct trace_svg *svg, unsigned x, const char *class, const char *text, size_t length)
{
    put(svg, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, svg->y, class);
    for (size_t i = 0; i < length; i++)
        switch (text[i]) {
        case '<':
            put(svg, "&lt;");
            break;
        case '>':
            put(svg, "&gt;");
            break;
        case '&':
            put(svg, "&amp;");
            break;
        default:
            put(svg, "%c", text[i]);
        }
    put(svg, "</text>\n");
}

static void put_lines(struct trace_svg *svg, unsigned x, const char *class, const char *text, size_t columns)
{
    do {
        const char *next;
        size_t length = trace_text_wrap(text, columns, &next);

        svg->y += LINE;
        put_text(svg, x, class, text, length);
        text = next;
    } while (*text);
}

static void put_time(struct trace_svg *svg, const struct trace_row *row)
{
    char time[TRACE_TIME_SIZE], words[TRACE_TIME_SIZE + 3];

    snprintf(words, sizeof words, "%s ms", trace_text_time(time, row->us));
    put_text(svg, LEFT - 8, "time end", words, strlen(words));
}

static void draw_arrow(struct trace_svg *svg, const struct trace_row *row)
{
    static const char *const moods[] = {[TRACE_PLAIN] = "", [TRACE_STRESSED] = "", [TRACE_STRUCK] = " struck", [TRACE_BAD] = " bad"};
    bool out = row->direction == TRACE_OUT;
    unsigned from = out ? LEFT : RIGHT, tip = out ? RIGHT : LEFT;
    int back = out ? -10 : 10;
    char class[32];

    snprintf(class, sizeof class, "name %s%s", out ? "start" : "end", moods[row->mood]);
    svg->y += LINE + 8;
    put_text(svg, out ? LEFT + 14 : RIGHT - 14, class, row->text, strlen(row->text));
    svg->y += 6;
    put(svg, "<path class=\"%s%s\" d=\"M%u %uH%u\"/>", row->encrypted ? "sealed" : "clear", moods[row->mood], from, svg->y, tip);
    put(svg, "<path class=\"tip%s\" d=\"M%u %ul%d -5v10z\"/>\n", moods[row->mood], tip, svg->y, back);
    put_time(svg, row);
}

static void draw_note(struct trace_svg *svg, const struct trace_row *row)
{
    unsigned top;
    size_t lines = 0;

    for (const char *text = row->text, *next; *text; text = next, lines++)
        trace_text_wrap(text, COLUMNS, &next);
    svg->y += 10;
    top = svg->y;
    put(svg, "<rect class=\"note%s\" x=\"%d\" y=\"%u\" width=\"%d\" height=\"%zu\" rx=\"4\"/>\n",
        row->mood == TRACE_BAD ? " bad" : row->mood == TRACE_STRESSED ? " stressed" : "", LEFT + 30, top, RIGHT - LEFT - 60, lines * LINE + 8);
    put_lines(svg, LEFT + 42, "text", row->text, COLUMNS);
    svg->y = top + LINE;
    put_time(svg, row);
    svg->y = top + (unsigned)lines * LINE + 8;
}

static void draw_field(struct trace_svg *svg, const struct trace_row *row)
{
    bool out = row->direction == TRACE_OUT;
    char words[TRACE_WORDS_SIZE];

    snprintf(words, sizeof words, "%s%s%s", row->label ? row->label : "", row->label ? ": " : "", row->text);
    put_lines(svg, out ? LEFT + 30 : LEFT + 230, "text", words, out ? COLUMNS : COLUMNS - 26);
}

static void draw_title(struct trace_svg *svg, const struct trace_row *row)
{
    char words[300];

    svg->y += svg->rows ? 2 * LINE : 0;
    svg->y += LINE;
    snprintf(words, sizeof words, "us %s", row->text);
    put_text(svg, LEFT - 10, "name start", words, strlen(words));
    snprintf(words, sizeof words, "%s the peer", row->more);
    put_text(svg, RIGHT + 10, "name end", words, strlen(words));
    put_text(svg, (LEFT + RIGHT) / 2, "time middle", row->label, strlen(row->label));
}

static void draw_dump(struct trace_svg *svg, const struct trace_row *row)
{
    char line[TRACE_DUMP_SIZE];

    for (size_t at = 0; at < row->length; at += TRACE_DUMP_BYTES) {
        size_t piece = row->length - at < TRACE_DUMP_BYTES ? row->length - at : TRACE_DUMP_BYTES;

        trace_text_dump(line, row->offset + at, row->bytes + at, piece, TRACE_DUMP_BYTES);
        svg->y += LINE;
        put_text(svg, LEFT + 42, "dump", line, strlen(line));
        svg->rows++;
    }
}

void trace_svg_add(struct trace_svg *svg, const struct trace_row *row)
{
    if (svg->full)
        return;
    if (svg->rows >= ROWS_MAX) {
        svg->full = true;
        draw_note(svg, &(struct trace_row){.us = row->us, .text = "what follows is not drawn: there is too much of it"});
        return;
    }
    if (svg->rows == 0)
        svg->y = TOP - 2 * LINE;
    switch (row->kind) {
    case TRACE_ROW_TITLE:
        draw_title(svg, row);
        break;
    case TRACE_ROW_ARROW:
        draw_arrow(svg, row);
        break;
    case TRACE_ROW_FIELD:
        draw_field(svg, row);
        break;
    case TRACE_ROW_NOTE:
        draw_note(svg, row);
        break;
    case TRACE_ROW_RECORD:
        svg->y += LINE;
        put_text(svg, row->direction == TRACE_OUT ? LEFT + 14 : RIGHT - 14, row->direction == TRACE_OUT ? "record start" : "record end",
                 row->text, strlen(row->text));
        break;
    case TRACE_ROW_DUMP:
        draw_dump(svg, row);
        break;
    }
    svg->rows++;
}

static const char style[] =
    "<style>\n"
    "text { font: 12px monospace; white-space: pre; fill: #222 }\n"
    ".name { font-weight: bold } .time { fill: #777 } .end { text-anchor: end } .middle { text-anchor: middle }\n"
    ".record, .dump { fill: #777; font-size: 11px }\n"
    ".clear { stroke: #222; stroke-width: 1.5; fill: none }\n"
    ".sealed { stroke: #1a5fb4; stroke-width: 4; fill: none }\n"
    ".tip { fill: #222 } .life { stroke: #999; stroke-width: 1.5 }\n"
    ".note { fill: #f0f0f0; stroke: #bbb } .note.stressed { fill: #fff3c4; stroke: #d9a400 } .note.bad { fill: #ffd9d6; stroke: #c01c28 }\n"
    "path.struck { stroke: #a0439b; stroke-dasharray: 6 4 } .tip.struck, text.struck { fill: #a0439b }\n"
    "path.bad { stroke: #c01c28 } .tip.bad, text.bad { fill: #c01c28 }\n"
    "</style>\n";

bool trace_svg_finish(struct trace_svg *svg, struct buffer *out)
{
    char head[512];
    unsigned height = svg->y + 2 * LINE + 20;
    int length = snprintf(head, sizeof head,
                          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\">\n"
                          "<title>symtls: a handshake</title>\n",
                          WIDTH, height, WIDTH, height);
    bool whole = buffer_append(out, head, (size_t)length) && buffer_append(out, style, sizeof style - 1);

    length = snprintf(head, sizeof head,
                      "<rect width=\"%d\" height=\"%u\" fill=\"#fff\"/>\n"
                      "<path class=\"life\" d=\"M%d %dV%uM%d %dV%u\"/>\n"
                      "<text x=\"%d\" y=\"%u\" class=\"time\">thin: in the clear; thick: encrypted; dashed: struck</text>\n",
                      WIDTH, height, LEFT, TOP, height - 24, RIGHT, TOP, height - 24, LEFT, height - 8);
    return whole && !svg->no_memory && buffer_append(out, head, (size_t)length) &&
           buffer_append(out, buffer_at(&svg->body), buffer_used(&svg->body)) && buffer_append(out, "</svg>\n", 7);
}

void trace_svg_free(struct trace_svg *svg)
{
    buffer_free(&svg->body);
}
