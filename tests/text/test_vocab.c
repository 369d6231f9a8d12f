/* test_vocab.c - learning, and rows from outside. */
#include "suite.h"
#include "text/sample.h"

#include <stdlib.h>
#include <string.h>

static Arena arena;
static Vocab *vocab; /* the sample's, with case markers */

static void setup(void)
{
    vocab = sample_learn(false, true);
}

static void teardown(void)
{
    vocab_free(vocab);
    arena_free(&arena);
}

static Pieces encode(const char *text)
{
    Text normal = text_nfc(&arena, text, strlen(text));
    return vocab_encode(vocab, &arena, &normal, 0, NULL);
}

static void check_same(const Vocab *a, const Vocab *b)
{
    ck_assert_uint_eq(vocab_size(a), vocab_size(b));
    ck_assert_uint_eq(vocab_merge_count(a), vocab_merge_count(b));
    for (int id = 0; id < (int)vocab_size(a); id++) {
        VocabPiece x = vocab_piece(a, id), y = vocab_piece(b, id);
        ck_assert_str_eq(x.text, y.text);
        ck_assert(x.kind == y.kind && x.count == y.count && x.size == y.size);
    }
    for (size_t rank = 0; rank < vocab_merge_count(a); rank++) {
        VocabMerge x = vocab_merge(a, rank), y = vocab_merge(b, rank);
        ck_assert(x.rank == y.rank && x.left == y.left && x.right == y.right);
    }
}

/* The example of Sennrich et al. 2016, worked by hand with spaces and ties. */
START_TEST(learns_the_textbook_example)
{
    static const VocabSentence list[] = {
        {"low", 3, 5}, {"lower", 5, 2}, {"newest", 6, 6}, {"widest", 6, 3}, {"xylo", 4, 0}};
    static const char *const merged[] = {"es", "est", "lo", "low", "▁low", "ew", "ewest", "newest",
                                         "▁newest", "dest", "idest", "widest", "▁widest", "er",
                                         "▁lower"};
    Err err = {""};
    Vocab *small = vocab_learn(list, 5, &(VocabOptions){.size = 1000}, &err);
    ck_assert_msg(small != NULL, "%s", err.text);
    ck_assert(!vocab_has_case_markers(small));
    size_t first = 1 + 256 + 11; /* ▁ d e i l n o r s t w */
    ck_assert_uint_eq(vocab_size(small), first + 15);
    for (int i = 0; i < 15; i++)
        ck_assert_str_eq(vocab_piece(small, (int)first + i).text, merged[i]);
    ck_assert_int_eq(vocab_piece(small, (int)first + 4).count, 5);
    ck_assert_int_eq(vocab_piece(small, (int)first + 14).count, 2);
    ck_assert_int_eq(vocab_piece(small, VOCAB_END).count, 16);
    ck_assert_int_eq(vocab_find(small, "x", 1), -1);
    vocab_free(small);
}
END_TEST

START_TEST(learns_the_same_every_time)
{
    Vocab *again = sample_learn(false, true), *backwards = sample_learn(true, true);
    check_same(vocab, again);
    check_same(vocab, backwards);
    vocab_free(again);
    vocab_free(backwards);
    ck_assert_uint_eq(vocab_size(vocab), SAMPLE_SIZE);
    ck_assert_int_eq(vocab_piece(vocab, VOCAB_END).count, SAMPLE_SENTENCES);
}
END_TEST

START_TEST(counts_what_encoding_gives)
{
    int64_t count[SAMPLE_SIZE] = {[VOCAB_END] = SAMPLE_SENTENCES};
    for (size_t i = 0; i < SAMPLE_SENTENCES; i++) {
        Pieces pieces = encode(sample_sentences[i]);
        for (size_t k = 0; k < pieces.count; k++)
            count[pieces.id[k]]++;
    }
    for (int id = 0; id < SAMPLE_SIZE; id++)
        ck_assert_int_eq(count[id], vocab_piece(vocab, id).count);
}
END_TEST

START_TEST(refuses_a_size_too_small)
{
    VocabSentence list = {"aabbcc", 6, 1};
    Err err = {""};
    ck_assert_ptr_null(vocab_learn(&list, 1, &(VocabOptions){.size = 259}, &err));
    ck_assert_str_eq(err.text, "a vocabulary of 259 pieces: 260 (3 of them characters) to 1048576 "
                               "expected");
    Vocab *small = vocab_learn(&list, 1, &(VocabOptions){.size = 260}, &err);
    ck_assert_uint_eq(vocab_size(small), 260);
    vocab_free(small);
    ck_assert_ptr_null(vocab_learn(NULL, 0, &(VocabOptions){.size = 1 << 21}, &err));
    ck_assert_str_eq(err.text, "a vocabulary of 2097152 pieces: 257 (0 of them characters) to "
                               "1048576 expected");
}
END_TEST

/* Rows as a store would read them. */
typedef struct {
    VocabPiece piece[SAMPLE_SIZE];
    VocabMerge merge[SAMPLE_SIZE];
    size_t pieces, merges;
} Rows;

static Rows rows_of(const Vocab *from)
{
    Rows rows = {.pieces = vocab_size(from), .merges = vocab_merge_count(from)};
    for (size_t i = 0; i < rows.pieces; i++)
        rows.piece[i] = vocab_piece(from, (int)i);
    for (size_t i = 0; i < rows.merges; i++)
        rows.merge[i] = vocab_merge(from, i);
    return rows;
}

START_TEST(rows_make_the_same_vocabulary)
{
    for (int markers = 0; markers < 2; markers++) {
        Vocab *from = sample_learn(false, markers);
        Rows rows = rows_of(from);
        Err err = {""};
        Vocab *copy = vocab_from_rows(rows.piece, rows.pieces, rows.merge, rows.merges, &err);
        ck_assert_msg(copy != NULL, "%s", err.text);
        check_same(from, copy);
        ck_assert(vocab_has_case_markers(copy) == markers);
        Text text = text_nfc(&arena, sample_sentences[1], strlen(sample_sentences[1]));
        Pieces a = vocab_encode(from, &arena, &text, 0, NULL);
        Pieces b = vocab_encode(copy, &arena, &text, 0, NULL);
        ck_assert_uint_eq(a.count, b.count);
        ck_assert(!memcmp(a.id, b.id, a.count * sizeof *a.id));
        vocab_free(from);
        vocab_free(copy);
    }
}
END_TEST

static void check_refused(const Rows *rows, const char *message)
{
    Err err = {""};
    Vocab *made = vocab_from_rows(rows->piece, rows->pieces, rows->merge, rows->merges, &err);
    ck_assert_msg(made == NULL, "accepted in spite of: %s", message);
    ck_assert_str_eq(err.text, message);
}

static VocabPiece row(int64_t id, const char *text, VocabKind kind, int64_t count)
{
    return (VocabPiece){id, text, text ? strlen(text) : 0, kind, count};
}

START_TEST(hostile_pieces_are_refused)
{
    char long_text[VOCAB_TEXT_MAX + 2] = "";
    memset(long_text, 'a', VOCAB_TEXT_MAX + 1);
    const struct {
        int at;
        VocabPiece row;
        const char *message;
    } cases[] = {
        {5, row(6, "<0x02>", VOCAB_BYTE, 0), "piece 5: its id is 6"},
        {5, row(-1, "<0x02>", VOCAB_BYTE, 0), "piece 5: its id is -1"},
        {0, row(0, "<s>", VOCAB_SPECIAL, 0), "piece 0: the special </s> expected"},
        {0, row(0, "</s>", VOCAB_BYTE, 0), "piece 0: the special </s> expected"},
        {2, row(2, "<Title>", VOCAB_SPECIAL, 0), "piece 2: the special <title> expected"},
        {3, row(3, "<pad>", VOCAB_SPECIAL, 0), "piece 3: the byte <0x00> expected"},
        {4, row(4, "<0x1>", VOCAB_BYTE, 0), "piece 4: the byte <0x01> expected"},
        {259, row(259, "<0x100>", VOCAB_BYTE, 0), "piece 259: one byte too many"},
        {260, row(260, "x", VOCAB_BYTE, 0), "piece 260: a byte behind a character"},
        {260, row(260, NULL, VOCAB_CHARACTER, 0),
         "piece 260: a text of 1 to 256 bytes expected, not 0"},
        {260, row(260, "", VOCAB_CHARACTER, 0),
         "piece 260: a text of 1 to 256 bytes expected, not 0"},
        {399, row(399, long_text, VOCAB_MERGE, 0),
         "piece 399: a text of 1 to 256 bytes expected, not 257"},
        {260, row(260, "\xC3", VOCAB_CHARACTER, 0), "piece 260: its text is not UTF-8"},
        {260, {260, "a\0", 2, VOCAB_CHARACTER, 0}, "piece 260: its text is not UTF-8"},
        {260, row(260, "xy", VOCAB_CHARACTER, 0),
         "piece 260: its text is not one visible character"},
        {260, row(260, " ", VOCAB_CHARACTER, 0),
         "piece 260: its text is not one visible character"},
        {260, row(260, "q", (VocabKind)9, 0), "piece 260: there is no kind 9"},
        {260, row(260, "q", VOCAB_CHARACTER, -3), "piece 260: its count is -3"},
        {260, row(260, "▁", VOCAB_CHARACTER, 0), "piece 260: its text is that of piece 259 too"},
        {399, row(399, "zzz", VOCAB_MERGE, 0),
         "merge 99: no merged piece has the texts of 272 and 383 joined"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Rows rows = rows_of(vocab);
        rows.piece[cases[i].at] = cases[i].row;
        check_refused(&rows, cases[i].message);
    }
}
END_TEST

START_TEST(hostile_merges_are_refused)
{
    const struct {
        VocabMerge row;
        const char *message;
    } cases[] = {
        {{3, 259, 260}, "merge 1: its rank is 3"},
        {{1, -1, 260}, "merge 1: -1 is not a character or a merged piece"},
        {{1, 400, 260}, "merge 1: 400 is not a character or a merged piece"},
        {{1, 260, INT64_MAX}, "merge 1: 9223372036854775807 is not a character or a merged piece"},
        {{1, 260, 258}, "merge 1: 258 is not a character or a merged piece"},
        {{1, 259, 259}, "merge 1: no merged piece has the texts of 259 and 259 joined"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Rows rows = rows_of(vocab);
        rows.merge[1] = cases[i].row;
        check_refused(&rows, cases[i].message);
    }
    Rows rows = rows_of(vocab);
    rows.merge[1] = rows.merge[0];
    rows.merge[1].rank = 1;
    check_refused(&rows, "merge 1: its pair has been merged before");
    rows = rows_of(vocab);
    rows.merges = 0;
    check_refused(&rows, "piece 300: no merge makes it");
    rows.pieces = 258;
    check_refused(&rows, "a vocabulary of 258 pieces, 259 to 1048576 expected");
    rows.pieces = VOCAB_SIZE_MAX + 1;
    check_refused(&rows, "a vocabulary of 1048577 pieces, 259 to 1048576 expected");
    rows.pieces = SAMPLE_SIZE;
    rows.merges = VOCAB_SIZE_MAX + 1;
    check_refused(&rows, "a vocabulary of 1048577 merges, at most 1048576 expected");
    rows.pieces = 0;
    check_refused(&rows, "a vocabulary of 0 pieces, 257 to 1048576 expected");
}
END_TEST

START_TEST(kinds_have_names)
{
    VocabKind kind = VOCAB_MERGE;
    ck_assert(!vocab_kind_find("Byte", &kind) && !vocab_kind_find("", &kind));
    ck_assert_int_eq(kind, VOCAB_MERGE);
    for (VocabKind k = VOCAB_SPECIAL; k <= VOCAB_MERGE; k++)
        ck_assert(vocab_kind_find(vocab_kind_name(k), &kind) && kind == k);
}
END_TEST

Suite *vocab_suite(void)
{
    Suite *suite = suite_create("vocab");
    TCase *tests = tcase_create("vocab");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, learns_the_textbook_example);
    tcase_add_test(tests, learns_the_same_every_time);
    tcase_add_test(tests, counts_what_encoding_gives);
    tcase_add_test(tests, refuses_a_size_too_small);
    tcase_add_test(tests, rows_make_the_same_vocabulary);
    tcase_add_test(tests, hostile_pieces_are_refused);
    tcase_add_test(tests, hostile_merges_are_refused);
    tcase_add_test(tests, kinds_have_names);
    suite_add_tcase(suite, tests);
    return suite;
}
