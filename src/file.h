/* file.h - small files: where they are, read whole, written whole or not at all. */
#ifndef SYMTLS_FILE_H
#define SYMTLS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "error.h"

/* "$variable/symtls/name", or below the home folder where the variable is unset ("~/.config/symtls/name" for
 * fallback ".config"). The caller frees it; NULL when there is no home either. */
char *file_path(const char *variable, const char *fallback, const char *name);

/* What a file calls another one: "~/..." is in the home folder, and a relative path begins where the file `beside` is. The
 * caller frees it; NULL: no memory. */
char *file_beside(const char *beside, const char *path);

/* Make the folder that `path` is in, and those above it, 0700. False with an error. */
bool file_make_folder(const char *path, enum status status, struct error *error);

enum file_privacy {
    FILE_PUBLIC,
    FILE_PRIVATE, /* refuse a file that others than its owner can read */
    FILE_OURS     /* refuse a file that others than we and root can write */
};

enum { FILE_SIZE_MAX = 1 << 20 };

/* Append a file of up to FILE_SIZE_MAX bytes (1 MiB) to `contents`. False with an error of that status; errno says why it could not be
 * opened, 0 when it was opened. A file that is not private is read all the same: perhaps there is nothing secret in it. */
bool file_read(const char *path, enum file_privacy privacy, struct buffer *contents, enum status status,
               struct error *error);

enum file_replace { FILE_REPLACE, FILE_KEEP /* do nothing when the file is there by now */ };

/* Write a whole file, 0600, such that there is the old one or the new one and nothing between, whatever happens. A
 * symbolic link stays one: the file that it leads to is written.
 * False with an error; with KEEP and an existing file true, and the file is as it was. */
bool file_write(const char *path, enum file_replace replace, const void *bytes, size_t length, enum status status,
                struct error *error);

/* One process at a time, among those that ask: a lock on the folder that the file is in, wherever links lead to.
 * -1 with an error; else close() it. */
int file_lock(const char *path, enum status status, struct error *error);

#endif
