/* test_tcp.c - TCP connections: called and awaited, at one address or at several. */
#include "check.h"
#include "names.h"
#include "sockets.h"
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct transport_config config(const char *host, const char *port)
{
    return (struct transport_config){.host = host, .port = port, .wait_ms = TEST_PATIENCE_MS};
}

/* The text of a port; good for eight calls. */
static const char *port_text(uint16_t port)
{
    static char texts[8][8];
    static unsigned next;
    char *text = texts[next++ % 8];

    snprintf(text, sizeof *texts, "%u", port);
    return text;
}

static struct listeners listen_at(const char *host, uint16_t port)
{
    struct transport_config here = config(host, port_text(port));
    struct listeners listeners;
    struct error error = {0};

    check_row(tcp_listen(&here, &waiting, &listeners, &error), "%s", error.story);
    return listeners;
}

/* A port at which nobody listens: it was somebody's a moment ago. */
static uint16_t free_port(void)
{
    struct listeners listeners = listen_at("127.0.0.1", 0);
    uint16_t port = address_port(&listeners.local[0]);

    listeners_close(&listeners);
    return port;
}

/* A listener that takes no more calls, and does not refuse them either. */
struct deaf {
    int listener, callers[4];
    uint16_t port;
};

static void deaf_init(struct deaf *deaf, const char *host)
{
    struct address address;

    deaf->listener = socket_at(SOCK_STREAM, host, 0);
    deaf->port = socket_port(deaf->listener);
    address = address_at(host, deaf->port);
    assert_int_equal(listen(deaf->listener, 0), 0);
    for (size_t i = 0; i < COUNT(deaf->callers); i++) {
        deaf->callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        socket_connect(deaf->callers[i], &address);
    }
}

static void deaf_free(struct deaf *deaf)
{
    close(deaf->listener);
    for (size_t i = 0; i < COUNT(deaf->callers); i++)
        close(deaf->callers[i]);
}

/* ---- Both ends ---- */

static void test_connect_and_accept(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "one.test", "::1", "six.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct listeners listeners;
        struct transport_config there;
        struct transport ours = {.fd = -1}, theirs = {.fd = -1};
        struct error error = {0};
        char bytes[4];

        if (i >= 2 && !names_have_ipv6())
            continue;
        listeners = listen_at(hosts[i], 0);
        assert_int_equal(listeners.count, 1);
        assert_int_not_equal(address_port(&listeners.local[0]), 0); /* the real one */
        there = config(hosts[i], port_text(address_port(&listeners.local[0])));
        check_row(tcp_connect(&there, &waiting, &ours, &error), "%s", error.story);
        assert_int_equal(ours.setup, TRANSPORT_ACTIVE);
        assert_true(address_same(&ours.remote, &listeners.local[0]));
        assert_true(tcp_accept(&there, &listeners, &waiting, &theirs, &error));
        assert_int_equal(theirs.setup, TRANSPORT_PASSIVE);
        assert_true(address_same(&ours.local, &theirs.remote));
        assert_true(address_same(&ours.remote, &theirs.local));
        assert_false(tcp_is_self(&ours));
        assert_tuned(ours.fd);
        assert_tuned(theirs.fd);
        write_all(ours.fd, "data", 4);
        await(theirs.fd, POLLIN);
        assert_int_equal(recv(theirs.fd, bytes, 4, 0), 4);
        transport_abort(&ours);
        transport_abort(&theirs);
        listeners_close(&listeners);
    }
}

/* ---- Listening ---- */

/* All addresses of the name, and all on the port that the first one got. */
static void test_listen_on_several(void **state)
{
    static const char *const names[] = {"pair.test", "both.test"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct listeners listeners;

        if (i == 1 && !names_have_ipv6())
            continue;
        listeners = listen_at(names[i], 0);
        assert_int_equal(listeners.count, 2);
        assert_int_equal(address_port(&listeners.local[0]), address_port(&listeners.local[1]));
        assert_false(address_same_host(&listeners.local[0], &listeners.local[1]));
        for (int called = 1; called >= 0; called--) { /* whichever is called */
            char host[ADDRESS_TEXT_SIZE];
            struct transport_config there = config(address_host(&listeners.local[called], host), port_text(address_port(&listeners.local[0])));
            struct transport ours, theirs;
            struct error error = {0};

            assert_true(tcp_connect(&there, &waiting, &ours, &error));
            assert_true(tcp_accept(&there, &listeners, &waiting, &theirs, &error));
            assert_true(address_same(&theirs.local, &listeners.local[called]));
            transport_abort(&ours);
            transport_abort(&theirs);
        }
        listeners_close(&listeners);
    }
}

/* Without a host: every address of ours, IPv4 too where there is IPv6. */
static void test_listen_everywhere(void **state)
{
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};

    (void)state;
    for (size_t i = 0; i < COUNT(families); i++) {
        struct transport_config here = config(NULL, "0");
        struct listeners listeners;
        struct error error = {0};

        if (families[i] == AF_INET6 && !names_have_ipv6())
            continue;
        here.family = families[i];
        assert_true(tcp_listen(&here, &waiting, &listeners, &error));
        assert_int_equal(listeners.count, 1);
        for (int six = 0; six < 2; six++) {
            struct transport_config there = config(six ? "::1" : "127.0.0.1", port_text(address_port(&listeners.local[0])));
            struct transport ours = {.fd = -1};
            bool expected = six ? families[i] != AF_INET : families[i] != AF_INET6;

            if (six && !names_have_ipv6())
                continue;
            error_clear(&error);
            check_row(tcp_connect(&there, &waiting, &ours, &error) == expected, "family %d, six %d: %s", families[i], six, error.story);
            transport_abort(&ours);
        }
        listeners_close(&listeners);
    }
}

static void test_port_in_use(void **state)
{
    struct listeners first = listen_at("127.0.0.1", 0), second;
    struct transport_config here = config("pair.test", port_text(address_port(&first.local[0])));
    struct error error = {0};

    (void)state;
    assert_false(tcp_listen(&here, &waiting, &second, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_true(has(error.story, "cannot listen on 127.0.0.1:"));
    assert_true(has(error.story, "Address already in use"));
    assert_int_equal(second.count, 0);
    listeners_close(&first);
}

static void test_not_our_address(void **state)
{
    struct transport_config here = config("198.51.100.77", "0");
    struct listeners listeners;
    struct error error = {0};

    (void)state;
    assert_false(tcp_listen(&here, &waiting, &listeners, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_true(has(error.story, "cannot listen on 198.51.100.77:0: Cannot assign requested address"));
}

static void test_listen_errors(void **state)
{
    static const struct {
        const char *host, *port;
        enum status status;
    } table[] = {{"none.test", "0", STATUS_NETWORK}, {"one.test", "nonsense", STATUS_LOCAL}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct transport_config here = config(table[i].host, table[i].port);
        struct listeners listeners;
        struct error error = {0};

        assert_false(tcp_listen(&here, &waiting, &listeners, &error));
        check_row(error.status == table[i].status, "row %zu: %s", i, error.story);
        listeners_close(&listeners); /* there are none */
    }
}

static void test_nobody_comes(void **state)
{
    struct listeners listeners = listen_at("127.0.0.1", 0);
    struct transport_config here = config("127.0.0.1", "0");
    struct transport transport;
    struct error error = {0};

    (void)state;
    here.wait_ms = 20;
    assert_false(tcp_accept(&here, &listeners, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_TIME);
    assert_true(has(error.story, "(-w 20ms): nobody came"));
    listeners_close(&listeners);
}

/* Somebody who came and went again before we looked is nobody, or somebody who has gone; either way no error. */
static void test_somebody_has_gone(void **state)
{
    struct listeners listeners = listen_at("127.0.0.1", 0);
    struct transport_config there = config("127.0.0.1", port_text(address_port(&listeners.local[0])));
    struct transport gone, ours, theirs = {.fd = -1};
    struct error error = {0};

    (void)state;
    assert_true(tcp_connect(&there, &waiting, &gone, &error));
    transport_abort(&gone);
    assert_true(tcp_connect(&there, &waiting, &ours, &error));
    do {
        transport_abort(&theirs);
        assert_true(tcp_accept(&there, &listeners, &waiting, &theirs, &error));
    } while (!address_same(&theirs.remote, &ours.local));
    transport_abort(&ours);
    transport_abort(&theirs);
    listeners_close(&listeners);
}

/* ---- Connecting ---- */

static void test_refused(void **state)
{
    uint16_t port = free_port();
    struct transport_config there = config("127.0.0.1", port_text(port));
    struct transport transport;
    struct error error = {0};
    char expected[128];

    (void)state;
    assert_false(tcp_connect(&there, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    snprintf(expected, sizeof expected, "cannot connect to 127.0.0.1: 127.0.0.1:%u: Connection refused; nobody listens there", port);
    assert_true(has(error.story, expected));
    assert_true(has(error.story, "--retry"));
}

/* All addresses are tried, and the reason of each is told. */
static void test_all_refused(void **state)
{
    struct transport_config there = config("pair.test", port_text(free_port()));
    struct transport transport;
    struct error error = {0};

    (void)state;
    assert_false(tcp_connect(&there, &waiting, &transport, &error));
    assert_true(has(error.story, "cannot connect to pair.test: 127.0.0.1:"));
    assert_true(has(error.story, "Connection refused; 127.0.0.2:"));
}

/* The first address refuses, or does not answer: then it is the second one. */
static void test_second_address(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct deaf deaf;
        struct listeners listeners;
        struct transport_config there;
        struct transport transport;
        struct error error = {0};
        uint16_t port;

        if (silent)
            deaf_init(&deaf, "127.0.0.1");
        port = silent ? deaf.port : free_port();
        listeners = listen_at("127.0.0.2", port);
        there = config("pair.test", port_text(port));
        check_row(tcp_connect(&there, &waiting, &transport, &error), "%s", error.story);
        assert_true(address_same(&transport.remote, &listeners.local[0]));
        transport_abort(&transport);
        listeners_close(&listeners);
        if (silent)
            deaf_free(&deaf);
    }
}

static void test_no_answer(void **state)
{
    struct deaf deaf;
    struct transport_config there;
    struct transport transport;
    struct error error = {0};

    (void)state;
    deaf_init(&deaf, "127.0.0.1");
    there = config("127.0.0.1", port_text(deaf.port));
    there.wait_ms = 50;
    assert_false(tcp_connect(&there, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_TIME);
    assert_true(has(error.story, "time ran out while connecting to 127.0.0.1 (-w 50ms): 127.0.0.1:"));
    assert_true(has(error.story, ": no answer"));
    deaf_free(&deaf);
}

static void test_connect_errors(void **state)
{
    static const struct {
        const char *host, *port, *source;
        enum status status;
        const char *story;
    } table[] = {
        {"none.test", "1", NULL, STATUS_NETWORK, "cannot find the address of \"none.test\""},
        {"one.test", "nonsense", NULL, STATUS_LOCAL, "no service is named"},
        {"127.0.0.1", "1", "none.test", STATUS_NETWORK, "-s: cannot find the address of \"none.test\""},
        {"127.0.0.1", "1", "::1", STATUS_NETWORK, "Address family not supported"},
        {"127.0.0.1", "1", "198.51.100.77", STATUS_NETWORK, "Cannot assign requested address"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct transport_config there = config(table[i].host, table[i].port);
        struct transport transport;
        struct error error = {0};

        there.source = table[i].source;
        assert_false(tcp_connect(&there, &waiting, &transport, &error));
        check_row(error.status == table[i].status, "row %zu: %d, %s", i, error.status, error.story);
        check_row(strstr(error.story, table[i].story), "row %zu: %s", i, error.story);
    }
}

/* ---- Our own address and port ---- */

static void test_source(void **state)
{
    struct listeners listeners = listen_at("127.0.0.1", 0);
    struct transport_config there = config("127.0.0.1", port_text(address_port(&listeners.local[0])));
    uint16_t port = free_port();
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    for (int i = 1; i < 4; i++) {
        struct transport transport;
        struct error error = {0};

        there.source = i & 1 ? "127.0.0.3" : NULL;
        there.source_port = i & 2 ? port_text(port) : NULL;
        check_row(tcp_connect(&there, &waiting, &transport, &error), "%s", error.story);
        assert_string_equal(address_host(&transport.local, text), i & 1 ? "127.0.0.3" : "127.0.0.1");
        if (i & 2)
            assert_int_equal(address_port(&transport.local), port);
        transport_abort(&transport);
    }
    listeners_close(&listeners);
}

/* Our own address and port is what we call: there is nobody but us. */
static void test_ourselves(void **state)
{
    const char *port = port_text(free_port());
    struct transport_config there = config("127.0.0.1", port);
    struct transport transport;
    struct error error = {0};

    (void)state;
    there.source = "127.0.0.1";
    there.source_port = port;
    assert_false(tcp_connect(&there, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_ROLE);
    assert_true(has(error.story, "talking to ourselves"));
}

/* ---- Trying again ---- */

struct attempts {
    struct listeners listeners; /* there from the first note on */
    bool comes;
    uint16_t port;
    unsigned notes;
    char text[1024];
};

static void note(void *context, const char *text)
{
    struct attempts *attempts = context;

    attempts->notes++;
    snprintf(attempts->text, sizeof attempts->text, "%s", text);
    if (attempts->comes)
        attempts->listeners = listen_at("127.0.0.1", attempts->port);
}

static struct transport_config config_again(struct attempts *attempts, int retries)
{
    struct transport_config there;

    attempts->port = free_port();
    there = config("127.0.0.1", port_text(attempts->port));
    there.retries = retries;
    there.retry_delay_ms = 1;
    there.note = note;
    there.note_context = attempts;
    return there;
}

static void test_retry(void **state)
{
    struct attempts attempts = {.comes = true};
    struct transport_config there = config_again(&attempts, -1);
    struct transport transport;
    struct error error = {0};

    (void)state;
    assert_true(tcp_connect(&there, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_OK);
    assert_int_equal(attempts.notes, 1);
    assert_true(has(attempts.text, "Connection refused"));
    assert_true(has(attempts.text, "; trying again until the peer is there"));
    transport_abort(&transport);
    listeners_close(&attempts.listeners);
}

static void test_retry_in_vain(void **state)
{
    struct attempts attempts = {.comes = false};
    struct transport_config there = config_again(&attempts, 3);
    struct transport transport;
    struct error error = {0};
    unsigned before = names_asked();

    (void)state;
    assert_false(tcp_connect(&there, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_int_equal(attempts.notes, 1); /* it is told once */
    assert_int_equal(names_asked() - before, 4); /* a number is looked up at once, with each try */
}

/* What will not get better is not tried again. */
static void test_no_retry_of_a_mistake(void **state)
{
    struct attempts attempts = {.comes = false};
    struct transport_config there = config_again(&attempts, -1);
    struct transport transport;
    struct error error = {0};

    (void)state;
    there.port = "nonsense";
    assert_false(tcp_connect(&there, &waiting, &transport, &error));
    assert_int_equal(error.status, STATUS_LOCAL);
    assert_int_equal(attempts.notes, 0);
}

/* ---- Signals ---- */

static int connect_and_be_stopped(void *argument)
{
    struct transport_config *there = argument;
    struct transport transport;
    struct error error = {0};

    return tcp_connect(there, &waiting, &transport, &error);
}

static int accept_and_be_stopped(void *argument)
{
    struct transport_config here = config("127.0.0.1", "0");
    struct transport transport;
    struct error error = {0};

    return tcp_accept(&here, argument, &waiting, &transport, &error) || error.status != STATUS_OK;
}

static void test_signals(void **state)
{
    struct deaf deaf;
    struct listeners listeners = listen_at("127.0.0.1", 0);
    struct transport_config silent, again = config("127.0.0.1", port_text(free_port()));

    (void)state;
    deaf_init(&deaf, "127.0.0.1");
    silent = config("127.0.0.1", port_text(deaf.port));
    again.retries = -1;
    again.retry_delay_ms = TEST_PATIENCE_MS;
    assert_int_equal(in_stopped_child(connect_and_be_stopped, &silent), 0);
    assert_int_equal(in_stopped_child(connect_and_be_stopped, &again), 0);
    assert_int_equal(in_stopped_child(accept_and_be_stopped, &listeners), 0);
    listeners_close(&listeners);
    deaf_free(&deaf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_and_accept),
        cmocka_unit_test(test_listen_on_several),
        cmocka_unit_test(test_listen_everywhere),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_not_our_address),
        cmocka_unit_test(test_listen_errors),
        cmocka_unit_test(test_nobody_comes),
        cmocka_unit_test(test_somebody_has_gone),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_all_refused),
        cmocka_unit_test(test_second_address),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_connect_errors),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_ourselves),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_retry_in_vain),
        cmocka_unit_test(test_no_retry_of_a_mistake),
        cmocka_unit_test(test_signals),
    };

    names_use();
    return cmocka_run_group_tests(tests, waiting_setup, waiting_teardown);
}
