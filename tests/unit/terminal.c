/* terminal.c - a terminal with a test sitting at it. */
#include "check.h"
#include "ends.h"
#include "terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int terminal_new(char path[64])
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
    assert_int_equal(ptsname_r(fd, path, 64), 0);
    return fd;
}

int terminal_take(const char *path)
{
    int fd;

    setsid();
    fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (path && (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0))
        _exit(98);
    return fd;
}

char *terminal_expect(int terminal, const char *words)
{
    static char text[4096];
    size_t length = 0;

    text[0] = '\0';
    while (!strstr(text, words)) {
        ssize_t count;

        await(terminal, POLLIN);
        count = read(terminal, text + length, sizeof text - 1 - length);
        check_row(count > 0, "the terminal shows: %s", text);
        length += (size_t)count;
        text[length] = '\0';
    }
    return text;
}

void terminal_wait_for_echo(int terminal, bool echo)
{
    struct termios settings;

    /* No event tells of it. */
    for (int waited = 0; waited < TEST_PATIENCE_MS; waited++) {
        assert_int_equal(tcgetattr(terminal, &settings), 0);
        if (((settings.c_lflag & ECHO) != 0) == echo)
            return;
        poll(NULL, 0, 1);
    }
    fail();
}
