#include "CKernels.h"
#include "vector.h"

#define LOOP(expression) \
    for (size_t i = 0; i < n; i++) { expression; }

CK_LOOP(void, ck_add, (const float *a, const float *b, float *out, size_t n), (a, b, out, n)) {
    LOOP(out[i] = a[i] + b[i])
}

CK_LOOP(void, ck_subtract, (const float *a, const float *b, float *out, size_t n), (a, b, out, n)) {
    LOOP(out[i] = a[i] - b[i])
}

CK_LOOP(void, ck_multiply, (const float *a, const float *b, float *out, size_t n), (a, b, out, n)) {
    LOOP(out[i] = a[i] * b[i])
}

CK_LOOP(void, ck_divide, (const float *a, const float *b, float *out, size_t n), (a, b, out, n)) {
    LOOP(out[i] = a[i] / b[i])
}

CK_LOOP(void, ck_scale, (const float *a, float s, float *out, size_t n), (a, s, out, n)) {
    LOOP(out[i] = s * a[i])
}

CK_LOOP(void, ck_add_scalar, (const float *a, float s, float *out, size_t n), (a, s, out, n)) {
    LOOP(out[i] = a[i] + s)
}

CK_LOOP(void, ck_mix, (const float *a, float s, const float *b, float t, float *out, size_t n), (a, s, b, t, out, n)) {
#pragma clang fp contract(off)
    LOOP(out[i] = s * a[i] + t * b[i])
}

CK_LOOP(void, ck_square_root, (const float *x, float *out, size_t n), (x, out, n)) {
    LOOP(out[i] = __builtin_elementwise_sqrt(x[i] < 0 ? 0 : x[i]))
}

CK_LOOP(void, ck_clamp, (const float *x, float low, float high, float *out, size_t n), (x, low, high, out, n)) {
    LOOP(float y = x[i] < low ? low : x[i]; out[i] = y > high ? high : y)
}

CK_LOOP(void, ck_clamp_vjp, (const float *x, const float *g, float low, float high, float *out, size_t n),
        (x, g, low, high, out, n)) {
    LOOP(out[i] = x[i] < low || x[i] > high ? 0 : g[i])
}

CK_LOOP(void, ck_add_row, (const float *x, const float *v, float *out, size_t rows, size_t n), (x, v, out, rows, n)) {
    for (size_t r = 0; r < rows; r++, x += n, out += n) LOOP(out[i] = x[i] + v[i])
}

CK_LOOP(void, ck_sum_rows, (const float *x, float *out, size_t rows, size_t n), (x, out, rows, n)) {
    memset(out, 0, n * sizeof(float));
    for (size_t r = 0; r < rows; r++, x += n) LOOP(out[i] += x[i])
}

CK_LOOP(void, ck_silu, (const float *x, float *out, size_t n), (x, out, n)) {
    LOOP(out[i] = x[i] * ck_sigmoid(x[i]))
}

CK_LOOP(void, ck_silu_vjp, (const float *x, const float *g, float *out, size_t n), (x, g, out, n)) {
    LOOP(float s = ck_sigmoid(x[i]); out[i] = g[i] * s * (1.0f + x[i] * (1.0f - s)))
}

CK_INLINE float gelu(float x) { return 0.5f * x * (1.0f + ck_erf(x * 0.70710678118654752f)); }

CK_INLINE float gelu_slope(float x) {
    return 0.5f * (1.0f + ck_erf(x * 0.70710678118654752f)) + x * 0.39894228040143268f * ck_exp(-0.5f * x * x);
}

CK_LOOP(void, ck_gelu, (const float *x, float *out, size_t n), (x, out, n)) {
    LOOP(out[i] = gelu(x[i]))
}

CK_LOOP(void, ck_gelu_vjp, (const float *x, const float *g, float *out, size_t n), (x, g, out, n)) {
    LOOP(out[i] = g[i] * gelu_slope(x[i]))
}

CK_LOOP(void, ck_quick_gelu, (const float *x, float *out, size_t n), (x, out, n)) {
    LOOP(out[i] = x[i] * ck_sigmoid(1.702f * x[i]))
}

CK_LOOP(void, ck_quick_gelu_vjp, (const float *x, const float *g, float *out, size_t n), (x, g, out, n)) {
    LOOP(float s = ck_sigmoid(1.702f * x[i]); out[i] = g[i] * s * (1.0f + 1.702f * x[i] * (1.0f - s)))
}

CK_LOOP(void, ck_geglu, (const float *x, float *out, size_t rows, size_t n), (x, out, rows, n)) {
    for (size_t r = 0; r < rows; r++, x += 2 * n, out += n) LOOP(out[i] = x[i] * gelu(x[n + i]))
}

CK_LOOP(void, ck_geglu_vjp, (const float *x, const float *g, float *out, size_t rows, size_t n),
                            (x, g, out, rows, n)) {
    for (size_t r = 0; r < rows; r++, x += 2 * n, g += n, out += 2 * n)
        LOOP(float gate = x[n + i]; out[n + i] = g[i] * x[i] * gelu_slope(gate); out[i] = g[i] * gelu(gate))
}

// Sums go through 16 lanes in a fixed order, so that a value does not depend on the vector level's width.
#define LANES 16
#define LANE_SUM(term)                                                \
    double lane[LANES] = {0};                                         \
    size_t i = 0;                                                     \
    for (; i + LANES <= n; i += LANES)                                \
        for (size_t l = 0; l < LANES; l++) { size_t j = i + l; lane[l] += term; } \
    for (; i < n; i++) { size_t j = i; lane[0] += term; }             \
    double sum = 0;                                                   \
    for (size_t l = 0; l < LANES; l++) sum += lane[l];                \
    return sum;

CK_LOOP(double, ck_sum_of_squares, (const float *x, size_t n), (x, n)) { LANE_SUM((double)x[j] * x[j]) }
CK_LOOP(double, ck_squared_distance, (const float *a, const float *b, size_t n), (a, b, n)) {
    LANE_SUM((double)(a[j] - b[j]) * (a[j] - b[j]))
}

// The largest of the bits without the sign: infinity and NaN have the largest exponent. An integer maximum vectorizes.
CK_LOOP(int, ck_all_finite, (const float *x, size_t n), (x, n)) {
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest < 0x7f800000;
}
