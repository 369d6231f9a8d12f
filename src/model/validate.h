/* validate.h - how good the model is now: greedy translation and loss of the dev corpus. */
#ifndef MODEL_VALIDATE_H
#define MODEL_VALIDATE_H

#include "base/pool.h"
#include "model/checkpoint.h"
#include "model/model.h"
#include "text/corpus.h"
#include "text/vocab.h"

/* One dev sentence as the model translates it. */
typedef struct {
    const char *source, *translation, *reference;
} Sample;

typedef struct Validation Validation;

/* corpus and vocab must outlive it. */
Validation *validation_new(const Corpus *corpus, const Vocab *vocab);
void validation_free(Validation *validation);

/* Fills dev_loss, dev_bleu and dev_chrf. Worker i of the pool uses tape[i], whose recording and
 * drawing are off. */
void validation_run(Validation *validation, const Model *model, Pool *pool, Tape *const *tape,
                    Progress *progress);

/* The first sentences of the corpus as last translated; good until the next validation_run. */
int validation_samples(const Validation *validation, Sample *samples, int most);

#endif
