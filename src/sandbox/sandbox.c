/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/sandbox.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "sandbox/internal.h"

static enum sandbox_mode mode;
static bool warned;

void
sandbox_set_mode(enum sandbox_mode wanted)
{
    mode = wanted;
    warned = false;
}

enum sandbox_mode
sandbox_mode(void)
{
    return mode;
}

int
sandbox_keep_capabilities(uint32_t which)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3
    };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    uint32_t kept;

    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    kept = data[0].permitted & which;
    memset(data, 0, sizeof data);
    data[0].permitted = data[0].effective = kept;
    return (int)syscall(SYS_capset, &header, data);
}

void
sandbox_names(unsigned layers, char *ret, size_t size)
{
    static const struct {
        enum sandbox_layer layer;
        const char *name;
    } names[] = {
        { SANDBOX_USER, "a user id of its own" },
        { SANDBOX_NO_NEW_PRIVS, "no_new_privs" },
        { SANDBOX_LANDLOCK, "Landlock" },
        { SANDBOX_SECCOMP, "seccomp" },
        { SANDBOX_LIMITS, "limits" },
    };
    size_t len = 0;

    snprintf(ret, size, "nothing");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((layers & names[i].layer) != 0 && len < size)
            len += (size_t)snprintf(ret + len, size - len, "%s%s",
                                    len > 0 ? ", " : "", names[i].name);
}

int
sandbox_judge(unsigned missing, const char *whom, struct v2v_error *err)
{
    char names[96];

    if (missing == 0)
        return 0;
    sandbox_names(missing, names, sizeof names);
    if (mode == SANDBOX_REQUIRE)
        return v2v_refuse(err, V2V_ERR_USAGE, "sandbox-partial",
                          "the sandbox of %s would lack %s, which this system "
                          "does not have: --sandbox auto goes without",
                          whom, names);
    if (!warned)
        v2v_warn("sandbox", "sandbox-partial",
                 "this system does not have %s: %s runs without", names, whom);
    warned = true;
    return 0;
}
