/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media are made in a temporary folder; ISO images need genisoimage,
 * floppies mtools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "media/media.h"
#include "test-tools.h"

static char *
path_of(const char *name)
{
    struct v2v_error err = { 0 };
    char *path = v2v_format(&err, "%s/%s", top, name);

    assert_non_null(path);
    return path;
}

static int
open_medium(const char *name, struct media **ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = path_of(name);

    warnings[0] = '\0';
    return media_open(path, ret, err);
}

static int
make_media(void **state)
{
    assert_int_equal(make_top(state), 0);
    assert_true(run("mkdir -p m/viostor/w10/amd64 m/NetKVM/w10/amd64 m/empty &&"
                    "printf one >m/viostor/w10/amd64/viostor.inf &&"
                    "printf binary >m/viostor/w10/amd64/viostor.sys &&"
                    "printf two >m/NetKVM/w10/amd64/netkvm.inf &&"
                    "printf '' >m/zero.txt &&"
                    "ln m/viostor/w10/amd64/viostor.inf m/copy.inf"));
    return 0;
}

static const struct {
    const char *path, *content;
} expected[] = {
    { "copy.inf", "one" },
    { "NetKVM/w10/amd64/netkvm.inf", "two" },
    { "viostor/w10/amd64/viostor.inf", "one" },
    { "viostor/w10/amd64/viostor.sys", "binary" },
    { "zero.txt", "" },
};

enum { expected_count = sizeof expected / sizeof *expected };

/* All files, listed in order and loaded backwards, the last of them twice. */
static void
assert_medium(const char *name, bool any_case)
{
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_bytes got[expected_count + 1] = { { 0 } };
    size_t indexes[expected_count + 1];
    struct v2v_error err = { 0 };

    if (open_medium(name, &m, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(media_count(m), expected_count);
    for (size_t i = 0; i < expected_count; i++) {
        if (any_case)
            assert_true(
                v2v_equal_nocase(media_at(m, i)->path, expected[i].path));
        else
            assert_string_equal(media_at(m, i)->path, expected[i].path);
        assert_int_equal(media_at(m, i)->size, strlen(expected[i].content));
        indexes[i] = expected_count - 1 - i;
    }
    indexes[expected_count] = 0;
    assert_int_equal(media_load(m, indexes, expected_count + 1, got, &err), 0);
    for (size_t i = 0; i <= expected_count; i++) {
        const char *content = expected[indexes[i]].content;

        assert_int_equal(got[i].len, strlen(content));
        if (got[i].len > 0)
            assert_memory_equal(got[i].data, content, got[i].len);
        v2v_bytes_done(&got[i]);
    }
}

static void
test_folder(void **state)
{
    (void)state;
    assert_medium("m", false);
    assert_string_equal(warnings, "");
    assert_true(run("ln -s m link"));
    assert_medium("link", false);
}

/* Rock Ridge has copy.inf as a hard link; the others know no links. */
static void
test_iso(void **state)
{
    (void)state;
    assert_true(run("genisoimage -quiet -r -o rr.iso m &&"
                    "genisoimage -quiet -J -o joliet.iso m &&"
                    "genisoimage -quiet -iso-level 3 -o plain.iso m &&"
                    "genisoimage -quiet -iso-level 1 -udf -o bridge.iso m"));
    assert_medium("rr.iso", false);
    assert_medium("joliet.iso", false);
    assert_medium("plain.iso", true);
    assert_medium("bridge.iso", true);
    assert_true(run("ln -s rr.iso link.iso"));
    assert_medium("link.iso", false);
}

/* FAT12, with long names and with names that fit in 8.3. */
static bool
make_floppy(void)
{
    return run("rm -f f.img && mformat -C -f 2880 -v LABEL -i f.img :: && "
               "mcopy -s -i f.img m/viostor m/NetKVM m/empty m/copy.inf "
               "m/zero.txt ::");
}

static void
test_floppy(void **state)
{
    (void)state;
    assert_true(make_floppy());
    assert_medium("f.img", false);
    assert_string_equal(warnings, "");
    assert_true(run("ln -s f.img link.img"));
    assert_medium("link.img", false);
}

/* A checksum that overflows on the way (WIN7), a file of many clusters in
 * pieces, and one that was deleted. */
static void
test_floppy_names_and_chains(void **state)
{
    static const char *const paths[] = { "amd64/Win7/A long name.inf",
                                         "amd64/Win7/big.sys",
                                         "amd64/Win8.1/plain.inf" };
    V2V_AUTO(media) struct media *m = NULL;
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes expected_bytes = { 0 };
    V2V_AUTO(mem) char *path = path_of("big.sys");
    struct v2v_error err = { 0 };
    const size_t index = 1;

    (void)state;
    assert_true(run("rm -f g.img && mformat -C -f 2880 -i g.img :: && "
                    "mmd -i g.img ::/amd64 ::/amd64/Win7 ::/amd64/Win8.1 && "
                    "head -c 300000 /dev/urandom >hole && "
                    "head -c 700001 /dev/urandom >big.sys && echo x >small && "
                    "mcopy -i g.img hole ::/hole && "
                    "mcopy -i g.img small '::/amd64/Win7/A long name.inf' && "
                    "mdel -i g.img ::/hole && "
                    "mcopy -i g.img big.sys ::/amd64/Win7 && "
                    "mcopy -i g.img small ::/amd64/Win8.1/plain.inf"));
    assert_int_equal(open_medium("g.img", &m, &err), 0);
    assert_int_equal(media_count(m), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(media_at(m, i)->path, paths[i]);
    assert_int_equal(v2v_file_read(path, 1 << 20, &expected_bytes, &err), 0);
    assert_int_equal(media_load(m, &index, 1, &got, &err), 0);
    assert_int_equal(got.len, 700001);
    assert_memory_equal(got.data, expected_bytes.data, got.len);
}

/* The table begins in sector 1, the root directory in 19, data in 33 (a
 * 1.44 MB floppy). */
static void
test_damaged_floppy(void **state)
{
    static const struct {
        const char *command, *message;
    } cases[] = {
        { "truncate -s 1000000 d.img",
          "damaged: 1000000 bytes long, but its volume has 1474560" },
        /* cluster 2 is the folder's; its entry is the second, after a label:
         * it becomes its own child */
        { "dd if=d.img of=part bs=1 skip=9760 count=32 && "
          "dd if=part of=d.img bs=1 seek=16960 conv=notrunc",
          "damaged: dir/dir is another folder's cluster" },
        { "printf '\\377\\377' | dd of=d.img bs=1 seek=9786 conv=notrunc",
          "damaged: a chain of clusters leads to 65535" },
        /* a table that is shorter than the clusters need */
        { "printf '\\001\\000' | dd of=d.img bs=1 seek=22 conv=notrunc",
          "damaged: its table is too small for " },
    };
    struct v2v_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct media *m = NULL;

        assert_true(
            run("rm -f d.img && mformat -C -f 1440 -v LABEL -i d.img :: && "
                "mmd -i d.img ::/dir && mcopy -i d.img m/copy.inf ::/dir"));
        assert_true(run(cases[i].command));
        assert_int_equal(open_medium("d.img", &m, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.text);
    }
}

/* A chain that ends before the size, and one that goes round in a file that
 * says it has 200 MiB.  Entry 2 of the table is at byte 515. */
static void
test_floppy_chains(void **state)
{
    static const struct {
        const char *command, *message;
    } cases[] = {
        { "printf '\\377\\117' | dd of=c.img bs=1 seek=515 conv=notrunc",
          "/c.img: five: damaged: a chain of clusters leads to 4095" },
        { "printf '\\002\\100' | dd of=c.img bs=1 seek=515 conv=notrunc && "
          "printf '\\000\\000\\200\\014' | "
          "dd of=c.img bs=1 seek=9756 conv=notrunc",
          "/c.img: five: damaged: a chain of clusters leads to 2" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(media) struct media *m = NULL;
        struct v2v_bytes got = { .len = 7 };
        struct v2v_error err = { 0 };
        size_t index = 0;

        assert_true(
            run("head -c 5000 /dev/zero >five && rm -f c.img && "
                "mformat -C -f 1440 -i c.img :: && mcopy -i c.img five ::"));
        assert_true(run(cases[i].command));
        assert_int_equal(open_medium("c.img", &m, &err), 0);
        assert_int_equal(media_load(m, &index, 1, &got, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.text);
        assert_int_equal(got.len, 7);
    }
}

static void
test_lower_bound(void **state)
{
    static const struct {
        const char *path;
        size_t index;
    } cases[] = {
        { "", 0 },
        { "COPY.INF", 0 },
        { "copy.inf", 0 },
        { "netkvm/W10/", 1 },
        { "VIOSTOR/", 2 },
        { "viostor/w10/amd64/viostor.SYS", 3 },
        { "netkvm/w10/amd64/netkvm.inf", 1 },
        { "zzz", 5 },
        { "viostor/w10/amd64/viostor.t", 4 },
    };
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_int_equal(open_medium("m", &m, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(media_lower_bound(m, cases[i].path), cases[i].index);
}

static void
test_short_names(void **state)
{
    static const struct {
        const char *name, *wanted;
        bool may_be;
    } cases[] = {
        { "viostor.inf", "VioStor.INF", true },
        { "WDFCOINS.DLL", "WdfCoInstaller01011.dll", true },
        { "WDFCOI~1.DLL", "WdfCoInstaller01011.dll", true },
        { "WDFCO~12.DLL", "WdfCoInstaller01011.dll", true },
        { "WDFCO001.DLL", "WdfCoInstaller01011.dll", true },
        { "WDFCOINSTALLER01011.DLL", "WdfCoInstaller01011.dll", true },
        { "PVPANIC_.INF", "pvpanic-pci.inf", true },
        { "PVPANIC_PCI.INF", "pvpanic-pci.inf", true },
        { "PVPANIC.INF", "pvpanic-pci.inf", false },
        { "PVPANIC_.INF", "pvpanic.inf", false },
        { "A_B.INF", "a.b.inf", true },
        { "QEMUPCIS", "qemupciserial", true },
        { "W8_1", "w8.1", true },
        { "W8", "w8.1", false },
        { "QXL", "qxldod", false },
        { "VIOSTOR.HTM", "viostor.html", true },
        { "VIOSTOR.IN", "viostor.inf", false },
        { "WDFCOI~.DLL", "WdfCoInstaller01011.dll", false },
        { "~1.DLL", "WdfCoInstaller01011.dll", false },
        { "", "x", false },
        { "x", "", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (media_is_short_for(cases[i].name, cases[i].wanted) !=
            cases[i].may_be)
            fail_msg("%s for %s", cases[i].name, cases[i].wanted);
    }
}

static void
assert_not_opened(const char *name, enum v2v_error_code code, const char *text)
{
    V2V_AUTO(mem) char *path = path_of(name);
    V2V_AUTO(mem) char *message = NULL;
    struct media *m = NULL;
    struct v2v_error err = { 0 };

    assert_int_equal(media_open(path, &m, &err), -1);
    assert_null(m);
    message = v2v_format(NULL, "%s: %s", path, text);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
}

static void
test_what_is_no_medium(void **state)
{
    (void)state;
    assert_true(run("echo hello >text && mkfifo fifo"));
    assert_not_opened("none", V2V_ERR_USAGE, "No such file or directory");
    assert_not_opened("fifo", V2V_ERR_USAGE, "neither an image nor a folder");
    assert_not_opened("text", V2V_ERR_FORMAT,
                      "neither an ISO nor a floppy image");
}

/* The directories stand in front, so only the volume's size tells. */
static void
test_cut_iso(void **state)
{
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_bytes got = { .len = 7 };
    struct v2v_error err = { 0 };
    size_t index = 0;

    (void)state;
    assert_true(run("head -c 300000 /dev/zero >m/big && "
                    "genisoimage -quiet -r -no-pad -o cut.iso m && rm m/big && "
                    "truncate -s 204800 cut.iso"));
    assert_int_equal(open_medium("cut.iso", &m, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(strstr(err.text, "/cut.iso: damaged: 204800 bytes long, "
                                     "but its volume has 3"));

    /* libarchive finds one that lies about its size */
    assert_true(run("printf '\\144\\0\\0\\0' | "
                    "dd of=cut.iso bs=1 seek=32848 conv=notrunc"));
    assert_int_equal(open_medium("cut.iso", &m, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(strstr(err.text, "/cut.iso: damaged ISO image: "));

    assert_true(run("truncate -s 300000 m/big && "
                    "genisoimage -quiet -r -o cut.iso m; rm m/big"));
    assert_int_equal(open_medium("cut.iso", &m, &err), 0);
    assert_string_equal(media_at(m, index)->path, "big");
    assert_true(run("truncate -s 204800 cut.iso"));
    assert_int_equal(media_load(m, &index, 1, &got, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(strstr(err.text, "cut.iso: big: damaged ISO image: "));
    assert_int_equal(got.len, 7);
}

/* A Rock Ridge name becomes ".." by a change of two bytes. */
static void
test_unsafe_names_in_an_iso(void **state)
{
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_true(
        run("mkdir -p u/zz && echo x >u/zz/evil.inf && echo x >u/good.inf &&"
            "genisoimage -quiet -r -o u.iso u && "
            "LC_ALL=C sed -i 's/NM\\x07\\x01\\x00zz/NM\\x07\\x01\\x00../' "
            "u.iso"));
    assert_int_equal(open_medium("u.iso", &m, &err), 0);
    assert_int_equal(media_count(m), 1);
    assert_string_equal(media_at(m, 0)->path, "good.inf");
    assert_non_null(strstr(warnings, "media-unsafe-name: "));
    assert_non_null(strstr(warnings, "u.iso: 1 files with unsafe names are "
                                     "left out, such as \"../evil.inf\""));
}

static void
test_unsafe_names_in_a_folder(void **state)
{
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_true(run("mkdir -p n/sub && cd n && ln -s ../m out &&"
                    "ln -s /etc/passwd sub/passwd && mkfifo sub/fifo &&"
                    "echo x >'c:x' && echo x >'a\\b' && echo x >...inf"));
    assert_int_equal(open_medium("n", &m, &err), 0);
    assert_int_equal(media_count(m), 1);
    assert_string_equal(media_at(m, 0)->path, "...inf");
    assert_non_null(strstr(warnings, "n: 2 files with unsafe names are left"));
    assert_non_null(strstr(warnings, "n: 2 symbolic links are left out"));
}

static void
test_limits(void **state)
{
    static const char *const deep = "mkdir -p d/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f";
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_bytes got[3] = { { 0 } };
    struct v2v_error err = { 0 };
    const size_t too_large[] = { 3 }, too_many[] = { 0, 1, 2 };

    (void)state;
    assert_true(run(deep));
    assert_true(run("echo x >d/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/16-parts"));
    assert_int_equal(open_medium("d", &m, &err), 0);
    assert_int_equal(media_count(m), 1);
    assert_true(run("mkdir d/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g"));
    assert_not_opened("d", V2V_ERR_FORMAT,
                      "folders are more than 15 deep: "
                      "1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g...");

    assert_true(run("x=$(printf %0250d 0) && mkdir -p p/$x/$x/$x/$x && "
                    "touch p/$x/$x/$x/$x/name-of-21-characters"));
    assert_not_opened("p", V2V_ERR_FORMAT,
                      "a path is longer than 1024 bytes: 00000000000000000000"
                      "0000000000000000000000000000000000000000...");

    assert_true(run("mkdir s && truncate -s 257M s/setup.exe && "
                    "truncate -s 200M s/a s/b s/c"));
    media_close(v2v_steal(m));
    assert_int_equal(open_medium("s", &m, &err), 0);
    assert_int_equal(media_load(m, too_large, 1, got, &err), -1);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_non_null(
        strstr(err.text, "/s: setup.exe: larger than 256 MiB, not loaded"));
    assert_int_equal(media_load(m, too_many, 3, got, &err), -1);
    assert_non_null(
        strstr(err.text, "/s: c: more than 512 MiB in all, not loaded"));
}

static void
test_folder_that_changes(void **state)
{
    V2V_AUTO(media) struct media *m = NULL;
    struct v2v_bytes got = { 0 };
    struct v2v_error err = { 0 };
    size_t index = 0;

    (void)state;
    assert_true(run("mkdir -p c/sub && echo x >c/sub/a.inf"));
    assert_int_equal(open_medium("c", &m, &err), 0);
    assert_true(run("mv c/sub c/moved && ln -s moved c/sub"));
    assert_int_equal(media_load(m, &index, 1, &got, &err), -1);
    assert_int_equal(err.code, V2V_ERR_INTERNAL);
    assert_true(run("rm c/sub && mv c/moved c/sub && echo y >>c/sub/a.inf"));
    assert_int_equal(media_load(m, &index, 1, &got, &err), -1);
    assert_non_null(strstr(err.text, "c: sub/a.inf: changed while in use"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_iso),
        cmocka_unit_test(test_floppy),
        cmocka_unit_test(test_floppy_names_and_chains),
        cmocka_unit_test(test_damaged_floppy),
        cmocka_unit_test(test_floppy_chains),
        cmocka_unit_test(test_lower_bound),
        cmocka_unit_test(test_short_names),
        cmocka_unit_test(test_what_is_no_medium),
        cmocka_unit_test(test_cut_iso),
        cmocka_unit_test(test_unsafe_names_in_an_iso),
        cmocka_unit_test(test_unsafe_names_in_a_folder),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_folder_that_changes),
    };

    if (system("command -v genisoimage mformat >/dev/null") != 0) {
        puts("skipped: needs genisoimage and mtools");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, make_media, remove_top);
}
