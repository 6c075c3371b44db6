/* test_local_program.c - a program is started with what it may have, and is never left behind. */
#include "check.h"
#include "helpers.h"
#include "local_program.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct facts facts = {.role = ROLE_CLIENT, .trust = TRUST_PIN, .alpn = "proto", .peer = {.name = "bob", .pin = "pin"}};
static const struct transport transport = {.fd = -1};
static const struct local_occasion occasion = {.facts = &facts, .transport = &transport};

static bool start(struct local_program *program, const char *script, struct error *error)
{
    const char *const words[] = {"/bin/sh", "-c", script, NULL};
    struct local_program_config config = {.words = words, .use_in = true, .use_out = true};

    return local_program_start(program, &config, &occasion, &waiting, error);
}

static void run(struct local_program *program, const char *script)
{
    struct error error = {0};

    check_row(start(program, script, &error), "%s", error.story);
}

/* Of a file descriptor that does not block. */
static char *read_all(int fd)
{
    size_t length;
    char *text;

    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    text = (char *)read_to_end(fd, &length);
    text = realloc(text, length + 1);
    assert_non_null(text);
    text[length] = '\0';
    return text;
}

static void finish(struct local_program *program, int patience_ms)
{
    close(program->in);
    if (program->out >= 0)
        close(program->out);
    local_program_finish(program, &waiting, patience_ms);
    assert_int_equal(program->pid, 0);
    assert_true(program->ended);
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* nobody is left to be waited for */
}

static void expect_output(struct local_program *program, const char *text)
{
    char *output = read_all(program->in);

    assert_string_equal(output, text);
    free(output);
}

static void test_bytes(void **state)
{
    struct local_program program;

    (void)state;
    run(&program, "tr a-z A-Z; echo; echo $SYMTLS_ROLE $SYMTLS_PEER $SYMTLS_PIN $SYMTLS_TRUST $SYMTLS_ALPN ${SYMTLS_EXPORT-unset}");
    assert_true(fcntl(program.in, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(program.out, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(program.in, F_GETFD) & fcntl(program.out, F_GETFD) & FD_CLOEXEC);
    write_all(program.out, "hello", 5);
    close(program.out);
    program.out = -1;
    expect_output(&program, "HELLO\nclient bob pin pin proto\n");
    finish(&program, -1);
    assert_int_equal(program.status, 0);
}

/* What is ours stays here. */
static void test_nothing_leaks(void **state)
{
    const char *const words[] = {"sh", "-c",
                                 "echo ${SECRET-unset}; cd /proc/self/fd; echo *; test -p /proc/self/fd/0 && echo pipe;"
                                 "test $(ps -o pgid= $$) = $$ && echo group; kill -PIPE $$; echo immune", NULL};
    struct local_program_config config = {.words = words, .hidden = "SECRET", .use_in = true, .use_out = true};
    struct local_program program;
    struct error error = {0};
    int ours = open("/dev/null", O_RDONLY);

    (void)state;
    setenv("SECRET", "word", 1);
    assert_true(local_program_start(&program, &config, &occasion, &waiting, &error));
    expect_output(&program, "unset\n0 1 2 3\npipe\ngroup\n");
    finish(&program, -1);
    assert_int_equal(program.status, 128 + SIGPIPE);
    assert_int_equal(program.signal, SIGPIPE);
    unsetenv("SECRET");
    close(ours);
}

static void test_one_direction(void **state)
{
    const char *const words[] = {"sh", "-c", "read x && exit 9; echo much", NULL};
    struct local_program_config config = {.words = words};
    struct local_program program;
    struct error error = {0};

    (void)state;
    assert_true(local_program_start(&program, &config, &occasion, &waiting, &error));
    assert_int_equal(program.in, -1);
    assert_int_equal(program.out, -1);
    local_program_finish(&program, &waiting, -1);
    assert_int_equal(program.status, 0);
}

static void test_statuses(void **state)
{
    static const struct {
        const char *script;
        int status, signal;
    } cases[] = {{"exit 0", 0, 0}, {"exit 3", 3, 0}, {"exit 255", 255, 0}, {"kill -KILL $$", 137, SIGKILL}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct local_program program;

        run(&program, cases[i].script);
        await(program.ears, POLLIN);
        local_program_look(&program);
        check_row(program.ended && program.status == cases[i].status && program.signal == cases[i].signal, "%s: %d %d",
                  cases[i].script, program.status, program.signal);
        finish(&program, -1);
    }
}

static void test_cannot_start(void **state)
{
    const struct {
        const char *name;
        enum status status;
        const char *story;
    } cases[] = {
        {"no-such-program", STATUS_NO_PROGRAM, "cannot start \"no-such-program\": there is no such program in PATH"},
        {"/no/such/program", STATUS_NO_PROGRAM, "cannot start \"/no/such/program\": No such file or directory"},
        {"/", STATUS_NOT_EXECUTABLE, "cannot start \"/\": Permission denied"},
        {scratch_path("plain"), STATUS_NOT_EXECUTABLE, "Permission denied"},
    };

    (void)state;
    file_put(scratch_path("plain"), "", 0600);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const words[] = {cases[i].name, NULL};
        struct local_program_config config = {.words = words, .use_in = true, .use_out = true};
        struct local_program program;
        struct error error = {0};

        check_row(!local_program_start(&program, &config, &occasion, &waiting, &error), "%s", cases[i].name);
        check_row(error.status == cases[i].status && strstr(error.story, cases[i].story), "%d: %s", error.status, error.story);
        local_program_hang_up(&program);
        local_program_finish(&program, &waiting, 0); /* there is nothing to do */
        assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    }
}

/* No descriptors are left: in a child, whose limit that is. */
static int start_without_descriptors(void *argument)
{
    struct local_program program;
    struct error error = {0};

    (void)argument;
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
    close(20);
    return start(&program, "exit 0", &error) || error.status != STATUS_LOCAL || !has(error.story, "cannot start a program: ") ||
           open("/dev/null", O_RDONLY) != 20; /* it gave back what it had */
}

static void test_no_descriptors(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_without_descriptors, NULL), 0);
}

/* It is told as a hang-up tells, also when it is stopped; with what it has started. */
static void test_hang_up(void **state)
{
    struct local_program program;
    char *output;

    (void)state;
    run(&program, "trap 'echo told' HUP; sh -c 'trap \"echo child told; exit\" HUP; echo ready; kill -STOP $$; while :; do sleep 1; done'; exit 4");
    await(program.in, POLLIN);
    local_program_hang_up(&program);
    local_program_hang_up(&program); /* once is enough */
    output = read_all(program.in);
    assert_non_null(strstr(output, "child told\n"));
    assert_non_null(strstr(output, "\ntold\n"));
    free(output);
    finish(&program, -1);
    assert_int_equal(program.status, 4);
    assert_false(program.is_killed);
}

static void test_killed(void **state)
{
    struct local_program program;

    (void)state;
    run(&program, "trap '' HUP; echo ready; while :; do sleep 1000; done");
    await(program.in, POLLIN);
    local_program_hang_up(&program);
    finish(&program, 0);
    assert_true(program.is_killed);
    assert_int_equal(program.signal, SIGKILL);
}

/* While we wait for its end there is a signal for us: it is told. */
static int stopped_meanwhile(void *argument)
{
    struct local_program program;
    struct error error = {0};

    (void)argument;
    if (!start(&program, "trap 'exit 6' HUP; echo ready; while :; do sleep 1; done", &error))
        return 1;
    await(program.in, POLLIN);
    local_program_finish(&program, &waiting, -1);
    return program.status != 6;
}

static void test_signal(void **state)
{
    (void)state;
    assert_int_equal(in_stopped_child(stopped_meanwhile, NULL), 0);
}

/* Two signals end us at once: what is deaf to the hang-up does not outlive us. It has our stderr for as long as it lives. */
static int stopped_twice(void *argument)
{
    const int *ends = argument;
    struct local_program program;
    struct error error = {0};

    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    raise(SIGINT);
    if (!start(&program, "trap '' HUP; echo ready; while :; do sleep 1000; done", &error))
        return 1;
    await(program.in, POLLIN);
    local_program_finish(&program, &waiting, -1);
    return 2;
}

static void test_two_signals(void **state)
{
    struct pollfd poll_fd = {.events = POLLIN};
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(in_stopped_child(stopped_twice, ends), -SIGTERM);
    close(ends[1]);
    poll_fd.fd = ends[0];
    assert_true(poll(&poll_fd, 1, TEST_PATIENCE_MS) == 1 && poll_fd.revents == POLLHUP); /* nobody has it any more */
    close(ends[0]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_nothing_leaks),
        cmocka_unit_test(test_one_direction),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_hang_up),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_two_signals),
    };

    return cmocka_run_group_tests(tests, waiting_and_scratch_setup, waiting_and_scratch_teardown);
}
