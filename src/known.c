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
    char name[KNOWN_NAME_SIZE];
    char pin[TEXT_PIN_SIZE];
};

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
        name = strsep(&rest, " \t\r");
    while (name && !*name);
    if (!name || *name == '#')
        return true;
    do
        pin = strsep(&rest, " \t\r");
    while (pin && !*pin);
    if (!pin || !known_is_name(name) || !text_pin(pin, entry->pin))
        return false;
    strcpy(entry->name, name);
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

enum known_result known_find(const char *path, const char *const *names, size_t name_count, const char *pin,
                             struct known_line *found, struct error *error)
{
    enum known_result result = KNOWN_NONE;
    struct buffer contents = {0};
    struct entry entry;
    const char *line;
    size_t at = 0, length;
    unsigned number = 0;

    if (!load(path, &contents, error))
        result = KNOWN_FAILED;
    while (result != KNOWN_FAILED && result != KNOWN_MATCH && next_line(&contents, &at, &line, &length)) {
        number++;
        if (!read_line(line, length, &entry)) {
            tell_bad_line(path, number, error);
            result = KNOWN_FAILED;
        } else if (*entry.name && (name_count == 0 || is_one_of(entry.name, names, name_count))) {
            bool same = strcmp(entry.pin, pin) == 0;

            if (!same && (name_count == 0 || result == KNOWN_CHANGED))
                continue; /* the first line with another key is the one to be told */
            result = same ? KNOWN_MATCH : KNOWN_CHANGED;
            found->number = number;
            memcpy(found->name, entry.name, sizeof found->name);
        }
    }
    buffer_free(&contents);
    return result;
}

bool known_add(const char *path, const char *name, const char *pin, const char *how, struct error *error)
{
    const char *const names[] = {name};
    struct buffer contents = {0};
    struct known_line line;
    char added[KNOWN_NAME_SIZE + TEXT_PIN_SIZE + 64];
    char date[16];
    time_t now = time(NULL);
    struct tm utc;
    bool done = false;
    int lock;

    if (!file_make_folder(path, STATUS_LOCAL, error))
        return false;
    lock = file_lock(path, STATUS_LOCAL, error);
    if (lock < 0)
        return false;
    switch (known_find(path, names, 1, pin, &line, error)) {
    case KNOWN_MATCH:
        done = true;
        break;
    case KNOWN_NONE:
    case KNOWN_CHANGED:
        if (!load(path, &contents, error))
            break;
        strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
        snprintf(added, sizeof added, "%s%s %s %s %s\n",
                 buffer_used(&contents) && buffer_at(&contents)[buffer_used(&contents) - 1] != '\n' ? "\n" : "", name, pin,
                 date, how);
        done = buffer_append(&contents, added, strlen(added)) &&
               file_write(path, FILE_REPLACE, buffer_at(&contents), buffer_used(&contents), STATUS_LOCAL, error);
        break;
    case KNOWN_FAILED:
        break;
    }
    buffer_free(&contents);
    close(lock);
    return done;
}

/* Everything but the lines of `name`. */
static bool without(const char *path, const struct buffer *contents, const char *name, struct buffer *rest,
                    size_t *count, struct error *error)
{
    struct entry entry;
    const char *line;
    size_t at = 0, length;
    unsigned number = 0;

    while (next_line(contents, &at, &line, &length)) {
        number++;
        if (!read_line(line, length, &entry))
            return tell_bad_line(path, number, error);
        if (strcasecmp(entry.name, name) == 0)
            ++*count;
        else if (!buffer_append(rest, line, length) || !buffer_append(rest, "\n", 1))
            return false;
    }
    return true;
}

bool known_delete(const char *path, const char *name, size_t *count, struct error *error)
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
    done = load(path, &contents, error) && without(path, &contents, name, &rest, count, error);
    if (done && *count)
        done = file_write(path, FILE_REPLACE, buffer_at(&rest), buffer_used(&rest), STATUS_LOCAL, error);
    buffer_free(&contents);
    buffer_free(&rest);
    close(lock);
    return done;
}

bool known_list(const char *path, FILE *out, struct error *error)
{
    struct buffer contents = {0};
    struct entry entry;
    const char *line;
    size_t at = 0, length;
    unsigned number = 0;
    bool done = load(path, &contents, error);

    while (done && next_line(&contents, &at, &line, &length)) {
        number++;
        if (!read_line(line, length, &entry))
            done = tell_bad_line(path, number, error);
        else if (*entry.name)
            fprintf(out, "%.*s\n", (int)length, line);
    }
    buffer_free(&contents);
    return done;
}
