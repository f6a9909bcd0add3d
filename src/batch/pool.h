/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/pool.h - several processes at once, as many as the host has room for
 *
 * A job is a child of this process: fork() and no exec, so that what was read
 * before is there.  It is in a process group of its own (a Ctrl-C on the
 * terminal is for the batch to judge), dies with this process, has /dev/null as
 * standard input, and files for the other two.
 */
#ifndef V2V_BATCH_POOL_H
#define V2V_BATCH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

struct pool_caps {
    unsigned jobs;       /* at once, at least 1 */
    unsigned memory_mib; /* that all of them together may weigh */
};

/**
 * pool_host_caps() - what this host has
 *
 * Processors that this process may use (sched_getaffinity(), its cgroup's
 * cpu.max), and three quarters of the memory that is available (MemAvailable,
 * its cgroup's memory.max).
 * Source: proc(5); Linux, Documentation/admin-guide/cgroup-v2.rst.
 */
void pool_host_caps(struct pool_caps *ret);

struct pool;

/* A job that has ended. */
struct pool_end {
    size_t id;
    int status; /* as of waitpid() */
    double seconds;
    struct rusage usage; /* of all its processes that were waited for */
};

/* @ret: new.  Blocks SIGCHLD, SIGINT, SIGTERM and SIGHUP until pool_free(). */
int pool_new(const struct pool_caps *caps, struct pool **ret,
             struct v2v_error *err);

/* Kills (SIGKILL) and waits for what still runs. */
void pool_free(struct pool *pool);
V2V_AUTO_DEFINE(pool, struct pool *, pool_free)

/* Is there room for a job of that weight?  One that weighs more than the caps
 * has room when nothing else runs. */
bool pool_has_room(const struct pool *pool, unsigned memory_mib);
size_t pool_running(const struct pool *pool);

struct pool_job {
    size_t id; /* the caller's */
    unsigned memory_mib;
    const char *stdout_path;              /* made anew */
    const char *stderr_path;              /* appended to */
    int (*work)(size_t id, void *opaque); /* in the child: its exit status */
    void *opaque;
};

int pool_start(struct pool *pool, const struct pool_job *job,
               struct v2v_error *err);

enum pool_event {
    POOL_ENDED, /* @ret is filled in */
    POOL_STOP,  /* somebody wants the batch to end: @ret->status, the signal */
    POOL_TIMEOUT
};

/* Wait at most that long for the next. */
enum pool_event pool_wait(struct pool *pool, int milliseconds,
                          struct pool_end *ret);

/* To the job, if it still runs. */
void pool_signal(struct pool *pool, size_t id, int number);

#endif
