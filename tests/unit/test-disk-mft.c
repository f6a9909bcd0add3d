/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run lists and attribute lists, whole and damaged, on a volume made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "disk/ntfs.h"
#include "test-disk-image.h"

/* The volume has clusters of 512 and records of 1024 bytes; the MFT has two
 * parts of 16 records. */
enum {
    VOLUME = 1 << 20,
    VOLUME_LEN = 4 << 20,
    IMAGE_LEN = VOLUME + VOLUME_LEN,
    CLUSTER = 512,
    RECORD = 1024,
    PART = 16,
    FIRST_PART = 32,  /* cluster */
    SECOND_PART = 128 /* the same */
};

/* Records: files, and those that hold what did not fit. */
enum {
    PLAIN = 10,
    LISTED = 11,
    FIRST = 12,
    SECOND = 13,
    MORE_MFT = 14,
    LATE = 20
};

/* Places in a record: of its first attribute, and what the tests change. */
enum { ATTR = 0x38, FLAGS = 22, SEQUENCE = 16, BASE = 32 };

static struct image image;

static uint8_t *
cluster(unsigned number)
{
    return image.data + VOLUME + number * CLUSTER;
}

static uint8_t *
record_at(unsigned number)
{
    return number < PART ? cluster(FIRST_PART) + number * RECORD
                         : cluster(SECOND_PART) + (number - PART) * RECORD;
}

static uint64_t
reference(unsigned number)
{
    return (uint64_t)(number + 100) << 48 | number;
}

/* A record in use without attributes; @base: 0 or a reference */
static uint8_t *
put_record(unsigned number, uint64_t base)
{
    uint8_t *p = record_at(number);

    memset(p, 0, RECORD);
    memcpy(p, "FILE", 4);
    put_le(p + 4, 2, 0x30);
    put_le(p + 6, 2, RECORD / 512 + 1);
    put_le(p + SEQUENCE, 2, number + 100);
    put_le(p + 20, 2, ATTR);
    put_le(p + FLAGS, 2, 1);
    put_le(p + 24, 4, ATTR + 8);
    put_le(p + BASE, 8, base);
    put_le(p + ATTR, 4, UINT32_MAX);
    return p;
}

/* One more attribute, of @len bytes, of zeros but for its type and length.
 * The records are short: no sector's end is in use, so that nothing has to be
 * moved to the update sequence. */
static uint8_t *
add_attr(uint8_t *record, unsigned type, size_t len)
{
    size_t end = get_le(record + 24, 4) - 8;

    assert_true(end + len + 8 < 510);
    put_le(record + end, 4, type);
    put_le(record + end + 4, 4, len);
    put_le(record + end + len, 4, UINT32_MAX);
    put_le(record + 24, 4, end + len + 8);
    return record + end;
}

/* @runs: with the zero at their end */
static void
add_runs(uint8_t *record, unsigned type, uint64_t lowest_vcn, uint64_t size,
         const void *runs, size_t len)
{
    uint8_t *attr = add_attr(record, type, (64 + len + 7) & ~(size_t)7);

    attr[8] = 1;
    put_le(attr + 16, 8, lowest_vcn);
    put_le(attr + 32, 2, 64);
    put_le(attr + 48, 8, size);
    put_le(attr + 56, 8, size);
    memcpy(attr + 64, runs, len);
}

/* An entry of an attribute list for an unnamed attribute. */
enum { ENTRY = 32 };

static void
put_entry(uint8_t *p, unsigned type, uint64_t lowest_vcn, unsigned record)
{
    put_le(p, 4, type);
    put_le(p + 4, 2, ENTRY);
    p[7] = 26;
    put_le(p + 8, 8, lowest_vcn);
    put_le(p + 16, 8, reference(record));
}

/* Three entries, in all LIST bytes: another attribute, and two parts. */
enum { LIST = 3 * ENTRY };

static void
put_list(uint8_t *p, unsigned first, uint64_t vcn, unsigned second)
{
    put_entry(p, 0x30, 0, 0);
    put_entry(p + ENTRY, 0x80, 0, first);
    put_entry(p + 2 * ENTRY, 0x80, vcn, second);
}

static uint8_t *
add_resident(uint8_t *record, unsigned type, size_t len)
{
    uint8_t *attr = add_attr(record, type, 24 + len);

    put_le(attr + 16, 4, len);
    put_le(attr + 20, 2, 24);
    return attr + 24;
}

/* clusters 64, two; 66, three (side by side); 98, eleven */
static const char plain_runs[] = "\x11\x02\x40\x11\x03\x02\x11\x0B\x20";
/* 80; 79; 77 */
static const char first_runs[] = "\x11\x01\x50\x11\x01\xFF\x11\x01\xFE";
/* 256, two; 250, two; 300, forty */
static const char second_runs[] = "\x21\x02\x00\x01\x11\x02\xFA\x11\x28\x32";
/* 32 and 128, 32 each */
static const char mft_runs[] = "\x11\x20\x20",
                  more_mft_runs[] = "\x21\x20\x80\x00";

static void
put_boot_sector(void)
{
    uint8_t *p = cluster(0);

    memcpy(p + 3, "NTFS    ", 8);
    put_le(p + 11, 2, 512);
    p[13] = 1;
    put_le(p + 40, 8, VOLUME_LEN / 512 - 1);
    put_le(p + 48, 8, FIRST_PART);
    p[64] = 0xF6;
}

static void
put_volume(void)
{
    const uint64_t second_vcn = PART * RECORD / CLUSTER;
    uint8_t *p;

    memset(image.data, 0, image.len);
    put_boot_sector();
    p = put_record(0, 0);
    put_list(add_resident(p, 0x20, LIST), 0, second_vcn, MORE_MFT);
    add_runs(p, 0x80, 0, 2 * PART * RECORD, mft_runs, sizeof mft_runs);
    add_runs(put_record(MORE_MFT, reference(0)), 0x80, second_vcn, 0,
             more_mft_runs, sizeof more_mft_runs);

    add_runs(put_record(PLAIN, 0), 0x80, 0, 8192, plain_runs,
             sizeof plain_runs);
    add_runs(put_record(LATE, 0), 0x80, 0, 8192, plain_runs, sizeof plain_runs);
    put_list(add_resident(put_record(LISTED, 0), 0x20, LIST), FIRST, 3, SECOND);
    add_runs(put_record(FIRST, reference(LISTED)), 0x80, 0, 20000, first_runs,
             sizeof first_runs);
    add_runs(put_record(SECOND, reference(LISTED)), 0x80, 3, 0, second_runs,
             sizeof second_runs);
}

static int
find(unsigned number, size_t len, struct ntfs_place *ret, struct v2v_error *err)
{
    struct disk_reader disk = { image_read, &image, IMAGE_LEN };

    return ntfs_file_place(&disk, VOLUME, VOLUME_LEN, number, len, ret, err);
}

/* @expected: "offset+len ", in bytes of the volume, for each extent */
static void
assert_place(unsigned number, size_t len, const char *expected)
{
    struct ntfs_place place = { .count = 0 };
    struct v2v_error err = { 0 };
    char text[500] = "";
    size_t used = 0;

    if (find(number, len, &place, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < place.count; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%llu+%llu ",
            (unsigned long long)(place.extents[i].offset - VOLUME),
            (unsigned long long)place.extents[i].len);
    assert_string_equal(text, expected);
}

static void
assert_refused(unsigned number, enum v2v_error_code code, const char *message)
{
    struct ntfs_place place = { .count = 99 };
    struct v2v_error err = { 0 };
    char full[sizeof err.text];

    snprintf(full, sizeof full, "NTFS at byte 1048576: %s", message);
    assert_int_equal(find(number, 8192, &place, &err), -1);
    assert_string_equal(err.text, full);
    assert_int_equal(err.code, code);
    assert_int_equal(place.count, 99);
    assert_int_equal(find(number, 8192, &place, NULL), -1);
}

static void
test_places(void **state)
{
    (void)state;
    put_volume();
    assert_place(PLAIN, 1, "32768+1 ");
    assert_place(PLAIN, 1024, "32768+1024 ");
    assert_place(PLAIN, 2561, "32768+2560 50176+1 ");
    assert_place(PLAIN, 8192, "32768+2560 50176+5632 ");
    assert_place(LATE, 8192, "32768+2560 50176+5632 ");
    assert_place(LISTED, 512, "40960+512 ");
    assert_place(LISTED, 1536, "40960+512 40448+512 39424+512 ");
    assert_place(LISTED, 8192,
                 "40960+512 40448+512 39424+512 131072+1024 128000+1024 "
                 "153600+4608 ");
}

static void
test_the_most_pieces(void **state)
{
    char runs[3 * NTFS_EXTENTS_MAX + 1] = { 0 };
    struct ntfs_place place = { .count = 0 };
    struct v2v_error err = { 0 };

    (void)state;
    put_volume();
    for (size_t i = 0; i < NTFS_EXTENTS_MAX; i++)
        memcpy(runs + 3 * i, "\x11\x01\x02", 3);
    add_runs(put_record(PLAIN, 0), 0x80, 0, NTFS_PLACE_MAX, runs, sizeof runs);
    assert_int_equal(find(PLAIN, NTFS_PLACE_MAX, &place, &err), 0);
    assert_int_equal(place.count, NTFS_EXTENTS_MAX);
    for (size_t i = 0; i < NTFS_EXTENTS_MAX; i++) {
        assert_int_equal(place.extents[i].offset,
                         VOLUME + (i + 1) * 2 * CLUSTER);
        assert_int_equal(place.extents[i].len, CLUSTER);
    }
}

/* The list is in clusters of its own, 400 and 410. */
static void
test_a_list_outside_its_record(void **state)
{
    static const char runs[] = "\x21\x01\x90\x01\x11\x01\x0A";
    uint8_t list[20 * ENTRY] = { 0 };

    (void)state;
    put_volume();
    for (size_t i = 0; i < 20; i++)
        put_entry(list + i * ENTRY, 0x30, 0, 0);
    put_entry(list + 15 * ENTRY, 0x80, 0, FIRST);
    list[16 * ENTRY] = 0x80;
    list[16 * ENTRY + 6] = 1; /* a stream with a name */
    put_entry(list + 19 * ENTRY, 0x80, 3, SECOND);
    memcpy(cluster(400), list, CLUSTER);
    memcpy(cluster(410), list + CLUSTER, sizeof list - CLUSTER);
    add_runs(put_record(LISTED, 0), 0x20, 0, sizeof list, runs, sizeof runs);
    assert_place(LISTED, 2048, "40960+512 40448+512 39424+512 131072+512 ");

    put_le(record_at(LISTED) + ATTR + 48, 8, (256 << 10) + 1);
    put_le(record_at(LISTED) + ATTR + 56, 8, (256 << 10) + 1);
    assert_refused(LISTED, V2V_ERR_FORMAT,
                   "MFT record 11: attribute list: 262145 bytes, of which "
                   "262145 were ever written; at most 262144 are read");
    put_le(record_at(LISTED) + ATTR + 48, 8, sizeof list);
    put_le(record_at(LISTED) + ATTR + 56, 8, 0);
    assert_refused(LISTED, V2V_ERR_FORMAT,
                   "MFT record 11: attribute list: 640 bytes, of which 0 were "
                   "ever written; at most 262144 are read");
    put_le(record_at(LISTED) + ATTR + 48, 8, 1025);
    put_le(record_at(LISTED) + ATTR + 56, 8, 1025);
    assert_refused(LISTED, V2V_ERR_FORMAT,
                   "MFT record 11: attribute list: no cluster for byte 1024");
}

/* Each case changes some bytes of a good record. */
static void
test_refusals(void **state)
{
    static const struct {
        unsigned record;
        size_t offset;
        unsigned bytes;
        uint64_t value;
        unsigned file; /* that is then refused */
        const char *message;
    } cases[] = {
        { PLAIN, FLAGS, 2, 0, PLAIN, "MFT record 10: not in use" },
        { PLAIN, BASE, 8, 1, PLAIN,
          "MFT record 10: belongs to another record" },
        { PLAIN, ATTR, 4, 0x90, PLAIN, "MFT record 10: no unnamed $DATA" },
        { PLAIN, ATTR + 9, 1, 1, PLAIN, "MFT record 10: no unnamed $DATA" },
        { PLAIN, ATTR + 8, 1, 0, PLAIN,
          "MFT record 10: the content is inside the MFT record" },
        { PLAIN, ATTR + 4, 4, 56, PLAIN, "MFT record 10: no list of clusters" },
        { PLAIN, ATTR + 4, 4, 72, PLAIN, /* ends inside the third run */
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 16, 8, 1, PLAIN, "MFT record 10: no list of clusters" },
        { PLAIN, ATTR + 12, 2, 1, PLAIN, "MFT record 10: compressed" },
        { PLAIN, ATTR + 12, 2, 0x4000, PLAIN, "MFT record 10: encrypted" },
        { PLAIN, ATTR + 48, 8, 8191, PLAIN,
          "MFT record 10: 8191 bytes, of which 8192 were ever written; 8192 "
          "are needed" },
        { PLAIN, ATTR + 56, 8, 4096, PLAIN,
          "MFT record 10: 8192 bytes, of which 4096 were ever written; 8192 "
          "are needed" },
        /* a hole of fourteen clusters after the first two */
        { PLAIN, ATTR + 67, 3, 0x000E01, PLAIN,
          "MFT record 10: a hole at byte 1024" },
        { PLAIN, ATTR + 64, 3, 0x001001, PLAIN,
          "MFT record 10: a hole at byte 0" },
        { PLAIN, ATTR + 67, 1, 0, PLAIN,
          "MFT record 10: no cluster for byte 1024" },
        { PLAIN, ATTR + 65, 1, 0, PLAIN,
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 64, 1, 0x10, PLAIN,
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 64, 1, 0x19, PLAIN,
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 64, 1, 0x91, PLAIN,
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 64, 1, 0x88, PLAIN,
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 66, 1, 0x80, PLAIN, /* before the volume */
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 64, 4, 0x1FFF0121, PLAIN, /* its last cluster */
          "MFT record 10: damaged list of clusters" },
        { PLAIN, ATTR + 72, 1, 0x80, PLAIN, /* before it, by distance */
          "MFT record 10: damaged list of clusters" },

        { LISTED, ATTR + 16, 4, LIST + 1, LISTED,
          "MFT record 11: attribute list: longer than its record" },
        { LISTED, ATTR + 20, 2, 25, LISTED,
          "MFT record 11: attribute list: longer than its record" },
        { LISTED, ATTR + 16, 4, 0, LISTED, "MFT record 11: no unnamed $DATA" },
        { LISTED, ATTR + 16, 4, LIST - 1, LISTED,
          "MFT record 11: damaged attribute list" },
        { LISTED, ATTR + 24 + 4, 2, 0, LISTED,
          "MFT record 11: damaged attribute list" },
        { LISTED, ATTR + 24 + 4, 2, 25, LISTED,
          "MFT record 11: damaged attribute list" },
        { LISTED, ATTR + 24 + 4, 2, LIST + 1, LISTED,
          "MFT record 11: damaged attribute list" },
        { LISTED, ATTR + 24 + 2 * ENTRY, 4, 0x90, LISTED,
          "MFT record 11: no cluster for byte 1536" },
        { LISTED, ATTR + 24 + ENTRY + 6, 1, 1, LISTED,
          "MFT record 11: no list of clusters" },
        { LISTED, ATTR + 24 + ENTRY + 16, 6, PLAIN, LISTED,
          "MFT record 11: MFT record 10: belongs to another file than the "
          "attribute list says" },
        { LISTED, ATTR + 24 + ENTRY + 16, 6, 32, LISTED,
          "MFT record 11: MFT record 32: no cluster for byte 32768" },
        { LISTED, ATTR + 24 + ENTRY + 16, 6, 15, LISTED,
          "MFT record 11: MFT record 15: no FILE record" },
        { LISTED, ATTR + 24 + ENTRY + 16, 8, (100ULL + LISTED) << 48 | LISTED,
          LISTED, "MFT record 11: no unnamed $DATA" },
        { LISTED, SEQUENCE, 2, 1, LISTED,
          "MFT record 11: MFT record 12: belongs to another file than the "
          "attribute list says" },
        { FIRST, SEQUENCE, 2, 1, LISTED,
          "MFT record 11: MFT record 12: belongs to another file than the "
          "attribute list says" },
        { FIRST, BASE, 8, PLAIN, LISTED,
          "MFT record 11: MFT record 12: belongs to another file than the "
          "attribute list says" },
        { FIRST, FLAGS, 2, 0, LISTED,
          "MFT record 11: MFT record 12: belongs to another file than the "
          "attribute list says" },
        { FIRST, 6, 2, 2, LISTED,
          "MFT record 11: MFT record 12: written in part only" },
        { SECOND, ATTR + 16, 8, 2, LISTED,
          "MFT record 11: no list of clusters" },
        { SECOND, ATTR, 4, 0x90, LISTED, "MFT record 11: no unnamed $DATA" },

        /* the MFT's second part in a record that only this part holds */
        { 0, ATTR + 24 + 2 * ENTRY + 16, 6, LATE, PLAIN,
          "$MFT: MFT record 20: no cluster for byte 20480" },
        { 0, ATTR + 24 + 2 * ENTRY + 16, 6, MORE_MFT + 1, PLAIN,
          "$MFT: MFT record 15: no FILE record" },
        { MORE_MFT, BASE, 8, 0, PLAIN,
          "$MFT: MFT record 14: belongs to another file than the attribute "
          "list says" },
        { 0, ATTR + 24 + 2 * ENTRY, 4, 0x90, LATE,
          "MFT record 20: no cluster for byte 20480" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_volume();
        assert_true(cases[i].offset + cases[i].bytes < 510);
        put_le(record_at(cases[i].record) + cases[i].offset, cases[i].bytes,
               cases[i].value);
        assert_refused(cases[i].file, V2V_ERR_FORMAT, cases[i].message);
    }
}

/* Holes may be as long as the file; their sum is bounded all the same. */
static void
test_holes_without_end(void **state)
{
    static const char runs[] = "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x01";

    (void)state;
    put_volume();
    add_runs(put_record(PLAIN, 0), 0x80, 0, 8192, runs, sizeof runs);
    assert_refused(PLAIN, V2V_ERR_FORMAT,
                   "MFT record 10: too many runs of clusters");
}

static void
test_a_disk_that_fails(void **state)
{
    (void)state;
    put_volume();
    image.broken = true;
    assert_refused(PLAIN, V2V_ERR_INTERNAL, "cannot read");
    image.broken = false;
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
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_the_most_pieces),
        cmocka_unit_test(test_a_list_outside_its_record),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_holes_without_end),
        cmocka_unit_test(test_a_disk_that_fails),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
