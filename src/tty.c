/* tty.c - questions to the user, on /dev/tty. */
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
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

void tty_suspend(const struct tty_raw *raw)
{
    struct termios before;
    bool known = tcgetattr(STDIN_FILENO, &before) == 0;

    if (raw && raw->guard)
        tcsetattr(raw->fd, TCSADRAIN, &raw->before);
    raise(SIGTSTP);
    if (known)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

bool tty_window(struct winsize *size)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (ioctl(fd, TIOCGWINSZ, size) == 0 && size->ws_row && size->ws_col)
            return true;
    return false;
}

/* ---- Raw ---- */

/* Wait until nobody holds the other end of the line, which is when the one that we watch over has died, whatever of. */
static void watch(const struct tty_raw *raw, int line)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTOU};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_IGN);
    while (read(line, &(char){0}, 1) < 0 && errno == EINTR)
        ;
    tcsetattr(raw->fd, TCSADRAIN, &raw->before);
    _exit(0);
}

static bool post_guard(struct tty_raw *raw)
{
    int line[2];

    if (pipe2(line, O_CLOEXEC) != 0)
        return false;
    raw->guard = fork();
    if (raw->guard == 0) {
        close(line[1]);
        watch(raw, line[0]);
    }
    close(line[0]);
    raw->line = line[1];
    if (raw->guard > 0)
        return true;
    close(line[1]);
    raw->guard = 0;
    return false;
}

bool tty_raw_begin(struct tty_raw *raw, int fd)
{
    struct termios settings;

    *raw = (struct tty_raw){.fd = fd};
    if (tcgetattr(fd, &raw->before) != 0 || !post_guard(raw))
        return false;
    settings = raw->before;
    cfmakeraw(&settings);
    if (tcsetattr(fd, TCSADRAIN, &settings) == 0)
        return true;
    tty_raw_end(raw);
    return false;
}

void tty_raw_end(struct tty_raw *raw)
{
    if (raw->guard == 0)
        return;
    close(raw->line); /* it gives them back, and we wait for that */
    while (waitpid(raw->guard, NULL, 0) < 0 && errno == EINTR)
        ;
    raw->guard = 0;
}
