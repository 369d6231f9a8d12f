/* guide.h - where attention should look, piece by piece, for a pair whose words are linked.
 *
 *     PairIds ids = pair_encode(&corpus->pair[i], vocab, &arena, dropout, &rng);
 *     const PieceRange *guide = guide_pair(&ids, links, i, &arena);       [ids.target_count]
 *
 * The pieces of a target word look at the pieces of its source word, the target's end at the source's end; the
 * pieces of a word without a link look where the model finds it useful, and so does the share among the pieces of
 * one word. (Chen et al. 2016, section 3, point words without a link at the source's end: then the end draws
 * all words that the model is not sure of.) */
#ifndef TEXT_GUIDE_H
#define TEXT_GUIDE_H

#include "text/aligner.h"
#include "text/plan.h"

/* Source positions begin .. end - 1 of a pair, its end of the sentence included. */
typedef struct {
    int begin, end;
} PieceRange;

/* NULL when the pair has no links: it was left out by the aligner. Memory from arena. */
const PieceRange *guide_pair(const PairIds *ids, const WordLinks *links, uint32_t pair, Arena *arena);

#endif
