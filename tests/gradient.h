/* gradient.h - analytic gradients against central differences, every parameter, signed.
 *
 *     numeric = (loss(x + step) - loss(x - step)) / (2 step)
 *
 * must differ from the analytic one by at most 1e-6 x max(|analytic|, |numeric|, 1e-3 x the largest gradient
 * of the same parameter). Only the double build has the digits: in the float build the check is skipped
 * by not being added to the suite. */
#ifndef TESTS_GRADIENT_H
#define TESTS_GRADIENT_H

#include "math/tape.h"

/* The loss of the parameters as they are; when gradient is not NULL, its gradient is added to it. */
typedef double GradientLoss(void *data, Params *params, real *gradient);

/* Checks every number of every parameter; fails the running test, naming the worst, when one is off. Returns the
 * largest error met, relative to what is allowed (1: just allowed). */
double gradient_check(const char *name, Params *params, GradientLoss *loss, void *data);

#endif
