/* known.c - the file known_peers. */
#include "known.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

struct entry {
    char name[KNOWN_NAME_SIZE]; /* "": a line without an entry */
    char pin[TEXT_PIN_SIZE];
    const char *rest;           /* of the line: the date and how */
    size_t rest_length;
};

static const char blanks[] = " \t\r";

bool known_is_name(const char *name)
{
    char escaped[KNOWN_NAME_SIZE];
    size_t length = strlen(name);

    if (length == 0 || length >= KNOWN_NAME_SIZE || name[0] == '#' || strpbrk(name, " \t\r\n"))
        return false;
    text_escape(escaped, sizeof escaped, name, length);
    return strcmp(escaped, name) == 0;
}

/* A line of the file without its newline: an entry, nothing (a comment), or not to be understood. */
static bool read_line(const char *line, size_t length, struct entry *entry)
{
    char copy[1024];
    char *rest = copy;
    const char *name, *pin;

    memset(entry, 0, sizeof *entry);
    if (length >= sizeof copy || memchr(line, '\0', length))
        return false;
    memcpy(copy, line, length);
    copy[length] = '\0';
    do
        name = strsep(&rest, blanks);
    while (name && !*name);
    if (!name || *name == '#')
        return true;
    do
        pin = strsep(&rest, blanks);
    while (pin && !*pin);
    if (!pin || !known_is_name(name) || !text_pin(pin, entry->pin))
        return false;
    strcpy(entry->name, name);
    entry->rest_length = rest ? length - (size_t)(rest - copy) : 0;
    entry->rest = line + length - entry->rest_length;
    return true;
}

static bool load(const char *path, struct buffer *contents, struct error *error)
{
    struct error local = {0};

    if (file_read(path, FILE_PUBLIC, contents, STATUS_LOCAL, &local))
        return true;
    if (errno == ENOENT)
        return true;
    error_set(error, local.status, "%s", local.story);
    return false;
}

/* The next line at *at; false at the end. */
static bool next_line(const struct buffer *contents, size_t *at, const char **line, size_t *length)
{
    size_t left = buffer_used(contents) - *at;
    const char *start, *newline;

    if (left == 0)
        return false;
    start = (const char *)buffer_at(contents) + *at;
    newline = memchr(start, '\n', left);
    *line = start;
    *length = newline ? (size_t)(newline - start) : left;
    *at += newline ? *length + 1 : *length;
    return true;
}

static bool tell_bad_line(const char *path, unsigned number, struct error *error)
{
    error_set(error, STATUS_LOCAL, "%s:%u: not a line of the form NAME PIN DATE HOW; mend it or take it out", path, number);
    return false;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static void take(struct known_line *line, const struct entry *entry, unsigned number)
{
    memcpy(line->name, entry->name, sizeof line->name);
    memcpy(line->pin, entry->pin, sizeof line->pin);
    line->number = number;
}

enum known_result known_find(const char *path, const char *const *names, size_t name_count, const char *pin,
                             struct known_found *found, struct error *error)
{
    enum known_result result = KNOWN_NONE;
    struct buffer contents = {0};
    struct entry entry;
    const char *line;
    size_t at = 0, length;
    unsigned number = 0;

    memset(found, 0, sizeof *found);
    if (!load(path, &contents, error))
        result = KNOWN_FAILED;
    while (result != KNOWN_FAILED && result != KNOWN_MATCH && next_line(&contents, &at, &line, &length)) {
        bool same, expected;

        number++;
        if (!read_line(line, length, &entry)) {
            tell_bad_line(path, number, error);
            result = KNOWN_FAILED;
            break;
        }
        if (!*entry.name)
            continue;
        same = strcmp(entry.pin, pin) == 0;
        expected = name_count == 0 || is_one_of(entry.name, names, name_count);
        if (same && expected) {
            result = KNOWN_MATCH;
            take(&found->line, &entry, number);
        } else if (same && !found->elsewhere.number) {
            take(&found->elsewhere, &entry, number);
        } else if (!same && expected && name_count > 0) {
            if (result == KNOWN_NONE) /* the first line with another key is the one to be told */
                take(&found->line, &entry, number);
            else if (strcasecmp(found->line.name, entry.name) == 0)
                found->more++;
            result = KNOWN_CHANGED;
        }
    }
    buffer_free(&contents);
    return result;
}

static bool append(struct buffer *buffer, const void *bytes, size_t length, struct error *error)
{
    if (buffer_append(buffer, bytes, length))
        return true;
    error_set(error, STATUS_LOCAL, "there is no memory for the known peers");
    return false;
}

static bool write_added(const char *path, const char *name, const char *pin, const char *how, struct error *error)
{
    struct buffer contents = {0};
    char added[KNOWN_NAME_SIZE + TEXT_PIN_SIZE + 64];
    char date[16];
    time_t now = time(NULL);
    struct tm utc;
    bool done = load(path, &contents, error);

    if (done) {
        strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
        snprintf(added, sizeof added, "%s%s %s %s %s\n",
                 buffer_used(&contents) && buffer_at(&contents)[buffer_used(&contents) - 1] != '\n' ? "\n" : "", name, pin,
                 date, how);
        done = append(&contents, added, strlen(added), error);
    }
    if (done && buffer_used(&contents) > FILE_SIZE_MAX) { /* who writes that makes a file that nobody reads any more */
        error_set(error, STATUS_LOCAL, "\"%s\" is full: it cannot be larger than 1 MiB", path);
        done = false;
    }
    done = done && file_write(path, FILE_REPLACE, buffer_at(&contents), buffer_used(&contents), STATUS_LOCAL, error);
    buffer_free(&contents);
    return done;
}

static bool add(const char *path, const char *name, const char *pin, const char *how, bool first, struct error *error)
{
    const char *const names[] = {name};
    struct known_found found;
    bool done = false;
    int lock;

    if (!file_make_folder(path, STATUS_LOCAL, error))
        return false;
    lock = file_lock(path, STATUS_LOCAL, error);
    if (lock < 0)
        return false;
    switch (known_find(path, names, 1, pin, &found, error)) {
    case KNOWN_MATCH:
        done = true;
        break;
    case KNOWN_CHANGED:
        if (first) {
            error_set(error, STATUS_WRONG, "\"%s\" has got another key meanwhile (%s, line %u), so this one is not remembered",
                      found.line.name, path, found.line.number);
            break;
        }
        done = write_added(path, name, pin, how, error);
        break;
    case KNOWN_NONE:
        done = write_added(path, name, pin, how, error);
        break;
    case KNOWN_FAILED:
        break;
    }
    close(lock);
    return done;
}

bool known_add(const char *path, const char *name, const char *pin, const char *how, struct error *error)
{
    return add(path, name, pin, how, false, error);
}

bool known_add_first(const char *path, const char *name, const char *pin, const char *how, struct error *error)
{
    return add(path, name, pin, how, true, error);
}

/* Everything but the lines of `name`, or those of them with `pin`. */
static bool without(const char *path, const struct buffer *contents, const char *name, const char *pin,
                    struct buffer *rest, size_t *count, struct error *error)
{
    struct entry entry;
    const char *line;
    size_t at = 0, length;
    unsigned number = 0;

    while (next_line(contents, &at, &line, &length)) {
        number++;
        if (!read_line(line, length, &entry))
            return tell_bad_line(path, number, error);
        if (strcasecmp(entry.name, name) == 0 && (!pin || strcmp(entry.pin, pin) == 0))
            ++*count;
        else if (!append(rest, line, length, error) || !append(rest, "\n", 1, error))
            return false;
    }
    return true;
}

bool known_delete(const char *path, const char *name, const char *pin, size_t *count, struct error *error)
{
    struct buffer contents = {0}, rest = {0};
    bool done;
    int lock;

    *count = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    lock = file_lock(path, STATUS_LOCAL, error);
    if (lock < 0)
        return false;
    done = load(path, &contents, error) && without(path, &contents, name, pin, &rest, count, error);
    if (done && *count)
        done = file_write(path, FILE_REPLACE, buffer_at(&rest), buffer_used(&rest), STATUS_LOCAL, error);
    buffer_free(&contents);
    buffer_free(&rest);
    close(lock);
    return done;
}

/* ---- Printing ---- */

/* Names are UTF-8: a character is a byte that goes on with none. */
static int columns(const char *text)
{
    int count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static const char *skip(const char *at, const char *end, bool blank)
{
    while (at < end && (memchr(blanks, *at, sizeof blanks - 1) != NULL) == blank)
        at++;
    return at;
}

static void print_aligned(const struct entry *entry, int width, FILE *out)
{
    const char *end = entry->rest + entry->rest_length;
    const char *date = skip(entry->rest, end, true), *how;
    char date_text[64], how_text[1024];

    while (end > date && strchr(blanks, end[-1]))
        end--;
    how = skip(date, end, false);
    text_escape(date_text, sizeof date_text, date, (size_t)(how - date));
    how = skip(how, end, true);
    text_escape(how_text, sizeof how_text, how, (size_t)(end - how));
    fprintf(out, "%s%*s  %s  %-10s  %s\n", entry->name, width - columns(entry->name), "", entry->pin,
            *date_text ? date_text : "-", *how_text ? how_text : "-");
}

bool known_list(const char *path, enum known_layout layout, FILE *out, struct error *error)
{
    struct buffer contents = {0};
    struct entry entry;
    const char *line;
    size_t at = 0, length;
    unsigned number = 0;
    int width = 0;
    bool done = load(path, &contents, error);

    if (done && layout == KNOWN_ALIGNED)
        while (next_line(&contents, &at, &line, &length))
            if (read_line(line, length, &entry) && columns(entry.name) > width)
                width = columns(entry.name);
    at = 0;
    while (done && next_line(&contents, &at, &line, &length)) {
        number++;
        if (!read_line(line, length, &entry))
            done = tell_bad_line(path, number, error);
        else if (*entry.name && layout == KNOWN_ALIGNED)
            print_aligned(&entry, width, out);
        else if (*entry.name)
            fprintf(out, "%.*s\n", (int)(line[length - 1] == '\r' ? length - 1 : length), line);
    }
    buffer_free(&contents);
    return done;
}

const char *known_delete_words(char text[KNOWN_DELETE_SIZE], const char *name, const char *pin)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:%@_+,/-";
    bool quoted = strspn(name, plain) != strlen(name);
    char *at = text;

    if (name[0] == '-')
        at = stpcpy(at, "-- ");
    if (quoted)
        *at++ = '\'';
    for (; *name; name++)
        if (*name == '\'')
            at = stpcpy(at, "'\\''");
        else
            *at++ = *name;
    if (quoted)
        *at++ = '\'';
    *at = '\0';
    if (pin) {
        *at++ = ' ';
        strcpy(at, pin);
    }
    return text;
}
