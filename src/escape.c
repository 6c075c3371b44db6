/* escape.c - commands among what is typed at a terminal. Pure: no I/O. */
#include "escape.h"

#include <string.h>

void escape_init(struct escape *escape, uint8_t character, const char *letters)
{
    *escape = (struct escape){.character = character, .letters = letters, .state = ESCAPE_AT_START};
}

static bool ends_line(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static bool is_letter(const struct escape *escape, uint8_t byte)
{
    return byte && strchr(escape->letters, byte);
}

/* Nothing is held back any more. */
static struct escape_result pass(struct escape *escape, struct escape_result result, uint8_t byte)
{
    result.data[result.length++] = byte;
    escape->state = ends_line(byte) ? ESCAPE_AT_START : ESCAPE_IN_LINE;
    return result;
}

static struct escape_result command(struct escape *escape, uint8_t letter)
{
    escape->state = ESCAPE_AT_START; /* one more may follow */
    return (struct escape_result){.command = (char)letter};
}

struct escape_result escape_take(struct escape *escape, bool by_line, uint8_t byte)
{
    struct escape_result none = {.length = 0};

    switch (escape->state) {
    case ESCAPE_AT_START:
        if (byte != escape->character)
            break;
        escape->state = ESCAPE_SEEN;
        return none;
    case ESCAPE_SEEN:
        if (byte == escape->character)
            break; /* for two of it, one */
        if (!is_letter(escape, byte))
            return pass(escape, escape_end(escape), byte);
        if (!by_line)
            return command(escape, byte);
        escape->letter = byte;
        escape->state = ESCAPE_NAMED;
        return none;
    case ESCAPE_NAMED:
        if (ends_line(byte))
            return command(escape, escape->letter);
        return pass(escape, escape_end(escape), byte);
    case ESCAPE_IN_LINE:
        break;
    }
    return pass(escape, none, byte);
}

struct escape_result escape_end(struct escape *escape)
{
    struct escape_result held = {.length = 0};

    if (escape->state == ESCAPE_SEEN || escape->state == ESCAPE_NAMED)
        held.data[held.length++] = escape->character;
    if (escape->state == ESCAPE_NAMED)
        held.data[held.length++] = escape->letter;
    escape->state = ESCAPE_IN_LINE;
    return held;
}
