/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/process.h"
#include "sandbox/sandbox.h"
#include "test-processes.h"
#include "test-tools.h"

enum { MIB = 1 << 20, NOBODY = 65534 };

/* What the child is told to try; 0: it could. ---------------------------- */

static int
open_a_file(void *opaque)
{
    (void)opaque;
    return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int
create_a_file(void *opaque)
{
    return creat(opaque, 0600) < 0 ? errno : 0;
}

static int
list_a_directory(void *opaque)
{
    (void)opaque;
    return open("/", O_RDONLY | O_DIRECTORY) < 0 ? errno : 0;
}

static int
delete_a_file(void *opaque)
{
    return unlink(opaque) < 0 ? errno : 0;
}

static int
ask_for_a_file(void *opaque)
{
    return access(opaque, F_OK) < 0 ? errno : 0;
}

static int
connect_to_a_name(void *opaque)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(name.sun_path, opaque);
    return fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) < 0
               ? errno
               : 0;
}

static int
connect_to_a_port(void *opaque)
{
    const struct sockaddr_in name = { .sin_family = AF_INET,
                                      .sin_port = htons(*(uint16_t *)opaque),
                                      .sin_addr.s_addr =
                                          htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 ||
                   connect(fd, (const struct sockaddr *)&name, sizeof name) < 0
               ? errno
               : 0;
}

static int
execute(void *opaque)
{
    char *const argv[] = { "true", NULL };

    (void)opaque;
    return execv("/bin/true", argv) < 0 ? errno : 0;
}

static int
start_a_process(void *opaque)
{
    pid_t pid = fork();

    (void)opaque;
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static int
trace_the_parent(void *opaque)
{
    (void)opaque;
    return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0 ? errno : 0;
}

static int
kill_the_parent(void *opaque)
{
    (void)opaque;
    return kill(getppid(), 0) < 0 ? errno : 0;
}

static int
map_code(void *opaque)
{
    (void)opaque;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

static int
give_memory_code(void *opaque)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)opaque;
    return page == MAP_FAILED || mprotect(page, 4096, PROT_EXEC) < 0 ? errno
                                                                     : 0;
}

static int
raise_a_limit(void *opaque)
{
    const struct rlimit limit = { 1024, 1024 };

    (void)opaque;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? errno : 0;
}

static int
map_much(void *opaque)
{
    (void)opaque;
    return mmap(NULL, (size_t)64 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

static int
map_little(void *opaque)
{
    (void)opaque;
    return mmap(NULL, (size_t)4 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

static int
run_for_ever(void *opaque)
{
    volatile int *count = opaque;

    while (*count >= 0)
        *count = 1;
    return 0;
}

/* The same with files in memory, which it may have; 0: all went well. */

static int
use_files(void *opaque)
{
    char name[32], text[4] = "";
    struct stat st;
    int fd = memfd_create("file", MFD_CLOEXEC), again;

    (void)opaque;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, "abc", 3) != 3)
        return 1;
    again = open(name, O_RDONLY | O_CLOEXEC); /* from the beginning */
    if (again < 0 || read(again, text, 4) != 3 || memcmp(text, "abc", 3) != 0 ||
        close(again) < 0)
        return 2;
    again = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (again < 0 || write(again, "d", 1) != 1 || close(again) < 0)
        return 3;
    if (pread(fd, text, 4, 0) != 1 || text[0] != 'd')
        return 4;
    if (fstat(fd, &st) < 0 || st.st_size != 1 || fstat(9999, &st) == 0 ||
        errno != EBADF)
        return 6;
    return open("/proc/self/fd/9999", O_RDONLY) < 0 && errno == ENOENT ? 0 : 5;
}

static int
open_more_than_a_number(void *opaque)
{
    (void)opaque;
    return open("/proc/self/fd/0/../../../etc/passwd", O_RDONLY) < 0 ? errno
                                                                     : 0;
}

static int
open_a_relative_file(void *opaque)
{
    (void)opaque;
    return open("passwd", O_RDONLY) < 0 ? errno : 0;
}

static int
ask_about_a_file(void *opaque)
{
    struct stat st;

    return stat(opaque, &st) < 0 ? errno : 0;
}

static int
create_a_large_file(void *opaque)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    (void)opaque;
    return fd < 0 || ftruncate(fd, 2 * MIB) < 0 ? errno : 0;
}

/* Running ------------------------------------------------------------------ */

static pid_t
started_with(uint64_t files, int (*run_it)(void *opaque), void *opaque,
             const int *fds, size_t fd_count, unsigned *layers)
{
    const struct sandbox_work work = { .run = run_it,
                                       .opaque = opaque,
                                       .fds = fds,
                                       .fd_count = fd_count,
                                       .memory = 32 * MIB,
                                       .files = files,
                                       .cpu_seconds = 1 };
    struct v2v_error err = { 0 };
    pid_t pid = sandbox_start(&work, layers, &err);

    if (pid < 0)
        fail_msg("%s", err.text);
    return pid;
}

static pid_t
started(int (*run_it)(void *opaque), void *opaque, const int *fds,
        size_t fd_count, unsigned *layers)
{
    return started_with(0, run_it, opaque, fds, fd_count, layers);
}

static int
outcome_with_files(int (*run_it)(void *opaque), void *opaque)
{
    return v2v_reap(started_with(MIB, run_it, opaque, NULL, 0, NULL));
}

static int
outcome(int (*run_it)(void *opaque), void *opaque)
{
    return v2v_reap(started(run_it, opaque, NULL, 0, NULL));
}

/* A server for those that try to connect: a path and a port. */
static int name_server = -1, port_server = -1;
static uint16_t port;
static char socket_name[64], file_name[64], new_name[64];

static int
make_targets(void **state)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    struct sockaddr_in any = { .sin_family = AF_INET };
    socklen_t len = sizeof any;

    if (make_top(state) < 0 || chmod(top, 0777) < 0)
        return -1;
    snprintf(socket_name, sizeof socket_name, "%s/socket", top);
    snprintf(file_name, sizeof file_name, "%s/file", top);
    snprintf(new_name, sizeof new_name, "%s/new", top);
    strcpy(name.sun_path, socket_name);
    name_server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    port_server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(name_server, (struct sockaddr *)&name, sizeof name) < 0 ||
        chmod(socket_name, 0777) < 0 || listen(name_server, 100) < 0 ||
        bind(port_server, (struct sockaddr *)&any, sizeof any) < 0 ||
        listen(port_server, 100) < 0 ||
        getsockname(port_server, (struct sockaddr *)&any, &len) < 0)
        return -1;
    port = ntohs(any.sin_port);
    return run("touch file; chmod 666 file") ? 0 : -1;
}

static int
again(void **state)
{
    (void)state;
    alarm(60);
    sandbox_set_mode(SANDBOX_AUTO);
    warnings[0] = '\0';
    return run("rm -f new; touch file; chmod 666 file") ? 0 : -1;
}

/* Each of them, and whether it is a system call that kills. */
static const struct {
    int (*run)(void *opaque);
    void *opaque;
    bool kills;
} tries[] = {
    { open_a_file, NULL, true },
    { create_a_file, new_name, true },
    { list_a_directory, NULL, true },
    { ask_for_a_file, file_name, true },
    { delete_a_file, file_name, true },
    { connect_to_a_name, socket_name, true },
    { connect_to_a_port, &port, true },
    { execute, NULL, true },
    { start_a_process, NULL, true },
    { trace_the_parent, NULL, true },
    { kill_the_parent, NULL, true },
    { map_code, NULL, true },
    { give_memory_code, NULL, true },
    { raise_a_limit, NULL, true },
    { map_much, NULL, false },
};

enum { TRIES = sizeof tries / sizeof *tries };

static void
test_what_is_denied(void **state)
{
    (void)state;
    for (size_t i = 0; i < TRIES; i++) {
        int status = outcome(tries[i].run, tries[i].opaque);

        if (tries[i].kills ? !WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS
                           : !WIFEXITED(status) || WEXITSTATUS(status) == 0)
            fail_msg("try %zu: status %#x", i, (unsigned)status);
    }
    assert_true(access(new_name, F_OK) < 0);
    assert_true(access(file_name, F_OK) == 0);
    assert_string_equal(warnings, "");
}

/* So it is the sandbox, and not something else, that denies it. */
static void
test_what_is_not_denied_without(void **state)
{
    (void)state;
    sandbox_set_mode(SANDBOX_OFF);
    for (size_t i = 0; i < TRIES; i++) {
        int status;

        if (tries[i].run == trace_the_parent && geteuid() != 0)
            continue; /* Yama may forbid it */
        status = outcome(tries[i].run, tries[i].opaque);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("try %zu: status %#x", i, (unsigned)status);
    }
    assert_true(access(new_name, F_OK) == 0);
    assert_true(access(file_name, F_OK) < 0);
}

static void
test_limits(void **state)
{
    int count = 0, status = outcome(run_for_ever, &count);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
    assert_int_equal(outcome(map_little, NULL), 0);
}

/* Files in memory ---------------------------------------------------------- */

static void
killed_by(int status, int signal)
{
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signal)
        fail_msg("status %#x", (unsigned)status);
}

static void
test_files(void **state)
{
    (void)state;
    assert_int_equal(outcome_with_files(use_files, NULL), 0);
    killed_by(outcome_with_files(create_a_large_file, NULL), SIGXFSZ);
    killed_by(outcome_with_files(open_more_than_a_number, NULL), SIGSYS);
    killed_by(outcome_with_files(open_a_relative_file, NULL), SIGSYS);
    killed_by(outcome_with_files(ask_about_a_file, file_name), SIGSYS);
    killed_by(outcome(use_files, NULL), SIGSYS); /* without them */
    /* and nothing else than without them */
    for (size_t i = 0; i < TRIES; i++) {
        int status = outcome_with_files(tries[i].run, tries[i].opaque);

        if (tries[i].kills)
            killed_by(status, SIGSYS);
        else
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    }
    assert_true(access(new_name, F_OK) < 0);
    sandbox_set_mode(SANDBOX_OFF);
    assert_int_equal(outcome_with_files(use_files, NULL), 0);
}

/* Descriptors -------------------------------------------------------------- */

/* Its exit status is how many descriptors are open besides the two given, and
 * 100 more when those do not work. */
static int
count_descriptors(void *opaque)
{
    const int *fds = opaque;
    char byte;
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    if (read(0, &byte, 1) != 0 || write(1, "x", 1) != 1 ||
        write(2, "x", 1) != 1)
        count += 50;
    if (read(fds[0], &byte, 1) != 1 || byte != 'q' ||
        write(fds[1], "a", 1) != 1)
        count += 100;
    return count - 2;
}

static void
test_descriptors(void **state)
{
    int question[2], answer[2], fds[2], status;
    int before = open_descriptors();
    char byte = 0;

    (void)state;
    assert_int_equal(pipe(question) + pipe(answer), 0);
    assert_int_equal(write(question[1], "q", 1), 1);
    fds[0] = dup2(question[0], 500);
    fds[1] = answer[1];
    status = v2v_reap(started(count_descriptors, fds, fds, 2, NULL));
    assert_int_equal(status, 3 << 8);
    assert_int_equal(read(answer[0], &byte, 1), 1);
    assert_int_equal(byte, 'a');
    close(500);
    close(question[0]);
    close(question[1]);
    close(answer[0]);
    close(answer[1]);
    assert_int_equal(open_descriptors(), before);
}

/* User and parent ---------------------------------------------------------- */

static int
say_who(void *opaque)
{
    uid_t *wanted = opaque;

    return getuid() == *wanted && geteuid() == *wanted &&
                   getgid() == (gid_t)*wanted
               ? 0
               : 1;
}

static void
test_user(void **state)
{
    uid_t nobody = NOBODY;
    unsigned layers = 0, all = SANDBOX_NO_NEW_PRIVS | SANDBOX_LANDLOCK |
                               SANDBOX_SECCOMP | SANDBOX_LIMITS;

    (void)state;
    if (geteuid() == 0)
        all |= SANDBOX_USER;
    assert_int_equal(v2v_reap(started(say_who, &nobody, NULL, 0, &layers)), 0);
    assert_int_equal(layers, all);
}

static pid_t
start_one(void)
{
    static int some;

    return started(run_for_ever, &some, NULL, 0, NULL);
}

static void
test_it_dies_with_us(void **state)
{
    pid_t pid = pid_of_an_orphan(start_one);
    bool soon = false;

    (void)state;
    for (int i = 0; i < 30 && !soon; i++) {
        usleep(10000);
        soon = !is_running(pid);
    }
    assert_true(soon); /* long before its second is over */
}

/* Missing layers ----------------------------------------------------------- */

/* From here on, in this process and its children, a system call (with this
 * first argument) fails with ENOSYS. */
static void
take_away(unsigned call, unsigned argument)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { sizeof code / sizeof *code, code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(90);
}

static const struct {
    unsigned call, argument;
    const char *name;
} missing[] = {
    { SYS_landlock_create_ruleset, 0, "Landlock" },
    { SYS_prctl, PR_SET_SECCOMP, "seccomp" },
    { SYS_setgroups, 0, "a user id of its own" },
};

/* In a child of the test's, which cannot get them back. */
static void
without(void *opaque)
{
    size_t i = *(size_t *)opaque;
    struct sandbox_work work = { .run =
                                     open_a_file, /* what is left denies it */
                                 .memory = 32 * MIB,
                                 .cpu_seconds = 1 };
    struct v2v_error err = { 0 };
    unsigned layers = 0;
    char expected[256];
    pid_t pid;
    int status;

    v2v_default_signals();
    take_away(missing[i].call, missing[i].argument);
    pid = sandbox_start(&work, &layers, &err);
    if (pid < 0)
        _exit(1);
    status = v2v_reap(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        _exit(2);
    if (outcome_with_files(use_files, NULL) != 0)
        _exit(8);
    snprintf(expected, sizeof expected,
             "sandbox-partial: this system does not have %s: what reads the "
             "guest's data runs without\n",
             missing[i].name);
    if (strcmp(warnings, expected) != 0)
        _exit(3);
    pid = sandbox_start(&work, NULL, &err);
    v2v_reap(pid);
    if (strcmp(warnings, expected) != 0) /* once */
        _exit(4);
    sandbox_set_mode(SANDBOX_REQUIRE);
    if (sandbox_start(&work, &layers, &err) >= 0)
        _exit(5);
    if (err.code != V2V_ERR_USAGE ||
        strcmp(err.finding, "sandbox-partial") != 0 ||
        strstr(err.text, missing[i].name) == NULL)
        _exit(6);
    _exit(waitpid(-1, NULL, WNOHANG) == -1 ? 0 : 7); /* none is left */
}

static void
test_missing_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        int status;

        if (missing[i].call == SYS_setgroups && geteuid() != 0)
            continue;
        status = v2v_reap(v2v_fork(without, &i));
        if (status != 0)
            fail_msg("without %s: status %#x", missing[i].name,
                     (unsigned)status);
    }
}

/* All of it again ---------------------------------------------------------- */

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_what_is_denied, again),
    cmocka_unit_test_setup(test_what_is_not_denied_without, again),
    cmocka_unit_test_setup(test_limits, again),
    cmocka_unit_test_setup(test_files, again),
    cmocka_unit_test_setup(test_descriptors, again),
    cmocka_unit_test_setup(test_it_dies_with_us, again),
    cmocka_unit_test_setup(test_missing_layers, again),
    cmocka_unit_test_setup(test_user, again),
};

static void
as_nobody(void *opaque)
{
    (void)opaque;
    v2v_default_signals();
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(91);
    _exit(cmocka_run_group_tests_name("as nobody", tests, make_targets,
                                      remove_top));
}

/* As root, and as an ordinary user. */
int
main(void)
{
    int status = 0;

    if (geteuid() == 0)
        status = v2v_reap(v2v_fork(as_nobody, NULL));
    if (status != 0)
        return 1;
    return cmocka_run_group_tests_name(geteuid() == 0 ? "as root" : "as a user",
                                       tests, make_targets, remove_top);
}
