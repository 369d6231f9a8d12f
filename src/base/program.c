#define _XOPEN_SOURCE 700 /* realpath */
#include "base/program.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The program's own path without links, or NULL. */
static char *own_path(const char *name)
{
    char *path = realpath("/proc/self/exe", NULL);
    return path || !strchr(name, '/') ? path : realpath(name, NULL);
}

void program_beside(const char *name, const char *file, Buf *out)
{
    char *path = own_path(name), *here = realpath(".", NULL);
    char *slash = path ? strrchr(path, '/') : NULL;
    if (slash) {
        size_t size = (size_t)(slash - path), prefix = here ? strlen(here) : 0;
        const char *from = path;
        slash[1] = '\0';
        if (here && !strncmp(path, here, prefix) && path[prefix] == '/' && prefix <= size)
            from = path + prefix + 1;
        buf_text(out, from);
    }
    buf_text(out, file);
    free(path);
    free(here);
}

int program_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > 256 ? 256 : (int)count;
}

/* The library's one mutable global: what ends a program has no other way to know. */
static const char *volatile unlinked;

static void unlink_now(void)
{
    const char *path = unlinked;
    if (path && path[0])
        unlink(path);
}

void program_unlinks_at_exit(const char *path)
{
    static bool registered;
    unlinked = path;
    if (!registered)
        registered = atexit(unlink_now) == 0;
}

static void end_by_signal(int number)
{
    unlink_now();
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(number, &standard, NULL);
    raise(number);
}

void program_unlinks(const char *path)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    program_unlinks_at_exit(path);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old, own = {.sa_handler = end_by_signal};
        sigemptyset(&own.sa_mask);
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &own, NULL);
    }
}
