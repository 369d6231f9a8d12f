/* alignment_words.c - a text to words, by the Unicode category of its characters. */
#include "view/alignment.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

#define SCHEME_MAX 32 /* bytes; limits keep the time linear */
#define LOCAL_MAX 64  /* of an address, before the @; RFC 5321, section 4.5.3.1 */
#define DOMAIN_MAX 255

/* HIDDEN: formatting characters, which nobody sees. */
typedef enum { SPACE, HIDDEN, BROKEN, OTHER, LETTER, DIGIT } Class;

typedef struct {
    const char *data;
    size_t size;
} Bytes;

typedef struct {
    Class class;
    uint32_t code;
    size_t end; /* where the next one begins */
} Character;

static Class class_of(uint32_t code)
{
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return DIGIT;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
        return SPACE;
    case UTF8PROC_CATEGORY_CF:
        return HIDDEN;
    default:
        return OTHER;
    }
}

/* Behind the text there is space. */
static Character character_at(Bytes text, size_t at)
{
    Character c = {SPACE, ' ', at};
    if (at == text.size)
        return c;
    bool well_formed = utf8_next(text.data, text.size, &c.end, &c.code);
    c.class = well_formed ? class_of(c.code) : BROKEN;
    return c;
}

static bool is_word(Character c)
{
    return c.class == LETTER || c.class == DIGIT;
}

static bool is_one_of(Character c, const char *ascii)
{
    return c.code > 0 && c.code < 0x80 && c.class != BROKEN && strchr(ascii, (int)c.code) != NULL;
}

/* URLs and addresses --------------------------------------------------------------------------- */

/* Behind "scheme://" or "www." at `at`, else 0. RFC 3986, section 3.1. */
static size_t prefix_end(Bytes text, size_t at)
{
    const char *data = text.data + at;
    size_t size = text.size - at, i = 0;
    if (size > 4 && (data[0] | 32) == 'w' && (data[1] | 32) == 'w' && (data[2] | 32) == 'w' &&
        data[3] == '.')
        return at + 4;
    for (; i < size && i < SCHEME_MAX; i++) {
        bool letter = (data[i] | 32) >= 'a' && (data[i] | 32) <= 'z';
        bool more = (data[i] >= '0' && data[i] <= '9') || (data[i] && strchr("+-.", data[i]));
        if (!letter && !(more && i > 0))
            break;
    }
    return i > 0 && size - i > 3 && memcmp(data + i, "://", 3) == 0 ? at + i + 3 : 0;
}

/* The end of the URL at `at`, or 0. What ends a sentence or closes a bracket that was opened before it is no
 * part of it. */
static size_t url_end(Bytes text, size_t at)
{
    size_t begin = prefix_end(text, at), end = begin;
    int round = 0, square = 0; /* brackets opened and not closed */
    if (!begin)
        return 0;
    for (;;) {
        Character c = character_at(text, end);
        if (!is_word(c) && !is_one_of(c, "-._~:/?#[]@!$&'()*+,;=%"))
            break;
        round += (c.code == '(') - (c.code == ')');
        square += (c.code == '[') - (c.code == ']');
        end = c.end;
    }
    for (; end > begin; end--) {
        char last = text.data[end - 1];
        bool closes = (last == ')' && round < 0) || (last == ']' && square < 0);
        if (!closes && !strchr(".,;:!?'", last))
            break;
        round += last == ')';
        square += last == ']';
    }
    return end > begin ? end : 0;
}

/* The end of the e-mail address at `at`, or 0: characters@label.label. */
static size_t address_end(Bytes text, size_t at)
{
    Character c = character_at(text, at);
    size_t end = at, limit = at + LOCAL_MAX;
    while (c.end <= limit && (is_word(c) || (is_one_of(c, "._%+-") && end > at))) {
        end = c.end;
        c = character_at(text, end);
    }
    if (end == at || !is_one_of(c, "@") || text.data[end - 1] == '.')
        return 0;
    size_t found = 0;
    bool dotted = false, ready = false; /* ready: a word character stands before */
    for (limit = end + DOMAIN_MAX; c.end <= limit; ready = is_word(c)) {
        size_t here = c.end;
        c = character_at(text, here);
        if (is_word(c))
            found = dotted ? c.end : 0;
        else if (!ready || !is_one_of(c, ".-"))
            break;
        dotted = dotted || c.code == '.';
    }
    return found;
}

/* Words ---------------------------------------------------------------------------------------- */

/* May c stand between two word characters? */
static bool joins(Character before, Character c, Character after)
{
    if (!is_word(after))
        return false;
    if (c.class == HIDDEN || is_one_of(c, "'-_") || c.code == 0x2019 || c.code == 0x2010 || c.code == 0x2011)
        return true;
    return is_one_of(c, ".,:") && before.class == DIGIT && after.class == DIGIT;
}

/* The end of the run of word characters of which c is the first, or, if c is none, of what cannot be parted
 * from it (Unicode Standard Annex 29, section 3). */
static size_t run_end(Bytes text, Character c)
{
    bool word = is_word(c);
    utf8proc_int32_t state = 0;
    for (;;) {
        Character next = character_at(text, c.end);
        if (next.end == c.end || next.class == BROKEN || next.class == SPACE)
            return c.end;
        bool parted = utf8proc_grapheme_break_stateful((utf8proc_int32_t)c.code,
                                                       (utf8proc_int32_t)next.code, &state);
        if (parted && !(word && (is_word(next) || joins(c, next, character_at(text, next.end)))))
            return c.end;
        c = next;
    }
}

static size_t word_end(Bytes text, size_t at, Character first)
{
    size_t end = 0;
    if (first.class == BROKEN)
        return first.end;
    if (is_word(first))
        end = url_end(text, at);
    if (!end && is_word(first))
        end = address_end(text, at);
    return end ? end : run_end(text, first);
}

/* Moves *at to the next word's begin and returns its end; 0: there is none. */
static size_t next_word(Bytes text, size_t *at)
{
    while (*at < text.size) {
        Character c = character_at(text, *at);
        if (c.class != SPACE && c.class != HIDDEN)
            return word_end(text, *at, c);
        *at = c.end;
    }
    return 0;
}

int alignment_word_count(const char *text, size_t size)
{
    Bytes bytes = {text, size};
    int words = 0;
    for (size_t at = 0, end; (end = next_word(bytes, &at)) > 0; at = end)
        words++;
    return words;
}

AlignmentWord *alignment_words(Arena *arena, const char *text, size_t size, int *count)
{
    Bytes bytes = {text, size};
    int words = alignment_word_count(text, size);
    AlignmentWord *word = arena_take_zeros(arena, (size_t)words * sizeof *word);
    *count = words;
    words = 0;
    for (size_t at = 0, end; (end = next_word(bytes, &at)) > 0; at = end)
        word[words++] = (AlignmentWord){.text = text + at, .size = end - at, .begin = (uint32_t)at,
                                        .end = (uint32_t)end};
    return word;
}
