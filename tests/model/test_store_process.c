/* test_store_process.c - the store and other processes: what a limit, a mode or a kill leaves behind, and a run
 * that somebody else is writing. */
#include "store_fixture.h"

#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
    child_run = fixture_open_run(&child_next);
    child_fails(save_beyond_a_limit, "run.db: input or output failed: File too large");
    fixture_assert_holds("run.db", &fixture_checkpoint);
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
    fixture_assert_holds("run.db", &fixture_checkpoint);
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
    fixture_assert_loads("run.db", ROLE_BEST, false); /* the checkpoint before */
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
    fixture_assert_holds("dead.db", &fixture_checkpoint);
    fixture_assert_loads("dead.db", ROLE_BEST, false);
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
        Checkpoint read;
        fixture_restore("run.db", &read);
        ck_assert_int_ge(read.step, last);
        last = read.step;
        fixture_fill(&fixture_checkpoint, last);
        ck_assert(fixture_same(&read, &fixture_checkpoint));
        fixture_blocks_free(&read);
        ck_assert_int_eq(fixture_number("run.db", "SELECT max(step) FROM progress"), last);
    }
    ck_assert_int_gt(last, 10); /* several hundred on an idle machine */
}
END_TEST

Suite *store_process_suite(void)
{
    Suite *suite = suite_create("store_process");
    TCase *tests = tcase_create("store_process");
    tcase_add_checked_fixture(tests, fixture_start, fixture_end);
    tcase_add_test(tests, save_fails_on_a_failing_disk);
    tcase_add_test(tests, read_only_places_are_named);
    tcase_add_test(tests, run_that_is_being_written);
    tcase_add_test(tests, killed_trainer_leaves_a_whole_checkpoint);
    suite_add_tcase(suite, tests);
    return suite;
}
