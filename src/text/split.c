#include "text/split.h"

#include "base/utf8.h"

#include "text/text.h"

#include <string.h>
#include <utf8proc.h>

SplitClass split_class(uint32_t code)
{
    if (code < 0x80) {
        if ((code | 0x20) >= 'a' && (code | 0x20) <= 'z')
            return SPLIT_LETTER;
        if (code >= '0' && code <= '9')
            return SPLIT_DIGIT;
        return code == ' ' ? SPLIT_SPACE : SPLIT_OTHER;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return SPLIT_LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return SPLIT_MARK;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return SPLIT_DIGIT;
    default:
        return SPLIT_OTHER;
    }
}

static bool always_opens(uint32_t code)
{
    return code == '(' || code == '[' || code == '{' || code == 0xA1 || code == 0xAB ||
           code == 0xBF || code == 0x2018 || code == 0x201C || code == 0x201E;
}

bool split_opens(uint32_t before, uint32_t mark)
{
    if (always_opens(mark))
        return true;
    if (mark != '"' && mark != '\'' && mark != '-' && mark != 0x2013 && mark != 0x2014)
        return false;
    return before == SPLIT_START || before == ' ' || before == '\n' || before == '\t' ||
           always_opens(before);
}

bool split_is_apostrophe(uint32_t code)
{
    return code == '\'' || code == 0x2019;
}

uint32_t split_lower(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

uint32_t split_upper(uint32_t code)
{
    if (code < 0x80)
        return code >= 'a' && code <= 'z' ? code - 32 : code;
    return (uint32_t)utf8proc_toupper((utf8proc_int32_t)code);
}

Split split_start(const char *data, size_t size, bool case_markers)
{
    return (Split){.data = data, .size = size, .before = SPLIT_START, .imagined = size > 0,
                   .case_markers = case_markers};
}

/* Letter case of a word, one character after the other. */
typedef struct {
    size_t characters, changed;
    bool upper, title;
} CaseWatch;

static void case_watch(CaseWatch *watch, uint32_t code, SplitClass class)
{
    uint32_t lower = split_lower(code);
    bool returns = split_upper(lower) == code;
    if (lower != code) {
        watch->changed++;
        returns = returns && split_class(lower) == class; /* the word must keep its extent */
    }
    if (!watch->characters++) {
        watch->upper = returns;
        watch->title = returns && lower != code;
    } else {
        watch->upper = watch->upper && returns;
        watch->title = watch->title && lower == code;
    }
}

static SplitClass class_at(const Split *split, size_t at, uint32_t *code, size_t *next)
{
    *next = at;
    return utf8_next(split->data, split->size, next, code) ? split_class(*code) : SPLIT_OTHER;
}

/* From a letter at split->at to the end of the word. */
static SplitCase take_word(Split *split)
{
    CaseWatch watch = {0};
    size_t next;
    uint32_t code;
    while (split->at < split->size) {
        SplitClass class = class_at(split, split->at, &code, &next);
        if (split_is_apostrophe(code) && next < split->size) {
            size_t behind;
            uint32_t letter;
            if (class_at(split, next, &letter, &behind) != SPLIT_LETTER)
                break;
        } else if (class != SPLIT_LETTER && class != SPLIT_MARK) {
            break;
        }
        if (split->case_markers)
            case_watch(&watch, code, class);
        split->before = code;
        split->at = next;
    }
    if (watch.upper && watch.changed >= 2)
        return SPLIT_UPPER;
    return watch.title ? SPLIT_TITLE : SPLIT_PLAIN;
}

/* The run of the character code at split->at, of which next is the end. */
static void take_run(Split *split, uint32_t code, size_t next)
{
    bool opens = split_opens(split->before, code);
    for (uint32_t same; split->at < split->size; split->at = next) {
        next = split->at;
        utf8_next(split->data, split->size, &next, &same);
        if (same != code)
            break;
    }
    split->before = code;
    split->imagined = opens && split->at < split->size;
}

bool split_next(Split *split, SplitToken *token)
{
    if (split->at == split->size)
        return false;
    *token = (SplitToken){.space = split->imagined, .imagined = split->imagined};
    split->imagined = false;
    if (!token->space && split->data[split->at] == ' ') {
        token->space = true;
        split->before = ' ';
        split->at++;
    }
    token->begin = token->end = split->at;
    if (split->at == split->size)
        return true;
    uint32_t code;
    size_t next;
    SplitClass class = class_at(split, split->at, &code, &next);
    if (token->space && (class == SPLIT_SPACE || class == SPLIT_DIGIT))
        return true;
    if (class == SPLIT_LETTER) {
        token->letters = take_word(split);
    } else if (class == SPLIT_DIGIT) {
        split->before = code;
        split->at = next;
    } else {
        take_run(split, code, next);
    }
    token->end = split->at;
    return true;
}

size_t split_spell(const Split *split, const SplitToken *token, size_t *at, char out[4])
{
    size_t begin = *at;
    uint32_t code;
    utf8_next(split->data, split->size, at, &code);
    if (token->letters == SPLIT_UPPER || (token->letters == SPLIT_TITLE && begin == token->begin))
        return utf8_put(split_lower(code), out);
    memcpy(out, split->data + begin, *at - begin);
    return *at - begin;
}
