// Which instruction set runs: that of the processor, or a lower one on request. It decides which clone of each loop is
// called (vector.h) and who multiplies matrices (gemm.c or a BLAS).
#include "CKernels.h"
#include "vector.h"
#include <stdlib.h>

static const char *const levels[] = {"default", "x86-64-v3", "x86-64-v4"};
int ck_chosen_level;
_Thread_local int ck_held_level;

static int processor(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return 1;
#endif
    return 0;
}

static int named(const char *name) {
    for (int level = 0; level <= 2; level++)
        if (strcmp(name, levels[level]) == 0) return level;
    return -1;
}

// Before main, so that a call needs no lock to know the level.
__attribute__((constructor)) static void choose(void) {
    ck_chosen_level = processor();
    const char *asked = getenv("ATTUNE_VECTOR_LEVEL");
    int level = asked ? named(asked) : -1;
    if (level >= 0 && level < ck_chosen_level) ck_chosen_level = level;
}

const char *ck_processor_level(void) { return levels[processor()]; }

const char *ck_vector_level(void) { return levels[ck_chosen_level]; }

int ck_hold_vector_level(const char *name) {
    int level = name ? named(name) : -1;
    if (name && (level < 0 || level > processor())) return 0;
    ck_held_level = level + 1;
    return 1;
}
