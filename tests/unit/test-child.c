/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "image/child.h"
#include "image/qemu-img.h"
#include "test-processes.h"
#include "test-tools.h"

/* A shell script as a child; what it prints, new. */
static char *
output_of(const char *script, int listener)
{
    const char *argv[] = { "sh", "-c", script, NULL };
    V2V_AUTO(fd) int out = memfd_create("out", MFD_CLOEXEC);
    V2V_AUTO(child) struct child child = CHILD_NONE;
    struct v2v_error err = { 0 };
    char *text = calloc(1, 4096);

    assert_non_null(text);
    if (child_start(argv, out, listener, NULL, &child, &err) < 0 ||
        child_wait(&child, &err) < 0)
        fail_msg("%s: %s", script, err.text);
    assert_true(pread(out, text, 4095, 0) >= 0);
    return text;
}

static void
prints(const char *script, const char *expected)
{
    V2V_AUTO(mem) char *text = output_of(script, -1);

    assert_string_equal(text, expected);
}

static void
fails_with(const char *script, enum v2v_error_code code, const char *text)
{
    const char *argv[] = { "sh", "-c", script, NULL };
    V2V_AUTO(child) struct child child = CHILD_NONE;
    struct v2v_error err = { 0 };

    assert_int_equal(child_start(argv, -1, -1, NULL, &child, &err), 0);
    assert_int_equal(child_wait(&child, &err), -1);
    assert_string_equal(err.text, text);
    assert_int_equal(err.code, code);
    assert_int_equal(child.pid, -1);
}

static void
test_how_it_ends(void **state)
{
    (void)state;
    fails_with("exit 3", V2V_ERR_FORMAT, "it failed without a word");
    fails_with("echo 'sh: no such thing' >&2; exit 1", V2V_ERR_FORMAT,
               "no such thing");
    fails_with("printf 'sh: a\\nb\\n\\n' >&2; exit 1", V2V_ERR_FORMAT, "a b");
    fails_with("echo 'shell: sh: x' >&2; exit 1", V2V_ERR_FORMAT,
               "shell: sh: x");
    fails_with("echo 'sh' >&2; exit 127", V2V_ERR_FORMAT, "sh");
    fails_with("echo 'sh: Failed to get \"write\" lock' >&2; exit 1",
               V2V_ERR_BUSY, "Failed to get \"write\" lock");
    fails_with("kill -9 $$", V2V_ERR_INTERNAL, "it was killed: Killed");
    fails_with("echo 'Failed to get \"write\" lock' >&2; kill -15 $$",
               V2V_ERR_INTERNAL,
               "it was killed: Terminated; before it said: Failed to get "
               "\"write\" lock");
    prints("echo 'not an error' >&2", "");
}

static void
test_what_cannot_be_run(void **state)
{
    static const struct {
        const char *program;
        const char *text;
    } cases[] = {
        { "no-such-qemu",
          "no-such-qemu is not installed (package qemu-utils)" },
        { "/", "cannot run /: Permission denied" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[] = { cases[i].program, NULL };
        struct child child = { .pid = 7, .said = 8 };
        struct v2v_error err = { 0 };
        int before = open_descriptors();

        assert_int_equal(child_start(argv, -1, -1, NULL, &child, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, V2V_ERR_INTERNAL);
        assert_int_equal(child.pid, 7);
        assert_int_equal(child.said, 8);
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
    }
}

static void
test_environment(void **state)
{
    (void)state;
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "9", 1);
    setenv("V2V_TEST", "kept as it is", 1);
    prints("env | grep -E '^(LC_ALL|LISTEN_|V2V_TEST)' | sort",
           "LC_ALL=C\nV2V_TEST=kept as it is\n");
    prints("cat; readlink /proc/$$/fd/0", "/dev/null\n");
    /* its output and its errors; no copy of them */
    prints("ls -l /proc/$$/fd | grep -c memfd", "2\n");
    prints("ps -o pgid= -p $$ | tr -d ' ' | grep -x $$ >/dev/null && echo own",
           "own\n");
    unsetenv("LC_ALL");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("V2V_TEST");
}

static void
do_nothing(int number)
{
    (void)number;
}

/* The bit of a signal in a line of /proc/PID/status. */
static bool
has_signal(const char *status, const char *line, int number)
{
    const char *at = strstr(status, line);

    assert_non_null(at);
    return strtoull(at + strlen(line), NULL, 16) >> (number - 1) & 1;
}

static void
test_signals(void **state)
{
    V2V_AUTO(mem) char *status = NULL;
    sigset_t blocked, before;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    signal(SIGUSR1, do_nothing);
    signal(SIGHUP, SIG_IGN);
    status = output_of("exec cat /proc/self/status", -1);
    signal(SIGHUP, SIG_DFL);
    signal(SIGUSR1, SIG_DFL);

    assert_true(has_signal(status, "SigIgn:", SIGHUP));
    assert_false(has_signal(status, "SigIgn:", SIGUSR1));
    assert_false(has_signal(status, "SigCgt:", SIGUSR1));
    assert_false(has_signal(status, "SigBlk:", SIGUSR2));
    /* and ours are as they were */
    sigprocmask(SIG_SETMASK, &before, &blocked);
    assert_true(sigismember(&blocked, SIGUSR2));
    assert_false(sigismember(&blocked, SIGINT));
}

static void
test_listener(void **state)
{
    V2V_AUTO(fd) int file = memfd_create("listener", MFD_CLOEXEC);
    V2V_AUTO(mem) char *text = NULL;

    (void)state;
    assert_int_equal(write(file, "hello\n", 6), 6);
    text = output_of("cat /proc/self/fd/3; echo $LISTEN_FDS; "
                     "[ $(expr $LISTEN_PID + 0) = $$ ] && echo mine",
                     file);
    assert_string_equal(text, "hello\n1\nmine\n");
    assert_true(fcntl(file, F_GETFD) >= 0); /* still ours */
}

/* Started without 0 to 2, our own descriptors get these numbers, also those
 * that become another of them in the child.  These two run in a process of
 * their own, return 0 or a number that says what went wrong. */
static int
files_that_cross(void)
{
    const char *argv[] = { "sh", "-c",
                           "cat; cat /proc/self/fd/3; echo oops >&2; exit 1",
                           NULL };
    int listener = memfd_create("listener", MFD_CLOEXEC);
    int out = memfd_create("out", MFD_CLOEXEC);
    struct child child = CHILD_NONE;
    struct v2v_error err = { 0 };
    char text[64] = "";

    if (listener != 0 || out != 1 || write(listener, "hello", 5) != 5)
        return 10;
    if (child_start(argv, out, listener, NULL, &child, &err) < 0)
        return 11;
    if (child_wait(&child, &err) == 0 || strcmp(err.text, "oops") != 0)
        return 12;
    if (pread(out, text, 63, 0) < 0 || strcmp(text, "hello") != 0)
        return 13;
    return 0;
}

/* The report of a failed exec has the listener's number. */
static int
report_that_crosses(void)
{
    const char *argv[] = { "no-such-qemu", NULL };
    int listener = fcntl(memfd_create("", MFD_CLOEXEC), F_DUPFD_CLOEXEC, 4);
    struct child child = CHILD_NONE;
    struct v2v_error err = { 0 };

    close(0);
    if (listener != 4 ||
        child_start(argv, -1, listener, NULL, &child, &err) == 0)
        return 20;
    return strstr(err.text, "not installed") != NULL ? 0 : 21;
}

static void
test_descriptors_that_cross(void **state)
{
    int (*const checks[])(void) = { files_that_cross, report_that_crosses };

    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        pid_t pid = fork();
        int status = -1;

        if (pid == 0) {
            for (int fd = 0; fd < 10; fd++)
                close(fd);
            _exit(checks[i]());
        }
        waitpid(pid, &status, 0);
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_true(WIFEXITED(status));
    }
}

static void
test_done_ends_it(void **state)
{
    const char *argv[] = { "sleep", "1000", NULL };
    struct child child = CHILD_NONE;
    struct v2v_error err = { 0 };
    int before = open_descriptors();
    pid_t pid;

    (void)state;
    assert_int_equal(child_start(argv, -1, -1, NULL, &child, &err), 0);
    pid = child.pid;
    assert_true(is_running(pid));
    child_done(&child);
    assert_false(is_running(pid));
    assert_int_equal(child.pid, -1);
    assert_int_equal(open_descriptors(), before);
    child_done(&child); /* nothing to do */
}

/* On its way, it is left alone; else it is told to go. */
static void
test_end(void **state)
{
    static const struct {
        const char *script;
        const char *text;
    } cases[] = {
        { "exit 5", "it failed without a word" },
        { "trap 'echo told >&2' TERM; sleep 0.3; exit 5",
          "it failed without a word" },
        { "trap 'echo told >&2; exit 5' TERM; while :; do sleep 0.1; done",
          "told" },
        { "while :; do sleep 0.1; done", "it was killed: Terminated" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *argv[] = { "sh", "-c", cases[i].script, NULL };
        V2V_AUTO(child) struct child child = CHILD_NONE;
        struct v2v_error err = { 0 };

        assert_int_equal(child_start(argv, -1, -1, NULL, &child, &err), 0);
        child_end(&child);
        assert_int_equal(child_wait(&child, &err), -1);
        assert_string_equal(err.text, cases[i].text);
    }
}

static pid_t
start_sleep(void)
{
    static struct child child;
    const char *argv[] = { "sleep", "1000", NULL };

    return child_start(argv, -1, -1, NULL, &child, NULL) < 0 ? -1 : child.pid;
}

static void
test_it_dies_with_us(void **state)
{
    pid_t pid;

    (void)state;
    pid = pid_of_an_orphan(start_sleep);
    assert_true(ends_soon(pid));
}

/* How often progress was told, and whether it ever went back. */
struct heard {
    unsigned count, last;
    bool back;
};

static void
hear(void *opaque, enum v2v_log_level level, const char *module,
     const char *code, const char *text)
{
    struct heard *heard = opaque;
    unsigned done, total;

    (void)module;
    (void)code;
    if (level != V2V_LOG_PROGRESS)
        return;
    assert_int_equal(sscanf(text, "%u/%u", &done, &total), 2);
    assert_int_equal(total, 10000);
    heard->back |= done < heard->last;
    heard->last = done;
    heard->count++;
}

/* Two seconds: 16 MiB, 8 in a second, in pieces of two. */
static void
watch_a_copy(void)
{
    V2V_AUTO(mem) char *old = v2v_format(NULL, "%s/old", top);
    V2V_AUTO(mem) char *new = v2v_format(NULL, "%s/new", top);
    const char *copy[] = { "convert", "-p",  "-r", "8M", "-f", "raw",
                           "-O",      "raw", old,  new,  NULL };
    struct heard heard = { 0 };
    struct v2v_error err = { 0 };

    assert_true(run("head -c 16777216 /dev/urandom >old"));
    v2v_log_set(hear, &heard);
    assert_int_equal(qemu_img_watched(copy, &err), 0);
    v2v_log_set(NULL, NULL);
    assert_true(heard.count > 0);
    assert_true(heard.last > 0 && heard.last <= 10000);
    assert_false(heard.back);
    assert_true(run("cmp old new"));
}

static void
test_progress_of_qemu_img(void **state)
{
    int self = pidfd_open(getpid(), 0);

    (void)state;
    if (self < 0) { /* below valgrind, and below Linux 5.3 */
        print_message("skipped: no pidfd_open()\n");
        skip();
    }
    close(self);
    watch_a_copy();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_ends),
        cmocka_unit_test(test_what_cannot_be_run),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_listener),
        cmocka_unit_test(test_descriptors_that_cross),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_done_ends_it),
        cmocka_unit_test(test_it_dies_with_us),
        cmocka_unit_test(test_progress_of_qemu_img),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
