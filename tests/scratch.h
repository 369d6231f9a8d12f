/* scratch.h - an empty directory for one test.
 *
 *     scratch_start():  we stand in a new directory under /tmp
 *     scratch_end():    it is gone, with the files in it, and we stand where we stood before */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

void scratch_start(void);
void scratch_end(void);

#endif
