#include "base/buf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void buf_reserve(Buf *buf, size_t more)
{
    size_t need = buf->size + more + 1;
    if (need <= buf->capacity)
        return;
    size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
    while (capacity < need)
        capacity *= 2;
    buf->data = memory_grow(buf->data, capacity);
    buf->capacity = capacity;
}

void buf_add(Buf *buf, const void *bytes, size_t count)
{
    buf_reserve(buf, count);
    if (count)
        memcpy(buf->data + buf->size, bytes, count);
    buf->size += count;
    buf->data[buf->size] = '\0';
}

void buf_text(Buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_char(Buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_format(Buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    buf_reserve(buf, 64);
    size_t room = buf->capacity - buf->size;
    int length = vsnprintf(buf->data + buf->size, room, format, args);
    va_end(args);
    if (length >= (int)room) { /* now its length is known */
        buf_reserve(buf, (size_t)length);
        vsnprintf(buf->data + buf->size, (size_t)length + 1, format, again);
    }
    va_end(again);
    buf->size += length > 0 ? (size_t)length : 0;
}

void buf_free(Buf *buf)
{
    free(buf->data);
    *buf = (Buf){0};
}
