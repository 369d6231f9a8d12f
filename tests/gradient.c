#include "gradient.h"

#include "base/arena.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static double loss_at(Params *params, GradientLoss *loss, void *data)
{
    params_pack(params, 0, params->count);
    return loss(data, params, NULL);
}

/* The mean of central differences at steps of 1e-5 that differ by a thousandth: what rounding of the loss
 * does to each is different, and averages out. */
static double numeric_gradient(Params *params, real *x, int repeats, GradientLoss *loss, void *data)
{
    double sum = 0, before = (double)*x;
    for (int i = 0; i < repeats; i++) {
        double step = 1e-5 * (1 + 1e-3 * i);
        *x = (real)(before + step);
        double up = loss_at(params, loss, data);
        *x = (real)(before - step);
        sum += (up - loss_at(params, loss, data)) / (2 * step);
    }
    *x = (real)before;
    return sum / repeats;
}

static double check_param(const char *name, Params *params, const Param *param, const real *analytic,
                          GradientLoss *loss, void *data)
{
    size_t n = (size_t)param->rows * (size_t)param->cols;
    double largest = 0, worst = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, fabs((double)analytic[param->at + k]));
    for (size_t k = 0; k < n; k++) {
        double exact = (double)analytic[param->at + k], numeric, allowed, error;
        for (int repeats = 1; repeats <= 64; repeats *= 64) { /* again only where one is not enough */
            numeric = numeric_gradient(params, &param->value[k], repeats, loss, data);
            allowed = 1e-6 * fmax(fmax(fabs(exact), fabs(numeric)), 1e-3 * largest);
            error = fabs(exact - numeric);
            if (error <= allowed / 2)
                break;
        }
        if (error > 0)
            worst = fmax(worst, error / allowed);
        ck_assert_msg(error <= allowed, "%s: %s[%zu]: analytic %.12g, numeric %.12g", name,
                      param->name, k, exact, numeric);
    }
    return worst;
}

double gradient_check(const char *name, Params *params, GradientLoss *loss, void *data)
{
    real *analytic = memory_take_zeros(params->size, sizeof *analytic);
    params_pack(params, 0, params->count);
    loss(data, params, analytic);
    double worst = 0;
    for (int i = 0; i < params->count; i++)
        worst = fmax(worst, check_param(name, params, &params->list[i], analytic, loss, data));
    free(analytic);
    return worst;
}
