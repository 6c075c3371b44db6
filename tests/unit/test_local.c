/* test_local.c - stdin and stdout, whatever they are, and without harm to whoever else has them. */
#include "check.h"
#include "helpers.h"
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

/* Everything here is about descriptors 0 to 2, so each test runs in a child: 0 is success, else the line that failed. */
#define SO(condition)                          \
    do {                                       \
        if (!(condition)) {                    \
            dprintf(9, "# not so: %s\n", #condition); \
            return __LINE__ % 250 + 1;         \
        }                                      \
    } while (0)

static void test_in_child(child_function *function, void *argument)
{
    int saved = dup2(STDERR_FILENO, 9), status;

    assert_int_equal(saved, 9);
    status = in_child(function, argument);
    close(9);
    check_row(status == 0, "the child ended with %d", status);
}

static bool is_non_blocking(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static bool open_stdio(struct local *local, bool use_in, bool use_out)
{
    static struct local_config config;
    static struct error error;

    config = (struct local_config){.kind = LOCAL_STDIO, .use_in = use_in, .use_out = use_out, .fd = -1};
    local_init(local, &config);
    return local_open(local, NULL, NULL, &error);
}

/* ---- Closed descriptors ---- */

static int reserve(void *argument)
{
    struct local local;
    struct error error = {0};
    uint8_t byte = 'x';
    size_t length;

    (void)argument;
    close(0);
    close(1);
    close(2);
    local_reserve();
    SO(fcntl(0, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0);
    SO(socket(AF_UNIX, SOCK_STREAM, 0) > 2);
    /* They are as useless as they were. */
    SO(read(0, &byte, 1) == -1 && errno == EBADF);
    SO(write(1, &byte, 1) == -1 && errno == EBADF);
    SO(open_stdio(&local, true, true));
    SO(local_read(&local, &byte, 1, &length, &error) == LOCAL_READ_FAILED && error.status == STATUS_LOCAL);
    error_clear(&error);
    SO(local_write(&local, &byte, 1, &error) == 0 && error.status == STATUS_LOCAL);
    local_close(&local, NULL, 0);
    return 0;
}

static int reserve_what_is_there(void *argument)
{
    int ends[2];
    char byte;

    (void)argument;
    SO(pipe(ends) == 0 && dup2(ends[0], 0) == 0 && dup2(ends[1], 1) == 1);
    local_reserve();
    SO(write(1, "x", 1) == 1 && read(0, &byte, 1) == 1 && byte == 'x');
    return 0;
}

/* Of a "pipe" or a "socket". */
static bool make_ends(const char *kind, int ends[2])
{
    return (*kind == 'p' ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) == 0;
}

/* ---- Reading ---- */

/* A pipe, a socket, a terminal: what is there, nothing yet, the end. */
static int read_from(void *argument)
{
    const char *kind = argument;
    struct local local;
    struct error error = {0};
    uint8_t bytes[64];
    size_t length;
    int ends[2];

    SO(make_ends(kind, ends));
    SO(dup2(ends[0], 0) == 0);
    SO(open_stdio(&local, true, false));
    SO(local.in.fd == 0 && local.in.is_socket == (*kind == 's') && !local.in.may_block);
    SO(!is_non_blocking(ends[0])); /* others who have it notice nothing */
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_NOTHING && length == 0);
    SO(write(ends[1], "data", 4) == 4);
    SO(local_read(&local, bytes, 3, &length, &error) == LOCAL_READ_SOME && length == 3 && memcmp(bytes, "dat", 3) == 0);
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_SOME && length == 1);
    close(ends[1]);
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_END);
    SO(error.status == STATUS_OK);
    local_close(&local, NULL, 0);
    return 0;
}

static int read_file(void *argument)
{
    struct local local;
    struct error error = {0};
    uint8_t bytes[64];
    size_t length;
    int fd = open(argument, O_RDONLY);

    SO(fd >= 0 && dup2(fd, 0) == 0);
    SO(open_stdio(&local, true, false));
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_SOME && length == 7);
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_END);
    return 0;
}

static int read_directory(void *argument)
{
    struct local local;
    struct error error = {0};
    uint8_t bytes[64];
    size_t length;
    int fd = open("/", O_RDONLY);

    (void)argument;
    SO(fd >= 0 && dup2(fd, 0) == 0);
    SO(open_stdio(&local, true, false));
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_FAILED);
    SO(error.status == STATUS_LOCAL && strstr(error.story, "cannot read stdin: Is a directory"));
    return 0;
}

/* A terminal that goes away is the end of what is typed, and no error. */
static int read_terminal(void *argument)
{
    struct local local;
    struct error error = {0};
    uint8_t bytes[64];
    size_t length;
    int master = posix_openpt(O_RDWR | O_NOCTTY), fd;

    (void)argument;
    SO(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    SO(fd >= 0 && dup2(fd, 0) == 0);
    SO(open_stdio(&local, true, false));
    SO(!local.in.may_block && !is_non_blocking(fd) && is_non_blocking(0));
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_NOTHING);
    close(master);
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_END && error.status == STATUS_OK);
    return 0;
}

/* -d: stdin is left alone. */
static int do_not_read(void *argument)
{
    struct local local;
    int ends[2];

    (void)argument;
    SO(pipe(ends) == 0 && dup2(ends[0], 0) == 0);
    SO(open_stdio(&local, false, true));
    SO(local.in.fd == -1 && !is_non_blocking(0) && !local.discard);
    return 0;
}

/* ---- Writing ---- */

static int write_to(void *argument)
{
    static const uint8_t zeros[1 << 20];
    const char *kind = argument;
    struct local local;
    struct error error = {0};
    uint8_t bytes[64];
    size_t written = 0, count;
    int ends[2];

    SO(make_ends(kind, ends));
    SO(dup2(ends[1], 1) == 1);
    SO(open_stdio(&local, false, true));
    SO(!is_non_blocking(ends[1]));
    SO(local_write(&local, (const uint8_t *)"data", 4, &error) == 4);
    SO(read(ends[0], bytes, sizeof bytes) == 4 && memcmp(bytes, "data", 4) == 0);
    /* As much as fits, and not a wait for more. */
    while ((count = local_write(&local, zeros, sizeof zeros, &error)) > 0)
        written += count;
    SO(written >= 4096 && written < sizeof zeros * 8 && error.status == STATUS_OK && !local.reader_gone);
    /* The end comes when it is closed, though we are still there. */
    close(ends[1]);
    SO(local_close_out(&local, &error) && local.out.fd == -1);
    SO(local_close_out(&local, &error)); /* once is enough */
    while ((count = (size_t)read(ends[0], bytes, sizeof bytes)) > 0)
        written -= count;
    SO(written == 0);
    return 0;
}

static int write_without_reader(void *argument)
{
    const char *kind = argument;
    struct local local;
    struct error error = {0};
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    SO(make_ends(kind, ends));
    SO(dup2(ends[1], 1) == 1);
    SO(open_stdio(&local, false, true));
    close(ends[0]);
    SO(local_write(&local, (const uint8_t *)"data", 4, &error) == 0);
    SO(local.reader_gone && error.status == STATUS_OK);
    return 0;
}

static int write_to_full_disk(void *argument)
{
    struct local local;
    struct error error = {0};
    int fd = open("/dev/full", O_WRONLY);

    (void)argument;
    SO(fd >= 0 && dup2(fd, 1) == 1);
    SO(open_stdio(&local, false, true));
    SO(local_write(&local, (const uint8_t *)"data", 4, &error) == 0 && !local.reader_gone);
    SO(error.status == STATUS_LOCAL && strstr(error.story, "cannot write to stdout: No space left"));
    return 0;
}

static int discard(void *argument)
{
    struct local local;
    struct error error = {0};
    int ends[2];

    (void)argument;
    SO(pipe(ends) == 0 && dup2(ends[1], 1) == 1);
    close(ends[1]);
    SO(open_stdio(&local, false, false));
    SO(local.discard && local.out.fd == -1);
    SO(local_write(&local, (const uint8_t *)"data", 4, &error) == 4);
    SO(local_close_out(&local, &error));
    close(1);
    SO(read(ends[0], &(char){0}, 1) == 0);
    return 0;
}

/* A connection on both: the end of what we write is not the end of what we read. */
static int one_socket_for_both(void *argument)
{
    struct local local;
    struct error error = {0};
    uint8_t bytes[64];
    size_t length;
    int ends[2];

    (void)argument;
    SO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && dup2(ends[0], 0) == 0 && dup2(ends[0], 1) == 1);
    close(ends[0]);
    SO(open_stdio(&local, true, true));
    SO(local_write(&local, (const uint8_t *)"data", 4, &error) == 4);
    SO(local_close_out(&local, &error));
    SO(read(ends[1], bytes, sizeof bytes) == 4 && read(ends[1], bytes, sizeof bytes) == 0);
    SO(write(ends[1], "more", 4) == 4);
    SO(local_read(&local, bytes, sizeof bytes, &length, &error) == LOCAL_READ_SOME && length == 4);
    return 0;
}

/* A pipe that cannot be opened again (its other end is not ours to see): small steps, so that poll(2) can be believed. */
static int write_small_steps(void *argument)
{
    static const uint8_t zeros[3 * PIPE_BUF];
    struct local local;
    struct error error = {0};
    int ends[2];

    (void)argument;
    SO(pipe(ends) == 0 && dup2(ends[1], 1) == 1);
    SO(open_stdio(&local, false, true));
    local.out.may_block = true;
    SO(local_write(&local, zeros, sizeof zeros, &error) == PIPE_BUF);
    return 0;
}

/* ---- All of them ---- */

static void test_reserve(void **state)
{
    (void)state;
    test_in_child(reserve, NULL);
    test_in_child(reserve_what_is_there, NULL);
}

static void test_read(void **state)
{
    (void)state;
    file_put(scratch_path("file"), "content", 0600);
    test_in_child(read_from, "pipe");
    test_in_child(read_from, "socket");
    test_in_child(read_file, (void *)scratch_path("file"));
    test_in_child(read_directory, NULL);
    test_in_child(read_terminal, NULL);
    test_in_child(do_not_read, NULL);
}

static void test_write(void **state)
{
    (void)state;
    test_in_child(write_to, "pipe");
    test_in_child(write_to, "socket");
    test_in_child(write_without_reader, "pipe");
    test_in_child(write_without_reader, "socket");
    test_in_child(write_to_full_disk, NULL);
    test_in_child(discard, NULL);
    test_in_child(one_socket_for_both, NULL);
    test_in_child(write_small_steps, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
