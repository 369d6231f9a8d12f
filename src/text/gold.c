#include "text/gold.h"

#include "base/reader.h"
#include "text/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reading -------------------------------------------------------------------------------------- */

typedef struct {
    const char *data;
    size_t size;
} Column;

/* The run of bytes other than spaces at or behind *at, which moves behind it; size 0: there is none. */
static Column next_token(Column column, size_t *at)
{
    while (*at < column.size && column.data[*at] == ' ')
        ++*at;
    size_t begin = *at;
    while (*at < column.size && column.data[*at] != ' ')
        ++*at;
    return (Column){column.data + begin, *at - begin};
}

static int count_tokens(Column column)
{
    int tokens = 0;
    for (size_t at = 0; next_token(column, &at).size;)
        tokens++;
    return tokens;
}

static TextSpan *find_tokens(Arena *arena, Column column, int *count)
{
    *count = count_tokens(column);
    TextSpan *token = arena_take(arena, (size_t)*count * sizeof *token);
    size_t at = 0;
    for (int i = 0; i < *count; i++) {
        Column text = next_token(column, &at);
        token[i] = (TextSpan){(uint32_t)(at - text.size), (uint32_t)at};
    }
    return token;
}

/* A number of one to seven digits at the start of text, which it is taken from; -1: there is none. */
static int take_number(Column *text)
{
    int number = 0;
    size_t i = 0;
    for (; i < text->size && i < 8 && text->data[i] >= '0' && text->data[i] <= '9'; i++)
        number = number * 10 + (text->data[i] - '0');
    *text = (Column){text->data + i, text->size - i};
    return i == 0 || i == 8 ? -1 : number;
}

static int compare_links(const void *left, const void *right)
{
    const GoldLink *a = left, *b = right;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return a->source < b->source ? -1 : a->source > b->source;
}

static bool read_links(Arena *arena, Column column, GoldPair *pair, Err *err)
{
    pair->links = count_tokens(column);
    pair->link = arena_take(arena, (size_t)pair->links * sizeof *pair->link);
    size_t at = 0;
    for (int i = 0; i < pair->links; i++) {
        Column text = next_token(column, &at);
        GoldLink *link = &pair->link[i];
        link->source = take_number(&text);
        bool dash = text.size && text.data[0] == '-';
        text = (Column){text.data + dash, text.size - dash};
        link->target = take_number(&text);
        if (!dash || link->source < 0 || link->target < 0 || text.size)
            return err_set(err, "link %d is not two numbers i-j", i + 1);
        if (link->source >= pair->sources || link->target >= pair->targets)
            return err_set(err, "link %d-%d is beyond the last tokens, %d-%d", link->source, link->target,
                           pair->sources - 1, pair->targets - 1);
    }
    if (pair->links)
        qsort(pair->link, (size_t)pair->links, sizeof *pair->link, compare_links);
    for (int i = 1; i < pair->links; i++)
        if (compare_links(&pair->link[i - 1], &pair->link[i]) == 0)
            return err_set(err, "link %d-%d stands there twice", pair->link[i].source, pair->link[i].target);
    return true;
}

/* err gets the sentence without file and line. */
static bool read_pair(Gold *gold, const ReaderLine *line, GoldPair *pair, Err *err)
{
    if (line->size > GOLD_SIZE_MAX)
        return err_set(err, "longer than %zu bytes", GOLD_SIZE_MAX);
    const char *data = arena_copy_text(&gold->arena, line->data, line->size), *end = data + line->size;
    const char *first = memchr(data, '\t', line->size);
    const char *second = first ? memchr(first + 1, '\t', (size_t)(end - first - 1)) : NULL;
    if (!second)
        return err_set(err, "not three columns: SOURCE TOKENS<TAB>TARGET TOKENS<TAB>LINKS");
    Column source = {data, (size_t)(first - data)}, target = {first + 1, (size_t)(second - first - 1)};
    *pair = (GoldPair){.source = source.data, .target = target.data, .source_size = source.size,
                       .target_size = target.size};
    pair->source_token = find_tokens(&gold->arena, source, &pair->sources);
    pair->target_token = find_tokens(&gold->arena, target, &pair->targets);
    if (!pair->sources || !pair->targets)
        return err_set(err, "no %s tokens", pair->sources ? "target" : "source");
    return read_links(&gold->arena, (Column){second + 1, (size_t)(end - second - 1)}, pair, err);
}

static bool read_pairs(Gold *gold, Reader *reader, Err *err)
{
    ReaderLine line;
    ReaderGot got;
    int room = 0;
    while ((got = reader_line(reader, &line, err)) == READER_LINE) {
        Err reason;
        if (gold->pairs == room) {
            room = room ? 2 * room : 128;
            gold->pair = memory_grow(gold->pair, (size_t)room * sizeof *gold->pair);
        }
        if (!read_pair(gold, &line, &gold->pair[gold->pairs], &reason))
            return err_set(err, "%s: line %ld: %s", reader->name, line.number, reason.text);
        gold->pairs++;
    }
    if (got == READER_FAILED)
        return false;
    return gold->pairs || err_set(err, "%s: no line in it", reader->name);
}

bool gold_read(Gold *gold, const char *path, Err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, "%s: %s", path, strerror(errno));
    Reader reader = reader_start(fd, path);
    bool good = read_pairs(gold, &reader, err);
    reader_free(&reader);
    close(fd);
    return good;
}

void gold_free(Gold *gold)
{
    free(gold->pair);
    arena_free(&gold->arena);
    *gold = (Gold){0};
}

/* Merging -------------------------------------------------------------------------------------- */

void gold_merge(const GoldPair *pair, const GoldPieces *pieces, real *weight)
{
    size_t width = (size_t)pair->sources + 1;
    const real *from = pieces->weight;
    for (size_t i = 0; i < (size_t)pair->targets * width; i++)
        weight[i] = 0;
    for (int t = 0; t < pieces->targets;) {
        int token = words_of(pair->target_token, pair->targets, pieces->target[t]), first = t;
        real *row = weight + (size_t)token * width;
        for (; t < pieces->targets; t++) {
            if (words_of(pair->target_token, pair->targets, pieces->target[t]) != token)
                break;
            for (int s = 0; s < pieces->sources; s++)
                row[words_of(pair->source_token, pair->sources, pieces->source[s])] += *from++;
            row[pair->sources] += *from++;
        }
        for (size_t s = 0; s < width; s++)
            row[s] /= (real)(t - first);
    }
}

/* Counting ------------------------------------------------------------------------------------- */

static void add_link(LinkStats *stats, bool is_gold)
{
    stats->found++;
    stats->both += is_gold;
}

static bool is_gold(const GoldPair *pair, int source, int target)
{
    GoldLink link = {source, target};
    return pair->links && bsearch(&link, pair->link, (size_t)pair->links, sizeof link, compare_links);
}

/* The column of row t with the greatest weight, of all columns. */
static int best_column(const GoldPair *pair, const real *weight, int t)
{
    const real *row = weight + (size_t)t * ((size_t)pair->sources + 1);
    int best = 0;
    for (int s = 1; s <= pair->sources; s++)
        if (row[s] > row[best])
            best = s;
    return best;
}

static int best_row(const GoldPair *pair, const real *weight, int s)
{
    size_t width = (size_t)pair->sources + 1;
    int best = 0;
    for (int t = 1; t < pair->targets; t++)
        if (weight[(size_t)t * width + (size_t)s] > weight[(size_t)best * width + (size_t)s])
            best = t;
    return best;
}

/* A token without pieces has looked at nothing, and nothing at it: no link. */
static void count_best(const GoldPair *pair, const real *weight, GoldStats *stats)
{
    size_t width = (size_t)pair->sources + 1;
    for (int t = 0; t < pair->targets; t++) {
        int s = best_column(pair, weight, t);
        if (s == pair->sources || weight[(size_t)t * width + (size_t)s] <= 0)
            continue;
        add_link(&stats->hard, is_gold(pair, s, t));
        if (best_row(pair, weight, s) == t)
            add_link(&stats->mutual, is_gold(pair, s, t));
    }
    for (int s = 0; s < pair->sources; s++) {
        int t = best_row(pair, weight, s);
        if (weight[(size_t)t * width + (size_t)s] > 0)
            add_link(&stats->reverse, is_gold(pair, s, t));
    }
}

void gold_count(const GoldPair *pair, const real *weight, double given, GoldStats *stats)
{
    count_best(pair, weight, stats);
    for (int t = 0; t < pair->targets; t++)
        for (int s = 0; s < pair->sources; s++) {
            double w = (double)weight[(size_t)t * ((size_t)pair->sources + 1) + (size_t)s];
            bool gold = is_gold(pair, s, t);
            if (w >= given)
                add_link(&stats->given, gold);
            for (int k = 1; k < GOLD_GRID && w >= (double)k / GOLD_GRID; k++)
                add_link(&stats->threshold[k], gold);
        }
    stats->hard.gold += (uint64_t)pair->links;
    stats->reverse.gold += (uint64_t)pair->links;
    stats->mutual.gold += (uint64_t)pair->links;
    stats->given.gold += (uint64_t)pair->links;
    for (int k = 1; k < GOLD_GRID; k++)
        stats->threshold[k].gold += (uint64_t)pair->links;
}

static void add_stats(LinkStats *into, const LinkStats *from)
{
    into->found += from->found;
    into->gold += from->gold;
    into->both += from->both;
}

void gold_add(GoldStats *into, const GoldStats *from)
{
    add_stats(&into->hard, &from->hard);
    add_stats(&into->reverse, &from->reverse);
    add_stats(&into->mutual, &from->mutual);
    add_stats(&into->given, &from->given);
    for (int k = 1; k < GOLD_GRID; k++)
        add_stats(&into->threshold[k], &from->threshold[k]);
}

int gold_best(const GoldStats *stats)
{
    int best = 1;
    for (int k = 2; k < GOLD_GRID; k++)
        if (links_score(&stats->threshold[k]).error < links_score(&stats->threshold[best]).error)
            best = k;
    return best;
}
