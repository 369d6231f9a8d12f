#include "cli/align.h"

#include <assert.h>

static const AlignmentSpan *copy_spans(Arena *arena, const TextSpan *from, int count, size_t offset)
{
    AlignmentSpan *span = arena_take(arena, (size_t)count * sizeof *span);
    for (int i = 0; i < count; i++)
        span[i] = (AlignmentSpan){from[i].begin + (uint32_t)offset, from[i].end + (uint32_t)offset};
    return span;
}

static const char *const *find_pieces(Arena *arena, const Vocab *vocab, const int *id, int count)
{
    const char **piece = arena_take(arena, (size_t)count * sizeof *piece);
    for (int i = 0; i < count; i++)
        piece[i] = vocab_piece(vocab, id[i]).text;
    return piece;
}

AlignmentPart align_part(Arena *arena, const Vocab *vocab, const Translation *translation, int rank, int p)
{
    const TranslationPart *source = &translation->part[p];
    const TranslationText *text = &translation->text[rank];
    const TranslationOutput *target = text->output[p];
    return (AlignmentPart){
        .source = copy_spans(arena, source->origin, source->count, 0),
        .target = copy_spans(arena, target->span, target->count, text->at[p]),
        .source_piece = find_pieces(arena, vocab, source->id, source->count),
        .target_piece = find_pieces(arena, vocab, target->id, target->count),
        .sources = source->count,
        .targets = target->count,
        .weight = target->weights,
        .piece_score = target->piece_score,
    };
}

Alignment *align_text(Arena *arena, const Vocab *vocab, const TranslatorLine *line,
                      const Translation *translation, int rank, bool by_piece)
{
    const TranslationText *text = &translation->text[rank];
    AlignmentPart *part = arena_take(arena, (size_t)translation->parts * sizeof *part);
    for (int p = 0; p < translation->parts; p++) {
        assert(text->output[p]->weights);
        part[p] = align_part(arena, vocab, translation, rank, p);
    }
    AlignmentInput input = {
        .source = line->data,
        .target = text->data,
        .source_size = line->size,
        .target_size = text->size,
        .part = part,
        .parts = translation->parts,
        .by_piece = by_piece,
        .score = text->score,
        .normalized = text->normalized,
    };
    return alignment_new(arena, &input);
}
