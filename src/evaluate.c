/* evaluate.c - the program `evaluate`: how good a model is on a test, or how good given translations are; and
 * whether its attention falls where people have linked words.
 *
 * Prints one figure a line; the signatures say how they were computed. */
#include "base/arena.h"
#include "base/option.h"
#include "base/output.h"
#include "base/program.h"
#include "base/reader.h"
#include "base/version.h"
#include "model/setup.h"
#include "text/corpus.h"
#include "text/gold.h"
#include "text/metric.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_LINES = 256 }; /* for each thread */

enum { DONE = 0, FAILED = 1, USAGE = 2 };

typedef struct {
    Setup setup;
    const char *hypotheses, *references, *output, *alignments;
    double threshold; /* -1: to be chosen */
    bool searches; /* an option about the model was given */
    bool help, version;
} Settings;

typedef struct {
    BleuStats bleu;
    ChrfStats chrf;
    Arena scratch;
    long sentences;
    double seconds; /* spent translating; 0: nothing was translated */
} Scores;

enum { HYPOTHESES = OPTION_LONG, REFERENCES, ALIGNMENTS, THRESHOLD };

static const char files[] = "Input and output", attention[] = "Attention", other[] = "Other";

static const Option rows[] = {
    {.id = HYPOTHESES, .name = "hypotheses", .argument = "FILE", .group = files,
     .help = "measure these translations, one a line; needs --references"},
    {.id = REFERENCES, .name = "references", .argument = "FILE", .group = files,
     .help = "what they are held against, one a line"},
    {.id = 'o', .name = "output", .argument = "FILE", .group = files,
     .help = "write the translations to FILE, one a line"},
    {.id = ALIGNMENTS, .name = "alignments", .argument = "FILE", .group = attention,
     .help = "measure the attention against links made by people; lines of English tokens, Spanish "
             "tokens and links i-j, with tabs between and spaces within"},
    {.id = THRESHOLD, .name = "threshold", .argument = "WEIGHT", .group = attention,
     .help = "link tokens from this weight on, 0 to 1", .initial = "chosen on the first half of FILE"},
    {.id = 'h', .name = "help", .group = other, .help = "show this help and end"},
    {.id = 'V', .name = "version", .group = other, .help = "show the version and end"},
};

static bool take_threshold(Settings *settings, const char *value, Err *err)
{
    char *end;
    settings->threshold = strtod(value, &end);
    if (end == value || *end || strspn(value, "0123456789.") != strlen(value) || settings->threshold > 1)
        return err_set(err, "threshold: '%s' is not a number from 0 to 1", value);
    return true;
}

static bool take_option(void *data, int id, const char *value, Err *err)
{
    Settings *settings = data;
    switch (id) {
    case HYPOTHESES:
        settings->hypotheses = value;
        return true;
    case REFERENCES:
        settings->references = value;
        return true;
    case 'o':
        settings->output = value;
        return true;
    case ALIGNMENTS:
        settings->alignments = value;
        return true;
    case THRESHOLD:
        return take_threshold(settings, value, err);
    case 'h':
        return settings->help = true;
    case 'V':
        return settings->version = true;
    default:
        settings->searches = true;
        return setup_take(&settings->setup, id, value, err);
    }
}

static bool check_settings(const Settings *settings, int words, Err *err)
{
    if (!settings->hypotheses != !settings->references)
        return err_set(err, "--hypotheses and --references belong together");
    if (settings->hypotheses && (words || settings->searches || settings->output))
        return err_set(err, "with --hypotheses nothing is translated: no TEST, --output or option "
                            "about the model");
    if (settings->alignments && (words || settings->hypotheses || settings->output))
        return err_set(err, "with --alignments nothing else is measured: no TEST, --hypotheses or --output");
    if (settings->threshold >= 0 && !settings->alignments)
        return err_set(err, "--threshold goes with --alignments");
    if (!settings->hypotheses && !settings->alignments && words == 0)
        return err_set(err, "no test given: a file of lines ENGLISH<TAB>SPANISH, or --hypotheses or "
                            "--alignments");
    if (words > 1)
        return err_set(err, "one test at a time");
    return true;
}

static void show_help(const OptionTable *table, Buf *out)
{
    buf_text(out, "Usage: evaluate [OPTION]... TEST.tsv\n"
                  "       evaluate --hypotheses FILE --references FILE\n"
                  "       evaluate [OPTION]... --alignments FILE\n"
                  "Print BLEU and chrF2 of the model's translations of TEST, a file of lines\n"
                  "ENGLISH<TAB>SPANISH, or of given translations; or the alignment error rate (AER)\n"
                  "of its attention.\n\n");
    option_help(table, out);
    buf_text(out, "\nThe environment variable ATIENDE_KERNEL stands for --kernel.\n"
                  "Status: 0 done, 1 the data or the system, 2 usage, 3 the model.\n");
}

static void score(Scores *scores, const char *output, size_t output_size, const char *reference,
                  size_t reference_size)
{
    bleu_add(&scores->bleu, &scores->scratch, output, output_size, reference, reference_size);
    chrf_add(&scores->chrf, &scores->scratch, output, output_size, reference, reference_size);
    scores->sentences++;
}

static bool report(const Scores *scores, Err *err)
{
    Buf text = {0};
    buf_format(&text, "BLEU = %.2f\nchrF2 = %.2f\n", bleu_score(&scores->bleu).score,
               chrf_score(&scores->chrf));
    buf_format(&text, "BLEU signature = %s\nchrF2 signature = %s\n", BLEU_SIGNATURE, CHRF_SIGNATURE);
    buf_format(&text, "sentences = %ld\n", scores->sentences);
    if (scores->seconds > 0)
        buf_format(&text, "sentences/s = %.1f\n", (double)scores->sentences / scores->seconds);
    bool ok = output_show(&text, err);
    buf_free(&text);
    return ok;
}

/* Two files of lines --------------------------------------------------------------------------- */

static bool open_lines(const char *path, Reader *reader, Err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *reader = reader_start(fd, path);
    return fd >= 0 || err_set(err, "%s: %s", path, strerror(errno));
}

/* Line by line; both readers are left to their owner. */
static bool score_lines(Reader *hypotheses, Reader *references, Scores *scores, Err *err)
{
    for (;;) {
        ReaderLine output, reference;
        ReaderGot got = reader_line(hypotheses, &output, err);
        ReaderGot other_got = got == READER_FAILED ? READER_FAILED : reader_line(references, &reference, err);
        if (got == READER_FAILED || other_got == READER_FAILED)
            return false;
        if (got != other_got)
            return err_set(err, "%s has more lines than %s, which has %ld",
                           got == READER_LINE ? hypotheses->name : references->name,
                           got == READER_LINE ? references->name : hypotheses->name,
                           scores->sentences);
        if (got == READER_END)
            return scores->sentences || err_set(err, "%s: no line in it", hypotheses->name);
        if (output.size > METRIC_SIZE_MAX || reference.size > METRIC_SIZE_MAX)
            return err_set(err, "%s: line %ld is longer than %zu bytes",
                           output.size > METRIC_SIZE_MAX ? hypotheses->name : references->name,
                           output.number, METRIC_SIZE_MAX);
        score(scores, output.data, output.size, reference.data, reference.size);
    }
}

static bool evaluate_lines(const Settings *settings, Scores *scores, Err *err)
{
    Reader hypotheses = {.fd = -1}, references = {.fd = -1};
    bool ok = open_lines(settings->hypotheses, &hypotheses, err) &&
              open_lines(settings->references, &references, err) &&
              score_lines(&hypotheses, &references, scores, err);
    if (hypotheses.fd >= 0)
        close(hypotheses.fd);
    if (references.fd >= 0)
        close(references.fd);
    reader_free(&hypotheses);
    reader_free(&references);
    return ok;
}

/* A test, translated --------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Translates pairs at .. at+n-1. output may be NULL. */
static void translate_pairs(Translator *translator, const CorpusPair *pair, int n, TranslatorLine *line,
                            Output *output, Scores *scores)
{
    for (int i = 0; i < n; i++)
        line[i] = (TranslatorLine){pair[i].source, pair[i].source_size};
    double start = now();
    const Translation *translation = translator_run(translator, line, n);
    scores->seconds += now() - start;
    for (int i = 0; i < n; i++) {
        const TranslationText *text = &translation[i].text[0];
        score(scores, text->data, text->size, pair[i].target, pair[i].target_size);
        if (output) {
            output_add(output, text->data, text->size);
            output_add(output, "\n", 1);
        }
    }
}

static int translate_corpus(const Settings *settings, const char *program, const Corpus *corpus,
                            Output *output, Scores *scores, Err *err)
{
    Model *model = NULL;
    Vocab *vocab = NULL;
    TranslatorOptions options;
    int status = setup_load(&settings->setup, program, &model, &vocab, &options, err);
    if (status)
        return status;
    Translator *translator = translator_new(model, vocab, &options);
    size_t room = (size_t)(BATCH_LINES * options.threads);
    TranslatorLine *line = memory_take(room * sizeof *line);
    for (size_t at = 0; at < corpus->pairs; at += room) {
        size_t n = corpus->pairs - at < room ? corpus->pairs - at : room;
        translate_pairs(translator, corpus->pair + at, (int)n, line, output, scores);
    }
    free(line);
    translator_free(translator);
    vocab_free(vocab);
    model_free(model);
    return DONE;
}

/* A pair that was left out is not measured, and --output has no line for it: that is said. */
static void say_skipped(const Corpus *corpus)
{
    Buf text = {0};
    if (corpus->pairs != corpus->file[0].lines) {
        corpus_summary(corpus, &text);
        for (char *line = text.data, *end; line && (end = strchr(line, '\n')); line = end + 1)
            fprintf(stderr, "evaluate: %.*s\n", (int)(end - line), line);
    }
    buf_free(&text);
}

static int evaluate_test(const Settings *settings, const char *program, const char *test, Scores *scores,
                         Err *err)
{
    static Output output; /* a signal may come as long as the program runs */
    Corpus corpus = {0};
    int status = FAILED;
    if (corpus_read(&corpus, test, 1, err)) {
        say_skipped(&corpus);
        program_unlinks(output.temporary);
        if (!settings->output)
            status = translate_corpus(settings, program, &corpus, NULL, scores, err);
        else if (output_open(&output, settings->output, err))
            status = translate_corpus(settings, program, &corpus, &output, scores, err);
        if (status == DONE && settings->output && !output_close(&output, err))
            status = FAILED;
        output_discard(&output);
    }
    corpus_free(&corpus);
    return status;
}

/* Attention against a gold standard ------------------------------------------------------------- */

typedef struct {
    int first, last; /* lines of the file */
} Lines;

static void add_figure(Buf *out, const char *name, const LinkStats *stats, Lines lines)
{
    LinkScore score = links_score(stats);
    buf_format(out, "AER %s = %.4f precision = %.4f recall = %.4f lines %d to %d", name, score.error,
               score.precision, score.recall, lines.first, lines.last);
}

static void add_best(Buf *out, const GoldStats *stats, Lines lines)
{
    add_figure(out, "hard", &stats->hard, lines);
    buf_char(out, '\n');
    add_figure(out, "reverse", &stats->reverse, lines);
    buf_char(out, '\n');
    add_figure(out, "mutual", &stats->mutual, lines);
    buf_char(out, '\n');
}

/* A threshold that is chosen is chosen on one half and measured on the other, and so is all else beside it. */
static bool report_alignments(const GoldStats half[2], int pairs, double threshold, Err *err)
{
    Buf text = {0};
    int middle = pairs / 2;
    Lines whole = {1, pairs}, second = {middle + 1, pairs};
    GoldStats all = half[0];
    gold_add(&all, &half[1]);
    add_best(&text, &all, whole);
    if (threshold >= 0) {
        add_figure(&text, "threshold", &all.given, whole);
        buf_format(&text, " at %g\n", threshold);
    } else {
        int best = gold_best(&half[0]);
        add_best(&text, &half[1], second);
        add_figure(&text, "threshold", &half[1].threshold[best], second);
        buf_format(&text, " at %.2f, the best on lines 1 to %d\n", (double)best / GOLD_GRID, middle);
    }
    bool ok = output_show(&text, err);
    buf_free(&text);
    return ok;
}

/* The attention of one pair whose target was forced. */
static bool count_links(const GoldPair *pair, const Translation *translation, double threshold,
                        Arena *scratch, GoldStats *stats)
{
    if (translation->too_long || pair->sources > TRANSLATOR_FORCE_MAX || pair->targets > TRANSLATOR_FORCE_MAX)
        return false;
    GoldPieces pieces = {0};
    if (translation->parts) { /* else nothing that can be seen is on either side */
        const TranslationPart *part = translation->part;
        const TranslationOutput *output = translation->text[0].output[0];
        pieces = (GoldPieces){part->origin, output->span, part->count, output->count, output->weights};
    }
    ArenaMark mark = arena_mark(scratch);
    size_t cells = (size_t)pair->targets * ((size_t)pair->sources + 1);
    real *weight = arena_take(scratch, cells * sizeof *weight);
    gold_merge(pair, &pieces, weight);
    gold_count(pair, weight, threshold, stats);
    arena_rewind(scratch, mark);
    return true;
}

static bool force_pairs(Translator *translator, const Gold *gold, const Settings *settings, int room,
                        GoldStats half[2], Err *err)
{
    Arena scratch = {0};
    TranslatorLine *line = memory_take(2 * (size_t)room * sizeof *line), *reference = line + room;
    bool ok = true;
    for (int at = 0, n; ok && at < gold->pairs; at += n) {
        const GoldPair *pair = gold->pair + at;
        n = gold->pairs - at < room ? gold->pairs - at : room;
        for (int i = 0; i < n; i++) {
            line[i] = (TranslatorLine){pair[i].source, pair[i].source_size};
            reference[i] = (TranslatorLine){pair[i].target, pair[i].target_size};
        }
        const Translation *translation = translator_force(translator, line, reference, n);
        for (int i = 0; ok && i < n; i++) {
            GoldStats *stats = &half[at + i >= gold->pairs / 2];
            if (!count_links(&pair[i], &translation[i], settings->threshold, &scratch, stats))
                ok = err_set(err, "%s: line %d: more than %d tokens or pieces", settings->alignments,
                             at + i + 1, TRANSLATOR_FORCE_MAX);
        }
    }
    free(line);
    arena_free(&scratch);
    return ok;
}

static int evaluate_alignments(const Settings *settings, const char *program, Err *err)
{
    Gold gold = {0};
    GoldStats half[2] = {0};
    Model *model = NULL;
    Vocab *vocab = NULL;
    TranslatorOptions options;
    int status = FAILED;
    if (gold_read(&gold, settings->alignments, err) &&
        (gold.pairs > 1 || settings->threshold >= 0 ||
         err_set(err, "%s: one line is too few to choose a threshold on; give one with --threshold",
                 settings->alignments)))
        status = setup_load(&settings->setup, program, &model, &vocab, &options, err);
    if (status == DONE) {
        options.keep_weights = true;
        Translator *translator = translator_new(model, vocab, &options);
        if (!force_pairs(translator, &gold, settings, BATCH_LINES * options.threads, half, err) ||
            !report_alignments(half, gold.pairs, settings->threshold, err))
            status = FAILED;
        translator_free(translator);
    }
    vocab_free(vocab);
    model_free(model);
    gold_free(&gold);
    return status;
}

int main(int argc, char **argv)
{
    Settings settings = {.setup.config = config_default(), .threshold = -1};
    OptionTable table = {0};
    Scores scores = {0};
    Buf text = {0};
    Err err;
    option_add(&table, setup_rows, SETUP_ROWS);
    option_add(&table, rows, sizeof rows / sizeof *rows);
    int first = option_parse(&table, argc, argv, take_option, &settings, &err), status;
    if (settings.help || settings.version) {
        if (settings.help)
            show_help(&table, &text);
        else
            buf_text(&text, "evaluate (atiende) " ATIENDE_VERSION "\n");
        status = output_show(&text, &err) ? DONE : FAILED;
    } else if (!first || !check_settings(&settings, argc - first, &err)) {
        status = USAGE;
    } else if (settings.alignments) {
        status = evaluate_alignments(&settings, argv[0], &err);
    } else {
        status = settings.hypotheses ? !evaluate_lines(&settings, &scores, &err)
                                     : evaluate_test(&settings, argv[0], argv[first], &scores, &err);
        if (status == DONE && !report(&scores, &err))
            status = FAILED;
    }
    if (status != DONE)
        fprintf(stderr, "evaluate: %s\n", err.text);
    buf_free(&text);
    arena_free(&scores.scratch);
    return status;
}
