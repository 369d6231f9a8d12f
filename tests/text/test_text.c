/* test_text.c - UTF-8, normalisation with origins, folding. */
#include "suite.h"
#include "text/random_text.h"
#include "text/text.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static Arena arena;

static void teardown(void)
{
    arena_free(&arena);
}

static void check_origins(const Text *text, size_t size, const TextSpan *expected)
{
    ck_assert_uint_eq(text->size, size);
    for (size_t i = 0; i < size; i++) {
        ck_assert_uint_eq(text->origin[i].begin, expected[i].begin);
        ck_assert_uint_eq(text->origin[i].end, expected[i].end);
    }
}

START_TEST(every_character_returns)
{
    size_t wrong = 0;
    for (uint32_t code = 0; code < 0x110000; code++) {
        char bytes[4];
        uint32_t back;
        size_t at = 0, size = utf8_put(code, bytes);
        bool surrogate = code >= 0xD800 && code < 0xE000;
        wrong += utf8_next(bytes, size, &at, &back) == surrogate;
        wrong += surrogate ? at != 1 : at != size || back != code;
        for (size_t cut = 1; cut < size && !surrogate; cut++) {
            at = 0;
            wrong += utf8_next(bytes, cut, &at, &back) || at != cut || back != 0xFFFD;
        }
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Unicode 15, section 3.9, tables 3-8 to 3-11. */
START_TEST(ill_formed_by_maximal_subparts)
{
#define R "\xEF\xBF\xBD"
    static const struct {
        const char *from, *to;
        size_t replaced;
    } cases[] = {
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82" "A", R R R R R R R R "A", 8},
        {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF" "A", R R R R R R R R "A", 8},
        {"\xF4\x91\x92\x93\xFF" "A\x80\xBF" "B", R R R R R "A" R R "B", 7},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF" "A", R R R R "A", 4},
        {"a\xF1\x80\x80\xE1\x80\xC2" "b\x80" "c\x80\xBF" "d", "a" R R R "b" R "c" R R "d", 6},
        {"e\xCC", "e" R, 1},
        {R, R, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Text text = text_nfc(&arena, cases[i].from, strlen(cases[i].from));
        ck_assert_str_eq(text.data, cases[i].to);
        ck_assert_uint_eq(text.replaced, cases[i].replaced);
    }
    Text text = text_nfc(&arena, "\xE1\x80x", 3);
    check_origins(&text, 4, (TextSpan[]){{0, 2}, {0, 2}, {0, 2}, {2, 3}});
}
END_TEST

START_TEST(nfc_origins_by_hand)
{
    Text text = text_nfc(&arena, "ye\xCC\x81z", 5); /* y e U+0301 z */
    ck_assert_str_eq(text.data, "y\xC3\xA9z");
    check_origins(&text, 4, (TextSpan[]){{0, 1}, {1, 4}, {1, 4}, {4, 5}});
    text = text_nfc(&arena, "\xC3\xA9z", 3); /* nothing to do */
    check_origins(&text, 3, (TextSpan[]){{0, 2}, {0, 2}, {2, 3}});
    text = text_nfc(&arena, "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 9); /* three jamo */
    ck_assert_str_eq(text.data, "한");
    check_origins(&text, 3, (TextSpan[]){{0, 9}, {0, 9}, {0, 9}});
    text = text_nfc(&arena, "q\xCC\x81", 3); /* does not compose: each has its own */
    check_origins(&text, 3, (TextSpan[]){{0, 1}, {1, 3}, {1, 3}});
    text = text_nfc(&arena, "q\xCC\x81\xCC\xA3", 5); /* two marks change places */
    ck_assert_str_eq(text.data, "q\xCC\xA3\xCC\x81");
    check_origins(&text, 5, (TextSpan[]){{0, 5}, {0, 5}, {0, 5}, {0, 5}, {0, 5}});
    text = text_nfc(&arena, "a\0b", 3);
    ck_assert_mem_eq(text.data, "a\0b", 4);
    text = text_nfc(&arena, "", 0);
    ck_assert_str_eq(text.data, "");
    ck_assert_uint_eq(text.size, 0);
}
END_TEST

/* utf8proc's own normalisation of a whole, well-formed string. */
static void check_against_utf8proc(const char *data, size_t size, const Text *text)
{
    utf8proc_uint8_t *whole = NULL;
    utf8proc_ssize_t count = utf8proc_map((const utf8proc_uint8_t *)data, (utf8proc_ssize_t)size,
                                          &whole, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    ck_assert(count >= 0 && (size_t)count == text->size);
    ck_assert(!memcmp(whole, text->data, text->size));
    free(whole);
}

/* A stretch of bytes with one origin is the normal form of that origin; together they are all. */
static void check_stretches(const char *data, size_t size, const Text *text)
{
    uint32_t end = 0;
    size_t wrong = 0;
    for (size_t i = 0, k; i < text->size; i = k) {
        TextSpan origin = text->origin[i];
        wrong += origin.begin != end || origin.begin >= origin.end;
        end = origin.end;
        for (k = i; k < text->size && text->origin[k].begin == origin.begin; k++)
            wrong += text->origin[k].end != end;
        Text alone = text_nfc(&arena, data + origin.begin, end - origin.begin);
        wrong += alone.size != k - i || memcmp(alone.data, text->data + i, k - i) != 0;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(end, size);
}

START_TEST(nfc_of_random_strings)
{
    Rng rng = rng_at(11, 0, 0);
    Buf buf = {0};
    for (int i = 0; i < 6000; i++) {
        random_text(&rng, &buf, 24, i % 4 == 0);
        Text text = text_nfc(&arena, buf.data, buf.size);
        check_stretches(buf.data, buf.size, &text);
        if (i % 4)
            check_against_utf8proc(buf.data, buf.size, &text);
        Text again = text_nfc(&arena, text.data, text.size);
        ck_assert(again.size == text.size && !memcmp(again.data, text.data, text.size));
        ck_assert_uint_eq(again.replaced, 0);
        arena_rewind(&arena, (ArenaMark){0});
    }
    buf_free(&buf);
}
END_TEST

START_TEST(nfc_of_every_character)
{
    Buf buf = {0};
    for (uint32_t code = 0; code < 0x110000; code++) {
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
        if (category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_CS &&
            category != UTF8PROC_CATEGORY_CO) {
            char bytes[4];
            size_t size = utf8_put(code, bytes);
            buf_add(&buf, bytes, size); /* alone, before marks, behind them, before its neighbour */
            buf_text(&buf, "\xCC\xA3");
            buf_add(&buf, bytes, size);
            buf_text(&buf, "\xCC\x81");
            buf_add(&buf, bytes, size);
        }
        if (buf.size > 4096 || (code == 0x10FFFF && buf.size)) {
            Text text = text_nfc(&arena, buf.data, buf.size);
            check_against_utf8proc(buf.data, buf.size, &text);
            arena_rewind(&arena, (ArenaMark){0});
            buf.size = 0;
        }
    }
    buf_free(&buf);
}
END_TEST

START_TEST(nfc_of_endless_marks)
{
    size_t pairs = 100000; /* by insertion these would be ordered in 10^10 steps */
    Buf buf = {0};
    buf_text(&buf, "q");
    for (size_t i = 0; i < pairs; i++)
        buf_text(&buf, "\xCC\x81\xCC\xA3");
    Text text = text_nfc(&arena, buf.data, buf.size);
    ck_assert_uint_eq(text.size, buf.size);
    size_t wrong = 0;
    for (size_t i = 0; i < 2 * pairs; i++)
        wrong += memcmp(text.data + 1 + 2 * i, i < pairs ? "\xCC\xA3" : "\xCC\x81", 2) != 0;
    ck_assert_uint_eq(wrong, 0);
    buf_free(&buf);
}
END_TEST

START_TEST(fold_by_hand)
{
    static const char *const cases[][2] = {
        {"“Don’t,” she said — ‘no’…", "\"Don't,\" she said - 'no'..."},
        {"«sí» ‹no› don´t ″ ′", "\"sí\" 'no' don't \" '"},
        {"1–2 − 3‑4", "1-2 - 3-4"},
        {" \t a\xC2\xA0\xE2\x80\x89 b\xE3\x80\x80\r\n", "a b"},
        {"\xEF\xBB\xBFso\xC2\xADlo \xE2\x80\x8B x\xE2\x80\x8E", "solo x"},
        {"e\xE2\x80\x8B\xCC\x81", "é"}, /* the zero-width space kept the accent from the e */
        {"a\xE2\x80\x8D" "b", "ab"},
        {"👩‍👧", "👩‍👧"}, /* here the joiner means something */
        {"\xE2\x80\x8B", ""},
        {"   ", ""},
        {"¿Qué?  ¡No!", "¿Qué? ¡No!"},
        {"ABC abc", "ABC abc"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(text_source(&arena, cases[i][0], strlen(cases[i][0])).data, cases[i][1]);
}
END_TEST

START_TEST(fold_origins_by_hand)
{
    Text text = text_source(&arena, "  a\t b\xE2\x80\xA6 ", 10); /* 2 spaces, a, tab, space, b, … */
    ck_assert_str_eq(text.data, "a b...");
    check_origins(&text, 6, (TextSpan[]){{2, 3}, {3, 5}, {5, 6}, {6, 9}, {6, 9}, {6, 9}});
    text = text_source(&arena, "e\xE2\x80\x8B\xCC\x81!", 7);
    check_origins(&text, 3, (TextSpan[]){{0, 6}, {0, 6}, {6, 7}});
    text = text_source(&arena, "a \xE2\x80\x8B b\xFF", 8);
    ck_assert_str_eq(text.data, "a b" R);
    check_origins(&text, 6, (TextSpan[]){{0, 1}, {1, 6}, {6, 7}, {7, 8}, {7, 8}, {7, 8}});
    ck_assert_uint_eq(text.replaced, 1);
}
END_TEST

START_TEST(fold_of_random_strings)
{
    Rng rng = rng_at(12, 0, 0);
    Buf buf = {0};
    for (int i = 0; i < 6000; i++) {
        random_text(&rng, &buf, 24, i % 4 == 0);
        Text text = text_source(&arena, buf.data, buf.size);
        check_against_utf8proc(text.data, text.size, &text);
        Text again = text_fold(&arena, &text);
        ck_assert(again.size == text.size && !memcmp(again.data, text.data, text.size));
        ck_assert(!memcmp(again.origin, text.origin, text.size * sizeof *text.origin));
        size_t wrong = 0;
        for (size_t k = 0; k < text.size; k++) {
            wrong += k && text.origin[k].begin < text.origin[k - 1].begin;
            wrong += text.origin[k].begin >= text.origin[k].end || text.origin[k].end > buf.size;
        }
        ck_assert_uint_eq(wrong, 0);
        if (text.size) {
            ck_assert_int_ne(text.data[0], ' ');
            ck_assert_int_ne(text.data[text.size - 1], ' ');
        }
        arena_rewind(&arena, (ArenaMark){0});
    }
    buf_free(&buf);
}
END_TEST

START_TEST(case_by_hand)
{
    /* ñ keeps its length, ɐ and ß grow by a byte, ı shrinks. */
    static const char input[] = "a\xC3\xB1\xC9\x90\xC3\x9F\xC4\xB1-Z";
    static const TextSpan origin[] = {{0, 1}, {1, 3}, {1, 3}, {3, 5}, {3, 5}, {3, 5}, {5, 7}, {5, 7}, {5, 7},
                                      {7, 9}, {9, 10}, {10, 11}};
    Text text = text_nfc(&arena, input, sizeof input - 1), upper = text_upper(&arena, &text);
    ck_assert_str_eq(upper.data, "A\xC3\x91\xE2\xB1\xAF\xE1\xBA\x9EI-Z");
    check_origins(&upper, sizeof origin / sizeof *origin, origin);
    Text empty = text_nfc(&arena, "", 0);
    ck_assert_uint_eq(text_upper(&arena, &empty).size, 0);
    static const char capitals[] = "A\xC3\x91\xC8\xBA\xC3\x9FI-z"; /* U+023A grows by a byte */
    static const TextSpan lower_origin[] = {{0, 1}, {1, 3}, {1, 3}, {3, 5}, {3, 5}, {3, 5}, {5, 7}, {5, 7},
                                            {7, 8}, {8, 9}, {9, 10}};
    text = text_nfc(&arena, capitals, sizeof capitals - 1);
    Text lower = text_lower(&arena, &text);
    ck_assert_str_eq(lower.data, "a\xC3\xB1\xE2\xB1\xA5\xC3\x9Fi-z");
    check_origins(&lower, sizeof lower_origin / sizeof *lower_origin, lower_origin);
}
END_TEST

Suite *text_suite(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, every_character_returns);
    tcase_add_test(tests, ill_formed_by_maximal_subparts);
    tcase_add_test(tests, nfc_origins_by_hand);
    tcase_add_test(tests, nfc_of_random_strings);
    tcase_add_test(tests, nfc_of_every_character);
    tcase_add_test(tests, nfc_of_endless_marks);
    tcase_add_test(tests, fold_by_hand);
    tcase_add_test(tests, fold_origins_by_hand);
    tcase_add_test(tests, fold_of_random_strings);
    tcase_add_test(tests, case_by_hand);
    suite_add_tcase(suite, tests);
    return suite;
}
