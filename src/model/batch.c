#include "model/batch.h"

#include <assert.h>
#include <stdlib.h>

static int compare_pairs(const void *a, const void *b)
{
    const BatchPair *x = a, *y = b;
    if (x->ids.target_count != y->ids.target_count)
        return x->ids.target_count > y->ids.target_count ? -1 : 1;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

static Source source_of(const BatchPair *pair, int n, Arena *arena)
{
    Source source = {.batch = n};
    int *length = arena_take(arena, (size_t)n * sizeof *length);
    for (int b = 0; b < n; b++) {
        length[b] = pair[b].ids.source_count;
        if (length[b] > source.longest)
            source.longest = length[b];
    }
    int *id = arena_take_zeros(arena, (size_t)source.longest * (size_t)n * sizeof *id);
    for (int b = 0; b < n; b++)
        for (int s = 0; s < length[b]; s++)
            id[s * n + b] = pair[b].ids.source[s];
    source.id = id;
    source.length = length;
    return source;
}

static Target target_of(const BatchPair *pair, int n, Arena *arena)
{
    Target target = {.longest = pair[0].ids.target_count};
    for (int b = 0; b < n; b++)
        target.total += pair[b].ids.target_count;
    int *id = arena_take(arena, (size_t)target.total * sizeof *id);
    PieceRange *guide = arena_take(arena, (size_t)target.total * sizeof *guide);
    int *active = arena_take_zeros(arena, (size_t)target.longest * sizeof *active);
    for (int t = 0, at = 0; t < target.longest; t++)
        for (int b = 0; b < n && t < pair[b].ids.target_count; b++) {
            id[at] = pair[b].ids.target[t];
            guide[at++] = pair[b].guide ? pair[b].guide[t] : (PieceRange){0, pair[b].ids.source_count};
            active[t]++;
        }
    target.id = id;
    target.guide = guide;
    target.active = active;
    return target;
}

Batch batch_new(BatchPair *pair, int n, Arena *arena)
{
    assert(n > 0);
    qsort(pair, (size_t)n, sizeof *pair, compare_pairs);
    uint32_t *key = arena_take(arena, (size_t)n * sizeof *key);
    for (int b = 0; b < n; b++)
        key[b] = pair[b].pair;
    return (Batch){source_of(pair, n, arena), target_of(pair, n, arena), key};
}
