/* life.c - one session's life. */
#include "life.h"
#include "inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* After which our first datagram is said again, for the first time: a hello to an open port is answered at once, while two
 * that meet have to find the moment at which both are there. */
enum { REPEAT_MS = 250, MEETING_REPEAT_MS = 50 };

void life_init(struct life *life, struct program *program)
{
    memset(life, 0, sizeof *life);
    life->program = program;
    life->channel.transport.fd = -1;
    life->session.keylog = -1;
}

void life_free(struct life *life)
{
    if (life->channel.session)
        channel_free(&life->channel);
    if (life->session.keylog > 2)
        close(life->session.keylog);
    resumption_free(&life->resumption);
    identity_free(life->identity);
    dane_free(&life->dane);
    psk_free(life->psk);
    life_init(life, life->program);
}

/* ---- Keys and rules ---- */

/* Before our keys are: without them nobody would be accepted. */
static bool find_dane(struct life *life)
{
    static const char *const protocols[] = {[OPTIONS_TCP] = "tcp", [OPTIONS_UDP] = "udp", [OPTIONS_SCTP] = "sctp"};
    const struct options *options = &life->program->options;

    if (!options->dane)
        return true;
    return dane_init(&life->dane, options->host, options->port, protocols[options->transport], &life->error) &&
           (options->dane_file ? dane_read(&life->dane, options->dane_file, &life->error)
                               : dane_ask(&life->dane, &life->program->wait, wait_until(options->wait_ms), &life->error));
}

bool life_load_identity(struct life *life)
{
    struct program *program = life->program;

    life->identity = ourselves_load(&program->options, program->passphrase, &program->wait, &program->report, &life->error);
    return life->identity && ourselves_load_psk(&program->options, life->usual_name, &life->psk, &life->error);
}

static bool random_bytes(void *bytes, size_t length)
{
    return getrandom(bytes, length, 0) == (ssize_t)length;
}

static bool configure_role(struct life *life)
{
    const struct options *options = &life->program->options;
    struct role_config *role = &life->session.role;
    enum role_want want = ourselves_want(options, life->psk, &life->program->report);

    /* A ticket is for its client. Who has to be the server cannot use it. */
    if (life->session.resume && !options->want_given && !options->implicit && options->symmetric != ROLE_SYMMETRIC_NEVER &&
        want != ROLE_WANT_SERVER)
        want = ROLE_WANT_PREFER_CLIENT;
    *role = (struct role_config){.want = want,
                                 .symmetric = options->symmetric,
                                 .active = options->hello == OPTIONS_HELLO_NOW,
                                 .implicit = options->implicit,
                                 .extension_id = options->extension_id};
    if (options->preference)
        return role_preference_parse(&role->ours, options->preference);
    if (role_preference_make(&role->ours, role->want, random_bytes))
        return true;
    error_set(&life->error, STATUS_LOCAL, "no random numbers: %s", strerror(errno));
    return false;
}

static bool open_keylog(struct life *life)
{
    const char *path = life->program->options.keylog ? life->program->options.keylog : getenv("SSLKEYLOGFILE");

    life->session.keylog = -1;
    if (!path || !*path)
        return true;
    life->session.keylog = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (life->session.keylog < 0) {
        error_set(&life->error, STATUS_LOCAL, "cannot write the key log \"%s\": %s", path, strerror(errno));
        return false;
    }
    report_say(&life->program->report, REPORT_NORMAL,
               "the secrets of this session go to %s: whoever reads it can read the session", path);
    return true;
}

static void note(void *context, const char *text)
{
    report_say(context, REPORT_NORMAL, "%s", text);
}

static void configure_session(struct life *life)
{
    const struct options *options = &life->program->options;
    struct session_config *session = &life->session;

    session->identity = life->identity;
    session->psk = life->psk;
    session->peers = options->peers.count ? options->peers.at : &life->trust.host;
    session->peer_count = options->peers.count ? options->peers.count : options->task == OPTIONS_LISTEN || !options->host ? 0 : 1;
    session->priority = options->priority;
    session->server_name = options->server_name;
    session->alpn = options->alpn.at;
    session->alpn_count = options->alpn.count;
    session->ask_identity = options->remote_id != TRUST_REMOTE_ID_IGNORE;
    session->export_label = options->export_label;
    session->export_length = options->export_length;
    session->export_context = options->export_context;
    session->binding = options->channel_binding;
    session->record_size = options->record_size;
    session->datagrams = options->transport == OPTIONS_UDP;
    session->mtu = options->mtu;
    session->trace = trace_sink(life->program->trace);
    session->first_repeat_ms = options->task == OPTIONS_BOTH ? MEETING_REPEAT_MS : REPEAT_MS;
}

static void configure_trust(struct life *life)
{
    const struct options *options = &life->program->options;

    life->trust = (struct trust_config){.pins = options->pins.at,
                                        .pin_count = options->pins.count,
                                        .peers = options->peers.at,
                                        .peer_count = options->peers.count,
                                        .cacert = options->cacert,
                                        .crl = options->crl,
                                        .ocsp = options->ocsp,
                                        .host = options->task == OPTIONS_LISTEN ? NULL : options->host,
                                        .known_path = life->program->known_path,
                                        .dane = options->dane ? &life->dane : NULL,
                                        .insecure = options->insecure,
                                        .allow_self = options->allow_self,
                                        .strict_eku = options->strict_eku,
                                        .tofu = options->tofu,
                                        .remote_id = options->remote_id};
}

static void configure_transport(struct life *life)
{
    const struct options *options = &life->program->options;
    struct sctp_user *user = &life->program->sctp_user;

    life->transport = (struct transport_config){.host = options->path ? options->path : options->host,
                                                .port = options->port,
                                                .source = options->source,
                                                .source_port = options->source_port,
                                                .family = options->family,
                                                .numeric = options->numeric,
                                                .wait_ms = options->wait_ms,
                                                .retries = options->retries,
                                                .retry_delay_ms = options->retry_delay_ms,
                                                .note = note,
                                                .note_context = &life->program->report};
    life->sctp = (struct sctp_config){.common = &life->transport,
                                      .sources = options->sources.at,
                                      .source_count = options->sources.count,
                                      .in_udp = options->sctp_udp,
                                      .udp_local = options->sctp_udp_local,
                                      .udp_remote = options->sctp_udp_remote,
                                      .user = user->pid > 0 ? user : NULL};
    life->reach = (struct reach){.options = options,
                                 .transport = &life->transport,
                                 .sctp = &life->sctp,
                                 .session = &life->session,
                                 .our_pin = identity_pin(life->identity, 0),
                                 .shared_key = life->psk != NULL,
                                 .report = &life->program->report,
                                 .wait = &life->program->wait,
                                 .channel = &life->channel,
                                 .error = &life->error};
}

static void configure_local(struct life *life)
{
    const struct options *options = &life->program->options;

    bool stdio = !options->program.count && !options->to.name;

    life->local = (struct local_config){.kind = options->to.name ? LOCAL_TARGET : stdio ? LOCAL_STDIO : LOCAL_PROGRAM,
                                        .use_in = !options->no_stdin && !options->zero,
                                        .in_follows = stdio && isatty(STDIN_FILENO) && (options->raw || !isatty(STDOUT_FILENO)),
                                        .raw = options->raw && isatty(STDIN_FILENO),
                                        .use_out = !options->discard && !options->zero,
                                        .framing = options->framing,
                                        .crlf = options->crlf,
                                        .fd = -1,
                                        .words = options->program.at,
                                        .pty = options->pty,
                                        .hidden = options->pass && strncmp(options->pass, "env:", 4) == 0 ? options->pass + 4 : NULL,
                                        .target = {.name = options->to.name,
                                                   .host = options->to.host,
                                                   .port = options->to.port,
                                                   .path = options->to.path,
                                                   .numeric = options->numeric,
                                                   .wait_ms = options->to_ms,
                                                   .send_proxy = options->send_proxy}};
}

static void configure_us(struct life *life)
{
    life->us = (struct trust_occasion){.our_pins = identity_pins(life->identity),
                                       .our_pin_count = identity_count(life->identity),
                                       .our_psk_name = life->psk ? psk_our_name(life->psk) : NULL};
}

static bool configure_resumption(struct life *life)
{
    const struct options *options = &life->program->options;

    life->resumption = (struct resumption){.path = options->session,
                                           .gives_tickets = options->tickets,
                                           .config = &life->session,
                                           .report = &life->program->report};
    return resumption_prepare(&life->resumption, &life->trust, &life->us, &life->session, &life->error);
}

/* The peer's bytes must not be taken for ours, nor the other way round. */
static bool check_descriptor(struct life *life)
{
    const struct local_config *local = &life->local;
    int fd = life->program->options.descriptor;
    bool stdio = local->kind == LOCAL_STDIO;

    if (fd < 0)
        return true;
    if (!inherited_check(fd, &life->error))
        return false;
    if (!(stdio && local->use_in && inherited_is_same(fd, STDIN_FILENO)) &&
        !(stdio && local->use_out && inherited_is_same(fd, STDOUT_FILENO)))
        return true;
    error_set(&life->error, STATUS_LOCAL,
              "--fd %d: stdin or stdout is the connection with the peer, so what goes over it has to be somewhere else: --exec or --to says where", fd);
    return false;
}

bool life_prepare(struct life *life)
{
    if (!find_dane(life) || !life_load_identity(life))
        return false;
    configure_session(life);
    configure_trust(life);
    configure_transport(life);
    configure_local(life);
    configure_us(life);
    /* They are read for each peer. Whoever serves many hears at once what is wrong with them, and not from the first one. */
    if (life->program->options.keep_open && !trust_check(&life->trust, &life->error))
        return false;
    return check_descriptor(life) && configure_resumption(life) && configure_role(life) && open_keylog(life) && session_check(&life->session, &life->error);
}

/* ---- The session ---- */

bool life_renew(struct life *life)
{
    error_clear(&life->error);
    life->program->wait.signal = 0;
    return configure_role(life);
}

void life_lead(struct life *life, int fd)
{
    life->local.kind = LOCAL_DESCRIPTOR;
    life->local.in_follows = false;
    life->local.fd = fd;
}

bool life_take_local(struct life *life)
{
    int fd;

    if (!reach_take_local(&life->reach, &fd))
        return false;
    life_lead(life, fd);
    return true;
}

bool life_reach(struct life *life)
{
    if (reach_peer(&life->reach))
        return true;
    /* Whoever has connected to us is told by a reset. */
    if (life->local.kind == LOCAL_DESCRIPTOR)
        transport_abort(&(struct transport){.fd = life->local.fd});
    return false;
}

/* Data is never a command: only what somebody types can be one. */
static uint8_t commands_of(const struct life *life)
{
    uint8_t character = life->program->options.commands;

    if (!character || life->local.kind != LOCAL_STDIO || !life->local.use_in)
        return 0;
    if (isatty(STDIN_FILENO))
        return character;
    report_say(&life->program->report, REPORT_NORMAL, "stdin is no terminal: all of it is data, and there are no --commands");
    return 0;
}

/* Where a line of the terminal can be cleared. */
static bool can_show_progress(const struct options *options)
{
    const char *terminal = getenv("TERM");

    return options->progress && isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void life_converse(struct life *life)
{
    const struct options *options = &life->program->options;
    struct pump_config config = {.trust = &life->trust,
                                 .local = &life->local,
                                 .handshake_ms = options->handshake_ms,
                                 .idle_ms = options->idle_ms,
                                 .linger_ms = options->linger_ms,
                                 .zero = options->zero,
                                 .us = life->us,
                                 .resumption = &life->resumption,
                                 .save_cert = options->save_cert,
                                 .told = life->told,
                                 .told_context = life->told_context,
                                 .commands = commands_of(life)};

    life->program->report.progress = can_show_progress(options);
    life->result = pump_run(&config, &life->channel, &life->program->report, &life->program->wait);
}

/* The signal that ends the process; 0: none. */
static int death_of(const struct life *life)
{
    int signal = life->program->wait.signal;

    return signal ? signal : life->result.reader_gone ? SIGPIPE : 0;
}

/* A report or a trace that has a gap is told, and it is an error unless there is a worse one. */
static int not_written(const struct life *life, const struct error *error, int exit)
{
    if (error->status == STATUS_OK)
        return exit;
    report_say(&life->program->report, REPORT_QUIET, "%s", error->story);
    return exit ? exit : (int)error->status;
}

int life_tell(struct life *life)
{
    struct report *report = &life->program->report;
    int death = death_of(life);
    int status = life->error.status ? (int)life->error.status : life->result.program_status;
    struct report_end end = {.exit = death ? 128 + death : status,
                             .sent = life->result.sent,
                             .received = life->result.received,
                             .peer_closed = life->result.peer_closed,
                             .moving_ms = life->result.moving_ms,
                             .peer_has_all = life->result.peer_has_all,
                             .datagrams = life->session.datagrams,
                             .lost = life->result.lost,
                             .error = &life->error};

    if (death)
        error_set(&life->error, STATUS_OK, "ended by %s", death == SIGPIPE ? "a closed stdout" : death == SIGINT ? "SIGINT" : death == SIGHUP ? "SIGHUP" : "SIGTERM");
    else if (life->error.status == STATUS_OK && life->result.program_signal)
        error_set(&life->error, STATUS_OK, "the program was ended by SIG%s", sigabbrev_np(life->result.program_signal));
    else if (life->error.status == STATUS_OK && status)
        error_set(&life->error, STATUS_OK, "the program ended with status %d", status);
    report_closed(report, &end);
    trace_end(life->program->trace, end.exit == 0, life->error.story);
    end.exit = not_written(life, &report->error, end.exit);
    end.exit = not_written(life, trace_error(life->program->trace), end.exit);
    return end.exit;
}

int life_leave(const struct life *life, int exit)
{
    int death = death_of(life);

    if (death)
        wait_die(death);
    return exit;
}
