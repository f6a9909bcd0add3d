/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * facts/facts.h - what the Windows in an image is
 *
 * Everything that plan/ needs to know about a guest, read once and kept as
 * values: the plan is made from them alone.  Nothing here changes a guest.
 */
#ifndef V2V_FACTS_FACTS_H
#define V2V_FACTS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "disk/bitlocker.h"
#include "disk/ntfs.h"
#include "disk/probe.h"
#include "guest/key.h"
#include "hives/file.h"
#include "inf-parser/install.h"
#include "registry/edit.h"
#include "registry/hive.h"
#include "registry/log.h"

/* The files that are read and edited, as the guest has them. */
struct facts_hive {
    char *path;              /* "Windows/System32/config/SYSTEM" */
    uint64_t file_number;    /* guest/guest.h; 0: the guest has no such hive */
    struct hives_file *file; /* its bytes, also after it was edited; NULL: the
                              * same */
    struct reg_hive *hive;   /* NULL: the same; else what the file holds with
                              * its transaction logs replayed */
    enum reg_replay replay;  /* what the logs were good for; REG_REPLAY_NO_LOGS:
                              * the hive is dirty and read as it is */
    struct {
        char *path;   /* "Windows/System32/config/SYSTEM.LOG1"; of a dirty
                       * hive that has neither, .LOG, as before Vista */
        uint64_t len; /* bytes; 0: empty or absent */
    } logs[2];
};

struct facts_hives {
    struct facts_hive items[REG_HIVE_COUNT]; /* by enum reg_hive_id */
};

void facts_hives_done(struct facts_hives *hives);

/* reg_hive_answered() of those that are open. */
int facts_hives_answered(const struct facts_hives *hives,
                         struct v2v_error *err);

static inline void
v2v_auto_facts_hives(struct facts_hives *hives)
{
    facts_hives_done(hives);
}

/* The binary value Version of a DriverPackages key,
 * read in hives of Windows 8.1 to 10 2004. */
enum { FACTS_VERSION_LEN = 48 };

/* A driver package that was added to Windows (oemN.inf), in either node of
 * the driver database. */
struct facts_package {
    enum reg_hive_id hive; /* REG_SYSTEM or REG_DRIVERS */
    char *oem_inf;         /* "oem3.inf" */
    char *name;            /* "viostor.inf_amd64_520417bbc533faba" */
    char *inf_name; /* "viostor.inf", as its maker spells it; may be "" */
    uint8_t version[FACTS_VERSION_LEN];
    bool has_version;
};

struct facts_control_set {
    char *name;   /* "ControlSet001" */
    bool current; /* the one that Select\Current names */
};

/* A disk of the machine. */
struct facts_disk {
    uint64_t size;         /* bytes */
    enum disk_table table; /* without meaning if it could not be read */
    uint8_t id[16];        /* as struct disk_layout has it */
    char *unreadable;      /* why no partition table was found, with its number
                            * when there are several; or NULL */
};

/* A partition, and what is in it as far as one can look into it. */
struct facts_volume {
    unsigned disk;            /* guest/guest.h's index */
    struct disk_volume place; /* number, offset, content, active, esp; of an
                               * encrypted one that was opened, the content is
                               * what is in it */
    bool encrypted;           /* with BitLocker */
    enum guest_lock lock;     /* if @encrypted: what became of the keys */
    struct bitlocker keys;    /* the same: its protectors */
    char *unreadable;         /* an NTFS, BitLocker volume or ESP that could not
                               * be looked into: "partition 2: ..."; or NULL */
    struct ntfs_state state;  /* of an NTFS that could be looked into */
    char *system_root;        /* "Windows", of the Windows in it; or NULL */
    bool boot_manager;        /* it has bootmgr; an ESP: bootmgfw.efi */
    bool nt_loader;           /* it has ntldr, as before Windows Vista */
    bool fallback_loader;     /* an ESP with EFI/Boot/bootx64.efi, bootia32.efi
                               * or bootaa64.efi */
    bool bcd;                 /* it has a BCD that could be read */
    bool test_signing;        /* as that says */
};

#define FACTS_NO_VOLUME SIZE_MAX

struct facts {
    struct facts_disk *disks; /* by guest/guest.h's index */
    size_t disk_count;
    struct facts_volume *volumes; /* of all disks, in their order */
    size_t volume_count;
    size_t system_volume; /* into @volumes; FACTS_NO_VOLUME: none */
    size_t boot_volume;   /* into @volumes: with the BCD that @has_bcd means, or
                           * the ntldr; FACTS_NO_VOLUME: none was found */
    bool hibernated;      /* hiberfil.sys of the system volume is active */

    unsigned disk;      /* of the system volume: guest/guest.h's index */
    unsigned partition; /* the same, as disk_probe() numbers it */
    char *system_root;  /* "Windows": the directory below the volume's root */
    char *system_path;  /* "C:\\Windows": the same as Windows calls it */

    struct inf_target target; /* version, build, architecture, product type */
    char *product_name;       /* "Windows 11 Pro" */
    char *edition;            /* EditionID: "Professional"; may be "" */

    /* what decides which drivers the kernel takes; false also when the guest
     * does not say */
    bool has_bcd;      /* a boot configuration was read: of the system disk, or
                        * of the first other disk that has one */
    bool test_signing; /* testsigning is on for its default entry; in every
                        * one, if that disk has several */
    bool hvci;         /* memory integrity is on: Control\DeviceGuard */

    struct facts_control_set *control_sets; /* those that exist */
    size_t control_set_count;

    /* Windows 8 and later: one driver database in two nodes */
    bool has_driver_database;
    struct v2v_strings system_classes; /* class GUIDs whose packages live in the
                                        * SYSTEM hive: "{4d36e97b-...}" */
    bool has_drivers_hive;
    struct v2v_bytes oem_inf_map; /* DriverDatabase\OemInfMap; may be empty */
    bool has_update_date[REG_HIVE_COUNT]; /* DriverDatabase\UpdateDate exists
                                           * in SYSTEM, in DRIVERS */
    struct facts_package *packages;
    size_t package_count;
    struct v2v_strings oem_infs; /* every oemN.inf name in use anywhere */

    /* before Windows 8 */
    char *device_path;       /* where Windows looks for INFs: DevicePath */
    struct v2v_bytes *roots; /* certificates (DER) of the machine's Root and
                              * AuthRoot stores */
    size_t root_count;
};

void facts_done(struct facts *facts);

static inline void
v2v_auto_facts(struct facts *facts)
{
    facts_done(facts);
}

/**
 * facts_oem_number() - N of "oemN.inf"
 *
 * Returns: N below FACTS_OEM_MAX, or -1 for any other name.
 */
int facts_oem_number(const char *name);

/* Windows numbers from 0, and reuses numbers; more than some hundred packages
 * were never seen. */
#define FACTS_OEM_MAX 10000

/* "client", "server", "domain controller" */
const char *facts_product_type_name(const struct facts *facts);

/**
 * facts_read() - interpret the hives
 * @hives: SYSTEM and SOFTWARE open
 * @facts: all zero, or as facts_find_windows() left it; filled in
 *
 * Returns: 0, or -1 with V2V_ERR_GUEST (a Windows older than XP,
 * "unsupported-version"; an unknown architecture, "unsupported-architecture")
 * or V2V_ERR_FORMAT (a key or value that every Windows has is
 * missing or of another type: "hive-corrupt"; the text names hive and key).
 *
 * Source: SOFTWARE Microsoft\Windows NT\CurrentVersion, SYSTEM Select,
 * Control\ProductOptions, Control\Session Manager\Environment and
 * DriverDatabase, read in hives of Windows 8.1, 10 1709, 1909 and 2004.
 */
int facts_read(const struct facts_hives *hives, struct facts *facts,
               struct v2v_error *err);

#endif
