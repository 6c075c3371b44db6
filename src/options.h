/* options.h - the command line: read, checked, and made into a plain struct. */
#ifndef SYMTLS_OPTIONS_H
#define SYMTLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "framing.h"
#include "facts.h"
#include "role.h"
#include "trust_rules.h"

enum options_task {
    OPTIONS_CONNECT,
    OPTIONS_LISTEN,
    OPTIONS_BOTH,
    OPTIONS_SHOW_IDENTITY,
    OPTIONS_KNOWN_LIST,
    OPTIONS_KNOWN_ADD,
    OPTIONS_KNOWN_DELETE,
    OPTIONS_MAKE_PSK,
    OPTIONS_VERSION
};

#define OPTIONS_TRACE_STDERR "-"

/* A list of texts. */
struct options_list {
    const char **at;
    size_t count;
};

/* Texts are owned by the struct; times are in milliseconds, -1: no limit. */
struct options {
    enum options_task task;
    const char *host; /* NULL: with OPTIONS_LISTEN the wildcard; else there is `path` or `descriptor` in its place */
    const char *port;
    const char *known_name; /* with KNOWN_ADD and KNOWN_DELETE */
    char known_pin[TEXT_PIN_SIZE]; /* "" where none is given, with KNOWN_DELETE */

    enum options_transport { OPTIONS_TCP, OPTIONS_UDP, OPTIONS_SCTP, OPTIONS_UNIX } transport;
    const char *path; /* OPTIONS_UNIX: in place of host and port */
    size_t mtu; /* bytes of a datagram */
    int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
    bool numeric;
    bool sctp_udp; /* SCTP in UDP, even where the kernel has SCTP */
    uint16_t sctp_udp_local, sctp_udp_remote;
    const char *source;             /* the first of `sources`, or NULL */
    struct options_list sources;
    const char *source_port;
    int wait_ms;
    int handshake_ms;
    int idle_ms;
    int linger_ms;
    int retries; /* -1: without end */
    int retry_delay_ms;

    enum role_want want;
    bool want_given; /* by the user */
    enum role_symmetric symmetric;
    enum options_hello { OPTIONS_HELLO_NOW, OPTIONS_HELLO_WAIT } hello;
    bool implicit;
    uint16_t extension_id;
    const char *preference;

    struct options_list identities;     /* -i, in order; */
    struct options_list identity_peers; /* and for whom each is: NULL for anybody */
    const char *certificate;
    const char *key;
    const char *ocsp_response;
    bool rawpk;
    const char *pass;
    bool no_identity;
    const char *psk_file;
    const char *psk_identity; /* NULL: USER@HOST */

    struct options_list peers;
    struct options_list pins; /* canonical */
    const char *cacert;
    const char *crl;
    enum trust_ocsp ocsp;
    bool dane;
    const char *dane_file; /* with dane; NULL: the DNS */
    enum trust_tofu tofu;
    enum trust_remote_id remote_id;
    bool insecure;
    bool allow_self;
    bool strict_eku;

    const char *priority;
    struct options_list alpn;
    const char *server_name; /* NULL: none */
    const char *keylog;
    const char *export_label;
    const char *export_context;
    size_t export_length;
    enum facts_binding channel_binding;
    size_t record_size; /* bytes; 0: as large as TLS has them */
    bool tickets;
    const char *session; /* the file; NULL: nothing is kept */
    const char *save_cert;

    struct options_list program; /* its words, NULL after them; none: stdin and stdout */
    struct options_target { const char *name, *host, *port, *path; } to, from; /* `path` or the other two; name NULL: not given */
    bool pty; /* the program gets a terminal */
    bool raw; /* ours hands over each key */
    int to_ms; /* for a connection to it */
    bool send_proxy;
    int descriptor;   /* of an open connection, in place of host and port; -1: none */
    bool inherited;   /* with OPTIONS_LISTEN: on the sockets that whoever started us has passed on */
    bool keep_open;   /* many sessions; */
    int max_sessions; /* so many at a time */

    uint8_t commands; /* what they begin with; 0: there are none */
    enum framing_kind framing;
    bool crlf;
    bool no_stdin;
    bool discard;
    bool zero;
    bool progress;
    int verbosity;
    const char *report;
    const char *trace; /* NULL: none; OPTIONS_TRACE_STDERR */

    const char *config;  /* the file of settings that was read; NULL: none */
    const char *section; /* and the section of it that counts; NULL: none */

    struct options_list owned; /* every text above */
};

/* False with an error of STATUS_LOCAL. In both cases options_free(). */
bool options_read(struct options *options, int argc, const char **argv, struct error *error);
void options_free(struct options *options);

#endif
