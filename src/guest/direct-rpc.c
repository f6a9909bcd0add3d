/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/direct-rpc.h"

#include "guest/guest.h"

enum {
    /* 32767 UTF-16 units are the longest path of Windows, 255 the longest name
     * of NTFS; three bytes each in UTF-8.  Source: Microsoft, "Maximum Path
     * Length Limitation". */
    PATH_LEN = 32767 * 3,
    NAME_LEN = 255 * 3,
    /* of a security descriptor: no attribute of $Secure is longer */
    SD_LEN = 256 << 10,
    NAMES_LEN = GUEST_LIST_MAX * (NAME_LEN + 1)
};

#define PATH RPC_TEXT(PATH_LEN)
#define NAME RPC_TEXT(NAME_LEN)
#define DATA RPC_DATA(DIRECT_CHUNK)
#define SD RPC_DATA(SD_LEN)

static const struct rpc_rule rules[DIRECT_OPS] = {
    [DIRECT_HELLO] = { "opening the disk", { 0 }, { 1, { { 0 } } } },
    [DIRECT_DISK_READ] = { "reading the disk",
                           { 2, { { 0 } } },
                           { 0, { DATA } } },
    [DIRECT_MOUNT] = { "mounting the volume", { 5, { { 0 } } }, { 0 } },
    [DIRECT_UNMOUNT] = { "unmounting the volume", { 0 }, { 0 } },
    [DIRECT_FREE_SPACE] = { "counting free space", { 0 }, { 1, { { 0 } } } },
    [DIRECT_LOOKUP] = { "looking up a name",
                        { 0, { PATH, NAME } },
                        { 3, { NAME } } },
    [DIRECT_LIST] = { "listing a directory",
                      { 0, { PATH } },
                      { 0, { RPC_DATA(NAMES_LEN) } } },
    [DIRECT_READ] = { "reading a file", { 2, { PATH } }, { 0, { DATA } } },
    [DIRECT_DESCRIPTOR] = { "reading a security descriptor",
                            { 0, { PATH } },
                            { 0, { SD } } },
    [DIRECT_MAKE] = { "making a file", { 1, { PATH, DATA, SD } }, { 0 } },
    [DIRECT_WRITE_AT] = { "writing a file", { 1, { PATH, DATA } }, { 0 } },
    [DIRECT_TRUNCATE] = { "shortening a file", { 1, { PATH } }, { 0 } },
    [DIRECT_CLOSE] = { "closing the disk", { 0 }, { 0 } },
};

/* Those that mounting can lead to (check/codes.c). */
static const char *const findings[] = { "fast-startup", "hibernated",
                                        "journal-v2",   "journal-unclean",
                                        "volume-dirty", NULL };

const struct rpc_protocol direct_protocol = { rules, DIRECT_OPS, findings };
