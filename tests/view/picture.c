/* picture.c - see picture.h. */
#include "picture.h"

#include <math.h>
#include <string.h>

static AlignmentWord *words_at_spaces(Arena *arena, const char *text, size_t size, int *count)
{
    AlignmentWord *word = arena_take_zeros(arena, (size / 2 + 1) * sizeof *word);
    *count = 0;
    for (size_t at = 0, end; at < size; at = end + 1) {
        const char *space = memchr(text + at, ' ', size - at);
        end = space ? (size_t)(space - text) : size;
        if (end == at)
            continue;
        word[*count] = (AlignmentWord){.text = text + at, .size = end - at, .pieces = 1, .score = -0.25};
        word[*count].begin = (uint32_t)at;
        word[*count].end = (uint32_t)end;
        *count += 1;
    }
    return word;
}

/* Row t: exp(-2 |s - place|), as shares of their sum. */
static real *diagonal(Arena *arena, int sources, int targets)
{
    size_t width = (size_t)sources + 1;
    real *weight = arena_take(arena, width * ((size_t)targets + 1) * sizeof *weight);
    for (int t = 0; t <= targets; t++) {
        double place = targets ? (double)t * sources / targets : 0, sum = 0;
        for (int s = 0; s <= sources; s++)
            sum += exp(-2 * fabs(s - place));
        for (int s = 0; s <= sources; s++)
            weight[(size_t)t * width + (size_t)s] = (real)(exp(-2 * fabs(s - place)) / sum);
    }
    return weight;
}

static Alignment *make(Arena *arena, const char *source, size_t source_size, const char *target, const real *weight)
{
    Alignment *a = arena_take_zeros(arena, sizeof *a);
    a->source_text = arena_copy_text(arena, source, source_size);
    a->source_size = source_size;
    a->target_size = strlen(target);
    a->target_text = arena_copy_text(arena, target, a->target_size);
    a->source = words_at_spaces(arena, a->source_text, a->source_size, &a->sources);
    a->target = words_at_spaces(arena, a->target_text, a->target_size, &a->targets);
    a->weight = diagonal(arena, a->sources, a->targets);
    if (weight)
        memcpy(a->weight, weight, ((size_t)a->sources + 1) * ((size_t)a->targets + 1) * sizeof *weight);
    a->score = -2.5;
    a->end_score = -0.01;
    return a;
}

Alignment *picture_new(Arena *arena, const char *source, const char *target, const real *weight)
{
    return make(arena, source, strlen(source), target, weight);
}

Alignment *picture_hostile(Arena *arena)
{
    Buf source = {0};
    buf_text(&source, "<script>alert(1)</script> \"quotes'&amp; \033[31mred\033]0;title\007 a\tb\r\nc </title>"
                      "<img/src=x/onerror=alert(2)> ]]> --> \xFF\xC3\x28\xED\xA0\x80 \xE2\x80\xAEolleh ");
    buf_add(&source, "nul\0byte", 8);
    buf_char(&source, ' ');
    for (int i = 0; i < 2000; i++)
        buf_char(&source, (char)('a' + i % 26));
    Alignment *a = make(arena, source.data, source.size, "<b>uno</b> javascript:alert(3) \033c \\u003c", NULL);
    buf_free(&source);
    return a;
}

Alignment *picture_cat(Arena *arena)
{
    static const real weight[] = {
        .93F, .04F, 0, 0, .02F, 0, 0, .01F, /* El */
        .02F, .97F, .01F, 0, 0, 0, 0, 0,    /* gato */
        0, .05F, .62F, .31F, 0, .01F, 0, .01F, /* se */
        0, .02F, .91F, .06F, 0, 0, .01F, 0, /* sentó */
        0, 0, .11F, .78F, .08F, .03F, 0, 0, /* en */
        .03F, 0, 0, .04F, .84F, .09F, 0, 0, /* la */
        0, 0, 0, .01F, .08F, .90F, .01F, 0, /* alfombra */
        0, 0, 0, 0, 0, 0, 1, 0,             /* . */
        0, 0, .02F, 0, 0, .01F, .35F, .62F, /* the end */
    };
    return picture_new(arena, "The cat sat on the mat .", "El gato se sentó en la alfombra .", weight);
}

Alignment *picture_cat_pieces(Arena *arena)
{
    return picture_new(arena, "^ ▁the ▁cat ▁sat ▁on ▁the ▁m at .", "^ ▁el ▁gat o ▁se ▁sent ó ▁en ▁la ▁alf ombra .",
                       NULL);
}

Alignment *picture_wide(Arena *arena)
{
    return picture_new(arena, "猫 e\xCC\x81te\xCC\x81 👩‍👩‍👧 🇪🇸 ok ❤️ 한국어", "日本語の 👍🏽 n\xCC\x83u \xCC\x81 ｆｕｌｌ x", NULL);
}

Alignment *picture_square(Arena *arena, int count)
{
    static const char *const stem[] = {"word", "international", "a", "committee", "of", "trees", "without", "leaves"};
    Buf text = {0};
    for (int i = 0; i < count; i++)
        buf_format(&text, "%s%s%d", i ? " " : "", stem[i % 8], i);
    Alignment *a = picture_new(arena, text.data, text.data, NULL);
    buf_free(&text);
    return a;
}
