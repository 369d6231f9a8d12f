/* test_heatmap.c - labels, colours and the picture for terminals. */
#include "picture.h"
#include "suite.h"
#include "view/heatmap_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena arena;
static Buf out;

static void end(void)
{
    arena_free(&arena);
    buf_free(&out);
    out = (Buf){0};
}

static const char *draw(const Alignment *alignment, bool color, int width)
{
    out.size = 0;
    heatmap_terminal(&out, alignment, &(HeatmapStyle){.color = color, .width = width});
    return out.size ? out.data : "";
}

#define REPLACED "\xEF\xBF\xBD"

static const struct {
    const char *text;
    int columns, width;
    const char *shown;
} labels[] = {
    {"cat", 0, 3, "cat"},
    {"cat", 3, 3, "cat"},
    {"cat", 2, 2, "c…"},
    {"cat", 1, 1, "…"},
    {"", 5, 0, ""},
    {"two words", 0, 9, "two␣words"},
    {"日本語", 0, 6, "日本語"},
    {"日本語", 5, 5, "日本…"},
    {"日本語", 4, 3, "日…"},
    {"e\xCC\x81te\xCC\x81s", 3, 3, "e\xCC\x81t…"},
    {"\xCC\x81x", 0, 2, "◌\xCC\x81x"},
    {"👩‍👩‍👧", 0, 2, "👩‍👩‍👧"},
    {"👩‍👩‍👧x", 2, 1, "…"},
    {"🇪🇸🇫🇷", 0, 4, "🇪🇸🇫🇷"},
    {"🇪🇸🇫🇷", 3, 3, "🇪🇸…"},
    {"❤️", 0, 2, "❤️"},
    {"한국어", 0, 6, "한국어"},
    {"\033[31m\007", 0, 6, REPLACED "[31m" REPLACED},
    {"a\tb\r\n", 0, 5, "a" REPLACED "b" REPLACED REPLACED},
    {"\xC2\x9B" "31m", 0, 4, REPLACED "31m"},
    {"\xFF\xC3(", 0, 3, REPLACED REPLACED "("},
    {"\xE2\x80\xAE" "abc", 0, 4, REPLACED "abc"},
    {"a\xE2\x80\xA8" "b", 0, 3, "a" REPLACED "b"},
};

START_TEST(label)
{
    const char *text = labels[_i].text;
    int width = heatmap_label(&out, text, strlen(text), labels[_i].columns);
    ck_assert_str_eq(out.size ? out.data : "", labels[_i].shown);
    ck_assert_int_eq(width, labels[_i].width);
}
END_TEST

START_TEST(label_with_many_marks)
{
    Buf text = {0};
    buf_char(&text, 'e');
    for (int i = 0; i < 1000; i++)
        buf_text(&text, "\xCC\x81");
    ck_assert_int_eq(heatmap_label(&out, text.data, text.size, 0), 1);
    ck_assert_uint_eq(out.size, 1 + 15 * 2);
    buf_free(&text);
}
END_TEST

static double linear(int channel)
{
    double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(HeatmapColor c)
{
    return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
}

/* Lightness runs one way, and numbers can be read: WCAG 2.1 asks for a contrast of 4.5 (level AA); the least here
 * is 4.60. */
START_TEST(maps)
{
    for (int i = 0; i <= 100; i++) {
        HeatmapColor both[] = {heatmap_dark_map(i), heatmap_light_map(i)};
        for (int map = 0; map < 2; map++) {
            double l = luminance(both[map]);
            double contrast = heatmap_wants_light_ink(both[map]) ? 1.05 / (l + 0.05) : (l + 0.05) / 0.05;
            ck_assert_double_ge(contrast, 4.5);
        }
        if (i > 0) {
            ck_assert_double_gt(luminance(both[0]), luminance(heatmap_dark_map(i - 1)));
            ck_assert_double_lt(luminance(both[1]), luminance(heatmap_light_map(i - 1)));
        }
    }
}
END_TEST

START_TEST(weights)
{
    real weight[] = {(real)NAN, -1, 2, (real)INFINITY, 0.004F, 0.005F, 0.5F, 0.5F, 0.1F};
    Alignment *a = picture_new(&arena, "x y", "u v", weight);
    static const int hundredths[] = {0, 0, 100, 0, 0, 1, 50, 50, 10};
    for (int i = 0; i < 9; i++)
        if (i != 5) /* 0.005 lies on an edge */
            ck_assert_int_eq(heatmap_hundredths(a, i / 3, i % 3), hundredths[i]);
    ck_assert_int_eq(heatmap_row_best(a, 0), 2);
    ck_assert_int_eq(heatmap_row_best(a, 2), 0);
    ck_assert_int_eq(heatmap_column_best(a, 0), 2);
}
END_TEST

START_TEST(words_on_one_line)
{
    ck_assert_str_eq(draw(picture_cat(&arena), false, 80),
                     "          The  cat  sat  on  the  mat  .    (end)\n"
                     "      El █93    4    .    .   2    .    . │  1\n"
                     "    gato   2  █97    1    .   .    .    . │  .\n"
                     "      se   .    5  ▓62  ▒31   .    1    . │  1\n"
                     "   sentó   .    2  █91    6   .    .    1 │  .\n"
                     "      en   .    .  ░11  █78   8    3    . │  .\n"
                     "      la   3    .    .    4 █84    9    . │  .\n"
                     "alfombra   .    .    .    1   8  █90    1 │  .\n"
                     "       .   .    .    .    .   .    .  █100│  .\n"
                     "         ─────────────────────────────────┼───────\n"
                     "   (end)   .    .    2    .   .    1  ▒35 │▓62\n");
}
END_TEST

START_TEST(words_as_stairs)
{
    ck_assert_str_eq(draw(picture_cat(&arena), false, 40),
                     "          The         the       (end)\n"
                     "          │  cat      │  mat    │\n"
                     "          │  │  sat   │  │  .   │\n"
                     "          │  │  │  on │  │  │   │\n"
                     "      El █93  4 .  .   2 .  . │  1\n"
                     "    gato   2█97  1 .  .  .  . │ .\n"
                     "      se  .   5▓62▒31 .   1 . │  1\n"
                     "   sentó  .   2█91  6 .  .   1│ .\n"
                     "      en  .  . ░11█78  8  3 . │ .\n"
                     "      la   3 .  .   4█84  9 . │ .\n"
                     "alfombra  .  .  .   1  8█90  1│ .\n"
                     "       .  .  .  .  .  .  . 100│ .\n"
                     "         ─────────────────────┼───\n"
                     "   (end)  .  .   2 .  .   1▒35│▓62\n");
}
END_TEST

START_TEST(several_blocks)
{
    ck_assert_str_eq(draw(picture_cat(&arena), false, 24),
                     "          The cat sat\n"
                     "      El █93   4   .\n"
                     "    gato   2 █97   1\n"
                     "      se   .   5 ▓62\n"
                     "   sentó   .   2 █91\n"
                     "      en   .   . ░11\n"
                     "      la   3   .   .\n"
                     "alfombra   .   .   .\n"
                     "       .   .   .   .\n"
                     "         ────────────\n"
                     "   (end)   .   .   2\n"
                     "\n"
                     "          on  the mat\n"
                     "      El   .   2   .\n"
                     "    gato   .   .   .\n"
                     "      se ▒31   .   1\n"
                     "   sentó   6   .   .\n"
                     "      en █78   8   3\n"
                     "      la   4 █84   9\n"
                     "alfombra   1   8 █90\n"
                     "       .   .   .   .\n"
                     "         ────────────\n"
                     "   (end)   .   .   1\n"
                     "\n"
                     "          .    (end)\n"
                     "      El   . │  1\n"
                     "    gato   . │  .\n"
                     "      se   . │  1\n"
                     "   sentó   1 │  .\n"
                     "      en   . │  .\n"
                     "      la   . │  .\n"
                     "alfombra   1 │  .\n"
                     "       . █100│  .\n"
                     "         ────┼────\n"
                     "   (end) ▒35 │▓62\n");
}
END_TEST

START_TEST(one_word)
{
    ck_assert_str_eq(draw(picture_new(&arena, "a", "b", NULL), false, 80),
                     "       a    (end)\n"
                     "    b █88 │░12\n"
                     "      ────┼───────\n"
                     "(end) ░12 │█88\n");
}
END_TEST

START_TEST(blank)
{
    ck_assert_str_eq(draw(picture_new(&arena, "", "", NULL), true, 80), "");
    Alignment none = {0};
    ck_assert_str_eq(draw(&none, false, 80), "");
    ck_assert_str_eq(draw(picture_new(&arena, "a", "", NULL), false, 80),
                     "       a    (end)\n"
                     "      ────┼───────\n"
                     "(end) █88 │░12\n");
}
END_TEST

/* Takes escapes for colours out of a text; anything else that begins with ESC fails. */
static void take_colors(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        if (*from != '\033') {
            *to++ = *from++;
            continue;
        }
        size_t length = 2 + strspn(from + 2, "0123456789;");
        ck_assert_int_eq(from[1], '[');
        ck_assert_int_eq(from[length], 'm');
        from += length + 1;
    }
    *to = '\0';
}

START_TEST(colors)
{
    Alignment *a = picture_cat(&arena);
    draw(a, true, 80);
    ck_assert_ptr_nonnull(strstr(out.data, "\033[48;2;246;224;64;38;2;0;0;0m 97 "));
    ck_assert_ptr_nonnull(strstr(out.data, "\033[48;2;0;34;78;38;2;255;255;255m  . "));
    ck_assert_ptr_nonnull(strstr(out.data, "\033[1mgato\033[0m "));
    take_colors(out.data);
    ck_assert_ptr_nonnull(strstr(out.data, "\n    gato   2   97    1    .   .    .    . │  .    \n"));
}
END_TEST

/* Whatever is drawn, no line is wider than the terminal, nothing but text and line feeds comes out, and the line
 * before the end stands in one column. */
START_TEST(lines_fit)
{
    Alignment *all[] = {picture_cat(&arena), picture_hostile(&arena), picture_wide(&arena), picture_square(&arena, 30)};
    bool color = _i % 2;
    int width = _i / 2 * 3 + 20;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        draw(all[i], color, width);
        if (color)
            take_colors(out.data);
        Buf ignored = {0};
        for (char *line = out.data, *behind; *line; line = behind + 1) {
            behind = strchr(line, '\n');
            ck_assert_ptr_nonnull(behind);
            for (char *c = line; c < behind; c++)
                ck_assert_msg((unsigned char)*c >= ' ' && *c != 127, "byte %d in a line", *c);
            ck_assert_int_le(heatmap_label(&ignored, line, (size_t)(behind - line), 0), width);
        }
        buf_free(&ignored);
    }
}
END_TEST

/* The column of the first `mark` of a line, or -1. */
static int column_of(const char *line, const char *behind, const char *mark)
{
    const char *at = strstr(line, mark);
    Buf ignored = {0};
    int column = at && at < behind ? heatmap_label(&ignored, line, (size_t)(at - line), 0) : -1;
    buf_free(&ignored);
    return column;
}

START_TEST(columns_stand_under_one_another)
{
    draw(picture_wide(&arena), false, 80);
    int lines = 0;
    const char *line = strchr(out.data, '\n') + 1;
    int column = column_of(line, strchr(line, '\n'), "│");
    ck_assert_int_gt(column, 20);
    for (const char *behind; *line; line = behind + 1, lines++) {
        behind = strchr(line, '\n');
        ck_assert_int_eq(column_of(line, behind, lines == 6 ? "┼" : "│"), column);
    }
    ck_assert_int_eq(lines, 8);
}
END_TEST

/* Every weight is drawn once, however many blocks there are. */
START_TEST(all_weights_are_drawn)
{
    Alignment *a = picture_square(&arena, 30);
    for (int i = 0; i < 31 * 31; i++)
        a->weight[i] = i % 31 == i / 31 ? 0.77F : 0;
    draw(a, false, 20 + _i * 7);
    int found = 0;
    for (const char *at = out.data; (at = strstr(at, "█77")); at++)
        found++;
    ck_assert_int_eq(found, 31);
}
END_TEST

Suite *heatmap_suite(void)
{
    Suite *suite = suite_create("heatmap");
    TCase *tests = tcase_create("heatmap");
    tcase_add_checked_fixture(tests, NULL, end);
    tcase_add_loop_test(tests, label, 0, sizeof labels / sizeof *labels);
    tcase_add_test(tests, label_with_many_marks);
    tcase_add_test(tests, maps);
    tcase_add_test(tests, weights);
    tcase_add_test(tests, words_on_one_line);
    tcase_add_test(tests, words_as_stairs);
    tcase_add_test(tests, several_blocks);
    tcase_add_test(tests, one_word);
    tcase_add_test(tests, blank);
    tcase_add_test(tests, colors);
    tcase_add_loop_test(tests, lines_fit, 0, 40);
    tcase_add_test(tests, columns_stand_under_one_another);
    tcase_add_loop_test(tests, all_weights_are_drawn, 0, 20);
    suite_add_tcase(suite, tests);
    return suite;
}
