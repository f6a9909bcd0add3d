/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that count descriptors and watch processes end. */
#ifndef V2V_TEST_PROCESSES_H
#define V2V_TEST_PROCESSES_H

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int
open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* A zombie runs no more: nobody may be there to wait for an orphan. */
static inline bool
is_running(pid_t pid)
{
    char name[64], line[512] = "";
    const char *state;
    FILE *f;

    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    f = fopen(name, "r");
    if (f == NULL)
        return false;
    if (fgets(line, sizeof line, f) == NULL)
        line[0] = '\0';
    fclose(f);
    state = strrchr(line, ')'); /* "42 (name) S ..." */
    return state != NULL && state[2] != 'Z' && state[2] != 'X';
}

/* Within two seconds. */
static inline bool
ends_soon(pid_t pid)
{
    for (int i = 0; i < 200 && is_running(pid); i++)
        usleep(10000);
    return !is_running(pid);
}

/* Calls @start, which starts a process, in another process, and kills that
 * one with SIGKILL.  Returns the pid that @start returned. */
static inline pid_t
pid_of_an_orphan(pid_t (*start)(void))
{
    int ends[2];
    pid_t parent, pid = -1;

    assert_int_equal(pipe(ends), 0);
    parent = fork();
    if (parent == 0) {
        pid = start();
        if (write(ends[1], &pid, sizeof pid) == sizeof pid)
            pause();
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    close(ends[0]);
    assert_true(pid > 0);
    assert_true(is_running(pid));
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    return pid;
}

#endif
