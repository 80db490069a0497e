// Which instructions multiply brain floats here: AMX's tiles, AVX-512's pairs, or none, where pairs are split into float32.
#include "CKernels.h"
#include "vector.h"
#include <stdlib.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[] = {"float32", "avx512_bf16", "amx_bf16"};
static int chosen;
static _Thread_local int held;

int ck_pair_unit_of(int level, int has_pairs, int has_tiles, int tiles_granted) {
    if (level < 2 || !has_pairs) return CK_PAIRS_PLAIN;
    return has_tiles && tiles_granted ? CK_PAIRS_AMX : CK_PAIRS_AVX512;
}

#if defined(__x86_64__)

static int has_pairs(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") != 0;
}

// The processor has the tiles and their products, and the system saves them.
static int has_tiles(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned tile = 1u << 24, products = 1u << 22;
    if ((d & tile) == 0 || (d & products) == 0) return 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & (1u << 27)) == 0) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    const unsigned state = 3u << 17;
    return (low & state) == state;
}

// A process asks Linux for the tiles' eight kilobytes of state once, before it uses them.
static int ask_for_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static int best(void) {
    if (!has_pairs()) return CK_PAIRS_PLAIN;
    int tiles = has_tiles();
    return ck_pair_unit_of(2, 1, tiles, tiles && ask_for_tiles());
}

#else

static int best(void) { return CK_PAIRS_PLAIN; }

#endif

static int named(const char *name) {
    for (int unit = 0; unit <= 2; unit++)
        if (strcmp(name, names[unit]) == 0) return unit;
    return -1;
}

// Before main, so that a call needs no lock to know the unit.
__attribute__((constructor)) static void choose(void) {
    chosen = best();
    const char *asked = getenv("ATTUNE_BFLOAT16_UNIT");
    int unit = asked ? named(asked) : -1;
    if (unit >= 0 && unit < chosen) chosen = unit;
}

enum ck_pair_unit ck_pair_unit(void) {
    int unit = held ? held - 1 : chosen;
    return ck_level() < 2 ? CK_PAIRS_PLAIN : (enum ck_pair_unit)unit;
}

const char *ck_pair_unit_name(void) { return names[ck_pair_unit()]; }

int ck_hold_pair_unit(const char *name) {
    int unit = name ? named(name) : -1;
    if (name && (unit < 0 || unit > chosen)) return 0;
    held = unit + 1;
    return 1;
}
