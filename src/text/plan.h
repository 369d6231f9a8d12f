/* plan.h - which sentence pairs are learned from together.
 *
 *     Plan *plan = plan_new(corpus, vocab, batch_tokens, max_length);
 *     plan_shuffle(plan, seed, epoch);                            before each pass
 *     const uint32_t *pair = plan_batch(plan, i, &count);         indexes into corpus->pair
 *
 * Pairs are sorted by the length of their target, then source, in pieces (as encoded without dropout), and cut
 * into batches of about batch_tokens target pieces: so there is little padding. Among pairs of equal lengths, and
 * among batches, the order is drawn anew for each epoch; the number of batches never changes. A pair
 * whose file has weight n stands n times in an epoch. */
#ifndef TEXT_PLAN_H
#define TEXT_PLAN_H

#include "text/corpus.h"
#include "text/vocab.h"

typedef struct Plan Plan;

Plan *plan_new(const Corpus *corpus, const Vocab *vocab, int batch_tokens, int max_length);
void plan_free(Plan *plan);

int64_t plan_pairs(const Plan *plan);    /* in one epoch */
int64_t plan_too_long(const Plan *plan); /* pairs left out: more than max_length pieces on a side */
int plan_batches(const Plan *plan);

/* The order of this epoch: a function of seed and epoch. */
void plan_shuffle(Plan *plan, uint64_t seed, uint64_t epoch);
const uint32_t *plan_batch(const Plan *plan, int batch, int *count);

/* A pair as the model reads it: pieces of either side, each ended by VOCAB_END. */
typedef struct {
    int *source, *target;
    int source_count, target_count; /* VOCAB_END included */
    Text source_text, target_text;  /* what was encoded */
    const TextSpan *source_origin, *target_origin; /* of the pieces, without VOCAB_END: as in Pieces */
} PairIds;

/* How a pair is changed before it is learned from: anew each time. */
typedef struct {
    double dropout;  /* chance that a merge is passed over, as in vocab_encode */
    double capitals; /* chance that both sides are written in capitals */
    double lower;    /* chance that, if not, both are written without any */
    double bare;     /* chance that the mark . ? ! at the source's end is left out, and a full stop at the target's */
    Rng rng;
} PairDraw;

/* draw is NULL to take the pair as it stands; otherwise its rng moves on. Memory from arena. */
PairIds pair_encode(const CorpusPair *pair, const Vocab *vocab, Arena *arena, PairDraw *draw);

#endif
