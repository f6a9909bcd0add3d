/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/bytes.h"
#include "image/nbd.h"
#include "sandbox/sandbox.h"
#include "test-processes.h"
#include "test-tools.h"

enum { KIB = 1024, MIB = 1024 * 1024, HANG = 60 };

/* Each test works in the folder top, which is the current one, and empties it
 * before.  A call that hangs is to end the program. */
static int
enter_top(void **state)
{
    (void)state;
    alarm(HANG);
    return chdir(top) == 0 && run("rm -rf ./* ./.[!.]*") ? 0 : -1;
}

/* What it prints is not for cmocka's reader. */
static bool
works(const char *command)
{
    V2V_AUTO(mem)
    char *quiet = v2v_format(NULL, "{ %s\n} >/dev/null", command);

    return quiet != NULL && run(quiet);
}

static void
runs(const char *command)
{
    if (!works(command))
        fail_msg("failed: %s", command);
}

/* An overlay's base, where there is one, is allowed to be opened. */
static struct nbd_disk *
opened(const char *path, const char *format, enum nbd_access access)
{
    V2V_AUTO(mem) char *base = v2v_format(NULL, "%s/base", top);
    const struct v2v_strings others = { &base, 1 };
    struct nbd_disk *disk = NULL;
    struct v2v_error err = { 0 };

    if (nbd_disk_open(path, format, access, &others, &disk, &err) < 0)
        fail_msg("%s", err.text);
    return disk;
}

static void
closed(struct nbd_disk *disk)
{
    struct v2v_error err = { 0 };

    if (nbd_disk_close(disk, &err) < 0)
        fail_msg("%s", err.text);
}

static void
error_is(const struct v2v_error *err, enum v2v_error_code code,
         const char *text)
{
    if (strstr(err->text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err->text);
    assert_int_equal(err->code, code);
}

/* The pid of the only qemu-nbd that is a child of ours. */
static pid_t
server_pid(void)
{
    V2V_AUTO(mem)
    char *line = v2v_format(NULL, "pgrep -x -P %d qemu-nbd", (int)getpid());
    FILE *f = popen(line, "r");
    int pid = -1, another;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d %d", &pid, &another), 1);
    pclose(f);
    return pid;
}

/* Formats ------------------------------------------------------------------ */

static void
change_somewhere(struct nbd_disk *disk, struct v2v_bytes *model)
{
    struct v2v_error err = { 0 };
    size_t offset = (size_t)rand() % model->len;
    size_t len = (size_t)rand() % (200 * KIB);
    uint8_t byte = (uint8_t)rand();
    int rc;

    if (len > model->len - offset)
        len = model->len - offset;
    if (byte % 4 == 0) {
        memset(model->data + offset, 0, len);
        rc = nbd_disk_zero(disk, offset, len, &err);
    } else {
        memset(model->data + offset, byte, len);
        rc = nbd_disk_write(disk, offset, model->data + offset, len, &err);
    }
    if (rc < 0)
        fail_msg("%s", err.text);
}

/* Through one pair of eyes and through another's. */
static void
disk_is(struct nbd_disk *disk, const struct v2v_bytes *model)
{
    V2V_AUTO(mem) uint8_t *all = malloc(model->len);
    struct v2v_error err = { 0 };

    assert_int_equal(nbd_disk_size(disk), model->len);
    assert_int_equal(nbd_disk_read(disk, 0, all, model->len, &err), 0);
    assert_memory_equal(all, model->data, model->len);
}

static void
image_is(const char *name, const char *format, const struct v2v_bytes *model)
{
    V2V_AUTO(mem) char *command = NULL;

    command =
        v2v_format(NULL, "qemu-img convert -f %s -O raw %s seen", format, name);
    runs(command);
    assert_int_equal(v2v_file_replace("model", model->data, model->len, NULL),
                     0);
    runs("cmp seen model");
}

/* Sectors in part, clusters in part: a VDI or VMDK itself takes whole sectors
 * only. */
static void
round_trip(const char *format, const char *options)
{
    V2V_AUTO(bytes) struct v2v_bytes model = { 0 };
    V2V_AUTO(mem) char *create = NULL;
    struct nbd_disk *disk;

    create = v2v_format(NULL,
                        "rm -f image; qemu-img create -q -f %s %s image "
                        "$((3 * 1048576 + 512))",
                        format, options);
    runs(create);
    disk = opened("image", format, NBD_READ_WRITE);
    model.len = (size_t)nbd_disk_size(disk);
    assert_in_range(model.len, 3 * MIB + 512, 5 * MIB);
    model.data = calloc(1, model.len);
    disk_is(disk, &model);
    for (int i = 0; i < 60; i++)
        change_somewhere(disk, &model);
    disk_is(disk, &model);
    closed(disk);
    image_is("image", format, &model);
    disk = opened("image", format, NBD_READ_ONLY);
    disk_is(disk, &model);
    closed(disk);
}

static void
test_round_trips(void **state)
{
    static const char *const formats[][2] = {
        { "raw", "" },
        { "qcow2", "" },
        { "qcow2", "-o compat=0.10,cluster_size=4096" },
        { "qcow2", "-o extended_l2=on" },
        { "vpc", "" },
        { "vpc", "-o subformat=fixed" },
        { "vhdx", "" },
        { "vdi", "" },
        { "vmdk", "" },
    };

    (void)state;
    srand(1);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        round_trip(formats[i][0], formats[i][1]);
}

/* Beyond what one request may hold. */
static void
test_large_requests(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes model = { 0 };
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;

    (void)state;
    model.len = 40 * MIB;
    model.data = malloc(model.len);
    for (size_t i = 0; i < model.len; i++)
        model.data[i] = (uint8_t)(i >> 16 ^ i);
    runs("qemu-img create -q -f raw image 40M");
    disk = opened("image", "raw", NBD_READ_WRITE);
    assert_int_equal(nbd_disk_write(disk, 0, model.data, model.len, &err), 0);
    disk_is(disk, &model);
    memset(model.data + 1000, 0, 35 * MIB);
    assert_int_equal(nbd_disk_zero(disk, 1000, 35 * MIB, &err), 0);
    disk_is(disk, &model);
    closed(disk);
    assert_int_equal(v2v_file_replace("model", model.data, model.len, &err), 0);
    runs("cmp image model");
}

static void
test_ranges(void **state)
{
    static const struct {
        uint64_t offset;
        size_t len;
        bool is_inside;
    } cases[] = {
        { 0, 0, true },           { MIB, 0, true },
        { MIB - 1, 1, true },     { MIB - 1, 2, false },
        { MIB, 1, false },        { MIB + 1, 0, false },
        { UINT64_MAX, 0, false }, { UINT64_MAX, 2, false },
        { 1, SIZE_MAX, false },
    };
    uint8_t buf[2] = { 0 };
    struct nbd_disk *disk;

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M");
    disk = opened("image", "qcow2", NBD_READ_WRITE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t offset = cases[i].offset;
        size_t len = cases[i].len;
        int rc = cases[i].is_inside ? 0 : -1;
        struct v2v_error err = { 0 };

        assert_int_equal(nbd_disk_write(disk, offset, buf, len, &err), rc);
        assert_int_equal(nbd_disk_zero(disk, offset, len, &err), rc);
        assert_int_equal(nbd_disk_read(disk, offset, buf, len, &err), rc);
        if (rc < 0)
            error_is(&err, V2V_ERR_FORMAT, "the disk has only 1048576 bytes");
    }
    closed(disk);
}

static void
test_read_only(void **state)
{
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M; cp image before");
    disk = opened("image", "qcow2", NBD_READ_ONLY);
    assert_int_equal(nbd_disk_write(disk, 0, "x", 1, &err), -1);
    error_is(&err, V2V_ERR_INTERNAL, "/image: writing 1 bytes at byte 0: ");
    assert_int_equal(nbd_disk_zero(disk, 0, 1, &err), -1);
    error_is(&err, V2V_ERR_INTERNAL, "/image: zeroing 1 bytes at byte 0: ");
    closed(disk);
    runs("cmp image before");
}

static void
test_reader(void **state)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct v2v_error err = { 0 };
    struct disk_reader reader;
    struct nbd_disk *disk;

    (void)state;
    runs("truncate -s 64M raw; printf '2048,20480,7,*\\n,,7\\n' | sfdisk -q raw"
         "; printf '\\353R\\220NTFS    ' | dd of=raw bs=512 seek=22528 "
         "conv=notrunc; printf '\\125\\252' | dd of=raw bs=1 "
         "seek=$((22528 * 512 + 510)) conv=notrunc; "
         "qemu-img convert -f raw -O vhdx raw image");
    disk = opened("image", "vhdx", NBD_READ_ONLY);
    reader = nbd_disk_reader(disk);
    assert_int_equal(reader.size, 64 * MIB);
    if (disk_probe(&reader, &layout, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(layout.table, DISK_TABLE_MBR);
    assert_int_equal(layout.count, 2);
    assert_int_equal(layout.volumes[0].offset, 2048 * 512);
    assert_int_equal(layout.volumes[0].content, DISK_UNKNOWN);
    assert_int_equal(layout.volumes[1].offset, 22528 * 512);
    closed(disk);
}

/* Names -------------------------------------------------------------------- */

static void
test_odd_names(void **state)
{
    static const char *const names[] = {
        "a:b",
        "nbd:unix:a",
        "file:a",
        "a,driver=raw",
        "file.filename=a,driver=raw",
        "-r",
        "--help",
        "json:{\"driver\":\"null-co\"}",
        "\303\244 \346\274\242 %41%s",
        "\377\376 not UTF-8",
        "a\nb",
        "it's \"quoted\" \\ $HOME `id` *",
        " ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        static const char *const formats[] = { "raw", "qcow2" };

        for (size_t j = 0; j < 2; j++) {
            V2V_AUTO(mem) char *create = NULL;
            V2V_AUTO(mem) char *check = NULL;
            struct v2v_error err = { 0 };
            struct nbd_disk *disk;

            create =
                v2v_format(NULL, "qemu-img create -q -f %s x 1M", formats[j]);
            check = v2v_format(
                NULL, "qemu-io -f %s -c 'read -q -P 0x5a 4k 4k' x", formats[j]);
            runs(create);
            assert_int_equal(rename("x", names[i]), 0);
            disk = opened(names[i], formats[j], NBD_READ_WRITE);
            for (size_t at = 4 * KIB; at < 8 * KIB; at++)
                assert_int_equal(nbd_disk_write(disk, at, "\x5a", 1, &err), 0);
            closed(disk);
            assert_int_equal(rename(names[i], "x"), 0);
            runs(check);
        }
    }
}

/* Refusals ----------------------------------------------------------------- */

static void
is_refused(const char *path, const char *format, enum nbd_access access,
           enum v2v_error_code code, const char *text)
{
    struct nbd_disk *disk = NULL;
    struct v2v_error err = { 0 };
    int before = open_descriptors();

    assert_int_equal(nbd_disk_open(path, format, access, NULL, &disk, &err),
                     -1);
    assert_null(disk);
    error_is(&err, code, text);
    assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
}

static void
test_what_cannot_be_opened(void **state)
{
    (void)state;
    runs("mkdir dir; echo junk >junk; qemu-img create -q -f qcow2 image 1M; "
         "cp image cut; truncate -s 100 cut; "
         "qemu-img create -q -f qcow2 -F qcow2 -b image orphan; mkdir sub; "
         "mv orphan sub");
    is_refused("nope", "raw", NBD_READ_ONLY, V2V_ERR_USAGE,
               "nope: No such file or directory");
    is_refused("image", "vhdx", NBD_READ_ONLY, V2V_ERR_FORMAT,
               "image: qemu-nbd: Failed to blk_new_open");
    is_refused("junk", "qcow2", NBD_READ_WRITE, V2V_ERR_FORMAT,
               "Image is not in qcow2 format");
    is_refused("cut", "qcow2", NBD_READ_WRITE, V2V_ERR_FORMAT,
               "cut: qemu-nbd: ");
    is_refused("image", "--help", NBD_READ_ONLY, V2V_ERR_FORMAT,
               "Unknown driver '--help'");
    is_refused("dir", "raw", NBD_READ_ONLY, V2V_ERR_FORMAT, "dir: qemu-nbd: ");
    is_refused("sub/orphan", "qcow2", NBD_READ_WRITE, V2V_ERR_FORMAT,
               "Could not open backing file");
}

static void
test_missing_qemu_nbd(void **state)
{
    V2V_AUTO(mem) char *path = v2v_strdup(getenv("PATH"), NULL);

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M");
    setenv("PATH", top, 1);
    is_refused("image", "qcow2", NBD_READ_ONLY, V2V_ERR_INTERNAL,
               "image: qemu-nbd is not installed (package qemu-utils)");
    setenv("PATH", path, 1);
    runs("printf '#!/bin/sh\necho qemu-nbd: oh >&2; kill -9 $$\n' >qemu-nbd; "
         "chmod +x qemu-nbd");
    setenv("PATH", top, 1);
    is_refused("image", "qcow2", NBD_READ_ONLY, V2V_ERR_INTERNAL,
               "image: qemu-nbd: it was killed: Killed; before it said: oh");
    setenv("PATH", path, 1);
}

/* Not under valgrind, nor with a kernel that has no Landlock. */
static void
need_the_sandbox(void)
{
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
        skip();
}

/* What an image may name, and who made it say so: QEMU's own programs. */
static const char *const hostile[] = {
    "qemu-img create -q -f qcow2 -u -F raw -b \"$PWD/base\" image 64k",
    "qemu-img create -q -f qcow2 -u -F raw -b file:base image 64k",
    ("qemu-img create -q -f qcow2 -o data_file=base,data_file_raw=on image "
     "64k; printf secret >base; truncate -s 64k base"),
    ("ln -s base link; qemu-img create -q -f qcow2 -u -F raw -b link image "
     "64k"),
};

static void
test_what_an_image_names(void **state)
{
    (void)state;
    need_the_sandbox();
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct nbd_disk *disk;
        char read[sizeof "secret"] = "";
        struct v2v_error err = { 0 };

        runs("rm -f *; printf secret >base; truncate -s 64k base");
        runs(hostile[i]);
        is_refused("image", "qcow2", NBD_READ_ONLY, V2V_ERR_FORMAT,
                   "Permission denied");
        is_refused("image", "qcow2", NBD_READ_WRITE, V2V_ERR_FORMAT,
                   "Permission denied");
        /* it is the sandbox that denies it */
        sandbox_set_mode(SANDBOX_OFF);
        disk = opened("image", "qcow2", NBD_READ_ONLY);
        sandbox_set_mode(SANDBOX_AUTO);
        assert_int_equal(nbd_disk_read(disk, 0, read, 6, &err), 0);
        assert_string_equal(read, "secret");
        closed(disk);
        /* and not what we know of */
        closed(opened("image", "qcow2", NBD_READ_ONLY));
    }
    assert_string_equal(warnings, "");
}

static void
test_what_else_an_image_names(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        { "/etc/passwd", "'/etc/passwd': Permission denied" },
        { "nbd+unix:///?socket=base", "Function not implemented" },
        { "nbd://127.0.0.1/x", "Function not implemented" },
    };

    (void)state;
    need_the_sandbox();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *make = v2v_format(
            NULL,
            "rm -f *; qemu-img create -q -f qcow2 -u -F raw -b '%s' image 64k",
            cases[i].name);

        runs(make);
        is_refused("image", "qcow2", NBD_READ_ONLY, V2V_ERR_FORMAT,
                   cases[i].text);
    }
}

/* Nor does root's help it, but to open what belongs to others. */
static void
test_root_is_little(void **state)
{
    V2V_AUTO(mem) char *path = NULL;
    V2V_AUTO(mem) char *changed = NULL;

    (void)state;
    if (geteuid() != 0)
        skip();
    path = v2v_strdup(getenv("PATH"), NULL);
    changed = v2v_format(NULL, "%s:%s", top, path);
    runs("rm -f *; truncate -s 1M image; chmod 600 image; chown 1 image");
    closed(opened("image", "raw", NBD_READ_WRITE));
    runs("printf '#!/bin/sh\nchown 2 image 2>/dev/null || "
         "echo qemu-nbd: I cannot >&2; exit 1' >qemu-nbd; chmod +x qemu-nbd");
    setenv("PATH", changed, 1);
    is_refused("image", "raw", NBD_READ_WRITE, V2V_ERR_FORMAT, "I cannot");
    setenv("PATH", path, 1);
    runs("test $(stat -c %u image) = 1; rm qemu-nbd");
}

/* A QEMU that an image has taken over writes to none that is only read. */
static void
test_read_only_is_read_only(void **state)
{
    V2V_AUTO(mem) char *path = NULL;
    V2V_AUTO(mem) char *changed = NULL;

    (void)state;
    need_the_sandbox();
    path = v2v_strdup(getenv("PATH"), NULL);
    changed = v2v_format(NULL, "%s:%s", top, path);
    runs("truncate -s 1M image; printf '#!/bin/sh\necho x >>image || "
         "echo qemu-nbd: I cannot >&2; exit 1' >qemu-nbd; chmod +x qemu-nbd");
    setenv("PATH", changed, 1);
    is_refused("image", "raw", NBD_READ_ONLY, V2V_ERR_FORMAT, "I cannot");
    is_refused("image", "raw", NBD_READ_WRITE, V2V_ERR_FORMAT, "a word");
    setenv("PATH", path, 1);
    runs("test $(stat -c %s image) = 1048578");
}

/* Opens with a script of Python in place of qemu-nbd. */
static void
python_answers(const char *script, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = v2v_strdup(getenv("PATH"), NULL);
    V2V_AUTO(mem) char *changed = v2v_format(NULL, "%s:%s", top, path);
    V2V_AUTO(mem) char *text = NULL;
    struct nbd_disk *disk = NULL;

    text = v2v_format(NULL,
                      "#!/usr/bin/env -S python3 -S\n"
                      "import os, socket, sys, time\n"
                      "listener = socket.socket(fileno=3)\n%s",
                      script);
    assert_int_equal(v2v_file_replace("qemu-nbd", text, strlen(text), err), 0);
    runs("chmod +x qemu-nbd; touch image");
    setenv("PATH", changed, 1);
    sandbox_set_mode(SANDBOX_OFF); /* Python is no QEMU */
    assert_int_equal(
        nbd_disk_open("image", "raw", NBD_READ_ONLY, NULL, &disk, err), -1);
    sandbox_set_mode(SANDBOX_AUTO);
    setenv("PATH", path, 1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
test_failed_handshakes(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    python_answers("", &err);
    error_is(&err, V2V_ERR_INTERNAL, "image: nbd_poll: ");
    python_answers("sys.exit('qemu-nbd: a reason')\n", &err);
    error_is(&err, V2V_ERR_FORMAT, "image: qemu-nbd: a reason");
    /* the real one, too, would wait for a client that speaks its language */
    python_answers("c, _ = listener.accept()\n"
                   "c.send(b'HTTP/1.1 200 OK\\r\\n\\r\\n' * 10)\n"
                   "time.sleep(1000)\n",
                   &err);
    error_is(&err, V2V_ERR_INTERNAL, "magic");
}

/* One that says nothing, and one that stops in mid-sentence and would not end
 * if it were asked to. */
static void
test_silent(void **state)
{
    struct v2v_error err = { 0 };
    int before = open_descriptors();

    (void)state;
    nbd_patience = 1;
    python_answers("time.sleep(1000)\n", &err);
    error_is(&err, V2V_ERR_INTERNAL,
             "image: qemu-nbd did not open it within 1 s: look whether its "
             "storage answers");
    python_answers("c, _ = listener.accept()\n"
                   "c.send(b'NBDMAGIC')\n"
                   "os.kill(os.getpid(), 19)\n",
                   &err);
    error_is(&err, V2V_ERR_INTERNAL, "within 1 s");
    nbd_patience = 120;
    assert_int_equal(open_descriptors(), before);
}

/* A local user who guesses the name, or reads it in /proc/net/unix. */
static void
test_nobody_else_gets_in(void **state)
{
    struct v2v_error err = { 0 };

    (void)state;
    python_answers("other = socket.socket(socket.AF_UNIX)\n"
                   "other.setblocking(False)\n"
                   "assert not os.path.exists(listener.getsockname())\n"
                   "try: other.connect(listener.getsockname())\n"
                   "except BlockingIOError: sys.exit('it is full')\n",
                   &err);
    error_is(&err, V2V_ERR_FORMAT, "it is full");
}

static void
test_locked(void **state)
{
    struct nbd_disk *disk;

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M");
    disk = opened("image", "qcow2", NBD_READ_WRITE);
    assert_false(works("qemu-io -f qcow2 -c 'write 0 4k' image"));
    {
        struct nbd_disk *another = NULL;
        struct v2v_error err = { 0 };

        assert_int_equal(nbd_disk_open("image", "qcow2", NBD_READ_WRITE, NULL,
                                       &another, &err),
                         -1);
        error_is(&err, V2V_ERR_BUSY, "image: qemu-nbd: Failed to blk_new_open");
        error_is(&err, V2V_ERR_BUSY, "Failed to get \"write\" lock");
        assert_int_equal(nbd_disk_open("image", "qcow2", NBD_READ_ONLY, NULL,
                                       &another, &err),
                         -1);
        error_is(&err, V2V_ERR_BUSY, "Failed to get shared \"write\" lock");
    }
    closed(disk);
    disk = opened("image", "qcow2", NBD_READ_ONLY);
    assert_false(works("qemu-io -f qcow2 -c 'write 0 4k' image"));
    assert_true(works("qemu-io -r -f qcow2 -c 'read 0 4k' image"));
    closed(disk);
    assert_true(works("qemu-io -f qcow2 -c 'write 0 4k' image"));
}

/* Extents ------------------------------------------------------------------ */

struct extents_case {
    const char *size;
    const char *changes; /* of qemu-io; "" for none */
    size_t count;
    struct image_extent extents[4]; /* in KiB */
};

/* Which areas they are, by qemu-img's word. */
static void
map_agrees(const struct image_extents *list)
{
    V2V_AUTO(bytes) struct v2v_bytes mine = { 0 }, map = { 0 };
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < list->count; i++)
        assert_int_equal(
            v2v_bytes_printf(&mine, &err, "%" PRIu64 " %" PRIu64 "\n",
                             list->items[i].offset, list->items[i].len),
            0);
    runs("qemu-img map -f qcow2 --output=json overlay | python3 -c '\n"
         "import json, sys\n"
         "areas = []\n"
         "for e in json.load(sys.stdin):\n"
         "    if not e[\"present\"] or e[\"depth\"] > 0: continue\n"
         "    if areas and sum(areas[-1]) == e[\"start\"]:\n"
         "        areas[-1][1] += e[\"length\"]\n"
         "    else:\n"
         "        areas.append([e[\"start\"], e[\"length\"]])\n"
         "for a in areas: print(*a)\n"
         "' >map");
    assert_int_equal(v2v_bytes_add(&mine, "", 1, &err), 0);
    assert_int_equal(v2v_file_read("map", MIB, &map, &err), 0);
    assert_int_equal(v2v_bytes_add(&map, "", 1, &err), 0);
    assert_string_equal((char *)mine.data, (char *)map.data);
}

static void
extents_are(const struct extents_case *c)
{
    V2V_AUTO(image_extents) struct image_extents list = { 0 };
    V2V_AUTO(mem) char *change = NULL;
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;

    change = v2v_format(NULL,
                        "rm -f base overlay; truncate -s %s base; "
                        "qemu-io -f raw -c 'write -P 0xaa 0 700k' base; "
                        "qemu-img create -q -f qcow2 -F raw -b \"$PWD/base\" "
                        "overlay; [ '%s' = '' ] || "
                        "qemu-io -d unmap -f qcow2 %s overlay",
                        c->size, c->changes, c->changes);
    runs(change);
    disk = opened("overlay", "qcow2", NBD_READ_ONLY);
    if (nbd_disk_extents(disk, &list, &err) < 0)
        fail_msg("%s", err.text);
    closed(disk);
    assert_int_equal(list.count, c->count);
    for (size_t i = 0; i < c->count; i++) {
        assert_int_equal(list.items[i].offset, c->extents[i].offset * KIB);
        assert_int_equal(list.items[i].len, c->extents[i].len * KIB);
    }
    map_agrees(&list);
}

static void
test_extents(void **state)
{
    static const struct extents_case cases[] = {
        { "1000k", "", 0, { { 0 } } },
        { "1000k", "-c \"write 70k 1k\"", 1, { { 64, 64 } } },
        { "1000k", "-c \"write -z 128k 64k\"", 1, { { 128, 64 } } },
        { "1000k", "-c \"write -z -u 128k 64k\"", 1, { { 128, 64 } } },
        { "1000k",
          "-c \"write 256k 64k\" -c \"discard 256k 64k\"",
          1,
          { { 256, 64 } } },
        { "1000k", "-c \"discard 512k 128k\"", 1, { { 512, 128 } } },
        /* zeros over nothing hide nothing, and are held all the same */
        { "1000k", "-c \"write -z 832k 64k\"", 1, { { 832, 64 } } },
        /* kinds that touch are one area */
        { "1000k",
          "-c \"write 0 64k\" -c \"write -z 64k 64k\" -c \"discard 128k 64k\" "
          "-c \"write 320k 64k\"",
          2,
          { { 0, 192 }, { 320, 64 } } },
        /* the last cluster is 40 KiB */
        { "1000k", "-c \"write 999k 1k\"", 1, { { 960, 40 } } },
        { "1000k", "-c \"write -z 960k 40k\"", 1, { { 960, 40 } } },
        { "1000k", "-c \"write 0 1000k\"", 1, { { 0, 1000 } } },
        /* over the limit of one question */
        { "5G",
          "-c \"write 0 64k\" -c \"write 1048000k 1M\" -c \"write -z 2G 1G\" "
          "-c \"write 5242816k 64k\"",
          4,
          { { 0, 64 },
            { 1048000, 1024 },
            { 2097152, 1048576 },
            { 5242816, 64 } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        extents_are(&cases[i]);
}

/* What we have just written counts, flushed or not; and outside of the areas
 * the overlay is its base. */
static void
test_extents_while_writing(void **state)
{
    V2V_AUTO(image_extents) struct image_extents list = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes model = { 0 };
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;

    (void)state;
    srand(2);
    runs("truncate -s 20000k base; qemu-io -f raw -c 'write -P 0xaa 0 20000k' "
         "base; qemu-img create -q -f qcow2 -F raw -b \"$PWD/base\" overlay");
    model.len = 20000 * KIB;
    model.data = malloc(model.len);
    memset(model.data, 0xaa, model.len);
    disk = opened("overlay", "qcow2", NBD_READ_WRITE);
    for (int i = 0; i < 40; i++)
        change_somewhere(disk, &model);
    if (nbd_disk_extents(disk, &list, &err) < 0)
        fail_msg("%s", err.text);
    closed(disk);
    map_agrees(&list);

    assert_in_range(list.count, 5, 40);
    for (size_t i = 0, at = 0; i <= list.count; i++) {
        bool last = i == list.count;
        size_t end = last ? model.len : list.items[i].offset;

        assert_true(i == 0 || last || end > at);
        for (; at < end; at++)
            assert_int_equal(model.data[at], 0xaa);
        at = last ? at : end + list.items[i].len;
        assert_true(at <= model.len);
    }
}

static void
test_many_extents(void **state)
{
    V2V_AUTO(image_extents) struct image_extents list = { 0 };
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;

    (void)state;
    runs("qemu-img create -q -f qcow2 -o cluster_size=512 overlay 2M");
    disk = opened("overlay", "qcow2", NBD_READ_WRITE);
    for (uint64_t at = 0; at < 2 * MIB; at += 1024)
        assert_int_equal(nbd_disk_write(disk, at, "x", 1, &err), 0);
    assert_int_equal(nbd_disk_extents(disk, &list, &err), 0);
    closed(disk);
    assert_int_equal(list.count, 2048);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].offset, 1024 * i);
        assert_int_equal(list.items[i].len, 512);
    }
}

/* Deaths ------------------------------------------------------------------- */

static int
read_one(struct nbd_disk *disk, struct v2v_error *err)
{
    char byte;

    return nbd_disk_read(disk, 4096, &byte, 1, err);
}

static int
write_one(struct nbd_disk *disk, struct v2v_error *err)
{
    return nbd_disk_write(disk, 4096, "x", 1, err);
}

static int
zero_one(struct nbd_disk *disk, struct v2v_error *err)
{
    return nbd_disk_zero(disk, 4096, 1, err);
}

static int
ask_extents(struct nbd_disk *disk, struct v2v_error *err)
{
    V2V_AUTO(image_extents) struct image_extents list = { 0 };

    return nbd_disk_extents(disk, &list, err);
}

static int (*const calls[])(struct nbd_disk *disk, struct v2v_error *err) = {
    read_one, write_one, zero_one, ask_extents, nbd_disk_flush,
};

static void
test_server_is_killed(void **state)
{
    enum { COUNT = sizeof calls / sizeof *calls };

    (void)state;
    signal(SIGPIPE, SIG_DFL);
    runs("qemu-img create -q -f qcow2 image 1M");
    for (size_t i = 0; i < COUNT; i++) {
        struct nbd_disk *disk = opened("image", "qcow2", NBD_READ_WRITE);
        struct v2v_error err = { 0 };

        assert_int_equal(write_one(disk, &err), 0);
        kill(server_pid(), SIGKILL);
        assert_int_equal(calls[i](disk, &err), -1);
        error_is(&err, V2V_ERR_INTERNAL, "qemu-nbd: it was killed: Killed");
        error_is(&err, V2V_ERR_INTERNAL, "/image: ");
        for (size_t j = 0; j < COUNT; j++) {
            assert_int_equal(calls[j](disk, &err), -1);
            error_is(&err, V2V_ERR_INTERNAL, "qemu-nbd is gone");
        }
        assert_int_equal(nbd_disk_close(disk, &err), -1);
        error_is(&err, V2V_ERR_INTERNAL, "/image: closing: qemu-nbd is gone");
    }
}

/* Nobody made a call since. */
static void
test_killed_before_close(void **state)
{
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M");
    for (int written = 0; written < 2; written++) {
        disk = opened("image", "qcow2", NBD_READ_WRITE);
        if (written)
            assert_int_equal(write_one(disk, &err), 0);
        kill(server_pid(), SIGKILL);
        assert_int_equal(nbd_disk_close(disk, &err), -1);
        error_is(&err, V2V_ERR_INTERNAL,
                 "/image: closing: qemu-nbd: it was killed: Killed");
    }
    /* and nobody wants to know */
    disk = opened("image", "qcow2", NBD_READ_WRITE);
    kill(server_pid(), SIGKILL);
    nbd_disk_abandon(disk);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
test_killed_in_mid_use(void **state)
{
    V2V_AUTO(mem) uint8_t *buf = calloc(1, 8 * MIB);
    struct v2v_error err = { 0 };
    struct nbd_disk *disk;
    pid_t server, killer;
    int rc = 0;

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1G");
    for (int round = 0; round < 10; round++) {
        disk = opened("image", "qcow2", NBD_READ_WRITE);
        server = server_pid();
        killer = fork();
        if (killer == 0) {
            usleep(3000 * ((useconds_t)round + 1));
            kill(server, SIGKILL);
            _exit(0);
        }
        for (rc = 0; rc == 0;) {
            rc = nbd_disk_write(disk, 0, buf, 8 * MIB, &err);
            if (rc == 0)
                rc = nbd_disk_read(disk, 0, buf, 8 * MIB, &err);
        }
        error_is(&err, V2V_ERR_INTERNAL, "qemu-nbd: it was killed: Killed");
        nbd_disk_abandon(disk);
        waitpid(killer, NULL, 0);
    }
}

static pid_t
open_and_serve(void)
{
    static struct nbd_disk *disk;

    if (nbd_disk_open("image", "qcow2", NBD_READ_WRITE, NULL, &disk, NULL) <
            0 ||
        nbd_disk_write(disk, 0, "x", 1, NULL) < 0)
        return -1;
    return server_pid();
}

static void
test_we_are_killed(void **state)
{
    pid_t server;

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M; "
         "ls -d /tmp/libnbd* >before || true");
    server = pid_of_an_orphan(open_and_serve);
    assert_true(ends_soon(server));
    runs("ls -d /tmp/libnbd* | diff before - && "
         "[ \"$(ls -A | tr '\\n' ' ')\" = 'before image ' ]");
    closed(opened("image", "qcow2", NBD_READ_WRITE)); /* no lock is left */
}

static void
test_nothing_leaks(void **state)
{
    int before = open_descriptors();

    (void)state;
    runs("qemu-img create -q -f qcow2 image 1M");
    for (int i = 0; i < 5; i++) {
        closed(opened("image", "qcow2", NBD_READ_WRITE));
        nbd_disk_abandon(opened("image", "qcow2", NBD_READ_WRITE));
    }
    nbd_disk_abandon(NULL);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

#define IN_TOP(test) cmocka_unit_test_setup(test, enter_top)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TOP(test_round_trips),
        IN_TOP(test_large_requests),
        IN_TOP(test_ranges),
        IN_TOP(test_read_only),
        IN_TOP(test_reader),
        IN_TOP(test_odd_names),
        IN_TOP(test_what_cannot_be_opened),
        IN_TOP(test_missing_qemu_nbd),
        IN_TOP(test_what_an_image_names),
        IN_TOP(test_what_else_an_image_names),
        IN_TOP(test_root_is_little),
        IN_TOP(test_read_only_is_read_only),
        IN_TOP(test_failed_handshakes),
        IN_TOP(test_silent),
        IN_TOP(test_nobody_else_gets_in),
        IN_TOP(test_locked),
        IN_TOP(test_extents),
        IN_TOP(test_extents_while_writing),
        IN_TOP(test_many_extents),
        IN_TOP(test_server_is_killed),
        IN_TOP(test_killed_before_close),
        IN_TOP(test_killed_in_mid_use),
        IN_TOP(test_we_are_killed),
        IN_TOP(test_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
