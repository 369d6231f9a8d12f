#include "model/validate.h"

#include "model/batch.h"
#include "model/search.h"
#include "text/metric.h"

#include <stdlib.h>

enum { CHUNK = 64 }; /* sentences translated together */

struct Validation {
    const Corpus *corpus;
    const Vocab *vocab;
    Arena arena;       /* ids, for good */
    BatchPair *pair;   /* [corpus->pairs] by length, so that a chunk has little padding */
    Buf *translation;  /* [corpus->pairs] by number in the corpus */
    double *loss;      /* [chunks]; summed in order, whoever computed them */
    /* of the run under way */
    const Model *model;
    Tape *const *tape;
    int workers;
};

static int compare_pairs(const void *a, const void *b)
{
    const BatchPair *x = a, *y = b;
    if (x->ids.source_count != y->ids.source_count)
        return x->ids.source_count < y->ids.source_count ? -1 : 1;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

Validation *validation_new(const Corpus *corpus, const Vocab *vocab)
{
    Validation *validation = memory_take_zeros(1, sizeof *validation);
    size_t n = corpus->pairs;
    validation->corpus = corpus;
    validation->vocab = vocab;
    validation->pair = memory_take_zeros(n, sizeof *validation->pair);
    validation->translation = memory_take_zeros(n, sizeof *validation->translation);
    validation->loss = memory_take_zeros(n / CHUNK + 1, sizeof *validation->loss);
    for (size_t i = 0; i < n; i++)
        validation->pair[i] =
            (BatchPair){pair_encode(&corpus->pair[i], vocab, &validation->arena, NULL), NULL, (uint32_t)i};
    qsort(validation->pair, n, sizeof *validation->pair, compare_pairs);
    return validation;
}

void validation_free(Validation *validation)
{
    if (!validation)
        return;
    for (size_t i = 0; i < validation->corpus->pairs; i++)
        buf_free(&validation->translation[i]);
    free(validation->translation);
    free(validation->pair);
    free(validation->loss);
    arena_free(&validation->arena);
    free(validation);
}

static void translate_chunk(Validation *validation, Tape *tape, const BatchPair *pair, int n)
{
    const Model *model = validation->model;
    SearchOptions greedy = {1, 1, 0, model->config.max_ratio};
    Arena arena = {0};
    SearchSource source[CHUNK];
    for (int i = 0; i < n; i++)
        source[i] = (SearchSource){pair[i].ids.source, pair[i].ids.source_count - 1};
    SearchResult *result = search_run(model, tape, source, n, &greedy, &arena);
    for (int i = 0; i < n; i++) {
        const Hypothesis *best = &result[i].hypothesis[0];
        Buf *out = &validation->translation[pair[i].pair];
        out->size = 0;
        vocab_decode(validation->vocab, best->id, (size_t)best->count, true, out, NULL);
        buf_text(out, "");
    }
    arena_free(&arena);
}

static void work(void *job, int worker)
{
    Validation *validation = job;
    int count = (int)validation->corpus->pairs;
    Tape *tape = validation->tape[worker];
    Arena arena = {0};
    for (int c = worker; c * CHUNK < count; c += validation->workers) {
        int n = count - c * CHUNK < CHUNK ? count - c * CHUNK : CHUNK;
        BatchPair pair[CHUNK];
        for (int i = 0; i < n; i++)
            pair[i] = validation->pair[c * CHUNK + i];
        translate_chunk(validation, tape, pair, n);
        Batch batch = batch_new(pair, n, &arena);
        double plain = 0;
        model_loss(validation->model, tape, &batch.source, &batch.target, 0, &plain);
        validation->loss[c] = plain;
        arena_rewind(&arena, (ArenaMark){0});
    }
    arena_free(&arena);
}

void validation_run(Validation *validation, const Model *model, Pool *pool, Tape *const *tape,
                    Progress *progress)
{
    const Corpus *corpus = validation->corpus;
    validation->model = model;
    validation->tape = tape;
    validation->workers = pool_workers(pool);
    pool_run(pool, work, validation);

    double loss = 0;
    int64_t pieces = 0;
    BleuStats bleu = {0};
    ChrfStats chrf = {0};
    Arena scratch = {0};
    for (size_t c = 0; c * CHUNK < corpus->pairs; c++)
        loss += validation->loss[c];
    for (size_t i = 0; i < corpus->pairs; i++) {
        const Buf *out = &validation->translation[i];
        const CorpusPair *pair = &corpus->pair[i];
        pieces += validation->pair[i].ids.target_count;
        bleu_add(&bleu, &scratch, out->data, out->size, pair->target, pair->target_size);
        chrf_add(&chrf, &scratch, out->data, out->size, pair->target, pair->target_size);
    }
    progress->dev_loss = loss / (double)pieces;
    progress->dev_bleu = bleu_score(&bleu).score;
    progress->dev_chrf = chrf_score(&chrf);
    arena_free(&scratch);
}

int validation_samples(const Validation *validation, Sample *samples, int most)
{
    int n = validation->corpus->pairs < (size_t)most ? (int)validation->corpus->pairs : most;
    for (int i = 0; i < n; i++)
        samples[i] = (Sample){validation->corpus->pair[i].source, validation->translation[i].data,
                              validation->corpus->pair[i].target};
    return n;
}
