/* sign.h - makes the digests of a model file agree with whatever stands in it, so that what lies behind them is
 * reached by files that are wrong on purpose. */
#ifndef TESTS_FUZZ_SIGN_H
#define TESTS_FUZZ_SIGN_H

#include <sqlite3.h>

/* Works on the rows alone, with the bytes that models/MODEL.md lists; what cannot be read is left as it is. */
void sign_model(sqlite3 *db);

#endif
