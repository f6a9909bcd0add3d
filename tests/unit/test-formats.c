/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every format that may be worked on, with a real commit; and images that
 * name other files of the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "image/header.h"
#include "image/image.h"
#include "image/inspect.h"
#include "image/vmdk.h"
#include "test-tools.h"

#define MIB (1 << 20)

static char *loop_device; /* set up by make_loop(), detached by forget() */

/* Each test starts with an empty folder. */
static int
forget(void **state)
{
    char command[64];

    (void)state;
    if (loop_device != NULL) {
        snprintf(command, sizeof command, "losetup -d %s", loop_device);
        run(command);
    }
    free(v2v_steal(loop_device));
    return run("rm -rf -- ./* ./.??*") ? 0 : -1;
}

__attribute__((format(printf, 1, 2))) static void
does(const char *fmt, ...)
{
    static const char quiet[] = "exec > /dev/null; ";
    char command[1024];
    va_list args;

    strcpy(command, quiet);
    va_start(args, fmt);
    vsnprintf(command + strlen(quiet), sizeof command - strlen(quiet), fmt,
              args);
    va_end(args);
    if (!run(command))
        fail_msg("%s", command + strlen(quiet));
}

static char *
in_top(const char *name)
{
    char *path = v2v_format(NULL, "%s/%s", top, name);

    assert_non_null(path);
    return path;
}

/* A raw disk named "source" with a boot sector and something at 1 MiB and at
 * the end; @size is a multiple of 512, at least 8 MiB. */
static void
make_source(uint64_t size)
{
    does("truncate -s %" PRIu64 " source", size);
    does("printf '\\125\\252' | dd of=source bs=1 seek=510 conv=notrunc");
    does("qemu-io -f raw -c 'write -P 0x11 1M 3M' -c 'write -P 0x12 %" PRIu64
         " 512' source",
         size - 512);
}

static int
inspect(const char *name, const char *format, enum image_use use,
        struct image_info *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = in_top(name);
    V2V_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return inspect_image(fd, path, format, use, ret, err);
}

static void
inspects(const char *name, enum image_use use, struct image_info *ret)
{
    struct v2v_error err = { 0 };

    if (inspect(name, NULL, use, ret, &err) < 0)
        fail_msg("%s: %s", name, err.text);
}

/* What ours do to an overlay: write where there was something and where there
 * was nothing, zero, and the last sector. */
static void
write_overlay(const char *overlay, uint64_t size)
{
    does("qemu-io -f qcow2 -c 'write -P 0x5a 1040k 64k' -c 'write -P 0x5b 5M "
         "1M' -c 'write -z 2M 512k' -c 'write -P 0x5c %" PRIu64 " 512' %s",
         size - 512, overlay);
}

/* The content of the overlay is what the image has after the commit. */
static void
commit_and_compare(struct image *image, const char *path, const char *format,
                   uint64_t size)
{
    const struct image_change change = { .what = "a test" };
    struct v2v_error err = { 0 };
    const char *overlay;

    assert_int_equal(image_overlay_create(image, false, &err), 0);
    overlay = image_overlay_path(image);
    does(
        "test $(qemu-img info --output=json -f qcow2 %s | sed -n "
        "'s/^ *\"virtual-size\": \\([0-9]*\\),$/\\1/p' | tail -n 1) = %" PRIu64,
        overlay, size);
    write_overlay(overlay, size);
    does("qemu-img convert -f qcow2 -O raw %s expected", overlay);
    if (image_commit(image, &change, &err) < 0)
        fail_msg("%s: %s", format, err.text);
    does("qemu-img compare -f raw -F %s expected %s", format, path);
    does("rm expected");
}

static void
commit_round(const char *name, const char *work_dir)
{
    V2V_AUTO(mem) char *path = *name == '/' ? strdup(name) : in_top(name);
    V2V_AUTO(image_info) struct image_info before = { 0 };
    V2V_AUTO(image_info) struct image_info after = { 0 };
    struct image_options options = { .work_dir = work_dir };
    struct image *image = NULL;
    struct v2v_error err = { 0 };
    V2V_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(
        inspect_image(fd, path, NULL, IMAGE_IN_PLACE, &before, &err), 0);
    if (image_open(path, &options, &image, &err) < 0)
        fail_msg("%s", err.text);
    commit_and_compare(image, path, before.format, before.virtual_size);
    image_close(image);
    assert_int_equal(
        inspect_image(fd, path, NULL, IMAGE_IN_PLACE, &after, &err), 0);
    assert_string_equal(before.format, after.format);
    assert_int_equal(before.virtual_size, after.virtual_size);
    assert_int_equal(before.files.count, after.files.count);
}

/* qemu-img check's 63: there is nothing to check in this format. */
static void
test_commit_to_every_format(void **state)
{
    static const struct {
        const char *options;
        uint64_t size;
        size_t files;
    } cases[] = {
        { "raw", 64 * MIB, 1 },
        { "qcow2", 64 * MIB, 1 },
        { "qcow2 -o compat=0.10", 64 * MIB, 1 },
        { "qcow2 -c", 64 * MIB, 1 },
        { "vpc", 64 * MIB, 1 },
        { "vpc -o force_size=on", 64 * MIB, 1 },
        { "vpc -o subformat=fixed", 64 * MIB, 1 },
        { "vpc -o subformat=fixed,force_size=on", 64 * MIB, 1 },
        { "vhdx", 64 * MIB, 1 },
        { "vhdx -o subformat=fixed", 64 * MIB, 1 },
        { "vdi", 64 * MIB, 1 },
        { "vdi -o static=on", 64 * MIB, 1 },
        { "vmdk", 64 * MIB, 1 },
        { "vmdk -o subformat=monolithicFlat", 64 * MIB, 2 },
        { "vmdk -o subformat=twoGbMaxExtentSparse", UINT64_C(5) << 30, 4 },
        { "vmdk -o subformat=twoGbMaxExtentFlat", UINT64_C(5) << 30, 4 },
        { "qcow", 64 * MIB, 1 },
        { "qed", 64 * MIB, 1 },
        /* sizes that are no multiple of anything but a sector */
        { "raw", 10 * MIB + 512, 1 },
        { "qcow2", 10 * MIB + 512, 1 },
        { "vpc", 10 * MIB + 512, 1 },
        { "vpc -o subformat=fixed", 10 * MIB + 512, 1 },
        { "vpc -o force_size=on", 10 * MIB + 512, 1 },
        { "vhdx", 10 * MIB + 512, 1 },
        { "vdi", 10 * MIB + 512, 1 },
        { "vmdk", 10 * MIB + 512, 1 },
        { "vmdk -o subformat=monolithicFlat", 10 * MIB + 512, 2 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(image_info) struct image_info info = { 0 };

        make_source(cases[i].size);
        /* a name that QEMU would take for a protocol */
        does("qemu-img convert -f raw source -O %s ./a:b.vmdk && rm source",
             cases[i].options);
        inspects("a:b.vmdk", IMAGE_IN_PLACE, &info);
        assert_int_equal(info.files.count, cases[i].files);
        assert_int_equal(
            strncmp(info.format, cases[i].options, strlen(info.format)), 0);
        assert_true(info.virtual_size >= cases[i].size);
        commit_round("a:b.vmdk", NULL);
        does("qemu-img check -f %s file:a:b.vmdk || test $? = 63", info.format);
        does("test $(ls | wc -l) = %zu", cases[i].files);
        forget(state);
    }
}

/* QEMU rounds the size up to a sector, and with the last one written the file
 * is that long. */
static void
test_raw_that_ends_in_a_sector(void **state)
{
    (void)state;
    make_source(10 * MIB);
    does("mv source vm.img && truncate -s +100 vm.img");
    commit_round("vm.img", NULL);
    does("test $(stat -c %%s vm.img) = %d", 10 * MIB + 512);
}

static void
test_files_of_an_image(void **state)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };
    static const char *const names[] = { "vm.vmdk", "vm-s001.vmdk",
                                         "vm-s002.vmdk", "vm-s003.vmdk" };

    (void)state;
    does("qemu-img create -f vmdk -o subformat=twoGbMaxExtentSparse vm.vmdk "
         "5G");
    inspects("vm.vmdk", IMAGE_IN_PLACE, &info);
    assert_string_equal(info.format, "vmdk");
    assert_null(info.copy_only);
    assert_int_equal(info.virtual_size, INT64_C(5) << 30);
    assert_int_equal(info.room, UINT64_MAX);
    assert_int_equal(info.files.count, 4);
    for (size_t i = 0; i < 4; i++) {
        V2V_AUTO(mem) char *path = in_top(names[i]);

        assert_string_equal(info.files.items[i], path);
    }
}

static void
is_refused(const char *name, const char *format, enum image_use use,
           enum v2v_error_code code, const char *text)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };
    struct v2v_error err = { 0 };

    if (inspect(name, format, use, &info, &err) == 0)
        fail_msg("%s: not refused: %s", name, text);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_int_equal(err.code, code);
}

/* Refused for both uses, and before QEMU: there is none to be found. */
static void
is_refused_unopened(const char *name, const char *format,
                    enum v2v_error_code code, const char *text)
{
    V2V_AUTO(mem) char *path = strdup(getenv("PATH"));

    setenv("PATH", top, 1);
    is_refused(name, format, IMAGE_IN_PLACE, code, text);
    is_refused(name, format, IMAGE_COPY_SOURCE, code, text);
    setenv("PATH", path, 1);
}

static void
test_copy_only(void **state)
{
    static const struct {
        const char *options;
        const char *what;
    } cases[] = {
        { "vmdk -o subformat=streamOptimized", "a stream-optimized VMDK" },
        { "parallels", "a Parallels image" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(image_info) struct image_info info = { 0 };

        make_source(16 * MIB);
        does("qemu-img convert -f raw source -O %s x", cases[i].options);
        is_refused("x", NULL, IMAGE_IN_PLACE, V2V_ERR_GUEST, cases[i].what);
        is_refused("x", NULL, IMAGE_IN_PLACE, V2V_ERR_GUEST,
                   "--output NEW.qcow2 makes a copy");
        inspects("x", IMAGE_COPY_SOURCE, &info);
        assert_string_equal(info.copy_only, cases[i].what);
        does("qemu-img convert -f %s x -O raw y && qemu-img compare -f raw "
             "-F raw source y",
             info.format);
        forget(state);
    }
}

static void
test_formats_that_are_not_taken(void **state)
{
    static const char *const formats[] = { "dmg",     "nbd", "vvfat",
                                           "null-co", "RAW", "" };

    (void)state;
    make_source(8 * MIB);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        is_refused_unopened("source", formats[i], V2V_ERR_USAGE,
                            "are not supported");
}

static void
write_file(const char *name, const char *text, size_t len)
{
    V2V_AUTO(mem) char *path = in_top(name);

    assert_int_equal(v2v_file_replace(path, text, len, NULL), 0);
}

/* vm.vmdk, a descriptor with these lines and 1 MiB of extent. */
static void
write_descriptor(const char *create_type, const char *extents)
{
    char text[2048];

    snprintf(text, sizeof text,
             "# Disk DescriptorFile\nversion=1\nCID=01234567\n"
             "parentCID=ffffffff\ncreateType=\"%s\"\n\n"
             "# Extent description\n%s\n\n# The Disk Data Base\n#DDB\n\n"
             "ddb.virtualHWVersion = \"4\"\nddb.adapterType = \"ide\"\n",
             create_type, extents);
    write_file("vm.vmdk", text, strlen(text));
}

static void
test_descriptors_that_pass(void **state)
{
    static const struct {
        const char *create_type;
        const char *extents;
    } cases[] = {
        { "monolithicFlat", "RW 2048 FLAT \"vm-flat.vmdk\" 0" },
        { "monolithicFlat", "RW 2048 FLAT \"vm-flat.vmdk\" 0\r" },
        { "monolithicFlat", " \tRW  2048\tFLAT   \"vm-flat.vmdk\"  0 " },
        { "twoGbMaxExtentFlat", "RW 1024 FLAT \"vm-f001.vmdk\" 0\n"
                                "RW 1024 FLAT \"vm-f002.vmdk\" 0" },
    };

    (void)state;
    does("truncate -s 1M vm-flat.vmdk && truncate -s 512K vm-f001.vmdk "
         "vm-f002.vmdk");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(image_info) struct image_info info = { 0 };

        write_descriptor(cases[i].create_type, cases[i].extents);
        inspects("vm.vmdk", IMAGE_IN_PLACE, &info);
        assert_int_equal(info.virtual_size, MIB);
    }
}

/* As ESXi writes it.  A commit works, but see the table in vmdk.c. */
static void
test_vmfs_is_copied(void **state)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };

    (void)state;
    does("truncate -s 1M vm-flat.vmdk");
    write_descriptor("vmfs", "RW 2048 VMFS \"vm-flat.vmdk\"\n\n"
                             "# Change Tracking File\n"
                             "changeTrackPath=\"vm-ctk.vmdk\"");
    is_refused("vm.vmdk", NULL, IMAGE_IN_PLACE, V2V_ERR_GUEST, "(vmfs)");
    inspects("vm.vmdk", IMAGE_COPY_SOURCE, &info);
    assert_int_equal(info.files.count, 2);
}

/* All these files are there, and QEMU 7.2 would open most of them. */
static void
test_descriptors_that_name_other_files(void **state)
{
    static const struct {
        const char *extents;
        enum v2v_error_code code;
        const char *text;
    } cases[] = {
        { "RW 1 FLAT \"/etc/passwd\" 0", V2V_ERR_GUEST,
          "the VMDK descriptor names \"/etc/passwd\": not a file of this "
          "image: they lie beside vm.vmdk" },
        { "RW 1 FLAT \"../etc/passwd\" 0", V2V_ERR_GUEST,
          "not a file of this" },
        { "RW 1 FLAT \"sub/vm-flat.vmdk\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"./vm-flat.vmdk\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"vm-flat.vmdk/../other.qcow2\" 0", V2V_ERR_GUEST,
          "not a file of" },
        { "RW 1 FLAT \"other.qcow2\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"vm-other.vmdk\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"vm-s1x.vmdk\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"vm-flat.qcow2\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"vm.vmdk\" 0", V2V_ERR_GUEST, "not a file of" },
        { "RW 1 FLAT \"nbd:localhost:10809\" 0", V2V_ERR_GUEST, "not a file" },
        { "RW 1 FLAT \"\" 0", V2V_ERR_FORMAT, "not a writable extent" },
        { "RW 1 FLAT \"vm-f001.vmdk\" 0", V2V_ERR_GUEST,
          "\"vm-f001.vmdk\": not a regular file" }, /* a link */
        { "RW 1 FLAT \"vm-f002.vmdk\" 0", V2V_ERR_GUEST, "not a regular file" },
        { "RW 1 FLAT \"vm-f003.vmdk\" 0", V2V_ERR_GUEST, "not a regular file" },
        { "RW 1 FLAT \"vm-f004.vmdk\" 0", V2V_ERR_GUEST, "No such file" },
        { "RW 1 FLAT \"vm-flat.vmdk\" 0\nRW 1 FLAT \"vm-flat.vmdk\" 1",
          V2V_ERR_GUEST, "named twice" },
        { "RW 1 SPARSE \"vm-flat.vmdk\"", V2V_ERR_GUEST,
          "SPARSE extents are not known in a monolithicFlat" },
        { "RW 2049 FLAT \"vm-flat.vmdk\" 0", V2V_ERR_FORMAT, "too short for" },
        { "RW 2048 FLAT \"vm-flat.vmdk\" 1", V2V_ERR_FORMAT, "too short for" },
        { "RW 1 FLAT \"vm-flat.vmdk\" 281474976710656", V2V_ERR_FORMAT,
          "too short for" },
        /* QEMU reads these otherwise than a line at a time */
        { "RW\n1\nFLAT\n\"/etc/passwd\"\n0", V2V_ERR_FORMAT,
          "line 8: not a writable extent" },
        { "RW 1 FLAT \"/etc/passwd\" 0 = x", V2V_ERR_FORMAT, "line 8: not a" },
        { "RW 1\fFLAT \"/etc/passwd\" 0", V2V_ERR_FORMAT, "control character" },
        { "\nRW 1 FLAT \"vm-flat.vmdk\" 0", V2V_ERR_FORMAT,
          "line 9: an extent after an empty line" },
        { " \r\nRW 1 FLAT \"vm-flat.vmdk\" 0", V2V_ERR_FORMAT, "line 9: an" },
        { "RW 1 FLAT \"vm-flat\r.vmdk\" 0", V2V_ERR_FORMAT,
          "control character" },
        { "RW 1 FLAT \"vm-flat.vmdk\"\n99=1", V2V_ERR_FORMAT,
          "line 9: neither a value nor an extent" },
        { "FLAT", V2V_ERR_FORMAT, "neither a value nor an extent" },
        { "RDONLY 1 FLAT \"vm-flat.vmdk\" 0", V2V_ERR_FORMAT,
          "not a writable" },
        { "RW -1 FLAT \"vm-flat.vmdk\" 0", V2V_ERR_FORMAT, "not a writable" },
        { "RW 99999999999999999999 FLAT \"vm-flat.vmdk\" 0", V2V_ERR_FORMAT,
          "not a writable" },
        { "", V2V_ERR_FORMAT, "no extent" },
        { "createType=\"vmfs\"", V2V_ERR_FORMAT, "createType is there twice" },
        { "parentFileNameHint=\"other.vmdk\"", V2V_ERR_GUEST,
          "a backing file; make it one file first: qemu-img convert -f vmdk" },
        { "# parentFileNameHint=\"other.vmdk\"", V2V_ERR_GUEST, "a backing" },
    };

    (void)state;
    does("mkdir sub && truncate -s 1M vm-flat.vmdk sub/vm-flat.vmdk "
         "other.qcow2 vm-other.vmdk vm-s1x.vmdk vm-flat.qcow2 && ln -s "
         "other.qcow2 vm-f001.vmdk && mkfifo vm-f002.vmdk && mkdir "
         "vm-f003.vmdk");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_descriptor("monolithicFlat", cases[i].extents);
        is_refused_unopened("vm.vmdk", NULL, cases[i].code, cases[i].text);
        is_refused_unopened("vm.vmdk", "vmdk", cases[i].code, cases[i].text);
    }
}

static void
test_descriptors_of_other_kinds(void **state)
{
    static const char *const kinds[] = { "vmfsSparse",       "seSparse",
                                         "custom",           "fullDevice",
                                         "vmfsRaw",          "vmfsRawDeviceMap",
                                         "monolithicSparse", "" };

    (void)state;
    does("truncate -s 1M vm-flat.vmdk");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        write_descriptor(kinds[i], "RW 1 FLAT \"vm-flat.vmdk\" 0");
        is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST,
                            "is not supported; export the machine");
    }
    does("sed -i s/parentCID=f/parentCID=0/ vm.vmdk");
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST, "a backing file");
}

/* When QEMU writes a CID with fewer digits, the end of the older text stays
 * behind the NUL of the new one: made here by leaving one digit out. */
static void
test_a_descriptor_that_was_longer(void **state)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };

    (void)state;
    does("qemu-img create -f vmdk -o subformat=monolithicFlat vm.vmdk 8M");
    does("perl -0777 -pi -e 's/(\\nCID=).(.*)(.)$/$1$2$3\\0$3/s' vm.vmdk");
    does("qemu-img info vm.vmdk");
    inspects("vm.vmdk", IMAGE_IN_PLACE, &info);
    assert_string_equal(info.format, "vmdk");
}

/* To QEMU every file of format vmdk that is not sparse is a descriptor, how
 * large it is and whatever it starts with. */
static void
test_descriptors_without_a_magic(void **state)
{
    static const char text[] = "createType=\"monolithicFlat\"\n"
                               "RW 1 FLAT \"/etc/passwd\" 0\n";
    static const char behind[] = "createType=\"monolithicFlat\"\n\0"
                                 "RW 1 FLAT \"/etc/passwd\" 0\n";

    (void)state;
    write_file("vm.vmdk", text, sizeof text - 1);
    is_refused_unopened("vm.vmdk", "vmdk", V2V_ERR_GUEST, "\"/etc/passwd\"");
    does("truncate -s 2M vm.vmdk");
    is_refused_unopened("vm.vmdk", "vmdk", V2V_ERR_FORMAT, "too large");
    write_file("vm.vmdk", behind, sizeof behind - 1);
    is_refused_unopened("vm.vmdk", "vmdk", V2V_ERR_FORMAT, "no extent");
    write_file("vm.vmdk", "COWD", 4);
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST, "ESXi snapshot");
}

static void
patch(const char *name, off_t offset, const void *bytes, size_t len)
{
    V2V_AUTO(mem) char *path = in_top(name);
    V2V_AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, bytes, len, offset), (ssize_t)len);
}

/* QEMU 7.2 opens /etc/passwd for the first one. */
static void
test_sparse_vmdk_that_names_other_files(void **state)
{
    static const char zero[8] = "";
    static const uint8_t deflate[] = { 1, 0 };

    (void)state;
    does("qemu-img create -f vmdk vm.vmdk 8M && sed -i "
         "'s/monolithicSparse\"/monolithicFlat\"/; s/RW .*SPARSE.*vmdk\"/RW 1 "
         "FLAT \"\\/etc\\/passwd\" 0/' vm.vmdk && grep -aq etc/passwd vm.vmdk");
    patch("vm.vmdk", 12, zero, sizeof zero); /* the capacity */
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST, "tells no capacity");

    /* the same in an extent */
    does("mv vm.vmdk vm-s001.vmdk");
    write_descriptor("twoGbMaxExtentSparse",
                     "RW 16384 SPARSE \"vm-s001.vmdk\"");
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST, "tells no capacity");
    write_file("vm-s001.vmdk", "KDM", 3);
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_FORMAT, "not a sparse VMDK");

    does("rm * && qemu-img create -f vmdk base.vmdk 8M && qemu-img create -f "
         "vmdk -F vmdk -b base.vmdk vm.vmdk");
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST, "a backing file");
    does("sed -i s/parentFileNameHint/xarentFileNameHint/ vm.vmdk");
    is_refused_unopened("vm.vmdk", NULL, V2V_ERR_GUEST, "a backing file");

    patch("base.vmdk", 77, deflate, sizeof deflate);
    is_refused("base.vmdk", NULL, IMAGE_IN_PLACE, V2V_ERR_GUEST,
               "a stream-optimized VMDK");
}

static void
test_differencing_vhd(void **state)
{
    static const uint8_t type[][4] = { { 0, 0, 0, 4 }, { 0, 0, 0, 2 } };

    (void)state;
    does("qemu-img create -f vpc vm.vhd 8M");
    patch("vm.vhd", 60, type[0], 4);
    is_refused_unopened("vm.vhd", NULL, V2V_ERR_GUEST,
                        "only the changes to a parent disk (a checkpoint or "
                        "snapshot); make it one file first: Hyper-V's");
    patch("vm.vhd", 60, type[1], 4);
    is_refused_unopened("vm.vhd", NULL, V2V_ERR_FORMAT,
                        "footer at its start tells a wrong type");
    does("qemu-img create -f vpc -o subformat=fixed,force_size vm.vhd 8M");
    patch("vm.vhd", 8 * MIB + 60, type[0], 4);
    is_refused_unopened("vm.vhd", NULL, V2V_ERR_GUEST, "a parent disk");
}

static void
test_differencing_vdi(void **state)
{
    static const struct {
        off_t offset;
        uint8_t byte;
        enum v2v_error_code code;
        const char *text;
    } cases[] = {
        { 76, 4, V2V_ERR_GUEST, "VBoxManage clonemedium" },
        { 76, 3, V2V_ERR_GUEST, "VBoxManage clonemedium" },
        { 0x1a8, 1, V2V_ERR_GUEST, "VBoxManage clonemedium" },
        { 0x1b8 + 15, 1, V2V_ERR_GUEST, "VBoxManage clonemedium" },
        { 76, 5, V2V_ERR_FORMAT, "unknown type" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        does("rm -f vm.vdi && qemu-img create -f vdi vm.vdi 8M");
        patch("vm.vdi", cases[i].offset, &cases[i].byte, 1);
        is_refused_unopened("vm.vdi", NULL, cases[i].code, cases[i].text);
    }
}

static void
test_differencing_vhdx(void **state)
{
    static const uint8_t file_parameters[] = { 0x37, 0x67, 0xa1, 0xca,
                                               0x36, 0xfa, 0x43, 0x4d,
                                               0xb3, 0xb6, 0x33, 0xf0,
                                               0xaa, 0x44, 0xe7, 0x6b };
    static const uint8_t has_parent = 2;
    V2V_AUTO(mem) char *path = in_top("vm.vhdx");
    V2V_AUTO(bytes) struct v2v_bytes image = { 0 };
    const uint8_t *metadata, *entry;

    (void)state;
    does("qemu-img create -f vhdx vm.vhdx 8M");
    assert_int_equal(v2v_file_read(path, 64 * MIB, &image, NULL), 0);
    metadata = memmem(image.data, image.len, "metadata", 8);
    entry = memmem(image.data, image.len, file_parameters, 16);
    assert_non_null(metadata);
    assert_non_null(entry);
    patch("vm.vhdx",
          metadata - image.data + (off_t)v2v_get_le(entry + 16, 4) + 4,
          &has_parent, 1);
    is_refused_unopened("vm.vhdx", NULL, V2V_ERR_GUEST,
                        "only the changes to a parent disk");
}

/* A write that fails after the log has it and before the table of blocks, at
 * 2 MiB, has it. */
static void
test_vhdx_with_a_log(void **state)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    does("qemu-img create -f vhdx vm.vhdx 8M; ! qemu-io --image-opts "
         "driver=vhdx,file.driver=blkdebug,file.image.driver=file,"
         "file.image.filename=vm.vhdx,file.inject-error.0.event=none,"
         "file.inject-error.0.iotype=write,file.inject-error.0.sector=4096,"
         "file.inject-error.0.errno=5 -c 'write 0 1M'");
    is_refused("vm.vhdx", NULL, IMAGE_IN_PLACE, V2V_ERR_GUEST,
               "its log has to be replayed; start and shut down its machine, "
               "or: qemu-img check -r all '/");
    is_refused("vm.vhdx", NULL, IMAGE_COPY_SOURCE, V2V_ERR_GUEST, "its log");
    assert_int_equal(inspect("vm.vhdx", NULL, IMAGE_COPY_SOURCE, &info, &err),
                     -1);
    assert_string_equal(err.finding, "vhdx-log");
    does("qemu-img check -r all vm.vhdx");
    commit_round("vm.vhdx", NULL);
}

static void
test_backing_files_of_other_formats(void **state)
{
    static const char *const formats[] = { "qcow", "qed", "qcow2" };

    (void)state;
    make_source(8 * MIB);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        does("rm -f x && qemu-img create -f %s -F raw -b source x", formats[i]);
        is_refused("x", NULL, IMAGE_IN_PLACE, V2V_ERR_GUEST, "a backing file");
        is_refused("x", NULL, IMAGE_COPY_SOURCE, V2V_ERR_GUEST, "a backing");
    }
}

/* "disk" as a block device of its own; skips the test where that cannot be. */
static void
make_loop(void)
{
    V2V_AUTO(mem) char *name = in_top("loop");
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    if (!run("losetup -f --show disk > loop")) {
        print_message("losetup: no loop device to be had\n");
        skip();
    }
    assert_int_equal(v2v_file_read(name, 4096, &text, NULL), 0);
    loop_device = v2v_strndup((const char *)text.data, text.len - 1, NULL);
    assert_non_null(loop_device);
}

static void
test_raw_block_device(void **state)
{
    (void)state;
    make_source(16 * MIB);
    does("mv source disk");
    make_loop();
    commit_round(loop_device, top);
}

static void
inspects_device(enum image_use use, struct image_info *ret)
{
    V2V_AUTO(fd) int fd = open(loop_device, O_RDONLY | O_CLOEXEC);
    struct v2v_error err = { 0 };

    if (inspect_image(fd, loop_device, NULL, use, ret, &err) < 0)
        fail_msg("%s", err.text);
}

static void
test_qcow2_block_device(void **state)
{
    V2V_AUTO(image_info) struct image_info empty = { 0 };
    V2V_AUTO(image_info) struct image_info full = { 0 };

    (void)state;
    does("truncate -s 18M disk");
    make_loop();
    does("qemu-img create -f qcow2 %s 16M", loop_device);
    inspects_device(IMAGE_IN_PLACE, &empty);
    assert_true(empty.room > 17 * MIB && empty.room < 18 * MIB);
    commit_round(loop_device, top);
    does("qemu-io -f qcow2 -c 'write 0 16M' %s", loop_device);
    inspects_device(IMAGE_IN_PLACE, &full);
    assert_true(full.room < 2 * MIB);
}

static void
test_other_formats_on_a_block_device(void **state)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };
    struct image_options options = { .work_dir = top };
    struct image *image = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    does("truncate -s 16M disk");
    make_loop();
    does("qemu-img create -f vdi %s 8M", loop_device);
    assert_int_equal(image_open(loop_device, &options, &image, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_non_null(strstr(err.text, "another format than raw and qcow2 "));
    inspects_device(IMAGE_COPY_SOURCE, &info);
    assert_string_equal(info.format, "vdi");
}

/* A mounted device is claimed in the same way. */
static void
test_block_device_in_use(void **state)
{
    V2V_AUTO(fd) int claim = -1;
    struct image_options options = { .work_dir = top };
    struct image *image = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    make_source(16 * MIB);
    does("mv source disk");
    make_loop();
    claim = open(loop_device, O_RDONLY | O_EXCL | O_CLOEXEC);
    assert_true(claim >= 0);
    assert_int_equal(image_open(loop_device, &options, &image, &err), -1);
    assert_int_equal(err.code, V2V_ERR_BUSY);
    assert_non_null(strstr(err.text, "in use by this host"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_commit_to_every_format, forget),
        cmocka_unit_test_teardown(test_raw_that_ends_in_a_sector, forget),
        cmocka_unit_test_teardown(test_files_of_an_image, forget),
        cmocka_unit_test_teardown(test_copy_only, forget),
        cmocka_unit_test_teardown(test_formats_that_are_not_taken, forget),
        cmocka_unit_test_teardown(test_descriptors_that_pass, forget),
        cmocka_unit_test_teardown(test_vmfs_is_copied, forget),
        cmocka_unit_test_teardown(test_descriptors_that_name_other_files,
                                  forget),
        cmocka_unit_test_teardown(test_descriptors_of_other_kinds, forget),
        cmocka_unit_test_teardown(test_a_descriptor_that_was_longer, forget),
        cmocka_unit_test_teardown(test_descriptors_without_a_magic, forget),
        cmocka_unit_test_teardown(test_sparse_vmdk_that_names_other_files,
                                  forget),
        cmocka_unit_test_teardown(test_differencing_vhd, forget),
        cmocka_unit_test_teardown(test_differencing_vdi, forget),
        cmocka_unit_test_teardown(test_differencing_vhdx, forget),
        cmocka_unit_test_teardown(test_vhdx_with_a_log, forget),
        cmocka_unit_test_teardown(test_backing_files_of_other_formats, forget),
        cmocka_unit_test_teardown(test_raw_block_device, forget),
        cmocka_unit_test_teardown(test_qcow2_block_device, forget),
        cmocka_unit_test_teardown(test_other_formats_on_a_block_device, forget),
        cmocka_unit_test_teardown(test_block_device_in_use, forget),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
