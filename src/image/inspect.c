/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/inspect.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "image/image.h"
#include "image/qemu-img.h"

/* A VMDK descriptor is some lines of text; QEMU reads 1 MiB of it at most.
 * No Windows disk is that small. */
#define DESCRIPTOR_MAX (UINT64_C(1) << 20)

struct magic {
    const char *format;
    unsigned offset;
    unsigned len;
    const char *bytes;
    bool in_tail;
    uint64_t size_max; /* 0: any */
};

static const struct magic magics[] = {
    { "qcow", 0, 8, "QFI\xfb\0\0\0\1", false, 0 },
    { "qcow2", 0, 4, "QFI\xfb", false, 0 },
    { "vmdk", 0, 4, "KDMV", false, 0 },
    { "vmdk", 0, 4, "COWD", false, 0 },
    { "vmdk", 0, 21, "# Disk DescriptorFile", false, DESCRIPTOR_MAX },
    { "vhdx", 0, 8, "vhdxfile", false, 0 },
    { "vdi", 64, 4, "\x7f\x10\xda\xbe", false, 0 },
    { "qed", 0, 4, "QED\0", false, 0 },
    { "parallels", 0, 16, "WithoutFreeSpace", false, 0 },
    { "parallels", 0, 16, "WithouFreSpacExt", false, 0 },
    { "luks", 0, 6, "LUKS\xba\xbe", false, 0 },
    { "vpc", 0, 8, "conectix", false, 0 }, /* dynamic: a copy in front */
    { "vpc", 0, 8, "conectix", true, 0 },  /* fixed: at the end only */
};

const char *
image_format_by_magic(const void *head, const void *tail, uint64_t size)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];
        const uint8_t *at = (m->in_tail ? tail : head);

        if (memcmp(at + m->offset, m->bytes, m->len) == 0 &&
            (m->size_max == 0 || size <= m->size_max))
            return m->format;
    }
    return NULL;
}

static int
read_at(int fd, uint64_t offset, uint8_t *buf, size_t len,
        struct v2v_error *err)
{
    memset(buf, 0, len);
    while (len > 0) {
        ssize_t n = pread(fd, buf, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return v2v_fail_errno(err, errno, "cannot read");
        if (n == 0)
            break;
        buf += n;
        len -= (size_t)n;
        offset += (size_t)n;
    }
    return 0;
}

/* What every bootable PC disk, with MBR, GPT or no table at all, has in its
 * first sector.  Without it a "raw" file is a text, an archive, a format
 * nobody here knows. */
static bool
has_boot_sector(const uint8_t *head)
{
    return (head[510] == 0x55 && head[511] == 0xaa) ||
           memcmp(head + 3, "NTFS    ", 8) == 0;
}

static uint64_t
be64(const uint8_t *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static int
refuse_chain(const char *what, const char *format, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_GUEST,
                    "the image has %s; make it one file first: qemu-img "
                    "convert -f %s -O qcow2 IMAGE NEW-IMAGE",
                    what, format);
}

/* Before QEMU opens it: until CVE-2024-4467 was fixed, QEMU opened the data
 * file that a header names even for qemu-img info, and the name may be any file
 * of this host.
 * Source: QEMU docs/interop/qcow2.txt: byte 8 backing_file_offset, byte 72
 * incompatible_features, bit 2 external data file. */
static int
check_qcow2_header(const uint8_t *head, struct v2v_error *err)
{
    uint32_t version = (uint32_t)(be64(head) & UINT32_MAX);

    if (be64(head + 8) != 0)
        return refuse_chain("a backing file", "qcow2", err);
    if (version >= 3 && (be64(head + 72) & 4) != 0)
        return refuse_chain("an external data file", "qcow2", err);
    return 0;
}

/* The format, and the checks that need no qemu-img. */
static int
find_format(int fd, const char *wanted, const char **ret, struct v2v_error *err)
{
    uint8_t head[IMAGE_HEAD_LEN], tail[IMAGE_TAIL_LEN] = { 0 };
    off_t size = lseek(fd, 0, SEEK_END);
    const char *format = wanted;

    if (size < 0)
        return v2v_fail_errno(err, errno, "cannot seek");
    if (read_at(fd, 0, head, sizeof head, err) < 0 ||
        (size >= IMAGE_TAIL_LEN && read_at(fd, (uint64_t)size - IMAGE_TAIL_LEN,
                                           tail, sizeof tail, err) < 0))
        return -1;
    if (format == NULL)
        format = image_format_by_magic(head, tail, (uint64_t)size);
    if (format == NULL)
        format = "raw";
    if (strcmp(format, "raw") == 0 && !has_boot_sector(head))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not a disk image: no known format, and no boot "
                        "sector as a raw disk has");
    if (strcmp(format, "qcow2") == 0 && check_qcow2_header(head, err) < 0)
        return -1;
    *ret = format;
    return 0;
}

/* Source of the names: qapi/block-core.json (ImageInfo, ImageInfoSpecific). */
static int
judge(json_t *info, const char *format, struct v2v_error *err)
{
    json_t *specific =
        json_object_get(json_object_get(info, "format-specific"), "data");
    const char *create_type =
        json_string_value(json_object_get(specific, "create-type"));
    size_t snapshots = json_array_size(json_object_get(info, "snapshots"));

    if (json_object_get(info, "backing-filename") != NULL)
        return refuse_chain("a backing file", format, err);
    if (json_object_get(specific, "data-file") != NULL)
        return refuse_chain("an external data file", format, err);
    if (json_is_true(json_object_get(info, "encrypted")))
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the image is encrypted, which is not supported");
    if (json_is_true(json_object_get(specific, "corrupt")))
        return v2v_fail(err, V2V_ERR_GUEST,
                        "the image is marked as corrupt; see qemu-img check");
    if (create_type != NULL && strcmp(create_type, "streamOptimized") == 0)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "a stream-optimized VMDK cannot be written; convert "
                        "it: qemu-img convert -f vmdk -O qcow2 IMAGE "
                        "NEW-IMAGE");
    if (snapshots > 0)
        v2v_fact("image",
                 "%zu internal snapshots: they stay as they are, so going "
                 "back to one undoes the injection",
                 snapshots);
    return 0;
}

static int
ask_qemu_img(const char *path, const char *format, struct v2v_error *err)
{
    const char *argv[] = { "info", "--output=json", "-f", format, path, NULL };
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
    json_t *info, *virtual_size;
    int rc;

    if (qemu_img(argv, &out, err) < 0)
        return -1;
    info = json_loadb((const char *)out.data, out.len, 0, NULL);
    virtual_size = json_object_get(info, "virtual-size");
    if (json_integer_value(virtual_size) <= 0) { /* 0: no integer */
        json_decref(info);
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "qemu-img info tells no size of the disk");
    }
    rc = judge(info, format, err);
    json_decref(info);
    return rc;
}

int
inspect_image(int fd, const char *path, const char *wanted, char **format,
              struct v2v_error *err)
{
    const char *found = NULL;
    V2V_AUTO(mem) char *copy = NULL;

    if (find_format(fd, wanted, &found, err) < 0)
        return -1;
    copy = v2v_strdup(found, err);
    if (copy == NULL || ask_qemu_img(path, found, err) < 0)
        return -1;
    v2v_fact("image", "format %s%s", found,
             wanted == NULL ? ", by its content" : ", as given");
    *format = v2v_steal(copy);
    return 0;
}
