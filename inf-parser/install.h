/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * inf-parser/install.h - what an INF says about a driver package
 *
 * The meaning level above inf-parser/inf.h: [Version], which devices the
 * package serves on a given Windows, and what the install section of a device
 * does.  It reads and reports; it decides nothing and changes nothing.
 * Not read: BitReg, LogConfig, RegisterDlls, UpdateInis, the .security
 * sections and everything in Include'd files, which belong to Windows itself.
 *
 * Every result struct owns all its text and lists (but not the struct
 * inf_file, which must outlive it) until x_done(); a struct that is all zero
 * is empty and may be given to x_done().  A text is expanded unless its name
 * ends in _raw; expanded without directories, so that a directory id stays
 * literally, as in "%13%\x.sys": hand the _raw text to inf_expand() with your
 * own struct inf_dirs for those.
 *
 * All functions return 0, or -1 with V2V_ERR_FORMAT (the text names section
 * and directive), V2V_ERR_INTERNAL (no memory), or what is said there.
 */
#ifndef V2V_INF_PARSER_INSTALL_H
#define V2V_INF_PARSER_INSTALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "inf-parser/inf.h"

struct inf_pool; /* opaque: the memory of a result */

enum inf_arch {
    INF_ARCH_X86,
    INF_ARCH_AMD64,
    INF_ARCH_ARM64,
    INF_ARCH_IA64,
    INF_ARCH_ARM
};

/* "x86", "amd64", "arm64", "ia64", "arm" */
const char *inf_arch_name(enum inf_arch arch);

/* A Windows, as the hives tell it. */
struct inf_target {
    enum inf_arch arch;
    unsigned major, minor, build; /* 10, 0, 26100 */
    unsigned product_type; /* 1 workstation, 2 domain controller, 3 server */
    unsigned suite_mask;   /* VER_SUITE_... of winnt.h */
};

/* The value of DriverVer.  Parts that are missing or malformed are 0 and the
 * flag says so; Windows takes such a date as 00/00/0000. */
struct inf_driver_ver {
    uint16_t year, month, day;
    uint16_t version[4];
    bool has_date, has_version;
};

/**
 * inf_driver_ver_parse() - "mm/dd/yyyy[,w[.x[.y[.z]]]]", '-' for '/' as well
 * @date, @version: the two fields of the directive, expanded; "" for absent
 * Source: Microsoft, "INF DriverVer Directive".
 */
void inf_driver_ver_parse(const char *date, const char *version,
                          struct inf_driver_ver *ret);

/* [Version].  NULL: the INF does not say. */
struct inf_version {
    const char *class_name;
    const char *class_guid; /* as written, of the shape {8-4-4-4-12} */
    const char *provider_raw, *provider;
    const char *catalog;      /* for the architecture; beside the INF */
    const char *extension_id; /* of the shape of a GUID */
    const char *layout_file;
    struct inf_driver_ver driver_ver;
    bool pnp_lockdown;
    struct inf_pool *pool;
};

/**
 * inf_version_parse() - [Version] as @arch reads it
 * V2V_ERR_FORMAT: ClassGuid or ExtensionId is not a GUID, CatalogFile has a
 * folder in it, PnpLockdown is not a number.
 * Source: Microsoft, "INF Version Section".
 */
int inf_version_parse(const struct inf_file *inf, enum inf_arch arch,
                      struct inf_version *ret, struct v2v_error *err);
void inf_version_done(struct inf_version *version);

static inline void
v2v_auto_inf_version(struct inf_version *p)
{
    inf_version_done(p);
}

/* A list of texts that belongs to a result: never v2v_strings_done() it. */

struct inf_model {
    const char *description_raw, *description;
    const char *manufacturer_raw, *manufacturer;
    const char *install;     /* DDInstall, as written in the models line */
    const char *hardware_id; /* "": none */
    struct v2v_strings compatible_ids;
    size_t section; /* index in struct inf_models' sections */
};

struct inf_models {
    struct inf_model *items;
    size_t count;
    /* the models sections that were chosen, decorated, as [Manufacturer]
     * spells them; one may be absent from the file: it has no devices */
    struct v2v_strings sections;
    struct v2v_strings warnings;
    struct inf_pool *pool;
};

/**
 * inf_models_select() - the devices that the INF serves on @target
 *
 * Each line of [Manufacturer] is judged by itself and yields at most one
 * models section: the best of the TargetOSVersion decorations that apply.
 * No models at all is a valid result.
 * Source: Microsoft, "INF Manufacturer Section", "INF Models Section".
 */
int inf_models_select(const struct inf_file *inf,
                      const struct inf_target *target, struct inf_models *ret,
                      struct v2v_error *err);
void inf_models_done(struct inf_models *models);

static inline void
v2v_auto_inf_models(struct inf_models *p)
{
    inf_models_done(p);
}

/* Directory ids: Microsoft, "Using Dirids". */
enum {
    INF_DIRID_NONE = -1, /* ours: not in [DestinationDirs] */
    INF_DIRID_SYSTEM32 = 11,
    INF_DIRID_DRIVERS = 12,    /* System32\\drivers */
    INF_DIRID_STORE = 13,      /* the package's folder in the driver store */
    INF_DIRID_ABSOLUTE = 65535 /* written -1 as well; subdir is a path */
};

/* A file that is copied when the device is installed. */
struct inf_copy {
    const char *dest;        /* file name, no folder */
    const char *source;      /* file name, no folder */
    const char *source_path; /* below the INF's folder, parts joined by '/';
                              * never absolute, never with ".." */
    int dirid;               /* INF_DIRID_NONE or a number of Windows */
    const char *subdir;      /* below @dirid, '\\' between parts; "": none */
    uint32_t flags;          /* COPYFLG_..., 8.1 */
    bool listed;             /* the source is in [SourceDisksFiles] */
    const char *cabinet;     /* SourceDisksNames' tag or cabinet; "": none */
};

struct inf_copies {
    struct inf_copy *items;
    size_t count;
};

/* Flags of AddReg and DelReg: setupapi.h, FLG_ADDREG_... */
enum {
    INF_ADDREG_BINVALUE = 0x1,
    INF_ADDREG_NOCLOBBER = 0x2,
    INF_ADDREG_DELVAL = 0x4,
    INF_ADDREG_APPEND = 0x8,
    INF_ADDREG_KEYONLY = 0x10,
    INF_ADDREG_OVERWRITEONLY = 0x20,
    INF_ADDREG_64BITKEY = 0x1000,
    INF_ADDREG_KEYONLY_COMMON = 0x2000,
    INF_ADDREG_32BITKEY = 0x4000,
    INF_ADDREG_DELREG = 0x8000
};

/* A line of an AddReg section. */
struct inf_addreg {
    const char *root;   /* "HKR", "HKLM", "HKCR", "HKCU" or "HKU" */
    const char *subkey; /* "" : @root itself; '\\' between parts */
    const char *name;   /* "" : the default value */
    uint32_t flags;
    uint32_t type;        /* REG_... as the hive holds it */
    bool key_only;        /* creates the key and sets nothing */
    struct inf_line line; /* its raw fields; data from field 4 on */
};

struct inf_addregs {
    struct inf_addreg *items;
    size_t count;
};

/**
 * inf_addreg_data() - the bytes that the hive will hold for @reg
 * @dirs: may be NULL; see inf_expand()
 *
 * REG_SZ, REG_EXPAND_SZ: UTF-16LE with its NUL.  REG_MULTI_SZ: each string
 * with its NUL and one more at the end.  REG_DWORD: 4 bytes from one number,
 * or from bytes when there are several fields.  Others: bytes.
 *
 * V2V_ERR_FORMAT: a number or byte is none.
 * Source: Microsoft, "INF AddReg Directive".
 */
int inf_addreg_data(const struct inf_addreg *reg, const struct inf_dirs *dirs,
                    struct v2v_bytes *ret, struct v2v_error *err);

/* A line of a DelReg section. */
struct inf_delreg {
    const char *root, *subkey; /* as above */
    const char *name;          /* NULL: the whole subkey */
    uint32_t flags;
};

struct inf_delregs {
    struct inf_delreg *items;
    size_t count;
};

/* Start values of a service: winnt.h */
enum inf_start {
    INF_START_BOOT,
    INF_START_SYSTEM,
    INF_START_AUTO,
    INF_START_DEMAND,
    INF_START_DISABLED
};

enum {
    INF_SERVICE_ASSOC = 0x2 /* SPSVCINST_ASSOCSERVICE: the function driver */
};

/* A line of AddService with its service and event log sections. */
struct inf_service {
    const char *name; /* "": the NULL driver, AddService = ,2 */
    uint32_t flags;   /* SPSVCINST_... */
    bool foreign;     /* the service section lives in an Include'd INF of
                       * Windows: nothing of what follows is known */
    uint32_t type, start, error_control;
    const char *binary_raw; /* ServiceBinary, "%12%\viostor.sys"; "": none */
    const char *group;      /* LoadOrderGroup; NULL: none, as are all below */
    const char *display_name_raw, *display_name;
    const char *description_raw, *description;
    const char *start_name;
    struct v2v_strings dependencies; /* a load order group has a '+' first */
    struct inf_addregs addregs;      /* HKR is Services\NAME */
    struct inf_delregs delregs;
    const char *event_log;  /* "System" unless said otherwise; NULL: no event
                             * log section */
    const char *event_name; /* the service's name unless said otherwise */
    struct inf_addregs event_addregs; /* HKR is Services\EventLog\LOG\NAME */
    struct inf_delregs event_delregs;
};

struct inf_services {
    struct inf_service *items;
    size_t count;
};

/* A line of KmdfService or UmdfService. */
struct inf_wdf {
    const char *service;
    const char *kmdf_version; /* KmdfLibraryVersion, "1.15", or "" when it
                               * is not said; NULL: UMDF */
    const char *umdf_version; /* UmdfLibraryVersion, likewise */
};

struct inf_wdfs {
    struct inf_wdf *items;
    size_t count;
};

/* A line of AddInterface. */
struct inf_interface {
    const char *guid, *reference; /* reference "": none */
    uint32_t flags;
    struct inf_addregs addregs; /* HKR is the interface's key */
};

struct inf_interfaces {
    struct inf_interface *items;
    size_t count;
};

/* A line of AddFilter. */
struct inf_filter {
    const char *service;
    const char *position; /* FilterPosition "Upper" or "Lower"; NULL */
    const char *level;    /* FilterLevel; NULL */
};

struct inf_filters {
    struct inf_filter *items;
    size_t count;
};

/* DDInstall with everything that belongs to it. */
struct inf_install {
    const char *actual; /* as the file spells it: "BALLOON_Device.NT" */
    struct inf_copies copies;
    struct inf_addregs addregs; /* HKR is the driver (software) key */
    struct inf_delregs delregs;
    struct inf_addregs hw_addregs; /* HKR is the device (hardware) key */
    struct inf_delregs hw_delregs;
    struct inf_services services;
    struct v2v_strings delete_services; /* DelService */
    struct inf_copies coinstaller_copies;
    struct inf_addregs coinstaller_addregs; /* HKR is the driver key */
    struct inf_interfaces interfaces;
    struct inf_copies interface_copies;
    struct inf_wdfs wdfs;
    struct inf_filters filters;
    bool has_wdf_section;  /* .Wdf exists, be it empty */
    uint8_t feature_score; /* 0xff unless said otherwise */
    bool has_driver_ver;   /* overrides [Version] */
    struct inf_driver_ver driver_ver;
    bool reboot; /* Reboot or Restart */
    struct v2v_strings exclude_ids;
    struct v2v_strings copy_infs;     /* CopyINF, as written */
    struct v2v_strings includes;      /* Include: INFs of Windows, as written */
    struct v2v_strings foreign_needs; /* Needs that this file does not hold */
    struct v2v_strings warnings;
    struct inf_pool *pool;
};

/**
 * inf_install_load() - the install section of a device
 * @install: struct inf_model's install
 * @target:  only its architecture matters here
 *
 * The section is @install.nt<arch>, @install.nt or @install, the first that
 * exists; .Services, .HW and the like are that name with the suffix.  Needs=
 * within the file is followed, before the section's own directives.
 *
 * V2V_ERR_NOT_FOUND: none of the three sections; the text names @install.
 * V2V_ERR_FORMAT: Needs= nested deeper than INF_NEST_MAX, a file name with a
 * folder in it, a source path that leaves the package, ServiceType, StartType
 * or ErrorControl missing or not a number.
 * V2V_ERR_FORMAT also: AddService names a section that is absent, and there
 * is no Include= that could have it (then: inf_service.foreign).
 * A list section that is named and absent, or a flag that is no number (read
 * as 0), is a warning.
 * Source: Microsoft, "INF DDInstall Section" and the pages of the directives;
 * SetupDiGetActualSectionToInstallEx().
 */
int inf_install_load(const struct inf_file *inf, const char *install,
                     const struct inf_target *target, struct inf_install *ret,
                     struct v2v_error *err);
void inf_install_done(struct inf_install *install);

static inline void
v2v_auto_inf_install(struct inf_install *p)
{
    inf_install_done(p);
}

/**
 * inf_package_files() - what the driver store holds besides INF and catalog
 * @ret: source paths below the INF's folder, '/' between parts, each once
 *       (without regard to case), in order of first mention; new,
 *       v2v_strings_done()
 *
 * The union over every install section that a models section of @arch names,
 * whatever version of Windows, with co-installers and interfaces, and over
 * DefaultInstall.  Sections that are named but absent contribute nothing.
 * Source: Microsoft, "INF CopyFiles Directive": a file comes into the store
 * if a CopyFiles directive names it.
 */
int inf_package_files(const struct inf_file *inf, enum inf_arch arch,
                      struct v2v_strings *ret, struct v2v_error *err);

#endif
