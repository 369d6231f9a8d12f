/* checkpoint.h - what a training run must remember to go on: plain data that the trainer fills and the
 * store writes, so that neither needs to know the other. */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include "base/real.h"

#include <stdbool.h>
#include <stdint.h>

/* Blocks of Params.size numbers, laid out as the parameters. */
typedef enum {
    ROLE_WEIGHT,  /* as the next update will find them */
    ROLE_MOMENT1, /* Adam's moments */
    ROLE_MOMENT2,
    ROLE_AVERAGE, /* running average of the weights */
    ROLE_BEST,    /* the average at the validation with the best dev BLEU: what is exported */
    ROLE_COUNT
} Role;

/* One validation: a row of the table progress. */
typedef struct {
    int64_t step;             /* updates so far */
    double epoch, seconds;    /* passes over the corpus, and time spent, so far */
    double learning_rate;
    double train_loss;        /* per target piece, smoothed as trained, since the last validation */
    double dev_loss;          /* per target piece, not smoothed */
    double dev_bleu, dev_chrf;
    double tokens_per_second; /* target pieces trained on, since the last validation */
} Progress;

typedef struct {
    int64_t step;       /* updates done */
    int64_t corpus;     /* digest of the pairs it is trained on: a run goes on with the same */
    int64_t best_step;  /* of ROLE_BEST; 0: there is none yet */
    double best_bleu;
    int64_t waiting;    /* validations since then */
    double seconds;     /* spent training, all sessions together */
    double loss_sum;    /* since the last validation: for the next row of progress */
    int64_t loss_tokens;
    bool best_is_new;   /* ROLE_BEST changed since the last checkpoint */
    real *block[ROLE_COUNT];
} Checkpoint;

#endif
