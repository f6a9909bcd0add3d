/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domain/osinfo.h: which Windows is called what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/osinfo.h"

static void
test_names(void **state)
{
    static const struct {
        struct domain_windows windows;
        const char *name;
    } cases[] = {
        { { 5, 1, 2600, false, false }, "winxp" },
        { { 5, 2, 3790, false, false }, "winxp" }, /* XP x64 */
        { { 5, 2, 3790, true, false }, "win2k3" },
        { { 5, 2, 3790, true, true }, "win2k3r2" },
        { { 6, 0, 6002, false, false }, "winvista" },
        { { 6, 0, 6002, true, false }, "win2k8" },
        { { 6, 1, 7601, false, false }, "win7" },
        { { 6, 1, 7601, true, false }, "win2k8r2" },
        { { 6, 2, 9200, false, false }, "win8" },
        { { 6, 2, 9200, true, false }, "win2k12" },
        { { 6, 3, 9600, false, false }, "win8.1" },
        { { 6, 3, 9600, true, false }, "win2k12r2" },
        { { 10, 0, 10240, false, false }, "win10" },
        { { 10, 0, 19045, false, false }, "win10" },
        { { 10, 0, 21999, false, false }, "win10" },
        { { 10, 0, 22000, false, false }, "win11" },
        { { 10, 0, 26200, false, false }, "win11" },
        { { 10, 0, 14393, true, false }, "win2k16" },
        { { 10, 0, 17763, true, false }, "win2k19" },
        { { 10, 0, 19042, true, false }, "win2k19" },
        { { 10, 0, 20348, true, false }, "win2k22" },
        { { 10, 0, 25398, true, false }, "win2k22" },
        { { 10, 0, 26100, true, false }, "win2k25" },
        { { 11, 0, 30000, false, false }, "win11" },
        { { 5, 0, 2195, false, false }, "winxp" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(domain_osinfo(&cases[i].windows)->name,
                            cases[i].name);
}

/* Each row is its own first one. */
static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < domain_osinfo_count; i++) {
        const struct domain_osinfo *os = &domain_osinfos[i];

        assert_ptr_equal(domain_osinfo(&os->from), os);
    }
}

/* What libosinfo's own program says: "win10|http://microsoft.com/win/10" */
static void
assert_known(const char *list, const char *name, const char *url)
{
    char line[128];

    snprintf(line, sizeof line, "\n%s|%s\n", name, url);
    if (strstr(list, line) == NULL)
        fail_msg("osinfo-query knows no %s", line);
}

static void
test_against_libosinfo(void **state)
{
    static char list[1 << 20] = "\n";
    size_t len = 1;
    FILE *query = popen("osinfo-query os --fields=short-id,id 2>/dev/null | "
                        "tr -d ' '",
                        "r");

    (void)state;
    assert_non_null(query);
    len += fread(list + 1, 1, sizeof list - 2, query);
    list[len] = '\0';
    pclose(query);
    if (strstr(list, "microsoft.com") == NULL) {
        print_message("skipped: no osinfo-query here\n");
        skip();
    }
    for (size_t i = 0; i < domain_osinfo_count; i++) {
        const struct domain_osinfo *os = &domain_osinfos[i];
        char hint[64];

        snprintf(hint, sizeof hint, "\n%s|", os->hint);
        if (strstr(list, hint) == NULL)
            fail_msg("virt-install would not know %s", os->hint);
        if (strcmp(os->hint, os->name) == 0)
            assert_known(list, os->name, os->url);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_against_libosinfo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
