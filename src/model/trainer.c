#include "model/trainer.h"

#include "base/pool.h"
#include "base/rng.h"
#include "model/batch.h"
#include "text/aligner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What one worker thread has for itself. */
typedef struct {
    Tape *tape;
    Arena arena;    /* the ids of its share of the batch */
    real *gradient; /* [params.size] */
    double loss;    /* smoothed, summed over its pieces */
    int64_t tokens;
    double square;  /* of the norm of its range of the summed gradient */
} Worker;

struct Trainer {
    TrainerSetup setup;
    const Config *config;
    Params *params;
    Pool *pool;
    Worker *worker; /* [threads] */
    Tape **tape;    /* [threads] the same tapes, for validation */
    Plan *plan;
    WordLinks *links; /* NULL: attention is not guided */
    Validation *validation;
    /* The update under way, as the workers see it. */
    const uint32_t *pair;
    int pairs;
    AdamStep adam;
    real decay; /* of the running average */
    /* The clock, and the last validation. */
    struct timespec began;
    double seconds_before, seconds_at_validation;
};

static double seconds_now(const Trainer *trainer)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return trainer->seconds_before + (double)(now.tv_sec - trainer->began.tv_sec) +
           1e-9 * (double)(now.tv_nsec - trainer->began.tv_nsec);
}

/* ---- gradients: each worker, its share of the batch ---- */

/* Every n-th pair of the batch, its pieces drawn anew. */
static int draw_share(const Trainer *trainer, Worker *worker, int first, BatchPair *share)
{
    const Config *config = trainer->config;
    uint64_t step = (uint64_t)trainer->setup.checkpoint->step;
    int n = 0;
    for (int i = first; i < trainer->pairs; i += pool_workers(trainer->pool)) {
        uint32_t pair = trainer->pair[i];
        PairDraw draw = {config->piece_dropout, config->capitals, config->lower, config->bare,
                         rng_at((uint64_t)config->seed, step, pair)};
        PairIds ids = pair_encode(&trainer->setup.train->pair[pair], trainer->setup.vocab, &worker->arena, &draw);
        const PieceRange *guide = trainer->links ? guide_pair(&ids, trainer->links, pair, &worker->arena) : NULL;
        share[n++] = (BatchPair){ids, guide, pair};
    }
    return n;
}

static void compute_gradient(void *job, int number)
{
    Trainer *trainer = job;
    Worker *worker = &trainer->worker[number];
    Tape *tape = worker->tape;
    worker->loss = 0;
    worker->tokens = 0;
    memset(worker->gradient, 0, trainer->params->size * sizeof *worker->gradient);
    arena_rewind(&worker->arena, (ArenaMark){0});
    BatchPair *share = arena_take(&worker->arena, (size_t)trainer->pairs * sizeof *share);
    int n = draw_share(trainer, worker, number, share);
    if (n == 0)
        return;
    Batch batch = batch_new(share, n, &worker->arena);
    Rng seed = rng_at((uint64_t)trainer->config->seed, (uint64_t)trainer->setup.checkpoint->step, 0);
    tape->recording = true;
    tape->gradient = worker->gradient;
    tape->draw = (Draw){.seed = rng_next(&seed), .key = batch.key, .rows = n};
    worker->tokens = batch.target.total;
    worker->loss = model_loss(trainer->setup.model, tape, &batch.source, &batch.target, 1, NULL);
    tape->recording = false;
    tape->draw = (Draw){0};
}

/* ---- the update: each worker, its range of the block ---- */

static void worker_range(const Trainer *trainer, int worker, size_t *first, size_t *last)
{
    /* In steps of 16 numbers: vectors stay whole, so a number's result does not depend on the range. */
    size_t units = trainer->params->size / 16, workers = (size_t)pool_workers(trainer->pool);
    *first = units * (size_t)worker / workers * 16;
    *last = units * ((size_t)worker + 1) / workers * 16;
}

/* Blocks are walked through in chunks that stay in the cache from one pass over them to the next. */
enum { CHUNK = 4096 };

static void sum_gradients(void *job, int number)
{
    Trainer *trainer = job;
    const Kernel *kernel = trainer->setup.kernel;
    size_t first, last;
    worker_range(trainer, number, &first, &last);
    real *sum = trainer->worker[0].gradient;
    double square = 0;
    for (size_t at = first; at < last; at += CHUNK) {
        size_t n = last - at < CHUNK ? last - at : CHUNK;
        for (int i = 1; i < pool_workers(trainer->pool); i++)
            kernel->add(sum + at, trainer->worker[i].gradient + at, n);
        square += (double)kernel->dot(sum + at, sum + at, n);
    }
    trainer->worker[number].square = square;
}

static void update_weights(void *job, int number)
{
    Trainer *trainer = job;
    const Checkpoint *checkpoint = trainer->setup.checkpoint;
    const Kernel *kernel = trainer->setup.kernel;
    size_t first, last;
    worker_range(trainer, number, &first, &last);
    real *weight = trainer->params->value, *average = checkpoint->block[ROLE_AVERAGE];
    real keep = trainer->decay, take = 1 - keep;
    for (size_t at = first; at < last; at += CHUNK) {
        size_t n = last - at < CHUNK ? last - at : CHUNK;
        kernel->adam(weight + at, trainer->worker[0].gradient + at, checkpoint->block[ROLE_MOMENT1] + at,
                     checkpoint->block[ROLE_MOMENT2] + at, n, &trainer->adam);
        for (size_t i = at; i < at + n; i++)
            average[i] = keep * average[i] + take * weight[i];
    }
}

/* Parameters are shared out by size: the one whose first number lies in a worker's range is its own. */
static void pack_weights(void *job, int number)
{
    Trainer *trainer = job;
    Params *params = trainer->params;
    size_t first, last;
    worker_range(trainer, number, &first, &last);
    for (int i = 0; i < params->count; i++)
        if (params->list[i].at >= first && params->list[i].at < last)
            params_pack(params, i, i + 1);
}

/* The parameter whose gradient is not finite or, when all are, has the largest number. */
static const char *worst_parameter(const Trainer *trainer)
{
    const Params *params = trainer->params;
    const char *worst = "?";
    double largest = -1;
    for (int i = 0; i < params->count; i++) {
        const Param *param = &params->list[i];
        size_t n = (size_t)param->rows * (size_t)param->cols;
        for (size_t k = 0; k < n; k++) {
            double g = fabs((double)trainer->worker[0].gradient[param->at + k]);
            if (!isfinite(g))
                return param->name;
            if (g > largest) {
                largest = g;
                worst = param->name;
            }
        }
    }
    return worst;
}

/* Up over `warmup` updates, then in a line to 0 at `steps`. */
static double learning_rate(const Config *config, int64_t step)
{
    if (step < config->warmup)
        return config->learning_rate * (double)(step + 1) / config->warmup;
    double left = (double)(config->steps - step) / (config->steps - config->warmup);
    return config->learning_rate * left;
}

/* Adam with the defaults of sequence models, beta2 0.98 (Vaswani et al. 2017, section 5.3). */
static AdamStep adam_step(const Config *config, int64_t step, double scale)
{
    const double beta1 = 0.9, beta2 = 0.98;
    double t = (double)step + 1;
    return (AdamStep){.rate = (real)learning_rate(config, step),
                      .beta1 = (real)beta1,
                      .beta2 = (real)beta2,
                      .epsilon = (real)1e-9,
                      .correct1 = (real)(1 / (1 - pow(beta1, t))),
                      .correct2 = (real)(1 / (1 - pow(beta2, t))),
                      .scale = (real)scale};
}

static bool update(Trainer *trainer, Err *err)
{
    Checkpoint *checkpoint = trainer->setup.checkpoint;
    const Config *config = trainer->config;
    int workers = pool_workers(trainer->pool);
    pool_run(trainer->pool, compute_gradient, trainer);
    double loss = 0, square = 0;
    int64_t tokens = 0;
    for (int i = 0; i < workers; i++) {
        loss += trainer->worker[i].loss;
        tokens += trainer->worker[i].tokens;
    }
    pool_run(trainer->pool, sum_gradients, trainer);
    for (int i = 0; i < workers; i++)
        square += trainer->worker[i].square;
    double norm = sqrt(square) / (double)tokens;
    if (!isfinite(loss) || !isfinite(norm))
        return err_set(err, "step %lld: the loss is not finite; largest gradient in %s",
                       (long long)checkpoint->step + 1, worst_parameter(trainer));
    double clipped = norm > config->clip ? config->clip / norm : 1;
    double step = (double)checkpoint->step;
    trainer->adam = adam_step(config, checkpoint->step, clipped / (double)tokens);
    trainer->decay = (real)fmin(config->average, (1 + step) / (10 + step));
    pool_run(trainer->pool, update_weights, trainer);
    pool_run(trainer->pool, pack_weights, trainer);
    checkpoint->step++;
    checkpoint->loss_sum += loss;
    checkpoint->loss_tokens += tokens;
    return true;
}

/* ---- validation and the run ---- */

static Progress progress_now(const Trainer *trainer)
{
    const Checkpoint *checkpoint = trainer->setup.checkpoint;
    double seconds = seconds_now(trainer), spent = seconds - trainer->seconds_at_validation;
    double tokens = (double)checkpoint->loss_tokens;
    return (Progress){
        .step = checkpoint->step,
        .epoch = (double)checkpoint->step / plan_batches(trainer->plan),
        .seconds = seconds,
        .learning_rate = learning_rate(trainer->config, checkpoint->step),
        .train_loss = tokens > 0 ? checkpoint->loss_sum / tokens : 0,
        .tokens_per_second = spent > 0 ? tokens / spent : 0,
    };
}

static bool save(Trainer *trainer, const Progress *progress, Err *err)
{
    Checkpoint *checkpoint = trainer->setup.checkpoint;
    const TrainerEvents *events = &trainer->setup.events;
    checkpoint->seconds = seconds_now(trainer);
    if (events->save && !events->save(events->data, checkpoint, progress, err))
        return false;
    checkpoint->best_is_new = false;
    return true;
}

/* The average takes the place of the weights while it is being judged. */
static void swap_average(Trainer *trainer)
{
    real *weight = trainer->params->value, *average = trainer->setup.checkpoint->block[ROLE_AVERAGE];
    for (size_t i = 0; i < trainer->params->size; i++) {
        real swap = weight[i];
        weight[i] = average[i];
        average[i] = swap;
    }
    pool_run(trainer->pool, pack_weights, trainer);
}

static bool validate(Trainer *trainer, Err *err)
{
    Checkpoint *checkpoint = trainer->setup.checkpoint;
    const TrainerEvents *events = &trainer->setup.events;
    Progress progress = progress_now(trainer);
    swap_average(trainer);
    validation_run(trainer->validation, trainer->setup.model, trainer->pool, trainer->tape, &progress);
    swap_average(trainer);
    bool is_best = checkpoint->best_step == 0 || progress.dev_bleu > checkpoint->best_bleu;
    checkpoint->waiting = is_best ? 0 : checkpoint->waiting + 1;
    if (is_best) {
        checkpoint->best_step = checkpoint->step;
        checkpoint->best_bleu = progress.dev_bleu;
        checkpoint->best_is_new = true;
        memcpy(checkpoint->block[ROLE_BEST], checkpoint->block[ROLE_AVERAGE],
               trainer->params->size * sizeof(real));
    }
    checkpoint->loss_sum = 0;
    checkpoint->loss_tokens = 0;
    if (!save(trainer, &progress, err))
        return false;
    Sample samples[TRAINER_SAMPLES];
    int count = validation_samples(trainer->validation, samples, TRAINER_SAMPLES);
    if (events->validated)
        events->validated(events->data, &progress, is_best, samples, count);
    trainer->seconds_at_validation = seconds_now(trainer);
    return true;
}

/* Every `validate` updates and at the end; and a few times before the first, to show life early. */
static bool validation_is_due(const Config *config, int64_t step)
{
    int64_t every = config->validate;
    return step % every == 0 || step == config->steps || step == every / 2 || step == every / 4 ||
           step == every / 8;
}

bool trainer_run(Trainer *trainer, Err *err)
{
    Checkpoint *checkpoint = trainer->setup.checkpoint;
    const Config *config = trainer->config;
    const TrainerEvents *events = &trainer->setup.events;
    int batches = plan_batches(trainer->plan);
    int64_t shuffled = -1;
    while (checkpoint->step < config->steps && checkpoint->waiting < config->patience) {
        if (trainer->setup.stop && *trainer->setup.stop)
            return save(trainer, NULL, err);
        int64_t epoch = checkpoint->step / batches;
        if (epoch != shuffled) {
            plan_shuffle(trainer->plan, (uint64_t)config->seed, (uint64_t)epoch);
            shuffled = epoch;
        }
        trainer->pair = plan_batch(trainer->plan, (int)(checkpoint->step % batches), &trainer->pairs);
        if (!update(trainer, err))
            return false;
        if (events->step) {
            Progress progress = progress_now(trainer);
            events->step(events->data, &progress);
        }
        if (validation_is_due(config, checkpoint->step) && !validate(trainer, err))
            return false;
    }
    return true;
}

Trainer *trainer_new(const TrainerSetup *setup, Err *err)
{
    Trainer *trainer = memory_take_zeros(1, sizeof *trainer);
    const Config *config = &setup->model->config;
    trainer->setup = *setup;
    trainer->config = config;
    trainer->params = &setup->model->params;
    trainer->pool = pool_new(config->threads);
    trainer->worker = memory_take_zeros((size_t)config->threads, sizeof *trainer->worker);
    trainer->tape = memory_take_zeros((size_t)config->threads, sizeof(Tape *));
    for (int i = 0; i < config->threads; i++) {
        trainer->tape[i] = trainer->worker[i].tape = tape_new(setup->kernel);
        trainer->worker[i].gradient = memory_take_zeros(trainer->params->size, sizeof(real));
    }
    trainer->plan = plan_new(setup->train, setup->vocab, config->batch_tokens, config->max_length);
    trainer->validation = validation_new(setup->dev, setup->vocab);
    clock_gettime(CLOCK_MONOTONIC, &trainer->began);
    trainer->seconds_before = trainer->seconds_at_validation = setup->checkpoint->seconds;
    int64_t corpus = (int64_t)corpus_digest(setup->train);
    bool other = setup->checkpoint->step > 0 && setup->checkpoint->corpus != corpus;
    setup->checkpoint->corpus = corpus;
    if (other)
        err_set(err, "the sentence pairs are not those that the run began with");
    else if (plan_pairs(trainer->plan) == 0)
        err_set(err, "no sentence pair is left to train on");
    else if (setup->dev->pairs == 0)
        err_set(err, "no sentence pair is left to validate on");
    else {
        trainer->links = config->guide > 0 ? aligner_learn(setup->train) : NULL; /* seconds: when all is well */
        return trainer;
    }
    trainer_free(trainer);
    return NULL;
}

TrainerCounts trainer_counts(const Trainer *trainer)
{
    return (TrainerCounts){plan_pairs(trainer->plan), plan_too_long(trainer->plan), plan_batches(trainer->plan),
                           trainer->links ? word_links_share(trainer->links) : 0};
}

void trainer_free(Trainer *trainer)
{
    if (!trainer)
        return;
    for (int i = 0; i < trainer->config->threads; i++) {
        tape_free(trainer->worker[i].tape);
        arena_free(&trainer->worker[i].arena);
        free(trainer->worker[i].gradient);
    }
    free(trainer->worker);
    free(trainer->tape);
    plan_free(trainer->plan);
    word_links_free(trainer->links);
    validation_free(trainer->validation);
    pool_free(trainer->pool);
    free(trainer);
}
