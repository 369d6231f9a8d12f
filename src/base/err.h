/* err.h - the one way to report that the world failed (a file, SQLite, an input, an option).
 *
 *     bool store_open(..., Err *err)
 *     {
 *         if (...)
 *             return err_set(err, "%s: not a model (application_id %08x)", path, id);
 *
 * A function that can fail returns false (or NULL) and fills the Err it got as its last argument
 * with one line that names the culprit. The library never prints it; the program does. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

typedef struct {
    char text[512]; /* one line, no newline; cut at a character boundary when too long */
} Err;

/* Always returns false, so that a failure is one statement: return err_set(err, ...). */
bool err_set(Err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
