/* test_fdpass.c - messages with a descriptor: with one, without, of the wrong size, and none any more. */
#include "check.h"
#include "fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct greeting {
    char text[100];
};

static int ends[2];

static int set_up(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int tear_down(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* How many descriptors there are: none may be left behind. */
static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 64; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void test_with_descriptor(void **state)
{
    struct greeting sent = {"hello"}, got;
    int pair[2], fd;
    char byte = 'x';

    (void)state;
    assert_int_equal(pipe(pair), 0);
    assert_true(fdpass_send(ends[0], &sent, sizeof sent, pair[1], 0));
    close(pair[1]); /* the copy is on its way */
    assert_true(fdpass_receive(ends[1], &got, sizeof got, &fd));
    assert_string_equal(got.text, "hello");
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(fd, "y", 1), 1);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(fd);
    assert_int_equal(read(pair[0], &byte, 1), 0); /* it was the only one */
    close(pair[0]);
}

static void test_without(void **state)
{
    struct greeting sent = {"one"}, got;
    int fd = 0;

    (void)state;
    assert_true(fdpass_send(ends[0], &sent, sizeof sent, -1, 0));
    strcpy(sent.text, "two");
    assert_true(fdpass_send(ends[0], &sent, sizeof sent, -1, MSG_DONTWAIT));
    assert_true(fdpass_receive(ends[1], &got, sizeof got, &fd));
    assert_string_equal(got.text, "one");
    assert_int_equal(fd, -1);
    assert_true(fdpass_receive(ends[1], &got, sizeof got, &fd));
    assert_string_equal(got.text, "two");
    assert_false(fdpass_receive(ends[1], &got, sizeof got, &fd));
    assert_int_equal(errno, EAGAIN);
}

/* It is not from us, and what came with it is closed. */
static void test_wrong_size(void **state)
{
    struct greeting got;
    char sent[sizeof got + 1] = {0};
    int before = open_descriptors(), fd;

    (void)state;
    for (size_t size = sizeof got - 1; size <= sizeof got + 1; size += 2) {
        assert_true(fdpass_send(ends[0], sent, size, ends[0], 0));
        check_row(!fdpass_receive(ends[1], &got, sizeof got, &fd), "size %zu", size);
        assert_int_equal(errno, ECONNRESET);
        assert_int_equal(fd, -1);
    }
    assert_int_equal(open_descriptors(), before);
}

static void test_closed(void **state)
{
    struct greeting greeting = {"hello"};
    int fd;

    (void)state;
    shutdown(ends[0], SHUT_WR);
    assert_false(fdpass_receive(ends[1], &greeting, sizeof greeting, &fd));
    assert_int_equal(errno, ECONNRESET);
    assert_false(fdpass_send(ends[0], &greeting, sizeof greeting, -1, 0)); /* and no SIGPIPE */
    assert_int_equal(errno, EPIPE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_with_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
