/* test_vocab_code.c - text to pieces and back. */
#include "suite.h"
#include "text/random_text.h"
#include "text/sample.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static Arena arena;
static Buf out;
static Vocab *vocab; /* the sample's, with case markers */

static void setup(void)
{
    vocab = sample_learn(false, true);
}

static void teardown(void)
{
    vocab_free(vocab);
    arena_free(&arena);
    buf_free(&out);
}

static Pieces encode(const char *text)
{
    Text normal = text_nfc(&arena, text, strlen(text));
    return vocab_encode(vocab, &arena, &normal, 0, NULL);
}

/* The texts of the pieces, with blanks between. */
static const char *spell(const Pieces *pieces)
{
    out.size = 0;
    buf_text(&out, "");
    for (size_t i = 0; i < pieces->count; i++) {
        buf_text(&out, i ? " " : "");
        buf_text(&out, vocab_piece(vocab, pieces->id[i]).text);
    }
    return out.data;
}

/* How text is cut, seen through pieces that cannot merge further. */
START_TEST(cuts_as_documented)
{
    static const char *const cases[][2] = {
        {"The cat", "<title> ▁the ▁c at"},
        {"the THE The", "▁the <upper> ▁the <title> ▁the"},
        {"I DON'T KNOW.", "<title> ▁i <upper> ▁don't <upper> ▁know ."},
        {"I don't know.", "<title> ▁i ▁don't ▁know ."},
        {"(the", "▁ ( ▁the"},
        {"¿The \"the\" -the", "▁¿ <title> ▁the ▁ \" ▁the \" ▁ <0x2D> ▁the"},
        {"the  the ", "▁the ▁ ▁the ▁"},
        {"12 the", "▁ 1 2 ▁the"},
        {"", ""},
        {" ", "▁ ▁"},
        {"▁", "▁ <0xE2> <0x96> <0x81>"},
        {"¿", "▁¿"},
        {"ThE", "▁ <0x54> h <0x45>"},
        {"the'", "▁the '"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Pieces pieces = encode(cases[i][0]);
        ck_assert_str_eq(spell(&pieces), cases[i][1]);
    }
}
END_TEST

/* A word in capitals, at the start, behind ¿ or in quotes is written in the same pieces. */
START_TEST(one_word_has_the_same_pieces_everywhere)
{
    static const char *const texts[] = {"WHERE",  "Where",    "¿Where",
                                        "(WHERE", "\"where", " - where"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Pieces plain = encode("where"), pieces = encode(texts[i]);
        ck_assert_uint_lt(plain.count, pieces.count);
        ck_assert(!memcmp(plain.id, pieces.id + pieces.count - plain.count,
                          plain.count * sizeof *plain.id));
    }
}
END_TEST

START_TEST(origins_by_hand)
{
    /* Two blanks, “The é (e and its accent) 12, two blanks, 🐈 */
    const char *line = "  \xE2\x80\x9CThe e\xCC\x81 12  \xF0\x9F\x90\x88";
    Text text = text_source(&arena, line, strlen(line));
    Pieces pieces = vocab_encode(vocab, &arena, &text, 0, NULL);
    static const struct {
        const char *piece;
        uint32_t begin, end;
    } expected[] = {
        {"▁", 2, 2}, {"\"", 2, 5}, {"<title>", 5, 5}, {"▁the", 5, 8}, {"▁", 8, 9},
        {"é", 9, 12}, {"▁", 12, 13}, {"1", 13, 14}, {"2", 14, 15}, {"▁", 15, 17},
        {"<0xF0>", 17, 21}, {"<0x9F>", 17, 21}, {"<0x90>", 17, 21}, {"<0x88>", 17, 21},
    };
    ck_assert_uint_eq(pieces.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < pieces.count; i++) {
        ck_assert_str_eq(vocab_piece(vocab, pieces.id[i]).text, expected[i].piece);
        ck_assert_uint_eq(pieces.origin[i].begin, expected[i].begin);
        ck_assert_uint_eq(pieces.origin[i].end, expected[i].end);
    }
}
END_TEST

/* Decoding gives the text; each piece's span in it lies where its origin lies, as nothing was
 * changed between the text and the input. */
static void check_round_trip(const Vocab *with, const Text *text, double dropout, Rng *rng)
{
    Text self = *text;
    self.origin = arena_take(&arena, text->size * sizeof *self.origin);
    for (size_t i = 0, end; i < text->size; i = end) {
        uint32_t code;
        end = i;
        utf8_next(text->data, text->size, &end, &code);
        for (size_t k = i; k < end; k++)
            self.origin[k] = (TextSpan){(uint32_t)i, (uint32_t)end};
    }
    Pieces pieces = vocab_encode(with, &arena, &self, dropout, rng);
    TextSpan *span = arena_take(&arena, pieces.count * sizeof *span);
    out.size = 0;
    buf_text(&out, "before"); /* spans count from where the appended text begins */
    vocab_decode(with, pieces.id, pieces.count, false, &out, span);
    ck_assert_uint_eq(out.size, text->size + 6);
    ck_assert(!memcmp(out.data + 6, text->data, text->size));
    size_t wrong = 0;
    for (size_t i = 0; i < pieces.count; i++)
        wrong += span[i].begin != pieces.origin[i].begin || span[i].end != pieces.origin[i].end;
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(decoding_undoes_encoding)
{
    static const double dropout[] = {0, 0.1, 0.5, 1};
    Vocab *without = sample_learn(false, false);
    ck_assert(vocab_has_case_markers(vocab) && !vocab_has_case_markers(without));
    Rng rng = rng_at(21, 0, 0);
    Buf buf = {0};
    for (int i = 0; i < 8000; i++) {
        random_text(&rng, &buf, 24, i % 8 == 0);
        Text text = text_nfc(&arena, buf.data, buf.size);
        check_round_trip(i % 3 ? vocab : without, &text, dropout[i % 4], &rng);
        arena_rewind(&arena, (ArenaMark){0});
    }
    buf_free(&buf);
    vocab_free(without);
}
END_TEST

START_TEST(bytes_that_are_no_text_return_too)
{
    Rng rng = rng_at(22, 0, 0);
    Buf buf = {0};
    for (int i = 0; i < 2000; i++) {
        random_text(&rng, &buf, 24, true);
        TextSpan *origin = arena_take_zeros(&arena, buf.size * sizeof *origin);
        Text text = {.data = buf.data, .size = buf.size, .origin = origin};
        Pieces pieces = vocab_encode(vocab, &arena, &text, 0, NULL);
        out.size = 0;
        vocab_decode(vocab, pieces.id, pieces.count, false, &out, NULL);
        ck_assert(out.size == buf.size && (!buf.size || !memcmp(out.data, buf.data, buf.size)));
        arena_rewind(&arena, (ArenaMark){0});
    }
    buf_free(&buf);
}
END_TEST

START_TEST(any_ids_decode)
{
    Rng rng = rng_at(23, 0, 0);
    for (int i = 0; i < 4000; i++) {
        int id[30];
        TextSpan span[30];
        uint32_t count = rng_below(&rng, 31);
        for (uint32_t k = 0; k < count; k++)
            id[k] = (int)rng_below(&rng, k % 3 ? SAMPLE_SIZE + 4 : 3) - 2 * (k % 7 == 0);
        out.size = 0;
        vocab_decode(vocab, id, count, true, &out, span);
        uint32_t code;
        size_t wrong = 0;
        for (size_t at = 0; at < out.size;)
            wrong += !utf8_next(out.data, out.size, &at, &code);
        for (uint32_t k = 0; k < count; k++)
            wrong += span[k].begin > span[k].end || span[k].end > out.size;
        ck_assert_uint_eq(wrong, 0);
    }
}
END_TEST

START_TEST(odd_ids_by_hand)
{
    int upper = vocab_find(vocab, "<upper>", 7), title = vocab_find(vocab, "<title>", 7);
    int the = vocab_find(vocab, "▁the", 6), space = vocab_find(vocab, "▁", 3);
    int one = vocab_find(vocab, "1", 1), byte = vocab_find(vocab, "<0x00>", 6);
    const struct {
        int id[6];
        bool replace;
        const char *text;
    } cases[] = {
        {{upper, the, the, upper, -1, VOCAB_END}, false, "THE the"},
        {{title, upper, the, upper, one, the}, false, "THE1 the"},
        {{upper, space, the, title, space, space}, false, " THE  "},
        {{byte + 0xE2, the, byte + 0xC3, byte + 0xA9, -1, SAMPLE_SIZE}, false, "\xE2 the\xC3\xA9"},
        {{byte + 0xE2, the, byte + 0xC3, byte + 0xA9, -1, SAMPLE_SIZE}, true,
         "\xEF\xBF\xBD the\xC3\xA9"},
        {{upper, byte + 'a', byte + 0xC3, byte + 0xA9, upper, one}, false, "A\xC3\x89" "1"},
        {{byte + 'a', upper, byte + 'b', title, byte + 'c', byte + 'd'}, false, "aBCd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        out.size = 0;
        vocab_decode(vocab, cases[i].id, 6, cases[i].replace, &out, NULL);
        ck_assert_str_eq(out.data, cases[i].text);
    }
    TextSpan span[3];
    out.size = 0;
    vocab_decode(vocab, (int[]){the, title, the}, 3, false, &out, span); /* "the The" */
    ck_assert_uint_eq(span[0].begin, 0);
    ck_assert_uint_eq(span[0].end, 3);
    ck_assert_uint_eq(span[1].begin, 4); /* a marker stands at the start of its word */
    ck_assert_uint_eq(span[1].end, 4);
    ck_assert_uint_eq(span[2].begin, 4);
    ck_assert_uint_eq(span[2].end, 7);
}
END_TEST

Suite *vocab_code_suite(void)
{
    Suite *suite = suite_create("vocab_code");
    TCase *tests = tcase_create("vocab_code");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, cuts_as_documented);
    tcase_add_test(tests, one_word_has_the_same_pieces_everywhere);
    tcase_add_test(tests, origins_by_hand);
    tcase_add_test(tests, decoding_undoes_encoding);
    tcase_add_test(tests, bytes_that_are_no_text_return_too);
    tcase_add_test(tests, any_ids_decode);
    tcase_add_test(tests, odd_ids_by_hand);
    suite_add_tcase(suite, tests);
    return suite;
}
