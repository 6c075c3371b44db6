/* test_lock.c - locks between forked processes: one has it, and whoever dies lets go of it. */
#include "check.h"
#include "lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that takes the lock, says so, and holds it until it is killed. */
static pid_t hold(int fd, enum lock_name name, int tell)
{
    pid_t child = fork();

    if (child == 0) {
        if (lock_take(fd, name, true) && write(tell, "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(child > 0);
    return child;
}

static void test_locks(void **state)
{
    int fd = lock_open(), ends[2];
    char byte;
    pid_t child;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(pipe(ends), 0);
    assert_true(lock_take(fd, LOCK_REPORT, false)); /* ours: the child does not get it by being forked */
    child = hold(fd, LOCK_QUESTION, ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_false(lock_take(fd, LOCK_QUESTION, false));
    lock_release(fd, LOCK_REPORT);
    assert_true(lock_take(fd, LOCK_REPORT, false)); /* the other one is another one */
    kill(child, SIGKILL);
    assert_true(lock_take(fd, LOCK_QUESTION, true));
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
