/* sample.h - a small vocabulary for tests. */
#ifndef TESTS_TEXT_SAMPLE_H
#define TESTS_TEXT_SAMPLE_H

#include "text/vocab.h"

#define SAMPLE_SENTENCES 30
#define SAMPLE_SIZE 400 /* pieces; 437 is all there is to learn */

extern const char *const sample_sentences[SAMPLE_SENTENCES];

/* Learned from the sentences above, first to last or last to first. */
Vocab *sample_learn(bool backwards, bool case_markers);

#endif
