/* align.h - from what the translator did to what the view shows.
 *
 *     for (int i = 0; i < translation->texts; i++)
 *         Alignment *a = align_text(&arena, vocab, &line, translation, i, false);
 *
 * The room cli is what the programs share: it knows model, text and view, which do not know each other. */
#ifndef CLI_ALIGN_H
#define CLI_ALIGN_H

#include "model/translator.h"
#include "view/alignment.h"

/* The attention of hypothesis `rank`, from 0, of a line: by word, or by piece. Memory from arena; points into
 * the line, the translation and the vocabulary. The translator was asked to keep its weights. */
Alignment *align_text(Arena *arena, const Vocab *vocab, const TranslatorLine *line,
                      const Translation *translation, int rank, bool by_piece);

/* One part of it, with its pieces and spans; its weights are NULL where the translator did not keep them. */
AlignmentPart align_part(Arena *arena, const Vocab *vocab, const Translation *translation, int rank, int part);

#endif
