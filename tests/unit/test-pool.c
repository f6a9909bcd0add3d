/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/process.h"
#include "batch/pool.h"

static char folder[] = "/tmp/v2v-pool.XXXXXX";
static char out[64], log_name[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/v2v-pool.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(log_name, sizeof log_name, "%s/log", folder);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    unlink(out);
    unlink(log_name);
    return rmdir(folder);
}

static int
say(size_t id, void *opaque)
{
    char c;

    printf("%s", (const char *)opaque);
    fprintf(stderr, "job %zu\n", id);
    return read(STDIN_FILENO, &c, 1) == 0 && getpgrp() == getpid()
               ? 40 + (int)id
               : 1;
}

static int
sleep_on(size_t id, void *opaque)
{
    (void)id;
    (void)opaque;
    pause(); /* no signal is handled: one that comes is the end */
    return 0;
}

static struct pool *
make(unsigned jobs, unsigned memory_mib)
{
    const struct pool_caps caps = { jobs, memory_mib };
    struct pool *pool = NULL;

    assert_int_equal(pool_new(&caps, &pool, NULL), 0);
    return pool;
}

static void
start(struct pool *pool, size_t id, unsigned memory_mib,
      int (*work)(size_t, void *))
{
    const struct pool_job job = { .id = id,
                                  .memory_mib = memory_mib,
                                  .stdout_path = out,
                                  .stderr_path = log_name,
                                  .work = work,
                                  .opaque = "document" };
    struct v2v_error err = { 0 };

    if (pool_start(pool, &job, &err) < 0)
        fail_msg("%s", err.text);
}

static void
assert_holds(const char *path, const char *text)
{
    struct v2v_bytes data = { 0 };

    assert_int_equal(v2v_file_read(path, 100, &data, NULL), 0);
    v2v_bytes_add(&data, "", 1, NULL);
    assert_string_equal((const char *)data.data, text);
    v2v_bytes_done(&data);
}

static void
test_files(void **state)
{
    struct pool *pool = make(1, 100);
    struct pool_end end;

    (void)state;
    for (size_t id = 1; id <= 2; id++) {
        start(pool, id, 1, say);
        assert_int_equal(pool_wait(pool, 10000, &end), POOL_ENDED);
        assert_int_equal(end.id, id);
        assert_true(WIFEXITED(end.status));
        assert_int_equal(WEXITSTATUS(end.status), 40 + id);
    }
    assert_holds(out, "document");            /* anew */
    assert_holds(log_name, "job 1\njob 2\n"); /* one after the other */
    pool_free(pool);
}

static void
test_caps(void **state)
{
    struct pool *pool = make(3, 100);
    struct pool_end end;

    (void)state;
    assert_true(pool_has_room(pool, 1000)); /* alone it may */
    start(pool, 1, 60, sleep_on);
    assert_true(pool_has_room(pool, 40));
    assert_false(pool_has_room(pool, 41));
    start(pool, 2, 30, sleep_on);
    start(pool, 3, 1, sleep_on);
    assert_false(pool_has_room(pool, 1)); /* three jobs */
    assert_int_equal(pool_running(pool), 3);
    assert_int_equal(pool_wait(pool, 20, &end), POOL_TIMEOUT);

    pool_signal(pool, 2, SIGTERM);
    assert_int_equal(pool_wait(pool, 10000, &end), POOL_ENDED);
    assert_int_equal(end.id, 2);
    assert_true(WIFSIGNALED(end.status));
    assert_int_equal(WTERMSIG(end.status), SIGTERM);
    assert_true(pool_has_room(pool, 39));
    assert_false(pool_has_room(pool, 40));
    pool_free(pool); /* ends the others */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
test_stop(void **state)
{
    struct pool *pool = make(1, 1);
    struct pool_end end;

    (void)state;
    start(pool, 1, 1, sleep_on);
    kill(getpid(), SIGINT);
    assert_int_equal(pool_wait(pool, 10000, &end), POOL_STOP);
    assert_int_equal(end.status, SIGINT);
    assert_int_equal(pool_running(pool), 1);
    pool_free(pool);
}

/* As under nohup. */
static void
test_ignored(void **state)
{
    struct pool *pool;
    struct pool_end end;

    (void)state;
    signal(SIGHUP, SIG_IGN);
    pool = make(1, 1);
    start(pool, 1, 1, sleep_on);
    kill(getpid(), SIGHUP);
    assert_int_equal(pool_wait(pool, 20, &end), POOL_TIMEOUT);
    pool_free(pool);
    signal(SIGHUP, SIG_DFL);
}

/* Who starts jobs is killed: they go, too. */
static void
test_dies_with_parent(void **state)
{
    int fds[2];
    char c;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        start(make(1, 1), 1, 1, sleep_on); /* has the pipe's end, too */
        raise(SIGKILL);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &c, 1), 0); /* nobody has it any more */
    assert_true(WIFSIGNALED(v2v_reap(pid)));
    close(fds[0]);
}

static void
test_host(void **state)
{
    struct pool_caps caps = { 0 };

    (void)state;
    pool_host_caps(&caps);
    assert_true(caps.jobs >= 1 &&
                caps.jobs <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
    assert_true(caps.memory_mib > 0 &&
                caps.memory_mib <
                    (unsigned)(sysconf(_SC_PHYS_PAGES) *
                                   (sysconf(_SC_PAGESIZE) >> 10) >>
                               10));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_caps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dies_with_parent, setup, teardown),
        cmocka_unit_test(test_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
