/* helpers.c - what unit tests share. */
#include "check.h"
#include "helpers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The scratch folder ---- */

static char scratch[64];

int scratch_setup(void **state)
{
    (void)state;
    umask(022);
    strcpy(scratch, "/tmp/symtls-unit-XXXXXX");
    if (!mkdtemp(scratch) || chmod(scratch, 0755) != 0)
        return -1;
    return setenv("XDG_CONFIG_HOME", scratch, 1); /* whoever runs the tests may have settings */
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    return where->level > 0 ? remove(path) : 0;
}

void scratch_clear(void)
{
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int scratch_teardown(void **state)
{
    (void)state;
    scratch_clear();
    return rmdir(scratch);
}

const char *scratch_path(const char *name)
{
    static char paths[16][512];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof *paths, *name ? "%s/%s" : "%s%s", scratch, name);
    return path;
}

unsigned scratch_count(const char *name)
{
    DIR *folder = opendir(scratch_path(name));
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

/* ---- Small files ---- */

void file_put(const char *path, const char *text, unsigned mode)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

char *file_get(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0, length;
    FILE *copy;
    char piece[4096];

    if (!file)
        return NULL;
    copy = open_memstream(&text, &size);
    assert_non_null(copy);
    while ((length = fread(piece, 1, sizeof piece, file)) > 0)
        fwrite(piece, 1, length, copy);
    fclose(copy);
    fclose(file);
    return text;
}

char *fd_get(int fd)
{
    off_t length = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)length + 1);

    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)length, 0), length);
    return text;
}

unsigned file_mode(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777U;
}

/* ---- Children ---- */

int child_start(child_function *function, void *argument)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* a check that fails there must not go on with the next test */
        _exit(function(argument));
    }
    return child;
}

int child_end(int child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int in_child(child_function *function, void *argument)
{
    return child_end(child_start(function, argument));
}

void become_nobody(void)
{
    if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
        _exit(99);
}

void limit_file_size(size_t size)
{
    struct rlimit limit = {.rlim_cur = size, .rlim_max = size};

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(99);
}

/* ---- stderr ---- */

static int real_stderr = -1;

void stderr_catch(void)
{
    int fd = memfd_create("stderr", MFD_CLOEXEC);

    assert_true(fd >= 0);
    real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

char *stderr_caught(void)
{
    char *text = fd_get(STDERR_FILENO);

    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return text;
}

/* ---- The rest ---- */

size_t stride(size_t wanted)
{
    const char *preloaded = getenv("LD_PRELOAD");

    if (preloaded && strstr(preloaded, "vgpreload"))
        return wanted;
    return SANITIZED ? wanted / 2 : 1;
}

bool has(const char *text, const char *words)
{
    if (text && strstr(text, words))
        return true;
    print_error("# \"%s\" is not in: %s\n", words, text ? text : "(nothing)");
    return false;
}

uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

bool random_bytes(void *bytes, size_t length)
{
    return getrandom(bytes, length, 0) == (ssize_t)length;
}

uint8_t *some_data(size_t length, uint32_t seed)
{
    uint8_t *bytes = malloc(length);

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)next_random(&seed);
    return bytes;
}
