/* local_program.c - a program as the plain side of a session. */
#include "local_program.h"
#include "local_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The two ends of each pipe: its own, and ours. */
struct pipes {
    int its_in, its_out;
    int our_out, our_in;
    char pty[LOCAL_PTY_PATH_SIZE]; /* in place of the first two; "": none */
    int its_report, our_report; /* why it could not be started; closed without a word once it has been */
};

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* A pipe, or if it is not `used`, /dev/null at its end and nothing at ours. Ours does not block. */
static bool make_pipe(bool used, bool it_reads, int *its, int *ours)
{
    int ends[2];

    if (!used) {
        *its = open("/dev/null", (it_reads ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
        return *its >= 0;
    }
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *its = ends[it_reads ? 0 : 1];
    *ours = ends[it_reads ? 1 : 0];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_terminal(struct pipes *pipes)
{
    pipes->our_in = local_pty_open(pipes->pty);
    pipes->our_out = pipes->our_in < 0 ? -1 : fcntl(pipes->our_in, F_DUPFD_CLOEXEC, 3);
    return pipes->our_out >= 0;
}

static bool make_pipes(const struct local_program_config *config, struct pipes *pipes)
{
    if (config->pty && !make_terminal(pipes))
        return false;
    return (config->pty || (make_pipe(config->use_out, true, &pipes->its_in, &pipes->our_out) &&
                            make_pipe(config->use_in, false, &pipes->its_out, &pipes->our_in))) &&
           make_pipe(true, false, &pipes->its_report, &pipes->our_report) && fcntl(pipes->our_report, F_SETFL, 0) == 0;
}

/* ---- In the child ---- */

static void set_environment(const struct local_program_config *config, const struct local_occasion *occasion)
{
    const struct facts *facts = occasion->facts;
    char local[ADDRESS_TEXT_SIZE], remote[ADDRESS_TEXT_SIZE];
    const struct {
        const char *name, *value;
    } variables[] = {
        {"SYMTLS_ROLE", facts_role(facts->role)},
        {"SYMTLS_PEER", facts->peer.name},
        {"SYMTLS_PIN", facts->peer.pin},
        {"SYMTLS_TRUST", facts_trust(facts->trust)},
        {"SYMTLS_ALPN", facts->alpn},
        {"SYMTLS_LOCAL", address_text(&occasion->transport->local, local)},
        {"SYMTLS_REMOTE", address_text(&occasion->transport->remote, remote)},
        {"SYMTLS_EXPORT", facts->export_hex ? facts->export_hex : ""},
    };

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i].name, variables[i].value, 1);
    if (config->hidden)
        unsetenv(config->hidden);
    unsetenv("CREDENTIALS_DIRECTORY"); /* systemd has put our key there */
}

static bool take_ends(const struct pipes *pipes)
{
    if (*pipes->pty)
        return local_pty_take(pipes->pty);
    return setpgid(0, 0) == 0 && dup2(pipes->its_in, STDIN_FILENO) >= 0 && dup2(pipes->its_out, STDOUT_FILENO) >= 0;
}

/* Go on as the program: with our stderr, and nothing else of ours. */
static void become(const struct local_program_config *config, const struct local_occasion *occasion,
                   const struct pipes *pipes, const struct wait *wait)
{
    int reason;

    set_environment(config, occasion);
    if (take_ends(pipes) &&
        dup3(pipes->its_report, STDERR_FILENO + 1, O_CLOEXEC) >= 0) {
        closefrom(STDERR_FILENO + 2);
        wait_release(wait);
        execvp(config->words[0], (char *const *)config->words);
    }
    reason = errno;
    _exit(write(STDERR_FILENO + 1, &reason, sizeof reason) != sizeof reason);
}

/* ---- Starting ---- */

static void tell_failure(const struct local_program_config *config, int reason, struct error *error)
{
    const char *name = config->words[0];
    bool is_path = strchr(name, '/') != NULL;

    if (reason != ENOENT)
        error_set(error, STATUS_NOT_EXECUTABLE, "cannot start \"%s\": %s", name, strerror(reason));
    else if (!is_path)
        error_set(error, STATUS_NO_PROGRAM, "cannot start \"%s\": there is no such program in PATH", name);
    else if (access(name, F_OK) != 0)
        error_set(error, STATUS_NO_PROGRAM, "cannot start \"%s\": %s", name, strerror(reason));
    else /* as with a script */
        error_set(error, STATUS_NOT_EXECUTABLE, "cannot start \"%s\": the interpreter that it names is not there", name);
}

/* Wait until the program runs, or has said why it cannot. */
static int hear_start(int report)
{
    int reason = 0;
    ssize_t length;

    do
        length = read(report, &reason, sizeof reason);
    while (length < 0 && errno == EINTR);
    return length == sizeof reason ? reason : 0;
}

static void reap(struct local_program *program)
{
    while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    program->pid = 0;
}

bool local_program_start(struct local_program *program, const struct local_program_config *config,
                         const struct local_occasion *occasion, struct wait *wait, struct error *error)
{
    struct pipes pipes = {-1, -1, -1, -1, "", -1, -1};
    bool made;
    int reason = 0;

    *program = (struct local_program){.in = -1, .out = -1, .ears = wait_hear_children(), .resizes = -1};
    made = program->ears >= 0 && make_pipes(config, &pipes);
    program->pid = made ? fork() : -1;
    if (program->pid == 0)
        become(config, occasion, &pipes, wait);
    if (program->pid < 0)
        error_set(error, STATUS_LOCAL, "cannot start a program: %s", strerror(errno));
    close_all((int[]){pipes.its_in, pipes.its_out, pipes.its_report}, 3);
    if (program->pid > 0) {
        reason = hear_start(pipes.our_report);
        program->in = pipes.our_in;
        program->out = pipes.our_out;
        program->has_pty = config->pty;
    }
    close_all(&pipes.our_report, 1);
    if (program->pid > 0 && reason == 0) {
        program->resizes = config->pty ? wait_hear_resizes() : -1;
        wait->group = program->pid;
        return true;
    }
    close_all((int[]){pipes.our_in, pipes.our_out, program->ears}, 3);
    if (reason) {
        tell_failure(config, reason, error);
        reap(program);
    }
    *program = (struct local_program){.in = -1, .out = -1, .ears = -1, .resizes = -1};
    return false;
}

void local_program_resize(struct local_program *program)
{
    wait_heard_children(program->resizes);
    if (program->in >= 0)
        local_pty_resize(program->in);
}

/* ---- Ending ---- */

void local_program_look(struct local_program *program)
{
    siginfo_t info = {0};

    wait_heard_children(program->ears);
    /* It stays a zombie until we have finished, so that its number, which is its group's too, is nobody else's. */
    if (program->pid == 0 || program->ended || waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return;
    program->ended = true;
    program->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    program->status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void local_program_hang_up(struct local_program *program)
{
    if (program->pid == 0 || program->is_told)
        return;
    program->is_told = true;
    kill(-program->pid, SIGHUP);
    kill(-program->pid, SIGCONT); /* what is stopped cannot hear */
}

void local_program_finish(struct local_program *program, struct wait *wait, int patience_ms)
{
    int64_t deadline = program->is_told ? wait_until(patience_ms) : WAIT_FOREVER;

    if (program->pid == 0)
        return;
    for (local_program_look(program); !program->ended; local_program_look(program)) {
        struct pollfd poll_fd = {.fd = program->ears, .events = POLLIN};

        switch (wait_for(wait, &poll_fd, 1, deadline)) {
        case WAIT_SIGNALLED:
            local_program_hang_up(program);
            deadline = wait_until(patience_ms);
            break;
        case WAIT_LATE:
            program->is_killed = true;
            kill(-program->pid, SIGKILL);
            deadline = WAIT_FOREVER;
            break;
        case WAIT_READY:
            break;
        }
    }
    wait->group = 0; /* soon it can be anybody's */
    reap(program);
    close(program->ears);
    if (program->resizes >= 0)
        close(program->resizes);
}
