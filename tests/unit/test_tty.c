/* test_tty.c - questions on the terminal, with somebody at it. */
#include "check.h"
#include "ends.h"
#include "helpers.h"
#include "terminal.h"
#include "tty.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Who asks is a child that has the terminal; what it was told it writes to a file. */
struct asker {
    char path[64];
    int terminal; /* where the user sits */
    int child;
};

static const char *const question = "Who is there? ";

static void tell(const char *answer)
{
    file_put(scratch_path("answer"), answer, 0600);
}

static int ask(void *argument)
{
    const struct asker *asker = argument;
    struct tty tty;
    struct pollfd poll_fd;
    const char *answer = NULL;

    terminal_take(asker->path);
    if (!tty_ask(&tty, question))
        return 1;
    poll_fd = (struct pollfd){.fd = tty.fd, .events = POLLIN};
    do
        if (poll(&poll_fd, 1, TEST_PATIENCE_MS) != 1)
            return 2;
    while (!tty_read(&tty, &answer));
    tell(answer ? answer : "(the end)");
    tty_close(&tty);
    return tty.fd == -1 ? 0 : 3;
}

static int ask_secret(void *argument)
{
    const struct asker *asker = argument;
    struct wait wait;
    char answer[16] = "(nothing)";

    terminal_take(asker->path);
    if (!wait_init(&wait))
        return 1;
    tell(tty_ask_secret(&wait, question, answer, sizeof answer) ? answer : wait.signal ? "(a signal)" : "(no answer)");
    return 0;
}

static void start(struct asker *asker, child_function *function)
{
    asker->terminal = terminal_new(asker->path);
    asker->child = child_start(function, asker);
}

static void expect(struct asker *asker, const char *answer)
{
    char *found;

    assert_int_equal(child_end(asker->child), 0);
    found = file_get(scratch_path("answer"));
    assert_string_equal(found, answer);
    free(found);
    close(asker->terminal);
}

static bool echoes(const struct asker *asker)
{
    struct termios settings;

    assert_int_equal(tcgetattr(asker->terminal, &settings), 0);
    return settings.c_lflag & ECHO;
}

/* ---- Asking ---- */

static void test_answers(void **state)
{
    static const struct {
        const char *typed, *answer;
    } table[] = {
        {"yes\n", "yes"}, {"yes  \n", "yes"},    {" yes\n", " yes"},         {"\n", ""},        {"   \n", ""},
        {"\x04", "(the end)"}, {"ye\x7fs\n", "ys"}, {"two words\n", "two words"}, {"yes\r", "yes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct asker asker;

        start(&asker, ask);
        terminal_expect(asker.terminal, question);
        write_all(asker.terminal, table[i].typed, strlen(table[i].typed));
        expect(&asker, table[i].answer);
    }
}

/* Typed in several goes, it is one answer. */
static void test_slow_typing(void **state)
{
    struct asker asker;

    (void)state;
    start(&asker, ask);
    terminal_expect(asker.terminal, question);
    write_all(asker.terminal, "pin-sha", 7);
    terminal_expect(asker.terminal, "pin-sha"); /* it is on the screen */
    write_all(asker.terminal, "256:\n", 5);
    expect(&asker, "pin-sha256:");
}

static void test_long_answer(void **state)
{
    struct asker asker;
    char typed[1001], answer[512];

    (void)state;
    memset(typed, 'x', 1000);
    typed[1000] = '\n';
    memset(answer, 'x', 511);
    answer[511] = '\0';
    start(&asker, ask);
    terminal_expect(asker.terminal, question);
    write_all(asker.terminal, typed, sizeof typed);
    expect(&asker, answer);
}

/* What was typed before the question cannot be its answer. */
static int ask_late(void *argument)
{
    const struct asker *asker = argument;
    struct pollfd poll_fd = {.fd = terminal_take(asker->path), .events = POLLIN};

    if (poll(&poll_fd, 1, TEST_PATIENCE_MS) != 1)
        return 4;
    return ask(argument);
}

static void test_typed_ahead(void **state)
{
    struct asker asker;

    (void)state;
    asker.terminal = terminal_new(asker.path);
    write_all(asker.terminal, "yes\n", 4);
    asker.child = child_start(ask_late, &asker);
    terminal_expect(asker.terminal, question);
    write_all(asker.terminal, "no\n", 3);
    expect(&asker, "no");
}

static int ask_nobody(void *argument)
{
    struct tty tty;
    struct wait wait;
    char answer[16];

    (void)argument;
    setsid();
    if (tty_ask(&tty, question) || tty.fd != -1)
        return 1;
    return !wait_init(&wait) || tty_ask_secret(&wait, question, answer, sizeof answer);
}

static void test_no_terminal(void **state)
{
    (void)state;
    assert_int_equal(in_child(ask_nobody, NULL), 0);
}

/* ---- Asking for a secret ---- */

static void test_secret(void **state)
{
    static const struct {
        const char *typed, *answer;
    } table[] = {
        {"hunter2\n", "hunter2"}, {"\n", ""}, {"\x04", "(no answer)"}, {"more than fits in there\n", "more than fits "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct asker asker;
        char *shown;

        start(&asker, ask_secret);
        terminal_expect(asker.terminal, question);
        terminal_wait_for_echo(asker.terminal, false);
        write_all(asker.terminal, table[i].typed, strlen(table[i].typed));
        shown = terminal_expect(asker.terminal, "\n"); /* one of ours, as that of the user is not seen */
        assert_null(strstr(shown, "hunter"));
        assert_int_equal(child_end(asker.child), 0);
        assert_true(echoes(&asker));
        shown = file_get(scratch_path("answer"));
        assert_string_equal(shown, table[i].answer);
        free(shown);
        close(asker.terminal);
    }
}

/* A signal ends the asking, and leaves the terminal as it was. */
static void test_secret_and_a_signal(void **state)
{
    struct asker asker;

    (void)state;
    start(&asker, ask_secret);
    terminal_expect(asker.terminal, question);
    terminal_wait_for_echo(asker.terminal, false);
    kill(asker.child, SIGTERM);
    terminal_wait_for_echo(asker.terminal, true);
    expect(&asker, "(a signal)");
}

/* As does ^C. */
static void test_secret_and_interrupt(void **state)
{
    struct asker asker;

    (void)state;
    start(&asker, ask_secret);
    terminal_expect(asker.terminal, question);
    terminal_wait_for_echo(asker.terminal, false);
    write_all(asker.terminal, "hun\x03", 4);
    terminal_wait_for_echo(asker.terminal, true);
    expect(&asker, "(a signal)");
}

/* ---- Telling ---- */

static const char *const told = "symtls: what was asked for\r\n"; /* as a terminal shows it */

static int tell_on_stderr(void *argument)
{
    dup2(terminal_take(((const struct asker *)argument)->path), STDERR_FILENO);
    tty_tell("what was asked for");
    return 0;
}

/* stderr goes into a file. */
static int tell_elsewhere(void *argument)
{
    terminal_take(((const struct asker *)argument)->path);
    dup2(open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    tty_tell("what was asked for");
    return 0;
}

static int tell_in_raw_mode(void *argument)
{
    struct termios settings;
    int fd = terminal_take(((const struct asker *)argument)->path);

    tcgetattr(fd, &settings);
    cfmakeraw(&settings);
    tcsetattr(fd, TCSANOW, &settings);
    dup2(fd, STDERR_FILENO);
    tty_tell("what was asked for");
    return tty_is_by_line(fd);
}

static int tell_nobody(void *argument)
{
    (void)argument;
    setsid();
    dup2(open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    tty_tell("what was asked for");
    return 0;
}

static void test_tell(void **state)
{
    static child_function *const ways[] = {tell_on_stderr, tell_elsewhere, tell_in_raw_mode};
    char *text;

    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct asker asker;

        start(&asker, ways[i]);
        assert_string_equal(terminal_expect(asker.terminal, "\n"), told);
        assert_int_equal(child_end(asker.child), 0);
        close(asker.terminal);
    }
    text = file_get(scratch_path("stderr"));
    assert_string_equal(text, ""); /* it was on the terminal */
    free(text);
    assert_int_equal(in_child(tell_nobody, NULL), 0);
    text = file_get(scratch_path("stderr"));
    assert_string_equal(text, "symtls: what was asked for\n");
    free(text);
}

/* ---- Stopping ---- */

static bool set_echo(bool echo)
{
    struct termios settings;

    tcgetattr(STDIN_FILENO, &settings);
    settings.c_lflag = echo ? settings.c_lflag | ECHO : settings.c_lflag & ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0;
}

/* What a shell does: it takes the terminal while its job is stopped, and has it as it likes. */
static int be_shell(void *argument)
{
    struct termios settings;
    int job, status;

    dup2(terminal_take(((const struct asker *)argument)->path), STDIN_FILENO);
    signal(SIGTTOU, SIG_IGN);
    set_echo(false); /* the job's own setting */
    job = fork();
    if (job == 0) {
        setpgid(0, 0);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
        if (!tty_is_by_line(STDIN_FILENO))
            _exit(3);
        tty_suspend(NULL);
        _exit(0);
    }
    if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTSTP)
        return 1;
    tcsetpgrp(STDIN_FILENO, getpid());
    set_echo(true);
    tcsetpgrp(STDIN_FILENO, job);
    kill(-job, SIGCONT);
    if (waitpid(job, &status, 0) != job || status != 0)
        return 2;
    tcgetattr(STDIN_FILENO, &settings);
    return settings.c_lflag & ECHO ? 4 : 0;
}

static void test_suspend(void **state)
{
    const char *preloaded = getenv("LD_PRELOAD");
    struct asker asker;

    (void)state;
    /* There the job ends in another way than by its own signal; without valgrind it is tested. */
    if (preloaded && strstr(preloaded, "vgpreload"))
        skip();
    start(&asker, be_shell);
    assert_int_equal(child_end(asker.child), 0);
    close(asker.terminal);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_slow_typing),
        cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_typed_ahead),
        cmocka_unit_test(test_no_terminal),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_secret_and_a_signal),
        cmocka_unit_test(test_secret_and_interrupt),
        cmocka_unit_test(test_tell),
        cmocka_unit_test(test_suspend),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
