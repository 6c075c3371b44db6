/* test_file.c - small files: where they are, read whole, written whole or not at all. */
#include "check.h"
#include "file.h"
#include "helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Where ---- */

static void set_or_unset(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void test_path(void **state)
{
    const struct passwd *user = getpwuid(geteuid());
    char fallback[512];
    const struct {
        const char *xdg, *home, *path;
    } table[] = {
        {"/config", "/home/me", "/config/symtls/name"},
        {"/config", NULL, "/config/symtls/name"},
        {NULL, "/home/me", "/home/me/.config/symtls/name"},
        {"", "/home/me", "/home/me/.config/symtls/name"},
        {"relative", "/home/me", "/home/me/.config/symtls/name"}, /* the XDG specification: to be ignored */
        {NULL, NULL, fallback},
        {NULL, "", fallback},
        {NULL, "relative", fallback},
    };
    const char *home = getenv("HOME");
    char *before = home ? strdup(home) : NULL;

    (void)state;
    assert_non_null(user);
    snprintf(fallback, sizeof fallback, "%s/.config/symtls/name", user->pw_dir);
    for (size_t i = 0; i < COUNT(table); i++) {
        char *path;

        set_or_unset("XDG_TEST_HOME", table[i].xdg);
        set_or_unset("HOME", table[i].home);
        path = file_path("XDG_TEST_HOME", ".config", "name");
        check_row(path && strcmp(path, table[i].path) == 0, "row %zu: %s", i, path);
        free(path);
    }
    set_or_unset("HOME", before);
    free(before);
}

/* ---- Folders ---- */

static void test_make_folder(void **state)
{
    struct error error = {0};

    (void)state;
    scratch_clear();
    assert_true(file_make_folder(scratch_path("a/b/c/file"), STATUS_LOCAL, &error));
    assert_int_equal(file_mode(scratch_path("a")), 0700);
    assert_int_equal(file_mode(scratch_path("a/b")), 0700);
    assert_int_equal(file_mode(scratch_path("a/b/c")), 0700);
    assert_int_equal(access(scratch_path("a/b/c/file"), F_OK), -1);
    assert_int_equal(chmod(scratch_path("a"), 0755), 0);
    assert_true(file_make_folder(scratch_path("a/b/c/file"), STATUS_LOCAL, &error)); /* it is there */
    assert_int_equal(file_mode(scratch_path("a")), 0755);
    assert_true(file_make_folder("name-in-this-folder", STATUS_LOCAL, &error));
    assert_true(file_make_folder("/name-in-the-root", STATUS_LOCAL, &error));
    assert_int_equal(error.status, STATUS_OK);
}

static void test_folder_below_a_file(void **state)
{
    struct error error = {0};

    (void)state;
    scratch_clear();
    file_put(scratch_path("a"), "", 0644);
    assert_false(file_make_folder(scratch_path("a/b/c/file"), STATUS_IDENTITY, &error));
    assert_int_equal(error.status, STATUS_IDENTITY);
    assert_true(has(error.story, "/a/b\": Not a directory"));
}

static int make_forbidden_folder(void *argument)
{
    struct error error = {0};

    (void)argument;
    become_nobody();
    return file_make_folder(scratch_path("a/b/file"), STATUS_LOCAL, &error) ? 1 : !has(error.story, "/a\": Permission denied");
}

static void test_folder_not_allowed(void **state)
{
    (void)state;
    scratch_clear();
    assert_int_equal(chmod(scratch_path(""), 0555), 0);
    assert_int_equal(in_child(make_forbidden_folder, NULL), 0);
    assert_int_equal(chmod(scratch_path(""), 0755), 0);
}

/* ---- Reading ---- */

static void test_read(void **state)
{
    struct buffer contents = {0};
    struct error error = {0};

    (void)state;
    scratch_clear();
    file_put(scratch_path("file"), "text", 0644);
    file_put(scratch_path("empty"), "", 0644);
    assert_true(buffer_append(&contents, "some ", 5));
    errno = ENOENT;
    assert_true(file_read(scratch_path("file"), FILE_PUBLIC, &contents, STATUS_LOCAL, &error));
    assert_int_equal(errno, 0);
    assert_true(file_read(scratch_path("empty"), FILE_PUBLIC, &contents, STATUS_LOCAL, &error));
    assert_int_equal(buffer_used(&contents), 9);
    assert_memory_equal(buffer_at(&contents), "some text", 9);
    buffer_free(&contents);
}

static void test_read_errors(void **state)
{
    struct buffer contents = {0};
    struct error error = {0};

    (void)state;
    scratch_clear();
    assert_false(file_read(scratch_path("none"), FILE_PUBLIC, &contents, STATUS_IDENTITY, &error));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(error.status, STATUS_IDENTITY);
    assert_true(has(error.story, "cannot open \""));
    assert_true(has(error.story, "/none\": No such file"));
    error_clear(&error);
    assert_false(file_read(scratch_path(""), FILE_PUBLIC, &contents, STATUS_LOCAL, &error));
    assert_int_equal(errno, 0); /* it could be opened */
    assert_true(has(error.story, "Is a directory"));
    buffer_free(&contents);
}

static void test_read_limit(void **state)
{
    struct buffer contents = {0};
    struct error error = {0};

    (void)state;
    scratch_clear();
    file_put(scratch_path("big"), "", 0644);
    assert_int_equal(truncate(scratch_path("big"), 1 << 20), 0);
    assert_true(file_read(scratch_path("big"), FILE_PUBLIC, &contents, STATUS_LOCAL, &error));
    assert_int_equal(buffer_used(&contents), 1 << 20);
    buffer_free(&contents);
    assert_int_equal(truncate(scratch_path("big"), (1 << 20) + 1), 0);
    assert_false(file_read(scratch_path("big"), FILE_PUBLIC, &contents, STATUS_LOCAL, &error));
    assert_true(has(error.story, "larger than 1 MiB"));
    error_clear(&error);
    assert_false(file_read("/dev/zero", FILE_PUBLIC, &contents, STATUS_LOCAL, &error)); /* no end of it */
    buffer_free(&contents);
}

/* ---- Files that name others ---- */

static void test_beside(void **state)
{
    static const struct {
        const char *beside, *path, *wanted;
    } rows[] = {
        {"/etc/x/config", "key.pem", "/etc/x/key.pem"},
        {"/etc/x/config", "keys/key.pem", "/etc/x/keys/key.pem"},
        {"/etc/x/config", "../key.pem", "/etc/x/../key.pem"},
        {"/etc/x/config", "/key.pem", "/key.pem"},
        {"/etc/x/config", "~/key.pem", "/home/me/key.pem"},
        {"/etc/x/config", "~me/key.pem", "/etc/x/~me/key.pem"},
        {"/etc/x/config", "~", "/etc/x/~"},
        {"x/config", "key.pem", "x/key.pem"},
        {"config", "key.pem", "key.pem"},
        {"config", "~/key.pem", "/home/me/key.pem"},
    };

    (void)state;
    setenv("HOME", "/home/me", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *path = file_beside(rows[i].beside, rows[i].path);

        check_row(path && strcmp(path, rows[i].wanted) == 0, "row %zu: %s", i, path ? path : "NULL");
        free(path);
    }
}

/* ---- Files that others could have written ---- */

static const char *read_ours(enum status status)
{
    static struct error error;
    struct buffer contents = {0};
    bool done;

    error_clear(&error);
    done = file_read(scratch_path("ours"), FILE_OURS, &contents, status, &error);
    buffer_free(&contents);
    if (!done)
        assert_int_equal(error.status, status);
    return done ? "read" : error.story;
}

static void test_ours(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode <= 0777; mode++) {
        const char *got;

        file_put(scratch_path("ours"), "x", mode | 0600);
        got = read_ours(STATUS_LOCAL);
        if (mode & 022)
            check_row(strstr(got, "can be written by others"), "mode %04o: %s", mode, got);
        else
            check_row(strcmp(got, "read") == 0, "mode %04o: %s", mode, got);
    }
    if (geteuid() == 0) {
        assert_int_equal(chown(scratch_path("ours"), 12345, 12345), 0);
        assert_int_equal(chmod(scratch_path("ours"), 0600), 0);
        assert_non_null(strstr(read_ours(STATUS_LOCAL), "belongs to another user (uid 12345)"));
    }
}

/* ---- Privacy ---- */

static int read_private(void *argument)
{
    struct buffer contents = {0};
    struct error error = {0};
    bool done;

    if (argument)
        become_nobody();
    done = file_read(scratch_path("key"), FILE_PRIVATE, &contents, STATUS_IDENTITY, &error);
    buffer_free(&contents);
    if (!done && (!has(error.story, "can be read by others") || !has(error.story, "chmod 600")))
        return 2;
    return done ? 0 : 1;
}

static void test_private_modes(void **state)
{
    static const struct {
        unsigned mode;
        bool ours, others; /* it is used: when the file is ours; when it is somebody else's, whose group we are of */
    } table[] = {
        {0600, true, true}, {0400, true, true},  {0700, true, true},  {0640, false, true},  {0620, false, true},
        {0644, false, false}, {0604, false, false}, {0601, false, false}, {0602, false, false}, {0660, false, true},
    };

    (void)state;
    scratch_clear();
    for (size_t i = 0; i < COUNT(table); i++) {
        file_put(scratch_path("key"), "secret", table[i].mode);
        check_row(in_child(read_private, NULL) == !table[i].ours, "mode %o", table[i].mode);
        if (geteuid() == 0 && (table[i].mode & 040)) {
            assert_int_equal(chown(scratch_path("key"), 0, 65534), 0);
            check_row(in_child(read_private, "as nobody") == !table[i].others, "mode %o, somebody else's", table[i].mode);
        }
        remove(scratch_path("key"));
    }
}

/* What is no file has no mode that says anything: a pipe from a shell's <(...). */
static void test_private_pipe(void **state)
{
    struct buffer contents = {0};
    struct error error = {0};
    char path[64];
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "secret", 6), 6);
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    assert_true(file_read(path, FILE_PRIVATE, &contents, STATUS_IDENTITY, &error));
    assert_int_equal(buffer_used(&contents), 6);
    close(ends[0]);
    buffer_free(&contents);
}

/* ---- Writing ---- */

static void assert_file(const char *name, const char *text)
{
    char *found = file_get(scratch_path(name));

    assert_non_null(found);
    assert_string_equal(found, text);
    free(found);
}

static void test_write(void **state)
{
    struct error error = {0};

    (void)state;
    scratch_clear();
    assert_true(file_write(scratch_path("file"), FILE_REPLACE, "one", 3, STATUS_LOCAL, &error));
    assert_file("file", "one");
    assert_int_equal(file_mode(scratch_path("file")), 0600);
    assert_true(file_write(scratch_path("file"), FILE_REPLACE, "another", 7, STATUS_LOCAL, &error));
    assert_file("file", "another");
    assert_true(file_write(scratch_path("file"), FILE_KEEP, "third", 5, STATUS_LOCAL, &error));
    assert_file("file", "another");
    assert_true(file_write(scratch_path("new"), FILE_KEEP, "third", 5, STATUS_LOCAL, &error));
    assert_file("new", "third");
    assert_true(file_write(scratch_path("new"), FILE_REPLACE, "", 0, STATUS_LOCAL, &error));
    assert_file("new", "");
    assert_int_equal(scratch_count(""), 2);
    assert_int_equal(error.status, STATUS_OK);
}

static void test_link_stays_a_link(void **state)
{
    struct error error = {0};
    struct stat info;

    (void)state;
    scratch_clear();
    assert_int_equal(mkdir(scratch_path("elsewhere"), 0755), 0);
    file_put(scratch_path("elsewhere/real"), "old", 0600);
    assert_int_equal(symlink("elsewhere/real", scratch_path("link")), 0);
    assert_true(file_write(scratch_path("link"), FILE_REPLACE, "new", 3, STATUS_LOCAL, &error));
    assert_int_equal(lstat(scratch_path("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_file("elsewhere/real", "new");
    assert_int_equal(scratch_count(""), 2);
    assert_int_equal(scratch_count("elsewhere"), 1);
}

/* Also where it leads to no file yet, and through another link. */
static void test_link_to_no_file(void **state)
{
    struct error error = {0};
    struct stat info;

    (void)state;
    for (int absolute = 0; absolute < 2; absolute++) {
        scratch_clear();
        assert_int_equal(mkdir(scratch_path("elsewhere"), 0755), 0);
        assert_int_equal(symlink(absolute ? scratch_path("elsewhere/second") : "elsewhere/second", scratch_path("first")), 0);
        assert_int_equal(symlink("real", scratch_path("elsewhere/second")), 0);
        assert_true(file_write(scratch_path("first"), absolute ? FILE_KEEP : FILE_REPLACE, "new", 3, STATUS_LOCAL, &error));
        assert_file("elsewhere/real", "new");
        assert_int_equal(lstat(scratch_path("first"), &info), 0);
        assert_true(S_ISLNK(info.st_mode));
        assert_int_equal(lstat(scratch_path("elsewhere/second"), &info), 0);
        assert_true(S_ISLNK(info.st_mode));
        assert_int_equal(scratch_count(""), 2);
        assert_int_equal(scratch_count("elsewhere"), 2);
    }
}

static void test_links_without_end(void **state)
{
    struct error errors[2] = {{.status = STATUS_OK}};
    int lock;

    (void)state;
    scratch_clear();
    assert_int_equal(symlink("b", scratch_path("a")), 0);
    assert_int_equal(symlink("a", scratch_path("b")), 0);
    assert_false(file_write(scratch_path("a"), FILE_REPLACE, "new", 3, STATUS_LOCAL, &errors[0]));
    assert_true(has(errors[0].story, "/a\": Too many levels of symbolic links"));
    lock = file_lock(scratch_path("a"), STATUS_LOCAL, &errors[1]);
    close(lock); /* whatever comes of the test */
    assert_int_equal(lock, -1);
    assert_true(has(errors[1].story, "/a\": Too many levels of symbolic links"));
    assert_int_equal(scratch_count(""), 2);
}

/* A reader sees the old file or the new one, and both whole. */
static int write_often(void *argument)
{
    struct error error = {0};
    char text[5000];

    (void)argument;
    for (int i = 0; i < 200; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        if (!file_write(scratch_path("file"), FILE_REPLACE, text, sizeof text, STATUS_LOCAL, &error))
            return 1;
    }
    return 0;
}

static void test_write_is_atomic(void **state)
{
    struct error error = {0};
    struct buffer contents = {0};
    int child;

    (void)state;
    scratch_clear();
    write_often(NULL);
    child = child_start(write_often, NULL);
    for (int i = 0; i < 1000; i++) {
        assert_true(file_read(scratch_path("file"), FILE_PRIVATE, &contents, STATUS_LOCAL, &error));
        assert_int_equal(buffer_used(&contents), 5000);
        assert_int_equal(buffer_at(&contents)[0], buffer_at(&contents)[4999]);
        buffer_skip(&contents, 5000);
    }
    buffer_free(&contents);
    assert_int_equal(child_end(child), 0);
    assert_int_equal(scratch_count(""), 1);
}

/* Of many that make it at once one wins, and all go on with its file. */
static int keep_mine(void *argument)
{
    struct error error = {0};

    return !file_write(scratch_path("file"), FILE_KEEP, argument, strlen(argument), STATUS_LOCAL, &error);
}

static void test_keep_at_once(void **state)
{
    char texts[8][32];
    int children[8];
    char *found, *again;

    (void)state;
    scratch_clear();
    for (int i = 0; i < 8; i++) {
        snprintf(texts[i], sizeof *texts, "mine %d", i);
        children[i] = child_start(keep_mine, texts[i]);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(child_end(children[i]), 0);
    found = file_get(scratch_path("file"));
    assert_int_equal(strlen(found), 6);
    assert_int_equal(keep_mine(texts[0]), 0);
    again = file_get(scratch_path("file"));
    assert_string_equal(found, again);
    assert_int_equal(scratch_count(""), 1);
    free(found);
    free(again);
}

/* ---- When it cannot be written ---- */

struct attempt {
    const char *path;
    size_t length;
    enum file_replace replace;
    bool nobody;
    size_t limit; /* of a file's size; 0: none */
    const char *story;
};

/* 0: it failed as it should. */
static int try_to_write(void *argument)
{
    const struct attempt *attempt = argument;
    char text[3000];
    struct error error = {0};

    memset(text, 'n', sizeof text);
    if (attempt->nobody)
        become_nobody();
    if (attempt->limit)
        limit_file_size(attempt->limit);
    if (file_write(attempt->path, attempt->replace, text, attempt->length, STATUS_IDENTITY, &error))
        return 1;
    if (error.status != STATUS_IDENTITY)
        return 2;
    return !has(error.story, attempt->story);
}

static void test_nothing_is_half_written(void **state)
{
    (void)state;
    for (int there = 0; there < 2; there++)
        for (int keep = 0; keep < 2; keep++) {
            struct attempt full = {scratch_path("file"), 3000, (enum file_replace)keep, false, 1000, "File too large"};
            struct attempt forbidden = {scratch_path("file"), 10, (enum file_replace)keep, true, 0, "Permission denied"};
            struct attempt nowhere = {scratch_path("no/file"), 10, (enum file_replace)keep, false, 0, "No such file"};

            scratch_clear();
            if (there)
                file_put(scratch_path("file"), "old", 0666);
            assert_int_equal(in_child(try_to_write, &full), 0);
            assert_int_equal(in_child(try_to_write, &forbidden), 0);
            assert_int_equal(in_child(try_to_write, &nowhere), 0);
            assert_int_equal(scratch_count(""), there);
            if (there)
                assert_file("file", "old");
        }
}

/* A folder stands where the file should be. */
static void test_folder_in_the_way(void **state)
{
    struct attempt attempt = {scratch_path("folder"), 10, FILE_REPLACE, false, 0, "/folder\": Is a directory"};

    (void)state;
    scratch_clear();
    assert_int_equal(mkdir(scratch_path("folder"), 0755), 0);
    assert_int_equal(in_child(try_to_write, &attempt), 0);
    assert_int_equal(scratch_count(""), 1);
}

/* ---- Locking ---- */

/* Count up in a file, in steps that would get lost if two did so at once. */
static int count_up(void *argument)
{
    (void)argument;
    for (int i = 0; i < 40; i++) {
        struct error error = {0};
        int lock = file_lock(scratch_path("number"), STATUS_LOCAL, &error);
        char *text = file_get(scratch_path("number"));
        FILE *file = fopen(scratch_path("number"), "we");

        if (lock < 0 || !text || !file)
            return 1;
        sched_yield();
        fprintf(file, "%d", atoi(text) + 1);
        fclose(file);
        free(text);
        close(lock);
    }
    return 0;
}

static void test_lock(void **state)
{
    int children[4];

    (void)state;
    scratch_clear();
    file_put(scratch_path("number"), "0", 0600);
    for (int i = 0; i < 4; i++)
        children[i] = child_start(count_up, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(child_end(children[i]), 0);
    assert_file("number", "160");
    assert_int_equal(scratch_count(""), 1); /* a lock leaves nothing behind */
}

static int lock_is_held(void *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* By whatever links two processes come to a file, they wait for one another. */
static void test_lock_by_a_link(void **state)
{
    struct error error = {0};
    int lock, held;

    (void)state;
    scratch_clear();
    assert_int_equal(mkdir(scratch_path("elsewhere"), 0755), 0);
    assert_int_equal(symlink("elsewhere/real", scratch_path("link")), 0);
    lock = file_lock(scratch_path("link"), STATUS_LOCAL, &error);
    assert_true(lock >= 0);
    held = in_child(lock_is_held, (void *)scratch_path("elsewhere"));
    close(lock); /* whatever comes of the test */
    assert_int_equal(held, 1);
    assert_int_equal(in_child(lock_is_held, (void *)scratch_path("elsewhere")), 0);
}

static void test_lock_nowhere(void **state)
{
    struct error error = {0};

    (void)state;
    scratch_clear();
    assert_int_equal(file_lock(scratch_path("no/file"), STATUS_LOCAL, &error), -1);
    assert_int_equal(error.status, STATUS_LOCAL);
    assert_true(has(error.story, "cannot lock the folder"));
    assert_true(has(error.story, "/no\": No such file"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_make_folder),
        cmocka_unit_test(test_folder_below_a_file),
        cmocka_unit_test(test_folder_not_allowed),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_errors),
        cmocka_unit_test(test_read_limit),
        cmocka_unit_test(test_private_modes),
        cmocka_unit_test(test_private_pipe),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_link_stays_a_link),
        cmocka_unit_test(test_link_to_no_file),
        cmocka_unit_test(test_links_without_end),
        cmocka_unit_test(test_write_is_atomic),
        cmocka_unit_test(test_keep_at_once),
        cmocka_unit_test(test_nothing_is_half_written),
        cmocka_unit_test(test_folder_in_the_way),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_lock_by_a_link),
        cmocka_unit_test(test_lock_nowhere),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
