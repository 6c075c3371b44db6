/* lock.c - locks between a process and those that it forks off. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int lock_open(void)
{
    return memfd_create("symtls-locks", MFD_CLOEXEC);
}

/* Record locks belong to a process, not to the open file: what fork(2) shares does not share them. */
static bool set(int fd, enum lock_name name, short type, bool wait)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)name, .l_len = 1};
    int result;

    do
        result = fcntl(fd, wait ? F_SETLKW : F_SETLK, &lock);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

bool lock_take(int fd, enum lock_name name, bool wait)
{
    return set(fd, name, F_WRLCK, wait);
}

void lock_release(int fd, enum lock_name name)
{
    set(fd, name, F_UNLCK, false);
}
