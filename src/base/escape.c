#include "base/escape.h"

#include "base/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* What stands for a character: a text; "" for \uXXXX; or NULL when it stays as it is. */
typedef const char *Replace(uint32_t code, bool well_formed);

static void escape(Buf *out, const char *text, size_t size, Replace *replace)
{
    size_t kept = 0; /* text[kept .. begin-1] stays, and is added as one stretch */
    for (size_t at = 0; at < size;) {
        size_t begin = at;
        uint32_t code;
        bool well_formed = utf8_next(text, size, &at, &code);
        const char *instead = replace(code, well_formed);
        if (!instead)
            continue;
        if (begin > kept)
            buf_add(out, text + kept, begin - kept);
        kept = at;
        if (*instead)
            buf_text(out, instead);
        else
            buf_format(out, "\\u%04x", (unsigned)code);
    }
    if (size > kept)
        buf_add(out, text + kept, size - kept);
}

static const char *replace_json(uint32_t code, bool well_formed)
{
    switch (code) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == '<' || code == 0x2028 ||
            code == 0x2029 || !well_formed)
            return "";
        return NULL;
    }
}

static const char *replace_xml(uint32_t code, bool well_formed)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return code < 0x20 || code == 0xFFFE || code == 0xFFFF || !well_formed ? REPLACEMENT : NULL;
    }
}

static const char *replace_tsv(uint32_t code, bool well_formed)
{
    switch (code) {
    case '\t':
        return "\\t";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\\':
        return "\\\\";
    default:
        return well_formed ? NULL : REPLACEMENT;
    }
}

void escape_json(Buf *out, const char *text, size_t size)
{
    escape(out, text, size, replace_json);
}

void escape_xml(Buf *out, const char *text, size_t size)
{
    escape(out, text, size, replace_xml);
}

void escape_tsv(Buf *out, const char *text, size_t size)
{
    escape(out, text, size, replace_tsv);
}
