/* text.c - strings from outside made fit for a terminal; durations and pins. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>

/* ---- Escaping ---- */

/* The length of the UTF-8 character at `at`, and its code point; 0 when it is not well formed (RFC 3629). */
static size_t utf8_character(const uint8_t *at, size_t left, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

    if (length == 0 || length > left)
        return 0;
    *point = length == 1 ? at[0] : at[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (at[i] & 0x3fU);
    }
    if (*point < least[length] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000))
        return 0;
    return length;
}

/* It would move the cursor, hide, or turn the direction of what follows (UAX #9). */
static bool is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == '\\' || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0x061c ||
           point == 0xfeff || (point >= 0xe0000 && point <= 0xe0fff);
}

void text_escape(char *text, size_t size, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    size_t used = 0;
    size_t dots = 0; /* the last place where they fit */

    text[0] = '\0';
    while (length) {
        char piece[4 * 4 + 1];
        uint32_t point;
        size_t taken = utf8_character(at, length, &point);
        size_t written = 0;

        if (taken && !is_harmful(point)) {
            memcpy(piece, at, taken);
            written = taken;
        } else {
            if (!taken)
                taken = 1;
            for (size_t i = 0; i < taken; i++)
                written += (size_t)snprintf(piece + written, sizeof piece - written, "\\x%02x", at[i]);
        }
        if (used + written + 1 > size) {
            snprintf(text + dots, size - dots, "...");
            return;
        }
        memcpy(text + used, piece, written);
        used += written;
        text[used] = '\0';
        if (used + sizeof "..." <= size)
            dots = used;
        at += taken;
        length -= taken;
    }
}

/* ---- Durations ---- */

bool text_duration(const char *text, int *ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
    double number;
    size_t digits = strspn(text, "0123456789.");
    char *end;

    if (digits == 0 || digits > 20)
        return false;
    number = strtod(text, &end);
    if (end != text + digits) /* "1.2.3" */
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0) {
            number = number * units[i].ms + 0.5;
            if (number >= INT_MAX)
                return false;
            *ms = (int)number;
            return true;
        }
    return false;
}

const char *text_from_duration(char text[TEXT_DURATION_SIZE], int ms)
{
    if (ms % 3600000 == 0 && ms)
        snprintf(text, TEXT_DURATION_SIZE, "%dh", ms / 3600000);
    else if (ms % 60000 == 0 && ms)
        snprintf(text, TEXT_DURATION_SIZE, "%dm", ms / 60000);
    else if (ms % 1000 == 0)
        snprintf(text, TEXT_DURATION_SIZE, "%ds", ms / 1000);
    else
        snprintf(text, TEXT_DURATION_SIZE, "%dms", ms);
    return text;
}

/* ---- Pins ---- */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { PIN_BASE64_SIZE = 44 }; /* 32 bytes: 43 digits and one "=" */

void text_from_pin(char text[TEXT_PIN_SIZE], const uint8_t hash[TEXT_PIN_HASH])
{
    char *out = text + sprintf(text, "pin-sha256:");

    for (size_t i = 0; i < 33; i += 3) {
        uint32_t group = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 | (i + 2 < 32 ? hash[i + 2] : 0U);

        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = base64[group >> shift & 63];
    }
    out[-1] = '=';
    *out = '\0';
}

bool text_pin(const char *pin, char text[TEXT_PIN_SIZE])
{
    static const char *const prefixes[] = {"pin-sha256:", "sha256//"};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        const char *digits = pin + length;
        const char *last;

        if (strncmp(pin, prefixes[i], length) != 0)
            continue;
        if (strlen(digits) != PIN_BASE64_SIZE || digits[43] != '=' || strspn(digits, base64) != 43)
            return false;
        /* 43 digits hold 258 bits: the last two are zero in the one proper spelling. */
        last = strchr(base64, digits[42]);
        if ((last - base64) % 4 != 0)
            return false;
        snprintf(text, TEXT_PIN_SIZE, "pin-sha256:%s", digits);
        return true;
    }
    return false;
}
