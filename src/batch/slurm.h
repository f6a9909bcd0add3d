/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * batch/slurm.h - a queue that Slurm keeps, by its own commands
 *
 * sbatch, squeue and scontrol, as any user may call them; libslurm's ABI
 * changes with each release.  What of the cluster is not set up, nothing here
 * needs: no accounting, no RequeueExit, no licences.
 *
 * Source: sbatch(1), squeue(1), scontrol(1), slurm.conf(5); Slurm 22.05.
 */
#ifndef V2V_BATCH_SLURM_H
#define V2V_BATCH_SLURM_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

/* ---- Who submits ---- */

/* The largest index of a task of an array: MaxArraySize - 1.  V2V_ERR_USAGE:
 * there is no Slurm here, or nobody answers. */
int slurm_max_index(size_t *ret, struct v2v_error *err);

/* Jobs of that name that wait or run: new, "12 13"; "" for none. */
char *slurm_find_jobs(const char *name, struct v2v_error *err);

/* "1-7,9" of numbers that rise, each less @offset; a new string. */
char *slurm_indexes(const size_t *lines, size_t count, size_t offset,
                    struct v2v_error *err);

/**
 * slurm_script() - what a job runs: one command
 * @words: quoted for a shell, whatever they are
 * @line:  not NULL: what follows "--line=", not quoted, since the shell is to
 *         work it out
 *
 * A new string.  A word never starts a line that sbatch could take for a
 * directive: it reads none behind the first command.
 */
char *slurm_script(const struct v2v_strings *words, const char *line,
                   struct v2v_error *err);

/* @options: of sbatch.  @ret: new, the job's number.  V2V_ERR_USAGE: sbatch
 * does not want it; the text is what it says. */
int slurm_submit(const struct v2v_strings *options, const char *script,
                 char **ret, struct v2v_error *err);

/* ---- A task ---- */

struct slurm_task {
    const char *job;     /* SLURM_JOB_ID; NULL: this is none */
    unsigned restarts;   /* how often it was queued again */
    unsigned memory_mib; /* that was asked for it; 0: nobody says */
};

/* Out of the environment, where the texts stay. */
void slurm_read_task(struct slurm_task *ret);

/**
 * slurm_requeue() - this task once more, later
 * @memory_mib: that it then gets, at least
 * @pause:      seconds; at least SLURM_PAUSE_MIN is made of it
 *
 * Slurm ends this process soon afterwards.  Left alone, it would start such a
 * task after two minutes.
 */
enum { SLURM_PAUSE_MIN = 5 };
int slurm_requeue(const struct slurm_task *task, unsigned memory_mib,
                  unsigned pause, struct v2v_error *err);

#endif
