/* heatmap_terminal.c - an alignment in characters.
 *
 *               The
 *               │   committee      words too long for their column stand as stairs,
 *               │   │   met        each above a line that leads to its column
 *     El       ▓72   9   .   .
 *
 * Numbers are hundredths. With short words and room for it, a column is as wide as its word and the stairs
 * are one line. What does not fit goes on in a block below. */
#include "base/arena.h"
#include "view/heatmap_internal.h"

#define WIDTH_MIN 20
#define LABEL_MAX 24

#define BAR "\xE2\x94\x82"   /* │ */
#define LINE "\xE2\x94\x80"  /* ─ */
#define CROSS "\xE2\x94\xBC" /* ┼ */
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

typedef struct {
    const char *text;
    int width; /* columns of the terminal */
} Label;

typedef struct {
    Buf *out;
    const Alignment *alignment;
    bool color;
    int width, side;         /* columns: of the terminal, of the target words */
    Label *source, *target;  /* [sources + 1], [targets + 1] */
    int *cell;               /* [sources + 1] columns of the cells */
    int *at, *stair;         /* [sources + 1] in the present block: where it begins, the line of its word */
} Terminal;

static void pad(Buf *out, int columns)
{
    for (int i = 0; i < columns; i++)
        buf_char(out, ' ');
}

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

static Label *make_labels(Arena *arena, const AlignmentWord *word, int count, int columns)
{
    Label *label = arena_take(arena, ((size_t)count + 1) * sizeof *label);
    Buf text = {0};
    for (int i = 0; i <= count; i++) {
        text.size = 0;
        label[i].width = heatmap_word(&text, word, i, count, columns);
        label[i].text = arena_copy_text(arena, text.size ? text.data : "", text.size);
    }
    buf_free(&text);
    return label;
}

/* As wide as the words when all of it fits; otherwise four columns each, or three when then all of it fits. */
static void choose_cells(Terminal *terminal)
{
    int count = terminal->alignment->sources + 1;
    int room = terminal->width - terminal->side - 2; /* a space, and the line before the end */
    long natural = 0;
    for (int s = 0; s < count; s++) {
        terminal->cell[s] = most(4, terminal->source[s].width + 2);
        natural += terminal->cell[s];
    }
    if (natural <= room)
        return;
    room -= most(0, terminal->source[count - 1].width - 2); /* the last word reaches over its column */
    int narrow = 4 * (long)count > room && 3 * (long)count <= room ? 3 : 4;
    for (int s = 0; s < count; s++)
        terminal->cell[s] = narrow;
}

/* The columns of the block that begins with source word `first`: sets at and stair, returns the column behind
 * the last, and in *stairs how many lines the words take. Word b stands on a lower line than a when a
 * reaches over b's column. */
static int lay_block(Terminal *terminal, int first, int *stairs)
{
    int sources = terminal->alignment->sources, at = terminal->side + 1, s;
    *stairs = 0;
    for (s = first; s <= sources; s++) {
        at += s == sources;
        if (s > first && at + most(terminal->cell[s], terminal->source[s].width + 1) > terminal->width)
            break;
        terminal->at[s] = at;
        terminal->stair[s] = 0;
        for (int before = most(first, s - LABEL_MAX); before < s; before++)
            if (terminal->at[before] + terminal->source[before].width >= at)
                terminal->stair[s] = most(terminal->stair[s], terminal->stair[before] + 1);
        *stairs = most(*stairs, terminal->stair[s] + 1);
        at += terminal->cell[s];
    }
    return s;
}

static void draw_stairs(const Terminal *terminal, int first, int behind, int stairs)
{
    Buf *out = terminal->out;
    for (int line = 0; line < stairs; line++) {
        int at = 0;
        for (int s = first; s < behind; s++) {
            if (terminal->stair[s] > line)
                continue;
            bool here = terminal->stair[s] == line;
            pad(out, terminal->at[s] + 1 - at);
            if (terminal->color)
                buf_text(out, here && s < terminal->alignment->sources ? BOLD : DIM);
            buf_text(out, here ? terminal->source[s].text : BAR);
            if (terminal->color)
                buf_text(out, PLAIN);
            at = terminal->at[s] + 1 + (here ? terminal->source[s].width : 1);
        }
        buf_char(out, '\n');
    }
}

static void draw_cell(const Terminal *terminal, int t, int s)
{
    static const char *const shades[] = {" ", "\xE2\x96\x91", "\xE2\x96\x92", "\xE2\x96\x93", "\xE2\x96\x88"};
    int value = heatmap_hundredths(terminal->alignment, t, s), wide = terminal->cell[s];
    int shade = value >= 75 ? 4 : value >= 50 ? 3 : value >= 25 ? 2 : value >= 10 ? 1 : 0;
    bool full = wide == 3 && value == 100; /* the number takes the whole cell */
    if (terminal->color) {
        HeatmapColor back = heatmap_dark_map(value);
        int ink = heatmap_wants_light_ink(back) ? 255 : 0;
        buf_format(terminal->out, "\033[48;2;%d;%d;%d;38;2;%d;%d;%dm", back.red, back.green, back.blue, ink,
                   ink, ink);
    }
    if (!full)
        buf_text(terminal->out, terminal->color ? " " : shades[shade]);
    if (value > 0)
        buf_format(terminal->out, "%2d", value);
    else
        buf_text(terminal->out, wide == 3 ? ". " : " ."); /* not right before a 100 */
    pad(terminal->out, wide - (value == 100 ? 4 - full : 3));
}

static void draw_row(const Terminal *terminal, int t, int first, int behind)
{
    Buf *out = terminal->out;
    const Alignment *alignment = terminal->alignment;
    pad(out, terminal->side - terminal->target[t].width);
    if (terminal->color)
        buf_text(out, t < alignment->targets ? BOLD : DIM);
    buf_text(out, terminal->target[t].text);
    if (terminal->color)
        buf_text(out, PLAIN);
    buf_char(out, ' ');
    for (int s = first; s < behind; s++) {
        if (s == alignment->sources) {
            if (terminal->color)
                buf_text(out, PLAIN);
            buf_text(out, BAR);
        }
        draw_cell(terminal, t, s);
    }
    if (terminal->color)
        buf_text(out, PLAIN);
    while (out->data[out->size - 1] == ' ')
        out->size--;
    buf_char(out, '\n');
}

/* The line above the row of the end. */
static void draw_line(const Terminal *terminal, int first, int behind)
{
    pad(terminal->out, terminal->side + 1);
    for (int s = first; s < behind; s++) {
        if (s == terminal->alignment->sources)
            buf_text(terminal->out, CROSS);
        for (int i = 0; i < terminal->cell[s]; i++)
            buf_text(terminal->out, LINE);
    }
    buf_char(terminal->out, '\n');
}

void heatmap_terminal(Buf *out, const Alignment *alignment, const HeatmapStyle *style)
{
    if (heatmap_is_blank(alignment))
        return;
    Arena arena = {0};
    Terminal terminal = {.out = out, .alignment = alignment, .color = style->color};
    size_t columns = (size_t)alignment->sources + 1;
    terminal.width = most(style->width, WIDTH_MIN);
    int side_max = least(LABEL_MAX, most(6, terminal.width / 3));
    terminal.target = make_labels(&arena, alignment->target, alignment->targets, side_max);
    for (int t = 0; t <= alignment->targets; t++)
        terminal.side = most(terminal.side, terminal.target[t].width);
    int label_max = least(LABEL_MAX, terminal.width - terminal.side - 3);
    terminal.source = make_labels(&arena, alignment->source, alignment->sources, label_max);
    terminal.cell = arena_take(&arena, columns * sizeof(int));
    terminal.at = arena_take(&arena, columns * sizeof(int));
    terminal.stair = arena_take(&arena, columns * sizeof(int));
    choose_cells(&terminal);
    for (int first = 0, behind, stairs; first <= alignment->sources; first = behind) {
        behind = lay_block(&terminal, first, &stairs);
        if (first > 0)
            buf_char(out, '\n');
        draw_stairs(&terminal, first, behind, stairs);
        for (int t = 0; t < alignment->targets; t++)
            draw_row(&terminal, t, first, behind);
        draw_line(&terminal, first, behind);
        draw_row(&terminal, alignment->targets, first, behind);
    }
    arena_free(&arena);
}
