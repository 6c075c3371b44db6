/* confine.c - give up every right that there is to give up. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* ---- Landlock ---- */

/* struct landlock_ruleset_attr of the newest kernel that we know; an older one gets its beginning. */
struct rules {
    uint64_t files, network, scope;
};

static const uint64_t read_a_file = LANDLOCK_ACCESS_FS_READ_FILE;

/* What its version of Landlock can forbid is forbidden: the lowest bits of each field, with those that came later. */
static size_t everything(int version, struct rules *rules)
{
    *rules = (struct rules){.files = version >= 5 ? 0xffff : version >= 3 ? 0x7fff : version == 2 ? 0x3fff : 0x1fff,
                            .network = 0x3, /* bind and connect, of TCP; from version 4 on */
                            .scope = 0x3};  /* abstract UNIX sockets, signals; from version 6 on */
    return version >= 6 ? sizeof *rules : version >= 4 ? offsetof(struct rules, scope) : offsetof(struct rules, network);
}

int confine_landlock(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* libusrsctp opens it, and some of its versions have no other random numbers. */
static bool allow_random_numbers(int ruleset)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = read_a_file, .parent_fd = open("/dev/urandom", O_PATH | O_CLOEXEC)};
    bool allowed = rule.parent_fd < 0 || syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;

    if (rule.parent_fd >= 0)
        close(rule.parent_fd);
    return allowed;
}

static bool lock_out(void)
{
    int version = confine_landlock();
    struct rules rules;
    size_t size;
    bool done;
    int fd;

    if (version < 1)
        return true; /* this kernel has none, or it is off */
    size = everything(version, &rules);
    fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    done = fd >= 0 && allow_random_numbers(fd) && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

/* ---- All of it ---- */

bool confine(void)
{
    const struct rlimit none = {0, 0};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (geteuid() == 0) {
        if (setgroups(0, NULL) != 0 && errno != EPERM) /* a user namespace may not allow that */
            return false;
        /* There nobody may have no number: then it stays that namespace's root, without its powers. */
        if ((setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0) && errno != EINVAL)
            return false;
    }
    return syscall(SYS_capset, &header, nothing) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && lock_out() &&
           prctl(PR_SET_DUMPABLE, 0) == 0 && setrlimit(RLIMIT_FSIZE, &none) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}
