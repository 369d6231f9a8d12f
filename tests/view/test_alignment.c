/* test_alignment.c - words and where they stand; pieces merged into words; links. */
#include "suite.h"
#include "view/alignment.h"

#include <stdlib.h>
#include <string.h>

static Arena arena;

static void end(void)
{
    arena_free(&arena);
}

/* The words of text, joined by "|". */
static void check_words(const char *text, const char *expected)
{
    int count;
    char joined[1024];
    size_t at = 0;
    const AlignmentWord *word = alignment_words(&arena, text, strlen(text), &count);
    ck_assert_int_eq(count, alignment_word_count(text, strlen(text)));
    for (int i = 0; i < count; i++) {
        ck_assert_ptr_eq(word[i].text, text + word[i].begin);
        ck_assert_uint_eq(word[i].size, word[i].end - word[i].begin);
        if (i)
            joined[at++] = '|';
        memcpy(joined + at, word[i].text, word[i].size);
        at += word[i].size;
    }
    joined[at] = '\0';
    ck_assert_str_eq(joined, expected);
}

START_TEST(words)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" \t\r\n\u00a0\u3000\x01", ""},
        {"The cat sat on the mat.", "The|cat|sat|on|the|mat|."},
        {"two  spaces ", "two|spaces"},
        {"¿Qué?  ¡Mañana!", "¿|Qué|?|¡|Mañana|!"},
        {"l\u0301uz cafe\u0301.", "l\u0301uz|cafe\u0301|."},
        {"don't John’s rock-'n'-roll 'tis dogs'", "don't|John’s|rock|-|'|n|'|-|roll|'|tis|dogs|'"},
        {"well-known snake_case _x_ a--b non‑stop", "well-known|snake_case|_|x|_|a|-|-|b|non‑stop"},
        {"3.14 1,000 12:30 7. a.b 1.a :5", "3.14|1,000|12:30|7|.|a|.|b|1|.|a|:|5"},
        {"-5 % $10", "-|5|%|$|10"},
        {"2nd x² ½", "2nd|x²|½"},
        {"...", ".|.|."},
        {"中文 Ελλάδα हिन्दी", "中文|Ελλάδα|हिन्दी"},
        {"co\u00adop \u00ad \u200bx\u200b", "co\u00adop|x"},
        {"a\u200d b", "a\u200d|b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_words(cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(characters_that_cannot_be_parted)
{
    static const char *const cases[][2] = {
        {"I ❤️ you", "I|❤️|you"},
        {"👩‍👩‍👧😀😀", "👩‍👩‍👧|😀|😀"},
        {"👍🏽!👍", "👍🏽|!|👍"},
        {"🇪🇸🇫🇷", "🇪🇸|🇫🇷"},
        {"1️⃣ a", "1️⃣|a"},
        {"!\u0301 \u0301", "!\u0301|\u0301"},
        {"👩‍x", "👩‍|x"},
        {"🏴󠁧󠁢󠁥󠁮󠁧󠁿.", "🏴󠁧󠁢󠁥󠁮󠁧󠁿|."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_words(cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(broken_bytes_are_words)
{
    check_words("a\xff" "b\xe2\x82\xffz", "a|\xff|b|\xe2\x82|\xff|z");
    check_words("\xff\u0301", "\xff|\u0301");
    check_words("www.a\xff", "www.a|\xff");
    check_words("a@b.c\xff", "a@b.c|\xff");
}
END_TEST

START_TEST(urls_and_addresses)
{
    static const char *const cases[][2] = {
        {"See http://example.com/a_b?c=d&e#f.", "See|http://example.com/a_b?c=d&e#f|."},
        {"(https://example.org/x_(y))", "(|https://example.org/x_(y)|)"},
        {"www.example.com, WWW.X.ES!", "www.example.com|,|WWW.X.ES|!"},
        {"«http://a.es»", "«|http://a.es|»"},
        {"http://x http:// www. ://a", "http://x|http|:|/|/|www|.|:|/|/|a"},
        {"http://...", "http|:|/|/|.|.|."},
        {"http://[::1]/", "http://[::1]/"},
        {"git+ssh://h/p", "git+ssh://h/p"},
        {"9http://x", "9http|:|/|/|x"},
        {"Write to ana.maria+x@mail.example.com.", "Write|to|ana.maria+x@mail.example.com|."},
        {"<a-b@c-d.es>", "<|a-b@c-d.es|>"},
        {"a@b a@b. a.@b.c @x.y", "a|@|b|a|@|b|.|a|.|@|b|.|c|@|x|.|y"},
        {"a@b..c a@-b.c", "a|@|b|.|.|c|a|@|-|b|.|c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_words(cases[i][0], cases[i][1]);
}
END_TEST

/* A text that could cost a look at all that follows for every word. */
START_TEST(words_take_linear_time)
{
    static const char *const units[] = {"a.", "a@", "a-", "a", "http://(", "a'\xff", "👩‍", "\u0301", "www.)"};
    size_t size = 1 << 20;
    char *text = memory_take(size);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        size_t unit = strlen(units[u]);
        for (size_t i = 0; i < size; i++)
            text[i] = units[u][i % unit];
        ck_assert_int_ge(alignment_word_count(text, size), 1);
    }
    free(text);
}
END_TEST

/* Merging -------------------------------------------------------------------------------------- */

enum { PIECES = 16 };

/* Pieces by their texts: "_" is the space before a word, "^" a case marker, "~" a lone space; the others stand in
 * the text one behind the other. */
typedef struct {
    AlignmentSpan span[PIECES];
    const char *piece[PIECES];
    int count;
} Pieces;

static Pieces pieces_of(const char *text, uint32_t at, const char *const *piece)
{
    Pieces pieces = {.count = 0};
    for (; piece[pieces.count]; pieces.count++) {
        const char *p = piece[pieces.count];
        uint32_t size = (uint32_t)strlen(p);
        if (*p == '^') {
            uint32_t behind = at + (text[at] == ' ');
            pieces.span[pieces.count] = (AlignmentSpan){behind, behind};
        } else if (*p == '~') {
            pieces.span[pieces.count] = (AlignmentSpan){at, at + 1};
            at++;
        } else {
            if (*p == '_') {
                size--;
                at += text[at] == ' ';
            }
            pieces.span[pieces.count] = (AlignmentSpan){at, at + size};
            at += size;
        }
        pieces.piece[pieces.count] = p;
    }
    return pieces;
}

static AlignmentPart part_of(const Pieces *source, const Pieces *target, const real *weight, const real *score)
{
    return (AlignmentPart){source->span, target->span, source->piece, target->piece,
                           source->count, target->count, weight, score};
}

static Alignment *align(const char *source, const char *target, const AlignmentPart *part, int parts, bool by_piece)
{
    AlignmentInput input = {source, target, strlen(source), strlen(target), part, parts, by_piece, -3, -1};
    return alignment_new(&arena, &input);
}

static real at(const Alignment *a, int target, int source)
{
    return a->weight[target * (a->sources + 1) + source];
}

static void check_row(const Alignment *a, int target, const double *expected)
{
    for (int s = 0; s <= a->sources; s++)
        ck_assert_double_eq_tol((double)at(a, target, s), expected[s], 1e-6);
}

/* Rows of random weights that sum to 1. */
static void fill(real *weight, int rows, int cols, unsigned seed)
{
    for (int r = 0; r < rows; r++) {
        double sum = 0;
        for (int c = 0; c < cols; c++) {
            seed = seed * 1664525u + 1013904223u;
            weight[r * cols + c] = (real)(seed >> 8);
            sum += (double)weight[r * cols + c];
        }
        for (int c = 0; c < cols; c++)
            weight[r * cols + c] = (real)((double)weight[r * cols + c] / sum);
    }
}

static void check_sums(const Alignment *a)
{
    double score = a->end_score;
    for (int t = 0; t <= a->targets; t++) {
        double sum = 0;
        for (int s = 0; s <= a->sources; s++)
            sum += (double)at(a, t, s);
        ck_assert_double_eq_tol(sum, 1, 1e-5);
    }
    for (int t = 0; t < a->targets; t++)
        score += a->target[t].score;
    ck_assert_double_eq_tol(score, -3, 1e-6);
}

START_TEST(source_sums_and_target_means)
{
    static const char source[] = "Cats sleep", target[] = "Los gatos";
    Pieces s = pieces_of(source, 0, (const char *const[]){"^", "_cat", "s", "_sleep", NULL});
    Pieces t = pieces_of(target, 0, (const char *const[]){"^", "_los", "_ga", "tos", NULL});
    static const real weight[] = {
        0.1f, 0.2f, 0.3f, 0.4f, 0,     /* ^ */
        0.3f, 0.2f, 0.1f, 0, 0.4f,     /* Los */
        0.25f, 0.25f, 0.25f, 0.25f, 0, /* ga */
        0, 0, 0, 1, 0,                 /* tos */
        0, 0, 0, 0, 1,                 /* the end */
    };
    static const real score[] = {-0.5f, -0.5f, -0.5f, -1, -0.5f};
    AlignmentPart part = part_of(&s, &t, weight, score);
    Alignment *a = align(source, target, &part, 1, false);
    ck_assert_int_eq(a->sources, 2);
    ck_assert_int_eq(a->targets, 2);
    ck_assert_int_eq(a->source[0].pieces, 3);
    ck_assert_int_eq(a->source[1].pieces, 1);
    ck_assert_int_eq(a->target[0].pieces, 2);
    ck_assert_int_eq(a->target[1].pieces, 2);
    check_row(a, 0, (const double[]){0.6, 0.2, 0.2});
    check_row(a, 1, (const double[]){0.375, 0.625, 0});
    check_row(a, 2, (const double[]){0, 0, 1});
    ck_assert_double_eq_tol(a->target[0].score, -1, 1e-6);
    ck_assert_double_eq_tol(a->target[1].score, -1.5, 1e-6);
    ck_assert_double_eq_tol(a->end_score, -0.5, 1e-6);
    ck_assert(a->score == -3 && a->normalized == -1);
    check_sums(a);
}
END_TEST

START_TEST(a_piece_over_several_words_is_shared)
{
    static const char source[] = "Well...  no", target[] = "Bueno... no ";
    Pieces s = pieces_of(source, 0, (const char *const[]){"_Well", "...", "~", "_no", NULL});
    Pieces t = pieces_of(target, 0, (const char *const[]){"_Bueno", "...", "_no", "~", NULL});
    static const real weight[] = {
        0.5f, 0.3f, 0.1f, 0.1f, 0, /* Bueno */
        0, 0.9f, 0, 0, 0.1f,       /* ... */
        0, 0, 0.25f, 0.75f, 0,     /* no */
        0, 0, 0.5f, 0, 0.5f,       /* a space at the end, which belongs to no */
        0, 0, 0, 0, 1,
    };
    static const real score[] = {-0.5f, -0.75f, -0.25f, -1, -0.5f};
    AlignmentPart part = part_of(&s, &t, weight, score);
    Alignment *a = align(source, target, &part, 1, false);
    ck_assert_int_eq(a->sources, 5);
    ck_assert_int_eq(a->targets, 5);
    check_row(a, 0, (const double[]){0.5, 0.1, 0.1, 0.1, 0.2, 0});
    for (int dot = 1; dot <= 3; dot++) {
        check_row(a, dot, (const double[]){0, 0.3, 0.3, 0.3, 0, 0.1});
        ck_assert_double_eq_tol(a->target[dot].score, -0.25, 1e-6);
        ck_assert_int_eq(a->target[dot].pieces, 1);
    }
    check_row(a, 4, (const double[]){0, 0, 0, 0, 0.75, 0.25});
    ck_assert_int_eq(a->source[4].pieces, 2);
    ck_assert_int_eq(a->target[4].pieces, 2);
    check_sums(a);
}
END_TEST

START_TEST(parts_make_one_matrix)
{
    /* The source's second word is cut in two; a marker at a part's end stays in its part. */
    static const char source[] = "One twothree", target[] = "Uno dos tres";
    Pieces s1 = pieces_of(source, 0, (const char *const[]){"_One", "_two", NULL});
    Pieces s2 = pieces_of(source, 7, (const char *const[]){"three", NULL});
    Pieces t1 = pieces_of(target, 0, (const char *const[]){"_Uno", "^", NULL});
    Pieces t2 = pieces_of(target, 4, (const char *const[]){"_dos", "_tres", NULL});
    static const real weight1[] = {0.7f, 0.2f, 0.1f, 0.5f, 0.5f, 0, 0.2f, 0.3f, 0.5f};
    static const real weight2[] = {0.9f, 0.1f, 0.8f, 0.2f, 0.4f, 0.6f};
    static const real score[] = {-0.5f, -0.5f, -0.5f};
    AlignmentPart part[] = {part_of(&s1, &t1, weight1, score), part_of(&s2, &t2, weight2, score)};
    Alignment *a = align(source, target, part, 2, false);
    ck_assert_int_eq(a->sources, 2);
    ck_assert_int_eq(a->targets, 3);
    check_row(a, 0, (const double[]){0.6, 0.35, 0.05});
    check_row(a, 1, (const double[]){0, 0.9, 0.1});
    check_row(a, 2, (const double[]){0, 0.8, 0.2});
    check_row(a, 3, (const double[]){0.1, 0.35, 0.55});
    check_sums(a);

    a = align(source, target, part, 2, true);
    ck_assert_int_eq(a->sources, 3);
    ck_assert_int_eq(a->targets, 4);
    check_row(a, 0, (const double[]){0.7, 0.2, 0, 0.1});
    check_row(a, 1, (const double[]){0.5, 0.5, 0, 0});
    check_row(a, 2, (const double[]){0, 0, 0.9, 0.1});
    check_row(a, 4, (const double[]){0.1, 0.15, 0.2, 0.55});
    check_sums(a);
    ck_assert_str_eq(a->target[1].text, "^");
    ck_assert_uint_eq(a->target[1].begin, a->target[1].end);
    ck_assert_str_eq(a->source[2].text, "three");
    ck_assert_uint_eq(a->source[2].begin, 7);
}
END_TEST

START_TEST(rows_sum_to_one_whatever_the_pieces)
{
    static const char source[] = "Él  dijo \"...!!\" 😀 fin", target[] = "He  said \"...\" ok";
    Pieces s = pieces_of(source, 0, (const char *const[]){"~", "^", "_Él", "_dijo", "_\"...!!\"", "_😀", "~", "^",
                                                          "fin", "^", NULL});
    s.span[0] = (AlignmentSpan){0, 0};
    Pieces t = pieces_of(target, 0, (const char *const[]){"^", "_He", "~", "_said", "_\"...\"", "~", "ok", "^", NULL});
    real weight[9 * 11], score[9];
    for (int i = 0; i < 9; i++)
        score[i] = (real)-3 / 9;
    for (unsigned seed = 0; seed < 50; seed++) {
        fill(weight, t.count + 1, s.count + 1, seed);
        AlignmentPart part = part_of(&s, &t, weight, score);
        check_sums(align(source, target, &part, 1, false));
        check_sums(align(source, target, &part, 1, true));
    }
}
END_TEST

START_TEST(texts_without_words)
{
    static const real weight[] = {0.25f, 0.75f, 0.5f, 0.5f}, score[] = {-1, -2};
    Alignment *a = align(" ", "", NULL, 0, false);
    ck_assert_int_eq(a->sources + a->targets, 0);
    ck_assert(a->weight[0] == 0);
    ck_assert(!a->left_out);
    ck_assert_int_eq(alignment_hard(a, NULL) + alignment_threshold(a, 0, NULL), 0);

    Pieces s = pieces_of("\u2060", 0, (const char *const[]){"\u2060", NULL});
    Pieces t = pieces_of("a", 0, (const char *const[]){"a", NULL});
    AlignmentPart part = part_of(&s, &t, weight, score);
    a = align("\u2060", "a", &part, 1, false);
    ck_assert_int_eq(a->sources, 0);
    check_row(a, 0, (const double[]){1});
    check_row(a, 1, (const double[]){1});

    Pieces blank = pieces_of(" ", 0, (const char *const[]){"~", NULL});
    part = part_of(&t, &blank, weight, score);
    a = align("a", " ", &part, 1, false);
    ck_assert_int_eq(a->targets, 0);
    check_row(a, 0, (const double[]){0.5, 0.5});
}
END_TEST

START_TEST(too_large_is_left_out)
{
    enum { WORDS = 4096 };
    char *text = memory_take_zeros(WORDS * 2 + 1, 1);
    for (int i = 0; i < WORDS; i++)
        memcpy(text + 2 * i, "a ", 2);
    AlignmentInput input = {.source = text, .target = text, .source_size = 2 * WORDS, .target_size = 2 * WORDS,
                            .score = -7};
    Alignment *a = alignment_new(&arena, &input);
    ck_assert(a->left_out);
    ck_assert_int_eq(a->sources + a->targets, 0);
    ck_assert(a->weight[0] == 0 && a->score == -7);
    input.target_size = input.source_size = 2 * (WORDS - 1);
    a = alignment_new(&arena, &input);
    ck_assert(!a->left_out);
    ck_assert_int_eq(a->sources, WORDS - 1);
    free(text);
}
END_TEST

START_TEST(links)
{
    static real weight[] = {
        0.4f, 0.4f, 0.2f,   /* a tie goes left */
        0.3f, 0.3f, 0.4f,   /* the end wins */
        0.1f, 0.45f, 0.45f, /* a tie with the end does not */
        0.2f, 0.5f, 0.3f,
        0, 0, 1,
    };
    Alignment a = {.sources = 2, .targets = 4, .weight = weight};
    AlignmentLink link[8];
    ck_assert_int_eq(alignment_hard(&a, link), 3);
    ck_assert(link[0].source == 0 && link[0].target == 0);
    ck_assert(link[1].source == 1 && link[1].target == 2);
    ck_assert(link[2].source == 1 && link[2].target == 3);
    ck_assert_int_eq(alignment_threshold(&a, 0.39999, link), 4);
    ck_assert(link[0].source == 0 && link[0].target == 0);
    ck_assert(link[1].source == 1 && link[1].target == 0);
    ck_assert(link[3].source == 1 && link[3].target == 3);
    ck_assert_int_eq(alignment_threshold(&a, 0, link), 8);
    ck_assert_int_eq(alignment_threshold(&a, 0.6, link), 0);
}
END_TEST

Suite *alignment_suite(void)
{
    Suite *suite = suite_create("alignment");
    TCase *tests = tcase_create("alignment");
    tcase_add_checked_fixture(tests, NULL, end);
    tcase_add_test(tests, words);
    tcase_add_test(tests, characters_that_cannot_be_parted);
    tcase_add_test(tests, broken_bytes_are_words);
    tcase_add_test(tests, urls_and_addresses);
    tcase_add_test(tests, words_take_linear_time);
    tcase_add_test(tests, source_sums_and_target_means);
    tcase_add_test(tests, a_piece_over_several_words_is_shared);
    tcase_add_test(tests, parts_make_one_matrix);
    tcase_add_test(tests, rows_sum_to_one_whatever_the_pieces);
    tcase_add_test(tests, texts_without_words);
    tcase_add_test(tests, too_large_is_left_out);
    tcase_add_test(tests, links);
    suite_add_tcase(suite, tests);
    return suite;
}
