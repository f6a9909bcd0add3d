/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The headers may be older than the kernel: struct landlock_ruleset_attr and
 * the numbers of rights as of version 7.  A kernel takes a longer struct than
 * it knows if the rest is zero. */
struct rules_attr {
    uint64_t fs, net, scoped;
};

enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    TRUNCATE = 1 << 14,
    IOCTL_DEV = 1 << 15, /* a block device's size is asked for by ioctl() */

    FS_1 = (1 << 13) - 1, /* up to MAKE_SYM */
    FS_2 = (1 << 14) - 1, /* and REFER */
    FS_3 = (1 << 15) - 1,
    FS_5 = (1 << 16) - 1,
    TCP = 3,    /* bind and connect */
    SCOPED = 3, /* abstract sockets and signals of others */
    OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
};

/* What each version can deny; those above are asked for what the last one
 * here knows. */
static const struct rules_attr versions[] = {
    { 0 },
    { FS_1, 0, 0 },
    { FS_2, 0, 0 },
    { FS_3, 0, 0 },
    { FS_3, TCP, 0 },
    { FS_5, TCP, 0 },
    { FS_5, TCP, SCOPED },
};

enum { LAST_VERSION = sizeof versions / sizeof *versions - 1 };

static const struct rules_attr *
what_there_is(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1)
        return NULL;
    return &versions[version < LAST_VERSION ? version : LAST_VERSION];
}

int
landlock_new(void)
{
    const struct rules_attr *attr = what_there_is();

    return attr == NULL ? -1
                        : (int)syscall(SYS_landlock_create_ruleset, attr,
                                       sizeof *attr, 0);
}

/* Of a kernel that does not know a right it cannot be asked for. */
int
landlock_allow(int rules, const char *path, enum landlock_use use)
{
    static const uint64_t rights[] = {
        [LANDLOCK_READ] = READ_FILE | IOCTL_DEV,
        [LANDLOCK_WRITE] = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV,
        [LANDLOCK_EXECUTE] = READ_FILE | READ_DIR | EXECUTE
    };
    const struct rules_attr *attr = what_there_is();
    V2V_AUTO(fd) int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr beneath = { .parent_fd = fd };
    struct stat st;

    if (attr == NULL)
        return -1;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
    if (fstat(fd, &st) < 0)
        return -1;
    beneath.allowed_access = rights[use] & attr->fs;
    if (!S_ISDIR(st.st_mode))
        beneath.allowed_access &= OF_FILES;
    return (int)syscall(SYS_landlock_add_rule, rules,
                        LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

int
landlock_enter(int rules)
{
    return (int)syscall(SYS_landlock_restrict_self, rules, 0);
}
