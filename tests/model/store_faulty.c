#include "store_faulty.h"

#include "store_fixture.h"

#include <check.h>

/* The fault ------------------------------------------------------------------------------------ */

Fault fault;

static int count_down(void)
{
    fault.countdown--;
    return fault.countdown == 0 || (fault.countdown < 0 && fault.stays) ? fault.code : SQLITE_OK;
}

/* At a call to the file system. */
static int strike(bool writes)
{
    bool counts = fault.code && fault.code != SQLITE_NOMEM && (writes || !fault.writes);
    return counts ? count_down() : SQLITE_OK;
}

/* At a call for memory. */
static bool has_memory(void)
{
    return fault.code != SQLITE_NOMEM || !count_down();
}

bool fault_struck(void)
{
    return fault.countdown <= 0;
}

void fault_heal(void)
{
    fault.code = SQLITE_OK;
}

/* A file system in front of the usual one --------------------------------------------------------- */

typedef struct {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
} File;

static sqlite3_vfs *usual, faulty;

static sqlite3_file *behind(sqlite3_file *file)
{
    return ((File *)(void *)file)->real;
}

#define PASS(FILE, WRITES, CALL, ...) \
    int code = strike(WRITES);        \
    return code ? code : behind(FILE)->pMethods->CALL(behind(FILE), __VA_ARGS__)

static int file_read(sqlite3_file *file, void *to, int size, sqlite3_int64 at)
{
    PASS(file, false, xRead, to, size, at);
}

static int file_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 at)
{
    PASS(file, true, xWrite, from, size, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    PASS(file, true, xTruncate, size);
}

/* That the disk catches up is not tested here, and costs most of the time. */
static int file_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return strike(true);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    PASS(file, false, xFileSize, size);
}

static int file_lock(sqlite3_file *file, int lock)
{
    PASS(file, false, xLock, lock);
}

static int file_reserved(sqlite3_file *file, int *out)
{
    PASS(file, false, xCheckReservedLock, out);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    return behind(file)->pMethods->xFileControl(behind(file), what, argument);
}

static int file_unlock(sqlite3_file *file, int lock)
{
    return behind(file)->pMethods->xUnlock(behind(file), lock);
}

static int file_close(sqlite3_file *file)
{
    return behind(file)->pMethods->xClose(behind(file));
}

static int file_sector(sqlite3_file *file)
{
    return behind(file)->pMethods->xSectorSize(behind(file));
}

static int file_device(sqlite3_file *file)
{
    return behind(file)->pMethods->xDeviceCharacteristics(behind(file));
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1, .xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate,
    .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved, .xFileControl = file_control, .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
    File *mine = (File *)(void *)file;
    (void)vfs;
    *mine = (File){.real = (sqlite3_file *)(void *)(mine + 1)};
    int code = strike(false);
    if (code)
        return code == SQLITE_IOERR ? SQLITE_CANTOPEN : code;
    code = usual->xOpen(usual, name, mine->real, flags, out);
    if (mine->real->pMethods)
        mine->base.pMethods = &file_methods;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    int code = strike(true);
    return code ? code : usual->xDelete(usual, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    int code = strike(false);
    return code ? code : usual->xAccess(usual, name, flags, out);
}

/* Memory in front of the usual one ------------------------------------------------------------------ */

static sqlite3_mem_methods usual_memory;

static void *memory_or_null(int size)
{
    return has_memory() ? usual_memory.xMalloc(size) : NULL;
}

static void *more_memory_or_null(void *old, int size)
{
    return has_memory() ? usual_memory.xRealloc(old, size) : NULL;
}

static void memory_install(bool faults)
{
    sqlite3_mem_methods methods = usual_memory;
    ck_assert_int_eq(sqlite3_shutdown(), SQLITE_OK);
    if (faults) {
        ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual_memory), SQLITE_OK);
        methods = usual_memory;
        methods.xMalloc = memory_or_null;
        methods.xRealloc = more_memory_or_null;
    }
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
}

void faulty_disk_start(void)
{
    fixture_start();
    usual = sqlite3_vfs_find(NULL);
    faulty = *usual;
    faulty.iVersion = 2;
    faulty.pNext = NULL;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(File) + usual->szOsFile;
    faulty.xOpen = vfs_open;
    faulty.xDelete = vfs_delete;
    faulty.xAccess = vfs_access;
    fault.code = SQLITE_OK;
    ck_assert_int_eq(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

void faulty_disk_end(void)
{
    fault_heal();
    sqlite3_vfs_unregister(&faulty);
    ck_assert_int_eq(sqlite3_vfs_register(usual, 1), SQLITE_OK);
    fixture_end();
}

void faulty_memory_start(void)
{
    fault.code = SQLITE_OK;
    memory_install(true);
    faulty_disk_start();
}

void faulty_memory_end(void)
{
    faulty_disk_end();
    memory_install(false);
}
