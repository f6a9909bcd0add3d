/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inf-parser/install.h"

#define VERSION "[Version]\nSignature=\"$Windows NT$\"\n"

static struct inf_file *
parse(const char *text)
{
    struct inf_file *inf = NULL;
    struct v2v_error err = { 0 };

    if (inf_parse(text, strlen(text), &inf, &err) < 0)
        fail_msg("%s", err.text);
    return inf;
}

/* The lists of TargetOSVersion decorations, and which one each Windows takes.
 * The rules: Microsoft, "INF Manufacturer Section". */
static const char selection[] =
    VERSION "[Manufacturer]\n"
            "A=MA,NTamd64,NTamd64.10.0,NTamd64.10.0...17763,NTamd64.6.1,NTx86\n"
            "B=MB,NT,NT.5,NT.5.5,NT....0x80\n"
            "C=MC,NTamd64...3,NTamd64\n"
            "D=MD\n"
            "E=ME,NTarm64.10.0...16299,ntamd64.10.0,\n"
            "F=MF,NTx86,NT.6.0\n"
            "G=MG,NTamd64.6.3\n"
            "H=MH,NTamd64.10.0...16299\n"
            "I=MI,NTx86.6.3.1,NTarm.10,NTmips,XP,NTamd64..1,NTamd64.x,"
            "NTamd64....,NTamd64.....5\n"
            "J=MJ,NTamd64.0x0A.0\n"
            "K=MK,NTamd64.10.0.1..16299,NTamd64.10.0.3,NTamd64.10.0...1.1\n"
            "MX\n"
            "L,MZ,NTamd64\n"
            "N=MN,NTamd64.6.1..0x80,NTamd64.6.1..0x90,NTamd64.6.1\n"
            "O=MO,NTamd64,ntAMD64\n";

#define WIN11                                                                  \
    {                                                                          \
        INF_ARCH_AMD64, 10, 0, 26100, 1, 0                                     \
    }
#define WIN10_1607                                                             \
    {                                                                          \
        INF_ARCH_AMD64, 10, 0, 14393, 1, 0                                     \
    }
#define WIN10_1507                                                             \
    {                                                                          \
        INF_ARCH_AMD64, 10, 0, 10240, 1, 0                                     \
    }
#define SERVER2025                                                             \
    {                                                                          \
        INF_ARCH_AMD64, 10, 0, 26100, 3, 0                                     \
    }
#define SERVER_DC                                                              \
    {                                                                          \
        INF_ARCH_AMD64, 10, 0, 20348, 2, 0                                     \
    }
#define WIN81                                                                  \
    {                                                                          \
        INF_ARCH_AMD64, 6, 3, 9600, 1, 0                                       \
    }
#define VISTA                                                                  \
    {                                                                          \
        INF_ARCH_AMD64, 6, 0, 6002, 1, 0                                       \
    }
#define WIN10_X86                                                              \
    {                                                                          \
        INF_ARCH_X86, 10, 0, 19045, 1, 0                                       \
    }
#define XP_X86                                                                 \
    {                                                                          \
        INF_ARCH_X86, 5, 1, 2600, 1, 0                                         \
    }
#define XP_DATACENTER                                                          \
    {                                                                          \
        INF_ARCH_X86, 5, 1, 2600, 3, 0x80                                      \
    }
#define WIN11_ARM64                                                            \
    {                                                                          \
        INF_ARCH_ARM64, 10, 0, 22631, 1, 0                                     \
    }
#define SEVEN                                                                  \
    {                                                                          \
        INF_ARCH_AMD64, 6, 1, 7601, 1, 0                                       \
    }
#define SEVEN_90                                                               \
    {                                                                          \
        INF_ARCH_AMD64, 6, 1, 7601, 1, 0x190                                   \
    }

static void
test_selection(void **state)
{
    static const struct {
        const char *base;
        struct inf_target target;
        const char *section; /* NULL: none */
    } cases[] = {
        { "MA", WIN11, "MA.NTamd64.10.0...17763" },
        { "MA", WIN10_1607, "MA.NTamd64.10.0" },
        { "MA", WIN81, "MA.NTamd64.6.1" },
        { "MA", VISTA, "MA.NTamd64" },
        { "MA", WIN10_X86, "MA.NTx86" },
        { "MA", WIN11_ARM64, NULL },
        { "MB", XP_X86, "MB.NT.5" },
        { "MB", XP_DATACENTER, "MB.NT.5" },
        { "MB", WIN11, NULL },
        { "MC", SERVER2025, "MC.NTamd64...3" },
        { "MC", SERVER_DC, "MC.NTamd64" },
        { "MC", WIN11, "MC.NTamd64" },
        { "MD", WIN11, "MD" },
        { "MD", XP_X86, "MD" },
        { "ME", WIN11, "ME.ntamd64.10.0" },
        { "ME", WIN11_ARM64, "ME.NTarm64.10.0...16299" },
        { "ME", WIN81, NULL },
        { "ME", XP_X86, "ME" }, /* none fits: the bare name, on x86 only */
        { "MF", WIN10_X86, "MF.NT.6.0" }, /* version before architecture */
        { "MF", XP_X86, "MF.NTx86" },
        { "MG", WIN81, "MG.NTamd64.6.3" },
        { "MG", SERVER2025, "MG.NTamd64.6.3" },
        { "MG", SEVEN, NULL },
        { "MH", WIN11, "MH.NTamd64.10.0...16299" },
        { "MH", WIN10_1607, NULL },
        { "MH", WIN81, NULL },
        { "MI", WIN11, "MI.NTamd64...." },
        { "MI", WIN10_1507, "MI.NTamd64...." },
        { "MI", WIN11_ARM64, NULL },
        { "MI", WIN10_X86, "MI.NTx86.6.3.1" },
        { "MJ", WIN11, "MJ.NTamd64.0x0A.0" },
        { "MK", WIN11, "MK.NTamd64.10.0.1..16299" },
        { "MK", SERVER2025, "MK.NTamd64.10.0.3" },
        { "MK", WIN10_1507, NULL },
        { "MX", WIN11, "MX" },
        { "MZ", WIN11, NULL },
        { "MN", SEVEN, "MN.NTamd64.6.1" },
        { "MN", SEVEN_90, "MN.NTamd64.6.1..0x90" },
        { "MO", WIN11, "MO.NTamd64" },
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(selection);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(inf_models) struct inf_models models = { 0 };
        const char *found = NULL;
        size_t len = strlen(cases[i].base);

        assert_int_equal(
            inf_models_select(inf, &cases[i].target, &models, NULL), 0);
        for (size_t k = 0; k < models.sections.count; k++) {
            const char *name = models.sections.items[k];

            if (strncmp(name, cases[i].base, len) == 0 &&
                (name[len] == '\0' || name[len] == '.'))
                found = name;
        }
        if (cases[i].section == NULL && found != NULL)
            fail_msg("case %zu: %s", i, found);
        if (cases[i].section != NULL)
            assert_string_equal(found != NULL ? found : "none",
                                cases[i].section);
    }
}

/* Two kinds of virtio-win decoration: .6.3 is also what the packages for
 * Windows 10 up to 0.1.240 have; later ones name 10.0 and a build. */
static void
test_models(void **state)
{
    static const char text[] =
        VERSION "[Manufacturer]\n%V% = Dev,NTamd64.6.3,NTarm64.6.3\n"
                "Other = Dev2\n"
                "[Dev.NTamd64.6.3]\n"
                "%D% = inst, PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4, "
                "PCI\\VEN_1AF4&DEV_1001\n"
                "%D% = inst, PCI\\VEN_1AF4&DEV_1042,\n"
                "plain=I1,,ROOT\\compat, ,%V%\\x\n"
                "manual=I2\n"
                "no,key,line\n"
                "empty=\n"
                "[Dev2]\n"
                "x=I3,A\\B\n"
                "[Strings]\nV = \"Us, Inc.\"\nD=Disk\n";
    static const struct {
        const char *description, *raw, *manufacturer, *install, *id;
        size_t compatible;
        const char *last;
    } want[] = {
        { "Disk", "%D%", "Us, Inc.", "inst",
          "PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4", 1,
          "PCI\\VEN_1AF4&DEV_1001" },
        { "Disk", "%D%", "Us, Inc.", "inst", "PCI\\VEN_1AF4&DEV_1042", 0, "" },
        { "plain", "plain", "Us, Inc.", "I1", "", 2, "Us, Inc.\\x" },
        { "manual", "manual", "Us, Inc.", "I2", "", 0, "" },
        { "x", "x", "Other", "I3", "A\\B", 0, "" },
    };
    static const struct inf_target server = {
        INF_ARCH_AMD64, 6, 3, 9600, 3, 0
    };
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    V2V_AUTO(inf_models) struct inf_models models = { 0 };

    (void)state;
    assert_int_equal(inf_models_select(inf, &server, &models, NULL), 0);
    assert_int_equal(models.sections.count, 2);
    assert_int_equal(models.count, sizeof want / sizeof *want);
    for (size_t i = 0; i < models.count; i++) {
        const struct inf_model *m = &models.items[i];

        assert_string_equal(m->description, want[i].description);
        assert_string_equal(m->description_raw, want[i].raw);
        assert_string_equal(m->manufacturer, want[i].manufacturer);
        assert_string_equal(m->install, want[i].install);
        assert_string_equal(m->hardware_id, want[i].id);
        assert_int_equal(m->compatible_ids.count, want[i].compatible);
        if (want[i].compatible > 0)
            assert_string_equal(m->compatible_ids.items[want[i].compatible - 1],
                                want[i].last);
        assert_int_equal(m->section, i == 4);
    }
    assert_int_equal(models.warnings.count, 3);
    assert_string_equal(models.warnings.items[0],
                        "[Dev.NTamd64.6.3] line 5 names no install section");
    assert_string_equal(models.warnings.items[2],
                        "[Manufacturer] Other: no NTamd64 decoration; current "
                        "Windows ignores this line");
}

static void
test_empty_or_absent_sections_have_no_devices(void **state)
{
    static const char *const cases[] = {
        VERSION,
        VERSION "[Manufacturer]\n",
        VERSION "[Manufacturer]\nA=M,NTamd64\n[M]\nx=I,A\\B\n",
        VERSION "[Manufacturer]\nA=M,NTamd64.10.0,NTamd64\n"
                "[M.NTamd64.10.0]\n[M.NTamd64]\nx=I,A\\B\n",
    };
    static const struct inf_target target = WIN11;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(inf) struct inf_file *inf = parse(cases[i]);
        V2V_AUTO(inf_models) struct inf_models models = { 0 };

        assert_int_equal(inf_models_select(inf, &target, &models, NULL), 0);
        assert_int_equal(models.count, 0);
    }
}

static void
test_version(void **state)
{
    static const char text[] =
        "[Version]\nSignature=\"$Windows NT$\"\nClass = %c%\n"
        "ClassGUID={4d36e97b-E325-11CE-BFC1-08002BE10318}\nProvider=%P%\n"
        "DriverVer = 07/09/2025,100.101.104.28500\n"
        "CatalogFile=x.cat\nCatalogFile.NT=y.cat\ncatalogfile.ntAMD64=z.cat\n"
        "[Version]\nPnpLockDown = 1 ; comment\n"
        "[Strings]\nP=\"Red, Inc.\"\nc=Net\n";
    V2V_AUTO(inf) struct inf_file *inf = parse(text);
    V2V_AUTO(inf_version) struct inf_version v = { 0 };
    V2V_AUTO(inf_version) struct inf_version x86 = { 0 };

    (void)state;
    assert_int_equal(inf_version_parse(inf, INF_ARCH_AMD64, &v, NULL), 0);
    assert_string_equal(v.class_name, "Net");
    assert_string_equal(v.class_guid, "{4d36e97b-E325-11CE-BFC1-08002BE10318}");
    assert_string_equal(v.provider, "Red, Inc.");
    assert_string_equal(v.provider_raw, "%P%");
    assert_string_equal(v.catalog, "z.cat");
    assert_null(v.extension_id);
    assert_true(v.pnp_lockdown);
    assert_int_equal(v.driver_ver.year, 2025);
    assert_int_equal(v.driver_ver.month, 7);
    assert_int_equal(v.driver_ver.day, 9);
    assert_int_equal(v.driver_ver.version[3], 28500);
    assert_int_equal(inf_version_parse(inf, INF_ARCH_X86, &x86, NULL), 0);
    assert_string_equal(x86.catalog, "y.cat");
}

static void
test_bad_versions(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        { "ClassGuid={4d36e97b-e325-11ce-bfc1-08002be1031}",
          "[Version]: ClassGuid: \"{4d36e97b-e325-11ce-bfc1-08002be1031}\" is "
          "not a GUID" },
        { "ClassGuid={4d36e97b-e325-11ce-bfc1-08002be10318}\\x",
          "[Version]: ClassGuid: \"{4d36e97b-e325-11ce-bfc1-08002be10318}\\x\""
          " is not a GUID" },
        { "CatalogFile=..\\x.cat",
          "[Version]: CatalogFile: \"..\\x.cat\" is not beside the INF" },
        { "PnpLockdown=yes",
          "[Version]: PnpLockdown: \"yes\" is not a number" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(mem)
        char *text = v2v_format(NULL, "%s%s\n", VERSION, cases[i].line);
        V2V_AUTO(inf) struct inf_file *inf = parse(text);
        struct inf_version v = { .catalog = "untouched" };
        struct v2v_error err = { 0 };

        assert_int_equal(inf_version_parse(inf, INF_ARCH_AMD64, &v, &err), -1);
        assert_int_equal(err.code, V2V_ERR_FORMAT);
        assert_string_equal(err.text, cases[i].message);
        assert_string_equal(v.catalog, "untouched");
    }
}

static void
test_driver_ver(void **state)
{
    static const struct {
        const char *date, *version;
        struct inf_driver_ver want;
    } cases[] = {
        { "08/20/2025", "1.2.3.4", { 2025, 8, 20, { 1, 2, 3, 4 }, 1, 1 } },
        { "8-5-2025", "10.0", { 2025, 8, 5, { 10, 0 }, 1, 1 } },
        { "02/29/2024", "65534", { 2024, 2, 29, { 65534 }, 1, 1 } },
        { "02/30/2024", "1.65535", { 0 } },
        { "13/01/2024", "1.2.3.4.5", { 0 } },
        { "01/01-2024", "1..2", { 0 } },
        { "01/01/24", "", { 0 } },
        { "2024/01/01", "x", { 0 } },
        { "00/01/2024", "1.", { 0 } },
        { "01/00/2024", " 1.2 ", { 0, 0, 0, { 1, 2 }, 0, 1 } },
        { "01/01/1600", "-1", { 0 } },
        { "", "999999", { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inf_driver_ver v = { .year = 7, .version = { 7, 7, 7, 7 } };

        inf_driver_ver_parse(cases[i].date, cases[i].version, &v);
        if (memcmp(&v, &cases[i].want, sizeof v) != 0)
            fail_msg("case %zu: %u-%u-%u %u.%u", i, v.year, v.month, v.day,
                     v.version[0], v.version[1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_empty_or_absent_sections_have_no_devices),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_bad_versions),
        cmocka_unit_test(test_driver_ver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
