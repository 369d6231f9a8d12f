/* test_trainer.c - that it learns what it should, that it repeats, and that it goes on where it stopped. */
#include "base/rng.h"
#include "model/search.h"
#include "model/trainer.h"
#include "suite.h"
#include "text/plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A made-up language of one-letter words; the target is the source, or the source backwards. */
static void write_letters(const char *path, int lines, uint64_t seed, bool reverse)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < lines; i++) {
        Rng rng = rng_at(seed, 0, (uint64_t)i);
        int n = 3 + (int)rng_below(&rng, 4);
        char text[8];
        for (int k = 0; k < n; k++)
            text[k] = (char)('a' + (int)rng_below(&rng, 6));
        for (int k = 0; k < n; k++)
            fprintf(file, "%s%c", k ? " " : "", text[k]);
        for (int k = 0; k < n; k++)
            fprintf(file, "%s%c", k ? " " : "\t", text[reverse ? n - 1 - k : k]);
        fputc('\n', file);
    }
    fclose(file);
}

typedef struct {
    Corpus train, dev;
    Vocab *vocab;
    Model *model;
    Checkpoint checkpoint;
    Progress last;
    volatile sig_atomic_t stop;
    int64_t stop_at; /* set stop after this step */
} Run;

static Vocab *letters_vocab(const Corpus *corpus)
{
    VocabSentence *sentence = memory_take(2 * corpus->pairs * sizeof *sentence);
    for (size_t i = 0; i < corpus->pairs; i++) {
        const CorpusPair *pair = &corpus->pair[i];
        sentence[2 * i] = (VocabSentence){pair->source, pair->source_size, 1};
        sentence[2 * i + 1] = (VocabSentence){pair->target, pair->target_size, 1};
    }
    Err err;
    VocabOptions options = {.size = 300};
    Vocab *vocab = vocab_learn(sentence, 2 * corpus->pairs, &options, &err);
    ck_assert_msg(vocab != NULL, "%s", err.text);
    free(sentence);
    return vocab;
}

static void run_open(Run *run, const Config *config, const char *train, const char *dev)
{
    Err err;
    memset(run, 0, sizeof *run);
    ck_assert_msg(corpus_read(&run->train, train, 1, &err), "%s", err.text);
    ck_assert_msg(corpus_read(&run->dev, dev, 1, &err), "%s", err.text);
    run->vocab = letters_vocab(&run->train);
    run->model = model_new(config, (int)vocab_size(run->vocab));
    params_allocate(&run->model->params);
    model_start(run->model, (uint64_t)config->seed);
    for (int role = 0; role < ROLE_COUNT; role++)
        run->checkpoint.block[role] = role == ROLE_WEIGHT
                                          ? run->model->params.value
                                          : memory_take_zeros(run->model->params.size, sizeof(real));
}

static void run_close(Run *run)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        if (role != ROLE_WEIGHT)
            free(run->checkpoint.block[role]);
    model_free(run->model);
    vocab_free(run->vocab);
    corpus_free(&run->train);
    corpus_free(&run->dev);
}

static void on_step(void *data, const Progress *progress)
{
    Run *run = data;
    if (progress->step == run->stop_at)
        run->stop = 1;
}

static void on_validated(void *data, const Progress *progress, bool is_best, const Sample *samples, int count)
{
    (void)is_best, (void)samples, (void)count;
    ((Run *)data)->last = *progress;
}

static bool run_train(Run *run, Err *err)
{
    TrainerSetup setup = {.model = run->model, .vocab = run->vocab, .train = &run->train, .dev = &run->dev,
                          .checkpoint = &run->checkpoint, .kernel = kernel_best(),
                          .events = {run, NULL, on_step, on_validated}, .stop = &run->stop};
    Trainer *trainer = trainer_new(&setup, err);
    if (!trainer)
        return false;
    bool ok = trainer_run(trainer, err);
    trainer_free(trainer);
    return ok;
}

static Config small_config(void)
{
    Config config = config_default();
    config.embedding = config.hidden = 24;
    config.dropout = config.piece_dropout = config.label_smoothing = 0;
    config.batch_tokens = 120;
    config.learning_rate = 0.01;
    config.warmup = 20;
    config.steps = 400;
    config.validate = 200;
    config.average = 0.9;
    return config;
}

/* Share of the steps whose attention is greatest where the task says. */
static double aligned(const Run *run, bool reverse)
{
    Tape *tape = tape_new(kernel_best());
    Arena arena = {0};
    int right = 0, all = 0;
    for (size_t i = 0; i < 40; i++) {
        PairIds ids = pair_encode(&run->dev.pair[i], run->vocab, &arena, NULL);
        int n = ids.source_count - 1, width = n + 1;
        SearchSource source = {ids.source, n};
        SearchOptions greedy = {1, 1, 0, 2};
        Hypothesis *h = search_run(run->model, tape, &source, 1, &greedy, &arena)->hypothesis;
        for (int t = 0; t < h->count && t < n; t++, all++) {
            int best = 0;
            for (int s = 1; s < width; s++)
                if (h->weights[t * width + s] > h->weights[t * width + best])
                    best = s;
            right += best == (reverse ? n - 1 - t : t);
        }
    }
    arena_free(&arena);
    tape_free(tape);
    return (double)right / all;
}

/* Copying, then reversing: learned, and by looking at the right letter. */
START_TEST(attention_learns_to_copy_and_reverse)
{
    static Run run;
    bool reverse = _i == 1;
    write_letters("letters.train", 600, 1, reverse);
    write_letters("letters.dev", 60, 2, reverse);
    Config config = small_config();
    config.steps = 800;
    run_open(&run, &config, "letters.train", "letters.dev");
    Err err;
    ck_assert_msg(run_train(&run, &err), "%s", err.text);
    double share = aligned(&run, reverse);
    /* With seeds 1 to 5: BLEU 100 each time; aligned 0.99 to 1, once 0.85 (copying, seed 5). */
    ck_assert_msg(run.last.dev_bleu > 90, "dev BLEU %.2f", run.last.dev_bleu);
    ck_assert_msg(share > 0.8, "aligned %.3f", share);
    run_close(&run);
    unlink("letters.train");
    unlink("letters.dev");
}
END_TEST

/* After few updates. Seeds 1 to 3: 0.91 to 0.95; 0.55, 0.24 and 0.19 without guidance. */
START_TEST(attention_is_guided)
{
    static Run run;
    double share[2];
    write_letters("guide.train", 600, 1, false);
    write_letters("guide.dev", 60, 2, false);
    for (int guided = 0; guided < 2; guided++) {
        Config config = small_config();
        config.steps = config.validate = 100;
        config.guide = guided;
        run_open(&run, &config, "guide.train", "guide.dev");
        Err err;
        ck_assert_msg(run_train(&run, &err), "%s", err.text);
        share[guided] = aligned(&run, false);
        run_close(&run);
    }
    ck_assert_msg(share[1] > 0.85 && share[1] > share[0] + 0.2, "aligned %.3f, guided %.3f", share[0], share[1]);
    unlink("guide.train");
    unlink("guide.dev");
}
END_TEST

/* Two runs, and a run stopped twice and gone on with, end with the same bits. */
START_TEST(a_run_repeats_and_resumes)
{
    static Run whole, parts;
    Config config = small_config();
    config.steps = 60;
    config.validate = 25;
    config.dropout = 0.2;
    config.word_dropout = 0.1;
    config.piece_dropout = 0.3;
    config.threads = 2;
    write_letters("resume.train", 200, 1, true);
    write_letters("resume.dev", 20, 2, true);
    run_open(&whole, &config, "resume.train", "resume.dev");
    run_open(&parts, &config, "resume.train", "resume.dev");
    Err err;
    ck_assert_msg(run_train(&whole, &err), "%s", err.text);
    static const int64_t stops[] = {7, 41, 0};
    for (int i = 0; i < 3; i++) {
        parts.stop_at = stops[i];
        parts.stop = 0;
        ck_assert_msg(run_train(&parts, &err), "%s", err.text);
        ck_assert_int_eq(parts.checkpoint.step, stops[i] ? stops[i] : config.steps);
    }
    for (int role = 0; role < ROLE_COUNT; role++)
        ck_assert_mem_eq(whole.checkpoint.block[role], parts.checkpoint.block[role],
                         whole.model->params.size * sizeof(real));
    ck_assert_int_eq(whole.checkpoint.best_step, parts.checkpoint.best_step);
    ck_assert(whole.checkpoint.best_bleu == parts.checkpoint.best_bleu);
    ck_assert(whole.last.train_loss == parts.last.train_loss);
    parts.train.pairs--;
    ck_assert(!run_train(&parts, &err));
    ck_assert_str_eq(err.text, "the sentence pairs are not those that the run began with");
    run_close(&whole);
    run_close(&parts);
    unlink("resume.train");
    unlink("resume.dev");
}
END_TEST

/* Every kind of model learns eight pairs by heart. */
START_TEST(every_kind_overfits_eight_pairs)
{
    static Run run;
    Config config = small_config();
    config.cell = _i / 4;
    config.score = _i % 4;
    config.share_embeddings = _i % 2;
    config.encoder_layers = config.decoder_layers = 1 + (_i == 5);
    config.steps = config.validate = 1000;
    config.learning_rate = 0.004; /* scaled dot, two projections deep, is the slowest to learn */
    config.batch_tokens = 60;
    write_letters("eight.train", 8, 3, true);
    run_open(&run, &config, "eight.train", "eight.train");
    Err err;
    ck_assert_msg(run_train(&run, &err), "%s", err.text);
    /* With seeds 1 to 4: 100 each time, but once 93 (LSTM, scaled dot, seed 2). */
    ck_assert_msg(run.last.dev_bleu > 80, "cell %d, score %d: BLEU %.2f", config.cell, config.score,
                  run.last.dev_bleu);
    run_close(&run);
    unlink("eight.train");
}
END_TEST

START_TEST(a_loss_that_is_not_finite_names_step_and_parameter)
{
    static Run run;
    Config config = small_config();
    config.threads = 1;
    write_letters("nan.train", 50, 1, false);
    run_open(&run, &config, "nan.train", "nan.train");
    const Param *bias = run.model->combine.bias;
    bias->value[3] = (real)NAN;
    Err err;
    ck_assert(!run_train(&run, &err));
    ck_assert_msg(strncmp(err.text, "step 1: the loss is not finite; largest gradient in ", 52) == 0, "%s",
                  err.text);
    ck_assert_int_eq(run.checkpoint.step, 0);
    run_close(&run);
    unlink("nan.train");
}
END_TEST

START_TEST(a_plan_has_every_pair_and_its_own_order)
{
    static Run run;
    Config config = small_config();
    write_letters("plan.train", 300, 4, false);
    run_open(&run, &config, "plan.train", "plan.train");
    run.train.file[0].weight = 2.5;
    Plan *plan = plan_new(&run.train, run.vocab, 100, 5);
    int64_t pairs = plan_pairs(plan);
    ck_assert_int_gt(plan_too_long(plan), 0);
    double expected = 2.5 * (double)((int64_t)run.train.pairs - plan_too_long(plan));
    ck_assert_double_eq_tol((double)pairs, expected, 4 * sqrt(300 * 0.25));
    uint64_t order[2] = {0, 0}, seen[2] = {0, 0};
    for (int epoch = 0; epoch < 2; epoch++) {
        plan_shuffle(plan, 1, (uint64_t)epoch);
        int64_t total = 0;
        for (int b = 0; b < plan_batches(plan); b++) {
            int count;
            const uint32_t *pair = plan_batch(plan, b, &count);
            total += count;
            for (int i = 0; i < count; i++) {
                seen[epoch] += rng_mix(pair[i]);         /* the same pairs */
                order[epoch] = rng_mix(order[epoch] + pair[i]); /* in another order */
            }
        }
        ck_assert_int_eq(total, pairs);
    }
    ck_assert_uint_eq(seen[0], seen[1]);
    ck_assert_uint_ne(order[0], order[1]);
    plan_free(plan);
    run_close(&run);
    unlink("plan.train");
}
END_TEST

Suite *trainer_suite(void)
{
    Suite *suite = suite_create("trainer");
    TCase *tests = tcase_create("trainer");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, attention_learns_to_copy_and_reverse, 0, 2);
    tcase_add_test(tests, attention_is_guided);
    tcase_add_test(tests, a_run_repeats_and_resumes);
    tcase_add_loop_test(tests, every_kind_overfits_eight_pairs, 0, 8);
    tcase_add_test(tests, a_loss_that_is_not_finite_names_step_and_parameter);
    tcase_add_test(tests, a_plan_has_every_pair_and_its_own_order);
    suite_add_tcase(suite, tests);
    return suite;
}
