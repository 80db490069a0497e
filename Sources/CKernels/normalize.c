#include "CKernels.h"
#include "vector.h"
#include <math.h>

// Sums run in float over short blocks of rows and in double over the blocks: fast, and exact enough for variances.
#define BLOCK_ROWS 32
#define BLOCK_CHANNELS 64

CK_CLONES void ck_channel_moments(const float *x, size_t rows, size_t n, double *sum, double *squares) {
    for (size_t c = 0; c < n; c += BLOCK_CHANNELS) {
        size_t w = n - c < BLOCK_CHANNELS ? n - c : BLOCK_CHANNELS;
        for (size_t r = 0; r < rows; r += BLOCK_ROWS) {
            size_t end = r + BLOCK_ROWS < rows ? r + BLOCK_ROWS : rows;
            float s[BLOCK_CHANNELS] = {0}, q[BLOCK_CHANNELS] = {0};
            for (size_t k = r; k < end; k++) {
                const float *p = x + k * n + c;
                for (size_t i = 0; i < w; i++) { s[i] += p[i]; q[i] += p[i] * p[i]; }
            }
            for (size_t i = 0; i < w; i++) { sum[c + i] += s[i]; squares[c + i] += q[i]; }
        }
    }
}

CK_CLONES void ck_affine(const float *x, const float *scale, const float *shift, float *out, size_t rows, size_t n,
                         int silu) {
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        if (silu) {
            for (size_t i = 0; i < n; i++) { float y = x[i] * scale[i] + shift[i]; out[i] = y * ck_sigmoid(y); }
        } else {
            for (size_t i = 0; i < n; i++) out[i] = x[i] * scale[i] + shift[i];
        }
    }
}

CK_CLONES void ck_affine_vjp_sums(const float *x, const float *g, const float *scale, const float *shift, float *out,
                                  size_t rows, size_t n, int silu, double *sum_g, double *sum_gx) {
    for (size_t c = 0; c < n; c += BLOCK_CHANNELS) {
        size_t w = n - c < BLOCK_CHANNELS ? n - c : BLOCK_CHANNELS;
        for (size_t r = 0; r < rows; r += BLOCK_ROWS) {
            size_t end = r + BLOCK_ROWS < rows ? r + BLOCK_ROWS : rows;
            float s[BLOCK_CHANNELS] = {0}, q[BLOCK_CHANNELS] = {0};
            for (size_t k = r; k < end; k++) {
                const float *p = x + k * n + c, *h = g + k * n + c;
                float *o = out + k * n + c;
                for (size_t i = 0; i < w; i++) {
                    float d = h[i];
                    if (silu) {
                        float y = p[i] * scale[c + i] + shift[c + i], z = ck_sigmoid(y);
                        d *= z * (1.0f + y * (1.0f - z));
                    }
                    o[i] = d;
                    s[i] += d;
                    q[i] += d * p[i];
                }
            }
            for (size_t i = 0; i < w; i++) { sum_g[c + i] += s[i]; sum_gx[c + i] += q[i]; }
        }
    }
}

CK_CLONES void ck_affine_combine(const float *g, const float *x, const float *a, const float *b, const float *d,
                                 float *out, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, g += n, x += n, out += n)
        for (size_t i = 0; i < n; i++) out[i] = g[i] * a[i] + x[i] * b[i] + d[i];
}

CK_INLINE float row_mean(const float *x, size_t n) {
    float s[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t l = 0; l < 16; l++) s[l] += x[i + l];
    for (; i < n; i++) s[0] += x[i];
    float t = 0;
    for (size_t l = 0; l < 16; l++) t += s[l];
    return t / (float)n;
}

CK_INLINE float row_variance(const float *x, float mean, size_t n) {
    float s[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t l = 0; l < 16; l++) { float d = x[i + l] - mean; s[l] += d * d; }
    for (; i < n; i++) { float d = x[i] - mean; s[0] += d * d; }
    float t = 0;
    for (size_t l = 0; l < 16; l++) t += s[l];
    return t / (float)n;
}

CK_CLONES void ck_layer_norm(const float *x, const float *scale, const float *shift, float eps, float *out, size_t rows,
                             size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        float mean = row_mean(x, n), inverse = 1.0f / sqrtf(row_variance(x, mean, n) + eps);
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * inverse * scale[i] + shift[i];
    }
}

CK_CLONES void ck_layer_norm_vjp(const float *x, const float *g, const float *scale, float eps, float *dx, float *dscale,
                                 float *dshift, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += n, g += n, dx += n) {
        float mean = row_mean(x, n), inverse = 1.0f / sqrtf(row_variance(x, mean, n) + eps);
        float a[16] = {0}, b[16] = {0};
        for (size_t i = 0; i < n; i++) {
            float h = g[i] * scale[i], d = (x[i] - mean) * inverse;
            a[i % 16] += h;
            b[i % 16] += h * d;
        }
        float sa = 0, sb = 0;
        for (size_t l = 0; l < 16; l++) { sa += a[l]; sb += b[l]; }
        sa /= (float)n;
        sb /= (float)n;
        if (dscale) for (size_t i = 0; i < n; i++) dscale[i] += g[i] * (x[i] - mean) * inverse;
        if (dshift) for (size_t i = 0; i < n; i++) dshift[i] += g[i];
        for (size_t i = 0; i < n; i++) dx[i] = inverse * (g[i] * scale[i] - sa - (x[i] - mean) * inverse * sb);
    }
}

CK_INLINE float row_max(const float *x, size_t n) {
    float m[16];
    for (size_t l = 0; l < 16; l++) m[l] = -INFINITY;
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t l = 0; l < 16; l++) m[l] = x[i + l] > m[l] ? x[i + l] : m[l];
    for (; i < n; i++) m[0] = x[i] > m[0] ? x[i] : m[0];
    float t = m[0];
    for (size_t l = 1; l < 16; l++) t = m[l] > t ? m[l] : t;
    return t;
}

CK_CLONES void ck_softmax(const float *x, float s, float *out, float *lse, size_t rows, size_t n, size_t stride,
                          int causal, size_t first) {
    for (size_t r = 0; r < rows; r++, x += stride, out += stride) {
        size_t limit = causal && first + r + 1 < n ? first + r + 1 : n;
        float top = s * row_max(x, limit), sums[16] = {0};
        size_t i = 0;
        for (; i + 16 <= limit; i += 16)
            for (size_t l = 0; l < 16; l++) { float e = ck_exp(s * x[i + l] - top); out[i + l] = e; sums[l] += e; }
        for (; i < limit; i++) { float e = ck_exp(s * x[i] - top); out[i] = e; sums[0] += e; }
        float total = 0;
        for (size_t l = 0; l < 16; l++) total += sums[l];
        float inverse = 1.0f / total;
        for (size_t k = 0; k < limit; k++) out[k] *= inverse;
        for (size_t k = limit; k < n; k++) out[k] = 0;
        if (lse) lse[r] = top + logf(total);
    }
}

CK_CLONES void ck_softmax_again(const float *x, float s, const float *lse, float *out, size_t rows, size_t n,
                                size_t stride, int causal, size_t first) {
    for (size_t r = 0; r < rows; r++, x += stride, out += stride) {
        size_t limit = causal && first + r + 1 < n ? first + r + 1 : n;
        float l = lse[r];
        for (size_t i = 0; i < limit; i++) out[i] = ck_exp(s * x[i] - l);
        for (size_t i = limit; i < n; i++) out[i] = 0;
    }
}

CK_CLONES void ck_softmax_vjp(const float *p, const float *g, float s, float *out, size_t rows, size_t n, size_t stride) {
    for (size_t r = 0; r < rows; r++, p += stride, g += stride, out += stride) {
        float a[16] = {0};
        size_t i = 0;
        for (; i + 16 <= n; i += 16)
            for (size_t l = 0; l < 16; l++) a[l] += p[i + l] * g[i + l];
        for (; i < n; i++) a[0] += p[i] * g[i];
        float t = 0;
        for (size_t l = 0; l < 16; l++) t += a[l];
        for (size_t k = 0; k < n; k++) out[k] = s * p[k] * (g[k] - t);
    }
}
