// What the loops share: run-time dispatch over vector levels and a polynomial exp.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define CK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_CLONES
#endif
#define CK_INLINE static inline __attribute__((always_inline))

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

/// erf(x) within 2e-7: a series near 0, a fit of erfc beyond.
CK_INLINE float ck_erf(float x) {
    float a = x < 0 ? -x : x;
    // Numerical Recipes' erfc fit: |relative error| < 1.2e-7 everywhere.
    float t = 1.0f / (1.0f + 0.5f * a);
    float p = 0.17087277f;
    p = p * t - 0.82215223f;
    p = p * t + 1.48851587f;
    p = p * t - 1.13520398f;
    p = p * t + 0.27886807f;
    p = p * t - 0.18628806f;
    p = p * t + 0.09678418f;
    p = p * t + 0.37409196f;
    p = p * t + 1.00002368f;
    p = p * t - 1.26551223f;
    float tail = t * ck_exp(p - a * a);
    // Below 0.5 the subtraction 1 − erfc loses digits: the Maclaurin series is exact there.
    float s = x * x;
    float series = x * (1.128379167f + s * (-0.376126389f + s * (0.112837917f + s * (-0.0268661706f + s * (5.2239776e-3f - s * 8.5483270e-4f)))));
    float far = x < 0 ? tail - 1.0f : 1.0f - tail;
    return a < 0.5f ? series : far;
}
