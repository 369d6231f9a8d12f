/* heatmap_internal.h - what the three pictures of heatmap.h share: labels, colours, the numbers in cells. */
#ifndef VIEW_HEATMAP_INTERNAL_H
#define VIEW_HEATMAP_INTERNAL_H

#include "view/heatmap.h"

#define HEATMAP_END "(end)"  /* the label of the last row and column */
#define HEATMAP_LIGHT_INK "ffffff"
#define HEATMAP_DARK_INK "000000"

/* Appends a word as it may be shown anywhere: well-formed UTF-8 in which control characters and those that
 * turn the direction of writing are U+FFFD, and white space is U+2423. At most `columns` wide (0: no bound),
 * cut between two characters as readers count them, with … at the end. Returns the columns it takes on a
 * terminal. */
int heatmap_label(Buf *out, const char *text, size_t size, int columns);

/* The same for word i of `count`; HEATMAP_END for i == count. */
int heatmap_word(Buf *out, const AlignmentWord *word, int i, int count, int columns);

typedef struct {
    int red, green, blue; /* 0..255 */
} HeatmapColor;

/* Two sequential maps that are told apart with any kind of colour vision: lightness runs one way. For dark
 * pages and terminals dark to bright, for light pages white to dark. */
HeatmapColor heatmap_dark_map(int hundredths);
HeatmapColor heatmap_light_map(int hundredths);

/* Whether white text reads better than black on this colour (WCAG 2.1, relative luminance). */
bool heatmap_wants_light_ink(HeatmapColor color);

/* The weight of row t and column s, 0 to 1, what is not a number being 0; in hundredths, 0 to 100. */
double heatmap_weight(const Alignment *alignment, int t, int s);
int heatmap_hundredths(const Alignment *alignment, int t, int s);

/* Greatest column of row t, of all sources + 1; of equals the leftmost. Greatest row of column s. */
int heatmap_row_best(const Alignment *alignment, int t);
int heatmap_column_best(const Alignment *alignment, int s);

/* No words on either side, or no weights. */
bool heatmap_is_blank(const Alignment *alignment);

/* The picture as an element of a page whose ids all begin with `id`. */
void heatmap_svg_element(Buf *out, const Alignment *alignment, const char *id);

/* The lines of page.html, each with its line end; NULL behind the last. */
extern const char *const heatmap_page[];

#endif
