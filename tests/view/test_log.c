/* test_log.c - rows of a log against the alignments they came from. What goes wrong with files: test_log_fault.c. */
#include "log_fixture.h"

#include "base/buf.h"
#include "scratch.h"
#include "suite.h"

#include <unistd.h>

START_TEST(rows_say_what_the_alignment_says)
{
    log_fixture_run("log.db");
    log_fixture_assert_rows("log.db", "SELECT * FROM translation", "1|1|1|1|en-es|The cat|El gato.|-3.0|-0.75");
    log_fixture_assert_rows("log.db", "SELECT side, position, text, begin, end, pieces, score FROM word",
                            "source|0|The|0|3|1|NULL source|1|cat|4|7|2|NULL source|2|</s>|NULL|NULL|1|NULL "
                            "target|0|El|0|2|1|-0.25 target|1|gato|3|7|2|-0.5 target|2|.|7|8|1|-2.0 "
                            "target|3|</s>|NULL|NULL|1|-0.25");
    log_fixture_assert_rows("log.db", "SELECT substr(CAST(t.target AS BLOB), begin + 1, end - begin)"
                            " = CAST(w.text AS BLOB) FROM word AS w JOIN translation AS t ON t.id = w.translation"
                            " WHERE side = 'target' AND begin IS NOT NULL", "1 1 1");
    log_fixture_assert_rows("log.db", "SELECT target, source, weight FROM attention WHERE target <> 1",
                            "0|0|0.5 0|1|0.25 0|2|0.25 2|0|0.0 2|1|0.125 2|2|0.875 3|0|0.0 3|1|0.0 3|2|1.0");
    log_fixture_assert_rows("log.db", "SELECT weight FROM attention WHERE target = 1 AND source = 1",
                            "0.800000011920929");
    log_fixture_assert_rows("log.db", "SELECT * FROM heatmap WHERE target IN (1, 3)",
                            "1|1|0|gato|The|0.1 1|1|1|gato|cat|0.8 1|1|2|gato|</s>|0.1 "
                            "1|3|0|</s>|The|0.0 1|3|1|</s>|cat|0.0 1|3|2|</s>|</s>|1.0");
    log_fixture_assert_rows("log.db", "SELECT * FROM alignment", "1|0|0|El|The|0.5 1|1|1|gato|cat|0.8");
}
END_TEST

/* Random matrices of few different weights: many ties, and often the end wins. */
START_TEST(links_are_those_of_alignment_hard)
{
    enum { SIDE = 6, COUNT = 40 };
    AlignmentWord word[SIDE];
    AlignmentLink link[SIDE];
    real weight[(SIDE + 1) * (SIDE + 1)];
    unsigned state = 1;
    int links = 0;
    Buf expected = {0};
    Log *log = log_fixture_open("log.db");
    for (int i = 0; i < SIDE; i++)
        word[i] = (AlignmentWord){"word", 4, 0, 4, 1, 0};
    for (int n = 0; n < COUNT; n++) {
        Alignment a = {.source_text = "word", .target_text = "word", .source_size = 4, .target_size = 4,
                       .source = word, .target = word, .sources = n % SIDE, .targets = n / SIDE % SIDE + 1,
                       .weight = weight};
        for (int i = 0; i < (a.sources + 1) * (a.targets + 1); i++) {
            state = state * 1664525 + 1013904223;
            weight[i] = (real)(state >> 30) / 4;
        }
        log_fixture_add(log, &a, n + 1, 1);
        int count = alignment_hard(&a, link);
        for (int i = 0; i < count; i++)
            buf_format(&expected, "%s%d|%d|%d", links++ ? " " : "", n + 1, link[i].target, link[i].source);
    }
    log_fixture_commit(log);
    log_close(log);
    ck_assert_int_gt(links, COUNT);
    log_fixture_assert_rows("log.db", "SELECT translation, target, source FROM alignment", expected.data);
    buf_free(&expected);
}
END_TEST

START_TEST(nothing_is_there_before_its_commit)
{
    Log *log = log_fixture_open("log.db");
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM translation", "0");
    log_fixture_commit(log); /* of nothing */
    log_fixture_add(log, &log_fixture_cat, 1, 1);
    log_fixture_add(log, &log_fixture_cat, 2, 1);
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM translation", "0");
    log_fixture_commit(log);
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM translation", "2");
    log_fixture_add(log, &log_fixture_cat, 3, 1);
    log_close(log);
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM translation", "2");
    log_close(NULL);
}
END_TEST

/* Two logs on one file, taking turns. */
START_TEST(a_log_is_appended_to)
{
    log_fixture_run("log.db");
    log_fixture_sql("log.db", "CREATE TABLE mine(note TEXT); CREATE INDEX word_text ON word(text)");
    Log *one = log_fixture_open("log.db"), *two = log_fixture_open("log.db");
    log_fixture_add(one, &log_fixture_cat, 1, 1);
    log_fixture_add(one, &log_fixture_cat, 1, 2);
    log_fixture_commit(one);
    log_fixture_add(two, &log_fixture_cat, 7, 1);
    log_fixture_commit(two);
    log_fixture_add(one, &log_fixture_cat, 2, 1);
    log_fixture_commit(one);
    log_close(one);
    log_close(two);
    log_fixture_assert_rows("log.db", "SELECT id, run, line, rank FROM translation ORDER BY id",
                            "1|1|1|1 2|2|1|1 3|2|1|2 4|3|7|1 5|2|2|1");
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM word", "35");
    log_fixture_assert_rows("log.db", "PRAGMA integrity_check", "ok");
    log_fixture_sql("log.db", "PRAGMA foreign_keys = ON; DELETE FROM translation WHERE run = 2");
    log_fixture_assert_rows("log.db", "SELECT DISTINCT translation FROM attention", "1 4");
}
END_TEST

START_TEST(any_bytes_become_text)
{
    AlignmentWord source[] = {{"a\0b\xFF", 4, 0, 4, 1, 0}, {"'); DROP TABLE word; --", 23, 5, 28, 1, 0}};
    Alignment a = log_fixture_cat;
    a.source_text = "a\0b\xFF '); DROP TABLE word; --";
    a.source_size = 28;
    a.source = source;
    Log *log = log_fixture_open("log.db");
    log_fixture_add(log, &a, 1, 1);
    log_fixture_commit(log);
    log_close(log);
    log_fixture_assert_rows("log.db", "SELECT source FROM translation", "a\uFFFDb\uFFFD '); DROP TABLE word; --");
    log_fixture_assert_rows("log.db", "SELECT text, begin, end FROM word WHERE side = 'source' AND position < 2",
                            "a\uFFFDb\uFFFD|0|4 '); DROP TABLE word; --|5|28");
}
END_TEST

START_TEST(lines_without_words)
{
    real none = 0;
    Alignment blank = {.source_text = "", .target_text = "", .weight = &none};
    Alignment large = {.source_text = "The cat", .target_text = "El gato.", .source_size = 7,
                       .target_size = 8, .weight = &none, .score = -3, .left_out = true};
    Log *log = log_fixture_open("log.db");
    log_fixture_add(log, &blank, 1, 1);
    log_fixture_add(log, &large, 2, 1);
    log_fixture_commit(log);
    log_close(log);
    log_fixture_assert_rows("log.db", "SELECT line, source, target, score FROM translation",
                            "1|||0.0 2|The cat|El gato.|-3.0");
    log_fixture_assert_rows("log.db", "SELECT translation, side, text FROM word", "1|source|</s> 1|target|</s>");
    log_fixture_assert_rows("log.db", "SELECT translation, weight FROM attention", "1|0.0");
    log_fixture_assert_rows("log.db", "SELECT count(*) FROM alignment", "0");
}
END_TEST

START_TEST(paths_mean_nothing_but_files)
{
    static const char *const names[] = {":memory:", "file:a?mode=ro", "a%20b#c", "./log.db"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        log_fixture_run(names[i]);
        ck_assert_int_eq(access(names[i], F_OK), 0);
    }
    log_fixture_write("empty", "", 0);
    log_fixture_run("empty");
    log_fixture_assert_rows("empty", "SELECT count(*) FROM translation", "1");
}
END_TEST

Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_add_checked_fixture(tests, scratch_start, scratch_end);
    tcase_add_test(tests, rows_say_what_the_alignment_says);
    tcase_add_test(tests, links_are_those_of_alignment_hard);
    tcase_add_test(tests, nothing_is_there_before_its_commit);
    tcase_add_test(tests, a_log_is_appended_to);
    tcase_add_test(tests, any_bytes_become_text);
    tcase_add_test(tests, lines_without_words);
    tcase_add_test(tests, paths_mean_nothing_but_files);
    suite_add_tcase(suite, tests);
    return suite;
}
