/* options_values.c - how the values of options are read. */
#include "options_values.h"
#include "idn.h"
#include "known.h"
#include "text.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define LOCAL_HOST "127.0.0.1" /* what is led to the peer is for this host alone, unless told otherwise */

enum {
    ALPN_MAX = 8,            /* GnuTLS takes no more */
    ALPN_LENGTH_MAX = 31,    /* nor longer ones, though RFC 7301 has 255 bytes */
    SERVER_NAME_MAX = 253    /* a host's name in the DNS (RFC 1035 section 2.3.4) */
};

/* ---- Texts ---- */

bool options_append(struct options_list *list, const char *text)
{
    const char **grown = realloc(list->at, (list->count + 1) * sizeof *grown);

    if (!grown)
        return false;
    list->at = grown;
    list->at[list->count++] = text;
    return true;
}

const char *options_own(struct options *options, const char *text)
{
    char *copy = strdup(text);

    if (copy && options_append(&options->owned, copy))
        return copy;
    free(copy);
    return NULL;
}

const char *options_own_name(struct options *options, const char *option, const char *value, struct error *error)
{
    char *ascii;
    const char *why;

    if (!idn_to_ascii(value, &ascii, &why)) {
        error_set(error, STATUS_LOCAL, "%s \"%s\": it is no name that could be looked up: %s", option, value, why);
        return NULL;
    }
    if (options_append(&options->owned, ascii))
        return ascii;
    free(ascii);
    return NULL;
}

/* ---- Values ---- */

bool options_wrong(struct error *error, const char *option, const char *value, const char *wanted)
{
    error_set(error, STATUS_LOCAL, "%s \"%s\": it has to be %s", option, value, wanted);
    return false;
}

bool options_choose(const char *option, const char *value, const char *choices, int *index, struct error *error)
{
    const char *at = choices;

    for (*index = 0; *at; ++*index) {
        size_t length = strcspn(at, "|");

        if (strlen(value) == length && strncmp(at, value, length) == 0)
            return true;
        at += length + (at[length] == '|');
    }
    return options_wrong(error, option, value, choices);
}

bool options_take_time(const char *option, const char *value, bool zero_is_none, int *ms, struct error *error)
{
    if (!text_duration(value, ms))
        return options_wrong(error, option, value, "a time like 500ms, 10s or 2m");
    if (*ms == 0 && zero_is_none)
        *ms = -1;
    return true;
}

bool options_take_number(const char *option, const char *value, long least, long most, long *number, struct error *error)
{
    char wanted[64];
    char *end;

    *number = strtol(value, &end, 0);
    if (*value && !*end && *number >= least && *number <= most)
        return true;
    snprintf(wanted, sizeof wanted, "a number from %ld to %ld", least, most);
    return options_wrong(error, option, value, wanted);
}

bool options_take_pin(struct options *options, const char *value, struct error *error)
{
    char pin[TEXT_PIN_SIZE];

    if (!text_pin(value, pin))
        return options_wrong(error, "--pin", value, "pin-sha256: and 44 characters of base64, as --show-identity prints it");
    return options_append(&options->pins, options_own(options, pin));
}

bool options_take_alpn(struct options *options, const char *value, struct error *error)
{
    if (strlen(value) < 1 || strlen(value) > ALPN_LENGTH_MAX)
        return options_wrong(error, "--alpn", value, "1 to 31 bytes long");
    if (options->alpn.count == ALPN_MAX) {
        error_set(error, STATUS_LOCAL, "--alpn: %d protocols are the most that can be offered", ALPN_MAX);
        return false;
    }
    return options_append(&options->alpn, value);
}

bool options_take_sni(struct options *options, const char *value, struct error *error)
{
    if (!*value)
        return options_wrong(error, "--sni", value, "a host's name; --no-sni asks for none");
    options->server_name = options_own_name(options, "--sni", value, error);
    if (options->server_name && strlen(options->server_name) > SERVER_NAME_MAX)
        return options_wrong(error, "--sni", value, "at most 253 bytes long");
    return options->server_name != NULL;
}

bool options_take_export(struct options *options, const char *value, struct error *error)
{
    char *label = (char *)options_own(options, value);
    char *length = label ? strchr(label, ':') : NULL;
    char *context = length ? strchr(length + 1, ':') : NULL;
    long number;

    if (!length || length == label)
        return options_wrong(error, "--export", value, "LABEL:LEN or LABEL:LEN:CONTEXT");
    *length++ = '\0';
    if (context)
        *context++ = '\0';
    if (!options_take_number("--export: the length", length, 1, 8160, &number, error))
        return false;
    options->export_label = label;
    options->export_length = (size_t)number;
    options->export_context = context;
    return true;
}

bool options_take_peer(struct options *options, const char *value, struct error *error)
{
    const char *name = options_own_name(options, "--peer", value, error);

    if (name && !known_is_name(name))
        return options_wrong(error, "--peer", value, "a name without spaces");
    return name && options_append(&options->peers, name);
}

/* PEER=FILE, as long as PEER could be one: what has a slash or is a URI is a file's name from its beginning on. */
bool options_take_identity(struct options *options, const char *value, struct error *error)
{
    const char *sign = strchr(value, '='), *place = value;
    char *peer = NULL;

    if (sign && sign != value && !memchr(value, '/', (size_t)(sign - value)) && strncmp(value, "pkcs11:", 7) != 0) {
        peer = (char *)options_own(options, value);
        if (!peer)
            return false;
        peer[sign - value] = '\0';
        peer = (char *)options_own_name(options, "-i", peer, error);
        if (!peer)
            return false;
        if (!known_is_name(peer))
            return options_wrong(error, "-i", value, "FILE, or PEER=FILE with a name without spaces");
        place = sign + 1;
    }
    if (!*place)
        return options_wrong(error, "-i", value, "the name of a file, or a pkcs11: URI");
    return options_append(&options->identities, place) && options_append(&options->identity_peers, peer);
}

/* A character that is no command itself, and ends no line: ~, or ^] for Control-]. */
bool options_take_commands(struct options *options, const char *value, struct error *error)
{
    static const char punctuation[] = "!\"#$%&'()*+,-/:;<=>@[\\]^_`{|}~";
    static const char control[] = "ABCDEFGHIKLNOPQRSTUVWXY[\\]_"; /* neither ^J nor ^M, nor ^Z, which suspends */
    size_t length = strlen(value);

    if (strcmp(value, "none") == 0)
        options->commands = 0;
    else if (length == 1 && strchr(punctuation, value[0]))
        options->commands = (uint8_t)value[0];
    else if (length == 2 && value[0] == '^' && strchr(control, value[1]))
        options->commands = (uint8_t)(value[1] - '@');
    else
        return options_wrong(error, "--commands", value, "a punctuation character other than . and ?, a control character like ^], or none");
    return true;
}

/* What --known wants is complete only with its arguments. */
bool options_take_known(struct options *options, const char *value, struct error *error)
{
    static const enum options_task tasks[] = {OPTIONS_KNOWN_LIST, OPTIONS_KNOWN_ADD, OPTIONS_KNOWN_DELETE};
    int index;

    if (!options_choose("--known", value, "list|add|del", &index, error))
        return false;
    options->task = tasks[index];
    return true;
}

/* LOCAL, LOCAL:REMOTE, or :REMOTE. */
bool options_take_sctp_udp(struct options *options, const char *value, struct error *error)
{
    const char *colon = strchr(value, ':');
    char local[16];
    long number;

    snprintf(local, sizeof local, "%.*s", (int)(colon ? (size_t)(colon - value) : strlen(value)), value);
    if (*local || !colon) {
        if (!options_take_number("--sctp-udp: the local port", local, 1, 65535, &number, error))
            return false;
        options->sctp_udp_local = (uint16_t)number;
    }
    if (colon) {
        if (!options_take_number("--sctp-udp: the remote port", colon + 1, 1, 65535, &number, error))
            return false;
        options->sctp_udp_remote = (uint16_t)number;
    }
    return true;
}

bool options_take_dane(struct options *options, const char *value, struct error *error)
{
    if (!*value)
        return options_wrong(error, "--dane", value, "the name of a file; --dane alone asks the DNS");
    options->dane = true;
    options->dane_file = strcmp(value, OPTIONS_DANE_DNS) == 0 ? NULL : value;
    return true;
}

bool options_take_retry(struct options *options, const char *value, struct error *error)
{
    long number = -1;

    if (strcmp(value, OPTIONS_RETRY_FOREVER) != 0 && !options_take_number("--retry", value, 0, 1000000, &number, error))
        return false;
    options->retries = (int)number;
    return true;
}

/* ---- Places ---- */

bool options_check_path(const char *option, const char *path, struct error *error)
{
    if (*path && strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path)
        return true;
    error_set(error, STATUS_LOCAL, "%s: the path of a UNIX socket has 1 to %zu bytes", option,
              sizeof((struct sockaddr_un *)0)->sun_path - 1);
    return false;
}

/* PORT, ADDR:PORT or [ADDR]:PORT. */
static bool take_place(struct options *options, const char *value, struct options_target *place, struct error *error)
{
    static const char wanted[] = "tcp:[ADDR:]PORT or unix:PATH";
    char *host = (char *)options_own(options, value);
    char *colon = host ? strrchr(host, ':') : NULL;

    place->port = colon ? colon + 1 : host;
    if (!host || !*place->port || strspn(place->port, "0123456789") != strlen(place->port) || colon == host)
        return options_wrong(error, "--from", place->name, wanted);
    place->host = LOCAL_HOST;
    if (!colon)
        return true;
    *colon = '\0';
    if (*host == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        host++;
    } else if (strchr(host, ':')) {
        return options_wrong(error, "--from", place->name, "tcp:[ADDR]:PORT, with the brackets, where the address has colons");
    }
    place->host = options_own_name(options, "--from", host, error);
    return place->host != NULL;
}

bool options_take_from(struct options *options, const char *value, struct error *error)
{
    struct options_target *from = &options->from;

    *from = (struct options_target){.name = value};
    if (strncmp(value, "unix:", 5) == 0) {
        from->path = value + 5;
        return options_check_path("--from", from->path, error);
    }
    if (strncmp(value, "tcp:", 4) == 0)
        return take_place(options, value + 4, from, error);
    return options_wrong(error, "--from", value, "tcp:[ADDR:]PORT or unix:PATH");
}

/* ---- Programs ---- */

/* The list ends with NULL, which is not counted. */
static bool take_words(struct options_list *program, int count, const char *const *words)
{
    program->count = 0;
    for (int i = 0; i < count; i++)
        if (!options_append(program, words[i]))
            return false;
    if (!options_append(program, NULL))
        return false;
    program->count--;
    return true;
}

/* Into words, as socat does it: quotes and backslashes mean what they mean to a shell, and nothing else does. */
bool options_take_exec(struct options *options, const char *value, struct error *error)
{
    const char **words = NULL;
    int count = 0;

    if (poptParseArgvString(value, &count, &words) != 0 || count == 0 || !*words[0]) {
        free(words);
        return options_wrong(error, "--exec", value, "a program and its arguments");
    }
    /* They are in one piece of memory with the list. */
    if (options_append(&options->owned, (const char *)words))
        return take_words(&options->program, count, words);
    free(words);
    return false;
}

bool options_take_sh_exec(struct options *options, const char *value)
{
    const char *const words[] = {"/bin/sh", "-c", value};

    return take_words(&options->program, 3, words);
}

/* ---- Targets ---- */

/* HOST:PORT, where an IPv6 address is in brackets. */
static bool take_tcp(struct options *options, const char *option, const char *value, struct options_target *target,
                     struct error *error)
{
    char *host = (char *)options_own(options, value);
    char *colon = host ? strrchr(host, ':') : NULL, *end;

    if (!host || !colon || colon == host || !colon[1])
        return options_wrong(error, option, target->name, "tcp:HOST:PORT or unix:PATH");
    *colon = '\0';
    end = strchr(host, ']');
    if (*host == '[' && end && end[1] == '\0') {
        *end = '\0';
        host++;
    } else if (strchr(host, ':'))
        return options_wrong(error, option, target->name, "tcp:[ADDRESS]:PORT, with the brackets, where the address has colons");
    target->port = colon + 1;
    target->host = options_own_name(options, option, host, error);
    return target->host != NULL;
}

bool options_take_to(struct options *options, const char *value, struct error *error)
{
    options->to = (struct options_target){.name = value};
    if (strncmp(value, "unix:", 5) == 0) {
        options->to.path = value + 5;
        return options_check_path("--to", options->to.path, error);
    }
    if (strncmp(value, "tcp:", 4) == 0)
        return take_tcp(options, "--to", value + 4, &options->to, error);
    return options_wrong(error, "--to", value, "tcp:HOST:PORT or unix:PATH");
}
