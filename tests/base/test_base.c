/* test_base.c - err, arena, buf, rng. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"
#include "suite.h"

#include <stdint.h>
#include <string.h>

START_TEST(err_is_one_line_and_false)
{
    Err err;
    ck_assert(!err_set(&err, "%s: no such file", "a\nb\033[1m"));
    ck_assert_str_eq(err.text, "a b [1m: no such file");
}
END_TEST

START_TEST(err_is_cut_at_a_character)
{
    char name[2000] = "";
    for (int i = 0; i < 600; i++)
        memcpy(name + 2 * i, "\u00f1", 3);
    Err err;
    err_set(&err, "x%s", name); /* 1 + 2 n bytes: 511 holds x and 255 of them exactly */
    ck_assert_uint_eq(strlen(err.text), 511);
    err_set(&err, "xy%s", name); /* the 255th would be cut in half */
    ck_assert_uint_eq(strlen(err.text), 510);
}
END_TEST

START_TEST(arena_takes_aligned_and_rewinds)
{
    Arena arena = {0};
    char *first = arena_take(&arena, 10);
    ArenaMark mark = arena_mark(&arena);
    char *second = arena_take(&arena, 3 << 20); /* larger than a block */
    memset(second, 7, 3 << 20);
    ck_assert_uint_eq((uintptr_t)first % 64, 0);
    ck_assert_uint_eq((uintptr_t)second % 64, 0);
    arena_rewind(&arena, mark);
    char *small = arena_take(&arena, 8);
    ck_assert_ptr_eq(small, first + 64);
    ck_assert_ptr_eq(arena_take(&arena, 3 << 20), second); /* the block was kept */
    arena_free(&arena);
    ck_assert_ptr_null(arena.first);
}
END_TEST

START_TEST(arena_rewinds_to_empty)
{
    Arena arena = {0};
    ArenaMark empty = arena_mark(&arena);
    char *first = arena_take(&arena, 100);
    arena_rewind(&arena, empty);
    ck_assert_ptr_eq(arena_take(&arena, 100), first);
    ck_assert_str_eq(arena_copy_text(&arena, "gato", 3), "gat");
    arena_free(&arena);
}
END_TEST

START_TEST(buf_grows)
{
    Buf buf = {0};
    for (int i = 0; i < 1000; i++)
        buf_format(&buf, "%d,", i);
    buf_text(&buf, "end");
    buf_char(&buf, '!');
    ck_assert_uint_eq(buf.size, 10 * 2 + 90 * 3 + 900 * 4 + 4);
    ck_assert_str_eq(buf.data + buf.size - 8, "999,end!");
    buf_free(&buf);
}
END_TEST

START_TEST(rng_is_a_function_of_its_place)
{
    Rng a = rng_at(1, 2, 3), b = rng_at(1, 2, 3), c = rng_at(1, 3, 2);
    ck_assert_uint_eq(rng_next(&a), rng_next(&b));
    ck_assert_uint_ne(rng_next(&a), rng_next(&c));
}
END_TEST

START_TEST(rng_draws_have_their_moments)
{
    enum { N = 200000 };
    Rng rng = rng_at(42, 0, 0);
    double sum = 0, square = 0, uniform = 0;
    int low = 0;
    for (int i = 0; i < N; i++) {
        double x = rng_normal(&rng);
        sum += x;
        square += x * x;
        uniform += rng_uniform(&rng);
        low += rng_below(&rng, 10) == 0;
    }
    /* Four standard errors of each mean. */
    ck_assert_double_eq_tol(sum / N, 0, 4 / sqrt(N));
    ck_assert_double_eq_tol(square / N, 1, 4 * sqrt(2.0 / N));
    ck_assert_double_eq_tol(uniform / N, 0.5, 4 * sqrt(1 / 12.0 / N));
    ck_assert_double_eq_tol((double)low / N, 0.1, 4 * sqrt(0.09 / N));
}
END_TEST

Suite *base_suite(void)
{
    Suite *suite = suite_create("base");
    TCase *tests = tcase_create("base");
    tcase_add_test(tests, err_is_one_line_and_false);
    tcase_add_test(tests, err_is_cut_at_a_character);
    tcase_add_test(tests, arena_takes_aligned_and_rewinds);
    tcase_add_test(tests, arena_rewinds_to_empty);
    tcase_add_test(tests, buf_grows);
    tcase_add_test(tests, rng_is_a_function_of_its_place);
    tcase_add_test(tests, rng_draws_have_their_moments);
    suite_add_tcase(suite, tests);
    return suite;
}
