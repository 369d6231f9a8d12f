#include "math/tape.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

Tape *tape_new(const Kernel *kernel)
{
    Tape *tape = memory_take_zeros(1, sizeof *tape);
    tape->kernel = kernel;
    return tape;
}

void tape_free(Tape *tape)
{
    if (!tape)
        return;
    arena_free(&tape->arena);
    free(tape);
}

void tape_reset(Tape *tape)
{
    tape_rewind(tape, (TapeMark){0});
    tape->draw.place = 0;
}

size_t tensor_size(Tensor x)
{
    return (size_t)x.rows * (size_t)x.cols;
}

Tensor tape_tensor(Tape *tape, int rows, int cols)
{
    assert(rows >= 0 && cols > 0);
    Tensor x = {.rows = rows, .cols = cols};
    size_t bytes = tensor_size(x) * sizeof(real);
    x.value = arena_take(&tape->arena, bytes);
    if (tape->recording)
        x.grad = arena_take_zeros(&tape->arena, bytes);
    return x;
}

Tensor tape_zeros(Tape *tape, int rows, int cols)
{
    Tensor x = tape_tensor(tape, rows, cols);
    memset(x.value, 0, tensor_size(x) * sizeof(real));
    return x;
}

void *tape_node(Tape *tape, size_t bytes, void (*backward)(Tape *, const Node *))
{
    assert(tape->recording && bytes >= sizeof(Node));
    Node *node = arena_take(&tape->arena, bytes);
    node->before = tape->last;
    node->backward = backward;
    tape->last = node;
    return node;
}

TapeMark tape_mark(const Tape *tape)
{
    return (TapeMark){tape->last, arena_mark(&tape->arena)};
}

struct Outer {
    Outer *before;
    const Param *param;
    const real *a, *b;
    int rows;
};

void tape_outer(Tape *tape, const Param *param, const real *a, const real *b, int rows)
{
    Outer *outer = arena_take(&tape->arena, sizeof *outer);
    *outer = (Outer){tape->outer, param, a, b, rows};
    tape->outer = outer;
}

/* All products for one parameter as one: the left sides side by side, transposed, [param->rows, rows]; the
 * right sides one below the other, packed. Takes them out of the list. */
static void multiply_outer(Tape *tape, const Param *param)
{
    int rows = 0, at = 0;
    for (const Outer *outer = tape->outer; outer; outer = outer->before)
        rows += outer->param == param ? outer->rows : 0;
    real *left = arena_take(&tape->arena, (size_t)param->rows * (size_t)rows * sizeof *left);
    Pack right = pack_new(&tape->arena, rows, param->cols, PACK_REAL);
    for (Outer **link = &tape->outer; *link;) {
        const Outer *outer = *link;
        if (outer->param != param) {
            link = &(*link)->before;
            continue;
        }
        matrix_transpose(left + at, rows, outer->a, param->rows, outer->rows, param->rows);
        pack_fill(&right, at, outer->rows, outer->b, param->cols, false);
        at += outer->rows;
        *link = outer->before;
    }
    tape->kernel->product(tape_gradient(tape, param), param->cols, left, rows, param->rows, &right, true);
}

void tape_backward(Tape *tape, TapeMark mark)
{
    for (; tape->last != mark.last; tape->last = tape->last->before)
        tape->last->backward(tape, tape->last);
    while (tape->outer) {
        ArenaMark memory = arena_mark(&tape->arena);
        multiply_outer(tape, tape->outer->param);
        arena_rewind(&tape->arena, memory);
    }
}

void tape_rewind(Tape *tape, TapeMark mark)
{
    tape->last = mark.last;
    arena_rewind(&tape->arena, mark.memory);
}

real *tape_gradient(const Tape *tape, const Param *param)
{
    return tape->recording ? tape->gradient + param->at : NULL;
}

Tensor tensor_rows(Tensor x, int at, int n)
{
    assert(at >= 0 && n >= 0 && at + n <= x.rows);
    size_t skip = (size_t)at * (size_t)x.cols;
    return (Tensor){n, x.cols, x.value + skip, x.grad ? x.grad + skip : NULL};
}
