/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/drivers.h"

#include <stdio.h>

#include "base/log.h"
#include "cli/session.h"

static void
print_place(const struct cli_options *options,
            const struct drivers_place *place)
{
    /* the verdict begins with the path; there is none of what cannot be read */
    console_line("    %s",
                 place->verdict_why != NULL ? place->verdict_why : place->path);
    if (options->media.count > 1)
        console_line("        on %s", options->media.items[place->medium]);
    for (size_t i = 0; i < place->absent.count; i++)
        console_line("        not there: %s", place->absent.items[i]);
    for (size_t i = 0; i < place->warnings.count; i++)
        console_line("        note: %s", place->warnings.items[i]);
}

static void
print_entry(const struct cli_options *options,
            const struct drivers_entry *entry)
{
    const struct inf_driver_ver *ver = &entry->driver_ver;

    if (entry->error != NULL)
        console_line("%s: %s", entry->driver, entry->error);
    else
        console_line("%s  %s  %u.%u.%u.%u  %04u-%02u-%02u  %s%s", entry->driver,
                     entry->inf_name, ver->version[0], ver->version[1],
                     ver->version[2], ver->version[3], ver->year, ver->month,
                     ver->day,
                     entry->class_name != NULL ? entry->class_name : "no class",
                     entry->boot ? ", boot driver" : "");
    for (size_t i = 0; i < entry->place_count; i++)
        print_place(options, &entry->places[i]);
}

int
drivers_list(const struct cli_options *options, struct answer *ret,
             struct v2v_error *err)
{
    V2V_AUTO(drivers_catalogue) struct drivers_catalogue catalogue = { 0 };
    struct media **media = NULL;
    size_t count = 0;
    int result;

    v2v_step("cli", "media", "Opening %s", options->media.items[0]);
    result = session_open_media(&options->media, &media, &count, err);
    ret->status = "done";
    if (result == 0)
        result = drivers_catalogue_read(media, count, &catalogue, err);
    if (result == 0 && options->json)
        ret->details = drivers_list_json(options, &catalogue);
    for (size_t i = 0; result == 0 && !options->json && !options->quiet &&
                       i < catalogue.count;
         i++)
        print_entry(options, &catalogue.items[i]);
    session_close_media(media, count);
    return result;
}

int
drivers_explain_print(const struct report *report, struct v2v_error *err)
{
    const struct drivers_choice *choice = &report->choice;
    const char *driver = "";

    (void)err;
    for (size_t i = 0; i < choice->candidate_count; i++) {
        const struct drivers_candidate *candidate = &choice->candidates[i];

        if (!v2v_equal_nocase(candidate->driver, driver)) {
            putchar('\n');
            console_line("%s", candidate->driver);
        }
        driver = candidate->driver;
        console_line("  %-7s %s",
                     candidate->rule == DRIVERS_CHOSEN ? "chosen" : "no",
                     candidate->path);
        console_line("          %s", candidate->why);
    }
    putchar('\n');
    for (size_t i = 0; i < choice->count; i++)
        console_line("%s", choice->items[i].verdict_why);
    for (size_t i = 0; i < choice->missing.count; i++)
        console_line("%s: none: %s", choice->missing.items[i],
                     choice->missing_why.items[i]);
    return 0;
}

const char *
drivers_explain_status(const struct report *report, const char **code)
{
    (void)report;
    *code = NULL;
    return "done";
}

int
drivers_explain(struct report *report, struct v2v_error *err)
{
    V2V_AUTO(session) struct session session = { 0 };

    if (session_open(report, &session, err) < 0)
        return -1;
    return session_choose(&session, report, err);
}
