/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batch/slurm.h"

static void
test_indexes(void **state)
{
    static const struct {
        size_t lines[8], count, offset;
        const char *text;
    } cases[] = {
        { { 2 }, 1, 0, "2" },
        { { 2, 3 }, 2, 0, "2-3" },
        { { 2, 3, 4, 6, 8, 9 }, 6, 0, "2-4,6,8-9" },
        { { 1001, 1002, 2000 }, 3, 1000, "1-2,1000" },
        { { 0 }, 0, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct v2v_error err = { 0 };
        char *text = slurm_indexes(cases[i].lines, cases[i].count,
                                   cases[i].offset, &err);

        assert_non_null(text);
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

/* What a shell makes of the script: a word a line, in brackets. */
static void
check_words(const struct v2v_strings *words, const char *line, const char *want)
{
    struct v2v_error err = { 0 };
    char *script = slurm_script(words, line, &err);
    char said[4096] = "";
    FILE *out;

    assert_non_null(script);
    assert_int_equal(setenv("SCRIPT", script, 1), 0);
    out = popen("printf '%s' \"$SCRIPT\" | SLURM_ARRAY_TASK_ID=7 /bin/sh", "r");
    assert_non_null(out);
    said[fread(said, 1, sizeof said - 1, out)] = '\0';
    assert_int_equal(pclose(out), 0);
    assert_string_equal(said, want);
    free(script);
}

static void
test_script(void **state)
{
    /* a shell would expand, split, end, or take for a comment, each of these;
     * and sbatch would read the last as a directive */
    static const char *const names[] = {
        "/usr/bin/printf",    "[%s]\n", "it's", "a b",
        "$HOME `id` $(id)",   "\"\\\"", "",     "*",
        "\n#SBATCH --uid=0\n"
    };
    struct v2v_strings words = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(v2v_strings_add(&words, names[i], NULL), 0);
    check_words(&words, NULL,
                "[it's]\n[a b]\n[$HOME `id` $(id)]\n[\"\\\"]\n[]\n[*]\n"
                "[\n#SBATCH --uid=0\n]\n");
    words.count = 2;
    check_words(&words, "$((SLURM_ARRAY_TASK_ID + 1000))", "[--line=1007]\n");
    words.count = sizeof names / sizeof *names;
    v2v_strings_done(&words);
}

/* As one that sbatch can have set, and one that it has not. */
static void
test_task(void **state)
{
    struct slurm_task task;

    (void)state;
    unsetenv("SLURM_JOB_ID");
    slurm_read_task(&task);
    assert_null(task.job);
    assert_int_equal(task.restarts, 0);
    assert_int_equal(task.memory_mib, 0);
    setenv("SLURM_JOB_ID", "12", 1);
    setenv("SLURM_RESTART_COUNT", "3", 1);
    setenv("SLURM_MEM_PER_CPU", "300", 1);
    setenv("SLURM_CPUS_ON_NODE", "2", 1);
    slurm_read_task(&task);
    assert_string_equal(task.job, "12");
    assert_int_equal(task.restarts, 3);
    assert_int_equal(task.memory_mib, 600);
    setenv("SLURM_MEM_PER_NODE", "512", 1);
    slurm_read_task(&task);
    assert_int_equal(task.memory_mib, 512);
}

/* Commands that are not there, that fail, and that say what nobody expects. */
static void
test_no_slurm(void **state)
{
    struct v2v_error err = { 0 };
    size_t max = 7;

    (void)state;
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(slurm_max_index(&max, &err), -1);
    assert_int_equal(err.code, V2V_ERR_USAGE);
    assert_string_equal(err.text, "scontrol: No such file or directory: are "
                                  "Slurm's commands installed here?");
    assert_int_equal(max, 7);
    assert_null(slurm_find_jobs("x", &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_indexes),
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_task),
        cmocka_unit_test(test_no_slurm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
