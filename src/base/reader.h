/* reader.h - lines from a file, a pipe or a terminal, for programs that answer while they read.
 *
 *     Reader reader = reader_start(0, "standard input");
 *     while ((got = reader_line(&reader, &line, &err)) == READER_LINE)
 *         ... line.data, line.size; line.number ...
 *         if (!reader_is_ready(&reader)) ...         whoever writes to us may wait: answer now
 *     reader_free(&reader);
 *
 * A line ends with LF or CRLF, which do not belong to it; the last one may lack it. A byte order mark at
 * the start of the input is dropped. Lines may hold any bytes, NUL too. A line is kept up to
 * READER_LINE_MAX bytes; what follows is read past, never kept, and the line is marked as cut: so memory
 * is bounded, and every line of the input is one line still. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

#define READER_LINE_MAX ((size_t)16 << 20)

typedef enum { READER_LINE, READER_END, READER_FAILED } ReaderGot;

typedef struct {
    const char *data; /* good until the next call of reader_line or reader_is_ready; no NUL follows */
    size_t size;
    long number;      /* from 1 */
    bool cut;
} ReaderLine;

typedef struct {
    int fd;
    const char *name; /* for messages */
    Buf bytes;        /* read and not yet handed out: from `at` */
    size_t at;
    size_t seen;      /* bytes[at .. seen-1] hold no LF */
    long lines;       /* handed out */
    bool skips;       /* inside the rest of a line that was cut */
    bool ended, broken;
    int failure;      /* errno of the read that failed */
} Reader;

/* Neither opens nor closes fd. */
Reader reader_start(int fd, const char *name);

/* The next line; waits for it. */
ReaderGot reader_line(Reader *reader, ReaderLine *line, Err *err) MUST_CHECK;

/* Would reader_line answer (with a line, the end, or an error) without waiting? */
bool reader_is_ready(Reader *reader);

void reader_free(Reader *reader);

#endif
