/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "verify/internal.h"

/* boot.ini, as ntldr reads it.
 * Source: Microsoft, "Boot.ini file" and "ARC naming conventions": a partition
 * is counted from 1, primary ones first, without extended and unused ones. */
static const size_t largest = 64 << 10;

/* "multi(0)disk(0)rdisk(0)partition(1)\WINDOWS" */
struct arc {
    unsigned disk, partition;
    char root[64]; /* "WINDOWS" */
};

/* The value of default=, of the section [boot loader]; false: there is none. */
static bool
find_default(const struct v2v_bytes *file, char *ret, size_t size)
{
    const char *line = (const char *)file->data;
    const char *end = line + file->len;
    bool inside = false;

    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((next != NULL ? next : end) - line);

        if (len > 0 && line[0] == '[')
            inside = len >= 13 && strncasecmp(line, "[boot loader]", 13) == 0;
        else if (inside && len > 8 && strncasecmp(line, "default=", 8) == 0) {
            len = strcspn(line, "\r\n") - 8;
            snprintf(ret, size, "%.*s", (int)(len < size ? len : size - 1),
                     line + 8);
            return true;
        }
        line += len + 1;
    }
    return false;
}

static bool
parse_arc(const char *text, struct arc *ret)
{
    return sscanf(text, "multi(0)disk(0)rdisk(%3u)partition(%3u)\\%63s",
                  &ret->disk, &ret->partition, ret->root) == 3;
}

static unsigned
arc_number(const struct facts *facts, const struct facts_volume *wanted)
{
    unsigned number = 0;

    for (size_t i = 0; i < facts->volume_count; i++) {
        const struct facts_volume *volume = &facts->volumes[i];

        if (volume->disk == wanted->disk)
            number++;
        if (volume == wanted)
            break;
    }
    return number;
}

static int
check_default(struct verify *v, const char *subject, const char *text,
              struct v2v_error *err)
{
    const struct facts *facts = v->in->facts;
    const struct facts_volume *system = &facts->volumes[facts->system_volume];
    unsigned number = arc_number(facts, system);
    struct arc arc;

    if (!parse_arc(text, &arc))
        return verify_unknown(v, "boot-ini", subject, err,
                              "its default \"%s\" is not of the form "
                              "multi(0)disk(0)rdisk(N)partition(N)\\ROOT",
                              text);
    if (arc.partition == number &&
        v2v_equal_nocase(arc.root, facts->system_root) &&
        (arc.disk == 0 || facts->disk_count > 1))
        return verify_holds(v, "boot-ini", subject, err, "its default is %s",
                            text);
    return verify_found(v, "boot-ini-wrong", subject, err,
                        "its default is %s, and this Windows is in \\%s of "
                        "partition(%u)",
                        text, facts->system_root, number);
}

/* ntldr itself is there. */
static int
check_files(struct verify *v, const char *place, struct v2v_bytes *ini,
            struct v2v_error *err)
{
    V2V_AUTO(mem) char *subject = v2v_format(err, "%s: boot.ini", place);
    char text[256];
    struct guest_stat st;
    struct v2v_error why;

    if (subject == NULL ||
        guest_stat(v->in->guest, "NTDETECT.COM", &st, err) < 0)
        return -1;
    if (!st.exists)
        return verify_found(v, "nt-loader-missing", place, err,
                            "there is no NTDETECT.COM in it");
    if (verify_holds(v, "boot-manager", place, err,
                     "ntldr and NTDETECT.COM are there") < 0)
        return -1;
    if (guest_read(v->in->guest, "boot.ini", largest, ini, &why) < 0) {
        if (why.code == V2V_ERR_NOT_FOUND)
            return verify_found(v, "boot-ini-missing", subject, err,
                                "it is not there");
        if (why.code == V2V_ERR_GUEST)
            return verify_unknown(v, "boot-ini", subject, err, "%s", why.text);
        *err = why;
        return -1;
    }
    /* a text for str...() */
    if (v2v_bytes_add(ini, "", 1, err) < 0)
        return -1;
    if (!find_default(ini, text, sizeof text))
        return verify_found(v, "boot-ini-wrong", subject, err,
                            "it has no default");
    return check_default(v, subject, text, err);
}

int
verify_boot_ini(struct verify *v, const struct facts_volume *volume,
                struct v2v_error *err)
{
    const struct facts *facts = v->in->facts;
    const struct facts_volume *system = &facts->volumes[facts->system_volume];
    struct guest *guest = v->in->guest;
    V2V_AUTO(bytes) struct v2v_bytes ini = { 0 };
    int result;

    if (volume != system &&
        guest_mount(guest, volume->disk, volume->place.number, false, err) < 0)
        return -1;
    result = check_files(
        v, guest_place(guest, volume->disk, volume->place.number).text, &ini,
        err);
    if (volume != system &&
        guest_mount(guest, system->disk, system->place.number, false, err) < 0)
        return -1;
    return result;
}
