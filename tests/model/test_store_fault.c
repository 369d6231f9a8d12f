/* test_store_fault.c - the store on a disk that fails, and without memory for SQLite: at each call in turn.
 *
 * As SQLite's own tests do (sqlite.org/testing.html, section 3): an operation is repeated with a fault at its
 * first call to the file system, its second, and so on until it comes through without meeting one. After each
 * failure there must be one sentence that begins with a file's name, and the last good checkpoint, or the
 * new one, but whole; and what failed must succeed when it is tried again. Under the address sanitizer the
 * same tests show that a failure leaks nothing. */
#include "store_faulty.h"
#include "store_fixture.h"

#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Checkpoint next; /* step 20, where the file of fixture_run has 10 */

static void assert_sentence(const char *text, const char *path)
{
    size_t n = strlen(path);
    ck_assert_msg(!strncmp(text, path, n) && !strncmp(text + n, ": ", 2) && text[n + 2] && !strchr(text, '\n'),
                  "not a sentence: '%s'", text);
}

/* What the run at path holds, read without faults: 10, 20, or 0 when it holds no checkpoint. */
static int64_t step_in(const char *path)
{
    Model *model;
    Vocab *vocab;
    Err err;
    Checkpoint read = {0};
    Store *run = store_open(path, &model, &vocab, &err);
    if (!run) {
        ck_assert_ptr_nonnull(strstr(err.text, "holds no checkpoint yet"));
        return 0;
    }
    fixture_blocks(&read);
    ck_assert_msg(store_restore(run, model, &read, &err), "%s", err.text);
    ck_assert(fixture_same(&read, read.step == 10 ? &fixture_checkpoint : &next));
    store_close(run);
    fixture_blocks_free(&read);
    model_free(model);
    vocab_free(vocab);
    return read.step;
}

static void remove_all(void)
{
    static const char *const files[] = {"run.db", "run.db-journal", "model.db"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
}

static bool create(Err *err)
{
    remove_all();
    Store *run = store_create("run.db", fixture_model, fixture_vocab, NULL, err);
    if (!run) {
        ck_assert_int_ne(access("run.db", F_OK), 0);
        return false;
    }
    bool saved = store_save(run, fixture_model, &fixture_checkpoint, NULL, err);
    store_close(run);
    fault_heal();
    ck_assert_int_ge(step_in("run.db"), saved ? 10 : 0);
    return saved;
}

/* Into an open run; when it fails, once more without faults, through the same connection. */
static bool save(Err *err)
{
    Model *model;
    Vocab *vocab;
    Checkpoint read = {0};
    Fault later = fault;
    fault_heal();
    remove_all();
    fixture_run("run.db");
    Store *run = store_open("run.db", &model, &vocab, err);
    ck_assert_msg(run != NULL, "%s", err->text);
    fixture_blocks(&read);
    ck_assert_msg(store_restore(run, model, &read, err), "%s", err->text);
    fault = later;
    bool saved = store_save(run, fixture_model, &next, &(Progress){.step = 20}, err);
    fault_heal();
    Err again;
    if (!saved)
        ck_assert_msg(store_save(run, fixture_model, &next, &(Progress){.step = 20}, &again),
                      "after '%s': %s", err->text, again.text);
    store_close(run);
    ck_assert_int_eq(step_in("run.db"), 20);
    fixture_blocks_free(&read);
    model_free(model);
    vocab_free(vocab);
    return saved;
}

/* The same, but the process ends with the failure: the file must be whole at the next start. */
static bool save_and_leave(Err *err)
{
    Model *model;
    Vocab *vocab;
    Checkpoint read = {0};
    Fault later = fault;
    fault_heal();
    remove_all();
    fixture_run("run.db");
    fixture_blocks(&read);
    fault = later;
    Store *run = store_open("run.db", &model, &vocab, err);
    bool saved = run && store_restore(run, model, &read, err) &&
                 store_save(run, fixture_model, &next, NULL, err);
    store_close(run);
    fault_heal();
    int64_t step = step_in("run.db");
    ck_assert_msg(saved ? step == 20 : step == 10 || step == 20, "step %d", (int)step);
    if (run) {
        model_free(model);
        vocab_free(vocab);
    }
    fixture_blocks_free(&read);
    return saved;
}

static bool load(Err *err)
{
    Model *model;
    Vocab *vocab;
    bool loaded = store_load("model.db", &model, &vocab, err);
    if (loaded) {
        model_free(model);
        vocab_free(vocab);
    } else {
        ck_assert(!model && !vocab);
    }
    return loaded;
}

/* Over a model that stands there and stays until the new one is whole. */
static bool export(Err *err)
{
    long size, new_size;
    unsigned char *old = fixture_read("old.db", &size);
    fixture_write("model.db", old, size);
    bool exported = store_export("run.db", "model.db", err);
    fault_heal();
    unsigned char *found = fixture_read("model.db", &new_size);
    ck_assert(exported || (size == new_size && !memcmp(old, found, (size_t)size)));
    free(found);
    free(old);
    Err why = {"loaded"};
    ck_assert_msg(load(&why), "%s", why.text);
    return exported;
}

/* Faults at every `stride`-th call, until one does not strike. Returns how many failures there were. */
static int repeat(bool operation(Err *err), int code, bool stays, int stride)
{
    int failures = 0;
    for (int call = 1;; call += stride) {
        Err err = {"no sentence"};
        fault.countdown = call;
        fault.code = code;
        fault.stays = stays;
        bool good = operation(&err);
        fault_heal();
        if (!good) {
            ck_assert_msg(fault_struck(), "call %d: %s", call, err.text);
            assert_sentence(err.text, operation == load || !strncmp(err.text, "model", 5) ? "model.db" : "run.db");
            failures++;
        }
        if (!fault_struck()) {
            ck_assert_int_lt(call, 1000000);
            return failures;
        }
    }
}

static void prepare(void)
{
    fixture_fill(&fixture_checkpoint, 20);
    fixture_run("old-run.db");
    Err err;
    ck_assert_msg(store_export("old-run.db", "old.db", &err), "%s", err.text);
    fixture_fill(&fixture_checkpoint, 10);
    fixture_blocks(&next);
    fixture_fill(&next, 20);
    fixture_run("run.db");
    ck_assert_msg(store_export("run.db", "model.db", &err), "%s", err.text);
}

/* Once, and from then on; and a disk that is full for all that writes. */
static void repeat_all(bool operation(Err *err), int least)
{
    ck_assert_int_ge(repeat(operation, SQLITE_IOERR, false, 1), least);
    ck_assert_int_ge(repeat(operation, SQLITE_IOERR, true, 1), least);
}

static void repeat_full(bool operation(Err *err), int least)
{
    fault.writes = true;
    ck_assert_int_ge(repeat(operation, SQLITE_FULL, true, 1), least);
    fault.writes = false;
}

START_TEST(disk_fails_while_creating)
{
    prepare();
    repeat_all(create, 40); /* 71 seen */
    repeat_full(create, 25); /* 47 seen */
    fixture_blocks_free(&next);
}
END_TEST

START_TEST(disk_fails_while_saving)
{
    prepare();
    repeat_all(save, 25);  /* 53 seen */
    repeat_full(save, 20); /* 42 seen */
    fixture_blocks_free(&next);
}
END_TEST

START_TEST(disk_fails_for_good)
{
    prepare();
    repeat_all(save_and_leave, 50);  /* 106 seen */
    repeat_full(save_and_leave, 20); /* 38 seen */
    fixture_blocks_free(&next);
}
END_TEST

START_TEST(disk_fails_while_loading)
{
    prepare();
    repeat_all(load, 5); /* 10 seen */
    fixture_blocks_free(&next);
}
END_TEST

START_TEST(disk_fails_while_exporting)
{
    prepare();
    repeat_all(export, 20); /* 47 seen */
    repeat_full(export, 5); /* 10 seen */
    fixture_blocks_free(&next);
}
END_TEST

/* Every 31st call of some 8,000, alone and with all that follow. */
static void repeat_memory(bool operation(Err *err), int least)
{
    prepare();
    ck_assert_int_ge(repeat(operation, SQLITE_NOMEM, false, 31), least);
    ck_assert_int_ge(repeat(operation, SQLITE_NOMEM, true, 31), least);
    fixture_blocks_free(&next);
}

START_TEST(no_memory_to_create)
{
    repeat_memory(create, 100); /* 254 seen */
}
END_TEST

START_TEST(no_memory_to_save)
{
    repeat_memory(save, 30); /* 72 seen */
}
END_TEST

START_TEST(no_memory_to_load)
{
    repeat_memory(load, 10); /* 24 seen */
}
END_TEST

START_TEST(no_memory_to_export)
{
    repeat_memory(export, 100); /* 237 seen */
}
END_TEST

Suite *store_fault_suite(void)
{
    Suite *suite = suite_create("store_fault");
    TCase *tests = tcase_create("store_fault");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, faulty_disk_start, faulty_disk_end);
    tcase_add_test(tests, disk_fails_while_creating);
    tcase_add_test(tests, disk_fails_while_saving);
    tcase_add_test(tests, disk_fails_for_good);
    tcase_add_test(tests, disk_fails_while_loading);
    tcase_add_test(tests, disk_fails_while_exporting);
    suite_add_tcase(suite, tests);
    TCase *memory = tcase_create("store_memory_fault");
    tcase_set_timeout(memory, 60);
    tcase_add_checked_fixture(memory, faulty_memory_start, faulty_memory_end);
    tcase_add_test(memory, no_memory_to_create);
    tcase_add_test(memory, no_memory_to_save);
    tcase_add_test(memory, no_memory_to_load);
    tcase_add_test(memory, no_memory_to_export);
    suite_add_tcase(suite, memory);
    return suite;
}
