/* local.c - the plain side of a session: reading, writing, and the end of each. */
#include "local.h"
#include "local_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void local_reserve(void)
{
    /* Opened the wrong way round: using one says EBADF, as if it were still closed. */
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};

    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            return;
}

/* O_NONBLOCK belongs to the open file, which our shell and others share; so open a pipe or a terminal once more. */
static int reopen(int fd, int mode)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static void open_end(struct local_end *end, int fd, int mode)
{
    struct stat info;
    int own;

    end->fd = fd;
    if (fstat(fd, &info) != 0)
        return;
    end->is_socket = S_ISSOCK(info.st_mode);
    if (!S_ISFIFO(info.st_mode) && !(S_ISCHR(info.st_mode) && isatty(fd)))
        return;
    end->may_block = true;
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && S_ISFIFO(info.st_mode))
        mode = O_RDWR; /* a FIFO held open from both sides never ends: so be it */
    own = reopen(fd, mode);
    if (own < 0)
        return;
    /* In its place: there must be no second descriptor that keeps the pipe open when this one is closed. */
    if (dup3(own, fd, O_CLOEXEC) == fd)
        end->may_block = false;
    close(own);
}

__attribute__((format(printf, 4, 5))) static void fail(struct local *local, struct error *error, enum status status,
                                                       const char *format, ...)
{
    va_list arguments;

    local->failed = true;
    va_start(arguments, format);
    error_vset(error, status, format, arguments);
    va_end(arguments);
}

void local_init(struct local *local, const struct local_config *config)
{
    static const char *const in_names[] = {[LOCAL_STDIO] = "stdin",
                                           [LOCAL_PROGRAM] = "the program's output",
                                           [LOCAL_TARGET] = "the connection to the target",
                                           [LOCAL_DESCRIPTOR] = "the local connection"};
    static const char *const out_names[] = {[LOCAL_STDIO] = "stdout",
                                            [LOCAL_PROGRAM] = "the program's input",
                                            [LOCAL_TARGET] = "the connection to the target",
                                           [LOCAL_DESCRIPTOR] = "the local connection"};

    *local = (struct local){.config = config,
                            .connection = config->kind == LOCAL_DESCRIPTOR ? config->fd : -1,
                            .in = {.fd = -1, .name = in_names[config->kind]},
                            .out = {.fd = -1, .name = out_names[config->kind]},
                            .program = {.ears = -1, .resizes = -1},
                            .discard = !config->use_out};
}

static bool open_stdio(struct local *local, struct error *error)
{
    if (local->config->use_in)
        open_end(&local->in, STDIN_FILENO, O_RDONLY);
    if (local->config->use_out)
        open_end(&local->out, STDOUT_FILENO, O_WRONLY);
    if (!local->config->raw || tty_raw_begin(&local->raw, STDIN_FILENO))
        return true;
    fail(local, error, STATUS_LOCAL, "cannot make the terminal raw: %s", strerror(errno));
    return false;
}

/* A socket has one descriptor for each direction, so that each can be over by itself. */
static bool open_connection(struct local *local, struct error *error)
{
    local->in.is_socket = local->out.is_socket = true;
    local->in.fd = local->connection;
    local->out.fd = fcntl(local->connection, F_DUPFD_CLOEXEC, 3);
    if (local->out.fd >= 0)
        return true;
    fail(local, error, STATUS_LOCAL, "cannot open %s: %s", local->out.name, strerror(errno));
    return false;
}

static bool start_program(struct local *local, const struct local_occasion *occasion, struct wait *wait, struct error *error)
{
    const struct local_config *config = local->config;
    struct local_program_config program = {
        .words = config->words, .hidden = config->hidden, .use_in = config->use_in, .use_out = config->use_out, .pty = config->pty};

    local->failed = !local_program_start(&local->program, &program, occasion, wait, error);
    local->in.fd = local->program.in;
    local->out.fd = local->program.out;
    return !local->failed;
}

bool local_open(struct local *local, const struct local_occasion *occasion, struct wait *wait, struct error *error)
{
    switch (local->config->kind) {
    case LOCAL_STDIO:
        return open_stdio(local, error);
    case LOCAL_PROGRAM:
        return start_program(local, occasion, wait, error);
    case LOCAL_TARGET:
        local->connection = local_target_connect(&local->config->target, occasion, wait, error);
        local->failed = local->connection < 0;
        return !local->failed && open_connection(local, error);
    case LOCAL_DESCRIPTOR:
        return open_connection(local, error);
    }
    return false;
}

static void close_end(struct local_end *end)
{
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}

/* stdin and stdout are closed by our end. */
static void close_ends(struct local *local)
{
    if (local->connection >= 0 && local->in.fd < 0)
        close(local->connection); /* it was never opened */
    if (local->config->kind != LOCAL_STDIO) {
        close_end(&local->in);
        close_end(&local->out);
    }
    local->connection = -1;
}

void local_hang_up(struct local *local)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (local->connection >= 0)
        setsockopt(local->connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    local_program_hang_up(&local->program);
    close_ends(local);
    tty_raw_end(&local->raw);
}

void local_close(struct local *local, struct wait *wait, int patience_ms)
{
    close_ends(local);
    tty_raw_end(&local->raw);
    local_program_finish(&local->program, wait, patience_ms);
}

/* ---- A program's end ---- */

void local_look(struct local *local)
{
    int left = 0;

    local_program_look(&local->program);
    if (!local->program.ended)
        return;
    local->reader_gone = local->discard = true;
    if (local->program.has_pty)
        local->left = LOCAL_PTY_LEFT_MAX;
    else if (local->in.fd >= 0 && ioctl(local->in.fd, FIONREAD, &left) == 0)
        local->left = (size_t)left;
}

bool local_is_ending(const struct local *local)
{
    return local->program.ended && !local->in.has_ended;
}

bool local_is_running(const struct local *local)
{
    return local->program.pid > 0 && !local->program.ended;
}

/* A program that has ended says no more than it has said; what it has started may hold the pipe for ever. */
static enum local_read end_of_program(struct local *local)
{
    struct pollfd poll_fd = {.fd = local->in.fd, .events = POLLIN};

    local->is_held = local->in.fd >= 0 && (poll(&poll_fd, 1, 0) == 0 || !(poll_fd.revents & POLLHUP));
    local->in.has_ended = true;
    return LOCAL_READ_END;
}

/* ---- Bytes ---- */

bool local_ends_with_reader(const struct local *local)
{
    return local->config->kind == LOCAL_STDIO;
}

/* stdin and stdout may be one, too, but that belongs to whoever has started us. */
static bool is_connection(const struct local *local)
{
    return local->connection >= 0;
}

static void tell_reset(struct local *local, struct error *error)
{
    local->was_reset = true;
    fail(local, error, STATUS_NETWORK, "%s was reset", local->in.name);
}

enum local_read local_read(struct local *local, uint8_t *bytes, size_t size, size_t *length, struct error *error)
{
    bool is_ending = local_is_ending(local);
    ssize_t count;

    *length = 0;
    if (is_ending && (local->in.fd < 0 || local->left == 0))
        return end_of_program(local);
    if (is_ending && size > local->left)
        size = local->left;
    count = local->in.is_socket ? recv(local->in.fd, bytes, size, MSG_DONTWAIT) : read(local->in.fd, bytes, size);
    if (count > 0) {
        *length = (size_t)count;
        local->left -= is_ending ? *length : 0;
        return LOCAL_READ_SOME;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return is_ending ? end_of_program(local) : LOCAL_READ_NOTHING;
    if (count < 0 && errno == EIO && isatty(local->in.fd))
        count = 0; /* the terminal has gone */
    /* Once it has failed to take something, its end is no good one. */
    if (is_connection(local) && (count == 0 ? local->reader_gone : errno == ECONNRESET || errno == EPIPE))
        tell_reset(local, error);
    else if (count < 0)
        fail(local, error, STATUS_LOCAL, "cannot read %s: %s", local->in.name, strerror(errno));
    local->in.has_ended = true;
    return count == 0 && !local->was_reset ? LOCAL_READ_END : LOCAL_READ_FAILED;
}

size_t local_write(struct local *local, const uint8_t *bytes, size_t length, struct error *error)
{
    ssize_t count;

    if (local->discard)
        return length;
    /* When poll(2) says that a pipe is writable, so many bytes go without blocking. */
    if (local->out.may_block && length > PIPE_BUF)
        length = PIPE_BUF;
    count = local->out.is_socket ? send(local->out.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                                 : write(local->out.fd, bytes, length);
    if (count >= 0) {
        local->in_line = count > 0 ? bytes[count - 1] != '\n' && bytes[count - 1] != '\r' : local->in_line;
        return (size_t)count;
    }
    if (errno == EPIPE || (local->program.has_pty && errno == EIO) || (is_connection(local) && errno == ECONNRESET)) {
        local->reader_gone = true;
        local->discard = !local_ends_with_reader(local); /* what it said before can still be read */
        if (is_connection(local) && local->in.has_ended)
            tell_reset(local, error);
    } else if (errno != EAGAIN && errno != EINTR) {
        fail(local, error, STATUS_LOCAL, "cannot write to %s: %s", local->out.name, strerror(errno));
    }
    return 0;
}

bool local_close_out(struct local *local, struct error *error)
{
    int fd = local->out.fd;

    local->out.fd = -1;
    if (fd < 0)
        return true;
    /* A connection goes on in the other direction. */
    if (local->out.is_socket)
        shutdown(fd, SHUT_WR);
    if (local->program.has_pty)
        local_pty_end(fd, local->in_line);
    if (close(fd) == 0 || errno == EINTR)
        return true;
    fail(local, error, STATUS_LOCAL, "cannot write to %s: %s", local->out.name, strerror(errno));
    return false;
}
