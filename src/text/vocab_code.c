/* vocab_code.c - text to pieces, pieces to text. */
#include "text/bpe.h"
#include "text/split.h"
#include "text/vocab.h"
#include "text/vocab_table.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const Vocab *vocab;
    const Text *text;
    Bpe bpe;
    Pieces pieces; /* growing, outside the arena */
    size_t room;
} Encoder;

static void add_piece(Encoder *it, int id, TextSpan origin)
{
    Pieces *pieces = &it->pieces;
    if (pieces->count == it->room) {
        it->room = it->room ? it->room * 2 : 64;
        pieces->id = memory_grow(pieces->id, it->room * sizeof *pieces->id);
        pieces->origin = memory_grow(pieces->origin, it->room * sizeof *pieces->origin);
    }
    pieces->id[pieces->count] = id;
    pieces->origin[pieces->count++] = origin;
}

static void add_symbols(Encoder *it, const Split *split, const SplitToken *token)
{
    const TextSpan *from = it->text->origin;
    if (token->space && token->imagined) {
        uint32_t here = from[token->begin].begin;
        bpe_add_space(&it->bpe, it->vocab, (TextSpan){here, here});
    } else if (token->space) {
        bpe_add_space(&it->bpe, it->vocab, from[token->begin - 1]);
    }
    for (size_t at = token->begin, begin; at < token->end;) {
        char bytes[4];
        begin = at;
        size_t size = split_spell(split, token, &at, bytes);
        bpe_add_character(&it->bpe, it->vocab, bytes, size,
                          (TextSpan){from[begin].begin, from[at - 1].end});
    }
}

Pieces vocab_encode(const Vocab *vocab, Arena *arena, const Text *text, double dropout, Rng *rng)
{
    assert(dropout <= 0 || rng);
    Encoder it = {.vocab = vocab, .text = text};
    Split split = split_start(text->data, text->size, vocab_has_case_markers(vocab));
    for (SplitToken token; split_next(&split, &token);) {
        if (token.letters != SPLIT_PLAIN) {
            uint32_t here = text->origin[token.begin].begin;
            add_piece(&it, token.letters == SPLIT_UPPER ? vocab->upper : vocab->title,
                      (TextSpan){here, here});
        }
        it.bpe.count = 0;
        add_symbols(&it, &split, &token);
        bpe_merge(&it.bpe, vocab, dropout, rng);
        for (size_t i = 0; i < it.bpe.count; i++)
            add_piece(&it, it.bpe.symbol[i].id, it.bpe.symbol[i].origin);
    }
    Pieces pieces = {.count = it.pieces.count};
    pieces.id = arena_take(arena, pieces.count * sizeof *pieces.id);
    pieces.origin = arena_take(arena, pieces.count * sizeof *pieces.origin);
    if (pieces.count) {
        memcpy(pieces.id, it.pieces.id, pieces.count * sizeof *pieces.id);
        memcpy(pieces.origin, it.pieces.origin, pieces.count * sizeof *pieces.origin);
    }
    free(it.pieces.id);
    free(it.pieces.origin);
    bpe_free(&it.bpe);
    return pieces;
}

/* Decoding goes twice over the text: the pieces' bytes joined are the raw text, still with
 * imagined spaces and in lower case; then it is read character by character, with the markers at
 * their places. */
typedef struct {
    Buf raw;
    size_t *begin;   /* [pieces + 1] where each piece's bytes begin in raw */
    TextSpan *place; /* [raw.size + 1] what became of each raw byte, in the text */
    Buf *out;
    size_t out_begin; /* where the text begins in out */
    bool replace;
    uint32_t before; /* the last character written, SPLIT_START at the start */
    bool drop;       /* a space here is an imagined one */
    bool opens;      /* the run at hand is of a mark that opens */
    SplitCase next;  /* the marker that waits for a word */
    SplitCase word;  /* the marker of the word at hand */
} Decoder;

/* One piece's bytes, with ▁ as space. */
static void add_raw(Buf *raw, const Vocab *vocab, int id)
{
    if (vocab->kind[id] == VOCAB_SPECIAL)
        return;
    if (vocab->kind[id] == VOCAB_BYTE) {
        buf_char(raw, (char)(unsigned char)(id - vocab->byte));
        return;
    }
    VocabPiece piece = vocab_piece(vocab, id);
    for (size_t i = 0; i < piece.size;) {
        bool space = piece.size - i >= 3 && !memcmp(piece.text + i, VOCAB_SPACE, 3);
        buf_char(raw, space ? ' ' : piece.text[i]);
        i += space ? 3 : 1;
    }
}

static bool is_letter_at(const Buf *raw, size_t at)
{
    uint32_t code;
    return at < raw->size && utf8_next(raw->data, raw->size, &at, &code) &&
           split_class(code) == SPLIT_LETTER;
}

/* The letter case of the character code, which ends at raw byte `end`; keeps track of words. */
static uint32_t apply_case(Decoder *it, uint32_t code, size_t end)
{
    SplitClass class = split_class(code);
    if (class == SPLIT_LETTER && it->next != SPLIT_PLAIN) {
        it->word = it->next;
    } else if (class == SPLIT_OTHER && split_is_apostrophe(code)) {
        SplitClass before = it->before == SPLIT_START ? SPLIT_OTHER : split_class(it->before);
        if ((before != SPLIT_LETTER && before != SPLIT_MARK) || !is_letter_at(&it->raw, end))
            it->word = SPLIT_PLAIN;
    } else if (class != SPLIT_LETTER && class != SPLIT_MARK) {
        it->word = SPLIT_PLAIN;
    }
    if (class != SPLIT_SPACE)
        it->next = SPLIT_PLAIN;
    if (it->word == SPLIT_PLAIN)
        return code;
    if (it->word == SPLIT_TITLE)
        it->word = SPLIT_PLAIN;
    return split_upper(code);
}

/* Reads the character at raw byte `at`, writes what it becomes; where the next one begins. */
static size_t decode_character(Decoder *it, size_t at)
{
    size_t begin = at, from = it->out->size;
    uint32_t code;
    char bytes[4];
    bool good = utf8_next(it->raw.data, it->raw.size, &at, &code);
    if (code == ' ' && it->drop) {
        it->drop = false;
    } else if (!good && !it->replace) {
        buf_add(it->out, it->raw.data + begin, at - begin);
        it->word = it->next = SPLIT_PLAIN;
        it->before = code;
        it->drop = it->opens = false;
    } else {
        uint32_t next = SPLIT_START;
        if (code != it->before || it->drop)
            it->opens = split_opens(it->before, code);
        uint32_t written = apply_case(it, code, at);
        buf_add(it->out, bytes, utf8_put(written, bytes));
        it->before = written;
        if (at < it->raw.size) {
            size_t behind = at;
            utf8_next(it->raw.data, it->raw.size, &behind, &next);
        }
        it->drop = it->opens && next != code;
    }
    TextSpan place = {(uint32_t)(from - it->out_begin), (uint32_t)(it->out->size - it->out_begin)};
    for (size_t i = begin; i < at; i++)
        it->place[i] = place;
    return at;
}

/* Where piece i went: without the space at its start, unless it is nothing else. */
static TextSpan piece_span(const Decoder *it, size_t i)
{
    size_t begin = it->begin[i], end = it->begin[i + 1];
    bool space = begin < it->raw.size && it->raw.data[begin] == ' ';
    if (begin == end) {
        uint32_t here = space ? it->place[begin].end : it->place[begin].begin;
        return (TextSpan){here, here};
    }
    begin += space && end - begin > 1;
    return (TextSpan){it->place[begin].begin, it->place[end - 1].end};
}

void vocab_decode(const Vocab *vocab, const int *ids, size_t count, bool replace, Buf *out,
                  TextSpan *span)
{
    Decoder it = {.out = out, .out_begin = out->size, .replace = replace, .before = SPLIT_START,
                  .drop = true};
    it.begin = memory_take((count + 1) * sizeof *it.begin);
    for (size_t i = 0; i < count; i++) {
        it.begin[i] = it.raw.size;
        if (ids[i] >= 0 && (size_t)ids[i] < vocab_size(vocab))
            add_raw(&it.raw, vocab, ids[i]);
    }
    it.begin[count] = it.raw.size;
    it.place = memory_take((it.raw.size + 1) * sizeof *it.place);
    for (size_t at = 0, piece = 0; at < it.raw.size;) {
        for (; piece < count && it.begin[piece] <= at; piece++)
            if (it.begin[piece] == at && ids[piece] > VOCAB_END &&
                (ids[piece] == vocab->upper || ids[piece] == vocab->title))
                it.next = ids[piece] == vocab->upper ? SPLIT_UPPER : SPLIT_TITLE;
        at = decode_character(&it, at);
    }
    uint32_t end = (uint32_t)(out->size - it.out_begin);
    it.place[it.raw.size] = (TextSpan){end, end};
    for (size_t i = 0; span && i < count; i++)
        span[i] = piece_span(&it, i);
    buf_free(&it.raw);
    free(it.begin);
    free(it.place);
}
