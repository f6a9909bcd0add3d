/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/shared.h"

#include <assert.h>
#include <sys/mman.h>

enum { PLACES_MAX = 4 };

static struct {
    void *at;
    size_t size;
} places[PLACES_MAX];
static size_t place_count;

void *
shared_new(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return NULL;
    assert(place_count < PLACES_MAX);
    places[place_count].at = at;
    places[place_count++].size = size;
    return at;
}

void
shared_withhold(void)
{
    for (size_t i = 0; i < place_count; i++)
        madvise(places[i].at, places[i].size, MADV_DONTFORK);
}
