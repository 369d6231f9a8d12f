#include "cli/picture.h"

#include "base/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { HEATMAP = OPTION_LONG + 3000, NO_HEATMAP, COLOR, DRAW };

static const char group[] = "Pictures";
static const char *const whens[] = {"auto", "always", "never", NULL};

const Option picture_rows[PICTURE_ROWS] = {
    {.id = HEATMAP, .name = "heatmap", .group = group,
     .help = "draw under each translation how much each word looked at each; without this, only when a SENTENCE "
             "is given and the output is a terminal"},
    {.id = NO_HEATMAP, .name = "no-heatmap", .group = group, .help = "draw nothing there"},
    {.id = COLOR, .name = "color", .argument = "WHEN", .group = group, .choices = whens,
     .help = "colours on the terminal", .initial = "auto"},
    {.id = DRAW, .name = "draw", .argument = "FILE", .group = group,
     .help = "draw the first sentence into FILE.svg, or all of them on a page, FILE.html"},
};

bool picture_has(int id)
{
    return id >= HEATMAP && id <= DRAW;
}

static bool ends_in(const char *path, const char *end)
{
    size_t size = strlen(path), tail = strlen(end);
    return size > tail && strcmp(path + size - tail, end) == 0;
}

bool picture_take(Picture *picture, int id, const char *value, Err *err)
{
    switch (id) {
    case HEATMAP:
        picture->heatmap = PICTURE_ALWAYS;
        return true;
    case NO_HEATMAP:
        picture->heatmap = PICTURE_NEVER;
        return true;
    case COLOR:
        for (int i = 0; whens[i]; i++)
            if (strcmp(value, whens[i]) == 0) {
                picture->color = (PictureWhen)i;
                return true;
            }
        return err_set(err, "color: '%s' is none of auto, always, never", value);
    default:
        assert(id == DRAW);
        picture->file = value;
        return ends_in(value, ".svg") || ends_in(value, ".html") ||
               err_set(err, "draw: '%s' ends in neither .svg nor .html", value);
    }
}

static bool is_set(const char *name, const char *value)
{
    const char *set = getenv(name);
    return set && strcmp(set, value) == 0;
}

static bool wants_color(bool terminal)
{
    const char *no_color = getenv("NO_COLOR");
    return terminal && !(no_color && *no_color) && !is_set("CLICOLOR", "0") && !is_set("TERM", "dumb");
}

/* COLUMNS, which a user may set, goes before what the terminal says of itself. */
static int columns(bool terminal)
{
    struct winsize size;
    const char *set = getenv("COLUMNS");
    long wide = set ? strtol(set, NULL, 10) : 0;
    if (wide < 1 && terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        wide = size.ws_col;
    return wide < 1 ? 80 : wide < 20 ? 20 : wide > 1000 ? 1000 : (int)wide;
}

void picture_begin(Picture *picture, bool one, bool out)
{
    bool terminal = out && isatty(STDOUT_FILENO) == 1;
    picture->shows = picture->heatmap == PICTURE_ALWAYS || (picture->heatmap == PICTURE_AUTO && one && terminal);
    picture->style.color = picture->color == PICTURE_ALWAYS ||
                           (picture->color == PICTURE_AUTO && wants_color(terminal));
    picture->style.width = columns(terminal);
}

bool picture_needs_weights(const Picture *picture)
{
    return picture->shows || picture->file;
}

/* An alignment that outlives the line and the translation that it points into. */
static const Alignment *keep(Picture *picture, Alignment *a, bool by_piece)
{
    a->source_text = arena_copy_text(&picture->arena, a->source_text, a->source_size);
    a->target_text = arena_copy_text(&picture->arena, a->target_text, a->target_size);
    for (int s = 0; !by_piece && s < a->sources; s++)
        a->source[s].text = a->source_text + a->source[s].begin;
    for (int t = 0; !by_piece && t < a->targets; t++)
        a->target[t].text = a->target_text + a->target[t].begin;
    return a;
}

static const char *explain(Picture *picture, const TranslatorLine *line, const Translation *translation)
{
    Walk walk = *picture->walk;
    Arena arena = {0};
    Buf text = {0};
    Explanation explanation;
    Err left_out;
    const char *kept = NULL;
    walk.word = NULL;
    if (walk_explain(&walk, &arena, line, translation, 0, &explanation, &left_out)) {
        explanation_json(&text, &explanation, &(RecordId){.line = picture->count + 1, .model = ""});
        kept = arena_copy_text(&picture->arena, text.data, text.size);
    }
    buf_free(&text);
    arena_free(&arena);
    return kept;
}

void picture_add(Picture *picture, Buf *out, const TranslatorLine *line, const Translation *translation)
{
    if (!picture_needs_weights(picture))
        return;
    const Vocab *vocab = picture->walk->vocab;
    bool page = picture->file && ends_in(picture->file, ".html");
    bool full = picture->count == (page ? PICTURE_SENTENCES : 1);
    ArenaMark mark = arena_mark(&picture->arena);
    Alignment *words = align_text(&picture->arena, vocab, line, translation, 0, false);
    if (picture->shows)
        heatmap_terminal(out, words, &picture->style);
    if (!picture->file || full) {
        picture->left += picture->file != NULL;
        arena_rewind(&picture->arena, mark);
        return;
    }
    if (!picture->sentence)
        picture->sentence = memory_take_zeros(PICTURE_SENTENCES, sizeof *picture->sentence);
    HeatmapSentence *sentence = &picture->sentence[picture->count];
    sentence->words = keep(picture, words, false);
    if (page) {
        Alignment *pieces = align_text(&picture->arena, vocab, line, translation, 0, true);
        sentence->pieces = keep(picture, pieces, true);
        if (picture->count < PICTURE_EXPLAINED)
            sentence->explanation_json = explain(picture, line, translation);
    }
    picture->count++;
}

bool picture_end(Picture *picture, Err *err)
{
    bool ok = true;
    if (picture->file) {
        const Alignment nothing = {0};
        Buf drawing = {0};
        Output output;
        if (ends_in(picture->file, ".html"))
            heatmap_html(&drawing, picture->sentence, picture->count);
        else
            heatmap_svg(&drawing, picture->count ? picture->sentence[0].words : &nothing);
        ok = output_open(&output, picture->file, err);
        if (ok) {
            output_add(&output, drawing.data, drawing.size);
            ok = output_close(&output, err);
            if (!ok)
                output_discard(&output);
        }
        buf_free(&drawing);
    }
    free(picture->sentence);
    arena_free(&picture->arena);
    return ok;
}
