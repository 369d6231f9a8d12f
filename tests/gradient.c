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

static double check_param(const char *name, Params *params, const Param *param, const real *analytic,
                          GradientLoss *loss, void *data)
{
    const double step = 1e-5;
    size_t n = (size_t)param->rows * (size_t)param->cols;
    double largest = 0, worst = 0;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, fabs((double)analytic[param->at + k]));
    for (size_t k = 0; k < n; k++) {
        real *x = &param->value[k], before = *x;
        *x = before + (real)step;
        double up = loss_at(params, loss, data);
        *x = before - (real)step;
        double down = loss_at(params, loss, data);
        *x = before;
        double numeric = (up - down) / (2 * step), exact = (double)analytic[param->at + k];
        double allowed = 1e-6 * fmax(fmax(fabs(exact), fabs(numeric)), 1e-3 * largest);
        double error = fabs(exact - numeric);
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
