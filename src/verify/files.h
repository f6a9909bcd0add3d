/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify/files.h - a driver's files: in the driver store, in use, signed */
#ifndef V2V_VERIFY_FILES_H
#define V2V_VERIFY_FILES_H

#include "inf-parser/install.h"
#include "verify/device.h"

/* The largest driver of virtio-win has 1 MB. */
enum { VERIFY_FILE_MAX = 64 << 20 };

/* A file of the system volume.  1; 0: there is none that can be read, and
 * @why; -1 */
int verify_read(struct verify *v, const char *path, struct v2v_bytes *ret,
                struct v2v_error *why, struct v2v_error *err);

/* ---- signature.c */

struct verify_signature {
    const char *link, *code; /* of what the guest would not load */
    bool check_catalog;      /* a catalog that is missing while the driver's own
                              * signature is accepted warns: catalog-missing */
    const char *path;        /* of the driver */
    const char *inf;         /* "oem3.inf": its catalog is looked at first */
};

/* Does this guest's kernel take the driver, by the signature inside it or by a
 * catalog in CatRoot that lists its hash? */
int verify_signature(struct verify *v, const struct verify_signature *q,
                     struct v2v_error *err);

/* ---- store.c */

/* A package in the driver store, or any folder with an INF. */
struct store {
    char *folder;   /* "Windows/System32/DriverStore/FileRepository/..." */
    char *inf_name; /* "viostor.inf" */
    struct v2v_bytes text; /* of the INF */
    struct inf_file *inf;
    struct inf_version version;
    struct inf_models models;  /* for the guest */
    struct v2v_strings needed; /* files that its devices need, below @folder */
    bool sound;                /* store_check(): all there and as signed */
};

void store_done(struct store *store);

static inline void
v2v_auto_store(struct store *store)
{
    store_done(store);
}

/* The folder of a package; new.  NULL also for a name that is no file name,
 * with V2V_ERR_FORMAT. */
char *store_folder(const struct verify *v, const char *package,
                   struct v2v_error *err);

/* Reads @folder's INF.  1; 0: it is not there, or malformed, and @why; -1 */
int store_read(struct verify *v, const char *folder, const char *inf_name,
               struct store *ret, struct v2v_error *why, struct v2v_error *err);

/* Has a line of the INF's models that id? */
bool store_has_id(const struct store *store, const char *id);

/* The first of the device's ids of which that is so, or NULL. */
const char *store_serves(const struct store *store,
                         const struct device *device);

struct store_question {
    const char *folder_link, *folder_code; /* there is no such folder */
    const char *files_link, *missing_code, *altered_code;
    struct reg_hive *hive;
    const char *inf, *package;
    const char *in_use; /* path of the driver's file; what is wrong with that
                         * is told elsewhere; may be NULL */
};

/* The folder holds the INF and what it copies, as signed.  1: @ret was read;
 * 0; -1 */
int store_check(struct verify *v, const struct store_question *q,
                struct store *ret, struct v2v_error *err);

/* The driver in use is the one in the store; Parameters\BusType is the INF's.
 */
int store_compare_driver(struct verify *v, const struct store *store,
                         const char *driver, struct v2v_error *err);
int store_compare_bus_type(struct verify *v, const struct store *store,
                           const struct verify_control_set *set,
                           const char *service, struct v2v_error *err);

#endif
