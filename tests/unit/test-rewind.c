/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commits of QEMU's that are killed, taken back and repeated; and files that
 * nobody should believe.  Which instants are hit is random; the seed is told,
 * and V2V_SEED chooses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/bytes.h"
#include "image/digest.h"
#include "image/rewind.h"
#include "test-tools.h"

/* In the folder of this program, which is the current one. */
#define IMAGE "vm.img"
#define REWIND "vm.img.v2v-rewind"

static int
make_current_top(void **state)
{
    const char *wanted = getenv("V2V_SEED");
    unsigned seed =
        wanted != NULL ? (unsigned)atoi(wanted) : (unsigned)time(NULL);

    printf("V2V_SEED=%u\n", seed);
    srandom(seed);
    return make_top(state) < 0 ? -1 : chdir(top);
}

static int
empty_top(void **state)
{
    (void)state;
    return run("rm -rf ./*") ? 0 : -1;
}

__attribute__((format(printf, 1, 2))) static void
runs(const char *fmt, ...)
{
    char command[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    if (!run(command))
        fail_msg("%s", command);
}

static off_t
size_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return st.st_size;
}

static void
saves(const char *format)
{
    struct v2v_error err = { 0 };

    if (rewind_save(IMAGE, format, REWIND, &err) < 0)
        fail_msg("%s", err.text);
}

static void
restores(void)
{
    struct v2v_error err = { 0 };

    if (rewind_restore(IMAGE, REWIND, &err) < 0)
        fail_msg("%s", err.text);
}

/* Killed commits ---------------------------------------------------------- */

struct kind {
    const char *format;
    const char *options;
    const char *tail; /* bytes of garbage behind all blocks */
    int rounds;
    bool grows;
};

static const struct kind kinds[] = {
    { "vdi", "static=off", "0", 6, true },
    { "vdi", "static=off", "20M", 2, true },
    { "vdi", "static=on", "0", 1, false },
    { "vhdx", "subformat=dynamic,block_size=1M", "0", 3, true },
    { "vhdx", "subformat=dynamic,block_size=1M", "20300k", 2, true },
    { "vhdx", "subformat=dynamic", "0", 3, true },
    { "vhdx", "subformat=fixed", "0", 1, false },
};

/* 60 MiB of new data, on old data, beside it, and far from it. */
static const struct area {
    const char *how;
    long offset, len; /* KiB */
} areas[] = {
    { "-P 2", 2048, 30720 },  { "-P 3", 200700, 10240 },  { "-z", 33792, 1024 },
    { "-P 4", 501500, 3072 }, { "-P 5", 1000000, 16384 },
};
enum { AREAS = sizeof areas / sizeof *areas };

/* "base", the image; "overlay", the change; "new", what a commit makes of it
 * that nobody disturbs. */
static void
make_kind(const struct kind *kind)
{
    const char *f = kind->format;

    runs("rm -rf ./* && qemu-img create -q -f %s -o %s base 1G && "
         "qemu-io -f %s -c 'write -q -P 1 3M 5M' -c 'write -q -P 1 33M 2M' "
         "-c 'write -q -P 1 500M 1M' -c 'write -q -P 1 700M 1M' base && "
         "head -c %s /dev/urandom >> base && "
         "cp --sparse=always base " IMAGE " && "
         "qemu-img create -q -f qcow2 -F %s -b " IMAGE " overlay",
         f, kind->options, f, kind->tail, f);
    for (size_t i = 0; i < AREAS; i++)
        runs("qemu-io -f qcow2 -c 'write -q %s %ldk %ldk' overlay",
             areas[i].how, areas[i].offset, areas[i].len);
    runs("qemu-img commit -q -d -f qcow2 overlay && mv " IMAGE " new && "
         "qemu-img convert -f %s -O raw base base.raw && "
         "qemu-img convert -f %s -O raw new new.raw",
         f, f);
}

static pid_t
start_commit(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        execlp("qemu-img", "qemu-img", "commit", "-q", "-d", "-f", "qcow2",
               "overlay", (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void
doze(long most_microseconds)
{
    usleep((useconds_t)(random() % (most_microseconds + 1)));
}

/* Has the commit come to an instant that was chosen?  One that grows the image
 * to some length between the old and the new one, others to a first write. */
static bool
has_come(const struct stat *before, off_t length)
{
    struct stat now;

    assert_int_equal(stat(IMAGE, &now), 0);
    return now.st_size >= length &&
           (now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != before->st_mtim.tv_nsec);
}

/* One that ends stays a zombie, so that it can be killed in any case. */
static void
await_commit(pid_t pid, const struct stat *before)
{
    off_t more = size_of("new") - before->st_size;
    off_t length = before->st_size + random() % (more + 1);
    siginfo_t info = { 0 };

    while (!has_come(before, length) && info.si_pid == 0) {
        assert_int_equal(
            waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        usleep(50);
    }
}

/* Returns: it had begun, and did not end. */
static bool
kill_commit(bool grows)
{
    struct stat before;
    pid_t pid;
    int status;

    assert_int_equal(stat(IMAGE, &before), 0);
    pid = start_commit();
    await_commit(pid, &before);
    doze(grows ? 3000 : 30000);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && !run("cmp -s base " IMAGE);
}

/* A restore that is killed. */
static void
kill_restore(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(rewind_restore(IMAGE, REWIND, NULL) < 0);
    assert_true(pid > 0);
    doze(2000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static uint8_t *
map_area(const char *name, const struct area *area)
{
    int fd = open(name, O_RDONLY);
    void *p = mmap(NULL, (size_t)area->len << 10, PROT_READ, MAP_PRIVATE, fd,
                   area->offset << 10);

    assert_ptr_not_equal(p, MAP_FAILED);
    close(fd);
    return p;
}

static void
area_is_old_or_new(const struct area *area)
{
    uint8_t *old = map_area("base.raw", area);
    uint8_t *new = map_area("new.raw", area);
    uint8_t *now = map_area("now.raw", area);
    size_t len = (size_t)area->len << 10;

    for (size_t i = 0; i < len; i += 512)
        if (memcmp(now + i, old + i, 512) != 0 &&
            memcmp(now + i, new + i, 512) != 0)
            fail_msg("%ld KiB + %zu: neither old nor new", area->offset, i);
    munmap(old, len);
    munmap(new, len);
    munmap(now, len);
}

/* Elsewhere it is old: under the overlay it looks as the new one. */
static void
is_old_or_new(const char *format)
{
    runs("qemu-img check -q -f %s " IMAGE, format);
    runs("qemu-img compare -q -f qcow2 -F %s overlay new", format);
    runs("qemu-img convert -f %s -O raw " IMAGE " now.raw", format);
    for (size_t i = 0; i < AREAS; i++)
        area_is_old_or_new(&areas[i]);
}

static void
repeats(const struct kind *kind)
{
    restores();
    assert_int_equal(size_of(IMAGE), size_of("base"));
    is_old_or_new(kind->format);
    runs("qemu-img commit -q -d -t unsafe -f qcow2 overlay");
    runs("qemu-img check -q -f %s " IMAGE, kind->format);
    runs("qemu-img compare -q -f %s -F %s " IMAGE " new", kind->format,
         kind->format);
    assert_int_equal(size_of(IMAGE), size_of("new"));
}

static void
test_killed_commits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *kind = &kinds[i];
        int interrupted = 0;

        make_kind(kind);
        for (int round = 0; round < kind->rounds; round++) {
            runs("cp --sparse=always base " IMAGE);
            saves(kind->format);
            interrupted += kill_commit(kind->grows);
            if (round % 3 == 0) {
                kill_restore();
                restores();
                interrupted += kill_commit(kind->grows);
            }
            repeats(kind);
        }
        printf("%s %s, %s: %d commits were interrupted\n", kind->format,
               kind->options, kind->tail, interrupted);
        assert_true(interrupted > 0);
    }
}

/* Refusals ---------------------------------------------------------------- */

static void
make_small(const char *format)
{
    runs("rm -rf ./* && qemu-img create -q -f %s " IMAGE " 64M && "
         "qemu-io -f %s -c 'write -q -P 1 3M 1M' " IMAGE " && "
         "cp " IMAGE " base",
         format, format);
}

static void
patch(const char *name, off_t offset, uint64_t value, size_t len)
{
    int fd = open(name, O_RDWR);
    uint8_t bytes[8];

    v2v_put_le(bytes, value, sizeof bytes);
    assert_int_equal(pwrite(fd, bytes, len, offset), len);
    close(fd);
}

static void
test_other_formats_and_no_file(void **state)
{
    static const char *const formats[] = { "raw", "qcow2", "qcow",
                                           "qed", "vpc",   "vmdk" };

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        make_small(formats[i]);
        runs("echo of another image > " REWIND);
        saves(formats[i]);
        assert_int_not_equal(access(REWIND, F_OK), 0);
        restores();
        runs("cmp base " IMAGE);
    }
}

static void
test_file_is_ours_alone(void **state)
{
    struct stat st;

    (void)state;
    make_small("vdi");
    runs("echo precious > other && ln -s other " REWIND);
    saves("vdi");
    runs("test \"$(cat other)\" = precious");
    assert_int_equal(lstat(REWIND, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);

    runs("mv " REWIND " other && ln -s other " REWIND);
    assert_int_equal(rewind_restore(IMAGE, REWIND, NULL), -1);
}

/* As a virtual machine has it: QEMU's locks are for reading. */
static void
test_image_in_use(void **state)
{
    struct flock lock = { .l_type = F_RDLCK, .l_start = 101, .l_len = 1 };
    struct v2v_error err = { 0 };
    int fd;

    (void)state;
    make_small("vhdx");
    saves("vhdx");
    runs("qemu-io -f vhdx -c 'write -q -P 2 30M 10M' " IMAGE " && cp " IMAGE
         " changed");
    fd = open(IMAGE, O_RDWR);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_int_equal(rewind_restore(IMAGE, REWIND, &err), -1);
    assert_int_equal(err.code, V2V_ERR_BUSY);
    assert_string_equal(err.text,
                        IMAGE ": in use by a virtual machine or a QEMU tool");
    runs("cmp changed " IMAGE);
    close(fd);
    restores();
    runs("cmp base " IMAGE);
}

static void
is_refused(const char *what)
{
    struct v2v_error err = { 0 };

    assert_int_equal(rewind_restore(IMAGE, REWIND, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    if (strstr(err.text, what) == NULL)
        fail_msg("%s", err.text);
}

static void
write_rewind(const struct v2v_bytes *bytes, size_t len)
{
    int fd = open(REWIND, O_WRONLY | O_TRUNC);

    assert_int_equal(v2v_fd_write(fd, bytes->data, len), 0);
    close(fd);
}

/* Each byte of the head, some of the rest; each way to be too short. */
static void
test_damaged_files(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes good = { 0 };

    (void)state;
    make_small("vdi");
    saves("vdi");
    runs("qemu-io -f vdi -c 'write -q -P 2 30M 1M' " IMAGE " && cp " IMAGE
         " changed");
    assert_int_equal(v2v_file_read(REWIND, 1 << 20, &good, NULL), 0);
    for (size_t at = 0; at < good.len; at += at < 64 ? 1 : 7) {
        good.data[at] ^= 0x40;
        write_rewind(&good, good.len);
        is_refused(REWIND ": damaged");
        good.data[at] ^= 0x40;
    }
    for (size_t len = 0; len < good.len; len++) {
        write_rewind(&good, len);
        is_refused(REWIND ": damaged");
    }
    write_rewind(&good, good.len);
    runs("echo >> " REWIND);
    is_refused(REWIND ": damaged");
    runs("cmp changed " IMAGE);

    write_rewind(&good, good.len);
    runs("truncate -s 1000000 " IMAGE " && cp " IMAGE " changed");
    is_refused(IMAGE ": not the file to which a commit was begun");
    runs("cmp changed " IMAGE);
}

/* The good file with a number in it changed, and a digest that fits. */
static void
write_lie(struct v2v_bytes good, size_t at, uint64_t value, size_t len)
{
    size_t body = good.len - DIGEST_LEN;
    struct v2v_bytes lie = { 0 };
    struct digest digest;

    assert_int_equal(v2v_bytes_copy(good.data, body, &lie, NULL), 0);
    v2v_put_le(lie.data + at, value, len);
    assert_int_equal(digest_of_bytes(lie.data, body, &digest, NULL), 0);
    assert_int_equal(v2v_bytes_add(&lie, digest.bytes, DIGEST_LEN, NULL), 0);
    write_rewind(&lie, lie.len);
    v2v_bytes_done(&lie);
}

static void
test_files_that_lie(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
        size_t len;
    } lies[] = {
        { 0, 0, 1 },           { 8, 2, 4 },           /* version */
        { 12, 0, 4 },          { 12, 2, 4 },          /* count */
        { 12, 4098, 4 },       { 12, UINT32_MAX, 4 }, /* count */
        { 16, 511, 8 },                               /* the image's length */
        { 24, UINT64_MAX, 8 },                        /* offset */
        { 32, 0, 8 },          { 32, UINT64_MAX, 8 }, /* length */
    };
    V2V_AUTO(bytes) struct v2v_bytes good = { 0 };

    (void)state;
    make_small("vdi");
    saves("vdi");
    assert_int_equal(v2v_file_read(REWIND, 1 << 20, &good, NULL), 0);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        write_lie(good, lies[i].at, lies[i].value, lies[i].len);
        is_refused(REWIND ": damaged");
    }
    write_lie(good, 8, 1, 4); /* no lie */
    restores();
    runs("cmp base " IMAGE);
}

static void
test_images_that_lie(void **state)
{
    static const struct {
        const char *format;
        off_t at;
        uint64_t value;
        size_t len;
        const char *message;
    } lies[] = {
        { "vdi", 64, 0, 4, "the VDI's block map is not between" },
        { "vdi", 0x154, 0, 4, "the VDI's block map is not between" },
        { "vdi", 0x154, UINT32_MAX, 4, "the VDI's block map is not between" },
        { "vdi", 0x158, 512, 4, "the VDI's block map is not between" },
        { "vdi", 0x158, 1025, 4, "the VDI's block map is not between" },
        { "vdi", 0x158, 0xfffffe00, 4, "the image's tables are too large" },
        { "vdi", 0x180, UINT32_MAX, 4, "the VDI's block map is not between" },
        { "vhdx", (64 << 10) + 68, UINT32_MAX, 4, "tables are too large" },
        { "vhdx", (128 << 10) + 68, UINT32_MAX, 4, "tables are too large" },
        { "vhdx", (192 << 10) + 8, 2048, 4, "damaged region table" },
        { "vhdx", (256 << 10) + 8, UINT32_MAX, 4, "damaged region table" },
        { "vhdx", (192 << 10) + 40, UINT32_MAX, 4, "tables are too large" },
        { "vhdx", (256 << 10) + 40, UINT32_MAX, 4, "tables are too large" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct v2v_error err = { 0 };

        make_small(lies[i].format);
        runs("truncate -s 6G " IMAGE);
        patch(IMAGE, lies[i].at, lies[i].value, lies[i].len);
        assert_int_equal(rewind_save(IMAGE, lies[i].format, REWIND, &err), -1);
        assert_int_equal(err.code, V2V_ERR_GUEST);
        if (strstr(err.text, lies[i].message) == NULL ||
            strstr(err.text, "--output makes a copy") == NULL)
            fail_msg("%zu: %s", i, err.text);
        assert_int_not_equal(access(REWIND, F_OK), 0);
    }
}

/* One of two is enough, as for QEMU; none is not. */
static void
test_damaged_headers(void **state)
{
    (void)state;
    make_small("vhdx");
    patch(IMAGE, 64 << 10, 0, 4);
    patch(IMAGE, 256 << 10, 0, 4);
    saves("vhdx");
    patch(IMAGE, 128 << 10, 0, 4);
    assert_int_equal(rewind_save(IMAGE, "vhdx", REWIND, NULL), -1);
}

/* Beyond the end there is nothing to keep, wherever a header points. */
static void
test_offsets_beyond_the_end(void **state)
{
    (void)state;
    make_small("vhdx");
    patch(IMAGE, (64 << 10) + 72, UINT64_MAX - 4096, 8);
    patch(IMAGE, (192 << 10) + 32, UINT64_MAX, 8);
    saves("vhdx");
    assert_true(size_of(REWIND) < 8 << 20);
    runs("cp " IMAGE " base");
    restores();
    runs("cmp base " IMAGE);
}

#define IN_EMPTY_TOP(test) cmocka_unit_test_setup(test, empty_top)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_EMPTY_TOP(test_killed_commits),
        IN_EMPTY_TOP(test_other_formats_and_no_file),
        IN_EMPTY_TOP(test_file_is_ours_alone),
        IN_EMPTY_TOP(test_image_in_use),
        IN_EMPTY_TOP(test_damaged_files),
        IN_EMPTY_TOP(test_files_that_lie),
        IN_EMPTY_TOP(test_images_that_lie),
        IN_EMPTY_TOP(test_damaged_headers),
        IN_EMPTY_TOP(test_offsets_beyond_the_end),
    };

    return cmocka_run_group_tests(tests, make_current_top, remove_top);
}
