/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AddReg lines as registry edits. */
#include <string.h>

#include "base/log.h"
#include "plan/plan-private.h"

/* Properties of a device that a .HW section sets as if they were values.
 * Windows keeps them below Properties, with the DEVPROP type in the value's
 * type: read in Configurations of a Windows 10 1709 hive (capimg.inf has
 * Security, bthhfenum.inf both).  Names: Microsoft, "INF AddReg Directive". */
static const struct {
    const char *name;
    const char *key;
    uint32_t type; /* 0xffff0000 | DEVPROP_TYPE_* */
    bool is_sddl;
} device_properties[] = {
    { "Security", "{a45c254e-df1c-4efd-8020-67d146a850e0}\\0019", 0xffff0013,
      true },
    { "DeviceCharacteristics", "{a45c254e-df1c-4efd-8020-67d146a850e0}\\001D",
      0xffff0007, false },
};

/* Filters of a .HW section are values of the configuration itself: read in
 * amdsata.inf (UpperFilters) and virtdisk.inf (LowerFilters) of the same. */
static const char *const filter_values[] = { "UpperFilters", "LowerFilters" };

/* In the driver database a value's type carries "do not overwrite" (read in
 * i8042prt's values of four hives). */
static const uint32_t database_noclobber = 0x20000;

/* What stands for the Windows directory in a value: text that Windows expands
 * itself keeps the variable (Microsoft, "Run from driver store"). */
static const char *
directory_prefix(const struct planning *p, const struct inf_addreg *reg)
{
    return reg->type == REG_EXPAND_SZ ? "%SystemRoot%" : p->facts->system_path;
}

static int
value_data(struct planning *p, const struct inf_addreg *reg,
           struct v2v_bytes *ret, struct v2v_error *err)
{
    struct plan_dirs dirs;

    plan_dirs_init(&dirs, p, directory_prefix(p, reg));
    return inf_addreg_data(reg, &dirs.dirs, ret, err);
}

static void
warn_ignored(const struct planning *p, const struct inf_addreg *reg)
{
    v2v_warn("plan", "inf-ignored",
             "%s: AddReg %s, %s, %s is left to Windows' own installation",
             p->driver->inf_name, reg->root, reg->subkey, reg->name);
}

/* Device properties whose form in the database nobody has seen. */
static bool
is_unknown_property(const struct inf_addreg *reg)
{
    return *reg->subkey == '\0' && (v2v_equal_nocase(reg->name, "DeviceType") ||
                                    v2v_equal_nocase(reg->name, "Exclusive"));
}

static bool
is_supported(const struct planning *p, const struct inf_addreg *reg)
{
    static const uint32_t unsupported =
        INF_ADDREG_DELVAL | INF_ADDREG_OVERWRITEONLY | INF_ADDREG_DELREG;

    if (v2v_equal_nocase(reg->root, "HKR") && (reg->flags & unsupported) == 0)
        return true;
    warn_ignored(p, reg);
    return false;
}

static char *
join_key(const char *key, const char *subkey, struct v2v_error *err)
{
    size_t len;

    subkey += *subkey == '\\'; /* INFs have one too many here and there */
    len = strlen(subkey);
    if (len > 0 && subkey[len - 1] == '\\')
        len--;
    return v2v_format(err, "%s%s%.*s", key, len == 0 ? "" : "\\", (int)len,
                      subkey);
}

static int
add_value(struct planning *p, const struct reg_place *at,
          const struct inf_addreg *reg, bool database, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = join_key(at->key, reg->subkey, err);
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct reg_place place = { at->edits, at->hive, key, at->why };
    bool keep = (reg->flags & INF_ADDREG_NOCLOBBER) != 0;
    enum reg_op op = REG_OP_SET;
    uint32_t type = reg->type;

    if (key == NULL)
        return -1;
    if (reg->key_only)
        return reg_key(&place, err);
    if (value_data(p, reg, &data, err) < 0)
        return -1;
    if (database && keep)
        type |= database_noclobber;
    else if (keep)
        op = REG_OP_DEFAULT;
    else if (!database && type == REG_MULTI_SZ &&
             (reg->flags & INF_ADDREG_APPEND) != 0)
        op = REG_OP_APPEND;
    return reg_value(&place, op, reg->name, type, data.data, data.len, err);
}

int
plan_addregs(struct planning *p, const struct reg_place *at,
             const struct inf_addregs *regs, bool database,
             struct v2v_error *err)
{
    for (size_t i = 0; i < regs->count; i++)
        if (is_supported(p, &regs->items[i]) &&
            add_value(p, at, &regs->items[i], database, err) < 0)
            return -1;
    return 0;
}

static int
add_property(struct planning *p, const struct reg_place *at,
             const struct inf_addreg *reg, size_t which, struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Properties\\%s", at->key,
                                         device_properties[which].key);
    V2V_AUTO(bytes) struct v2v_bytes data = { 0 };
    struct reg_place place = { at->edits, at->hive, key, at->why };

    if (key == NULL || value_data(p, reg, &data, err) < 0)
        return -1;
    if (device_properties[which].is_sddl) {
        V2V_AUTO(mem) char *sddl =
            v2v_utf8_from_utf16(data.data, data.len, err);

        v2v_bytes_done(&data);
        if (sddl == NULL || plan_sddl(sddl, &data, err) < 0)
            return -1;
    }
    return reg_value(&place, REG_OP_SET, "", device_properties[which].type,
                     data.data, data.len, err);
}

/* The index of a name in device_properties, or its length. */
static size_t
find_property(const struct inf_addreg *reg)
{
    static const size_t known =
        sizeof device_properties / sizeof *device_properties;
    size_t i = 0;

    while (i < known &&
           (*reg->subkey != '\0' ||
            !v2v_equal_nocase(reg->name, device_properties[i].name)))
        i++;
    return i;
}

static bool
is_filter(const struct inf_addreg *reg)
{
    return *reg->subkey == '\0' &&
           (v2v_equal_nocase(reg->name, filter_values[0]) ||
            v2v_equal_nocase(reg->name, filter_values[1]));
}

int
plan_hw_addregs(struct planning *p, const struct reg_place *at,
                const struct inf_addregs *regs, bool *has_device,
                struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(err, "%s\\Device", at->key);
    struct reg_place device = { at->edits, at->hive, key, at->why };

    if (key == NULL)
        return -1;
    for (size_t i = 0; i < regs->count; i++) {
        const struct inf_addreg *reg = &regs->items[i];
        size_t property = find_property(reg);
        bool is_property =
            property < sizeof device_properties / sizeof *device_properties;
        int result;

        if (is_unknown_property(reg))
            warn_ignored(p, reg);
        if (is_unknown_property(reg) || !is_supported(p, reg))
            continue;
        if (is_property)
            result = add_property(p, at, reg, property, err);
        else if (is_filter(reg))
            result = add_value(p, at, reg, true, err);
        else
            result = add_value(p, &device, reg, true, err);
        if (result < 0)
            return -1;
        *has_device |= !is_property && !is_filter(reg);
    }
    return 0;
}
