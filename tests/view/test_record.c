/* test_record.c - the same alignment in every form. */
#include "suite.h"
#include "view/record.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static AlignmentWord source[] = {{"The", 3, 0, 3, 2, 0}, {"c\\\t\xff", 4, 4, 8, 1, 0}};
static AlignmentWord target[] = {{"El", 2, 0, 2, 1, -0.25}, {"\"gato\"", 6, 3, 9, 2, -0.5}};
static real weight[] = {0.75f, 0.25f, 0, 0.1f, 0.6f, 0.3f, 1e-8f, 0.125f, 0.875f};
static const Alignment alignment = {
    .source_text = "The c\\\t\xff",
    .target_text = "El \"gato\"",
    .source_size = 8,
    .target_size = 9,
    .source = source,
    .target = target,
    .sources = 2,
    .targets = 2,
    .weight = weight,
    .score = -1.5,
    .normalized = -0.5,
};

START_TEST(text)
{
    Buf out = {0};
    AlignmentLink link[4];
    record_pharaoh(&out, link, alignment_hard(&alignment, link));
    ck_assert_str_eq(out.data, "0-0 1-1");
    out.size = 0;
    record_pharaoh(&out, link, alignment_threshold(&alignment, 0.2, link));
    ck_assert_str_eq(out.data, "0-0 1-0 1-1");
    out.size = 0;
    record_soft(&out, &alignment);
    ck_assert_str_eq(out.data, "0.75,0.25,0 0.1,0.6,0.3 1e-08,0.125,0.875");
    out.size = 0;
    record_tokens(&out, &alignment);
    ck_assert_str_eq(out.data, "The c\\\t\xff ||| El \"gato\"");
    buf_free(&out);
}
END_TEST

static const char json[] =
    "\"source\":\"The c\\\\\\t\\ufffd\",\"translation\":\"El \\\"gato\\\"\","
    "\"score\":-1.500000,\"normalized_score\":-0.500000,"
    "\"source_words\":[{\"text\":\"The\",\"begin\":0,\"end\":3,\"pieces\":2},"
    "{\"text\":\"c\\\\\\t\\ufffd\",\"begin\":4,\"end\":8,\"pieces\":1}],"
    "\"target_words\":[{\"text\":\"El\",\"begin\":0,\"end\":2,\"pieces\":1},"
    "{\"text\":\"\\\"gato\\\"\",\"begin\":3,\"end\":9,\"pieces\":2}],"
    "\"attention\":[[0.75,0.25,0],[0.1,0.6,0.3],[1e-08,0.125,0.875]],"
    "\"alignment\":[[0,0],[1,1]],\"model\":\"en-es\"}\n";

START_TEST(json_lines)
{
    Buf out = {0}, expected = {0};
    record_json(&out, &alignment, &(RecordId){.line = 7, .model = "en-es"});
    buf_format(&expected, "{\"id\":7,%s", json);
    ck_assert_str_eq(out.data, expected.data);
    out.size = expected.size = 0;
    record_json(&out, &alignment, &(RecordId){.line = 12, .rank = 3, .model = "en-es"});
    buf_format(&expected, "{\"id\":12,\"rank\":3,%s", json);
    ck_assert_str_eq(out.data, expected.data);
    buf_free(&out);
    buf_free(&expected);
}
END_TEST

START_TEST(json_of_a_blank_line)
{
    Buf out = {0};
    real zero = 0;
    Alignment blank = {.source_text = "", .target_text = "", .weight = &zero};
    record_json(&out, &blank, &(RecordId){.line = 1, .model = "m"});
    ck_assert_str_eq(out.data, "{\"id\":1,\"source\":\"\",\"translation\":\"\",\"score\":0.000000,"
                               "\"normalized_score\":0.000000,\"source_words\":[],\"target_words\":[],"
                               "\"attention\":[[0]],\"alignment\":[],\"model\":\"m\"}\n");
    buf_free(&out);
}
END_TEST

START_TEST(tsv)
{
    Buf out = {0};
    record_tsv_header(&out, false);
    record_tsv(&out, &alignment, &(RecordId){.line = 7, .model = "m"});
    ck_assert_str_eq(out.data, "sentence\ttarget_position\ttarget\tsource_position\tsource\tweight\n"
                               "7\t0\tEl\t0\tThe\t0.75\n"
                               "7\t0\tEl\t1\tc\\\\\\t\uFFFD\t0.25\n"
                               "7\t0\tEl\t2\t</s>\t0\n"
                               "7\t1\t\"gato\"\t0\tThe\t0.1\n"
                               "7\t1\t\"gato\"\t1\tc\\\\\\t\uFFFD\t0.6\n"
                               "7\t1\t\"gato\"\t2\t</s>\t0.3\n"
                               "7\t2\t</s>\t0\tThe\t1e-08\n"
                               "7\t2\t</s>\t1\tc\\\\\\t\uFFFD\t0.125\n"
                               "7\t2\t</s>\t2\t</s>\t0.875\n");
    out.size = 0;
    record_tsv_header(&out, true);
    record_tsv(&out, &alignment, &(RecordId){.line = 7, .rank = 2, .model = "m"});
    ck_assert(strstr(out.data, "sentence\trank\ttarget_position\t") == out.data);
    ck_assert_ptr_nonnull(strstr(out.data, "\n7\t2\t1\t\"gato\"\t0\tThe\t0.1\n"));
    buf_free(&out);
}
END_TEST

START_TEST(seven_digits_keep_the_sum)
{
    enum { SOURCES = 200 };
    static real row[SOURCES + 1];
    double total = 0, sum = 0;
    for (int s = 0; s <= SOURCES; s++)
        total += 1.0 / (s + 1);
    for (int s = 0; s <= SOURCES; s++)
        row[s] = (real)(1.0 / (s + 1) / total);
    Alignment one = {.sources = SOURCES, .weight = row};
    Buf out = {0};
    record_soft(&out, &one);
    for (char *at = out.data, *next; *at; at = *next ? next + 1 : next)
        sum += strtod(at, &next);
    ck_assert_double_eq_tol(sum, 1, 1e-5); /* observed: 4e-9 off */
    buf_free(&out);
}
END_TEST

START_TEST(numbers_know_no_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "es_ES.UTF-8", "fr_FR.UTF-8"}; /* where there is one */
    static real values[] = {0.5f, 1234567, 1e-8f, -0.5f};
    Alignment one = {.sources = 3, .weight = values, .source = source, .target = target};
    for (size_t i = 0; i < 3; i++) {
        setlocale(LC_NUMERIC, names[i]);
        Buf out = {0};
        record_soft(&out, &one);
        setlocale(LC_NUMERIC, "C");
        ck_assert_str_eq(out.data, "0.5,1234567,1e-08,-0.5");
        buf_free(&out);
    }
}
END_TEST

START_TEST(what_is_not_finite_is_null)
{
    static real values[] = {(real)NAN, (real)INFINITY};
    Alignment one = {.sources = 1, .weight = values, .source = source};
    Buf out = {0};
    record_soft(&out, &one);
    ck_assert_str_eq(out.data, "null,null");
    buf_free(&out);
}
END_TEST

Suite *record_suite(void)
{
    Suite *suite = suite_create("record");
    TCase *tests = tcase_create("record");
    tcase_add_test(tests, text);
    tcase_add_test(tests, json_lines);
    tcase_add_test(tests, json_of_a_blank_line);
    tcase_add_test(tests, tsv);
    tcase_add_test(tests, seven_digits_keep_the_sum);
    tcase_add_test(tests, numbers_know_no_locale);
    tcase_add_test(tests, what_is_not_finite_is_null);
    suite_add_tcase(suite, tests);
    return suite;
}
