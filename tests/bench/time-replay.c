/* SPDX-License-Identifier: GPL-2.0-or-later */
/* time-replay RUNS HIVE LOG1 LOG2: how long reg_replay_logs() takes, which
 * copies the hive, checks the hashes and applies the entries.  The files are in
 * memory before; each run ends with its result freed. */
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "registry/log.h"

static const size_t largest = 512 << 20;

static double
milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int
one_run(const struct v2v_bytes *hive, const struct reg_log logs[2], double *ret,
        struct reg_replayed *replayed, struct v2v_error *err)
{
    double start = milliseconds();

    if (reg_replay_logs(hive->data, hive->len, logs, replayed, err) < 0)
        return -1;
    v2v_bytes_done(&replayed->hive);
    *ret = milliseconds() - start;
    if (replayed->result != REG_REPLAY_DONE)
        return v2v_fail(err, V2V_ERR_USAGE, "nothing to replay");
    return 0;
}

static int
measure(size_t runs, char **paths, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes hive = { 0 }, log1 = { 0 }, log2 = { 0 };
    V2V_AUTO(mem) double *times = calloc(runs, sizeof *times);
    struct reg_replayed replayed = { 0 };

    if (times == NULL || v2v_file_read(paths[0], largest, &hive, err) < 0 ||
        v2v_file_read(paths[1], largest, &log1, err) < 0 ||
        v2v_file_read(paths[2], largest, &log2, err) < 0)
        return -1;

    const struct reg_log logs[2] = { { log1.data, log1.len },
                                     { log2.data, log2.len } };

    for (size_t i = 0; i < runs; i++)
        if (one_run(&hive, logs, &times[i], &replayed, err) < 0)
            return -1;
    qsort(times, runs, sizeof *times, ascending);
    printf("%zu bytes of hive, %zu and %zu of logs, %u entries, %zu runs: "
           "median %.1f ms, least %.1f ms, most %.1f ms\n",
           hive.len, log1.len, log2.len, replayed.entries, runs,
           times[runs / 2], times[0], times[runs - 1]);
    return 0;
}

int
main(int argc, char **argv)
{
    struct v2v_error err = { 0 };
    unsigned long runs = argc == 5 ? strtoul(argv[1], NULL, 10) : 0;

    if (runs == 0 || runs > 1000000) {
        fprintf(stderr, "usage: %s RUNS HIVE LOG1 LOG2\n", argv[0]);
        return 2;
    }
    if (measure(runs, argv + 2, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return 0;
}
