/* test_escape.c - any bytes into JSON, XML and TSV; the decoder of UTF-8 under them. */
#include "base/escape.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "suite.h"

#include <string.h>

typedef void Escape(Buf *out, const char *text, size_t size);

static void check(Escape *escape, const char *text, size_t size, const char *expected)
{
    Buf out = {0};
    buf_text(&out, "=");
    escape(&out, text, size);
    ck_assert_str_eq(out.data + 1, expected);
    buf_free(&out);
}

START_TEST(json)
{
    static const char text[] = "a\"b\\c/d\b\f\n\r\t\0\x1f\x7f<>&'é€😀\xc2\x85\u2028\u2029\uFFFD";
    check(escape_json, text, sizeof text - 1,
          "a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u003c>&'é€😀\\u0085\\u2028\\u2029\uFFFD");
    check(escape_json, "", 0, "");
    /* One for each maximal subpart; a surrogate has three; overlong forms one for each byte. */
    check(escape_json, "a\xe2\x82z\xff", 5, "a\\ufffdz\\ufffd");
    check(escape_json, "\xed\xa0\x80", 3, "\\ufffd\\ufffd\\ufffd");
    check(escape_json, "\xc0\xaf", 2, "\\ufffd\\ufffd");
    check(escape_json, "\xf0\x9f\x98", 3, "\\ufffd");
}
END_TEST

START_TEST(xml)
{
    static const char text[] = "<a b=\"c\" d='e'>&\t\n\r\0\x1f\x7fñ\uFFFE\uFFFF😀";
    check(escape_xml, text, sizeof text - 1,
          "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;&#9;&#10;&#13;\uFFFD\uFFFD\x7fñ\uFFFD\uFFFD😀");
    check(escape_xml, "\xc3(", 2, "\uFFFD(");
}
END_TEST

START_TEST(tsv)
{
    check(escape_tsv, "a\tb\nc\rd\\e<f\0", 12, "a\\tb\\nc\\rd\\\\e<f");
    check(escape_tsv, "\xffñ", 3, "\uFFFDñ");
}
END_TEST

START_TEST(what_comes_out_is_well_formed)
{
    static Escape *const escapes[] = {escape_json, escape_xml, escape_tsv};
    Rng rng = rng_at(11, 0, 0);
    for (int round = 0; round < 3000; round++) {
        char text[24];
        size_t size = rng_below(&rng, sizeof text + 1);
        for (size_t i = 0; i < size; i++)
            text[i] = (char)(rng_below(&rng, 2) ? 0x20 + rng_below(&rng, 0x5F) : rng_below(&rng, 256));
        Buf out = {0};
        escapes[round % 3](&out, text, size);
        uint32_t code;
        for (size_t at = 0; at < out.size;)
            ck_assert(utf8_next(out.data, out.size, &at, &code));
        buf_free(&out);
    }
}
END_TEST

Suite *escape_suite(void)
{
    Suite *suite = suite_create("escape");
    TCase *tests = tcase_create("escape");
    tcase_add_test(tests, json);
    tcase_add_test(tests, xml);
    tcase_add_test(tests, tsv);
    tcase_add_test(tests, what_comes_out_is_well_formed);
    suite_add_tcase(suite, tests);
    return suite;
}
