/* options.c - what each option sets. options_read.c collects what was said, options_table.c has the names, options_values.c how
 * values are read, options_check.c the rules between options. */
#include "options.h"
#include "options_check.h"
#include "options_take.h"
#include "options_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SCTP_UDP_PORT_USUAL = 9899, /* RFC 6951 section 5.1 */
    RECORD_LEAST = 512, /* RFC 8449 goes down to 64; GnuTLS and others do not */
    RECORD_MOST = 16384,
    MTU_LEAST = 256,
    MTU_MOST = 16384, /* a record holds no more */
    DESCRIPTOR_MOST = 1000000,
    SESSIONS_MOST = 100000,
    SESSIONS_USUAL = 100,
    MTU_USUAL = 1232  /* what IPv6 promises, 1280, less IPv6 and UDP */
};

#define SCTP_UDP_USUAL "9899" /* the same */

void options_begin(struct options *options)
{
    *options = (struct options){.family = AF_UNSPEC,
                                .mtu = MTU_USUAL,
                                .sctp_udp_local = SCTP_UDP_PORT_USUAL,
                                .sctp_udp_remote = SCTP_UDP_PORT_USUAL,
                                .wait_ms = 30000,
                                .handshake_ms = 30000,
                                .idle_ms = -1,
                                .linger_ms = 10000,
                                .retry_delay_ms = 1000,
                                .max_sessions = SESSIONS_USUAL,
                                .descriptor = -1,
                                .extension_id = HELLO_EXTENSION_ID};
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
    free(options->program.at);
    free(options->alpn.at);
    memset(options, 0, sizeof *options);
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
    {OPT_TICKETS, AT(tickets)},
    {'d', AT(no_stdin)},
    {OPT_RECV_ONLY, AT(no_stdin)},
    {OPT_SEND_ONLY, AT(discard)},
    {'z', AT(zero)},
    {'k', AT(keep_open)},
    {OPT_SEND_PROXY, AT(send_proxy)},
    {'C', AT(crlf)},
    {OPT_PTY, AT(pty)},
    {OPT_RAW, AT(raw)},
    {OPT_PROGRESS, AT(progress)},
};

static const struct {
    int option;
    size_t text; /* a const char * */
} texts[] = {
    {'p', AT(source_port)}, {OPT_ROLE_PREFERENCE, AT(preference)},
    {OPT_OCSP_RESPONSE, AT(ocsp_response)},      {OPT_KEY, AT(key)},     {OPT_CERT, AT(certificate)},
    {OPT_PSK_FILE, AT(psk_file)}, {OPT_PSK_IDENTITY, AT(psk_identity)},
    {OPT_PASS, AT(pass)},        {OPT_CACERT, AT(cacert)}, {OPT_CRL, AT(crl)}, {OPT_PRIORITY, AT(priority)},
    {OPT_KEYLOG, AT(keylog)}, {OPT_REPORT, AT(report)}, {OPT_TRACE, AT(trace)}, {OPT_SESSION, AT(session)},
    {OPT_SAVE_CERT, AT(save_cert)},
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
    {OPT_FRAMING, "--framing", "read|line|nul|len16", AT(framing)},
    {OPT_OCSP, "--ocsp", "check|require|never", AT(ocsp)},
    {OPT_TOFU, "--tofu", "ask|accept-new|never", AT(tofu)},
    {OPT_REMOTE_ID, "--remote-id", "require|request|ignore", AT(remote_id)},
    {OPT_CHANNEL_BINDING, "--channel-binding", FACTS_BINDINGS, AT(channel_binding)},
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

/* Those whose value is read by a function of its own, in options_values.c. */
static const struct {
    int option;
    bool (*take)(struct options *options, const char *value, struct error *error);
} values[] = {
    {'e', options_take_exec}, {'i', options_take_identity}, {OPT_TO, options_take_to}, {OPT_FROM, options_take_from},
    {OPT_DANE, options_take_dane}, {OPT_RETRY, options_take_retry}, {OPT_PEER, options_take_peer},
    {OPT_SNI, options_take_sni}, {OPT_PIN, options_take_pin}, {OPT_ALPN, options_take_alpn},
    {OPT_EXPORT, options_take_export}, {OPT_COMMANDS, options_take_commands}, {OPT_KNOWN, options_take_known},
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
            *taken = options_choose(choices[i].name, value, choices[i].choices, &number, error);
            memcpy(base + choices[i].index, &number, sizeof number);
            return true;
        }
    for (size_t i = 0; i < COUNT(times); i++)
        if (times[i].option == option) {
            *taken = options_take_time(times[i].name, value, times[i].zero_is_none, &number, error);
            memcpy(base + times[i].ms, &number, sizeof number);
            return true;
        }
    for (size_t i = 0; i < COUNT(values); i++)
        if (values[i].option == option) {
            *taken = values[i].take(options, value, error);
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

bool options_take(struct options *options, int option, const char *value, struct error *error)
{
    long number;
    bool taken;

    if (take_simple(options, option, value, &taken, error))
        return taken;
    switch (option) {
    case 'l':
    case 'b':
    case OPT_NO_SNI:
    case OPT_CONFIG:
        return true; /* options_check() looks at what was given, and options_read() at -F */
    case 'u':
        options->transport = OPTIONS_UDP;
        return true;
    case 'S':
        options->transport = OPTIONS_SCTP;
        return true;
    case OPT_SCTP_UDP:
        options->transport = OPTIONS_SCTP;
        options->sctp_udp = true;
        return options_take_sctp_udp(options, value, error);
    case 'c':
        return options_take_sh_exec(options, value);
    case 's':
        options->source = options->source ? options->source : value;
        return options_append(&options->sources, value);
    case OPT_MTU:
        if (!options_take_number("--mtu", value, MTU_LEAST, MTU_MOST, &number, error))
            return false;
        options->mtu = (size_t)number;
        return true;
    case 'U':
        options->transport = OPTIONS_UNIX;
        options->path = value;
        return options_check_path("-U", value, error);
    case OPT_FD:
        if (!options_take_number("--fd", value, 0, DESCRIPTOR_MOST, &number, error))
            return false;
        options->descriptor = (int)number;
        return true;
    case 'm':
        if (!options_take_number("-m", value, 1, SESSIONS_MOST, &number, error))
            return false;
        options->max_sessions = (int)number;
        return true;
    case '4':
        options->family = AF_INET;
        return true;
    case '6':
        options->family = AF_INET6;
        return true;
    case OPT_EXTENSION_ID:
        if (!options_take_number("--extension-id", value, 0, 65535, &number, error))
            return false;
        options->extension_id = (uint16_t)number;
        return true;
    case OPT_RECORDSIZE:
        if (!options_take_number("--recordsize", value, RECORD_LEAST, RECORD_MOST, &number, error))
            return false;
        options->record_size = (size_t)number;
        return true;
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

const char *options_usual(const char *name)
{
    static const struct {
        const char *name, *value;
    } usual[] = {{"commands", OPTIONS_COMMANDS_TILDE},
                 {"dane", OPTIONS_DANE_DNS},
                 {"retry", OPTIONS_RETRY_FOREVER},
                 {"sctp-udp", SCTP_UDP_USUAL},
                 {"trace", OPTIONS_TRACE_STDERR}};

    for (size_t i = 0; i < COUNT(usual); i++)
        if (strcmp(name, usual[i].name) == 0)
            return usual[i].value;
    return NULL;
}
