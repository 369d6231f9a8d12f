/* bpe.h - merging the symbols of one token (Sennrich et al. 2016; dropout: Provilkov et al. 2020).
 *
 *     Bpe bpe = {0};
 *     for each token:
 *         bpe.count = 0;
 *         bpe_add_space(...), bpe_add_character(...)      the symbols to begin with
 *         bpe_merge(&bpe, vocab, dropout, rng);
 *         bpe.symbol[0 .. bpe.count-1]                    the pieces
 *     bpe_free(&bpe);
 *
 * At every step the merge of lowest rank is done, of equal ones the leftmost. A heap of candidates
 * and a linked list of symbols make it n log n for a token of n characters. */
#ifndef TEXT_BPE_H
#define TEXT_BPE_H

#include "text/vocab.h"

typedef struct {
    int id;
    uint32_t before, behind; /* the neighbours' places while merging; BPE_NONE at the ends */
    TextSpan origin;         /* without the space at the start, if there is more than that */
} BpeSymbol;

#define BPE_NONE UINT32_MAX

typedef struct {
    uint64_t *key; /* rank << 32 | place of the left symbol */
    size_t count, room;
} BpeHeap;

typedef struct {
    BpeSymbol *symbol;
    size_t count, room;
    BpeHeap heap, passed; /* candidates; those that dropout passed over at this step */
} Bpe;

void bpe_add_space(Bpe *bpe, const Vocab *vocab, TextSpan origin);
/* One character, [size] bytes as they stand in text: by its piece, or in bytes when it has none. */
void bpe_add_character(Bpe *bpe, const Vocab *vocab, const char *bytes, size_t size,
                       TextSpan origin);
void bpe_merge(Bpe *bpe, const Vocab *vocab, double dropout, Rng *rng);
void bpe_free(Bpe *bpe);

#endif
