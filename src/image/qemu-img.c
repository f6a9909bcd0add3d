/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/qemu-img.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/text.h"

enum {
    ARGS_MAX = 16,
    OUTPUT_MAX = 16 << 20 /* a VMDK may list thousands of extents */
};

/* The environment in a new array, with LC_ALL=C; the strings stay shared. */
static char **
english_environment(struct v2v_error *err)
{
    static char lc_all[] = "LC_ALL=C";
    size_t count = 0, used = 0;
    char **env;

    while (environ[count] != NULL)
        count++;
    env = calloc(count + 2, sizeof *env);
    if (env == NULL) {
        v2v_error_set_errno(err, errno, "environment");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "LC_ALL=", 7) != 0)
            env[used++] = environ[i];
    env[used] = lc_all;
    return env;
}

static int
not_installed(struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_INTERNAL,
                    "qemu-img is not installed (package qemu-utils)");
}

/* Files in memory take the output: unlike pipes they never make the child
 * wait for us. */
static int
spawn(char *const *argv, int out, int error, pid_t *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char **env = english_environment(err);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    int rc;

    if (env == NULL)
        return -1;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
                                          O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&files, error, STDERR_FILENO);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    if (rc == 0)
        rc = posix_spawnp(ret, argv[0], &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    if (rc == ENOENT)
        return not_installed(err);
    if (rc != 0)
        return v2v_fail_errno(err, rc, "cannot run %s", argv[0]);
    return 0;
}

static int
wait_for(pid_t pid, int *status, struct v2v_error *err)
{
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            return v2v_fail_errno(err, errno, "waiting for qemu-img");
    if (WIFSIGNALED(*status))
        return v2v_fail(err, V2V_ERR_INTERNAL, "qemu-img was killed: %s",
                        strsignal(WTERMSIG(*status)));
    return 0;
}

static int
slurp(int fd, struct v2v_bytes *ret, struct v2v_error *err)
{
    char name[64];

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return v2v_file_read(name, OUTPUT_MAX, ret, err);
}

/* "qemu-img: Could not open '/a': ...\n": ours says "qemu-img: " already. */
static int
fail_as_it_said(const char *verb, const struct v2v_bytes *said,
                struct v2v_error *err)
{
    static const char prefix[] = "qemu-img: ";
    V2V_AUTO(mem) char *text = v2v_strndup(
        said->len > 0 ? (const char *)said->data : "", said->len, err);
    const char *what = text;

    if (text == NULL)
        return -1;
    for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n'; n--)
        text[n - 1] = '\0';
    if (strncmp(what, prefix, sizeof prefix - 1) == 0)
        what += sizeof prefix - 1;
    /* QEMU block/file-posix.c, raw_check_lock_bytes(): Failed to get "write"
     * lock */
    return v2v_fail(err,
                    strstr(what, "Failed to get") != NULL ? V2V_ERR_BUSY
                                                          : V2V_ERR_FORMAT,
                    "qemu-img %s: %s", verb,
                    *what != '\0' ? what : "failed without a word");
}

int
qemu_img(const char *const *args, struct v2v_bytes *out, struct v2v_error *err)
{
    V2V_AUTO(fd) int out_fd = memfd_create("qemu-img stdout", MFD_CLOEXEC);
    V2V_AUTO(fd) int err_fd = memfd_create("qemu-img stderr", MFD_CLOEXEC);
    V2V_AUTO(bytes) struct v2v_bytes said = { 0 };
    const char *argv[ARGS_MAX + 2] = { "qemu-img" };
    pid_t pid = -1;
    int status = 0;

    if (out_fd < 0 || err_fd < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    for (size_t i = 0; args[i] != NULL && i < ARGS_MAX; i++)
        argv[i + 1] = args[i];
    /* posix_spawn promises not to write to the strings */
    if (spawn((char *const *)(uintptr_t)argv, out_fd, err_fd, &pid, err) < 0 ||
        wait_for(pid, &status, err) < 0 || slurp(err_fd, &said, err) < 0)
        return -1;
    /* POSIX leaves it to the system how a failed exec is told; and where fork
     * stands in for vfork, as under valgrind, it is told so */
    if (WEXITSTATUS(status) == 127)
        return not_installed(err);
    if (WEXITSTATUS(status) != 0)
        return fail_as_it_said(args[0], &said, err);
    return out == NULL ? 0 : slurp(out_fd, out, err);
}
