/* test_heatmap_page.c - the pictures that browsers show: SVG and HTML. tests/browser uses them in one. */
#include "picture.h"
#include "suite.h"
#include "view/heatmap_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static Arena arena;
static Buf out;

static void end(void)
{
    arena_free(&arena);
    buf_free(&out);
    out = (Buf){0};
}

static const char *draw(const Alignment *alignment)
{
    out.size = 0;
    heatmap_svg(&out, alignment);
    return out.data;
}

static int times(const char *text, const char *part)
{
    int found = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        found++;
    return found;
}

/* Moves over a reference such as &lt; or &#10; */
static const char *skip_reference(const char *at)
{
    size_t length = 1 + strspn(at + 1, "#abcdefghijklmnopqrstuvwxyz0123456789");
    ck_assert_msg(length > 2 && at[length] == ';', "a lone &: %.30s", at);
    return at + length + 1;
}

/* Reads one tag from its <; pushes or pops its name. Attributes: name="value", no < in values. */
static const char *read_tag(const char *at, const char **stack, int *depth)
{
    bool closing = at[1] == '/';
    const char *name = at + 1 + closing;
    size_t length = strcspn(name, " />\n");
    ck_assert_uint_gt(length, 0);
    for (at = name + length; *at != '>' && *at != '/';) {
        at += strspn(at, " \n");
        at += strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-:");
        ck_assert_msg(at[0] == '=' && at[1] == '"', "an attribute: %.30s", at);
        for (at += 2; *at != '"';) {
            ck_assert_msg(*at && *at != '<', "a value: %.30s", at);
            at = *at == '&' ? skip_reference(at) : at + 1;
        }
        at++;
    }
    if (closing) {
        ck_assert_int_gt(*depth, 0);
        *depth -= 1;
        ck_assert_msg(strncmp(stack[*depth], name, length) == 0, "</%.10s> ends <%.10s>", name, stack[*depth]);
    } else if (*at != '/') {
        ck_assert_int_lt(*depth, 16);
        stack[(*depth)++] = name;
    }
    return at + (*at == '/') + 1;
}

/* Well-formed XML, as far as what heatmap_svg writes can go wrong (XML 1.0, sections 2.1, 2.2, 2.4, 3.1). */
static void assert_well_formed(const char *text)
{
    const char *stack[16];
    int depth = 0, roots = 0;
    ck_assert_uint_eq(strlen(text), out.size);
    ck_assert_int_eq(strncmp(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 39), 0);
    for (const char *at = text + 39; *at;) {
        ck_assert_msg((unsigned char)*at >= ' ' || *at == '\n', "byte %d", *at);
        if (*at == '<') {
            roots += depth == 0;
            at = read_tag(at, stack, &depth);
        } else if (*at == '&') {
            at = skip_reference(at);
        } else {
            ck_assert(depth > 0 || *at == '\n');
            ck_assert_int_ne(strncmp(at, "]]>", 3), 0);
            at++;
        }
    }
    ck_assert_int_eq(depth, 0);
    ck_assert_int_eq(roots, 1);
}

START_TEST(svg)
{
    const char *text = draw(picture_cat(&arena));
    assert_well_formed(text);
    ck_assert_int_eq(times(text, "<rect class=\"w"), 72 + 21);
    ck_assert_ptr_nonnull(strstr(text, ">.97</text>"));
    ck_assert_ptr_nonnull(strstr(text, ">1.0</text>"));
    ck_assert_ptr_nonnull(strstr(text, "<title>gato ← cat: 0.97</title>"));
    ck_assert_ptr_nonnull(strstr(text, "<title>(end) ← (end): 0.62</title>"));
    ck_assert_ptr_nonnull(strstr(text, "@media (prefers-color-scheme: dark)"));
    ck_assert_ptr_nonnull(strstr(text, " role=\"img\" aria-labelledby=\"heatmap-title heatmap-about\""));
    ck_assert_ptr_nonnull(strstr(text, "<desc id=\"heatmap-about\">A table of 9 by 8 weights from 0 to 1: what the "
                                       "translation looked at. El looked most at The: 0.93. gato looked most at "
                                       "cat: 0.97. se looked most at sat: 0.62. "));
}
END_TEST

START_TEST(svg_refers_to_nothing)
{
    const char *text = draw(picture_cat(&arena));
    ck_assert_int_eq(times(text, "http"), 1);
    ck_assert_int_eq(times(text, "xmlns=\"http://www.w3.org/2000/svg\""), 1);
    ck_assert_int_eq(times(text, "url("), 0);
    ck_assert_int_eq(times(text, "href"), 0);
    ck_assert_int_eq(times(text, "<script"), 0);
}
END_TEST

START_TEST(svg_of_any_size)
{
    static const int counts[] = {1, 2, 20, 32, 33, 60};
    int count = counts[_i];
    const char *text = draw(picture_square(&arena, count));
    assert_well_formed(text);
    ck_assert_int_eq(times(text, "<rect class=\"w"), (count + 1) * (count + 1) + 21);
    ck_assert_int_eq(times(text, "</text>") > 2 * (count + 1) + 3, count <= 32); /* numbers */
}
END_TEST

START_TEST(svg_of_nothing)
{
    assert_well_formed(draw(picture_new(&arena, "", "", NULL)));
    ck_assert_ptr_nonnull(strstr(out.data, ">nothing to show</text>"));
    Alignment none = {0};
    assert_well_formed(draw(&none));
}
END_TEST

START_TEST(svg_of_hostile_words)
{
    const char *text = draw(picture_hostile(&arena));
    assert_well_formed(text);
    ck_assert_int_eq(times(text, "<script"), 0);
    ck_assert_int_eq(times(text, "<img"), 0);
    ck_assert_int_eq(times(text, "&lt;script&gt;alert(1)&lt;/script&gt;"), 1); /* the description; labels are cut */
}
END_TEST

START_TEST(svg_of_random_bytes)
{
    unsigned state = 1 + (unsigned)_i;
    Alignment *a = picture_square(&arena, 6);
    char noise[12][40];
    for (int i = 0; i < 12; i++) {
        for (size_t at = 0; at < sizeof noise[i]; at++) {
            state = state * 1103515245U + 12345;
            noise[i][at] = state >> 30 ? (char)(state >> 16) : "<>&\"']/="[state >> 20 & 7];
        }
        AlignmentWord *word = i < 6 ? &a->source[i] : &a->target[i - 6];
        word->text = noise[i];
        word->size = sizeof noise[i];
    }
    assert_well_formed(draw(a));
}
END_TEST

static const char *page(const HeatmapSentence *sentences, int count)
{
    out.size = 0;
    heatmap_html(&out, sentences, count);
    ck_assert_uint_eq(strlen(out.data), out.size);
    return out.data;
}

START_TEST(html)
{
    HeatmapSentence cat = {.words = picture_cat(&arena), .pieces = picture_cat_pieces(&arena)};
    const char *text = page((HeatmapSentence[]){cat, cat}, 2);
    ck_assert_int_eq(strncmp(text, "<!DOCTYPE html>\n<html lang=\"en\">\n", 33), 0);
    ck_assert_int_eq(strcmp(text + out.size - 16, "</body>\n</html>\n"), 0);
    ck_assert_ptr_nonnull(strstr(text, "content=\"default-src 'none'; "));
    ck_assert_int_eq(times(text, "<section "), 2);
    ck_assert_int_eq(times(text, "<svg "), 4);
    ck_assert_int_eq(times(text, " src="), 0);
    ck_assert_int_eq(times(text, " href="), 0);
    ck_assert_int_eq(times(text, "@import") + times(text, "url("), 0);
    ck_assert_int_eq(times(text, "https:") + times(text, "//www") - times(text, "http://www.w3.org/2000/svg"), 0);
    ck_assert_ptr_nonnull(strstr(text, "Attention is not explanation"));
    ck_assert_ptr_nonnull(strstr(text, "aria-label=\"gato: looked most at cat, 0.97\">gato</button>"));
    ck_assert_ptr_nonnull(strstr(text, "aria-label=\"cat: looked at most by gato, 0.97\">cat</button>"));
    for (int i = 0; i < 4; i++) { /* ids are not used twice */
        char id[32];
        snprintf(id, sizeof id, "<title id=\"%s-%d-title\">", i < 2 ? "words" : "pieces", i % 2);
        ck_assert_int_eq(times(text, id), 1);
    }
}
END_TEST

START_TEST(html_data)
{
    real weight[] = {0.75F, 0.25F, (real)NAN, 1};
    Alignment *a = picture_new(&arena, "a", "bc", weight);
    const char *text = page(&(HeatmapSentence){.words = a}, 1);
    ck_assert_ptr_nonnull(strstr(text, "<script type=\"application/json\" id=\"data\">[\n"
                                       "{\"words\":{\"weight\":[[0.75,0.25],[0,1]],\"score\":[-0.25,-0.01],"
                                       "\"begin\":[0,2],\"end\":[2,2]},\"pieces\":null}]</script>\n"));
}
END_TEST

START_TEST(html_words_stand_as_in_the_text)
{
    Alignment *a = picture_new(&arena, "mat .", "x", NULL);
    a->source[1].begin = a->source[0].end; /* as if "mat." */
    const char *text = page(&(HeatmapSentence){.words = a}, 1);
    ck_assert_ptr_nonnull(strstr(text, ">mat</button><button "));
    text = page(&(HeatmapSentence){.words = a, .pieces = a}, 1);
    ck_assert_int_eq(times(text, ">mat</button><button "), 1);
    ck_assert_int_eq(times(text, ">mat</button> <button "), 1);
}
END_TEST

START_TEST(html_without_words)
{
    ck_assert_ptr_nonnull(strstr(page(NULL, 0), "id=\"data\">[]</script>"));
    Alignment none = {0};
    HeatmapSentence blank[] = {{.words = &none}, {.words = picture_new(&arena, "", "", NULL)}};
    ck_assert_int_eq(times(page(blank, 2), "nothing to show</text>"), 2);
    ck_assert_int_eq(times(out.data, "\"weight\":[[0]]"), 2);
}
END_TEST

START_TEST(html_of_hostile_words)
{
    HeatmapSentence hostile = {.words = picture_hostile(&arena)};
    int scripts = times(page(NULL, 0), "<script");
    ck_assert_int_eq(scripts, 2);
    const char *text = page(&hostile, 1);
    ck_assert_int_eq(times(text, "<script"), 2);
    ck_assert_int_eq(times(text, "<img") + times(text, "<b>"), 0);
    for (size_t i = 0; i < out.size; i++)
        ck_assert_msg((unsigned char)text[i] >= ' ' || text[i] == '\n', "byte %d", text[i]);
}
END_TEST

START_TEST(html_hands_the_explanation_through)
{
    HeatmapSentence cat = {.words = picture_cat(&arena), .explanation_json = "{\"text\":\"</script><!--\"}"};
    ck_assert_ptr_nonnull(strstr(page(&cat, 1), "<script type=\"application/json\" class=\"explanation\">"
                                                "{\"text\":\"\\u003c/script>\\u003c!--\"}</script>\n"));
}
END_TEST

Suite *heatmap_page_suite(void)
{
    Suite *suite = suite_create("heatmap_page");
    TCase *tests = tcase_create("heatmap_page");
    tcase_add_checked_fixture(tests, NULL, end);
    tcase_add_test(tests, svg);
    tcase_add_test(tests, svg_refers_to_nothing);
    tcase_add_loop_test(tests, svg_of_any_size, 0, 6);
    tcase_add_test(tests, svg_of_nothing);
    tcase_add_test(tests, svg_of_hostile_words);
    tcase_add_loop_test(tests, svg_of_random_bytes, 0, 20);
    tcase_add_test(tests, html);
    tcase_add_test(tests, html_data);
    tcase_add_test(tests, html_words_stand_as_in_the_text);
    tcase_add_test(tests, html_without_words);
    tcase_add_test(tests, html_of_hostile_words);
    tcase_add_test(tests, html_hands_the_explanation_through);
    suite_add_tcase(suite, tests);
    return suite;
}
