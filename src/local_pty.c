/* local_pty.c - a terminal for a program. */
#include "local_pty.h"
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { END_MS = 1000 /* for a terminal that is full to take one more character */ };

int local_pty_open(char path[LOCAL_PTY_PATH_SIZE])
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), reason;

    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, path, LOCAL_PTY_PATH_SIZE) == 0) {
        local_pty_resize(master);
        return master;
    }
    reason = errno;
    if (master >= 0)
        close(master);
    errno = reason;
    return -1;
}

bool local_pty_take(const char *path)
{
    int fd;

    if (setsid() < 0)
        return false;
    fd = open(path, O_RDWR);
    return fd >= 0 && ioctl(fd, TIOCSCTTY, 0) == 0 && dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0 &&
           dup2(fd, STDERR_FILENO) >= 0;
}

void local_pty_resize(int master)
{
    struct winsize size;

    if (!tty_window(&size))
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    ioctl(master, TIOCSWINSZ, &size);
}

void local_pty_end(int master, bool in_line)
{
    struct termios settings;
    int times;

    if (tcgetattr(master, &settings) != 0 || settings.c_cc[VEOF] == _POSIX_VDISABLE)
        return;
    /* To a terminal that hands over lines the first one only ends the line. */
    times = in_line && (settings.c_lflag & ICANON) ? 2 : 1;
    for (int i = 0; i < times; i++) {
        struct pollfd poll_fd = {.fd = master, .events = POLLOUT};

        if (poll(&poll_fd, 1, END_MS) != 1 || write(master, &settings.c_cc[VEOF], 1) != 1)
            return;
    }
}
