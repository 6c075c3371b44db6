/* tty.c - questions to the user, on /dev/tty. */
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static bool open_tty(struct tty *tty)
{
    memset(tty, 0, sizeof *tty);
    tty->fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return tty->fd >= 0;
}

static bool show(const struct tty *tty, const char *text)
{
    size_t length = strlen(text);

    return write(tty->fd, text, length) == (ssize_t)length;
}

bool tty_ask(struct tty *tty, const char *question)
{
    if (!open_tty(tty))
        return false;
    tcflush(tty->fd, TCIFLUSH); /* an answer must be to this question */
    if (show(tty, question))
        return true;
    tty_close(tty);
    return false;
}

bool tty_read(struct tty *tty, const char **answer)
{
    char *end;
    ssize_t count = read(tty->fd, tty->line + tty->length, sizeof tty->line - 1 - tty->length);

    *answer = NULL;
    if (count < 0)
        return errno != EAGAIN && errno != EINTR;
    if (count == 0)
        return true;
    tty->length += (size_t)count;
    tty->line[tty->length] = '\0';
    end = strpbrk(tty->line, "\r\n");
    if (!end && tty->length < sizeof tty->line - 1)
        return false;
    if (end)
        *end = '\0';
    while (end && end > tty->line && end[-1] == ' ')
        *--end = '\0';
    *answer = tty->line;
    return true;
}

void tty_close(struct tty *tty)
{
    if (tty->fd >= 0)
        close(tty->fd);
    explicit_bzero(tty->line, sizeof tty->line);
    tty->fd = -1;
}

bool tty_ask_secret(struct wait *wait, const char *question, char *answer, size_t size)
{
    struct tty tty;
    struct termios before, silent;
    struct pollfd poll_fd;
    const char *line = NULL;
    bool complete = false, silenced;

    if (!open_tty(&tty))
        return false;
    /* Silence, and forget what was typed ahead, before the question: what comes after it is the answer. */
    silenced = tcgetattr(tty.fd, &before) == 0;
    if (silenced) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(tty.fd, TCSAFLUSH, &silent);
    }
    poll_fd = (struct pollfd){.fd = tty.fd, .events = POLLIN};
    complete = !show(&tty, question);
    while (!complete && wait_for(wait, &poll_fd, 1, WAIT_FOREVER) == WAIT_READY)
        complete = tty_read(&tty, &line);
    if (line)
        snprintf(answer, size, "%s", line);
    if (silenced)
        tcsetattr(tty.fd, TCSADRAIN, &before);
    show(&tty, "\n");
    tty_close(&tty);
    return line != NULL;
}

/* ---- While it is what we read from ---- */

bool tty_is_by_line(int fd)
{
    struct termios settings;

    return tcgetattr(fd, &settings) == 0 && (settings.c_lflag & ICANON);
}

void tty_tell(const char *text)
{
    int own = isatty(STDERR_FILENO) ? -1 : open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);
    int fd = own >= 0 ? own : STDERR_FILENO;
    struct termios settings;
    bool adds_return = tcgetattr(fd, &settings) != 0 || (settings.c_oflag & OPOST);

    dprintf(fd, "symtls: %s%s\n", text, adds_return ? "" : "\r"); /* in one write(2): the peer's data is shown there, too */
    if (own >= 0)
        close(own);
}

void tty_suspend(void)
{
    struct termios before;
    bool known = tcgetattr(STDIN_FILENO, &before) == 0;

    raise(SIGTSTP);
    if (known)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}
