/* vocab.h - the joint vocabulary: text to pieces and back, without loss.
 *
 *     VocabOptions options = {.size = 8000, .case_markers = true};
 *     Vocab *vocab = vocab_learn(sentences, count, &options, &err);
 *     Text text = text_source(&arena, line, length);
 *     Pieces pieces = vocab_encode(vocab, &arena, &text, 0, NULL);
 *     pieces.id[i], pieces.origin[i]              a piece, and the bytes of `line` it stands for
 *     vocab_decode(vocab, pieces.id, pieces.count, false, &out, NULL);    out is text.data again
 *     vocab_free(vocab);
 *
 * Byte-pair encoding (Sennrich, Haddow, Birch 2016, section 3.2) with byte fallback and BPE-dropout
 * (Provilkov, Emelianenko, Voita 2020, algorithm 1). A Vocab does not change once made: threads may
 * share it.
 *
 * Pieces, in the order of their ids:
 *   special      </s> is 0: it ends every sentence and starts the decoder. With case markers follow
 *                <upper> 1 and <title> 2. Nothing else; padding is handled by lengths.
 *   byte         <0x00> to <0xFF>: a character without a piece of its own is written in bytes
 *   character    the characters of the training text; ▁ (U+2581) stands for the space
 *   merge        the results of merges, in the order they were learned
 * Merge number `rank` joins pieces left and right (characters or merges) into the piece whose text
 * is theirs joined; texts are unique, so the result needs no column. Two merges may give one piece.
 *
 * How text is cut before merging (split.h has the details): a space belongs to the word behind it;
 * one space is imagined at the start of the text and behind opening marks ( ¿ ¡ ( [ { and opening
 * quotes and dashes), so that a word is written in the same pieces wherever it stands. Merges stay
 * inside a word (letters, marks, and apostrophes between letters) or a run of one and the same
 * punctuation mark; every digit stands alone, and so does the space before it. A literal U+2581 is
 * written in bytes.
 *
 * Case markers: <upper> before a word of two or more letters, all upper case; <title> before a word
 * whose first letter alone is upper case. The word itself is then written in lower case. Only where
 * that is exactly reversible letter by letter; any other word is written as it is.
 *
 * What holds for every well-formed text: decoding its pieces gives its bytes, whatever the
 * dropout. Every sequence of ids decodes to something: </s> gives nothing, a marker with no word
 * behind it too. */
#ifndef TEXT_VOCAB_H
#define TEXT_VOCAB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "text/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOCAB_END 0                        /* the id of </s> */
#define VOCAB_SIZE_MAX ((size_t)1 << 20)   /* pieces, and merges */
#define VOCAB_TEXT_MAX ((size_t)256)       /* bytes of one piece's text */

typedef struct Vocab Vocab;

typedef enum { VOCAB_SPECIAL, VOCAB_BYTE, VOCAB_CHARACTER, VOCAB_MERGE } VocabKind;

/* Rows as the model file keeps them: piece(id, text, kind, count), merge(rank, left, right). */
typedef struct {
    int64_t id;
    const char *text; /* [size] UTF-8 without NUL; vocab_piece's is also NUL-terminated */
    size_t size;
    VocabKind kind;
    int64_t count; /* how often the piece occurs in the training text as encoded */
} VocabPiece;

typedef struct {
    int64_t rank, left, right;
} VocabMerge;

/* "special", "byte", "character", "merge": the values of the column kind. */
const char *vocab_kind_name(VocabKind kind);
bool vocab_kind_find(const char *name, VocabKind *kind); /* false: no such kind */

/* A vocabulary from rows, which are copied. Piece rows in the order of id, merge rows in the order
 * of rank. Everything the documentation above promises is checked, whoever wrote the rows; NULL
 * and one sentence in err when something is wrong. */
MUST_CHECK Vocab *vocab_from_rows(const VocabPiece *pieces, size_t piece_count,
                                  const VocabMerge *merges, size_t merge_count, Err *err);

/* A sentence to learn from, in normalisation form C, source sides folded, counted weight times. */
typedef struct {
    const char *data;
    size_t size;
    uint32_t weight;
} VocabSentence;

typedef struct {
    size_t size;            /* pieces wanted in all; fewer when no more pairs can be merged */
    bool case_markers;      /* use <upper> and <title> */
    uint64_t merge_minimum; /* a pair seen less often is not merged; 0: 2 */
    uint64_t char_minimum;  /* a character seen less often gets no piece of its own; 0: 2 */
} VocabOptions;

/* Learns from the sentences; the same sentences in any order give the same vocabulary. Pairs of
 * equal count are taken in the order of their left, then right, text. NULL when options.size
 * cannot hold the specials, the bytes and the characters. */
MUST_CHECK Vocab *vocab_learn(const VocabSentence *sentences, size_t count,
                              const VocabOptions *options, Err *err);
void vocab_free(Vocab *vocab); /* NULL is fine */

size_t vocab_size(const Vocab *vocab);        /* number of pieces; ids are 0 .. size-1 */
size_t vocab_merge_count(const Vocab *vocab); /* number of merges */
VocabPiece vocab_piece(const Vocab *vocab, int id);          /* 0 <= id < vocab_size, asserted */
VocabMerge vocab_merge(const Vocab *vocab, size_t rank);     /* rank < the count, asserted */
int vocab_find(const Vocab *vocab, const char *text, size_t size); /* its id, or -1 */
bool vocab_has_case_markers(const Vocab *vocab);

/* A sentence as pieces. </s> is not among them. */
typedef struct {
    int *id;          /* [count] */
    TextSpan *origin; /* [count] bytes of the text as it was given to text_nfc or text_source */
    size_t count;     /* 0 for an empty text */
} Pieces;

/* Encodes text into memory from arena. dropout is the chance that a possible merge is passed over,
 * at every step: 0 never (rng may be NULL), 1 always, which leaves characters. The same rng, the
 * same pieces.
 *
 * The origin of a piece leaves out the space at its start, unless the piece is nothing but space.
 * An imagined space and a case marker have an empty origin; a marker's stands at the start of its
 * word. All bytes of a character written in bytes have the whole character's origin. The time is
 * n log n for any text. */
Pieces vocab_encode(const Vocab *vocab, Arena *arena, const Text *text, double dropout, Rng *rng);

/* Appends the text of ids[0 .. count-1] to out. Ids out of range are passed over. Bytes that are
 * not well-formed UTF-8 stay as they are, or become U+FFFD when replace is true.
 *
 * span, unless NULL, is [count]: the bytes of the appended text (0 is its start) each piece made,
 * by the same rules as origin in vocab_encode. */
void vocab_decode(const Vocab *vocab, const int *ids, size_t count, bool replace, Buf *out,
                  TextSpan *span);

#endif
