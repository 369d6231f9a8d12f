#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

bool err_set(Err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (length >= (int)sizeof err->text) {
        /* Cut before the character that the limit split: step back over UTF-8 continuation bytes. */
        int end = (int)sizeof err->text - 1;
        while (end > 0 && ((unsigned char)err->text[end - 1] & 0xC0) == 0x80)
            end--;
        if (end > 0 && (unsigned char)err->text[end - 1] >= 0xC0)
            end--;
        err->text[end] = '\0';
    }
    for (char *at = err->text; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' '; /* a file name may hold a newline or an escape; the message stays one inert line */
    return false;
}
