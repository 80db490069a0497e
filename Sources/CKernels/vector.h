// What the loops share: run-time dispatch over vector levels and a polynomial exp.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CK_INLINE static inline __attribute__((always_inline))

/// Sixteen floats anywhere in memory. Functions that hold many of them say CK_WIDE too: without a minimum width clang
/// splits 512-bit vectors in two.
typedef float v16 __attribute__((vector_size(64), aligned(4)));
#define LOAD(p) (*(const v16 *)(p))
#define STORE(p, value) (*(v16 *)(p) = (value))
#define CK_WIDE __attribute__((min_vector_width(512)))

/// The level that loops run at on this thread: 0 "default", 1 "x86-64-v3", 2 "x86-64-v4" (level.c).
extern int ck_chosen_level;
// One more than the level; 0 holds nothing. Read without a call, which would cost more than the choice.
#if defined(__ELF__)
extern _Thread_local int ck_held_level __attribute__((tls_model("initial-exec")));
#else
extern _Thread_local int ck_held_level;
#endif
CK_INLINE int ck_level(void) { return ck_held_level ? ck_held_level - 1 : ck_chosen_level; }

// CK_LOOP(type, name, (parameters), (arguments)) { body } defines a function whose body is compiled once for each vector
// level. Calls choose at run time. The compiler's target_clones would do the same, but its choice cannot be steered, and
// then no machine runs all of them.
#if defined(__x86_64__)
// Features by name instead of arch=, which would hold vectors to 256 bits.
#define CK_V3 __attribute__((target("sse4.2,avx2,fma,f16c,bmi,bmi2,lzcnt,movbe,popcnt,cx16,crc32,sahf")))
#define CK_V4                                                                                                  \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512cd,"                                       \
                          "sse4.2,avx2,fma,f16c,bmi,bmi2,lzcnt,movbe,popcnt,cx16,crc32,sahf")))
// Kept out of the function that chooses, which is a jump then and needs no stack.
#define CK_ALONE __attribute__((noinline))
#define CK_LOOP_AS(wide, type, name, parameters, arguments)                                                    \
    CK_INLINE wide type name##_body parameters;                                                                \
    wide CK_V4 static type name##_v4 parameters { return name##_body arguments; }                              \
    wide CK_V3 static type name##_v3 parameters { return name##_body arguments; }                              \
    wide CK_ALONE static type name##_v1 parameters { return name##_body arguments; }                           \
    type name parameters {                                                                                     \
        switch (ck_level()) {                                                                                  \
        case 2: return name##_v4 arguments;                                                                    \
        case 1: return name##_v3 arguments;                                                                    \
        default: return name##_v1 arguments;                                                                   \
        }                                                                                                      \
    }                                                                                                          \
    CK_INLINE wide type name##_body parameters
#else
#define CK_LOOP_AS(wide, type, name, parameters, arguments) wide type name parameters
#endif
#define CK_LOOP(type, name, parameters, arguments) CK_LOOP_AS(, type, name, parameters, arguments)
#define CK_WIDE_LOOP(type, name, parameters, arguments) CK_LOOP_AS(CK_WIDE, type, name, parameters, arguments)

/// exp(x) to about 1.5 ulp; underflows to 0 below −87.3, saturates near the largest float above 88.
CK_INLINE float ck_exp(float x) {
    x = x > 88.0f ? 88.0f : x;
    float keep = x < -87.3f ? 0.0f : 1.0f;
    x = x < -87.3f ? -87.3f : x;
    // Adding 1.5·2²³ rounds to an integer in the low bits.
    float shifted = x * 1.44269504088896341f + 12582912.0f;
    float k = shifted - 12582912.0f;
    float r = x - k * 0.693145752f;
    r = r - k * 1.42860677e-6f;
    float p = 1.98412698e-4f;
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits;
    memcpy(&bits, &p, 4);
    bits += (int32_t)k << 23;
    memcpy(&p, &bits, 4);
    return p * keep;
}

CK_INLINE float ck_sigmoid(float x) { return 1.0f / (1.0f + ck_exp(-x)); }

/// erf(x) within 4e-7: a quotient of polynomials in x², which is ±1 to the last bit from |x| = 4 on.
CK_INLINE float ck_erf(float x) {
    x = x > 4.0f ? 4.0f : x < -4.0f ? -4.0f : x;
    float s = x * x;
    float p = -2.72614225801306e-10f;
    p = p * s + 2.77068142495902e-08f;
    p = p * s - 2.10102402082508e-06f;
    p = p * s - 5.69250639462346e-05f;
    p = p * s - 7.34990630326855e-04f;
    p = p * s - 2.95459980854025e-03f;
    p = p * s - 1.60960333262415e-02f;
    float q = -1.45660718464996e-05f;
    q = q * s - 2.13374055278905e-04f;
    q = q * s - 1.68282697438203e-03f;
    q = q * s - 7.37332916720468e-03f;
    q = q * s - 1.42647390514189e-02f;
    return x * p / q;
}

// Exchanges the lanes with bit s of rows without it for the lanes without it of rows with it: four steps transpose.
CK_INLINE void ck_transpose16(v16 r[16]) {
#define STEP(s, low, high)                                                        \
    _Pragma("unroll") for (int i = 0; i < 16; i++) if (!(i & (s))) {              \
        v16 a = r[i], b = r[i + (s)];                                             \
        r[i] = __builtin_shufflevector(a, b, low);                                \
        r[i + (s)] = __builtin_shufflevector(a, b, high);                         \
    }
#define L(...) __VA_ARGS__
    STEP(1, L(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
         L(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    STEP(2, L(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
         L(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    STEP(4, L(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
         L(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    STEP(8, L(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
         L(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef L
#undef STEP
}
