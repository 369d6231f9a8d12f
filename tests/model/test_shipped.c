/* test_shipped.c - the trained model of the repository: the promises of README, and that it is as good as it was
 * when it was shipped. Its sentences, tests/data/pairs.tsv, are the project's own; no model was trained on them. */
#include "cli/align.h"
#include "model/store.h"
#include "model/translator.h"
#include "suite.h"
#include "text/corpus.h"
#include "text/metric.h"

#include <stdlib.h>
#include <string.h>

static Model *model;
static Vocab *vocab;

static void open_model(void)
{
    Err err;
    ck_assert_msg(store_load("models/en-es.db", &model, &vocab, &err), "%s", err.text);
}

static void close_model(void)
{
    model_free(model);
    vocab_free(vocab);
}

static const struct {
    const char *english, *spanish;
} promises[] = {
    {"The cat sat on the mat.", "El gato se sentó en la estera."},
    {"The dog chased the ball.", "El perro persiguió la pelota."},
    {"never", "nunca"},
    {"salad", "ensalada"},
    {"the cat sat on the mat", "el gato se sentó en la estera"},
    {"", ""},
};

START_TEST(a_promised_sentence_is_translated)
{
    TranslatorOptions options = translator_options(model);
    Translator *translator = translator_new(model, vocab, &options);
    TranslatorLine line = {promises[_i].english, strlen(promises[_i].english)};
    ck_assert_str_eq(translator_run(translator, &line, 1)->text[0].data, promises[_i].spanish);
    translator_free(translator);
}
END_TEST

static const struct {
    int promise;
    const char *spanish, *english;
} looks[] = {
    {0, "gato", "cat"},  {0, "estera", "mat"},      {0, "sentó", "sat"},
    {1, "perro", "dog"}, {1, "persiguió", "chased"}, {1, "pelota", "ball"},
};

static bool is_word(const AlignmentWord *word, const char *text)
{
    return word->size == strlen(text) && memcmp(word->text, text, word->size) == 0;
}

/* Greedily and by beam search: the translated word is where the weight is greatest, of all columns. */
START_TEST(a_word_looks_at_the_word_it_translates)
{
    const char *english = promises[looks[_i].promise].english;
    TranslatorLine line = {english, strlen(english)};
    for (int beam = 1; beam <= 5; beam += 4) {
        Arena arena = {0};
        TranslatorOptions options = translator_options(model);
        options.search.beam_size = beam;
        options.keep_weights = true;
        Translator *translator = translator_new(model, vocab, &options);
        Alignment *a = align_text(&arena, vocab, &line, translator_run(translator, &line, 1), 0, false);
        int row = 0, best = 0;
        while (row < a->targets && !is_word(&a->target[row], looks[_i].spanish))
            row++;
        ck_assert_int_lt(row, a->targets);
        const real *weight = a->weight + row * (a->sources + 1);
        for (int s = 1; s <= a->sources; s++)
            if (weight[s] > weight[best])
                best = s;
        ck_assert_int_lt(best, a->sources);
        ck_assert_msg(is_word(&a->source[best], looks[_i].english), "%s looks at %.*s", looks[_i].spanish,
                      (int)a->source[best].size, a->source[best].text);
        translator_free(translator);
        arena_free(&arena);
    }
}
END_TEST

START_TEST(unseen_pairs_score_as_when_shipped)
{
    Corpus corpus = {0};
    Err err;
    ck_assert_msg(corpus_read(&corpus, "tests/data/pairs.tsv", 1, &err), "%s", err.text);
    TranslatorLine *line = memory_take(corpus.pairs * sizeof *line);
    for (size_t i = 0; i < corpus.pairs; i++)
        line[i] = (TranslatorLine){corpus.pair[i].source, corpus.pair[i].source_size};
    TranslatorOptions options = translator_options(model);
    Translator *translator = translator_new(model, vocab, &options);
    const Translation *translation = translator_run(translator, line, (int)corpus.pairs);
    BleuStats bleu = {0};
    ChrfStats chrf = {0};
    Arena scratch = {0};
    for (size_t i = 0; i < corpus.pairs; i++) {
        const TranslationText *text = &translation[i].text[0];
        const CorpusPair *pair = &corpus.pair[i];
        bleu_add(&bleu, &scratch, text->data, text->size, pair->target, pair->target_size);
        chrf_add(&chrf, &scratch, text->data, text->size, pair->target, pair->target_size);
    }
    /* When shipped: 54.14 and 72.76. Other kernels round otherwise, and a few close calls fall to the
     * other side: a point is left for that. */
    ck_assert_msg(bleu_score(&bleu).score > 54.14 - 1, "BLEU %.2f", bleu_score(&bleu).score);
    ck_assert_msg(chrf_score(&chrf) > 72.76 - 1, "chrF2 %.2f", chrf_score(&chrf));
    arena_free(&scratch);
    translator_free(translator);
    free(line);
    corpus_free(&corpus);
}
END_TEST

Suite *shipped_suite(void)
{
    Suite *suite = suite_create("shipped");
    TCase *tests = tcase_create("shipped");
    tcase_add_checked_fixture(tests, open_model, close_model);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_promised_sentence_is_translated, 0, (int)(sizeof promises / sizeof *promises));
    tcase_add_loop_test(tests, a_word_looks_at_the_word_it_translates, 0, (int)(sizeof looks / sizeof *looks));
    tcase_add_test(tests, unseen_pairs_score_as_when_shipped);
    suite_add_tcase(suite, tests);
    return suite;
}
