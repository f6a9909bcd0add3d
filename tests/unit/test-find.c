/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts/find.h, on guests whose volumes are folders: what is found, what is
 * seen, and the names of what there is no way around.  With a real NTFS and
 * several disks: tests/guest/disks.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "facts/find.h"
#include "test-tools.h"
#include "tree-guest.h"

#define BCD_OFF BINARY_DIR "/tests/hives/bcd-off"

static const struct facts_root anywhere = { FACTS_ANY, FACTS_ANY };
static const struct facts_root the_first = { FACTS_ANY, FACTS_FIRST };

static void
must_run(const char *command)
{
    if (!run(command))
        fail_msg("%s", command);
}

static void
ok(int rc, const struct v2v_error *err)
{
    if (rc < 0)
        fail_msg("%s", err->text);
}

static int
start(void **state)
{
    V2V_AUTO(mem)
    char *path = v2v_format(NULL, "%s/fixtures:%s:/usr/sbin:/sbin", SOURCE_DIR,
                            getenv("PATH"));

    if (make_top(state) < 0 || path == NULL || setenv("PATH", path, 1) < 0)
        return -1;
    if (!run("{ command -v mkntfs && command -v sfdisk && "
             "command -v mkfs.vfat; } >/dev/null")) {
        printf("skipped: mkntfs, sfdisk or mkfs.vfat is missing\n");
        remove_top(state);
        exit(SKIPPED);
    }
    return 0;
}

/* A guest that the command has made in the folder "guest". */
static struct guest *
make_guest(const char *command)
{
    V2V_AUTO(mem) char *dir = v2v_format(NULL, "%s/guest", top);
    struct guest *guest = NULL;
    struct v2v_error err = { 0 };

    must_run("rm -rf guest");
    must_run(command);
    ok(tree_guest_open(dir, &guest, &err), &err);
    return guest;
}

static const struct facts_volume *
boot_volume(const struct facts *facts)
{
    assert_true(facts->boot_volume < facts->volume_count);
    return &facts->volumes[facts->boot_volume];
}

/* What starts Windows, by what the volumes hold. */
static void
test_boot_volume(void **state)
{
    static const struct {
        const char *make;
        int root;           /* the partition, or FACTS_ANY */
        unsigned disk;      /* of the boot volume */
        unsigned partition; /* the same; 0: there is none */
        bool has_bcd, test_signing, nt_loader, boot_manager, fallback_loader;
    } cases[] = {
        { "mkguest --tree guest", FACTS_ANY, 0, 1, true, true, false, true,
          false },
        { "mkguest --tree --gpt guest", FACTS_ANY, 0, 1, true, true, false,
          true, true },
        { "mkguest --tree --gpt guest && rm guest/0-1/EFI/Boot/*", FACTS_ANY, 0,
          1, true, true, false, true, false },
        { "mkguest --tree --gpt guest && "
          "rm guest/0-1/EFI/Microsoft/Boot/bootmgfw.efi && "
          "mv guest/0-1/EFI/Boot/bootx64.efi guest/0-1/EFI/Boot/BOOTIA32.EFI",
          FACTS_ANY, 0, 1, true, true, false, false, true },
        { "mkguest --tree --no-boot guest", FACTS_ANY, 0, 0, false, false,
          false, false, false },
        /* the active partition's counts, and what both say */
        { "mkguest --tree --two guest", 2, 0, 1, true, true, false, true,
          false },
        { "mkguest --tree --two guest && sfdisk -q -A guest/disk0.raw 2", 1, 0,
          2, true, true, false, true, false },
        { "mkguest --tree --two guest && cp " BCD_OFF " guest/0-2/Boot/BCD", 1,
          0, 1, true, false, false, true, false },
        { "mkguest --tree --two guest && rm guest/0-1/Boot/BCD", 1, 0, 2, true,
          true, false, true, false },
        /* before Vista */
        { "mkguest --tree --no-boot --version winxp guest && "
          "echo >guest/0-1/NTLDR",
          FACTS_ANY, 0, 1, false, false, true, false, false },
        { "mkguest --tree --no-boot --two --version winxp guest && "
          "echo >guest/0-1/ntldr && echo >guest/0-2/ntldr",
          2, 0, 1, false, false, true, false, false },
        { "mkguest --tree --no-boot --two --version winxp guest && "
          "sfdisk -q -A guest/disk0.raw - && "
          "echo >guest/0-1/ntldr && echo >guest/0-2/ntldr",
          2, 0, 2, false, false, true, false, false },
        { "mkguest --tree --no-boot --version winxp guest && "
          "mkdir guest/0-1/ntldr",
          FACTS_ANY, 0, 0, false, false, false, false, false },
        /* another disk starts it only if its own does not */
        { "mkguest --tree --no-boot guest && mkguest --tree --boot-only o && "
          "mv o/disk0.raw guest/disk1.raw && mv o/0-1 guest/1-1 && rmdir o",
          FACTS_ANY, 1, 1, true, true, false, true, false },
        { "mkguest --tree guest && mkguest --tree --boot-only o && "
          "mv guest/disk0.raw guest/disk1.raw && mv guest/0-1 guest/1-1 && "
          "mv o/disk0.raw guest && mv o/0-1 guest && rmdir o && "
          "cp " BCD_OFF " guest/0-1/Boot/BCD",
          FACTS_ANY, 1, 1, true, true, false, true, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(guest) struct guest *guest = make_guest(cases[i].make);
        const struct facts_root root = { FACTS_ANY, cases[i].root };
        V2V_AUTO(facts) struct facts facts = { 0 };
        struct v2v_error err = { 0 };

        print_message("%s\n", cases[i].make);
        ok(facts_find_windows(guest, &root, &facts, &err), &err);
        assert_int_equal(facts.has_bcd, cases[i].has_bcd);
        assert_int_equal(facts.test_signing, cases[i].test_signing);
        if (cases[i].partition == 0) {
            assert_true(facts.boot_volume == FACTS_NO_VOLUME);
            continue;
        }
        assert_int_equal(boot_volume(&facts)->disk, cases[i].disk);
        assert_int_equal(boot_volume(&facts)->place.number, cases[i].partition);
        assert_int_equal(boot_volume(&facts)->nt_loader, cases[i].nt_loader);
        assert_int_equal(boot_volume(&facts)->boot_manager,
                         cases[i].boot_manager);
        assert_int_equal(boot_volume(&facts)->fallback_loader,
                         cases[i].fallback_loader);
    }
}

/* What inject refuses is found like any other. */
static void
test_states_are_facts(void **state)
{
    static const struct {
        const char *make;
        bool hibernated, dirty;
        enum ntfs_journal journal;
    } cases[] = {
        { "mkguest --tree guest && ln -s Windows guest/0-1/Documents", false,
          false, NTFS_JOURNAL_CLEAN },
        { "mkguest --tree --hibernated guest", true, false,
          NTFS_JOURNAL_CLEAN },
        { "mkguest --tree --fast-startup guest", true, false, NTFS_JOURNAL_V2 },
        { "mkguest --tree --dirty guest", false, true, NTFS_JOURNAL_CLEAN },
        { "mkguest --tree --unclean-journal guest", false, false,
          NTFS_JOURNAL_UNCLEAN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(guest) struct guest *guest = make_guest(cases[i].make);
        V2V_AUTO(facts) struct facts facts = { 0 };
        const struct ntfs_state *found;
        struct v2v_error err = { 0 };

        ok(facts_find_windows(guest, &anywhere, &facts, &err), &err);
        assert_int_equal(facts.system_volume, 0);
        found = &facts.volumes[0].state;
        assert_int_equal(facts.hibernated, cases[i].hibernated);
        assert_int_equal(found->dirty, cases[i].dirty);
        assert_int_equal(found->journal, cases[i].journal);
    }
    assert_string_equal(warnings, "");
}

/* @finding: NULL: none */
static void
refuses(const char *make, struct facts_root root, enum v2v_error_code code,
        const char *finding, const char *text)
{
    V2V_AUTO(guest) struct guest *guest = make_guest(make);
    V2V_AUTO(facts) struct facts facts = { 0 };
    struct v2v_error err = { 0 };

    if (facts_find_windows(guest, &root, &facts, &err) == 0)
        fail_msg("not refused: %s", make);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_int_equal(err.code, code);
    if (finding == NULL)
        assert_null(err.finding);
    else
        assert_string_equal(err.finding, finding);
    assert_int_equal(facts.disk_count, 1);
    assert_true(facts.volume_count > 0 || facts.disks[0].unreadable != NULL);
    assert_true(facts.system_volume == FACTS_NO_VOLUME);
    assert_true(facts.boot_volume == FACTS_NO_VOLUME);
}

static void
test_no_windows(void **state)
{
    static const struct {
        const char *make;
        const char *finding, *text;
    } cases[] = {
        { "mkguest --tree --no-windows guest", "no-windows",
          "no Windows found in 1 partition(s)" },
        { "mkguest --tree guest && rm guest/0-1/Windows/System32/config/SYSTEM",
          "no-windows", "no Windows found in 1 partition(s)" },
        { "mkguest --tree guest && rm -r guest/0-1", "windows-unreadable",
          "no Windows found, and one volume cannot be read: partition 1" },
        { "mkguest --tree guest && sfdisk -q --part-type guest/disk0.raw 1 42",
          "dynamic-disk", "partition 1 is dynamic disk (LDM)" },
        { "mkguest --tree guest && sfdisk -q --part-type guest/disk0.raw 1 e7",
          "storage-spaces", "partition 1 is Storage Spaces" },
        { "mkguest --tree guest && printf 'ReFS\\0\\0\\0\\0' | "
          "dd of=guest/disk0.raw bs=1 seek=1048579 conv=notrunc",
          "refs", "partition 1 is ReFS" },
        { "mkdir guest && mkbitlocker guest/disk0.raw clear-key tpm",
          "bitlocker-suspended", "protected by: clear key, TPM" },
        { "mkdir guest && mkbitlocker guest/disk0.raw password",
          "bitlocker-locked", "protected by: password" },
        { "mkdir guest && mkbitlocker guest/disk0.raw password && "
          "echo 'all 0 0 secret' >guest/keys",
          "bitlocker-unreadable", "one volume cannot be read: partition 1: " },
        { "mkdir guest && mkbitlocker guest/disk0.raw clear-key && "
          "echo 'all 0 0 secret' >guest/keys",
          "bitlocker-suspended", "one volume cannot be read: partition 1: " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(cases[i].make, anywhere, V2V_ERR_GUEST, cases[i].finding,
                cases[i].text);
    refuses("mkdir guest && truncate -s 1M guest/disk0.raw", anywhere,
            V2V_ERR_FORMAT, "disk-unreadable", "not a disk image of Windows");
}

/* ENCRYPT(PROTECTORS): a guest in a volume whose key is "secret". */
#define ENCRYPT(protectors)                                                    \
    "mkguest --tree guest && " SOURCE_DIR                                      \
    "/tests/tools/tree-encrypt.sh guest 1 secret " protectors
#define OTHER_ID "0f8a2d79-2b3f-56f0-4d0b-66c6ff1c0d34"
#define WRONG "echo 'all 0 0 wrong' >>guest/keys"
#define RIGHT "echo 'all 0 0 secret' >>guest/keys"

static void
test_keys_that_open(void **state)
{
    static const struct {
        const char *make;
        bool needs_tpm;
        const char *warning;
    } cases[] = {
        { ENCRYPT("password") "&&" RIGHT, false, "" },
        { ENCRYPT("tpm recovery-password") "&&" WRONG "&&" RIGHT, true, "" },
        { ENCRYPT("password") "&& echo '/dev/sda1 0 1 secret' >guest/keys",
          false, "" },
        { ENCRYPT("password") "&&" RIGHT
                              "&& echo '/dev/sdb1 1 1 secret' >>guest/keys",
          false, "key-unused" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(guest) struct guest *guest = NULL;
        V2V_AUTO(facts) struct facts facts = { 0 };
        struct v2v_error err = { 0 };

        *warnings = '\0';
        guest = make_guest(cases[i].make);
        ok(facts_find_windows(guest, &anywhere, &facts, &err), &err);
        assert_int_equal(facts.system_volume, 0);
        assert_true(facts.volumes[0].encrypted);
        assert_int_equal(facts.volumes[0].lock, GUEST_UNLOCKED);
        assert_int_equal(facts.volumes[0].place.content, DISK_NTFS);
        assert_int_equal(facts.volumes[0].state.journal, NTFS_JOURNAL_CLEAN);
        assert_int_equal(facts.volumes[0].keys.needs_tpm, cases[i].needs_tpm);
        assert_non_null(strstr(warnings, cases[i].warning));
        assert_null(strstr(warnings, "secret"));
    }
    *warnings = '\0';
}

static void
test_keys_that_do_not(void **state)
{
    static const struct {
        const char *make, *finding, *text;
    } cases[] = {
        { ENCRYPT("tpm recovery-password") "&&" WRONG, "bitlocker-key-wrong",
          "none of the keys for partition 1 opens it; its BitLocker key is "
          "protected by: TPM, recovery password (recovery key ID " },
        { ENCRYPT("password") "&& echo '/dev/sda2 0 2 secret' >guest/keys",
          "bitlocker-locked", "partition 1 is encrypted with BitLocker" },
        { ENCRYPT("password") "&& echo '" OTHER_ID " 0 0 secret' >guest/keys",
          "bitlocker-locked", "partition 1 is encrypted with BitLocker" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuses(cases[i].make, anywhere, V2V_ERR_GUEST, cases[i].finding,
                cases[i].text);
    *warnings = '\0';
}

/* One that cannot be read hides none but itself. */
static void
test_which_of_several(void **state)
{
    static const char two[] = "mkguest --tree --two guest";
    static const char hole[] = "mkguest --tree --two guest && rm -r guest/0-1";
    V2V_AUTO(guest) struct guest *guest = NULL;
    V2V_AUTO(facts) struct facts facts = { 0 };
    struct v2v_error err = { 0 };

    (void)state;
    refuses(two, anywhere, V2V_ERR_GUEST, "several-windows",
            "multi-boot: 2 Windows in one image, in partitions 1, 2 (--root "
            "N)");
    refuses(two, (struct facts_root){ FACTS_ANY, 3 }, V2V_ERR_USAGE, NULL,
            "--root 3: there is no Windows in that partition, but in "
            "partitions 1, 2");
    refuses(hole, (struct facts_root){ FACTS_ANY, 1 }, V2V_ERR_GUEST,
            "windows-unreadable", "partition 1");
    guest = make_guest(hole);
    ok(facts_find_windows(guest, &anywhere, &facts, &err), &err);
    assert_int_equal(facts.partition, 2);
    assert_int_equal(facts.system_volume, 1);
    assert_non_null(facts.volumes[0].unreadable);
    assert_null(facts.volumes[1].unreadable);
    assert_string_equal(warnings, "");
    guest_abandon(v2v_steal(guest));
    facts_done(&facts);
    facts = (struct facts){ 0 };
    guest = make_guest(two);
    ok(facts_find_windows(guest, &the_first, &facts, &err), &err);
    assert_int_equal(facts.partition, 1);
}

/* Makes the guest, finds Windows, does @then to it, loads the hives. */
static int
load(const char *make, const char *then, struct facts_hives *hives,
     struct v2v_error *err)
{
    V2V_AUTO(guest) struct guest *guest = make_guest(make);
    V2V_AUTO(facts) struct facts facts = { 0 };

    ok(facts_find_windows(guest, &anywhere, &facts, err), err);
    must_run(then);
    return facts_load_hives(guest, &facts, hives, err);
}

/* What an injection wrote is looked for on the volume. */
static void
test_hives_as_written(void **state)
{
    static const struct {
        const char *then, *message; /* NULL: it is as it was to be */
    } cases[] = {
        { "true", NULL },
        { "printf x | dd of=SOFTWARE bs=1 seek=5000 conv=notrunc status=none",
          "SOFTWARE: it does not hold what was written" },
        { "printf x >>SYSTEM", "SYSTEM: it does not hold what was written" },
        { "printf x >SYSTEM.LOG2", "SYSTEM.LOG2: has 1 bytes, not 0" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(guest) struct guest *guest =
            make_guest("mkguest --tree guest");
        V2V_AUTO(facts) struct facts facts = { 0 };
        V2V_AUTO(facts_hives) struct facts_hives hives = { 0 };
        V2V_AUTO(mem) char *then = v2v_format(
            NULL, "cd guest/0-1/Windows/System32/config && %s", cases[i].then);
        struct v2v_error err = { 0 };
        int rc;

        ok(facts_load(guest, &anywhere, &hives, &facts, &err), &err);
        must_run(then);
        rc = facts_reload_hives(guest, &facts, &hives, &err);
        if (cases[i].message == NULL) {
            ok(rc, &err);
            assert_int_equal(
                reg_has_key(hives.items[REG_SYSTEM].hive, "Select", &err), 1);
            continue;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, V2V_ERR_INTERNAL);
        assert_non_null(strstr(err.text, cases[i].message));
    }
}

static void
test_hives(void **state)
{
    static const struct {
        const char *make, *then;
        enum reg_replay replay; /* of SYSTEM */
        bool drivers;           /* there is a DRIVERS hive */
        enum v2v_error_code code;
        const char *finding;
    } cases[] = {
        { "mkguest --tree guest", "true", REG_REPLAY_CLEAN, true, V2V_OK,
          NULL },
        { "mkguest --tree --version win7 guest", "true", REG_REPLAY_CLEAN,
          false, V2V_OK, NULL },
        { "mkguest --tree --dirty-hive guest", "true", REG_REPLAY_NO_LOGS, true,
          V2V_OK, NULL },
        { "mkguest --tree --corrupt-system guest", "true", REG_REPLAY_CLEAN,
          false, V2V_ERR_FORMAT, "hive-corrupt" },
        { "mkguest --tree guest",
          "rm guest/0-1/Windows/System32/config/SOFTWARE", REG_REPLAY_CLEAN,
          false, V2V_ERR_GUEST, "hive-missing" },
        { "mkguest --tree guest",
          "cd guest/0-1/Windows/System32/config && mv SYSTEM elsewhere && "
          "ln -s elsewhere SYSTEM",
          REG_REPLAY_CLEAN, false, V2V_ERR_GUEST, "hive-corrupt" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(facts_hives) struct facts_hives hives = { 0 };
        struct v2v_error err = { 0 };
        int rc = load(cases[i].make, cases[i].then, &hives, &err);

        if (cases[i].code != V2V_OK) {
            assert_int_equal(rc, -1);
            assert_int_equal(err.code, cases[i].code);
            assert_string_equal(err.finding, cases[i].finding);
            continue;
        }
        ok(rc, &err);
        assert_int_equal(hives.items[REG_SYSTEM].replay, cases[i].replay);
        assert_int_equal(hives.items[REG_SOFTWARE].replay, REG_REPLAY_CLEAN);
        assert_int_equal(hives.items[REG_DRIVERS].hive != NULL,
                         cases[i].drivers);
        assert_non_null(hives.items[REG_SYSTEM].hive);
    }
    assert_string_equal(warnings, "");
}

/* What only all of it together sees. */
static void
test_load(void **state)
{
    static const struct {
        const char *make;
        enum v2v_error_code code; /* V2V_OK: not hibernated either */
        const char *finding, *text;
    } cases[] = {
        { "mkguest --tree guest && rm guest/0-1/hiberfil.sys && "
          "mkdir guest/0-1/hiberfil.sys",
          V2V_OK, NULL, NULL },
        { "mkguest --tree --hibernated --corrupt-system guest", V2V_ERR_GUEST,
          "hibernated", "Windows is hibernated: Windows/System32/config/SYS" },
        { "mkguest --tree guest && rm -r guest/0-1/Windows/INF", V2V_ERR_GUEST,
          "folder-redirected", "Windows/INF" },
        { "mkguest --tree guest && cd guest/0-1/Windows && mv INF elsewhere && "
          "ln -s elsewhere INF",
          V2V_ERR_GUEST, "folder-redirected", "Windows/INF" },
        { "mkguest --tree guest && "
          "cp " BCD_OFF " guest/0-1/Windows/System32/config/SOFTWARE",
          V2V_ERR_FORMAT, "hive-corrupt", "SOFTWARE" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        V2V_AUTO(guest) struct guest *guest = make_guest(cases[i].make);
        V2V_AUTO(facts) struct facts facts = { 0 };
        V2V_AUTO(facts_hives) struct facts_hives hives = { 0 };
        struct v2v_error err = { 0 };

        int rc = facts_load(guest, &anywhere, &hives, &facts, &err);

        if (cases[i].code == V2V_OK) {
            assert_false(facts.hibernated);
            ok(rc, &err);
            continue;
        }
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.finding, cases[i].finding);
        assert_non_null(strstr(err.text, cases[i].text));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boot_volume),
        cmocka_unit_test(test_states_are_facts),
        cmocka_unit_test(test_no_windows),
        cmocka_unit_test(test_keys_that_open),
        cmocka_unit_test(test_keys_that_do_not),
        cmocka_unit_test(test_which_of_several),
        cmocka_unit_test(test_hives),
        cmocka_unit_test(test_hives_as_written),
        cmocka_unit_test(test_load),
    };

    return cmocka_run_group_tests(tests, start, remove_top);
}
