/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image/image.h: an image that is only read, what is told of it, and the names
 * of what it is refused for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "image/image.h"
#include "test-tools.h"

enum { MIB = 1 << 20 };

static const struct image_options read_only = { .read_only = true };

static void
does(const char *command)
{
    if (!run(command))
        fail_msg("%s", command);
}

static char *
in_top(const char *name)
{
    char *path = v2v_format(NULL, "%s/%s", top, name);

    assert_non_null(path);
    return path;
}

static int
empty_top(void **state)
{
    (void)state;
    warnings[0] = '\0';
    does("find . -mindepth 1 -delete; truncate -s 1M source; "
         "printf '\\125\\252' | dd of=source bs=1 seek=510 conv=notrunc");
    return 0;
}

static struct image *
opens(const char *name, const struct image_options *options)
{
    V2V_AUTO(mem) char *path = in_top(name);
    struct image *image = NULL;
    struct v2v_error err = { 0 };

    if (image_open(path, options, &image, &err) < 0)
        fail_msg("%s", err.text);
    return image;
}

/* @finding: NULL: none */
static void
is_refused(const char *name, const struct image_options *options,
           enum v2v_error_code code, const char *finding, const char *text)
{
    V2V_AUTO(mem) char *path = in_top(name);
    V2V_AUTO(image) struct image *image = NULL;
    struct v2v_error err = { 0 };

    if (image_open(path, options, &image, &err) == 0)
        fail_msg("%s: not refused: %s", name, text);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_int_equal(err.code, code);
    if (finding == NULL)
        assert_null(err.finding);
    else if (err.finding == NULL || strcmp(err.finding, finding) != 0)
        fail_msg("%s: %s, not %s", err.text, err.finding, finding);
}

static void
is_busy(const char *name, const struct image_options *options)
{
    is_refused(name, options, V2V_ERR_BUSY, "image-in-use",
               "in use by another");
}

static bool
is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* No permission to write is there, and nobody tries as root either: names,
 * times and content stay. */
static void
test_nothing_is_written(void **state)
{
    static const char look[] = "stat -c '%n %s %y %z %a' .. . * >../";
    V2V_AUTO(mem) char *source = in_top("d/vm.img");
    V2V_AUTO(mem) char *before = v2v_format(NULL, "cd d && %sbefore", look);
    V2V_AUTO(mem) char *after = v2v_format(NULL, "cd d && %safter", look);
    V2V_AUTO(mem) char *scratch = NULL;
    struct image *image;
    struct disk_reader reader;
    struct v2v_error err = { 0 };
    uint8_t sector[512];
    struct stat st;

    (void)state;
    does("mkdir d && mv source d/vm.img && chmod 0444 d/vm.img && : >before && "
         ": >after && chmod 0555 d");
    does(before);
    image = opens("d/vm.img", &read_only);
    assert_string_equal(image_disk_path(image), source);
    assert_string_equal(image_disk_format(image), "raw");
    assert_null(image_overlay_path(image));
    scratch = v2v_strdup(image_scratch(image), NULL);
    assert_int_equal(stat(scratch, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0711);
    if (image_overlay_reader(image, &reader, &err) < 0 ||
        reader.read(reader.opaque, 0, sector, sizeof sector, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(reader.size, MIB);
    assert_int_equal(sector[510], 0x55);
    image_close(image);
    assert_false(is_there(scratch));
    does(after);
    does("cmp before after; e=$?; chmod 0755 d; exit $e");
}

/* Readers share it; a writer has it alone. */
static void
test_locks(void **state)
{
    V2V_AUTO(mem) char *output = in_top("copy");
    const struct image_options copy = { .output = output };
    struct image *first, *second;

    (void)state;
    first = opens("source", &read_only);
    second = opens("source", &read_only);
    assert_string_not_equal(image_scratch(first), image_scratch(second));
    is_busy("source", NULL);
    image_close(opens("source", &copy));
    image_close(first);
    is_busy("source", NULL);
    image_close(second);
    first = opens("source", NULL);
    is_busy("source", &read_only);
    image_close(first);
    image_close(opens("source", &read_only));
}

/* qemu-io holds an image as a virtual machine does; @flag: "-r", or NULL. */
static pid_t
start_qemu_io(const char *path, const char *flag, int *ret_stdin)
{
    int in[2], out[2];
    char prompt[8];
    pid_t pid;

    assert_int_equal(pipe2(in, 0), 0);
    assert_int_equal(pipe2(out, 0), 0);
    pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp("qemu-io", "qemu-io", "-f", "raw", path, flag, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    assert_true(read(out[0], prompt, sizeof prompt) > 0); /* it is open */
    close(out[0]);
    *ret_stdin = in[1];
    return pid;
}

static void
stop(pid_t pid, int fd)
{
    close(fd);
    waitpid(pid, NULL, 0);
}

static void
test_a_virtual_machine_holds_it(void **state)
{
    V2V_AUTO(mem) char *path = in_top("source");
    pid_t pid;
    int fd;

    (void)state;
    pid = start_qemu_io(path, NULL, &fd);
    is_refused("source", &read_only, V2V_ERR_BUSY, "image-in-use",
               "in use by a virtual machine or a QEMU tool");
    stop(pid, fd);
    pid = start_qemu_io(path, "-r", &fd);
    image_close(opens("source", &read_only));
    stop(pid, fd);
}

/* What a reader leaves that is killed, the next one deletes; that of one that
 * lives it lets be. */
static void
test_the_directory_dies_with_its_process(void **state)
{
    struct image *living = opens("source", &read_only);
    V2V_AUTO(mem) char *left = NULL;
    char name[256] = "";
    int said[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(said), 0);
    pid = fork();
    if (pid == 0) {
        struct image *image = opens("source", &read_only);
        const char *scratch = image_scratch(image);
        V2V_AUTO(mem)
        char *fill =
            v2v_format(NULL, "mkdir -p %s/a/b && : >%s/a/c", scratch, scratch);

        if (run(fill) && write(said[1], scratch, strlen(scratch)) > 0)
            pause();
        _exit(1);
    }
    assert_true(read(said[0], name, sizeof name - 1) > 0);
    image_sweep();
    assert_true(is_there(name));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(is_there(name));
    image_close(opens("source", &read_only));
    assert_false(is_there(name));
    assert_true(is_there(image_scratch(living)));
    left = v2v_strdup(image_scratch(living), NULL);
    image_close(living);
    assert_false(is_there(left));
    close(said[0]);
    close(said[1]);
}

static void
test_about(void **state)
{
    static const struct image_options raw = { .format = "raw",
                                              .read_only = true };
    static const struct {
        const char *make;
        const struct image_options *options;
        const char *format;
        bool probed_raw;
        const char *snapshots[3];
        const char *copy_only;
    } cases[] = {
        { "cp source x", &read_only, "raw", true, { NULL }, NULL },
        { "cp source x", &raw, "raw", false, { NULL }, NULL },
        { "cp source x", NULL, "raw", true, { NULL }, NULL },
        { "qemu-img convert -f raw -O vpc source x",
          &read_only,
          "vpc",
          false,
          { NULL },
          NULL },
        { "qemu-img convert -f raw -O qcow2 source x && qemu-img snapshot -c "
          "'before sp1' x && qemu-img snapshot -c two x",
          &read_only,
          "qcow2",
          false,
          { "before sp1", "two" },
          NULL },
        { "qemu-img convert -f raw -O vmdk -o subformat=streamOptimized source "
          "x",
          &read_only,
          "vmdk",
          false,
          { NULL },
          "a stream-optimized VMDK" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image_about about = { 0 };
        struct v2v_error err = { 0 };
        struct image *image;
        size_t count = 0;

        does(cases[i].make);
        image = opens("x", cases[i].options);
        assert_int_equal(image_about(image, &about, &err), 0);
        assert_string_equal(about.format, cases[i].format);
        assert_int_equal(about.probed_raw, cases[i].probed_raw);
        assert_in_range(about.virtual_size, MIB, 2 * MIB);
        assert_true(about.writable);
        assert_true(about.host_free > 0 && about.host_free < UINT64_MAX);
        assert_true(about.host_needed == IMAGE_FREE_SPACE_MIN);
        for (; cases[i].snapshots[count] != NULL; count++)
            assert_string_equal(about.snapshots.items[count],
                                cases[i].snapshots[count]);
        assert_int_equal(about.snapshots.count, count);
        if (cases[i].copy_only == NULL)
            assert_null(about.copy_only);
        else
            assert_string_equal(about.copy_only, cases[i].copy_only);
        image_about_done(&about);
        image_close(image);
    }
}

static void
test_about_what_nobody_may_write(void **state)
{
    struct image_about about = { 0 };
    struct image *image;

    (void)state;
    does("chmod 0444 source");
    image = opens("source", &read_only);
    assert_int_equal(image_about(image, &about, NULL), 0);
    assert_false(about.writable);
    image_about_done(&about);
    image_close(image);
}

/* The same name, whether the image is to be read or written; but for what only
 * who writes minds. */
static void
test_findings(void **state)
{
    static const struct {
        const char *make;
        enum v2v_error_code code;
        const char *finding, *text;
        bool reads; /* who only reads takes it */
    } cases[] = {
        { "cp source x && chmod 0444 x", V2V_ERR_GUEST, "image-read-only",
          "read-only image", true },
        { "qemu-img create -f qcow2 -F raw -b source x", V2V_ERR_GUEST,
          "backing-file", "a backing file", false },
        { "qemu-img create -f qed -F raw -b source x", V2V_ERR_GUEST,
          "backing-file", "a backing file", false },
        { "qemu-img create -f vdi x 8M && printf '\\004' | dd of=x bs=1 "
          "seek=76 conv=notrunc",
          V2V_ERR_GUEST, "backing-file", "a parent disk", false },
        { "qemu-img create -f qcow2 -o data_file=data x 1M", V2V_ERR_GUEST,
          "data-file", "an external data file", false },
        /* it fails, rarely, when it gets no processor to measure */
        { "for i in 1 2 3; do qemu-img create -f luks --object "
          "secret,id=s,data=abc -o key-secret=s,iter-time=10 x 1M && break; "
          "done",
          V2V_ERR_GUEST, "image-encrypted", "encrypted", false },
        { "qemu-img create -f qcow2 x 1M && printf '\\002' | dd of=x bs=1 "
          "seek=79 conv=notrunc",
          V2V_ERR_GUEST, "image-corrupt", "corrupt", false },
        { "qemu-img convert -f raw -O vmdk -o subformat=streamOptimized source "
          "x",
          V2V_ERR_GUEST, "image-kind", "cannot be worked on in place", true },
        { "seq 100000 >x", V2V_ERR_FORMAT, "image-unreadable",
          "not a disk image", false },
        { "printf 'QFI\\373\\0\\0\\0\\003' >x", V2V_ERR_FORMAT,
          "image-unreadable", "qemu-img info", false },
        { "cp source x && echo nonsense >x.v2v-state", V2V_ERR_GUEST,
          "image-interrupted", "x.v2v-state", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        does("rm -f x* data");
        does(cases[i].make);
        is_refused("x", NULL, cases[i].code, cases[i].finding, cases[i].text);
        if (cases[i].reads)
            image_close(opens("x", &read_only));
        else
            is_refused("x", &read_only, cases[i].code, cases[i].finding,
                       cases[i].text);
    }
    is_refused("none", &read_only, V2V_ERR_USAGE, "image-not-found",
               "No such file");
}

#define ON_SOURCE(test) cmocka_unit_test_setup(test, empty_top)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SOURCE(test_nothing_is_written),
        ON_SOURCE(test_locks),
        ON_SOURCE(test_a_virtual_machine_holds_it),
        ON_SOURCE(test_the_directory_dies_with_its_process),
        ON_SOURCE(test_about),
        ON_SOURCE(test_about_what_nobody_may_write),
        ON_SOURCE(test_findings),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
