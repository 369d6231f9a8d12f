/* For madvise, which POSIX does not have. */
#define _DEFAULT_SOURCE

#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT ((size_t)64)
#define BLOCK_BYTES ((size_t)1 << 20)
#define LARGE_PAGE ((size_t)2 << 20)

struct ArenaBlock {
    ArenaBlock *next;
    size_t bytes;
    unsigned char *data; /* aligned, inside the same allocation */
};

static void memory_failed(size_t bytes)
{
    fprintf(stderr, "out of memory: %zu bytes asked for\n", bytes);
    exit(1);
}

/* A weight matrix or an arena in pages of 4 KiB costs a page fault each, which is most of the time that it
 * takes to start; in large pages, where the system has them, hardly any. */
static void *large_take(size_t bytes)
{
    void *data = NULL;
    if (posix_memalign(&data, LARGE_PAGE, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    madvise(data, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#endif
    return data;
}

void *memory_take(size_t bytes)
{
    void *data = bytes >= LARGE_PAGE ? large_take(bytes) : malloc(bytes ? bytes : 1);
    if (!data)
        memory_failed(bytes);
    return data;
}

void *memory_take_zeros(size_t count, size_t size)
{
    if (size && count <= SIZE_MAX / size && count * size >= LARGE_PAGE)
        return memset(memory_take(count * size), 0, count * size);
    void *data = calloc(count ? count : 1, size ? size : 1);
    if (!data)
        memory_failed(size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
    return data;
}

void *memory_grow(void *old, size_t bytes)
{
    void *data = realloc(old, bytes ? bytes : 1);
    if (!data)
        memory_failed(bytes);
    return data;
}

static ArenaBlock *block_new(size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        memory_failed(bytes);
    ArenaBlock *block = memory_take(sizeof *block + ALIGNMENT + bytes);
    uintptr_t data = ((uintptr_t)(block + 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *block = (ArenaBlock){.bytes = bytes, .data = (unsigned char *)data};
    return block;
}

void arena_reserve(Arena *arena, size_t bytes)
{
    assert(!arena->first);
    arena->first = block_new(bytes);
}

void *arena_take(Arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        memory_failed(bytes);
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    /* Blocks after the current one are left over from before a rewind: use the first that is large
     * enough; smaller ones are passed over until the next rewind. */
    while (!arena->current || arena->used + bytes > arena->current->bytes) {
        ArenaBlock *next = arena->current ? arena->current->next : arena->first;
        if (!next) {
            size_t room = arena->current ? 2 * arena->current->bytes : BLOCK_BYTES;
            next = block_new(bytes > room ? bytes : room);
            if (arena->current)
                arena->current->next = next;
            else
                arena->first = next;
        }
        arena->current = next;
        arena->used = 0;
    }
    void *data = arena->current->data + arena->used;
    arena->used += bytes;
    return data;
}

void *arena_take_zeros(Arena *arena, size_t bytes)
{
    return memset(arena_take(arena, bytes), 0, bytes);
}

char *arena_copy_text(Arena *arena, const char *text, size_t length)
{
    char *copy = arena_take(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

ArenaMark arena_mark(const Arena *arena)
{
    return (ArenaMark){arena->current, arena->used};
}

void arena_rewind(Arena *arena, ArenaMark mark)
{
    arena->current = mark.block;
    arena->used = mark.used;
    if (mark.block || !arena->first || !arena->first->next)
        return;
    /* Empty, and it took several blocks: one of their whole size will do for what comes next. */
    size_t total = 0;
    for (const ArenaBlock *block = arena->first; block; block = block->next)
        total += block->bytes;
    arena_free(arena);
    arena->first = block_new(total);
}

void arena_free(Arena *arena)
{
    for (ArenaBlock *block = arena->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (Arena){0};
}
