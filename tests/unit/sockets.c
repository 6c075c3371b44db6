/* sockets.c - what the tests of sockets share. */
#include "check.h"
#include "buffer.h"
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- What waits ---- */

struct wait waiting;

int waiting_setup(void **state)
{
    (void)state;
    return wait_init(&waiting) ? 0 : -1;
}

int waiting_teardown(void **state)
{
    (void)state;
    wait_free(&waiting);
    return 0;
}

int waiting_and_scratch_setup(void **state)
{
    return waiting_setup(state) || scratch_setup(state);
}

int waiting_and_scratch_teardown(void **state)
{
    return scratch_teardown(state) || waiting_teardown(state);
}

struct call {
    child_function *function;
    void *argument;
};

/* With a signal descriptor of its own: the parent's would tell of the parent's signals. */
static int call_and_stop(void *argument)
{
    const struct call *call = argument;
    int result;

    wait_free(&waiting);
    if (!wait_init(&waiting))
        return 89;
    raise(SIGTERM);
    result = call->function(call->argument);
    return result == 0 && waiting.signal != SIGTERM ? 88 : result;
}

int in_stopped_child(child_function *function, void *argument)
{
    struct call call = {function, argument};

    return in_child(call_and_stop, &call);
}

/* ---- Addresses and ports ---- */

struct address address_at(const char *host, uint16_t port)
{
    struct address result = {.length = 0};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (inet_pton(AF_INET, host, &four.sin_addr) == 1) {
        memcpy(&result.storage, &four, sizeof four);
        result.length = sizeof four;
    } else {
        assert_int_equal(inet_pton(AF_INET6, host, &six.sin6_addr), 1);
        memcpy(&result.storage, &six, sizeof six);
        result.length = sizeof six;
    }
    return result;
}

int socket_at(int type, const char *host, uint16_t port)
{
    struct address address = address_at(host, port);
    int fd = socket(address_family(&address), type | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address.storage, address.length), 0);
    return fd;
}

int unix_listener(const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct address address;

    address_of_path(&address, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address.storage, address.length), 0);
    assert_int_equal(listen(fd, 0), 0);
    return fd;
}

uint16_t socket_port(int fd)
{
    struct address local, remote;

    address_of_socket(fd, &local, &remote);
    assert_true(local.length > 0);
    return address_port(&local);
}

bool socket_connect(int fd, const struct address *address)
{
    return connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0;
}

void free_ports(int type, char one[8], char other[8])
{
    int first = socket_at(type, "0.0.0.0", 0), second = socket_at(type, "0.0.0.0", 0);

    snprintf(one, 8, "%u", socket_port(first));
    snprintf(other, 8, "%u", socket_port(second));
    close(first);
    close(second);
}

/* ---- Connections ---- */

void tcp_pair(int fds[2])
{
    int listener = socket_at(SOCK_STREAM, "127.0.0.1", 0);
    struct address address = address_at("127.0.0.1", socket_port(listener));

    assert_int_equal(listen(listener, 1), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(socket_connect(fds[0], &address));
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fds[1] >= 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
    close(listener);
}

void assert_tuned(int fd)
{
    int no_delay = 0, keep_alive = 0;
    socklen_t size = sizeof no_delay;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &size), 0);
    assert_true(no_delay && keep_alive);
}

void tcp_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(fd);
}

void await(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int ready;

    do
        ready = poll(&poll_fd, 1, TEST_PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    check_row(ready == 1, "nothing happened for %d ms", TEST_PATIENCE_MS);
}

uint8_t *read_to_end(int fd, size_t *length)
{
    struct buffer all = {0};
    uint8_t *copy;
    ssize_t count;

    for (;;) {
        await(fd, POLLIN);
        count = read(fd, buffer_room(&all, 65536), 65536);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (count <= 0)
            break;
        buffer_filled(&all, (size_t)count);
    }
    *length = buffer_used(&all);
    copy = calloc(1, *length + 1);
    assert_non_null(copy);
    buffer_take(&all, copy, *length);
    buffer_free(&all);
    return copy;
}

void write_all(int fd, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    while (length) {
        ssize_t count = write(fd, at, length);

        if (count < 0 && errno == EAGAIN) {
            await(fd, POLLOUT);
            continue;
        }
        assert_true(count > 0);
        at += count;
        length -= (size_t)count;
    }
}
