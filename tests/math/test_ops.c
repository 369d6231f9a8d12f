/* test_ops.c - each op: a row says how to build it from parameters; its gradient is checked in the double
 * build, and every value against a formula written out again here. */
#include "base/rng.h"
#include "gradient.h"
#include "math/attend.h"
#include "math/ops.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, COLS = 4 };

/* Parameters that the cases take their inputs from. */
typedef struct {
    Params params;
    const Param *x, *y, *wide, *wider, *matrix, *recurrent, *tied, *bias, *vector;
} World;

static void world_start(World *world)
{
    Params *params = &world->params;
    world->x = params_add(params, "x", ROWS, COLS, PARAM_TABLE);
    world->y = params_add(params, "y", ROWS, COLS, PARAM_TABLE);
    world->wide = params_add(params, "wide", ROWS, 4 * COLS, PARAM_TABLE);
    world->wider = params_add(params, "wider", 3 * ROWS, COLS, PARAM_TABLE);
    world->matrix = params_add(params, "matrix", COLS, 5, PARAM_MATRIX);
    world->recurrent = params_add(params, "recurrent", COLS, 4 * COLS, PARAM_MATRIX);
    world->tied = params_add(params, "tied", 6, COLS, PARAM_TIED);
    world->bias = params_add(params, "bias", 1, 5, PARAM_VECTOR);
    world->vector = params_add(params, "vector", 1, COLS, PARAM_VECTOR);
    params_allocate(params);
    for (size_t k = 0; k < params->size; k++) {
        Rng rng = rng_at(5, 0, k);
        params->value[k] = (real)rng_normal(&rng);
    }
    params_pack(params, 0, params->count);
}

/* A parameter as an op's input. */
static Tensor input(Tape *tape, const Param *param)
{
    int id[3 * ROWS];
    for (int i = 0; i < param->rows; i++)
        id[i] = i;
    return op_embed(tape, param, id, param->rows);
}

static Tensor build_embed(Tape *tape, const World *world)
{
    const int id[] = {2, 0, 2, 1};
    return op_embed(tape, world->x, id, 4);
}

static Tensor build_linear(Tape *tape, const World *world)
{
    return op_linear(tape, input(tape, world->x), world->matrix, world->bias);
}

static Tensor build_linear_tied(Tape *tape, const World *world)
{
    return op_linear(tape, input(tape, world->x), world->tied, NULL);
}

static Tensor build_join(Tape *tape, const World *world)
{
    return op_join(tape, input(tape, world->x), op_tanh(tape, input(tape, world->wide)));
}

static Tensor build_put(Tape *tape, const World *world)
{
    Tensor all = tape_zeros(tape, 2 * ROWS, COLS);
    op_put(tape, tensor_rows(all, ROWS, ROWS), op_tanh(tape, input(tape, world->x)));
    op_put(tape, tensor_rows(all, 0, ROWS), input(tape, world->y));
    return all;
}

static Tensor build_pick(Tape *tape, const World *world)
{
    const int row[] = {2, 2, 0};
    return op_pick(tape, op_tanh(tape, input(tape, world->x)), row, 3);
}

static Tensor build_dropout(Tape *tape, const World *world)
{
    static const uint32_t key[ROWS] = {7, 8, 9};
    tape->draw = (Draw){.seed = 3, .key = key, .rows = ROWS};
    Tensor y = op_dropout(tape, input(tape, world->wide), 0.4);
    return op_dropout_rows(tape, y, 0.3);
}

static const int length[ROWS] = {2, 1, 3};

static Tensor build_lstm(Tape *tape, const World *world)
{
    RnnState state = {.h = input(tape, world->x), .c = input(tape, world->y)};
    for (int t = 0; t < 3; t++) {
        Tensor gates = input(tape, world->wide);
        op_linear_onto(tape, gates, state.h, world->recurrent);
        state = op_lstm(tape, gates, state, length, t);
    }
    return op_join(tape, state.h, state.c);
}

static Tensor build_gru(Tape *tape, const World *world)
{
    RnnState state = {.h = input(tape, world->x)};
    Tensor y = input(tape, world->y), gates = op_join(tape, op_join(tape, y, state.h), y);
    for (int t = 0; t < 3; t++)
        state = op_gru(tape, gates, op_join(tape, op_join(tape, state.h, y), state.h), state, length, t);
    return state.h;
}

static Tensor attend(Tape *tape, const World *world, AttendForm form)
{
    static const int sentence[] = {1, 2, 1};
    AttendSpec spec = {.form = form, .scale = (real)0.7, .score = world->vector};
    Tensor states = input(tape, world->wider);
    Memory memory = {.key = states, .value = op_tanh(tape, states), .sentences = 3, .stride = 3, .length = length};
    Attended read = op_attend(tape, &spec, input(tape, world->x), &memory, sentence);
    return op_join(tape, read.context, read.weights); /* a gradient into the weights too */
}

static Tensor build_attend_dot(Tape *tape, const World *world)
{
    return attend(tape, world, ATTEND_DOT);
}

static Tensor build_attend_additive(Tape *tape, const World *world)
{
    return attend(tape, world, ATTEND_ADDITIVE);
}

static const struct {
    const char *name;
    Tensor (*build)(Tape *tape, const World *world);
} cases[] = {
    {"embed", build_embed},     {"linear", build_linear},   {"linear tied", build_linear_tied},
    {"join", build_join},       {"put", build_put},         {"pick", build_pick},
    {"dropout", build_dropout}, {"lstm", build_lstm},       {"gru", build_gru},
    {"attend dot", build_attend_dot}, {"attend additive", build_attend_additive},
};

/* loss = sum of c[k] y[k], with the c[k] all different. */
static double case_loss(Tape *tape, const World *world, int number)
{
    Tensor y = cases[number].build(tape, world);
    double loss = 0;
    for (size_t k = 0; k < tensor_size(y); k++) {
        double c = sin(1 + 1.7 * (double)k);
        loss += c * (double)y.value[k];
        if (tape->recording)
            y.grad[k] += (real)c;
    }
    tape_backward(tape, (TapeMark){0});
    tape->draw = (Draw){0};
    tape_reset(tape);
    return loss;
}

#ifdef REAL_IS_DOUBLE
typedef struct {
    World world;
    Tape *tape;
    int number;
} Check;

static double check_loss(void *data, Params *params, real *gradient)
{
    (void)params;
    Check *check = data;
    check->tape->recording = gradient != NULL;
    check->tape->gradient = gradient;
    return case_loss(check->tape, &check->world, check->number);
}

START_TEST(op_has_its_gradient)
{
    static Check check;
    check = (Check){.tape = tape_new(kernel_best()), .number = _i};
    world_start(&check.world);
    gradient_check(cases[_i].name, &check.world.params, check_loss, &check);
    tape_free(check.tape);
    params_free(&check.world.params);
}
END_TEST

static double entropy_loss(void *data, Params *params, real *gradient)
{
    (void)params;
    static const int target[] = {5, -1, 0};
    Check *check = data;
    Tape *tape = check->tape;
    tape->recording = gradient != NULL;
    tape->gradient = gradient;
    Tensor logits = op_logits(tape, input(tape, check->world.x), check->world.tied, NULL);
    double loss = op_cross_entropy(tape, logits, target, 0.1, 1, NULL);
    tape_backward(tape, (TapeMark){0});
    tape_reset(tape);
    return loss;
}

START_TEST(cross_entropy_has_its_gradient)
{
    static Check check;
    check = (Check){.tape = tape_new(kernel_best())};
    world_start(&check.world);
    gradient_check("cross-entropy", &check.world.params, entropy_loss, &check);
    tape_free(check.tape);
    params_free(&check.world.params);
}
END_TEST
#endif

/* Recording must not change what is computed. */
START_TEST(recording_changes_nothing)
{
    static World world; /* each test is a process of its own: zero here */
    memset(&world, 0, sizeof world);
    world_start(&world);
    Tape *tape = tape_new(kernel_best());
    double plain = case_loss(tape, &world, _i);
    tape->recording = true;
    tape->gradient = memory_take_zeros(world.params.size, sizeof(real));
    double recorded = case_loss(tape, &world, _i);
    ck_assert_mem_eq(&plain, &recorded, sizeof plain);
    free(tape->gradient);
    tape_free(tape);
    params_free(&world.params);
}
END_TEST

START_TEST(attention_is_its_formula)
{
    static World world; /* each test is a process of its own: zero here */
    memset(&world, 0, sizeof world);
    world_start(&world);
    Tape *tape = tape_new(kernel_best());
    for (int form = ATTEND_DOT; form <= ATTEND_ADDITIVE; form++) {
        Tensor y = attend(tape, &world, (AttendForm)form);
        const int sentence[] = {1, 2, 1};
        for (int i = 0; i < ROWS; i++) {
            double score[3], sum = 0, context[COLS] = {0};
            const real *key = world.wider->value + sentence[i] * 3 * COLS;
            for (int s = 0; s < length[sentence[i]]; s++) {
                score[s] = 0;
                for (int k = 0; k < COLS; k++) {
                    double q = (double)world.x->value[i * COLS + k], m = (double)key[s * COLS + k];
                    score[s] += form == ATTEND_DOT ? 0.7 * q * m : (double)world.vector->value[k] * tanh(q + m);
                }
                sum += exp(score[s]);
            }
            for (int s = 0; s < 3; s++) {
                double weight = s < length[sentence[i]] ? exp(score[s]) / sum : 0;
                ck_assert_double_eq_tol((double)y.value[i * (COLS + 3) + COLS + s], weight, 1e-6);
                for (int k = 0; k < COLS; k++)
                    context[k] += weight * tanh((double)key[s * COLS + k]);
            }
            for (int k = 0; k < COLS; k++)
                ck_assert_double_eq_tol((double)y.value[i * (COLS + 3) + k], context[k], 2e-6);
        }
        tape_reset(tape);
    }
    tape_free(tape);
    params_free(&world.params);
}
END_TEST

/* A huge score must not overflow: softmax subtracts the maximum. */
START_TEST(softmax_is_stable)
{
    real row[] = {1000, 999, -1000};
    real log_sum = kernel_best()->softmax(row, 3);
    ck_assert_double_eq_tol((double)log_sum, 1000 + log(1 + exp(-1)), 1e-3);
    ck_assert_double_eq_tol((double)row[0], 1 / (1 + exp(-1)), 1e-6);
    ck_assert(row[2] == 0);
}
END_TEST

START_TEST(lstm_is_its_formula)
{
    Tape *tape = tape_new(kernel_best());
    Tensor gates = tape_tensor(tape, 1, 4);
    RnnState state = {.h = tape_tensor(tape, 1, 1), .c = tape_tensor(tape, 1, 1)};
    const double gate[] = {0.3, -0.8, 1.1, 0.6};
    for (int k = 0; k < 4; k++)
        gates.value[k] = (real)gate[k];
    state.h.value[0] = (real)0.5;
    state.c.value[0] = (real)-0.4;
    RnnState next = op_lstm(tape, gates, state, NULL, 0);
    double i = 1 / (1 + exp(-0.3)), f = 1 / (1 + exp(0.8)), o = 1 / (1 + exp(-1.1)), g = tanh(0.6);
    double c = f * -0.4 + i * g;
    ck_assert_double_eq_tol((double)next.c.value[0], c, 1e-6);
    ck_assert_double_eq_tol((double)next.h.value[0], o * tanh(c), 1e-6);
    tape_free(tape);
}
END_TEST

START_TEST(gru_is_its_formula)
{
    Tape *tape = tape_new(kernel_best());
    Tensor input_half = tape_tensor(tape, 1, 3), recurrent = tape_tensor(tape, 1, 3);
    RnnState state = {.h = tape_tensor(tape, 1, 1)};
    const double in[] = {0.3, -0.8, 1.1}, back[] = {0.2, 0.4, -0.7};
    for (int k = 0; k < 3; k++) {
        input_half.value[k] = (real)in[k];
        recurrent.value[k] = (real)back[k];
    }
    state.h.value[0] = (real)0.5;
    RnnState next = op_gru(tape, input_half, recurrent, state, NULL, 0);
    double z = 1 / (1 + exp(-0.5)), r = 1 / (1 + exp(0.4)), n = tanh(1.1 + r * -0.7);
    ck_assert_double_eq_tol((double)next.h.value[0], (1 - z) * n + z * 0.5, 1e-6);
    tape_free(tape);
}
END_TEST

START_TEST(cross_entropy_is_its_formula)
{
    Tape *tape = tape_new(kernel_best());
    Tensor logits = tape_tensor(tape, 2, 3);
    const double x[] = {1, 2, -1};
    for (int k = 0; k < 3; k++)
        logits.value[k] = logits.value[3 + k] = (real)x[k];
    const int target[] = {2, -1};
    double plain = 0, loss = op_cross_entropy(tape, logits, target, 0.3, 1, &plain);
    double log_sum = log(exp(1) + exp(2) + exp(-1)), own = log_sum + 1;
    double mean = ((log_sum - 1) + (log_sum - 2) + (log_sum + 1)) / 3;
    ck_assert_double_eq_tol(plain, own, 1e-6);
    ck_assert_double_eq_tol(loss, 0.7 * own + 0.3 * mean, 1e-6);
    tape_free(tape);
}
END_TEST

START_TEST(dropout_keeps_its_rate_and_its_draws)
{
    enum { N = 400 };
    static const uint32_t key[2] = {11, 12}, swapped[2] = {12, 11};
    Tape *tape = tape_new(kernel_best());
    Tensor x = tape_tensor(tape, 2, N);
    for (int k = 0; k < 2 * N; k++)
        x.value[k] = 1;
    tape->draw = (Draw){.seed = 1, .key = key, .rows = 2};
    Tensor y = op_dropout(tape, x, 0.25);
    tape->draw = (Draw){.seed = 1, .key = swapped, .rows = 2};
    Tensor z = op_dropout(tape, x, 0.25);
    int zeros = 0;
    for (int k = 0; k < 2 * N; k++) {
        zeros += y.value[k] == 0;
        ck_assert(y.value[k] == 0 || fabs((double)y.value[k] - 4.0 / 3) < 1e-6);
    }
    /* Four standard deviations of a binomial of 800 draws at 0.25. */
    ck_assert_double_eq_tol(zeros, 200, 4 * sqrt(800 * 0.25 * 0.75));
    /* A sentence's draws do not depend on its row. */
    ck_assert_mem_eq(y.value, z.value + N, N * sizeof(real));
    ck_assert(memcmp(y.value, y.value + N, N * sizeof(real)) != 0);
    tape_free(tape);
}
END_TEST

Suite *ops_suite(void)
{
    Suite *suite = suite_create("ops");
    TCase *tests = tcase_create("ops");
    int count = (int)(sizeof cases / sizeof *cases);
#ifdef REAL_IS_DOUBLE
    tcase_add_loop_test(tests, op_has_its_gradient, 0, count);
    tcase_add_test(tests, cross_entropy_has_its_gradient);
#endif
    tcase_add_loop_test(tests, recording_changes_nothing, 0, count);
    tcase_add_test(tests, attention_is_its_formula);
    tcase_add_test(tests, softmax_is_stable);
    tcase_add_test(tests, lstm_is_its_formula);
    tcase_add_test(tests, gru_is_its_formula);
    tcase_add_test(tests, cross_entropy_is_its_formula);
    tcase_add_test(tests, dropout_keeps_its_rate_and_its_draws);
    suite_add_tcase(suite, tests);
    return suite;
}
