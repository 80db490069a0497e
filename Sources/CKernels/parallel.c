// One pool of threads for everything. Workers spin for a moment after a job, since the next op follows at once, and
// sleep when none does.
#include "CKernels.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef void (*Body)(void *, size_t);

static int threads;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t caller = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t sleeping = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static _Thread_local int inside;

static Body job_body;
static void *job_context;
static size_t job_count;
static atomic_size_t next_index;
static atomic_uint generation;  // a new value announces a job
static atomic_int active;       // workers that have not finished the job
static atomic_int sleepers;

static void work(void) {
    inside = 1;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&next_index, 1, memory_order_relaxed);
        if (i >= job_count) break;
        job_body(job_context, i);
    }
    inside = 0;
}

static void *worker(void *unused) {
    (void)unused;
    unsigned seen = 0;
    for (;;) {
        int spins = 0;
        while (atomic_load_explicit(&generation, memory_order_acquire) == seen) {
            if (++spins < 20000) {
#if defined(__x86_64__)
                __builtin_ia32_pause();
#endif
                continue;
            }
            pthread_mutex_lock(&sleeping);
            atomic_fetch_add(&sleepers, 1);
            while (atomic_load(&generation) == seen) pthread_cond_wait(&wake, &sleeping);
            atomic_fetch_sub(&sleepers, 1);
            pthread_mutex_unlock(&sleeping);
        }
        seen = atomic_load_explicit(&generation, memory_order_acquire);
        work();
        atomic_fetch_sub_explicit(&active, 1, memory_order_release);
    }
    return NULL;
}

static void start(void) {
    if (threads <= 0) threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (threads < 1) threads = 1;
    for (int i = 1; i < threads; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, worker, NULL) != 0) {
            threads = i;
            break;
        }
        pthread_detach(t);
    }
}

void ck_parallel_set_threads(int count) { threads = count; }

int ck_parallel_threads(void) {
    pthread_once(&once, start);
    return threads;
}

void ck_parallel(size_t count, void *context, Body body) {
    pthread_once(&once, start);
    // A caller that finds the pool taken does its own work: waiting would gain nothing.
    if (count <= 1 || threads == 1 || inside || pthread_mutex_trylock(&caller) != 0) {
        for (size_t i = 0; i < count; i++) body(context, i);
        return;
    }
    job_body = body;
    job_context = context;
    job_count = count;
    atomic_store_explicit(&next_index, 0, memory_order_relaxed);
    atomic_store_explicit(&active, threads - 1, memory_order_relaxed);
    atomic_fetch_add(&generation, 1);
    if (atomic_load(&sleepers) > 0) {
        pthread_mutex_lock(&sleeping);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&sleeping);
    }
    work();
    while (atomic_load_explicit(&active, memory_order_acquire) > 0) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    pthread_mutex_unlock(&caller);
}

const char *ck_vector_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
        return "x86-64-v4";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "x86-64-v3";
#endif
    return "default";
}
