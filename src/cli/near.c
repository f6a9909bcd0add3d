/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/near.h"

#include <string.h>

enum { WORD_MAX_LEN = 31 }; /* no option and no command is longer */

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* Wagner and Fischer's, with one row; row[j]: from the letters of @a so far to
 * the first j of @b. */
static unsigned
distance(const char *a, const char *b, size_t b_len)
{
    unsigned row[WORD_MAX_LEN + 1];

    for (unsigned j = 0; j <= b_len; j++)
        row[j] = j;
    for (; *a != '\0'; a++) {
        unsigned diagonal = row[0]++;

        for (size_t j = 1; j <= b_len; j++) {
            unsigned above = row[j];

            row[j] =
                min3(above + 1, row[j - 1] + 1, diagonal + (*a != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

void
near_offer(struct near *near, const char *word, const char *candidate)
{
    size_t len = strlen(candidate);
    unsigned d;

    if (*word == '\0' || len > WORD_MAX_LEN || strlen(word) > WORD_MAX_LEN)
        return;
    d = strncmp(word, candidate, strlen(word)) == 0
            ? 0
            : distance(word, candidate, len);
    if (d * 3 > len || (near->best != NULL && d >= near->distance))
        return;
    *near = (struct near){ .best = candidate, .distance = d };
}
