/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the lines of a manifest to command lines. */
#include <errno.h>
#include <libgen.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/batch-private.h"
#include "cli/console.h"
#include "image/image.h"

struct loader {
    const struct cli_options *options;
    const char *folder; /* of the manifest */
    struct batch_items *items;
    size_t bad;                 /* lines */
    size_t bad_first, bad_last; /* of those with the same problem */
    char problem[sizeof((struct v2v_error *)0)->text];
};

static enum cli_command
line_command(const struct cli_options *options)
{
    return options->batch.check ? CLI_CHECK : CLI_INJECT;
}

static bool
is_image(const struct manifest_field *field)
{
    return strcmp(field->name, "image") == 0;
}

/* What a line says itself takes the place of the default. */
static bool
is_said(const struct manifest_line *line, const char *word)
{
    size_t len = strcspn(word + 2, "="); /* behind "--" */

    for (size_t i = 0; i < line->count; i++)
        if (strlen(line->fields[i].name) == len &&
            strncmp(line->fields[i].name, word + 2, len) == 0)
            return true;
    return false;
}

static int
add_defaults(const struct loader *l, const struct manifest_line *line,
             struct v2v_strings *words, struct v2v_error *err)
{
    const struct v2v_strings *defaults = &l->options->batch.defaults;

    for (size_t i = 0; i < defaults->count; i++)
        if (!is_said(line, defaults->items[i]) &&
            cli_word_counts(line_command(l->options), defaults->items[i]) &&
            v2v_strings_add(words, defaults->items[i], err) < 0)
            return -1;
    return 0;
}

static int
add_options(const struct loader *l, const struct manifest_line *line,
            struct v2v_strings *words, struct v2v_error *err)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct manifest_field *field = &line->fields[i];
        V2V_AUTO(mem) char *word = NULL;

        if (is_image(field))
            continue;
        if (cli_option_word(line_command(l->options), field->name, field->value,
                            l->folder, &word, err) < 0 ||
            (word != NULL && v2v_strings_add(words, word, err) < 0))
            return -1;
    }
    return 0;
}

static int
add_images(const struct loader *l, const struct manifest_line *line,
           struct v2v_strings *words, struct v2v_error *err)
{
    for (size_t i = 0; i < line->count; i++) {
        V2V_AUTO(mem) char *path = NULL;

        if (!is_image(&line->fields[i]))
            continue;
        path = cli_path_in(l->folder, line->fields[i].value, err);
        if (path == NULL || v2v_strings_add(words, path, err) < 0)
            return -1;
    }
    return 0;
}

/* A check writes nothing anyway. */
static bool
is_dry_run(const struct cli_options *options)
{
    return options->dry_run && !options->batch.check;
}

static int
make_words(const struct loader *l, const struct manifest_line *line,
           struct v2v_strings *ret, struct v2v_error *err)
{
    return v2v_strings_add(ret, "v2v-virtio", err) < 0 ||
                   v2v_strings_add(ret, batch_command(l->options), err) < 0 ||
                   (is_dry_run(l->options) &&
                    v2v_strings_add(ret, "--dry-run", err) < 0) ||
                   add_defaults(l, line, ret, err) < 0 ||
                   add_options(l, line, ret, err) < 0 ||
                   v2v_strings_add(ret, "--", err) < 0 ||
                   add_images(l, line, ret, err) < 0
               ? -1
               : 0;
}

/* A name that cannot be made absolute, in a folder that is not there, is one
 * all the same. */
static char *
absolute(const char *path, struct v2v_error *err)
{
    char *ret = NULL;

    return image_absolute_name(path, &ret, NULL) == 0 ? ret
                                                      : v2v_strdup(path, err);
}

static int
parse_line(const struct loader *l, const struct manifest_line *line,
           struct batch_item *ret, struct v2v_error *err)
{
    struct cli_options *options = &ret->options;

    if (line->problem != NULL)
        return v2v_fail(err, V2V_ERR_FORMAT, "%s", line->problem);
    if (make_words(l, line, &ret->words, err) < 0 ||
        cli_options_parse((int)ret->words.count, ret->words.items, options,
                          err) < 0)
        return -1;
    options->json = true;
    ret->identity = options->domain != NULL
                        ? v2v_format(err, "domain %s", options->domain)
                        : absolute(options->images.items[0], err);
    return ret->identity == NULL ? -1 : 0;
}

/* Lines with the same problem are told together: a column that is no option
 * spoils them all. */
static void
tell_problem(const struct loader *l)
{
    const char *manifest = l->options->batch.manifest;
    struct v2v_error said = { 0 };

    if (l->bad_first == 0)
        return;
    if (l->bad_first == l->bad_last)
        v2v_error_set(&said, V2V_ERR_USAGE, "%s: line %zu: %s", manifest,
                      l->bad_first, l->problem);
    else
        v2v_error_set(&said, V2V_ERR_USAGE, "%s: lines %zu to %zu: %s",
                      manifest, l->bad_first, l->bad_last, l->problem);
    console_error(&said);
}

static void
note_problem(struct loader *l, size_t line, const char *text)
{
    l->bad++;
    if (l->bad_first == 0 || strcmp(l->problem, text) != 0) {
        tell_problem(l);
        l->bad_first = line;
        snprintf(l->problem, sizeof l->problem, "%s", text);
    }
    l->bad_last = line;
}

static int
load_lines(struct loader *l, const struct manifest *manifest,
           struct v2v_error *err)
{
    struct batch_items *items = l->items;
    size_t only = l->options->batch.line;

    items->items = calloc(manifest->count, sizeof *items->items);
    if (items->items == NULL)
        return v2v_fail_errno(err, errno, "list of machines");
    for (size_t i = 0; i < manifest->count; i++) {
        size_t number = manifest->lines[i].number;
        struct batch_item *item;
        struct v2v_error why = { 0 };

        if (only != 0 && number != only)
            continue;
        item = &items->items[items->count++];
        item->line = number;
        if (parse_line(l, &manifest->lines[i], item, &why) < 0)
            note_problem(l, item->line, why.text);
    }
    tell_problem(l);
    if (items->count == 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: no machine has line %zu",
                        l->options->batch.manifest, only);
    if (l->bad == 0)
        return 0;
    return v2v_fail(err, V2V_ERR_USAGE,
                    "%s: %zu of %zu machines cannot be run as they are "
                    "written; nothing was started",
                    l->options->batch.manifest, l->bad, manifest->count);
}

/* ---- What two lines must not both have ---- */

struct claim {
    char *key; /* of a file, its number or its name; of a domain, its name */
    size_t line;
};

struct claims {
    void *root; /* tsearch(3): struct claim by key */
};

static int
compare_claims(const void *a, const void *b)
{
    return strcmp(((const struct claim *)a)->key,
                  ((const struct claim *)b)->key);
}

static void
free_claim(void *claim)
{
    free(((struct claim *)claim)->key);
    free(claim);
}

static int
list_file(const char *path, struct v2v_strings *keys, struct v2v_error *err)
{
    V2V_AUTO(mem) char *name = absolute(path, err);
    char number[64];
    struct stat st;

    if (name == NULL || v2v_strings_add(keys, name, err) < 0)
        return -1;
    if (stat(path, &st) < 0)
        return 0;
    snprintf(number, sizeof number, "file %llu:%llu",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return v2v_strings_add(keys, number, err);
}

static int
list_domain(const struct cli_options *options, struct v2v_strings *keys,
            struct v2v_error *err)
{
    V2V_AUTO(mem) char *key = v2v_format(
        err, "domain %s %s", options->connect != NULL ? options->connect : "",
        options->domain);

    return key == NULL ? -1 : v2v_strings_add(keys, key, err);
}

/* The first image of a line with an output is only read: many may have it. */
static int
list_claims(const struct cli_options *options, struct v2v_strings *keys,
            struct v2v_error *err)
{
    const char *files[] = { options->output, options->output_xml };

    for (size_t i = options->output != NULL; i < options->images.count; i++)
        if (list_file(options->images.items[i], keys, err) < 0)
            return -1;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] != NULL && list_file(files[i], keys, err) < 0)
            return -1;
    return options->domain != NULL ? list_domain(options, keys, err) : 0;
}

/* Whose it is already; 0: nobody's. */
static size_t
find_claim(const struct claims *claims, const struct v2v_strings *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct claim wanted = { .key = keys->items[i] };
        struct claim *const *found =
            tfind(&wanted, &claims->root, compare_claims);

        if (found != NULL)
            return (*found)->line;
    }
    return 0;
}

static int
add_claim(struct claims *claims, const char *key, size_t line,
          struct v2v_error *err)
{
    struct claim *claim = calloc(1, sizeof *claim);
    struct claim **place;

    if (claim == NULL)
        return v2v_fail_errno(err, errno, "list of images");
    *claim = (struct claim){ v2v_strdup(key, err), line };
    if (claim->key == NULL) {
        free(claim);
        return -1;
    }
    place = tsearch(claim, &claims->root, compare_claims);
    if (place == NULL || *place != claim) /* the line has it twice itself */
        free_claim(claim);
    return place != NULL ? 0 : v2v_fail_errno(err, ENOMEM, "list of images");
}

static int
claim_item(struct claims *claims, struct batch_item *item,
           struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings keys = { 0 };

    if (list_claims(&item->options, &keys, err) < 0)
        return -1;
    item->twice = find_claim(claims, &keys);
    for (size_t i = 0; item->twice == 0 && i < keys.count; i++)
        if (add_claim(claims, keys.items[i], item->line, err) < 0)
            return -1;
    return 0;
}

static int
find_repeats(struct batch_items *items, struct v2v_error *err)
{
    struct claims claims = { NULL };
    int result = 0;

    for (size_t i = 0; result == 0 && i < items->count; i++)
        result = claim_item(&claims, &items->items[i], err);
    tdestroy(claims.root, free_claim);
    return result;
}

int
batch_load(const struct cli_options *options, struct batch_items *ret,
           struct v2v_error *err)
{
    V2V_AUTO(manifest) struct manifest manifest = { 0 };
    V2V_AUTO(batch_items) struct batch_items items = { 0 };
    V2V_AUTO(mem) char *folder = NULL;
    struct loader loader = { .options = options, .items = &items };

    if (manifest_read(options->batch.manifest, &manifest, err) < 0 ||
        image_absolute_name(options->batch.manifest, &folder, err) < 0)
        return -1;
    loader.folder = dirname(folder);
    if (load_lines(&loader, &manifest, err) < 0 ||
        find_repeats(&items, err) < 0)
        return -1;
    memcpy(items.digest, manifest.digest, sizeof items.digest);
    *ret = items;
    items = (struct batch_items){ 0 };
    return 0;
}

void
batch_items_done(struct batch_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        cli_options_done(&items->items[i].options);
        v2v_strings_done(&items->items[i].words);
        free(items->items[i].identity);
    }
    free(items->items);
    *items = (struct batch_items){ 0 };
}
