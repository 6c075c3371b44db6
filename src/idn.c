/* idn.c - names that people type, as they go over the wire. */
#include "idn.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text > 126)
            return false;
    return true;
}

bool idn_to_ascii(const char *name, char **ascii, const char **why)
{
    const char *at = strrchr(name, '@'), *host = at ? at + 1 : name;
    char *converted = NULL;
    int code;

    *why = "out of memory";
    if (is_ascii(name) || strstr(name, "://")) {
        *ascii = strdup(name);
        return *ascii != NULL;
    }
    code = idn2_to_ascii_8z(host, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code != IDN2_OK) {
        *why = idn2_strerror(code);
        return false;
    }
    if (converted[strspn(converted, HOST_CHARACTERS)]) { /* some signs stand for others: U+2100 for "a/c" */
        *why = "it has a sign that no host's name has";
        idn2_free(converted);
        return false;
    }
    if (asprintf(ascii, "%.*s%s", (int)(host - name), name, converted) < 0)
        *ascii = NULL;
    idn2_free(converted);
    return *ascii != NULL;
}
