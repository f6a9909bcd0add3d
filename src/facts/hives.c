/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/find.h"

#include <inttypes.h>

#include "base/log.h"
#include "facts/hive.h"
#include "hives/hives.h"
#include "registry/header.h"

void
facts_hive_done(struct facts_hive *hive)
{
    free(hive->path);
    free(hive->logs[0].path);
    free(hive->logs[1].path);
    reg_hive_close(hive->hive);
    hives_file_free(hive->file);
    *hive = (struct facts_hive){ 0 };
}

void
facts_hives_done(struct facts_hives *hives)
{
    for (size_t i = 0; i < REG_HIVE_COUNT; i++)
        facts_hive_done(&hives->items[i]);
}

int
facts_hives_answered(const struct facts_hives *hives, struct v2v_error *err)
{
    for (size_t i = 0; i < REG_HIVE_COUNT; i++)
        if (hives->items[i].hive != NULL &&
            reg_hive_answered(hives->items[i].hive, err) < 0)
            return -1;
    return 0;
}

/* Beside the hive, with one suffix more; replaces what @hive has there. */
static int
find_log(struct guest *guest, struct facts_hive *hive, size_t which,
         const char *suffix, struct v2v_error *err)
{
    char *path = v2v_format(err, "%s.%s", hive->path, suffix);
    struct guest_stat st;

    free(hive->logs[which].path);
    hive->logs[which].path = path;
    if (path == NULL || guest_stat(guest, path, &st, err) < 0)
        return -1;
    hive->logs[which].len = st.size;
    return 0;
}

static int
find_logs(struct guest *guest, struct facts_hive *hive, struct v2v_error *err)
{
    if (find_log(guest, hive, 0, "LOG1", err) < 0 ||
        find_log(guest, hive, 1, "LOG2", err) < 0)
        return -1;
    return 0;
}

/* Before Vista a hive had one log.  It may still be beside the two, empty or of
 * an older time. */
static int
find_former_log(struct guest *guest, struct facts_hive *hive,
                struct v2v_error *err)
{
    if (hive->logs[0].len > 0 || hive->logs[1].len > 0)
        return 0;
    return find_log(guest, hive, 0, "LOG", err);
}

/* A log may be as large as its hive. */
static int
load_log(struct guest *guest, const struct facts_hive *hive, size_t which,
         size_t max, struct v2v_bytes *ret, struct v2v_error *err)
{
    if (hive->logs[which].len == 0)
        return 0;
    return guest_read(guest, hive->logs[which].path, max, ret, err);
}

static void
say_replayed(const struct facts_hive *hive, unsigned entries)
{
    if (hive->replay == REG_REPLAY_DONE)
        v2v_fact("facts", "%s: %u entries of its transaction logs replayed",
                 hive->path, entries);
    else
        v2v_fact("facts",
                 "%s: dirty, its transaction logs do not apply; read as it is",
                 hive->path);
}

static int
open_with_logs(struct guest *guest, struct facts_hive *hive, size_t max,
               struct hives_source *source, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes first = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes second = { 0 };
    struct reg_replayed replayed;
    struct reg_log logs[2];

    if (find_former_log(guest, hive, err) < 0 ||
        load_log(guest, hive, 0, max, &first, err) < 0 ||
        load_log(guest, hive, 1, max, &second, err) < 0)
        return -1;
    logs[0] = (struct reg_log){ first.data, first.len };
    logs[1] = (struct reg_log){ second.data, second.len };
    source->logs = logs;
    if (hives_open(source, &replayed, &hive->hive, err) < 0)
        return -1;
    hive->replay = replayed.result;
    say_replayed(hive, replayed.entries);
    return 0;
}

static int
read_content(struct guest *guest, size_t max, struct facts_hive *hive,
             struct v2v_error *err)
{
    uint64_t len;

    if (hives_file_new(&hive->file, err) < 0 ||
        guest_copy(guest, hive->path, max, hive->file->fd, &len, err) < 0 ||
        hives_file_update(hive->file, err) < 0)
        return -1;
    if (hive->file->len != len)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "reading %s: got %zu of %" PRIu64 " bytes", hive->path,
                        hive->file->len, len);
    return 0;
}

/* Fills in file, logs and file_number. */
static int
read_file(struct guest *guest, size_t max, struct facts_hive *hive,
          struct v2v_error *err)
{
    struct guest_stat st;

    if (read_content(guest, max, hive, err) < 0 ||
        guest_stat(guest, hive->path, &st, err) < 0 ||
        find_logs(guest, hive, err) < 0)
        return -1;
    hive->file_number = st.file_number;
    return 0;
}

int
facts_hive_open(struct guest *guest, size_t max, struct facts_hive *hive,
                struct v2v_error *err)
{
    struct hives_source source = { .name = hive->path,
                                   .data = hive->file->data,
                                   .len = hive->file->len,
                                   .file = hive->file };

    return reg_needs_logs(source.data, source.len)
               ? open_with_logs(guest, hive, max, &source, err)
               : hives_open(&source, NULL, &hive->hive, err);
}

/* Damaged, or no plain file of a size that a hive has. */
static int
name_corrupt(struct v2v_error *err)
{
    if (err != NULL &&
        (err->code == V2V_ERR_FORMAT || err->code == V2V_ERR_GUEST))
        v2v_error_name(err, "hive-corrupt");
    return -1;
}

int
facts_hive_load(struct guest *guest, size_t max, struct facts_hive *hive,
                struct v2v_error *err)
{
    if (read_file(guest, max, hive, err) < 0)
        return name_corrupt(err);
    if (facts_hive_open(guest, max, hive, err) < 0) {
        name_corrupt(err);
        return v2v_fail_in(err, "%s", hive->path);
    }
    v2v_fact("facts", "%s: %zu bytes", hive->path, hive->file->len);
    return 0;
}

int
facts_load_hives(struct guest *guest, const struct facts *facts,
                 struct facts_hives *ret, struct v2v_error *err)
{
    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++) {
        struct facts_hive *hive = &ret->items[id];

        hive->path = v2v_format(err, "%s/System32/config/%s",
                                facts->system_root, reg_hive_name(id));
        if (hive->path == NULL)
            return -1;
        if (facts_hive_load(guest, FACTS_HIVE_MAX, hive, err) == 0)
            continue;
        if (err->code != V2V_ERR_NOT_FOUND)
            return -1;
        /* DRIVERS came with Windows 8; facts_read() judges what is missing */
        if (id != REG_DRIVERS)
            return v2v_refuse(err, V2V_ERR_GUEST, "hive-missing",
                              "%s: there is no such file", hive->path);
    }
    return 0;
}
