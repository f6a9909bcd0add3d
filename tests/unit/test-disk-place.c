/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes made by mkntfs and filled through libntfs-3g until files, and the
 * MFT itself, lie in hundreds of pieces; and where sleuthkit (ifind, istat,
 * icat) finds the files' first bytes.  Skipped where these are absent. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk/ntfs.h"
#include "disk/probe.h"
#include "test-tools.h"

/* e KIND PATH [EXTRA]: a line for fixtures/ntfs-fill; the descriptor is
 * "O:BAG:SYD:(A;;FA;;;WD)".  clusters NUMBER: those of its unnamed $DATA. */
#define SHELL                                                                  \
    "PATH=$PATH:/usr/sbin:/sbin\n"                                             \
    "e() { printf '%s\\t%s\\t%s\\t%s\\n' $1 "                                  \
    "0100048030000000400000000000000014"                                       \
    "00000002001c000100000000001400ff011f000101000000000001000000000102000000" \
    "0000052000000020020000010100000000000512000000 \"$2\" $3; }\n"            \
    "new() { rm -f disk; truncate -s 32M disk; mkntfs -qFf \"$@\" disk; }\n"   \
    "clusters() { istat -o $offset disk $1 | awk '/^Type:|^$/ { on = 0 }\n"    \
    " on { for (i = 1; i <= NF; i++) print $i }\n"                             \
    " /^Type: [$]DATA .*Name: N.A / { on = 1 }'; }\n"

static struct disk_reader disk;
static struct disk_volume volume;
static int fd = -1;

static int
read_fd(void *opaque, uint64_t offset, void *buf, size_t len,
        struct v2v_error *err)
{
    (void)opaque;
    if (pread(fd, buf, len, (off_t)offset) != (ssize_t)len)
        return v2v_fail(err, V2V_ERR_INTERNAL, "cannot read");
    return 0;
}

/* The image "disk" in our folder, and its last NTFS volume. */
static void
open_disk(void)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/disk", top);
    struct v2v_error err = { 0 };

    assert_non_null(path);
    if (fd >= 0)
        close(fd);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    disk =
        (struct disk_reader){ read_fd, NULL, (uint64_t)lseek(fd, 0, SEEK_END) };
    if (disk_probe(&disk, &layout, &err) < 0)
        fail_msg("%s", err.text);
    volume.content = DISK_UNKNOWN;
    for (size_t i = 0; i < layout.count; i++)
        if (layout.volumes[i].content == DISK_NTFS)
            volume = layout.volumes[i];
    assert_int_equal(volume.content, DISK_NTFS);
}

static void
make(const char *script)
{
    V2V_AUTO(mem) char *command = v2v_format(NULL, "%s%s", SHELL, script);

    if (command == NULL || !run(command))
        fail_msg("failed: %s", script);
    open_disk();
}

/* What a command says of the disk, as far as it fits, and a NUL; -> length */
static size_t
ask(const char *command, char *ret, size_t size)
{
    V2V_AUTO(mem)
    char *line =
        v2v_format(NULL, "cd %s\noffset=%llu\n%s%s", top,
                   (unsigned long long)volume.offset / 512, SHELL, command);
    FILE *f;
    size_t n;

    assert_non_null(line);
    f = popen(line, "r");
    assert_non_null(f);
    n = fread(ret, 1, size - 1, f);
    ret[n] = '\0';
    assert_int_equal(pclose(f), 0);
    return n;
}

static uint64_t
number_of(const char *path)
{
    char command[200], answer[32];

    snprintf(command, sizeof command, "ifind -n '/%s' -o $offset disk", path);
    ask(command, answer, sizeof answer);
    if (atoll(answer) <= 0)
        fail_msg("%s: %s", path, answer);
    return (uint64_t)atoll(answer);
}

static struct ntfs_place
place_of(uint64_t number, size_t len)
{
    struct ntfs_place place = { .count = 0 };
    struct v2v_error err = { 0 };

    if (ntfs_file_place(&disk, volume.offset, volume.len, number, len, &place,
                        &err) < 0)
        fail_msg("%s", err.text);
    return place;
}

/* The numbers of its clusters, a line each. */
static void
describe(const struct ntfs_place *place, char *text, size_t size)
{
    struct ntfs_state state = { 0 };
    struct v2v_error err = { 0 };
    size_t used = 0;

    text[0] = '\0';
    assert_int_equal(
        ntfs_state_read(&disk, volume.offset, volume.len, &state, &err), 0);
    for (size_t i = 0; i < place->count; i++) {
        uint64_t at = place->extents[i].offset - volume.offset;
        uint64_t end = at + place->extents[i].len;

        assert_int_equal(at % state.cluster_size, 0);
        for (; at < end; at += state.cluster_size)
            used +=
                (size_t)snprintf(text + used, size - used, "%llu\n",
                                 (unsigned long long)at / state.cluster_size);
    }
}

/* Its place as istat says, its bytes as icat does; -> in how many pieces */
static size_t
assert_found(uint64_t number, size_t len)
{
    struct ntfs_place place = place_of(number, len);
    char command[200], ours[2000], theirs[2000];
    char content[NTFS_PLACE_MAX], expected[NTFS_PLACE_MAX + 1];
    size_t at = 0, lines = 0;

    describe(&place, ours, sizeof ours);
    for (const char *p = ours; *p != '\0'; p++)
        lines += *p == '\n';
    snprintf(command, sizeof command, "clusters %llu | head -n %zu",
             (unsigned long long)number, lines);
    ask(command, theirs, sizeof theirs);
    assert_string_equal(ours, theirs);

    for (size_t i = 0; i < place.count; i++) {
        const struct ntfs_extent *e = &place.extents[i];

        assert_true(e->len <= len - at);
        assert_int_equal(pread(fd, content + at, e->len, (off_t)e->offset),
                         e->len);
        at += e->len;
    }
    assert_int_equal(at, len);
    snprintf(command, sizeof command, "icat -o $offset disk %llu | head -c %zu",
             (unsigned long long)number, len);
    assert_int_equal(ask(command, expected, sizeof expected), len);
    assert_memory_equal(content, expected, len);
    return place.count;
}

static void
assert_refused(uint64_t number, size_t len, const char *message)
{
    struct ntfs_place place = { .count = 99 };
    struct v2v_error err = { 0 };
    char full[300];

    snprintf(full, sizeof full, "NTFS at byte %llu: MFT record %llu: %s",
             (unsigned long long)volume.offset, (unsigned long long)number,
             message);
    assert_int_equal(ntfs_file_place(&disk, volume.offset, volume.len, number,
                                     len, &place, &err),
                     -1);
    assert_string_equal(err.text, full);
    assert_int_equal(err.code, V2V_ERR_FORMAT);
    assert_int_equal(place.count, 99);
}

static void
test_volumes_of_all_sizes(void **state)
{
    /* sleuthkit knows no larger clusters; see unit.disk-ntfs for these */
    static const char *const options[] = { "-c 512", "-c 4096", "-c 65536",
                                           "-s 4096 -c 4096" };
    static const size_t lens[] = { 1, 512, 4097, 8192 };

    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char script[200];

        snprintf(script, sizeof script,
                 "new %s && e file file source | ./fill disk", options[i]);
        make(script);
        for (size_t k = 0; k < sizeof lens / sizeof *lens; k++) {
            assert_int_equal(assert_found(number_of("file"), lens[k]), 1);
            assert_int_equal(assert_found(NTFS_LOGFILE, lens[k]), 1);
        }
    }
}

/* The record with the first part of a file's run list, by its attribute list.
 */
static uint64_t
record_of_first_part(uint64_t number)
{
    char command[200], answer[32];

    snprintf(command, sizeof command,
             "istat -o $offset disk %llu | "
             "awk '/^Type: 128-.*VCN: 0$/ { print $5; exit }'",
             (unsigned long long)number);
    assert_int_not_equal(ask(command, answer, sizeof answer), 0);
    return (uint64_t)atoll(answer);
}

/* "warp" is in clusters of 512 bytes of which each second one is another
 * file's; for its many streams its run list leaves its first record. */
static void
test_a_file_in_pieces(void **state)
{
    uint64_t number;

    (void)state;
    make("new -c 512 && { e fill big 5000000; e weave warp 200000; "
         "e drop warp.weft; e crowd warp 30; } | ./fill disk");
    number = number_of("warp");
    assert_int_not_equal(record_of_first_part(number), number);
    assert_true(assert_found(number, 8192) > 5);
    assert_true(assert_found(number, 4608) > 1);
    assert_int_equal(assert_found(number, 512), 1);
    assert_refused(record_of_first_part(number), 512,
                   "belongs to another record");
}

/* Free clusters are so scattered that the MFT grows in hundreds of pieces: its
 * own run list is in several records. */
static void
test_an_mft_in_pieces(void **state)
{
    char answer[32];
    uint64_t number;

    (void)state;
    make("new -c 4096 && "
         "{ e file spare source; e fill big 16000000; e weave warp 200000;"
         "  e drop warp.weft; } | ./fill disk && "
         "{ seq 2500 | while read i; do e file f$i /dev/null; done;"
         "  e drop spare; } | ./fill disk && "
         "{ e file again small; e file late source; } | ./fill disk");
    ask("istat disk 0 | grep -c '^Type: 128-'", answer, sizeof answer);
    assert_true(atoi(answer) >= 3);
    number = number_of("late");
    assert_true(number > 2000);
    assert_found(number, 4096);
    assert_found(number_of("big"), 8192);
    assert_int_equal(assert_found(number_of("warp"), 8192), 2);
    assert_found(NTFS_LOGFILE, NTFS_LOGFILE_RESTART);
}

static void
test_no_place(void **state)
{
    uint64_t gone;

    (void)state;
    make("new && { e dir dir; e file small small; e file empty /dev/null;"
         "  e file gone source; e file large source; } | ./fill disk");
    gone = number_of("gone");
    assert_refused(number_of("dir"), 1, "no unnamed $DATA");
    assert_refused(number_of("small"), 1,
                   "the content is inside the MFT record");
    assert_refused(number_of("empty"), 1,
                   "the content is inside the MFT record");
    assert_refused(UINT64_C(1) << 30, 1, "no cluster for byte 1099511627776");
    assert_refused(UINT64_MAX, 1, "no NTFS has as many");
    make("e drop gone | ./fill disk");
    assert_refused(gone, 1, "not in use");
}

static void
test_the_hives_of_a_guest(void **state)
{
    static const char *const hives[] = { "SYSTEM", "SOFTWARE", "DRIVERS" };
    char start[4];

    (void)state;
    make(SOURCE_DIR "/fixtures/mkguest --format raw --gpt disk");
    for (size_t i = 0; i < sizeof hives / sizeof *hives; i++) {
        char path[100];
        uint64_t number;

        snprintf(path, sizeof path, "Windows/System32/config/%s", hives[i]);
        number = number_of(path);
        assert_found(number, 4096);
        assert_int_equal(
            pread(fd, start, 4, (off_t)place_of(number, 4).extents[0].offset),
            4);
        assert_memory_equal(start, "regf", 4);
    }
    assert_found(NTFS_LOGFILE, NTFS_LOGFILE_RESTART);
    assert_int_equal(
        pread(fd, start, 4, (off_t)place_of(NTFS_LOGFILE, 4).extents[0].offset),
        4);
    assert_memory_equal(start, "RSTR", 4);
}

static int
set_up(void **state)
{
    return make_top(state) == 0 &&
                   run("cc -o fill " SOURCE_DIR "/fixtures/ntfs-fill.c "
                       "$(pkg-config --cflags --libs libntfs-3g) && "
                       "seq 20000 >source && echo small >small")
               ? 0
               : -1;
}

static int
tear_down(void **state)
{
    if (fd >= 0)
        close(fd);
    return remove_top(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_volumes_of_all_sizes),
        cmocka_unit_test(test_a_file_in_pieces),
        cmocka_unit_test(test_an_mft_in_pieces),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_the_hives_of_a_guest),
    };

    if (system("PATH=$PATH:/usr/sbin:/sbin; for c in cc pkg-config mkntfs "
               "ifind istat icat sfdisk qemu-img mkfs.vfat mcopy python3; do "
               "command -v $c || exit; done >/dev/null; "
               "pkg-config --exists libntfs-3g") != 0) {
        puts("skipped: needs a C compiler, pkg-config, mkntfs (ntfs-3g), "
             "ntfs-3g-dev, ifind, istat, icat (sleuthkit), and what "
             "fixtures/mkguest needs");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
