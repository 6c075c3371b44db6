/* local.c - the plain side of a session: stdin and stdout. */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

    *end = (struct local_end){.fd = fd};
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

void local_init(struct local *local, bool use_in, bool use_out)
{
    memset(local, 0, sizeof *local);
    local->in.fd = -1;
    local->out.fd = -1;
    local->discard = !use_out;
    if (use_in)
        open_end(&local->in, STDIN_FILENO, O_RDONLY);
    if (use_out)
        open_end(&local->out, STDOUT_FILENO, O_WRONLY);
}

void local_free(struct local *local)
{
    local->in.fd = -1;
    local->out.fd = -1;
}

enum local_read local_read(struct local *local, uint8_t *bytes, size_t size, size_t *length, struct error *error)
{
    ssize_t count = local->in.is_socket ? recv(local->in.fd, bytes, size, MSG_DONTWAIT) : read(local->in.fd, bytes, size);

    *length = 0;
    if (count > 0) {
        *length = (size_t)count;
        return LOCAL_READ_SOME;
    }
    if (count == 0)
        return LOCAL_READ_END;
    if (errno == EAGAIN || errno == EINTR)
        return LOCAL_READ_NOTHING;
    if (errno == EIO && isatty(local->in.fd))
        return LOCAL_READ_END; /* the terminal has gone */
    error_set(error, STATUS_LOCAL, "cannot read stdin: %s", strerror(errno));
    return LOCAL_READ_FAILED;
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
    if (errno == EPIPE)
        local->reader_gone = true;
    else if (errno != EAGAIN && errno != EINTR)
        error_set(error, STATUS_LOCAL, "cannot write to stdout: %s", strerror(errno));
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
    error_set(error, STATUS_LOCAL, "cannot write to stdout: %s", strerror(errno));
    return false;
}

