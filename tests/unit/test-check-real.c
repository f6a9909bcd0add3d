/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/ on SYSTEM hives of real installations, each among the files and with
 * the SOFTWARE of mkguest's guest of the same version: what is found there is
 * true of them, and all of it is written down here. */
#include "test-check-tools.h"

static const struct {
    const char *hive, *version, *codes;
} hives[] = {
    { "win10-1709-clean", "win10", "" },
    { "win10-1709-dirty", "win10", "hive-replayed" },
    { "win81-dirty-nologs", "win81", "hive-dirty" },
    { "win7-x64", "win7", "" },
    { "win7-x86", "win7", "antivirus-driver" }, /* McAfee */
};

static void
look(size_t i, const char *dir)
{
    V2V_AUTO(mem)
    char *unpack =
        v2v_format(NULL,
                   "for f in %s/*.xz; do n=$(basename \"$f\" .xz) && "
                   "xz -dc \"$f\" >Windows/System32/config/$n || "
                   "exit 1; done",
                   dir);
    const struct check_case c = { .what = hives[i].hive,
                                  .version = hives[i].version,
                                  .command = unpack,
                                  .codes = hives[i].codes };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct scene scene;
    struct check_input input = { 0 };

    scene_open(&c, &scene);
    input.guest = scene.guest;
    input.facts = &scene.facts;
    input.hives = &scene.hives;
    run_rules(&input, check_windows_rules, &result);
    run_rules(&input, check_policy_rules, &result);
    run_rules(&input, check_antivirus_rules, &result);
    run_rules(&input, check_virtio_rules, &result);
    compare(&c, &result);
    scene_done(&scene);
}

static void
test_real_hives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hives / sizeof *hives; i++) {
        V2V_AUTO(mem) char *path =
            v2v_format(NULL, "data/hives/%s", hives[i].hive);
        V2V_AUTO(mem) char *dir = path != NULL ? shared_path(path) : NULL;

        if (dir == NULL) {
            free(v2v_steal(path)); /* exit() ends no scope */
            remove_top(NULL);
            exit(SKIPPED);
        }
        look(i, dir);
    }
}

/* The drivers of a real medium, on a Windows 10 with memory integrity. */
static void
test_real_drivers(void **state)
{
    static const char names[] = "viostor,vioscsi,NetKVM";
    const struct check_case hvci = { .what = "virtio-win",
                                     .edits = { DWORD(
                                         REG_SYSTEM,
                                         CS "Control\\DeviceGuard\\Scenarios\\"
                                            "HypervisorEnforcedCodeIntegrity",
                                         "Enabled", 1) },
                                     .codes = "" };
    V2V_AUTO(mem)
    char *iso = shared_path("data/virtio-win/virtio-win-subset.iso");
    V2V_AUTO(drivers_choice) struct drivers_choice choice = { 0 };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct check_input input = { .choice = &choice };
    struct scene scene;

    (void)state;
    if (iso == NULL)
        skip();
    choose_from(iso, names, false, false, &choice);
    assert_true(choice.count > 2);
    scene_open(&hvci, &scene);
    input.guest = scene.guest;
    input.facts = &scene.facts;
    input.hives = &scene.hives;
    run_rules(&input, check_policy_rules, &result);
    run_rules(&input, check_virtio_rules, &result);
    compare(&hvci, &result);
    scene_done(&scene);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_hives),
        cmocka_unit_test(test_real_drivers),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
