/* test_config.c - the one table of settings. */
#include "model/config.h"

#include "suite.h"

#include <string.h>

START_TEST(every_field_reads_back_what_it_writes)
{
    Config config = config_default(), copy;
    Err err;
    config.dropout = 1.0 / 3; /* needs 17 digits */
    config.learning_rate = 1e-7;
    config.score = SCORE_SCALED_DOT;
    memset(&copy, 0, sizeof copy);
    for (int i = 0; i < config_field_count; i++) {
        Buf text = {0};
        config_get(&config, &config_fields[i], &text);
        ck_assert_msg(config_set(&copy, config_fields[i].key, text.data, &err), "%s", err.text);
        buf_free(&text);
    }
    ck_assert_mem_eq(&config, &copy, sizeof config);
}
END_TEST

/* What held before there was a setting is a value of it, and those of the shape were always there. */
START_TEST(settings_that_came_later_have_what_held_before)
{
    Config config = config_default();
    Err err;
    int later = 0;
    for (int i = 0; i < config_field_count; i++) {
        const Field *field = &config_fields[i];
        if (!field->before)
            continue;
        later++;
        ck_assert_int_eq(field->use, FIELD_TRAINING);
        ck_assert_msg(config_set(&config, field->key, field->before, &err), "%s", err.text);
    }
    ck_assert_int_eq(later, 4);
    ck_assert_double_eq(config.bare, 0);
    ck_assert_double_eq(config.lower, 0);
    ck_assert_double_eq(config.guide, 0);
    ck_assert_double_eq(config.capitals, 0);
}
END_TEST

static const struct {
    const char *key, *value, *message;
} refusals[] = {
    {"hiden", "5", "hiden: no such setting"},
    {"hidden", "", "hidden: '' is not a number"},
    {"hidden", "12x", "hidden: '12x' is not a number"},
    {"hidden", "0x10", "hidden: '0x10' is not a number"},
    {"hidden", "1.5", "hidden: '1.5' is not a whole number"},
    {"hidden", "100000", "hidden: 100000 is not in 2 .. 4096"},
    {"dropout", "nan", "dropout: 'nan' is not a number"},
    {"dropout", "-0.1", "dropout: -0.1 is not in 0 .. 0.9"},
    {"score", "dots", "score: 'dots' is none of dot, general, concat, scaled-dot"},
    {"share-embeddings", "yes", "share-embeddings: 'yes' is none of off, on"},
};

START_TEST(a_wrong_value_is_refused_and_changes_nothing)
{
    Config config = config_default(), before = config;
    Err err;
    ck_assert(!config_set(&config, refusals[_i].key, refusals[_i].value, &err));
    ck_assert_str_eq(err.text, refusals[_i].message);
    ck_assert_mem_eq(&config, &before, sizeof config);
}
END_TEST

START_TEST(combinations_are_checked)
{
    Config config = config_default();
    Err err;
    ck_assert(config_check(&config, &err));
    config.hidden = 7;
    ck_assert(!config_check(&config, &err));
    ck_assert_str_eq(err.text, "hidden: 7 is odd, but each direction of the encoder gets half of it");
    config.hidden = 8;
    config.steps = 10;
    ck_assert(!config_check(&config, &err));
    ck_assert_str_eq(err.text, "warmup: 500 updates are more than the 10 of the whole run (steps)");
}
END_TEST

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");
    tcase_add_test(tests, every_field_reads_back_what_it_writes);
    tcase_add_loop_test(tests, a_wrong_value_is_refused_and_changes_nothing, 0,
                        (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(tests, settings_that_came_later_have_what_held_before);
    tcase_add_test(tests, combinations_are_checked);
    suite_add_tcase(suite, tests);
    return suite;
}
