#include "model/translator_cut.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SPACE "\xE2\x96\x81" /* how a piece's text writes the space */

/* How well a line can be cut between two pieces. */
typedef enum {
    CUT_NEVER, /* behind a case marker, inside a character */
    CUT_WORD,  /* inside a word */
    CUT_SPACE,
    CUT_COMMA,
    CUT_CLAUSE,   /* ; : */
    CUT_SENTENCE, /* . ! ? */
} Cut;

static bool is_marker(const VocabPiece *piece)
{
    return piece->kind == VOCAB_SPECIAL && piece->id != VOCAB_END;
}

static bool starts_word(const VocabPiece *piece)
{
    return is_marker(piece) || (piece->size >= 3 && !memcmp(piece->text, SPACE, 3));
}

/* The mark that ends the text before piece i, closing quotes and brackets passed over. */
static char mark_before(const Vocab *vocab, const Pieces *pieces, size_t at, size_t i)
{
    while (i > at) {
        VocabPiece piece = vocab_piece(vocab, pieces->id[--i]);
        char last = piece.kind == VOCAB_BYTE ? (char)strtol(piece.text + 3, NULL, 16) /* <0x3B> */
                                             : piece.text[piece.size - 1];
        if (!strchr("\"')]", last) || !last)
            return last;
    }
    return '\0';
}

static Cut cut_before(const Vocab *vocab, const Pieces *pieces, size_t at, size_t i)
{
    VocabPiece before = vocab_piece(vocab, pieces->id[i - 1]), piece = vocab_piece(vocab, pieces->id[i]);
    bool same_character = before.kind == VOCAB_BYTE && piece.kind == VOCAB_BYTE &&
                          pieces->origin[i - 1].begin == pieces->origin[i].begin;
    if (is_marker(&before) || same_character)
        return CUT_NEVER;
    if (!starts_word(&piece))
        return CUT_WORD;
    switch (mark_before(vocab, pieces, at, i)) {
    case '.': case '!': case '?':
        return CUT_SENTENCE;
    case ';': case ':':
        return CUT_CLAUSE;
    case ',':
        return CUT_COMMA;
    default:
        return CUT_SPACE;
    }
}

size_t translator_cut(const Vocab *vocab, const Pieces *pieces, size_t at, size_t limit)
{
    assert(at < pieces->count && limit >= 1);
    if (pieces->count - at <= limit)
        return pieces->count;
    size_t end = at + limit;
    Cut best = CUT_NEVER;
    for (size_t i = at + 1; i <= at + limit; i++) {
        Cut cut = cut_before(vocab, pieces, at, i);
        if ((cut == CUT_CLAUSE || cut == CUT_COMMA) && i - at < limit / 4)
            cut = CUT_SPACE;
        if (cut >= best && cut != CUT_NEVER) {
            best = cut;
            end = i;
        }
    }
    return end;
}
