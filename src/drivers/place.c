/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "drivers/names.h"
#include "media/media.h"

enum { looked_at = 3 }; /* directories above the INF */

static bool
is_os_and_arch(const char *os, const char *arch, struct place *place)
{
    place->os = directory_find(os);
    place->has_arch = directory_arch(arch, &place->arch);
    return place->os != NULL && place->has_arch;
}

/* @parts: the directory itself, the one above it, the next */
static void
read_layout(const char *const parts[looked_at], struct place *place)
{
    if (is_os_and_arch(parts[1], parts[0], place))
        place->layout =
            parts[2][0] != '\0' ? layout_driver_first : layout_arch_first;
    else if (is_os_and_arch(parts[0], parts[1], place))
        place->layout = layout_arch_first;
    else
        place->layout = layout_none;
    if (place->layout == layout_none) {
        place->os = NULL;
        place->has_arch = false;
    }
}

static int
read_folder(struct place *place, struct v2v_error *err)
{
    const char *parts[looked_at];
    const char *driver;
    /* so that each part has a '/' before it, be it empty */
    V2V_AUTO(mem) char *copy = v2v_format(err, "///%s", place->folder);

    if (copy == NULL)
        return -1;
    for (size_t i = 0; i < looked_at; i++) {
        char *slash = strrchr(copy, '/');

        *slash = '\0';
        parts[i] = slash + 1;
    }
    read_layout(parts, place);
    driver = names_driver_of_inf(place->stem);
    if (place->layout == layout_driver_first &&
        (driver == NULL || !names_only_on_request(driver)))
        driver = parts[2];
    place->driver = v2v_strdup(driver != NULL ? driver : place->stem, err);
    return place->driver != NULL ? 0 : -1;
}

char *
place_folder(const char *path, struct v2v_error *err)
{
    const char *slash = strrchr(path, '/');

    return v2v_strndup(path, slash != NULL ? (size_t)(slash - path) : 0, err);
}

int
place_parse(const char *path, struct place *ret, struct v2v_error *err)
{
    const char *name = v2v_base_name(path);
    struct place place = { .layout = layout_none };

    place.folder = place_folder(path, err);
    place.stem = v2v_strndup(name, strlen(name) - strlen(".inf"), err);
    if (place.folder == NULL || place.stem == NULL ||
        read_folder(&place, err) < 0) {
        place_done(&place);
        return -1;
    }
    *ret = place;
    return 0;
}

void
place_done(struct place *place)
{
    free(place->folder);
    free(place->stem);
    free(place->driver);
    *place = (struct place){ 0 };
}

bool
place_serves(const struct place *place, const char *name)
{
    return v2v_equal_nocase(place->stem, name) ||
           media_is_short_for(place->driver, name);
}
