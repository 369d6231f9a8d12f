/* text.c - decoding, normalisation form C, folding. What is a word is split.c's business.
 *
 * Normalisation works on segments: a character followed by everything that could combine with it or
 * change places with it (marks; vowel and final jamo). Nothing acts across the border of two
 * segments, so each is normalised alone and its result points at its own bytes. */
#include "text/text.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define DECOMPOSED_MAX 18 /* code points one code point decomposes into; canonically at most 4 */
#define SORT_SHORT 32     /* runs of marks up to this length are sorted by insertion */

/* What is being normalised, what came out so far, and the segment at hand. */
typedef struct {
    const char *data;
    size_t size;
    const TextSpan *origin; /* of data's bytes; NULL: each byte's own place */
    Text out;
    size_t capacity;
    utf8proc_int32_t *code;                 /* the segment's code points */
    size_t *start;                          /* where each begins in data; one more for the end */
    size_t count, room;                     /* room counts elements of code and start */
    utf8proc_int32_t *normal, *spare;       /* the segment normalised; room for sorting */
    size_t normal_room;
} Normaliser;

static TextSpan origin_of(const Normaliser *it, size_t begin, size_t end)
{
    if (it->origin)
        return (TextSpan){it->origin[begin].begin, it->origin[end - 1].end};
    return (TextSpan){(uint32_t)begin, (uint32_t)end};
}

static void add_bytes(Text *out, const char *bytes, size_t count, TextSpan origin)
{
    memcpy(out->data + out->size, bytes, count);
    for (size_t i = 0; i < count; i++)
        out->origin[out->size++] = origin;
}

static void add_code(Normaliser *it, uint32_t code, TextSpan origin)
{
    char bytes[4];
    size_t count = utf8_put(code, bytes);
    assert(it->out.size + count <= it->capacity);
    add_bytes(&it->out, bytes, count, origin);
}

/* ASCII, which normalisation leaves alone. */
static void add_ascii(Normaliser *it, size_t begin, size_t end)
{
    Text *out = &it->out;
    size_t count = end - begin;
    assert(out->size + count <= it->capacity);
    memcpy(out->data + out->size, it->data + begin, count);
    TextSpan *origin = out->origin + out->size;
    if (it->origin)
        memcpy(origin, it->origin + begin, count * sizeof *origin);
    else
        for (size_t i = 0; i < count; i++)
            origin[i] = (TextSpan){(uint32_t)(begin + i), (uint32_t)(begin + i + 1)};
    out->size += count;
}

/* Can code neither combine with what stands before it nor change places with it? Marks can, and so
 * can the vowels and finals of Hangul. */
static bool starts_segment(uint32_t code)
{
    if (code < 0x300)
        return true;
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)code);
    switch (property->category) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return false;
    default:
        return property->combining_class == 0 && property->boundclass != UTF8PROC_BOUNDCLASS_V &&
               property->boundclass != UTF8PROC_BOUNDCLASS_T;
    }
}

/* Stable order of marks by combining class: what counting gives in one pass for a long run. */
static void sort_marks(utf8proc_int32_t *code, size_t count, utf8proc_int32_t *spare)
{
    if (count <= SORT_SHORT) {
        for (size_t i = 1; i < count; i++) {
            utf8proc_int32_t mark = code[i];
            int class = utf8proc_get_property(mark)->combining_class;
            size_t to = i;
            for (; to && utf8proc_get_property(code[to - 1])->combining_class > class; to--)
                code[to] = code[to - 1];
            code[to] = mark;
        }
        return;
    }
    size_t place[257] = {0};
    for (size_t i = 0; i < count; i++)
        place[(utf8proc_get_property(code[i])->combining_class & 0xFF) + 1]++;
    for (size_t i = 1; i < 257; i++)
        place[i] += place[i - 1];
    for (size_t i = 0; i < count; i++)
        spare[place[utf8proc_get_property(code[i])->combining_class & 0xFF]++] = code[i];
    memcpy(code, spare, count * sizeof *code);
}

/* Decomposes, orders and composes the segment into it->normal; the number of code points. */
static size_t normalise_segment(Normaliser *it)
{
    if (it->normal_room < it->count * 4 + DECOMPOSED_MAX) {
        it->normal_room = it->count * 8 + DECOMPOSED_MAX;
        it->normal = memory_grow(it->normal, it->normal_room * sizeof *it->normal);
        it->spare = memory_grow(it->spare, it->normal_room * sizeof *it->spare);
    }
    size_t count = 0;
    for (size_t i = 0; i < it->count; i++) {
        int class = 0;
        utf8proc_ssize_t n =
            utf8proc_decompose_char(it->code[i], it->normal + count,
                                    (utf8proc_ssize_t)(it->normal_room - count),
                                    UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &class);
        assert(n > 0 && n <= 4);
        count += (size_t)n;
    }
    for (size_t i = 0, end; i < count; i = end + 1) {
        for (end = i; end < count && utf8proc_get_property(it->normal[end])->combining_class; end++)
            ;
        sort_marks(it->normal + i, end - i, it->spare);
    }
    utf8proc_ssize_t n = utf8proc_normalize_utf32(it->normal, (utf8proc_ssize_t)count,
                                                  UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    assert(n > 0);
    return (size_t)n;
}

static void add_segment(Normaliser *it)
{
    if (it->count == 1 && it->code[0] < 0x300) {
        add_code(it, (uint32_t)it->code[0], origin_of(it, it->start[0], it->start[1]));
        return;
    }
    size_t count = normalise_segment(it);
    bool same = count == it->count && !memcmp(it->normal, it->code, count * sizeof *it->code);
    TextSpan whole = origin_of(it, it->start[0], it->start[it->count]);
    for (size_t i = 0; i < count; i++)
        add_code(it, (uint32_t)it->normal[i],
                 same ? origin_of(it, it->start[i], it->start[i + 1]) : whole);
}

/* Reads the segment at `at` and returns where it ends. */
static size_t read_segment(Normaliser *it, size_t at)
{
    it->count = 0;
    while (at < it->size) {
        uint32_t code;
        size_t next = at;
        bool good = utf8_next(it->data, it->size, &next, &code);
        if (it->count && starts_segment(code))
            break;
        if (it->count + 2 > it->room) {
            it->room = it->room ? it->room * 2 : 32;
            it->code = memory_grow(it->code, it->room * sizeof *it->code);
            it->start = memory_grow(it->start, it->room * sizeof *it->start);
        }
        it->out.replaced += !good;
        it->code[it->count] = (utf8proc_int32_t)code;
        it->start[it->count++] = at;
        at = next;
    }
    it->start[it->count] = at;
    return at;
}

static Text normalise(Arena *arena, const char *data, size_t size, const TextSpan *origin)
{
    size_t wide = 0;
    for (size_t i = 0; i < size; i++)
        wide += (unsigned char)data[i] >> 7;
    /* ASCII stays; no other byte becomes more than three: U+0390 is the worst character, a lone
     * byte, which becomes U+FFFD, the worst error. */
    Normaliser it = {.data = data, .size = size, .origin = origin, .capacity = size + 2 * wide};
    it.out.data = arena_take(arena, it.capacity + 1);
    it.out.origin = arena_take(arena, it.capacity * sizeof *it.out.origin);
    for (size_t at = 0; at < size;) {
        size_t end = at;
        while (end < size && (unsigned char)data[end] < 0x80)
            end++;
        if (end > at && end < size)
            end--; /* a mark may follow the last one */
        if (end > at) {
            add_ascii(&it, at, end);
            at = end;
        } else {
            at = read_segment(&it, at);
            add_segment(&it);
        }
    }
    it.out.data[it.out.size] = '\0';
    free(it.code);
    free(it.start);
    free(it.normal);
    free(it.spare);
    return it.out;
}

Text text_nfc(Arena *arena, const char *data, size_t size)
{
    assert(size <= TEXT_SIZE_MAX);
    return normalise(arena, data, size, NULL);
}

static bool is_space(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0D) || code == ' ' || code == 0x85 || code == 0xA0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Characters that take no room, before is the last character kept, 0 at the start. */
static bool vanishes(uint32_t code, uint32_t before)
{
    if (code == 0x200C || code == 0x200D) /* joiners */
        return before < 0x600;
    return code == 0xAD || code == 0x200B || code == 0x200E || code == 0x200F ||
           (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x2064) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

/* The plain spelling of a character above ASCII, or NULL when it has none. */
static const char *plain_spelling(uint32_t code)
{
    switch (code) {
    case 0xB4: case 0x2BC: case 0x2018: case 0x2019: case 0x201A: case 0x201B: case 0x2032:
    case 0x2039: case 0x203A: case 0xFF07:
        return "'";
    case 0xAB: case 0xBB: case 0x201C: case 0x201D: case 0x201E: case 0x201F: case 0x2033:
    case 0xFF02:
        return "\"";
    case 0x2010: case 0x2011: case 0x2012: case 0x2013: case 0x2014: case 0x2015: case 0x2212:
    case 0xFE58: case 0xFE63: case 0xFF0D:
        return "-";
    case 0x2026:
        return "...";
    default:
        return NULL;
    }
}

static void add_space(Text *out, TextSpan origin)
{
    if (!out->size)
        return;
    if (out->data[out->size - 1] == ' ')
        out->origin[out->size - 1].end = origin.end;
    else
        add_bytes(out, " ", 1, origin);
}

Text text_fold(Arena *arena, const Text *text)
{
    Text out = {.replaced = text->replaced};
    out.data = arena_take(arena, text->size + 1); /* no spelling is longer than what it is for */
    out.origin = arena_take(arena, text->size * sizeof *out.origin);
    bool vanished = false;
    uint32_t code, before = 0;
    for (size_t at = 0, begin; at < text->size; ) {
        begin = at;
        utf8_next(text->data, text->size, &at, &code);
        TextSpan origin = {text->origin[begin].begin, text->origin[at - 1].end};
        const char *plain = NULL;
        if (code > ' ' && code < 0x7F) {
            out.data[out.size] = (char)code;
            out.origin[out.size++] = origin;
        } else if (is_space(code)) {
            add_space(&out, origin);
        } else if (vanishes(code, before)) {
            vanished = true;
            continue;
        } else if ((plain = plain_spelling(code))) {
            add_bytes(&out, plain, strlen(plain), origin);
            code = (unsigned char)*plain;
        } else {
            add_bytes(&out, text->data + begin, at - begin, origin);
        }
        before = code;
    }
    if (out.size && out.data[out.size - 1] == ' ')
        out.size--;
    out.data[out.size] = '\0';
    if (!vanished)
        return out;
    /* What vanished may have kept a mark from its letter. */
    Text again = normalise(arena, out.data, out.size, out.origin);
    again.replaced = out.replaced;
    return again;
}

static Text with_case(Arena *arena, const Text *text, utf8proc_int32_t change(utf8proc_int32_t))
{
    Text out = {.replaced = text->replaced};
    out.data = arena_take(arena, 2 * text->size + 1); /* ɐ has two bytes, its upper case three; so Ⱥ and ⱥ */
    out.origin = arena_take(arena, 2 * text->size * sizeof *out.origin);
    for (size_t at = 0, begin; at < text->size;) {
        uint32_t code;
        char changed[4];
        begin = at;
        utf8_next(text->data, text->size, &at, &code);
        size_t size = utf8_put((uint32_t)change((utf8proc_int32_t)code), changed);
        TextSpan origin = {text->origin[begin].begin, text->origin[at - 1].end};
        add_bytes(&out, changed, size, origin);
    }
    out.data[out.size] = '\0';
    return out;
}

Text text_upper(Arena *arena, const Text *text)
{
    return with_case(arena, text, utf8proc_toupper);
}

Text text_lower(Arena *arena, const Text *text)
{
    return with_case(arena, text, utf8proc_tolower);
}

Text text_source(Arena *arena, const char *data, size_t size)
{
    Text text = text_nfc(arena, data, size);
    return text_fold(arena, &text);
}
