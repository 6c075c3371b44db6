/* options_table.c - every option: its name, what it takes, and what --help says of it. */
#include "options_table.h"
#include "options_check.h"

#include <string.h>

#define FLAG(name, letter, value, text)       {name, letter, POPT_ARG_NONE, NULL, value, text, NULL}
#define TAKES(name, letter, value, text, arg) {name, letter, POPT_ARG_STRING, NULL, value, text, arg}
#define GROUP(table, title)                   {NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)table, 0, title, NULL}

static const struct poptOption transport_options[] = {
    FLAG("udp", 'u', 'u', "DTLS over UDP, in place of TLS over TCP"),
    FLAG("sctp", 'S', 'S', "TLS over SCTP: the kernel's, or else SCTP in UDP"),
    {"sctp-udp", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_SCTP_UDP, "SCTP in UDP, from and to these UDP ports (9899)", "LOCAL[:REMOTE]"},
    FLAG("listen", 'l', 'l', "wait for the peer to connect"),
    FLAG("both", 'b', 'b', "meet: the same command on each end, in any order"),
    TAKES("unixsock", 'U', 'U', "a UNIX socket, in place of HOST and PORT", "PATH"),
    TAKES("fd", '\0', OPT_FD, "an open connection, in place of HOST and PORT", "N"),
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
    TAKES("crl", '\0', OPT_CRL, "its CA has a list in here, and the peer is not on it (PEM, DER)", "FILE"),
    TAKES("ocsp", '\0', OPT_OCSP, "an OCSP response from the peer: check, require, never (check)", "HOW"),
    {"dane", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_DANE, "TLSA records of HOST vouch for the peer: the DNS has them, or a file", "FILE"},
    TAKES("tofu", '\0', OPT_TOFU, "a peer that is new: ask, accept-new, never (ask)", "HOW"),
    TAKES("remote-id", '\0', OPT_REMOTE_ID, "has the peer to show who it is? require, request, ignore (require)", "HOW"),
    FLAG("insecure", '\0', OPT_INSECURE, "accept everybody that nothing else here refuses"),
    FLAG("allow-self", '\0', OPT_ALLOW_SELF, "the peer may have our own key"),
    FLAG("strict-eku", '\0', OPT_STRICT_EKU, "the peer's certificate has to be meant for its TLS role"),
    POPT_TABLEEND,
};

static const struct poptOption tls_options[] = {
    TAKES("priority", '\0', OPT_PRIORITY, "versions and ciphers, as a GnuTLS priority string", "STRING"),
    TAKES("alpn", '\0', OPT_ALPN, "an application protocol that we speak (again for more)", "PROTOCOL"),
    TAKES("sni", '\0', OPT_SNI, "the server name to ask for (HOST)", "NAME"),
    FLAG("no-sni", '\0', OPT_NO_SNI, "ask for no server name"),
    TAKES("keylog", '\0', OPT_KEYLOG, "append the secrets, for analysers (else SSLKEYLOGFILE)", "FILE"),
    TAKES("recordsize", '\0', OPT_RECORDSIZE, "the largest record that is sent, and asked for, in bytes (16384)", "N"),
    FLAG("tickets", '\0', OPT_TICKETS, "as TLS server, give tickets with which clients can resume"),
    TAKES("session", '\0', OPT_SESSION, "resume the session that is kept here, and keep the next one", "FILE"),
    TAKES("export", '\0', OPT_EXPORT, "report keying material: LABEL:LEN[:CONTEXT] (RFC 5705)", "WHAT"),
    TAKES("channel-binding", '\0', OPT_CHANNEL_BINDING, "report what ties other protocols to this session: tls-exporter, tls-unique", "TYPE"),
    POPT_TABLEEND,
};

static const struct poptOption local_options[] = {
    TAKES("exec", 'e', 'e', "a program in place of stdin and stdout", "COMMAND"),
    TAKES("sh-exec", 'c', 'c', "the same, as /bin/sh reads it", "COMMAND"),
    FLAG("pty", '\0', OPT_PTY, "the program gets a terminal"),
    FLAG("raw", '\0', OPT_RAW, "our terminal hands over each key, for a program with --pty at the other end"),
    TAKES("to", '\0', OPT_TO, "lead the session on to a service: tcp:HOST:PORT, unix:PATH", "TARGET"),
    FLAG("send-proxy", '\0', OPT_SEND_PROXY, "with --to: tell it the peer's address first (PROXY protocol)"),
    TAKES("framing", '\0', OPT_FRAMING, "units of data, one a record or datagram: read, line, nul, len16 (read)", "HOW"),
    FLAG("crlf", 'C', 'C', "send CR LF where a line ends with LF"),
    TAKES("from", '\0', OPT_FROM, "lead what connects there to the peer: tcp:[ADDR:]PORT, unix:PATH", "PLACE"),
    FLAG("no-stdin", 'd', 'd', "do not read stdin; end when the peer does"),
    FLAG("send-only", '\0', OPT_SEND_ONLY, "throw away what the peer sends"),
    FLAG("recv-only", '\0', OPT_RECV_ONLY, "send nothing: the same as -d"),
    FLAG("zero", 'z', 'z', "handshake, report, leave"),
    {"commands", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_COMMANDS, "on a terminal: at the beginning of a line CHAR (~) begins a command, ~? lists them", "CHAR"},
    POPT_TABLEEND,
};

static const struct poptOption serving_options[] = {
    FLAG("keep-open", 'k', 'k', "go on for one session after the other, and for many at a time"),
    TAKES("max-conns", 'm', 'm', "with -k: at most so many sessions at a time (100)", "N"),
    POPT_TABLEEND,
};

static const struct poptOption other_options[] = {
    FLAG("verbose", 'v', 'v', "tell more"),
    FLAG("quiet", 'q', 'q', "tell errors only"),
    FLAG("progress", '\0', OPT_PROGRESS, "on a terminal: a line that tells how far it is"),
    TAKES("report", '\0', OPT_REPORT, "events as JSON lines", "FILE|fd:N"),
    {"trace", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, NULL, OPT_TRACE, "draw the handshake: on stderr, or into FILE (FILE.svg: a picture)", "FILE|fd:N"},
    TAKES("save-cert", '\0', OPT_SAVE_CERT, "write down what the peer shows of who it is (PEM)", "FILE"),
    FLAG("show-identity", '\0', OPT_SHOW_IDENTITY, "print our pin and name"),
    FLAG("make-psk", '\0', OPT_MAKE_PSK, "print a fresh key, for --psk-file"),
    TAKES("config", 'F', OPT_CONFIG, "settings (~/.config/symtls/config); none: no file", "FILE"),
    TAKES("known", '\0', OPT_KNOWN, "the known peers: list, add NAME PIN, del NAME [PIN]", "TASK"),
    FLAG("version", 'V', OPT_VERSION, "print the version"),
    POPT_TABLEEND,
};

const struct poptOption options_table[] = {
    GROUP(transport_options, "Transport:"),
    GROUP(time_options, "Time (500ms, 10s, 2m; with -w and the time-outs 0 is no limit):"),
    GROUP(role_options, "Role:"),
    GROUP(identity_options, "Our identity:"),
    GROUP(peer_options, "The peer:"),
    GROUP(tls_options, "TLS:"),
    GROUP(local_options, "Data:"),
    GROUP(serving_options, "Serving:"),
    GROUP(other_options, "Telling and other tasks:"),
    POPT_AUTOHELP
    POPT_TABLEEND,
};

const struct poptOption *options_named(const char *name)
{
    for (const struct poptOption *group = options_table; group->arg; group++) {
        const struct poptOption *option = group->arg;

        if (option == poptHelpOptions)
            continue;
        for (; option->longName; option++)
            if (strcmp(option->longName, name) == 0)
                return option;
    }
    return NULL;
}
