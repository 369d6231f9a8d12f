/* heatmap_svg.c - an alignment as SVG.
 *
 * Colours for light pages stand in the attributes, where every program finds them; those for dark pages in a
 * style sheet that only browsers follow: class w37 is the colour of weight 0.37. Nothing is measured: the
 * width of a word is guessed from its letters, a little too wide, and longer words are cut with …. */
#include "base/escape.h"
#include "base/utf8.h"
#include "view/heatmap_internal.h"

#include <utf8proc.h>

#define LABEL_COLUMNS 24
#define FONT_SIZE 15
#define SLANT 0.7072 /* the words along the top rise at 45 degrees */
#define GAP 8        /* before the end's column and row */
#define MARGIN 16
#define LEGEND_STEP 9
#define LEGEND_WIDTH (21 * LEGEND_STEP)

typedef struct {
    Buf *out;
    const Alignment *alignment;
    int sources, targets;
    int cell;               /* pixels */
    bool numbers;
    int left, top;          /* where the cells begin */
    int right, bottom;      /* where they end */
    int width, height;
    bool used[101];         /* weights, in hundredths, that have a colour */
} Picture;

/* Pixels of a word in a common sans-serif font, rounded up. */
static int guess_width(const char *text, size_t size)
{
    double em = 0;
    for (size_t at = 0; at < size;) {
        uint32_t found;
        utf8_next(text, size, &at, &found);
        utf8proc_int32_t code = (utf8proc_int32_t)found;
        if (utf8proc_charwidth(code) != 1)
            em += 0.55 * utf8proc_charwidth(code);
        else if (code == 'm' || code == 'w' || code == 'M' || code == 'W' || code == '@' || code == '%')
            em += 0.95;
        else
            em += utf8proc_category(code) == UTF8PROC_CATEGORY_LU || code >= 0x2000 ? 0.75 : 0.6;
    }
    return (int)(em * FONT_SIZE) + 1;
}

static int widest(const AlignmentWord *word, int count)
{
    Buf text = {0};
    int width = 0;
    for (int i = 0; i <= count; i++) {
        text.size = 0;
        heatmap_word(&text, word, i, count, LABEL_COLUMNS);
        int own = text.size ? guess_width(text.data, text.size) : 0;
        width = own > width ? own : width;
    }
    buf_free(&text);
    return width;
}

static void put_word(Buf *out, const AlignmentWord *word, int i, int count, int columns)
{
    Buf text = {0};
    heatmap_word(&text, word, i, count, columns);
    if (text.size)
        escape_xml(out, text.data, text.size);
    buf_free(&text);
}

static void put_source(Picture *picture, int s, int columns)
{
    put_word(picture->out, picture->alignment->source, s, picture->sources, columns);
}

static void put_target(Picture *picture, int t, int columns)
{
    put_word(picture->out, picture->alignment->target, t, picture->targets, columns);
}

static int column_at(const Picture *picture, int s)
{
    return picture->left + s * picture->cell + (s == picture->sources ? GAP : 0);
}

static int row_at(const Picture *picture, int t)
{
    return picture->top + t * picture->cell + (t == picture->targets ? GAP : 0);
}

/* Sets the places and sizes of everything. */
static void measure(Picture *picture)
{
    const Alignment *a = picture->alignment;
    int most = a->sources > a->targets ? a->sources : a->targets;
    picture->numbers = most <= 32;
    picture->cell = most <= 20 ? 36 : most <= 32 ? 30 : 20;
    int rise = (int)(SLANT * (widest(a->source, a->sources) + FONT_SIZE)) + 1;
    picture->left = MARGIN + widest(a->target, a->targets) + 10;
    picture->top = MARGIN + rise + 6;
    picture->right = column_at(picture, a->sources) + picture->cell;
    picture->bottom = row_at(picture, a->targets) + picture->cell;
    picture->width = picture->right + rise - picture->cell / 2 + MARGIN;
    int legend = picture->left + LEGEND_WIDTH + 32 + MARGIN;
    picture->width = picture->width > legend ? picture->width : legend;
    picture->height = picture->bottom + 20 + 12 + 20 + MARGIN;
}

/* The picture in words, one sentence for each target word. */
static void put_description(Picture *picture)
{
    const Alignment *a = picture->alignment;
    Buf *out = picture->out;
    buf_format(out, "A table of %d by %d weights from 0 to 1: what the translation looked at. ",
               picture->targets + 1, picture->sources + 1);
    for (int t = 0; t <= picture->targets; t++) {
        int s = heatmap_row_best(a, t), value = heatmap_hundredths(a, t, s);
        put_target(picture, t, 0);
        if (value > 0) {
            buf_text(out, " looked most at ");
            put_source(picture, s, 0);
            buf_format(out, ": %d.%02d. ", value / 100, value % 100);
        } else {
            buf_text(out, " looked at nothing. ");
        }
    }
}

static void put_hex(Buf *out, HeatmapColor color)
{
    buf_format(out, "%02x%02x%02x", color.red, color.green, color.blue);
}

static void put_style(Picture *picture)
{
    Buf *out = picture->out;
    buf_text(out, "<style>@media (prefers-color-scheme: dark) {\n"
                  ".heatmap .paper { fill: #171a21 } .heatmap .label { fill: #e8eaf0 }\n"
                  ".heatmap .quiet { fill: #9aa3b5 } .heatmap .cells { stroke: #171a21; stroke-width: 2px }\n");
    for (int value = 0; value <= 100; value++) {
        if (!picture->used[value])
            continue;
        HeatmapColor color = heatmap_dark_map(value);
        buf_format(out, ".heatmap .w%d { fill: #", value);
        put_hex(out, color);
        buf_format(out, " } .heatmap .n%d { fill: #%s }\n", value,
                   heatmap_wants_light_ink(color) ? HEATMAP_LIGHT_INK : HEATMAP_DARK_INK);
    }
    buf_text(out, "}</style>\n");
}

static void put_words(Picture *picture)
{
    Buf *out = picture->out;
    buf_format(out, "<g class=\"label\" font-size=\"%d\" fill=\"#10131a\">\n",
               picture->numbers ? FONT_SIZE : FONT_SIZE - 2);
    for (int s = 0; s <= picture->sources; s++) {
        buf_format(out, "<text class=\"%s\" data-s=\"%d\"%s transform=\"translate(%d %d) rotate(-45)\">",
                   s < picture->sources ? "label" : "quiet", s, s < picture->sources ? "" : " fill=\"#5b6472\"",
                   column_at(picture, s) + picture->cell / 2 + 4, picture->top - 6);
        put_source(picture, s, LABEL_COLUMNS);
        buf_text(out, "</text>\n");
    }
    for (int t = 0; t <= picture->targets; t++) {
        buf_format(out, "<text class=\"%s\" data-t=\"%d\"%s text-anchor=\"end\" x=\"%d\" y=\"%d\">",
                   t < picture->targets ? "label" : "quiet", t, t < picture->targets ? "" : " fill=\"#5b6472\"",
                   picture->left - 10, row_at(picture, t) + picture->cell / 2 + 5);
        put_target(picture, t, LABEL_COLUMNS);
        buf_text(out, "</text>\n");
    }
    buf_text(out, "</g>\n");
}

static void put_cell(Picture *picture, int t, int s)
{
    Buf *out = picture->out;
    int value = heatmap_hundredths(picture->alignment, t, s);
    buf_format(out,
               "<rect class=\"w%d\" data-t=\"%d\" data-s=\"%d\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\""
               " rx=\"3\" fill=\"#",
               value, t, s, column_at(picture, s), row_at(picture, t), picture->cell, picture->cell);
    put_hex(out, heatmap_light_map(value));
    buf_text(out, "\"><title>");
    put_target(picture, t, LABEL_COLUMNS);
    buf_text(out, " \xE2\x86\x90 ");
    put_source(picture, s, LABEL_COLUMNS);
    buf_format(out, ": %d.%02d</title></rect>\n", value / 100, value % 100);
}

static void put_number(Picture *picture, int t, int s)
{
    int value = heatmap_hundredths(picture->alignment, t, s);
    if (value == 0)
        return;
    buf_format(picture->out, "<text class=\"n%d\" x=\"%d\" y=\"%d\" fill=\"#%s\">", value,
               column_at(picture, s) + picture->cell / 2, row_at(picture, t) + picture->cell / 2 + 4,
               heatmap_wants_light_ink(heatmap_light_map(value)) ? HEATMAP_LIGHT_INK : HEATMAP_DARK_INK);
    buf_format(picture->out, value == 100 ? "1.0</text>\n" : ".%02d</text>\n", value);
}

static void put_cells(Picture *picture)
{
    buf_text(picture->out, "<g class=\"cells\" stroke=\"#dde2ea\">\n");
    for (int t = 0; t <= picture->targets; t++)
        for (int s = 0; s <= picture->sources; s++)
            put_cell(picture, t, s);
    buf_format(picture->out, "</g>\n<g font-size=\"%d\" text-anchor=\"middle\" pointer-events=\"none\">\n",
               picture->cell > 30 ? 12 : 11);
    for (int t = 0; picture->numbers && t <= picture->targets; t++)
        for (int s = 0; s <= picture->sources; s++)
            put_number(picture, t, s);
    buf_text(picture->out, "</g>\n");
}

static void put_legend(Picture *picture)
{
    Buf *out = picture->out;
    int y = picture->bottom + 20;
    buf_text(out, "<g>\n");
    for (int i = 0; i <= 20; i++) {
        buf_format(out, "<rect class=\"w%d\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"12\" fill=\"#", 5 * i,
                   picture->left + i * LEGEND_STEP, y, LEGEND_STEP);
        put_hex(out, heatmap_light_map(5 * i));
        buf_text(out, "\"/>\n");
    }
    buf_format(out, "<rect class=\"cells\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"12\" fill=\"none\""
                    " stroke=\"#dde2ea\"/>\n", picture->left, y, LEGEND_WIDTH);
    buf_format(out, "</g>\n<g class=\"quiet\" font-size=\"12\" fill=\"#5b6472\">\n"
                    "<text x=\"%d\" y=\"%d\">0</text><text x=\"%d\" y=\"%d\" text-anchor=\"middle\">weight</text>"
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">1</text>\n</g>\n",
               picture->left, y + 28, picture->left + LEGEND_WIDTH / 2, y + 28, picture->left + LEGEND_WIDTH, y + 28);
}

static void mark_used(Picture *picture)
{
    for (int i = 0; i <= 100; i += 5)
        picture->used[i] = true;
    for (int t = 0; t <= picture->targets; t++)
        for (int s = 0; s <= picture->sources; s++)
            picture->used[heatmap_hundredths(picture->alignment, t, s)] = true;
}

void heatmap_svg_element(Buf *out, const Alignment *alignment, const char *id)
{
    Picture picture = {.out = out, .alignment = alignment};
    bool blank = heatmap_is_blank(alignment);
    if (blank) {
        picture.width = 240;
        picture.height = 60;
    } else {
        picture.sources = alignment->sources;
        picture.targets = alignment->targets;
        measure(&picture);
        mark_used(&picture);
    }
    buf_format(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"heatmap\" role=\"img\""
                    " aria-labelledby=\"%s-title %s-about\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                    " font-family=\"'DejaVu Sans', 'Noto Sans', system-ui, sans-serif\">\n"
                    "<title id=\"%s-title\">Attention</title>\n<desc id=\"%s-about\">",
               id, id, picture.width, picture.height, picture.width, picture.height, id, id);
    if (blank)
        buf_text(out, "An empty line: nothing to show.");
    else
        put_description(&picture);
    buf_text(out, "</desc>\n");
    put_style(&picture);
    buf_format(out, "<rect class=\"paper\" width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", picture.width,
               picture.height);
    if (blank) {
        buf_text(out, "<text class=\"quiet\" x=\"120\" y=\"35\" text-anchor=\"middle\" font-size=\"15\""
                      " fill=\"#5b6472\">nothing to show</text>\n");
    } else {
        put_words(&picture);
        put_cells(&picture);
        put_legend(&picture);
    }
    buf_text(out, "</svg>\n");
}

void heatmap_svg(Buf *out, const Alignment *alignment)
{
    buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    heatmap_svg_element(out, alignment, "heatmap");
}
