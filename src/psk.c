/* psk.c - keys that we share with our peers. */
#include "psk.h"
#include "buffer.h"
#include "file.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    KEY_LEAST = 16, /* bytes: whoever sees a hello can try keys at leisure (RFC 9257 section 6) */
    KEY_MOST = 512, /* psktool makes no longer ones */
    KEY_MADE = 32
};

struct line {
    struct psk_key key;
    unsigned number;
};

struct psk {
    struct psk_config config;
    struct line *lines;
    size_t count;
    uint8_t *store; /* of all names and keys */
    size_t store_size;
    size_t store_used;
    const struct line *host; /* the line of whom we call */
};

bool psk_is_name(const void *name, size_t length)
{
    char text[PSK_NAME_SIZE];

    if (length == 0 || length >= PSK_NAME_SIZE || *(const char *)name == '#')
        return false;
    text_escape(text, sizeof text, name, length);
    return strlen(text) == length && memcmp(text, name, length) == 0;
}

/* ---- Hexadecimal ---- */

static int value_of(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

static bool is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (value_of(text[i]) < 0)
            return false;
    return length > 0 && length % 2 == 0;
}

static void from_hex(uint8_t *bytes, const char *text, size_t length)
{
    for (size_t i = 0; i < length / 2; i++)
        bytes[i] = (uint8_t)(value_of(text[2 * i]) << 4 | value_of(text[2 * i + 1]));
}

/* ---- The file ---- */

/* A part of a line; what it says may be secret, and is in no error. */
struct piece {
    const char *at;
    size_t length;
};

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static struct piece trim(struct piece piece)
{
    while (piece.length && is_space(piece.at[piece.length - 1]))
        piece.length--;
    while (piece.length && is_space(*piece.at)) {
        piece.at++;
        piece.length--;
    }
    return piece;
}

/* Bytes of the store; there are as many as the file has, and a line needs no more than it has itself with its newline. */
static uint8_t *keep(struct psk *psk, size_t length)
{
    uint8_t *at = psk->store + psk->store_used;

    psk->store_used += length;
    return at;
}

static bool complain(const struct psk *psk, unsigned number, const char *why, struct error *error)
{
    error_set(error, STATUS_IDENTITY, "%s:%u: %s", psk->config.path, number, why);
    return false;
}

static const struct line *find(const struct psk *psk, const char *name)
{
    for (size_t i = 0; i < psk->count; i++)
        if (strcasecmp(psk->lines[i].key.name, name) == 0)
            return &psk->lines[i];
    return NULL;
}

static bool take_name(struct psk *psk, struct line *line, struct piece piece, struct error *error)
{
    const struct line *other;
    char *name;
    bool in_hex = piece.length && *piece.at == '#';

    if (in_hex) {
        piece = (struct piece){piece.at + 1, piece.length - 1};
        name = (char *)keep(psk, piece.length / 2 + 1);
        from_hex((uint8_t *)name, piece.at, piece.length);
        piece = (struct piece){name, piece.length / 2};
    } else {
        name = (char *)keep(psk, piece.length + 1);
        memcpy(name, piece.at, piece.length);
    }
    name[piece.length] = '\0';
    if (!psk_is_name(name, piece.length))
        return complain(psk, line->number, "a name has 1 to 255 bytes, all of them printable", error);
    other = find(psk, name);
    if (other) {
        error_set(error, STATUS_IDENTITY, "%s:%u: there is a key for \"%s\" already, in line %u", psk->config.path,
                  line->number, name, other->number);
        return false;
    }
    line->key.name = name;
    return true;
}

static bool take_key(struct psk *psk, struct line *line, struct piece piece, struct error *error)
{
    uint8_t *bytes;

    if (piece.length == 0)
        return complain(psk, line->number, "there is a name, but no key", error);
    if (!is_hex(piece.at, piece.length))
        return complain(psk, line->number, "the key is not hexadecimal, two digits a byte", error);
    if (piece.length / 2 < KEY_LEAST)
        return complain(psk, line->number, "the key is too short: 16 bytes are the least, and symtls --make-psk makes 32", error);
    if (piece.length / 2 > KEY_MOST)
        return complain(psk, line->number, "the key is too long: 512 bytes are the most", error);
    bytes = keep(psk, piece.length / 2);
    from_hex(bytes, piece.at, piece.length);
    line->key.bytes = bytes;
    line->key.length = piece.length / 2;
    return true;
}

/* NAME:KEY, #HEXNAME:KEY, KEY; or nothing, or a comment: another "#". */
static bool take_line(struct psk *psk, struct piece text, unsigned number, struct error *error)
{
    struct line *line = &psk->lines[psk->count];
    const char *colon;
    struct piece key = trim(text), name = {"", 0};

    colon = key.length ? memchr(key.at, ':', key.length) : NULL;
    if (key.length == 0 || (*key.at == '#' && (!colon || !is_hex(key.at + 1, (size_t)(colon - key.at - 1)))))
        return true;
    *line = (struct line){.key = {.name = ""}, .number = number};
    if (colon) {
        name = trim((struct piece){key.at, (size_t)(colon - key.at)});
        key = trim((struct piece){colon + 1, key.length - (size_t)(colon + 1 - key.at)});
        if (!take_name(psk, line, name, error))
            return false;
    }
    if (!take_key(psk, line, key, error))
        return false;
    psk->count++;
    if (psk->count > 1 && (!*line->key.name || !*psk->lines[0].key.name))
        return complain(psk, number, "a key without a name has to be the only one", error);
    return true;
}

static bool take_lines(struct psk *psk, const char *text, size_t length, struct error *error)
{
    unsigned number = 0;

    while (length) {
        const char *newline = memchr(text, '\n', length);
        size_t size = newline ? (size_t)(newline - text) : length;

        if (!take_line(psk, (struct piece){text, size}, ++number, error))
            return false;
        size += newline ? 1 : 0;
        text += size;
        length -= size;
    }
    return true;
}

static bool read_file(struct psk *psk, struct error *error)
{
    struct buffer contents = {0};
    bool read = file_read(psk->config.path, FILE_PRIVATE, &contents, STATUS_IDENTITY, error);
    const char *text = (const char *)buffer_at(&contents);
    size_t length = buffer_used(&contents), most = 1;

    for (size_t i = 0; i < length; i++)
        most += text[i] == '\n';
    if (read) {
        psk->lines = calloc(most, sizeof *psk->lines);
        psk->store_size = length + 1;
        psk->store = malloc(psk->store_size);
        if (!psk->lines || !psk->store) {
            error_set(error, STATUS_IDENTITY, "out of memory");
            read = false;
        }
    }
    read = read && take_lines(psk, text, length, error);
    buffer_free(&contents);
    if (read && psk->count == 0) {
        error_set(error, STATUS_IDENTITY, "there is no key in \"%s\"; symtls --make-psk makes one", psk->config.path);
        read = false;
    }
    return read;
}

/* ---- Who is expected ---- */

static bool is_our_name(const struct psk *psk, const char *name)
{
    return strcasecmp(name, psk->config.our_name) == 0;
}

static bool has_no_names(const struct psk *psk)
{
    return !*psk->lines[0].key.name;
}

/* Whose key a client uses: of whom we expect, or of the only peer that there is. */
static const struct line *expected_line(const struct psk *psk)
{
    for (size_t i = 0; i < psk->config.peer_count; i++) {
        const struct line *line = find(psk, psk->config.peers[i]);

        if (line)
            return line;
    }
    if (psk->host)
        return psk->host;
    return psk->count == 1 && !has_no_names(psk) && !is_our_name(psk, psk->lines[0].key.name) ? &psk->lines[0] : NULL;
}

static bool has_line(const struct psk *psk)
{
    for (size_t i = 0; i < psk->config.peer_count; i++)
        if (find(psk, psk->config.peers[i]))
            return true;
    return false;
}

static bool check_peers(struct psk *psk, struct error *error)
{
    const struct psk_config *config = &psk->config;

    if (config->host && config->peer_count == 0 && !is_our_name(psk, config->host))
        psk->host = find(psk, config->host);
    if (config->peer_count == 0)
        return true;
    if (has_no_names(psk)) {
        error_set(error, STATUS_LOCAL, "--peer \"%s\": the key in \"%s\" has no name; put the peer's in front of it, with a colon, "
                  "or go without --peer", config->peers[0], config->path);
        return false;
    }
    for (size_t i = 0; i < config->peer_count && !config->allow_self; i++)
        if (is_our_name(psk, config->peers[i])) {
            error_set(error, STATUS_LOCAL, "--peer \"%s\" is our own name; give each end a name of its own with --psk-identity",
                      config->peers[i]);
            return false;
        }
    if (has_line(psk))
        return true;
    error_set(error, STATUS_IDENTITY, "there is no key for \"%s\" in \"%s\"", config->peers[0], config->path);
    return false;
}

struct psk *psk_load(const struct psk_config *config, struct error *error)
{
    struct psk *psk = calloc(1, sizeof *psk);

    if (!psk) {
        error_set(error, STATUS_IDENTITY, "out of memory");
        return NULL;
    }
    psk->config = *config;
    if (read_file(psk, error) && check_peers(psk, error))
        return psk;
    psk_free(psk);
    return NULL;
}

void psk_free(struct psk *psk)
{
    if (!psk)
        return;
    if (psk->store)
        explicit_bzero(psk->store, psk->store_size);
    free(psk->store);
    free(psk->lines);
    free(psk);
}

const char *psk_our_name(const struct psk *psk)
{
    return psk->config.our_name;
}

/* ---- Which key is for whom ---- */

const struct psk_key *psk_at(const struct psk *psk, size_t index)
{
    return index < psk->count ? &psk->lines[index].key : NULL;
}

const struct psk_key *psk_of_client(const struct psk *psk, const char **peer)
{
    const struct line *line = expected_line(psk);

    *peer = line ? line->key.name : "";
    if (!line && has_no_names(psk))
        line = psk->lines;
    if (!line) /* as the files of those who are clients only have it */
        line = find(psk, psk->config.our_name);
    return line ? &line->key : NULL;
}

static bool is_expected(const struct psk *psk, const char *name)
{
    if (psk->host)
        return strcasecmp(psk->host->key.name, name) == 0;
    for (size_t i = 0; i < psk->config.peer_count; i++)
        if (strcasecmp(psk->config.peers[i], name) == 0)
            return true;
    return psk->config.peer_count == 0;
}

enum psk_claim psk_of_server(const struct psk *psk, const void *name, size_t length, const struct psk_key **key)
{
    char text[PSK_NAME_SIZE];
    const struct line *line;

    if (!psk_is_name(name, length))
        return PSK_UNKNOWN;
    memcpy(text, name, length);
    text[length] = '\0';
    if (is_our_name(psk, text) && !psk->config.allow_self)
        return PSK_OURSELVES;
    line = has_no_names(psk) ? psk->lines : find(psk, text);
    if (!line)
        return PSK_UNKNOWN;
    if (!is_expected(psk, text))
        return PSK_UNEXPECTED;
    *key = &line->key;
    return PSK_KEY;
}

/* ---- A fresh key ---- */

bool psk_make(char line[PSK_LINE_SIZE], psk_random *random)
{
    uint8_t bytes[KEY_MADE];
    bool made = random(bytes, sizeof bytes);

    for (size_t i = 0; made && i < sizeof bytes; i++)
        snprintf(line + 2 * i, 3, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    return made;
}
