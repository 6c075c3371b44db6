/* options.c - the command line: the table, and what each option sets. options_check.c has the rules between them. */
#include "options.h"
#include "known.h"
#include "options_check.h"
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

#define RETRY_FOREVER  "forever"
#define SCTP_UDP_USUAL "9899" /* RFC 6951 section 5.1 */

#define FLAG(name, letter, value, text)       {name, letter, POPT_ARG_NONE, NULL, value, text, NULL}
#define TAKES(name, letter, value, text, arg) {name, letter, POPT_ARG_STRING, NULL, value, text, arg}
#define GROUP(table, title)                   {NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)table, 0, title, NULL}

static const struct poptOption transport_options[] = {
    FLAG("udp", 'u', 'u', "DTLS over UDP, in place of TLS over TCP"),
    FLAG("sctp", 'S', 'S', "TLS over SCTP: the kernel's, or else SCTP in UDP"),
    {"sctp-udp", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_SCTP_UDP, "SCTP in UDP, from and to these UDP ports (9899)", "LOCAL[:REMOTE]"},
    FLAG("listen", 'l', 'l', "wait for the peer to connect"),
    FLAG("both", 'b', 'b', "meet: the same command on each end, in any order"),
    FLAG("ipv4", '4', '4', "IPv4 only"),
    FLAG("ipv6", '6', '6', "IPv6 only"),
    FLAG("numeric", 'n', 'n', "ask no name server"),
    TAKES("source", 's', 's', "our own address (again for more, with the kernel's SCTP)", "ADDR"),
    TAKES("source-port", 'p', 'p', "our own port (with -b it is PORT otherwise)", "PORT"),
    TAKES("mtu", '\0', OPT_MTU, "the largest datagram that is sent, in bytes (1232)", "N"),
    POPT_TABLEEND,
};

static const struct poptOption time_options[] = {
    TAKES("wait", 'w', 'w', "for a connection (30s; none with -l and -b)", "TIME"),
    TAKES("handshake-timeout", '\0', OPT_HANDSHAKE_TIMEOUT, "for the handshake (30s)", "TIME"),
    TAKES("idle-timeout", '\0', OPT_IDLE_TIMEOUT, "without data either way (none)", "TIME"),
    TAKES("linger", '\0', OPT_LINGER, "for a silent peer to end too, once we have (10s)", "TIME"),
    {"retry", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_RETRY, "connect again until the peer is there, at most N times", "N"},
    TAKES("retry-delay", '\0', OPT_RETRY_DELAY, "between tries (1s)", "TIME"),
    POPT_TABLEEND,
};

static const struct poptOption role_options[] = {
    TAKES("role", 'r', 'r', "any, client, server, prefer-client, prefer-server (any; prefer-server with -l)", "ROLE"),
    TAKES("hello", '\0', OPT_HELLO, "speak first: now, or let the peer: wait (now; wait with -l)", "WHEN"),
    TAKES("symmetric", '\0', OPT_SYMMETRIC, "plain TLS peers too: allow, not: require, only: never (allow; require with -b)", "HOW"),
    FLAG("implicit", '\0', OPT_IMPLICIT, "send no role_preference, compare random numbers; both ends have to"),
    TAKES("extension-id", '\0', OPT_EXTENSION_ID, "the number of the role_preference (65363)", "N"),
    TAKES("role-preference", '\0', OPT_ROLE_PREFERENCE, "for tests: the value itself", "VALUE"),
    POPT_TABLEEND,
};

static const struct poptOption identity_options[] = {
    TAKES("identity", 'i', 'i', "our certificate and key, or a key alone: PEM, PKCS#12, pkcs11: (again for more; for that peer only)", "[PEER=]FILE"),
    TAKES("cert", '\0', OPT_CERT, "our certificate, with those of its CAs", "FILE"),
    TAKES("key", '\0', OPT_KEY, "our private key", "FILE"),
    TAKES("pass", '\0', OPT_PASS, "where the key's passphrase or PIN is: file:F, fd:N, env:V", "SOURCE"),
    FLAG("rawpk", '\0', OPT_RAWPK, "show the bare public key, not the certificate"),
    TAKES("ocsp-response", '\0', OPT_OCSP_RESPONSE, "send this OCSP response along with our certificate", "FILE"),
    TAKES("psk-file", '\0', OPT_PSK_FILE, "keys that we share with peers, in place of certificates", "FILE"),
    TAKES("psk-identity", '\0', OPT_PSK_IDENTITY, "our name with --psk-file (USER@HOST)", "NAME"),
    FLAG("no-identity", '\0', OPT_NO_IDENTITY, "show nothing; we can only be the TLS client then"),
    POPT_TABLEEND,
};

static const struct poptOption peer_options[] = {
    TAKES("peer", '\0', OPT_PEER, "the peer has this name (again for more)", "NAME"),
    TAKES("pin", '\0', OPT_PIN, "the peer has this key (again for more)", "PIN"),
    TAKES("cacert", '\0', OPT_CACERT, "one of these CAs vouches for the peer (PEM)", "FILE"),
    TAKES("tofu", '\0', OPT_TOFU, "a peer that is new: ask, accept-new, never (ask)", "HOW"),
    TAKES("remote-id", '\0', OPT_REMOTE_ID, "has the peer to show who it is? require, request, ignore (require)", "HOW"),
    FLAG("insecure", '\0', OPT_INSECURE, "accept everybody that nothing else here refuses"),
    FLAG("allow-self", '\0', OPT_ALLOW_SELF, "the peer may have our own key"),
    POPT_TABLEEND,
};

static const struct poptOption tls_options[] = {
    TAKES("priority", '\0', OPT_PRIORITY, "versions and ciphers, as a GnuTLS priority string", "STRING"),
    TAKES("alpn", '\0', OPT_ALPN, "an application protocol that we speak (again for more)", "PROTOCOL"),
    TAKES("sni", '\0', OPT_SNI, "the server name to ask for (HOST)", "NAME"),
    FLAG("no-sni", '\0', OPT_NO_SNI, "ask for no server name"),
    TAKES("keylog", '\0', OPT_KEYLOG, "append the secrets, for analysers (else SSLKEYLOGFILE)", "FILE"),
    TAKES("export", '\0', OPT_EXPORT, "report keying material: LABEL:LEN[:CONTEXT] (RFC 5705)", "WHAT"),
    POPT_TABLEEND,
};

static const struct poptOption local_options[] = {
    FLAG("no-stdin", 'd', 'd', "do not read stdin; end when the peer does"),
    FLAG("send-only", '\0', OPT_SEND_ONLY, "throw away what the peer sends"),
    FLAG("recv-only", '\0', OPT_RECV_ONLY, "send nothing: the same as -d"),
    FLAG("zero", 'z', 'z', "handshake, report, leave"),
    POPT_TABLEEND,
};

static const struct poptOption other_options[] = {
    FLAG("verbose", 'v', 'v', "tell more"),
    FLAG("quiet", 'q', 'q', "tell errors only"),
    TAKES("report", '\0', OPT_REPORT, "events as JSON lines", "FILE|fd:N"),
    FLAG("show-identity", '\0', OPT_SHOW_IDENTITY, "print our pin and name"),
    FLAG("make-psk", '\0', OPT_MAKE_PSK, "print a fresh key, for --psk-file"),
    TAKES("known", '\0', OPT_KNOWN, "the known peers: list, add NAME PIN, del NAME", "TASK"),
    FLAG("version", 'V', OPT_VERSION, "print the version"),
    POPT_TABLEEND,
};

static const struct poptOption table[] = {
    GROUP(transport_options, "Transport:"),
    GROUP(time_options, "Time (500ms, 10s, 2m; with -w and the time-outs 0 is no limit):"),
    GROUP(role_options, "Role:"),
    GROUP(identity_options, "Our identity:"),
    GROUP(peer_options, "The peer:"),
    GROUP(tls_options, "TLS:"),
    GROUP(local_options, "Data:"),
    GROUP(other_options, "Telling and other tasks:"),
    POPT_AUTOHELP
    POPT_TABLEEND,
};

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

static bool take_name(struct options_list *list, const char *option, const char *value, struct error *error)
{
    if (!known_is_name(value))
        return wrong(error, option, value, "a name without spaces");
    return append(list, value);
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
    {OPT_PASS, AT(pass)},        {OPT_CACERT, AT(cacert)}, {OPT_PRIORITY, AT(priority)},
    {OPT_SNI, AT(server_name)},  {OPT_KEYLOG, AT(keylog)}, {OPT_REPORT, AT(report)},
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
    case OPT_RETRY:
        return take_retry(options, value, error);
    case OPT_EXTENSION_ID:
        if (!take_number("--extension-id", value, 0, 65535, &number, error))
            return false;
        options->extension_id = (uint16_t)number;
        return true;
    case OPT_PEER:
        return take_name(&options->peers, "--peer", value, error);
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
    } optional[] = {{"--retry", "--retry=" RETRY_FOREVER}, {"--sctp-udp", "--sctp-udp=" SCTP_UDP_USUAL}};
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
    context = poptGetContext("symtls", argc, all.at, table, 0);
    poptSetOtherOptionHelp(context, "[OPTION...] HOST PORT | -l [ADDR] PORT | -b HOST PORT");
    read = take_all(options, &given, context, error);
    while (read && (word = poptGetArg(context)))
        read = append(&words, own(options, word));
    poptFreeContext(context);
    free(all.at);
    read = read && options_check(options, &given, &words, error);
    free(words.at);
    return read;
}
