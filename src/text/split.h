/* split.h - text cut into tokens, inside which pieces are merged. Reversible.
 *
 *     Split split = split_start(text.data, text.size, case_markers);
 *     SplitToken token;
 *     while (split_next(&split, &token))
 *         ...
 *
 * Tokens:
 *   word     a letter, then letters, marks, and apostrophes that stand between letters (don't)
 *   digit    one character of any number class
 *   other    a run of one and the same character: ..., !!, ¿
 *   space    one U+0020 that belongs to no other token
 * A space belongs to the word or other token directly behind it; before a digit, before another
 * space and at the end of the text it is a token of its own.
 *
 * Imagined spaces. One is imagined at the start of the text, and one behind every run of a mark
 * that opens (unless the text ends there), so that the word in "¿Qué" is the word in " que". Marks
 * that always open: ¿ ¡ ( [ { « “ ‘ „. Marks that open when nothing, white space or one of the
 * former stands before them: " ' - – —. The reader of tokens drops one space at each such place,
 * and since a writer put one there whenever anything follows, spaces that were in the text
 * survive. split_opens decides for both.
 *
 * Letter case. A word in which every character is the upper case of its own lower case, and at
 * least two differ from it, is UPPER; a word of which that holds for the first letter, and whose
 * others are their own lower case, is TITLE. All mappings are one code point to one code point. */
#ifndef TEXT_SPLIT_H
#define TEXT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { SPLIT_LETTER, SPLIT_MARK, SPLIT_DIGIT, SPLIT_SPACE, SPLIT_OTHER } SplitClass;
typedef enum { SPLIT_PLAIN, SPLIT_UPPER, SPLIT_TITLE } SplitCase;

typedef struct {
    bool space;        /* a space stands before it (or is all there is of it) and belongs to it */
    bool imagined;     /* that space is an imagined one; otherwise it is data[begin - 1] */
    size_t begin, end; /* the bytes behind the space; empty for a space alone */
    SplitCase letters; /* always SPLIT_PLAIN without case markers */
} SplitToken;

typedef struct {
    const char *data;
    size_t size, at;
    uint32_t before; /* the character before at; SPLIT_START at the start */
    bool imagined;   /* an imagined space stands at at; there is always something behind it */
    bool case_markers;
} Split;

#define SPLIT_START 0xFFFFFFFFu

Split split_start(const char *data, size_t size, bool case_markers);
bool split_next(Split *split, SplitToken *token); /* false: the end */

/* Copies the character at *at, inside token, to out in the letter case that pieces are written in,
 * moves *at behind it and returns how many bytes out got. */
size_t split_spell(const Split *split, const SplitToken *token, size_t *at, char out[4]);

SplitClass split_class(uint32_t code);
bool split_opens(uint32_t before, uint32_t mark); /* before: what stands before the run of mark */
bool split_is_apostrophe(uint32_t code);
uint32_t split_lower(uint32_t code);
uint32_t split_upper(uint32_t code);

#endif
