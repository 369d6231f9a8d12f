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
        /* Drop the last character if the limit has cut it: its first byte tells its length. */
        int end = (int)sizeof err->text - 1, first = end - 1;
        while (first > end - 4 && ((unsigned char)err->text[first] & 0xC0) == 0x80)
            first--;
        unsigned char lead = (unsigned char)err->text[first];
        int whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        if (first + whole > end)
            err->text[first] = '\0';
    }
    for (char *at = err->text; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' '; /* a file name may hold a newline or an escape; the message stays one inert line */
    return false;
}
