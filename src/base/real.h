/* real.h - the one floating-point type.
 *
 * Everything is computed in single precision. The gradient check compiles the same sources with
 * -DREAL_IS_DOUBLE: central differences need the digits, and what they check is then the very code
 * that trains. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#ifdef REAL_IS_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
