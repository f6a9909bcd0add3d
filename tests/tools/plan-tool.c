/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan-tool HIVES MEDIUM DRIVER[,DRIVER...] [OUT]
 *
 * What inject plans for the Windows whose SYSTEM, SOFTWARE and DRIVERS lie in
 * the directory HIVES, as text: golden files hold it.  With OUT the registry
 * edits are carried out and the hives are written to that directory, for
 * tests that read them back with other programs.  The clock stands still. */
#include <stdio.h>
#include <string.h>

#include "plan/plan.h"

/* 2025-01-01 00:00 UTC as FILETIME */
static const uint64_t test_time = UINT64_C(133801632000000000);

static int
load_hive(const char *dir, enum reg_hive_id id, struct facts_hive *hive,
          struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    hive->path = v2v_format(err, "%s/%s", dir, reg_hive_name(id));
    if (hive->path == NULL)
        return -1;
    if (id == REG_DRIVERS && access(hive->path, F_OK) < 0)
        return 0;
    if (v2v_file_read(hive->path, 512 << 20, &bytes, err) < 0)
        return -1;
    return reg_hive_open(bytes.data, bytes.len, &hive->hive, err);
}

static int
save_hive(const char *dir, enum reg_hive_id id, const struct facts_hive *hive,
          const struct plan *plan, struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = v2v_format(err, "%s/%s", dir, reg_hive_name(id));
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    if (hive->hive == NULL)
        return 0;
    if (path == NULL || reg_hive_apply(hive->hive, id, &plan->edits, err) < 0 ||
        reg_hive_save(hive->hive, &bytes, err) < 0)
        return -1;
    return v2v_file_replace(path, bytes.data, bytes.len, err);
}

static int
split(char *list, struct v2v_strings *ret, struct v2v_error *err)
{
    for (char *name; (name = strsep(&list, ",")) != NULL;)
        if (v2v_strings_add(ret, name, err) < 0)
            return -1;
    return 0;
}

static int
run(char **argv, struct v2v_error *err)
{
    V2V_AUTO(facts_hives) struct facts_hives hives = { 0 };
    V2V_AUTO(facts) struct facts facts = { 0 };
    V2V_AUTO(media) struct media *media = NULL;
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(plan) struct plan plan = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    struct drivers_guest guest = { 0 };
    /* the fixtures' catalogs are by a test certificate */
    const struct drivers_options any = { .allow_untrusted = true };

    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++)
        if (load_hive(argv[1], id, &hives.items[id], err) < 0)
            return -1;
    facts.system_root = v2v_strdup("Windows", err);
    if (facts.system_root == NULL || facts_read(&hives, &facts, err) < 0 ||
        media_open(argv[2], &media, err) < 0 || split(argv[3], &names, err) < 0)
        return -1;
    guest.target = facts.target;
    guest.os_label = facts.product_name;
    if (drivers_choose(&media, 1, &guest, &names, &any, &choice, err) < 0 ||
        plan_make(&facts, choice.items, choice.count, test_time, &plan, err) <
            0 ||
        plan_print(&plan, &text, err) < 0)
        return -1;
    for (size_t i = 0; i < choice.missing.count; i++)
        printf("missing %s: %s\n", choice.missing.items[i],
               choice.missing_why.items[i]);
    fwrite(text.data, 1, text.len, stdout);
    for (enum reg_hive_id id = 0; argv[4] != NULL && id < REG_HIVE_COUNT; id++)
        if (save_hive(argv[4], id, &hives.items[id], &plan, err) < 0)
            return -1;
    return 0;
}

int
main(int argc, char **argv)
{
    struct v2v_error err = { 0 };

    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: %s HIVES MEDIUM DRIVER[,DRIVER...] [OUT]\n",
                argv[0]);
        return 2;
    }
    if (run(argv, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return (int)err.code;
    }
    return 0;
}
