/* vocab_table.h - what a Vocab is made of; for vocab*.c and bpe.c alone. */
#ifndef TEXT_VOCAB_TABLE_H
#define TEXT_VOCAB_TABLE_H

#include "text/table.h"
#include "text/vocab.h"

#define VOCAB_SPACE "\xE2\x96\x81" /* U+2581, how a piece's text writes the space */
#define VOCAB_SPACE_CODE 0x2581u

typedef struct {
    int left, right, result;
} VocabPair;

struct Vocab {
    TextTable texts;   /* a piece's text has the piece's id as its index */
    VocabKind *kind;   /* [room] */
    int64_t *count;    /* [room] */
    size_t room;
    VocabPair *merge;  /* [merge_count] in the order of rank */
    size_t merge_count, merge_room;
    Table ranks;       /* vocab_pair_key(left, right) -> rank */
    int upper, title;  /* ids of the case markers, -1 without */
    int byte;          /* id of <0x00> */
    int space;         /* id of ▁, -1 when there is none */
    int ascii[128];    /* ids of ASCII characters, -1: none */
};

Vocab *vocab_new(bool case_markers); /* the specials and the bytes */
/* Adds a piece whose text is new; its id. */
int vocab_add(Vocab *vocab, const char *text, size_t size, VocabKind kind);
void vocab_add_merge(Vocab *vocab, int left, int right, int result); /* a pair that is new */
/* The piece of a character as it stands in text, or -1: it must be written in bytes. */
int vocab_character(const Vocab *vocab, uint32_t code);
/* May code have a piece of its own? Not the space, which is written ▁, nor ▁, nor controls. */
bool vocab_may_have_piece(uint32_t code);

static inline uint64_t vocab_pair_key(int left, int right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

#endif
