/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/shared.h"

enum { BAR_MAX = 40, BAR_MIN = 8, NARROW = 20, WIDE = 512, BESIDE_BAR = 8 };

/* Seen by both processes; the mutex is robust: its holder may be killed. */
static struct progress {
    pthread_mutex_t mutex;
    int64_t start; /* v2v_milliseconds() */
    char text[256];
    uint64_t done, total;
    unsigned drawn; /* how often: turns the spinner */
    bool is_shown;
} * progress;

static bool
is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term != NULL && *term != '\0' &&
           strcmp(term, "dumb") != 0;
}

static int
make_mutex(pthread_mutex_t *ret)
{
    pthread_mutexattr_t attributes;

    if (pthread_mutexattr_init(&attributes) != 0 ||
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) !=
            0 ||
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) != 0)
        return -1;
    return pthread_mutex_init(ret, &attributes) == 0 ? 0 : -1;
}

void
progress_open(void)
{
    if (!is_terminal())
        return;
    progress = shared_new(sizeof *progress);
    if (progress == NULL)
        return;
    progress->start = v2v_milliseconds();
    if (make_mutex(&progress->mutex) < 0)
        progress = NULL;
}

bool
progress_is_open(void)
{
    return progress != NULL;
}

static void
lock(void)
{
    if (pthread_mutex_lock(&progress->mutex) == EOWNERDEAD)
        pthread_mutex_consistent(&progress->mutex);
}

static void
unlock(void)
{
    pthread_mutex_unlock(&progress->mutex);
}

static void
put(const char *text)
{
    /* of a terminal that has gone nobody needs to hear */
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/* Carriage return; CSI K, erase to the end of the line (ECMA-48). */
static void
erase(void)
{
    if (progress->is_shown)
        put("\r\033[K");
    progress->is_shown = false;
}

void
progress_hold(void)
{
    if (progress == NULL)
        return;
    lock();
    erase();
}

void
progress_release(void)
{
    if (progress != NULL)
        unlock();
}

void
progress_step(const char *text)
{
    if (progress == NULL)
        return;
    lock();
    snprintf(progress->text, sizeof progress->text, "%s", text);
    v2v_make_printable(progress->text);
    progress->done = progress->total = 0;
    unlock();
}

void
progress_end(void)
{
    progress_hold();
    if (progress != NULL)
        *progress->text = '\0';
    progress_release();
}

void
progress_set(uint64_t done, uint64_t total)
{
    if (progress == NULL)
        return;
    lock();
    progress->done = done < total ? done : total;
    progress->total = total;
    unlock();
}

/* Drawing ---------------------------------------------------------------- */

static int
terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < WIDE ? size.ws_col : WIDE;
}

static double
seconds(void)
{
    return (double)(v2v_milliseconds() - progress->start) / 1000;
}

/* "  [####    ]  50%" or "  /"; as wide as there is room for. */
static void
format_bar(char *ret, size_t len, int room)
{
    static const char full[BAR_MAX + 1] =
        "########################################";
    int width = room - BESIDE_BAR < BAR_MAX ? room - BESIDE_BAR : BAR_MAX;
    double part;

    if (progress->total == 0) {
        snprintf(ret, len, " %c", "-\\|/"[progress->drawn % 4]);
        return;
    }
    part = (double)progress->done / (double)progress->total;
    if (width < BAR_MIN)
        snprintf(ret, len, " %3.0f%%", 100 * part);
    else
        snprintf(ret, len, " [%-*.*s] %3.0f%%", width,
                 (int)((double)width * part), full, 100 * part);
}

/* A character may be wider than a column or narrower than its bytes: a line
 * that is cut by its bytes is at worst too short. */
static void
cut(char *text, int columns)
{
    if (strlen(text) <= (size_t)columns)
        return;
    while (columns > 0 && ((unsigned char)text[columns] & 0xc0) == 0x80)
        columns--;
    text[columns] = '\0';
}

static void
draw(void)
{
    int width = terminal_width() - 1; /* the last column may break the line */
    char head[320], bar[BAR_MAX + 32];
    char line[sizeof head + sizeof bar + 8];

    if (width < NARROW)
        return;
    snprintf(head, sizeof head, "[%6.1f] %s", seconds(), progress->text);
    cut(head, width - BESIDE_BAR);
    format_bar(bar, sizeof bar, width - (int)strlen(head));
    snprintf(line, sizeof line, "\r%s%s\033[K", head, bar);
    put(line);
    progress->is_shown = true;
    progress->drawn++;
}

/* Who is printing is not waited for. */
void
progress_draw(void)
{
    int locked;

    if (progress == NULL)
        return;
    locked = pthread_mutex_trylock(&progress->mutex);
    if (locked == EBUSY)
        return;
    if (locked == EOWNERDEAD)
        pthread_mutex_consistent(&progress->mutex);
    if (*progress->text != '\0')
        draw();
    unlock();
}

void
progress_close(void)
{
    if (progress == NULL)
        return;
    lock();
    erase();
    unlock();
    progress = NULL;
}
