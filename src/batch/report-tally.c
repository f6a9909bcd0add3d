/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch/report-tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What becomes of the codes of one item. */
struct adding {
    struct tally *tally;
    const struct ledger_item *item;
    struct v2v_error *err;
    bool failed;
};

/* Arrays double: their counts are powers of two when they are full. */
static bool
is_full(size_t count)
{
    return (count & (count - 1)) == 0;
}

static void *
grow(void *array, size_t count, size_t size, struct v2v_error *err)
{
    void *bigger = reallocarray(array, count > 0 ? 2 * count : 1, size);

    if (bigger == NULL)
        v2v_error_set_errno(err, errno, "counting the items");
    return bigger;
}

static struct tally_code *
new_code(struct tally *tally, const char *name, struct v2v_error *err)
{
    struct tally_code *code;

    if (is_full(tally->code_count)) {
        code = grow(tally->codes, tally->code_count, sizeof *code, err);
        if (code == NULL)
            return NULL;
        tally->codes = code;
    }
    code = &tally->codes[tally->code_count];
    *code = (struct tally_code){ .name = v2v_strdup(name, err),
                                 .weight = REPORT_INFO };
    if (code->name == NULL)
        return NULL;
    if (json_object_set_new(tally->places, name,
                            json_integer((json_int_t)tally->code_count)) < 0) {
        free(code->name);
        v2v_error_set(err, V2V_ERR_INTERNAL, "counting the code %s", name);
        return NULL;
    }
    tally->code_count++;
    return code;
}

static struct tally_code *
find_code(struct tally *tally, const char *name, struct v2v_error *err)
{
    const json_t *place = json_object_get(tally->places, name);

    return place != NULL ? &tally->codes[json_integer_value(place)]
                         : new_code(tally, name, err);
}

/* An item counts once, however often it has the code. */
static struct tally_code *
count_code(struct adding *adding, const char *name, enum report_weight weight,
           const char *advice)
{
    struct tally_code *code = find_code(adding->tally, name, adding->err);

    if (code == NULL ||
        (code->advice == NULL && advice != NULL &&
         (code->advice = v2v_strdup(advice, adding->err)) == NULL)) {
        adding->failed = true;
        return NULL;
    }
    if (code->images == 0 || code->line != adding->item->line)
        code->images++;
    code->line = adding->item->line;
    if (weight < code->weight)
        code->weight = weight;
    return code;
}

static void
count_note(const struct report_note *note, void *opaque)
{
    if (note->code != NULL)
        count_code(opaque, note->code, note->weight, note->advice);
}

static void
count_codes(struct adding *adding, const json_t *document)
{
    const struct result *result = adding->item->result;
    struct tally_code *why;

    for (int w = 0; w < REPORT_WEIGHTS; w++)
        report_notes(document, (enum report_weight)w, count_note, adding);
    if (result == NULL || result->code == NULL)
        return;
    why = count_code(adding, result->code, REPORT_BLOCKS,
                     report_advice(result->code, document));
    if (why != NULL)
        why->stopped++;
}

static int
count_time(struct tally *tally, const struct ledger_item *item,
           struct v2v_error *err)
{
    const struct result *result = item->result;

    if (is_full(tally->time_count)) {
        struct tally_time *times =
            grow(tally->times, tally->time_count, sizeof *times, err);

        if (times == NULL)
            return -1;
        tally->times = times;
    }
    tally->times[tally->time_count++] =
        (struct tally_time){ result->seconds, item->state };
    tally->cpu_seconds += result->cpu_seconds;
    if (result->memory_kib > tally->memory_kib)
        tally->memory_kib = result->memory_kib;
    /* times of this form compare as texts */
    if (tally->began[0] == '\0' || strcmp(result->started, tally->began) < 0)
        memcpy(tally->began, result->started, sizeof tally->began);
    if (strcmp(result->ended, tally->ended) > 0)
        memcpy(tally->ended, result->ended, sizeof tally->ended);
    return 0;
}

static int
note_first_boot(struct tally *tally, const struct ledger_item *item,
                const json_t *document, struct v2v_error *err)
{
    const char *text = report_text(document, "first_boot");

    if (tally->first_boot != NULL || text == NULL || item->state != LEDGER_DONE)
        return 0;
    tally->first_boot = v2v_strdup(text, err);
    return tally->first_boot == NULL ? -1 : 0;
}

int
tally_add(struct tally *tally, const struct ledger_item *item,
          const json_t *document, struct v2v_error *err)
{
    struct adding adding = { .tally = tally, .item = item, .err = err };

    if (tally->places == NULL && (tally->places = json_object()) == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "memory for counting");
    tally->images++;
    tally->states[item->state]++;
    count_codes(&adding, document);
    if (adding.failed || note_first_boot(tally, item, document, err) < 0)
        return -1;
    return item->result != NULL ? count_time(tally, item, err) : 0;
}

static int
compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int
compare_codes(const void *left, const void *right)
{
    const struct tally_code *a = left, *b = right;
    int order = compare(b->stopped, a->stopped);

    if (order == 0)
        order = compare(a->weight, b->weight);
    if (order == 0)
        order = compare(b->images, a->images);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static int
compare_times(const void *left, const void *right)
{
    const struct tally_time *a = left, *b = right;

    return (a->seconds > b->seconds) - (a->seconds < b->seconds);
}

/* The places of the codes are no longer those of tally->places. */
void
tally_sort(struct tally *tally)
{
    if (tally->code_count > 0)
        qsort(tally->codes, tally->code_count, sizeof *tally->codes,
              compare_codes);
    if (tally->time_count > 0)
        qsort(tally->times, tally->time_count, sizeof *tally->times,
              compare_times);
}

void
tally_done(struct tally *tally)
{
    for (size_t i = 0; i < tally->code_count; i++) {
        free(tally->codes[i].name);
        free(tally->codes[i].advice);
    }
    free(tally->codes);
    free(tally->times);
    free(tally->first_boot);
    json_decref(tally->places);
    *tally = (struct tally){ 0 };
}
