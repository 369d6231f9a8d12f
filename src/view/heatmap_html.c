/* heatmap_html.c - alignments as a page to explore: page.html, with the sentences and their numbers in place of
 * the line that marks them. */
#include "base/escape.h"
#include "view/heatmap_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MARK "<!-- sentences -->\n"
#define WORD_COLUMNS 80

static void put_word(Buf *out, const AlignmentWord *word, int i, int count)
{
    Buf text = {0};
    heatmap_word(&text, word, i, count, WORD_COLUMNS);
    if (text.size)
        escape_xml(out, text.data, text.size);
    buf_free(&text);
}

/* A word of either side: `side` is s or t; its strongest counterpart is word `best` of `facing`. */
typedef struct {
    char side;
    const AlignmentWord *word, *facing;
    int count, facing_count;
} Line;

static void put_button(Buf *out, const Line *line, int i, int best, int value)
{
    buf_format(out, "<button type=\"button\" class=\"word%s\" data-%c=\"%d\" tabindex=\"%d\" aria-pressed=\"false\""
                    " aria-label=\"", i < line->count ? "" : " end", line->side, i, i ? -1 : 0);
    put_word(out, line->word, i, line->count);
    if (value > 0) {
        buf_text(out, line->side == 't' ? ": looked most at " : ": looked at most by ");
        put_word(out, line->facing, best, line->facing_count);
        buf_format(out, ", %d.%02d", value / 100, value % 100);
    }
    buf_text(out, "\">");
    put_word(out, line->word, i, line->count);
    buf_text(out, "</button>");
}

/* White space stands between two words where there was some in the text; pieces are always parted. */
static bool parted(const AlignmentWord *word, int i, int count, bool pieces)
{
    return i > 0 && (pieces || i == count || word[i].begin > word[i - 1].end);
}

static void put_line(Buf *out, const Alignment *alignment, char side, bool pieces)
{
    Line source = {'s', alignment->source, alignment->target, alignment->sources, alignment->targets};
    Line target = {'t', alignment->target, alignment->source, alignment->targets, alignment->sources};
    const Line *line = side == 's' ? &source : &target;
    buf_format(out, "<p class=\"line\" role=\"group\" aria-label=\"%s\" lang=\"\" translate=\"no\" dir=\"auto\">",
               side == 's' ? "Source" : "Translation");
    for (int i = 0; i <= line->count; i++) {
        int best = 0, value = 0;
        if (!heatmap_is_blank(alignment)) {
            best = side == 's' ? heatmap_column_best(alignment, i) : heatmap_row_best(alignment, i);
            value = side == 's' ? heatmap_hundredths(alignment, best, i) : heatmap_hundredths(alignment, i, best);
        }
        if (parted(line->word, i, line->count, pieces))
            buf_char(out, ' ');
        put_button(out, line, i, best, value);
    }
    buf_text(out, "</p>\n");
}

static void put_unit(Buf *out, const Alignment *alignment, int index, bool pieces)
{
    const char *name = pieces ? "pieces" : "words";
    buf_format(out, "<div class=\"unit %s\" data-unit=\"%s\"%s>\n", name, name, pieces ? " hidden" : "");
    put_line(out, alignment, 's', pieces);
    put_line(out, alignment, 't', pieces);
    buf_format(out, "<div class=\"matrix\" role=\"region\" tabindex=\"0\" aria-label=\"Matrix of sentence %d\">\n",
               index + 1);
    char id[48];
    snprintf(id, sizeof id, "%s-%d", name, index);
    heatmap_svg_element(out, alignment, id);
    buf_text(out, "</div>\n</div>\n");
}

/* JSON that may stand in a script element: the < that only strings can hold is written as an escape. */
static void put_script_json(Buf *out, const char *json)
{
    for (; *json; json++) {
        if (*json == '<')
            buf_text(out, "\\u003c");
        else
            buf_char(out, *json);
    }
}

static void put_sentence(Buf *out, const HeatmapSentence *sentence, int index)
{
    buf_format(out, "<section class=\"sentence\" data-index=\"%d\" aria-label=\"Sentence %d\">\n", index, index + 1);
    buf_format(out, "<div class=\"bar\"><h2>Sentence %d</h2><button type=\"button\" data-save=\"svg\""
                    " aria-label=\"Save the matrix of sentence %d as SVG\">Save SVG</button>"
                    "<button type=\"button\" data-save=\"png\" aria-label=\"Save the matrix of sentence %d as PNG\">"
                    "Save PNG</button><a class=\"saved\" hidden></a></div>\n<div>\n", index + 1, index + 1, index + 1);
    put_unit(out, sentence->words, index, false);
    if (sentence->pieces)
        put_unit(out, sentence->pieces, index, true);
    buf_text(out, "</div>\n<div class=\"details\"><p class=\"quiet\">No word chosen.</p></div>\n"
                  "<div class=\"steps\" hidden></div>\n");
    if (sentence->explanation_json) {
        buf_text(out, "<script type=\"application/json\" class=\"explanation\">");
        put_script_json(out, sentence->explanation_json);
        buf_text(out, "</script>\n");
    }
    buf_text(out, "</section>\n");
}

/* JSON has no word for what is not a number. */
static double finite_score(double score)
{
    return isfinite(score) ? score : -1e9;
}

static void put_data(Buf *out, const Alignment *alignment)
{
    bool blank = heatmap_is_blank(alignment);
    buf_text(out, "{\"weight\":[");
    for (int t = 0; t <= alignment->targets; t++) {
        buf_text(out, t ? ",[" : "[");
        for (int s = 0; s <= alignment->sources; s++)
            buf_format(out, "%s%.4g", s ? "," : "", blank ? 0 : heatmap_weight(alignment, t, s));
        buf_char(out, ']');
    }
    buf_text(out, "],\"score\":[");
    for (int t = 0; t < alignment->targets; t++)
        buf_format(out, "%.6g,", finite_score(alignment->target[t].score));
    buf_format(out, "%.6g],\"begin\":[", finite_score(alignment->end_score));
    for (int t = 0; t < alignment->targets; t++)
        buf_format(out, "%lu,", (unsigned long)alignment->target[t].begin);
    buf_format(out, "%zu],\"end\":[", alignment->target_size);
    for (int t = 0; t < alignment->targets; t++)
        buf_format(out, "%lu,", (unsigned long)alignment->target[t].end);
    buf_format(out, "%zu]}", alignment->target_size);
}

static void put_sentences(Buf *out, const HeatmapSentence *sentence, int count)
{
    for (int i = 0; i < count; i++)
        put_sentence(out, &sentence[i], i);
    buf_text(out, "<script type=\"application/json\" id=\"data\">[");
    for (int i = 0; i < count; i++) {
        buf_text(out, i ? ",\n{\"words\":" : "\n{\"words\":");
        put_data(out, sentence[i].words);
        buf_text(out, ",\"pieces\":");
        if (sentence[i].pieces)
            put_data(out, sentence[i].pieces);
        else
            buf_text(out, "null");
        buf_char(out, '}');
    }
    buf_text(out, "]</script>\n");
}

void heatmap_html(Buf *out, const HeatmapSentence *sentences, int count)
{
    for (const char *const *line = heatmap_page; *line; line++) {
        if (strcmp(*line, MARK) == 0)
            put_sentences(out, sentences, count);
        else
            buf_text(out, *line);
    }
}
