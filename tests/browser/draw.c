/* draw.c - writes the page that run.sh opens: an ordinary sentence with its pieces and step by step, a hostile
 * one, words of all widths, an empty line, and a long sentence.
 *
 *     draw FILE.html */
#include "view/picture.h"
#include "view/explanation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* "gato" of picture_cat, written in one step: scores that fall with the distance from "cat". */
static void explain_cat(Buf *out, const Alignment *alignment)
{
    enum { SOURCES = 8 };
    static const char *const piece[SOURCES] = {"▁the", "▁cat", "▁sat", "▁on", "▁the", "▁mat", ".", "</s>"};
    static const double few[] = {0.25, -0.5, 0.125};
    static const ExplanationPiece best[] = {{"▁gato", -0.25}, {"▁perro", -2}, {"<b>", -4}};
    ExplanationVector vector = {.norm = 1.5, .first = few};
    ExplanationWord source[SOURCES], target[2];
    ExplanationSource piece_of[SOURCES];
    double score[SOURCES], weight[SOURCES], change[2 * SOURCES], sum = 0;
    for (int s = 0; s < SOURCES; s++) {
        source[s] = (ExplanationWord){.text = EXPLANATION_END, .size = 4, .first = s, .pieces = 1};
        if (s < alignment->sources) {
            source[s].text = alignment->source[s].text;
            source[s].size = alignment->source[s].size;
        }
        piece_of[s] = (ExplanationSource){.text = piece[s], .key = vector, .value = vector};
        score[s] = 4 - 3 * abs(s - 1);
        sum += exp(score[s] - 4);
        change[s] = change[SOURCES + s] = s < SOURCES - 1 ? -1.0 / (1 + abs(s - 1)) : (double)NAN;
    }
    for (int s = 0; s < SOURCES; s++)
        weight[s] = exp(score[s] - 4) / sum;
    ExplanationStep step = {.written = best[0], .best = best, .best_count = 3, .query = vector, .context = vector,
                            .score = score, .weight = weight};
    const AlignmentWord *gato = &alignment->target[1];
    target[0] = (ExplanationWord){.text = gato->text, .size = gato->size, .begin = gato->begin, .end = gato->end,
                                  .first = 0, .pieces = 1};
    target[1] = (ExplanationWord){.text = EXPLANATION_END, .size = 4, .first = 0, .pieces = 1};
    ExplanationPart part = {.source = source, .target = target, .piece = piece_of, .step = &step,
                            .sources = SOURCES, .targets = 2, .pieces = SOURCES, .steps = 1,
                            .queries = 3, .values = 3, .change = change};
    Explanation explanation = {.source = alignment->source_text, .source_size = alignment->source_size,
                               .target = alignment->target_text, .target_size = alignment->target_size,
                               .part = &part, .parts = 1};
    explanation_json(out, &explanation, &(RecordId){.line = 1, .model = "sample"});
}

int main(int count, char **argument)
{
    if (count != 2) {
        fputs("usage: draw FILE.html\n", stderr);
        return 2;
    }
    Arena arena = {0};
    Buf page = {0}, explanation = {0};
    Alignment *cat = picture_cat(&arena), *hostile = picture_hostile(&arena);
    explain_cat(&explanation, cat);
    HeatmapSentence sentences[] = {
        {.words = cat, .pieces = picture_cat_pieces(&arena), .explanation_json = explanation.data},
        {.words = hostile, .pieces = hostile},
        {.words = picture_wide(&arena)},
        {.words = picture_new(&arena, "", "", NULL)},
        {.words = picture_square(&arena, 40)},
    };
    heatmap_html(&page, sentences, sizeof sentences / sizeof *sentences);
    FILE *file = fopen(argument[1], "wb");
    bool written = file && fwrite(page.data, 1, page.size, file) == page.size;
    if (!file || fclose(file) != 0 || !written) {
        fprintf(stderr, "draw: cannot write %s\n", argument[1]);
        return 1;
    }
    buf_free(&explanation);
    buf_free(&page);
    arena_free(&arena);
    return 0;
}
