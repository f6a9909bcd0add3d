/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drivers/package.h - one INF of a medium and what belongs to it */
#ifndef V2V_DRIVERS_PACKAGE_H
#define V2V_DRIVERS_PACKAGE_H

#include "drivers/drivers.h"

/* The largest INF of a virtio-win ISO has some 60 kB and 10 models. */
enum {
    PACKAGE_MAX_INF = 1 << 20, /* bytes */
    PACKAGE_MAX_MODELS = 256,
    PACKAGE_MAX_FILES = 1024
};

/* Where the files of a package are on the medium: [i] for files[i]. */
struct package_origin {
    size_t *indexes;
    size_t count;
};

static inline void
v2v_auto_origin(struct package_origin *origin)
{
    free(origin->indexes);
}

/**
 * package_read() - an INF that may serve the guest
 * @path:   of the INF on the medium
 * @ret:    inf, version and models are filled in
 * @reject: why it does not serve the guest; new
 *
 * Returns: 1, 0 and @reject, or -1 with V2V_ERR_FORMAT
 */
int package_read(const struct v2v_bytes *text, const char *path,
                 const struct drivers_guest *guest, struct driver_package *ret,
                 char **reject, struct v2v_error *err);

/**
 * package_list_files() - find what the package consists of
 * @inf_index: the INF on the medium
 * @package:   from package_read(); source, names, indexes and files are
 *             filled in, these without data
 * @ret:       new
 *
 * -1 with V2V_ERR_FORMAT: a file that this guest needs is not on the medium.
 */
int package_list_files(const struct media *m, size_t inf_index,
                       const struct drivers_guest *guest,
                       struct driver_package *package,
                       struct package_origin *ret, struct v2v_error *err);

/* Fills in content_id, from the loaded files. */
int package_identify(struct driver_package *package, struct v2v_error *err);

/* Who signed it, from the loaded catalog; warns of what Windows may refuse. */
int package_judge_signature(const struct drivers_guest *guest,
                            struct driver_package *package,
                            struct v2v_error *err);

void package_done(struct driver_package *package);

static inline void
v2v_auto_package(struct driver_package *package)
{
    package_done(package);
}

#endif
