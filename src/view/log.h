/* log.h - translations and their attention as rows of a SQLite database of the user's, to ask questions of.
 *
 *     Log *log = log_open("log.db", &err);                     makes it, or appends to it
 *     for (...)
 *         log_add(log, alignment, 1, 1, "en-es", &err);        line 1, rank 1
 *     log_commit(log, &err);                                   what was added since the last: all or nothing
 *     log_close(log);
 *
 * Names of tables, views and columns are public: anybody may open the file with sqlite3 and ask.
 *
 *     translation  id, run, line, rank, model, source, target, score, normalized
 *         one row for each hypothesis. run counts the logs opened on this file, from 1; line (of that run's
 *         input) and rank count from 1; score is the natural log-probability, normalized the same divided
 *         by length
 *     word         translation, side, position, text, begin, end, pieces, score
 *         the words of both sides ('source', 'target'), from position 0; text is bytes [begin, end) of
 *         translation.source or .target. Behind the last word stands the end of the sentence, '</s>', without
 *         begin and end. score is the word's share of translation.score; NULL on the source side
 *     attention    translation, target, source, weight
 *         how much the word at position `target` looked at the word at position `source`: every weight of
 *         the matrix, rounded to single precision; for each target they sum to 1
 *     alignment    translation, target, source, target_word, source_word, weight
 *         a view: hard links, as alignment_hard has them; weights of three decimals
 *     heatmap      translation, target, source, target_word, source_word, weight
 *         a view: all of attention, with the words; weights of three decimals
 *
 * Texts are UTF-8 without NUL: what is ill-formed or NUL in them is U+FFFD in the rows, and begin and end then
 * are those of the text as it was given. A blank line has its row in `translation`, and of the others only
 * the two ends; an alignment that was left out has no others. Nothing written depends on the time.
 *
 * Several processes may log to one file: each waits up to LOG_PATIENCE for the others' transactions. (One
 * process must not open a file to which it has added what is not committed: its locks would be lost.) A file
 * of no bytes is as good as none; every other file that is not a log, such as a model, is refused and left as
 * it is. Tables, views and indexes of the user's own may stand in a log.
 *
 * Failures are one sentence that begins with the path. After one, what was not committed is gone; the log may
 * be used further, and the next log_add begins anew. */
#ifndef VIEW_LOG_H
#define VIEW_LOG_H

#include "base/err.h"
#include "view/alignment.h"

#define LOG_FORMAT 1                  /* PRAGMA user_version */
#define LOG_APPLICATION_ID 0x41546C67 /* PRAGMA application_id: "ATlg" */
#define LOG_PATIENCE 10000            /* milliseconds */

typedef struct Log Log;

/* NULL with err. The owner closes it. */
Log *log_open(const char *path, Err *err) MUST_CHECK;

/* line and rank from 1. Nothing is on disk before log_commit, and others wait until then. */
bool log_add(Log *log, const Alignment *alignment, long line, int rank, const char *model,
             Err *err) MUST_CHECK;

/* Without anything added it does nothing. */
bool log_commit(Log *log, Err *err) MUST_CHECK;

/* What was not committed is gone. NULL is fine. */
void log_close(Log *log);

#endif
