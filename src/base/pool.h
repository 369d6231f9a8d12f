/* pool.h - worker threads that all do the same job, each on its share.
 *
 *     Pool *pool = pool_new(2);
 *     pool_run(pool, work, &job);      calls work(&job, 0) and work(&job, 1), returns when both have
 *     pool_free(pool);
 *
 * Worker 0 is the calling thread. Who does what is decided by the worker's number alone, never by who
 * is free: so results do not depend on timing. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

typedef struct Pool Pool;
typedef void PoolWork(void *job, int worker);

/* workers >= 1. Fewer threads than asked for may be had from the system: the calling thread then
 * does the shares of those that are missing. */
Pool *pool_new(int workers);
int pool_workers(const Pool *pool);
void pool_run(Pool *pool, PoolWork *work, void *job);
void pool_free(Pool *pool);

#endif
