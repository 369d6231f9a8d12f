#include "text/guide.h"

#include "text/words.h"

/* For each word the range of its pieces. A word may have none: two can share a character with its marks. */
static PieceRange *word_pieces(const Words *words, const TextSpan *piece, int pieces, Arena *arena)
{
    PieceRange *range = arena_take_zeros(arena, (size_t)words->count * sizeof *range);
    for (int i = 0; i < pieces; i++) {
        PieceRange *word = &range[words_of(words->origin, words->count, piece[i])];
        if (word->end == 0)
            word->begin = i;
        word->end = i + 1;
    }
    return range;
}

const PieceRange *guide_pair(const PairIds *ids, const WordLinks *links, uint32_t pair, Arena *arena)
{
    Words source = words_find(arena, &ids->source_text), target = words_find(arena, &ids->target_text);
    int linked, last = ids->target_count - 1;
    const uint16_t *link = word_links(links, pair, &linked);
    if (!link || source.count == 0 || target.count == 0 || target.count > linked) /* the last may be left out */
        return NULL;
    PieceRange anywhere = {0, ids->source_count}, end = {ids->source_count - 1, ids->source_count};
    PieceRange *pieces = word_pieces(&source, ids->source_origin, ids->source_count - 1, arena);
    PieceRange *guide = arena_take(arena, (size_t)ids->target_count * sizeof *guide);
    for (int t = 0; t < last; t++) {
        uint16_t word = link[words_of(target.origin, target.count, ids->target_origin[t])];
        guide[t] = word < source.count && pieces[word].end > 0 ? pieces[word] : anywhere;
    }
    guide[last] = end;
    return guide;
}
