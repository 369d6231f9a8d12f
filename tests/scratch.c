#include "scratch.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/test-XXXXXX";
static int home = -1;

void scratch_start(void)
{
    memcpy(folder, "/tmp/test-XXXXXX", sizeof folder);
    home = open(".", O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(home, 0);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

void scratch_end(void)
{
    ck_assert_int_eq(chdir(folder), 0); /* a test may have gone elsewhere */
    DIR *all = opendir(".");
    ck_assert_ptr_nonnull(all);
    for (struct dirent *entry; (entry = readdir(all));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ck_assert_int_eq(remove(entry->d_name), 0);
    closedir(all);
    ck_assert_int_eq(fchdir(home), 0);
    ck_assert_int_eq(close(home), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
