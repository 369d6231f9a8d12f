/* store_export.c - a run becomes the model that is shipped: a new file, written whole beside its target
 * and only then renamed over it. Rows go in in the order of their keys and nothing in the file tells
 * the time of day: the same run gives the same bytes. */
#include "model/store_internal.h"

#include "base/arena.h"
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_LIMIT 1000000 /* rows */

/* All rows of a table of a few columns; the target's STRICT declaration checks their types. */
static bool copy_rows(Store *from, Store *to, const char *select, const char *insert, Err *err)
{
    sqlite3_stmt *in = store_prepare(from, select, err);
    sqlite3_stmt *out = in ? store_prepare(to, insert, err) : NULL;
    bool good = in && out;
    int status = SQLITE_DONE;
    for (int n = 0; good && (status = sqlite3_step(in)) == SQLITE_ROW; n++) {
        int status_out = SQLITE_OK;
        for (int i = 0; status_out == SQLITE_OK && i < sqlite3_column_count(in); i++)
            status_out = sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
        if (n == COPY_LIMIT)
            good = err_set(err, "%s: damaged: too many rows", from->path);
        else if (status_out != SQLITE_OK || sqlite3_step(out) != SQLITE_DONE)
            good = store_fail(to, err);
        else
            sqlite3_reset(out);
    }
    sqlite3_finalize(out);
    if (!in)
        return false;
    if (!good) {
        sqlite3_finalize(in);
        return false;
    }
    return store_finish(from, in, status, err);
}

static bool write_model(Store *from, Store *to, Err *err)
{
    Model *model;
    Vocab *vocab;
    Places places;
    Role role;
    if (!store_read_model(from, &model, &vocab, &places, err))
        return false;
    real *block = memory_take_zeros(model->params.size, sizeof *block);
    bool good = store_choose_role(from, &role, err)
                && store_read_role(from, model, role, &places, block, err)
                && store_begin_fresh(to, STORE_MODEL_ID, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", err)
                && store_write_fixed(to, &model->config, vocab, err)
                && store_write_role(to, &model->params, ROLE_WEIGHT, block, true, err)
                && copy_rows(from, to, "SELECT * FROM main.progress ORDER BY step",
                             "INSERT INTO progress VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)", err)
                && copy_rows(from, to, "SELECT * FROM main.provenance ORDER BY key",
                             "INSERT INTO provenance VALUES(?1,?2)", err)
                && store_write_digest(to, err) && store_exec(to, "COMMIT", err);
    free(block);
    model_free(model);
    vocab_free(vocab);
    return good;
}

static bool sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    int cause = errno;
    close(fd);
    errno = cause;
    return good;
}

/* What stands at the target must be something that may be replaced. */
static bool target_check(const char *from, const char *to, Err *err)
{
    struct stat source, target;
    if (stat(to, &target) != 0)
        return store_no_journal(to, to, err);
    if (stat(from, &source) == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino)
        return err_set(err, "%s: a run cannot be exported over itself", to);
    if (!S_ISREG(target.st_mode))
        return err_set(err, "%s: not a regular file", to);
    if (store_id(to) == STORE_RUN_ID)
        return err_set(err, "%s: is a run; an export does not replace it", to);
    return store_no_journal(to, to, err);
}

/* An empty file with a name of its own beside `to`. */
static bool make_beside(const char *to, Buf *name, Err *err)
{
    for (int n = 0; n < 100; n++) {
        name->size = 0;
        buf_format(name, "%s.%ld-%d.tmp", to, (long)getpid(), n);
        int fd = open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        if (errno != EEXIST)
            break;
    }
    return err_set(err, "%s: cannot be created: %s", to, strerror(errno));
}

static bool put_in_place(const char *made, const char *to, Err *err)
{
    Buf folder = {0};
    const char *slash = strrchr(to, '/');
    buf_add(&folder, to, slash ? (size_t)(slash - to) + 1 : 0);
    buf_text(&folder, "."); /* "models/." or "." */
    bool good = sync_path(made) && rename(made, to) == 0 && sync_path(folder.data);
    if (!good)
        err_set(err, "%s: not written: %s", to, strerror(errno));
    buf_free(&folder);
    return good;
}

bool store_export(const char *from, const char *to, Err *err)
{
    Buf name = {0};
    Store *source = store_connect(from, NULL, STORE_READ, err), *target = NULL;
    bool good = source != NULL;
    if (good && !source->is_run)
        good = err_set(err, "%s: is an exported model already", from);
    good = good && target_check(from, to, err);
    if (good && make_beside(to, &name, err)) {
        program_unlinks_at_exit(name.data);
        target = store_connect(to, name.data, STORE_FRESH, err);
        good = target && write_model(source, target, err);
        store_close(target);
        good = good && put_in_place(name.data, to, err);
        if (!good)
            unlink(name.data);
    } else {
        good = false;
    }
    store_close(source);
    program_unlinks_at_exit(NULL);
    buf_free(&name);
    return good;
}
