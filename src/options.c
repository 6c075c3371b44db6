/* options.c - the command line: what each option sets. options_table.c has their names, options_check.c the rules between them. */
#include "options.h"
#include "idn.h"
#include "known.h"
#include "options_check.h"
#include "options_table.h"
#include "text.h"

#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ALPN_MAX = 8, /* GnuTLS takes no more */
    SCTP_UDP_PORT_USUAL = 9899, /* the same */
    MTU_LEAST = 256,
    MTU_MOST = 16384, /* a record holds no more */
    MTU_USUAL = 1232  /* what IPv6 promises, 1280, less IPv6 and UDP */
};

#define DANE_DNS       "dns"
#define RETRY_FOREVER  "forever"
#define SCTP_UDP_USUAL "9899" /* RFC 6951 section 5.1 */

/* ---- Lists ---- */

static bool append(struct options_list *list, const char *text)
{
    const char **grown = realloc(list->at, (list->count + 1) * sizeof *grown);

    if (!grown)
        return false;
    list->at = grown;
    list->at[list->count++] = text;
    return true;
}

/* A text of ours that lives as long as the options. NULL only without memory. */
static const char *own(struct options *options, const char *text)
{
    char *copy = strdup(text);

    if (copy && append(&options->owned, copy))
        return copy;
    free(copy);
    return NULL;
}

void options_free(struct options *options)
{
    for (size_t i = 0; i < options->owned.count; i++)
        free((char *)options->owned.at[i]);
    free(options->owned.at);
    free(options->sources.at);
    free(options->identities.at);
    free(options->identity_peers.at);
    free(options->peers.at);
    free(options->pins.at);
    free(options->alpn.at);
    memset(options, 0, sizeof *options);
}

/* ---- Values ---- */

static bool wrong(struct error *error, const char *option, const char *value, const char *wanted)
{
    error_set(error, STATUS_LOCAL, "%s \"%s\": it has to be %s", option, value, wanted);
    return false;
}

/* One of "a|b|c", by its index. */
static bool choose(const char *option, const char *value, const char *choices, int *index, struct error *error)
{
    const char *at = choices;

    for (*index = 0; *at; ++*index) {
        size_t length = strcspn(at, "|");

        if (strlen(value) == length && strncmp(at, value, length) == 0)
            return true;
        at += length + (at[length] == '|');
    }
    return wrong(error, option, value, choices);
}

/* 0 is no limit where there can be one. */
static bool take_time(const char *option, const char *value, bool zero_is_none, int *ms, struct error *error)
{
    if (!text_duration(value, ms))
        return wrong(error, option, value, "a time like 500ms, 10s or 2m");
    if (*ms == 0 && zero_is_none)
        *ms = -1;
    return true;
}

static bool take_number(const char *option, const char *value, long least, long most, long *number, struct error *error)
{
    char wanted[64];
    char *end;

    *number = strtol(value, &end, 0);
    if (*value && !*end && *number >= least && *number <= most)
        return true;
    snprintf(wanted, sizeof wanted, "a number from %ld to %ld", least, most);
    return wrong(error, option, value, wanted);
}

static bool take_pin(struct options *options, const char *value, struct error *error)
{
    char pin[TEXT_PIN_SIZE];

    if (!text_pin(value, pin))
        return wrong(error, "--pin", value, "pin-sha256: and 44 characters of base64, as --show-identity prints it");
    return append(&options->pins, own(options, pin));
}

static bool take_export(struct options *options, const char *value, struct error *error)
{
    char *label = (char *)own(options, value);
    char *length = label ? strchr(label, ':') : NULL;
    char *context = length ? strchr(length + 1, ':') : NULL;
    long number;

    if (!length || length == label)
        return wrong(error, "--export", value, "LABEL:LEN or LABEL:LEN:CONTEXT");
    *length++ = '\0';
    if (context)
        *context++ = '\0';
    if (!take_number("--export: the length", length, 1, 8160, &number, error))
        return false;
    options->export_label = label;
    options->export_length = (size_t)number;
    options->export_context = context;
    return true;
}

/* A name as it goes over the wire; NULL with an error. */
static const char *own_name(struct options *options, const char *option, const char *value, struct error *error)
{
    char *ascii;
    const char *why;

    if (!idn_to_ascii(value, &ascii, &why)) {
        error_set(error, STATUS_LOCAL, "%s \"%s\": it is no name that could be looked up: %s", option, value, why);
        return NULL;
    }
    if (append(&options->owned, ascii))
        return ascii;
    free(ascii);
    return NULL;
}

static bool take_peer(struct options *options, const char *value, struct error *error)
{
    const char *name = own_name(options, "--peer", value, error);

    if (name && !known_is_name(name))
        return wrong(error, "--peer", value, "a name without spaces");
    return name && append(&options->peers, name);
}

/* PEER=FILE, as long as PEER could be one: what has a slash or is a URI is a file's name from its beginning on. */
static bool take_identity(struct options *options, const char *value, struct error *error)
{
    const char *sign = strchr(value, '='), *place = value;
    char *peer = NULL;

    if (sign && sign != value && !memchr(value, '/', (size_t)(sign - value)) && strncmp(value, "pkcs11:", 7) != 0) {
        peer = (char *)own(options, value);
        if (!peer)
            return false;
        peer[sign - value] = '\0';
        peer = (char *)own_name(options, "-i", peer, error);
        if (!peer)
            return false;
        if (!known_is_name(peer))
            return wrong(error, "-i", value, "FILE, or PEER=FILE with a name without spaces");
        place = sign + 1;
    }
    if (!*place)
        return wrong(error, "-i", value, "the name of a file, or a pkcs11: URI");
    return append(&options->identities, place) && append(&options->identity_peers, peer);
}

/* What --known wants is complete only with its arguments. */
static bool take_known(struct options *options, const char *value, struct error *error)
{
    static const enum options_task tasks[] = {OPTIONS_KNOWN_LIST, OPTIONS_KNOWN_ADD, OPTIONS_KNOWN_DELETE};
    int index;

    if (!choose("--known", value, "list|add|del", &index, error))
        return false;
    options->task = tasks[index];
    return true;
}

/* LOCAL, LOCAL:REMOTE, or :REMOTE. */
static bool take_sctp_udp(struct options *options, const char *value, struct error *error)
{
    const char *colon = strchr(value, ':');
    char local[16];
    long number;

    snprintf(local, sizeof local, "%.*s", (int)(colon ? (size_t)(colon - value) : strlen(value)), value);
    if (*local || !colon) {
        if (!take_number("--sctp-udp: the local port", local, 1, 65535, &number, error))
            return false;
        options->sctp_udp_local = (uint16_t)number;
    }
    if (colon) {
        if (!take_number("--sctp-udp: the remote port", colon + 1, 1, 65535, &number, error))
            return false;
        options->sctp_udp_remote = (uint16_t)number;
    }
    return true;
}

static bool take_dane(struct options *options, const char *value, struct error *error)
{
    if (!*value)
        return wrong(error, "--dane", value, "the name of a file; --dane alone asks the DNS");
    options->dane = true;
    options->dane_file = strcmp(value, DANE_DNS) == 0 ? NULL : value;
    return true;
}

static bool take_retry(struct options *options, const char *value, struct error *error)
{
    long number = -1;

    if (strcmp(value, RETRY_FOREVER) != 0 && !take_number("--retry", value, 0, 1000000, &number, error))
        return false;
    options->retries = (int)number;
    return true;
}

/* ---- The options that just set something ---- */

#define AT(field) offsetof(struct options, field)

static const struct {
    int option;
    size_t flag; /* a bool */
} flags[] = {
    {'n', AT(numeric)},
    {OPT_IMPLICIT, AT(implicit)},
    {OPT_NO_IDENTITY, AT(no_identity)},
    {OPT_RAWPK, AT(rawpk)},
    {OPT_INSECURE, AT(insecure)},
    {OPT_ALLOW_SELF, AT(allow_self)},
    {OPT_STRICT_EKU, AT(strict_eku)},
    {'d', AT(no_stdin)},
    {OPT_RECV_ONLY, AT(no_stdin)},
    {OPT_SEND_ONLY, AT(discard)},
    {'z', AT(zero)},
};

static const struct {
    int option;
    size_t text; /* a const char * */
} texts[] = {
    {'p', AT(source_port)}, {OPT_ROLE_PREFERENCE, AT(preference)},
    {OPT_OCSP_RESPONSE, AT(ocsp_response)},      {OPT_KEY, AT(key)},     {OPT_CERT, AT(certificate)},
    {OPT_PSK_FILE, AT(psk_file)}, {OPT_PSK_IDENTITY, AT(psk_identity)},
    {OPT_PASS, AT(pass)},        {OPT_CACERT, AT(cacert)}, {OPT_CRL, AT(crl)}, {OPT_PRIORITY, AT(priority)},
    {OPT_KEYLOG, AT(keylog)}, {OPT_REPORT, AT(report)},
};

static const struct {
    int option;
    const char *name;
    const char *choices;
    size_t index; /* an enum, in the order of the choices */
} choices[] = {
    {'r', "--role", "any|client|server|prefer-client|prefer-server", AT(want)},
    {OPT_HELLO, "--hello", "now|wait", AT(hello)},
    {OPT_SYMMETRIC, "--symmetric", "allow|require|never", AT(symmetric)},
    {OPT_OCSP, "--ocsp", "check|require|never", AT(ocsp)},
    {OPT_TOFU, "--tofu", "ask|accept-new|never", AT(tofu)},
    {OPT_REMOTE_ID, "--remote-id", "require|request|ignore", AT(remote_id)},
};

static const struct {
    int option;
    const char *name;
    bool zero_is_none;
    size_t ms; /* an int */
} times[] = {
    {'w', "-w", true, AT(wait_ms)},
    {OPT_HANDSHAKE_TIMEOUT, "--handshake-timeout", true, AT(handshake_ms)},
    {OPT_IDLE_TIMEOUT, "--idle-timeout", true, AT(idle_ms)},
    {OPT_LINGER, "--linger", false, AT(linger_ms)},
    {OPT_RETRY_DELAY, "--retry-delay", false, AT(retry_delay_ms)},
};

/* Tasks that take the place of a session. */
static const struct {
    int option;
    enum options_task task;
} tasks[] = {{OPT_SHOW_IDENTITY, OPTIONS_SHOW_IDENTITY}, {OPT_MAKE_PSK, OPTIONS_MAKE_PSK}, {OPT_VERSION, OPTIONS_VERSION}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* True: it is one of those; *taken says whether its value is one. */
static bool take_simple(struct options *options, int option, const char *value, bool *taken, struct error *error)
{
    char *base = (char *)options;
    int number;

    *taken = true;
    for (size_t i = 0; i < COUNT(flags); i++)
        if (flags[i].option == option) {
            memcpy(base + flags[i].flag, &(bool){true}, sizeof(bool));
            return true;
        }
    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].option == option) {
            memcpy(base + texts[i].text, &value, sizeof value);
            return true;
        }
    for (size_t i = 0; i < COUNT(choices); i++)
        if (choices[i].option == option) {
            *taken = choose(choices[i].name, value, choices[i].choices, &number, error);
            memcpy(base + choices[i].index, &number, sizeof number);
            return true;
        }
    for (size_t i = 0; i < COUNT(times); i++)
        if (times[i].option == option) {
            *taken = take_time(times[i].name, value, times[i].zero_is_none, &number, error);
            memcpy(base + times[i].ms, &number, sizeof number);
            return true;
        }
    for (size_t i = 0; i < COUNT(tasks); i++)
        if (tasks[i].option == option) {
            options->task = tasks[i].task;
            return true;
        }
    return false;
}

_Static_assert(sizeof(enum role_want) == sizeof(int) && sizeof(enum trust_tofu) == sizeof(int), "an enum is an int here");

/* One option. `value` is NULL or owned by the options. */
static bool take(struct options *options, int option, const char *value, struct error *error)
{
    long number;
    bool taken;

    if (take_simple(options, option, value, &taken, error))
        return taken;
    switch (option) {
    case 'l':
    case 'b':
    case OPT_NO_SNI:
        return true; /* options_check() looks at what was given */
    case 'u':
        options->transport = OPTIONS_UDP;
        return true;
    case 'S':
        options->transport = OPTIONS_SCTP;
        return true;
    case OPT_SCTP_UDP:
        options->transport = OPTIONS_SCTP;
        options->sctp_udp = true;
        return take_sctp_udp(options, value, error);
    case 'i':
        return take_identity(options, value, error);
    case 's':
        options->source = options->source ? options->source : value;
        return append(&options->sources, value);
    case OPT_MTU:
        if (!take_number("--mtu", value, MTU_LEAST, MTU_MOST, &number, error))
            return false;
        options->mtu = (size_t)number;
        return true;
    case '4':
        options->family = AF_INET;
        return true;
    case '6':
        options->family = AF_INET6;
        return true;
    case OPT_DANE:
        return take_dane(options, value, error);
    case OPT_RETRY:
        return take_retry(options, value, error);
    case OPT_EXTENSION_ID:
        if (!take_number("--extension-id", value, 0, 65535, &number, error))
            return false;
        options->extension_id = (uint16_t)number;
        return true;
    case OPT_PEER:
        return take_peer(options, value, error);
    case OPT_SNI:
        options->server_name = own_name(options, "--sni", value, error);
        return options->server_name != NULL;
    case OPT_PIN:
        return take_pin(options, value, error);
    case OPT_ALPN:
        if (strlen(value) < 1 || strlen(value) > 255)
            return wrong(error, "--alpn", value, "1 to 255 characters long");
        if (options->alpn.count == ALPN_MAX) {
            error_set(error, STATUS_LOCAL, "--alpn: %d protocols are the most that can be offered", ALPN_MAX);
            return false;
        }
        return append(&options->alpn, value);
    case OPT_EXPORT:
        return take_export(options, value, error);
    case OPT_KNOWN:
        return take_known(options, value, error);
    case 'v':
        options->verbosity++;
        return true;
    case 'q':
        options->verbosity = -1;
        return true;
    default:
        error_set(error, STATUS_LOCAL, "option %d has no meaning", option);
        return false;
    }
}

static bool take_all(struct options *options, struct options_given *given, poptContext context, struct error *error)
{
    int option;

    while ((option = poptGetNextOpt(context)) > 0) {
        char *argument = poptGetOptArg(context);
        const char *value = argument ? own(options, argument) : NULL;
        bool taken = (value || !argument) && take(options, option, value, error);

        given->times[option] = given->times[option] + 1;

        free(argument);
        if (!taken)
            return false;
    }
    if (option < -1) {
        error_set(error, STATUS_LOCAL, "%s: %s; symtls --help lists the options",
                  poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(option));
        return false;
    }
    return true;
}

/* popt would take the word behind an option for its value, where that is optional and goes with "=" only. False: no memory. */
static bool settle_optional(struct options *options, int argc, const char **argv, struct options_list *words)
{
    static const struct {
        const char *option, *full;
    } optional[] = {{"--dane", "--dane=" DANE_DNS}, {"--retry", "--retry=" RETRY_FOREVER}, {"--sctp-udp", "--sctp-udp=" SCTP_UDP_USUAL}};
    bool ended = false;

    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];

        ended = ended || strcmp(word, "--") == 0;
        for (size_t j = 0; !ended && j < COUNT(optional); j++)
            if (strcmp(argv[i], optional[j].option) == 0)
                word = own(options, optional[j].full);
        if (!word || !append(words, word))
            return false;
    }
    return append(words, NULL);
}

bool options_read(struct options *options, int argc, const char **argv, struct error *error)
{
    struct options_given given = {0};
    struct options_list words = {0}, all = {0};
    poptContext context;
    const char *word;
    bool read;

    *options = (struct options){.family = AF_UNSPEC,
                                .mtu = MTU_USUAL,
                                .sctp_udp_local = SCTP_UDP_PORT_USUAL,
                                .sctp_udp_remote = SCTP_UDP_PORT_USUAL,
                                .wait_ms = 30000,
                                .handshake_ms = 30000,
                                .idle_ms = -1,
                                .linger_ms = 10000,
                                .retry_delay_ms = 1000,
                                .extension_id = HELLO_EXTENSION_ID};
    if (!settle_optional(options, argc, argv, &all)) {
        free(all.at);
        error_set(error, STATUS_LOCAL, "out of memory");
        return false;
    }
    context = poptGetContext("symtls", argc, all.at, options_table, 0);
    poptSetOtherOptionHelp(context, "[OPTION...] HOST PORT | -l [ADDR] PORT | -b HOST PORT");
    read = take_all(options, &given, context, error);
    while (read && (word = poptGetArg(context))) {
        word = own_name(options, words.count ? "PORT" : "HOST", word, error);
        read = word && append(&words, word);
    }
    poptFreeContext(context);
    free(all.at);
    read = read && options_check(options, &given, &words, error);
    free(words.at);
    return read;
}
