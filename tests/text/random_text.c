#include "text/random_text.h"

#include "base/utf8.h"

#include "text/text.h"

#include <string.h>

static const char *const bits[] = {
    "a", "e", "THE", "Don't", "I", "o'", "'", "\"", "-", " - ", "...", "?!", "¿", "¡", "((",
    "«", " ", " ", " ", "  ", "\t", "\n", "\r\n", "▁", "▁▁", "7", "42", "½", "Ⅳ", "é", "É",
    "ÑANDÚ", "ñ", "ß", "STRASSE", "STRAßE", "İ", "ı", "ſ", "ǅ", "Ǆ", "ǰ", "ﬁ", "Σς", "ΌΣΟ",
    "Ω", "Å", "ﬀ", "ͅ", "ᾼ", "H\xCC\xB1", "\xCC\x81", "\xCC\xA3", "e\xCC\x81",
    "\xCC\x88\xCC\x81", "ᄒ", "ᅡ", "ᆫ", "하", "한", "中文", "日本", "か\xE3\x82\x99", "नमस्ते",
    "ক\xE0\xA7\x87\xE0\xA6\xBE", "שלום", "مرحبا", "ა", "Აბ", "Ⴀ", "ᏣᎳ", "👩‍👧‍👦", "👍🏽", "🇪🇸",
    "❤️", "…", "—", "’", "“", "”", "\xC2\xA0", "\xE2\x80\x8B", "\xC2\xAD", "\xEF\xBB\xBF",
    "<0x41>", "</s>", "<upper>", "𐐀𐐁", "ⒶⒷ", "\xEF\xBF\xBD",
};

void random_text(Rng *rng, Buf *buf, unsigned most, bool broken)
{
    buf->size = 0;
    for (uint32_t n = rng_below(rng, most + 1); n; n--) {
        uint32_t code = rng_below(rng, 0x110000);
        char bytes[4];
        switch (rng_below(rng, 8)) {
        case 0: /* any character there is */
            if (code < 0xD800 || code > 0xDFFF)
                buf_add(buf, bytes, utf8_put(code, bytes));
            break;
        case 1: /* one of the marks that combine with Latin letters, or a conjoining jamo */
            code = code % 2 ? 0x300 + code % 0x70 : 0x1100 + code % 0x100;
            buf_add(buf, bytes, utf8_put(code, bytes));
            break;
        case 2: /* ASCII, NUL among it */
            buf_char(buf, (char)(code % 0x80));
            break;
        case 3:
            if (broken && code % 2) {
                buf_char(buf, (char)(unsigned char)(code >> 8));
                break;
            }
            buf_char(buf, code & 4 ? (char)('a' + code % 26) : (char)('A' + code % 26));
            break;
        default:
            buf_text(buf, bits[code % (sizeof bits / sizeof *bits)]);
        }
    }
}
