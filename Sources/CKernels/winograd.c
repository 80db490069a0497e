// Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray, arXiv 1509.09308): 36 products for 16 outputs instead of 144.
// Channels last makes every transform a handful of vector instructions on 16 channels at a time.
#include "CKernels.h"
#include "vector.h"

typedef float v16 __attribute__((vector_size(64), aligned(4)));
#define LOAD(p) (*(const v16 *)(p))
#define STORE(p, value) (*(v16 *)(p) = (value))

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

CK_CLONES void ck_winograd_input(const float *x, int H, int W, int C, int y0, int x0, float *out, size_t plane) {
    for (int c = 0; c < C; c += 16) {
        v16 t[6][6], d[6], o[6];
        for (int j = 0; j < 6; j++) {
            int xx = x0 + j;
            for (int i = 0; i < 6; i++) {
                int y = y0 + i;
                if (y < 0 || y >= H || xx < 0 || xx >= W) d[i] = (v16){0};
                else d[i] = LOAD(x + ((size_t)y * (size_t)W + (size_t)xx) * (size_t)C + c);
            }
            INPUT_TRANSFORM(o, d);
            for (int i = 0; i < 6; i++) t[i][j] = o[i];
        }
        for (int i = 0; i < 6; i++) {
            INPUT_TRANSFORM(o, t[i]);
            for (int j = 0; j < 6; j++) STORE(out + c + (size_t)(6 * i + j) * plane, o[j]);
        }
    }
}

CK_CLONES void ck_winograd_output(const float *in, size_t plane, int H, int W, int C, int y0, int x0, const float *bias,
                                  float *y) {
    for (int c = 0; c < C; c += 16) {
        v16 t[4][6], m[6], o[4], b = {0};
        if (bias) b = LOAD(bias + c);
        for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 6; i++) m[i] = LOAD(in + c + (size_t)(6 * i + j) * plane);
            OUTPUT_TRANSFORM(o, m);
            for (int i = 0; i < 4; i++) t[i][j] = o[i];
        }
        for (int i = 0; i < 4 && y0 + i < H; i++) {
            OUTPUT_TRANSFORM(o, t[i]);
            for (int j = 0; j < 4 && x0 + j < W; j++)
                STORE(y + ((size_t)(y0 + i) * (size_t)W + (size_t)(x0 + j)) * (size_t)C + c, o[j] + b);
        }
    }
}

CK_CLONES void ck_winograd_kernel(const float *hwio, float *out, size_t in, size_t O, size_t first, size_t last) {
    static const float G[6][3] = {{0.25f, 0, 0},
                                  {-1.0f / 6, -1.0f / 6, -1.0f / 6},
                                  {-1.0f / 6, 1.0f / 6, -1.0f / 6},
                                  {1.0f / 24, 1.0f / 12, 1.0f / 6},
                                  {1.0f / 24, -1.0f / 12, 1.0f / 6},
                                  {0, 0, 1}};
    for (size_t c = first; c < last; c++)
        for (int a = 0; a < 6; a++)
            for (int b = 0; b < 6; b++) {
                float *to = out + ((size_t)(6 * a + b) * in + c) * O;
                memset(to, 0, O * sizeof(float));
                for (int i = 0; i < 3; i++)
                    for (int j = 0; j < 3; j++) {
                        float factor = G[a][i] * G[b][j];
                        if (factor == 0) continue;
                        const float *from = hwio + ((size_t)(3 * i + j) * in + c) * O;
                        for (size_t o = 0; o < O; o++) to[o] += factor * from[o];
                    }
            }
}
