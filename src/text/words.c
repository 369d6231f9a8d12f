#include "text/words.h"

#include "base/utf8.h"
#include "text/split.h"

static bool is_digit(const Text *text, size_t at)
{
    uint32_t code;
    return utf8_next(text->data, text->size, &at, &code) && split_class(code) == SPLIT_DIGIT;
}

Words words_find(Arena *arena, const Text *text)
{
    Words words = {.inside = arena_take(arena, text->size * sizeof *words.inside),
                   .origin = arena_take(arena, text->size * sizeof *words.origin)};
    Split split = split_start(text->data, text->size, false);
    SplitToken token;
    bool after_digit = false;
    while (split_next(&split, &token)) {
        if (token.begin == token.end) {
            after_digit = false;
            continue;
        }
        bool digit = is_digit(text, token.begin), goes_on = digit && after_digit && !token.space;
        int at = goes_on ? words.count - 1 : words.count++;
        if (!goes_on) {
            words.inside[at].begin = (uint32_t)token.begin;
            words.origin[at].begin = text->origin[token.begin].begin;
        }
        words.inside[at].end = (uint32_t)token.end;
        words.origin[at].end = text->origin[token.end - 1].end;
        after_digit = digit;
    }
    return words;
}

int words_of(const TextSpan *word, int n, TextSpan piece)
{
    int low = 0, high = n - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (word[middle].end > piece.begin)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
