/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree-tool inject TREE MEDIUM [DRIVER[,DRIVER...]]
 * tree-tool check  TREE [MEDIUM] [--domain-xml XML]
 * tree-tool verify TREE [--domain-xml XML] [--virtio-scsi]
 *
 * What the program does with images, on a guest made of folders
 * (tree-guest.h), in milliseconds and without an appliance.
 *
 * inject  writes the drivers into TREE, as the program's inject; packages with
 *         test signatures are taken.  It prints what it wrote:
 *             DRIVER<TAB>its directory on the medium
 *             file<TAB>path in the guest
 * check   one line a finding or a gap:
 *             CODE<TAB>severity<TAB>evidence
 *             gap<TAB>what<TAB>why
 * verify  one line a link; CODE is "-" for one without:
 *             LINK<TAB>state<TAB>CODE<TAB>subject<TAB>text
 *
 * Warnings go to stderr.  Exit status: as the program's; 3 also when something
 * blocks or is broken. */
#include <stdio.h>
#include <string.h>

#include "apply/apply.h"
#include "base/log.h"
#include "check/check.h"
#include "domain/domain.h"
#include "drivers/drivers.h"
#include "facts/find.h"
#include "media/media.h"
#include "tree-guest.h"
#include "verify/verify.h"

/* 2025-01-01 00:00 UTC as FILETIME: the clock stands still. */
static const uint64_t test_time = UINT64_C(133801632000000000);

static const char default_drivers[] = "viostor,NetKVM,Balloon";

struct request {
    const char *tree, *medium, *drivers;
    const char *domain_xml;
    bool virtio_scsi;
};

struct session {
    struct domain *domain; /* NULL: no XML was named */
    struct guest *guest;
    struct facts_hives hives;
    struct facts facts;
    struct media *medium; /* NULL: none was named */
    struct drivers_choice choice;
};

static void
session_close(struct session *s)
{
    drivers_choice_done(&s->choice);
    media_close(s->medium);
    facts_done(&s->facts);
    facts_hives_done(&s->hives);
    guest_abandon(s->guest);
    domain_free(s->domain);
}

static inline void
v2v_auto_session(struct session *s)
{
    session_close(s);
}

static void
print_warning(void *opaque, enum v2v_log_level level, const char *module,
              const char *code, const char *text)
{
    (void)opaque;
    if (level == V2V_LOG_WARNING)
        fprintf(stderr, "%s: warning %s: %s\n", module, code, text);
}

static int
load_domain(const char *path, struct domain **ret, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes xml = { 0 };

    if (path == NULL)
        return 0;
    if (v2v_file_read(path, 16 << 20, &xml, err) < 0)
        return -1;
    return domain_parse(xml.data, xml.len, ret, err);
}

static int
open_tree(const struct request *request, struct session *s,
          struct v2v_error *err)
{
    static const struct facts_root anywhere = { FACTS_ANY, FACTS_ANY };

    if (load_domain(request->domain_xml, &s->domain, err) < 0 ||
        tree_guest_open(request->tree, &s->guest, err) < 0)
        return -1;
    return facts_load(s->guest, &anywhere, &s->hives, &s->facts, err);
}

static int
split(const char *list, struct v2v_strings *ret, struct v2v_error *err)
{
    V2V_AUTO(mem) char *copy = v2v_strdup(list, err);

    if (copy == NULL)
        return -1;
    for (char *rest = copy, *name; (name = strsep(&rest, ",")) != NULL;)
        if (v2v_strings_add(ret, name, err) < 0)
            return -1;
    return 0;
}

static int
choose(const struct request *request, bool allow_untrusted, struct session *s,
       struct v2v_error *err)
{
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    const struct drivers_options options = { .allow_untrusted =
                                                 allow_untrusted };
    enum domain_secure_boot secure_boot = s->domain != NULL
                                              ? domain_secure_boot(s->domain)
                                              : DOMAIN_SECURE_BOOT_UNKNOWN;
    const struct drivers_guest guest = {
        .target = s->facts.target,
        .os_label = s->facts.product_name,
        .secure_boot_known = secure_boot != DOMAIN_SECURE_BOOT_UNKNOWN,
        .secure_boot = secure_boot == DOMAIN_SECURE_BOOT_ON,
        .test_signing = s->facts.test_signing
    };

    if (media_open(request->medium, &s->medium, err) < 0 ||
        split(request->drivers, &names, err) < 0)
        return -1;
    return drivers_choose(&s->medium, 1, &guest, &names, &options, &s->choice,
                          err);
}

static void
print_plan(const struct session *s, const struct plan *plan)
{
    for (size_t i = 0; i < s->choice.missing.count; i++)
        fprintf(stderr, "missing %s: %s\n", s->choice.missing.items[i],
                s->choice.missing_why.items[i]);
    for (size_t i = 0; i < s->choice.count; i++)
        printf("%s\t%s\n", s->choice.items[i].driver,
               s->choice.items[i].source);
    for (size_t i = 0; i < plan->file_count; i++)
        printf("file\t%s\n", plan->files[i].path);
}

/* Each command: 0, 1 when something blocks or is broken, or -1. */

static int
inject(const struct request *request, struct v2v_error *err)
{
    V2V_AUTO(session) struct session s = { 0 };
    V2V_AUTO(plan) struct plan plan = { 0 };

    if (open_tree(request, &s, err) < 0 || choose(request, true, &s, err) < 0 ||
        plan_make(&s.facts, s.choice.items, s.choice.count, test_time, &plan,
                  err) < 0 ||
        apply_pending(s.guest, &s.hives, &plan, err) < 0 ||
        apply_check_space(s.guest, &plan, err) < 0 ||
        apply_run(s.guest, &s.facts, &s.hives, &plan, err) < 0 ||
        facts_reload_hives(s.guest, &s.facts, &s.hives, err) < 0 ||
        guest_close(v2v_steal(s.guest), err) < 0)
        return -1;
    print_plan(&s, &plan);
    return 0;
}

/* What keeps the guest from being looked at is a finding, too. */
static int
find(const struct request *request, struct session *s,
     struct check_result *result, struct v2v_error *err)
{
    struct check_input input = { .facts = &s->facts, .hives = &s->hives };
    struct v2v_error why = { 0 };

    if (open_tree(request, s, &why) < 0 ||
        (request->medium != NULL && choose(request, false, s, &why) < 0)) {
        int known = check_refusal(&why, result, err);

        if (known == 0)
            *err = why;
        return known > 0 ? 0 : -1;
    }
    input.guest = s->guest;
    input.domain = s->domain;
    input.choice = request->medium != NULL ? &s->choice : NULL;
    return check_run(&input, result, err);
}

static int
check(const struct request *request, struct v2v_error *err)
{
    V2V_AUTO(session) struct session s = { 0 };
    V2V_AUTO(check_result) struct check_result result = { 0 };

    if (find(request, &s, &result, err) < 0)
        return -1;
    for (size_t i = 0; i < result.count; i++)
        printf("%s\t%s\t%s\n", result.findings[i].code->name,
               check_severity_name(result.findings[i].code->severity),
               result.findings[i].evidence);
    for (size_t i = 0; i < result.gap_count; i++)
        printf("gap\t%s\t%s\n", result.gaps[i].what, result.gaps[i].why);
    return check_blocker(&result) != NULL;
}

static int
verify(const struct request *request, struct v2v_error *err)
{
    V2V_AUTO(session) struct session s = { 0 };
    V2V_AUTO(verify_result) struct verify_result result = { 0 };
    struct domain_machine machine;
    struct verify_input input = { .facts = &s.facts,
                                  .hives = &s.hives,
                                  .virtio_scsi = request->virtio_scsi };

    if (open_tree(request, &s, err) < 0)
        return -1;
    input.guest = s.guest;
    if (s.domain != NULL) {
        if (domain_machine(s.domain, NULL, &machine, err) < 0)
            return -1;
        input.machine = &machine;
    }
    if (verify_run(&input, &result, err) < 0)
        return -1;
    for (size_t i = 0; i < result.count; i++) {
        const struct verify_link *link = &result.links[i];

        printf("%s\t%s\t%s\t%s\t%s\n", link->link,
               verify_state_name(link->state),
               link->code != NULL ? link->code->name : "-", link->subject,
               link->text);
    }
    return verify_broken(&result) != NULL;
}

static const struct command {
    const char *name, *arguments;
    int least, most; /* words; options besides */
    bool domain_xml, virtio_scsi;
    int (*run)(const struct request *request, struct v2v_error *err);
} commands[] = {
    { "inject", "TREE MEDIUM [DRIVER,...]", 2, 3, false, false, inject },
    { "check", "TREE [MEDIUM] [--domain-xml XML]", 1, 2, true, false, check },
    { "verify", "TREE [--domain-xml XML] [--virtio-scsi]", 1, 1, true, true,
      verify },
};

/* What @argv asks of @command; false: nothing that it does. */
static bool
parse(const struct command *command, char **argv, struct request *ret)
{
    const char **words[] = { &ret->tree, &ret->medium, &ret->drivers };
    int count = 0;

    *ret = (struct request){ .drivers = default_drivers };
    for (; *argv != NULL; argv++) {
        if (command->domain_xml && strcmp(*argv, "--domain-xml") == 0 &&
            argv[1] != NULL)
            ret->domain_xml = *++argv;
        else if (command->virtio_scsi && strcmp(*argv, "--virtio-scsi") == 0)
            ret->virtio_scsi = true;
        else if (**argv != '-' && count < command->most)
            *words[count++] = *argv;
        else
            return false;
    }
    return count >= command->least;
}

static int
usage(const char *program)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(stderr, "usage: %s %s %s\n", program, commands[i].name,
                commands[i].arguments);
    return V2V_ERR_USAGE;
}

int
main(int argc, char **argv)
{
    struct v2v_error err = { 0 };
    struct request request;

    v2v_log_set(print_warning, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands && argc > 1;
         i++) {
        int rc;

        if (strcmp(argv[1], commands[i].name) != 0 ||
            !parse(&commands[i], argv + 2, &request))
            continue;
        rc = commands[i].run(&request, &err);
        if (rc < 0)
            fprintf(stderr, "%s\n", err.text);
        return rc < 0 ? (int)err.code : rc * V2V_ERR_GUEST;
    }
    return usage(argv[0]);
}
