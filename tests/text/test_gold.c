/* test_gold.c - reading gold alignments, merging by their tokens, counting links. */
#include "suite.h"
#include "text/gold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[32];

static void write_gold(const char *text, size_t size)
{
    memcpy(path, "/tmp/gold-test-XXXXXX", sizeof "/tmp/gold-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, size), (long)size);
    ck_assert_int_eq(close(fd), 0);
}

/* What the file says, as "source/target/begin-end ... /begin-end ... /links" for each line. */
static void assert_read(const char *text, const char *expected)
{
    Gold gold = {0};
    Err err = {"read"};
    char found[512] = "";
    size_t at = 0;
    write_gold(text, strlen(text));
    ck_assert_msg(gold_read(&gold, path, &err), "%s", err.text);
    unlink(path);
    for (int i = 0; i < gold.pairs; i++) {
        const GoldPair *p = &gold.pair[i];
        at += (size_t)snprintf(found + at, sizeof found - at, "%.*s/%.*s/", (int)p->source_size, p->source,
                               (int)p->target_size, p->target);
        for (int k = 0; k < p->sources; k++)
            at += (size_t)snprintf(found + at, sizeof found - at, "%u-%u ", p->source_token[k].begin,
                                   p->source_token[k].end);
        for (int k = 0; k < p->targets; k++)
            at += (size_t)snprintf(found + at, sizeof found - at, "%s%u-%u ", k ? "" : "/",
                                   p->target_token[k].begin, p->target_token[k].end);
        for (int k = 0; k < p->links; k++)
            at += (size_t)snprintf(found + at, sizeof found - at, "%s%d-%d", k ? " " : "/", p->link[k].source,
                                   p->link[k].target);
        at += (size_t)snprintf(found + at, sizeof found - at, "\n");
    }
    ck_assert_str_eq(found, expected);
    gold_free(&gold);
}

START_TEST(lines_are_read)
{
    assert_read("the cat\tel gato\t0-0 1-1\n", "the cat/el gato/0-3 4-7 /0-2 3-7 /0-0 1-1\n");
    assert_read("\xEF\xBB\xBF" "a  b \t c\t1-0  0-0\r\nx\ty\t", "a  b / c/0-1 3-4 /1-2 /0-0 1-0\nx/y/0-1 /0-1 \n");
    assert_read("a b\tc d\t1-0 0-1 0-0\n", "a b/c d/0-1 2-3 /0-1 2-3 /0-0 1-0 0-1\n");
}
END_TEST

START_TEST(malformed_lines_are_named)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "no line in it"},
        {"a\tb\t0-0\n\n", "line 2: not three columns: SOURCE TOKENS<TAB>TARGET TOKENS<TAB>LINKS"},
        {"a\tb 0-0", "line 1: not three columns: SOURCE TOKENS<TAB>TARGET TOKENS<TAB>LINKS"},
        {" \tb\t0-0", "line 1: no source tokens"},
        {"a\t\t0-0", "line 1: no target tokens"},
        {"a\tb\t0", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0-0 0-", "line 1: link 2 is not two numbers i-j"},
        {"a\tb\t-0", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0p0", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0-0\t", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0-0,", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0-00000000", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0-18446744073709551616", "line 1: link 1 is not two numbers i-j"},
        {"a\tb\t0-1", "line 1: link 0-1 is beyond the last tokens, 0-0"},
        {"a\tb\t1-0", "line 1: link 1-0 is beyond the last tokens, 0-0"},
        {"x\ty\t\na b\tc\t0-0 1-0 0-0", "line 2: link 0-0 stands there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Gold gold = {0};
        Err err = {"read"};
        char message[128];
        write_gold(cases[i].text, strlen(cases[i].text));
        ck_assert(!gold_read(&gold, path, &err));
        unlink(path);
        snprintf(message, sizeof message, "%s: %s", path, cases[i].message);
        ck_assert_str_eq(err.text, message);
        gold_free(&gold);
    }
    char *large = malloc(GOLD_SIZE_MAX + 1);
    Gold gold = {0};
    Err err = {"read"};
    memset(large, 'a', GOLD_SIZE_MAX + 1);
    write_gold(large, GOLD_SIZE_MAX + 1);
    ck_assert(!gold_read(&gold, path, &err));
    unlink(path);
    ck_assert_ptr_nonnull(strstr(err.text, ": line 1: longer than 1048576 bytes"));
    gold_free(&gold);
    free(large);
    ck_assert(!gold_read(&gold, "/none/gold.tsv", &err));
    ck_assert_str_eq(err.text, "/none/gold.tsv: No such file or directory");
}
END_TEST

static TextSpan source_token[] = {{0, 3}, {4, 7}}, target_token[] = {{0, 2}, {3, 7}, {8, 9}};
static GoldLink links[] = {{0, 0}, {1, 1}};
static const GoldPair cat = {"the cat", "el gato .", 7, 9, source_token, target_token, 2, 3, links, 2};

static void assert_weights(const real *found, const double *expected, int count)
{
    for (int i = 0; i < count; i++)
        ck_assert_double_eq_tol((double)found[i], expected[i], 1e-6); /* 3e-8 seen */
}

/* the|_|c|at into el|_|g|ato|.: a marker without bytes, and a space, go to the token behind them. */
START_TEST(pieces_merge_into_tokens)
{
    static const TextSpan source[] = {{0, 3}, {4, 4}, {4, 5}, {5, 7}};
    static const TextSpan target[] = {{0, 2}, {2, 3}, {3, 4}, {4, 7}, {8, 9}};
    static const real weight[] = {
        (real)0.5, (real)0.1, (real)0.1, (real)0.1, (real)0.2, 0, (real)0.3, (real)0.3, (real)0.4, 0,
        1, 0, 0, 0, 0, 0, 0, 0, (real)0.5, (real)0.5, 0, 0, 0, (real)0.25, (real)0.75, 0, 0, 0, 0, 1,
    };
    static const double expected[] = {0.5, 0.3, 0.2, 1.0 / 3, 0.5, 0.5 / 3, 0, 0.25, 0.75};
    real found[9];
    gold_merge(&cat, &(GoldPieces){source, target, 4, 5, weight}, found);
    assert_weights(found, expected, 9);

    /* Behind the last token: before it. No pieces on a side: all to the end, or nothing. */
    static const TextSpan behind[] = {{3, 7}, {9, 9}};
    static const real two[] = {(real)0.5, (real)0.5, (real)0.25, (real)0.75, 1, 0};
    static const double last[] = {0, 0, 0, 0, 0.5, 0.5, 0, 0.25, 0.75};
    gold_merge(&cat, &(GoldPieces){behind, behind, 1, 2, two}, found);
    assert_weights(found, last, 9);
    static const double nothing[9] = {0};
    gold_merge(&cat, &(GoldPieces){0}, found);
    assert_weights(found, nothing, 9);
}
END_TEST

static void assert_links(const LinkStats *stats, unsigned found, unsigned both)
{
    ck_assert_uint_eq(stats->found, found);
    ck_assert_uint_eq(stats->both, both);
    ck_assert_uint_eq(stats->gold, 2);
}

START_TEST(links_are_counted)
{
    /* Hard: a tie goes left; the second row's end wins; a token without pieces links nothing.
     * Reverse: both columns choose the first row, cat in a tie. Mutual: the one link of hard. */
    static const real weight[] = {(real)0.5, (real)0.5, 0, (real)0.25, (real)0.25, (real)0.5, 0, 0, 0};
    GoldStats stats = {0};
    gold_count(&cat, weight, 0.25, &stats);
    assert_links(&stats.hard, 1, 1);
    assert_links(&stats.reverse, 2, 1);
    assert_links(&stats.mutual, 1, 1);
    assert_links(&stats.given, 4, 2);
    assert_links(&stats.threshold[1], 4, 2);
    assert_links(&stats.threshold[25], 4, 2);
    assert_links(&stats.threshold[26], 2, 1);
    assert_links(&stats.threshold[50], 2, 1);
    assert_links(&stats.threshold[51], 0, 0);
    ck_assert_int_eq(gold_best(&stats), 1); /* 1/3 up to 25, 1/2 up to 50 */

    static const real right[] = {(real)0.9, (real)0.1, 0, (real)0.1, (real)0.8, (real)0.1, (real)0.1, 0, (real)0.9};
    GoldStats more = {0};
    gold_count(&cat, right, 2, &more);
    assert_links(&more.hard, 2, 2);
    assert_links(&more.reverse, 2, 2);
    assert_links(&more.mutual, 2, 2);
    assert_links(&more.given, 0, 0);
    ck_assert_int_eq(gold_best(&more), 11);
    gold_add(&more, &stats);
    ck_assert_uint_eq(more.hard.found, 3);
    ck_assert_uint_eq(more.reverse.both, 3);
    ck_assert_uint_eq(more.given.gold, 4);
    ck_assert_uint_eq(more.threshold[50].both, 3);
    ck_assert_double_eq_tol(links_score(&more.hard).error, 1 - 6.0 / 7, 1e-12);
}
END_TEST

Suite *gold_suite(void)
{
    Suite *suite = suite_create("gold");
    TCase *tests = tcase_create("gold");
    tcase_add_test(tests, lines_are_read);
    tcase_add_test(tests, malformed_lines_are_named);
    tcase_add_test(tests, pieces_merge_into_tokens);
    tcase_add_test(tests, links_are_counted);
    suite_add_tcase(suite, tests);
    return suite;
}
