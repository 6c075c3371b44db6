/* dane.c - TLSA records: whose they are, and reading them as a zone file has them. */
#include "dane.h"
#include "buffer.h"
#include "file.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The whole of it is a decimal number up to `most`. */
static bool take_number(const char *text, size_t length, unsigned long most, unsigned long *number)
{
    *number = 0;
    if (length == 0 || length > 10)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *number = *number * 10 + (unsigned long)(text[i] - '0');
    }
    return *number <= most;
}

bool dane_init(struct dane *dane, const char *host, const char *port, const char *protocol, struct error *error)
{
    size_t length = strlen(host);
    unsigned long number;

    memset(dane, 0, sizeof *dane);
    if (length > 0 && host[length - 1] == '.')
        length--;
    if (length == 0 || length >= sizeof dane->host) {
        error_set(error, STATUS_LOCAL, "--dane: \"%s\" is no name in the DNS", host);
        return false;
    }
    memcpy(dane->host, host, length);
    if (!take_number(port, strlen(port), 65535, &number)) {
        const struct servent *service = getservbyname(port, "tcp"); /* as our resolver does it, whatever the transport */

        if (!service) {
            error_set(error, STATUS_LOCAL, "no service is named \"%s\", and it is no port number from 0 to 65535", port);
            return false;
        }
        number = ntohs((uint16_t)service->s_port);
    }
    dane->port = (unsigned)number;
    dane->protocol = protocol;
    snprintf(dane->owner, sizeof dane->owner, "_%u._%s.%s", dane->port, protocol, dane->host);
    return true;
}

void dane_free(struct dane *dane)
{
    for (size_t i = 0; i < dane->count; i++)
        free(dane->records[i].data);
    free(dane->records);
    memset(dane, 0, sizeof *dane);
}

/* ---- A line ---- */

struct line {
    const char *at; /* what is not read yet */
    size_t left;
};

struct word {
    const char *at;
    size_t length; /* 0: there is none */
};

static struct word next_word(struct line *line)
{
    struct word word;

    for (; line->left && is_space(*line->at); line->at++, line->left--)
        ;
    word.at = line->at;
    for (; line->left && !is_space(*line->at); line->at++, line->left--)
        ;
    word.length = (size_t)(line->at - word.at);
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return word.length == strlen(text) && strncasecmp(word.at, text, word.length) == 0;
}

/* _PORT._PROTOCOL.HOST, the last dot taken off. A zone file can spell a name in other ways, with \ and quotes: those are no words here. */
static bool is_owner(struct word name)
{
    const char *dot = memchr(name.at, '.', name.length), *host;
    size_t left;
    unsigned long number;

    if (!dot || name.at[0] != '_' || !take_number(name.at + 1, (size_t)(dot - name.at) - 1, 65535, &number))
        return false;
    left = name.length - (size_t)(dot + 1 - name.at);
    host = left ? memchr(dot + 1, '.', left) : NULL;
    if (!host || host + 1 == name.at + name.length)
        return false;
    for (size_t i = 0; i < name.length; i++)
        if (name.at[i] <= ' ' || name.at[i] > '~' || strchr("\"\\()", name.at[i]))
            return false;
    name = (struct word){dot + 1, (size_t)(host - dot) - 1};
    return word_is(name, "_tcp") || word_is(name, "_udp") || word_is(name, "_sctp");
}

/* The port may have zeros in front of it, and says the same; so numbers are not compared as texts. */
static bool is_ours(const struct dane *dane, struct word name)
{
    char owner[sizeof dane->owner + 16];
    size_t dot = (size_t)((const char *)memchr(name.at, '.', name.length) - name.at);
    unsigned long number;

    if (!take_number(name.at + 1, dot - 1, 65535, &number) || name.length - dot >= sizeof owner - 16)
        return false;
    snprintf(owner, sizeof owner, "_%lu%.*s", number, (int)(name.length - dot), name.at + dot);
    return strcasecmp(owner, dane->owner) == 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The rest of the line, blanks anywhere. record->data is the caller's, also when it is false: with what is wrong in *why. */
static bool take_hex(struct line *line, struct dane_record *record, const char **why)
{
    int half = -1;

    record->data = malloc(line->left / 2 + 1);
    *why = "out of memory";
    if (!record->data)
        return false;
    for (; line->left; line->at++, line->left--) {
        int digit = hex_digit(*line->at);

        if (is_space(*line->at))
            continue;
        *why = "the data have to be hexadecimal";
        if (digit < 0)
            return false;
        if (half >= 0)
            record->data[record->size++] = (uint8_t)(half << 4 | digit);
        half = half >= 0 ? -1 : digit;
    }
    *why = half >= 0 ? "the data end within a byte" : "the data are missing";
    return half < 0 && record->size > 0;
}

/* One record, whosesoever. False with what is wrong. */
static bool take_record(struct line *line, struct word *name, struct dane_record *record, const char **why)
{
    uint8_t *const numbers[] = {&record->usage, &record->selector, &record->matching};
    struct word word;
    unsigned long number;
    bool ttl = false, in = false;

    *why = "it has to begin with a name like _4433._tcp.bob.example";
    if (is_space(*line->at))
        return false;
    *name = next_word(line);
    if (name->length && name->at[name->length - 1] == '.')
        name->length--;
    if (!is_owner(*name))
        return false;
    for (word = next_word(line); word.length; word = next_word(line)) {
        if (!in && word_is(word, "IN"))
            in = true;
        else if (!ttl && take_number(word.at, word.length, INT32_MAX, &number))
            ttl = true;
        else
            break;
    }
    *why = "behind the name comes: [TTL] [IN] TLSA";
    if (!word_is(word, "TLSA"))
        return false;
    *why = "behind TLSA come three numbers from 0 to 255";
    for (size_t i = 0; i < 3; i++) {
        word = next_word(line);
        if (!take_number(word.at, word.length, 255, &number))
            return false;
        *numbers[i] = (uint8_t)number;
    }
    return take_hex(line, record, why);
}

static bool is_blank(struct line line)
{
    return next_word(&line).length == 0;
}

static bool keep(struct dane *dane, const struct dane_record *record)
{
    struct dane_record *grown = realloc(dane->records, (dane->count + 1) * sizeof *grown);

    if (!grown)
        return false;
    dane->records = grown;
    dane->records[dane->count++] = *record;
    return true;
}

static bool take_line(struct dane *dane, struct line line, const char **why)
{
    const char *comment = memchr(line.at, ';', line.left);
    struct dane_record record = {0};
    struct word name;
    bool good;

    if (comment)
        line.left = (size_t)(comment - line.at);
    if (is_blank(line))
        return true;
    good = take_record(&line, &name, &record, why);
    if (good && is_ours(dane, name)) {
        if (keep(dane, &record))
            return true;
        *why = "out of memory";
        good = false;
    }
    free(record.data);
    return good;
}

bool dane_parse(struct dane *dane, const char *source, const char *text, size_t length, struct error *error)
{
    unsigned number = 0;
    const char *why;

    dane->source = source;
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t size = end ? (size_t)(end - text) : length;

        number++;
        if (!take_line(dane, (struct line){text, size}, &why)) {
            error_set(error, STATUS_LOCAL, "%s:%u: this is no TLSA record: %s", source, number, why);
            return false;
        }
        size += end != NULL;
        text += size;
        length -= size;
    }
    return true;
}

bool dane_read(struct dane *dane, const char *path, struct error *error)
{
    struct buffer text = {0};
    bool done = file_read(path, FILE_PUBLIC, &text, STATUS_LOCAL, error) &&
                dane_parse(dane, path, (const char *)buffer_at(&text), buffer_used(&text), error);

    buffer_free(&text);
    if (done && dane->count == 0)
        error_set(error, STATUS_UNKNOWN, "there is no TLSA record of %s in \"%s\", so --dane accepts nobody there",
                  dane->owner, path);
    return done && dane->count > 0;
}
