/* translator_cut.h - where a line that is too long is cut; for translator.c and its test. */
#ifndef MODEL_TRANSLATOR_CUT_H
#define MODEL_TRANSLATOR_CUT_H

#include "text/vocab.h"

/* The end of the part that begins at piece `at` (at < pieces->count): at most at + limit. limit >= 1. */
size_t translator_cut(const Vocab *vocab, const Pieces *pieces, size_t at, size_t limit);

#endif
