/* pass.c - the passphrase that --pass points at. */
#include "pass.h"
#include "buffer.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first line; the rest, if any, is not the passphrase. */
static bool take_line(const struct buffer *text, const char *source, char *passphrase, size_t size, struct error *error)
{
    size_t used = buffer_used(text);
    const char *start = (const char *)buffer_at(text);
    const char *end = used ? memchr(start, '\n', used) : NULL;
    size_t length = end ? (size_t)(end - start) : used;

    if (length && start[length - 1] == '\r')
        length--;
    if (length >= size) {
        error_set(error, STATUS_IDENTITY, "--pass %s: it is too long for a passphrase", source);
        return false;
    }
    if (length)
        memcpy(passphrase, start, length);
    passphrase[length] = '\0';
    return true;
}

bool pass_read(const char *source, char *passphrase, size_t size, struct error *error)
{
    struct buffer text = {0};
    char path[64];
    const char *value;
    bool read;

    if (strncmp(source, "env:", 4) == 0) {
        value = getenv(source + 4);
        if (!value) {
            error_set(error, STATUS_IDENTITY, "--pass %s: there is no such variable in the environment", source);
            return false;
        }
        read = buffer_append(&text, value, strlen(value));
    } else if (strncmp(source, "fd:", 3) == 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%.20s", source + 3);
        read = file_read(path, FILE_PUBLIC, &text, STATUS_IDENTITY, error);
    } else {
        read = file_read(source + strlen("file:"), FILE_PRIVATE, &text, STATUS_IDENTITY, error);
    }
    read = read && take_line(&text, source, passphrase, size, error);
    buffer_free(&text);
    return read;
}
