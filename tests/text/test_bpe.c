/* test_bpe.c - merging: against the plain algorithm, with dropout, and in bounded time. */
#include "suite.h"
#include "text/bpe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Vocab *vocab; /* of the letters a to d; the words are long enough for 60 merges */
static Bpe bpe;
static Rng rng;

static void setup(void)
{
    VocabSentence list[40];
    char words[40][16];
    rng = rng_at(31, 0, 0);
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 16; k++)
            words[i][k] = (char)('a' + rng_below(&rng, 1 + rng_below(&rng, 4)));
        list[i] = (VocabSentence){words[i], 16, 1};
    }
    Err err = {""};
    vocab = vocab_learn(list, 40, &(VocabOptions){.size = 257 + 5 + 60}, &err);
    ck_assert_msg(vocab != NULL, "%s", err.text);
}

static void teardown(void)
{
    vocab_free(vocab);
    bpe_free(&bpe);
}

static void random_word(size_t size)
{
    bpe.count = 0;
    bpe_add_space(&bpe, vocab, (TextSpan){0, 0});
    for (uint32_t i = 0; i < size; i++) {
        char letter = (char)('a' + rng_below(&rng, 5)); /* e has no piece: it stays a byte */
        bpe_add_character(&bpe, vocab, &letter, 1, (TextSpan){i, i + 1});
    }
}

/* The place of the pair to merge by the definition, or count: at every step all merges possible are
 * dropped with chance dropout, and of the rest the one of lowest rank is done, the leftmost. */
static size_t best_place(const int *id, size_t count, double dropout, size_t *rank)
{
    size_t best = count;
    *rank = vocab_merge_count(vocab);
    for (size_t i = 0; i + 1 < count; i++)
        for (size_t r = 0; r < vocab_merge_count(vocab); r++) {
            VocabMerge merge = vocab_merge(vocab, r);
            if (merge.left != id[i] || merge.right != id[i + 1])
                continue;
            if ((dropout <= 0 || rng_uniform(&rng) >= dropout) && r < *rank) {
                best = i;
                *rank = r;
            }
        }
    return best;
}

static size_t merge_plainly(int *id, size_t count, double dropout)
{
    for (size_t rank, at; (at = best_place(id, count, dropout, &rank)) < count; count--) {
        VocabMerge merge = vocab_merge(vocab, rank);
        VocabPiece left = vocab_piece(vocab, (int)merge.left);
        VocabPiece right = vocab_piece(vocab, (int)merge.right);
        char text[2 * VOCAB_TEXT_MAX];
        memcpy(text, left.text, left.size);
        memcpy(text + left.size, right.text, right.size);
        id[at] = vocab_find(vocab, text, left.size + right.size);
        memmove(id + at + 1, id + at + 2, (count - at - 2) * sizeof *id);
    }
    return count;
}

START_TEST(merges_as_the_plain_algorithm)
{
    for (int i = 0; i < 400; i++) {
        int id[48];
        random_word(rng_below(&rng, 40));
        size_t count = bpe.count;
        for (size_t k = 0; k < count; k++)
            id[k] = bpe.symbol[k].id;
        count = merge_plainly(id, count, 0);
        bpe_merge(&bpe, vocab, 0, NULL);
        ck_assert_uint_eq(bpe.count, count);
        uint32_t end = 0;
        for (size_t k = 0; k < count; k++) {
            ck_assert_int_eq(bpe.symbol[k].id, id[k]);
            ck_assert_uint_eq(bpe.symbol[k].origin.begin, end);
            end = bpe.symbol[k].origin.end;
        }
    }
}
END_TEST

/* Provilkov et al. 2020, algorithm 1, drawing for every possible merge at every step. */
START_TEST(dropout_has_the_distribution_of_the_paper)
{
    double sum[2] = {0}, squares[2] = {0};
    int rounds = 3000;
    for (int i = 0; i < rounds; i++) {
        int id[16];
        const char *word = "abacabad";
        bpe.count = 0;
        bpe_add_space(&bpe, vocab, (TextSpan){0, 0});
        for (int k = 0; k < 8; k++)
            bpe_add_character(&bpe, vocab, word + k, 1, (TextSpan){0, 0});
        for (size_t k = 0; k < 9; k++)
            id[k] = bpe.symbol[k].id;
        bpe_merge(&bpe, vocab, 0.4, &rng);
        double count[2] = {(double)bpe.count, (double)merge_plainly(id, 9, 0.4)};
        for (int k = 0; k < 2; k++) {
            sum[k] += count[k];
            squares[k] += count[k] * count[k];
        }
    }
    double mean[2], error = 0;
    for (int k = 0; k < 2; k++) {
        mean[k] = sum[k] / rounds;
        error += (squares[k] / rounds - mean[k] * mean[k]) / rounds;
    }
    ck_assert_double_lt(fabs(mean[0] - mean[1]), 4 * sqrt(error));
    ck_assert_double_gt(error, 0);
}
END_TEST

START_TEST(dropout_at_its_ends)
{
    for (int i = 0; i < 100; i++) {
        random_word(30);
        bpe_merge(&bpe, vocab, 1, &rng);
        ck_assert_uint_eq(bpe.count, 31); /* characters and bytes only */
        int id[31];
        size_t count = bpe.count;
        for (size_t k = 0; k < count; k++)
            id[k] = bpe.symbol[k].id;
        Rng before = rng;
        count = merge_plainly(id, count, 0);
        bpe_merge(&bpe, vocab, 0, &rng);
        ck_assert_uint_eq(bpe.count, count);
        ck_assert_uint_eq(rng.state, before.state); /* no dropout, no draw */
    }
}
END_TEST

START_TEST(the_same_rng_gives_the_same_pieces)
{
    int different = 0;
    for (int i = 0; i < 50; i++) {
        int id[3][64];
        size_t count[3];
        Rng word = rng_at(32, 0, (uint64_t)i);
        for (int k = 0; k < 3; k++) {
            rng = word;
            random_word(60);
            Rng draws = rng_at(33, (uint64_t)(k == 2), (uint64_t)i);
            bpe_merge(&bpe, vocab, 0.3, &draws);
            count[k] = bpe.count;
            for (size_t m = 0; m < bpe.count; m++)
                id[k][m] = bpe.symbol[m].id;
        }
        ck_assert_uint_eq(count[0], count[1]);
        ck_assert(!memcmp(id[0], id[1], count[0] * sizeof *id[0]));
        different += count[0] != count[2] || memcmp(id[0], id[2], count[0] * sizeof *id[0]);
    }
    ck_assert_int_gt(different, 40); /* 50 of 50 differ */
}
END_TEST

START_TEST(a_word_without_end_is_no_trouble)
{
    size_t size = 1 << 20; /* the plain algorithm would need 10^11 steps */
    random_word(size);
    bpe_merge(&bpe, vocab, 0, NULL);
    ck_assert_uint_lt(bpe.count, size);
    size_t merged = bpe.count;
    random_word(size);
    bpe_merge(&bpe, vocab, 0.5, &rng);
    ck_assert_uint_gt(bpe.count, merged);
}
END_TEST

Suite *bpe_suite(void)
{
    Suite *suite = suite_create("bpe");
    TCase *tests = tcase_create("bpe");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, merges_as_the_plain_algorithm);
    tcase_add_test(tests, dropout_has_the_distribution_of_the_paper);
    tcase_add_test(tests, dropout_at_its_ends);
    tcase_add_test(tests, the_same_rng_gives_the_same_pieces);
    tcase_add_test(tests, a_word_without_end_is_no_trouble);
    suite_add_tcase(suite, tests);
    return suite;
}
