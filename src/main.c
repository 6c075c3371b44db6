/* main.c - the straight line through all of it. */
#include "file.h"
#include "inherited.h"
#include "known.h"
#include "life.h"
#include "local.h"
#include "options.h"
#include "ourselves.h"
#include "psk.h"
#include "report.h"
#include "sctp.h"
#include "serve.h"
#include "trace.h"
#include "wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Everything that a run has; zeroed, filled from top to bottom, freed from bottom to top. */
struct run {
    struct program program;
    struct life life;
};

/* ---- Other tasks than a session ---- */

static void flush(struct error *error)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        error_set(error, STATUS_LOCAL, "cannot write to stdout: %s", strerror(errno));
}

static void show_identity(struct life *life)
{
    if (life->error.status == STATUS_OK && life_load_identity(life))
        ourselves_show(life->identity);
}

static void delete_known(const char *path, const char *name, const char *pin, struct error *error)
{
    size_t count;

    if (!known_delete(path, name, pin, &count, error) || count > 0)
        return;
    if (pin)
        error_set(error, STATUS_LOCAL, "nobody is known as \"%s\" with the key %s in %s", name, pin, path);
    else
        error_set(error, STATUS_LOCAL, "nobody is known as \"%s\" in %s", name, path);
}

static void edit_known(const struct program *program, struct error *error)
{
    const char *path = program->known_path, *name = program->options.known_name;
    const char *pin = *program->options.known_pin ? program->options.known_pin : NULL;

    switch (program->options.task) {
    case OPTIONS_KNOWN_ADD:
        known_add(path, name, pin, "added", error);
        break;
    case OPTIONS_KNOWN_DELETE:
        delete_known(path, name, pin, error);
        break;
    default:
        known_list(path, isatty(STDOUT_FILENO) ? KNOWN_ALIGNED : KNOWN_AS_WRITTEN, stdout, error);
        break;
    }
}

static bool random_bytes(void *bytes, size_t length)
{
    return getrandom(bytes, length, 0) == (ssize_t)length;
}

static void make_psk(struct error *error)
{
    char line[PSK_LINE_SIZE];

    if (psk_make(line, random_bytes))
        printf("%s\n", line);
    else
        error_set(error, STATUS_LOCAL, "no random numbers: %s", strerror(errno));
    explicit_bzero(line, sizeof line);
}

/* What is asked for in place of a session has no events. */
static int finish_task(struct life *life)
{
    flush(&life->error);
    if (life->error.status)
        fprintf(stderr, "symtls: %s\n", life->error.story);
    if (life->program->wait.signal)
        wait_die(life->program->wait.signal);
    return (int)life->error.status;
}

/* ---- Beginning and end ---- */

static bool is_sctp_in_udp(const struct options *options)
{
    return options->transport == OPTIONS_SCTP && sctp_user_is_built_in() &&
           sctp_kind(options->sctp_udp) == TRANSPORT_SCTP_IN_UDP;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* False with an error; true also when nobody has asked for one. */
static bool open_trace(struct program *program, struct error *error)
{
    const struct options *options = &program->options;

    if (!options->trace)
        return true;
    program->trace = trace_new(strcmp(options->trace, OPTIONS_TRACE_STDERR) == 0 ? NULL : options->trace, options->verbosity, now_us, error);
    return program->trace != NULL;
}

/* Read the command line and open what it names. A passphrase may be typed in, so signals keep their usual effect until
 * after it. */
static bool begin(struct program *program, int argc, char **argv, struct error *error)
{
    local_reserve();
    program->wait.signal_fd = -1;
    program->known_path = file_path("XDG_DATA_HOME", ".local/share", "known_peers");
    if (!program->known_path) {
        error_set(error, STATUS_LOCAL, "there is no home folder: set HOME, or XDG_CONFIG_HOME and XDG_DATA_HOME");
        return false;
    }
    if (!options_read(&program->options, argc, (const char **)argv, error) ||
        !report_init(&program->report, program->options.report, program->options.verbosity, error) || !open_trace(program, error))
        return false;
    if (program->options.config)
        report_say(&program->report, REPORT_VERBOSE, "settings are from %s%s%s", program->options.config,
                   program->options.section ? ", also those for " : "", program->options.section ? program->options.section : "");
    if (program->options.descriptor >= 0)
        inherited_silence(program->options.descriptor);
    /* That process must not know any secret: it comes first. */
    if (is_sctp_in_udp(&program->options) && !sctp_user_prepare(&program->sctp_user, error))
        return false;
    ourselves_read_passphrase(&program->options, program->passphrase, error);
    if (!wait_init(&program->wait))
        error_set(error, STATUS_LOCAL, "cannot wait for signals: %s", strerror(errno));
    return true;
}

static void tidy_up(struct program *program)
{
    if (program->sctp_user.pid > 0)
        sctp_user_free(&program->sctp_user);
    free(program->known_path);
    trace_free(program->trace);
    report_free(&program->report);
    wait_free(&program->wait);
    options_free(&program->options);
}

static int hold_session(struct life *life)
{
    if (life->error.status == STATUS_OK && life_prepare(life) &&
        (!life->program->options.from.name || life_take_local(life)) && life_reach(life))
        life_converse(life);
    return life_leave(life, life_tell(life));
}

static int do_task(struct life *life)
{
    switch (life->program->options.task) {
    case OPTIONS_VERSION:
        printf("symtls %s\n", VERSION);
        break;
    case OPTIONS_SHOW_IDENTITY:
        show_identity(life);
        break;
    case OPTIONS_MAKE_PSK:
        make_psk(&life->error);
        break;
    case OPTIONS_KNOWN_LIST:
    case OPTIONS_KNOWN_ADD:
    case OPTIONS_KNOWN_DELETE:
        edit_known(life->program, &life->error);
        break;
    default:
        return life->program->options.keep_open ? serve(life) : hold_session(life);
    }
    return finish_task(life);
}

int main(int argc, char **argv)
{
    static const struct run empty;
    struct run run = empty;
    int status;

    life_init(&run.life, &run.program);
    status = begin(&run.program, argc, argv, &run.life.error) ? do_task(&run.life) : finish_task(&run.life);
    life_free(&run.life);
    tidy_up(&run.program);
    /* What the libraries would tidy up in exit() goes away with the process. For a session that was forked off it is a fifth of its
     * page faults: memory that it shares with the listener has to be copied before it can be freed. */
    fflush(NULL);
    if (!SANITIZED) /* leaks are looked for in exit() */
        _exit(status);
    return status;
}
