/* options_check.c - the rules between options, and the defaults that depend on others. */
#include "options_check.h"
#include "inherited.h"
#include "known.h"
#include "psk.h"
#include "text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Options of which at most one makes sense. */
static const struct {
    int one, other;
    const char *why;
} conflicts[] = {
    {'l', 'b', "-l waits for the peer, -b calls it as well: choose one"},
    {'u', 'S', "-u is UDP, -S is SCTP: choose one"},
    {'u', OPT_SCTP_UDP, "-u is DTLS over UDP, --sctp-udp is SCTP in UDP: choose one"},
    {'4', '6', "-4 and -6 leave no address"},
    {'i', OPT_CERT, "-i names a file with both certificate and key; --cert goes with --key"},
    {'i', OPT_KEY, "-i names a file with both certificate and key; --key goes with --cert"},
    {OPT_NO_IDENTITY, 'i', "--no-identity shows nothing, -i something"},
    {OPT_NO_IDENTITY, OPT_CERT, "--no-identity shows nothing, --cert something"},
    {OPT_NO_IDENTITY, OPT_KEY, "--no-identity shows nothing, --key something"},
    {OPT_NO_IDENTITY, OPT_RAWPK, "--no-identity shows nothing, --rawpk a key"},
    {OPT_NO_IDENTITY, OPT_OCSP_RESPONSE, "--no-identity shows nothing, --ocsp-response belongs to a certificate"},
    {OPT_RAWPK, OPT_OCSP_RESPONSE, "--rawpk shows no certificate for --ocsp-response to be about"},
    {OPT_PSK_FILE, OPT_SHOW_IDENTITY, "--show-identity prints pins, and a shared key has none"},
    {OPT_SNI, OPT_NO_SNI, "--sni and --no-sni contradict each other"},
    {OPT_COMMANDS, 'd', "--commands are typed on stdin, and -d does not read it"},
    {OPT_COMMANDS, OPT_RECV_ONLY, "--commands are typed on stdin, and --recv-only does not read it"},
    {OPT_COMMANDS, 'e', "--commands are typed on stdin, and with --exec that is the program's affair"},
    {OPT_COMMANDS, 'c', "--commands are typed on stdin, and with --sh-exec that is the program's affair"},
    {OPT_COMMANDS, OPT_TO, "--commands are typed on stdin, and with --to the service has that place"},
    {OPT_COMMANDS, OPT_FROM, "--commands are typed on stdin, and with --from whoever connects here has that place"},
    {OPT_COMMANDS, 'z', "-z leaves after the handshake: there is no time for --commands"},
    {OPT_SEND_ONLY, OPT_RECV_ONLY, "--send-only and --recv-only leave no data to move"},
    {OPT_SEND_ONLY, 'd', "--send-only and -d leave no data to move"},
    {'e', 'c', "--exec starts a program by itself, --sh-exec has a shell do it: choose one"},
    {'z', 'e', "-z leaves after the handshake: there is nothing to do for --exec"},
    {'z', 'c', "-z leaves after the handshake: there is nothing to do for --sh-exec"},
    {'e', OPT_TO, "--exec starts a program, --to connects to one that runs: choose one"},
    {'c', OPT_TO, "--sh-exec starts a program, --to connects to one that runs: choose one"},
    {'z', OPT_TO, "-z leaves after the handshake: there is nothing to do for --to"},
    {'U', OPT_FD, "-U and --fd are each in place of HOST and PORT: choose one"},
    {'U', 'u', "-U is a UNIX socket, -u is UDP: choose one"},
    {'U', 'S', "-U is a UNIX socket, -S is SCTP: choose one"},
    {'U', OPT_SCTP_UDP, "-U is a UNIX socket, --sctp-udp is SCTP in UDP: choose one"},
    {'U', 'b', "with -U one end listens and the other connects: -b is for hosts"},
    {'U', 's', "-U is a UNIX socket: it has no address of ours for -s"},
    {'U', 'p', "-U is a UNIX socket: it has no port for -p"},
    {'U', OPT_DANE, "--dane is about the name of a host, and -U is a UNIX socket"},
    {OPT_FD, 'u', "--fd is an open connection, and no UDP"},
    {OPT_FD, 'S', "--fd is an open connection, and no SCTP"},
    {OPT_FD, OPT_SCTP_UDP, "--fd is an open connection, and no SCTP in UDP"},
    {OPT_FD, 'b', "--fd is an open connection: there is nobody left to meet"},
    {OPT_FD, 's', "--fd is an open connection: it has its address already"},
    {OPT_FD, 'p', "--fd is an open connection: it has its port already"},
    {OPT_FD, OPT_DANE, "--dane is about the name of a host, and --fd is a connection that is open already"},
    {OPT_FD, OPT_RETRY, "--fd is an open connection: --retry is for calling"},
    {OPT_FD, 'k', "--fd is one connection, -k is for many; a listening socket is passed on as LISTEN_FDS"},
    {OPT_FROM, 'l', "--from leads what connects here to a peer that we call: at the end that listens there is --to"},
    {OPT_FROM, 'b', "--from leads what connects here to a peer that listens: it does not go with -b"},
    {OPT_FROM, 'e', "--from and --exec are two local sides: choose one"},
    {OPT_FROM, 'c', "--from and --sh-exec are two local sides: choose one"},
    {OPT_FROM, OPT_TO, "--from and --to are two local sides: choose one"},
    {OPT_FROM, 'z', "-z leaves after the handshake: there is nothing to do for --from"},
    {OPT_PTY, 'd', "a terminal (--pty) goes both ways: -d has no place there"},
    {OPT_PTY, OPT_RECV_ONLY, "a terminal (--pty) goes both ways: --recv-only has no place there"},
    {OPT_PTY, OPT_SEND_ONLY, "a terminal (--pty) goes both ways: --send-only has no place there"},
    {OPT_RAW, 'e', "--raw is about our own terminal, and with --exec the program has that place"},
    {OPT_RAW, 'c', "--raw is about our own terminal, and with --sh-exec the program has that place"},
    {OPT_RAW, OPT_TO, "--raw is about our own terminal, and with --to the service has that place"},
    {OPT_RAW, OPT_FROM, "--raw is about our own terminal, and with --from whoever connects here has that place"},
    {OPT_RAW, 'd', "--raw is for keys that are sent, and -d sends nothing"},
    {OPT_RAW, OPT_RECV_ONLY, "--raw is for keys that are sent, and --recv-only sends nothing"},
    {OPT_RAW, 'z', "-z leaves after the handshake: there is nothing to do for --raw"},
    {OPT_PROGRESS, OPT_COMMANDS, "--progress wants a line of the terminal for itself, and --commands are typed there"},
    {OPT_PROGRESS, OPT_RAW, "--progress wants a line of the terminal for itself, and with --raw it belongs to the peer"},
    {OPT_PROGRESS, 'k', "--progress is about one session, and with -k there are many"},
    {'v', 'q', "-v and -q contradict each other"},
    {'l', OPT_DANE, "--dane is about the name that we call, and with -l the peer calls us: whoever comes has no name yet"},
    {'l', OPT_RETRY, "-l waits for the peer by itself; --retry is for calling it"},
};

static bool complain(struct error *error, const char *why)
{
    error_set(error, STATUS_LOCAL, "%s", why);
    return false;
}

static bool was_given(const struct options_given *given, int option)
{
    return given->times[option] > 0;
}

static bool check_conflicts(const struct options_given *given, struct error *error)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++)
        if (was_given(given, conflicts[i].one) && was_given(given, conflicts[i].other))
            return complain(error, conflicts[i].why);
    if (given->times[OPT_CERT] > 1 || given->times[OPT_KEY] > 1)
        return complain(error, "--cert and --key name one identity; -i takes several, each with both in a file");
    if (given->times['e'] > 1 || given->times['c'] > 1)
        return complain(error, "one program is started for a session; --sh-exec can join several");
    if (given->times[OPT_TO] > 1)
        return complain(error, "--to names one service");
    if (given->times['i'] > 1 && was_given(given, OPT_OCSP_RESPONSE))
        return complain(error, "--ocsp-response is about one certificate, but there are several -i");
    if (given->times['s'] > 1 && !was_given(given, 'S') && !was_given(given, OPT_SCTP_UDP))
        return complain(error, "several addresses of ours (-s) are for SCTP (-S)");
    if (given->times['s'] > 1 && was_given(given, OPT_SCTP_UDP))
        return complain(error, "several addresses of ours (-s) are for the kernel's SCTP; SCTP in UDP has one");
    return true;
}

/* ---- HOST and PORT ---- */

static bool check_port(const char *option, const char *port, bool zero, struct error *error)
{
    if (port[0] && strspn(port, "0123456789") == strlen(port)) {
        unsigned long number = strlen(port) > 5 ? 65536 : strtoul(port, NULL, 10);

        if (number > 65535 || (number == 0 && !zero)) {
            error_set(error, STATUS_LOCAL, "%s \"%s\": a port is a number from %d to 65535", option, port, zero ? 0 : 1);
            return false;
        }
    } else if (!port[0] || port[0] == '-') {
        error_set(error, STATUS_LOCAL, "%s \"%s\": it is no port", option, port);
        return false;
    }
    return true;
}

/* [2001:db8::1] is 2001:db8::1 to the resolver, and in known_peers. */
static const char *strip_brackets(const char *host)
{
    size_t length = strlen(host);

    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        ((char *)host)[length - 1] = '\0'; /* a copy of ours */
        return host + 1;
    }
    return host;
}

static bool is_address(const char *host)
{
    struct in_addr four;

    return strchr(host, ':') || inet_pton(AF_INET, host, &four) == 1;
}

/* In place of HOST and PORT. */
static bool take_no_words(const struct options *options, const struct options_list *words, struct error *error)
{
    if (words->count)
        return complain(error, options->path ? "-U is in place of HOST and PORT" : "--fd is in place of HOST and PORT");
    if (options->descriptor == 2)
        return complain(error, "--fd 2: that is stderr, which has to be ours");
    return true;
}

static bool take_words(struct options *options, const struct options_given *given, const struct options_list *words,
                       struct error *error)
{
    size_t needed = options->task == OPTIONS_LISTEN ? 1 : 2;
    const char *usage = options->task == OPTIONS_LISTEN ? "symtls -l [ADDR] PORT"
                        : options->task == OPTIONS_BOTH ? "symtls -b HOST PORT"
                                                        : "symtls HOST PORT";

    if (options->path || options->descriptor >= 0)
        return take_no_words(options, words, error);
    if (options->task == OPTIONS_LISTEN && words->count == 0 && !options->source_port && !options->source &&
        options->transport != OPTIONS_SCTP && inherited_count() > 0) {
        options->inherited = true;
        return true;
    }
    /* As with nc, -l can have its port and address in -p and -s. */
    if (options->task == OPTIONS_LISTEN) {
        if (options->source_port && words->count == 0) {
            options->port = options->source_port;
            options->host = options->source;
            return check_port("-p", options->port, true, error);
        }
        if (options->source_port)
            return complain(error, "-l has its port twice: once with -p");
        if (options->source && words->count > 1)
            return complain(error, "-l has its address twice: once with -s");
        options->host = options->source;
    }
    if (words->count < needed || words->count > 2) {
        const char *colon = words->count == 1 ? strrchr(words->at[0], ':') : NULL;

        if (words->count == 0 || !colon)
            error_set(error, STATUS_LOCAL, "%s; the form is %s, and symtls --help lists the options",
                      words->count >= needed ? "too many words" : words->count || needed == 1 ? "the port is missing" : "nobody to talk to",
                      usage);
        else
            error_set(error, STATUS_LOCAL, "HOST and PORT are two words: %.*s %s", (int)(colon - words->at[0]),
                      words->at[0], colon + 1);
        return false;
    }
    options->port = words->at[words->count - 1];
    if (words->count == 2)
        options->host = strip_brackets(words->at[0]);
    if (options->host && !known_is_name(options->host)) {
        error_set(error, STATUS_LOCAL, "\"%s\" is no host's name or address", options->host);
        return false;
    }
    return check_port("PORT", options->port, options->task == OPTIONS_LISTEN, error) &&
           (!was_given(given, 'p') || check_port("-p", options->source_port, options->task == OPTIONS_CONNECT, error));
}

/* ---- Roles ---- */

static bool check_never(struct options *options, const struct options_given *given, struct error *error)
{
    if (was_given(given, OPT_HELLO))
        return complain(error, "with --symmetric never the role says who begins; --hello has no say");
    if (options->implicit || options->preference || was_given(given, OPT_EXTENSION_ID))
        return complain(error, "--symmetric never is plain TLS, without any role_preference");
    switch (options->want) {
    case ROLE_WANT_ANY:
        if (options->task == OPTIONS_BOTH)
            return complain(error, "--symmetric never with -b needs --role client at one end and --role server at the other");
        options->want = options->task == OPTIONS_LISTEN ? ROLE_WANT_SERVER : ROLE_WANT_CLIENT;
        break;
    case ROLE_WANT_PREFER_CLIENT:
        options->want = ROLE_WANT_CLIENT;
        break;
    case ROLE_WANT_PREFER_SERVER:
        options->want = ROLE_WANT_SERVER;
        break;
    default:
        break;
    }
    options->hello = options->want == ROLE_WANT_CLIENT ? OPTIONS_HELLO_NOW : OPTIONS_HELLO_WAIT;
    return true;
}

static bool check_roles(struct options *options, const struct options_given *given, struct error *error)
{
    bool listen = options->task == OPTIONS_LISTEN;

    options->want_given = was_given(given, 'r') || options->no_identity || options->preference;
    if (options->no_identity) {
        if (options->want == ROLE_WANT_SERVER || options->want == ROLE_WANT_PREFER_SERVER)
            return complain(error, "a TLS server has to show who it is: --no-identity can only be a client");
        options->want = ROLE_WANT_CLIENT;
    }
    if (options->implicit && (was_given(given, 'r') || options->no_identity))
        return complain(error, "with --implicit the random numbers decide: --role has no say, and --no-identity insists on one");
    if (options->implicit && (options->preference || was_given(given, OPT_EXTENSION_ID)))
        return complain(error, "--implicit sends no role_preference");
    if (options->preference && !role_preference_parse(&(struct role_preference){.length = 0}, options->preference))
        return complain(error, "--role-preference: it has to be 1 to 32 printable characters without a space");
    if (options->symmetric == ROLE_SYMMETRIC_NEVER)
        return check_never(options, given, error) &&
               (!options->no_identity || options->want == ROLE_WANT_CLIENT ||
                complain(error, "a TLS server has to show who it is: --no-identity can only be a client"));
    if (options->task == OPTIONS_BOTH && !was_given(given, OPT_SYMMETRIC))
        options->symmetric = ROLE_SYMMETRIC_REQUIRE;
    if (listen && options->want == ROLE_WANT_ANY && !was_given(given, 'r') && !options->implicit)
        options->want = ROLE_WANT_PREFER_SERVER;
    if (listen && !was_given(given, OPT_HELLO))
        options->hello = OPTIONS_HELLO_WAIT;
    return true;
}

/* ---- Pre-shared keys ---- */

/* One key proves who both ends are: what else would do that has no say. */
static bool check_psk(const struct options *options, const struct options_given *given, struct error *error)
{
    static const struct {
        int option;
        const char *name;
    } others[] = {
        {'i', "-i"}, {OPT_CERT, "--cert"}, {OPT_KEY, "--key"}, {OPT_RAWPK, "--rawpk"}, {OPT_NO_IDENTITY, "--no-identity"},
        {OPT_PIN, "--pin"}, {OPT_CACERT, "--cacert"}, {OPT_TOFU, "--tofu"}, {OPT_REMOTE_ID, "--remote-id"},
        {OPT_INSECURE, "--insecure"}, {OPT_CRL, "--crl"}, {OPT_OCSP, "--ocsp"}, {OPT_DANE, "--dane"}, {OPT_STRICT_EKU, "--strict-eku"},
    };

    if (!options->psk_file)
        return !options->psk_identity || complain(error, "--psk-identity is our name with a shared key: it goes with --psk-file");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (was_given(given, others[i].option)) {
            error_set(error, STATUS_LOCAL, "with --psk-file the shared key proves who both ends are, and nothing else: %s has no say",
                      others[i].name);
            return false;
        }
    if (given->times[OPT_PSK_FILE] > 1)
        return complain(error, "--psk-file names one file; it can have a line for each peer");
    if (options->psk_identity && !psk_is_name(options->psk_identity, strlen(options->psk_identity)))
        return complain(error, "--psk-identity: a name has 1 to 255 bytes, all of them printable, and does not begin with \"#\"");
    return true;
}

/* ---- The rest ---- */

static bool check_files(const struct options *options, struct error *error)
{
    if (options->session && !*options->session)
        return complain(error, "--session \"\": it has to be the name of a file");
    if (options->save_cert && !*options->save_cert)
        return complain(error, "--save-cert \"\": it has to be the name of a file");
    return true;
}

static bool check_identity(const struct options *options, const struct options_given *given, struct error *error)
{
    if (!check_psk(options, given, error))
        return false;
    if (options->ocsp_response && !options->certificate && !options->identities.count)
        return complain(error, "--ocsp-response goes with -i or --cert: it is about a CA's certificate of ours");
    if (options->pass && !options->certificate && !options->key && !options->identities.count)
        return complain(error, "--pass is for the key that -i or --key names");
    if (options->pass && strncmp(options->pass, "file:", 5) && strncmp(options->pass, "fd:", 3) &&
        strncmp(options->pass, "env:", 4))
        return complain(error, "--pass says where the passphrase is, not what it is: file:F, fd:N or env:V");
    if (options->remote_id == TRUST_REMOTE_ID_IGNORE &&
        (options->pins.count || options->peers.count || options->cacert || options->dane || options->crl ||
         options->ocsp == TRUST_OCSP_REQUIRE))
        return complain(error, "--remote-id ignore does not look at the peer's identity; --pin, --peer, --cacert, --dane, --crl and --ocsp require do");
    return true;
}

/* "fd:", and then it is a number. */
static bool is_wrong_fd(const char *target)
{
    return strncmp(target, "fd:", 3) == 0 &&
           (!target[3] || strspn(target + 3, "0123456789") != strlen(target + 3) || strlen(target) > 9);
}

static bool check_telling(const struct options *options, struct error *error)
{
    if (options->report && is_wrong_fd(options->report))
        return complain(error, "--report fd:N: N is the number of an open descriptor");
    if (options->trace && is_wrong_fd(options->trace))
        return complain(error, "--trace=fd:N: N is the number of an open descriptor");
    if (options->trace && options->keep_open && strlen(options->trace) > 4 && strcmp(options->trace + strlen(options->trace) - 4, ".svg") == 0)
        return complain(error, "--trace=FILE.svg is a drawing of one session, and -k has many: they can share a FILE of text");
    if (options->trace && !*options->trace)
        return complain(error, "--trace=FILE: the name of the file is missing; --trace alone writes to stderr");
    return true;
}

static bool check_known(struct options *options, const struct options_list *words, struct error *error)
{
    size_t least = options->task == OPTIONS_KNOWN_ADD ? 2 : options->task == OPTIONS_KNOWN_DELETE ? 1 : 0;
    size_t most = options->task == OPTIONS_KNOWN_LIST ? 0 : 2;

    if (words->count < least || words->count > most)
        return complain(error, "the forms are --known list, --known add NAME PIN and --known del NAME [PIN]");
    if (words->count >= 1) {
        options->known_name = words->at[0];
        if (!known_is_name(options->known_name))
            return complain(error, "--known: a name has no spaces");
    }
    if (words->count >= 2 && !text_pin(words->at[1], options->known_pin))
        return complain(error, options->task == OPTIONS_KNOWN_ADD
                                   ? "--known add: a pin is pin-sha256: and 44 characters of base64"
                                   : "--known del: a pin is pin-sha256: and 44 characters of base64");
    return true;
}

/* Records in the DNS belong to names. */
static bool check_dane(const struct options *options, struct error *error)
{
    if (options->dane && is_address(options->host)) {
        error_set(error, STATUS_LOCAL, "--dane is about a name, and \"%s\" is an address: TLSA records have no place there",
                  options->host);
        return false;
    }
    if (options->dane && !options->dane_file && options->numeric)
        return complain(error, "-n asks no name server, and --dane does; --dane=FILE needs none");
    return true;
}

static bool check_serving(const struct options *options, const struct options_given *given, struct error *error)
{
    if (was_given(given, 'm') && !options->keep_open)
        return complain(error, "-m is how many sessions there may be at a time: it goes with -k");
    if (options->keep_open && options->task == OPTIONS_BOTH)
        return complain(error, "-k serves whoever comes, and -b meets one peer: -k goes with -l");
    if (options->keep_open && options->task == OPTIONS_CONNECT && !options->from.name)
        return complain(error, "-k goes on accepting: it goes with -l, or with --from");
    if (given->times[OPT_FROM] > 1)
        return complain(error, "--from names one place");
    return true;
}

bool options_check(struct options *options, const struct options_given *given, const struct options_list *words,
                   struct error *error)
{
    switch (options->task) {
    case OPTIONS_VERSION:
        return true;
    case OPTIONS_MAKE_PSK:
        return words->count == 0 || complain(error, "--make-psk takes no HOST and PORT");
    case OPTIONS_SHOW_IDENTITY:
        if (words->count)
            return complain(error, "--show-identity takes no HOST and PORT");
        return check_conflicts(given, error) && check_identity(options, given, error);
    case OPTIONS_KNOWN_LIST:
    case OPTIONS_KNOWN_ADD:
    case OPTIONS_KNOWN_DELETE:
        return check_known(options, words, error);
    default:
        break;
    }
    if (!check_conflicts(given, error))
        return false;
    options->task = was_given(given, 'l') ? OPTIONS_LISTEN : was_given(given, 'b') ? OPTIONS_BOTH : OPTIONS_CONNECT;
    if (!take_words(options, given, words, error) || !check_roles(options, given, error) ||
        !check_identity(options, given, error) || !check_files(options, error) || !check_dane(options, error) ||
        !check_serving(options, given, error) || !check_telling(options, error))
        return false;
    if (options->transport != OPTIONS_UDP && was_given(given, OPT_MTU))
        return complain(error, "--mtu is the size of datagrams: it goes with -u");
    if (options->transport == OPTIONS_UDP && options->task == OPTIONS_LISTEN &&
        options->symmetric == ROLE_SYMMETRIC_NEVER && options->want == ROLE_WANT_CLIENT)
        return complain(error, "with -l -u the peer has to speak first: with --symmetric never we can only be the server");
    if (options->crlf && options->framing == FRAMING_LEN16)
        return complain(error, "--framing len16 counts bytes, and --crlf would change how many there are");
    if (options->pty && !options->program.count)
        return complain(error, "--pty gives a program a terminal: it goes with --exec or --sh-exec");
    if (options->send_proxy && !options->to.name)
        return complain(error, "--send-proxy is for the service that --to names");
    if (options->to.port && !check_port("--to: the port", options->to.port, false, error))
        return false;
    options->to_ms = options->wait_ms; /* it has to be there already, whenever the peer comes */
    if (options->task != OPTIONS_CONNECT && !was_given(given, 'w'))
        options->wait_ms = -1; /* the order in which two ends start must not matter */
    if (options->task == OPTIONS_BOTH && !options->source_port)
        options->source_port = options->port;
    /* An address is no server name (RFC 6066 section 3). A listener's hello is struck or answers nobody in particular: it names nobody. */
    if (!was_given(given, OPT_SNI) && !was_given(given, OPT_NO_SNI) && options->task != OPTIONS_LISTEN &&
        options->host && !is_address(options->host))
        options->server_name = options->host;
    return true;
}
