/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each page has one place, so neighbours never drive each other out. */
#include "ntfs/cache.h"

const uint8_t *
cache_find(const struct cache *cache, uint64_t page)
{
    size_t i = (size_t)(page % CACHE_PAGES);

    return cache->holds[i] == page + 1 ? cache->data[i] : NULL;
}

uint8_t *
cache_place(struct cache *cache, uint64_t page)
{
    size_t i = (size_t)(page % CACHE_PAGES);

    cache->holds[i] = 0;
    return cache->data[i];
}

void
cache_keep(struct cache *cache, uint64_t page)
{
    cache->holds[page % CACHE_PAGES] = page + 1;
}

void
cache_forget(struct cache *cache, uint64_t at, size_t len)
{
    uint64_t first = at / CACHE_PAGE;
    uint64_t end = (at + len + CACHE_PAGE - 1) / CACHE_PAGE;

    for (size_t i = 0; i < CACHE_PAGES; i++)
        if (cache->holds[i] > first && cache->holds[i] <= end)
            cache->holds[i] = 0;
}
