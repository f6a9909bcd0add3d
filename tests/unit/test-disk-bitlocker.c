/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk/bitlocker.h, on blocks made by hand and on what fixtures/mkbitlocker
 * makes, which other programs can read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk/bitlocker.h"
#include "test-disk-image.h"
#include "test-tools.h"

enum {
    VOLUME = 4096, /* where it starts; a disk has something before it */
    IMAGE_LEN = 1 << 20,
    VOLUME_LEN = IMAGE_LEN - VOLUME,
    BLOCKS = 176, /* in the volume header */
    SIZE = 64,
    SIZE_COPY = 76,
    ENTRIES = 112
};

static const uint64_t places[3] = { 65536, 196608, 327680 };

static struct image image;

static uint8_t *
block(size_t n)
{
    return image.data + VOLUME + places[n];
}

static void
set_size(uint8_t *at, size_t size)
{
    put_le(at + SIZE, 4, size);
    put_le(at + SIZE_COPY, 4, size);
}

/* A block without entries. */
static void
make_block(uint8_t *at)
{
    memcpy(at, "-FVE-FS-", 8);
    put_le(at + 10, 2, 2);
    put_le(at + 68, 4, 1);
    put_le(at + 72, 4, 48);
    set_size(at, 48);
}

static int
set_up(void **state)
{
    (void)state;
    image = (struct image){ calloc(1, IMAGE_LEN), IMAGE_LEN, false };
    if (image.data == NULL)
        return -1;
    memcpy(image.data + VOLUME, "\xeb\x58\x90-FVE-FS-", 11);
    for (size_t i = 0; i < 3; i++) {
        put_le(image.data + VOLUME + BLOCKS + 8 * i, 8, places[i]);
        make_block(block(i));
    }
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    free(image.data);
    return 0;
}

/* Adds an entry of @len bytes to a block: where it is. */
static uint8_t *
add_entry(uint8_t *at, unsigned type, unsigned value_type, size_t len)
{
    size_t size = get_le(at + SIZE, 4);
    uint8_t *entry = at + 64 + size;

    put_le(entry, 2, len);
    put_le(entry + 2, 2, type);
    put_le(entry + 4, 2, value_type);
    put_le(entry + 6, 2, 1);
    set_size(at, size + len);
    return entry;
}

static void
add_key(uint8_t *at, unsigned protection)
{
    put_le(add_entry(at, 2, 8, 80) + 8 + 26, 2, protection);
}

static void
is(enum bitlocker_state state, const char *protectors)
{
    const struct disk_reader disk = { image_read, &image, IMAGE_LEN };
    struct bitlocker found = { 0 };
    struct v2v_error err = { 0 };

    if (bitlocker_read(&disk, VOLUME, VOLUME_LEN, &found, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(found.protectors, protectors);
    assert_int_equal(found.state, state);
}

static void
test_protectors(void **state)
{
    static const struct {
        unsigned types[4];
        size_t count;
        enum bitlocker_state state;
        const char *protectors;
    } cases[] = {
        { { 0x0100 }, 1, BITLOCKER_LOCKED, "TPM" },
        { { 0x0800, 0x0100, 0x0800 },
          3,
          BITLOCKER_LOCKED,
          "TPM, recovery password" },
        { { 0x0800, 0 },
          2,
          BITLOCKER_CLEAR_KEY,
          "clear key, recovery password" },
        { { 0 }, 1, BITLOCKER_CLEAR_KEY, "clear key" },
        { { 0x2000, 0x0200, 0x0500, 0x1000 },
          4,
          BITLOCKER_LOCKED,
          "startup key, TPM and PIN, password, smart card" },
        { { 0x7777, 0x0100 }, 2, BITLOCKER_LOCKED, "TPM, another key" },
        { { 0 }, 0, BITLOCKER_UNKNOWN, "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tear_down(state);
        set_up(state);
        /* what is not a master key has no protection */
        memset(add_entry(block(0), 7, 2, 48) + 8, 0, 40);
        memset(add_entry(block(0), 3, 5, 80) + 8, 0, 72);
        for (size_t k = 0; k < cases[i].count; k++)
            add_key(block(0), cases[i].types[k]);
        is(cases[i].state, cases[i].protectors);
    }
}

/* The first sound one counts, wherever it is. */
static void
test_copies(void **state)
{
    (void)state;
    add_key(block(0), 0x0100);
    add_key(block(1), 0);
    add_key(block(2), 0x0800);
    is(BITLOCKER_LOCKED, "TPM");
    memset(block(0), 0xff, 512);
    is(BITLOCKER_CLEAR_KEY, "clear key");
    memset(image.data + VOLUME + BLOCKS + 8, 0xff, 8);
    is(BITLOCKER_LOCKED, "recovery password");
    put_le(image.data + VOLUME + BLOCKS + 16, 8, VOLUME_LEN - 64);
    is(BITLOCKER_UNKNOWN, "");
}

/* Each would be a clear key if it was not for what is changed in the block. */
static void
test_what_is_no_block(void **state)
{
    static const struct {
        size_t offset, len;
        uint64_t value;
    } cases[] = {
        { 0, 1, 'X' },         /* the signature */
        { 10, 2, 1 },          /* Windows Vista's */
        { 68, 4, 2 },          /* the metadata's version */
        { 72, 4, 49 },         /* its header's size */
        { SIZE, 4, 129 },      /* unlike its copy */
        { ENTRIES, 2, 7 },     /* the entry: smaller than its header */
        { ENTRIES, 2, 35 },    /* too small for a master key */
        { ENTRIES, 2, 81 },    /* beyond the end of the entries */
        { ENTRIES, 2, 0 },     /* the end of the entries */
        { ENTRIES + 2, 2, 3 }, /* another type */
        { ENTRIES + 4, 2, 5 }, /* of value, too */
    };

    add_key(block(0), 0);
    is(BITLOCKER_CLEAR_KEY, "clear key");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tear_down(state);
        set_up(state);
        add_key(block(0), 0);
        put_le(block(0) + cases[i].offset, (unsigned)cases[i].len,
               cases[i].value);
        is(BITLOCKER_UNKNOWN, "");
    }
}

/* Sizes of all, up to where a block could not end in its room or the volume. */
static void
test_sizes(void **state)
{
    const struct disk_reader disk = { image_read, &image, IMAGE_LEN };
    struct bitlocker found = { 0 };

    (void)state;
    add_key(block(0), 0);
    set_size(block(0), 65536 - 64);
    is(BITLOCKER_CLEAR_KEY, "clear key");
    set_size(block(0), 65536 - 63);
    is(BITLOCKER_UNKNOWN, "");
    set_size(block(0), UINT32_MAX);
    is(BITLOCKER_UNKNOWN, "");
    set_size(block(0), 47);
    is(BITLOCKER_UNKNOWN, "");
    /* a volume that ends in the last entry, and one that is no volume */
    set_size(block(0), 128);
    assert_int_equal(
        bitlocker_read(&disk, VOLUME, places[0] + 64 + 127, &found, NULL), 0);
    assert_int_equal(found.state, BITLOCKER_UNKNOWN);
    assert_int_equal(
        bitlocker_read(&disk, VOLUME, places[0] + 64 + 128, &found, NULL), 0);
    assert_int_equal(found.state, BITLOCKER_CLEAR_KEY);
    assert_int_equal(bitlocker_read(&disk, VOLUME, 100, &found, NULL), 0);
    assert_int_equal(found.state, BITLOCKER_UNKNOWN);
}

static void
test_disk_that_cannot_be_read(void **state)
{
    const struct disk_reader disk = { image_read, &image, IMAGE_LEN };
    struct bitlocker found = { .state = BITLOCKER_CLEAR_KEY };
    struct v2v_error err = { 0 };

    (void)state;
    image.broken = true;
    assert_int_equal(bitlocker_read(&disk, VOLUME, VOLUME_LEN, &found, &err),
                     -1);
    assert_string_equal(err.text, "cannot read");
    assert_int_equal(found.state, BITLOCKER_CLEAR_KEY); /* untouched */
}

/* Entries in entries, as real ones are. */
static void
test_made_by_the_fixture(void **state)
{
    static const struct {
        const char *arguments;
        enum bitlocker_state state;
        const char *protectors;
    } cases[] = {
        { "tpm recovery-password", BITLOCKER_LOCKED, "TPM, recovery password" },
        { "--damage 2 tpm clear-key", BITLOCKER_CLEAR_KEY, "clear key, TPM" },
        { "--damage 3 clear-key", BITLOCKER_UNKNOWN, "" },
        { "--version 1 clear-key", BITLOCKER_UNKNOWN, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *make =
            v2v_format(NULL, SOURCE_DIR "/fixtures/mkbitlocker disk %s",
                       cases[i].arguments);
        V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/disk", top);
        V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
        V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
        struct image made;
        struct disk_reader disk = { image_read, &made, 0 };
        struct bitlocker found = { 0 };

        assert_true(run(make));
        assert_int_equal(v2v_file_read(path, 16 << 20, &bytes, NULL), 0);
        made = (struct image){ bytes.data, bytes.len, false };
        disk.size = bytes.len;
        assert_int_equal(disk_probe(&disk, &layout, NULL), 0);
        assert_int_equal(layout.count, 1);
        assert_int_equal(layout.volumes[0].content, DISK_BITLOCKER);
        assert_int_equal(bitlocker_read(&disk, layout.volumes[0].offset,
                                        layout.volumes[0].len, &found, NULL),
                         0);
        assert_int_equal(found.state, cases[i].state);
        assert_string_equal(found.protectors, cases[i].protectors);
    }
}

/* Who needs another machine's TPM, and by what a key is known. */
static void
test_names_and_tpm(void **state)
{
    static const struct {
        unsigned protections[3];
        size_t count;
        bool needs_tpm, has_recovery;
    } cases[] = {
        { { 0x0100, 0x0800 }, 2, true, true },
        { { 0x0500, 0x0800 }, 2, true, true },
        { { 0x0100 }, 1, true, false },
        { { 0x0800 }, 1, false, true },
        { { 0x0100, 0x0800, 0x2000 }, 3, false, true },
        { { 0x0100, 0x0200 }, 2, false, false },
        { { 0x0100, 0x0800, 0 }, 3, false, true }, /* suspended */
        { { 0x0100, 0x7777 }, 2, false, false },
    };
    const struct disk_reader disk = { image_read, &image, IMAGE_LEN };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bitlocker found = { 0 };

        tear_down(state);
        assert_int_equal(set_up(state), 0);
        for (size_t k = 0; k < cases[i].count; k++)
            add_key(block(0), cases[i].protections[k]);
        assert_int_equal(
            bitlocker_read(&disk, VOLUME, VOLUME_LEN, &found, NULL), 0);
        assert_int_equal(found.needs_tpm, cases[i].needs_tpm);
        assert_int_equal(found.recovery.text[0] != '\0', cases[i].has_recovery);
        assert_int_equal(found.id_count, cases[i].count);
    }
}

static void
test_ids(void **state)
{
    const struct bitlocker volume = {
        .volume = { "e9726fab-7656-4bc5-bb9e-adf115953328" },
        .ids = { { "3fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0c" } },
        .id_count = 1
    };

    (void)state;
    assert_true(
        bitlocker_has_id(&volume, "E9726FAB-7656-4bc5-bb9e-adf115953328"));
    assert_true(
        bitlocker_has_id(&volume, "{3FD763F9-74C7-4E90-8FA2-1F6A2E2B4E0C}"));
    assert_false(
        bitlocker_has_id(&volume, "4fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0c"));
    assert_false(bitlocker_has_id(&volume, ""));
    assert_false(bitlocker_has_id(&(struct bitlocker){ 0 }, ""));
    assert_true(bitlocker_is_id("3fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0c"));
    assert_true(bitlocker_is_id("{3fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0c}"));
    assert_false(bitlocker_is_id("{3fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0c"));
    assert_false(bitlocker_is_id("3fd763f9-74c7-4e90-8fa2+1f6a2e2b4e0c"));
    assert_false(bitlocker_is_id("3fd763f9-74c7-4e90-8fa2-1f6a2e2b4e0g"));
    assert_false(bitlocker_is_id("/dev/sda2"));
}

/* Real volumes, which Windows made, with what cryptsetup's tests say of them:
 * fixtures/bitlk-images. */
static void
check_real_volume(const char *folder, const char *name, const char *guid,
                  const char *recovery)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/%s.img", folder, name);
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct image made;
    struct disk_reader disk = { image_read, &made, 0 };
    struct bitlocker found = { 0 };

    assert_int_equal(v2v_file_read(path, 256 << 20, &bytes, NULL), 0);
    made = (struct image){ bytes.data, bytes.len, false };
    disk.size = bytes.len;
    assert_int_equal(disk_probe(&disk, &layout, NULL), 0);
    if (layout.volumes[0].content != DISK_BITLOCKER)
        return; /* BitLocker To Go, which looks like FAT */
    assert_int_equal(bitlocker_read(&disk, 0, disk.size, &found, NULL), 0);
    print_message("%s: %s\n", name, found.protectors);
    assert_string_equal(found.volume.text, guid);
    assert_string_equal(found.recovery.text, recovery);
    assert_null(strstr(found.protectors, "another key"));
    assert_false(found.needs_tpm);
}

static void
test_real_volumes(void **state)
{
    const char *folder = getenv("V2V_BITLK_IMAGES");
    char path[4096], line[256], name[100] = "", guid[100] = "", recovery[100];
    size_t count = 0;
    FILE *conf;

    (void)state;
    if (folder == NULL)
        skip();
    snprintf(path, sizeof path, "%s/images.conf", folder);
    conf = fopen(path, "re");
    assert_non_null(conf);
    while (fgets(line, sizeof line, conf) != NULL) {
        sscanf(line, "[%99[^]]", name);
        sscanf(line, "GUID=%99s", guid);
        if (sscanf(line, "RP_VMK_GUID=%99s", recovery) != 1)
            continue;
        check_real_volume(folder, name, guid, recovery);
        count++;
    }
    fclose(conf);
    assert_true(count > 10);
}

#define ON_IMAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_IMAGE(test_protectors),
        ON_IMAGE(test_copies),
        ON_IMAGE(test_what_is_no_block),
        ON_IMAGE(test_sizes),
        ON_IMAGE(test_disk_that_cannot_be_read),
        ON_IMAGE(test_names_and_tpm),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_real_volumes),
        cmocka_unit_test(test_made_by_the_fixture),
    };

    return cmocka_run_group_tests(tests, make_top, remove_top);
}
