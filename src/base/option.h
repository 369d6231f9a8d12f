/* option.h - command-line options as a table, which parses them and prints their help.
 *
 *     static const Option rows[] = {
 *         {.id = 'b', .name = "beam-size", .argument = "N", .group = "Search", .help = "hypotheses kept"},
 *         {.id = 'h', .name = "help", .group = "Other", .help = "show this help and end"},
 *     };
 *     static bool take(void *data, int id, const char *value, Err *err) { switch (id) ... }
 *
 *     OptionTable table = {0};
 *     option_add(&table, rows, 2);
 *     int first = option_parse(&table, argc, argv, take, &settings, &err);
 *     if (!first) ...                                        status 2
 *     for (int i = first; i < argc; i++) ...                 the words that are no options
 *     option_help(&table, &buf);
 *
 * A program that also takes settings from another table makes rows of them and adds those.
 *
 * Understood: --name, --name value, --name=value, -x, -x value, -xvalue, -xyz, and -- to end the options;
 * options and words may stand in any order. Names are not abbreviated. An optional argument follows
 * directly (--name=value, -xvalue); a number may also be a word of its own.
 *
 * Messages, without the program's name:
 *     unknown option --hiden; did you mean --hidden?
 *     unknown option -x; try --help
 *     option --beam-size needs an argument: N
 *     option --quiet takes no argument */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/buf.h"
#include "base/err.h"

#define OPTION_LIMIT 96
#define OPTION_LONG 256 /* the first id without a letter */

typedef struct {
    int id;               /* 'b': the letter too; from OPTION_LONG: the name only. Unique */
    const char *name;     /* without its dashes */
    const char *argument; /* as the help shows it; NULL: takes none */
    bool optional;        /* the argument may be left out */
    const char *group;    /* heading in the help; rows of a group stand together */
    const char *help;     /* one line, of any length */
    const char *initial;  /* the value when not given, for the help; or NULL */
    const char *const *choices; /* the legal arguments for the help, NULL-terminated; or NULL */
} Option;

typedef struct {
    Option row[OPTION_LIMIT];
    int count;
} OptionTable;

/* Rows are copied; their texts are not. Asserts that there is room. */
void option_add(OptionTable *table, const Option *rows, int count);

/* Called for each option, in order. value is NULL when there is none. false with err: stop. */
typedef bool OptionTake(void *data, int id, const char *value, Err *err);

/* Puts the words that are no options behind the options in argv, and returns the index of the first of them
 * (argc when there is none), or 0 with err. Not for two threads at once: it uses getopt_long. */
int option_parse(const OptionTable *table, int argc, char **argv, OptionTake *take, void *data,
                 Err *err) MUST_CHECK;

/* Append the rows as help text: aligned, at most 80 columns. */
void option_help(const OptionTable *table, Buf *out);

/* A whole number from `low` to `high`, all of the text. name begins the message. */
bool option_int(const char *name, const char *text, int low, int high, int *value, Err *err) MUST_CHECK;

/* The word of `words` (NULL-terminated) nearest to `text`, or NULL when none is near. */
const char *option_suggest(const char *text, const char *const *words);

#endif
