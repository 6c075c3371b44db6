/* file.c - small files: where they are, read whole, written whole or not at all. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *home_folder(void)
{
    const char *home = getenv("HOME");
    const struct passwd *user;

    if (home && home[0] == '/')
        return home;
    user = getpwuid(geteuid());
    return user ? user->pw_dir : NULL;
}

char *file_path(const char *variable, const char *fallback, const char *name)
{
    const char *base = getenv(variable);
    const char *home;
    char *path = NULL;
    int length;

    if (base && base[0] == '/') { /* the XDG specification: a relative path is no path */
        length = asprintf(&path, "%s/symtls/%s", base, name);
    } else {
        home = home_folder();
        if (!home)
            return NULL;
        length = asprintf(&path, "%s/%s/symtls/%s", home, fallback, name);
    }
    return length < 0 ? NULL : path;
}

/* The folder part, in memory of its own. */
static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *folder = copy ? strdup(dirname(copy)) : NULL;

    free(copy);
    return folder;
}

char *file_beside(const char *beside, const char *path)
{
    const char *home = strncmp(path, "~/", 2) == 0 ? home_folder() : NULL;
    char *folder, *whole = NULL;

    if (home)
        return asprintf(&whole, "%s%s", home, path + 1) < 0 ? NULL : whole;
    if (path[0] == '/' || !strchr(beside, '/'))
        return strdup(path);
    folder = folder_of(beside);
    if (!folder || asprintf(&whole, "%s/%s", folder, path) < 0)
        whole = NULL;
    free(folder);
    return whole;
}

bool file_make_folder(const char *path, enum status status, struct error *error)
{
    char *folder = folder_of(path);
    bool made = folder != NULL;

    for (char *at = folder; made && at; at = strchr(at + 1, '/')) {
        char *slash = strchr(at + 1, '/');

        if (slash)
            *slash = '\0';
        int reason = mkdir(folder, 0700) == 0 ? 0 : errno;

        /* Where nothing may be made, something may be there all the same. */
        made = reason == 0 || reason == EEXIST || access(folder, X_OK) == 0;
        if (!made)
            error_set(error, status, "cannot make the folder \"%s\": %s", folder, strerror(reason));
        if (slash)
            *slash = '/';
        if (!slash)
            break;
    }
    free(folder);
    return made;
}

static bool is_private(const char *path, const struct stat *info, enum status status, struct error *error)
{
    /* The rule of ssh(1): somebody else's file with a group that may read it is the administrator's choice. */
    unsigned forbidden = info->st_uid == geteuid() ? 077 : 007;

    if (!S_ISREG(info->st_mode) || (info->st_mode & forbidden) == 0)
        return true;
    error_set(error, status,
              "the secret in \"%s\" can be read by others (mode %04o), so it is not used; chmod 600 mends it", path,
              info->st_mode & 07777U);
    return false;
}

/* ssh(1) has the same rule for its ssh_config. */
static bool is_ours(const char *path, const struct stat *info, enum status status, struct error *error)
{
    if (info->st_uid != geteuid() && info->st_uid != 0)
        error_set(error, status, "\"%s\" belongs to another user (uid %u), who could write anything into it, so it is not used", path,
                  (unsigned)info->st_uid);
    else if (info->st_mode & 022)
        error_set(error, status, "\"%s\" can be written by others (mode %04o), so it is not used; chmod go-w mends it", path,
                  info->st_mode & 07777U);
    else
        return true;
    return false;
}

static bool may_use(int fd, const char *path, enum file_privacy privacy, enum status status, struct error *error)
{
    struct stat info;

    if (privacy == FILE_PUBLIC)
        return true;
    if (fstat(fd, &info) != 0) {
        error_set(error, status, "cannot look at \"%s\": %s", path, strerror(errno));
        return false;
    }
    return privacy == FILE_OURS ? is_ours(path, &info, status, error) : is_private(path, &info, status, error);
}

static bool read_all(int fd, const char *path, struct buffer *contents, enum status status, struct error *error)
{
    for (;;) {
        uint8_t *room = buffer_room(contents, 4096);
        ssize_t length = room ? read(fd, room, 4096) : -1;

        if (length == 0)
            return true;
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0) {
            error_set(error, status, "cannot read \"%s\": %s", path, strerror(errno));
            return false;
        }
        buffer_filled(contents, (size_t)length);
        if (buffer_used(contents) > FILE_SIZE_MAX) {
            error_set(error, status, "\"%s\" is larger than 1 MiB, too large to be what it is taken for", path);
            return false;
        }
    }
}

bool file_read(const char *path, enum file_privacy privacy, struct buffer *contents, enum status status,
               struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool done;

    if (fd < 0) {
        int reason = errno;

        error_set(error, status, "cannot open \"%s\": %s", path, strerror(reason));
        errno = reason;
        return false;
    }
    done = read_all(fd, path, contents, status, error) && may_use(fd, path, privacy, status, error);
    close(fd);
    errno = 0;
    return done;
}

/* Where the file is or would be when `path` is a symbolic link to it, in memory of its own. NULL, and errno says why. */
static char *follow_links(const char *path)
{
    char *at = strdup(path);

    for (int links = 0; at && links < 40; links++) {
        char link[PATH_MAX], *folder, *next = NULL;
        ssize_t length = readlink(at, link, sizeof link);

        if (length < 0)
            return at; /* no link, or nothing there */
        folder = folder_of(at);
        if (folder && asprintf(&next, "%s%s%.*s", link[0] == '/' ? "" : folder, link[0] == '/' ? "" : "/", (int)length,
                               link) < 0)
            next = NULL;
        free(folder);
        free(at);
        at = next;
    }
    if (at)
        errno = ELOOP;
    free(at);
    return NULL;
}

static bool write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return fsync(fd) == 0;
}

static bool put_in_place(const char *temporary, const char *path, enum file_replace replace)
{
    if (replace == FILE_REPLACE)
        return rename(temporary, path) == 0;
    /* link() never replaces, so of two processes that make the file at once one wins and both go on with its file. */
    if (link(temporary, path) != 0 && errno != EEXIST)
        return false;
    return unlink(temporary) == 0;
}

bool file_write(const char *path, enum file_replace replace, const void *bytes, size_t length, enum status status,
                struct error *error)
{
    char *target = follow_links(path); /* a link to the file stays a link */
    char *temporary = NULL;
    bool written = false;
    int fd = -1;

    if (target && asprintf(&temporary, "%s.XXXXXX", target) >= 0)
        fd = mkostemp(temporary, O_CLOEXEC);
    if (fd >= 0) {
        written = write_all(fd, bytes, length);
        if (close(fd) != 0)
            written = false;
        written = written && put_in_place(temporary, target, replace);
        if (!written) {
            int reason = errno;

            unlink(temporary);
            errno = reason;
        }
    }
    if (!written)
        error_set(error, status, "cannot write \"%s\": %s", path, strerror(errno));
    free(temporary);
    free(target);
    return written;
}

int file_lock(const char *path, enum status status, struct error *error)
{
    char *file = follow_links(path);
    char *folder = file ? folder_of(file) : NULL;
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        error_set(error, status, "cannot lock the folder \"%s\": %s", folder ? folder : path, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    free(folder);
    free(file);
    return fd;
}
