/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/virtio.c, on guests into which plan/ has put drivers, as they are and
 * with one thing undone. */
#include "plan/plan.h"
#include "test-check-tools.h"

#define VIOSTOR SERVICES "viostor"
#define VIOSCSI SERVICES "vioscsi"
#define GUESTOR "DriverDatabase\\DriverInfFiles\\guestor.inf"

static struct drivers_choice choice; /* viostor, NetKVM */
static struct drivers_choice both;   /* viostor, vioscsi */

/* The name of viostor's package after injection is that of its content. */
static char *
package_key(const char *sub_key)
{
    return v2v_format(NULL,
                      "DriverDatabase\\DriverPackages\\viostor.inf_amd64_%s%s",
                      choice.items[0].content_id, sub_key);
}

static void
inject(struct scene *scene, const struct drivers_choice *drivers)
{
    V2V_AUTO(plan) struct plan plan = { 0 };
    struct v2v_error err = { 0 };

    ok(plan_make(&scene->facts, drivers->items, drivers->count, 1, &plan, &err),
       &err);
    for (enum reg_hive_id id = 0; id < REG_HIVE_COUNT; id++)
        if (scene->hives.items[id].hive != NULL)
            ok(reg_hive_apply(scene->hives.items[id].hive, id, &plan.edits,
                              &err),
               &err);
}

/* @injected: NULL for nothing; @medium: NULL for none */
static void
expect(const struct check_case *c, const struct drivers_choice *injected,
       const struct drivers_choice *medium)
{
    const struct check_case untouched = { .what = c->what,
                                          .version = c->version };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct scene scene;
    struct check_input input = { .choice = medium };

    scene_open(&untouched, &scene);
    if (injected != NULL)
        inject(&scene, injected);
    apply_edits(&scene.hives, c->edits);
    read_facts_again(&scene);
    input.guest = scene.guest;
    input.facts = &scene.facts;
    input.hives = &scene.hives;
    run_rules(&input, check_virtio_rules, &result);
    compare(c, &result);
    scene_done(&scene);
}

static void
test_no_package(void **state)
{
    static const struct check_case cases[] = {
        { .what = "clean", .codes = "" },
        { .what = "clean 7", .version = "win7", .codes = "" },
        { .what = "clean 2022", .version = "2k22", .codes = "" },
        { .what = "an empty key",
          .edits = { KEY(REG_SYSTEM, VIOSTOR) },
          .codes = "" },
        { .what = "a service alone",
          .edits = { DWORD(REG_SYSTEM, VIOSTOR, "Start", 0) },
          .codes = "virtio-service-only",
          .evidence = "no package of viostor.inf" },
        { .what = "the same before Windows 8",
          .version = "win7",
          .edits = { DWORD(REG_SYSTEM, VIOSTOR, "Start", 0) },
          .codes = "" },
        { .what = "demoted before Windows 8",
          .version = "win7",
          .edits = { DWORD(REG_SYSTEM, VIOSTOR, "Start", 3) },
          .codes = "virtio-demoted",
          .evidence = "Start is 3" },
        { .what = "virt-v2v's package",
          .edits = { KEY(REG_SYSTEM, GUESTOR),
                     DWORD(REG_SYSTEM, VIOSTOR, "Start", 0) },
          .codes = "virt-v2v-stub" },
        { .what = "virt-v2v's scripts",
          .edits = { TEXT(REG_SYSTEM, SERVICES "firstboot", "ImagePath",
                          "\"C:\\Program Files\\Guestfs\\Firstboot\\"
                          "RHSrvAny.exe\" -s firstboot") },
          .codes = "virt-v2v-firstboot" },
        { .what = "somebody else's service of that name",
          .edits = { TEXT(REG_SYSTEM, SERVICES "firstboot", "ImagePath",
                          "C:\\firstboot.exe") },
          .codes = "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(&cases[i], NULL, NULL);
}

static void
test_a_medium_completes(void **state)
{
    const struct check_case c = { .what = "a service alone, and a medium",
                                  .edits = { DWORD(REG_SYSTEM, VIOSTOR, "Start",
                                                   0) },
                                  .codes = "virtio-incomplete" };

    (void)state;
    expect(&c, NULL, &choice);
}

static void
test_versions(void **state)
{
    static const struct {
        int years; /* of the medium, later than the guest's */
        const char *codes;
    } cases[] = {
        { 0, "virtio-same virtio-same" },
        { 1, "virtio-older virtio-older" },
        { -1, "boot-driver-newer driver-newer" },
    };
    const struct check_case alone = {
        .what = "no medium",
        .codes = "virtio-present virtio-present",
        .evidence = "is in the driver store (oem3.inf, viostor.inf_amd64_"
    };

    (void)state;
    expect(&alone, &choice, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(drivers_choice) struct drivers_choice medium = { 0 };
        const struct check_case c = { .what = cases[i].codes,
                                      .codes = cases[i].codes,
                                      .evidence = "the medium has" };

        choose_drivers("viostor,NetKVM", true, true, &medium);
        for (size_t k = 0; k < medium.count; k++) {
            uint16_t *year = &medium.items[k].version.driver_ver.year;

            *year = (uint16_t)(*year + cases[i].years);
        }
        expect(&c, &choice, &medium);
    }
}

/* The part of the version that counts when the date is the same. */
static void
test_same_date(void **state)
{
    V2V_AUTO(drivers_choice) struct drivers_choice medium = { 0 };
    const struct check_case c = { .what = "next build",
                                  .codes = "virtio-older virtio-same" };

    (void)state;
    choose_drivers("viostor,NetKVM", true, true, &medium);
    medium.items[0].version.driver_ver.version[3]++;
    expect(&c, &choice, &medium);
}

/* One thing undone: without a medium a warning, with it news. */
static void
test_boot_driver(void **state)
{
    V2V_AUTO(mem) char *configurations = package_key("\\Configurations");
    const struct {
        struct edit edit;
        const char *code, *evidence;
    } cases[] = {
        { DWORD(REG_SYSTEM, VIOSTOR "\\StartOverride", "0", 3),
          "virtio-demoted", VIOSTOR "\\StartOverride is there" },
        { DWORD(REG_SYSTEM, VIOSTOR, "Start", 3), "virtio-demoted",
          "Start is 3" },
        { DELETE(REG_SYSTEM, configurations), "virtio-staged",
          "no Configurations" },
        { DELETE(REG_SYSTEM, VIOSTOR), "virtio-staged", "there is no service" },
    };
    V2V_AUTO(drivers_choice) struct drivers_choice only = { 0 };

    (void)state;
    choose_drivers("viostor", true, true, &only);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *codes = v2v_format(NULL, "virtio-present %s", cases[i].code);
        struct check_case c = { .what = cases[i].evidence,
                                .edits = { cases[i].edit },
                                .codes = codes };

        expect(&c, &only, NULL);
        c.codes = "virtio-same virtio-incomplete";
        expect(&c, &only, &only);
    }
}

/* Windows demotes the one of the two that has no device. */
static void
test_the_unused_one(void **state)
{
    static const struct check_case c = {
        .what = "vioscsi demoted beside viostor",
        .edits = { DWORD(REG_SYSTEM, VIOSCSI "\\StartOverride", "0", 3) },
        .codes = "virtio-present virtio-present virtio-incomplete",
    };

    (void)state;
    expect(&c, &both, NULL);
}

static int
start_virtio(void **state)
{
    if (start(state) < 0)
        return -1;
    choose_drivers("viostor,NetKVM", true, true, &choice);
    choose_drivers("viostor,vioscsi", true, true, &both);
    return choice.count == 2 && both.count == 2 ? 0 : -1;
}

static int
stop(void **state)
{
    drivers_choice_done(&choice);
    drivers_choice_done(&both);
    return remove_top(state);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_package),
        cmocka_unit_test(test_a_medium_completes),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_same_date),
        cmocka_unit_test(test_boot_driver),
        cmocka_unit_test(test_the_unused_one),
    };

    return cmocka_run_group_tests(tests, start_virtio, stop);
}
