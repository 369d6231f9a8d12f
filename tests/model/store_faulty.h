/* store_faulty.h - for SQLite, a disk that fails and memory that runs out, at a call of the test's choice.
 *
 *     faulty_disk_start():   fixture_start(), with a file system that can fail
 *     faulty_memory_start(): the same, with memory that can fail too
 *     faulty_disk_end(), faulty_memory_end(): SQLite has back what it had; fixture_end()
 *
 *     fault = (Fault){.countdown = 3, .code = SQLITE_IOERR};      the third call to the file system fails
 *     fault = (Fault){.countdown = 3, .code = SQLITE_NOMEM};      the third call for memory does
 *     if (!store_save(...) && fault_struck()) ...
 *     fault_heal();                                               no call fails */
#ifndef TESTS_STORE_FAULTY_H
#define TESTS_STORE_FAULTY_H

#include <sqlite3.h>
#include <stdbool.h>

typedef struct {
    int countdown; /* calls until it strikes; 0 or below: it has */
    int code;      /* what the call then returns; 0: no fault. SQLITE_NOMEM is for memory, all else for the disk */
    bool stays;    /* every call from then on fails */
    bool writes;   /* of the calls that change the file system only */
} Fault;

extern Fault fault;

bool fault_struck(void);
void fault_heal(void);

void faulty_disk_start(void);
void faulty_disk_end(void);
void faulty_memory_start(void);
void faulty_memory_end(void);

#endif
