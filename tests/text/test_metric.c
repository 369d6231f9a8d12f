/* test_metric.c - BLEU and chrF2 against sacreBLEU's numbers, and what those cases do not show. */
#include "suite.h"
#include "text/metric.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES "tests/reference/metrics.json" /* `make test` runs in the repository's root */

static sqlite3_stmt *query(sqlite3 *db, const char *sql, const char *json)
{
    sqlite3_stmt *row = NULL;
    int status = sqlite3_prepare_v2(db, sql, -1, &row, NULL);
    ck_assert_msg(status == SQLITE_OK, "%s", sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_bind_text(row, 1, json, -1, SQLITE_TRANSIENT), SQLITE_OK);
    return row;
}

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    char *text = calloc(1, 1 << 16);
    size_t size = fread(text, 1, (1 << 16) - 1, file);
    ck_assert_uint_lt(size, (1 << 16) - 1);
    fclose(file);
    return text;
}

/* One row for each sentence of a case: hypothesis, reference. */
static void add_case(sqlite3 *db, const char *json, BleuStats *bleu, ChrfStats *chrf)
{
    sqlite3_stmt *row = query(db,
        "SELECT value, json_extract(?1, '$.references[' || key || ']')"
        " FROM json_each(?1, '$.hypotheses')", json);
    Arena arena = {0};
    while (sqlite3_step(row) == SQLITE_ROW) {
        const char *output = (const char *)sqlite3_column_text(row, 0);
        const char *reference = (const char *)sqlite3_column_text(row, 1);
        bleu_add(bleu, &arena, output, strlen(output), reference, strlen(reference));
        chrf_add(chrf, &arena, output, strlen(output), reference, strlen(reference));
    }
    sqlite3_finalize(row);
    arena_free(&arena);
}

START_TEST(scores_equal_sacrebleu)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    char *json = file_text(CASES);
    sqlite3_stmt *row = query(db,
        "SELECT value, value->>'name', value->>'bleu', value->>'chrf2', value->>'bp',"
        " value->>'hyp_len', value->>'ref_len', value->>'$.precisions[0]',"
        " value->>'$.precisions[1]', value->>'$.precisions[2]', value->>'$.precisions[3]'"
        " FROM json_each(?1, '$.cases')", json);
    int cases = 0;
    for (; sqlite3_step(row) == SQLITE_ROW; cases++) {
        const char *name = (const char *)sqlite3_column_text(row, 1);
        BleuStats stats = {0};
        ChrfStats chrf = {0};
        add_case(db, (const char *)sqlite3_column_text(row, 0), &stats, &chrf);
        Bleu bleu = bleu_score(&stats);
        /* The file's last digit is the fourth: 5e-5 is its rounding, 1e-9 ours. */
        const double near = 5e-5 + 1e-9;
        ck_assert_msg(fabs(bleu.score - sqlite3_column_double(row, 2)) < near, "%s: BLEU %f", name,
                      bleu.score);
        ck_assert_msg(fabs(chrf_score(&chrf) - sqlite3_column_double(row, 3)) < near,
                      "%s: chrF2 %f", name, chrf_score(&chrf));
        ck_assert_msg(fabs(bleu.brevity - sqlite3_column_double(row, 4)) < near, "%s: brevity %f",
                      name, bleu.brevity);
        ck_assert_msg(stats.output_words == (uint64_t)sqlite3_column_int64(row, 5), "%s", name);
        ck_assert_msg(stats.reference_words == (uint64_t)sqlite3_column_int64(row, 6), "%s", name);
        for (int n = 0; n < BLEU_ORDERS; n++)
            ck_assert_msg(fabs(bleu.precision[n] - sqlite3_column_double(row, 7 + n)) < near,
                          "%s: precision of order %d %f", name, n + 1, bleu.precision[n]);
    }
    ck_assert_int_eq(cases, 15);
    sqlite3_finalize(row);
    sqlite3_close(db);
    free(json);
}
END_TEST

/* The text is cut into as many words as expected, and each expected word is one of them. */
static const struct {
    const char *text, *words;
} cuts[] = {
    {"Hola, mundo.", "Hola , mundo ."},
    {"¿Qué?", "¿Qué ?"},
    {"«Sí», dijo", "«Sí» , dijo"},
    {"1.234,50 y 1,a 1.", "1.234,50 y 1 , a 1 ."},
    {"... 5..6 a.b.c", ". . . 5 . . 6 a . b . c"},
    {"3-4 es-la -5 6-", "3 - 4 es-la -5 6 -"},
    {"don't (x/y) [z] {w}~", "don't ( x / y ) [ z ] { w } ~"},
    {"a@b.c #1 $5 50% _x_", "a @ b . c # 1 $ 5 50 % _ x _"},
    {"&lt;b&gt; &amp;amp; &amp;lt; &quot;", "< b > & amp ; < \""},
    {"a<skipped>b c-\nd e\nf g-\n \n", "ab cd e f g-"},
    {"a\tb\u00a0c\u2003d\u3000e\u2028f\xC2\x85g\x1ch\u202f", "a b c d e f g h"},
    {"a\u200bb \u2010 …", "a\u200bb \u2010 …"},
};

START_TEST(words_are_those_of_13a)
{
    const char *text = cuts[_i].text, *words = cuts[_i].words;
    uint64_t count = 1;
    for (const char *at = words; *at; at++)
        count += *at == ' ';
    Arena arena = {0};
    BleuStats whole = {0};
    bleu_add(&whole, &arena, text, strlen(text), text, strlen(text));
    ck_assert_msg(whole.output_words == count, "%s: %d words, not %d", text,
                  (int)whole.output_words, (int)count);
    BleuStats each = {0};
    for (const char *at = words, *end; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, " ");
        bleu_add(&each, &arena, at, (size_t)(end - at), text, strlen(text));
    }
    ck_assert_msg(each.match[0] == count, "%s: %d words of %d found", text, (int)each.match[0],
                  (int)count);
    arena_free(&arena);
}
END_TEST

START_TEST(threads_may_share_the_work)
{
    static const char *const text[] = {"El gato duerme.", "Un perro, dos.", "Hola", "a b c d"};
    Arena arena = {0};
    BleuStats bleu = {0}, bleu_part[2] = {0};
    ChrfStats chrf = {0}, chrf_part[2] = {0};
    for (size_t i = 0; i < 4; i++) {
        const char *output = text[i], *reference = text[(i * 3 + 1) % 4];
        size_t size = strlen(output), reference_size = strlen(reference);
        bleu_add(&bleu, &arena, output, size, reference, reference_size);
        bleu_add(&bleu_part[i % 2], &arena, output, size, reference, reference_size);
        chrf_add(&chrf, &arena, output, size, reference, reference_size);
        chrf_add(&chrf_part[i % 2], &arena, output, size, reference, reference_size);
    }
    bleu_merge(&bleu_part[1], &bleu_part[0]);
    chrf_merge(&chrf_part[1], &chrf_part[0]);
    ck_assert_mem_eq(&bleu_part[1], &bleu, sizeof bleu);
    ck_assert_mem_eq(&chrf_part[1], &chrf, sizeof chrf);
    ck_assert_uint_eq(arena.used, 0); /* and the scratch space came back */
    arena_free(&arena);
}
END_TEST

START_TEST(nothing_scores_nothing)
{
    BleuStats bleu = {0};
    ChrfStats chrf = {0};
    ck_assert_double_eq(bleu_score(&bleu).score, 0);
    ck_assert_double_eq(chrf_score(&chrf), 0);
    Arena arena = {0};
    bleu_add(&bleu, &arena, "", 0, "", 0);
    chrf_add(&chrf, &arena, "", 0, "", 0);
    chrf_add(&chrf, &arena, "hola", 4, "", 0);
    ck_assert_double_eq(bleu_score(&bleu).score, 0);
    ck_assert_double_eq(chrf_score(&chrf), 0);
    ck_assert_uint_eq(chrf.output[0], 0); /* no reference: not counted, as in sacreBLEU */
    bleu_add(&bleu, &arena, "uno dos tres", 12, "uno dos tres", 12);
    ck_assert_double_eq(bleu_score(&bleu).score, 0); /* no 4-gram in the whole corpus */
    ck_assert_double_eq(bleu_score(&bleu).precision[2], 100);
    arena_free(&arena);
}
END_TEST

START_TEST(any_bytes_are_text)
{
    /* 0xC3 alone, an overlong form, a surrogate, NUL, é: 1 + 2 + 3 + 1 + 1 characters. */
    static const char bytes[] = "\xC3 \xC0\x80 \xED\xA0\x80 \0\xC3\xA9";
    const size_t size = sizeof bytes - 1;
    Arena arena = {0};
    ChrfStats chrf = {0};
    chrf_add(&chrf, &arena, bytes, size, bytes, size);
    ck_assert_uint_eq(chrf.output[0], 8);
    ck_assert_uint_eq(chrf.match[0], 8);
    ck_assert_double_eq_tol(chrf_score(&chrf), 100, 1e-9);
    chrf = (ChrfStats){0};
    chrf_add(&chrf, &arena, "\xC3", 1, "\u00c3", 2); /* the byte is not the character U+00C3 */
    ck_assert_uint_eq(chrf.match[0], 0);
    BleuStats bleu = {0};
    bleu_add(&bleu, &arena, bytes, size, bytes, size);
    ck_assert_uint_eq(bleu.output_words, 4);
    ck_assert_uint_eq(bleu.match[3], 1);
    arena_free(&arena);
}
END_TEST

START_TEST(the_longest_text_is_counted)
{
    /* Nothing grows more than full stops do when they are cut apart. */
    char *text = malloc(METRIC_SIZE_MAX);
    memset(text, '.', METRIC_SIZE_MAX);
    Arena arena = {0};
    BleuStats bleu = {0};
    bleu_add(&bleu, &arena, text, METRIC_SIZE_MAX, text, METRIC_SIZE_MAX);
    ck_assert_uint_eq(bleu.match[0], METRIC_SIZE_MAX);
    ck_assert_uint_eq(bleu.match[3], METRIC_SIZE_MAX - 3);
    arena_free(&arena);
    free(text);
}
END_TEST

START_TEST(links_are_scored)
{
    LinkScore score = links_score(&(LinkStats){.found = 10, .gold = 8, .both = 6});
    ck_assert_double_eq(score.precision, 0.6);
    ck_assert_double_eq(score.recall, 0.75);
    ck_assert_double_eq_tol(score.error, 1.0 / 3, 1e-15);
    ck_assert_double_eq(links_score(&(LinkStats){0}).error, 1);
    ck_assert_double_eq(links_score(&(LinkStats){5, 5, 5}).error, 0);
}
END_TEST

START_TEST(signatures_are_sacrebleus)
{
    ck_assert_str_eq(BLEU_SIGNATURE,
                     "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:atiende-1.0");
    ck_assert_str_eq(CHRF_SIGNATURE,
                     "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:atiende-1.0");
}
END_TEST

Suite *metric_suite(void)
{
    Suite *suite = suite_create("metric");
    TCase *tests = tcase_create("metric");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, scores_equal_sacrebleu);
    tcase_add_loop_test(tests, words_are_those_of_13a, 0, sizeof cuts / sizeof *cuts);
    tcase_add_test(tests, threads_may_share_the_work);
    tcase_add_test(tests, nothing_scores_nothing);
    tcase_add_test(tests, any_bytes_are_text);
    tcase_add_test(tests, the_longest_text_is_counted);
    tcase_add_test(tests, links_are_scored);
    tcase_add_test(tests, signatures_are_sacrebleus);
    suite_add_tcase(suite, tests);
    return suite;
}
