/* batch.h - a few sentence pairs as model_loss reads them.
 *
 *     Batch batch = batch_new(drawn, n, arena);
 *     tape->draw.key = batch.key;  tape->draw.rows = batch.source.batch;
 *     loss += model_loss(model, tape, &batch.source, &batch.target, scale, NULL);
 */
#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H

#include "model/model.h"
#include "text/guide.h"

typedef struct {
    PairIds ids;
    const PieceRange *guide; /* [ids.target_count], or NULL */
    uint32_t pair; /* its number in the corpus */
} BatchPair;

typedef struct {
    Source source;
    Target target;
    const uint32_t *key; /* [batch] pair numbers: what random draws depend on */
} Batch;

/* Sorts pair[0 .. n-1] by falling target length. All memory from arena. n >= 1. */
Batch batch_new(BatchPair *pair, int n, Arena *arena);

#endif
