/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/appliance.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "guest/kvm.h"
#include "image/nbd.h"

static bool trace;

void
guest_set_trace(bool on)
{
    trace = on;
}

/* Messages are of several lines, or of parts of one; the log wants lines. */
static void
trace_lines(const char *buf, size_t len)
{
    while (len > 0) {
        const char *end = memchr(buf, '\n', len);
        size_t n = end != NULL ? (size_t)(end - buf) : len;

        if (n > 0)
            v2v_trace("guest", "%.*s", n > 1000 ? 1000 : (int)n, buf);
        n += end != NULL;
        buf += n;
        len -= n;
    }
}

/* @name: of the function, without "guestfs_" */
static void
count_call(struct guest_use *use, const char *name)
{
    if (use == NULL)
        return;
    use->calls++;
    use->launches += strcmp(name, "launch") == 0;
}

static void
on_event(guestfs_h *g, void *opaque, uint64_t event, int handle, int flags,
         const char *buf, size_t len, const uint64_t *array, size_t array_len)
{
    (void)g;
    (void)handle;
    (void)flags;
    /* array: procedure, serial, position, total (man guestfs) */
    if (event == GUESTFS_EVENT_PROGRESS && array_len >= 4)
        v2v_progress("guest", array[2], array[3]);
    else if (event == GUESTFS_EVENT_ENTER)
        count_call(opaque, buf);
    else if (event != GUESTFS_EVENT_PROGRESS)
        trace_lines(buf, len);
}

static int
watch_events(const struct appliance *appliance, struct guest_use *use)
{
    uint64_t events = GUESTFS_EVENT_PROGRESS | GUESTFS_EVENT_ENTER;

    if (trace) {
        events |= GUESTFS_EVENT_APPLIANCE | GUESTFS_EVENT_LIBRARY |
                  GUESTFS_EVENT_WARNING | GUESTFS_EVENT_TRACE;
        if (guestfs_set_trace(appliance->g, 1) < 0 ||
            guestfs_set_verbose(appliance->g, 1) < 0)
            return -1;
    }
    return guestfs_set_event_callback(appliance->g, on_event, events, 0, use) <
                   0
               ? -1
               : 0;
}

/* libguestfs speaks in paragraphs, and adds advice that is not ours. */
static void
one_line(const char *text, char *ret, size_t ret_len)
{
    const char *advice = strstr(text, "\nTo see full error messages");
    size_t len = advice != NULL ? (size_t)(advice - text) : strlen(text);

    while (len > 0 && strchr(".\n", text[len - 1]) != NULL)
        len--;
    snprintf(ret, ret_len, "%.*s", len < ret_len ? (int)len : (int)ret_len,
             text);
    v2v_replace_char(ret, '\n', ' ');
}

int
appliance_fail(const struct appliance *appliance, struct v2v_error *err)
{
    const char *text = guestfs_last_error(appliance->g);
    enum v2v_error_code code = guestfs_last_errno(appliance->g) == ENOSPC
                                   ? V2V_ERR_GUEST
                                   : V2V_ERR_INTERNAL;
    char reason[1024];

    one_line(text != NULL ? text : "libguestfs gave no reason", reason,
             sizeof reason);
    return v2v_fail(err, code, "%s", reason);
}

int
appliance_fail_in(const struct appliance *appliance, struct v2v_error *err,
                  const char *fmt, ...)
{
    char context[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(context, sizeof context, fmt, ap);
    va_end(ap);
    appliance_fail(appliance, err);
    return v2v_fail_in(err, "%s", context);
}

/* Why libguestfs' own "appliance" could not be made is in its debug output
 * only; these are the cases that users meet. */
static const char *
launch_hint(void)
{
    glob_t kernels = { 0 };
    const char *hint = "libguestfs-test-tool shows more";

    if (getenv("LIBGUESTFS_PATH") != NULL)
        return "see LIBGUESTFS_PATH; libguestfs-test-tool shows more";
    if (access("/usr/bin/supermin", X_OK) < 0)
        hint = "supermin is missing: install package supermin";
    else if (glob("/boot/vmlinu*", 0, NULL, &kernels) != 0)
        hint = "no kernel in /boot for the appliance: install a kernel "
               "package, as linux-image-amd64";
    else if (access(kernels.gl_pathv[0], R_OK) < 0)
        hint = "the kernel in /boot is not readable for this user: chmod +r "
               "/boot/vmlinuz-*";
    globfree(&kernels);
    return hint;
}

/* What is no disk image is found to be none by whoever asks what is on it. */
static int
probe(const struct disk_reader *reader, struct appliance_disk *ret,
      struct v2v_error *err)
{
    V2V_AUTO(disk_layout) struct disk_layout layout = { 0 };
    struct v2v_error why = { 0 };

    if (disk_probe(reader, &layout, &why) < 0 && why.code != V2V_ERR_FORMAT)
        return v2v_fail(err, why.code, "%s", why.text);
    ret->sector_size = layout.sector_size == 4096 ? 4096 : 512;
    ret->size = reader->size;
    return 0;
}

/* Linux finds the partitions of a disk only if it has sectors as large as its
 * table counts in. */
static int
measure_disk(const struct guest_disk_source *disk, struct appliance_disk *ret,
             struct v2v_error *err)
{
    V2V_AUTO(nbd_disk) struct nbd_disk *nbd = NULL;
    struct disk_reader reader;

    if (nbd_disk_open(disk->image, disk->format, NBD_READ_ONLY, disk->files,
                      &nbd, err) < 0)
        return -1;
    reader = nbd_disk_reader(nbd);
    if (probe(&reader, ret, err) < 0)
        return -1;
    /* the appliance takes a tenth of a second for each piece where it is
     * emulated */
    if (disk->read_only)
        ret->beside = v2v_steal(nbd);
    return 0;
}

/* cachemode "unsafe" ignores the guest's flushes.  The overlay is thrown away
 * unless all of the run succeeded; QEMU writes everything into the host's page
 * cache when it stops, where the commit on the same host reads it; and the
 * commit flushes the overlay first. */
static int
add_disk(const struct appliance *appliance,
         const struct guest_disk_source *disk, unsigned blocksize)
{
    return guestfs_add_drive_opts(
        appliance->g, disk->image, GUESTFS_ADD_DRIVE_OPTS_FORMAT, disk->format,
        GUESTFS_ADD_DRIVE_OPTS_READONLY, (int)disk->read_only,
        GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, "unsafe",
        GUESTFS_ADD_DRIVE_OPTS_BLOCKSIZE, (int)blocksize, -1);
}

/* As libguestfs calls disks in the order in which they were added, whatever
 * the appliance's kernel does (man guestfs, "BLOCK DEVICE NAMING"): from
 * /dev/sda to /dev/sdz, then /dev/sdaa. */
static int
list_disks(struct appliance *appliance, const struct guest_machine *machine,
           struct v2v_error *err)
{
    const size_t letters = 'z' - 'a' + 1;
    size_t count = machine->count;

    appliance->disks = calloc(count, sizeof *appliance->disks);
    if (appliance->disks == NULL)
        return v2v_fail_errno(err, errno, "list of disks");
    appliance->disk_count = count;
    for (size_t i = 0; i < count; i++) {
        struct appliance_disk *disk = &appliance->disks[i];
        const char first[] = { (char)('a' + i / letters - 1), '\0' };

        disk->appliance = appliance;
        snprintf(disk->name, sizeof disk->name, "/dev/sd%s%c",
                 i < letters ? "" : first, (char)('a' + i % letters));
        if (measure_disk(&machine->disks[i], disk, err) < 0)
            return -1;
    }
    return 0;
}

/* A variable of the environment that is another for a while. */
struct variable {
    const char *name;
    char *old; /* NULL: it was not there */
};

static struct variable
begin_variable(const char *name, const char *value)
{
    const char *now = getenv(name);
    struct variable variable = { name, now != NULL ? strdup(now) : NULL };

    setenv(name, value, 1);
    return variable;
}

static void
end_variable(struct variable *variable)
{
    if (variable->old != NULL)
        setenv(variable->name, variable->old, 1);
    else
        unsetenv(variable->name);
    free(variable->old);
}

/* Its sockets go where XDG_RUNTIME_DIR says when it is created (man guestfs,
 * guestfs_get_sockdir()); there is no function to set that. */
static guestfs_h *
create(const char *scratch)
{
    struct variable sockets = begin_variable("XDG_RUNTIME_DIR", scratch);
    guestfs_h *g = guestfs_create();

    end_variable(&sockets);
    return g;
}

/* QEMU has a file in TMPDIR for what is written to a drive that is only read
 * (-drive snapshot=on), and deletes its name at once: but if it is killed just
 * then, it stays. */
static int
boot(guestfs_h *g, const char *scratch)
{
    struct variable files = begin_variable("TMPDIR", scratch);
    int result = guestfs_launch(g);

    end_variable(&files);
    return result;
}

/* Megabytes.  libguestfs' own 1280 are for what we do not ask for: file systems
 * that are checked, keys that are derived.  256, its least, were enough for a
 * guest with a SOFTWARE hive of 200 MB (Debian 12); what there is more, Linux
 * fills with pages that are read once, and QEMU grows with it. */
enum { MEMORY = 512 };

/* What the environment says is taken by guestfs_create() (man guestfs). */
static int
set_memory(guestfs_h *g, unsigned memsize)
{
    if (memsize == 0 && getenv("LIBGUESTFS_MEMSIZE") != NULL)
        return 0;
    return guestfs_set_memsize(g, memsize > 0 ? (int)memsize : MEMORY);
}

static int
configure(const struct appliance *appliance,
          const struct guest_machine *machine, bool force_tcg)
{
    const struct appliance_disk *disks = appliance->disks;

    if (watch_events(appliance, machine->use) < 0 ||
        guestfs_set_network(appliance->g, 0) < 0 ||
        set_memory(appliance->g, machine->memsize) < 0 ||
        guestfs_set_tmpdir(appliance->g, machine->scratch) < 0)
        return -1;
    if (force_tcg &&
        guestfs_set_backend_setting(appliance->g, "force_tcg", "1") < 0)
        return -1;
    if (machine->smp > 0 &&
        guestfs_set_smp(appliance->g, (int)machine->smp) < 0)
        return -1;
    for (size_t i = 0; i < machine->count; i++)
        if (add_disk(appliance, &machine->disks[i], disks[i].sector_size) < 0)
            return -1;
    return 0;
}

static int
launch(struct appliance *appliance, const struct guest_machine *machine,
       bool force_tcg, struct v2v_error *err)
{
    appliance->g = create(machine->scratch);
    if (appliance->g == NULL)
        return v2v_fail_errno(err, errno, "libguestfs");
    guestfs_set_error_handler(appliance->g, NULL, NULL);
    if (list_disks(appliance, machine, err) < 0)
        return -1;
    if (configure(appliance, machine, force_tcg) < 0)
        return appliance_fail_in(appliance, err, "libguestfs");
    if (boot(appliance->g, machine->scratch) < 0)
        return appliance_fail_in(appliance, err,
                                 "cannot start libguestfs' appliance (%s)",
                                 launch_hint());
    return 0;
}

static int
start(const struct guest_machine *machine, bool force_tcg, struct guest **ret,
      struct v2v_error *err)
{
    struct appliance *appliance = calloc(1, sizeof *appliance);

    if (appliance == NULL)
        return v2v_fail_errno(err, errno, "guest");
    if (launch(appliance, machine, force_tcg, err) < 0) {
        appliance_abandon(appliance);
        return -1;
    }
    return guest_new(&appliance_backend, appliance, (unsigned)machine->count,
                     ret, err);
}

/* The user's own choice in the environment (man guestfs, "BACKEND SETTINGS").
 */
static bool
accelerator_is_chosen(void)
{
    const char *settings = getenv("LIBGUESTFS_BACKEND_SETTINGS");

    return settings != NULL && (strstr(settings, "force_tcg") != NULL ||
                                strstr(settings, "force_kvm") != NULL);
}

static void
warn_about_kvm(enum kvm_state state, const char *why)
{
    if (state == KVM_ABSENT)
        v2v_warn("guest", "kvm-absent",
                 "no KVM (%s): the appliance is emulated, which is slow", why);
    else
        v2v_warn("guest", "kvm-broken",
                 "KVM does not work (%s): the appliance is emulated, which is "
                 "slow",
                 why);
}

static int
open_any_way(const struct guest_machine *machine, struct guest **ret,
             struct v2v_error *err)
{
    struct v2v_error first = { 0 };
    enum kvm_state state;
    char why[256] = "";

    if (accelerator_is_chosen())
        return start(machine, false, ret, err);
    state = kvm_probe(why, sizeof why);
    if (state == KVM_USABLE) {
        if (start(machine, false, ret, &first) == 0)
            return 0;
        /* QEMU may still have died of something that the probe did not see;
         * it is KVM's fault only if it goes without */
        if (start(machine, true, ret, err) < 0)
            return -1;
        warn_about_kvm(KVM_BROKEN, first.text);
        return 0;
    }
    warn_about_kvm(state, why);
    return start(machine, true, ret, err);
}

void
appliance_abandon(void *state)
{
    struct appliance *appliance = state;

    if (appliance->g != NULL)
        guestfs_close(appliance->g);
    for (size_t i = 0; i < appliance->disk_count; i++)
        nbd_disk_abandon(appliance->disks[i].beside);
    appliance_forget_volumes(appliance);
    free(appliance->disks);
    free(appliance);
}

/* It flushes the disks, and says whether that worked (man guestfs,
 * guestfs_set_autosync(), which is on). */
int
appliance_close(void *state, struct v2v_error *err)
{
    const struct appliance *appliance = state;

    if (appliance_lock_all(appliance, err) < 0)
        return -1;
    if (guestfs_shutdown(appliance->g) < 0)
        return appliance_fail_in(appliance, err,
                                 "flushing the guest's disks and stopping the "
                                 "appliance");
    return 0;
}

int
appliance_open(const struct guest_machine *machine, struct guest **ret,
               struct v2v_error *err)
{
    if (machine->count > GUEST_DISKS_MAX)
        return v2v_fail(err, V2V_ERR_USAGE,
                        "%zu disks are more than the %d that the appliance "
                        "takes",
                        machine->count, GUEST_DISKS_MAX);
    return open_any_way(machine, ret, err);
}
