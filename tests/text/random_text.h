/* random_text.h - strings that are hard on text code, the same for the same rng. */
#ifndef TESTS_TEXT_RANDOM_TEXT_H
#define TESTS_TEXT_RANDOM_TEXT_H

#include "base/buf.h"
#include "base/rng.h"

#include <stdbool.h>

/* Replaces buf by up to `most` characters: words, spaces, punctuation, combining marks, Hangul
 * jamo, scripts without case, letters whose case does not return, emoji sequences, controls, NUL,
 * U+2581; with broken also bytes that are not UTF-8. */
void random_text(Rng *rng, Buf *buf, unsigned most, bool broken);

#endif
