/* local.c - the plain side of a session: reading, writing, and the end of each. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
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
    bool stdio = config->kind == LOCAL_STDIO;

    *local = (struct local){.config = config,
                            .connection = stdio ? -1 : config->fd,
                            .in = {.fd = -1, .name = stdio ? "stdin" : "the local connection"},
                            .out = {.fd = -1, .name = stdio ? "stdout" : "the local connection"},
                            .discard = !config->use_out};
}

static bool open_stdio(struct local *local)
{
    if (local->config->use_in)
        open_end(&local->in, STDIN_FILENO, O_RDONLY);
    if (local->config->use_out)
        open_end(&local->out, STDOUT_FILENO, O_WRONLY);
    return true;
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

bool local_open(struct local *local, const struct local_occasion *occasion, struct wait *wait, struct error *error)
{
    (void)occasion;
    (void)wait;
    switch (local->config->kind) {
    case LOCAL_STDIO:
        return open_stdio(local);
    case LOCAL_DESCRIPTOR:
        return open_connection(local, error);
    }
    return false;
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void local_close(struct local *local, bool well)
{
    if (local->connection >= 0) {
        if (!well)
            reset(local->connection);
        close(local->connection);
        if (local->out.fd >= 0)
            close(local->out.fd);
    }
    /* stdin and stdout are closed by our end. */
    local->connection = local->in.fd = local->out.fd = -1;
}

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
    ssize_t count = local->in.is_socket ? recv(local->in.fd, bytes, size, MSG_DONTWAIT) : read(local->in.fd, bytes, size);

    *length = 0;
    if (count > 0) {
        *length = (size_t)count;
        return LOCAL_READ_SOME;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return LOCAL_READ_NOTHING;
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
    if (count >= 0)
        return (size_t)count;
    if (errno == EPIPE || (is_connection(local) && errno == ECONNRESET)) {
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
    if (close(fd) == 0 || errno == EINTR)
        return true;
    fail(local, error, STATUS_LOCAL, "cannot write to %s: %s", local->out.name, strerror(errno));
    return false;
}
