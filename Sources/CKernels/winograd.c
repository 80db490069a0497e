// Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray, arXiv 1509.09308): 36 products for 16 outputs instead of 144.
// Channels last makes every transform a handful of vector instructions on 16 channels at a time.
#include "CKernels.h"
#include "vector.h"

// Bᵀd and Aᵀm of the paper's points 0, ±1, ±2, ∞.
#define INPUT_TRANSFORM(o, d)                              \
    do {                                                   \
        (o)[0] = 4.0f * (d)[0] - 5.0f * (d)[2] + (d)[4];   \
        (o)[1] = (d)[3] + (d)[4] - 4.0f * ((d)[1] + (d)[2]); \
        (o)[2] = (d)[4] - (d)[3] + 4.0f * ((d)[1] - (d)[2]); \
        (o)[3] = (d)[4] - (d)[2] + 2.0f * ((d)[3] - (d)[1]); \
        (o)[4] = (d)[4] - (d)[2] + 2.0f * ((d)[1] - (d)[3]); \
        (o)[5] = 4.0f * (d)[1] - 5.0f * (d)[3] + (d)[5];   \
    } while (0)

#define OUTPUT_TRANSFORM(o, m)                             \
    do {                                                   \
        v16 a = (m)[1] + (m)[2], b = (m)[1] - (m)[2];      \
        v16 e = (m)[3] + (m)[4], f = (m)[3] - (m)[4];      \
        (o)[0] = (m)[0] + a + e;                           \
        (o)[1] = b + 2.0f * f;                             \
        (o)[2] = a + 4.0f * e;                             \
        (o)[3] = b + 8.0f * f + (m)[5];                    \
    } while (0)

// The 36 values of one window in 16 channels: columns first, then rows.
#define WINDOW(value)                                                   \
    do {                                                                \
        v16 t[6][6], d[6], o[6];                                        \
        _Pragma("unroll") for (int j = 0; j < 6; j++) {                 \
            _Pragma("unroll") for (int i = 0; i < 6; i++) d[i] = value; \
            INPUT_TRANSFORM(o, d);                                      \
            _Pragma("unroll") for (int i = 0; i < 6; i++) t[i][j] = o[i]; \
        }                                                               \
        _Pragma("unroll") for (int i = 0; i < 6; i++) {                 \
            INPUT_TRANSFORM(o, t[i]);                                   \
            _Pragma("unroll") for (int j = 0; j < 6; j++) STORE(to + (size_t)(6 * i + j) * plane, o[j]); \
        }                                                               \
    } while (0)

CK_WIDE_LOOP(void, ck_winograd_input, (const float *x, int H, int W, int C, int y0, int x0, float *out, size_t plane),
                                      (x, H, W, C, y0, x0, out, plane)) {
    const size_t line = (size_t)W * (size_t)C, pixel = (size_t)C;
    if (y0 >= 0 && x0 >= 0 && y0 + 6 <= H && x0 + 6 <= W) {
        const float *from = x + (size_t)y0 * line + (size_t)x0 * pixel;
        for (int c = 0; c < C; c += 16) {
            float *to = out + c;
            WINDOW(LOAD(from + c + (size_t)i * line + (size_t)j * pixel));
        }
        return;
    }
    // Past an edge there are zeros.
    static const float zeros[16];
    const float *row[6];
    size_t step[6];
    for (int i = 0; i < 6; i++) row[i] = y0 + i < 0 || y0 + i >= H ? 0 : x + (size_t)(y0 + i) * line;
    for (int j = 0; j < 6; j++) step[j] = x0 + j < 0 || x0 + j >= W ? SIZE_MAX : (size_t)(x0 + j) * pixel;
    for (int c = 0; c < C; c += 16) {
        float *to = out + c;
        WINDOW(LOAD(row[i] && step[j] != SIZE_MAX ? row[i] + step[j] + c : zeros));
    }
}

CK_WIDE_LOOP(void, ck_winograd_output, (const float *in, size_t plane, int H, int W, int C, int channels, int y0,
                                        int x0, const float *bias, float *y),
                                       (in, plane, H, W, C, channels, y0, x0, bias, y)) {
    const size_t line = (size_t)W * (size_t)C;
    y += (size_t)y0 * line + (size_t)x0 * (size_t)C;
    for (int c = 0; c < channels; c += 16) {
        v16 t[4][6], m[6], o[4], b = {0};
        if (bias) b = LOAD(bias + c);
#pragma unroll
        for (int j = 0; j < 6; j++) {
#pragma unroll
            for (int i = 0; i < 6; i++) m[i] = LOAD(in + c + (size_t)(6 * i + j) * plane);
            OUTPUT_TRANSFORM(o, m);
#pragma unroll
            for (int i = 0; i < 4; i++) t[i][j] = o[i];
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (y0 + i >= H) break;
            OUTPUT_TRANSFORM(o, t[i]);
            float *to = y + (size_t)i * line + c;
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (x0 + j < W) STORE(to + (size_t)j * (size_t)C, o[j] + b);
        }
    }
}

// G·g of the paper's G for one row or column.
#define KERNEL_TRANSFORM(o, g)                                                             \
    do {                                                                                   \
        v16 s = ((g)[0] + (g)[2]) * (1.0f / 6), u = (g)[1] * (1.0f / 6);                   \
        v16 p = (g)[0] * (1.0f / 24) + (g)[2] * (1.0f / 6), q = (g)[1] * (1.0f / 12);      \
        (o)[0] = (g)[0] * 0.25f;                                                           \
        (o)[1] = -(s + u);                                                                 \
        (o)[2] = u - s;                                                                    \
        (o)[3] = p + q;                                                                    \
        (o)[4] = p - q;                                                                    \
        (o)[5] = (g)[2];                                                                   \
    } while (0)

// Nine taps, `step` apart, to 36 planes.
CK_INLINE void kernel16(const float *taps, size_t step, float *out, size_t plane) {
    v16 t[6][3], g[3], o[6];
#pragma unroll
    for (size_t j = 0; j < 3; j++) {
#pragma unroll
        for (size_t i = 0; i < 3; i++) g[i] = LOAD(taps + (3 * i + j) * step);
        KERNEL_TRANSFORM(o, g);
#pragma unroll
        for (size_t i = 0; i < 6; i++) t[i][j] = o[i];
    }
#pragma unroll
    for (size_t i = 0; i < 6; i++) {
        KERNEL_TRANSFORM(o, t[i]);
#pragma unroll
        for (size_t j = 0; j < 6; j++) STORE(out + (6 * i + j) * plane, o[j]);
    }
}

CK_WIDE_LOOP(void, ck_winograd_kernel, (const float *panel, size_t width, size_t rows, float *out, size_t plane),
                                       (panel, width, rows, out, plane)) {
    for (size_t r = 0; r < rows; r++, panel += 9 * width, out += width)
        for (size_t c = 0; c < width; c += 16) kernel16(panel + c, width, out + c, plane);
}

CK_WIDE_LOOP(void, ck_winograd_rotated_kernel, (const float *panels, size_t in, size_t outputs, size_t column,
                                               size_t width, size_t first, size_t rows, float *out, size_t plane),
                                              (panels, in, outputs, column, width, first, rows, out, plane)) {
    for (size_t o = first; o < first + rows; o += 16, out += 16 * width) {
        size_t panel = o / 32 * 32, from_width = outputs - panel > 16 ? 32 : 16;
        const float *from = panels + panel * in * 9 + (o - panel);
        for (size_t c = 0; c < width; c += 16) {
            float taps[9][16][16];
            for (size_t tap = 0; tap < 9; tap++) {
                v16 r[16];
#pragma unroll
                for (size_t i = 0; i < 16; i++) r[i] = LOAD(from + ((column + c + i) * 9 + tap) * from_width);
                ck_transpose16(r);
#pragma unroll
                for (size_t i = 0; i < 16; i++) STORE(taps[8 - tap][i], r[i]);
            }
            for (size_t i = 0; i < 16; i++) kernel16(taps[0][i], 256, out + i * width + c, plane);
        }
    }
}
