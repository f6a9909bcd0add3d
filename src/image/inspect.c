/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/inspect.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/log.h"
#include "image/header.h"
#include "image/image.h"
#include "image/qemu-img.h"
#include "image/vmdk.h"

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
    { "vmdk", 0, 21, "# Disk DescriptorFile", false, VMDK_DESCRIPTOR_MAX },
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

/* What every bootable PC disk, with MBR, GPT or no table at all, has in its
 * first sector.  Without it a "raw" file is a text, an archive, a format
 * nobody here knows. */
static bool
has_boot_sector(const uint8_t *head)
{
    return (head[510] == 0x55 && head[511] == 0xaa) ||
           memcmp(head + 3, "NTFS    ", 8) == 0;
}

/* The formats we take; inspect.h has the table for people. */
static const struct format {
    const char *name;
    const char *copy_only;
} formats[] = {
    { "raw", NULL },  { "qcow2", NULL }, { "vpc", NULL },
    { "vhdx", NULL }, { "vdi", NULL },   { "vmdk", NULL },
    { "qcow", NULL }, { "qed", NULL },   { "parallels", "a Parallels image" },
    { "luks", NULL }, /* refused as encrypted, which says more */
};

const char *
image_format_name(size_t i)
{
    return i < sizeof formats / sizeof *formats ? formats[i].name : NULL;
}

static const struct format *
format_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

static int
find_format(const struct header *header, const char *wanted,
            struct image_info *info, struct v2v_error *err)
{
    const struct format *format;
    const char *name = wanted;

    if (name == NULL)
        name = image_format_by_magic(header->head, header->tail, header->size);
    format = format_by_name(name != NULL ? name : "raw");
    if (format == NULL)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "images of format %s are not supported", name);
    info->format = format->name;
    info->probed_raw = name == NULL;
    info->copy_only = format->copy_only;
    if (strcmp(info->format, "raw") == 0 && !has_boot_sector(header->head))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "not a disk image: no known format, and no boot "
                        "sector as a raw disk has");
    return 0;
}

/* The other formats' growth would have to be known as qcow2's is. */
static int
check_device(int fd, struct image_info *info, bool *is_device,
             struct v2v_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return v2v_fail_errno(err, errno, "fstat");
    *is_device = S_ISBLK(st.st_mode);
    if (*is_device && strcmp(info->format, "raw") != 0 &&
        strcmp(info->format, "qcow2") != 0)
        info->copy_only =
            "a block device with another format than raw and qcow2";
    return 0;
}

static int
check_use(const struct image_info *info, enum image_use use,
          struct v2v_error *err)
{
    if (use == IMAGE_IN_PLACE && info->copy_only != NULL)
        return v2v_refuse(err, V2V_ERR_GUEST, "image-kind",
                          "%s cannot be worked on in place; --output NEW.qcow2 "
                          "makes a copy",
                          info->copy_only);
    return 0;
}

/* All that needs no QEMU. */
static int
check_headers(const struct header *header, const char *path, const char *wanted,
              struct image_info *info, struct v2v_error *err)
{
    if (find_format(header, wanted, info, err) < 0 ||
        header_check(header, info->format, err) < 0 ||
        v2v_strings_add(&info->files, path, err) < 0)
        return -1;
    if (strcmp(info->format, "vmdk") != 0)
        return 0;
    return vmdk_find_files(header, path, &info->files, &info->copy_only, err);
}

V2V_AUTO_DEFINE(json, json_t *, json_decref)

/* One run of qemu-img and what it says, NULL and @err. */
static json_t *
ask_qemu_img(const char *verb, const char *path, const char *format,
             struct v2v_error *err)
{
    const char *argv[] = { verb, "--output=json", "-f", format, path, NULL };
    V2V_AUTO(bytes) struct v2v_bytes out = { 0 };
    json_t *said;

    if (qemu_img(argv, &out, err) < 0)
        return NULL;
    said = json_loadb((const char *)out.data, out.len, 0, NULL);
    if (said == NULL)
        v2v_error_set(err, V2V_ERR_FORMAT, "qemu-img %s says no JSON", verb);
    return said;
}

/* Did QEMU read the same names out of a VMDK?  If not, a descriptor means
 * something else to it than to us. */
static int
check_extents(json_t *extents, const struct image_info *info,
              struct v2v_error *err)
{
    size_t first = info->files.count > 1 ? 1 : 0;
    size_t count = json_array_size(extents);
    bool same = count == info->files.count - first;

    for (size_t i = 0; same && i < count; i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(extents, i), "filename"));

        same = name != NULL && strcmp(name, info->files.items[first + i]) == 0;
    }
    if (!same)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "QEMU takes other files for the extents of this VMDK");
    return 0;
}

static int
list_snapshots(json_t *snapshots, struct image_info *info,
               struct v2v_error *err)
{
    for (size_t i = 0; i < json_array_size(snapshots); i++) {
        const char *name = json_string_value(
            json_object_get(json_array_get(snapshots, i), "name"));
        struct v2v_strings *names = &info->snapshots;

        if (v2v_strings_add(names, name != NULL ? name : "", err) < 0)
            return -1;
        v2v_make_printable(names->items[names->count - 1]);
    }
    if (info->snapshots.count > 0)
        v2v_fact("image",
                 "%zu internal snapshots: they stay as they are, so going "
                 "back to one undoes the injection",
                 info->snapshots.count);
    return 0;
}

/* Source of the names: qapi/block-core.json (ImageInfo, ImageInfoSpecific). */
static int
judge(json_t *said, struct image_info *info, struct v2v_error *err)
{
    json_t *specific =
        json_object_get(json_object_get(said, "format-specific"), "data");

    if (json_object_get(said, "backing-filename") != NULL)
        return header_refuse_chain(HEADER_BACKING_FILE, info->format, err);
    if (json_object_get(specific, "data-file") != NULL)
        return header_refuse_chain(HEADER_DATA_FILE, info->format, err);
    if (json_is_true(json_object_get(said, "encrypted")))
        return v2v_refuse(err, V2V_ERR_GUEST, "image-encrypted",
                          "the image is encrypted, which is not supported");
    if (json_is_true(json_object_get(specific, "corrupt")))
        return v2v_refuse(err, V2V_ERR_GUEST, "image-corrupt",
                          "the image is marked as corrupt; see qemu-img check");
    if (strcmp(info->format, "vmdk") == 0 &&
        check_extents(json_object_get(specific, "extents"), info, err) < 0)
        return -1;
    return list_snapshots(json_object_get(said, "snapshots"), info, err);
}

/* What QEMU says needs an answer.  An overlay's backing file is opened
 * read-only, so that nothing of ours would replay the log. */
static int
fail_as_qemu(const struct v2v_error *why, const char *path,
             struct v2v_error *err)
{
    if (strstr(why->text, "contains a log that needs to be replayed") != NULL)
        return v2v_refuse(err, V2V_ERR_GUEST, "vhdx-log",
                          "the VHDX was not closed properly: its log has to be "
                          "replayed; start and shut down its machine, or: "
                          "qemu-img check -r all '%s'",
                          path);
    return v2v_fail(err, why->code, "%s", why->text);
}

static int
check_info(const char *path, struct image_info *info, struct v2v_error *err)
{
    struct v2v_error why = { 0 };
    V2V_AUTO(json) json_t *said =
        ask_qemu_img("info", path, info->format, &why);
    json_int_t size = json_integer_value(json_object_get(said, "virtual-size"));

    if (said == NULL)
        return fail_as_qemu(&why, path, err);
    if (size <= 0) /* 0: no integer */
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "qemu-img info tells no size of the disk");
    info->virtual_size = (uint64_t)size;
    if (strcmp(info->format, "qcow2") == 0)
        info->cluster_size =
            (uint64_t)json_integer_value(json_object_get(said, "cluster-size"));
    return judge(said, info, err);
}

/* A block device does not grow: a commit that needs more ends in its middle
 * (seen).  Leaked clusters are an error for qemu-img check, too. */
static int
find_room(const struct header *header, const char *path,
          struct image_info *info, struct v2v_error *err)
{
    V2V_AUTO(json) json_t *said = ask_qemu_img("check", path, "qcow2", err);
    json_int_t end =
        json_integer_value(json_object_get(said, "image-end-offset"));

    if (said == NULL)
        return v2v_fail_in(err, "a qcow2 on a block device has to be free of "
                                "faults (qemu-img check -r leaks)");
    if (end <= 0)
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "qemu-img check tells no end of the image");
    info->room =
        (uint64_t)end < header->size ? header->size - (uint64_t)end : 0;
    return 0;
}

static int
inspect_steps(int fd, const char *path, const char *wanted, enum image_use use,
              struct image_info *info, struct v2v_error *err)
{
    struct header header;
    bool is_device = false;

    info->room = UINT64_MAX;
    if (header_load(fd, &header, err) < 0 ||
        check_headers(&header, path, wanted, info, err) < 0 ||
        check_device(fd, info, &is_device, err) < 0 ||
        check_use(info, use, err) < 0 || check_info(path, info, err) < 0)
        return -1;
    if (is_device && use == IMAGE_IN_PLACE &&
        strcmp(info->format, "qcow2") == 0)
        return find_room(&header, path, info, err);
    return 0;
}

/* What has no name of its own.  Damage is "image-unreadable" whether it is QEMU
 * that finds it or we; what else there is to refuse is a kind of image. */
static int
name_refusal(struct v2v_error *err)
{
    if (err == NULL || err->finding != NULL)
        return -1;
    if (err->code == V2V_ERR_GUEST)
        v2v_error_name(err, "image-kind");
    else if (err->code == V2V_ERR_FORMAT)
        v2v_error_name(err, "image-unreadable");
    return -1;
}

int
inspect_image(int fd, const char *path, const char *wanted, enum image_use use,
              struct image_info *ret, struct v2v_error *err)
{
    V2V_AUTO(image_info) struct image_info info = { 0 };

    if (inspect_steps(fd, path, wanted, use, &info, err) < 0)
        return name_refusal(err);
    v2v_fact("image", "format %s%s", info.format,
             wanted == NULL ? ", by its content" : ", as given");
    if (info.files.count > 1)
        v2v_fact("image", "in %zu files", info.files.count);
    *ret = info;
    info = (struct image_info){ 0 };
    return 0;
}

void
image_info_done(struct image_info *info)
{
    v2v_strings_done(&info->files);
    v2v_strings_done(&info->snapshots);
    *info = (struct image_info){ 0 };
}
