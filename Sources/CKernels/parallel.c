// One pool of threads for everything. Workers spin for a moment after a job, since the next op follows at once, and
// sleep when none does.
#include "CKernels.h"
#include <pthread.h>
#include <sched.h>
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

// Generation of the job in the high half; below it whether workers may still join, and how many are inside. A caller
// waits only for workers that joined: one that the system has preempted holds nobody up.
#define OPEN (1ull << 31)
static atomic_ullong state;
static atomic_int sleepers;
// Sleepers that the present job still wants awake.
static atomic_int wanted;
static _Thread_local int number;

static void work(void) {
    inside = 1;
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&next_index, 1, memory_order_relaxed);
        if (i >= job_count) break;
        job_body(job_context, i);
    }
    inside = 0;
}

static void rest(int spins) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
    if (spins > 2000) sched_yield();
}

// Wakes up to `count` sleepers. Whoever is woken wakes two more: a caller with 64 workers pays for one, and a job of four parts
// wakes no more than three.
static void rouse(int count) {
    int left = atomic_load(&wanted);
    while (count > 0 && left > 0) {
        if (!atomic_compare_exchange_weak(&wanted, &left, left - 1)) continue;
        pthread_mutex_lock(&sleeping);
        pthread_cond_signal(&wake);
        pthread_mutex_unlock(&sleeping);
        count--;
        left = atomic_load(&wanted);
    }
}

static void *worker(void *place) {
    number = (int)(size_t)place;
    unsigned long long seen = 0;
    int spins = 0;
    for (;;) {
        unsigned long long now = atomic_load(&state);
        if (now >> 32 == seen) {
            if (++spins < 8000) {
#if defined(__x86_64__)
                __builtin_ia32_pause();
#endif
                continue;
            }
            pthread_mutex_lock(&sleeping);
            atomic_fetch_add(&sleepers, 1);
            while (atomic_load(&state) >> 32 == seen) pthread_cond_wait(&wake, &sleeping);
            atomic_fetch_sub(&sleepers, 1);
            pthread_mutex_unlock(&sleeping);
            rouse(2);
            spins = 0;
            continue;
        }
        if (now & OPEN) {
            if (!atomic_compare_exchange_strong(&state, &now, now + 1)) continue;
            work();
            atomic_fetch_sub(&state, 1);
        }
        seen = now >> 32;
        spins = 0;
    }
    return NULL;
}

static void start(void) {
    if (threads <= 0) threads = ck_processors();
    if (threads < 1) threads = 1;
    for (int i = 1; i < threads; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, worker, (void *)(size_t)i) != 0) {
            threads = i;
            break;
        }
        pthread_detach(t);
    }
}

int ck_processors(void) {
#ifdef __linux__
    // A set of the size that C libraries have by default is too small for the largest machines.
    for (int size = CPU_SETSIZE; size <= 1 << 20; size *= 2) {
        cpu_set_t *set = CPU_ALLOC(size);
        if (set == NULL) break;
        int failed = sched_getaffinity(0, CPU_ALLOC_SIZE(size), set);
        int count = failed ? 0 : CPU_COUNT_S(CPU_ALLOC_SIZE(size), set);
        CPU_FREE(set);
        if (count > 0) return count;
    }
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : (int)online;
}

void ck_parallel_set_threads(int count) { threads = count; }

int ck_parallel_threads(void) {
    pthread_once(&once, start);
    return threads;
}

int ck_parallel_inside(void) { return inside; }

int ck_parallel_number(void) { return number; }

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
    atomic_store(&next_index, 0);
    atomic_store(&state, ((atomic_load(&state) >> 32) + 1) << 32 | OPEN);
    // Those that are awake see the job by themselves.
    int asleep = atomic_load(&sleepers);
    int useful = count - 1 < (size_t)threads - 1 ? (int)count - 1 : threads - 1;
    if (asleep > 0 && useful > threads - 1 - asleep) {
        atomic_store(&wanted, useful - (threads - 1 - asleep));
        rouse(1);
    }
    work();
    atomic_store(&wanted, 0);
    atomic_fetch_and(&state, ~OPEN);
    for (int spins = 0; (atomic_load(&state) & (OPEN - 1)) != 0; spins++) rest(spins);
    pthread_mutex_unlock(&caller);
}
