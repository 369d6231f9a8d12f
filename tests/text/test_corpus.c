/* test_corpus.c - reading parallel text and leaving pairs out. */
#include "suite.h"
#include "text/corpus.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES(literal) (literal), sizeof(literal) - 1

static char folder[] = "/tmp/corpus-XXXXXX", train[64], test[64];
static Corpus corpus;
static Err err;

static void setup(void)
{
    memcpy(folder, "/tmp/corpus-XXXXXX", sizeof folder);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(train, sizeof train, "%s/train.tsv", folder);
    snprintf(test, sizeof test, "%s/test.tsv", folder);
    corpus = (Corpus){0};
    err.text[0] = '\0';
}

static void teardown(void)
{
    corpus_free(&corpus);
    remove(train);
    remove(test);
    rmdir(folder);
}

static void file_write(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* The text with every @ replaced by the folder. */
static void same_text(const char *got, const char *expected)
{
    Buf buf = {0};
    for (; *expected; expected++)
        if (*expected == '@')
            buf_text(&buf, folder);
        else
            buf_char(&buf, *expected);
    ck_assert_str_eq(got, buf.data);
    buf_free(&buf);
}

static void same_summary(const char *expected)
{
    Buf buf = {0};
    corpus_summary(&corpus, &buf);
    same_text(buf.data, expected);
    buf_free(&buf);
}

static void same_pair(size_t i, const char *source, const char *target, uint64_t line)
{
    ck_assert_uint_lt(i, corpus.pairs);
    ck_assert_str_eq(corpus.pair[i].source, source);
    ck_assert_str_eq(corpus.pair[i].target, target);
    ck_assert_uint_eq(corpus.pair[i].source_size, strlen(source));
    ck_assert_uint_eq(corpus.pair[i].target_size, strlen(target));
    ck_assert_uint_eq(corpus.pair[i].line, line);
}

static void read_good(const char *path, double weight)
{
    bool good = corpus_read(&corpus, path, weight, &err);
    ck_assert_msg(good, "%s", err.text);
}

START_TEST(pairs_are_kept_as_they_stand)
{
    file_write(train, BYTES("\xEF\xBB\xBFOne. \tUno.\r\n"
                            "Two\tDos\tby whom \xFF\tand\r\n"
                            " e\xCC\x81\t\xC3\xA9\n"
                            "Last\tÚltimo"));
    read_good(train, 2.5);
    ck_assert_uint_eq(corpus.pairs, 4);
    same_pair(0, "One. ", "Uno.", 1);
    same_pair(1, "Two", "Dos", 2);
    same_pair(2, " e\u0301", "\u00e9", 3);
    same_pair(3, "Last", "Último", 4);
    ck_assert_uint_eq(corpus.files, 1);
    ck_assert_uint_eq(corpus.file[0].lines, 4);
    ck_assert_double_eq(corpus.file[0].weight, 2.5);
    same_summary("@/train.tsv: 4 pairs read\n");
}
END_TEST

START_TEST(what_is_skipped_is_counted)
{
    corpus.size_max = 8;
    file_write(train, BYTES("\n"                     /* 1 blank */
                            "no tab\n"               /* 2 */
                            "a\tb\n"                 /* 3 */
                            " \u00a0\r\n"            /* 4 blank */
                            "\tb\n"                  /* 5 empty */
                            "a\t\u3000\n"            /* 6 empty */
                            "a\t\u200b\tc\n"         /* 7 empty: nothing to be seen */
                            "a\t\xC3(\n"             /* 8 broken */
                            "a\0b\tc\n"              /* 9 NUL */
                            "12345678\t1\n"          /* 10 */
                            "123456789\t1\n"         /* 11 long */
                            "1\t12345678\u00e9\tc\n" /* 12 long */
                            "a\tb\tother\n"          /* 13 duplicate of 3 */
                            "\xED\xA0\x80\tb\n"      /* 14 a surrogate is no text */
                            "a\tb \n"                /* 15 not a duplicate */
                            "no tab"));              /* 16 */
    read_good(train, 1);
    ck_assert_uint_eq(corpus.pairs, 3);
    same_pair(0, "a", "b", 3);
    same_pair(1, "12345678", "1", 10);
    same_pair(2, "a", "b ", 15);
    same_summary("@/train.tsv: 3 pairs read\n"
                 "@/train.tsv: 2 skipped as blank (first at line 1)\n"
                 "@/train.tsv: 2 skipped without a tab (first at line 2)\n"
                 "@/train.tsv: 3 skipped with broken UTF-8 or a NUL byte (first at line 8)\n"
                 "@/train.tsv: 3 skipped with an empty side (first at line 5)\n"
                 "@/train.tsv: 2 skipped as too long (first at line 11)\n"
                 "@/train.tsv: 1 skipped as duplicates (first at line 13)\n");
}
END_TEST

START_TEST(files_add_up)
{
    file_write(train, BYTES("a\tb\nc\td\n"));
    file_write(test, BYTES("a\tb\n"));
    read_good(train, 1);
    read_good(test, 20);
    ck_assert_uint_eq(corpus.pairs, 3); /* the same pair, with another weight, stays */
    ck_assert_uint_eq(corpus.pair[1].file, 0);
    ck_assert_uint_eq(corpus.pair[2].file, 1);
    same_pair(2, "a", "b", 1);
    ck_assert_double_eq(corpus.file[1].weight, 20);
    same_summary("@/train.tsv: 2 pairs read\n@/test.tsv: 1 pair read\n");
}
END_TEST

/* Lines around the size of the reader's memory, before and behind ordinary ones. */
START_TEST(long_lines_are_read_past)
{
    static const size_t extra[] = {0, 1, 2, CORPUS_LINE_MAX, 2 * CORPUS_LINE_MAX + 7};
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
        for (int newline = 0; newline < 2; newline++) {
            size_t size = CORPUS_LINE_MAX - 1 + extra[i]; /* with its end LINE_MAX + extra */
            char *text = malloc(size + 16), *end = text;
            memcpy(end, "a\tb\n", 4);
            memset(end += 4, 0, size); /* NUL bytes at that */
            memcpy(end, "c\td\t", 4);
            end += size;
            if (newline) {
                memcpy(end, "\ne\tf\n", 5);
                end += 5;
            }
            file_write(train, text, (size_t)(end - text));
            free(text);
            corpus_free(&corpus);
            read_good(train, 1);
            bool fits = extra[i] == 0; /* what is too long stands in the third column */
            ck_assert_uint_eq(corpus.pairs, 1u + fits + (unsigned)newline);
            ck_assert_uint_eq(corpus.file[0].skipped[CORPUS_LONG].count, !fits);
            ck_assert_uint_eq(corpus.file[0].skipped[CORPUS_LONG].first, fits ? 0 : 2);
            ck_assert_uint_eq(corpus.file[0].lines, 2u + (unsigned)newline);
            if (newline)
                same_pair(corpus.pairs - 1, "e", "f", 3);
        }
}
END_TEST

START_TEST(standard_input_is_a_file)
{
    file_write(train, BYTES("a\tb\nc\n"));
    int saved = dup(0), file = open(train, O_RDONLY);
    ck_assert_int_eq(dup2(file, 0), 0);
    read_good("-", 1);
    dup2(saved, 0);
    close(saved);
    close(file);
    same_pair(0, "a", "b", 1);
    same_summary("standard input: 1 pair read\n"
                 "standard input: 1 skipped without a tab (first at line 2)\n");
}
END_TEST

static void read_bad(const char *path, double weight, const char *message)
{
    corpus_free(&corpus);
    ck_assert(!corpus_read(&corpus, path, weight, &err));
    same_text(err.text, message);
}

START_TEST(reading_fails_in_words)
{
    read_bad(train, 1, "@/train.tsv: cannot be read: No such file or directory");
    read_bad(folder, 1, "@: cannot be read: Is a directory");
    file_write(train, "", 0);
    read_bad(train, 1, "@/train.tsv: no sentence pairs in it");
    file_write(train, BYTES("\nHello.\nHow are you?\n"));
    read_bad(train, 1, "@/train.tsv: no sentence pairs in it; "
                       "2 skipped without a tab (first at line 2)");
    read_bad(train, 0, "@/train.tsv: its weight is 0, not a number above 0 and up to 1e+06");
    read_bad(train, (double)NAN,
             "@/train.tsv: its weight is nan, not a number above 0 and up to 1e+06");
}
END_TEST

START_TEST(tests_are_left_out)
{
    file_write(train, BYTES("- What's  up, DOC ?\tuno\n" /* 1 source: punctuation and case */
                            "dos\t¡CAFE\u0301, s\u00ed!\n" /* 2 target: decomposed */
                            "three\ttres\n"               /* 3 */
                            "Café sí\tcuatro\n"           /* 4 source equals a target: stays */
                            "What s up doc\tcinco\n"      /* 5 another word: stays */
                            "six\tCafé sí señor\n"        /* 6 */
                            "...\tsiete\n"                /* 7 nothing but punctuation */
                            "a\u0323\u0301b\tocho\n"));   /* 8 marks in the other order */
    file_write(test, BYTES("\n"
                           "whats up doc\tno\n"
                           "dos no\t«Café»\u00a0SÍ.\n"
                           "whats up doc\tno\n"
                           "!\tx\n"
                           "A\u0301\u0323B\ty\n"));
    read_good(train, 1);
    bool good = corpus_exclude(&corpus, test, &err);
    ck_assert_msg(good, "%s", err.text);
    ck_assert_uint_eq(corpus.pairs, 4);
    same_pair(0, "three", "tres", 3);
    same_pair(1, "Café sí", "cuatro", 4);
    same_pair(2, "What s up doc", "cinco", 5);
    same_pair(3, "six", "Café sí señor", 6);
    ck_assert_uint_eq(corpus.file[0].pairs, 4);
    same_summary("@/train.tsv: 8 pairs read\n@/train.tsv: 4 left out because a side stands in an "
                 "excluded file (first at line 1)\n");
}
END_TEST

START_TEST(excluding_fails_in_words)
{
    file_write(train, BYTES("a\tb\n"));
    read_good(train, 1);
    ck_assert(!corpus_exclude(&corpus, test, &err));
    same_text(err.text, "@/test.tsv: cannot be read: No such file or directory");
    file_write(test, BYTES("x\ty\nz\n"));
    ck_assert(!corpus_exclude(&corpus, test, &err));
    same_text(err.text, "@/test.tsv: cannot exclude what cannot be read: "
                        "1 skipped without a tab (first at line 2)");
    ck_assert(!corpus_exclude(&corpus, train, &err));
    same_text(err.text, "@/train.tsv: excluding its sentences leaves no pair");
}
END_TEST

/* A text that grows when it is folded and decomposed, and one as long as a side may be. */
START_TEST(folding_has_room)
{
    Buf text = {0};
    for (int i = 0; i < 1000; i++)
        buf_text(&text, "\u0390\uFB03"); /* one code point to three each */
    buf_text(&text, "\tx\nplain\t");
    for (size_t i = 0; i < CORPUS_SIZE_MAX / 2; i++)
        buf_text(&text, "\u0130"); /* two code points */
    buf_text(&text, "\nb\tc\n");
    file_write(train, text.data, text.size);
    file_write(test, text.data, text.size - 5);
    buf_free(&text);
    read_good(train, 1);
    ck_assert_uint_eq(corpus.pairs, 3);
    bool good = corpus_exclude(&corpus, test, &err);
    ck_assert_msg(good, "%s", err.text);
    ck_assert_uint_eq(corpus.pairs, 1);
    same_pair(0, "b", "c", 3);
}
END_TEST

START_TEST(many_pairs_are_told_apart)
{
    Buf text = {0};
    for (int i = 0; i < 20000; i++)
        buf_format(&text, "s%d\tt%d\n", i % 15000, i % 10000); /* repeats after 30,000 */
    file_write(train, text.data, text.size);
    text.size = 0;
    for (int i = 0; i < 20000; i += 2)
        buf_format(&text, "S%d!\t-\n", i);
    file_write(test, text.data, text.size);
    buf_free(&text);
    read_good(train, 1);
    ck_assert_uint_eq(corpus.pairs, 20000);
    bool good = corpus_exclude(&corpus, test, &err);
    ck_assert_msg(good, "%s", err.text);
    ck_assert_uint_eq(corpus.pairs, 10000);
    for (size_t i = 0; i < corpus.pairs; i++)
        ck_assert_uint_eq(corpus.pair[i].line, 2 * i + 2);
}
END_TEST

Suite *corpus_suite(void)
{
    Suite *suite = suite_create("corpus");
    TCase *tests = tcase_create("corpus");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, pairs_are_kept_as_they_stand);
    tcase_add_test(tests, what_is_skipped_is_counted);
    tcase_add_test(tests, files_add_up);
    tcase_add_test(tests, long_lines_are_read_past);
    tcase_add_test(tests, standard_input_is_a_file);
    tcase_add_test(tests, reading_fails_in_words);
    tcase_add_test(tests, tests_are_left_out);
    tcase_add_test(tests, excluding_fails_in_words);
    tcase_add_test(tests, folding_has_room);
    tcase_add_test(tests, many_pairs_are_told_apart);
    suite_add_tcase(suite, tests);
    return suite;
}
