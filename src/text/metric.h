/* metric.h - how good a translation is: BLEU, chrF2; and an alignment: precision, recall, AER.
 *
 *     BleuStats bleu = {0};
 *     ChrfStats chrf = {0};
 *     for (...) {                                        one translation and its one reference
 *         bleu_add(&bleu, &arena, output, output_size, reference, reference_size);
 *         chrf_add(&chrf, &arena, output, output_size, reference, reference_size);
 *     }
 *     printf("%.2f %.2f\n", bleu_score(&bleu).score, chrf_score(&chrf));
 *
 * Scores are corpus scores from 0 to 100: statistics are summed over all pairs, then scored once.
 * Statistics are integers: threads gather their own and bleu_merge, chrf_merge add them up, in any
 * order and always to the same score. The arena is scratch space and comes back as it was.
 *
 * Equal to sacreBLEU 2 (Post 2018) under the signatures below, which tests/reference/ holds it to:
 * - BLEU (Papineni et al. 2002) over words as mteval-v13a cuts them: ASCII marks stand alone, full
 *   stop and comma not between digits, ¿ and ¡ stay with their word. An order without a match
 *   counts as 1/2, 1/4, ... of a match; no match at all, or too few words for a 4-gram, is 0.
 * - chrF2 (Popović 2015) over characters other than white space: 1- to 6-grams, recall weighing
 *   twice as much as precision, orders that the corpus has not are left out.
 * Case and accents count, and nothing is normalised: é and e + U+0301 differ. White space is what
 * Unicode says. Texts may be any bytes, of at most METRIC_SIZE_MAX (asserted); a byte that is not
 * part of well-formed UTF-8 is a character of its own. Where sacreBLEU refuses an empty reference,
 * this takes it as a sentence of no words. chrF of a single sentence is chrf_add and chrf_score on
 * that sentence; BLEU is not meant for one. */
#ifndef TEXT_METRIC_H
#define TEXT_METRIC_H

#include "base/arena.h"
#include "base/version.h"

#include <stddef.h>
#include <stdint.h>

#define METRIC_VERSION "atiende-" ATIENDE_VERSION
#define BLEU_SIGNATURE "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:" METRIC_VERSION
#define CHRF_SIGNATURE "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:" METRIC_VERSION

#define METRIC_SIZE_MAX ((size_t)1 << 20)

enum { BLEU_ORDERS = 4, CHRF_ORDERS = 6 };

/* Entry n - 1 is about n-grams. */
typedef struct {
    uint64_t output_words, reference_words;
    uint64_t total[BLEU_ORDERS]; /* n-grams of the output */
    uint64_t match[BLEU_ORDERS]; /* those that stand in the reference too, each as often as there */
} BleuStats;

typedef struct {
    double score;
    double precision[BLEU_ORDERS]; /* per cent, smoothed */
    double brevity;                /* penalty: 1 unless the output is shorter than the reference */
} Bleu;

typedef struct {
    uint64_t output[CHRF_ORDERS], reference[CHRF_ORDERS], match[CHRF_ORDERS];
} ChrfStats;

void bleu_add(BleuStats *stats, Arena *scratch, const char *output, size_t output_size,
              const char *reference, size_t reference_size);
void bleu_merge(BleuStats *into, const BleuStats *from);
Bleu bleu_score(const BleuStats *stats);

void chrf_add(ChrfStats *stats, Arena *scratch, const char *output, size_t output_size,
              const char *reference, size_t reference_size);
void chrf_merge(ChrfStats *into, const ChrfStats *from);
double chrf_score(const ChrfStats *stats);

/* Alignment links against a gold standard of sure links only (Och and Ney 2003, section 6), all
 * from 0 to 1. Without any link on a side its measure is 0, and the error rate then 1. */
typedef struct {
    uint64_t found, gold, both; /* links proposed, links in the gold standard, links in both */
} LinkStats;

typedef struct {
    double precision; /* both / found */
    double recall;    /* both / gold */
    double error;     /* 1 - 2 both / (found + gold) */
} LinkScore;

LinkScore links_score(const LinkStats *stats);

#endif
