/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are not plain, and volumes that are not written. */
#include "test-ntfs.h"

static struct v2v_error err;

static const char *const tree =
    "seq 60000 >text; mkdir -p model; "
    "for d in W W/sub W/junction; do echo \"dir\t$SD\t$d\"; done; "
    "for f in efs wof linked LongFileName.txt old; do "
    "echo \"file\t$SD\tW/$f\ttext\"; done; "
    "echo \"file\t$SD\tW/sub/in\ttext\"; echo \"pack\t$SD\tW/packed\ttext\"; "
    "echo \"holes\t$SD\tW/holes\t4\"; echo \"flags\t$SD\tW/efs\t4000\"; "
    "echo \"point\t$SD\tW/wof\t80000017\"; "
    "echo \"point\t$SD\tW/junction\ta0000003\"; "
    "echo \"link\t$SD\tW/linked\tW/sub/link\"; "
    "echo \"short\t$SD\tW/LongFileName.txt\tLONGFI~1.TXT\"";

struct mounted {
    struct test_disk disk;
    struct ntfs_volume *volume;
};

static void
start(struct mounted *m)
{
    make_volume(512, 4096, 24);
    fill_volume(tree);
    open_test_disk(&m->disk, 512);
    if (mount_test_disk(&m->disk, true, &m->volume, &err) < 0)
        fail_msg("%s", err.text);
}

static void
end(struct mounted *m)
{
    if (ntfs_unmount(m->volume, &err) < 0)
        fail_msg("%s", err.text);
    close_test_disk(&m->disk);
    must("PATH=$PATH:/sbin:/usr/sbin; ntfsfix -n volume >log 2>&1 && "
         "ntfsresize -i -f volume >log 2>&1 && "
         "! grep -qi 'inconsist\\|error\\|mismatch' log");
}

static struct ntfs_entry
entry_of(struct mounted *m, const char *dir, const char *name,
         const char *spelled)
{
    V2V_AUTO(mem) char *found = NULL;
    struct ntfs_entry entry;

    if (ntfs_lookup(m->volume, dir, name, &found, &entry, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(found, spelled);
    return entry;
}

static int
make(struct mounted *m, const char *path, bool directory, const char *text)
{
    return ntfs_make(m->volume, path, directory, text,
                     directory ? 0 : strlen(text), sd, sd_len, &err);
}

static void
expect_text(struct mounted *m, const char *path, const char *text)
{
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };

    if (ntfs_read(m->volume, path, 0, 1 << 20, &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.data, text, got.len);
}

static void
expect_refused(int result, enum v2v_error_code code, const char *part)
{
    assert_int_equal(result, -1);
    assert_int_equal(err.code, code);
    if (strstr(err.text, part) == NULL)
        fail_msg("no \"%s\" in: %s", part, err.text);
}

/* Content that the library does not have, or that is not what Windows sees. */
static void
test_not_plain(void **state)
{
    static const struct {
        const char *name;
        bool reparse, encrypted;
        const char *text;
    } cases[] = {
        { "efs", false, true, "encrypted" },
        { "wof", true, false, "reparse point" },
        { "junction", true, false, "reparse point" },
    };
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct mounted m;

    (void)state;
    start(&m);
    expect_refused(ntfs_list(m.volume, "/W/junction", 9, &names, &err),
                   V2V_ERR_GUEST, "not followed");
    expect_refused(make(&m, "/W/junction/new", false, "x"), V2V_ERR_GUEST,
                   "/W/junction is a reparse point, which is not followed");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem) char *path = v2v_format(NULL, "/W/%s", cases[i].name);
        struct ntfs_entry entry =
            entry_of(&m, "/W", cases[i].name, cases[i].name);

        assert_int_equal(entry.reparse, cases[i].reparse);
        assert_int_equal(entry.encrypted, cases[i].encrypted);
        assert_false(entry.is_dir);
        expect_refused(ntfs_read(m.volume, path, 0, 1, &got, &err),
                       V2V_ERR_GUEST, cases[i].text);
        expect_refused(ntfs_write_at(m.volume, path, "x", 1, 0, &err),
                       V2V_ERR_GUEST, cases[i].text);
        expect_refused(ntfs_truncate(m.volume, path, 0, &err), V2V_ERR_GUEST,
                       cases[i].text);
        assert_int_equal(make(&m, path, false, "replaced"), 0);
        entry = entry_of(&m, "/W", cases[i].name, cases[i].name);
        assert_false(entry.reparse || entry.encrypted);
        expect_text(&m, path, "replaced");
    }
    end(&m);
    must("for f in efs wof junction; do "
         "[ \"$(ntfscat volume W/$f)\" = replaced ] || exit 1; done");
}

static void
edit(struct mounted *m, const char *path, const char *model)
{
    V2V_AUTO(mem) char *name = in_top(model);
    V2V_AUTO(fd) int fd = open(name, O_WRONLY | O_CLOEXEC);
    static uint8_t noise[200000];
    unsigned x = 77;

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((x = x * 1103515245 + 12345) >> 16);
    for (int i = 0; i < 40; i++) {
        size_t len = 1 + (x = x * 1103515245 + 12345) / 16 % sizeof noise;
        off_t at = (x = x * 1103515245 + 12345) / 16 % 500000;

        assert_int_equal(pwrite(fd, noise, len, at), len);
        if (ntfs_write_at(m->volume, path, noise, len, (uint64_t)at, &err) < 0)
            fail_msg("%s", err.text);
    }
}

static void
test_packed_and_sparse(void **state)
{
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    V2V_AUTO(mem) char *name = in_top("text");
    struct mounted m;

    (void)state;
    start(&m);
    assert_int_equal(v2v_file_read(name, 1 << 20, &text, &err), 0);
    assert_true(entry_of(&m, "/W", "packed", "packed").compressed);
    assert_int_equal(ntfs_read(m.volume, "/W/packed", 0, 1 << 20, &got, &err),
                     0);
    assert_int_equal(got.len, text.len);
    assert_memory_equal(got.data, text.data, text.len);
    assert_int_equal(
        ntfs_read(m.volume, "/W/holes", (1 << 20) - 1, 3, &got, &err), 0);
    assert_memory_equal(got.data + text.len, "\0bb", 3);
    must("ntfscat volume W/holes >model/holes; cp text model/packed; "
         "[ $(stat -c %%s model/holes) = 4210688 ]");
    edit(&m, "/W/packed", "model/packed");
    edit(&m, "/W/holes", "model/holes");
    end(&m);
    must("for f in packed holes; do ntfscat -f volume W/$f | cmp - model/$f || "
         "exit 1; done");
    must("7z x -y -o7z volume W/packed >log 2>&1; cmp 7z/W/packed "
         "model/packed");
}

/* The old file's other names keep it. */
static void
test_names(void **state)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct mounted m;

    (void)state;
    start(&m);
    entry_of(&m, "/W", "longfi~1.txt", "LongFileName.txt");
    assert_int_equal(ntfs_list(m.volume, "/W", 99, &names, &err), 0);
    assert_false(v2v_strings_has_nocase(&names, "LONGFI~1.TXT"));
    assert_int_equal(make(&m, "/W/LongFileName.txt", false, "new"), 0);
    assert_false(entry_of(&m, "/W", "LONGFI~1.TXT", "LONGFI~1.TXT").exists);
    assert_int_equal(make(&m, "/W/linked", false, "new"), 0);
    assert_int_equal(make(&m, "/W/OLD", false, "new"), 0);
    entry_of(&m, "/W", "old", "OLD");
    expect_refused(make(&m, "/W/sub", false, "x"), V2V_ERR_GUEST,
                   "/W/sub is a directory");
    expect_refused(make(&m, "/W/SUB", true, "x"), V2V_ERR_GUEST,
                   "/W/SUB is there already");
    expect_refused(make(&m, "/W/old/x", false, "x"), V2V_ERR_NOT_FOUND,
                   "old is absent");
    expect_refused(make(&m, "/W/linked/x", false, "x"), V2V_ERR_GUEST,
                   "/W/linked is not a directory");
    end(&m);
    must("ntfscat volume W/sub/link | cmp - text && "
         "[ \"$(ntfscat volume W/linked)\" = new ] && "
         "[ $(ntfsls -F -p W volume | grep -ci '^old$') = 1 ]");
}

static void
test_own_files(void **state)
{
    static const char *const paths[] = { "/$MFT", "/$Secure", "/$Bitmap",
                                         "/$LogFile" };
    struct mounted m;
    long writes;

    (void)state;
    start(&m);
    writes = m.disk.writes;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        expect_refused(make(&m, paths[i], false, "x"), V2V_ERR_GUEST,
                       "one of NTFS' own files");
        expect_refused(ntfs_write_at(m.volume, paths[i], "x", 1, 0, &err),
                       V2V_ERR_GUEST, "one of NTFS' own files");
    }
    expect_refused(make(&m, "/$Extend/x", false, "x"), V2V_ERR_GUEST,
                   "one of NTFS' own");
    assert_int_equal(m.disk.writes, writes);
    end(&m);
}

static void
test_full(void **state)
{
    enum { LEN = 64 << 20 };
    V2V_AUTO(mem) uint8_t *data = calloc(1, LEN);
    struct mounted m;
    uint64_t before, after;
    long writes;

    (void)state;
    start(&m);
    assert_int_equal(ntfs_free_space(m.volume, &before, &err), 0);
    writes = m.disk.writes;
    expect_refused(
        ntfs_make(m.volume, "/W/old", false, data, LEN, sd, sd_len, &err),
        V2V_ERR_GUEST, "KiB are needed");
    expect_refused(ntfs_write_at(m.volume, "/W/old", data, LEN, 0, &err),
                   V2V_ERR_GUEST, "KiB are needed");
    assert_int_equal(m.disk.writes, writes);
    /* exactly what is free: there may be no room for what belongs to it, but
     * the volume stays in use */
    if (ntfs_make(m.volume, "/W/new", false, data, before, sd, sd_len, &err) <
        0)
        assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_int_equal(ntfs_truncate(m.volume, "/W/new", 0, &err), 0);
    assert_int_equal(ntfs_free_space(m.volume, &after, &err), 0);
    assert_true(after <= before);
    end(&m);
}

/* Free clusters are single ones, between those of another file: what is made
 * then has a list of runs that fills several records.  A file whose $DATA is in
 * another record is written, and one is replaced. */
static void
test_fragmented(void **state)
{
    enum { LEN = 2 << 20 };
    V2V_AUTO(mem) uint8_t *data = malloc(LEN);
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };
    struct mounted m;

    (void)state;
    for (size_t i = 0; i < LEN; i++)
        data[i] = (uint8_t)(i / 4096 * 31 + i);
    make_volume(512, 4096, 24);
    fill_volume("seq 60000 >text; echo \"dir\t$SD\tW\"; "
                "for f in crowded other; do echo \"file\t$SD\tW/$f\ttext\"; "
                "echo \"crowd\t$SD\tW/$f\t40\"; done; "
                "echo \"fill\t$SD\tW/big\t6000000\"; "
                "echo \"weave\t$SD\tW/woven\t200000\"; "
                "echo \"drop\t$SD\tW/woven.weft\"");
    open_test_disk(&m.disk, 512);
    if (mount_test_disk(&m.disk, true, &m.volume, &err) < 0 ||
        ntfs_make(m.volume, "/W/new", false, data, LEN, sd, sd_len, &err) < 0 ||
        ntfs_write_at(m.volume, "/W/woven", data, 9000, 1000, &err) < 0 ||
        ntfs_write_at(m.volume, "/W/crowded", data, 700000, 1, &err) < 0 ||
        ntfs_truncate(m.volume, "/W/crowded", 300000, &err) < 0 ||
        ntfs_make(m.volume, "/W/other", false, data, 5, sd, sd_len, &err) < 0 ||
        ntfs_read(m.volume, "/W/new", 0, LEN, &got, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(got.len, LEN);
    assert_memory_equal(got.data, data, LEN);
    end(&m);
    {
        V2V_AUTO(mem) char *path = in_top("model/new");

        must("mkdir -p model");
        assert_int_equal(v2v_file_replace(path, data, LEN, &err), 0);
    }
    must("rm -rf 7z; 7z x -y -o7z volume W/new W/crowded W/other >log 2>&1; "
         "cmp 7z/W/new model/new");
    must("head -c 5 model/new | cmp - 7z/W/other");
    must("{ head -c 1 text; head -c 299999 model/new; } | cmp - 7z/W/crowded");
    must("ntfsinfo -F W/new volume | grep -q ATTRIBUTE_LIST");
}

/* Equal descriptors are kept once, and times are those of the writing. */
static void
test_metadata(void **state)
{
    struct mounted m;

    (void)state;
    start(&m);
    must("for f in W W/linked; do ntfsinfo -F $f volume | "
         "grep -m1 'File Altered'; done >before; sleep 1");
    for (char name[] = "/W/new0"; name[6] < '5'; name[6]++)
        assert_int_equal(make(&m, name, false, "x"), 0);
    assert_int_equal(ntfs_write_at(m.volume, "/W/linked", "x", 1, 0, &err), 0);
    end(&m);
    must("for f in W W/linked; do ntfsinfo -F $f volume | "
         "grep -m1 'File Altered'; done >after; [ $(wc -l <after) = 2 ] && "
         "! grep -qFxf before after");
    must("for f in W/new0 W/new3 W/old; do ntfsinfo -F $f volume | "
         "grep 'Security ID'; done >ids; [ $(wc -l <ids) = 3 ] && "
         "[ $(sort -u ids | wc -l) = 1 ]");
}

/* ---- what is mounted ---- */

static const struct {
    const char *damage, *finding;
} states[] = {
    { ":", NULL },
    { "$damage ntfs-dirty volume", "volume-dirty" },
    { "$damage journal-unclean volume", "journal-unclean" },
    { "$damage journal-v2 volume", "journal-v2" },
    { "$damage journal-v2 volume; $damage ntfs-dirty volume", "volume-dirty" },
    { "hiber hibr", "hibernated" },
    { "hiber HIBR; $damage journal-unclean volume", "hibernated" },
    { "hiber hibr; $damage journal-v2 volume; $damage ntfs-dirty volume",
      "fast-startup" },
    { "hiber wake", NULL },
};

static void
expect_mounts(bool write, const char *finding)
{
    struct ntfs_volume *volume = NULL;
    struct test_disk disk;
    int result;

    open_test_disk(&disk, 512);
    err = (struct v2v_error){ 0 };
    result = mount_test_disk(&disk, write, &volume, &err);
    if (write && finding != NULL) {
        expect_refused(result, V2V_ERR_GUEST, "");
        assert_string_equal(err.finding, finding);
    } else {
        if (result < 0)
            fail_msg("%s", err.text);
        assert_int_equal(ntfs_unmount(volume, &err), 0);
    }
    assert_int_equal(disk.writes, 0);
    close(disk.fd);
}

static void
test_states(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        make_volume(512, 4096, 8);
        must("damage=" SOURCE_DIR "/fixtures/damage; hiber() { { printf $1; "
             "head -c 5000 /dev/zero; } >hiberfil; printf "
             "'file\\t" DESCRIPTOR
             "\\thiberfil.sys\\thiberfil\\n' | " BINARY_DIR
             "/tests/ntfs-fill volume && $damage journal-clean volume; }; %s",
             states[i].damage);
        expect_mounts(true, states[i].finding);
        expect_mounts(false, states[i].finding);
    }
}

static void
test_no_volume(void **state)
{
    struct ntfs_volume *volume = NULL;
    struct test_disk disk;

    (void)state;
    must("truncate -s 8M volume && printf zero >volume && "
         "truncate -s 8M volume");
    open_test_disk(&disk, 512);
    expect_refused(mount_test_disk(&disk, false, &volume, &err), V2V_ERR_FORMAT,
                   "cannot mount the NTFS volume");
    disk.len = 0;
    expect_refused(mount_test_disk(&disk, false, &volume, &err), V2V_ERR_FORMAT,
                   "are not on a disk");
    close(disk.fd);
    make_volume(512, 4096, 8);
    must("truncate -s 7M volume"); /* a truncated image */
    open_test_disk(&disk, 512);
    expect_refused(mount_test_disk(&disk, false, &volume, &err), V2V_ERR_FORMAT,
                   "cannot mount the NTFS volume");
    close(disk.fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_plain),
        cmocka_unit_test(test_packed_and_sparse),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_own_files),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_fragmented),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_no_volume),
    };

    return cmocka_run_group_tests(tests, set_up, remove_top);
}
