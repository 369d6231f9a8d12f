#include "text/plan.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t order; /* drawn for each epoch */
    uint32_t pair;
    int source, target; /* lengths in pieces */
} Item;

struct Plan {
    Item *item;       /* [items] */
    uint32_t *pair;   /* [items] in the order of item: what plan_batch shows */
    int *first;       /* [batches + 1] first item of each batch */
    int *batch;       /* [batches] order of this epoch */
    int items, batches;
    int64_t too_long;
};

static int compare_items(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

static int *with_end(const Pieces *pieces, Arena *arena)
{
    int *id = arena_take(arena, (pieces->count + 1) * sizeof *id);
    if (pieces->count)
        memcpy(id, pieces->id, pieces->count * sizeof *id);
    id[pieces->count] = VOCAB_END;
    return id;
}

/* Leaves out one of the marks at the end of a text, if it stands there alone. */
static void leave_out_mark(Text *text, const char *marks)
{
    if (text->size > 1 && strchr(marks, text->data[text->size - 1]) && !strchr(".?!", text->data[text->size - 2]))
        text->data[--text->size] = '\0';
}

PairIds pair_encode(const CorpusPair *pair, const Vocab *vocab, Arena *arena, PairDraw *draw)
{
    Text source = text_source(arena, pair->source, pair->source_size);
    Text target = text_nfc(arena, pair->target, pair->target_size);
    if (draw && draw->capitals > 0 && rng_uniform(&draw->rng) < draw->capitals) {
        source = text_upper(arena, &source);
        target = text_upper(arena, &target);
    } else if (draw && draw->lower > 0 && rng_uniform(&draw->rng) < draw->lower) {
        source = text_lower(arena, &source);
        target = text_lower(arena, &target);
    }
    if (draw && draw->bare > 0 && rng_uniform(&draw->rng) < draw->bare) {
        leave_out_mark(&source, ".?!");
        leave_out_mark(&target, ".");
    }
    double dropout = draw ? draw->dropout : 0;
    Pieces s = vocab_encode(vocab, arena, &source, dropout, draw ? &draw->rng : NULL);
    Pieces t = vocab_encode(vocab, arena, &target, dropout, draw ? &draw->rng : NULL);
    return (PairIds){.source = with_end(&s, arena),
                     .target = with_end(&t, arena),
                     .source_count = (int)s.count + 1,
                     .target_count = (int)t.count + 1,
                     .source_text = source,
                     .target_text = target,
                     .source_origin = s.origin,
                     .target_origin = t.origin};
}

/* Cut after the pair with which a batch reaches batch_tokens. */
static void cut(Plan *plan, int batch_tokens)
{
    int tokens = 0;
    plan->first = memory_take(((size_t)plan->items + 1) * sizeof *plan->first);
    plan->first[0] = 0;
    for (int i = 0; i < plan->items; i++) {
        tokens += plan->item[i].target;
        if (tokens >= batch_tokens || i == plan->items - 1) {
            plan->first[++plan->batches] = i + 1;
            tokens = 0;
        }
    }
    plan->batch = memory_take((size_t)plan->batches * sizeof *plan->batch);
}

/* Weight 2.25: twice, and a quarter of the pairs, always the same ones, a third time. */
static int pair_copies(const Corpus *corpus, uint32_t pair)
{
    double weight = corpus->file[corpus->pair[pair].file].weight;
    Rng rng = rng_at(0, 0, pair);
    return (int)(weight + rng_uniform(&rng));
}

Plan *plan_new(const Corpus *corpus, const Vocab *vocab, int batch_tokens, int max_length)
{
    Plan *plan = memory_take_zeros(1, sizeof *plan);
    Arena arena = {0};
    size_t room = 0;
    for (size_t i = 0; i < corpus->pairs; i++) {
        ArenaMark mark = arena_mark(&arena);
        PairIds ids = pair_encode(&corpus->pair[i], vocab, &arena, NULL);
        arena_rewind(&arena, mark);
        if (ids.source_count - 1 > max_length || ids.target_count - 1 > max_length) {
            plan->too_long++;
            continue;
        }
        int copies = pair_copies(corpus, (uint32_t)i);
        for (int k = 0; k < copies; k++) {
            if ((size_t)plan->items == room) {
                room = room ? 2 * room : 1024;
                plan->item = memory_grow(plan->item, room * sizeof *plan->item);
            }
            plan->item[plan->items++] =
                (Item){(uint64_t)k, (uint32_t)i, ids.source_count, ids.target_count};
        }
    }
    arena_free(&arena);
    if (plan->items) {
        qsort(plan->item, (size_t)plan->items, sizeof *plan->item, compare_items);
        cut(plan, batch_tokens);
    }
    plan->pair = memory_take((size_t)plan->items * sizeof *plan->pair);
    return plan;
}

void plan_shuffle(Plan *plan, uint64_t seed, uint64_t epoch)
{
    /* Draw per copy of a pair, not per place: the order must not depend on earlier epochs. A pair of weight n
     * has n equal items, which need n different draws; sorting first by pair gives each copy its number. */
    for (int i = 0; i < plan->items; i++)
        plan->item[i].order = 0;
    qsort(plan->item, (size_t)plan->items, sizeof *plan->item, compare_items);
    for (int i = 0, copy = 0; i < plan->items; i++) {
        copy = i && plan->item[i].pair == plan->item[i - 1].pair ? copy + 1 : 0;
        Rng rng = rng_at(seed, epoch << 16 | (uint64_t)copy, plan->item[i].pair);
        plan->item[i].order = rng_next(&rng);
    }
    qsort(plan->item, (size_t)plan->items, sizeof *plan->item, compare_items);
    for (int i = 0; i < plan->items; i++)
        plan->pair[i] = plan->item[i].pair;
    Rng rng = rng_at(seed, epoch, UINT64_MAX);
    for (int i = 0; i < plan->batches; i++)
        plan->batch[i] = i;
    for (int i = plan->batches - 1; i > 0; i--) { /* Fisher and Yates; Durstenfeld 1964 */
        int j = (int)rng_below(&rng, (uint32_t)i + 1), swap = plan->batch[i];
        plan->batch[i] = plan->batch[j];
        plan->batch[j] = swap;
    }
}

const uint32_t *plan_batch(const Plan *plan, int batch, int *count)
{
    int i = plan->batch[batch];
    *count = plan->first[i + 1] - plan->first[i];
    return plan->pair + plan->first[i];
}

int64_t plan_pairs(const Plan *plan)
{
    return plan->items;
}

int64_t plan_too_long(const Plan *plan)
{
    return plan->too_long;
}

int plan_batches(const Plan *plan)
{
    return plan->batches;
}

void plan_free(Plan *plan)
{
    if (!plan)
        return;
    free(plan->item);
    free(plan->pair);
    free(plan->first);
    free(plan->batch);
    free(plan);
}
