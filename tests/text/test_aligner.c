/* test_aligner.c - words, the links that are learned between them, and what they say of pieces. */
#include "sample.h"
#include "suite.h"
#include "text/guide.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- words ---- */

static void assert_words(const char *input, const char *expected)
{
    Arena arena = {0};
    Text text = text_source(&arena, input, strlen(input));
    Words words = words_find(&arena, &text);
    Buf found = {0};
    for (int i = 0; i < words.count; i++) {
        TextSpan in = words.inside[i], from = words.origin[i];
        buf_format(&found, "%.*s[%.*s] ", (int)(in.end - in.begin), text.data + in.begin,
                   (int)(from.end - from.begin), input + from.begin);
    }
    buf_text(&found, "");
    ck_assert_str_eq(found.data, expected);
    buf_free(&found);
    arena_free(&arena);
}

START_TEST(words_are_found)
{
    assert_words("", "");
    assert_words(" ", "");
    assert_words("The cat, 2 cats...", "The[The] cat[cat] ,[,] 2[2] cats[cats] ...[...] ");
    assert_words("In 1984 at 7:30", "In[In] 1984[1984] at[at] 7[7] :[:] 30[30] ");
    assert_words("4 2 42", "4[4] 2[2] 42[42] ");
    assert_words("  Don\xE2\x80\x99t  go! ", "Don't[Don\xE2\x80\x99t] go[go] ![!] ");
    assert_words("\xC2\xBFQue\xCC\x81?", "\xC2\xBF[\xC2\xBF] Qu\xC3\xA9[Que\xCC\x81] ?[?] ");
}
END_TEST

START_TEST(a_piece_belongs_to_the_word_it_stands_in_or_before)
{
    static const TextSpan word[] = {{2, 5}, {6, 9}, {9, 10}};
    static const struct { TextSpan piece; int word; } cases[] = {
        {{0, 0}, 0}, {{2, 2}, 0}, {{2, 4}, 0}, {{4, 5}, 0}, {{5, 6}, 1}, {{6, 6}, 1}, {{6, 9}, 1}, {{9, 9}, 2},
        {{9, 10}, 2}, {{10, 11}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(words_of(word, 3, cases[i].piece), cases[i].word);
}
END_TEST

/* ---- links ---- */

enum { LEXICON = 30, PAIRS = 400, LONGEST = 6 };

static char path[32];

static void write_corpus(const Buf *lines, Corpus *corpus)
{
    Err err;
    memcpy(path, "/tmp/align-test-XXXXXX", sizeof "/tmp/align-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, lines->data, lines->size), (long)lines->size);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_msg(corpus_read(corpus, path, 1, &err), "%s", err.text);
    unlink(path);
}

static void add_word(Buf *out, char language, int word)
{
    buf_format(out, "%s%c%c%c", out->size && out->data[out->size - 1] != '\t' ? " " : "", language,
               'a' + word / 10, 'a' + word % 10);
}

/* A sentence of 3 to LONGEST words out of LEXICON, and its translation: word by word, but the first two change
 * places, and "de", which comes from no word, stands before the words below 10. Returns how many target words
 * there are; link[j] is what the source word of target word j should be. */
static int make_pair(Rng *rng, Buf *line, uint16_t link[2 * LONGEST])
{
    int n = 3 + (int)rng_below(rng, LONGEST - 2), word[LONGEST], targets = 0;
    line->size = 0;
    for (int i = 0; i < n; i++) {
        word[i] = (int)rng_below(rng, LEXICON);
        add_word(line, 'x', word[i]);
    }
    buf_char(line, '\t');
    for (int j = 0; j < n; j++) {
        int i = j < 2 ? 1 - j : j;
        if (word[i] < 10) {
            buf_text(line, line->data[line->size - 1] == '\t' ? "de" : " de");
            link[targets++] = ALIGNER_NONE;
        }
        add_word(line, 'z', word[i]);
        link[targets++] = (uint16_t)i;
    }
    return targets;
}

START_TEST(words_are_linked)
{
    static uint16_t expected[PAIRS][2 * LONGEST];
    static int targets[PAIRS];
    Buf lines = {0}, line = {0};
    Corpus corpus = {0};
    Rng rng = rng_at(1, 2, 3);
    for (int i = 0; i < PAIRS; i++) {
        targets[i] = make_pair(&rng, &line, expected[i]);
        buf_format(&lines, "%.*s\tpair %d\n", (int)line.size, line.data, i);
    }
    write_corpus(&lines, &corpus);
    ck_assert_uint_eq(corpus.pairs, PAIRS);
    WordLinks *links = aligner_learn(&corpus), *again = aligner_learn(&corpus);
    int right = 0, all = 0, linked = 0;
    for (int i = 0; i < PAIRS; i++) {
        int n, m;
        const uint16_t *link = word_links(links, (uint32_t)i, &n), *same = word_links(again, (uint32_t)i, &m);
        ck_assert_int_eq(n, targets[i]);
        ck_assert_int_eq(m, n);
        ck_assert_mem_eq(link, same, (size_t)n * sizeof *link);
        for (int j = 0; j < n; j++, all++) {
            right += link[j] == expected[i][j];
            linked += link[j] != ALIGNER_NONE;
        }
    }
    /* Seeds 1 to 5: 0.977 to 0.980. The rest is words that stand twice in a sentence. */
    ck_assert_msg(right > 0.96 * all, "%d of %d", right, all);
    ck_assert_double_eq_tol(word_links_share(links), (double)linked / all, 1e-12);
    word_links_free(links);
    word_links_free(again);
    corpus_free(&corpus);
    buf_free(&lines);
    buf_free(&line);
}
END_TEST

START_TEST(a_pair_of_too_many_words_is_left_out)
{
    Buf lines = {0};
    Corpus corpus = {0};
    int n;
    buf_text(&lines, "a cat\tun gato\na dog\tun perro\na");
    for (int i = 0; i < ALIGNER_WORDS; i++)
        buf_text(&lines, " cat");
    buf_text(&lines, "\tgato\na dog\tun can\n");
    write_corpus(&lines, &corpus);
    WordLinks *links = aligner_learn(&corpus);
    ck_assert_ptr_null(word_links(links, 2, &n));
    ck_assert_int_eq(n, 0);
    ck_assert_ptr_nonnull(word_links(links, 3, &n));
    ck_assert_int_eq(n, 2);
    word_links_free(links);
    corpus_free(&corpus);
    buf_free(&lines);
}
END_TEST

/* ---- pieces ---- */

/* Every piece of a linked word points at all pieces of its word, however they are cut and whatever their case. */
START_TEST(pieces_are_guided_by_words)
{
    Buf lines = {0};
    Corpus corpus = {0};
    Arena arena = {0};
    for (int i = 0; i < 20; i++)
        buf_format(&lines, "The cat sat.\tEl gato de %d.\nThe dog sat.\tEl perro de %d.\nThe cat ran.\tEl gato. %d\n",
                   i, i, i);
    write_corpus(&lines, &corpus);
    WordLinks *links = aligner_learn(&corpus);
    Vocab *vocab = sample_learn(false, true);
    for (uint32_t i = 0; i < 60; i++) {
        PairDraw draw = {(i % 4) / 4., i % 5 ? 0 : 1, i % 3 ? 0 : 1, i % 7 ? 0 : 1, rng_at(1, 0, i)};
        PairIds ids = pair_encode(&corpus.pair[i], vocab, &arena, &draw);
        const PieceRange *guide = guide_pair(&ids, links, i, &arena);
        ck_assert_ptr_nonnull(guide);
        int cat = 0;
        for (int t = 0; t < ids.target_count; t++) {
            PieceRange range = guide[t];
            ck_assert(range.begin >= 0 && range.begin < range.end && range.end <= ids.source_count);
            bool is_end = range.end == ids.source_count;
            if (t == ids.target_count - 1) {
                ck_assert(is_end && range.begin == range.end - 1);
                continue;
            }
            TextSpan piece = ids.target_origin[t];
            if (i % 3 == 0 && piece.begin >= 3 && piece.end <= 7 && piece.end > piece.begin) { /* gato */
                cat++;
                ck_assert_uint_eq(ids.source_origin[range.end - 1].end, 7); /* "The cat" */
                ck_assert_uint_ge(ids.source_origin[range.begin].begin, 3);
            }
            if (i % 3 == 0 && piece.begin >= 8 && piece.end <= 10) /* de */
                ck_assert(is_end && range.begin == 0);
        }
        ck_assert(i % 3 != 0 || cat > 0);
    }
    word_links_free(links);
    vocab_free(vocab);
    corpus_free(&corpus);
    buf_free(&lines);
    arena_free(&arena);
}
END_TEST

/* What a pair is encoded to, and then decoded again. */
static void assert_drawn(const char *source, const char *target, PairDraw draw, const char *expected)
{
    Arena arena = {0};
    Buf found = {0};
    CorpusPair pair = {.source = source, .target = target, .source_size = (uint32_t)strlen(source),
                       .target_size = (uint32_t)strlen(target)};
    Vocab *vocab = sample_learn(false, true);
    PairIds ids = pair_encode(&pair, vocab, &arena, &draw);
    vocab_decode(vocab, ids.source, (size_t)ids.source_count, false, &found, NULL);
    buf_char(&found, '/');
    vocab_decode(vocab, ids.target, (size_t)ids.target_count, false, &found, NULL);
    buf_text(&found, "");
    ck_assert_str_eq(found.data, expected);
    vocab_free(vocab);
    buf_free(&found);
    arena_free(&arena);
}

START_TEST(pairs_are_drawn_bare_and_in_either_case)
{
    PairDraw bare = {.bare = 1, .rng = rng_at(1, 2, 3)}, capitals = {.capitals = 1, .rng = rng_at(1, 2, 3)};
    PairDraw lower = {.lower = 1, .rng = rng_at(1, 2, 3)}, both = {.capitals = 1, .lower = 1, .rng = rng_at(1, 2, 3)};
    assert_drawn("The cat.", "El gato.", (PairDraw){.rng = rng_at(1, 2, 3)}, "The cat./El gato.");
    assert_drawn("The cat.", "El gato.", bare, "The cat/El gato");
    assert_drawn("A cat?", "\xC2\xBFUn gato?", bare, "A cat/\xC2\xBFUn gato?");
    assert_drawn("No!", "No.", bare, "No/No");
    assert_drawn("Wait...", "Espera...", bare, "Wait.../Espera...");
    assert_drawn(".", ".", bare, "./.");
    assert_drawn("The cat.", "El ni\xC3\xB1o.", capitals, "THE CAT./EL NI\xC3\x91O.");
    assert_drawn("I am IN \xC3\x81vila.", "Estoy en \xC3\x81vila.", lower,
                 "i am in \xC3\xA1vila./estoy en \xC3\xA1vila.");
    assert_drawn("The cat.", "El gato.", both, "THE CAT./EL GATO.");
}
END_TEST

Suite *aligner_suite(void)
{
    Suite *suite = suite_create("aligner");
    TCase *tests = tcase_create("aligner");
    tcase_add_test(tests, words_are_found);
    tcase_add_test(tests, a_piece_belongs_to_the_word_it_stands_in_or_before);
    tcase_add_test(tests, words_are_linked);
    tcase_add_test(tests, a_pair_of_too_many_words_is_left_out);
    tcase_add_test(tests, pieces_are_guided_by_words);
    tcase_add_test(tests, pairs_are_drawn_bare_and_in_either_case);
    suite_add_tcase(suite, tests);
    return suite;
}
