/* escape.h - any bytes as the inside of a JSON string, of XML and HTML, or of a field of a table.
 *
 *     buf_text(out, "{\"text\": \"");
 *     escape_json(out, word->text, word->size);
 *     buf_text(out, "\"}");
 *
 * What comes out is well-formed UTF-8 for every input: an ill-formed sequence becomes U+FFFD, one for each
 * maximal subpart (Unicode 15, section 3.9, table 3-8). Everything else stays as it is but for what each
 * function names. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

#include <stddef.h>

/* Appends the inside of a JSON string (RFC 8259, section 7), without the quotes. Escaped are " and \, control
 * characters (C0, DEL and C1), U+2028 and U+2029 (line ends to older JavaScript), and < (so that the string
 * may stand in an HTML script element). */
void escape_json(Buf *out, const char *text, size_t size);

/* Appends text that may stand in an element or in an attribute between quotes of either kind: & < > " ' are
 * written as entities, tab and line ends as numbers, and what XML 1.0 (section 2.2) does not allow becomes
 * U+FFFD. */
void escape_xml(Buf *out, const char *text, size_t size);

/* Appends a field of a line of tab-separated values: tab, line feed, carriage return and backslash become
 * \t \n \r \\. */
void escape_tsv(Buf *out, const char *text, size_t size);

#endif
