/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/drivers.h"
#include "cli/json.h"

static json_t *
place_json(const struct cli_options *options, const struct drivers_place *place)
{
    /* none can be had of an INF that cannot be read, or without the files */
    const char *verdict = place->verdict_why != NULL && place->absent.count == 0
                              ? catalog_verdict_word(place->verdict)
                              : NULL;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "medium",
                     json_text(options->media.items[place->medium]), "path",
                     json_text(place->path), "os", json_text(place->os),
                     "content", json_text(place->content_id), "signer",
                     json_text(place->signer.name), "verdict",
                     json_text(verdict), "why", json_text(place->verdict_why),
                     "absent", json_strings(&place->absent), "warnings",
                     json_strings(&place->warnings));
}

static json_t *
entry_json(const struct cli_options *options, const struct drivers_entry *entry)
{
    const struct inf_driver_ver *ver = &entry->driver_ver;
    json_t *places = json_array();

    for (size_t i = 0; i < entry->place_count; i++)
        json_add(places, place_json(options, &entry->places[i]));
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "driver",
        json_text(entry->driver), "inf", json_text(entry->inf_name), "error",
        json_text(entry->error), "class", json_text(entry->class_name),
        "class_guid", json_text(entry->class_guid), "provider",
        json_text(entry->provider), "version", json_version(ver), "date",
        json_sprintf("%04u-%02u-%02u", ver->year, ver->month, ver->day), "boot",
        entry->boot, "hardware_ids", json_strings(&entry->hardware_ids),
        "places", places);
}

json_t *
drivers_list_json(const struct cli_options *options,
                  const struct drivers_catalogue *catalogue)
{
    json_t *drivers = json_array();

    for (size_t i = 0; i < catalogue->count; i++)
        json_add(drivers, entry_json(options, &catalogue->items[i]));
    return json_pack("{s:o, s:o}", "media", json_strings(&options->media),
                     "drivers", drivers);
}

static json_t *
candidate_json(const struct report *report,
               const struct drivers_candidate *candidate)
{
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:o}", "driver", json_text(candidate->driver),
        "medium", json_text(report->options->media.items[candidate->medium]),
        "path", json_text(candidate->path), "rule",
        drivers_rule_word(candidate->rule), "why", json_text(candidate->why));
}

json_t *
drivers_explain_json(const struct report *report)
{
    const struct drivers_choice *choice = &report->choice;
    json_t *candidates = json_array();
    json_t *missing = json_array();

    for (size_t i = 0; i < choice->candidate_count; i++)
        json_add(candidates, candidate_json(report, &choice->candidates[i]));
    for (size_t i = 0; i < choice->missing.count; i++)
        json_add(missing,
                 json_pack("{s:o, s:s, s:o}", "driver",
                           json_text(choice->missing.items[i]), "rule",
                           drivers_rule_word(choice->missing_rule[i]), "why",
                           json_text(choice->missing_why.items[i])));
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "image", json_text(report_image(report)),
        "backend",
        json_backend(report->backend, report->not_direct, &report->libguestfs),
        "guest", json_guest(&report->facts), "candidates", candidates,
        "missing", missing);
}
