/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of plan/: each adds its part of one package to the plan. */
#ifndef V2V_PLAN_PLAN_PRIVATE_H
#define V2V_PLAN_PLAN_PRIVATE_H

#include "plan/plan.h"

/* One package while it is planned. */
struct planning {
    const struct facts *facts;
    struct plan *plan;
    struct plan_package *package; /* the last of plan->packages */
    const struct driver_package *driver;
    uint64_t now;
    struct inf_install *installs; /* each install section once */
    size_t install_count;
    size_t *install_of_model; /* index into @installs for each of
                               * driver->models */
};

/* A service that this INF describes; AddService = ,2 names none, and one of an
 * Include'd INF is Windows' own. */
static inline bool
plan_describes_service(const struct inf_service *service)
{
    return *service->name != '\0' && !service->foreign;
}

/* Is the text one %token% and nothing else, so that Windows can look it up? */
bool plan_is_token(const char *raw);

/* identity.c: fills in presence, hive, oem_inf and name. */
int plan_identify(struct planning *p, struct v2v_error *err);
/* The 48 bytes of a package's Version value. */
void plan_version(const struct driver_package *driver, enum inf_arch arch,
                  uint8_t ret[FACTS_VERSION_LEN]);

/* database.c: the driver database. */
int plan_database(struct planning *p, struct v2v_error *err);
/* OemInfMap and UpdateDate, once for all packages. */
int plan_database_root(const struct facts *facts, uint64_t now,
                       struct plan *plan, struct v2v_error *err);

/* What DeviceIds says of one id; an id may stand on several lines. */
struct device_id {
    const char *id;
    size_t model;   /* of its first line */
    uint8_t where;  /* 1: hardware id, 2: compatible id, 3: both */
    uint8_t score;  /* FeatureScore */
    uint16_t index; /* in the list of compatible ids */
};

struct device_ids {
    struct device_id *items;
    size_t count;
};

static inline void
v2v_auto_device_ids(struct device_ids *ids)
{
    free(ids->items);
}

/* Every id of the driver's models, once. */
int plan_device_ids(const struct planning *p, struct device_ids *ids,
                    struct v2v_error *err);
/* The service that AddService makes the device's function driver; NULL. */
const struct inf_service *
plan_function_driver(const struct inf_install *install);

/* legacy.c: a package for Windows before 8. */
int plan_legacy(struct planning *p, struct v2v_error *err);
/* DevicePath, once for all packages. */
int plan_device_path(const struct facts *facts, struct plan *plan,
                     struct v2v_error *err);

/* plan.c: a file of the package, below the Windows directory; '\\' or '/' */
int plan_add_file(struct planning *p, const char *dir, const char *name,
                  const struct driver_file *file, const char *why,
                  struct v2v_error *err);
/* plan.c: what the install sections copy outside of the driver store */
int plan_copies(struct planning *p, struct v2v_error *err);

/* service.c: service keys of a configured package in every control set. */
int plan_services(struct planning *p, struct v2v_error *err);
/* No override along the boot chain, once for all packages. */
int plan_boot_chain(const struct facts *facts, struct plan *plan,
                    struct v2v_error *err);

/* addreg.c: the lines of AddReg sections below @at->key, which stands for HKR.
 * @database: below DriverDatabase, where a value's type carries flags. */
int plan_addregs(struct planning *p, const struct reg_place *at,
                 const struct inf_addregs *regs, bool database,
                 struct v2v_error *err);
/* The same for a .HW section below a Configurations key: device properties go
 * to Properties, the rest to Device.  @has_device: something went to Device. */
int plan_hw_addregs(struct planning *p, const struct reg_place *at,
                    const struct inf_addregs *regs, bool *has_device,
                    struct v2v_error *err);

/* dirs.c: what a directory id (DIRID) stands for.  13 is the driver package's
 * directory in the driver store, since Windows 8.1 (Microsoft, "Using
 * Dirids"). */
enum { PLAN_DIRID_PACKAGE = 13 };

struct plan_dirs {
    const struct planning *p;
    const char *prefix; /* what stands for the Windows directory */
    char buffer[512];
    struct inf_dirs dirs;
};

/* @dirs: initialised so that &dirs->dirs can be given to inf_expand() */
void plan_dirs_init(struct plan_dirs *dirs, const struct planning *p,
                    const char *prefix);
/* The directory relative to the Windows directory, "System32\drivers", or
 * NULL when @dirid is not below it. */
char *plan_dir(const struct planning *p, int dirid, struct v2v_error *err);

/* sddl.c: "D:P(A;;GA;;;SY)" as a self-relative security descriptor. */
int plan_sddl(const char *sddl, struct v2v_bytes *ret, struct v2v_error *err);

#endif
