#include "base/option.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, LEFT_MAX = 28 };

void option_add(OptionTable *table, const Option *rows, int count)
{
    assert(count >= 0 && table->count + count <= OPTION_LIMIT);
    for (int i = 0; i < count; i++)
        table->row[table->count++] = rows[i];
}

/* The table as getopt_long reads it. Its long options return OPTION_LONG + row, its letters themselves. */
typedef struct {
    const OptionTable *table;
    struct option named[OPTION_LIMIT + 1];
    char letters[3 * OPTION_LIMIT + 2];
} Getopt;

static bool has_argument(const Option *row)
{
    return row->argument || row->choices;
}

static void getopt_fill(Getopt *it, const OptionTable *table)
{
    char *letter = it->letters;
    *letter++ = ':'; /* a missing argument is told apart from an unknown option; nothing is printed */
    it->table = table;
    for (int i = 0; i < table->count; i++) {
        const Option *row = &table->row[i];
        int kind = !has_argument(row) ? no_argument
                   : row->optional    ? optional_argument
                                      : required_argument;
        it->named[i] = (struct option){row->name, kind, NULL, OPTION_LONG + i};
        if (row->id < OPTION_LONG) {
            *letter++ = (char)row->id;
            for (int colons = kind == no_argument ? 0 : row->optional ? 2 : 1; colons > 0; colons--)
                *letter++ = ':';
        }
    }
    *letter = '\0';
    it->named[table->count] = (struct option){0};
}

/* The row that getopt_long's code stands for: OPTION_LONG + row, or a letter. NULL: none. */
static const Option *row_of(const OptionTable *table, int code)
{
    if (code >= OPTION_LONG)
        return &table->row[code - OPTION_LONG];
    for (int i = 0; i < table->count; i++)
        if (table->row[i].id == code)
            return &table->row[i];
    return NULL;
}

/* `word` is --name or --name=value. `near` is the name that it abbreviates, if getopt_long found one. */
static bool unknown(const OptionTable *table, const char *word, const char *near, Err *err)
{
    char name[64];
    size_t size = strcspn(word + 2, "=");
    if (!near && size < sizeof name) {
        const char *names[OPTION_LIMIT + 1];
        for (int i = 0; i < table->count; i++)
            names[i] = table->row[i].name;
        names[table->count] = NULL;
        memcpy(name, word + 2, size);
        name[size] = '\0';
        near = option_suggest(name, names);
    }
    if (near)
        return err_set(err, "unknown option --%.*s; did you mean --%s?", (int)size, word + 2, near);
    return err_set(err, "unknown option --%.*s; try --help", (int)size, word + 2);
}

static bool is_named(const char *word, const char *name)
{
    size_t size = strlen(name);
    return !strncmp(word + 2, name, size) && (word[2 + size] == '\0' || word[2 + size] == '=');
}

/* Explain getopt_long's ':' and '?'. */
static bool refuse(const OptionTable *table, int code, int argc, char **argv, Err *err)
{
    const char *word = argv[optind - 1];
    const Option *row = optopt ? row_of(table, optopt) : NULL;
    if (!row && optopt > ' ' && optopt < 0x7F)
        return err_set(err, "unknown option -%c; try --help", optopt);
    if (!row && optopt) {
        /* The first byte of a longer character, of which getopt_long has not gone past the rest. */
        if (optind < argc && strchr(argv[optind], (char)optopt))
            word = argv[optind];
        return err_set(err, "unknown option %s; try --help", word);
    }
    if (!row)
        return unknown(table, word, NULL, err);
    if (optopt >= OPTION_LONG && !is_named(word, row->name))
        return unknown(table, word, row->name, err);
    if (code == '?')
        return err_set(err, "option --%s takes no argument", row->name);
    return err_set(err, "option --%s needs an argument: %s", row->name,
                   row->argument ? row->argument : "one of those in --help");
}

static bool is_number(const char *text)
{
    if (!text || !strchr("0123456789.", text[0]))
        return false;
    char *end;
    strtod(text, &end);
    return end != text && !*end;
}

/* The word in which a long option stood: behind it stands its argument, if that is a word of its own. */
static const char *word_of(char **argv, const char *value)
{
    const char *last = argv[optind - 1];
    return value && value == last ? argv[optind - 2] : last;
}

int option_parse(const OptionTable *table, int argc, char **argv, OptionTake *take, void *data, Err *err)
{
    Getopt it;
    getopt_fill(&it, table);
    optind = 0; /* glibc: start anew */
    for (;;) {
        int code = getopt_long(argc, argv, it.letters, it.named, NULL);
        if (code == -1)
            return optind;
        if (code == ':' || code == '?') {
            refuse(table, code, argc, argv, err);
            return 0;
        }
        const Option *row = row_of(table, code);
        if (code >= OPTION_LONG && !is_named(word_of(argv, optarg), row->name)) {
            unknown(table, word_of(argv, optarg), row->name, err);
            return 0;
        }
        const char *value = optarg;
        if (row->optional && !value && optind < argc && is_number(argv[optind]))
            value = argv[optind++];
        if (!take(data, row->id, value, err))
            return 0;
    }
}

/* "  -b, --beam-size N" */
static void help_left(const Option *row, Buf *out)
{
    if (row->id < OPTION_LONG)
        buf_format(out, "  -%c, --%s", row->id, row->name);
    else
        buf_format(out, "      --%s", row->name);
    if (!has_argument(row))
        return;
    const char *argument = row->argument ? row->argument : "NAME";
    if (row->optional)
        buf_format(out, " [%s]", argument);
    else
        buf_format(out, " %s", argument);
}

static void help_right(const Option *row, Buf *out)
{
    buf_text(out, row->help);
    for (int i = 0; row->choices && row->choices[i]; i++)
        buf_format(out, "%s%s", i ? ", " : ": ", row->choices[i]);
    if (row->initial)
        buf_format(out, " [%s]", row->initial);
}

/* The length of the next word; what stands in brackets is one. */
static size_t word_size(const char *text)
{
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    return bracket ? (size_t)(bracket - text) + 1 : strcspn(text, " ");
}

/* Words of text from column `left` on; the cursor stands at column `at`. */
static void wrap(const char *text, size_t at, size_t left, Buf *out)
{
    if (at > left - 2) {
        buf_char(out, '\n');
        at = 0;
    }
    buf_format(out, "%*s", (int)(left - at), "");
    for (at = left; *text;) {
        size_t word = word_size(text);
        if (at > left && at + 1 + word > WIDTH) {
            buf_format(out, "\n%*s", (int)left, "");
            at = left;
        } else if (at > left) {
            buf_char(out, ' ');
            at++;
        }
        buf_add(out, text, word);
        at += word;
        text += word + strspn(text + word, " ");
    }
    buf_char(out, '\n');
}

void option_help(const OptionTable *table, Buf *out)
{
    Buf left = {0}, right = {0};
    size_t widest = 0;
    for (int i = 0; i < table->count; i++) {
        left.size = 0;
        help_left(&table->row[i], &left);
        if (left.size > widest && left.size <= LEFT_MAX)
            widest = left.size;
    }
    const char *group = "";
    for (int i = 0; i < table->count; i++) {
        const Option *row = &table->row[i];
        if (strcmp(row->group, group) != 0)
            buf_format(out, "%s%s:\n", i ? "\n" : "", row->group);
        group = row->group;
        left.size = right.size = 0;
        help_left(row, &left);
        help_right(row, &right);
        buf_add(out, left.data, left.size);
        wrap(right.data, left.size, widest + 2, out);
    }
    buf_free(&left);
    buf_free(&right);
}

bool option_int(const char *name, const char *text, int low, int high, int *value, Err *err)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || strspn(text, "+-0123456789") != strlen(text))
        return err_set(err, "%s: '%s' is not a whole number", name, text);
    if (errno == ERANGE || number < low || number > high)
        return err_set(err, "%s: %s is not in %d .. %d", name, text, low, high);
    *value = (int)number;
    return true;
}

/* Edit distance (Levenshtein 1966), one row at a time; words longer than the row are never near. */
static int edit_distance(const char *a, const char *b)
{
    enum { LIMIT = 48 };
    int row[LIMIT + 1];
    int n = (int)strlen(b);
    if (n > LIMIT || strlen(a) > LIMIT)
        return LIMIT;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

const char *option_suggest(const char *text, const char *const *words)
{
    const char *nearest = NULL;
    int least = (int)strlen(text) / 2 < 3 ? (int)strlen(text) / 2 + 1 : 4;
    for (; *words; words++) {
        int distance = edit_distance(text, *words);
        if (distance < least) {
            least = distance;
            nearest = *words;
        }
    }
    return nearest;
}
