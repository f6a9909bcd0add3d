/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An NTFS of the few structures that decide about its state, made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "disk/ntfs.h"
#include "test-disk-image.h"

enum {
    IMAGE_LEN = 16 << 20,
    VOLUME = 1 << 20, /* where the volume starts */
    VOLUME_LEN = IMAGE_LEN - VOLUME,
    VOLUME_FLAGS = 0x4021 /* some that mean nothing here, and bit 0 */
};

/* Where things are, in clusters. */
struct shape {
    unsigned cluster_size;
    unsigned record_size;
    uint8_t sectors_per_cluster; /* as the boot sector says it */
    uint8_t clusters_per_record;
    unsigned mft; /* first cluster */
    const char *mft_runs, *log_runs;
    unsigned records[4];   /* bytes from the volume's start */
    unsigned log_pages[2]; /* the same */
};

static const struct shape plain = { 4096,
                                    1024,
                                    8,
                                    0xF6,
                                    4,
                                    "\x11\x04\x04",
                                    "\x11\x10\x10",
                                    { 0x4000, 0x4400, 0x4800, 0x4C00 },
                                    { 0x10000, 0x11000 } };

/* The MFT starts at cluster 64, goes on at 4 (a distance of -60), and the
 * second page of the journal lies before the first. */
static const struct shape fragmented = { 4096,
                                         4096,
                                         8,
                                         1,
                                         64,
                                         "\x11\x01\x40\x11\x03\xC4",
                                         "\x21\x01\x80\x01\x31\x0F\xA0\xFE\xFF",
                                         { 0x40000, 0x4000, 0x5000, 0x6000 },
                                         { 0x180000, 0x20000 } };

/* Clusters of 2 MiB: 512 << (256 - 0xF4). */
static const struct shape large_clusters = { 2 << 20,
                                             1024,
                                             0xF4,
                                             0xF6,
                                             1,
                                             "\x11\x01\x01",
                                             "\x11\x01\x02",
                                             { 0x200000, 0x200400, 0x200800,
                                               0x200C00 },
                                             { 0x400000, 0x401000 } };

static struct image image;

static uint8_t *
at(size_t offset)
{
    return image.data + VOLUME + offset;
}

/* The update sequence, at @usa in the record. */
static void
protect(uint8_t *record, size_t len, unsigned usa)
{
    put_le(record + 4, 2, usa);
    put_le(record + 6, 2, len / 512 + 1);
    put_le(record + usa, 2, 0x0A0B);
    for (size_t i = 0; i < len / 512; i++) {
        memcpy(record + usa + 2 * (i + 1), record + (i + 1) * 512 - 2, 2);
        put_le(record + (i + 1) * 512 - 2, 2, 0x0A0B);
    }
}

/* A record with one attribute, before it a $STANDARD_INFORMATION. */
static void
put_record(const struct shape *shape, unsigned number, const uint8_t *attr,
           size_t attr_len)
{
    uint8_t *p = at(shape->records[number]);

    memset(p, 0, shape->record_size);
    memcpy(p, "FILE", 4);
    put_le(p + 20, 2, 0x38);
    put_le(p + 0x38, 4, 0x10);
    put_le(p + 0x38 + 4, 4, 0x18);
    memcpy(p + 0x50, attr, attr_len);
    put_le(p + 0x50 + attr_len, 4, 0xFFFFFFFF);
    put_le(p + 24, 4, 0x50 + attr_len + 8);
    memset(p + shape->record_size - 2, 0x77, 2); /* has to be restored */
    protect(p, shape->record_size, 0x2A);
}

static void
put_data_record(const struct shape *shape, unsigned number, const char *runs)
{
    uint8_t attr[80] = { 0x80 };

    put_le(attr + 4, 4, sizeof attr);
    attr[8] = 1;
    put_le(attr + 32, 2, 64);
    memcpy(attr + 64, runs, strlen(runs) + 1);
    put_record(shape, number, attr, sizeof attr);
}

static void
put_volume_record(const struct shape *shape, unsigned flags)
{
    uint8_t attr[40] = { 0x70 };

    put_le(attr + 4, 4, sizeof attr);
    put_le(attr + 16, 4, 12);
    put_le(attr + 20, 2, 24);
    attr[24 + 8] = 3;
    attr[24 + 9] = 1;
    put_le(attr + 24 + 10, 2, flags);
    put_record(shape, 3, attr, sizeof attr);
}

static void
put_boot_sector(const struct shape *shape)
{
    uint8_t *p = at(0);

    memcpy(p + 3, "NTFS    ", 8);
    put_le(p + 11, 2, 512);
    p[13] = shape->sectors_per_cluster;
    put_le(p + 40, 8, VOLUME_LEN / 512 - 1);
    put_le(p + 48, 8, shape->mft);
    p[64] = shape->clusters_per_record;
    put_le(p + 72, 8, UINT64_C(0x52593B3839882464));
}

static void
put_volume(const struct shape *shape)
{
    memset(image.data, 0, image.len);
    put_boot_sector(shape);
    put_data_record(shape, 0, shape->mft_runs);
    put_data_record(shape, 2, shape->log_runs);
    put_volume_record(shape, VOLUME_FLAGS);
    memset(at(shape->log_pages[0]), 0xFF, 4096);
    memset(at(shape->log_pages[1]), 0xFF, 4096);
}

struct page {
    const char *magic; /* NULL: 0xFF everywhere; "": zeros */
    int major;
    uint64_t lsn;
    uint16_t in_use;
    uint16_t flags;
    bool torn;
    unsigned size; /* 0: 4096, which is right */
};

/* The flags of the restart area are then the last bytes of a sector, which
 * are not where they seem to be. */
enum { AREA = 512 - 16 };

static void
put_page(uint8_t *p, const struct page *page)
{
    unsigned size = page->size != 0 ? page->size : 4096;

    memset(p, page->magic == NULL ? 0xFF : 0, size);
    if (page->magic == NULL || page->magic[0] == '\0')
        return;
    memcpy(p, page->magic, 4);
    put_le(p + 16, 4, size);
    put_le(p + 20, 4, 4096);
    put_le(p + 24, 2, AREA);
    put_le(p + 26, 2, page->major == 1 ? 1 : 0);
    put_le(p + 28, 2, (uint64_t)page->major);
    put_le(p + AREA, 8, page->lsn);
    put_le(p + AREA + 12, 2, page->in_use);
    put_le(p + AREA + 14, 2, page->flags);
    protect(p, size, 0x1E);
    if (page->torn)
        p[size - 1] ^= 1;
}

static int
read_sized(uint64_t len, struct ntfs_state *ret, struct v2v_error *err)
{
    struct disk_reader disk = { image_read, &image, IMAGE_LEN };

    return ntfs_state_read(&disk, VOLUME, len, ret, err);
}

static struct ntfs_state
read_good(void)
{
    struct ntfs_state state = { 0 };
    struct v2v_error err = { 0 };

    if (read_sized(VOLUME_LEN, &state, &err) < 0)
        fail_msg("%s", err.text);
    return state;
}

static void
assert_refused(uint64_t len, enum v2v_error_code code, const char *message)
{
    struct ntfs_state state = { .serial = 7 };
    struct v2v_error err = { 0 };

    assert_int_equal(read_sized(len, &state, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
    assert_int_equal(state.serial, 7);
    assert_int_equal(read_sized(len, &state, NULL), -1);
}

static void
test_shapes(void **state)
{
    static const struct shape *const shapes[] = { &plain, &fragmented,
                                                  &large_clusters };
    static const struct page pages[2] = {
        { "RSTR", 1, 10, 0, 0, false, 0 }, /* older, open */
        { "RSTR", 1, 11, 0, 2, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct ntfs_state s;

        put_volume(shapes[i]);
        s = read_good();
        assert_int_equal(s.journal, NTFS_JOURNAL_EMPTY);
        put_page(at(shapes[i]->log_pages[0]), &pages[0]);
        put_page(at(shapes[i]->log_pages[1]), &pages[1]);
        s = read_good();
        assert_int_equal(s.journal, NTFS_JOURNAL_CLEAN);
        assert_int_equal(s.major, 3);
        assert_int_equal(s.minor, 1);
        assert_int_equal(s.flags, VOLUME_FLAGS);
        assert_true(s.dirty);
        assert_int_equal(s.cluster_size, shapes[i]->cluster_size);
        assert_int_equal(s.serial, UINT64_C(0x52593B3839882464));
    }
}

static void
test_dirty_flag(void **state)
{
    (void)state;
    put_volume(&plain);
    put_volume_record(&plain, 0x0000);
    assert_false(read_good().dirty);
    put_volume_record(&plain, 0x0001);
    assert_true(read_good().dirty);
    put_volume_record(&plain, 0xFFFE);
    assert_false(read_good().dirty);
}

static void
test_journals(void **state)
{
    static const struct {
        const char *what;
        struct page pages[2];
        enum ntfs_journal expected;
    } cases[] = {
        { "Windows XP and later, shut down",
          { { "RSTR", 1, 9, 0, 2, false, 0 },
            { "RSTR", 1, 9, 0, 2, false, 0 } },
          NTFS_JOURNAL_CLEAN },
        { "Windows 2000, shut down: closed, no flag",
          { { "RSTR", 1, 9, 0xFFFF, 0, false, 0 },
            { "RSTR", 1, 9, 0xFFFF, 0, false, 0 } },
          NTFS_JOURNAL_CLEAN },
        { "NT's odd version 0.-1, closed",
          { { "RSTR", 0, 9, 0xFFFF, 0, false, 0 }, { .magic = "" } },
          NTFS_JOURNAL_CLEAN },
        { "in use",
          { { "RSTR", 1, 9, 0, 0, false, 0 },
            { "RSTR", 1, 9, 0, 0, false, 0 } },
          NTFS_JOURNAL_UNCLEAN },
        { "another flag is not the clean one",
          { { "RSTR", 1, 9, 0, 0xFFFD, false, 0 }, { .magic = "" } },
          NTFS_JOURNAL_UNCLEAN },
        { "the first is newer",
          { { "RSTR", 1, 10, 0, 0, false, 0 },
            { "RSTR", 1, 9, 0, 2, false, 0 } },
          NTFS_JOURNAL_UNCLEAN },
        { "the second is newer, by more than 32 bits",
          { { "RSTR", 1, 9, 0, 2, false, 0 },
            { "RSTR", 1, UINT64_C(1) << 40, 0, 0, false, 0 } },
          NTFS_JOURNAL_UNCLEAN },
        { "as new as each other: the worse",
          { { "RSTR", 1, 9, 0, 2, false, 0 },
            { "RSTR", 1, 9, 0, 0, false, 0 } },
          NTFS_JOURNAL_UNCLEAN },
        { "as new as each other: the worse, other order",
          { { "RSTR", 2, 9, 0, 2, false, 0 },
            { "RSTR", 1, 9, 0, 2, false, 0 } },
          NTFS_JOURNAL_V2 },
        { "fast startup",
          { { "RSTR", 2, 9, 0, 0, false, 0 },
            { "RSTR", 2, 9, 0, 0, false, 0 } },
          NTFS_JOURNAL_V2 },
        { "version 2 even if marked clean",
          { { "RSTR", 2, 9, 0, 2, false, 0 },
            { "RSTR", 2, 9, 0, 2, false, 0 } },
          NTFS_JOURNAL_V2 },
        { "a version nobody knows",
          { { "RSTR", 3, 9, 0, 2, false, 0 },
            { "RSTR", 3, 9, 0, 2, false, 0 } },
          NTFS_JOURNAL_UNREADABLE },
        { "the newer is torn",
          { { "RSTR", 1, 9, 0, 2, false, 0 },
            { "RSTR", 1, 10, 0, 0, true, 0 } },
          NTFS_JOURNAL_CLEAN },
        { "the first is torn",
          { { "RSTR", 1, 9, 0, 2, true, 0 }, { "RSTR", 1, 8, 0, 0, false, 0 } },
          NTFS_JOURNAL_UNCLEAN },
        { "the first is lost",
          { { .magic = "" }, { "RSTR", 1, 8, 0, 2, false, 0 } },
          NTFS_JOURNAL_CLEAN },
        { "both torn",
          { { "RSTR", 1, 9, 0, 2, true, 0 }, { "RSTR", 1, 9, 0, 2, true, 0 } },
          NTFS_JOURNAL_UNREADABLE },
        { "pages do not agree on their size: the first is followed",
          { { "RSTR", 1, 9, 0, 0, false, 0 },
            { "RSTR", 1, 10, 0, 2, false, 8192 } },
          NTFS_JOURNAL_UNCLEAN },
        { "chkdsk was here",
          { { "CHKD", 1, 9, 0, 2, false, 0 },
            { "CHKD", 1, 9, 0, 2, false, 0 } },
          NTFS_JOURNAL_UNREADABLE },
        { "zeros",
          { { .magic = "" }, { .magic = "" } },
          NTFS_JOURNAL_UNREADABLE },
        { "0xFF",
          { { .magic = NULL }, { .magic = NULL } },
          NTFS_JOURNAL_EMPTY },
        { "half 0xFF",
          { { .magic = NULL }, { .magic = "" } },
          NTFS_JOURNAL_UNREADABLE },
    };

    (void)state;
    put_volume(&plain);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum ntfs_journal journal;

        put_page(at(plain.log_pages[0]), &cases[i].pages[0]);
        put_page(at(plain.log_pages[1]), &cases[i].pages[1]);
        journal = read_good().journal;
        if (journal != cases[i].expected)
            fail_msg("%s: %s", cases[i].what, ntfs_journal_name(journal));
    }
}

/* Each case changes some bytes of a good volume. */
static void
test_a_damaged_journal_is_a_state(void **state)
{
    static const struct {
        size_t offset;
        unsigned bytes;
        uint64_t value;
    } cases[] = {
        { 0x10000 + 16, 4, 0 },          /* page size */
        { 0x10000 + 16, 4, 0x80000000 }, /* the same */
        { 0x10000 + 16, 4, 16384 },      /* the update sequence is too short */
        { 0x10000 + 4, 2, 0xFFFE },      /* update sequence beyond the page */
        { 0x10000 + 24, 2, 4096 - 40 },  /* restart area beyond the page */
        { 0x10000 + 24, 2, 0 },
        { 0x4800, 4, 0 },                        /* the record is none */
        { 0x4800 + 510, 2, 0 },                  /* the record is torn */
        { 0x4800 + 0x50, 4, 0x90 },              /* no $DATA */
        { 0x4800 + 0x50 + 8, 1, 0 },             /* resident */
        { 0x4800 + 0x50 + 9, 1, 4 },             /* a named stream */
        { 0x4800 + 0x50 + 4, 4, 56 },            /* shorter than its header */
        { 0x4800 + 0x50 + 16, 8, 1 },            /* a later part */
        { 0x4800 + 0x50 + 32, 2, 80 },           /* runs beyond the attribute */
        { 0x4800 + 0x50 + 64, 5, 0x0F01100111 }, /* a hole */
        { 0x4800 + 0x50 + 64, 5, 0x0010111010 }, /* a run without a length */
        { 0x4800 + 0x50 + 64, 1, 0x99 },         /* sizes of nine bytes */
        { 0x4800 + 0x50 + 64, 1, 0x88 },         /* beyond the attribute */
        { 0x4800 + 0x50 + 65, 1, 1 },      /* too short for the second page */
        { 0x4800 + 0x50 + 65, 2, 0x8010 }, /* before the volume */
        { 0x4800 + 0x50 + 64, 4, 0x7FFF1021 }, /* beyond the volume */
        { 0x4800 + 20, 2, 0xFFFF },     /* attributes beyond the record */
        { 0x4800 + 24, 4, 0xFFFFFFFF }, /* a record that is longer */
        { 0x4800 + 0x38 + 4, 4, 0 },    /* an attribute of no length */
        { 0x4800 + 0x38 + 4, 4, 0xFFFFFFF8 },
    };
    static const struct page good = { "RSTR", 1, 9, 0, 2, false, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_volume(&plain);
        put_page(at(plain.log_pages[0]), &good);
        memset(at(plain.log_pages[1]), 0, 4096);
        assert_int_equal(read_good().journal, NTFS_JOURNAL_CLEAN);
        put_le(at(cases[i].offset), cases[i].bytes, cases[i].value);
        if (read_good().journal != NTFS_JOURNAL_UNREADABLE)
            fail_msg("case %zu: %s", i, ntfs_journal_name(read_good().journal));
    }
}

static void
test_refusals(void **state)
{
    static const struct {
        size_t offset;
        unsigned bytes;
        uint64_t value;
        const char *message;
    } cases[] = {
        { 3, 1, 'n', "no NTFS boot sector" },
        { 11, 2, 0, "sectors of 0 bytes" },
        { 11, 2, 8192, "sectors of 8192 bytes" },
        { 11, 2, 768, "sectors of 768 bytes" },
        { 13, 1, 0, "clusters of 0 bytes" },
        { 13, 1, 3, "clusters of 1536 bytes" },
        { 13, 1, 0xF3, "clusters of 4194304 bytes" },
        { 13, 1, 0x81, "clusters of 0 bytes" },
        { 64, 1, 0, "MFT records of 0 bytes" },
        { 64, 1, 2, "MFT records of 8192 bytes" },
        { 64, 1, 0xF8, "MFT records of 256 bytes" },
        { 64, 1, 0x80, "MFT records of 0 bytes" },
        { 40, 8, 30721,
          "the file system has 30721 sectors, its volume only 30720: "
          "is the image truncated?" },
        { 40, 8, UINT64_MAX,
          "the file system has 18446744073709551615 sectors, its volume only "
          "30720: is the image truncated?" },
        { 40, 8, 0, "the MFT is at cluster 4" },
        { 48, 8, UINT64_MAX / 4096 + 2,
          "the MFT is at cluster 4503599627370497" },
        { 48, 8, 5, "MFT record 0: no FILE record" },
        { 0x4000 + 510, 2, 0, "MFT record 0: written in part only" },
        { 0x4000 + 6, 2, 4, "MFT record 0: written in part only" },
        { 0x4000 + 0x50, 4, 0x90, "$MFT: no unnamed $DATA" },
        { 0x4000 + 0x50 + 64, 1, 0, "MFT record 3: no cluster for byte 3072" },
        { 0x4C00, 4, 0, "MFT record 3: no FILE record" },
        { 0x4C00 + 0x50, 4, 0x80, "$Volume has no $VOLUME_INFORMATION" },
        { 0x4C00 + 0x50 + 8, 1, 1, "$VOLUME_INFORMATION is damaged" },
        { 0x4C00 + 0x50 + 16, 4, 11, "$VOLUME_INFORMATION is damaged" },
        { 0x4C00 + 0x50 + 20, 2, 29, "$VOLUME_INFORMATION is damaged" },
        { 0x4C00 + 0x50 + 20, 2, 0xFFFF, "$VOLUME_INFORMATION is damaged" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[1024];

        put_volume(&plain);
        put_le(at(cases[i].offset), cases[i].bytes, cases[i].value);
        snprintf(message, sizeof message, "NTFS at byte 1048576: %s",
                 cases[i].message);
        assert_refused(VOLUME_LEN, V2V_ERR_FORMAT, message);
    }
}

static void
test_limits_of_the_volume(void **state)
{
    (void)state;
    put_volume(&plain);
    assert_refused(VOLUME_LEN + 1, V2V_ERR_FORMAT,
                   "NTFS at byte 1048576: its volume ends beyond the disk");
    assert_refused(UINT64_MAX, V2V_ERR_FORMAT,
                   "NTFS at byte 1048576: its volume ends beyond the disk");
    assert_refused(1 << 20, V2V_ERR_FORMAT,
                   "NTFS at byte 1048576: the file system has 30719 sectors, "
                   "its volume only 2048: is the image truncated?");
    image.broken = true;
    assert_refused(VOLUME_LEN, V2V_ERR_INTERNAL,
                   "NTFS at byte 1048576: cannot read");
    image.broken = false;
}

static void
test_names_are_never_null(void **state)
{
    (void)state;
    for (int i = -1; i <= NTFS_JOURNAL_UNREADABLE + 1; i++)
        assert_non_null(ntfs_journal_name((enum ntfs_journal)i));
    assert_string_equal(ntfs_journal_name(NTFS_JOURNAL_V2),
                        "version 2 (fast startup or crash)");
}

static int
set_up(void **state)
{
    (void)state;
    image = (struct image){ calloc(1, IMAGE_LEN), IMAGE_LEN, false };
    return image.data == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    free(image.data);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_dirty_flag),
        cmocka_unit_test(test_journals),
        cmocka_unit_test(test_a_damaged_journal_is_a_state),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits_of_the_volume),
        cmocka_unit_test(test_names_are_never_null),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
