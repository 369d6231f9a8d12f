/* test_option.c - parsing, messages, help. */
#include "base/option.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

static const char *const colours[] = {"auto", "always", NULL};

static const Option rows[] = {
    {.id = 'b', .name = "beam-size", .argument = "N", .group = "Search", .help = "hypotheses kept",
     .initial = "5"},
    {.id = 'n', .name = "normalize", .argument = "ALPHA", .optional = true, .group = "Search",
     .help = "length normalisation, which divides the score of a hypothesis by a power of its length"},
    {.id = OPTION_LONG + 7, .name = "colour", .argument = "NAME", .group = "Other",
     .help = "when to use colours", .choices = colours},
    {.id = OPTION_LONG + 8, .name = "with-a-very-long-name", .argument = "ARGUMENT", .group = "Other",
     .help = "a line of its own"},
    {.id = 'q', .name = "quiet", .group = "Other", .help = "say nothing"},
    {.id = OPTION_LONG + 9, .name = "hidden", .group = "Other", .help = "nothing either"},
};

/* What was taken, as "b=5 q n=0.5 | word word". */
typedef struct {
    Buf text;
    int refused; /* an id that take refuses */
} Taken;

static bool take(void *data, int id, const char *value, Err *err)
{
    Taken *taken = data;
    if (id == taken->refused)
        return err_set(err, "refused");
    if (id < OPTION_LONG)
        buf_char(&taken->text, (char)id);
    else
        buf_format(&taken->text, "%d", id - OPTION_LONG);
    if (value)
        buf_format(&taken->text, "=%s", value);
    buf_char(&taken->text, ' ');
    return true;
}

/* Parses a command line, given with single spaces, and says what was taken or what went wrong. */
static const char *parse_refusing(const char *line, int refused)
{
    static char result[512];
    char copy[256], *argv[32];
    int argc = 0;
    Taken taken = {.refused = refused};
    OptionTable table = {0};
    Err err;
    ck_assert_uint_lt(strlen(line), sizeof copy);
    memcpy(copy, line, strlen(line) + 1);
    for (char *at = copy; at; argc++) {
        argv[argc] = at;
        at = strchr(at, ' ');
        if (at)
            *at++ = '\0';
    }
    argv[argc] = NULL;
    option_add(&table, rows, sizeof rows / sizeof *rows);
    int first = option_parse(&table, argc, argv, take, &taken, &err);
    buf_text(&taken.text, "|");
    for (int i = first; i < argc; i++)
        buf_format(&taken.text, " %s", argv[i]);
    snprintf(result, sizeof result, "%s", first ? taken.text.data : err.text);
    buf_free(&taken.text);
    return result;
}

static const char *parse(const char *line)
{
    return parse_refusing(line, 0);
}

static const struct {
    const char *line, *result;
} good[] = {
    {"p", "|"},
    {"p one two", "| one two"},
    {"p --beam-size 5 one", "b=5 | one"},
    {"p --beam-size=5 one", "b=5 | one"},
    {"p --beam-size= one", "b= | one"},
    {"p -b 5 one", "b=5 | one"},
    {"p -b5 one", "b=5 | one"},
    {"p -qb5", "q b=5 |"},
    {"p one -q two", "q | one two"},
    {"p -q -- -b --quiet", "q | -b --quiet"},
    {"p -b -q one", "b=-q | one"},
    {"p --colour always --hidden -", "7=always 9 | -"},
    {"p -b --beam-size --quiet", "b=--beam-size q |"},
    /* An optional argument: directly, or a number. */
    {"p -n one", "n | one"},
    {"p -n 0.6 one", "n=0.6 | one"},
    {"p one -n .5 two -q", "n=.5 q | one two"},
    {"p --normalize 1 one", "n=1 | one"},
    {"p --normalize=x one", "n=x | one"},
    {"p -n1 2", "n=1 | 2"},
    {"p -n 1st", "n | 1st"},
    {"p -n -q", "n q |"},
    {"p -n", "n |"},
};

START_TEST(option_parses)
{
    ck_assert_str_eq(parse(good[_i].line), good[_i].result);
}
END_TEST

static const struct {
    const char *line, *message;
} bad[] = {
    {"p --hiden", "unknown option --hiden; did you mean --hidden?"},
    {"p --quite one", "unknown option --quite; did you mean --quiet?"},
    {"p --beam-sise=3", "unknown option --beam-sise; did you mean --beam-size?"},
    {"p --xyzzy", "unknown option --xyzzy; try --help"},
    {"p --xyzzy=3", "unknown option --xyzzy; try --help"},
    {"p --beam 3", "unknown option --beam; did you mean --beam-size?"},
    {"p --beam=3", "unknown option --beam; did you mean --beam-size?"},
    {"p --beam", "unknown option --beam; did you mean --beam-size?"},
    {"p --hid", "unknown option --hid; did you mean --hidden?"},
    {"p --qui=3", "unknown option --qui; did you mean --quiet?"},
    {"p -x", "unknown option -x; try --help"},
    {"p -qx one", "unknown option -x; try --help"},
    {"p -\u00f1 one", "unknown option -\u00f1; try --help"},
    {"p --beam-size", "option --beam-size needs an argument: N"},
    {"p one -b", "option --beam-size needs an argument: N"},
    {"p --quiet=3", "option --quiet takes no argument"},
};

START_TEST(option_explains)
{
    ck_assert_str_eq(parse(bad[_i].line), bad[_i].message);
}
END_TEST

START_TEST(option_stops_when_refused)
{
    ck_assert_str_eq(parse_refusing("p -b 5 -q -x", 'q'), "refused");
}
END_TEST

START_TEST(option_helps)
{
    OptionTable table = {0};
    Buf help = {0};
    option_add(&table, rows, 2);
    option_add(&table, rows + 2, 4);
    option_help(&table, &help);
    ck_assert_str_eq(help.data,
                     "Search:\n"
                     "  -b, --beam-size N        hypotheses kept [5]\n"
                     "  -n, --normalize [ALPHA]  length normalisation, which divides the score of a\n"
                     "                           hypothesis by a power of its length\n"
                     "\n"
                     "Other:\n"
                     "      --colour NAME        when to use colours: auto, always\n"
                     "      --with-a-very-long-name ARGUMENT\n"
                     "                           a line of its own\n"
                     "  -q, --quiet              say nothing\n"
                     "      --hidden             nothing either\n");
    buf_free(&help);
}
END_TEST

START_TEST(option_help_fills_80_columns)
{
    /* 27 columns before it: 53 bytes of help fit into the line, 54 do not; brackets are not torn apart. */
    char text[64] = "";
    Option row = {.id = 'n', .name = "normalize", .argument = "ALPHA", .optional = true, .group = "G",
                  .help = text, .initial = "the model's"};
    OptionTable table = {0};
    Buf help = {0};
    memset(text, 'x', 39);
    option_add(&table, &row, 1);
    option_help(&table, &help);
    ck_assert_ptr_nonnull(strstr(help.data, "x [the model's]\n"));
    text[39] = 'x';
    help.size = 0;
    option_help(&table, &help);
    ck_assert_ptr_nonnull(strstr(help.data, "x\n                           [the model's]\n"));
    buf_free(&help);
}
END_TEST

START_TEST(option_int_wants_all_of_the_text)
{
    Err err;
    int value = 0;
    ck_assert(option_int("n-best", "64", 1, 64, &value, &err));
    ck_assert_int_eq(value, 64);
    ck_assert(option_int("n-best", "-3", -3, 64, &value, &err));
    ck_assert_int_eq(value, -3);
    const char *const wrong[] = {"", "x", "3x", " 3", "3 ", "3.5", "0x3", "1e2", "--3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char message[64];
        snprintf(message, sizeof message, "n-best: '%s' is not a whole number", wrong[i]);
        ck_assert(!option_int("n-best", wrong[i], 1, 64, &value, &err));
        ck_assert_str_eq(err.text, message);
    }
    ck_assert(!option_int("n-best", "65", 1, 64, &value, &err));
    ck_assert_str_eq(err.text, "n-best: 65 is not in 1 .. 64");
    ck_assert(!option_int("n-best", "99999999999999999999", 1, 64, &value, &err));
    ck_assert_str_eq(err.text, "n-best: 99999999999999999999 is not in 1 .. 64");
    ck_assert_int_eq(value, -3);
}
END_TEST

START_TEST(option_suggests_only_what_is_near)
{
    const char *const words[] = {"lstm", "gru", "scaled-dot", NULL};
    ck_assert_str_eq(option_suggest("scaled-dto", words), "scaled-dot");
    ck_assert_str_eq(option_suggest("ltsm", words), "lstm");
    ck_assert_ptr_null(option_suggest("additive", words));
    ck_assert_ptr_null(option_suggest("", words));
}
END_TEST

Suite *option_suite(void)
{
    Suite *suite = suite_create("option");
    TCase *tests = tcase_create("option");
    tcase_add_loop_test(tests, option_parses, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tests, option_explains, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, option_stops_when_refused);
    tcase_add_test(tests, option_helps);
    tcase_add_test(tests, option_help_fills_80_columns);
    tcase_add_test(tests, option_int_wants_all_of_the_text);
    tcase_add_test(tests, option_suggests_only_what_is_near);
    suite_add_tcase(suite, tests);
    return suite;
}
