/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/log.h"
#include "image/image.h"

/* Each test works in a directory of its own, which is the current one.  The
 * name of the image is one that QEMU would misread. */
#define IMAGE "-a:b c.img"
#define IMAGE_QUOTED "'-a:b c.img'"

static char directory[64];
static const struct image_change no_xml = { .what = "a test" };
static char warnings[4096];

static void
keep_warnings(void *opaque, enum v2v_log_level level, const char *module,
              const char *code, const char *text)
{
    size_t used = strlen(warnings);

    (void)opaque;
    if (level == V2V_LOG_WARNING)
        snprintf(warnings + used, sizeof warnings - used, "%s %s: %s\n", module,
                 code, text);
}

static int
enter_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/v2v-image-XXXXXX");
    warnings[0] = '\0';
    v2v_log_set(keep_warnings, NULL);
    return mkdtemp(directory) == NULL || chdir(directory) < 0 ? -1 : 0;
}

static void
run(const char *command)
{
    assert_int_equal(system(command), 0);
}

static int
leave_directory(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return chdir("/") < 0 ? -1 : system(command);
}

/* QEMU measures how fast it is first, and fails if it gets no processor then
 * ("Unable to get accurate CPU usage"): try again. */
#define MAKE_LUKS                                                              \
    "qemu-img create -q -f luks --object secret,id=s,data=abc -o "             \
    "key-secret=s,iter-time=10 "

/* A raw disk of 1 MiB with a boot sector's signature. */
static void
make_raw(void)
{
    run("truncate -s 1M -- ./" IMAGE_QUOTED);
    run("printf '\\125\\252' | dd of=./" IMAGE_QUOTED
        " bs=1 seek=510 conv=notrunc status=none");
}

static void
make_qcow2(const char *options)
{
    char command[256];

    make_raw();
    snprintf(command, sizeof command,
             "qemu-img convert -f raw -O qcow2 %s \"file:./\"" IMAGE_QUOTED
             " q && mv q ./" IMAGE_QUOTED,
             options);
    run(command);
}

static bool
is_there(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0;
}

static void
opens(struct image **ret)
{
    struct v2v_error err = { 0 };

    if (image_open(IMAGE, NULL, ret, &err) < 0)
        fail_msg("%s", err.text);
}

static void
is_refused_with(const char *path, const struct image_options *options,
                enum v2v_error_code code, const char *text)
{
    struct image *image = NULL;
    struct v2v_error err = { 0 };

    assert_int_equal(image_open(path, options, &image, &err), -1);
    assert_null(image);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_int_equal(err.code, code);
}

static void
test_formats_by_magic(void **state)
{
    static const struct {
        const char *format;
        size_t offset;
        const char *bytes;
        size_t len;
        uint64_t size;
        bool in_tail;
    } cases[] = {
        { "qcow2", 0, "QFI\xfb\0\0\0\2", 8, 1 << 20, false },
        { "qcow2", 0, "QFI\xfb\0\0\0\3", 8, 1 << 20, false },
        { "qcow", 0, "QFI\xfb\0\0\0\1", 8, 1 << 20, false },
        { "vmdk", 0, "KDMV\1", 5, 1 << 20, false },
        { "vmdk", 0, "COWD", 4, 1 << 20, false },
        { "vmdk", 0, "# Disk DescriptorFile\n", 22, 900, false },
        { NULL, 0, "# Disk DescriptorFile\n", 22, UINT64_C(1) << 30, false },
        { "vhdx", 0, "vhdxfile", 8, 1 << 20, false },
        { "vdi", 64, "\x7f\x10\xda\xbe", 4, 1 << 20, false },
        { "qed", 0, "QED\0", 4, 1 << 20, false },
        { "parallels", 0, "WithoutFreeSpace", 16, 1 << 20, false },
        { "parallels", 0, "WithouFreSpacExt", 16, 1 << 20, false },
        { "luks", 0, "LUKS\xba\xbe", 6, 1 << 20, false },
        { "vpc", 0, "conectix", 8, 1 << 20, false },
        { "vpc", 0, "conectix", 8, 1 << 20, true },
        { NULL, 0, "", 0, 1 << 20, false },
        { NULL, 3, "NTFS    ", 8, 1 << 20, false },
        { NULL, 1, "QFI\xfb", 4, 1 << 20, false },
        { NULL, 0, "QFI\xfb\0\0\0\2", 8, 1 << 20, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t head[IMAGE_HEAD_LEN] = { 0 }, tail[IMAGE_TAIL_LEN] = { 0 };
        const char *format;

        memcpy((cases[i].in_tail ? tail : head) + cases[i].offset,
               cases[i].bytes, cases[i].len);
        format = image_format_by_magic(head, tail, cases[i].size);
        if (cases[i].format == NULL)
            assert_null(format);
        else
            assert_string_equal(format, cases[i].format);
    }
}

/* The magics above against what qemu-img really makes. */
static void
test_formats_that_qemu_img_makes(void **state)
{
    static const struct {
        const char *options;
        const char *format;
    } cases[] = {
        { "-O qcow2", "qcow2" },
        { "-O qcow2 -o compat=0.10", "qcow2" },
        { "-O qcow", "qcow" },
        { "-O vmdk", "vmdk" },
        { "-O vhdx", "vhdx" },
        { "-O vpc", "vpc" },
        { "-O vpc -o subformat=fixed", "vpc" },
        { "-O vdi", "vdi" },
        { "-O qed", "qed" },
        { "-O raw", "raw" },
    };

    (void)state;
    make_raw();
    run("cp ./" IMAGE_QUOTED " source");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(image) struct image *image = NULL;
        char command[256];

        snprintf(command, sizeof command,
                 "qemu-img convert -f raw %s source x && mv x ./" IMAGE_QUOTED,
                 cases[i].options);
        run(command);
        opens(&image);
        assert_string_equal(image_format(image), cases[i].format);
    }
}

static void
test_what_is_no_image(void **state)
{
    static const struct {
        const char *make;
        enum v2v_error_code code;
        const char *text;
    } cases[] = {
        { "true", V2V_ERR_USAGE, "x: No such file or directory" },
        { "mkdir x", V2V_ERR_USAGE,
          "x: neither a regular file nor a block device" },
        { "mkfifo x", V2V_ERR_USAGE, "neither a regular file" },
        { "ln -s /dev/null x", V2V_ERR_USAGE, "neither a regular file" },
        { ": > x", V2V_ERR_FORMAT, "x: not a disk image" },
        { "seq 100000 > x", V2V_ERR_FORMAT, "not a disk image" },
        { "printf 'QFI\\373\\0\\0\\0\\003' > x", V2V_ERR_FORMAT,
          "qemu-img info: Could not open" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run("rm -rf x");
        run(cases[i].make);
        is_refused_with("x", NULL, cases[i].code, cases[i].text);
    }
}

static void
test_raw_is_a_boot_sector(void **state)
{
    const struct image_options raw = { .format = "raw" };
    V2V_AUTO(image) struct image *image = NULL;
    V2V_AUTO(image) struct image *given = NULL;

    (void)state;
    run("truncate -s 1M x");
    is_refused_with("x", &raw, V2V_ERR_FORMAT, "no boot sector");
    run("printf 'NTFS    ' | dd of=x bs=1 seek=3 conv=notrunc status=none");
    assert_int_equal(image_open("x", NULL, &image, NULL), 0);
    assert_string_equal(image_format(image), "raw");

    /* raw, though the guest wrote another format's magic */
    make_raw();
    run("printf vhdxfile | dd of=./" IMAGE_QUOTED " conv=notrunc status=none");
    is_refused_with(IMAGE, NULL, V2V_ERR_FORMAT, "qemu-img info");
    assert_int_equal(image_open(IMAGE, &raw, &given, NULL), 0);
    assert_string_equal(image_format(given), "raw");
}

static void
test_read_only_counts_for_root_too(void **state)
{
    (void)state;
    make_raw();
    assert_int_equal(chmod(IMAGE, 0444), 0);
    is_refused_with(IMAGE, NULL, V2V_ERR_GUEST, "read-only image");
}

static void
test_other_files_of_the_host_are_refused(void **state)
{
    const struct image_options given = { .format = "qcow2" };

    (void)state;
    make_qcow2("");
    run("mv ./" IMAGE_QUOTED " base && qemu-img create -q -f qcow2 -F qcow2 "
        "-b base x");
    is_refused_with("x", NULL, V2V_ERR_GUEST,
                    "the image has a backing file; make it one file first: "
                    "qemu-img convert -f qcow2 -O qcow2 IMAGE NEW-IMAGE");
    is_refused_with("x", &given, V2V_ERR_GUEST, "a backing file");
    run("rm x && qemu-img create -q -f qcow2 -o data_file=data x 1M");
    is_refused_with("x", NULL, V2V_ERR_GUEST, "an external data file");
    /* refused before QEMU sees it: of this header it could read nothing */
    run("{ printf 'QFI\\373\\0\\0\\0\\003'; head -c 71 /dev/zero; "
        "printf '\\004'; } >x");
    is_refused_with("x", NULL, V2V_ERR_GUEST, "an external data file");
    run("rm x && qemu-img create -q -f qed -F qcow2 -b base x");
    is_refused_with("x", NULL, V2V_ERR_GUEST, "a backing file");
}

static void
test_what_cannot_be_written(void **state)
{
    (void)state;
    make_raw();
    run("cp ./" IMAGE_QUOTED " source");
    run("qemu-img convert -f raw -O vmdk -o subformat=streamOptimized source "
        "x");
    is_refused_with("x", NULL, V2V_ERR_GUEST, "stream-optimized VMDK");
    run(MAKE_LUKS "y 1M || " MAKE_LUKS "y 1M");
    is_refused_with("y", NULL, V2V_ERR_GUEST, "encrypted");
}

static void
test_one_of_us_at_a_time(void **state)
{
    struct image *image = NULL;
    struct image *again = NULL;

    (void)state;
    make_qcow2("");
    opens(&image);
    is_refused_with(IMAGE, NULL, V2V_ERR_BUSY, "in use by another v2v-virtio");
    run("ln -s ./" IMAGE_QUOTED " link");
    is_refused_with("link", NULL, V2V_ERR_BUSY, "in use by another v2v-virtio");
    image_close(image);
    opens(&again);
    image_close(again);
}

/* A process that dies gives its lock back, whatever it left. */
static void
test_the_lock_dies_with_its_process(void **state)
{
    V2V_AUTO(image) struct image *image = NULL;
    int ready[2];
    char byte;
    pid_t pid;

    (void)state;
    make_qcow2("");
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        struct image *theirs = NULL;

        if (image_open(IMAGE, NULL, &theirs, NULL) < 0 ||
            image_overlay_create(theirs, false, NULL) < 0 ||
            write(ready[1], "", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    is_refused_with(IMAGE, NULL, V2V_ERR_BUSY, "in use by another v2v-virtio");
    assert_true(is_there(IMAGE ".v2v-overlay"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    opens(&image);
    assert_false(is_there(IMAGE ".v2v-overlay"));
    assert_non_null(strstr(warnings, "image interrupted-discarded: "));
    close(ready[0]);
    close(ready[1]);
}

/* qemu-io keeps an image open as a virtual machine does. */
static pid_t
start_qemu_io(const char *name, int *ret_stdin)
{
    int in[2], out[2];
    char prompt[8];
    pid_t pid;

    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp("qemu-io", "qemu-io", "-f", "qcow2", name, (char *)NULL);
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
test_a_virtual_machine_holds_it(void **state)
{
    V2V_AUTO(image) struct image *image = NULL;
    struct v2v_error err = { 0 };
    pid_t pid;
    int fd;

    (void)state;
    make_qcow2("");
    run("mv ./" IMAGE_QUOTED " vm.qcow2");
    pid = start_qemu_io("vm.qcow2", &fd);
    is_refused_with("vm.qcow2", NULL, V2V_ERR_BUSY,
                    "vm.qcow2: in use by a virtual machine or a QEMU tool");
    close(fd);
    waitpid(pid, NULL, 0);

    /* it comes while we work: the commit gives up, the image is as it was */
    assert_int_equal(image_open("vm.qcow2", NULL, &image, &err), 0);
    assert_int_equal(image_overlay_create(image, false, &err), 0);
    pid = start_qemu_io("vm.qcow2", &fd);
    assert_int_equal(image_commit(image, &no_xml, &err), -1);
    assert_int_equal(err.code, V2V_ERR_BUSY);
    close(fd);
    waitpid(pid, NULL, 0);
    image_close(v2v_steal(image));
    assert_false(is_there("vm.qcow2.v2v-state"));
    assert_false(is_there("vm.qcow2.v2v-overlay"));
}

static void
write_pattern(const char *overlay)
{
    char command[512];

    snprintf(command, sizeof command,
             "qemu-io -f qcow2 -c 'write -q -P 0x5a 64k 64k' '%s'", overlay);
    run(command);
}

static void
pattern_is(const char *format, int byte)
{
    char command[512];

    snprintf(command, sizeof command,
             "mv ./" IMAGE_QUOTED " x && qemu-io -f %s -c 'read -q -P 0x%02x "
             "64k 64k' x | grep -q . && exit 1; mv x ./" IMAGE_QUOTED,
             format, byte);
    run(command);
}

static void
commit_round(const char *format, const char *work_dir)
{
    const struct image_options options = { .work_dir = work_dir };
    struct image *image = NULL;
    struct v2v_error err = { 0 };
    struct stat st;

    assert_int_equal(image_open(IMAGE, &options, &image, &err), 0);
    assert_string_equal(image_format(image), format);
    assert_null(image_overlay_path(image));
    assert_int_equal(image_overlay_create(image, false, &err), 0);
    assert_int_equal(stat(image_overlay_path(image), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    write_pattern(image_overlay_path(image));
    if (image_commit(image, &no_xml, &err) < 0)
        fail_msg("%s", err.text);
    assert_null(image_overlay_path(image));
    image_close(image);
    pattern_is(format, 0x5a);
    assert_false(is_there(IMAGE ".v2v-overlay"));
    assert_false(is_there(IMAGE ".v2v-state"));
}

static void
test_commit(void **state)
{
    (void)state;
    make_raw();
    commit_round("raw", NULL);
    make_qcow2("");
    commit_round("qcow2", NULL);
    make_qcow2("");
    run("mkdir -p 'w:d'");
    commit_round("qcow2", "w:d");
    run("rmdir 'w:d'"); /* nothing is left in it */
}

static void
test_close_without_commit_changes_nothing(void **state)
{
    struct image *image = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    make_qcow2("");
    run("cp ./" IMAGE_QUOTED " before");
    opens(&image);
    assert_int_equal(image_overlay_create(image, false, &err), 0);
    write_pattern(image_overlay_path(image));
    image_close(image);
    run("cmp ./" IMAGE_QUOTED " before");
    assert_false(is_there(IMAGE ".v2v-overlay"));
}

static void
test_overlay_does_not_follow_a_link(void **state)
{
    V2V_AUTO(image) struct image *image = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    make_qcow2("");
    opens(&image);
    run("echo precious > target; ln -s target ./'-a:b c.img.v2v-overlay'");
    assert_int_equal(image_overlay_create(image, false, &err), 0);
    run("test ! -L ./'-a:b c.img.v2v-overlay' && test \"$(cat target)\" = "
        "precious");
}

static void
test_missing_qemu_img(void **state)
{
    V2V_AUTO(mem) char *path = strdup(getenv("PATH"));

    (void)state;
    make_raw();
    setenv("PATH", directory, 1);
    is_refused_with(IMAGE, NULL, V2V_ERR_INTERNAL,
                    "qemu-img is not installed (package qemu-utils)");
    setenv("PATH", path, 1);
}

#define IN_DIRECTORY(test)                                                     \
    cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_by_magic),
        IN_DIRECTORY(test_formats_that_qemu_img_makes),
        IN_DIRECTORY(test_what_is_no_image),
        IN_DIRECTORY(test_raw_is_a_boot_sector),
        IN_DIRECTORY(test_read_only_counts_for_root_too),
        IN_DIRECTORY(test_other_files_of_the_host_are_refused),
        IN_DIRECTORY(test_what_cannot_be_written),
        IN_DIRECTORY(test_one_of_us_at_a_time),
        IN_DIRECTORY(test_the_lock_dies_with_its_process),
        IN_DIRECTORY(test_a_virtual_machine_holds_it),
        IN_DIRECTORY(test_commit),
        IN_DIRECTORY(test_close_without_commit_changes_nothing),
        IN_DIRECTORY(test_overlay_does_not_follow_a_link),
        IN_DIRECTORY(test_missing_qemu_img),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
