/* gold.h - a gold standard of word alignment, and how the attention of a model compares with it.
 *
 *     Gold gold = {0};
 *     if (!gold_read(&gold, "gold.tsv", &err)) ...
 *     for (int i = 0; i < gold.pairs; i++) {
 *         gold_merge(&gold.pair[i], &pieces, weight);        what the model looked at, writing pair[i].target
 *         gold_count(&gold.pair[i], weight, 0.2, &stats);
 *     }
 *     links_score(&stats.hard).error
 *     gold_free(&gold);
 *
 * The file has lines of three columns: the source's tokens, the target's tokens, both parted by spaces, and the
 * links as i-j, source first, from 0: "the cat<TAB>el gato<TAB>0-0 1-1". Every link counts as sure.
 *
 * The matrix of a pair, [targets, sources + 1]: how much each target token looked at each source token; the
 * last column is the source's end of the sentence. A source token has the sum over its pieces, a target token
 * the mean over its pieces; a piece without bytes of its own, or of a space, belongs to the token behind it (at
 * the end: before it). The step that wrote the target's end links nothing, and is left out.
 *
 * Links are made of it in four ways; of equal weights the leftmost, and then the uppermost, counts:
 *     hard       each target token with the source column it looked at most; no link where that is the end
 *     reverse    each source token with the target token that looked at it most
 *     mutual     what is linked both ways (the intersection: Och and Ney 2003, section 5)
 *     threshold  all pairs of tokens with at least that weight
 * (Alignment error rate: Och and Ney 2003, section 6; from attention: Luong et al. 2015, section 5.4.) */
#ifndef TEXT_GOLD_H
#define TEXT_GOLD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/real.h"
#include "text/metric.h"
#include "text/text.h"

#define GOLD_SIZE_MAX ((size_t)1 << 20) /* bytes of a line */
#define GOLD_GRID 100                   /* thresholds tried are 1 / GOLD_GRID, 2 / GOLD_GRID, ... below 1 */

typedef struct {
    int source, target; /* tokens, from 0 */
} GoldLink;

typedef struct {
    const char *source, *target;           /* the tokens, as they stand in the file */
    size_t source_size, target_size;
    TextSpan *source_token, *target_token; /* [sources], [targets]: bytes of source and target */
    int sources, targets;                  /* at least 1 */
    GoldLink *link;                        /* [links] in the order of target, then source; none twice */
    int links;
} GoldPair;

typedef struct {
    GoldPair *pair; /* pair i stands in line i + 1 */
    int pairs;      /* at least 1 once read */
    Arena arena;
} Gold;

/* What the model made of a pair: bytes that its pieces stand for, and what it looked at when it wrote them. */
typedef struct {
    const TextSpan *source, *target; /* [sources], [targets] */
    int sources, targets;
    const real *weight;              /* [targets + 1, sources + 1], the ends last */
} GoldPieces;

typedef struct {
    LinkStats hard, reverse, mutual;
    LinkStats given;                /* at the threshold given */
    LinkStats threshold[GOLD_GRID]; /* at k / GOLD_GRID; entry 0 is not used */
} GoldStats;

/* Reads a file to its end, or fails with a sentence that names the file and the line. */
bool gold_read(Gold *gold, const char *path, Err *err) MUST_CHECK;
void gold_free(Gold *gold);

/* Fills weight [pair->targets, pair->sources + 1]. */
void gold_merge(const GoldPair *pair, const GoldPieces *pieces, real *weight);

/* Adds the links of such a matrix to stats. */
void gold_count(const GoldPair *pair, const real *weight, double given, GoldStats *stats);

void gold_add(GoldStats *into, const GoldStats *from);

/* The k of the threshold with the least error; of equal ones the least. */
int gold_best(const GoldStats *stats);

#endif
