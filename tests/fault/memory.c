/* memory.c - linked into a program, makes one of its allocations fail: those of the C library and of SQLite too.
 *
 *     MEMORY_FAULT=17 ./translate ...              the 17th call from main on returns NULL, and no other
 *     MEMORY_FAULT=17+ ./translate ...             that one and all behind it
 *     MEMORY_FAULT=0 MEMORY_COUNT=file ...         none fails; their number is written to the file
 *
 * A program may define these functions itself ("Replacing malloc" in the manual of the GNU C library); the
 * library's own are reached by the names below, which no other C library has. */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t bytes);

static long fault_at; /* 0: never */
static bool fault_stays;
static atomic_long calls;
static atomic_bool armed; /* not before main: the loader's allocations are not the program's */

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("MEMORY_FAULT");
    char *end = NULL;
    fault_at = text ? strtol(text, &end, 10) : 0;
    fault_stays = end && *end == '+';
    armed = text != NULL;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("MEMORY_COUNT");
    long total = calls;
    armed = false;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", total);
        fclose(file);
    }
}

static bool fails(void)
{
    if (!armed)
        return false;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (fault_at == 0 || (fault_stays ? call < fault_at : call != fault_at))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    return fails() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t bytes)
{
    return fails() ? NULL : __libc_realloc(old, bytes);
}
