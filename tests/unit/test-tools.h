/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that make files with other programs, or read real ones. */
#ifndef V2V_TEST_TOOLS_H
#define V2V_TEST_TOOLS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

enum { SKIPPED = 77 }; /* the exit status; see tests/CMakeLists.txt */

/* A folder of the test program's own, from make_top() to remove_top(), which
 * are for cmocka's group. */
static char top[] = "/tmp/v2v-test-XXXXXX";
static char warnings[4096]; /* since its last clearing: "code: text\n" each */

static inline void
keep_warning(void *opaque, enum v2v_log_level level, const char *module,
             const char *code, const char *text)
{
    size_t len = strlen(warnings);

    (void)opaque;
    (void)module;
    if (level == V2V_LOG_WARNING)
        snprintf(warnings + len, sizeof warnings - len, "%s: %s\n", code, text);
}

/* A shell command in that folder. */
static inline bool
run(const char *command)
{
    V2V_AUTO(mem)
    char *line = v2v_format(NULL, "cd %s && { %s\n} 2>/dev/null", top, command);

    return line != NULL && system(line) == 0;
}

static inline int
make_top(void **state)
{
    (void)state;
    if (mkdtemp(top) == NULL)
        return -1;
    v2v_log_set(keep_warning, NULL);
    return 0;
}

static inline int
remove_top(void **state)
{
    (void)state;
    return run("rm -rf \"$PWD\"") ? 0 : -1;
}

/* @path below $V2V_SHARED, new; NULL, having said so, when it is not there. */
static inline char *
shared_path(const char *path)
{
    const char *shared = getenv("V2V_SHARED");
    char *full = v2v_format(
        NULL, "%s/%s", shared != NULL ? shared : SOURCE_DIR "/../shared", path);

    if (full != NULL && access(full, R_OK) != 0) {
        printf("no %s; set V2V_SHARED\n", full);
        free(full);
        return NULL;
    }
    return full;
}

#endif
