/* arena.h - memory.
 *
 *     Arena arena = {0};
 *     ArenaMark mark = arena_mark(&arena);
 *     real *h = arena_take(&arena, n * sizeof *h);     64-byte aligned, not cleared
 *     arena_rewind(&arena, mark);                      everything taken since is gone
 *     arena_free(&arena);
 *
 * A bump allocator: taking is an addition, giving back is one assignment. An arena grows by blocks,
 * each twice the one before, and keeps them when rewound; rewound to empty, it joins them into one, so
 * that a training step takes no memory from the system after the first few. The owner of an arena owns
 * everything in it.
 *
 * Memory that fails: memory_take, memory_grow and with them every arena print one line on stderr and
 * end the process with status 1. It is the one place in the library that prints or exits; sizes
 * that come from outside are therefore bounded before anything is taken. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

typedef struct ArenaBlock ArenaBlock;

typedef struct {
    ArenaBlock *first, *current; /* list of blocks, oldest first; current is being filled */
    size_t used;                 /* bytes used of current */
} Arena;

typedef struct {
    ArenaBlock *block;
    size_t used;
} ArenaMark;

void *arena_take(Arena *arena, size_t bytes);        /* not cleared */
void arena_reserve(Arena *arena, size_t bytes);      /* an empty one: this much will come in one block */
void *arena_take_zeros(Arena *arena, size_t bytes);  /* cleared */
char *arena_copy_text(Arena *arena, const char *text, size_t length); /* adds the final NUL */
ArenaMark arena_mark(const Arena *arena);
void arena_rewind(Arena *arena, ArenaMark mark);
void arena_free(Arena *arena);

/* malloc, calloc and realloc that do not return without memory. Free with free(). */
void *memory_take(size_t bytes);
void *memory_take_zeros(size_t count, size_t size);
void *memory_grow(void *old, size_t bytes);

#endif
