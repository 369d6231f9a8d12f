/* utf8.h - one character of UTF-8 after the other, from any bytes.
 *
 *     for (size_t at = 0; at < size;) {
 *         uint32_t code;
 *         bool well_formed = utf8_next(data, size, &at, &code); */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFDu

/* Decodes the character at data[*at] (*at < size) and moves *at behind it. An ill-formed sequence moves *at
 * behind its maximal subpart (at least one byte; Unicode 15, section 3.9, table 3-8), sets *code to U+FFFD,
 * returns false. */
bool utf8_next(const char *data, size_t size, size_t *at, uint32_t *code);

/* Writes code (at most U+10FFFF, no surrogate) as UTF-8 and returns its length, 1 to 4. */
size_t utf8_put(uint32_t code, char out[4]);

#endif
