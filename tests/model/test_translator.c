/* test_translator.c - text to text, with a model that has learned nothing: what must hold for any. */
#include "model/translator.h"
#include "model/translator_cut.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const sentences[] = {
    "The cat sat on the mat.", "Where is the station?", "I do not know!", "She reads, he writes.",
    "One moment; two.", "El gato se sentó en la estera.", "¿Dónde está la estación?", "No lo sé.",
};
enum { SENTENCES = sizeof sentences / sizeof *sentences };

static Vocab *vocab;
static Model *model;

static void begin(void)
{
    VocabSentence text[SENTENCES];
    VocabOptions options = {.size = 340, .case_markers = true};
    Config config = config_default();
    Err err;
    for (int i = 0; i < SENTENCES; i++)
        text[i] = (VocabSentence){sentences[i], strlen(sentences[i]), 1};
    vocab = vocab_learn(text, SENTENCES, &options, &err);
    ck_assert_ptr_nonnull(vocab);
    ck_assert(config_set(&config, "embedding", "16", &err));
    ck_assert(config_set(&config, "hidden", "24", &err));
    ck_assert(config_set(&config, "max-length", "24", &err));
    ck_assert(config_set(&config, "beam-size", "3", &err));
    model = model_new(&config, (int)vocab_size(vocab));
    params_allocate(&model->params);
    model_start(model, 7);
}

static void end(void)
{
    model_free(model);
    vocab_free(vocab);
}

/* Makes the model fond of a piece. */
static void favour(int id, real bias)
{
    model->params.value[model->output_bias->at + (size_t)id] = bias;
    params_pack(&model->params, 0, model->params.count);
}

static TranslatorLine line_of(const char *text)
{
    return (TranslatorLine){text, strlen(text)};
}

/* The translation of one line by a translator of its own; the caller frees that. */
static const Translation *translate(const char *text, size_t size, const TranslatorOptions *options,
                                    Translator **translator)
{
    TranslatorLine line = {text, size};
    *translator = translator_new(model, vocab, options);
    return translator_run(*translator, &line, 1);
}

START_TEST(options_are_the_models)
{
    TranslatorOptions options = translator_options(model);
    ck_assert_int_eq(options.search.beam_size, 3);
    ck_assert_int_eq(options.search.n_best, 1);
    ck_assert_double_eq(options.search.normalize, model->config.normalize);
    ck_assert_double_eq(options.search.max_ratio, model->config.max_ratio);
    ck_assert_int_eq(options.max_pieces, 24);
    ck_assert_int_eq(options.threads, 1);
}
END_TEST

START_TEST(kernel_is_found_by_name)
{
    Err err;
    ck_assert_int_eq(setenv("ATIENDE_KERNEL", "plain", 1), 0);
    ck_assert_str_eq(translator_kernel(NULL, &err)->name, "plain");
    ck_assert_str_eq(translator_kernel(kernel_best()->name, &err)->name, kernel_best()->name);
    ck_assert_int_eq(setenv("ATIENDE_KERNEL", "steam", 1), 0);
    ck_assert_ptr_null(translator_kernel(NULL, &err));
    char message[128];
    snprintf(message, sizeof message,
             "ATIENDE_KERNEL: this processor has no kernel 'steam'; its best is %s", kernel_best()->name);
    ck_assert_str_eq(err.text, message);
    ck_assert_int_eq(setenv("ATIENDE_KERNEL", "", 1), 0);
    ck_assert_str_eq(translator_kernel(NULL, &err)->name, kernel_best()->name);
    ck_assert_int_eq(unsetenv("ATIENDE_KERNEL"), 0);
}
END_TEST

START_TEST(blank_lines_are_empty)
{
    TranslatorOptions options = translator_options(model);
    Translator *translator = translator_new(model, vocab, &options);
    TranslatorLine line[] = {line_of(""), line_of(" \t \r"), line_of("\u00a0\u200b"), {"\0\1", 2}};
    const Translation *translation = translator_run(translator, line, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(translation[i].parts, 0);
        ck_assert_int_eq(translation[i].texts, 1);
        ck_assert_str_eq(translation[i].text[0].data, "");
        ck_assert_double_eq(translation[i].text[0].score, 0);
        ck_assert_double_eq(translation[i].text[0].normalized, 0);
        ck_assert_uint_eq(translation[i].controls, i == 3 ? 2 : 0);
    }
    translator_free(translator);
}
END_TEST

START_TEST(mates_and_threads_change_nothing)
{
    enum { LINES = 100 };
    TranslatorOptions options = translator_options(model);
    Translator *alone = translator_new(model, vocab, &options);
    options.threads = 3;
    Translator *together = translator_new(model, vocab, &options);
    TranslatorLine line[LINES];
    char text[LINES][128];
    for (int i = 0; i < LINES; i++) {
        snprintf(text[i], sizeof text[i], "%s %s %d", sentences[i % SENTENCES],
                 i % 3 ? "" : sentences[(i + 3) % SENTENCES], i);
        line[i] = line_of(i % 10 ? text[i] : "");
    }
    const Translation *all = translator_run(together, line, LINES);
    for (int i = 0; i < LINES; i++) {
        const Translation *one = translator_run(alone, &line[i], 1);
        ck_assert_str_eq(one->text[0].data, all[i].text[0].data);
        ck_assert(one->text[0].score == all[i].text[0].score);
        ck_assert_int_eq(one->parts, all[i].parts);
    }
    translator_free(alone);
    translator_free(together);
}
END_TEST

START_TEST(broken_bytes_are_counted)
{
    static const char bytes[] = "The \xff" "cat\0 \xc3 sat\x1b[1m\x7f on\ttop";
    TranslatorOptions options = translator_options(model);
    Translator *translator;
    const Translation *translation = translate(bytes, sizeof bytes - 1, &options, &translator);
    ck_assert_uint_eq(translation->replaced, 2);
    ck_assert_uint_eq(translation->controls, 3); /* NUL, ESC, DEL; the tab is white space */
    translator_free(translator);
}
END_TEST

START_TEST(long_lines_are_cut_and_joined)
{
    /* 12, 12 and 18 pieces: each sentence is a part of its own, and translated as if alone. */
    const char *text = "The cat sat on the mat. The cat sat on the mat! ¿Dónde está la estación?";
    const char *const own[] = {"The cat sat on the mat.", "The cat sat on the mat!",
                               "¿Dónde está la estación?"};
    TranslatorOptions options = translator_options(model);
    options.max_pieces = 18;
    Translator *translator, *single;
    const Translation *translation = translate(text, strlen(text), &options, &translator);
    const TranslationText *whole = &translation->text[0];
    ck_assert_int_eq(translation->parts, 3);
    Buf joined = {0};
    double score = 0, length = 0;
    for (int i = 0; i < 3; i++) {
        const TranslationPart *part = &translation->part[i];
        const Translation *one = translate(own[i], strlen(own[i]), &options, &single);
        ck_assert_int_eq(one->parts, 1);
        ck_assert_str_eq(part->output[0].data, one->text[0].data);
        ck_assert_ptr_eq(whole->output[i], &part->output[0]);
        buf_text(&joined, i ? " " : "");
        ck_assert_uint_eq(whole->at[i], joined.size);
        buf_text(&joined, one->text[0].data);
        score += one->text[0].score;
        length += part->output[0].count + 1;
        size_t begins = (size_t)(strstr(text, own[i]) - text);
        ck_assert_uint_eq(part->origin[0].begin, begins - (i == 2)); /* the space before ¿ is a piece */
        ck_assert_uint_eq(part->origin[part->count - 1].end, begins + strlen(own[i]));
        translator_free(single);
    }
    ck_assert_str_eq(whole->data, joined.data);
    ck_assert_double_eq(whole->score, score);
    ck_assert_double_eq_tol(whole->normalized, score / pow(length, options.search.normalize), 1e-12);
    buf_free(&joined);
    translator_free(translator);
}
END_TEST

START_TEST(hypotheses_are_listed_best_first)
{
    TranslatorOptions options = translator_options(model);
    options.search.n_best = 3;
    options.search.normalize = 0.7;
    options.keep_weights = true;
    Translator *translator;
    const Translation *translation =
        translate(sentences[0], strlen(sentences[0]), &options, &translator);
    ck_assert_int_eq(translation->texts, 3);
    const TranslationPart *part = &translation->part[0];
    for (int i = 0; i < 3; i++) {
        const TranslationText *text = &translation->text[i];
        const TranslationOutput *output = &part->output[i];
        double score = 0;
        ck_assert_str_eq(text->data, output->data);
        ck_assert_double_eq_tol(text->normalized, text->score / pow(output->count + 1, 0.7), 1e-12);
        ck_assert_double_eq_tol(text->normalized, output->normalized, 1e-12);
        if (i)
            ck_assert_double_le(text->normalized, text[-1].normalized);
        for (int t = 0; t <= output->count; t++) {
            double sum = 0;
            for (int s = 0; s <= part->count; s++)
                sum += (double)output->weights[t * (part->count + 1) + s];
            ck_assert_double_eq_tol(sum, 1, 1e-5); /* observed: 1.2e-7 */
            score += (double)output->piece_score[t];
        }
        ck_assert_double_eq_tol(score, output->score, 1e-4); /* observed: below 1e-5 */
        for (int t = 0; t < output->count; t++) {
            ck_assert_uint_le(output->span[t].begin, output->span[t].end);
            ck_assert_uint_le(output->span[t].end, output->size);
        }
    }
    translator_free(translator);
    options.keep_weights = false;
    translation = translate(sentences[0], strlen(sentences[0]), &options, &translator);
    ck_assert_ptr_null(translation->part[0].output[0].weights);
    translator_free(translator);
}
END_TEST

START_TEST(empty_output_is_rescued)
{
    /* Ending at once is far the best for this model; but words must not vanish. */
    favour(VOCAB_END, 12);
    TranslatorOptions options = translator_options(model);
    for (int beam = 1; beam <= 3; beam += 2) {
        Translator *translator;
        options.search.beam_size = options.search.n_best = beam;
        const Translation *translation = translate("cat", 3, &options, &translator);
        ck_assert_int_eq(translation->texts, beam);
        for (int i = 0; i < translation->texts; i++)
            ck_assert_uint_gt(translation->text[i].size, 0);
        translator_free(translator);
        translation = translate("--", 2, &options, &translator);
        ck_assert_str_eq(translation->text[0].data, "");
        translator_free(translator);
    }
}
END_TEST

START_TEST(output_is_one_line)
{
    const int newline = vocab_find(vocab, "<0x0A>", 6);
    favour(newline, 12);
    TranslatorOptions options = translator_options(model);
    Translator *translator;
    const Translation *translation = translate("cat", 3, &options, &translator);
    const TranslationText *text = &translation->text[0];
    ck_assert_int_eq(text->output[0]->id[0], newline);
    ck_assert_int_eq(text->data[0], ' ');
    for (size_t i = 0; i < text->size; i++)
        ck_assert((unsigned char)text->data[i] >= ' ');
    ck_assert_uint_gt(text->size, strspn(text->data, " ")); /* a blank one would have been rescued */
    translator_free(translator);
}
END_TEST

/* The vocabulary is small: No is <title> ▁no, lo is ▁l o, and ; ( ) 3 世 are written in bytes. */
static const struct {
    const char *text;
    size_t limit;
    const char *first; /* the first part */
} cuts[] = {
    {"No lo sé", 100, "No lo sé"},
    {"No lo. No lo; no, no no no no no", 12, "No lo."},
    {"No lo no no; no, no no no no no no", 12, "No lo no no;"},
    {"No lo no no, no no no no no no no", 12, "No lo no no,"},
    {"No, lo no no no no no no no no no no no no no no no no no no", 18,
     "No, lo no no no no no no no no no no no no no"},
    {"No (lo.) no no no no no no no no", 10, "No (lo.)"},
    {"no no no no", 3, "no no no"},
    {"no 3.5 no 3.5", 9, "no 3.5 no"},
    {"\u4e16\u4e16\u4e16", 5, "\u4e16"},
};

START_TEST(cuts_prefer_marks)
{
    Arena arena = {0};
    Text text = text_source(&arena, cuts[_i].text, strlen(cuts[_i].text));
    Pieces pieces = vocab_encode(vocab, &arena, &text, 0, NULL);
    size_t end = translator_cut(vocab, &pieces, 0, cuts[_i].limit);
    ck_assert_uint_gt(end, 0);
    char *first = arena_copy_text(&arena, cuts[_i].text, pieces.origin[end - 1].end);
    ck_assert_str_eq(first, cuts[_i].first);
    arena_free(&arena);
}
END_TEST

START_TEST(cuts_end_a_part_in_time)
{
    Arena arena = {0};
    const char *line = "THE CAT (The Cat) catcatcat \u4e16\u4e16, 12345. The... \"cat\"! No; lo, no";
    Text text = text_source(&arena, line, strlen(line));
    Pieces pieces = vocab_encode(vocab, &arena, &text, 0, NULL);
    for (size_t limit = 1; limit <= pieces.count + 1; limit++)
        for (size_t at = 0, end; at < pieces.count; at = end) {
            end = translator_cut(vocab, &pieces, at, limit);
            ck_assert_uint_gt(end, at);
            ck_assert_uint_le(end, pieces.count);
            ck_assert_uint_le(end - at, limit);
        }
    arena_free(&arena);
}
END_TEST

/* A translation that is given is scored by the very pieces that its text is read as, and keeps its bytes. */
START_TEST(given_translations_are_forced)
{
    static const char broken[] = "El\tga\xcc\x81to \xff\n";
    TranslatorLine line[] = {line_of("The cat sat."), line_of(""), line_of(""), line_of("One  moment"), {NULL, 0}};
    TranslatorLine reference[] = {line_of("El gato."), line_of(" "), line_of("No"), line_of(broken), {NULL, 0}};
    char *long_line = memory_take(TRANSLATOR_FORCE_MAX + 1);
    memset(long_line, '5', TRANSLATOR_FORCE_MAX + 1);
    reference[4] = (TranslatorLine){long_line, TRANSLATOR_FORCE_MAX + 1};
    line[4] = line_of("Five.");
    TranslatorOptions options = translator_options(model);
    options.keep_weights = true;
    options.threads = 2;
    options.max_pieces = 4; /* nothing is cut */
    Translator *translator = translator_new(model, vocab, &options);
    const Translation *forced = translator_force(translator, line, reference, 5);
    Tape *tape = tape_new(kernel_best());
    Arena arena = {0};
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(forced[i].texts, 1);
        ck_assert_int_eq(forced[i].too_long, i == 4);
        ck_assert_int_eq(forced[i].parts, i != 1 && i != 4);
        if (!forced[i].parts) {
            ck_assert_str_eq(forced[i].text[0].data, "");
            continue;
        }
        const TranslationPart *part = &forced[i].part[0];
        const TranslationOutput *output = &part->output[0];
        Text text = text_nfc(&arena, output->data, output->size);
        Pieces target = vocab_encode(vocab, &arena, &text, 0, NULL);
        SearchGiven given = {.source = {part->id, part->count}, .target = {target.id, (int)target.count}};
        Hypothesis h = search_force(model, tape, &given, &options.search, &arena);
        size_t cells = (target.count + 1) * ((size_t)part->count + 1);
        ck_assert_int_eq(output->count, (int)target.count);
        ck_assert_mem_eq(output->span, target.origin, target.count * sizeof *target.origin);
        ck_assert_mem_eq(output->weights, h.weights, cells * sizeof *h.weights);
        ck_assert_double_eq(forced[i].text[0].score, h.score);
        ck_assert_double_eq_tol(forced[i].text[0].normalized, h.normalized, 1e-12);
    }
    ck_assert_str_eq(forced[0].text[0].data, "El gato.");
    ck_assert_str_eq(forced[3].text[0].data, "El ga\xcc\x81to \xff ");
    ck_assert_uint_eq(forced[3].replaced, 1);
    ck_assert_int_eq(forced[2].part[0].count, 0);
    arena_free(&arena);
    tape_free(tape);
    translator_free(translator);
    free(long_line);
}
END_TEST

Suite *translator_suite(void)
{
    Suite *suite = suite_create("translator");
    TCase *tests = tcase_create("translator");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, options_are_the_models);
    tcase_add_test(tests, kernel_is_found_by_name);
    tcase_add_test(tests, blank_lines_are_empty);
    tcase_add_test(tests, mates_and_threads_change_nothing);
    tcase_add_test(tests, broken_bytes_are_counted);
    tcase_add_test(tests, long_lines_are_cut_and_joined);
    tcase_add_test(tests, hypotheses_are_listed_best_first);
    tcase_add_test(tests, empty_output_is_rescued);
    tcase_add_test(tests, output_is_one_line);
    tcase_add_test(tests, given_translations_are_forced);
    tcase_add_loop_test(tests, cuts_prefer_marks, 0, sizeof cuts / sizeof *cuts);
    tcase_add_test(tests, cuts_end_a_part_in_time);
    suite_add_tcase(suite, tests);
    return suite;
}
