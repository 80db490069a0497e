// Winograd's F(2×2, 3×3) (Lavin & Gray, arXiv 1509.09308): 16 products for 4 outputs instead of 36. Its transforms add and
// subtract few values, so that rounding them to brain floats costs 1.7 times the error of the direct form; that of
// F(4×4, 3×3) would be 11 times as large.
#include "CKernels.h"
#include "bfloat.h"

// Bᵀd and Aᵀm of the points 0, ±1, ∞.
#define INPUT_TRANSFORM(o, d)          \
    do {                               \
        (o)[0] = (d)[0] - (d)[2];      \
        (o)[1] = (d)[1] + (d)[2];      \
        (o)[2] = (d)[2] - (d)[1];      \
        (o)[3] = (d)[1] - (d)[3];      \
    } while (0)

#define OUTPUT_TRANSFORM(o, m)                 \
    do {                                       \
        (o)[0] = (m)[0] + (m)[1] + (m)[2];     \
        (o)[1] = (m)[1] - (m)[2] - (m)[3];     \
    } while (0)

// The 16 values of one window in 16 channels: columns first, then rows.
#define WINDOW(value)                                                                        \
    do {                                                                                     \
        v16 t[4][4], d[4], o[4];                                                             \
        _Pragma("unroll") for (int j = 0; j < 4; j++) {                                      \
            _Pragma("unroll") for (int i = 0; i < 4; i++) d[i] = value;                      \
            INPUT_TRANSFORM(o, d);                                                           \
            _Pragma("unroll") for (int i = 0; i < 4; i++) t[i][j] = o[i];                    \
        }                                                                                    \
        _Pragma("unroll") for (int i = 0; i < 4; i++) {                                      \
            INPUT_TRANSFORM(o, t[i]);                                                        \
            _Pragma("unroll") for (int j = 0; j < 4; j++)                                    \
                *(h16v *)(to + (size_t)(4 * i + j) * plane) = ck_round(o[j]);                \
        }                                                                                    \
    } while (0)

CK_WIDE_LOOP(void, ck_pair_winograd_input, (const float *x, int H, int W, int C, int y0, int x0, uint32_t *out,
                                            size_t plane),
                                           (x, H, W, C, y0, x0, out, plane)) {
    const size_t line = (size_t)W * (size_t)C, pixel = (size_t)C;
    if (y0 >= 0 && x0 >= 0 && y0 + 4 <= H && x0 + 4 <= W) {
        const float *from = x + (size_t)y0 * line + (size_t)x0 * pixel;
        for (int c = 0; c < C; c += 16) {
            uint32_t *to = out + c / 2;
            WINDOW(LOAD(from + c + (size_t)i * line + (size_t)j * pixel));
        }
        return;
    }
    // Past an edge there are zeros.
    static const float zeros[16];
    const float *row[4];
    size_t step[4];
    for (int i = 0; i < 4; i++) row[i] = y0 + i < 0 || y0 + i >= H ? 0 : x + (size_t)(y0 + i) * line;
    for (int j = 0; j < 4; j++) step[j] = x0 + j < 0 || x0 + j >= W ? SIZE_MAX : (size_t)(x0 + j) * pixel;
    for (int c = 0; c < C; c += 16) {
        uint32_t *to = out + c / 2;
        WINDOW(LOAD(row[i] && step[j] != SIZE_MAX ? row[i] + step[j] + c : zeros));
    }
}

CK_WIDE_LOOP(void, ck_pair_winograd_output, (const float *in, size_t plane, int H, int W, int C, int channels, int y0,
                                             int x0, const float *bias, float *y),
                                            (in, plane, H, W, C, channels, y0, x0, bias, y)) {
    const size_t line = (size_t)W * (size_t)C;
    y += (size_t)y0 * line + (size_t)x0 * (size_t)C;
    for (int c = 0; c < channels; c += 16) {
        v16 t[2][4], m[4], o[2], b = {0};
        if (bias) b = LOAD(bias + c);
#pragma unroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
            for (int i = 0; i < 4; i++) m[i] = LOAD(in + c + (size_t)(4 * i + j) * plane);
            OUTPUT_TRANSFORM(o, m);
            t[0][j] = o[0];
            t[1][j] = o[1];
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (y0 + i >= H) break;
            OUTPUT_TRANSFORM(o, t[i]);
            float *to = y + (size_t)i * line + c;
            STORE(to, o[0] + b);
            if (x0 + 1 < W) STORE(to + C, o[1] + b);
        }
    }
}

// G·g of the paper's G for one row or column.
#define KERNEL_TRANSFORM(o, g)                     \
    do {                                           \
        v16 s = ((g)[0] + (g)[2]) * 0.5f, u = (g)[1] * 0.5f; \
        (o)[0] = (g)[0];                           \
        (o)[1] = s + u;                            \
        (o)[2] = s - u;                            \
        (o)[3] = (g)[2];                           \
    } while (0)

CK_INLINE void kernel16(const v16 taps[9], v16 out[16]) {
    v16 t[4][3], g[3], o[4];
#pragma unroll
    for (size_t j = 0; j < 3; j++) {
#pragma unroll
        for (size_t i = 0; i < 3; i++) g[i] = taps[3 * i + j];
        KERNEL_TRANSFORM(o, g);
#pragma unroll
        for (size_t i = 0; i < 4; i++) t[i][j] = o[i];
    }
#pragma unroll
    for (size_t i = 0; i < 4; i++) {
        KERNEL_TRANSFORM(o, t[i]);
#pragma unroll
        for (size_t j = 0; j < 4; j++) out[4 * i + j] = o[j];
    }
}

CK_WIDE_LOOP(void, ck_pair_winograd_kernel, (const uint32_t *panel, size_t tap, size_t width, size_t rows, int rotated,
                                             uint32_t *out, size_t plane),
                                            (panel, tap, width, rows, rotated, out, plane)) {
    for (size_t r = 0; r < rows; r++, panel += width, out += width)
        for (size_t c = 0; c < width; c += 16) {
            v16 low[9], high[9], a[16], b[16];
#pragma unroll
            for (size_t i = 0; i < 9; i++) {
                u16v both = *(const u16v *)(panel + c + (rotated ? 8 - i : i) * tap);
                low[i] = ck_low(both);
                high[i] = ck_high(both);
            }
            kernel16(low, a);
            kernel16(high, b);
#pragma unroll
            for (size_t i = 0; i < 16; i++) *(u16v *)(out + c + i * plane) = ck_round_pairs(a[i], b[i]);
        }
}
