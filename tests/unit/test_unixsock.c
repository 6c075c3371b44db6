/* test_unixsock.c - what is at a path already, what we make there, and what we leave; and calls to it. */
#include "check.h"
#include "sockets.h"
#include "unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool listen_at(const char *path, struct listeners *listeners, struct unixsock_place *place, struct error *error)
{
    memset(error, 0, sizeof *error);
    return unixsock_listen(path, listeners, place, error);
}

static bool is_there(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

/* ---- What we make ---- */

static void test_mode(void **state)
{
    static const struct {
        mode_t umask;
        unsigned mode;
    } rows[] = {{0, 0600}, {022, 0600}, {0277, 0400}, {0777, 0}};
    const char *path = scratch_path("mode");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        mode_t before = umask(rows[i].umask), left;
        struct unixsock_place place;
        struct listeners listeners;
        struct error error;

        check_row(listen_at(path, &listeners, &place, &error), "%03o: %s", rows[i].umask, error.story);
        left = umask(before);
        check_row(left == rows[i].umask, "%03o: left as %03o", rows[i].umask, left);
        check_row(file_mode(path) == rows[i].mode, "%03o: %03o", rows[i].umask, file_mode(path));
        assert_int_equal(listeners.count, 1);
        assert_true(fcntl(listeners.fds[0], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(listeners.fds[0], F_GETFD) & FD_CLOEXEC);
        unixsock_remove(&place);
        listeners_close(&listeners);
        assert_false(is_there(path));
        unixsock_remove(&place); /* there is nothing of ours any more */
    }
}

static void test_not_ours_any_more(void **state)
{
    const char *path = scratch_path("taken");
    struct unixsock_place place;
    struct listeners listeners;
    struct error error;

    (void)state;
    assert_true(listen_at(path, &listeners, &place, &error));
    assert_int_equal(rename(path, scratch_path("moved")), 0);
    file_put(path, "precious", 0600);
    unixsock_remove(&place);
    assert_true(is_there(path));
    listeners_close(&listeners);
    scratch_clear();
}

/* ---- What is there already ---- */

static void make_file(const char *path)
{
    file_put(path, "precious", 0600);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const char *path)
{
    close(unix_listener(scratch_path("elsewhere")));
    assert_int_equal(symlink(scratch_path("elsewhere"), path), 0);
}

static void make_abandoned(const char *path)
{
    close(unix_listener(path));
}

/* Of any kind, and be it that nobody accepts there. */
static int held;

static void make_living(const char *path)
{
    held = unix_listener(path);
}

static void make_datagrams(const char *path)
{
    struct address address;

    address_of_path(&address, path);
    held = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(held, (const struct sockaddr *)&address.storage, address.length), 0);
}

static void make_somebody_elses(const char *path)
{
    make_abandoned(path);
    assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
}

static void test_what_is_there(void **state)
{
    static const struct {
        void (*make)(const char *path);
        enum status status;
        const char *story;
        bool for_root;
    } rows[] = {
        {make_abandoned, STATUS_OK, "", false},
        {make_file, STATUS_LOCAL, "is there, and is no socket: it is left alone", false},
        {make_folder, STATUS_LOCAL, "is there, and is no socket: it is left alone", false},
        {make_link, STATUS_LOCAL, "is there, and is no socket: it is left alone", false},
        {make_living, STATUS_NETWORK, "somebody listens on \"", false},
        {make_datagrams, STATUS_NETWORK, "somebody listens on \"", false},
        {make_somebody_elses, STATUS_LOCAL, "is somebody else's (user 65534): it is left alone", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *path = scratch_path("place");
        struct stat before, after;
        struct unixsock_place place;
        struct listeners listeners;
        struct error error;
        bool listens;

        if (rows[i].for_root && geteuid() != 0)
            continue;
        held = -1;
        rows[i].make(path);
        assert_int_equal(lstat(path, &before), 0);
        listens = listen_at(path, &listeners, &place, &error);
        check_row(listens == (rows[i].status == STATUS_OK) && error.status == rows[i].status && has(error.story, rows[i].story),
                  "row %zu: %d %s", i, error.status, error.story);
        assert_int_equal(lstat(path, &after), 0);
        check_row(listens || (before.st_ino == after.st_ino && !place.path && listeners.count == 0), "row %zu: it is what it was", i);
        unixsock_remove(&place);
        check_row(is_there(path) != listens, "row %zu: what is left", i);
        listeners_close(&listeners);
        if (held >= 0)
            close(held);
        rmdir(path);
        scratch_clear();
    }
}

static void test_no_such_folder(void **state)
{
    struct unixsock_place place;
    struct listeners listeners;
    struct error error;

    (void)state;
    assert_false(listen_at(scratch_path("no/socket"), &listeners, &place, &error));
    check_row(error.status == STATUS_LOCAL && has(error.story, "cannot listen on") && has(error.story, "No such file"), "%s", error.story);
}

/* ---- Calls ---- */

static bool call(const struct transport_config *config, struct transport *transport, struct error *error)
{
    memset(error, 0, sizeof *error);
    return unixsock_connect(config, &waiting, transport, error);
}

static void test_connects(void **state)
{
    const char *path = scratch_path("called");
    struct transport_config config = {.host = path, .wait_ms = TEST_PATIENCE_MS};
    int listener = unix_listener(path), accepted;
    char text[ADDRESS_TEXT_SIZE], user[32];
    struct transport caller, called;
    struct error error;

    (void)state;
    check_row(call(&config, &caller, &error), "%s", error.story);
    accepted = accept(listener, NULL, NULL);
    unixsock_describe(&called, accepted, TRANSPORT_PASSIVE);
    snprintf(user, sizeof user, "uid:%u", geteuid());
    assert_int_equal(caller.kind, TRANSPORT_UNIX);
    assert_int_equal(caller.setup, TRANSPORT_ACTIVE);
    assert_true(fcntl(caller.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(caller.fd, F_GETFD) & FD_CLOEXEC);
    assert_string_equal(address_text(&caller.remote, text), path);
    assert_string_equal(address_text(&caller.local, text), user);
    assert_int_equal(called.setup, TRANSPORT_PASSIVE);
    assert_string_equal(address_text(&called.local, text), path);
    assert_string_equal(address_text(&called.remote, text), user);
    close(caller.fd);
    close(accepted);
    close(listener);
    scratch_clear();
}

static void test_nobody_there(void **state)
{
    struct transport_config config = {.host = scratch_path("nowhere"), .wait_ms = TEST_PATIENCE_MS};
    struct transport transport;
    struct error error;

    (void)state;
    assert_false(call(&config, &transport, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
    assert_true(has(error.story, "No such file or directory; nobody listens there (yet: --retry would wait for the peer)"));
    config.is_once = true;
    assert_false(call(&config, &transport, &error));
    assert_true(has(error.story, "No such file or directory; nobody listens there") && !strstr(error.story, "--retry"));
    config.retries = 2; /* without success, too */
    assert_false(call(&config, &transport, &error));
    assert_int_equal(error.status, STATUS_NETWORK);
}

/* Nobody accepts there, and one waits already: the time runs out, or a signal is heard. */
static int stopped(void *argument)
{
    struct transport_config config = {.host = argument, .wait_ms = -1};
    struct transport transport;
    struct error error;

    return call(&config, &transport, &error) || error.status != STATUS_OK;
}

static void test_full(void **state)
{
    const char *path = scratch_path("full");
    struct transport_config config = {.host = path, .wait_ms = TEST_PATIENCE_MS};
    int listener = unix_listener(path);
    struct transport first, second;
    struct error error;

    (void)state;
    check_row(call(&config, &first, &error), "%s", error.story);
    config.wait_ms = 1;
    assert_false(call(&config, &second, &error));
    check_row(error.status == STATUS_TIME && has(error.story, "(-w 1ms): too many wait there already"), "%s", error.story);
    assert_int_equal(in_stopped_child(stopped, (void *)path), 0);
    close(first.fd);
    close(listener);
    scratch_clear();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode),          cmocka_unit_test(test_not_ours_any_more), cmocka_unit_test(test_what_is_there),
        cmocka_unit_test(test_no_such_folder), cmocka_unit_test(test_connects),         cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, waiting_and_scratch_setup, waiting_and_scratch_teardown);
}
