/* error.c - the first error is kept, its area is the exit status. */
#include "error.h"

#include <stdio.h>
#include <string.h>

enum status error_vset(struct error *error, enum status status, const char *format, va_list arguments)
{
    if (error->status == STATUS_OK) {
        error->status = status;
        vsnprintf(error->story, sizeof error->story, format, arguments);
    }
    return error->status;
}

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    error_vset(error, status, format, arguments);
    va_end(arguments);
    return error->status;
}

void error_clear(struct error *error)
{
    memset(error, 0, sizeof *error);
}

void error_prefix(struct error *error, const char *format, ...)
{
    char front[sizeof error->story];
    char whole[sizeof error->story];
    size_t length;
    va_list arguments;

    if (error->status == STATUS_OK)
        return;
    va_start(arguments, format);
    vsnprintf(front, sizeof front, format, arguments);
    va_end(arguments);
    length = strlen(front);
    memcpy(whole, front, length);
    snprintf(whole + length, sizeof whole - length, "%s", error->story);
    memcpy(error->story, whole, sizeof whole);
}
