/* vocab_learn.c - learning pieces from text (Sennrich, Haddow, Birch 2016, algorithm 1).
 *
 * What is learned from are the distinct tokens, here called words, with their weights. Every pair
 * of neighbouring pieces knows how often it occurs and in which words, so a merge touches only the
 * words it changes: their pairs are taken off, the word is rewritten, its pairs are put on again.
 * The most frequent pair comes from a heap; its entries may be out of date and are checked when
 * they come up. */
#include "text/bpe.h"
#include "text/split.h"
#include "text/vocab.h"
#include "text/vocab_table.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX 128 /* bytes; what is longer is no word and is not merged, so texts stay short */

typedef struct {
    uint64_t weight;
    int *piece; /* [count] */
    size_t count;
} LearnWord;

typedef struct {
    int left, right;
    uint64_t count;
    uint32_t *word; /* [words] where it occurs or has occurred */
    size_t words, room;
    size_t raised; /* the last step that raised the count */
} LearnPair;

typedef struct {
    uint64_t count; /* as it was when the entry was made */
    uint32_t pair;
} LearnEntry;

typedef struct {
    uint32_t code;
    uint64_t count;
} LearnCharacter;

typedef struct {
    Vocab *vocab;
    TextTable texts; /* of the words, in the letter case of pieces; a space that belongs is ' ' */
    LearnWord *word; /* [texts.count] */
    size_t word_room;
    Table index; /* vocab_pair_key -> index into pair */
    LearnPair *pair;
    size_t pair_count, pair_room;
    LearnEntry *heap;
    size_t heap_count, heap_room;
    size_t step;      /* merges done, 1 during the first */
    uint32_t *raised; /* the pairs raised at this step */
    size_t raised_count, raised_room;
} Learner;

/* Room for one element more in a growing array. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room ? *room * 2 : 8;
    return memory_grow(array, *room * size);
}

/* Words. */

static void add_sentence(Learner *it, const VocabSentence *sentence, Buf *key)
{
    Vocab *vocab = it->vocab;
    Split split = split_start(sentence->data, sentence->size, vocab_has_case_markers(vocab));
    vocab->count[VOCAB_END] += sentence->weight;
    for (SplitToken token; split_next(&split, &token);) {
        if (token.letters != SPLIT_PLAIN)
            vocab->count[token.letters == SPLIT_UPPER ? vocab->upper : vocab->title] +=
                sentence->weight;
        key->size = 0;
        if (token.space)
            buf_char(key, ' ');
        for (size_t at = token.begin; at < token.end;) {
            char bytes[4];
            size_t size = split_spell(&split, &token, &at, bytes);
            buf_add(key, bytes, size);
        }
        size_t known = it->texts.count;
        size_t index = text_table_add(&it->texts, key->data, key->size);
        if (index == known) {
            it->word = grow(it->word, index, &it->word_room, sizeof *it->word);
            it->word[index] = (LearnWord){0};
        }
        it->word[index].weight += sentence->weight;
    }
}

/* Characters. */

static int compare_characters(const void *a, const void *b)
{
    const LearnCharacter *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->code < y->code ? -1 : x->code > y->code;
}

/* All characters of the words that may have pieces, most frequent first. */
static LearnCharacter *count_characters(const Learner *it, size_t *count)
{
    LearnCharacter *list = NULL;
    size_t room = 0;
    Table seen = {0};
    *count = 0;
    for (size_t i = 0; i < it->texts.count; i++) {
        size_t size;
        const char *text = text_table_text(&it->texts, i, &size);
        for (size_t at = 0; at < size;) {
            uint32_t code;
            if (!utf8_next(text, size, &at, &code) || (code != ' ' && !vocab_may_have_piece(code)))
                continue;
            uint32_t *place = table_put(&seen, code);
            if (!*place) {
                list = grow(list, *count, &room, sizeof *list);
                list[*count] = (LearnCharacter){.code = code};
                *place = (uint32_t)++*count;
            }
            list[*place - 1].count += it->word[i].weight;
        }
    }
    table_free(&seen);
    if (*count)
        qsort(list, *count, sizeof *list, compare_characters);
    return list;
}

static bool add_characters(Learner *it, const VocabOptions *options, Err *err)
{
    uint64_t minimum = options->char_minimum ? options->char_minimum : 2;
    size_t count, kept = 0, fixed = vocab_size(it->vocab);
    LearnCharacter *list = count_characters(it, &count);
    while (kept < count && list[kept].count >= minimum)
        kept++;
    bool good = options->size <= VOCAB_SIZE_MAX && fixed + kept <= options->size;
    if (!good)
        err_set(err, "a vocabulary of %zu pieces: %zu (%zu of them characters) to %zu expected",
                options->size, fixed + kept, kept, VOCAB_SIZE_MAX);
    for (size_t i = 0; i < kept && good; i++) {
        char text[4];
        if (list[i].code == ' ')
            vocab_add(it->vocab, VOCAB_SPACE, 3, VOCAB_CHARACTER);
        else
            vocab_add(it->vocab, text, utf8_put(list[i].code, text), VOCAB_CHARACTER);
    }
    free(list);
    return good;
}

/* The heap: the largest count on top, equal ones in the order of their texts. */

static int compare_texts(const Vocab *vocab, int a, int b)
{
    VocabPiece x = vocab_piece(vocab, a), y = vocab_piece(vocab, b);
    int order = memcmp(x.text, y.text, x.size < y.size ? x.size : y.size);
    return order ? order : x.size < y.size ? -1 : x.size > y.size;
}

static bool is_above(const Learner *it, LearnEntry a, LearnEntry b)
{
    if (a.count != b.count)
        return a.count > b.count;
    const LearnPair *x = &it->pair[a.pair], *y = &it->pair[b.pair];
    int order = compare_texts(it->vocab, x->left, y->left);
    return order ? order < 0 : compare_texts(it->vocab, x->right, y->right) < 0;
}

static void heap_push(Learner *it, uint32_t pair)
{
    LearnEntry entry = {it->pair[pair].count, pair};
    it->heap = grow(it->heap, it->heap_count, &it->heap_room, sizeof *it->heap);
    size_t at = it->heap_count++;
    for (size_t up; at && is_above(it, entry, it->heap[up = (at - 1) / 2]); at = up)
        it->heap[at] = it->heap[up];
    it->heap[at] = entry;
}

static LearnEntry heap_pop(Learner *it)
{
    LearnEntry top = it->heap[0], last = it->heap[--it->heap_count];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < it->heap_count; at = down) {
        if (down + 1 < it->heap_count && is_above(it, it->heap[down + 1], it->heap[down]))
            down++;
        if (!is_above(it, it->heap[down], last))
            break;
        it->heap[at] = it->heap[down];
    }
    it->heap[at] = last;
    return top;
}

/* Pairs. */

static bool is_mergeable(const Vocab *vocab, int piece)
{
    return vocab->kind[piece] >= VOCAB_CHARACTER;
}

static uint32_t pair_index(Learner *it, int left, int right)
{
    uint32_t *place = table_put(&it->index, vocab_pair_key(left, right));
    if (!*place) {
        it->pair = grow(it->pair, it->pair_count, &it->pair_room, sizeof *it->pair);
        it->pair[it->pair_count] = (LearnPair){.left = left, .right = right};
        *place = (uint32_t)++it->pair_count;
    }
    return *place - 1;
}

static void take_pairs_off(Learner *it, const LearnWord *word)
{
    for (size_t i = 0; i + 1 < word->count; i++)
        if (is_mergeable(it->vocab, word->piece[i]) && is_mergeable(it->vocab, word->piece[i + 1]))
            it->pair[pair_index(it, word->piece[i], word->piece[i + 1])].count -= word->weight;
}

/* Puts the pairs of a word on. Those with the piece fresh may be new to it (-1: all are). */
static void put_pairs_on(Learner *it, uint32_t at, int fresh)
{
    const LearnWord *word = &it->word[at];
    for (size_t i = 0; i + 1 < word->count; i++) {
        int left = word->piece[i], right = word->piece[i + 1];
        if (!is_mergeable(it->vocab, left) || !is_mergeable(it->vocab, right))
            continue;
        uint32_t index = pair_index(it, left, right);
        LearnPair *pair = &it->pair[index];
        pair->count += word->weight;
        if (fresh >= 0 && left != fresh && right != fresh)
            continue;
        if (!pair->words || pair->word[pair->words - 1] != at) {
            pair->word = grow(pair->word, pair->words, &pair->room, sizeof *pair->word);
            pair->word[pair->words++] = at;
        }
        if (fresh >= 0 && pair->raised != it->step) {
            pair->raised = it->step;
            it->raised = grow(it->raised, it->raised_count, &it->raised_room, sizeof *it->raised);
            it->raised[it->raised_count++] = index;
        }
    }
}

/* Joins left and right, from the left on, wherever they meet in the word. */
static void join(LearnWord *word, int left, int right, int result)
{
    size_t to = 0;
    for (size_t from = 0; from < word->count; from++, to++) {
        bool meet = from + 1 < word->count && word->piece[from] == left &&
                    word->piece[from + 1] == right;
        word->piece[to] = meet ? result : word->piece[from];
        from += meet;
    }
    word->count = to;
}

static bool has_pair(const LearnWord *word, int left, int right)
{
    for (size_t i = 0; i + 1 < word->count; i++)
        if (word->piece[i] == left && word->piece[i + 1] == right)
            return true;
    return false;
}

static void merge_pair(Learner *it, uint32_t index)
{
    LearnPair pair = it->pair[index];
    it->pair[index].word = NULL;
    it->pair[index].words = it->pair[index].room = 0;
    char text[2 * VOCAB_TEXT_MAX];
    VocabPiece left = vocab_piece(it->vocab, pair.left), right = vocab_piece(it->vocab, pair.right);
    memcpy(text, left.text, left.size);
    memcpy(text + left.size, right.text, right.size);
    int result = vocab_find(it->vocab, text, left.size + right.size);
    if (result < 0)
        result = vocab_add(it->vocab, text, left.size + right.size, VOCAB_MERGE);
    /* When a piece that existed was made in a second way, old pairs can come up again. */
    if (!table_find(&it->vocab->ranks, vocab_pair_key(pair.left, pair.right)))
        vocab_add_merge(it->vocab, pair.left, pair.right, result);
    it->step++;
    it->raised_count = 0;
    for (size_t i = 0; i < pair.words; i++) {
        LearnWord *word = &it->word[pair.word[i]];
        if (!has_pair(word, pair.left, pair.right))
            continue;
        take_pairs_off(it, word);
        join(word, pair.left, pair.right, result);
        put_pairs_on(it, pair.word[i], result);
    }
    free(pair.word);
    for (size_t i = 0; i < it->raised_count; i++)
        heap_push(it, it->raised[i]);
}

static void symbols_of(Bpe *bpe, const Vocab *vocab, const char *text, size_t size)
{
    bpe->count = 0;
    for (size_t at = 0, begin; at < size;) {
        uint32_t code;
        begin = at;
        utf8_next(text, size, &at, &code);
        if (code == ' ')
            bpe_add_space(bpe, vocab, (TextSpan){0});
        else
            bpe_add_character(bpe, vocab, text + begin, at - begin, (TextSpan){0});
    }
}

static void learn_merges(Learner *it, const VocabOptions *options)
{
    uint64_t minimum = options->merge_minimum ? options->merge_minimum : 2;
    Bpe bpe = {0};
    for (size_t i = 0; i < it->texts.count; i++) {
        size_t size;
        const char *text = text_table_text(&it->texts, i, &size);
        if (size > WORD_MAX)
            continue;
        symbols_of(&bpe, it->vocab, text, size);
        LearnWord *word = &it->word[i];
        word->count = bpe.count;
        word->piece = memory_take(bpe.count * sizeof *word->piece);
        for (size_t k = 0; k < bpe.count; k++)
            word->piece[k] = bpe.symbol[k].id;
        put_pairs_on(it, (uint32_t)i, -1);
    }
    bpe_free(&bpe);
    for (size_t i = 0; i < it->pair_count; i++)
        heap_push(it, (uint32_t)i);
    while (it->heap_count && vocab_size(it->vocab) < options->size &&
           it->vocab->merge_count < VOCAB_SIZE_MAX) {
        LearnEntry entry = heap_pop(it);
        uint64_t count = it->pair[entry.pair].count;
        if (count < minimum)
            continue;
        if (count == entry.count)
            merge_pair(it, entry.pair);
        else if (count < entry.count)
            heap_push(it, entry.pair); /* otherwise a later entry has the larger count */
    }
}

/* How often each piece occurs when the words are encoded. */
static void count_pieces(Learner *it)
{
    Bpe bpe = {0};
    for (size_t i = 0; i < it->texts.count; i++) {
        size_t size;
        const char *text = text_table_text(&it->texts, i, &size);
        symbols_of(&bpe, it->vocab, text, size);
        bpe_merge(&bpe, it->vocab, 0, NULL);
        for (size_t k = 0; k < bpe.count; k++)
            it->vocab->count[bpe.symbol[k].id] += (int64_t)it->word[i].weight;
    }
    bpe_free(&bpe);
}

static void learner_free(Learner *it)
{
    for (size_t i = 0; i < it->texts.count; i++)
        free(it->word[i].piece);
    for (size_t i = 0; i < it->pair_count; i++)
        free(it->pair[i].word);
    text_table_free(&it->texts);
    table_free(&it->index);
    free(it->word);
    free(it->pair);
    free(it->heap);
    free(it->raised);
}

Vocab *vocab_learn(const VocabSentence *sentences, size_t count, const VocabOptions *options,
                   Err *err)
{
    Learner it = {.vocab = vocab_new(options->case_markers)};
    Buf key = {0};
    for (size_t i = 0; i < count; i++)
        add_sentence(&it, &sentences[i], &key);
    buf_free(&key);
    if (add_characters(&it, options, err)) {
        learn_merges(&it, options);
        count_pieces(&it);
    } else {
        vocab_free(it.vocab);
        it.vocab = NULL;
    }
    learner_free(&it);
    return it.vocab;
}
