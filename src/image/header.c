/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/header.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

int
header_read(int fd, uint64_t offset, void *buf, size_t len,
            struct v2v_error *err)
{
    uint8_t *at = buf;

    memset(buf, 0, len);
    while (len > 0) {
        ssize_t n = pread(fd, at, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return v2v_fail_errno(err, errno, "cannot read");
        if (n == 0)
            break;
        at += n;
        len -= (size_t)n;
        offset += (size_t)n;
    }
    return 0;
}

int
header_load(int fd, struct header *ret, struct v2v_error *err)
{
    off_t size = lseek(fd, 0, SEEK_END);

    if (size < 0)
        return v2v_fail_errno(err, errno, "cannot seek");
    *ret = (struct header){ .fd = fd, .size = (uint64_t)size };
    if (header_read(fd, 0, ret->head, sizeof ret->head, err) < 0 ||
        (size >= IMAGE_TAIL_LEN &&
         header_read(fd, ret->size - IMAGE_TAIL_LEN, ret->tail,
                     sizeof ret->tail, err) < 0))
        return -1;
    return 0;
}

int
header_refuse_chain(enum header_chain what, const char *format,
                    struct v2v_error *err)
{
    static const struct {
        const char *finding, *text;
    } chains[] = {
        [HEADER_BACKING_FILE] = { "backing-file", "a backing file" },
        [HEADER_DATA_FILE] = { "data-file", "an external data file" },
    };

    return v2v_refuse(err, V2V_ERR_GUEST, chains[what].finding,
                      "the image has %s; make it one file first: qemu-img "
                      "convert -f %s -O qcow2 IMAGE NEW-IMAGE",
                      chains[what].text, format);
}

/* Of formats whose differencing disks QEMU cannot read at all. */
static int
refuse_difference(const char *advice, struct v2v_error *err)
{
    return v2v_refuse(err, V2V_ERR_GUEST, "backing-file",
                      "the image holds only the changes to a parent disk (a "
                      "checkpoint or snapshot); make it one file first: %s",
                      advice);
}

static uint64_t
get_be(const uint8_t *p, size_t len)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++)
        v = v << 8 | p[i];
    return v;
}

/* Until CVE-2024-4467 was fixed, QEMU opened the data file that a header names
 * even for qemu-img info, and the name may be any file of this host.  Byte 8:
 * backing_file_offset, of version 1 too; byte 72: incompatible_features, bit 2
 * of them an external data file. */
static int
check_qcow2(const struct header *header, struct v2v_error *err)
{
    if (get_be(header->head + 8, 8) != 0)
        return header_refuse_chain(HEADER_BACKING_FILE, "qcow2", err);
    if (get_be(header->head + 4, 4) >= 3 &&
        (get_be(header->head + 72, 8) & 4) != 0)
        return header_refuse_chain(HEADER_DATA_FILE, "qcow2", err);
    return 0;
}

/* QEMU 7.2 does not look at the type: a footer in front makes a VHD a dynamic
 * one, and what a differencing disk has in its parent reads as zeroes. */
static int
check_vpc(const struct header *header, struct v2v_error *err)
{
    enum { FIXED = 2, DYNAMIC = 3, DIFFERENCING = 4 };
    bool in_front = memcmp(header->head, "conectix", 8) == 0;
    uint64_t type = get_be((in_front ? header->head : header->tail) + 60, 4);

    if (type == DIFFERENCING)
        return refuse_difference("Hyper-V's Merge-VHD, or Convert-VHD", err);
    if (type != (in_front ? DYNAMIC : FIXED))
        return v2v_fail(err, V2V_ERR_FORMAT,
                        "the VHD's footer at its %s tells a wrong type",
                        in_front ? "start" : "end");
    return 0;
}

/* QEMU 7.2 looks at the UUIDs, not at the type. */
static int
check_vdi(const struct header *header, struct v2v_error *err)
{
    enum { NORMAL = 1, FIXED = 2, UNDO = 3, DIFFERENCE = 4 };
    uint64_t type = v2v_get_le(header->head + 76, 4);
    const uint8_t *link = header->head + 0x1a8, *parent = header->head + 0x1b8;

    if (type == UNDO || type == DIFFERENCE || !v2v_is_zero(link, 16) ||
        !v2v_is_zero(parent, 16))
        return refuse_difference("VBoxManage clonemedium", err);
    if (type != NORMAL && type != FIXED)
        return v2v_fail(err, V2V_ERR_FORMAT, "a VDI of an unknown type");
    return 0;
}

/* The two tables of a VHDX: entries of 32 bytes that start with a GUID. */
static bool
find_vhdx_entry(int fd, uint64_t first, uint64_t count, const char *guid,
                uint8_t entry[32])
{
    static const uint64_t most = 2047; /* [MS-VHDX] 2.2.3.1 and 2.6.1.1 */

    for (uint64_t i = 0; i < count && i < most; i++)
        if (header_read(fd, first + 32 * i, entry, 32, NULL) == 0 &&
            memcmp(entry, guid, 16) == 0)
            return true;
    return false;
}

/* QEMU 7.2 refuses it as "Invalid argument".  What cannot be found here is
 * left to QEMU, too. */
static int
check_vhdx(const struct header *header, struct v2v_error *err)
{
    /* 8B7CA206-4790-4B9A-B8FE-575F050F886E,
     * CAA16737-FA36-4D43-B3B6-33F0AA44E76B
     */
    static const char metadata_region[] =
        "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e";
    static const char file_parameters[] =
        "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b";
    static const uint64_t regions = 192 << 10;
    enum { HAS_PARENT = 2 };
    uint8_t head[32], entry[32], parameters[8];
    uint64_t metadata;

    if (header_read(header->fd, regions, head, sizeof head, err) < 0)
        return -1;
    if (!find_vhdx_entry(header->fd, regions + 16, v2v_get_le(head + 8, 4),
                         metadata_region, entry))
        return 0;
    metadata = v2v_get_le(entry + 16, 8);
    if (metadata > header->size ||
        header_read(header->fd, metadata, head, sizeof head, NULL) < 0 ||
        !find_vhdx_entry(header->fd, metadata + 32, v2v_get_le(head + 10, 2),
                         file_parameters, entry) ||
        header_read(header->fd, metadata + v2v_get_le(entry + 16, 4),
                    parameters, sizeof parameters, NULL) < 0)
        return 0;
    if ((v2v_get_le(parameters + 4, 4) & HAS_PARENT) != 0)
        return refuse_difference("Hyper-V's Merge-VHD, or Convert-VHD", err);
    return 0;
}

int
header_check(const struct header *header, const char *format,
             struct v2v_error *err)
{
    static const struct {
        const char *format;
        int (*check)(const struct header *header, struct v2v_error *err);
    } checks[] = {
        { "qcow", check_qcow2 }, { "qcow2", check_qcow2 }, { "vpc", check_vpc },
        { "vdi", check_vdi },    { "vhdx", check_vhdx },
    };

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (strcmp(checks[i].format, format) == 0)
            return checks[i].check(header, err);
    return 0;
}
