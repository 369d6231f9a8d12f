/* test_store.c - the store with files of its own making: round trips, saving, exporting, and a world that
 * fails while it writes. Strangers' files: test_store_damage.c. */
#include "store_fixture.h"

#include "base/arena.h"
#include "model/store_internal.h"
#include "suite.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Reopens a run and compares all that it holds. */
static void assert_holds(const char *path, const Checkpoint *expected)
{
    Model *model;
    Vocab *vocab;
    Err err;
    Store *run = store_open(path, &model, &vocab, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    Checkpoint read = {0};
    fixture_blocks(&read);
    ck_assert_msg(store_restore(run, model, &read, &err), "%s", err.text);
    ck_assert(fixture_same(&read, expected));
    ck_assert(!read.best_is_new);
    store_close(run);
    fixture_blocks_free(&read);
    model_free(model);
    vocab_free(vocab);
}

START_TEST(run_comes_back_exactly)
{
    fixture_run("run.db");
    assert_holds("run.db", &fixture_checkpoint);
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
    assert_holds("run.db", &next);

    fixture_fill(&next, 30);
    Progress again = {.step = 10, .dev_bleu = nan("")}; /* the same step: its row is replaced */
    ck_assert_msg(store_save(run, model, &next, &again, &err), "%s", err.text);
    assert_holds("run.db", &next);
    ck_assert_int_eq(fixture_number("run.db", "SELECT count(*) FROM progress WHERE dev_bleu IS NULL"), 1);
    ck_assert_int_eq(fixture_number("run.db", "PRAGMA page_count"), pages); /* the file does not grow */
    store_close(run);
    fixture_blocks_free(&next);
    model_free(model);
    vocab_free(vocab);
}
END_TEST

/* The weights that a packed model computes with, as reals. */
static real weight_at(const Param *param, int row, int col)
{
    if (param->value)
        return param->value[row * param->cols + col];
    if (param->half)
        return half_to_real(param->half[row * param->cols + col]);
    real *column = memory_take((size_t)param->forward.depth * sizeof *column);
    pack_column(&param->forward, param->use == PARAM_TIED ? row : col, column);
    real value = column[param->use == PARAM_TIED ? col : row];
    free(column);
    return value;
}

static void assert_weights(const Model *model, const real *block, bool rounded)
{
    for (int i = 0; i < model->params.count; i++) {
        const Param *param = &model->params.list[i];
        for (int row = 0; row < param->rows; row++)
            for (int col = 0; col < param->cols; col++) {
                real x = block[param->at + (size_t)(row * param->cols + col)];
                if (rounded)
                    x = half_to_real(half_from_real(x));
                ck_assert_msg(weight_at(param, row, col) == x, "%s[%d, %d]", param->name, row, col);
            }
    }
}

static void assert_loads(const char *path, Role role, bool rounded)
{
    Model *model;
    Vocab *vocab;
    Err err;
    ck_assert_msg(store_load(path, &model, &vocab, &err), "%s", err.text);
    ck_assert_ptr_null(model->params.value);
    ck_assert(model->config.dropout == fixture_model->config.dropout);
    ck_assert_uint_eq(vocab_size(vocab), vocab_size(fixture_vocab));
    assert_weights(model, fixture_checkpoint.block[role], rounded);
    model_free(model);
    vocab_free(vocab);

    ck_assert_msg(store_init(path, &model, &vocab, &err), "%s", err.text);
    ck_assert_ptr_nonnull(model->params.value);
    assert_weights(model, fixture_checkpoint.block[role], rounded);
    model_free(model);
    vocab_free(vocab);
}

START_TEST(run_loads_to_translate)
{
    fixture_run("run.db");
    assert_loads("run.db", ROLE_BEST, false);
    fixture_checkpoint.best_step = 0; /* before the first validation */
    fixture_run("young.db");
    ck_assert_int_eq(fixture_number("young.db", "SELECT count(*) FROM tensor WHERE role = 'best'"), 0);
    assert_loads("young.db", ROLE_AVERAGE, false);
    Err err;
    ck_assert(store_export("young.db", "young-model.db", &err));
    assert_loads("young-model.db", ROLE_AVERAGE, true);
    ck_assert_int_eq(symlink("run.db", "a?b#c%20.db"), 0); /* nothing of it is SQLite's to read */
    assert_loads("a?b#c%20.db", ROLE_BEST, false);
}
END_TEST

START_TEST(export_rounds_and_keeps_the_rest)
{
    Err err;
    fixture_run("run.db");
    ck_assert_msg(store_export("run.db", "model?.db", &err), "%s", err.text);
    ck_assert_int_eq(rename("model?.db", "model.db"), 0);
    assert_loads("model.db", ROLE_BEST, true);
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

/* A run that is open, with fixture_checkpoint in it, and another checkpoint to fail with. */
static Store *open_run(Checkpoint *next)
{
    Err err;
    Store *run = store_create("run.db", fixture_model, fixture_vocab, NULL, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    fixture_checkpoint.best_step = 0;
    ck_assert_msg(store_save(run, fixture_model, &fixture_checkpoint, NULL, &err), "%s", err.text);
    memset(fixture_checkpoint.block[ROLE_BEST], 0, fixture_model->params.size * sizeof(real));
    fixture_blocks(next);
    fixture_fill(next, 20);
    return run;
}

START_TEST(save_fails_whole)
{
    Checkpoint next = {0};
    Store *run = open_run(&next);
    assert_holds("run.db", &fixture_checkpoint);

    next.block[ROLE_MOMENT2][fixture_model->combine.weight->at + 3] = (real)nan("");
    assert_no_save(run, &next, "run.db: not written: tensor 'combine.weight' holds a number that is not finite");
    assert_holds("run.db", &fixture_checkpoint);
    fixture_fill(&next, 20);

    next.loss_sum = nan("");
    assert_no_save(run, &next, "run.db: not written: the state of the training is not a number");
    fixture_fill(&next, 20);

    /* Room for everything but the new role. */
    sqlite3_exec(run->db, "PRAGMA max_page_count=1", NULL, NULL, NULL); /* SQLite makes it the size it has */
    assert_no_save(run, &next, "run.db: not written: the disk is full");
    assert_holds("run.db", &fixture_checkpoint);
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
    assert_holds("run.db", &next);
    store_close(run);
    fixture_blocks_free(&next);
}
END_TEST

/* What a child process reports: nothing but its message, through a file. */
static void child_fails(void (*work)(void), const char *message)
{
    pid_t child = fork();
    if (child == 0) {
        work();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    long size;
    char *said = (char *)fixture_read("said", &size);
    ck_assert_int_eq((int)strlen(message), size);
    ck_assert_msg(memcmp(said, message, (size_t)size) == 0, "%.*s", (int)size, said);
    free(said);
}

static Checkpoint child_next;
static Store *child_run;

static void save_beyond_a_limit(void)
{
    Err err = {"saved"};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){40000, 40000});
    bool saved = store_save(child_run, fixture_model, &child_next, NULL, &err);
    fixture_write("said", err.text, (long)strlen(err.text));
    _exit(saved);
}

START_TEST(save_fails_on_a_failing_disk)
{
    child_run = open_run(&child_next);
    child_fails(save_beyond_a_limit, "run.db: input or output failed: File too large");
    assert_holds("run.db", &fixture_checkpoint);
    store_close(child_run);
    fixture_blocks_free(&child_next);
}
END_TEST

/* Without the powers of root, whom a directory's mode does not stop. */
static void write_where_forbidden(void)
{
    Err create, export, load = {"loaded"};
    Model *model, *none;
    Vocab *vocab, *nothing;
    if (geteuid() == 0 && seteuid(65534) != 0)
        _exit(1);
    bool done = store_create("new.db", fixture_model, fixture_vocab, NULL, &create) ||
                store_export("run.db", "model.db", &export) ||
                !store_load("run.db", &model, &vocab, &load) || store_open("run.db", &none, &nothing, &load);
    FILE *said = fopen("said", "w");
    if (!said || done)
        _exit(1);
    fprintf(said, "%s\n%s\n%s\n", create.text, export.text, load.text);
    fclose(said);
    model_free(model);
    vocab_free(vocab);
    _exit(0);
}

START_TEST(read_only_places_are_named)
{
    fixture_run("run.db");
    fixture_write("said", "", 0);
    ck_assert_int_eq(chmod("said", 0666), 0);
    ck_assert_int_eq(chmod("run.db", 0444), 0);
    ck_assert_int_eq(chmod(".", 0555), 0);
    child_fails(write_where_forbidden, "new.db: cannot be created: Permission denied\n"
                "model.db: cannot be created: Permission denied\n"
                "run.db: cannot be written: Permission denied\n");
    ck_assert_int_eq(chmod(".", 0755), 0);
    assert_holds("run.db", &fixture_checkpoint);
}
END_TEST

#define HALF_WRITTEN(NAME)                                                                            \
    NAME ": a journal stands beside it (" NAME "-journal): a crash left it half-written; open it once " \
         "with ./train --resume"

static void copy_file(const char *from, const char *to)
{
    long size;
    unsigned char *bytes = fixture_read(from, &size);
    fixture_write(to, bytes, size);
    free(bytes);
}

/* Another connection stands in for a trainer: first in the middle of a transaction, then gone with it. */
START_TEST(run_that_is_being_written)
{
    sqlite3 *trainer;
    Model *model;
    Vocab *vocab;
    Err err;
    const char *change = "UPDATE tensor SET value = zeroblob(length(value))";
    fixture_run("run.db");
    ck_assert_int_eq(sqlite3_open("run.db", &trainer), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(trainer, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(trainer, change, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(access("run.db-journal", F_OK), 0);
    assert_loads("run.db", ROLE_BEST, false); /* the checkpoint before */
    ck_assert_int_eq(sqlite3_exec(trainer, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);

    /* With no memory for changed pages it writes into the file before it commits. */
    ck_assert_int_eq(sqlite3_exec(trainer, "PRAGMA cache_size=1; BEGIN", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(trainer, change, NULL, NULL, NULL), SQLITE_OK);
    copy_file("run.db", "dead.db");
    copy_file("run.db-journal", "dead.db-journal");
    sqlite3_close(trainer);
    ck_assert(!store_load("dead.db", &model, &vocab, &err));
    ck_assert_str_eq(err.text, HALF_WRITTEN("dead.db"));
    ck_assert(!store_export("dead.db", "model.db", &err));
    ck_assert_str_eq(err.text, HALF_WRITTEN("dead.db"));
    assert_holds("dead.db", &fixture_checkpoint);
    assert_loads("dead.db", ROLE_BEST, false);
}
END_TEST

/* Saves checkpoint after checkpoint until it is killed. */
static void train_for_ever(void)
{
    Model *model;
    Vocab *vocab;
    Err err;
    Store *run = store_open("run.db", &model, &vocab, &err);
    if (!run || !store_restore(run, model, &fixture_checkpoint, &err))
        _exit(1);
    for (int64_t step = fixture_checkpoint.step;;) {
        fixture_fill(&fixture_checkpoint, ++step);
        if (!store_save(run, model, &fixture_checkpoint, &(Progress){.step = step}, &err))
            _exit(2);
    }
}

START_TEST(killed_trainer_leaves_a_whole_checkpoint)
{
    enum { KILLS = 12, PATIENCE = 30 };
    int64_t last = 10;
    fixture_run("run.db");
    for (int i = 0; i < KILLS || (last == 10 && i < PATIENCE); i++) { /* more, and later, where all is slow */
        pid_t child = fork();
        if (child == 0)
            train_for_ever();
        long wait = 20 + 7 * i * (i < KILLS ? 1 : i); /* ms */
        nanosleep(&(struct timespec){wait / 1000, wait % 1000 * 1000000}, NULL);
        kill(child, SIGKILL);
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(WTERMSIG(status), SIGKILL);

        Model *model;
        Vocab *vocab;
        Err err;
        if (store_load("run.db", &model, &vocab, &err)) {
            model_free(model);
            vocab_free(vocab);
        } else { /* killed in the middle: not to be read as it is */
            ck_assert_str_eq(err.text, HALF_WRITTEN("run.db"));
        }
        Store *run = store_open("run.db", &model, &vocab, &err);
        ck_assert_msg(run != NULL, "%s", err.text);
        Checkpoint read = {0};
        fixture_blocks(&read);
        ck_assert_msg(store_restore(run, model, &read, &err), "%s", err.text);
        ck_assert_int_ge(read.step, last);
        last = read.step;
        fixture_fill(&fixture_checkpoint, last);
        ck_assert(fixture_same(&read, &fixture_checkpoint));
        store_close(run);
        fixture_blocks_free(&read);
        model_free(model);
        vocab_free(vocab);
        ck_assert_int_eq(fixture_number("run.db", "SELECT max(step) FROM progress"), last);
    }
    ck_assert_int_gt(last, 10); /* several hundred on an idle machine */
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
    tcase_add_test(tests, save_fails_on_a_failing_disk);
    tcase_add_test(tests, read_only_places_are_named);
    tcase_add_test(tests, run_that_is_being_written);
    tcase_add_test(tests, killed_trainer_leaves_a_whole_checkpoint);
    suite_add_tcase(suite, tests);
    return suite;
}
