/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * ntfs-mutate VOLUME RUNS SEED WORK - damage the metadata of an NTFS volume in
 * RUNS ways, and each time read and write it as an injection does
 *
 * What is damaged are bytes that such work reads, on the undamaged volume, but
 * for the content of files.  Each run is a process of its own with limits, as
 * in the program: what libntfs-3g does to itself there is an error, never a
 * success.  A run that says it has succeeded must
 *   - hold what it has written, and
 *   - leave accounts (clusters in use, by files and by $Bitmap) that are no
 *     worse than before; ntfsresize says how they are.
 * VOLUME has what tests/ntfs/mutations.sh puts there.  WORK: a folder.
 * Prints the numbers; exit status 1 when a run has lied.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"
#include "ntfs/volume.h"

enum {
    SECTOR = 512,
    VOLUME_MAX = 64 << 20,
    MUTATIONS_MAX = 6,
    SECONDS_MAX = 5, /* of one run; it takes milliseconds */
    SAID_OK = 0,
    SAID_ERROR = 10, /* exit statuses of a run */
    HAS_LOST = 11    /* what it wrote is not there any more */
};

/* For a volume that ntfsresize does not understand. */
#define UNKNOWN 1000000L

/* ---- the disk: in memory, and what was read of it first ---- */

struct place {
    uint64_t offset;
    size_t len;
};

static struct {
    uint8_t *data;
    size_t len;
    bool tracing;
    struct place *reads; /* what was asked for, as often as it was */
    size_t read_count;
} disk;

static void
trace_read(uint64_t offset, size_t len)
{
    disk.reads =
        reallocarray(disk.reads, disk.read_count + 1, sizeof *disk.reads);
    if (disk.reads == NULL)
        abort();
    disk.reads[disk.read_count++] = (struct place){ offset, len };
}

static int
read_disk(void *opaque, uint64_t offset, void *buf, size_t len,
          struct v2v_error *err)
{
    (void)opaque;
    (void)err;
    memcpy(buf, disk.data + offset, len);
    if (disk.tracing)
        trace_read(offset, len);
    return 0;
}

static int
write_disk(void *opaque, uint64_t offset, const void *buf, size_t len,
           struct v2v_error *err)
{
    (void)opaque;
    (void)err;
    memcpy(disk.data + offset, buf, len);
    return 0;
}

static int
flush_disk(void *opaque, struct v2v_error *err)
{
    (void)opaque;
    (void)err;
    return 0;
}

/* ---- the work ---- */

static uint8_t content[70000], sd[256];
static size_t sd_len;

static int
check_content(struct ntfs_volume *volume, const char *path, size_t len,
              struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes got = { 0 };

    if (ntfs_read(volume, path, 0, sizeof content, &got, err) < 0)
        return -1;
    return got.len == len && memcmp(got.data, content, len) == 0
               ? 0
               : v2v_fail(err, V2V_ERR_INTERNAL, "%s: not as written", path);
}

/* Look for each name of a path as guest/path.c does. */
static int
resolve(struct ntfs_volume *volume, const char *const *names,
        struct v2v_error *err)
{
    V2V_AUTO(mem) char *path = v2v_strdup("/", err);

    for (; path != NULL && *names != NULL; names++) {
        V2V_AUTO(mem) char *name = NULL;
        struct ntfs_entry entry;
        char *next;

        if (ntfs_lookup(volume, path, *names, &name, &entry, err) < 0)
            return -1;
        if (!entry.exists || entry.reparse)
            return v2v_fail(err, V2V_ERR_NOT_FOUND, "%s", *names);
        next = v2v_format(err, "%s/%s", path[1] == '\0' ? "" : path, name);
        free(path);
        path = next;
    }
    return path == NULL ? -1 : 0;
}

#define DRIVERS "/Windows/System32/drivers/"
#define HIVE "/Windows/System32/config/SYSTEM"

static int
read_some(struct ntfs_volume *volume, struct v2v_error *err)
{
    static const char *const hive[] = { "windows", "system32", "config",
                                        "system", NULL };
    static const char *const driver[] = { "windows", "system32", "drivers",
                                          "driver-with-a-long-name-40.sys",
                                          NULL };
    V2V_AUTO(bytes) struct v2v_bytes bytes = { 0 };
    V2V_AUTO(bytes) struct v2v_bytes own = { 0 };
    V2V_AUTO(strings) struct v2v_strings names = { 0 };
    uint64_t free;

    return resolve(volume, hive, err) < 0 || resolve(volume, driver, err) < 0 ||
                   ntfs_list(volume, "/Windows/System32/drivers", 1000, &names,
                             err) < 0 ||
                   ntfs_read(volume, HIVE, 0, 1 << 20, &bytes, err) < 0 ||
                   ntfs_descriptor(volume, "/Windows/System32/drivers", &own,
                                   err) < 0 ||
                   ntfs_free_space(volume, &free, err) < 0
               ? -1
               : 0;
}

static int
make(struct ntfs_volume *volume, const char *path, size_t len,
     struct v2v_error *err)
{
    return ntfs_make(volume, path, false, content, len, sd, sd_len, err);
}

static int
write_some(struct ntfs_volume *volume, struct v2v_error *err)
{
    return ntfs_make(volume, DRIVERS "new", true, NULL, 0, sd, sd_len, err) <
                       0 ||
                   make(volume, DRIVERS "viostor.sys", 50000, err) < 0 ||
                   make(volume, DRIVERS "new/netkvm.sys", 60000, err) < 0 ||
                   make(volume, DRIVERS "new/small.inf", 300, err) < 0 ||
                   make(volume, DRIVERS "driver-with-a-long-name-7.sys", 9000,
                        err) < 0 ||
                   ntfs_write_at(volume, HIVE, content, 65000, 0, err) < 0 ||
                   ntfs_truncate(volume, HIVE, 65000, err) < 0
               ? -1
               : 0;
}

static int
check_written(struct ntfs_volume *volume, struct v2v_error *err)
{
    return check_content(volume, HIVE, 65000, err) < 0 ||
                   check_content(volume, DRIVERS "viostor.sys", 50000, err) <
                       0 ||
                   check_content(volume, DRIVERS "new/small.inf", 300, err) < 0
               ? -1
               : 0;
}

static int
mount_disk(bool write, struct ntfs_volume **ret, struct v2v_error *err)
{
    const struct ntfs_disk interface = { .size = disk.len,
                                         .sector_size = SECTOR,
                                         .read = read_disk,
                                         .write = write_disk,
                                         .flush = flush_disk };

    return ntfs_mount_at(&interface, 0, disk.len, write, ret, err);
}

/* As the program does: what was written is read back before it counts; the
 * unmount sees whether it can be mounted again. */
static int
work(struct v2v_error *err)
{
    V2V_AUTO(ntfs_volume) struct ntfs_volume *volume = NULL;

    if (mount_disk(true, &volume, err) < 0 || read_some(volume, err) < 0 ||
        write_some(volume, err) < 0 || check_written(volume, err) < 0)
        return -1;
    return ntfs_unmount(v2v_steal(volume), err);
}

static int
look_again(struct v2v_error *err)
{
    V2V_AUTO(ntfs_volume) struct ntfs_volume *volume = NULL;

    if (mount_disk(false, &volume, err) < 0 || read_some(volume, err) < 0 ||
        check_written(volume, err) < 0)
        return -1;
    return ntfs_unmount(v2v_steal(volume), err);
}

/* ---- mutations ---- */

static uint64_t state;

static uint64_t
below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

struct mutation {
    size_t at;
    uint8_t old, new;
};

static uint8_t
mutated(uint8_t old)
{
    static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff };

    switch (below(4)) {
    case 0:
        return (uint8_t)(old ^ 1U << below(8));
    case 1:
        return (uint8_t)(old + (below(2) != 0 ? 1 : -1));
    case 2:
        return telling[below(sizeof telling)];
    default:
        return (uint8_t)below(256);
    }
}

/* One of the requests, so that what is long, as the table of upper-case
 * letters, counts for no more than what is short and asked for often.  Most of
 * the bytes are zero: mostly one is sought that is not. */
static size_t
choose_place(void)
{
    struct place read = disk.reads[below(disk.read_count)];
    size_t at = read.offset + below(read.len);

    for (int tries = 0; tries < 40 && below(16) != 0 && disk.data[at] == 0;
         tries++)
        at = read.offset + below(read.len);
    return at;
}

/* The mirror of the first four records of the MFT must agree with them, or
 * nothing is mounted. */
static size_t
mirror_of(size_t at)
{
    size_t cluster = (size_t)disk.data[13] * SECTOR;
    size_t mft = (size_t)v2v_get_le(disk.data + 48, 8) * cluster;
    size_t mirror = (size_t)v2v_get_le(disk.data + 56, 8) * cluster;

    return at >= mft && at < mft + 4096 && mirror < disk.len - 4096
               ? at - mft + mirror
               : at;
}

static size_t
mutate(struct mutation *ret)
{
    size_t count = 1 + below(MUTATIONS_MAX);

    if (below(2) == 0)
        count = 1;
    for (size_t i = 0; i < count; i++) {
        size_t at = choose_place();
        size_t twin = mirror_of(at);

        ret[i] = (struct mutation){ at, disk.data[at], mutated(disk.data[at]) };
        disk.data[at] = disk.data[twin] = ret[i].new;
    }
    return count;
}

/* ---- what is said of a volume ---- */

static const char *folder;

static int
save(const char *name)
{
    V2V_AUTO(mem) char *path = v2v_format(NULL, "%s/%s", folder, name);
    V2V_AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    return v2v_fd_write(fd, disk.data, disk.len);
}

/* How many clusters are wrong in the accounts. */
static long
wrong_clusters(const char *name)
{
    V2V_AUTO(mem)
    char *line = v2v_format(
        NULL,
        "cd '%s' && PATH=$PATH:/sbin:/usr/sbin; "
        "if timeout 20 ntfsresize -i -f %s >%s.log 2>&1; then echo 0; else "
        "awk '/Totally [0-9]+ cluster/ { n += $(NF - 3) } "
        "/[0-9]+ clusters are referenced/ { n += $(NF - 5) } "
        "END { print n ? n : %ld }' %s.log; fi",
        folder, name, name, UNKNOWN, name);
    FILE *pipe = popen(line, "r");
    long wrong;

    if (pipe == NULL || fscanf(pipe, "%ld", &wrong) != 1) {
        perror("ntfsresize");
        exit(2);
    }
    pclose(pipe);
    return wrong;
}

/* ---- runs ---- */

enum outcome { OK, ERROR, CRASHED, HUNG, LOST, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = { "ok", "error", "crashed",
                                                     "hung", "lost" };

static void __attribute__((noreturn)) run_child(void)
{
    const struct rlimit cpu = { SECONDS_MAX, SECONDS_MAX };
    const struct rlimit core = { 0, 0 };
    struct v2v_error err = { 0 };
    int result;

    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    alarm(2 * SECONDS_MAX);
    result = work(&err);
    if (result == 0 && save("after") < 0)
        abort();
    _exit(result < 0 ? SAID_ERROR : look_again(&err) == 0 ? SAID_OK : HAS_LOST);
}

static enum outcome
run(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        run_child();
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("fork");
        exit(2);
    }
    if (!WIFEXITED(status))
        return WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU ||
                       WTERMSIG(status) == SIGKILL
                   ? HUNG
                   : CRASHED;
    switch (WEXITSTATUS(status)) {
    case SAID_OK:
        return OK;
    case SAID_ERROR:
        return ERROR;
    case HAS_LOST:
        return LOST;
    default:
        return CRASHED;
    }
}

static struct {
    long outcomes[OUTCOMES], damaged, unknown, worse;
} numbers;

static void
report(long number, const char *what, const struct mutation *m, size_t count)
{
    printf("run %ld: %s:", number, what);
    for (size_t i = 0; i < count; i++)
        printf(" %zu:%02x->%02x", m[i].at, m[i].old, m[i].new);
    printf("\n");
}

/* Accounts that were wrong before may stay wrong. */
static void
judge(long number, const struct mutation *m, size_t count)
{
    long before, after = wrong_clusters("after");
    char what[80];

    if (after == 0)
        return;
    if (save("before") < 0)
        exit(2);
    before = wrong_clusters("before");
    numbers.damaged += before > 0 && before < UNKNOWN;
    numbers.unknown += before == UNKNOWN;
    if (after <= before)
        return;
    numbers.worse++;
    snprintf(what, sizeof what, "%ld clusters wrong, before %ld", after,
             before);
    report(number, what, m, count);
}

static void
run_all(const uint8_t *base, long runs, uint64_t seed)
{
    struct mutation mutations[MUTATIONS_MAX];

    for (long i = 0; i < runs; i++) {
        enum outcome outcome;
        size_t n;

        memcpy(disk.data, base, disk.len);
        state = (seed + (uint64_t)i) * UINT64_C(0x9E3779B97F4A7C15) + 1;
        n = mutate(mutations);
        outcome = run();
        numbers.outcomes[outcome]++;
        if (outcome == OK)
            judge(i, mutations, n);
        else if (outcome != ERROR)
            report(i, outcome_names[outcome], mutations, n);
    }
}

static void
or_die(int result, const struct v2v_error *err)
{
    if (result >= 0)
        return;
    fprintf(stderr, "ntfs-mutate: the undamaged volume: %s\n", err->text);
    exit(2);
}

/* Of a file that is there, for those to be made. */
static void
get_descriptor(void)
{
    V2V_AUTO(bytes) struct v2v_bytes own = { 0 };
    V2V_AUTO(ntfs_volume) struct ntfs_volume *volume = NULL;
    struct v2v_error err = { 0 };

    or_die(mount_disk(false, &volume, &err), &err);
    or_die(ntfs_descriptor(volume, HIVE, &own, &err), &err);
    sd_len = own.len < sizeof sd ? own.len : sizeof sd;
    memcpy(sd, own.data, sd_len);
}

/* What the work reads. */
static void
trace(void)
{
    struct v2v_error err = { 0 };

    disk.tracing = true;
    or_die(work(&err), &err);
    disk.tracing = false;
}

int
main(int argc, char **argv)
{
    V2V_AUTO(bytes) struct v2v_bytes base = { 0 };
    struct v2v_error err = { 0 };

    if (argc != 5 || v2v_file_read(argv[1], VOLUME_MAX, &base, &err) < 0) {
        fprintf(stderr, "usage: ntfs-mutate VOLUME RUNS SEED WORK\n%s\n",
                err.text);
        return 2;
    }
    folder = argv[4];
    disk.len = base.len;
    disk.data = malloc(base.len);
    if (disk.data == NULL)
        return 2;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7 + i / 251);
    memcpy(disk.data, base.data, base.len);
    get_descriptor();
    trace();
    run_all(base.data, atol(argv[2]), strtoull(argv[3], NULL, 10));
    printf("%zu reads", disk.read_count);
    for (int i = 0; i < OUTCOMES; i++)
        printf(", %s %ld", outcome_names[i], numbers.outcomes[i]);
    printf("; of those ok: accounts wrong before %ld, unknown %ld, worse "
           "after %ld\n",
           numbers.damaged, numbers.unknown, numbers.worse);
    free(disk.data);
    free(disk.reads);
    return numbers.worse + numbers.outcomes[LOST] > 0;
}
