/* SPDX-License-Identifier: GPL-2.0-or-later */
/**
 * cli/progress.h - one line at the foot of a terminal: what is being done
 *
 *     [  12.3] Committing to vm.qcow2 [########            ]  40%
 *
 * The worker says what it does; who waits for it draws, since the worker may be
 * in a call of a library for half a minute.  Where no total is known the line
 * has a spinner.  It is on standard error and exists only while the program
 * works.  Whoever prints lines holds the line back meanwhile.
 *
 * Unless progress_open() said that there is a terminal, nothing happens here.
 */
#ifndef V2V_CLI_PROGRESS_H
#define V2V_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Between two drawings. */
enum { PROGRESS_MS = 100 };

/* Before the worker is started.  Nothing is drawn unless standard error is a
 * terminal that knows how to erase a line (TERM is not "dumb"). */
void progress_open(void);
bool progress_is_open(void);

/* Of the worker: another step, and how far it is; @total 0: not known. */
void progress_step(const char *text);
void progress_set(uint64_t done, uint64_t total);

/* The work is done: nothing is drawn until there is another step. */
void progress_end(void);

/* Around whatever goes to the terminal: erases the line and keeps it away. */
void progress_hold(void);
void progress_release(void);

/* Of who waits: draw; and when there is no worker any more. */
void progress_draw(void);
void progress_close(void);

#endif
