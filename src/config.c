/* config.c - the lines of a file of settings: sections, keys and values. Pure: no I/O. */
#include "config.h"

#include <stdbool.h>
#include <string.h>

static const char blanks[] = " \t";

void config_init(struct config *config, const char *name, char *bytes, size_t length)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'}; /* some editors begin a file of UTF-8 with it */

    *config = (struct config){.name = name, .at = bytes, .end = bytes + length};
    if (length >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0)
        config->at += sizeof mark;
}

static enum config_result wrong(const struct config *config, const char *why, struct error *error)
{
    error_set(error, STATUS_LOCAL, "%s:%u: %s", config->name, config->number, why);
    return CONFIG_WRONG;
}

/* Cut the blanks off both ends. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, blanks);
    for (length = strlen(text); length && strchr(blanks, text[length - 1]);)
        text[--length] = '\0';
    return text;
}

/* A name in brackets, in place. NULL: it is none. */
static const char *read_section(char *text)
{
    size_t length = strlen(text);
    char *name;

    if (text[length - 1] != ']')
        return NULL;
    text[length - 1] = '\0';
    name = trim(text + 1);
    return *name && !strpbrk(name, "[] \t") ? name : NULL;
}

static void read_setting(char *text, struct config_line *line)
{
    size_t length = strcspn(text, " \t=");
    char *value = text + length;
    bool more = *value != '\0';

    if (more) {
        value += strspn(value, blanks);
        if (*value == '=')
            value++;
        value = trim(value);
    }
    text[length] = '\0';
    line->key = text;
    line->value = *value ? value : NULL;
}

/* The next line in place, without its end; NULL with an error. */
static char *next_line(struct config *config, struct error *error)
{
    char *text = config->at;
    char *end = memchr(text, '\n', (size_t)(config->end - text));
    size_t length = (size_t)((end ? end : config->end) - text);

    config->number++;
    config->at = end ? end + 1 : config->end;
    if (memchr(text, '\0', length)) {
        wrong(config, "there is a byte 0 in this line, so this is no file of settings", error);
        return NULL;
    }
    if (length > CONFIG_LINE_MAX) {
        wrong(config, "this line is longer than 4096 bytes", error);
        return NULL;
    }
    if (length && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    return trim(text);
}

enum config_result config_next(struct config *config, struct config_line *line, struct error *error)
{
    while (config->at < config->end) {
        char *text = next_line(config, error);

        if (!text)
            return CONFIG_WRONG;
        if (!*text || *text == '#')
            continue;
        *line = (struct config_line){.number = config->number};
        if (*text == '[') {
            line->section = read_section(text);
            return line->section ? CONFIG_LINE : wrong(config, "a section begins with a name in brackets, like [bob]", error);
        }
        read_setting(text, line);
        return *line->key ? CONFIG_LINE : wrong(config, "there is a \"=\", and no name of an option before it", error);
    }
    return CONFIG_END;
}
