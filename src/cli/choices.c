/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/choices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/session.h"

/* More kinds than a fleet has; a choice holds the files of its packages. */
enum { KINDS_MAX = 64 };

/* A warning or a fact, to be said again. */
struct said {
    enum v2v_log_level level;
    char *module, *code, *text;
};

struct sayings {
    struct said *items;
    size_t count;
};

/* Media that were offered together. */
struct shelf {
    const struct v2v_strings *paths; /* the caller's */
    struct media **media;
    size_t count;
    struct sayings sayings; /* when they were opened */
};

/* What a choice depends on.  It goes through a pipe, in one piece. */
struct kind {
    size_t shelf;
    struct inf_target target;
    bool secure_boot_known, secure_boot, test_signing, allow_untrusted;
    char label[256];
    char names[1024]; /* with commas between them */
};

_Static_assert(sizeof(struct kind) <= 4096, "PIPE_BUF of pipe(7)");

struct chosen {
    struct kind kind;
    struct drivers_choice choice;
    struct sayings sayings;
};

static struct {
    struct shelf *shelves;
    size_t shelf_count;
    struct chosen *items;
    size_t count;
    int missed[2]; /* a pipe from the children */
} choices = { .missed = { -1, -1 } };

/* ---- What is said meanwhile ---- */

static void
hear(void *opaque, enum v2v_log_level level, const char *module,
     const char *code, const char *text)
{
    struct sayings *heard = opaque;
    struct said *items;

    if (level != V2V_LOG_WARNING && level != V2V_LOG_FACT)
        return;
    items = reallocarray(heard->items, heard->count + 1, sizeof *items);
    if (items == NULL)
        return;
    heard->items = items;
    items[heard->count++] =
        (struct said){ level, strdup(module), strdup(code), strdup(text) };
}

/* Who listened before is in the way of nobody meanwhile. */
struct listener {
    v2v_log_fn fn;
    void *opaque;
};

static struct listener
begin_hearing(struct sayings *heard)
{
    struct listener before;

    v2v_log_get(&before.fn, &before.opaque);
    v2v_log_set(hear, heard);
    return before;
}

static void
end_hearing(const struct listener *before)
{
    v2v_log_set(before->fn, before->opaque);
}

static void
say_again(const struct sayings *heard)
{
    for (size_t i = 0; i < heard->count; i++) {
        const struct said *said = &heard->items[i];

        if (said->module == NULL || said->code == NULL || said->text == NULL)
            continue;
        if (said->level == V2V_LOG_WARNING)
            v2v_warn(said->module, said->code, "%s", said->text);
        else
            v2v_fact(said->module, "%s", said->text);
    }
}

static void
forget(struct sayings *heard)
{
    for (size_t i = 0; i < heard->count; i++) {
        free(heard->items[i].module);
        free(heard->items[i].code);
        free(heard->items[i].text);
    }
    free(heard->items);
}

/* ---- The media ---- */

static bool
same_paths(const struct v2v_strings *a, const struct v2v_strings *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

/* Its index; shelf_count: there is none. */
static size_t
find_shelf(const struct v2v_strings *media)
{
    size_t i = 0;

    while (i < choices.shelf_count &&
           !same_paths(choices.shelves[i].paths, media))
        i++;
    return i;
}

static int
fill_shelf(struct shelf *shelf, struct v2v_error *err)
{
    struct listener before = begin_hearing(&shelf->sayings);
    int result;

    result =
        session_open_media(shelf->paths, &shelf->media, &shelf->count, err);
    end_hearing(&before);
    return result;
}

int
choices_offer(const struct v2v_strings *media, struct v2v_error *err)
{
    struct shelf *shelves;

    if (media->count == 0 || choices_know(media))
        return 0;
    if (choices.missed[0] < 0 &&
        pipe2(choices.missed, O_CLOEXEC | O_NONBLOCK) < 0)
        return v2v_fail_errno(err, errno, "pipe");
    shelves =
        reallocarray(choices.shelves, choices.shelf_count + 1, sizeof *shelves);
    if (shelves == NULL)
        return v2v_fail_errno(err, errno, "media");
    choices.shelves = shelves;
    shelves[choices.shelf_count] = (struct shelf){ .paths = media };
    return fill_shelf(&shelves[choices.shelf_count++], err);
}

bool
choices_know(const struct v2v_strings *media)
{
    return find_shelf(media) < choices.shelf_count;
}

/* ---- Kinds ---- */

static bool
same_target(const struct inf_target *a, const struct inf_target *b)
{
    return a->arch == b->arch && a->major == b->major && a->minor == b->minor &&
           a->build == b->build && a->product_type == b->product_type &&
           a->suite_mask == b->suite_mask;
}

static bool
same_kind(const struct kind *a, const struct kind *b)
{
    return a->shelf == b->shelf && same_target(&a->target, &b->target) &&
           a->secure_boot_known == b->secure_boot_known &&
           a->secure_boot == b->secure_boot &&
           a->test_signing == b->test_signing &&
           a->allow_untrusted == b->allow_untrusted &&
           strcmp(a->label, b->label) == 0 && strcmp(a->names, b->names) == 0;
}

/* False: it does not fit. */
static bool
make_kind(const struct v2v_strings *media, const struct drivers_guest *guest,
          const struct v2v_strings *names,
          const struct drivers_options *options, struct kind *ret)
{
    size_t len = 0;

    memset(ret, 0, sizeof *ret); /* its holes go through the pipe, too */
    ret->shelf = find_shelf(media);
    ret->target = guest->target;
    ret->secure_boot_known = guest->secure_boot_known;
    ret->secure_boot = guest->secure_boot;
    ret->test_signing = guest->test_signing;
    ret->allow_untrusted = options->allow_untrusted;
    for (size_t i = 0; i < names->count && len < sizeof ret->names; i++)
        len += (size_t)snprintf(ret->names + len, sizeof ret->names - len,
                                "%s%s", i > 0 ? "," : "", names->items[i]);
    return ret->shelf < choices.shelf_count && len < sizeof ret->names &&
           snprintf(ret->label, sizeof ret->label, "%s", guest->os_label) <
               (int)sizeof ret->label;
}

static struct chosen *
find_chosen(const struct kind *kind)
{
    for (size_t i = 0; i < choices.count; i++)
        if (same_kind(&choices.items[i].kind, kind))
            return &choices.items[i];
    return NULL;
}

static int
split_names(const char *text, struct v2v_strings *ret)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        V2V_AUTO(mem) char *name = v2v_strndup(text, len, NULL);

        if (name == NULL || v2v_strings_add(ret, name, NULL) < 0)
            return -1;
        text += len + (text[len] == ',');
    }
    return 0;
}

static int
choose(struct chosen *item)
{
    const struct kind *kind = &item->kind;
    const struct shelf *shelf = &choices.shelves[kind->shelf];
    const struct drivers_guest guest = { .target = kind->target,
                                         .os_label = kind->label,
                                         .secure_boot_known =
                                             kind->secure_boot_known,
                                         .secure_boot = kind->secure_boot,
                                         .test_signing = kind->test_signing };
    const struct drivers_options options = { kind->allow_untrusted };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    struct v2v_error why;
    struct listener before = begin_hearing(&item->sayings);
    int result = split_names(kind->names, &names);

    if (result == 0)
        result = drivers_choose(shelf->media, shelf->count, &guest, &names,
                                &options, &item->choice, &why);
    end_hearing(&before);
    return result;
}

static void
learn(const struct kind *kind)
{
    struct chosen *items;
    struct chosen item = { .kind = *kind };

    if (choices.count == KINDS_MAX || kind->shelf >= choices.shelf_count ||
        find_chosen(kind) != NULL)
        return;
    items = reallocarray(choices.items, choices.count + 1, sizeof *items);
    if (items == NULL)
        return;
    choices.items = items;
    if (choose(&item) == 0)
        items[choices.count++] = item;
    else
        forget(&item.sayings);
}

void
choices_learn(void)
{
    struct kind kind;

    while (choices.missed[0] >= 0 &&
           read(choices.missed[0], &kind, sizeof kind) == sizeof kind)
        learn(&kind);
}

/* A pipe that is full has told the parent of other kinds; this one will come
 * again. */
static void
tell_missed(const struct kind *kind)
{
    if (write(choices.missed[1], kind, sizeof *kind) < 0)
        return;
}

/* The child has a copy of the parent's memory, and so may have what is in it.
 */
bool
choices_take(const struct v2v_strings *media, const struct drivers_guest *guest,
             const struct v2v_strings *names,
             const struct drivers_options *options, struct drivers_choice *ret)
{
    struct kind kind;
    struct chosen *chosen;

    if (!make_kind(media, guest, names, options, &kind))
        return false;
    chosen = find_chosen(&kind);
    if (chosen == NULL) {
        tell_missed(&kind);
        return false;
    }
    say_again(&choices.shelves[kind.shelf].sayings);
    say_again(&chosen->sayings);
    *ret = chosen->choice;
    chosen->choice = (struct drivers_choice){ 0 };
    return true;
}

void
choices_done(void)
{
    for (size_t i = 0; i < choices.count; i++) {
        drivers_choice_done(&choices.items[i].choice);
        forget(&choices.items[i].sayings);
    }
    for (size_t i = 0; i < choices.shelf_count; i++) {
        session_close_media(choices.shelves[i].media, choices.shelves[i].count);
        forget(&choices.shelves[i].sayings);
    }
    free(choices.items);
    free(choices.shelves);
    if (choices.missed[0] >= 0) {
        close(choices.missed[0]);
        close(choices.missed[1]);
    }
    choices.items = NULL;
    choices.shelves = NULL;
    choices.count = choices.shelf_count = 0;
    choices.missed[0] = choices.missed[1] = -1;
}
