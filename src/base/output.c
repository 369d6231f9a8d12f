#define _XOPEN_SOURCE 700 /* realpath */
#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_special(const char *path)
{
    struct stat status;
    return !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6) ||
           (stat(path, &status) == 0 && !S_ISREG(status.st_mode));
}

/* Opens output->temporary for the file at output->path, which keeps its permissions if it stands. */
static bool open_beside(Output *output, const char *path, Err *err)
{
    struct stat status;
    bool stands = stat(output->path, &status) == 0;
    if (stands && access(output->path, W_OK) != 0)
        return err_set(err, "%s: %s", path, strerror(errno));
    int size = snprintf(output->temporary, sizeof output->temporary, "%s.%ld.tmp", output->path,
                        (long)getpid());
    if (size >= (int)sizeof output->temporary)
        return err_set(err, "%s: %s", path, strerror(ENAMETOOLONG));
    int fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, "%s: %s", path, strerror(errno));
    if (stands && fchmod(fd, status.st_mode & 0777) != 0) {
        /* A file system without permissions: nothing to keep. */
    }
    output->file = fdopen(fd, "w");
    if (output->file)
        return true;
    err_set(err, "%s: %s", path, strerror(errno));
    close(fd);
    unlink(output->temporary);
    return false;
}

bool output_open(Output *output, const char *path, Err *err)
{
    *output = (Output){0};
    if (!path || !strcmp(path, "-")) {
        output->file = stdout;
        memcpy(output->path, "standard output", sizeof "standard output");
        return true;
    }
    bool special = is_special(path);
    char *real_path = special ? NULL : realpath(path, NULL); /* NULL too when nothing stands there yet */
    int size = snprintf(output->path, sizeof output->path, "%s", real_path ? real_path : path);
    free(real_path);
    if (size >= (int)sizeof output->path)
        return err_set(err, "%s: %s", path, strerror(ENAMETOOLONG));
    if (!special && open_beside(output, path, err))
        return true;
    output->temporary[0] = '\0';
    if (!special)
        return false;
    output->file = fopen(path, "w");
    return output->file || err_set(err, "%s: %s", path, strerror(errno));
}

void output_add(Output *output, const void *data, size_t size)
{
    if (size && !output->failure && fwrite(data, 1, size, output->file) != size)
        output->failure = errno ? errno : EIO;
}

bool output_flush(Output *output, Err *err)
{
    if (!output->failure && fflush(output->file) != 0)
        output->failure = errno ? errno : EIO;
    return !output->failure || err_set(err, "%s: %s", output->path, strerror(output->failure));
}

bool output_is_unread(const Output *output)
{
    return output->failure == EPIPE;
}

void output_discard(Output *output)
{
    if (output->file && output->file != stdout)
        fclose(output->file);
    output->file = NULL;
    if (output->temporary[0])
        unlink(output->temporary);
    output->temporary[0] = '\0';
}

bool output_close(Output *output, Err *err)
{
    bool ok = output_flush(output, err);
    if (ok && fclose(output->file) != 0) /* a network file system may tell only now */
        ok = err_set(err, "%s: %s", output->path, strerror(errno));
    else if (!ok && output->file != stdout)
        fclose(output->file);
    output->file = NULL;
    if (ok && output->temporary[0] && rename(output->temporary, output->path) != 0)
        ok = err_set(err, "%s: %s", output->path, strerror(errno));
    if (ok)
        output->temporary[0] = '\0';
    output_discard(output);
    return ok;
}

bool output_show(const Buf *text, Err *err)
{
    Output output;
    if (!output_open(&output, NULL, err))
        return false;
    output_add(&output, text->data, text->size);
    return output_close(&output, err);
}
