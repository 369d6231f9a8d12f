/* vocab.c - the table of pieces and merges, and the checks of rows from outside. Learning is in
 * vocab_learn.c, encoding and decoding in vocab_code.c. */
#include "text/vocab.h"

#include "base/utf8.h"

#include "text/vocab_table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"special", "byte", "character", "merge"};

const char *vocab_kind_name(VocabKind kind)
{
    assert(kind <= VOCAB_MERGE);
    return kind_names[kind];
}

bool vocab_kind_find(const char *name, VocabKind *kind)
{
    for (VocabKind k = VOCAB_SPECIAL; k <= VOCAB_MERGE; k++)
        if (!strcmp(name, kind_names[k])) {
            *kind = k;
            return true;
        }
    return false;
}

bool vocab_may_have_piece(uint32_t code)
{
    return code > ' ' && !(code >= 0x7F && code < 0xA0) && code != VOCAB_SPACE_CODE;
}

int vocab_add(Vocab *vocab, const char *text, size_t size, VocabKind kind)
{
    size_t id = vocab->texts.count;
    assert(id < VOCAB_SIZE_MAX && size <= VOCAB_TEXT_MAX);
    if (id == vocab->room) {
        vocab->room = vocab->room ? vocab->room * 2 : 1024;
        vocab->kind = memory_grow(vocab->kind, vocab->room * sizeof *vocab->kind);
        vocab->count = memory_grow(vocab->count, vocab->room * sizeof *vocab->count);
    }
    size_t index = text_table_add(&vocab->texts, text, size);
    assert(index == id);
    vocab->kind[index] = kind;
    vocab->count[index] = 0;
    if (kind == VOCAB_CHARACTER && size == 1)
        vocab->ascii[(unsigned char)*text & 0x7F] = (int)id;
    else if (kind == VOCAB_CHARACTER && size == 3 && !memcmp(text, VOCAB_SPACE, 3))
        vocab->space = (int)id;
    return (int)id;
}

void vocab_add_merge(Vocab *vocab, int left, int right, int result)
{
    if (vocab->merge_count == vocab->merge_room) {
        vocab->merge_room = vocab->merge_room ? vocab->merge_room * 2 : 1024;
        vocab->merge = memory_grow(vocab->merge, vocab->merge_room * sizeof *vocab->merge);
    }
    *table_put(&vocab->ranks, vocab_pair_key(left, right)) = (uint32_t)vocab->merge_count;
    vocab->merge[vocab->merge_count++] = (VocabPair){left, right, result};
}

Vocab *vocab_new(bool case_markers)
{
    Vocab *vocab = memory_take_zeros(1, sizeof *vocab);
    vocab->upper = vocab->title = vocab->space = -1;
    memset(vocab->ascii, -1, sizeof vocab->ascii);
    vocab_add(vocab, "</s>", 4, VOCAB_SPECIAL);
    if (case_markers) {
        vocab->upper = vocab_add(vocab, "<upper>", 7, VOCAB_SPECIAL);
        vocab->title = vocab_add(vocab, "<title>", 7, VOCAB_SPECIAL);
    }
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)i & 0xFF);
        int id = vocab_add(vocab, name, 6, VOCAB_BYTE);
        if (i == 0)
            vocab->byte = id;
    }
    return vocab;
}

void vocab_free(Vocab *vocab)
{
    if (!vocab)
        return;
    text_table_free(&vocab->texts);
    table_free(&vocab->ranks);
    free(vocab->kind);
    free(vocab->count);
    free(vocab->merge);
    free(vocab);
}

size_t vocab_size(const Vocab *vocab)
{
    return vocab->texts.count;
}

size_t vocab_merge_count(const Vocab *vocab)
{
    return vocab->merge_count;
}

VocabPiece vocab_piece(const Vocab *vocab, int id)
{
    assert(id >= 0 && (size_t)id < vocab->texts.count);
    VocabPiece piece = {.id = id, .kind = vocab->kind[id], .count = vocab->count[id]};
    piece.text = text_table_text(&vocab->texts, (size_t)id, &piece.size);
    return piece;
}

VocabMerge vocab_merge(const Vocab *vocab, size_t rank)
{
    assert(rank < vocab->merge_count);
    const VocabPair *pair = &vocab->merge[rank];
    return (VocabMerge){(int64_t)rank, pair->left, pair->right};
}

int vocab_find(const Vocab *vocab, const char *text, size_t size)
{
    size_t index = text_table_find(&vocab->texts, text, size);
    return index == TEXT_TABLE_NONE ? -1 : (int)index;
}

bool vocab_has_case_markers(const Vocab *vocab)
{
    return vocab->upper >= 0;
}

int vocab_character(const Vocab *vocab, uint32_t code)
{
    if (code < 0x80)
        return code == ' ' ? vocab->space : vocab->ascii[code];
    if (!vocab_may_have_piece(code))
        return -1;
    char text[4];
    return vocab_find(vocab, text, utf8_put(code, text));
}

/* Is text well-formed UTF-8 without NUL? How many characters, and which is the last? */
static bool read_characters(const char *text, size_t size, size_t *count, uint32_t *last)
{
    *count = 0;
    for (size_t at = 0; at < size; ++*count)
        if (!utf8_next(text, size, &at, last) || !*last)
            return false;
    return true;
}

/* Checks what every row must satisfy, and that kinds come in their order. */
static bool check_piece(const VocabPiece *row, size_t id, VocabKind before, Err *err)
{
    size_t characters;
    uint32_t code;
    if (row->id != (int64_t)id)
        return err_set(err, "piece %zu: its id is %lld", id, (long long)row->id);
    if (!row->text || !row->size || row->size > VOCAB_TEXT_MAX)
        return err_set(err, "piece %zu: a text of 1 to %zu bytes expected, not %zu", id,
                       VOCAB_TEXT_MAX, row->text ? row->size : 0);
    if (!read_characters(row->text, row->size, &characters, &code))
        return err_set(err, "piece %zu: its text is not UTF-8", id);
    if ((unsigned)row->kind > VOCAB_MERGE)
        return err_set(err, "piece %zu: there is no kind %d", id, (int)row->kind);
    if (row->count < 0)
        return err_set(err, "piece %zu: its count is %lld", id, (long long)row->count);
    if (row->kind < before)
        return err_set(err, "piece %zu: a %s behind a %s", id, vocab_kind_name(row->kind),
                       vocab_kind_name(before));
    if (row->kind == VOCAB_CHARACTER && (characters != 1 || (!vocab_may_have_piece(code) &&
                                                             code != VOCAB_SPACE_CODE)))
        return err_set(err, "piece %zu: its text is not one visible character", id);
    return true;
}

/* The first pieces, which are the same in all vocabularies. */
static bool check_fixed(const Vocab *vocab, const VocabPiece *row, size_t id, Err *err)
{
    VocabPiece fixed = vocab_piece(vocab, (int)id);
    if (row->kind != fixed.kind || row->size != fixed.size ||
        memcmp(row->text, fixed.text, fixed.size))
        return err_set(err, "piece %zu: the %s %s expected", id, vocab_kind_name(fixed.kind),
                       fixed.text);
    return true;
}

static bool add_pieces(Vocab *vocab, const VocabPiece *pieces, size_t count, Err *err)
{
    size_t fixed = vocab_size(vocab);
    VocabKind before = VOCAB_SPECIAL;
    for (size_t i = 0; i < count; i++) {
        const VocabPiece *row = &pieces[i];
        if (!check_piece(row, i, before, err))
            return false;
        before = row->kind;
        if (i < fixed) {
            if (!check_fixed(vocab, row, i, err))
                return false;
        } else if (row->kind < VOCAB_CHARACTER) {
            return err_set(err, "piece %zu: one %s too many", i, vocab_kind_name(row->kind));
        } else if (vocab_find(vocab, row->text, row->size) >= 0) {
            return err_set(err, "piece %zu: its text is that of piece %d too", i,
                           vocab_find(vocab, row->text, row->size));
        } else {
            vocab_add(vocab, row->text, row->size, row->kind);
        }
        vocab->count[i] = row->count;
    }
    return true;
}

/* The piece that a merge makes, or -1 with err. */
static int merge_result(const Vocab *vocab, const VocabMerge *row, size_t rank, Err *err)
{
    const int64_t part[2] = {row->left, row->right};
    char text[2 * VOCAB_TEXT_MAX];
    size_t size = 0;
    for (int side = 0; side < 2; side++) {
        if (part[side] < 0 || part[side] >= (int64_t)vocab_size(vocab) ||
            vocab->kind[part[side]] < VOCAB_CHARACTER) {
            err_set(err, "merge %zu: %lld is not a character or a merged piece", rank,
                    (long long)part[side]);
            return -1;
        }
        VocabPiece piece = vocab_piece(vocab, (int)part[side]);
        memcpy(text + size, piece.text, piece.size);
        size += piece.size;
    }
    int result = vocab_find(vocab, text, size);
    if (result < 0 || vocab->kind[result] != VOCAB_MERGE) {
        err_set(err, "merge %zu: no merged piece has the texts of %d and %d joined", rank,
                (int)part[0], (int)part[1]);
        return -1;
    }
    return result;
}

static bool add_merges(Vocab *vocab, const VocabMerge *merges, size_t count, Err *err)
{
    bool good = true;
    unsigned char *made = memory_take_zeros(vocab_size(vocab), 1);
    for (size_t i = 0; i < count && good; i++) {
        const VocabMerge *row = &merges[i];
        if (row->rank != (int64_t)i) {
            good = err_set(err, "merge %zu: its rank is %lld", i, (long long)row->rank);
            break;
        }
        int result = merge_result(vocab, row, i, err);
        good = result >= 0;
        if (good && table_find(&vocab->ranks, vocab_pair_key((int)row->left, (int)row->right)))
            good = err_set(err, "merge %zu: its pair has been merged before", i);
        if (good) {
            vocab_add_merge(vocab, (int)row->left, (int)row->right, result);
            made[result] = 1;
        }
    }
    for (size_t id = 0; id < vocab_size(vocab) && good; id++)
        if (vocab->kind[id] == VOCAB_MERGE && !made[id])
            good = err_set(err, "piece %zu: no merge makes it", id);
    free(made);
    return good;
}

Vocab *vocab_from_rows(const VocabPiece *pieces, size_t piece_count, const VocabMerge *merges,
                       size_t merge_count, Err *err)
{
    Vocab *vocab = vocab_new(piece_count > 1 && pieces[1].kind == VOCAB_SPECIAL);
    bool good = true;
    if (piece_count < vocab_size(vocab) || piece_count > VOCAB_SIZE_MAX)
        good = err_set(err, "a vocabulary of %zu pieces, %zu to %zu expected", piece_count,
                       vocab_size(vocab), VOCAB_SIZE_MAX);
    else if (merge_count > VOCAB_SIZE_MAX)
        good = err_set(err, "a vocabulary of %zu merges, at most %zu expected", merge_count,
                       VOCAB_SIZE_MAX);
    if (good) {
        text_table_reserve(&vocab->texts, piece_count);
        table_reserve(&vocab->ranks, merge_count);
    }
    good = good && add_pieces(vocab, pieces, piece_count, err) &&
           add_merges(vocab, merges, merge_count, err);
    if (good)
        return vocab;
    vocab_free(vocab);
    return NULL;
}
