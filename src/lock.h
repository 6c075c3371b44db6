/* lock.h - locks between a process and those that it forks off. Who ends, however that comes about, lets go of them. */
#ifndef SYMTLS_LOCK_H
#define SYMTLS_LOCK_H

#include <stdbool.h>

enum lock_name { LOCK_REPORT /* a line of the report is being written */, LOCK_QUESTION /* the user is being asked */ };

/* A descriptor on which there are these locks, to be shared by fork(2). -1 with errno. */
int lock_open(void);

/* Take it; false at once if another process has it and `wait` is false. */
bool lock_take(int fd, enum lock_name name, bool wait);
void lock_release(int fd, enum lock_name name);

#endif
