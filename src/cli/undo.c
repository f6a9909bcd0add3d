/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/undo.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/console.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "image/undo.h"

/* undo ------------------------------------------------------------------- */

static void
print_undone_domain(const struct image_undone *undone)
{
    if (undone->domain == NULL)
        return;
    if (undone->domain_kept)
        console_line("The definition of domain %s (%s) was edited or deleted "
                     "since and is left alone; the one from before is now %s",
                     undone->domain, undone->domain_uri, undone->domain_old);
    else
        console_line("The definition of domain %s (%s) is as it was before.",
                     undone->domain, undone->domain_uri);
}

/* Where there was none, JSON's null. */
static json_t *
undone_domain_json(const struct image_undone *undone)
{
    if (undone->domain == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:s, s:o}", "name", json_text(undone->domain),
                     "uri", json_text(undone->domain_uri), "definition",
                     undone->domain_kept ? "kept" : "restored", "old",
                     json_text(undone->domain_old));
}

static void
print_undone(const char *path, const struct image_undone *undone)
{
    console_line("%s is as it was before its last injection (undo file %u is "
                 "used up).",
                 path, undone->number);
    if (undone->xml != NULL && undone->xml_kept && undone->xml_old != NULL)
        console_line("%s was edited since and is left alone; the one from "
                     "before is now %s",
                     undone->xml, undone->xml_old);
    else if (undone->xml != NULL && undone->xml_kept)
        console_line("%s was edited since and is left alone", undone->xml);
    else if (undone->xml != NULL)
        console_line("%s is %s.", undone->xml,
                     undone->xml_removed ? "deleted, as there was none before"
                                         : "as it was before");
    print_undone_domain(undone);
}

static json_t *
undone_json(const char *path, const struct image_undone *undone)
{
    const char *xml = undone->xml == NULL   ? NULL
                      : undone->xml_kept    ? "kept"
                      : undone->xml_removed ? "removed"
                                            : "restored";

    return json_pack(
        "{s:o, s:i, s:I, s:o, s:o, s:o, s:o}", "image", json_text(path),
        "number", (int)undone->number, "bytes", (json_int_t)undone->bytes,
        "xml", json_text(xml), "xml_path", json_text(undone->xml), "xml_old",
        json_text(undone->xml_old), "domain", undone_domain_json(undone));
}

int
undo(const struct cli_options *options, struct answer *ret,
     struct v2v_error *err)
{
    const struct image_options image_options = {
        .format = cli_image_format(options, 0), .work_dir = options->work_dir
    };
    const char *path = options->images.items[0];
    V2V_AUTO(image) struct image *image = NULL;
    struct image_undone undone = { 0 };
    int result;

    ret->status = "undone";
    v2v_step("cli", "open", "Opening %s", path);
    if (image_open(path, &image_options, &image, err) < 0)
        return -1;
    result = image_undo(image, &undone, err);
    progress_end();
    if (result < 0)
        v2v_error_prefix(err, "%s", path);
    else if (options->json)
        ret->details = undone_json(path, &undone);
    else if (!options->quiet)
        print_undone(path, &undone);
    image_undone_done(&undone);
    return result;
}

/* undo --list ------------------------------------------------------------ */

static void
print_list(const char *path, const struct image_undo_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct image_undo *item = &list->items[i];

        console_line("%-24s %3u  %s  %6" PRIu64 " MiB  %s%s%s", path,
                     item->number, item->time, (item->size + (1 << 19)) >> 20,
                     item->what, item->domain != NULL ? "; domain " : "",
                     item->domain != NULL ? item->domain : "");
    }
}

static void
list_json(const char *path, const struct image_undo_list *list, json_t *array)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct image_undo *item = &list->items[i];

        json_add(array,
                 json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:I}", "image",
                           json_text(path), "number", (int)item->number, "time",
                           item->time, "what", json_text(item->what), "file",
                           json_text(item->file), "domain",
                           json_text(item->domain), "domain_uri",
                           json_text(item->domain_uri), "size",
                           (json_int_t)item->size));
    }
}

static int
list_image(const struct cli_options *options, const char *path, json_t *array,
           struct v2v_error *err)
{
    V2V_AUTO(image_undo_list) struct image_undo_list list = { 0 };

    if (image_undo_list(path, options->work_dir, &list, err) < 0)
        return -1;
    if (options->json)
        list_json(path, &list, array);
    else
        print_list(path, &list);
    return 0;
}

/* "vm.qcow2.v2v-undo-1.json" is of "vm.qcow2"; each image once: that of its
 * first record that is there. */
static int
add_image_of(const char *dir, const char *name, struct v2v_strings *ret,
             struct v2v_error *err)
{
    static const char mark[] = ".v2v-undo-";
    const char *at = strstr(name, mark);
    V2V_AUTO(mem) char *path = NULL;
    struct stat st;

    if (at == NULL || !v2v_has_suffix_nocase(name, ".json"))
        return 0;
    path = strcmp(dir, ".") == 0
               ? v2v_strndup(name, (size_t)(at - name), err)
               : v2v_format(err, "%s/%.*s", dir, (int)(at - name), name);
    if (path == NULL)
        return -1;
    for (size_t i = 0; i < ret->count; i++)
        if (strcmp(ret->items[i], path) == 0)
            return 0;
    return stat(path, &st) < 0 ? 0 : v2v_strings_add(ret, path, err);
}

static int
find_images(const char *dir, struct v2v_strings *ret, struct v2v_error *err)
{
    struct dirent **entries;
    int count = scandir(dir, &entries, NULL, alphasort);
    int result = 0;

    if (count < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (result == 0)
            result = add_image_of(dir, entries[i]->d_name, ret, err);
        free(entries[i]);
    }
    free(entries);
    return result;
}

/* One damaged record must not hide those of other images. */
static int
list_folder(const struct cli_options *options, const char *dir, json_t *array,
            struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings images = { 0 };
    struct v2v_error why = { 0 };

    if (find_images(dir, &images, err) < 0)
        return -1;
    for (size_t i = 0; i < images.count; i++)
        if (list_image(options, images.items[i], array, &why) < 0)
            v2v_warn("cli", "undo-unreadable", "%s", why.text);
    return 0;
}

int
undo_list(const struct cli_options *options, struct answer *ret,
          struct v2v_error *err)
{
    json_t *array = json_array();
    int result = 0;

    ret->status = "done";
    for (size_t i = 0; result == 0 && i < options->images.count; i++) {
        const char *path = options->images.items[i];
        struct stat st;
        bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

        result = is_folder ? list_folder(options, path, array, err)
                           : list_image(options, path, array, err);
    }
    ret->details = json_pack("{s:o}", "undo", array);
    return result;
}

/* recover ---------------------------------------------------------------- */

static bool
is_ours(const char *name, const char *image)
{
    size_t len = strlen(image);

    return strncmp(name, image, len) == 0 &&
           strncmp(name + len, ".v2v-", strlen(".v2v-")) == 0;
}

/* Is there a file of ours beside the place of an image?  A run that is to make
 * a new one begins so. */
static bool
has_begun(const char *path)
{
    const char *image = v2v_base_name(path);
    V2V_AUTO(mem) char *folder =
        v2v_format(NULL, "%.*s.", (int)(image - path), path);
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    bool found = false;

    for (struct dirent *entry;
         dir != NULL && !found && (entry = readdir(dir)) != NULL;)
        found = is_ours(entry->d_name, image);
    if (dir != NULL)
        closedir(dir);
    return found;
}

int
recover(const struct cli_options *options, struct answer *ret,
        struct v2v_error *err)
{
    static const char *const names[] = { [IMAGE_NOTHING_TO_RECOVER] =
                                             "nothing-to-recover",
                                         [IMAGE_DISCARDED] = "discarded",
                                         [IMAGE_FINISHED] = "finished" };
    const char *path = options->images.items[0];
    bool begun = has_begun(path);
    enum image_recovered what;

    v2v_step("cli", "recover", "Looking for what was begun on %s", path);
    if (image_recover(path, options->work_dir, &what, err) < 0)
        return -1;
    if (what == IMAGE_NOTHING_TO_RECOVER && !begun && access(path, F_OK) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "%s: %s", path, strerror(errno));
    progress_end();
    ret->status = names[what];
    ret->details = json_pack("{s:o}", "image", json_text(path));
    if (!options->json && !options->quiet)
        console_line("%s: %s", path, image_recovered_text(what));
    return 0;
}
