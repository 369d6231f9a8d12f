/* picture.h - alignments made by hand, to be drawn in tests.
 *
 *     Alignment *a = picture_new(&arena, "The cat", "El gato", weight);
 *
 * Words are what stands between spaces. Without weights each target word looks mostly at the source word
 * that lies as far along its sentence, a little at its neighbours. */
#ifndef TESTS_VIEW_PICTURE_H
#define TESTS_VIEW_PICTURE_H

#include "view/heatmap.h"

Alignment *picture_new(Arena *arena, const char *source, const char *target, const real *weight);

/* A source that tries everything: tags, quotes, an escape, control bytes, bad UTF-8, 2,000 letters in one. */
Alignment *picture_hostile(Arena *arena);

/* "The cat sat on the mat ." by word and by piece. */
Alignment *picture_cat(Arena *arena);
Alignment *picture_cat_pieces(Arena *arena);

/* Words of two columns, of marks, of emoji. */
Alignment *picture_wide(Arena *arena);

/* `count` words on either side. */
Alignment *picture_square(Arena *arena, int count);

#endif
