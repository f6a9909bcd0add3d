/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image files, before anybody looks into them. */
#include <inttypes.h>
#include <stdio.h>

#include "check/internal.h"

enum { max_snapshots = 5, max_name = 64 };

struct subject {
    const struct image_about *about;
    char name[32]; /* "the image", "the image of disk 2" */
    bool written;  /* it is the one with the Windows */
};

/* Whoever made the file could have written another format's header into it:
 * what has none that is known is taken as it is. */
static int
format_guessed(struct check *check, const struct subject *s,
               struct v2v_error *err)
{
    return s->about->probed_raw
               ? check_found(check, "raw-probed", err,
                             "%s is taken as raw, since it has no header of "
                             "another format",
                             s->name)
               : 0;
}

static int
name_snapshots(const struct v2v_strings *names, struct v2v_bytes *ret,
               struct v2v_error *err)
{
    for (size_t i = 0; i < names->count && i < max_snapshots; i++)
        if (v2v_bytes_list(ret, err, "\"%.*s\"",
                           v2v_cut(names->items[i], max_name),
                           names->items[i]) < 0)
            return -1;
    return names->count > max_snapshots ? v2v_bytes_printf(ret, err, " ...")
                                        : 0;
}

static int
internal_snapshots(struct check *check, const struct subject *s,
                   struct v2v_error *err)
{
    const struct v2v_strings *names = &s->about->snapshots;
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };

    if (!s->written || check->in->has_output || names->count == 0)
        return 0;
    if (name_snapshots(names, &text, err) < 0)
        return -1;
    return check_found(check, "internal-snapshots", err, "%s has %zu: %.*s",
                       s->name, names->count, (int)text.len,
                       (const char *)text.data);
}

/* With an output the image is only read. */
static int
not_in_place(struct check *check, const struct subject *s,
             struct v2v_error *err)
{
    if (!s->written || check->in->has_output)
        return 0;
    if (s->about->copy_only != NULL)
        return check_found(check, "copy-only", err,
                           "%s is %s, which is not worked on in place", s->name,
                           s->about->copy_only);
    if (!s->about->writable)
        return check_found(check, "not-writable", err,
                           "%s cannot be written by this user", s->name);
    return 0;
}

static int
host_space(struct check *check, const struct subject *s, struct v2v_error *err)
{
    if (!s->written || s->about->host_free >= s->about->host_needed)
        return 0;
    return check_found(check, "host-full", err,
                       "%" PRIu64 " MiB are free where the overlay of %s goes, "
                       "%" PRIu64 " MiB are needed",
                       s->about->host_free >> 20, s->name,
                       s->about->host_needed >> 20);
}

int
check_image(struct check *check, const struct image_about *about, size_t i,
            struct v2v_error *err)
{
    struct subject s = { .about = about,
                         .name = "the image",
                         .written = i == check->in->facts->disk };

    if (check->in->image_count > 1)
        snprintf(s.name, sizeof s.name, "the image of disk %zu", i + 1);
    if (format_guessed(check, &s, err) < 0 || host_space(check, &s, err) < 0 ||
        not_in_place(check, &s, err) < 0)
        return -1;
    return internal_snapshots(check, &s, err);
}

static int
images(struct check *check, struct v2v_error *err)
{
    for (size_t i = 0; i < check->in->image_count; i++) {
        struct image_about about = { 0 };
        int result = -1;

        if (image_about(check->in->images[i], &about, err) == 0)
            result = check_image(check, &about, i, err);
        image_about_done(&about);
        if (result < 0)
            return -1;
    }
    return 0;
}

const check_rule check_image_rules[] = { images, NULL };
