/* translator.c - lines to parts, parts to batches, batches through the search, and back.
 *
 * All parts of all lines are sorted by length and cut into batches; so a batch has little padding, and a long line
 * keeps all workers busy. Who has time takes the next batch, the longest first, so that all end at about the same
 * time. Where a part was searched leaves no trace in its result. */
#include "model/translator.h"

#include "base/pool.h"
#include "base/utf8.h"
#include "model/translator_cut.h"
#include "text/split.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A part that waits for its search. */
typedef struct {
    TranslationPart *part;
    const char *line;
    size_t number; /* in the order of the text: equal lengths keep it */
    TranslationOutput *given; /* to be forced; NULL: to be searched */
} Job;

typedef struct {
    Tape *tape;
    Arena memory;  /* outputs */
    Arena scratch; /* one batch */
    Buf text;
} Worker;

struct Translator {
    const Model *model;
    const Vocab *vocab;
    TranslatorOptions options;
    Pool *pool;
    Worker *worker; /* [threads] */
    Arena memory;   /* what translator_run returns, but the outputs */
    Arena scratch;
    Buf text;
    Job *job;       /* [jobs], longest first */
    size_t jobs, room;
    size_t batch;   /* jobs searched together */
    atomic_size_t next; /* the first job that nobody has taken */
};

TranslatorOptions translator_options(const Model *model)
{
    const Config *config = &model->config;
    return (TranslatorOptions){
        .search = {config->beam_size, 1, config->normalize, config->max_ratio},
        .max_pieces = config->max_length,
        .threads = 1,
        .kernel = kernel_best(),
    };
}

const Kernel *translator_kernel(const char *name, Err *err)
{
    const char *source = name ? "kernel" : "ATIENDE_KERNEL";
    if (!name)
        name = getenv("ATIENDE_KERNEL");
    if (!name || !*name)
        return kernel_best();
    const Kernel *kernel = kernel_named(name);
    if (!kernel)
        err_set(err, "%s: this processor has no kernel '%s'; its best is %s", source, name,
                kernel_best()->name);
    return kernel;
}

Translator *translator_new(const Model *model, const Vocab *vocab, const TranslatorOptions *options)
{
    assert(options->max_pieces >= 1 && options->threads >= 1);
    assert(vocab_size(vocab) == (size_t)model->pieces);
    Translator *it = memory_take_zeros(1, sizeof *it);
    it->model = model;
    it->vocab = vocab;
    it->options = *options;
    it->pool = pool_new(options->threads);
    it->worker = memory_take_zeros((size_t)options->threads, sizeof *it->worker);
    for (int i = 0; i < options->threads; i++)
        it->worker[i].tape = tape_new(options->kernel);
    return it;
}

void translator_free(Translator *it)
{
    if (!it)
        return;
    for (int i = 0; i < it->options.threads; i++) {
        tape_free(it->worker[i].tape);
        arena_free(&it->worker[i].memory);
        arena_free(&it->worker[i].scratch);
        buf_free(&it->worker[i].text);
    }
    pool_free(it->pool);
    free(it->worker);
    arena_free(&it->memory);
    arena_free(&it->scratch);
    buf_free(&it->text);
    free(it->job);
    free(it);
}

/* Lines to parts ------------------------------------------------------------------------------- */

static bool is_control(unsigned char c)
{
    return (c < ' ' && !(c >= '\t' && c <= '\r')) || c == 0x7F;
}

/* The line with spaces for control characters, byte for byte; itself when it has none. */
static const char *replace_controls(Arena *arena, const TranslatorLine *line, size_t *controls)
{
    for (size_t i = 0; i < line->size; i++)
        *controls += is_control((unsigned char)line->data[i]);
    if (!*controls)
        return line->data;
    char *copy = arena_take(arena, line->size);
    for (size_t i = 0; i < line->size; i++)
        copy[i] = is_control((unsigned char)line->data[i]) ? ' ' : line->data[i];
    return copy;
}

static void add_job(Translator *it, TranslationPart *part, const char *line, TranslationOutput *given)
{
    if (it->jobs == it->room) {
        it->room = it->room ? it->room * 2 : 64;
        it->job = memory_grow(it->job, it->room * sizeof *it->job);
    }
    it->job[it->jobs] = (Job){part, line, it->jobs, given};
    it->jobs++;
}

static Pieces encode_source(Translator *it, const TranslatorLine *line, Translation *translation)
{
    assert(line->size <= TEXT_SIZE_MAX);
    ArenaMark mark = arena_mark(&it->scratch);
    *translation = (Translation){0};
    const char *data = replace_controls(&it->scratch, line, &translation->controls);
    Text text = text_source(&it->scratch, data, line->size);
    translation->replaced = text.replaced;
    Pieces pieces = vocab_encode(it->vocab, &it->memory, &text, 0, NULL);
    arena_rewind(&it->scratch, mark);
    return pieces;
}

static void prepare(Translator *it, const TranslatorLine *line, Translation *translation)
{
    size_t limit = (size_t)it->options.max_pieces, parts = 0;
    Pieces pieces = encode_source(it, line, translation);
    for (size_t at = 0; at < pieces.count; at = translator_cut(it->vocab, &pieces, at, limit))
        parts++;
    translation->part = arena_take_zeros(&it->memory, parts * sizeof *translation->part);
    for (size_t at = 0, end; at < pieces.count; at = end) {
        end = translator_cut(it->vocab, &pieces, at, limit);
        TranslationPart *part = &translation->part[translation->parts++];
        part->id = pieces.id + at;
        part->origin = pieces.origin + at;
        part->count = (int)(end - at);
        add_job(it, part, line->data, NULL);
    }
}

/* Parts through the search --------------------------------------------------------------------- */

/* Does the text have a character of one of the classes (a bit for each)? */
static bool has_class(const char *data, size_t size, unsigned classes)
{
    uint32_t code;
    for (size_t at = 0; at < size;)
        if (utf8_next(data, size, &at, &code) && classes >> split_class(code) & 1)
            return true;
    return false;
}

static bool is_blank(const TranslationOutput *output)
{
    return !has_class(output->data, output->size, ~(1u << SPLIT_SPACE));
}

static bool source_has_words(const Job *job)
{
    size_t begin = job->part->origin[0].begin, end = job->part->origin[job->part->count - 1].end;
    return has_class(job->line + begin, end - begin, 1u << SPLIT_LETTER | 1u << SPLIT_DIGIT);
}

/* Spaces, as many bytes as before, for what would end or disturb a line: controls (U+0000 to U+001F, U+007F to
 * U+009F) and the separators U+2028 and U+2029. The text is well-formed. */
static void make_one_line(char *data, size_t size)
{
    for (size_t at = 0, begin; at < size;) {
        uint32_t code;
        begin = at;
        utf8_next(data, size, &at, &code);
        if (code < ' ' || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029)
            memset(data + begin, ' ', at - begin);
    }
}

static const void *copy(Arena *arena, const void *from, size_t bytes)
{
    void *to = arena_take(arena, bytes);
    if (bytes)
        memcpy(to, from, bytes);
    return to;
}

static TranslationOutput make_output(const Translator *it, Worker *worker, const Hypothesis *from,
                                     int source_count)
{
    size_t count = (size_t)from->count, cells = (count + 1) * ((size_t)source_count + 1);
    TextSpan *span = arena_take(&worker->memory, count * sizeof *span);
    worker->text.size = 0;
    buf_text(&worker->text, "");
    vocab_decode(it->vocab, from->id, count, true, &worker->text, span);
    make_one_line(worker->text.data, worker->text.size);
    TranslationOutput output = {
        .data = arena_copy_text(&worker->memory, worker->text.data, worker->text.size),
        .size = worker->text.size,
        .id = copy(&worker->memory, from->id, count * sizeof *from->id),
        .span = span,
        .count = from->count,
        .score = from->score,
        .normalized = from->normalized,
        .piece_score = copy(&worker->memory, from->piece_score, (count + 1) * sizeof(real)),
    };
    if (it->options.keep_weights)
        output.weights = copy(&worker->memory, from->weights, cells * sizeof(real));
    return output;
}

/* Fills the part's outputs; those that are blank go behind the others when `words`. */
static void take_result(const Translator *it, Worker *worker, const SearchResult *result, bool words,
                        TranslationPart *part)
{
    TranslationOutput *all = arena_take(&worker->memory, (size_t)result->count * sizeof *all);
    for (int i = 0; i < result->count; i++)
        all[i] = make_output(it, worker, &result->hypothesis[i], part->count);
    part->output = arena_take(&worker->memory, (size_t)result->count * sizeof *all);
    part->outputs = 0;
    for (int blank = 0; blank <= 1; blank++)
        for (int i = 0; i < result->count; i++)
            if ((words && is_blank(&all[i])) == blank)
                part->output[part->outputs++] = all[i];
    if (part->outputs > it->options.search.n_best)
        part->outputs = it->options.search.n_best;
}

static void rescue(const Translator *it, Worker *worker, const SearchSource *source, TranslationPart *part)
{
    SearchOptions options = it->options.search;
    if (options.beam_size < TRANSLATOR_RESCUE)
        options.beam_size = TRANSLATOR_RESCUE;
    options.n_best = options.beam_size;
    take_result(it, worker, search_run(it->model, worker->tape, source, 1, &options, &worker->scratch),
                true, part);
}

/* The given output's pieces are known; the rest is found. */
static void force(const Translator *it, Worker *worker, const Job *job)
{
    TranslationPart *part = job->part;
    TranslationOutput *output = job->given;
    size_t steps = (size_t)output->count + 1;
    ArenaMark mark = arena_mark(&worker->scratch);
    SearchGiven given = {.source = {part->id, part->count}, .target = {output->id, output->count}};
    Hypothesis h =
        search_force(it->model, worker->tape, &given, &it->options.search, &worker->scratch);
    output->score = h.score;
    output->normalized = h.normalized;
    output->piece_score = copy(&worker->memory, h.piece_score, steps * sizeof(real));
    if (it->options.keep_weights)
        output->weights =
            copy(&worker->memory, h.weights, steps * ((size_t)part->count + 1) * sizeof(real));
    part->output = output;
    part->outputs = 1;
    arena_rewind(&worker->scratch, mark);
}

static void search_batch(const Translator *it, Worker *worker, const Job *job, int n)
{
    SearchSource *source = arena_take(&worker->scratch, (size_t)n * sizeof *source);
    if (job->given) {
        for (int i = 0; i < n; i++)
            force(it, worker, &job[i]);
        return;
    }
    for (int i = 0; i < n; i++)
        source[i] = (SearchSource){job[i].part->id, job[i].part->count};
    const SearchResult *result =
        search_run(it->model, worker->tape, source, n, &it->options.search, &worker->scratch);
    for (int i = 0; i < n; i++) {
        TranslationPart *part = job[i].part;
        take_result(it, worker, &result[i], false, part);
        if (is_blank(&part->output[0]) && source_has_words(&job[i]))
            rescue(it, worker, &source[i], part);
    }
}

static void work(void *data, int number)
{
    Translator *it = data;
    Worker *worker = &it->worker[number];
    for (size_t at; (at = atomic_fetch_add(&it->next, it->batch)) < it->jobs;) {
        size_t n = it->jobs - at < it->batch ? it->jobs - at : it->batch;
        ArenaMark mark = arena_mark(&worker->scratch);
        search_batch(it, worker, it->job + at, (int)n);
        arena_rewind(&worker->scratch, mark);
    }
}

static int compare_jobs(const void *left, const void *right)
{
    const Job *a = left, *b = right;
    if (a->part->count != b->part->count)
        return a->part->count > b->part->count ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Outputs to lines ----------------------------------------------------------------------------- */

static TranslationText join(Translator *it, const Translation *translation, int rank)
{
    size_t parts = (size_t)translation->parts;
    size_t *at = arena_take(&it->memory, parts * sizeof *at);
    TranslationText text = {.output = arena_take(&it->memory, parts * sizeof *text.output)};
    double length = 0;
    it->text.size = 0;
    buf_text(&it->text, "");
    for (size_t i = 0; i < parts; i++) {
        const TranslationPart *part = &translation->part[i];
        const TranslationOutput *output = &part->output[rank < part->outputs ? rank : part->outputs - 1];
        if (it->text.size && output->size)
            buf_char(&it->text, ' ');
        at[i] = it->text.size;
        buf_add(&it->text, output->data, output->size);
        text.output[i] = output;
        text.score += output->score;
        length += output->count + 1;
    }
    text.at = at;
    text.data = arena_copy_text(&it->memory, it->text.data, it->text.size);
    text.size = it->text.size;
    text.normalized = parts ? text.score / pow(length, it->options.search.normalize) : 0;
    return text;
}

static void finish(Translator *it, Translation *translation)
{
    translation->texts = 1;
    for (int i = 0; i < translation->parts; i++)
        if (translation->part[i].outputs > translation->texts)
            translation->texts = translation->part[i].outputs;
    translation->text = arena_take(&it->memory, (size_t)translation->texts * sizeof(TranslationText));
    for (int i = 0; i < translation->texts; i++)
        translation->text[i] = join(it, translation, i);
}

static Translation *start(Translator *it, int n)
{
    const ArenaMark empty = {0};
    arena_rewind(&it->memory, empty);
    for (int i = 0; i < it->options.threads; i++)
        arena_rewind(&it->worker[i].memory, empty);
    it->jobs = 0;
    return arena_take(&it->memory, (size_t)n * sizeof(Translation));
}

/* All that was prepared, by all workers. */
static void run(Translator *it, Translation *translation, int n)
{
    size_t threads = (size_t)it->options.threads;
    if (it->jobs)
        qsort(it->job, it->jobs, sizeof *it->job, compare_jobs);
    it->batch = (it->jobs + threads - 1) / threads;
    if (it->batch > TRANSLATOR_BATCH)
        it->batch = TRANSLATOR_BATCH;
    it->next = 0;
    if (it->jobs == 1)
        work(it, 0);
    else if (it->jobs)
        pool_run(it->pool, work, it);
    for (int i = 0; i < n; i++)
        finish(it, &translation[i]);
}

const Translation *translator_run(Translator *it, const TranslatorLine *line, int n)
{
    Translation *translation = start(it, n);
    for (int i = 0; i < n; i++)
        prepare(it, &line[i], &translation[i]);
    run(it, translation, n);
    return translation;
}

/* One part, whatever its length. */
static void prepare_forced(Translator *it, const TranslatorLine *line, const TranslatorLine *reference,
                           Translation *translation)
{
    assert(reference->size <= TEXT_SIZE_MAX);
    Pieces source = encode_source(it, line, translation);
    ArenaMark mark = arena_mark(&it->scratch);
    char *data = arena_copy_text(&it->memory, reference->data, reference->size);
    make_one_line(data, reference->size);
    Text text = text_nfc(&it->scratch, data, reference->size);
    Pieces target = vocab_encode(it->vocab, &it->memory, &text, 0, NULL);
    translation->replaced += text.replaced;
    arena_rewind(&it->scratch, mark);
    translation->too_long = source.count > TRANSLATOR_FORCE_MAX || target.count > TRANSLATOR_FORCE_MAX;
    if (translation->too_long ||
        (!source.count && !has_class(data, reference->size, ~(1u << SPLIT_SPACE))))
        return;

    TranslationOutput *output = arena_take(&it->memory, sizeof *output);
    *output = (TranslationOutput){.data = data, .size = reference->size, .id = target.id,
                                  .span = target.origin, .count = (int)target.count};
    translation->parts = 1;
    translation->part = arena_take_zeros(&it->memory, sizeof *translation->part);
    *translation->part = (TranslationPart){source.id, source.origin, (int)source.count, NULL, 0};
    add_job(it, translation->part, line->data, output);
}

const Translation *translator_force(Translator *it, const TranslatorLine *line,
                                    const TranslatorLine *reference, int n)
{
    Translation *translation = start(it, n);
    for (int i = 0; i < n; i++)
        prepare_forced(it, &line[i], &reference[i], &translation[i]);
    run(it, translation, n);
    return translation;
}
