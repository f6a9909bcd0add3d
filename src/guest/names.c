/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/names.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

enum {
    NAME_MAX_UNITS = 255, /* NTFS keeps the length in one byte */
    PATH_MAX_BYTES = 4096
};

int
guest_next_name(const char **path, char **ret, struct v2v_error *err)
{
    const char *start = *path + strspn(*path, "/");
    size_t len = strcspn(start, "/");
    char *name;

    if (strnlen(start, PATH_MAX_BYTES + 1) > PATH_MAX_BYTES)
        return v2v_fail(err, V2V_ERR_GUEST, "the path is too long");
    if (len == 0) {
        *path = start;
        *ret = NULL;
        return 0;
    }
    name = v2v_strndup(start, len, err);
    if (name == NULL)
        return -1;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        free(name);
        return v2v_fail(err, V2V_ERR_GUEST, "the path holds \".\" or \"..\"");
    }
    *path = start + len;
    *ret = name;
    return 0;
}

static bool
is_device_name(const char *name)
{
    static const char *const devices[] = {
        "CON",  "PRN",  "AUX",  "NUL",  "COM1", "COM2", "COM3", "COM4",
        "COM5", "COM6", "COM7", "COM8", "COM9", "LPT1", "LPT2", "LPT3",
        "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9"
    };

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        size_t len = strlen(devices[i]);

        if (v2v_has_prefix_nocase(name, devices[i]) &&
            (name[len] == '\0' || name[len] == '.'))
            return true;
    }
    return false;
}

int
guest_check_new_name(const char *name, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes utf16 = { 0 };
    size_t len = strlen(name);

    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || strchr("<>:\"/\\|?*", *p) != NULL)
            return v2v_fail(err, V2V_ERR_GUEST,
                            "\"%s\": Windows allows no such character in a "
                            "name",
                            name);
    if (len == 0 || name[len - 1] == '.' || name[len - 1] == ' ' ||
        is_device_name(name))
        return v2v_fail(err, V2V_ERR_GUEST,
                        "\"%s\": Windows allows no such name", name);
    if (v2v_utf16_from_utf8(name, &utf16, err) < 0)
        return v2v_fail(err, V2V_ERR_GUEST, "\"%s\": not UTF-8", name);
    if (utf16.len / 2 > NAME_MAX_UNITS)
        return v2v_fail(err, V2V_ERR_GUEST,
                        "\"%.40s...\": the name is too long", name);
    return 0;
}
