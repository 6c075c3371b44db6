/* main.c - the straight line through all of it. */
#include "dane.h"
#include "known.h"
#include "file.h"
#include "local.h"
#include "options.h"
#include "ourselves.h"
#include "psk.h"
#include "pump.h"
#include "reach.h"
#include "report.h"
#include "sctp.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* After which our first datagram is said again, for the first time: a hello to an open port is answered at once, while two
 * that meet have to find the moment at which both are there. */
enum { REPEAT_MS = 250, MEETING_REPEAT_MS = 50 };

/* Everything that a run has; zeroed, filled from top to bottom, freed from bottom to top. */
struct run {
    struct options options;
    struct wait wait;
    struct report report;
    struct error error;
    char passphrase[OURSELVES_PASSPHRASE_SIZE]; /* for our keys; wiped once they are loaded */
    struct identity *identity;
    struct psk *psk; /* NULL without --psk-file */
    char usual_name[IDENTITY_NAME_SIZE]; /* that we have with it, unless told another one */
    char *known_path;
    struct dane dane;
    struct session_config session;
    struct trust_config trust;
    struct transport_config transport;
    struct sctp_config sctp;
    struct sctp_user sctp_user; /* SCTP in UDP is spoken by a process of its own */
    struct channel channel;
    struct pump_result result;
};

static bool load_identity(struct run *run)
{
    run->identity = ourselves_load(&run->options, run->passphrase, &run->wait, &run->report, &run->error);
    return run->identity && ourselves_load_psk(&run->options, run->usual_name, &run->psk, &run->error);
}

/* ---- Other tasks than a session ---- */

static void flush(struct run *run)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        error_set(&run->error, STATUS_LOCAL, "cannot write to stdout: %s", strerror(errno));
}

static void show_identity(struct run *run)
{
    if (run->error.status == STATUS_OK && load_identity(run))
        ourselves_show(run->identity);
}

static void delete_known(struct run *run, const char *name, const char *pin)
{
    size_t count;

    if (!known_delete(run->known_path, name, pin, &count, &run->error) || count > 0)
        return;
    if (pin)
        error_set(&run->error, STATUS_LOCAL, "nobody is known as \"%s\" with the key %s in %s", name, pin, run->known_path);
    else
        error_set(&run->error, STATUS_LOCAL, "nobody is known as \"%s\" in %s", name, run->known_path);
}

static void edit_known(struct run *run)
{
    const char *name = run->options.known_name;
    const char *pin = *run->options.known_pin ? run->options.known_pin : NULL;

    switch (run->options.task) {
    case OPTIONS_KNOWN_ADD:
        known_add(run->known_path, name, pin, "added", &run->error);
        break;
    case OPTIONS_KNOWN_DELETE:
        delete_known(run, name, pin);
        break;
    default:
        known_list(run->known_path, isatty(STDOUT_FILENO) ? KNOWN_ALIGNED : KNOWN_AS_WRITTEN, stdout, &run->error);
        break;
    }
}

static bool random_bytes(void *bytes, size_t length)
{
    return getrandom(bytes, length, 0) == (ssize_t)length;
}

static void make_psk(struct run *run)
{
    char line[PSK_LINE_SIZE];

    if (psk_make(line, random_bytes))
        printf("%s\n", line);
    else
        error_set(&run->error, STATUS_LOCAL, "no random numbers: %s", strerror(errno));
    explicit_bzero(line, sizeof line);
}

/* ---- A session ---- */

/* Before anything else: without them nobody would be accepted, and our keys are not loaded yet. */
static bool find_dane(struct run *run)
{
    static const char *const protocols[] = {[OPTIONS_TCP] = "tcp", [OPTIONS_UDP] = "udp", [OPTIONS_SCTP] = "sctp"};
    const struct options *options = &run->options;

    if (!options->dane)
        return true;
    return dane_init(&run->dane, options->host, options->port, protocols[options->transport], &run->error) &&
           (options->dane_file ? dane_read(&run->dane, options->dane_file, &run->error)
                               : dane_ask(&run->dane, &run->wait, wait_until(options->wait_ms), &run->error));
}

static bool configure_role(struct run *run)
{
    const struct options *options = &run->options;
    struct role_config *role = &run->session.role;

    *role = (struct role_config){.want = ourselves_want(options, run->psk, &run->report),
                                 .symmetric = options->symmetric,
                                 .active = options->hello == OPTIONS_HELLO_NOW,
                                 .implicit = options->implicit,
                                 .extension_id = options->extension_id};
    if (options->preference)
        return role_preference_parse(&role->ours, options->preference);
    if (role_preference_make(&role->ours, role->want, random_bytes))
        return true;
    error_set(&run->error, STATUS_LOCAL, "no random numbers: %s", strerror(errno));
    return false;
}

static bool open_keylog(struct run *run)
{
    const char *path = run->options.keylog ? run->options.keylog : getenv("SSLKEYLOGFILE");

    run->session.keylog = -1;
    if (!path || !*path)
        return true;
    run->session.keylog = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (run->session.keylog < 0) {
        error_set(&run->error, STATUS_LOCAL, "cannot write the key log \"%s\": %s", path, strerror(errno));
        return false;
    }
    report_say(&run->report, REPORT_NORMAL, "the secrets of this session go to %s: whoever reads it can read the session",
               path);
    return true;
}

static void note(void *context, const char *text)
{
    report_say(context, REPORT_NORMAL, "%s", text);
}

static bool is_sctp_in_udp(const struct run *run)
{
    return run->options.transport == OPTIONS_SCTP && sctp_user_is_built_in() &&
           sctp_kind(run->options.sctp_udp) == TRANSPORT_SCTP_IN_UDP;
}

static bool configure(struct run *run)
{
    const struct options *options = &run->options;

    run->session.identity = run->identity;
    run->session.psk = run->psk;
    run->session.peers = options->peers.count ? options->peers.at : &run->trust.host;
    run->session.peer_count = options->peers.count ? options->peers.count : options->task == OPTIONS_LISTEN ? 0 : 1;
    run->session.priority = options->priority;
    run->session.server_name = options->server_name;
    run->session.alpn = options->alpn.at;
    run->session.alpn_count = options->alpn.count;
    run->session.ask_identity = options->remote_id != TRUST_REMOTE_ID_IGNORE;
    run->session.export_label = options->export_label;
    run->session.export_length = options->export_length;
    run->session.export_context = options->export_context;
    run->session.datagrams = options->transport == OPTIONS_UDP;
    run->session.mtu = options->mtu;
    run->session.first_repeat_ms = options->task == OPTIONS_BOTH ? MEETING_REPEAT_MS : REPEAT_MS;
    run->sctp = (struct sctp_config){.common = &run->transport,
                                     .sources = options->sources.at,
                                     .source_count = options->sources.count,
                                     .in_udp = options->sctp_udp,
                                     .udp_local = options->sctp_udp_local,
                                     .udp_remote = options->sctp_udp_remote,
                                     .user = run->sctp_user.pid > 0 ? &run->sctp_user : NULL};
    run->trust = (struct trust_config){.pins = options->pins.at,
                                       .pin_count = options->pins.count,
                                       .peers = options->peers.at,
                                       .peer_count = options->peers.count,
                                       .cacert = options->cacert,
                                       .crl = options->crl,
                                       .ocsp = options->ocsp,
                                       .host = options->task == OPTIONS_LISTEN ? NULL : options->host,
                                       .known_path = run->known_path,
                                       .dane = options->dane ? &run->dane : NULL,
                                       .insecure = options->insecure,
                                       .allow_self = options->allow_self,
                                       .strict_eku = options->strict_eku,
                                       .tofu = options->tofu,
                                       .remote_id = options->remote_id};
    run->transport = (struct transport_config){.host = options->host,
                                   .port = options->port,
                                   .source = options->source,
                                   .source_port = options->source_port,
                                   .family = options->family,
                                   .numeric = options->numeric,
                                   .wait_ms = options->wait_ms,
                                   .retries = options->retries,
                                   .retry_delay_ms = options->retry_delay_ms,
                                   .note = note,
                                   .note_context = &run->report};
    return configure_role(run) && open_keylog(run) && session_check(&run->session, &run->error);
}

static void converse(struct run *run)
{
    const struct options *options = &run->options;
    struct pump_config config = {.trust = &run->trust,
                                 .handshake_ms = options->handshake_ms,
                                 .idle_ms = options->idle_ms,
                                 .linger_ms = options->linger_ms,
                                 .zero = options->zero,
                                 .use_in = !options->no_stdin && !options->zero,
                                 .in_follows = isatty(STDIN_FILENO) && !isatty(STDOUT_FILENO)};
    struct local local;

    config.us.our_pins = identity_pins(run->identity);
    config.us.our_pin_count = identity_count(run->identity);
    config.us.our_psk_name = run->psk ? psk_our_name(run->psk) : NULL;
    local_init(&local, config.use_in, !options->discard && !options->zero);
    run->result = pump_run(&config, &run->channel, &local, &run->report, &run->wait);
}

static bool reach(struct run *run)
{
    struct reach reach = {.options = &run->options,
                          .transport = &run->transport,
                          .sctp = &run->sctp,
                          .session = &run->session,
                          .our_pin = identity_pin(run->identity, 0),
                          .shared_key = run->psk != NULL,
                          .report = &run->report,
                          .wait = &run->wait,
                          .channel = &run->channel,
                          .error = &run->error};

    return reach_peer(&reach);
}

static void hold_session(struct run *run)
{
    if (run->error.status == STATUS_OK && find_dane(run) && load_identity(run) && configure(run) && reach(run))
        converse(run);
}

/* ---- The end ---- */

/* How the process ends; a signal ends it as if it had not been caught. */
static int finish(struct run *run)
{
    int death = run->wait.signal ? run->wait.signal : run->result.reader_gone ? SIGPIPE : 0;
    struct report_end end = {.exit = death ? 128 + death : (int)run->error.status,
                             .sent = run->result.sent,
                             .received = run->result.received,
                             .peer_closed = run->result.peer_closed,
                             .datagrams = run->session.datagrams,
                             .lost = run->result.lost,
                             .error = &run->error};

    if (death)
        error_set(&run->error, STATUS_OK, "ended by %s", death == SIGPIPE ? "a closed stdout" : death == SIGINT ? "SIGINT" : death == SIGHUP ? "SIGHUP" : "SIGTERM");
    report_closed(&run->report, &end);
    if (run->report.error.status) {
        report_say(&run->report, REPORT_QUIET, "%s", run->report.error.story);
        if (end.exit == 0)
            end.exit = (int)run->report.error.status;
    }
    if (death)
        wait_die(death);
    return end.exit;
}

static void tidy_up(struct run *run)
{
    if (run->channel.session)
        channel_free(&run->channel);
    if (run->sctp_user.pid > 0)
        sctp_user_free(&run->sctp_user);
    if (run->session.keylog > 2)
        close(run->session.keylog);
    identity_free(run->identity);
    dane_free(&run->dane);
    psk_free(run->psk);
    free(run->known_path);
    report_free(&run->report);
    wait_free(&run->wait);
    options_free(&run->options);
}

/* Read the command line and open what it names. A passphrase may be typed in, so signals keep their usual effect until
 * after it. */
static bool begin(struct run *run, int argc, char **argv)
{
    local_reserve();
    run->channel.transport.fd = -1;
    run->session.keylog = -1;
    run->wait.signal_fd = -1;
    run->known_path = file_path("XDG_DATA_HOME", ".local/share", "known_peers");
    if (!run->known_path) {
        error_set(&run->error, STATUS_LOCAL, "there is no home folder: set HOME, or XDG_CONFIG_HOME and XDG_DATA_HOME");
        return false;
    }
    if (!options_read(&run->options, argc, (const char **)argv, &run->error) ||
        !report_init(&run->report, run->options.report, run->options.verbosity, &run->error))
        return false;
    /* That process must not know any secret: it comes first. */
    if (is_sctp_in_udp(run) && !sctp_user_prepare(&run->sctp_user, &run->error))
        return false;
    ourselves_read_passphrase(&run->options, run->passphrase, &run->error);
    if (!wait_init(&run->wait))
        error_set(&run->error, STATUS_LOCAL, "cannot wait for signals: %s", strerror(errno));
    return true;
}

/* What is asked for in place of a session has no events. */
static int finish_task(struct run *run)
{
    flush(run);
    if (run->error.status)
        fprintf(stderr, "symtls: %s\n", run->error.story);
    if (run->wait.signal)
        wait_die(run->wait.signal);
    return (int)run->error.status;
}

int main(int argc, char **argv)
{
    static const struct run empty;
    struct run run = empty;
    int status;

    if (!begin(&run, argc, argv)) {
        status = finish_task(&run);
        tidy_up(&run);
        return status;
    }
    switch (run.options.task) {
    case OPTIONS_VERSION:
        printf("symtls %s\n", VERSION);
        status = finish_task(&run);
        break;
    case OPTIONS_SHOW_IDENTITY:
        show_identity(&run);
        status = finish_task(&run);
        break;
    case OPTIONS_MAKE_PSK:
        make_psk(&run);
        status = finish_task(&run);
        break;
    case OPTIONS_KNOWN_LIST:
    case OPTIONS_KNOWN_ADD:
    case OPTIONS_KNOWN_DELETE:
        edit_known(&run);
        status = finish_task(&run);
        break;
    default:
        hold_session(&run);
        status = finish(&run);
        break;
    }
    tidy_up(&run);
    return status;
}
