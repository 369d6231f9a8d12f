/* text.h - UTF-8 in, normalised UTF-8 out, every byte of it knowing where it came from.
 *
 *     Arena arena = {0};
 *     Text source = text_source(&arena, line, length);   NFC, then folded: what the encoder reads
 *     Text target = text_nfc(&arena, line, length);      NFC alone: what the decoder writes
 *     source.origin[i]                                   the bytes of `line` behind source.data[i]
 *     arena_free(&arena);                                a Text owns nothing
 *
 * Input is any byte string, NUL bytes included, of at most TEXT_SIZE_MAX bytes (asserted: bound
 * what comes from outside first). Ill-formed UTF-8 is replaced by U+FFFD, one for each maximal
 * subpart of an ill-formed sequence (Unicode 15, section 3.9, table 3-8; the W3C's decoder does
 * the same), and counted in `replaced`. The result is therefore always well-formed.
 *
 * Origins. origin[i] is the range [begin, end) of the bytes of the input that byte i was made of.
 * All bytes of one character have the same range. A character that normalisation left alone has its
 * own bytes; characters that were composed, reordered or decomposed have the range of the whole
 * stretch that was worked on: one base character with its marks, or one Hangul syllable. So the é
 * made of e + U+0301 points at both. Ranges are in the order of the text and never run backwards.
 *
 * Normalisation is utf8proc's data with its own ordering of marks: the time is n log n even for a
 * megabyte of combining marks. ASCII takes a short cut. */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_SIZE_MAX ((size_t)1 << 28)

/* Bytes [begin, end). */
typedef struct {
    uint32_t begin, end;
} TextSpan;

typedef struct {
    char *data;       /* [size], and a NUL that is not counted */
    size_t size;      /* bytes */
    TextSpan *origin; /* [size], bytes of the input */
    size_t replaced;  /* how many ill-formed sequences became U+FFFD */
} Text;

/* Normalisation form C. */
Text text_nfc(Arena *arena, const char *data, size_t size);

/* One spelling for what typists and word processors spell in many ways. Meant for the source alone:
 * - typographic single quotes, primes, the acute accent and ‹ › become ', double ones and « »
 *   become "
 * - all hyphens, dashes and the minus sign become -, the ellipsis becomes three full stops
 * - all white space, line ends included, becomes spaces, a run of them one, none at the ends
 * - soft hyphens, byte order marks, zero-width spaces and directional marks vanish; joiners
 *   (U+200C, U+200D) vanish unless the character before them comes from U+0600 or higher, where
 *   they are part of the spelling (Persian, Indic scripts, emoji families)
 * The result is in normalisation form C when text is. Letter case is left alone. */
Text text_fold(Arena *arena, const Text *text);

/* Every character that has an upper or lower case of one character in it. */
Text text_upper(Arena *arena, const Text *text);
Text text_lower(Arena *arena, const Text *text);

/* text_nfc and text_fold in one. */
Text text_source(Arena *arena, const char *data, size_t size);

#endif
