/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * ntfs/cache.h - pages of a partition that were read
 *
 * The library keeps no MFT record and no block of an index: making 17 files in
 * a fixture's guest it read 4169 times, of 215 different pages, and each time
 * was a question to qemu-nbd.
 *
 * Only what was read is kept.  What is written is forgotten, so that reading it
 * back asks the disk: the program compares what it wrote with what is there.
 */
#ifndef V2V_NTFS_CACHE_H
#define V2V_NTFS_CACHE_H

#include <stddef.h>
#include <stdint.h>

/* A block of an index, or four MFT records; 4 MiB, taken when first used. */
enum { CACHE_PAGE = 4096, CACHE_PAGES = 1024 };

/* All zero: one that has nothing. */
struct cache {
    uint64_t holds[CACHE_PAGES]; /* number of a page, from 1; 0: none */
    uint8_t data[CACHE_PAGES][CACHE_PAGE];
};

/* The page of that number, from 0, or NULL. */
const uint8_t *cache_find(const struct cache *cache, uint64_t page);

/* Where that page is to be read to; it is there with cache_keep(). */
uint8_t *cache_place(struct cache *cache, uint64_t page);
void cache_keep(struct cache *cache, uint64_t page);

/* Bytes that are about to be written. */
void cache_forget(struct cache *cache, uint64_t at, size_t len);

#endif
