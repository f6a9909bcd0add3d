/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/record.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/json-path.h"
#include "image/own-file.h"

enum { SCHEMA = 1, RECORD_FILE_MAX = 256 << 20 };

int
record_add_area(struct record_areas *areas, const struct record_area *area,
                struct v2v_error *err)
{
    /* powers of two: there may be a hundred thousand */
    if ((areas->count & (areas->count - 1)) == 0) {
        size_t room = areas->count == 0 ? 1 : 2 * areas->count;
        struct record_area *items =
            reallocarray(areas->items, room, sizeof *items);

        if (items == NULL)
            return v2v_fail(err, V2V_ERR_INTERNAL, "no memory");
        areas->items = items;
    }
    areas->items[areas->count++] = *area;
    return 0;
}

static json_t *
digest_json(const struct digest *digest)
{
    char text[2 * DIGEST_LEN + 1];

    digest_print(digest, text);
    return json_string(text);
}

static json_t *
areas_json(const struct record_areas *areas)
{
    json_t *array = json_array();

    for (size_t i = 0; i < areas->count; i++) {
        const struct record_area *area = &areas->items[i];
        json_t *item =
            json_pack("[I, I, o]", (json_int_t)area->offset,
                      (json_int_t)area->len, digest_json(&area->after));

        if (*area->name != '\0')
            json_array_insert_new(item, 0, json_string(area->name));
        json_array_append_new(array, item);
    }
    return array;
}

static json_t *
xml_json(const struct record *record)
{
    if (record->xml_path == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "path", json_path(record->xml_path),
                     "after", digest_json(&record->xml_after), "before",
                     record->xml_before ? digest_json(&record->xml_old)
                                        : json_null());
}

int
record_write(const char *path, const struct record *record,
             struct v2v_error *err)
{
    json_t *object = json_pack(
        "{s:i, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
        SCHEMA, "time", record->time, "what", record->what, "format",
        record->format, "virtual_size", (json_int_t)record->virtual_size,
        "sha256", digest_json(&record->data), "areas",
        areas_json(&record->areas), "witnesses", areas_json(&record->witnesses),
        "xml", xml_json(record), "domain", definition_json(&record->domain),
        "domain_after",
        record->domain_defined ? digest_json(&record->domain_after)
                               : json_null());
    V2V_AUTO(mem) char *text = object == NULL ? NULL : json_dumps(object, 0);

    json_decref(object);
    if (text == NULL)
        return v2v_fail(err, V2V_ERR_INTERNAL, "%s: no memory", path);
    return v2v_file_replace_private(path, text, strlen(text), err);
}

static int
damaged(const char *what, struct v2v_error *err)
{
    return v2v_fail(err, V2V_ERR_FORMAT, "the record is damaged: %s", what);
}

/* [offset, length, digest], with a name in front for a witness */
static int
get_area(const json_t *item, uint64_t size, struct record_area *ret,
         struct v2v_error *err)
{
    size_t named = json_array_size(item) == 4;
    const char *name = json_string_value(json_array_get(item, 0));
    json_int_t offset = json_integer_value(json_array_get(item, named));
    json_int_t len = json_integer_value(json_array_get(item, named + 1));
    const char *hash = json_string_value(json_array_get(item, named + 2));

    if (offset < 0 || len <= 0 || (uint64_t)offset > size ||
        (uint64_t)len > size - (uint64_t)offset)
        return damaged("an area is not inside the disk", err);
    *ret = (struct record_area){ .offset = (uint64_t)offset,
                                 .len = (uint64_t)len };
    if (!digest_parse(hash, &ret->after))
        return damaged("an area has no SHA-256", err);
    snprintf(ret->name, sizeof ret->name, "%s", name != NULL ? name : "");
    return 0;
}

static int
get_areas(const json_t *array, uint64_t size, struct record_areas *ret,
          struct v2v_error *err)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct record_area area;

        if (get_area(json_array_get(array, i), size, &area, err) < 0 ||
            record_add_area(ret, &area, err) < 0)
            return -1;
    }
    return 0;
}

static int
get_xml(const json_t *object, struct record *ret, struct v2v_error *err)
{
    const char *after = json_string_value(json_object_get(object, "after"));
    const char *before = json_string_value(json_object_get(object, "before"));

    if (json_is_null(object))
        return 0;
    if (json_path_get(json_object_get(object, "path"), &ret->xml_path, err) < 0)
        return -1;
    ret->xml_before = before != NULL;
    if (ret->xml_path == NULL || !digest_parse(after, &ret->xml_after) ||
        (ret->xml_before && !digest_parse(before, &ret->xml_old)))
        return damaged("the XML's name or SHA-256", err);
    return 0;
}

static int
get_domain(const json_t *object, struct record *ret, struct v2v_error *err)
{
    const char *after =
        json_string_value(json_object_get(object, "domain_after"));

    ret->domain_defined = after != NULL;
    if (after != NULL && !digest_parse(after, &ret->domain_after))
        return damaged("the definition's SHA-256", err);
    return definition_json_get(json_object_get(object, "domain"), &ret->domain,
                               err);
}

static int
decode(const json_t *object, struct record *ret, struct v2v_error *err)
{
    const char *time = json_string_value(json_object_get(object, "time"));
    const char *what = json_string_value(json_object_get(object, "what"));
    const char *format = json_string_value(json_object_get(object, "format"));
    const char *data = json_string_value(json_object_get(object, "sha256"));
    json_int_t size =
        json_integer_value(json_object_get(object, "virtual_size"));

    if (json_integer_value(json_object_get(object, "schema")) != SCHEMA)
        return damaged("not one of this version of the program", err);
    if (time == NULL || what == NULL || format == NULL || size <= 0 ||
        !digest_parse(data, &ret->data))
        return damaged("time, what, format, virtual_size or sha256", err);
    ret->virtual_size = (uint64_t)size;
    ret->time = v2v_strdup(time, err);
    ret->what = v2v_strdup(what, err);
    ret->format = v2v_strdup(format, err);
    if (ret->time == NULL || ret->what == NULL || ret->format == NULL ||
        get_areas(json_object_get(object, "areas"), ret->virtual_size,
                  &ret->areas, err) < 0 ||
        get_areas(json_object_get(object, "witnesses"), ret->virtual_size,
                  &ret->witnesses, err) < 0 ||
        get_domain(object, ret, err) < 0)
        return -1;
    return get_xml(json_object_get(object, "xml"), ret, err);
}

int
record_read(const char *path, struct record *ret, struct v2v_error *err)
{
    V2V_AUTO(record) struct record record = { 0 };
    json_t *object = NULL;
    int result;

    if (own_file_read(path, RECORD_FILE_MAX, &object, err) < 0)
        return -1;
    result = decode(object, &record, err);
    json_decref(object);
    if (result < 0)
        return v2v_fail_in(err, "%s", path);
    *ret = record;
    record = (struct record){ 0 };
    return 0;
}

void
record_done(struct record *record)
{
    free(record->time);
    free(record->what);
    free(record->format);
    free(record->areas.items);
    free(record->witnesses.items);
    free(record->xml_path);
    definition_done(&record->domain);
    *record = (struct record){ 0 };
}
