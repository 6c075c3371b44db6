/* trace_page.c - where a ladder diagram goes: a terminal, a file, or a drawing. */
#include "trace_page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    WIDTH_USUAL = 80,
    WRITE_PATIENCE_MS = 1000 /* with a terminal that was stopped */
};

static bool is_svg(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".svg") == 0;
}

static bool open_target(struct trace_page *page, const char *target, struct error *error)
{
    page->name = target ? target : "stderr";
    if (!target) {
        page->fd = STDERR_FILENO;
    } else if (strncmp(target, "fd:", 3) == 0) {
        page->fd = atoi(target + 3); /* a number: options has looked */
        if (fcntl(page->fd, F_GETFD) < 0)
            page->fd = -1;
    } else {
        /* Several processes may append, one for each session. */
        page->fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
        page->is_ours = true;
        page->is_drawing = is_svg(target);
    }
    if (page->fd >= 0)
        return true;
    error_set(error, STATUS_LOCAL, "cannot write the trace to \"%s\": %s", target, strerror(errno));
    return false;
}

static void write_all(struct trace_page *page, const uint8_t *bytes, size_t length)
{
    while (page->fd >= 0 && length > 0) {
        ssize_t written = write(page->fd, bytes, length);

        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
            continue;
        }
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN && poll(&(struct pollfd){.fd = page->fd, .events = POLLOUT}, 1, WRITE_PATIENCE_MS) > 0)
            continue;
        error_set(&page->error, STATUS_LOCAL, "cannot write the trace to \"%s\": %s", page->name, strerror(errno));
        if (page->is_ours)
            close(page->fd);
        page->fd = -1; /* with a gap in it, it would mislead */
    }
}

/* The terminal's width now: it may change. */
static unsigned width_of(const struct trace_page *page)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;

    if (page->is_terminal && ioctl(page->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (columns && *columns && strlen(columns) < 5 && strspn(columns, "0123456789") == strlen(columns))
        return (unsigned)atoi(columns);
    return WIDTH_USUAL;
}

bool trace_page_open(struct trace_page *page, const char *target, struct error *error)
{
    *page = (struct trace_page){.fd = -1};
    if (!open_target(page, target, error))
        return false;
    page->is_terminal = isatty(page->fd) == 1;
    return true;
}

bool trace_page_is_open(const struct trace_page *page)
{
    return page->fd >= 0;
}

void trace_page_add(struct trace_page *page, const struct trace_row *row)
{
    const char *no_colour = getenv("NO_COLOR"); /* https://no-color.org */
    char tag[24];
    struct trace_style style;

    if (page->is_drawing) {
        trace_svg_add(&page->drawing, row);
        return;
    }
    snprintf(tag, sizeof tag, "%lu ", page->number);
    style = (struct trace_style){.width = width_of(page),
                                 .colour = page->is_terminal && !(no_colour && *no_colour),
                                 .tag = page->number ? tag : NULL};
    trace_text_append(&page->lines, &style, row); /* without memory a row is missing */
}

void trace_page_flush(struct trace_page *page)
{
    write_all(page, buffer_at(&page->lines), buffer_used(&page->lines));
    buffer_skip(&page->lines, buffer_used(&page->lines));
}

void trace_page_end(struct trace_page *page)
{
    struct buffer document = {0};

    trace_page_flush(page);
    if (page->is_drawing && trace_svg_finish(&page->drawing, &document))
        write_all(page, buffer_at(&document), buffer_used(&document));
    else if (page->is_drawing)
        error_set(&page->error, STATUS_LOCAL, "cannot write the trace to \"%s\": out of memory", page->name);
    buffer_free(&document);
}

void trace_page_free(struct trace_page *page)
{
    if (page->is_ours && page->fd >= 0)
        close(page->fd);
    page->fd = -1;
    trace_svg_free(&page->drawing);
    buffer_free(&page->lines);
}
