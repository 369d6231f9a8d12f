/* words.h - the words of a text, and the word that a piece belongs to.
 *
 *     Text text = text_source(&arena, line, length);
 *     Words words = words_find(&arena, &text);
 *     int word = words_of(words.origin, words.count, pieces.origin[i]);
 *
 * A word here is what pieces do not cross: a token of split.h, but neighbouring digits are one word, and a space
 * that is a token of its own is none. Words are what the aligner links; readers are shown those of
 * view/alignment.h, which also keep numbers, addresses and hyphens together. */
#ifndef TEXT_WORDS_H
#define TEXT_WORDS_H

#include "base/arena.h"
#include "text/text.h"

typedef struct {
    TextSpan *inside; /* [count] bytes of text.data */
    TextSpan *origin; /* [count] bytes of the input that text was made from */
    int count;
} Words;

/* From left to right; memory from arena. */
Words words_find(Arena *arena, const Text *text);

/* The word that a piece with these bytes belongs to, by bytes of the same text: the first that ends behind the
 * piece's begin, or the last. So a marker, or a space of its own, belongs to the word behind it. n >= 1. */
int words_of(const TextSpan *word, int n, TextSpan piece);

#endif
