#include "base/reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

Reader reader_start(int fd, const char *name)
{
    return (Reader){.fd = fd, .name = name};
}

/* Is there a whole line in the buffer, or as much of one as is kept? Looks at each byte once. */
static bool has_line(Reader *reader)
{
    const Buf *bytes = &reader->bytes;
    const char *end = reader->seen < bytes->size
                          ? memchr(bytes->data + reader->seen, '\n', bytes->size - reader->seen)
                          : NULL;
    reader->seen = end ? (size_t)(end - bytes->data) : bytes->size;
    return end || reader->seen - reader->at > READER_LINE_MAX;
}

/* Forget what was handed out, once that is worth the move. */
static void drop_old(Reader *reader)
{
    Buf *bytes = &reader->bytes;
    if (reader->at == 0 || reader->at < bytes->size / 2)
        return;
    memmove(bytes->data, bytes->data + reader->at, bytes->size - reader->at);
    bytes->size -= reader->at;
    reader->seen -= reader->at;
    reader->at = 0;
}

/* Does fd have something to say: bytes, the end, an error? */
static bool poll_now(int fd, int milliseconds)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, milliseconds) != 0;
}

static void read_some(Reader *reader)
{
    char chunk[1 << 16];
    drop_old(reader);
    ssize_t got = read(reader->fd, chunk, sizeof chunk);
    if (got > 0) {
        buf_add(&reader->bytes, chunk, (size_t)got);
    } else if (got == 0) {
        reader->ended = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        poll_now(reader->fd, -1); /* somebody left the descriptor non-blocking */
    } else if (errno != EINTR) {
        reader->failure = errno;
        reader->broken = true;
    }
}

/* Read past the rest of a line that was cut; true when it is past. */
static bool skip_rest(Reader *reader)
{
    bool line = has_line(reader);
    bool found = line && reader->seen < reader->bytes.size && reader->bytes.data[reader->seen] == '\n';
    reader->at = reader->seen += found;
    reader->skips = !found && !reader->ended;
    return !reader->skips;
}

/* True when reader_line needs no more bytes. */
static bool is_settled(Reader *reader)
{
    if (reader->skips && !skip_rest(reader))
        return reader->broken;
    return has_line(reader) || reader->ended || reader->broken;
}

bool reader_is_ready(Reader *reader)
{
    while (!is_settled(reader)) {
        if (!poll_now(reader->fd, 0))
            return false;
        read_some(reader);
    }
    return true;
}

/* The most bytes of data[0 .. READER_LINE_MAX] that do not end inside a character. */
static size_t cut_size(const char *data)
{
    size_t size = READER_LINE_MAX;
    for (int i = 0; i < 3 && ((unsigned char)data[size] & 0xC0) == 0x80; i++)
        size--;
    return size;
}

ReaderGot reader_line(Reader *reader, ReaderLine *line, Err *err)
{
    while (!is_settled(reader))
        read_some(reader);
    const Buf *bytes = &reader->bytes;
    if (reader->broken) {
        err_set(err, "%s: %s", reader->name, strerror(reader->failure));
        return READER_FAILED;
    }
    if (reader->lines == 0 && bytes->size >= 3 && !memcmp(bytes->data, "\xEF\xBB\xBF", 3))
        reader->at = 3;
    if (reader->at == bytes->size)
        return READER_END;
    *line = (ReaderLine){bytes->data + reader->at, reader->seen - reader->at, ++reader->lines, false};
    bool ends = reader->seen < bytes->size && bytes->data[reader->seen] == '\n';
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    if (line->size > READER_LINE_MAX) {
        line->size = cut_size(line->data);
        line->cut = true;
        reader->skips = !ends;
    }
    reader->at = reader->seen += ends;
    return READER_LINE;
}

void reader_free(Reader *reader)
{
    buf_free(&reader->bytes);
}
