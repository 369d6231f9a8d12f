/* test_output.c - files that appear only when they are whole. */
#include "base/output.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[32];
static char path[64], link_path[64];

static void begin(void)
{
    snprintf(directory, sizeof directory, "/tmp/test_output.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/file", directory);
    snprintf(link_path, sizeof link_path, "%s/link", directory);
}

static void end(void)
{
    unlink(path);
    unlink(link_path);
    ck_assert_int_eq(rmdir(directory), 0); /* nothing else was left in it */
}

static const char *content(const char *name)
{
    static char text[64];
    FILE *file = fopen(name, "r");
    if (!file)
        return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void put(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(output_appears_when_whole)
{
    Output output;
    Err err;
    ck_assert(output_open(&output, path, &err));
    output_add(&output, "hola\n", 5);
    ck_assert(output_flush(&output, &err));
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(access(output.temporary, F_OK), 0);
    ck_assert(output_close(&output, &err));
    ck_assert_str_eq(content(path), "hola\n");
}
END_TEST

START_TEST(output_discarded_leaves_what_stood)
{
    Output output;
    Err err;
    put("old");
    ck_assert(output_open(&output, path, &err));
    output_add(&output, "new", 3);
    ck_assert(output_flush(&output, &err));
    output_discard(&output);
    ck_assert_str_eq(content(path), "old");
}
END_TEST

START_TEST(output_keeps_link_and_permissions)
{
    Output output;
    Err err;
    struct stat status;
    put("old");
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(symlink("file", link_path), 0);
    ck_assert(output_open(&output, link_path, &err));
    output_add(&output, "new", 3);
    ck_assert(output_close(&output, &err));
    ck_assert_int_eq(lstat(link_path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0640);
    ck_assert_str_eq(content(path), "new");
}
END_TEST

START_TEST(output_names_what_failed)
{
    Output output;
    Err err;
    ck_assert(!output_open(&output, "/nowhere/at/all", &err));
    ck_assert_str_eq(err.text, "/nowhere/at/all: No such file or directory");
    ck_assert(!output_open(&output, "/tmp", &err));
    ck_assert_str_eq(err.text, "/tmp: Is a directory");
    ck_assert(output_open(&output, "/dev/full", &err));
    ck_assert_str_eq(output.temporary, "");
    output_add(&output, "x", 1);
    ck_assert(!output_flush(&output, &err));
    ck_assert_str_eq(err.text, "/dev/full: No space left on device");
    ck_assert(!output_is_unread(&output));
    ck_assert(!output_close(&output, &err));
    ck_assert_str_eq(err.text, "/dev/full: No space left on device");
}
END_TEST

Suite *output_suite(void)
{
    Suite *suite = suite_create("output");
    TCase *tests = tcase_create("output");
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, output_appears_when_whole);
    tcase_add_test(tests, output_discarded_leaves_what_stood);
    tcase_add_test(tests, output_keeps_link_and_permissions);
    tcase_add_test(tests, output_names_what_failed);
    suite_add_tcase(suite, tests);
    return suite;
}
