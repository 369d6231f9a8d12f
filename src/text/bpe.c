#include "text/bpe.h"

#include "base/utf8.h"

#include "text/vocab_table.h"

#include <assert.h>
#include <stdlib.h>

static void add_symbol(Bpe *bpe, int id, TextSpan origin)
{
    assert(bpe->count < BPE_NONE);
    if (bpe->count == bpe->room) {
        bpe->room = bpe->room ? bpe->room * 2 : 64;
        bpe->symbol = memory_grow(bpe->symbol, bpe->room * sizeof *bpe->symbol);
    }
    bpe->symbol[bpe->count++] = (BpeSymbol){.id = id, .origin = origin};
}

void bpe_add_space(Bpe *bpe, const Vocab *vocab, TextSpan origin)
{
    add_symbol(bpe, vocab->space >= 0 ? vocab->space : vocab->byte + ' ', origin);
}

void bpe_add_character(Bpe *bpe, const Vocab *vocab, const char *bytes, size_t size,
                       TextSpan origin)
{
    uint32_t code;
    size_t at = 0;
    int id = utf8_next(bytes, size, &at, &code) && at == size ? vocab_character(vocab, code) : -1;
    if (id >= 0)
        add_symbol(bpe, id, origin);
    else
        for (size_t i = 0; i < size; i++)
            add_symbol(bpe, vocab->byte + (unsigned char)bytes[i], origin);
}

static void heap_push(BpeHeap *heap, uint64_t key)
{
    if (heap->count == heap->room) {
        heap->room = heap->room ? heap->room * 2 : 64;
        heap->key = memory_grow(heap->key, heap->room * sizeof *heap->key);
    }
    size_t at = heap->count++;
    for (size_t up; at && heap->key[up = (at - 1) / 2] > key; at = up)
        heap->key[at] = heap->key[up];
    heap->key[at] = key;
}

static uint64_t heap_pop(BpeHeap *heap)
{
    uint64_t top = heap->key[0], last = heap->key[--heap->count];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < heap->count; at = down) {
        if (down + 1 < heap->count && heap->key[down + 1] < heap->key[down])
            down++;
        if (heap->key[down] >= last)
            break;
        heap->key[at] = heap->key[down];
    }
    heap->key[at] = last;
    return top;
}

/* Makes the symbol at `left` and the one behind it a candidate, if some merge joins them. */
static void push_pair(Bpe *bpe, const Vocab *vocab, uint32_t left)
{
    if (left == BPE_NONE || bpe->symbol[left].behind == BPE_NONE)
        return;
    int right = bpe->symbol[bpe->symbol[left].behind].id;
    const uint32_t *rank = table_find(&vocab->ranks, vocab_pair_key(bpe->symbol[left].id, right));
    if (rank)
        heap_push(&bpe->heap, (uint64_t)*rank << 32 | left);
}

/* A candidate is stale when one of its symbols has been merged since. The same pair cannot come
 * back at the same place, because texts only grow to the right. */
static bool is_stale(const Bpe *bpe, const VocabPair *merge, uint32_t left)
{
    const BpeSymbol *symbol = &bpe->symbol[left];
    return symbol->id != merge->left || symbol->behind == BPE_NONE ||
           bpe->symbol[symbol->behind].id != merge->right;
}

static void join(Bpe *bpe, const Vocab *vocab, const VocabPair *merge, uint32_t at)
{
    BpeSymbol *left = &bpe->symbol[at], *right = &bpe->symbol[left->behind];
    if (left->id == vocab->space)
        left->origin = right->origin;
    else
        left->origin.end = right->origin.end;
    left->id = merge->result;
    right->id = -1;
    left->behind = right->behind;
    if (left->behind != BPE_NONE)
        bpe->symbol[left->behind].before = at;
    push_pair(bpe, vocab, left->before);
    push_pair(bpe, vocab, at);
}

/* Dropout passes over each candidate with its chance at every step, and the best of the rest is
 * merged. Drawing for the candidates in their order until one stays is the same: the draws for
 * those behind it could change nothing. When none stays, the token is done. */
void bpe_merge(Bpe *bpe, const Vocab *vocab, double dropout, Rng *rng)
{
    size_t count = bpe->count;
    bpe->heap.count = bpe->passed.count = 0;
    for (size_t i = 0; i < count; i++) {
        bpe->symbol[i].before = i ? (uint32_t)i - 1 : BPE_NONE;
        bpe->symbol[i].behind = i + 1 < count ? (uint32_t)i + 1 : BPE_NONE;
    }
    for (size_t i = 0; i + 1 < count; i++)
        push_pair(bpe, vocab, (uint32_t)i);
    while (bpe->heap.count) {
        uint64_t key = heap_pop(&bpe->heap);
        const VocabPair *merge = &vocab->merge[key >> 32];
        if (is_stale(bpe, merge, (uint32_t)key))
            continue;
        if (dropout > 0 && rng_uniform(rng) < dropout) {
            heap_push(&bpe->passed, key);
            continue;
        }
        join(bpe, vocab, merge, (uint32_t)key);
        while (bpe->passed.count)
            heap_push(&bpe->heap, bpe->passed.key[--bpe->passed.count]);
    }
    bpe->count = 0;
    for (size_t i = 0; i < count; i++)
        if (bpe->symbol[i].id >= 0)
            bpe->symbol[bpe->count++] = bpe->symbol[i];
}

void bpe_free(Bpe *bpe)
{
    free(bpe->symbol);
    free(bpe->heap.key);
    free(bpe->passed.key);
    *bpe = (Bpe){0};
}
