#include "base/pool.h"

#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct Pool {
    int workers, threads; /* shares; threads beside the caller, numbered 1 .. threads */
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    unsigned round; /* counts calls of pool_run */
    int running;    /* threads still at work in this round */
    bool end;
    PoolWork *work;
    void *job;
};

typedef struct {
    Pool *pool;
    int worker;
} Place;

static void *thread_main(void *argument)
{
    Place place = *(Place *)argument;
    Pool *pool = place.pool;
    free(argument);
    unsigned seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->end && pool->round == seen)
            pthread_cond_wait(&pool->start, &pool->lock);
        if (pool->end)
            break;
        seen = pool->round;
        pthread_mutex_unlock(&pool->lock);
        pool->work(pool->job, place.worker);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

Pool *pool_new(int workers)
{
    Pool *pool = memory_take_zeros(1, sizeof *pool);
    pool->workers = workers;
    pool->thread = memory_take_zeros((size_t)workers, sizeof *pool->thread);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 1; i < workers; i++) {
        Place *place = memory_take(sizeof *place);
        *place = (Place){pool, i};
        if (pthread_create(&pool->thread[i], NULL, thread_main, place) != 0) {
            free(place);
            break;
        }
        pool->threads++;
    }
    return pool;
}

int pool_workers(const Pool *pool)
{
    return pool->workers;
}

void pool_run(Pool *pool, PoolWork *work, void *job)
{
    pthread_mutex_lock(&pool->lock);
    pool->work = work;
    pool->job = job;
    pool->running = pool->threads;
    pool->round++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);

    work(job, 0);
    for (int i = pool->threads + 1; i < pool->workers; i++)
        work(job, i);

    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void pool_free(Pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->end = true;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i <= pool->threads; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->start);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->lock);
    free(pool->thread);
    free(pool);
}
