/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kinds of report take from an item and its document. */
#include <math.h>
#include <string.h>

#include "batch/report-private.h"
#include "check/check.h"
#include "verify/verify.h"

struct each {
    report_fn *fn;
    void *opaque;
};

static int
parse_and_tell(const struct ledger_item *item, void *opaque,
               struct v2v_error *err)
{
    const struct each *each = opaque;
    const char *text = item->result != NULL ? item->result->document : NULL;
    json_t *document = text != NULL ? json_loads(text, 0, NULL) : NULL;
    int result = each->fn(item, document, each->opaque, err);

    json_decref(document);
    return result;
}

int
report_each(struct ledger *ledger, report_fn *fn, void *opaque,
            struct v2v_error *err)
{
    struct each each = { .fn = fn, .opaque = opaque };

    return ledger_each(ledger, parse_and_tell, &each, err);
}

const char *
report_text(const json_t *object, const char *name)
{
    return name != NULL ? json_string_value(json_object_get(object, name))
                        : NULL;
}

/* Where notes stand in documents of "inject" and "check" (the manual's
 * REPORTS): the members of an array's objects.  Of an array of strings, the
 * string is the text. */
static const struct source {
    const char *object; /* that has the array; NULL: the document */
    const char *array, *code, *about, *text, *advice;
    const char *word; /* a member */
    const char *said; /* the word where there is no such member */
} sources[] = {
    { NULL, "findings", "code", NULL, "evidence", "advice", "severity",
      "warns" },
    { NULL, "boot_chain", "code", "subject", "text", "advice", "state",
      "warns" },
    { NULL, "warnings", "code", NULL, "text", NULL, NULL, "warning" },
    { "domain", "notes", NULL, NULL, NULL, NULL, NULL, "XML" },
    { NULL, "not_checked", NULL, "what", "why", NULL, NULL, "unchecked" },
};

/* Words that are not here are of no interest: a link that holds, or is not
 * known because of one that is broken. */
static const struct {
    const char *word;
    enum report_weight weight;
} words[] = {
    { "blocks", REPORT_BLOCKS },  { "broken", REPORT_BLOCKS },
    { "warns", REPORT_WARNS },    { "allowed", REPORT_WARNS },
    { "warning", REPORT_WARNS },  { "XML", REPORT_INFO },
    { "unchecked", REPORT_INFO }, { "info", REPORT_INFO },
};

/* What to do about warnings that have no advice of their own.  What is not here
 * asks for nothing. */
static const struct {
    const char *code, *advice;
} warnings[] = {
    { "disk-left-out", "make it readable here if it is to be looked into" },
    { "driver-newer", "nothing: the guest keeps its newer driver" },
    { "driver-signature", "try one machine of this Windows first; another "
                          "virtio-win release may be "
                          "signed otherwise" },
    { "driver-unsigned", "take a virtio-win release whose driver is signed" },
    { "gpt-backup", "let sgdisk --verify look at the partition table" },
    { "image-not-in-xml",
      "compare the disks of the XML with the line's images" },
    { "kvm-absent", "nothing: without KVM it takes longer" },
    { "not-cleaned-up", "delete the file that the text names" },
    { "publisher-unknown", "say yes when Windows asks at the first boot" },
    { "would-not-boot",
      "mend the link that the text names before the first boot" },
};

static const char *
warning_advice(const char *code)
{
    for (size_t i = 0; code != NULL && i < sizeof warnings / sizeof *warnings;
         i++)
        if (strcmp(warnings[i].code, code) == 0)
            return warnings[i].advice;
    return NULL;
}

static enum report_weight
find_weight(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].weight;
    return REPORT_WEIGHTS;
}

static struct report_note
read_note(const struct source *source, const json_t *value)
{
    const char *word = report_text(value, source->word);
    struct report_note note = {
        .code = report_text(value, source->code),
        .word = word != NULL ? word : source->said,
        .about = report_text(value, source->about),
        .text = json_is_string(value) ? json_string_value(value)
                                      : report_text(value, source->text),
        .advice = report_text(value, source->advice),
    };

    if (json_is_true(json_object_get(value, "allowed")))
        note.word = "allowed";
    if (source->said != NULL && strcmp(source->said, "warning") == 0)
        note.advice = warning_advice(note.code);
    note.weight = find_weight(note.word);
    return note;
}

void
report_notes(const json_t *document, enum report_weight weight,
             void (*fn)(const struct report_note *note, void *opaque),
             void *opaque)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        const struct source *source = &sources[i];
        const json_t *array = json_object_get(
            source->object != NULL ? json_object_get(document, source->object)
                                   : document,
            source->array);

        for (size_t j = 0; j < json_array_size(array); j++) {
            struct report_note note =
                read_note(source, json_array_get(array, j));

            if (note.weight == weight && note.text != NULL)
                fn(&note, opaque);
        }
    }
}

/* What to do about codes that are not of the guest (batch/result.h), and where
 * a batch knows more than the command that it ran. */
static const struct {
    const char *code, *advice;
} batch_codes[] = {
    { "listed-twice", "take one of the two lines out of the manifest" },
    { "interrupted", "go on with --resume" },
    { "killed",
      "see in the host's log whether memory was short; then --resume, with "
      "fewer --jobs or a smaller --mem" },
    { "internal", "read what the run said: its log is among the results" },
    { "usage", "mend the line of the manifest, or the file that it names" },
    { "image-not-found", "see whether the name is right (it is relative to the "
                         "manifest's folder), "
                         "and whether the share is mounted; then --resume" },
};

struct search {
    const char *code, *advice;
};

static void
look_for_advice(const struct report_note *note, void *opaque)
{
    struct search *search = opaque;

    if (search->advice == NULL && note->code != NULL &&
        strcmp(note->code, search->code) == 0)
        search->advice = note->advice;
}

const char *
report_noted_advice(const char *code, const json_t *document)
{
    struct search search = { .code = code };

    for (int w = 0; code != NULL && w < REPORT_WEIGHTS; w++)
        report_notes(document, (enum report_weight)w, look_for_advice, &search);
    return search.advice;
}

static const char *
batch_advice(const char *code)
{
    for (size_t i = 0; i < sizeof batch_codes / sizeof *batch_codes; i++)
        if (strcmp(batch_codes[i].code, code) == 0)
            return batch_codes[i].advice;
    return NULL;
}

/* Of the document's own error; NULL: it is another's. */
static const char *
error_advice(const char *code, const json_t *document)
{
    const json_t *error = json_object_get(document, "error");
    const char *own = report_text(error, "code");

    return own != NULL && strcmp(own, code) == 0 ? report_text(error, "advice")
                                                 : NULL;
}

static const char *
table_advice(const char *code)
{
    const struct check_code *finding = check_find_code(code);
    size_t count;
    const struct verify_code *links = verify_codes(&count);

    if (finding != NULL)
        return finding->advice;
    for (size_t i = 0; i < count; i++)
        if (strcmp(links[i].name, code) == 0)
            return links[i].advice;
    return NULL;
}

const char *
report_advice(const char *code, const json_t *document)
{
    const char *advice = report_noted_advice(code, document);

    if (code == NULL)
        return NULL;
    if (advice == NULL)
        advice = batch_advice(code);
    if (advice == NULL)
        advice = error_advice(code, document);
    return advice != NULL ? advice : table_advice(code);
}

const char *
report_span(double seconds, char buf[REPORT_SPAN_LEN])
{
    unsigned long long s;

    if (!(seconds >= 0 && seconds < 1e9))
        seconds = 0;
    s = (unsigned long long)llround(seconds);
    if (seconds < 0.0995)
        snprintf(buf, REPORT_SPAN_LEN, "%.0f ms", 1000 * seconds);
    else if (seconds < 9.995)
        snprintf(buf, REPORT_SPAN_LEN, "%.2f s", seconds);
    else if (seconds < 59.95)
        snprintf(buf, REPORT_SPAN_LEN, "%.1f s", seconds);
    else if (s < 3600)
        snprintf(buf, REPORT_SPAN_LEN, "%llu min %llu s", s / 60, s % 60);
    else
        snprintf(buf, REPORT_SPAN_LEN, "%llu h %llu min", s / 3600,
                 s % 3600 / 60);
    return buf;
}

const char *
report_time(const char *time, char buf[REPORT_SPAN_LEN])
{
    if (strlen(time) != RESULT_TIME_LEN || time[10] != 'T')
        return time;
    snprintf(buf, REPORT_SPAN_LEN, "%.10s %.8s UTC", time, time + 11);
    return buf;
}
