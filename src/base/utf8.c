#include "base/utf8.h"

bool utf8_next(const char *data, size_t size, size_t *at, uint32_t *code)
{
    const unsigned char *byte = (const unsigned char *)data;
    unsigned first = byte[(*at)++];
    if (first < 0x80) {
        *code = first;
        return true;
    }
    *code = UTF8_REPLACEMENT;
    if (first < 0xC2 || first > 0xF4)
        return false;
    /* The second byte's limits exclude overlong forms, surrogates and what lies above U+10FFFF. */
    unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    int more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    uint32_t value = first & (0x3Fu >> more);
    for (; more; more--) {
        if (*at == size || byte[*at] < low || byte[*at] > high)
            return false;
        value = value << 6 | (byte[(*at)++] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *code = value;
    return true;
}

size_t utf8_put(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}
