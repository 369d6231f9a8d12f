/* buf.h - a growing byte string, for text of any length: lines, JSON, SVG, HTML.
 *
 *     Buf buf = {0};
 *     buf_format(&buf, "%d: ", line);
 *     buf_text(&buf, "hello");
 *     fwrite(buf.data, 1, buf.size, stdout);
 *     buf.size = 0;                            empty it, keep its memory
 *     buf_free(&buf);
 *
 * data is NUL-terminated whenever it is not NULL; the NUL is not counted in size. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

typedef struct {
    char *data;
    size_t size, capacity;
} Buf;

void buf_add(Buf *buf, const void *bytes, size_t count);
void buf_text(Buf *buf, const char *text); /* a C string */
void buf_char(Buf *buf, char c);
void buf_format(Buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_free(Buf *buf);

#endif
