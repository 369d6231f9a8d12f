/* metric.c - BLEU, chrF2 and the alignment error rate.
 *
 * Both metrics do the same with different symbols: make two sequences of numbers (words or
 * characters), then count how many n-grams they share. An n-gram is numbered by the pair (number of
 * its first n-1 symbols, its last symbol), looked up in one small hash table of pairs. So counting
 * is exact, and costs the same for every n. Words get their numbers likewise, byte by byte. */
#include "text/metric.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

/* Numbering pairs ------------------------------------------------------------------------------ */

typedef struct {
    uint64_t key;
    uint32_t id;    /* from 1; 0 in a free slot */
    uint32_t count; /* how often the n-gram stands in the reference and is not matched yet */
} Slot;

typedef struct {
    Slot *slot;
    size_t slots; /* a power of two, more than twice the entries */
    uint32_t ids;
} Table;

static Table table_new(Arena *arena, size_t entries)
{
    Table table = {.slots = 16};
    while (table.slots <= 2 * entries)
        table.slots *= 2;
    table.slot = arena_take_zeros(arena, table.slots * sizeof *table.slot);
    return table;
}

static void table_empty(Table *table)
{
    memset(table->slot, 0, table->slots * sizeof *table->slot);
    table->ids = 0;
}

/* The slot of the pair, or the free one where it would stand. */
static Slot *table_find(const Table *table, uint32_t prefix, uint32_t symbol)
{
    uint64_t key = (uint64_t)prefix << 32 | symbol;
    size_t at = (size_t)rng_mix(key) & (table->slots - 1);
    while (table->slot[at].id && table->slot[at].key != key)
        at = (at + 1) & (table->slots - 1);
    return &table->slot[at];
}

static Slot *table_enter(Table *table, uint32_t prefix, uint32_t symbol)
{
    Slot *slot = table_find(table, prefix, symbol);
    if (!slot->id)
        *slot = (Slot){.key = (uint64_t)prefix << 32 | symbol, .id = ++table->ids};
    return slot;
}

/* Shared n-grams ------------------------------------------------------------------------------- */

typedef struct {
    uint32_t *symbol; /* [count] */
    size_t count;
} Symbols;

/* match[n - 1] += sum over n-grams g of min(count of g in output, count of g in reference). */
static void match_add(uint64_t *match, int orders, Arena *arena, Symbols output, Symbols reference)
{
    Table table = table_new(arena, reference.count);
    /* The number of the n-gram that starts at each place; in the output 0 if it has no equal. */
    uint32_t *in_output = arena_take_zeros(arena, output.count * sizeof *in_output);
    uint32_t *in_reference = arena_take_zeros(arena, reference.count * sizeof *in_reference);
    for (size_t last = 0; last < (size_t)orders && last < reference.count; last++) {
        table_empty(&table);
        for (size_t i = 0; i + last < reference.count; i++) {
            Slot *slot = table_enter(&table, in_reference[i], reference.symbol[i + last]);
            in_reference[i] = slot->id;
            slot->count++;
        }
        for (size_t i = 0; i + last < output.count; i++) {
            if (last > 0 && !in_output[i])
                continue;
            Slot *slot = table_find(&table, in_output[i], output.symbol[i + last]);
            in_output[i] = slot->id;
            if (slot->count) {
                slot->count--;
                match[last]++;
            }
        }
    }
}

static uint64_t grams_of(size_t symbols, int order)
{
    return symbols >= (size_t)order ? symbols - (size_t)order + 1 : 0;
}

/* White space ---------------------------------------------------------------------------------- */

/* How many bytes the white space at the start of text takes, 0 if none is there. The set is that of
 * Python's str.split(): Unicode's White_Space and the four ASCII separators U+001C to U+001F. */
static size_t space_size(const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < 0x80)
        return c[0] == ' ' || (c[0] >= '\t' && c[0] <= '\r') || (c[0] >= 0x1C && c[0] <= 0x1F);
    if (c[0] == 0xC2)
        return size >= 2 && (c[1] == 0x85 || c[1] == 0xA0) ? 2 : 0;
    if (size < 3 || c[0] < 0xE1 || c[0] > 0xE3)
        return 0;
    uint32_t code = (c[0] & 0x0Fu) << 12 | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
    bool formed = (c[1] & 0xC0) == 0x80 && (c[2] & 0xC0) == 0x80;
    bool space = code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
                 code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
    return formed && space ? 3 : 0;
}

/* The words of mteval-v13a --------------------------------------------------------------------- */

/* Replaces every `from`, left to right, by `to`, which is not longer. Returns the new size. */
static size_t replace(char *text, size_t size, const char *from, const char *to)
{
    size_t from_size = strlen(from), to_size = strlen(to), out = 0;
    for (size_t i = 0; i < size;) {
        if (size - i >= from_size && memcmp(text + i, from, from_size) == 0) {
            memcpy(text + out, to, to_size);
            out += to_size;
            i += from_size;
        } else {
            text[out++] = text[i++];
        }
    }
    return out;
}

/* ASCII marks but for ' , - . and the space itself, which changes nothing. */
static bool is_mark(char c)
{
    return c && strchr("{|}~[\\]^_`!\"#$%&()*+:;<=>?@/", c);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_no_digit(char c)
{
    return !is_digit(c);
}

static bool is_point(char c)
{
    return c == '.' || c == ',';
}

static bool is_dash(char c)
{
    return c == '-';
}

/* Wherever a `first` is followed by a `second`, left to right and without overlap, writes a space
 * between them and another one before the first or behind the second. Returns the new size. */
static size_t part(char *out, const char *text, size_t size, bool (*first)(char),
                   bool (*second)(char), bool space_before)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (i + 1 == size || !first(text[i]) || !second(text[i + 1])) {
            out[n++] = text[i];
            continue;
        }
        if (space_before)
            out[n++] = ' ';
        out[n++] = text[i++];
        out[n++] = ' ';
        out[n++] = text[i];
        if (!space_before)
            out[n++] = ' ';
    }
    return n;
}

/* Writes text as words with spaces between them and returns the size. Step by step what the regular
 * expressions of mteval-v13a.pl do, because their order is visible in the result: "..." and "1,a"
 * come out as no single rule would have them. out and spare have room for 5 (size + 2) bytes: a
 * mark gains two spaces, a full stop or comma at most four, a dash two. */
static size_t words_part(char *out, char *spare, const char *text, size_t size)
{
    size_t n = 0;
    spare[n++] = ' ';
    for (size_t i = 0, space; i < size; i += space ? space : 1) {
        space = space_size(text + i, size - i);
        spare[n++] = space && text[i] != '\n' ? ' ' : text[i];
    }
    while (n > 1 && (spare[n - 1] == ' ' || spare[n - 1] == '\n'))
        n--;
    n = replace(spare, n, "<skipped>", "");
    n = replace(spare, n, "-\n", "");
    n = replace(spare, n, "\n", " ");
    n = replace(spare, n, "&quot;", "\"");
    n = replace(spare, n, "&amp;", "&");
    n = replace(spare, n, "&lt;", "<");
    n = replace(spare, n, "&gt;", ">");
    spare[n++] = ' ';

    size_t marked = 0;
    for (size_t i = 0; i < n; i++) {
        bool mark = is_mark(spare[i]);
        if (mark)
            out[marked++] = ' ';
        out[marked++] = spare[i];
        if (mark)
            out[marked++] = ' ';
    }
    n = part(spare, out, marked, is_no_digit, is_point, false);
    n = part(out, spare, n, is_point, is_no_digit, true);
    n = part(spare, out, n, is_digit, is_dash, false);
    memcpy(out, spare, n);
    return n;
}

/* Numbers the words of a text. A word's number is that of the pair (all but its last byte, last
 * byte); words that are equal bytes, here and in texts numbered before, have equal numbers. */
static Symbols words_number(Table *table, Arena *arena, const char *text, size_t size)
{
    Symbols words = {.symbol = arena_take(arena, (size / 2 + 1) * sizeof *words.symbol)};
    uint32_t id = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && text[i] != ' ') {
            id = table_enter(table, id, (unsigned char)text[i])->id;
        } else if (id) {
            words.symbol[words.count++] = id;
            id = 0;
        }
    }
    return words;
}

/* BLEU ----------------------------------------------------------------------------------------- */

void bleu_add(BleuStats *stats, Arena *scratch, const char *output, size_t output_size,
              const char *reference, size_t reference_size)
{
    assert(output_size <= METRIC_SIZE_MAX && reference_size <= METRIC_SIZE_MAX);
    ArenaMark mark = arena_mark(scratch);
    size_t larger = output_size > reference_size ? output_size : reference_size;
    char *spare = arena_take(scratch, 5 * (larger + 2));
    char *output_text = arena_take(scratch, 5 * (output_size + 2));
    char *reference_text = arena_take(scratch, 5 * (reference_size + 2));
    Table table = table_new(scratch, output_size + reference_size);
    output_size = words_part(output_text, spare, output, output_size);
    reference_size = words_part(reference_text, spare, reference, reference_size);
    Symbols out = words_number(&table, scratch, output_text, output_size);
    Symbols ref = words_number(&table, scratch, reference_text, reference_size);
    stats->output_words += out.count;
    stats->reference_words += ref.count;
    for (int order = 1; order <= BLEU_ORDERS; order++)
        stats->total[order - 1] += grams_of(out.count, order);
    match_add(stats->match, BLEU_ORDERS, scratch, out, ref);
    arena_rewind(scratch, mark);
}

void bleu_merge(BleuStats *into, const BleuStats *from)
{
    into->output_words += from->output_words;
    into->reference_words += from->reference_words;
    for (int n = 0; n < BLEU_ORDERS; n++) {
        into->total[n] += from->total[n];
        into->match[n] += from->match[n];
    }
}

/* score = brevity * (p1 p2 p3 p4)^(1/4), brevity = exp(min(0, 1 - reference/output)) over words.
 * Smoothing ("exp": Chen and Cherry 2014, method 3): the k-th order without a match takes 2^-k for
 * its count of matches. */
Bleu bleu_score(const BleuStats *stats)
{
    Bleu bleu = {.brevity = 1};
    double output = (double)stats->output_words, reference = (double)stats->reference_words;
    if (output < reference)
        bleu.brevity = output > 0 ? exp(1 - reference / output) : 0;
    bool any = false;
    for (int n = 0; n < BLEU_ORDERS; n++)
        any = any || stats->match[n] > 0;
    if (!any)
        return bleu;

    double smooth = 1, logs = 0;
    for (int n = 0; n < BLEU_ORDERS; n++) {
        if (!stats->total[n])
            return bleu;
        double match = (double)stats->match[n];
        if (!stats->match[n])
            match = smooth /= 2;
        bleu.precision[n] = 100 * match / (double)stats->total[n];
        logs += log(bleu.precision[n]);
    }
    bleu.score = bleu.brevity * exp(logs / BLEU_ORDERS);
    return bleu;
}

/* chrF ----------------------------------------------------------------------------------------- */

/* A byte b that is no part of well-formed UTF-8 becomes the number 0x110000 + b. */
static Symbols characters_number(Arena *arena, const char *text, size_t size)
{
    Symbols characters = {.symbol = arena_take(arena, size * sizeof *characters.symbol)};
    for (size_t i = 0; i < size;) {
        size_t space = space_size(text + i, size - i);
        if (space) {
            i += space;
            continue;
        }
        utf8proc_int32_t code = 0;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                                   (utf8proc_ssize_t)(size - i), &code);
        if (length < 1) {
            code = 0x110000 + (unsigned char)text[i];
            length = 1;
        }
        characters.symbol[characters.count++] = (uint32_t)code;
        i += (size_t)length;
    }
    return characters;
}

void chrf_add(ChrfStats *stats, Arena *scratch, const char *output, size_t output_size,
              const char *reference, size_t reference_size)
{
    assert(output_size <= METRIC_SIZE_MAX && reference_size <= METRIC_SIZE_MAX);
    ArenaMark mark = arena_mark(scratch);
    Symbols out = characters_number(scratch, output, output_size);
    Symbols ref = characters_number(scratch, reference, reference_size);
    for (int order = 1; order <= CHRF_ORDERS; order++) {
        uint64_t grams = grams_of(ref.count, order);
        stats->reference[order - 1] += grams;
        /* An output is not blamed for n-grams that its reference is too short to have. */
        stats->output[order - 1] += grams ? grams_of(out.count, order) : 0;
    }
    match_add(stats->match, CHRF_ORDERS, scratch, out, ref);
    arena_rewind(scratch, mark);
}

void chrf_merge(ChrfStats *into, const ChrfStats *from)
{
    for (int n = 0; n < CHRF_ORDERS; n++) {
        into->output[n] += from->output[n];
        into->reference[n] += from->reference[n];
        into->match[n] += from->match[n];
    }
}

/* P and R: means of the orders' precisions and recalls. F = 5 P R / (4 P + R), beta being 2. */
double chrf_score(const ChrfStats *stats)
{
    double precision = 0, recall = 0;
    int orders = 0;
    for (int n = 0; n < CHRF_ORDERS; n++) {
        if (!stats->output[n] || !stats->reference[n])
            continue;
        precision += (double)stats->match[n] / (double)stats->output[n];
        recall += (double)stats->match[n] / (double)stats->reference[n];
        orders++;
    }
    if (!(precision + recall > 0))
        return 0;
    precision /= orders;
    recall /= orders;
    return 100 * 5 * precision * recall / (4 * precision + recall);
}

/* Alignment ------------------------------------------------------------------------------------ */

LinkScore links_score(const LinkStats *stats)
{
    double found = (double)stats->found, gold = (double)stats->gold, both = (double)stats->both;
    return (LinkScore){
        .precision = found > 0 ? both / found : 0,
        .recall = gold > 0 ? both / gold : 0,
        .error = found + gold > 0 ? 1 - 2 * both / (found + gold) : 1,
    };
}
