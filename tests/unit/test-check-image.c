/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check/image.c, on image files that qemu-img makes. */
#include "test-check-tools.h"

struct image_case {
    const char *name;
    const char *script; /* makes "image" of disk0.raw */
    const char *format; /* as the user says it; NULL: not */
    bool has_output;
    struct expected expected[MAX_FOUND];
};

static void
check_case(const struct image_case *c)
{
    V2V_AUTO(mem) char *command =
        v2v_format(NULL, "rm -f image && %s", c->script);
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/image", top);
    const struct image_options options = { .format = c->format,
                                           .read_only = true };
    struct image *image = NULL;
    const struct facts facts = { 0 };
    const struct facts_hives hives = { 0 };
    V2V_AUTO(check_result) struct check_result result = { 0 };
    struct v2v_error err = { 0 };

    if (!run(command))
        fail_msg("%s: %s", c->name, c->script);
    if (image_open(path, &options, &image, &err) < 0)
        fail_msg("%s: %s", c->name, err.text);
    run_rules(&(struct check_input){ .facts = &facts,
                                     .hives = &hives,
                                     .images = &image,
                                     .image_count = 1,
                                     .has_output = c->has_output },
              check_image_rules, &result);
    image_close(image);
    assert_findings(c->name, &result, c->expected);
}

#define QCOW2 "qemu-img convert -O qcow2 tree/disk0.raw image"

static void
test_images(void **state)
{
    static const struct image_case cases[] = {
        { "qcow2", QCOW2, NULL, false, { { NULL, NULL } } },
        { "raw, as was said",
          "cp tree/disk0.raw image",
          "raw",
          false,
          { { NULL, NULL } } },
        { "raw, since nothing else is known",
          "cp tree/disk0.raw image",
          NULL,
          false,
          { { "raw-probed", "the image is taken as raw, since it has no "
                            "header of another format" } } },
        { "snapshots",
          QCOW2 " && qemu-img snapshot -c before image && "
                "qemu-img snapshot -c 'x y' image",
          NULL,
          false,
          { { "internal-snapshots",
              "the image has 2: \"before\", \"x y\"" } } },
        { "snapshots that the new file will not have",
          QCOW2 " && qemu-img snapshot -c before image",
          NULL,
          true,
          { { NULL, NULL } } },
        { "many snapshots",
          QCOW2 " && for i in 1 2 3 4 5 6; do "
                "qemu-img snapshot -c $i image || exit 1; done",
          NULL,
          false,
          { { "internal-snapshots", "has 6: \"1\", \"2\", \"3\", \"4\", "
                                    "\"5\" ..." } } },
        { "nobody may write it",
          QCOW2 " && chmod 0444 image",
          NULL,
          false,
          { { "not-writable", "the image cannot be written by this user" } } },
        { "and nobody will",
          QCOW2 " && chmod 0444 image",
          NULL,
          true,
          { { NULL, NULL } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

/* What image_about() says of images and hosts that are not at hand. */
static void
test_what_is_known(void **state)
{
    static const struct {
        size_t disk;
        bool has_output;
        struct image_about about;
        struct expected expected[MAX_FOUND];
    } cases[] = {
        { 0,
          false,
          { .writable = true, .host_free = 1 << 20, .host_needed = 256 << 20 },
          { { "host-full", "1 MiB are free where "
                           "the overlay of the image of disk 1 goes, 256 MiB "
                           "are needed" } } },
        { 0,
          false,
          { .writable = true,
            .host_free = 256 << 20,
            .host_needed = 256 << 20 },
          { { NULL, NULL } } },
        { 0,
          false,
          { .copy_only = "a Parallels image" },
          { { "copy-only", "the image of disk 1 is a Parallels image, which is "
                           "not worked on in "
                           "place" } } },
        { 0, true, { .copy_only = "a Parallels image" }, { { NULL, NULL } } },
        /* another disk than the one with the Windows is only read */
        { 1,
          false,
          { .copy_only = "a Parallels image",
            .probed_raw = true,
            .host_needed = 1 },
          { { "raw-probed", "the image of disk 2 " } } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct facts facts = { 0 };
        const struct check_input input = { .facts = &facts,
                                           .image_count = 2,
                                           .has_output = cases[i].has_output };
        V2V_AUTO(check_result) struct check_result result = { 0 };
        struct check check = { .in = &input, .result = &result };
        struct v2v_error err = { 0 };

        if (check_image(&check, &cases[i].about, cases[i].disk, &err) < 0)
            fail_msg("%s", err.text);
        assert_findings("about", &result, cases[i].expected);
    }
}

static int
start_with_guest(void **state)
{
    if (start(state) < 0)
        return -1;
    make_tree("tree", "");
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_what_is_known),
    };

    return cmocka_run_group_tests(tests, start_with_guest, remove_top);
}
