/* heatmap.h - pictures of an Alignment: for a terminal, as SVG, as a page to explore.
 *
 *     Buf out = {0};
 *     heatmap_terminal(&out, alignment, &(HeatmapStyle){.color = true, .width = 80});
 *     heatmap_svg(&out, alignment);
 *     heatmap_html(&out, &(HeatmapSentence){.words = by_word, .pieces = by_piece}, 1);
 *     fwrite(out.data, 1, out.size, stdout);
 *
 * Each function appends to out. Source words stand along the top, target words down the side; the last
 * column and row are the ends of the sentences, set apart. The scale is fixed, 0 to 1, and not stretched to
 * the weights of this sentence: two pictures can be compared. Numbers in cells are hundredths.
 *
 * The words may hold any bytes. Ill-formed UTF-8, control characters and what turns the direction of writing
 * are shown as U+FFFD, white space as U+2423: no picture holds an escape, a tag or an attribute that came
 * out of a word. Long words are cut between two characters, with ….
 *
 * An alignment without words (a blank line, or one that was left out) has no picture: the terminal gets
 * nothing, SVG and page say "nothing to show". */
#ifndef VIEW_HEATMAP_H
#define VIEW_HEATMAP_H

#include "base/buf.h"
#include "view/alignment.h"

#include <stdbool.h>

typedef struct {
    bool color; /* true colour; otherwise no ESC byte: shades of the characters ░▒▓█ */
    int width;  /* columns of the terminal, at least 20; more source words than fit go on in a block below */
} HeatmapStyle;

void heatmap_terminal(Buf *out, const Alignment *alignment, const HeatmapStyle *style);

/* One self-contained file: no script, no reference to anything outside. Light, and dark where the reader asks for
 * dark pages. In words for those who do not see it. */
void heatmap_svg(Buf *out, const Alignment *alignment);

typedef struct {
    const Alignment *words;       /* merged into words */
    const Alignment *pieces;      /* as the model saw it; NULL: no switch */
    const char *explanation_json; /* the object of explanation_json (view/explanation.h), or NULL: the steps from
                                     query to context, shown for the target word that is chosen */
} HeatmapSentence;

/* One self-contained file to be opened from disk: no reference to anything outside. count may be 0. */
void heatmap_html(Buf *out, const HeatmapSentence *sentences, int count);

#endif
