/* test_explanation.c - one small sentence in every form. */
#include "suite.h"
#include "view/explanation.h"

#include <math.h>
#include <string.h>

/* "The cat" -> "Él gato": the scores 1, 3 and ln 2 below the greatest give round weights. */
static const double key_the[] = {1, -2}, key_cat[] = {0.5, 0.25}, key_end[] = {0, 1};
static const double value_the[] = {1, 0, 0}, value_cat[] = {0, 1, 0}, value_end[] = {0, 0, -1};
static const ExplanationSource piece[] = {
    {"▁the", {2.5, key_the}, {1, value_the}},
    {"▁c\t", {0.75, key_cat}, {1, value_cat}},
    {"</s>", {1, key_end}, {1, value_end}},
};
static const double query[] = {0.125, 1.0 / 3}, context[] = {0.5, 0.25, -0.25};
static const double score[] = {1.5, 1.5 - 0.69314718055994531, 1.5 - 0.69314718055994531};
static const double weight[] = {0.5, 0.25, 0.25};
static const ExplanationPiece best[] = {{"▁él", -0.25}, {"▁el", -2}};
static const ExplanationStep step[] = {
    {{"▁él", -0.25}, best, 2, {0.5, query}, {0.625, context}, score, weight},
    {{"▁ga", -1}, best, 2, {0.5, query}, {0.625, context}, score, weight},
    {{"to", -0.5}, best, 2, {0.5, query}, {0.625, context}, score, weight},
    {{"</s>", -0.125}, best, 2, {0.5, query}, {0.625, context}, score, weight},
};
static ExplanationWord source[] = {{"The", 3, 0, 3, 0, 1, false}, {"c\t", 2, 4, 6, 1, 1, false},
                                   {"</s>", 4, 6, 6, 2, 1, false}};
static ExplanationWord target[] = {{"Él", 3, 0, 3, 0, 1, false}, {"gato", 4, 4, 8, 1, 2, false},
                                   {"</s>", 4, 8, 8, 3, 1, false}};
static double change[] = {-1.5, 0.25, 0, 0, -3, 0, 0.5, 0.5, 0};
static ExplanationPart part = {source, target, piece, step, 3, 3, 3, 4, 2, 3, change};
static Explanation explanation = {"The c\t", "Él gato", 6, 8, -1.875, -0.625, &part, 1};
static const RecordId id = {.line = 7, .model = "en-es"};

static void begin(void)
{
    change[2] = change[5] = change[8] = (double)NAN;
    for (int t = 0; t < 3; t++)
        target[t].hidden = false;
}

static const char table[] =
    "  word  piece   key norm      score      - max       exp   weight  of word  if deleted\n"
    "  The   ▁the      2.5000     1.5000     0.0000  1.000000   0.5000   0.5000     -1.5000\n"
    "  c�    ▁c�       0.7500     0.8069    -0.6931  0.500000   0.2500   0.2500     +0.2500\n"
    "  </s>  </s>      1.0000     0.8069    -0.6931  0.500000   0.2500   0.2500\n"
    "     max, sum                1.5000             2.000000   1.0000\n"
    "  context  norm 0.6250, first values 0.5000 0.2500 -0.2500\n"
    "  next     ▁él 0.7788, ▁el 0.1353\n"
    "\n"
    "The context is the sum of the values by their weights. \"if deleted\" is how the log-probability\n"
    "of the word changes when that source word is deleted and the same translation is forced:\n"
    "attention is not explanation, and a word of great weight need not be one that matters.\n";

START_TEST(text)
{
    Buf out = {0}, expected = {0};
    ck_assert_int_eq(explanation_choose(&explanation, "Él"), 1);
    explanation_text(&out, &explanation);
    buf_format(&expected, "Él gato\n\nÉl  log-probability -0.2500\n\n"
                          "  step 1   writes ▁él, log-probability -0.2500\n"
                          "  query    norm 0.5000, first values 0.1250 0.3333\n%s",
               table);
    ck_assert_str_eq(out.data, expected.data);
    out.size = 0;
    begin();
    explanation_text(&out, &explanation);
    ck_assert_ptr_nonnull(strstr(out.data, "\ngato  log-probability -1.5000\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\n  step 3   writes to, log-probability -0.5000\n"));
    ck_assert_ptr_nonnull(strstr(out.data, "\n</s>  log-probability -0.1250\n"));
    buf_free(&out);
    buf_free(&expected);
}
END_TEST

static const char json[] =
    "{\"id\":7,\"source\":\"The c\\t\",\"translation\":\"Él gato\",\"score\":-1.875,"
    "\"normalized_score\":-0.625,\"model\":\"en-es\",\"parts\":[{\"source_words\":["
    "{\"text\":\"The\",\"begin\":0,\"end\":3,\"first\":0,\"pieces\":1},"
    "{\"text\":\"c\\t\",\"begin\":4,\"end\":6,\"first\":1,\"pieces\":1},"
    "{\"text\":\"\\u003c/s>\",\"begin\":6,\"end\":6,\"first\":2,\"pieces\":1}],\"source_pieces\":["
    "{\"text\":\"▁the\",\"key_norm\":2.5,\"key\":[1,-2],\"value_norm\":1,\"value\":[1,0,0]},"
    "{\"text\":\"▁c\\t\",\"key_norm\":0.75,\"key\":[0.5,0.25],\"value_norm\":1,\"value\":[0,1,0]},"
    "{\"text\":\"\\u003c/s>\",\"key_norm\":1,\"key\":[0,1],\"value_norm\":1,\"value\":[0,0,-1]}],"
    "\"target_words\":[{\"text\":\"Él\",\"begin\":0,\"end\":3,\"log_probability\":-0.25,"
    "\"weight\":[0.5,0.25,0.25],\"change\":[-1.5,0.25,null],\"steps\":[{\"text\":\"▁él\","
    "\"log_probability\":-0.25,\"query_norm\":0.5,\"query\":[0.125,0.333333333],\"max\":1.5,\"sum\":2,"
    "\"score\":[1.5,0.806852819,0.806852819],\"shifted\":[0,-0.693147181,-0.693147181],"
    "\"exponential\":[1,0.5,0.5],\"weight\":[0.5,0.25,0.25],\"context_norm\":0.625,"
    "\"context\":[0.5,0.25,-0.25],\"best\":[{\"text\":\"▁él\",\"probability\":0.778800783},"
    "{\"text\":\"▁el\",\"probability\":0.135335283}]}]}]}]}";

START_TEST(json_object)
{
    Buf out = {0};
    ck_assert_int_eq(explanation_choose(&explanation, "Él"), 1);
    explanation_json(&out, &explanation, &id);
    ck_assert_str_eq(out.data, json);
    out.size = 0;
    explanation_json(&out, &explanation, &(RecordId){.line = 1, .rank = 2, .model = "m"});
    ck_assert(strstr(out.data, "{\"id\":1,\"rank\":2,\"source\":") == out.data);
    out.size = 0;
    ck_assert_int_eq(explanation_choose(&explanation, "nada"), 0);
    explanation_json(&out, &explanation, &id);
    ck_assert_ptr_nonnull(strstr(out.data, ",\"target_words\":[]}]}"));
    buf_free(&out);
}
END_TEST

/* A word of two pieces: its weights are the mean of theirs, its log-probability the sum. */
START_TEST(json_of_a_word_of_two_pieces)
{
    static const double other[] = {0, 0.5, 0.5};
    ExplanationStep steps[4];
    memcpy(steps, step, sizeof steps);
    steps[2].weight = other;
    ExplanationPart two = part;
    two.step = steps;
    Explanation it = explanation;
    it.part = &two;
    Buf out = {0};
    ck_assert_int_eq(explanation_choose(&it, "gato"), 1);
    explanation_json(&out, &it, &id);
    ck_assert_ptr_nonnull(strstr(out.data, "\"text\":\"gato\",\"begin\":4,\"end\":8,\"log_probability\":-1.5,"
                                           "\"weight\":[0.25,0.375,0.375],\"change\":[0,-3,null],\"steps\":["
                                           "{\"text\":\"▁ga\",\"log_probability\":-1,"));
    ck_assert_ptr_nonnull(strstr(out.data, "},{\"text\":\"to\",\"log_probability\":-0.5,"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"weight\":[0,0.5,0.5],\"context_norm\""));
    buf_free(&out);
}
END_TEST

START_TEST(tsv)
{
    static const char first[] = "7\t0\t0\tÉl\t0\t▁él\t-0.25\t0.5\t0.125,0.333333333\t";
    static const char last[] = "\t0.625\t0.5,0.25,-0.25\t▁él ▁el\t0.778800783,0.135335283\n";
    Buf out = {0}, expected = {0};
    ck_assert_int_eq(explanation_choose(&explanation, "Él"), 1);
    explanation_tsv_header(&out);
    const char *head = "sentence\tpart\ttarget_position\ttarget\tstep\ttarget_piece\tlog_probability\t";
    ck_assert(strstr(out.data, head) == out.data);
    int columns = 1;
    for (const char *at = out.data; *at; at++)
        columns += *at == '\t';
    ck_assert_int_eq(columns, 27);
    out.size = 0;
    explanation_tsv(&out, &explanation, &id);
    buf_format(&expected, "%s0\tThe\t0\t▁the\t2.5\t1,-2\t1,0,0\t1.5\t0\t1\t2\t0.5\t0.5\t-1.5%s", first, last);
    buf_format(&expected, "%s1\tc\\t\t1\t▁c\\t\t0.75\t0.5,0.25\t0,1,0\t0.806852819\t-0.693147181\t0.5\t2\t0.25\t"
                          "0.25\t0.25%s", first, last);
    buf_format(&expected, "%s2\t</s>\t2\t</s>\t1\t0,1\t0,0,-1\t0.806852819\t-0.693147181\t0.5\t2\t0.25\t0.25\t%s",
               first, last);
    ck_assert_str_eq(out.data, expected.data);
    buf_free(&out);
    buf_free(&expected);
}
END_TEST

START_TEST(words_are_chosen)
{
    static const struct {
        const char *word;
        int left, hidden; /* words that are left; a bit for each that is hidden */
    } choices[] = {{"gato", 1, 5},  {"GATO", 1, 5},         {"él", 1, 6}, {"E\u0301l", 1, 6}, {"el", 0, 7},
                   {"gat", 0, 7},   {"</s>", 1, 3}, {"</S>", 1, 3}, {"\xff", 0, 7}, {"", 0, 7}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        int hidden = 0;
        ck_assert_int_eq(explanation_choose(&explanation, choices[i].word), choices[i].left);
        for (int t = 0; t < 3; t++)
            hidden |= target[t].hidden << t;
        ck_assert_int_eq(hidden, choices[i].hidden);
    }
}
END_TEST

/* The same letters in another case are another word where the word itself is there. */
START_TEST(exact_words_come_first)
{
    ExplanationWord words[] = {{"El", 2, 0, 2, 0, 1, false}, {"el", 2, 3, 5, 1, 2, false},
                               {"</s>", 4, 5, 5, 3, 1, false}};
    ExplanationPart two = part;
    two.target = words;
    Explanation it = explanation;
    it.part = &two;
    ck_assert_int_eq(explanation_choose(&it, "el"), 1);
    ck_assert(words[0].hidden && !words[1].hidden);
    ck_assert_int_eq(explanation_choose(&it, "EL"), 2);
    ck_assert(!words[0].hidden && !words[1].hidden && words[2].hidden);
}
END_TEST

START_TEST(a_blank_line_has_nothing)
{
    Explanation blank = {.source = "", .target = ""};
    Buf out = {0};
    buf_text(&out, "");
    explanation_text(&out, &blank);
    explanation_tsv(&out, &blank, &id);
    ck_assert_str_eq(out.data, "");
    explanation_json(&out, &blank, &id);
    ck_assert_str_eq(out.data, "{\"id\":7,\"source\":\"\",\"translation\":\"\",\"score\":0,"
                               "\"normalized_score\":0,\"model\":\"en-es\",\"parts\":[]}");
    ck_assert_int_eq(explanation_choose(&blank, "x"), 0);
    buf_free(&out);
}
END_TEST

Suite *explanation_suite(void)
{
    Suite *suite = suite_create("explanation");
    TCase *tests = tcase_create("explanation");
    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, text);
    tcase_add_test(tests, json_object);
    tcase_add_test(tests, json_of_a_word_of_two_pieces);
    tcase_add_test(tests, tsv);
    tcase_add_test(tests, words_are_chosen);
    tcase_add_test(tests, exact_words_come_first);
    tcase_add_test(tests, a_blank_line_has_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
