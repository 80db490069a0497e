// Which instruction set runs. The loops marked CK_CLONES are chosen by the loader, for the processor; what is chosen here
// is the kind of product (gemm.c or a BLAS), so that a machine with AVX-512 can run what one without it would.
#include "CKernels.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const levels[] = {"default", "x86-64-v3", "x86-64-v4"};
static int chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int processor(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

static void choose(void) {
    chosen = processor();
    const char *asked = getenv("ATTUNE_VECTOR_LEVEL");
    for (int level = 0; asked && level < chosen; level++)
        if (strcmp(asked, levels[level]) == 0) chosen = level;
}

const char *ck_processor_level(void) { return levels[processor()]; }

const char *ck_vector_level(void) {
    pthread_once(&once, choose);
    return levels[chosen];
}
