/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check/internal.h"

static const check_rule *const tables[] = {
    check_image_rules,  check_disk_rules,      check_windows_rules,
    check_policy_rules, check_antivirus_rules, check_hypervisor_rules,
    check_virtio_rules, check_network_rules,
};

void
check_result_done(struct check_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->findings[i].evidence);
    for (size_t i = 0; i < result->gap_count; i++) {
        free(result->gaps[i].what);
        free(result->gaps[i].why);
    }
    free(result->findings);
    free(result->gaps);
    *result = (struct check_result){ 0 };
}

/* A hive's strings may have megabytes. */
enum { max_evidence = 1000 };

/* Takes @evidence, which may be NULL with @err set. */
static int
add_finding(struct check_result *result, const char *name,
            const struct v2v_strings *allow, char *evidence,
            struct v2v_error *err)
{
    V2V_AUTO(mem) char *text = evidence;
    const struct check_code *code = check_find_code(name);
    struct check_finding *findings;

    assert(code != NULL);
    if (text == NULL)
        return -1;
    findings =
        reallocarray(result->findings, result->count + 1, sizeof *findings);
    if (findings == NULL)
        return v2v_fail_errno(err, errno, "findings");
    result->findings = findings;
    v2v_make_printable(text);
    text[v2v_cut(text, max_evidence)] = '\0';
    findings[result->count++] = (struct check_finding){
        .code = code,
        .evidence = v2v_steal(text),
        .allowed = code->severity == CHECK_BLOCKS && code->can_allow &&
                   allow != NULL && v2v_strings_has_nocase(allow, name)
    };
    return 0;
}

static int
add_gap(struct check_result *result, const char *what, const char *why,
        struct v2v_error *err)
{
    struct check_gap *gaps =
        reallocarray(result->gaps, result->gap_count + 1, sizeof *gaps);
    struct check_gap *gap;

    if (gaps == NULL)
        return v2v_fail_errno(err, errno, "what was not checked");
    result->gaps = gaps;
    gap = &gaps[result->gap_count++];
    gap->what = v2v_strdup(what, err);
    gap->why = v2v_strdup(why, err);
    return gap->what == NULL || gap->why == NULL ? -1 : 0;
}

int
check_found(struct check *check, const char *name, struct v2v_error *err,
            const char *fmt, ...)
{
    char *evidence;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vasprintf(&evidence, fmt, args);
    va_end(args);
    if (len < 0)
        return v2v_fail_errno(err, ENOMEM, "%s", name);
    return add_finding(check->result, name, check->in->allow, evidence, err);
}

int
check_not_looked(struct check *check, const char *what, const char *why,
                 struct v2v_error *err)
{
    return add_gap(check->result, what, why, err);
}

/* Stable: within a severity the findings stay in the order of the rules. */
static void
sort_findings(struct check_result *result)
{
    for (size_t i = 1; i < result->count; i++) {
        struct check_finding finding = result->findings[i];
        size_t at = i;

        for (; at > 0 &&
               result->findings[at - 1].code->severity < finding.code->severity;
             at--)
            result->findings[at] = result->findings[at - 1];
        result->findings[at] = finding;
    }
}

static const char *
booted_control_set(const struct facts *facts)
{
    size_t i = 0;

    while (!facts->control_sets[i].current) {
        i++;
        assert(i < facts->control_set_count); /* facts_read() has found it */
    }
    return facts->control_sets[i].name;
}

int
check_run(const struct check_input *input, struct check_result *ret,
          struct v2v_error *err)
{
    struct check check = {
        .in = input,
        .system = input->hives->items[REG_SYSTEM].hive,
        .software = input->hives->items[REG_SOFTWARE].hive,
        .control_set = booted_control_set(input->facts),
        .result = ret,
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const check_rule *rule = tables[i]; *rule != NULL; rule++)
            if ((*rule)(&check, err) < 0)
                return -1;
    sort_findings(ret);
    return facts_hives_answered(input->hives, err);
}

int
check_refusal(const struct v2v_error *why, struct check_result *ret,
              struct v2v_error *err)
{
    V2V_AUTO(mem) char *hidden = NULL;

    if (why->finding == NULL || check_find_code(why->finding) == NULL)
        return 0;
    hidden = v2v_format(err, "%s is in the way", why->finding);
    if (hidden == NULL ||
        add_finding(ret, why->finding, NULL, v2v_strdup(why->text, err), err) <
            0 ||
        add_gap(ret, "what Windows' registry and files say", hidden, err) < 0)
        return -1;
    sort_findings(ret);
    return 1;
}

size_t
check_count(const struct check_result *result, enum check_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < result->count; i++)
        count += result->findings[i].code->severity == severity &&
                 !result->findings[i].allowed;
    return count;
}

const struct check_finding *
check_blocker(const struct check_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        if (result->findings[i].code->severity == CHECK_BLOCKS &&
            !result->findings[i].allowed)
            return &result->findings[i];
    return NULL;
}
