/* trainer.h - from sentence pairs to weights.
 *
 *     Trainer *trainer = trainer_new(&setup, &err);
 *     ok = trainer_run(trainer, &err);
 *     trainer_free(trainer);
 *
 * One update: a batch of pairs of like length; each worker takes every n-th of them, runs model_loss on
 * its own tape into its own block of gradients; the blocks are summed in order, clipped by their norm
 * (Pascanu et al. 2013), and one Adam step is taken (Kingma and Ba 2015) at a rate that rises over
 * `warmup` updates and falls linearly to 0 at `steps`. A running average of the weights, with a decay of
 * min(average, (1 + step) / (10 + step)), is what is validated and exported (Polyak and Juditsky 1992):
 * it takes the place of averaging the last checkpoints, in one block instead of several.
 *
 * Everything random is a function of seed, step and sentence, so a run that goes on from a checkpoint
 * is the run that was never interrupted, to the bit (same seed, threads and instruction set). */
#ifndef MODEL_TRAINER_H
#define MODEL_TRAINER_H

#include "model/checkpoint.h"
#include "model/model.h"
#include "model/validate.h"

#include <signal.h>

#define TRAINER_SAMPLES 3

/* What the program wants to hear of; each may be NULL. `data` is handed through. */
typedef struct {
    void *data;
    /* Write everything down; progress is NULL when stopped between validations. */
    bool (*save)(void *data, const Checkpoint *checkpoint, const Progress *progress, Err *err);
    /* After each update: smoothed loss per piece and pieces per second since the last validation. */
    void (*step)(void *data, const Progress *progress);
    /* After each validation. */
    void (*validated)(void *data, const Progress *progress, bool is_best, const Sample *samples, int count);
} TrainerEvents;

typedef struct {
    Model *model; /* allocated; its weights are trained in place */
    const Vocab *vocab;
    const Corpus *train, *dev;
    Checkpoint *checkpoint; /* blocks allocated; where to go on from, all zero for a new run */
    const Kernel *kernel;
    TrainerEvents events;
    volatile sig_atomic_t *stop; /* set by a signal: the run saves and ends */
} TrainerSetup;

typedef struct Trainer Trainer;

/* Encodes the corpora, links their words when attention is to be guided, and plans the batches. Everything in
 * setup must outlive the trainer. NULL when no pair is left to train on or to validate on, or a run that goes on was
 * begun with other pairs. */
Trainer *trainer_new(const TrainerSetup *setup, Err *err) MUST_CHECK;

typedef struct {
    int64_t pairs;    /* in an epoch */
    int64_t too_long; /* pairs left out because a side has more than max_length pieces */
    int64_t batches;  /* in an epoch */
    double linked;    /* share of the target words that attention is guided to a source word for */
} TrainerCounts;

TrainerCounts trainer_counts(const Trainer *trainer);

/* Trains to the end of the run, to an early stop, or until *stop. */
bool trainer_run(Trainer *trainer, Err *err) MUST_CHECK;

void trainer_free(Trainer *trainer);

#endif
