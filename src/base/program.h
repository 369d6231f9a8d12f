/* program.h - what the programs find out about themselves.
 *
 *     Buf path = {0};
 *     program_beside(argv[0], "models/en-es.db", &path);
 *
 * and how they speak: "translate: line 3: ...", one line on stderr. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/buf.h"

/* Appends the path of a file that lies beside the program's own file, whatever link, directory or PATH it was
 * called through. Relative when it lies under the current directory. name is argv[0], for systems that
 * have no /proc/self/exe. */
void program_beside(const char *name, const char *file, Buf *out);

/* Processors that may run threads, at least 1. */
int program_processors(void);

/* When exit() ends the program, as it does for want of memory, this file is removed first. path must live as
 * long as the program, or until this is called again; "" or NULL: no file. */
void program_unlinks_at_exit(const char *path);

/* The same, and when a signal does (SIGINT, SIGTERM, SIGHUP). The signal then ends the program as if nothing
 * had been set, so that the shell sees it: status 130 for SIGINT. */
void program_unlinks(const char *path);

#endif
