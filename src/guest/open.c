/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "guest/direct.h"
#include "guest/internal.h"

const char *
guest_choice_name(size_t choice)
{
    static const char *const names[] = { [GUEST_AUTO] = "auto",
                                         [GUEST_DIRECT] = "direct",
                                         [GUEST_LIBGUESTFS] = "libguestfs" };

    return choice < sizeof names / sizeof *names ? names[choice] : NULL;
}

static int
open_by_choice(const struct guest_machine *machine, struct guest **ret,
               struct v2v_error *err)
{
    char why[sizeof(*ret)->why] = "";

    *ret = NULL;
    if (machine->backend != GUEST_LIBGUESTFS &&
        direct_open(machine, ret, why, sizeof why, err) < 0)
        return -1;
    if (*ret == NULL && machine->backend == GUEST_DIRECT)
        return v2v_refuse(err, V2V_ERR_USAGE, "direct-not-served",
                          "--backend direct does not serve it (%s): leave that "
                          "option out",
                          why);
    if (*ret == NULL && appliance_open(machine, ret, err) < 0)
        return -1;
    memcpy((*ret)->why, why, sizeof why);
    (*ret)->keys = machine->keys;
    v2v_fact("guest", "backend: %s%s%s", guest_backend_name(*ret),
             *why != '\0' ? ", not direct: " : "", why);
    return 0;
}

int
guest_open(const struct guest_machine *machine, struct guest **ret,
           struct v2v_error *err)
{
    struct guest *guest = NULL;

    assert(machine->count > 0);
    if (open_by_choice(machine, &guest, err) < 0)
        return machine->count == 1
                   ? v2v_fail_in(err, "%s", machine->disks[0].image)
                   : v2v_fail_in(err, "%s and %zu more",
                                 machine->disks[0].image, machine->count - 1);
    *ret = guest;
    return 0;
}
