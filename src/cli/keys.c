/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/option-table.h"

static const char form[] =
    "--key: it is ID:key:STRING or ID:file:FILENAME, where ID is a device "
    "(/dev/sda2), the identifier of a BitLocker volume or of its recovery key, "
    "or \"all\"";

/* What libguestfs' own tools would take is less than the largest of these. */
static const size_t file_max = 65536;

enum type { TYPE_KEY, TYPE_FILE, TYPE_CLEVIS, TYPES };

static const char *const type_names[TYPES] = {
    [TYPE_KEY] = "key", [TYPE_FILE] = "file", [TYPE_CLEVIS] = "clevis"
};

/* Its parts, which are views; @value: behind the second ':', or "". */
struct selector {
    const char *id;
    size_t id_len;
    enum type type; /* TYPES: none of them */
    const char *value;
};

static enum type
find_type(const char *name, size_t len)
{
    enum type type = 0;

    while (type < TYPES && (strlen(type_names[type]) != len ||
                            strncmp(type_names[type], name, len) != 0))
        type++;
    return type;
}

static struct selector
split(const char *text)
{
    const char *type = text + strcspn(text, ":");
    size_t len;

    if (*type == '\0')
        return (struct selector){ text, (size_t)(type - text), TYPES, "" };
    len = strcspn(type + 1, ":");
    return (struct selector){ text, (size_t)(type - text),
                              find_type(type + 1, len),
                              type[1 + len] == ':' ? type + len + 2 : "" };
}

/* ---- One of them ---- */

/* @ret: all zero; its name and whom it is for */
static int
parse_id(const struct selector *selector, struct guest_key *ret,
         struct v2v_error *err)
{
    V2V_AUTO(mem) char *id = v2v_strndup(selector->id, selector->id_len, err);
    struct facts_root place;

    if (id == NULL)
        return -1;
    if (strcmp(id, "all") == 0)
        ret->kind = GUEST_KEY_ALL;
    else if (bitlocker_is_id(id))
        ret->kind = GUEST_KEY_ID;
    else if (cli_parse_device(id, &place) == 0) {
        ret->kind = GUEST_KEY_PLACE;
        ret->disk = (unsigned)place.disk;
        ret->partition = (unsigned)place.partition;
    } else
        return v2v_fail(err, V2V_ERR_USAGE, "%s", form);
    ret->name = v2v_steal(id);
    return 0;
}

static int
check_value(const struct selector *selector, const char *name,
            struct v2v_error *err)
{
    switch (selector->type) {
    case TYPE_KEY:
    case TYPE_FILE:
        if (selector->value[0] != '\0')
            return 0;
        return v2v_fail(err, V2V_ERR_USAGE, "--key %s:%s: %s is missing", name,
                        type_names[selector->type],
                        selector->type == TYPE_KEY ? "the key"
                                                   : "the file's name");
    case TYPE_CLEVIS:
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--key %s:clevis: Clevis asks servers over the "
                        "network, which the appliance does not have, and opens "
                        "no BitLocker volume: give its recovery key with "
                        "%s:file:FILENAME",
                        name, name);
    case TYPES:
        break;
    }
    return v2v_fail(err, V2V_ERR_USAGE, "%s", form);
}

/* @ret: all zero */
static int
parse(const char *text, struct selector *selector, struct guest_key *ret,
      struct v2v_error *err)
{
    *selector = split(text);
    return parse_id(selector, ret, err) < 0 ||
                   check_value(selector, ret->name, err) < 0
               ? -1
               : 0;
}

int
cli_check_key(const char *selector, struct v2v_error *err)
{
    V2V_AUTO(guest_keys) struct guest_keys keys = { 0 };
    struct guest_key *key = guest_keys_add(&keys, err);
    struct selector parts;

    return key == NULL ? -1 : parse(selector, &parts, key, err);
}

int
cli_take_key(const struct cli_option *option, const char *argument,
             struct cli_options *ret, struct v2v_error *err)
{
    (void)option;
    return cli_check_key(argument, err) < 0
               ? -1
               : v2v_strings_add(&ret->keys, argument, err);
}

/* ---- Its text ---- */

/* Of the first line; what was written on Windows ends with CR LF.  libguestfs
 * takes a key as a string, which a startup key's file (.BEK) is none of. */
static int
take_line(const char *path, const struct v2v_bytes *file, char **ret,
          struct v2v_error *err)
{
    const char *text = (const char *)file->data;
    size_t len = 0;

    while (len < file->len && text[len] != '\n')
        len++;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    if (len == 0)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--key: %s: its first line is to be the key, and is "
                        "empty",
                        path);
    if (memchr(text, '\0', len) != NULL)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "--key: %s: is no text in UTF-8: write the recovery "
                        "key or the password into a file, one line; a startup "
                        "key's file (.BEK) cannot be used",
                        path);
    *ret = v2v_strndup(text, len, err);
    return *ret == NULL ? -1 : 0;
}

/* A pipe is as good as a file: file:<(pass show vm). */
static int
read_key(const char *path, char **ret, struct v2v_error *err)
{
    V2V_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    V2V_AUTO(bytes) struct v2v_bytes file = { 0 };
    struct v2v_error why = { 0 };
    int result;

    if (fd < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "--key: %s: %s", path,
                        strerror(errno));
    if (v2v_fd_read(fd, file_max, &file, &why) < 0)
        return v2v_fail(err, V2V_ERR_USAGE, "--key: %s: %s", path, why.text);
    result = take_line(path, &file, ret, err);
    if (file.len > 0)
        explicit_bzero(file.data, file.len);
    return result;
}

static int
load(const char *text, struct guest_keys *ret, struct v2v_error *err)
{
    struct guest_key *key = guest_keys_add(ret, err);
    struct selector selector;

    if (key == NULL || parse(text, &selector, key, err) < 0)
        return -1;
    if (selector.type == TYPE_FILE)
        return read_key(selector.value, &key->text, err);
    key->text = v2v_strdup(selector.value, err);
    return key->text == NULL ? -1 : 0;
}

int
cli_keys_load(const struct v2v_strings *selectors, struct guest_keys *ret,
              struct v2v_error *err)
{
    for (size_t i = 0; i < selectors->count; i++)
        if (load(selectors->items[i], ret, err) < 0)
            return -1;
    return 0;
}

/* ---- As a word ---- */

char *
cli_key_in(const char *folder, const char *text, struct v2v_error *err)
{
    const struct selector selector = split(text);
    V2V_AUTO(mem) char *path = NULL;

    if (selector.type != TYPE_FILE || selector.value[0] == '\0')
        return v2v_strdup(text, err);
    path = cli_path_in(folder, selector.value, err);
    return path == NULL ? NULL
                        : v2v_format(err, "%.*s:%s:%s", (int)selector.id_len,
                                     selector.id, type_names[TYPE_FILE], path);
}

static const char option_word[] = "--key=";

bool
cli_is_secret(const char *word)
{
    size_t len = sizeof option_word - 1;

    return strncmp(word, option_word, len) == 0 &&
           split(word + len).type != TYPE_FILE;
}

/* What is no selector is one with a slip, and hides all. */
char *
cli_masked(const char *word, struct v2v_error *err)
{
    const char *text = word + sizeof option_word - 1;
    struct selector selector;

    if (!cli_is_secret(word))
        return v2v_strdup(word, err);
    selector = split(text);
    if (cli_check_key(text, NULL) < 0)
        return v2v_format(err, "%s***", option_word);
    return v2v_format(err, "%s%.*s:%s:***", option_word, (int)selector.id_len,
                      selector.id, type_names[selector.type]);
}
