/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify/internal.h"

/* The boot disk's service comes before the chain, which leaves alone what was
 * judged already. */
static int (*const steps[])(struct verify *v, struct v2v_error *err) = {
    verify_boot,
    verify_controller,
    verify_chain,
    verify_network,
};

void
verify_done(struct verify *v)
{
    for (size_t i = 0; i < v->set_count; i++)
        free(v->sets[i].name);
    free(v->sets);
    v2v_strings_done(&v->driver_files);
    v2v_strings_done(&v->missed);
}

int
verify_run(const struct verify_input *input, struct verify_result *ret,
           struct v2v_error *err)
{
    struct verify v = {
        .in = input,
        .system = input->hives->items[REG_SYSTEM].hive,
        .drivers = input->hives->items[REG_DRIVERS].hive,
        .result = ret,
    };
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof steps / sizeof *steps; i++)
        result = steps[i](&v, err);
    verify_done(&v);
    return result < 0 ? -1 : facts_hives_answered(input->hives, err);
}
