/* output.h - where results go: standard output, or a file that appears only when it is whole.
 *
 *     Output output;
 *     if (!output_open(&output, path, &err)) ...           NULL or "-": standard output
 *     output_add(&output, data, size);                     errors are kept until the next flush
 *     if (!output_flush(&output, &err)) ...                when somebody may wait for it
 *     if (!output_close(&output, &err)) ...                renames; or output_discard(&output)
 *
 * A regular file is written beside itself, as PATH.PID.tmp, and renamed over PATH at the end: until then
 * what stood there still stands there, and a run that fails leaves nothing. A path that is a symbolic link
 * goes to where it points. What is no regular file (a device, a pipe) and what lies in /dev or /proc is
 * written directly. A program that is ended by a signal unlinks `temporary` itself, if it is not empty. */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

typedef struct {
    FILE *file;
    char path[PATH_MAX];
    char temporary[PATH_MAX]; /* "" when written directly */
    int failure;              /* errno of the first write that failed */
} Output;

bool output_open(Output *output, const char *path, Err *err) MUST_CHECK;
void output_add(Output *output, const void *data, size_t size);

/* false once a write has failed. A reader that went away (EPIPE) is no news: output_is_unread. */
bool output_flush(Output *output, Err *err) MUST_CHECK;
bool output_is_unread(const Output *output);

bool output_close(Output *output, Err *err) MUST_CHECK;
void output_discard(Output *output);

/* All of a text (help, a report) to standard output. */
bool output_show(const Buf *text, Err *err) MUST_CHECK;

#endif
