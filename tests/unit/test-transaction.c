/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change of an image from overlay to undo, and each place where it can be
 * interrupted.  The programs that make and compare images are QEMU's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "image/image-private.h"
#include "image/undo.h"
#include "test-tools.h"

/* In the folder of this program, which is the current one. */
#define IMAGE "vm.qcow2"

/* What a child that dies leaves in $TMPDIR goes with the folder. */
static int
make_own_tmp(void **state)
{
    if (make_top(state) < 0)
        return -1;
    return setenv("TMPDIR", top, 1);
}

/* A disk of 8 MiB and a bit; the areas of the change are partly on data, partly
 * on zeroes, the last one ends in a cluster that is not whole. */
static int
make_image(void **state)
{
    (void)state;
    *warnings = '\0';
    return chdir(top) == 0 &&
                   run("rm -rf ./* && truncate -s 8390144 s && "
                       "printf '\\125\\252' | dd of=s bs=1 seek=510 "
                       "conv=notrunc && "
                       "qemu-img convert -f raw -O qcow2 s " IMAGE
                       " && rm s && "
                       "qemu-io -f qcow2 -c 'write -P 1 64k 300k' " IMAGE " && "
                       "cp " IMAGE " before && echo old > vm.xml")
               ? 0
               : -1;
}

static const char writes[] =
    "qemu-io -f qcow2 -c 'write -P 2 100k 10k' -c 'write -P 3 4M 70k' "
    "-c 'write -z 128k 64k' -c 'write -P 4 8388608 1k' '%s' >/dev/null";

static bool
is_there(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0;
}

static struct image *
begin(const struct image_options *options)
{
    struct image *image = NULL;
    struct v2v_error err = { 0 };
    char command[512];

    if (image_open(IMAGE, options, &image, &err) < 0 ||
        image_overlay_create(image, true, &err) < 0)
        fail_msg("%s", err.text);
    snprintf(command, sizeof command, writes, image_overlay_path(image));
    assert_true(run(command));
    return image;
}

/* The paths of the XML are absolute. */
static struct image_xml
new_xml(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", top, name);
    return (struct image_xml){ .path = path, .data = "new\n", .len = 4 };
}

static const struct image_witness witnesses[] = {
    { "the first sectors", 0, 4096 }, { "the last sector", 8389632, 512 }
};

static struct image_change
a_change(const char *xml)
{
    struct image_change change = { .what = "drivers",
                                   .witnesses = witnesses,
                                   .witness_count = 2 };

    if (xml != NULL)
        change.xml = new_xml(xml);
    return change;
}

static void
change_image(const char *xml)
{
    struct image *image = begin(NULL);
    struct image_change change = a_change(xml);
    struct v2v_error err = { 0 };

    if (image_commit(image, &change, &err) < 0)
        fail_msg("%s", err.text);
    assert_null(image_overlay_path(image));
    image_close(image);
}

static int
undo_image(struct image_undone *undone, struct v2v_error *err)
{
    V2V_AUTO(image) struct image *image = NULL;

    *undone = (struct image_undone){ 0 };
    if (image_open(IMAGE, NULL, &image, err) < 0)
        return -1;
    return image_undo(image, undone, err);
}

static void
undoes(struct image_undone *undone)
{
    struct v2v_error err = { 0 };

    if (undo_image(undone, &err) < 0)
        fail_msg("%s", err.text);
}

static void
does_not_undo(enum v2v_error_code code, const char *text)
{
    struct image_undone undone;
    struct v2v_error err = { 0 };

    assert_int_equal(undo_image(&undone, &err), -1);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    assert_int_equal(err.code, code);
    image_undone_done(&undone);
}

/* With qemu-img's own comparison. */
static bool
is_as_before(void)
{
    return run("qemu-img compare -q -f qcow2 -F qcow2 before " IMAGE);
}

static bool
is_changed(void)
{
    return run("qemu-io -f qcow2 -r -c 'read -P 2 100k 10k' "
               "-c 'read -P 3 4M 70k' -c 'read -P 0 128k 64k' "
               "-c 'read -P 4 8388608 1k' -c 'read -P 1 64k 36k' " IMAGE
               " | grep -c 'Pattern verification failed' | grep -qx 0");
}

static bool
xml_is(const char *text)
{
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };

    return v2v_file_read("vm.xml", 100, &bytes, NULL) == 0 &&
           bytes.len == strlen(text) &&
           memcmp(bytes.data, text, bytes.len) == 0;
}

static bool
nothing_is_left(void)
{
    return run("! ls -A | grep -qF .v2v-");
}

static void
test_change_and_undo(void **state)
{
    struct image_undone undone;

    (void)state;
    change_image("vm.xml");
    assert_true(is_changed());
    assert_true(xml_is("new\n"));
    assert_true(run("test \"$(echo *.v2v-*)\" = '" IMAGE ".v2v-undo-1 " IMAGE
                    ".v2v-undo-1.json " IMAGE ".v2v-undo-1.xml'"));
    assert_true(run("qemu-img check -q " IMAGE));

    undoes(&undone);
    assert_int_equal(undone.number, 1);
    assert_false(undone.xml_kept || undone.xml_removed);
    image_undone_done(&undone);
    assert_true(is_as_before());
    assert_true(xml_is("old\n"));
    assert_true(nothing_is_left());
    assert_true(run("qemu-img check -q " IMAGE));
    does_not_undo(V2V_ERR_USAGE, "nothing to undo: there is no file ");
}

/* Zeroes take no place, and what did not change none at all. */
static void
test_the_undo_file_is_sparse(void **state)
{
    (void)state;
    change_image(NULL);
    /* 64k..128k and 128k..192k were data; 4M and the end were not */
    assert_true(run("qemu-img map --output=json " IMAGE ".v2v-undo-1 | "
                    "jq -e '[.[] | select(.data) | [.start, .length]] == "
                    "[[65536, 131072]]'"));
    assert_true(run("jq -e '[.areas[][:2]] == [[65536, 131072], "
                    "[4194304, 131072], [8388608, 1536]]' " IMAGE
                    ".v2v-undo-1.json"));
}

static void
test_several_changes_are_undone_one_by_one(void **state)
{
    V2V_AUTO(image_undo_list) struct image_undo_list list = { 0 };
    struct image_undone undone;
    struct v2v_error err = { 0 };

    (void)state;
    change_image(NULL);
    assert_true(run("cp " IMAGE " between && "
                    "qemu-io -f qcow2 -c 'write -P 6 6M 64k' before && "
                    "qemu-io -f qcow2 -c 'write -P 6 6M 64k' between && "
                    "qemu-io -f qcow2 -c 'write -P 6 6M 64k' " IMAGE));
    change_image(NULL); /* of places that have that content already */
    if (image_undo_list(IMAGE, NULL, &list, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].number, 1);
    assert_int_equal(list.items[1].number, 2);
    assert_string_equal(list.items[1].what, "drivers");
    assert_true(list.items[1].size > 0 && list.items[1].size < 2 << 20);
    undoes(&undone);
    assert_int_equal(undone.number, 2);
    image_undone_done(&undone);
    assert_true(run("qemu-img compare -q between " IMAGE));
    undoes(&undone);
    assert_int_equal(undone.number, 1);
    image_undone_done(&undone);
    assert_true(is_as_before());
    assert_true(nothing_is_left());
}

static void
test_xml_that_was_not_there_goes_again(void **state)
{
    struct image_undone undone;

    (void)state;
    assert_true(run("rm vm.xml"));
    change_image("vm.xml");
    assert_true(xml_is("new\n"));
    undoes(&undone);
    assert_true(undone.xml_removed);
    image_undone_done(&undone);
    assert_false(is_there("vm.xml"));
    assert_true(nothing_is_left());
}

static void
test_edited_xml_is_left_alone(void **state)
{
    struct image_undone undone;

    (void)state;
    change_image("vm.xml");
    assert_true(run("echo mine > vm.xml"));
    undoes(&undone);
    assert_true(undone.xml_kept);
    assert_string_equal(v2v_base_name(undone.xml_old), IMAGE ".v2v-old.xml");
    image_undone_done(&undone);
    assert_true(is_as_before());
    assert_true(xml_is("mine\n"));
    assert_true(run("test \"$(cat " IMAGE ".v2v-old.xml)\" = old"));
}

static void
test_no_undo_after_the_guest_ran(void **state)
{
    static const struct {
        const char *what, *text;
    } cases[] = {
        { "qemu-io -f qcow2 -c 'write -P 7 1k 512' " IMAGE,
          "changed are the first sectors, 0 of 3 areas" },
        { "qemu-io -f qcow2 -c 'write -P 7 4M 512' " IMAGE,
          "changed are 1 of 3 areas" },
        { "qemu-io -f qcow2 -c 'write -P 7 8389632 512' " IMAGE,
          "changed are the last sector, 1 of 3 areas" },
        { "qemu-img resize -q " IMAGE " +1M", "the disk had 8390144 bytes" },
        { "printf x >> " IMAGE ".v2v-undo-1", "is damaged: its SHA-256" },
        { "rm " IMAGE ".v2v-undo-1", "is gone" },
        { "echo x > " IMAGE ".v2v-undo-1.xml", "the old XML " },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(make_image(state), 0);
        change_image("vm.xml");
        assert_true(run(cases[i].what));
        assert_true(run("cp " IMAGE " now"));
        does_not_undo(V2V_ERR_GUEST, cases[i].text);
        assert_true(run("cmp now " IMAGE));
        assert_true(xml_is("new\n"));
        assert_true(is_there(IMAGE ".v2v-undo-1.json"));
        assert_false(is_there(IMAGE ".v2v-state"));
    }
}

/* Its folder is gone, or its name is something else's now. */
static void
test_xml_that_cannot_be_restored(void **state)
{
    static const char *const cases[] = {
        "rm -r sub",
        "rm sub/vm.xml && ln -s /etc/hostname sub/vm.xml",
        "rm sub/vm.xml && mkfifo sub/vm.xml",
        "rm sub/vm.xml && mkdir sub/vm.xml",
    };
    struct image_undone undone;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(make_image(state), 0);
        assert_true(run("mkdir sub && echo old > sub/vm.xml"));
        change_image("sub/vm.xml");
        assert_true(run(cases[i]));
        undoes(&undone);
        assert_true(undone.xml_kept);
        image_undone_done(&undone);
        assert_true(is_as_before());
        assert_true(run("test \"$(cat " IMAGE ".v2v-old.xml)\" = old"));
        assert_false(is_there(IMAGE ".v2v-state"));
    }
}

static void
test_damaged_records(void **state)
{
    static const struct {
        const char *filter, *text;
    } cases[] = {
        { ".schema = 2", "not one of this version" },
        { "del(.format)", "time, what, format" },
        { ".areas[0][0] = 99999999999", "an area is not inside the disk" },
        { ".areas[0][1] = 0", "an area is not inside the disk" },
        { ".areas[0][2] = \"ab\"", "an area has no SHA-256" },
        { ".areas[0][0] = -1", "an area is not inside the disk" },
        { ".sha256 = null", "time, what, format, virtual_size or sha256" },
        { ".xml.after = 1", "the XML" },
        { ".xml.before = \"ab\"", "the XML" },
        { ".xml.path = {\"hex\": \"zz\"}", "a name's bytes" },
    };
    char command[256];

    (void)state;
    change_image("vm.xml");
    assert_true(run("cp " IMAGE ".v2v-undo-1.json good"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(command, sizeof command,
                 "jq '%s' good > " IMAGE ".v2v-undo-1.json", cases[i].filter);
        assert_true(run(command));
        does_not_undo(V2V_ERR_FORMAT, cases[i].text);
    }
    assert_true(run("head -c 100 good > " IMAGE ".v2v-undo-1.json"));
    does_not_undo(V2V_ERR_FORMAT, "the record is damaged");
}

/* The image must not become larger: as on a full disk. */
static void
let_it_not_grow(void)
{
    struct stat st;
    struct rlimit limit;

    if (stat(IMAGE, &st) < 0)
        _exit(2);
    limit = (struct rlimit){ (rlim_t)st.st_size, (rlim_t)st.st_size };
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        _exit(2);
}

/* A child that dies having come to @step; to "committed" when the folder of
 * the XML is missing. */
static void
die_at(enum transaction_step step, const char *xml)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct image *image = begin(NULL);
        struct image_change change = a_change(xml);

        if (step == TRANSACTION_COMMITTING)
            let_it_not_grow();
        if (step != TRANSACTION_PREPARING)
            image_commit(image, &change, NULL);
        if (image->t.step == step)
            raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
recovers(enum image_recovered what)
{
    enum image_recovered now;
    struct v2v_error err = { 0 };

    if (image_recover(IMAGE, NULL, &now, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(now, what);
    if (what == IMAGE_NOTHING_TO_RECOVER)
        return;
    assert_false(is_there(IMAGE ".v2v-state"));
    recovers(IMAGE_NOTHING_TO_RECOVER);
}

static void
test_died_while_preparing(void **state)
{
    V2V_AUTO(image) struct image *image = NULL;

    (void)state;
    assert_false(image_in_commit(IMAGE, NULL));
    die_at(TRANSACTION_PREPARING, "vm.xml");
    assert_true(is_there(IMAGE ".v2v-state"));
    assert_false(image_in_commit(IMAGE, NULL));
    recovers(IMAGE_DISCARDED);
    assert_true(run("cmp before " IMAGE));
    assert_true(xml_is("old\n"));
    assert_true(nothing_is_left());

    /* whoever opens it next does the same, and says so */
    die_at(TRANSACTION_PREPARING, "vm.xml");
    assert_int_equal(image_open(IMAGE, NULL, &image, NULL), 0);
    assert_non_null(strstr(warnings, "interrupted-discarded: "));
    assert_true(nothing_is_left());
}

static void
test_died_while_committing(void **state)
{
    struct image_undone undone;

    (void)state;
    die_at(TRANSACTION_COMMITTING, "vm.xml");
    assert_true(image_in_commit(IMAGE, NULL));
    assert_true(xml_is("old\n"));
    recovers(IMAGE_FINISHED);
    assert_true(is_changed());
    assert_true(xml_is("new\n"));
    undoes(&undone);
    image_undone_done(&undone);
    assert_true(is_as_before());
    assert_true(xml_is("old\n"));
    assert_true(nothing_is_left());
}

/* Who only reads ends nothing: what was being prepared is no business of his,
 * and an image that may be half written is not looked at. */
static void
test_readers_end_nothing(void **state)
{
    static const struct image_options read_only = { .read_only = true };
    struct image *image = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    die_at(TRANSACTION_PREPARING, "vm.xml");
    assert_int_equal(image_open(IMAGE, &read_only, &image, NULL), 0);
    image_close(v2v_steal(image));
    recovers(IMAGE_DISCARDED);

    die_at(TRANSACTION_COMMITTING, "vm.xml");
    assert_int_equal(image_open(IMAGE, &read_only, &image, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_string_equal(err.finding, "image-interrupted");
    recovers(IMAGE_FINISHED);
    assert_true(is_changed());
    assert_int_equal(image_open(IMAGE, &read_only, &image, NULL), 0);
    image_close(v2v_steal(image));
}

/* A full disk is a failure that leaves what finishes it; without the overlay
 * nobody can. */
static void
test_commit_that_failed(void **state)
{
    enum image_recovered what;
    struct v2v_error err = { 0 };

    (void)state;
    die_at(TRANSACTION_COMMITTING, NULL);
    assert_false(is_there(IMAGE ".v2v-rewind")); /* not for a qcow2 */
    assert_true(run("mv " IMAGE ".v2v-overlay away"));
    assert_int_equal(image_recover(IMAGE, NULL, &what, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_non_null(strstr(err.text, "is gone: the image may be half written"));
    assert_true(run("mv away " IMAGE ".v2v-overlay"));
    recovers(IMAGE_FINISHED);
    assert_true(is_changed());
}

/* Nor without the tables of those formats that need them. */
static void
test_commit_to_a_vdi_that_failed(void **state)
{
    enum image_recovered what;
    struct v2v_error err = { 0 };

    (void)state;
    assert_true(run("qemu-img convert -O vdi before " IMAGE));
    die_at(TRANSACTION_COMMITTING, NULL);
    assert_true(run("mv " IMAGE ".v2v-rewind away"));
    assert_int_equal(image_recover(IMAGE, NULL, &what, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_non_null(strstr(err.text, ".v2v-rewind is gone"));
    assert_true(run("mv away " IMAGE ".v2v-rewind"));
    recovers(IMAGE_FINISHED);
    assert_true(run("qemu-img check -q -f vdi " IMAGE));
}

/* Somebody has started the guest, or put a backup in its place. */
static void
test_no_second_commit_over_others(void **state)
{
    static const char *const writes_of_others[] = {
        "qemu-io -f qcow2 -c 'write -P 9 4M 512' " IMAGE,
        "qemu-io -f qcow2 -c 'write -P 9 8389632 512' " IMAGE,
        "qemu-img resize -q " IMAGE " +1M",
    };
    enum image_recovered what;
    struct v2v_error err = { 0 };

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(make_image(state), 0);
        die_at(TRANSACTION_COMMITTING, "vm.xml");
        assert_true(run(writes_of_others[i]));
        assert_true(run("cp " IMAGE " now"));
        assert_int_equal(image_recover(IMAGE, NULL, &what, &err), -1);
        assert_int_equal(err.code, V2V_ERR_GUEST);
        assert_non_null(strstr(err.text, "has been written by others since"));
        assert_true(run("cmp now " IMAGE));
        assert_true(xml_is("old\n"));
    }
    /* a backup of what it was is one of the two states that are expected */
    assert_true(run("cp before " IMAGE));
    recovers(IMAGE_FINISHED);
    assert_true(is_changed());
}

/* From "committed" on, the image may already be in use: it is not committed a
 * second time. */
static void
test_died_before_the_xml(void **state)
{
    (void)state;
    die_at(TRANSACTION_COMMITTED, "later/vm.xml");
    assert_true(is_changed());
    assert_true(run("qemu-io -f qcow2 -c 'write -P 5 100k 10k' " IMAGE
                    " && mkdir later"));
    recovers(IMAGE_FINISHED);
    assert_true(run("test \"$(cat later/vm.xml)\" = new"));
    assert_true(run("qemu-io -f qcow2 -r -c 'read -P 5 100k 10k' " IMAGE
                    " | grep -c failed | grep -qx 0"));
}

/* The state file goes last: the others may be gone already. */
static void
test_died_while_cleaning_up(void **state)
{
    (void)state;
    die_at(TRANSACTION_COMMITTED, "later/vm.xml");
    assert_true(run("rm " IMAGE ".v2v-overlay " IMAGE ".v2v-xml"));
    recovers(IMAGE_FINISHED);
    assert_true(is_changed());
    assert_false(is_there("later"));
}

static void
test_state_files_that_are_not_ours(void **state)
{
    V2V_AUTO(image) struct image *image = NULL;
    enum image_recovered what;
    struct v2v_error err = { 0 };

    (void)state;
    die_at(TRANSACTION_PREPARING, NULL);
    assert_true(run("mv " IMAGE " moved.qcow2 && "
                    "mv " IMAGE ".v2v-state moved.qcow2.v2v-state"));
    assert_int_equal(image_recover("moved.qcow2", NULL, &what, &err), -1);
    assert_int_equal(err.code, V2V_ERR_GUEST);
    assert_non_null(strstr(err.text, "was begun on "));
    assert_int_equal(image_open("moved.qcow2", NULL, &image, &err), -1);
    assert_true(is_there("moved.qcow2.v2v-state"));
    assert_true(is_there(IMAGE ".v2v-overlay"));

    assert_true(run("echo '{}' > moved.qcow2.v2v-state"));
    assert_int_equal(image_recover("moved.qcow2", NULL, &what, &err), -1);
    assert_non_null(strstr(err.text, "another version of this program"));
    if (geteuid() != 0)
        return;
    assert_true(run("chown 1 moved.qcow2.v2v-state"));
    assert_int_equal(geteuid(), 0);
    assert_int_equal(image_recover("moved.qcow2", NULL, &what, &err), -1);
    assert_non_null(strstr(err.text, "not written by this user"));
}

static void
test_output(void **state)
{
    const struct image_options options = { .output = "new.qcow2" };
    struct image_change change = a_change("vm.xml");
    struct image *image, *second = NULL;
    struct v2v_error err = { 0 };

    (void)state;
    assert_true(run("chmod 0444 " IMAGE));
    image = begin(&options);
    assert_int_equal(image_open(IMAGE, &options, &second, &err), -1);
    assert_int_equal(err.code, V2V_ERR_BUSY);
    if (image_commit(image, &change, &err) < 0)
        fail_msg("%s", err.text);
    image_close(image);
    assert_true(run("cmp before " IMAGE));
    assert_true(run("mv " IMAGE " source && mv new.qcow2 " IMAGE));
    assert_true(is_changed());
    assert_true(run("qemu-img info --output=json " IMAGE
                    " | jq -e '.\"backing-filename\" == null'"));
    assert_true(nothing_is_left());
    assert_int_equal(image_open("source",
                                &(struct image_options){ .output = IMAGE },
                                &second, &err),
                     -1);
    assert_int_equal(err.code, V2V_ERR_USAGE);
    assert_non_null(strstr(err.text, "exists already"));
}

/* What makes the output is not overwritten, nor is a source used whose own
 * commit was interrupted. */
static void
test_output_is_new(void **state)
{
    const struct image_options options = { .output = "new.qcow2" };
    struct image_change change = a_change(NULL);
    struct image *image = begin(&options);
    enum image_recovered what;
    struct v2v_error err = { 0 };

    (void)state;
    assert_true(run("echo precious > new.qcow2"));
    assert_int_equal(image_commit(image, &change, &err), -1);
    assert_non_null(strstr(err.text, "has appeared meanwhile"));
    image_close(image);
    assert_true(run("test $(cat new.qcow2) = precious && rm new.qcow2"));
    assert_int_equal(image_recover("new.qcow2", NULL, &what, &err), 0);
    assert_int_equal(what, IMAGE_FINISHED);
    assert_true(is_there("new.qcow2"));
    assert_true(nothing_is_left());

    die_at(TRANSACTION_COMMITTING, NULL);
    assert_true(run("rm new.qcow2"));
    assert_int_equal(image_open(IMAGE, &options, &image, &err), -1);
    assert_non_null(strstr(err.text, "was interrupted in the commit"));
    assert_false(is_there("new.qcow2.v2v-copy"));
}

/* QEMU can read it and not write it. */
static void
test_output_of_what_cannot_be_written(void **state)
{
    const struct image_options options = { .output = "new.qcow2" };
    struct image_change change = a_change(NULL);
    struct image *image;
    struct v2v_error err = { 0 };

    (void)state;
    assert_true(run("qemu-img convert -O vmdk -o subformat=streamOptimized "
                    "before " IMAGE));
    assert_int_equal(image_open(IMAGE, NULL, &image, &err), -1);
    assert_non_null(strstr(err.text, "--output NEW.qcow2 makes a copy"));
    image = begin(&options);
    if (image_commit(image, &change, &err) < 0)
        fail_msg("%s", err.text);
    image_close(image);
    assert_true(run("mv new.qcow2 " IMAGE));
    assert_true(is_changed());
}

static void
test_output_that_was_interrupted(void **state)
{
    const struct image_options options = { .output = "new.qcow2" };
    struct image *image = begin(&options);
    enum image_recovered what;

    (void)state;
    /* dies with the copy made and not named */
    assert_int_equal(transaction_enter(&image->t, TRANSACTION_COMMITTING, NULL),
                     0);
    image_close(image);
    assert_true(is_there("new.qcow2.v2v-copy"));
    assert_int_equal(image_recover("new.qcow2", NULL, &what, NULL), 0);
    assert_int_equal(what, IMAGE_FINISHED);
    assert_true(is_there("new.qcow2"));
    assert_true(nothing_is_left());

    assert_true(run("rm new.qcow2"));
    image = begin(&options);
    image->t.step = TRANSACTION_NONE; /* dies while preparing */
    close(image->locks[IMAGE_LOCK]);
    image->locks[IMAGE_LOCK] = -1;
    image_close(image);
    assert_int_equal(image_recover("new.qcow2", NULL, &what, NULL), 0);
    assert_int_equal(what, IMAGE_DISCARDED);
    assert_true(nothing_is_left());
}

#define ON_IMAGE(test) cmocka_unit_test_setup(test, make_image)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_IMAGE(test_change_and_undo),
        ON_IMAGE(test_the_undo_file_is_sparse),
        ON_IMAGE(test_several_changes_are_undone_one_by_one),
        ON_IMAGE(test_xml_that_was_not_there_goes_again),
        ON_IMAGE(test_edited_xml_is_left_alone),
        ON_IMAGE(test_no_undo_after_the_guest_ran),
        ON_IMAGE(test_xml_that_cannot_be_restored),
        ON_IMAGE(test_damaged_records),
        ON_IMAGE(test_died_while_preparing),
        ON_IMAGE(test_died_while_committing),
        ON_IMAGE(test_readers_end_nothing),
        ON_IMAGE(test_commit_that_failed),
        ON_IMAGE(test_commit_to_a_vdi_that_failed),
        ON_IMAGE(test_no_second_commit_over_others),
        ON_IMAGE(test_died_before_the_xml),
        ON_IMAGE(test_died_while_cleaning_up),
        ON_IMAGE(test_state_files_that_are_not_ours),
        ON_IMAGE(test_output),
        ON_IMAGE(test_output_is_new),
        ON_IMAGE(test_output_of_what_cannot_be_written),
        ON_IMAGE(test_output_that_was_interrupted),
    };

    return cmocka_run_group_tests(tests, make_own_tmp, remove_top);
}
