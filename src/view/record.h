/* record.h - an alignment as text that other programs read.
 *
 *     RecordId id = {.line = 1, .model = "en-es"};
 *     record_json(&out, alignment, &id);
 *
 *     pharaoh    0-0 1-2 2-1                   links of word numbers, source first, from 0
 *     soft       0.9,0.1,0 0,1,0 0,0,1         Marian's: for each target word and the end, parted by spaces, the
 *                                              weights of the source words and the end
 *     tokens     The cat . ||| El gato .       what the numbers count
 *     JSON       {"id":1,"source":...}         one line (JSON Lines): see record_json
 *     TSV        sentence target_position ...  one line for each weight: see record_tsv
 *
 * Every record is well-formed, whatever bytes the texts hold. Weights have seven digits, so that rows sum to 1
 * within 1e-5 still; scores six decimals. Numbers have a decimal point in every locale. */
#ifndef VIEW_RECORD_H
#define VIEW_RECORD_H

#include "base/buf.h"
#include "view/alignment.h"

typedef struct {
    long line;         /* of the input, from 1 */
    int rank;          /* of the hypothesis, from 1; 0: there is only one */
    const char *model; /* its name */
} RecordId;

void record_pharaoh(Buf *out, const AlignmentLink *link, int links);
void record_soft(Buf *out, const Alignment *alignment);
void record_tokens(Buf *out, const Alignment *alignment);

/* One line, with its line feed, of an object with the members, in this order:
 *     id                 the line, from 1
 *     rank               from 1; only where id->rank is not 0
 *     source, translation
 *     score, normalized_score
 *     source_words, target_words      [{text, begin, end, pieces}]: bytes [begin, end) of source, translation
 *     attention          a row for each target word and a last one for the end of the sentence; in each, a
 *                        number for each source word and a last one for the end
 *     alignment          hard links: [[source word, target word]], from 0
 *     model
 * Offsets are those of the text as it was given; where that was ill-formed, "source" has U+FFFD instead. */
void record_json(Buf *out, const Alignment *alignment, const RecordId *id);

/* A line for each weight, row by row: sentence [rank] target_position target source_position source weight.
 * Positions are from 0, those of the ends too: the word there is "</s>". Tab, line feed, carriage return and
 * backslash in words are written \t \n \r \\. The header names the columns. */
void record_tsv_header(Buf *out, bool ranked);
void record_tsv(Buf *out, const Alignment *alignment, const RecordId *id);

#endif
