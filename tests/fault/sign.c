/* sign.c - sign MODEL.db: makes the digests of a model agree with what stands in it. */
#include "../fuzz/sign.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    sqlite3 *db;
    if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        fprintf(stderr, "usage: sign MODEL.db\n");
        return 2;
    }
    sqlite3_exec(db, "PRAGMA ignore_check_constraints=1", NULL, NULL, NULL);
    sign_model(db);
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
