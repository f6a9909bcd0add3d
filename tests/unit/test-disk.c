/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/log.h"
#include "disk/probe.h"
#include "test-disk-image.h"

enum { IMAGE_LEN = 4 << 20 };

static struct image image;
static char warning[2000];

static void
keep_warning(void *opaque, enum v2v_log_level level, const char *module,
             const char *code, const char *text)
{
    (void)opaque;
    if (level == V2V_LOG_WARNING)
        snprintf(warning, sizeof warning, "%s %s: %s", module, code, text);
}

static int
set_up(void **state)
{
    (void)state;
    image = (struct image){ calloc(1, IMAGE_LEN), IMAGE_LEN, false };
    warning[0] = '\0';
    v2v_log_set(keep_warning, NULL);
    return image.data == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    free(image.data);
    v2v_log_set(NULL, NULL);
    return 0;
}

static int
probe_sized(uint64_t size, struct disk_layout *ret, struct v2v_error *err)
{
    struct disk_reader disk = { image_read, &image, size };

    return disk_probe(&disk, ret, err);
}

static void
put_mark(size_t sector)
{
    put_le(image.data + sector * 512 + 510, 2, 0xAA55);
}

/* An entry of the MBR or EBR in @sector. */
static void
put_entry(size_t sector, size_t i, uint8_t boot, uint8_t type, uint32_t start,
          uint32_t count)
{
    uint8_t *p = image.data + sector * 512 + 446 + i * 16;

    put_mark(sector);
    p[0] = boot;
    p[4] = type;
    put_le(p + 8, 4, start);
    put_le(p + 12, 4, count);
}

static void
put_oem(size_t offset, const char *oem)
{
    memcpy(image.data + offset + 3, oem, 8);
}

/* As mkfs.fat writes it. */
static void
put_fat(size_t offset)
{
    static const uint8_t start[] = { 0xEB, 0x58, 0x90, 'm', 'k', 'f', 's', '.',
                                     'f',  'a',  't',  0,   2,   8,   32,  0,
                                     2,    0,    0,    0,   0,   0xF8 };

    memcpy(image.data + offset, start, sizeof start);
    put_le(image.data + offset + 510, 2, 0xAA55);
}

/* The layout as one line a volume: "number start+len name [flags]", sectors
 * of 512 bytes. */
static char *
describe(const struct disk_layout *layout)
{
    static char text[4000];
    int used = snprintf(text, sizeof text, "%s %u",
                        disk_table_name(layout->table), layout->sector_size);

    for (size_t i = 0; i < layout->count; i++) {
        const struct disk_volume *v = &layout->volumes[i];

        used += snprintf(
            text + used, sizeof text - (size_t)used, "\n%u %llu+%llu %s%s%s",
            v->number, (unsigned long long)v->offset / 512,
            (unsigned long long)v->len / 512, disk_content_name(v->content),
            v->active ? " active" : "", v->esp ? " esp" : "");
    }
    return text;
}

static void
assert_layout(uint64_t size, const char *expected)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct v2v_error err = { 0 };

    if (probe_sized(size, &layout, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(describe(&layout), expected);
}

static void
assert_refused(uint64_t size, enum v2v_error_code code, const char *message)
{
    struct disk_layout layout = { .sector_size = 7 };
    struct v2v_error err = { 0 };

    assert_int_equal(probe_sized(size, &layout, &err), -1);
    assert_string_equal(err.text, message);
    assert_int_equal(err.code, code);
    assert_int_equal(layout.sector_size, 7); /* untouched */
    assert_int_equal(probe_sized(size, &layout, NULL), -1);
}

/* Windows XP's way: one primary, an extended partition with two logical ones
 * between primaries; and an EFI system partition on an MBR. */
static void
test_mbr_numbers_as_linux(void **state)
{
    (void)state;
    put_entry(0, 0, 0x80, 0x07, 63, 100);
    put_entry(0, 1, 0, 0x0F, 200, 400);
    put_entry(0, 3, 0, 0xEF, 700, 100);
    put_entry(200, 0, 0, 0x07, 63, 100);
    put_entry(200, 1, 0, 0x05, 200, 200); /* relative to the first */
    put_entry(400, 0, 0, 0x0B, 63, 100);
    put_oem(63 * 512, "NTFS    ");
    put_oem(263 * 512, "NTFS    ");
    put_fat(463 * 512);
    put_fat(700 * 512);
    assert_layout(IMAGE_LEN, "MBR 512\n"
                             "1 63+100 NTFS active\n"
                             "4 700+100 FAT esp\n"
                             "5 263+100 NTFS\n"
                             "6 463+100 FAT");
}

static void
test_an_extended_partition_may_be_blank(void **state)
{
    (void)state;
    put_entry(0, 0, 0, 0x05, 63, 100);
    assert_layout(IMAGE_LEN, "MBR 512");
}

static void
test_an_empty_table_is_a_table(void **state)
{
    (void)state;
    put_mark(0);
    assert_layout(IMAGE_LEN, "MBR 512");
}

static void
test_contents(void **state)
{
    static const struct {
        uint8_t type;
        const char *oem;
        const char *content;
    } cases[] = {
        { 0x07, "NTFS    ", "NTFS" },
        { 0x27, "NTFS    ", "NTFS" }, /* hidden: recovery */
        { 0x07, "EXFAT   ", "exFAT" },
        { 0x07, "ReFS\0\0\0\0", "ReFS" },
        { 0x07, "-FVE-FS-", "BitLocker" },
        { 0x07, "NTFT    ", "unknown" },
        { 0x42, "NTFS    ", "dynamic disk (LDM)" },
        { 0xE7, "\0\0\0\0\0\0\0\0", "Storage Spaces" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[100];

        put_entry(0, 0, 0, cases[i].type, 8, 8);
        put_oem(8 * 512, cases[i].oem);
        snprintf(expected, sizeof expected, "MBR 512\n1 8+8 %s",
                 cases[i].content);
        assert_layout(IMAGE_LEN, expected);
    }
}

static void
test_a_disk_without_a_table(void **state)
{
    (void)state;
    memset(image.data + 446, 0xCC, 64); /* boot code */
    put_mark(0);
    put_oem(0, "NTFS    ");
    assert_layout(IMAGE_LEN, "none 512\n0 0+8192 NTFS");
    put_entry(0, 0, 0x80, 0x07, 8, 8); /* boot code that looks like a table */
    memset(image.data + 462, 0, 48);
    assert_layout(IMAGE_LEN, "none 512\n0 0+8192 NTFS");
    put_oem(0, "-FVE-FS-");
    assert_layout(IMAGE_LEN, "none 512\n0 0+8192 BitLocker");
}

static void
test_fat_without_a_table(void **state)
{
    (void)state;
    put_fat(0);
    assert_layout(IMAGE_LEN, "none 512\n0 0+8192 FAT");
    put_entry(0, 0, 0x80, 0x0B, 8, 8);
    assert_layout(IMAGE_LEN, "MBR 512\n1 8+8 unknown active");
}

static void
test_no_disk_image(void **state)
{
    static const char message[] =
        "no partition table and no Windows file system: "
        "not a disk image of Windows";

    (void)state;
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT, message);
    memset(image.data, 0x11, 512); /* the mark, but code in the table */
    put_mark(0);
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT, message);
    assert_refused(100, V2V_ERR_FORMAT,
                   "512 bytes at byte 0 are needed, but the disk has 100: "
                   "is the image truncated?");
    image.broken = true;
    assert_refused(IMAGE_LEN, V2V_ERR_INTERNAL, "cannot read");
}

static void
test_a_truncated_image(void **state)
{
    (void)state;
    put_entry(0, 0, 0x80, 0x07, 8, 100);
    put_entry(0, 1, 0, 0x07, 108, 0xFFFFFFFF);
    assert_layout(200 * 512, "MBR 512\n"
                             "1 8+100 unknown active\n"
                             "2 108+92 unknown");
    assert_refused(108 * 512, V2V_ERR_FORMAT,
                   "partition 2 starts at sector 108, but the disk has 108: "
                   "is the image truncated?");
}

static void
test_bad_chains_of_logical_partitions(void **state)
{
    (void)state;
    put_entry(0, 0, 0, 0x05, 100, 100);
    put_entry(100, 1, 0, 0x05, 50, 10);
    put_entry(150, 1, 0, 0x05, 0, 10); /* back to the first */
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "the chain of logical partitions at sector 100 has no end "
                   "within 256 links");
    put_entry(150, 0, 0, 0x07, 5, 10); /* the same partition again and again */
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "the chain of logical partitions at sector 100 has no end "
                   "within 256 links");
    put_entry(100, 0, 0, 0x07, 5, 10);
    put_entry(0, 1, 0, 0x07, 300, 10);
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT, "more than 256 partitions");
    put_entry(150, 1, 0, 0x05, 0x7FFFFFFF, 10);
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "logical partition 7: 512 bytes at byte 1099511678464 are "
                   "needed, but the disk has 4194304: is the image truncated?");
}

struct gpt_entry {
    uint8_t type[16];
    uint64_t first, last;
};

static const struct gpt_entry windows_disk[] = {
    { { 0xA4, 0xBB, 0x94, 0xDE, 0xD1, 0x06, 0x40, 0x4D, 0xA1, 0x6A, 0xBF, 0xD5,
        0x01, 0x79, 0xD6, 0xAC }, /* recovery */
      40,
      49 },
    { { 0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0,
        0xC9, 0x3E, 0xC9, 0x3B },
      50,
      59 },
    { { 0x16, 0xE3, 0xC9, 0xE3, 0x5C, 0x0B, 0xB8, 0x4D, 0x81, 0x7D, 0xF9, 0x2D,
        0xF0, 0x02, 0x15, 0xAE },
      60,
      69 },
    { { 0 }, 0, 0 }, /* unused: numbers have gaps */
    { { 0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6,
        0xB7, 0x26, 0x99, 0xC7 }, /* basic data */
      70,
      169 },
    { { 0xA0, 0x60, 0x9B, 0xAF, 0x31, 0x14, 0x62, 0x4F, 0xBC, 0x68, 0x33, 0x11,
        0x71, 0x4A, 0x69, 0xAD },
      170,
      170 },
    { { 0xAA, 0xC8, 0x08, 0x58, 0x8F, 0x7E, 0xE0, 0x42, 0x85, 0xD2, 0xE1, 0xE9,
        0x04, 0x34, 0xCF, 0xB3 },
      171,
      171 },
    { { 0x8F, 0xAF, 0x5C, 0xE7, 0x80, 0xF6, 0xEE, 0x4C, 0xAF, 0xA3, 0xB0, 0x01,
        0xE5, 0x6E, 0xFC, 0x2D },
      172,
      172 },
};

/* A header at sector @lba whose entries start at sector @table. */
static void
put_gpt(unsigned sector_size, uint64_t lba, uint64_t table)
{
    uint8_t *header = image.data + lba * sector_size;

    memcpy(header, "EFI PART", 8);
    put_le(header + 8, 4, 0x10000);
    put_le(header + 12, 4, 92);
    put_le(header + 24, 8, lba);
    put_le(header + 72, 8, table);
    put_le(header + 80, 4, 128);
    put_le(header + 84, 4, 128);
    put_le(header + 56, 8, 0xD15C);
    for (size_t i = 0; i < sizeof windows_disk / sizeof *windows_disk; i++) {
        uint8_t *p = image.data + table * sector_size + i * 128;

        memcpy(p, windows_disk[i].type, 16);
        put_le(p + 24, 8, 0xA000 + i);
        put_le(p + 32, 8, windows_disk[i].first);
        put_le(p + 40, 8, windows_disk[i].last);
    }
    image_seal_gpt(&image, lba * sector_size, sector_size);
}

static void
put_windows_disk(unsigned sector_size)
{
    uint64_t sectors = IMAGE_LEN / sector_size;

    put_entry(0, 0, 0, 0xEE, 1, 0xFFFFFFFF);
    put_gpt(sector_size, 1, 2);
    put_gpt(sector_size, sectors - 1, sectors - 33);
    put_oem(40 * sector_size, "NTFS    ");
    put_fat(50 * sector_size);
    put_oem(60 * sector_size, "NTFS    "); /* left from before */
    put_oem(70 * sector_size, "NTFS    ");
    put_oem(170 * sector_size, "NTFS    ");
}

static const char windows_disk_512[] = "GPT 512\n"
                                       "1 40+10 NTFS\n"
                                       "2 50+10 FAT esp\n"
                                       "3 60+10 Microsoft Reserved\n"
                                       "5 70+100 NTFS\n"
                                       "6 170+1 dynamic disk (LDM)\n"
                                       "7 171+1 dynamic disk (LDM)\n"
                                       "8 172+1 Storage Spaces";

static void
test_gpt(void **state)
{
    (void)state;
    put_windows_disk(512);
    assert_layout(IMAGE_LEN, windows_disk_512);
    assert_string_equal(warning, "");
}

/* By which Windows' boot configuration finds a disk and its partitions. */
static void
test_identities(void **state)
{
    V2V_AUTO(disk_layout) struct disk_layout gpt = { 0 };
    V2V_AUTO(disk_layout) struct disk_layout mbr = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    put_windows_disk(512);
    assert_int_equal(probe_sized(IMAGE_LEN, &gpt, &err), 0);
    assert_int_equal(v2v_get_le(gpt.id, 8), 0xD15C);
    assert_int_equal(v2v_get_le(gpt.volumes[0].guid + 8, 8), 0xA000);
    assert_int_equal(v2v_get_le(gpt.volumes[3].guid + 8, 8), 0xA004);

    memset(image.data, 0, 512);
    put_entry(0, 0, 0x80, 0x07, 63, 100);
    put_le(image.data + 440, 4, 0x0BADF00D);
    assert_int_equal(probe_sized(IMAGE_LEN, &mbr, &err), 0);
    assert_int_equal(v2v_get_le(mbr.id, 8), 0x0BADF00D);
    assert_true(v2v_is_zero(mbr.volumes[0].guid, 16));
}

static void
test_gpt_of_a_4k_native_disk(void **state)
{
    (void)state;
    put_windows_disk(4096);
    assert_layout(IMAGE_LEN, "GPT 4096\n"
                             "1 320+80 NTFS\n"
                             "2 400+80 FAT esp\n"
                             "3 480+80 Microsoft Reserved\n"
                             "5 560+800 NTFS\n"
                             "6 1360+8 dynamic disk (LDM)\n"
                             "7 1368+8 dynamic disk (LDM)\n"
                             "8 1376+8 Storage Spaces");
    image.data[4096 + 40]++; /* the primary header */
    image.data[70 * 4096 + 3]++;
    {
        V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
        struct v2v_error err = { 0 };

        assert_int_equal(probe_sized(IMAGE_LEN, &layout, &err), 0);
        assert_int_equal(layout.sector_size, 4096);
        assert_int_equal(layout.volumes[3].content, DISK_UNKNOWN);
    }
}

/* Whatever is wrong with the primary, the backup serves; with a damaged
 * backup the same damage refuses the disk. */
static void
test_damaged_gpt(void **state)
{
    static const struct {
        size_t offset; /* in the header; from 512 on in the entries */
        uint8_t bytes;
        uint64_t value;
        bool seal;
        const char *damage;
    } cases[] = {
        { 0, 1, 'e', false, "no header" },
        { 40, 1, 0xFF, false, "wrong checksum of the header" },
        { 12, 4, 91, false, "header of 91 bytes" },
        { 12, 4, 513, false, "header of 513 bytes" },
        { 24, 8, 3, true, "the header is meant for sector 3" },
        { 512 + 32, 1, 41, false, "wrong checksum of the entries" },
        { 84, 4, 64, true, "128 entries of 64 bytes" },
        { 84, 4, 192, true, "128 entries of 192 bytes" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *last = image.data + IMAGE_LEN - 512;
        char message[2000];

        memset(image.data, 0, IMAGE_LEN);
        put_windows_disk(512);
        put_le(image.data + 512 + cases[i].offset, cases[i].bytes,
               cases[i].value);
        if (cases[i].seal)
            image_seal_gpt(&image, 512, 512);
        warning[0] = '\0';
        assert_layout(IMAGE_LEN, windows_disk_512);
        snprintf(message, sizeof message,
                 "disk gpt-backup: the partition table is read from its "
                 "backup: %s",
                 cases[i].damage);
        assert_string_equal(warning, message);

        memset(last, 0, 512);
        snprintf(message, sizeof message,
                 "protective MBR, but no valid GPT: %s", cases[i].damage);
        assert_refused(IMAGE_LEN, V2V_ERR_FORMAT, message);
    }
}

static void
test_hostile_gpt(void **state)
{
    (void)state;
    put_entry(0, 0, 0, 0xEE, 1, 0xFFFFFFFF);
    put_gpt(512, 1, 2);
    put_le(image.data + 1024 + 40, 8, 39); /* ends before it starts */
    image_seal_gpt(&image, 512, 512);
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "partition 1 reaches from sector 40 to 39");

    put_le(image.data + 1024 + 32, 8, 0); /* its length is 2^64 */
    put_le(image.data + 1024 + 40, 8, UINT64_MAX);
    image_seal_gpt(&image, 512, 512);
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "partition 1 reaches from sector 0 to "
                   "18446744073709551615");

    put_le(image.data + 1024 + 32, 8, UINT64_MAX / 512 + 2); /* wraps */
    put_le(image.data + 1024 + 40, 8, UINT64_MAX - 1);
    image_seal_gpt(&image, 512, 512);
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "partition 1 starts at sector 36028797018963969, but the "
                   "disk has 8192: is the image truncated?");

    put_le(image.data + 512 + 80, 4, 0x2000001); /* times 128 wraps */
    put_le(image.data + 512 + 16, 4, 0);
    put_le(image.data + 512 + 16, 4, image_crc(image.data + 512, 92));
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "protective MBR, but no valid GPT: "
                   "33554433 entries of 128 bytes");

    put_le(image.data + 512 + 80, 4, 128);
    put_le(image.data + 512 + 72, 8, UINT64_MAX / 512 + 3);
    put_le(image.data + 512 + 16, 4, 0);
    put_le(image.data + 512 + 16, 4, image_crc(image.data + 512, 92));
    assert_refused(IMAGE_LEN, V2V_ERR_FORMAT,
                   "protective MBR, but no valid GPT: "
                   "entries beyond the disk's end");
}

static void
test_names_are_never_null(void **state)
{
    (void)state;
    for (int i = -1; i <= DISK_CONTENT_COUNT; i++)
        assert_non_null(disk_content_name((enum disk_content)i));
    assert_string_equal(disk_content_name(DISK_CONTENT_COUNT), "unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mbr_numbers_as_linux),
        TEST(test_an_extended_partition_may_be_blank),
        TEST(test_an_empty_table_is_a_table),
        TEST(test_contents),
        TEST(test_a_disk_without_a_table),
        TEST(test_fat_without_a_table),
        TEST(test_no_disk_image),
        TEST(test_a_truncated_image),
        TEST(test_bad_chains_of_logical_partitions),
        TEST(test_gpt),
        TEST(test_identities),
        TEST(test_gpt_of_a_4k_native_disk),
        TEST(test_damaged_gpt),
        TEST(test_hostile_gpt),
        TEST(test_names_are_never_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
