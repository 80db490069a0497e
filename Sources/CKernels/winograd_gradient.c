// What a 3×3 kernel is trained by, as the transpose of Winograd's F(4×4, 3×3) (winograd.c): where y = Aᵀ[(GgGᵀ)∘(BᵀdB)]A,
// dg = Gᵀ[Σ (A·dy·Aᵀ)∘(BᵀdB)]G, the sum over tiles. Four times fewer products than im2col's.
#include "CKernels.h"
#include "vector.h"

// A·y for one row or column.
#define GRADIENT_TRANSFORM(o, y)                                             \
    do {                                                                     \
        v16 even = (y)[0] + (y)[2], odd = (y)[1] + (y)[3];                   \
        v16 wide = (y)[0] + 4.0f * (y)[2], steep = 2.0f * (y)[1] + 8.0f * (y)[3]; \
        (o)[0] = (y)[0];                                                     \
        (o)[1] = even + odd;                                                 \
        (o)[2] = even - odd;                                                 \
        (o)[3] = wide + steep;                                               \
        (o)[4] = wide - steep;                                               \
        (o)[5] = (y)[3];                                                     \
    } while (0)

// Gᵀ·u for one row or column.
#define KERNEL_GRADIENT(g, u)                                                \
    do {                                                                     \
        v16 s = ((u)[1] + (u)[2]) * (1.0f / 6), p = (u)[3] + (u)[4];         \
        (g)[0] = (u)[0] * 0.25f - s + p * (1.0f / 24);                       \
        (g)[1] = ((u)[2] - (u)[1]) * (1.0f / 6) + ((u)[3] - (u)[4]) * (1.0f / 12); \
        (g)[2] = p * (1.0f / 6) - s + (u)[5];                                \
    } while (0)

CK_WIDE_LOOP(void, ck_winograd_gradient, (const float *dy, int H, int W, int C, int channels, int y0, int x0,
                                          float *out, size_t plane),
                                         (dy, H, W, C, channels, y0, x0, out, plane)) {
    // Past an edge there are zeros.
    static const float zeros[16];
    const float *row[4];
    size_t step[4];
    for (int i = 0; i < 4; i++) row[i] = y0 + i < H ? dy + (size_t)(y0 + i) * (size_t)W * (size_t)C : 0;
    for (int j = 0; j < 4; j++) step[j] = x0 + j < W ? (size_t)(x0 + j) * (size_t)C : SIZE_MAX;
    for (int c = 0; c < channels; c += 16) {
        float *to = out + c;
        v16 t[6][4], d[4], o[6];
#pragma unroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
            for (int i = 0; i < 4; i++) d[i] = LOAD(row[i] && step[j] != SIZE_MAX ? row[i] + step[j] + c : zeros);
            GRADIENT_TRANSFORM(o, d);
#pragma unroll
            for (int i = 0; i < 6; i++) t[i][j] = o[i];
        }
#pragma unroll
        for (int i = 0; i < 6; i++) {
            GRADIENT_TRANSFORM(o, t[i]);
#pragma unroll
            for (int j = 0; j < 6; j++) STORE(to + (size_t)(6 * i + j) * plane, o[j]);
        }
    }
}

CK_WIDE_LOOP(void, ck_winograd_kernel_gradient, (const float *sums, size_t plane, size_t in, size_t outputs,
                                                 size_t first, float *out),
                                                (sums, plane, in, outputs, first, out)) {
    for (size_t o = 0; o < outputs; o += 16) {
        float taps[9][16][16];
        for (size_t r = 0; r < 16; r++) {
            const float *from = sums + (first + r) * outputs + o;
            v16 t[3][6], u[6], g[3];
#pragma unroll
            for (size_t j = 0; j < 6; j++) {
#pragma unroll
                for (size_t i = 0; i < 6; i++) u[i] = LOAD(from + (6 * i + j) * plane);
                KERNEL_GRADIENT(g, u);
#pragma unroll
                for (size_t i = 0; i < 3; i++) t[i][j] = g[i];
            }
#pragma unroll
            for (size_t i = 0; i < 3; i++) {
                KERNEL_GRADIENT(g, t[i]);
#pragma unroll
                for (size_t j = 0; j < 3; j++) STORE(taps[3 * i + j][r], g[j]);
            }
        }
        for (size_t c = 0; c < 16; c++) {
            float *to = out + ((o + c) * in + first) * 9;
            for (size_t r = 0; r < 16; r++)
                for (size_t tap = 0; tap < 9; tap++) to[9 * r + tap] = taps[tap][r][c];
        }
    }
}
