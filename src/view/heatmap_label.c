/* heatmap_label.c - words made safe to show, and what cells say. */
#include "base/utf8.h"
#include "view/heatmap_internal.h"

#include <math.h>
#include <utf8proc.h>

#define OPEN_BOX 0x2423       /* ␣ */
#define CIRCLE "\xE2\x97\x8C" /* ◌, carries a mark that has no letter */
#define ELLIPSIS "\xE2\x80\xA6"

/* A letter with more marks than this loses the rest: they would climb over the lines above. */
#define CLUSTER_MAX 16

static bool turns_direction(utf8proc_int32_t code)
{
    return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* The next character of text, as it may be shown; moves *at behind it. */
static utf8proc_int32_t next_shown(const char *text, size_t size, size_t *at)
{
    uint32_t found;
    utf8_next(text, size, at, &found);
    utf8proc_int32_t code = (utf8proc_int32_t)found;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return UTF8_REPLACEMENT;
    case UTF8PROC_CATEGORY_ZS:
        return OPEN_BOX;
    default:
        return turns_direction(code) ? (utf8proc_int32_t)UTF8_REPLACEMENT : code;
    }
}

/* Columns of a cluster whose characters so far take `width`, when `code` is joined to it. Emoji joined to one
 * another take no more than the first; a flag is two letters of one column; U+FE0F asks for emoji. */
static int wider(int width, utf8proc_int32_t code)
{
    int own = code == 0xFE0F ? 2 : utf8proc_charwidth(code);
    if (code >= 0x1F1E6 && code <= 0x1F1FF)
        own = width + 1;
    own = own > 2 ? 2 : own;
    return own > width ? own : width;
}

int heatmap_label(Buf *out, const char *text, size_t size, int columns)
{
    size_t start = out->size, fits = start; /* fits: where … may follow */
    int done = 0, done_fits = 0;            /* columns of the clusters before this one */
    int cluster = 0, length = 0;            /* columns and characters of this one */
    utf8proc_int32_t before = 0, state = 0;
    for (size_t at = 0; at < size;) {
        utf8proc_int32_t code = next_shown(text, size, &at);
        if (!before || utf8proc_grapheme_break_stateful(before, code, &state)) {
            done += cluster;
            cluster = length = 0;
            if (done < columns) {
                fits = out->size;
                done_fits = done;
            }
        }
        if (!before && utf8proc_charwidth(code) == 0) {
            buf_text(out, CIRCLE);
            cluster = 1;
        }
        before = code;
        if (length++ >= CLUSTER_MAX)
            continue;
        cluster = wider(cluster, code);
        if (columns > 0 && done + cluster > columns) {
            out->size = fits;
            buf_text(out, ELLIPSIS);
            return done_fits + 1;
        }
        utf8proc_uint8_t bytes[4];
        buf_add(out, bytes, (size_t)utf8proc_encode_char(code, bytes));
    }
    return done + cluster;
}

int heatmap_word(Buf *out, const AlignmentWord *word, int i, int count, int columns)
{
    if (i < count)
        return heatmap_label(out, word[i].text, word[i].size, columns);
    return heatmap_label(out, HEATMAP_END, sizeof HEATMAP_END - 1, columns);
}

double heatmap_weight(const Alignment *alignment, int t, int s)
{
    double weight = (double)alignment->weight[(size_t)t * ((size_t)alignment->sources + 1) + (size_t)s];
    return isfinite(weight) ? fmin(fmax(weight, 0), 1) : 0;
}

int heatmap_hundredths(const Alignment *alignment, int t, int s)
{
    return (int)lround(100 * heatmap_weight(alignment, t, s));
}

int heatmap_row_best(const Alignment *alignment, int t)
{
    int best = 0;
    for (int s = 1; s <= alignment->sources; s++)
        if (heatmap_weight(alignment, t, s) > heatmap_weight(alignment, t, best))
            best = s;
    return best;
}

int heatmap_column_best(const Alignment *alignment, int s)
{
    int best = 0;
    for (int t = 1; t <= alignment->targets; t++)
        if (heatmap_weight(alignment, t, s) > heatmap_weight(alignment, best, s))
            best = t;
    return best;
}

bool heatmap_is_blank(const Alignment *alignment)
{
    return !alignment->weight || (alignment->sources == 0 && alignment->targets == 0);
}
