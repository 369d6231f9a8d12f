/* test_store.c - the store with files of its own making: round trips, saving, exporting, and what it refuses.
 * Other processes and their limits: test_store_process.c; a failing disk: test_store_fault.c; strangers' files:
 * test_store_damage.c. */
#include "store_fixture.h"

#include "model/store_internal.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(run_comes_back_exactly)
{
    fixture_run("run.db");
    fixture_assert_holds("run.db", &fixture_checkpoint);
    ck_assert_int_eq(fixture_number("run.db", "SELECT count(*) FROM progress WHERE step = 10 AND "
                                    "epoch = 0.5 AND dev_bleu = 15"), 1);
    ck_assert_int_eq(fixture_number("run.db", "SELECT count(*) FROM provenance WHERE "
                                    "key = 'source' AND value = '¡hola!'"), 1);
    ck_assert_int_eq(fixture_number("run.db", "PRAGMA application_id"), STORE_RUN_ID);
}
END_TEST

START_TEST(next_checkpoint_replaces_the_last)
{
    Model *model;
    Vocab *vocab;
    Err err;
    fixture_run("run.db");
    Store *run = store_open("run.db", &model, &vocab, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    Checkpoint next = {0};
    fixture_blocks(&next);
    ck_assert(store_restore(run, model, &next, &err));
    int64_t pages = fixture_number("run.db", "PRAGMA page_count");

    /* All but the best is new; the best block in memory differs, and must not be written. */
    fixture_fill(&next, 20);
    next.best_step = 10;
    next.best_is_new = false;
    ck_assert_msg(store_save(run, model, &next, NULL, &err), "%s", err.text);
    memcpy(next.block[ROLE_BEST], fixture_checkpoint.block[ROLE_BEST], model->params.size * sizeof(real));
    fixture_assert_holds("run.db", &next);

    fixture_fill(&next, 30);
    Progress again = {.step = 10, .dev_bleu = nan("")}; /* the same step: its row is replaced */
    ck_assert_msg(store_save(run, model, &next, &again, &err), "%s", err.text);
    fixture_assert_holds("run.db", &next);
    ck_assert_int_eq(fixture_number("run.db", "SELECT count(*) FROM progress WHERE dev_bleu IS NULL"), 1);
    ck_assert_int_eq(fixture_number("run.db", "PRAGMA page_count"), pages); /* the file does not grow */
    store_close(run);
    fixture_blocks_free(&next);
    model_free(model);
    vocab_free(vocab);
}
END_TEST

START_TEST(run_loads_to_translate)
{
    fixture_run("run.db");
    fixture_assert_loads("run.db", ROLE_BEST, false);
    fixture_checkpoint.best_step = 0; /* before the first validation */
    fixture_run("young.db");
    ck_assert_int_eq(fixture_number("young.db", "SELECT count(*) FROM tensor WHERE role = 'best'"), 0);
    fixture_assert_loads("young.db", ROLE_AVERAGE, false);
    Err err;
    ck_assert(store_export("young.db", "young-model.db", &err));
    fixture_assert_loads("young-model.db", ROLE_AVERAGE, true);
    ck_assert_int_eq(symlink("run.db", "a?b#c%20.db"), 0); /* nothing of it is SQLite's to read */
    fixture_assert_loads("a?b#c%20.db", ROLE_BEST, false);
}
END_TEST

START_TEST(export_rounds_and_keeps_the_rest)
{
    Err err;
    fixture_run("run.db");
    ck_assert_msg(store_export("run.db", "model?.db", &err), "%s", err.text);
    ck_assert_int_eq(rename("model?.db", "model.db"), 0);
    fixture_assert_loads("model.db", ROLE_BEST, true);
    ck_assert_int_eq(fixture_number("model.db", "SELECT count(*) FROM progress"), 1);
    ck_assert_int_eq(fixture_number("model.db", "SELECT count(*) FROM provenance"), 2);
    ck_assert_int_eq(fixture_number("model.db", "SELECT count(*) FROM state"), 0);
    ck_assert_int_eq(fixture_number("model.db", "SELECT count(DISTINCT role || type) FROM tensor"), 1);
    ck_assert_int_eq(fixture_number("model.db", "PRAGMA application_id"), STORE_MODEL_ID);

    /* The same run, the same bytes; over a file that is there. */
    long size, again;
    unsigned char *first = fixture_read("model.db", &size);
    ck_assert_msg(store_export("run.db", "model.db", &err), "%s", err.text);
    unsigned char *second = fixture_read("model.db", &again);
    ck_assert_int_eq(size, again);
    ck_assert_int_eq(memcmp(first, second, (size_t)size), 0);
    free(first);
    free(second);
}
END_TEST

static void assert_no_export(const char *from, const char *to, const char *message)
{
    Err err;
    ck_assert(!store_export(from, to, &err));
    ck_assert_str_eq(err.text, message);
}

START_TEST(export_refuses)
{
    fixture_run("run.db");
    fixture_run("other.db");
    assert_no_export("run.db", "run.db", "run.db: a run cannot be exported over itself");
    assert_no_export("run.db", "./run.db", "./run.db: a run cannot be exported over itself");
    assert_no_export("run.db", "other.db", "other.db: is a run; an export does not replace it");
    assert_no_export("none.db", "m.db", "none.db: No such file or directory");
    assert_no_export("run.db", "none/m.db", "none/m.db: cannot be created: No such file or directory");
    assert_no_export("run.db", "/", "/: not a regular file");
    fixture_write("m.db-journal", "x", 1);
    assert_no_export("run.db", "m.db", "m.db: a journal stands beside it (m.db-journal): another program is "
                     "writing it, or has left it half-written");
    ck_assert_int_eq(remove("m.db-journal"), 0);

    fixture_write("old.db", "old", 3);
    const Param *param = fixture_model->combine.bias;
    fixture_checkpoint.block[ROLE_BEST][param->at] = 65520; /* rounds to infinity; 65519 does not */
    fixture_run("big.db");
    assert_no_export("big.db", "old.db", "old.db: not written: tensor 'combine.bias' holds a number that is "
                     "not finite, or too large for float16");
    long size;
    unsigned char *old = fixture_read("old.db", &size);
    ck_assert_int_eq(size, 3); /* untouched */
    free(old);
    ck_assert_int_eq(system("ls *.tmp 2>/dev/null | grep -q ."), 256); /* no temporary is left */
    fixture_fill(&fixture_checkpoint, 10);
    fixture_export("model.db");
    assert_no_export("model.db", "m.db", "model.db: is an exported model already");
}
END_TEST

static void assert_no_create(const char *path, const char *message)
{
    Err err;
    ck_assert_ptr_null(store_create(path, fixture_model, fixture_vocab, NULL, &err));
    ck_assert_str_eq(err.text, message);
}

START_TEST(create_refuses)
{
    fixture_write("run.db", "", 0);
    assert_no_create("run.db", "run.db: exists already; go on with --resume, or choose another name");
    assert_no_create("none/run.db", "none/run.db: cannot be created: No such file or directory");
    fixture_write("b.db-journal", "x", 1);
    assert_no_create("b.db", "b.db: a journal stands beside it (b.db-journal): another program is writing it, "
                     "or has left it half-written");
    ck_assert_int_ne(access("b.db", F_OK), 0);

    static const Note twice[] = {{"licence", "MIT"}, {"licence", "CC BY"}, {NULL, NULL}};
    Err err;
    ck_assert_ptr_null(store_create("c.db", fixture_model, fixture_vocab, twice, &err));
    ck_assert_str_eq(err.text, "c.db: provenance: 'licence' is given twice");
    ck_assert_int_ne(access("c.db", F_OK), 0);
}
END_TEST

static void assert_no_open(const char *path, const char *message)
{
    Model *model;
    Vocab *vocab;
    Err err;
    ck_assert_ptr_null(store_open(path, &model, &vocab, &err));
    ck_assert_str_eq(err.text, message);
    ck_assert_ptr_null(model);
    ck_assert_ptr_null(vocab);
}

#define NO_CHECKPOINT(NAME) NAME ": holds no checkpoint yet; if its training was stopped, remove it and begin anew"

START_TEST(open_refuses)
{
    fixture_export("model.db");
    assert_no_open("model.db", "model.db: is an exported model, not a run: start a run from it with --init");
    assert_no_open("none.db", "none.db: No such file or directory");
    Err err;
    store_close(store_create("empty.db", fixture_model, fixture_vocab, NULL, &err));
    assert_no_open("empty.db", NO_CHECKPOINT("empty.db"));
    fixture_write("killed.db", "", 0); /* killed even before its tables were there */
    assert_no_open("killed.db", NO_CHECKPOINT("killed.db"));
}
END_TEST

static void assert_no_save(Store *run, const Checkpoint *checkpoint, const char *message)
{
    Err err;
    ck_assert(!store_save(run, fixture_model, checkpoint, NULL, &err));
    ck_assert_str_eq(err.text, message);
}

START_TEST(save_fails_whole)
{
    Checkpoint next = {0};
    Store *run = fixture_open_run(&next);
    fixture_assert_holds("run.db", &fixture_checkpoint);

    next.block[ROLE_MOMENT2][fixture_model->combine.weight->at + 3] = (real)nan("");
    assert_no_save(run, &next, "run.db: not written: tensor 'combine.weight' holds a number that is not finite");
    fixture_assert_holds("run.db", &fixture_checkpoint);
    fixture_fill(&next, 20);

    next.loss_sum = nan("");
    assert_no_save(run, &next, "run.db: not written: the state of the training is not a number");
    fixture_fill(&next, 20);

    /* Room for everything but the new role. */
    sqlite3_exec(run->db, "PRAGMA max_page_count=1", NULL, NULL, NULL); /* SQLite makes it the size it has */
    assert_no_save(run, &next, "run.db: not written: the disk is full");
    fixture_assert_holds("run.db", &fixture_checkpoint);
    sqlite3_exec(run->db, "PRAGMA max_page_count=1000000", NULL, NULL, NULL);

    sqlite3 *other;
    ck_assert_int_eq(sqlite3_open("run.db", &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_busy_timeout(run->db, 0);
    assert_no_save(run, &next, "run.db: another program has it locked");
    sqlite3_exec(other, "ROLLBACK; UPDATE state SET value = 11 WHERE key = 'step'", NULL, NULL, NULL);
    assert_no_save(run, &next, "run.db: not written: another process has trained on it meanwhile");
    sqlite3_exec(other, "UPDATE state SET value = 10 WHERE key = 'step'", NULL, NULL, NULL);
    sqlite3_close(other);

    Err err;
    ck_assert_msg(store_save(run, fixture_model, &next, NULL, &err), "%s", err.text); /* it is still usable */
    fixture_assert_holds("run.db", &next);
    store_close(run);
    fixture_blocks_free(&next);
}
END_TEST

Suite *store_suite(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, fixture_start, fixture_end);
    tcase_add_test(tests, run_comes_back_exactly);
    tcase_add_test(tests, next_checkpoint_replaces_the_last);
    tcase_add_test(tests, run_loads_to_translate);
    tcase_add_test(tests, export_rounds_and_keeps_the_rest);
    tcase_add_test(tests, export_refuses);
    tcase_add_test(tests, create_refuses);
    tcase_add_test(tests, open_refuses);
    tcase_add_test(tests, save_fails_whole);
    suite_add_tcase(suite, tests);
    return suite;
}
