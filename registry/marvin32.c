/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/marvin32.h"

#include "base/bytes.h"

struct state {
    uint32_t lo;
    uint32_t hi;
};

static uint32_t
rotate(uint32_t v, unsigned bits)
{
    return v << bits | v >> (32 - bits);
}

static void
mix(struct state *s, uint32_t v)
{
    s->lo += v;
    s->hi ^= s->lo;
    s->lo = rotate(s->lo, 20) + s->hi;
    s->hi = rotate(s->hi, 9) ^ s->lo;
    s->lo = rotate(s->lo, 27) + s->hi;
    s->hi = rotate(s->hi, 19);
}

uint64_t
reg_marvin32(uint64_t seed, const void *data, size_t len)
{
    struct state s = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    const uint8_t *p = data;
    size_t tail = len % 4;

    for (size_t i = 0; i < len - tail; i += 4)
        mix(&s, (uint32_t)v2v_get_le(p + i, 4));
    mix(&s, (uint32_t)(0x80U << 8 * tail | v2v_get_le(p + (len - tail), tail)));
    mix(&s, 0);
    return (uint64_t)s.hi << 32 | s.lo;
}
