/* test_reader.c - lines from pipes, whole and in pieces. */
#include "base/reader.h"
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A pipe that holds the bytes; its writing end is returned in *to, or closed when to is NULL. */
static Reader piped(const void *bytes, size_t size, int *to)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes, size), (ssize_t)size);
    if (to)
        *to = ends[1];
    else
        close(ends[1]);
    return reader_start(ends[0], "pipe");
}

static void finish(Reader *reader)
{
    close(reader->fd);
    reader_free(reader);
}

/* All lines, each in brackets. */
static void check_lines(const char *bytes, size_t size, const char *lines)
{
    Reader reader = piped(bytes, size, NULL);
    ReaderLine line;
    Buf all = {0};
    Err err;
    buf_text(&all, "");
    while (reader_line(&reader, &line, &err) == READER_LINE) {
        buf_char(&all, '[');
        buf_add(&all, line.data, line.size);
        buf_char(&all, ']');
        ck_assert(!line.cut);
    }
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_END);
    ck_assert_str_eq(all.data, lines);
    buf_free(&all);
    finish(&reader);
}

#define CHECK_LINES(bytes, lines) check_lines(bytes, sizeof bytes - 1, lines)

START_TEST(reader_splits_lines)
{
    CHECK_LINES("", "");
    CHECK_LINES("\n", "[]");
    CHECK_LINES("a", "[a]");
    CHECK_LINES("a\nb\n", "[a][b]");
    CHECK_LINES("a\n\nb", "[a][][b]");
    CHECK_LINES("a\r\nb\rc\r\n\r\n", "[a][b\rc][]");
    CHECK_LINES("\xEF\xBB\xBF" "a\n\xEF\xBB\xBF" "b\n", "[a][\xEF\xBB\xBF" "b]");
    CHECK_LINES("\xEF\xBB\xBF", "");
    CHECK_LINES("\xEF\xBB\xBF\n", "[]");
}
END_TEST

START_TEST(reader_keeps_nul_bytes)
{
    Reader reader = piped("a\0b\n", 4, NULL);
    ReaderLine line;
    Err err;
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_LINE);
    ck_assert_uint_eq(line.size, 3);
    ck_assert_mem_eq(line.data, "a\0b", 3);
    ck_assert_int_eq(line.number, 1);
    finish(&reader);
}
END_TEST

START_TEST(reader_knows_whether_it_would_wait)
{
    int to;
    Reader reader = piped("one\ntw", 6, &to);
    ReaderLine line;
    Err err;
    ck_assert(reader_is_ready(&reader));
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_LINE);
    ck_assert(!reader_is_ready(&reader)); /* half a line is none */
    ck_assert_int_eq(write(to, "o\n", 2), 2);
    ck_assert(reader_is_ready(&reader));
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_LINE);
    ck_assert_uint_eq(line.size, 3);
    ck_assert_mem_eq(line.data, "two", 3);
    ck_assert_int_eq(line.number, 2);
    ck_assert(!reader_is_ready(&reader));
    close(to);
    ck_assert(reader_is_ready(&reader)); /* the end is an answer too */
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_END);
    finish(&reader);
}
END_TEST

START_TEST(reader_bounds_a_line)
{
    /* READER_LINE_MAX bytes are kept, less the character that the limit would split. */
    char path[] = "/tmp/test_reader.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    FILE *file = fdopen(fd, "w+");
    for (size_t i = 0; i < READER_LINE_MAX - 1; i++)
        putc('x', file);
    fputs("\u00f1 and more\nnext\n", file);
    for (size_t i = 0; i < READER_LINE_MAX; i++)
        putc('y', file);
    fputs("\r\n", file);
    for (size_t i = 0; i < 3 * READER_LINE_MAX; i++)
        putc('z', file);
    ck_assert_int_eq(fflush(file), 0);
    lseek(fd, 0, SEEK_SET);

    Reader reader = reader_start(fd, path);
    const struct { size_t size; char first; bool cut; } expected[] = {
        {READER_LINE_MAX - 1, 'x', true}, {4, 'n', false},
        {READER_LINE_MAX, 'y', false}, {READER_LINE_MAX, 'z', true},
    };
    ReaderLine line;
    Err err;
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(reader_line(&reader, &line, &err), READER_LINE);
        ck_assert_uint_eq(line.size, expected[i].size);
        ck_assert_int_eq(line.data[0], expected[i].first);
        ck_assert_int_eq(line.cut, expected[i].cut);
        ck_assert_int_eq(line.number, i + 1);
    }
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_END);
    reader_free(&reader);
    fclose(file);
}
END_TEST

START_TEST(reader_names_what_failed)
{
    int fd = open("/tmp", O_RDONLY);
    Reader reader = reader_start(fd, "/tmp");
    ReaderLine line;
    Err err;
    ck_assert(reader_is_ready(&reader));
    ck_assert_int_eq(reader_line(&reader, &line, &err), READER_FAILED);
    ck_assert_str_eq(err.text, "/tmp: Is a directory");
    finish(&reader);
}
END_TEST

Suite *reader_suite(void)
{
    Suite *suite = suite_create("reader");
    TCase *tests = tcase_create("reader");
    tcase_add_test(tests, reader_splits_lines);
    tcase_add_test(tests, reader_keeps_nul_bytes);
    tcase_add_test(tests, reader_knows_whether_it_would_wait);
    tcase_add_test(tests, reader_bounds_a_line);
    tcase_add_test(tests, reader_names_what_failed);
    suite_add_tcase(suite, tests);
    return suite;
}
