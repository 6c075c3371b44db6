/* tickets.c - the file of --session. */
#include "tickets.h"
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC   "symtls-session "
#define VERSION_LINE MAGIC "1"

static const char *const kinds[] = {[PRESENTED_NONE] = "none", [PRESENTED_X509] = "x509", [PRESENTED_RAWPK] = "rawpk", [PRESENTED_PSK] = "psk"};

static void free_ticket(struct tickets *tickets)
{
    tickets->has_ticket = false;
    for (size_t i = 0; i < PRESENTED_MAX; i++)
        buffer_free(&tickets->shown[i]);
    tickets->shown_count = 0;
    buffer_free(&tickets->data);
}

void tickets_free(struct tickets *tickets)
{
    free_ticket(tickets);
    explicit_bzero(tickets, sizeof *tickets);
}

/* ---- Reading ---- */

static int value_of(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool take_hex(const char *hex, struct buffer *bytes)
{
    for (; *hex; hex += 2) {
        int high = value_of(hex[0]), low = high < 0 ? -1 : value_of(hex[1]);

        if (low < 0 || !buffer_append(bytes, &(uint8_t){(uint8_t)(high * 16 + low)}, 1))
            return false;
    }
    return buffer_used(bytes) > 0;
}

static bool take_fixed(const char *hex, uint8_t *bytes, size_t size)
{
    struct buffer whole = {0};
    bool taken = take_hex(hex, &whole) && buffer_used(&whole) == size;

    if (taken)
        memcpy(bytes, buffer_at(&whole), size);
    buffer_free(&whole);
    return taken;
}

static bool take_time(const char *text, int64_t *time)
{
    char *end;

    errno = 0;
    *time = strtoll(text, &end, 10);
    return *text && !*end && errno == 0 && *time > 0;
}

static bool take_text(const char *text, char *place, size_t size)
{
    if (strlen(text) >= size)
        return false;
    strcpy(place, strcmp(text, "-") == 0 ? "" : text);
    return true;
}

static bool take_kind(const char *text, enum presented_kind *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(text, kinds[i]) == 0) {
            *kind = (enum presented_kind)i;
            return true;
        }
    return false;
}

static bool take_line(struct tickets *tickets, const char *word, const char *rest)
{
    if (strcmp(word, "key") == 0)
        return take_fixed(rest, tickets->key, sizeof tickets->key);
    if (strcmp(word, "key-until") == 0)
        return tickets->has_key = take_time(rest, &tickets->key_until);
    if (strcmp(word, "context") == 0)
        return take_fixed(rest, tickets->context, sizeof tickets->context);
    if (strcmp(word, "until") == 0)
        return take_time(rest, &tickets->until);
    if (strcmp(word, "our-pin") == 0)
        return take_text(rest, tickets->our_pin, sizeof tickets->our_pin);
    if (strcmp(word, "peer") == 0)
        return take_kind(rest, &tickets->kind);
    if (strcmp(word, "peer-name") == 0)
        return take_text(rest, tickets->psk_name, sizeof tickets->psk_name);
    if (strcmp(word, "peer-shown") == 0)
        return tickets->shown_count < PRESENTED_MAX && take_hex(rest, &tickets->shown[tickets->shown_count++]);
    if (strcmp(word, "ticket") == 0)
        return tickets->has_ticket = take_hex(rest, &tickets->data);
    return false;
}

/* Changes the text. */
static bool take_lines(struct tickets *tickets, char *text)
{
    char *line, *rest = text;

    while ((line = strsep(&rest, "\n")) && rest) {
        char *space = strchr(line, ' ');

        if (strcmp(line, "end") == 0)
            return !*rest;
        if (!space)
            return false;
        *space = '\0';
        if (!take_line(tickets, line, space + 1))
            return false;
    }
    return false; /* the end is missing */
}

static void look_at_dates(const char *path, int64_t now, struct tickets *tickets, char doubt[TICKETS_DOUBT_SIZE])
{
    if (tickets->has_key && tickets->key_until <= now)
        tickets->has_key = false;
    if (!tickets->has_ticket || tickets->until > now)
        return;
    free_ticket(tickets);
    snprintf(doubt, TICKETS_DOUBT_SIZE, "the session in \"%s\" has expired; a new one begins", path);
}

static bool parse(const char *path, int64_t now, char *text, struct tickets *tickets, char doubt[TICKETS_DOUBT_SIZE],
                  struct error *error)
{
    char *end = strchr(text, '\n');

    if (!*text)
        return true;
    if (strncmp(text, MAGIC, strlen(MAGIC)) != 0) {
        error_set(error, STATUS_LOCAL, "\"%s\" is something else than a session that could be resumed (--session), and is left alone", path);
        return false;
    }
    if (!end || strncmp(text, VERSION_LINE "\n", strlen(VERSION_LINE) + 1) != 0) {
        snprintf(doubt, TICKETS_DOUBT_SIZE, end ? "the session in \"%s\" was kept by another version of symtls; a new one begins"
                                                : "the session in \"%s\" is damaged or cut short; a new one begins", path);
        return true;
    }
    if (take_lines(tickets, end + 1)) {
        look_at_dates(path, now, tickets, doubt);
        return true;
    }
    tickets_free(tickets);
    snprintf(doubt, TICKETS_DOUBT_SIZE, "the session in \"%s\" is damaged or cut short; a new one begins", path);
    return true;
}

bool tickets_read(const char *path, int64_t now, struct tickets *tickets, char doubt[TICKETS_DOUBT_SIZE], struct error *error)
{
    struct buffer contents = {0}, again = {0};
    struct error why = {0};
    bool read;

    memset(tickets, 0, sizeof *tickets);
    doubt[0] = '\0';
    if (!file_read(path, FILE_PUBLIC, &contents, STATUS_LOCAL, &why)) {
        read = errno == ENOENT;
        if (!read)
            error_set(error, STATUS_LOCAL, "%s", why.story);
        buffer_free(&contents);
        return read;
    }
    read = buffer_append(&contents, "", 1) && parse(path, now, (char *)buffer_at(&contents), tickets, doubt, error);
    /* Whoever has read it can be who we were there. */
    if (read && (tickets->has_key || tickets->has_ticket) && !file_read(path, FILE_PRIVATE, &again, STATUS_LOCAL, &why)) {
        tickets_free(tickets);
        snprintf(doubt, TICKETS_DOUBT_SIZE, "%.*s", TICKETS_DOUBT_SIZE - 1, why.story);
    }
    buffer_free(&again);
    buffer_free(&contents);
    return read;
}

/* ---- Writing ---- */

static bool put(struct buffer *text, const char *word, const char *rest)
{
    return buffer_append(text, word, strlen(word)) && buffer_append(text, " ", 1) && buffer_append(text, rest, strlen(rest)) &&
           buffer_append(text, "\n", 1);
}

static bool put_hex(struct buffer *text, const char *word, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    bool done = buffer_append(text, word, strlen(word)) && buffer_append(text, " ", 1);

    for (size_t i = 0; done && i < length; i++)
        done = buffer_append(text, &digits[bytes[i] >> 4], 1) && buffer_append(text, &digits[bytes[i] & 15], 1);
    return done && buffer_append(text, "\n", 1);
}

static bool put_time(struct buffer *text, const char *word, int64_t time)
{
    char number[32];

    snprintf(number, sizeof number, "%lld", (long long)time);
    return put(text, word, number);
}

static const char *or_none(const char *text)
{
    return *text ? text : "-";
}

static bool put_ticket(struct buffer *text, const struct tickets *tickets)
{
    bool done = put_hex(text, "context", tickets->context, sizeof tickets->context) && put_time(text, "until", tickets->until) &&
                put(text, "our-pin", or_none(tickets->our_pin)) && put(text, "peer", kinds[tickets->kind]) &&
                put(text, "peer-name", or_none(tickets->psk_name));

    for (size_t i = 0; done && i < tickets->shown_count; i++)
        done = put_hex(text, "peer-shown", buffer_at(&tickets->shown[i]), buffer_used(&tickets->shown[i]));
    return done && put_hex(text, "ticket", buffer_at(&tickets->data), buffer_used(&tickets->data));
}

static bool write_whole(const char *path, const struct tickets *key, const struct tickets *ticket, struct error *error)
{
    struct buffer text = {0};
    bool written = buffer_append(&text, VERSION_LINE "\n", strlen(VERSION_LINE) + 1) &&
                   (!key->has_key || (put_hex(&text, "key", key->key, sizeof key->key) && put_time(&text, "key-until", key->key_until))) &&
                   (!ticket->has_ticket || put_ticket(&text, ticket)) && buffer_append(&text, "end\n", 4);

    if (!written)
        error_set(error, STATUS_LOCAL, "out of memory");
    written = written && file_write(path, FILE_REPLACE, buffer_at(&text), buffer_used(&text), STATUS_LOCAL, error);
    buffer_free(&text);
    return written;
}

bool tickets_write(const char *path, int64_t now, enum tickets_part part, struct tickets *tickets, struct error *error)
{
    struct tickets there = {.has_key = false};
    char doubt[TICKETS_DOUBT_SIZE];
    int lock = file_lock(path, STATUS_LOCAL, error);
    bool done = lock >= 0 && tickets_read(path, now, &there, doubt, error);

    if (done && part == TICKETS_KEY && there.has_key) {
        memcpy(tickets->key, there.key, sizeof tickets->key);
        tickets->key_until = there.key_until;
    } else if (done && (part != TICKETS_NOTHING || access(path, F_OK) != 0)) {
        done = write_whole(path, part == TICKETS_KEY ? tickets : &there, part == TICKETS_TICKET ? tickets : &there, error);
    }
    if (lock >= 0)
        close(lock);
    tickets_free(&there);
    return done;
}

/* ---- Who it was ---- */

void tickets_presented(const struct tickets *tickets, struct presented *presented)
{
    *presented = (struct presented){.kind = tickets->kind, .psk_name = tickets->psk_name, .count = tickets->shown_count};
    for (size_t i = 0; i < tickets->shown_count; i++)
        presented->at[i] = (struct presented_der){.der = buffer_at(&tickets->shown[i]), .size = buffer_used(&tickets->shown[i])};
}
