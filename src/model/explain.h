/* explain.h - how attention came to its weights, step by step, for a translation that is given.
 *
 *     ExplainInput input = {.source = {id, 8}, .target = {id, 7}, .word = word, .words = 6};
 *     Explain explain = explain_run(model, tape, &input, &arena);
 *     explain.step[t].score[s], .weight[s]          what step t thought of source piece s
 *     explain.without[w * explain.steps + t]        what would become of its piece without source word w
 *
 * Scores, weights, queries, keys and contexts are those the decoder used, read where it left them, for every
 * kind of score. The query is the one the scores are made with, so a projected one where the score has a
 * projection; the context is the sum of the values by the weights, before scaled dot's projection of it.
 *
 * Attention is what the model looked at, not why it wrote what it wrote (Jain and Wallace 2019; Wiegreffe and
 * Pinter 2019). So there is also `without`: the pieces of one source word are deleted, the same
 * translation is forced, and what each of its pieces then scores is kept. */
#ifndef MODEL_EXPLAIN_H
#define MODEL_EXPLAIN_H

#include "model/search.h"

#define EXPLAIN_FIRST 5 /* values shown of a vector */
#define EXPLAIN_BEST 5

/* Pieces on one side that a caller should allow at most: the work grows with source words times both sides. */
#define EXPLAIN_PIECES_MAX 256

typedef struct {
    SearchSource source, target; /* pieces without MODEL_END */
    const int *word;             /* [source.count] the word of each, 0 .. words - 1; -1: never deleted */
    int words;
} ExplainInput;

typedef struct {
    double norm;                 /* Euclidean, of the whole vector */
    double first[EXPLAIN_FIRST]; /* as many as Explain says */
} ExplainVector;

typedef struct {
    int id;
    double score; /* natural log-probability */
} ExplainPiece;

typedef struct {
    ExplainPiece written;
    ExplainPiece best[EXPLAIN_BEST]; /* most probable first; equal ones: the smaller id first */
    ExplainVector query, context;
    const real *score, *weight;      /* [sources] */
} ExplainStep;

typedef struct {
    ExplainStep *step;     /* [steps]: the target's pieces, and the end */
    ExplainVector *key, *value; /* [sources]: the source's pieces, and the end */
    int steps, sources;
    int queries, values;   /* how many first values queries and keys, contexts and values have */
    int best;              /* how many most probable pieces: EXPLAIN_BEST, or all there are */
    double score;          /* natural log-probability of the whole */
    double *without;       /* [words, steps] log-probability of each piece when that word is deleted */
} Explain;

/* Memory from arena. The tape must not be recording; it is reset. */
Explain explain_run(const Model *model, Tape *tape, const ExplainInput *input, Arena *arena);

#endif
