/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * guest/direct-rpc.h - what the process that reads the file system is asked
 */
#ifndef V2V_GUEST_DIRECT_RPC_H
#define V2V_GUEST_DIRECT_RPC_H

#include "sandbox/rpc.h"

enum direct_op {
    DIRECT_HELLO,     /* -> size of the disk */
    DIRECT_DISK_READ, /* offset, len -> bytes */
    DIRECT_MOUNT,     /* offset, len, sector size, enum guest_fs, write */
    DIRECT_UNMOUNT,
    DIRECT_FREE_SPACE, /* -> bytes */
    DIRECT_LOOKUP,     /* directory, name -> enum direct_entry, size, record;
                        * name */
    DIRECT_LIST,       /* directory -> names, a NUL behind each */
    DIRECT_READ,       /* offset, len; path -> bytes, fewer at the end */
    DIRECT_DESCRIPTOR, /* path -> bytes */
    DIRECT_MAKE,       /* directory; path, content, descriptor */
    DIRECT_WRITE_AT,   /* offset; path, content */
    DIRECT_TRUNCATE,   /* len; path */
    DIRECT_CLOSE,      /* flushes; no more after that */
    DIRECT_OPS
};

/* Bits of what DIRECT_LOOKUP finds. */
enum direct_entry {
    DIRECT_EXISTS = 1,
    DIRECT_DIRECTORY = 2,
    DIRECT_REPARSE = 4
};

enum { DIRECT_CHUNK = 8 << 20 }; /* bytes of a file in one message */

extern const struct rpc_protocol direct_protocol;

#endif
