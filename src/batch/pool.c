/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"

struct child {
    pid_t pid;
    size_t id;
    unsigned memory_mib;
    struct timespec start;
};

struct pool {
    struct pool_caps caps;
    struct child *children; /* caps.jobs of them */
    size_t count;
    uint64_t memory_mib; /* of those that run */
    sigset_t awaited, before;
};

static const int awaited[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP };

/* One that is ignored (nohup) stays so; blocked, it would be told. */
static void
list_awaited(sigset_t *ret)
{
    sigemptyset(ret);
    for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) {
        struct sigaction action;

        if (sigaction(awaited[i], NULL, &action) == 0 &&
            action.sa_handler != SIG_IGN)
            sigaddset(ret, awaited[i]);
    }
}

int
pool_new(const struct pool_caps *caps, struct pool **ret, struct v2v_error *err)
{
    struct pool *pool = calloc(1, sizeof *pool);

    if (pool != NULL)
        pool->children = calloc(caps->jobs, sizeof *pool->children);
    if (pool == NULL || pool->children == NULL) {
        free(pool);
        return v2v_fail_errno(err, errno, "list of processes");
    }
    pool->caps = *caps;
    list_awaited(&pool->awaited);
    sigprocmask(SIG_BLOCK, &pool->awaited, &pool->before);
    *ret = pool;
    return 0;
}

void
pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->count; i++)
        kill(pool->children[i].pid, SIGKILL);
    for (size_t i = 0; i < pool->count; i++)
        v2v_reap(pool->children[i].pid);
    sigprocmask(SIG_SETMASK, &pool->before, NULL);
    free(pool->children);
    free(pool);
}

bool
pool_has_room(const struct pool *pool, unsigned memory_mib)
{
    return pool->count == 0 ||
           (pool->count < pool->caps.jobs &&
            pool->memory_mib + memory_mib <= pool->caps.memory_mib);
}

size_t
pool_running(const struct pool *pool)
{
    return pool->count;
}

/* -1 and errno. */
static int
redirect(const char *path, int flags, int to)
{
    V2V_AUTO(fd) int fd = open(path, flags | O_CLOEXEC, 0666);

    return fd < 0 || dup2(fd, to) < 0 ? -1 : 0;
}

static int
run_child(const struct pool *pool, const struct pool_job *job, pid_t parent)
{
    if (v2v_die_with(parent) < 0 || setpgid(0, 0) < 0 ||
        redirect(job->stderr_path, O_WRONLY | O_CREAT | O_APPEND,
                 STDERR_FILENO) < 0 ||
        redirect("/dev/null", O_RDONLY, STDIN_FILENO) < 0 ||
        redirect(job->stdout_path, O_WRONLY | O_CREAT | O_TRUNC,
                 STDOUT_FILENO) < 0) {
        fprintf(stderr, "v2v-virtio: error: %s, %s: %s\n", job->stdout_path,
                job->stderr_path, strerror(errno));
        return V2V_ERR_INTERNAL;
    }
    sigprocmask(SIG_SETMASK, &pool->before, NULL);
    return job->work(job->id, job->opaque);
}

int
pool_start(struct pool *pool, const struct pool_job *job, struct v2v_error *err)
{
    struct child *child = &pool->children[pool->count];
    pid_t parent = getpid();

    *child = (struct child){ .id = job->id, .memory_mib = job->memory_mib };
    clock_gettime(CLOCK_MONOTONIC, &child->start);
    fflush(NULL); /* not twice */
    child->pid = fork();
    if (child->pid == 0)
        exit(run_child(pool, job, parent));
    if (child->pid < 0)
        return v2v_fail_errno(err, errno, "fork");
    pool->count++;
    pool->memory_mib += job->memory_mib;
    return 0;
}

static double
seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) +
           (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void
forget(struct pool *pool, size_t i)
{
    pool->memory_mib -= pool->children[i].memory_mib;
    pool->children[i] = pool->children[--pool->count];
}

/* Only children of the pool are waited for: there may be others. */
static bool
find_ended(struct pool *pool, struct pool_end *ret)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct child *child = &pool->children[i];

        if (wait4(child->pid, &ret->status, WNOHANG, &ret->usage) <= 0)
            continue;
        ret->id = child->id;
        ret->seconds = seconds_since(&child->start);
        forget(pool, i);
        return true;
    }
    return false;
}

/* One SIGCHLD may stand for several ends, so all are looked at first. */
enum pool_event
pool_wait(struct pool *pool, int milliseconds, struct pool_end *ret)
{
    const struct timespec patience = { milliseconds / 1000,
                                       milliseconds % 1000 * 1000000L };
    struct timespec start;
    int number;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        if (find_ended(pool, ret))
            return POOL_ENDED;
        number = sigtimedwait(&pool->awaited, NULL, &patience);
        if (number > 0 && number != SIGCHLD) {
            ret->status = number;
            return POOL_STOP;
        }
    } while (number > 0 && seconds_since(&start) * 1000 < milliseconds);
    return POOL_TIMEOUT;
}

void
pool_signal(struct pool *pool, size_t id, int number)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->children[i].id == id)
            kill(pool->children[i].pid, number);
}
