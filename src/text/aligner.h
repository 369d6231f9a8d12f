/* aligner.h - which word comes from which, learned from the sentence pairs alone.
 *
 *     WordLinks *links = aligner_learn(&corpus);
 *     const uint16_t *source = word_links(links, pair, &targets);      source[j] of target word j, or ALIGNER_NONE
 *     word_links_free(links);
 *
 * IBM model 2 with a prior for the diagonal, reparameterised (Dyer, Chahuneau, Smith 2013). In one direction, word
 * j of the n made words comes from word i of the m given ones, or from none, with probability
 *
 *     p(none) = 0.08        p(i | j) = 0.92 exp(tension h(i, j)) / Z(j),    h = -|(i + 1) / m - (j + 1) / n|
 *
 * times p(made word | given word). Five rounds of expectation and maximisation, the translation probabilities with
 * a sparse Dirichlet prior (variational Bayes: Beal 2003), the tension by gradient. Both directions are learned;
 * words are linked that are each other's best (the intersection: Och and Ney 2003, section 5), so each has one
 * link at most. Letter case does not count. The result is a function of the pairs and their order. */
#ifndef TEXT_ALIGNER_H
#define TEXT_ALIGNER_H

#include "text/corpus.h"

#define ALIGNER_NONE UINT16_MAX
#define ALIGNER_WORDS 256 /* pairs with more words on a side are left out */

typedef struct WordLinks WordLinks;

WordLinks *aligner_learn(const Corpus *corpus);
void word_links_free(WordLinks *links); /* NULL is fine */

/* The links of a pair of the corpus: for each target word (words.h) its source word, or ALIGNER_NONE. NULL, and
 * *targets 0, for a pair that was left out. */
const uint16_t *word_links(const WordLinks *links, uint32_t pair, int *targets);

/* Share of the target words that are linked. */
double word_links_share(const WordLinks *links);

#endif
