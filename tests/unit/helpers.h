/* helpers.h - what unit tests share: a scratch folder, small files, children, and what was said on stderr. */
#ifndef SYMTLS_TEST_HELPERS_H
#define SYMTLS_TEST_HELPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- A folder that is there while a group of tests runs: for cmocka_run_group_tests() ---- */

int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Empty it again. */
void scratch_clear(void);

/* The path of `name` in it ("": its own). Valid for the next fifteen calls. */
const char *scratch_path(const char *name);

/* How many entries the folder has that `name` is. */
unsigned scratch_count(const char *name);

/* ---- Small files ---- */

void file_put(const char *path, const char *text, unsigned mode);

/* The whole file, for free(); NULL: there is none. */
char *file_get(const char *path);

/* The same of one that is open, and has no name perhaps. */
char *fd_get(int fd);

unsigned file_mode(const char *path);

/* ---- Children ---- */

typedef int child_function(void *argument);

/* Run it in a child, whose exit status is what it returns. */
int child_start(child_function *function, void *argument);

/* Wait for the child; its exit status, or minus the signal that it died by. */
int child_end(int child);

/* Both of these at once. */
int in_child(child_function *function, void *argument);

/* In a child: go on as somebody who may not write everywhere. */
void become_nobody(void);

/* In a child: no file may grow beyond so many bytes. A write that would gets EFBIG. */
void limit_file_size(size_t size);

/* ---- What is said on stderr meanwhile ---- */

void stderr_catch(void);

/* Let it through again; what was said since, for free(). */
char *stderr_caught(void);

/* ---- The rest ---- */

/* A test of each of many cases takes only each `stride`-th where that is slow: `wanted` under valgrind, half of it with
 * sanitizers. */
size_t stride(size_t wanted);

/* `text` contains `words`. */
bool has(const char *text, const char *words);

/* Numbers that look random and are the same in each run. */
uint32_t next_random(uint32_t *state);

/* Others, for role_preference_make(). */
bool random_bytes(void *bytes, size_t length);

/* So many bytes that are not all the same, by `seed`; for free(). */
uint8_t *some_data(size_t length, uint32_t seed);

#endif
