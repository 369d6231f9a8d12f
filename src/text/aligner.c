#include "text/aligner.h"

#include "base/utf8.h"
#include "text/split.h"
#include "text/table.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, TENSION_STEPS = 8 };

static const double none_prior = 0.08; /* a made word comes from no given word */
static const double sparsity = 0.01;   /* of the Dirichlet prior */

struct WordLinks {
    size_t *first;    /* [pairs + 1]; no words: the pair was left out */
    uint16_t *source; /* [first[pairs]] */
    size_t pairs;
};

/* The corpus in numbers. */
typedef struct {
    uint32_t *source, *target;            /* the words of all pairs, one after the other */
    size_t *source_first, *target_first;  /* [pairs + 1] */
    size_t pairs;
    size_t source_words, target_words;    /* different ones */
    double *weight;                       /* [pairs] */
    uint32_t *cell;                       /* [cells] number of the two words among all that meet in a pair:
                                           * of a pair, for each target word each source word */
    size_t *cell_first;                   /* [pairs + 1] */
    uint32_t *met_source, *met_target;    /* [meetings] the two words */
    size_t meetings;                      /* different ones */
} Bitext;

/* p(made | given), in one direction: source to target, or the other way when reverse. */
typedef struct {
    bool reverse;
    double *probability, *count; /* [meetings] */
    double *none_probability, *none_count; /* [made words] from no given word */
    double *total;               /* [given words] of the counts */
    uint32_t *kinds;             /* [given words] different made words it meets */
    double none_total;
    double tension;
} Direction;

/* ---- words to numbers ---- */

/* The words of one language, as they come. */
typedef struct {
    TextTable table;
    uint32_t *list; /* [room] */
    size_t size, room;
    Buf lower;
} Language;

static bool add_words(Language *language, Arena *arena, const Text *text)
{
    Words words = words_find(arena, text);
    if (words.count > ALIGNER_WORDS)
        return false;
    if (language->size + ALIGNER_WORDS > language->room) {
        language->room = 2 * (language->size + ALIGNER_WORDS);
        language->list = memory_grow(language->list, language->room * sizeof *language->list);
    }
    for (int i = 0; i < words.count; i++) {
        Buf *lower = &language->lower;
        lower->size = 0;
        for (size_t at = words.inside[i].begin; at < words.inside[i].end;) {
            uint32_t code;
            char out[4];
            utf8_next(text->data, text->size, &at, &code);
            buf_add(lower, out, utf8_put(split_lower(code), out));
        }
        language->list[language->size++] =
            (uint32_t)text_table_add(&language->table, lower->data, lower->size);
    }
    return true;
}

/* The list is left to the caller. */
static void language_free(Language *language)
{
    text_table_free(&language->table);
    buf_free(&language->lower);
}

static void read_words(Bitext *text, const Corpus *corpus)
{
    Language sources = {0}, targets = {0};
    Arena arena = {0};
    for (size_t i = 0; i < corpus->pairs; i++) {
        const CorpusPair *pair = &corpus->pair[i];
        Text source = text_source(&arena, pair->source, pair->source_size);
        Text target = text_nfc(&arena, pair->target, pair->target_size);
        if (!add_words(&sources, &arena, &source) || !add_words(&targets, &arena, &target)) {
            sources.size = text->source_first[i]; /* without this pair */
            targets.size = text->target_first[i];
        }
        text->source_first[i + 1] = sources.size;
        text->target_first[i + 1] = targets.size;
        text->weight[i] = corpus->file[pair->file].weight;
        arena_rewind(&arena, (ArenaMark){0});
    }
    text->source = sources.list;
    text->target = targets.list;
    text->source_words = sources.table.count;
    text->target_words = targets.table.count;
    language_free(&sources);
    language_free(&targets);
    arena_free(&arena);
}

static void read_meetings(Bitext *text)
{
    Table table = {0};
    size_t room = 0;
    for (size_t i = 0; i < text->pairs; i++)
        text->cell_first[i + 1] = text->cell_first[i] + (text->source_first[i + 1] - text->source_first[i]) *
                                                            (text->target_first[i + 1] - text->target_first[i]);
    text->cell = memory_take((text->cell_first[text->pairs] + 1) * sizeof *text->cell);
    uint32_t *cell = text->cell;
    for (size_t i = 0; i < text->pairs; i++)
        for (size_t t = text->target_first[i]; t < text->target_first[i + 1]; t++)
            for (size_t s = text->source_first[i]; s < text->source_first[i + 1]; s++) {
                uint32_t *number = table_put(&table, (uint64_t)text->source[s] << 32 | text->target[t]);
                if (!*number) {
                    *number = (uint32_t)table.count;
                    if (table.count > room) {
                        room = 2 * table.count;
                        text->met_source = memory_grow(text->met_source, room * sizeof *text->met_source);
                        text->met_target = memory_grow(text->met_target, room * sizeof *text->met_target);
                    }
                    text->met_source[*number - 1] = text->source[s];
                    text->met_target[*number - 1] = text->target[t];
                }
                *cell++ = *number - 1;
            }
    text->meetings = table.count;
    table_free(&table);
}

static Bitext bitext_new(const Corpus *corpus)
{
    Bitext text = {.pairs = corpus->pairs};
    text.source_first = memory_take_zeros(text.pairs + 1, sizeof *text.source_first);
    text.target_first = memory_take_zeros(text.pairs + 1, sizeof *text.target_first);
    text.cell_first = memory_take_zeros(text.pairs + 1, sizeof *text.cell_first);
    text.weight = memory_take((text.pairs + 1) * sizeof *text.weight);
    read_words(&text, corpus);
    read_meetings(&text);
    return text;
}

static void bitext_free(Bitext *text)
{
    free(text->source);
    free(text->target);
    free(text->source_first);
    free(text->target_first);
    free(text->weight);
    free(text->cell);
    free(text->cell_first);
    free(text->met_source);
    free(text->met_target);
}

/* ---- one direction ---- */

/* A pair, seen from a direction: cell(i, j) = cell[i * given_step + j * made_step]. */
typedef struct {
    const uint32_t *given, *made, *cell;
    int m, n; /* given words, made words */
    int given_step, made_step;
} Side;

static Side side_of(const Bitext *text, const Direction *direction, size_t pair)
{
    const uint32_t *source = text->source + text->source_first[pair];
    const uint32_t *target = text->target + text->target_first[pair];
    int sources = (int)(text->source_first[pair + 1] - text->source_first[pair]);
    int targets = (int)(text->target_first[pair + 1] - text->target_first[pair]);
    const uint32_t *cell = text->cell + text->cell_first[pair];
    return direction->reverse ? (Side){target, source, cell, targets, sources, sources, 1}
                              : (Side){source, target, cell, sources, targets, 1, sources};
}

static double closeness(int i, int j, int m, int n)
{
    return -fabs((double)(i + 1) / m - (double)(j + 1) / n);
}

/* prior[i] for made word j, without its share of none_prior; returns the mean of h under it. */
static double diagonal_prior(double tension, int j, int m, int n, double *prior)
{
    double z = 0, mean = 0;
    for (int i = 0; i < m; i++) {
        prior[i] = exp(tension * closeness(i, j, m, n));
        z += prior[i];
        mean += prior[i] * closeness(i, j, m, n);
    }
    for (int i = 0; i < m; i++)
        prior[i] /= z;
    return mean / z;
}

/* score[i] = prior times translation probability of given word i for made word j; returns that of none. */
static double score_word(const Direction *direction, const Side *side, int j, double *score)
{
    diagonal_prior(direction->tension, j, side->m, side->n, score);
    for (int i = 0; i < side->m; i++)
        score[i] *= (1 - none_prior) *
                    direction->probability[side->cell[i * side->given_step + j * side->made_step]];
    return none_prior * direction->none_probability[side->made[j]];
}

/* Adds the expected counts of one pair; returns the expected sum of h over its links. */
static double count_pair(Direction *direction, const Side *side, double weight)
{
    double score[ALIGNER_WORDS], close = 0;
    for (int j = 0; j < side->n; j++) {
        double none = score_word(direction, side, j, score), sum = none;
        for (int i = 0; i < side->m; i++)
            sum += score[i];
        if (sum <= 0)
            continue;
        direction->none_count[side->made[j]] += weight * none / sum;
        direction->none_total += weight * none / sum;
        for (int i = 0; i < side->m; i++) {
            double expected = weight * score[i] / sum;
            direction->count[side->cell[i * side->given_step + j * side->made_step]] += expected;
            direction->total[side->given[i]] += expected;
            close += expected * closeness(i, j, side->m, side->n);
        }
    }
    return close;
}

/* The derivative of log Gamma (Abramowitz and Stegun 1964, 6.3.5 and 6.3.18). x > 0. */
static double digamma(double x)
{
    double shift = 0;
    for (; x < 7; x++)
        shift -= 1 / x;
    double y = 1 / (x * x);
    return shift + log(x) - 0.5 / x - y * (1. / 12 - y * (1. / 120 - y * (1. / 252 - y / 240)));
}

/* exp(E log p) under the Dirichlet that the counts lead to. */
static double sparse_probability(double count, double total, double kinds)
{
    return exp(digamma(count + sparsity) - digamma(total + sparsity * kinds));
}

static void maximise(Direction *direction, const Bitext *text)
{
    const uint32_t *given = direction->reverse ? text->met_target : text->met_source;
    for (size_t i = 0; i < text->meetings; i++)
        direction->probability[i] = sparse_probability(direction->count[i], direction->total[given[i]],
                                                       direction->kinds[given[i]]);
    size_t made = direction->reverse ? text->source_words : text->target_words;
    for (size_t i = 0; i < made; i++)
        direction->none_probability[i] =
            sparse_probability(direction->none_count[i], direction->none_total, (double)made);
}

/* Upwards in the likelihood: the mean of h under the links found, less that under the prior. */
static void fit_tension(Direction *direction, const Bitext *text, double close, double words)
{
    Table table = {0}; /* how often each pair of lengths occurs, by number in `lengths` */
    struct { int m, n; double weight; } *lengths = NULL;
    for (size_t pair = 0; pair < text->pairs; pair++) {
        Side side = side_of(text, direction, pair);
        uint32_t *number = table_put(&table, (uint64_t)side.m << 32 | (uint64_t)side.n);
        if (!*number) {
            *number = (uint32_t)table.count;
            lengths = memory_grow(lengths, table.count * sizeof *lengths);
            lengths[table.count - 1].m = side.m;
            lengths[table.count - 1].n = side.n;
            lengths[table.count - 1].weight = 0;
        }
        lengths[*number - 1].weight += text->weight[pair];
    }
    for (int step = 0; step < TENSION_STEPS; step++) {
        double expected = 0, prior[ALIGNER_WORDS];
        for (size_t k = 0; k < table.count; k++)
            for (int j = 0; j < lengths[k].n && lengths[k].m > 0; j++)
                expected += lengths[k].weight *
                            diagonal_prior(direction->tension, j, lengths[k].m, lengths[k].n, prior);
        direction->tension += 20 * (close - expected) / words;
        direction->tension = fmin(fmax(direction->tension, 0.1), 14);
    }
    free(lengths);
    table_free(&table);
}

static Direction direction_new(const Bitext *text, bool reverse)
{
    size_t given = reverse ? text->target_words : text->source_words;
    size_t made = reverse ? text->source_words : text->target_words;
    const uint32_t *met_given = reverse ? text->met_target : text->met_source;
    Direction direction = {.reverse = reverse, .tension = 4};
    direction.probability = memory_take(text->meetings * sizeof *direction.probability);
    direction.count = memory_take(text->meetings * sizeof *direction.count);
    direction.none_probability = memory_take(made * sizeof *direction.none_probability);
    direction.none_count = memory_take(made * sizeof *direction.none_count);
    direction.total = memory_take(given * sizeof *direction.total);
    direction.kinds = memory_take_zeros(given, sizeof *direction.kinds);
    for (size_t i = 0; i < text->meetings; i++) {
        direction.probability[i] = 1; /* all alike */
        direction.kinds[met_given[i]]++;
    }
    for (size_t i = 0; i < made; i++)
        direction.none_probability[i] = 1;
    return direction;
}

static void direction_free(Direction *direction)
{
    free(direction->probability);
    free(direction->count);
    free(direction->none_probability);
    free(direction->none_count);
    free(direction->total);
    free(direction->kinds);
}

static void learn(Direction *direction, const Bitext *text)
{
    size_t given = direction->reverse ? text->target_words : text->source_words;
    size_t made = direction->reverse ? text->source_words : text->target_words;
    for (int round = 0; round < ROUNDS; round++) {
        double close = 0, words = 0;
        memset(direction->count, 0, text->meetings * sizeof *direction->count);
        memset(direction->none_count, 0, made * sizeof *direction->none_count);
        memset(direction->total, 0, given * sizeof *direction->total);
        direction->none_total = 0;
        for (size_t pair = 0; pair < text->pairs; pair++) {
            Side side = side_of(text, direction, pair);
            close += count_pair(direction, &side, text->weight[pair]);
            words += text->weight[pair] * side.n;
        }
        maximise(direction, text);
        if (round > 0)
            fit_tension(direction, text, close, words);
    }
}

/* ---- links ---- */

/* best[j] for each made word: the given word that it most probably comes from, or ALIGNER_NONE. */
static void best_links(const Direction *direction, const Bitext *text, size_t pair, uint16_t *best)
{
    Side side = side_of(text, direction, pair);
    double score[ALIGNER_WORDS];
    for (int j = 0; j < side.n; j++) {
        double most = score_word(direction, &side, j, score);
        best[j] = ALIGNER_NONE;
        for (int i = 0; i < side.m; i++)
            if (score[i] > most) {
                most = score[i];
                best[j] = (uint16_t)i;
            }
    }
}

WordLinks *aligner_learn(const Corpus *corpus)
{
    Bitext text = bitext_new(corpus);
    Direction forward = direction_new(&text, false), backward = direction_new(&text, true);
    learn(&forward, &text);
    learn(&backward, &text);
    WordLinks *links = memory_take(sizeof *links);
    links->pairs = corpus->pairs;
    links->source = memory_take((text.target_first[text.pairs] + 1) * sizeof *links->source);
    for (size_t pair = 0; pair < text.pairs; pair++) {
        uint16_t *source = links->source + text.target_first[pair], target[ALIGNER_WORDS];
        size_t targets = text.target_first[pair + 1] - text.target_first[pair];
        best_links(&forward, &text, pair, source);
        best_links(&backward, &text, pair, target);
        for (size_t j = 0; j < targets; j++)
            if (source[j] != ALIGNER_NONE && target[source[j]] != j)
                source[j] = ALIGNER_NONE;
    }
    links->first = text.target_first;
    text.target_first = NULL;
    direction_free(&forward);
    direction_free(&backward);
    bitext_free(&text);
    return links;
}

void word_links_free(WordLinks *links)
{
    if (!links)
        return;
    free(links->first);
    free(links->source);
    free(links);
}

const uint16_t *word_links(const WordLinks *links, uint32_t pair, int *targets)
{
    *targets = (int)(links->first[pair + 1] - links->first[pair]);
    return *targets ? links->source + links->first[pair] : NULL;
}

double word_links_share(const WordLinks *links)
{
    size_t words = links->first[links->pairs], linked = 0;
    for (size_t i = 0; i < words; i++)
        linked += links->source[i] != ALIGNER_NONE;
    return words ? (double)linked / (double)words : 0;
}
