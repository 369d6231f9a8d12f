/* train.c - the program that trains: corpora in, one SQLite file out. It joins corpus, trainer and store, which
 * do not know each other, and shows what happens. */
#include "base/option.h"
#include "base/version.h"
#include "model/store.h"
#include "model/trainer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MAX = 64 };

enum {
    OPTION_TRAIN = OPTION_LONG, OPTION_DEV, OPTION_EXCLUDE, OPTION_RESUME, OPTION_INIT, OPTION_EXPORT,
    OPTION_PROVENANCE, OPTION_KERNEL, OPTION_FIELD /* + index into config_fields: keep it last */
};

static const Option rows[] = {
    {OPTION_TRAIN, "train", "FILE[:WEIGHT]", false, "Corpora",
     "sentence pairs to learn from, English<TAB>Spanish; may be given again", NULL, NULL},
    {OPTION_DEV, "dev", "FILE", false, "Corpora", "sentence pairs to validate on", NULL, NULL},
    {OPTION_EXCLUDE, "exclude", "FILE", false, "Corpora",
     "drop every pair of which a side stands in this test; may be given again", NULL, NULL},
    {OPTION_PROVENANCE, "provenance", "KEY=VALUE", false, "Corpora",
     "a note on the data for the model's table provenance; may be given again", NULL, NULL},
    {OPTION_RESUME, "resume", NULL, false, "Run",
     "go on with the run in RUN.db, given the same corpora", NULL, NULL},
    {OPTION_INIT, "init", "MODEL.db", false, "Run",
     "begin with the weights and vocabulary of this model", NULL, NULL},
    {OPTION_EXPORT, "export", "OUT.db", false, "Run",
     "write the best weights as a model to translate with; without --train, only that", NULL, NULL},
    {OPTION_KERNEL, "kernel", "NAME", false, "Run",
     "plain, avx2 or avx512 instead of the best that the processor has", NULL, NULL},
    {'q', "quiet", NULL, false, "Other", "say nothing but errors", NULL, NULL},
    {'h', "help", NULL, false, "Other", "show this help and end", NULL, NULL},
    {'V', "version", NULL, false, "Other", "show the version and end", NULL, NULL},
};

typedef struct {
    const char *path;
    double weight;
} TrainFile;

typedef struct {
    TrainFile train[LIST_MAX];
    const char *exclude[LIST_MAX];
    Note note[LIST_MAX + 1];
    int trains, excludes, notes;
    const char *dev, *init, *export, *run;
    const Kernel *kernel;
    bool resume, quiet, help, version;
    Config config;
    bool given[64]; /* which fields the command line sets */
    Arena arena;    /* copies of parts of arguments */
} Settings;

/* ---- the command line ---- */

/* FILE or FILE:WEIGHT; a name that itself ends in :NUMBER is given as NAME:NUMBER:1. */
static bool take_train(Settings *settings, const char *value, Err *err)
{
    if (settings->trains == LIST_MAX)
        return err_set(err, "--train: more than %d corpora", LIST_MAX);
    TrainFile file = {value, 1};
    const char *colon = strrchr(value, ':');
    char *end;
    double weight = colon ? strtod(colon + 1, &end) : 0;
    if (colon && colon[1] && !*end) {
        if (!(weight > 0))
            return err_set(err, "--train: the weight of %s is not above 0", value);
        file.path = arena_copy_text(&settings->arena, value, (size_t)(colon - value));
        file.weight = weight;
    }
    settings->train[settings->trains++] = file;
    return true;
}

static bool take_note(Settings *settings, const char *value, Err *err)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value)
        return err_set(err, "--provenance: '%s' is not KEY=VALUE", value);
    if (settings->notes == LIST_MAX)
        return err_set(err, "--provenance: more than %d notes", LIST_MAX);
    settings->note[settings->notes++] = (Note){
        arena_copy_text(&settings->arena, value, (size_t)(equals - value)), equals + 1};
    return true;
}

static bool take_option(void *data, int id, const char *value, Err *err)
{
    Settings *settings = data;
    switch (id) {
    case OPTION_TRAIN: return take_train(settings, value, err);
    case OPTION_DEV: settings->dev = value; return true;
    case OPTION_PROVENANCE: return take_note(settings, value, err);
    case OPTION_RESUME: settings->resume = true; return true;
    case OPTION_INIT: settings->init = value; return true;
    case OPTION_EXPORT: settings->export = value; return true;
    case 'q': settings->quiet = true; return true;
    case 'h': settings->help = true; return true;
    case 'V': settings->version = true; return true;
    case OPTION_EXCLUDE:
        if (settings->excludes == LIST_MAX)
            return err_set(err, "--exclude: more than %d files", LIST_MAX);
        settings->exclude[settings->excludes++] = value;
        return true;
    case OPTION_KERNEL:
        settings->kernel = kernel_named(value);
        return settings->kernel || err_set(err, "--kernel: no kernel '%s' on this processor", value);
    default:
        settings->given[id - OPTION_FIELD] = true;
        return config_set(&settings->config, config_fields[id - OPTION_FIELD].key, value, err);
    }
}

static void add_fields(OptionTable *table)
{
    static const char *const groups[] = {"Model", "Training", "Search"};
    for (int i = 0; i < config_field_count; i++) {
        const Field *field = &config_fields[i];
        Option row = {.id = OPTION_FIELD + i, .name = field->key, .group = groups[field->use],
                      .help = field->help, .initial = field->value, .choices = field->names};
        row.argument = field->type == FIELD_CHOICE ? "NAME" : field->type == FIELD_INT ? "N" : "X";
        option_add(table, &row, 1);
    }
}

/* What contradicts itself on the command line. */
static bool check_settings(const Settings *settings, Err *err)
{
    if (!settings->run)
        return err_set(err, "no run file; usage: train RUN.db --train FILE --dev FILE; try --help");
    if (!settings->trains)
        return settings->export || err_set(err, "nothing to do: give --train and --dev, or --export");
    if (!settings->dev)
        return err_set(err, "no --dev: validation needs sentence pairs of its own");
    if (settings->resume && settings->init)
        return err_set(err, "--resume goes on with a run and --init begins one: give one of them");
    for (int i = 0; i < config_field_count; i++) {
        bool fixed = settings->resume || (settings->init && config_fields[i].use == FIELD_MODEL);
        if (settings->given[i] && fixed)
            return err_set(err, "--%s: with %s, settings come from the file", config_fields[i].key,
                           settings->resume ? "--resume" : "--init");
    }
    return config_check(&settings->config, err);
}

/* ---- signals ---- */

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- what is shown while it runs ---- */

typedef struct {
    Store *store;
    const Model *model;
    bool quiet, terminal;
    double shown; /* when the live line was last drawn */
} View;

static bool on_save(void *data, const Checkpoint *checkpoint, const Progress *progress, Err *err)
{
    View *view = data;
    return store_save(view->store, view->model, checkpoint, progress, err);
}

static void show_line(const View *view, const Progress *p)
{
    double steps = (double)view->model->config.steps, done = (double)p->step;
    long left = (long)(p->seconds / done * (steps - done) + 0.5);
    printf("epoch %.2f  step %lld/%.0f  loss %.3f  %.0f tokens/s  %ld:%02ld:%02ld left", p->epoch,
           (long long)p->step, steps, p->train_loss, p->tokens_per_second, left / 3600, left / 60 % 60,
           left % 60);
}

static void on_step(void *data, const Progress *progress)
{
    View *view = data;
    if (view->quiet)
        return;
    if (view->terminal && progress->seconds >= view->shown + 0.25) {
        view->shown = progress->seconds;
        printf("\r");
        show_line(view, progress);
        printf("\033[K");
        fflush(stdout);
    } else if (!view->terminal && progress->step % 100 == 0) {
        show_line(view, progress);
        printf("\n");
        fflush(stdout);
    }
}

static void on_validated(void *data, const Progress *p, bool is_best, const Sample *samples, int count)
{
    View *view = data;
    if (view->quiet)
        return;
    printf("%svalidation at step %lld: train loss %.3f, dev loss %.3f, dev BLEU = %.2f, chrF2 = %.2f%s\n",
           view->terminal ? "\r\033[K" : "", (long long)p->step, p->train_loss, p->dev_loss, p->dev_bleu,
           p->dev_chrf, is_best ? " (best so far)" : "");
    for (int i = 0; i < count; i++)
        printf("    %s\n    -> %s\n", samples[i].source, samples[i].translation);
    fflush(stdout);
}

/* ---- the parts of a run ---- */

static bool read_corpora(const Settings *settings, Corpus *train, Corpus *dev, Err *err)
{
    for (int i = 0; i < settings->trains; i++)
        if (!corpus_read(train, settings->train[i].path, settings->train[i].weight, err))
            return false;
    for (int i = 0; i < settings->excludes; i++)
        if (!corpus_exclude(train, settings->exclude[i], err))
            return false;
    if (!corpus_read(dev, settings->dev, 1, err))
        return false;
    Buf text = {0};
    corpus_summary(train, &text);
    corpus_summary(dev, &text);
    if (!settings->quiet)
        fwrite(text.data, 1, text.size, stdout);
    buf_free(&text);
    return true;
}

/* Both sides of all pairs, as the model will see them. */
static Vocab *learn_vocab(const Settings *settings, const Corpus *train, Err *err)
{
    Arena arena = {0};
    VocabSentence *sentence = memory_take(2 * train->pairs * sizeof *sentence);
    for (size_t i = 0; i < train->pairs; i++) {
        const CorpusPair *pair = &train->pair[i];
        double weight = train->file[pair->file].weight;
        uint32_t times = weight < 1 ? 1 : (uint32_t)(weight + 0.5);
        Text source = text_source(&arena, pair->source, pair->source_size);
        Text target = text_nfc(&arena, pair->target, pair->target_size);
        sentence[2 * i] = (VocabSentence){source.data, source.size, times};
        sentence[2 * i + 1] = (VocabSentence){target.data, target.size, times};
    }
    VocabOptions options = {.size = (size_t)settings->config.pieces,
                            .case_markers = settings->config.case_markers};
    Vocab *vocab = vocab_learn(sentence, 2 * train->pairs, &options, err);
    free(sentence);
    arena_free(&arena);
    return vocab;
}

static void checkpoint_allocate(Checkpoint *checkpoint, Params *params)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        checkpoint->block[role] = role == ROLE_WEIGHT
                                      ? params->value
                                      : memory_take_zeros(params->size, sizeof(real));
}

static void checkpoint_free(Checkpoint *checkpoint)
{
    for (int role = 0; role < ROLE_COUNT; role++)
        if (role != ROLE_WEIGHT)
            free(checkpoint->block[role]);
}

/* A model with initial weights, or those of --init; written into a new run file. */
static bool begin_run(const Settings *settings, const Corpus *train, Model **model, Vocab **vocab,
                      Checkpoint *checkpoint, Store **store, Err *err)
{
    if (settings->init) {
        if (!store_init(settings->init, model, vocab, err))
            return false;
        Config given = settings->config;
        for (int i = 0; i < config_field_count; i++) { /* shape from the model, the rest as given */
            Buf value = {0};
            config_get(&(*model)->config, &config_fields[i], &value);
            bool ok = config_fields[i].use != FIELD_MODEL ||
                      config_set(&given, config_fields[i].key, value.data, err);
            buf_free(&value);
            if (!ok)
                return false;
        }
        (*model)->config = given;
    } else {
        *vocab = learn_vocab(settings, train, err);
        if (!*vocab)
            return false;
        *model = model_new(&settings->config, (int)vocab_size(*vocab));
        params_allocate(&(*model)->params);
        model_start(*model, (uint64_t)settings->config.seed);
    }
    checkpoint_allocate(checkpoint, &(*model)->params);
    memcpy(checkpoint->block[ROLE_AVERAGE], checkpoint->block[ROLE_WEIGHT],
           (*model)->params.size * sizeof(real));
    *store = store_create(settings->run, *model, *vocab, settings->note, err);
    return *store && store_save(*store, *model, checkpoint, NULL, err);
}

static bool resume_run(const Settings *settings, Model **model, Vocab **vocab, Checkpoint *checkpoint,
                       Store **store, Err *err)
{
    *store = store_open(settings->run, model, vocab, err);
    if (!*store)
        return false;
    checkpoint_allocate(checkpoint, &(*model)->params);
    if (!store_restore(*store, *model, checkpoint, err))
        return false;
    params_pack(&(*model)->params, 0, (*model)->params.count);
    return true;
}

static bool run_trainer(const Settings *settings, const TrainerSetup *setup, Err *err)
{
    Trainer *trainer = trainer_new(setup, err);
    if (!trainer)
        return false;
    TrainerCounts counts = trainer_counts(trainer);
    if (!settings->quiet) {
        printf("%zu parameters, %zu pieces; %lld pairs in %lld batches an epoch, %lld too long; ",
               setup->model->params.size, vocab_size(setup->vocab), (long long)counts.pairs,
               (long long)counts.batches, (long long)counts.too_long);
        if (counts.linked > 0)
            printf("%.1f %% of the target words linked; ", 100 * counts.linked);
        printf("kernel %s, %d threads\n", setup->kernel->name, setup->model->config.threads);
    }
    fflush(stdout);
    bool ok = trainer_run(trainer, err);
    trainer_free(trainer);
    return ok;
}

static bool train(const Settings *settings, Err *err)
{
    Corpus corpus = {0}, dev = {0};
    Model *model = NULL;
    Vocab *vocab = NULL;
    Store *store = NULL;
    Checkpoint checkpoint = {0};
    View view = {.quiet = settings->quiet, .terminal = isatty(STDOUT_FILENO) == 1};
    bool ok = read_corpora(settings, &corpus, &dev, err) &&
              (settings->resume
                   ? resume_run(settings, &model, &vocab, &checkpoint, &store, err)
                   : begin_run(settings, &corpus, &model, &vocab, &checkpoint, &store, err));
    if (ok) {
        view.store = store;
        view.model = model;
        TrainerSetup setup = {.model = model, .vocab = vocab, .train = &corpus, .dev = &dev,
                              .checkpoint = &checkpoint, .kernel = settings->kernel,
                              .events = {&view, on_save, on_step, on_validated}, .stop = &stop_signal};
        catch_signals();
        ok = run_trainer(settings, &setup, err);
        if (view.terminal && !settings->quiet)
            printf("\n");
    }
    if (ok && stop_signal && !settings->quiet)
        printf("stopped at step %lld; go on with --resume\n", (long long)checkpoint.step);
    store_close(store);
    checkpoint_free(&checkpoint);
    model_free(model);
    vocab_free(vocab);
    corpus_free(&corpus);
    corpus_free(&dev);
    return ok;
}

int main(int argc, char **argv)
{
    static Settings settings;
    OptionTable table = {0};
    Err err;
    settings.config = config_default();
    settings.kernel = kernel_best();
    option_add(&table, rows, (int)(sizeof rows / sizeof *rows));
    add_fields(&table);
    int first = option_parse(&table, argc, argv, take_option, &settings, &err), status = 0;
    if (first && first < argc)
        settings.run = argv[first];
    if (first && settings.help) {
        Buf text = {0};
        buf_text(&text, "usage: train RUN.db --train FILE --dev FILE [options]\n"
                        "Trains a translator; the run lives in the SQLite file RUN.db.\n\n");
        option_help(&table, &text);
        fwrite(text.data, 1, text.size, stdout);
        buf_free(&text);
    } else if (first && settings.version) {
        printf("train (atiende) %s\n", ATIENDE_VERSION);
    } else if (first && first + 1 < argc) {
        status = 2;
        err_set(&err, "one run file, not '%s' too", argv[first + 1]);
    } else if (!first || !check_settings(&settings, &err)) {
        status = 2;
    } else if ((settings.trains && !train(&settings, &err)) ||
               (settings.export && !stop_signal && !store_export(settings.run, settings.export, &err))) {
        status = 1;
    }
    if (status)
        fprintf(stderr, "train: %s\n", err.text);
    arena_free(&settings.arena);
    return status || !stop_signal ? status : 128 + stop_signal;
}
