/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/state.h"

#include <jansson.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/json-path.h"
#include "image/own-file.h"

enum { SCHEMA = 1, STATE_FILE_MAX = 1 << 20 };

static const char *const step_names[] = { "", "preparing", "committing",
                                          "committed" };
enum { STEP_COUNT = sizeof step_names / sizeof *step_names };

static json_t *
files_json(const struct v2v_strings *files)
{
    json_t *array = json_array();

    for (size_t i = 0; i < files->count; i++)
        json_array_append_new(array, json_path(files->items[i]));
    return array;
}

int
state_write(const char *path, const struct transaction *t,
            struct v2v_error *err)
{
    json_t *object = json_pack(
        "{s:i, s:s, s:o, s:s, s:b, s:o, s:o, s:o, s:i, s:b, s:i, s:o, s:b, "
        "s:o, s:b}",
        "schema", SCHEMA, "state", step_names[t->step], "image",
        json_path(t->image), "format", t->format, "copy", t->copy,
        "overlay_prefix", json_path(t->overlay_prefix), "files",
        files_json(&t->files), "scratch", json_path(t->scratch), "keeps_undo",
        (int)t->keeps, "retains_undo", t->retains, "spends_undo",
        (int)t->spends, "xml", json_path(t->xml), "xml_removed", t->xml_removed,
        "domain", definition_json(&t->domain), "domain_kept", t->domain_kept);
    V2V_AUTO(mem)
    char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));

    json_decref(object);
    if (text == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s: no memory", path);
    return v2v_file_replace_private(path, text, strlen(text), err);
}

static int
get_step(const json_t *object, struct transaction *t, struct v2v_error *err)
{
    const char *name = json_string_value(json_object_get(object, "state"));
    json_int_t schema = json_integer_value(json_object_get(object, "schema"));

    for (size_t i = TRANSACTION_PREPARING; name != NULL && i < STEP_COUNT; i++)
        if (strcmp(name, step_names[i]) == 0)
            t->step = (enum transaction_step)i;
    if (schema != SCHEMA || t->step == TRANSACTION_NONE)
        return v2v_refuse(err, V2V_ERR_GUEST, "foreign-state",
                          "written by another version of this program, or not "
                          "by it");
    return 0;
}

static int
get_files(const json_t *object, struct transaction *t, struct v2v_error *err)
{
    const json_t *array = json_object_get(object, "files");

    for (size_t i = 0; i < json_array_size(array); i++) {
        V2V_AUTO(mem) char *file = NULL;

        if (json_path_get(json_array_get(array, i), &file, err) < 0 ||
            (file != NULL && v2v_strings_add(&t->files, file, err) < 0))
            return -1;
    }
    return 0;
}

static int
get_format(const json_t *object, struct transaction *t, struct v2v_error *err)
{
    const char *format = json_string_value(json_object_get(object, "format"));

    if (format == NULL)
        return v2v_refuse(err, V2V_ERR_GUEST, "foreign-state",
                          "it has no format of an image");
    t->format = v2v_strdup(format, err);
    return t->format == NULL ? -1 : 0;
}

static int
check_name(const json_t *object, const struct transaction *t,
           struct v2v_error *err)
{
    V2V_AUTO(mem) char *image = NULL;

    if (json_path_get(json_object_get(object, "image"), &image, err) < 0)
        return -1;
    if (image == NULL || strcmp(image, t->image) != 0)
        return v2v_refuse(
            err, V2V_ERR_GUEST, "image-moved",
            "what was begun there was begun on %s: move the image "
            "and its .v2v- files back to go on",
            image != NULL ? image : "?");
    return 0;
}

static unsigned
get_number(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 && n <= INT32_MAX ? (unsigned)n : 0;
}

static int
decode(const json_t *object, struct transaction *t, struct v2v_error *err)
{
    char *overlay_prefix = NULL;

    if (get_step(object, t, err) < 0 || check_name(object, t, err) < 0 ||
        get_files(object, t, err) < 0 || get_format(object, t, err) < 0 ||
        json_path_get(json_object_get(object, "scratch"), &t->scratch, err) <
            0 ||
        json_path_get(json_object_get(object, "xml"), &t->xml, err) < 0 ||
        definition_json_get(json_object_get(object, "domain"), &t->domain,
                            err) < 0 ||
        json_path_get(json_object_get(object, "overlay_prefix"),
                      &overlay_prefix, err) < 0)
        return -1;
    if (overlay_prefix != NULL) {
        free(t->overlay_prefix);
        t->overlay_prefix = overlay_prefix;
    }
    t->copy = json_is_true(json_object_get(object, "copy"));
    t->keeps = get_number(object, "keeps_undo");
    t->retains = json_is_true(json_object_get(object, "retains_undo"));
    t->spends = get_number(object, "spends_undo");
    t->xml_removed = json_is_true(json_object_get(object, "xml_removed"));
    t->domain_kept = json_is_true(json_object_get(object, "domain_kept"));
    return 0;
}

int
state_read(const char *path, struct transaction *t, struct v2v_error *err)
{
    json_t *object = NULL;
    int result;

    t->step = TRANSACTION_NONE;
    if (!own_file_exists(path))
        return 0;
    if (own_file_read(path, STATE_FILE_MAX, &object, err) < 0)
        return -1;
    result = decode(object, t, err);
    json_decref(object);
    if (result < 0) {
        if (err != NULL)
            err->code = V2V_ERR_GUEST;
        return v2v_fail_in(err, "%s", path);
    }
    return 0;
}
