#include "CKernels.h"
#include "vector.h"
#include <math.h>

// Sums run in float over short blocks of rows and in double over the blocks: fast, and exact enough for variances.
#define BLOCK_ROWS 32
#define BLOCK_CHANNELS 64

CK_LOOP(void, ck_channel_moments, (const float *x, size_t rows, size_t n, double *sum, double *squares),
                                  (x, rows, n, sum, squares)) {
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

CK_LOOP(void, ck_affine, (const float *x, const float *scale, const float *shift, float *out, size_t rows, size_t n,
                          int silu),
                         (x, scale, shift, out, rows, n, silu)) {
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        if (silu) {
            for (size_t i = 0; i < n; i++) { float y = x[i] * scale[i] + shift[i]; out[i] = y * ck_sigmoid(y); }
        } else {
            for (size_t i = 0; i < n; i++) out[i] = x[i] * scale[i] + shift[i];
        }
    }
}

CK_LOOP(void, ck_affine_vjp_sums, (const float *x, const float *g, const float *scale, const float *shift, float *out,
                                   size_t rows, size_t n, int silu, double *sum_g, double *sum_gx),
                                  (x, g, scale, shift, out, rows, n, silu, sum_g, sum_gx)) {
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

CK_LOOP(void, ck_affine_combine, (const float *g, const float *x, const float *a, const float *b, const float *d,
                                  float *out, size_t rows, size_t n),
                                 (g, x, a, b, d, out, rows, n)) {
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

CK_LOOP(void, ck_layer_norm, (const float *x, const float *scale, const float *shift, float eps, float *out,
                              size_t rows, size_t n),
                             (x, scale, shift, eps, out, rows, n)) {
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        float mean = row_mean(x, n), inverse = 1.0f / sqrtf(row_variance(x, mean, n) + eps);
        for (size_t i = 0; i < n; i++) out[i] = (x[i] - mean) * inverse * scale[i] + shift[i];
    }
}

CK_LOOP(void, ck_layer_norm_vjp, (const float *x, const float *g, const float *scale, float eps, float *dx,
                                  float *dscale, float *dshift, size_t rows, size_t n),
                                 (x, g, scale, eps, dx, dscale, dshift, rows, n)) {
    for (size_t r = 0; r < rows; r++, x += n, g += n, dx += n) {
        float mean = row_mean(x, n), inverse = 1.0f / sqrtf(row_variance(x, mean, n) + eps);
        float a[16] = {0}, b[16] = {0};
        size_t k = 0;
        for (; k + 16 <= n; k += 16)
            for (size_t l = 0; l < 16; l++) {
                float h = g[k + l] * scale[k + l], d = (x[k + l] - mean) * inverse;
                a[l] += h;
                b[l] += h * d;
            }
        for (size_t l = 0; k + l < n; l++) {
            float h = g[k + l] * scale[k + l], d = (x[k + l] - mean) * inverse;
            a[l] += h;
            b[l] += h * d;
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

// Softmax works on whole vectors where the stride leaves room for them. Explicit vectors for reductions, since the
// compiler may not reorder sums; plain loops of one vector at a step for the rest, which must not fall back to scalars
// when they work in place.
#define BY_VECTORS _Pragma("clang loop vectorize(assume_safety) vectorize_width(16) interleave_count(1)")

CK_INLINE size_t whole(size_t n, size_t stride) { return (n + 15) / 16 * 16 <= stride ? (n + 15) / 16 * 16 : n / 16 * 16; }

CK_INLINE float row_max(const float *x, size_t n) {
    float t = x[0];
    if (n < 16) {
        for (size_t i = 1; i < n; i++) t = x[i] > t ? x[i] : t;
        return t;
    }
    v16 m = LOAD(x + n - 16);  // overlaps the others: a maximum does not mind
    for (size_t i = 0; i + 16 <= n; i += 16) m = __builtin_elementwise_max(m, LOAD(x + i));
    t = m[0];
    for (size_t l = 1; l < 16; l++) t = m[l] > t ? m[l] : t;
    return t;
}

CK_INLINE float lanes_sum(const v16 *v) {
    float t = 0;
    for (size_t l = 0; l < 16; l++) t += (*v)[l];
    return t;
}

// out = exp(s·x − shift), zeros from limit to the end of the row.
CK_INLINE void row_exp(const float *x, float s, float shift, float *out, size_t limit, size_t n, size_t stride) {
    const size_t end = whole(limit, stride);
    BY_VECTORS for (size_t i = 0; i < end; i++) out[i] = ck_exp(i < limit ? s * x[i] - shift : -100.0f);
    for (size_t i = end; i < limit; i++) out[i] = ck_exp(s * x[i] - shift);
    for (size_t i = limit > end ? limit : end; i < n; i++) out[i] = 0;
}

CK_LOOP(void, ck_softmax, (const float *x, float s, float *out, float *lse, size_t rows, size_t n, size_t stride,
                           int causal, size_t first),
                          (x, s, out, lse, rows, n, stride, causal, first)) {
    for (size_t r = 0; r < rows; r++, x += stride, out += stride) {
        size_t limit = causal && first + r + 1 < n ? first + r + 1 : n, end = whole(limit, stride);
        float top = s * row_max(x, limit);
        row_exp(x, s, top, out, limit, n, stride);
        v16 sums = {0};
        for (size_t i = 0; i < end; i += 16) sums += LOAD(out + i);
        float total = lanes_sum(&sums);
        for (size_t i = end; i < limit; i++) total += out[i];
        float inverse = 1.0f / total;
        BY_VECTORS for (size_t k = 0; k < end; k++) out[k] *= inverse;
        for (size_t k = end; k < limit; k++) out[k] *= inverse;
        if (lse) lse[r] = top + logf(total);
    }
}

CK_LOOP(void, ck_softmax_online, (float *x, float s, float *top, float *total, float *out, size_t width,
                                  size_t out_stride, int first, size_t rows, size_t n, size_t stride),
                                 (x, s, top, total, out, width, out_stride, first, rows, n, stride)) {
    for (size_t r = 0; r < rows; r++, x += stride, out += out_stride) {
        size_t end = whole(n, stride);
        float highest = s * row_max(x, n);
        if (!first && top[r] > highest) highest = top[r];
        row_exp(x, s, highest, x, n, n, stride);
        v16 sums = {0};
        for (size_t i = 0; i < end; i += 16) sums += LOAD(x + i);
        float sum = lanes_sum(&sums);
        for (size_t i = end; i < n; i++) sum += x[i];
        if (first) total[r] = sum;
        else {
            float keep = ck_exp(top[r] - highest);
            total[r] = total[r] * keep + sum;
            for (size_t i = 0; i < width; i++) out[i] *= keep;
        }
        top[r] = highest;
    }
}

CK_LOOP(void, ck_softmax_finish, (const float *top, const float *total, float *out, size_t width, size_t out_stride,
                                  float *lse, size_t rows),
                                 (top, total, out, width, out_stride, lse, rows)) {
    for (size_t r = 0; r < rows; r++, out += out_stride) {
        float inverse = 1.0f / total[r];
        for (size_t i = 0; i < width; i++) out[i] *= inverse;
        if (lse) lse[r] = top[r] + logf(total[r]);
    }
}

CK_LOOP(void, ck_softmax_again, (const float *x, float s, const float *lse, float *out, size_t rows, size_t n,
                                 size_t stride, int causal, size_t first),
                                (x, s, lse, out, rows, n, stride, causal, first)) {
    for (size_t r = 0; r < rows; r++, x += stride, out += stride)
        row_exp(x, s, lse[r], out, causal && first + r + 1 < n ? first + r + 1 : n, n, stride);
}

CK_LOOP(void, ck_row_products, (const float *a, const float *b, float *out, size_t rows, size_t n, size_t stride),
                               (a, b, out, rows, n, stride)) {
    for (size_t r = 0; r < rows; r++, a += stride, b += stride) {
        v16 sums = {0};
        size_t end = n / 16 * 16;
        for (size_t i = 0; i < end; i += 16) sums += LOAD(a + i) * LOAD(b + i);
        float t = lanes_sum(&sums);
        for (size_t i = end; i < n; i++) t += a[i] * b[i];
        out[r] = t;
    }
}

CK_LOOP(void, ck_softmax_vjp, (const float *p, const float *g, const float *dots, float s, float *out, size_t rows,
                               size_t n, size_t stride),
                              (p, g, dots, s, out, rows, n, stride)) {
    for (size_t r = 0; r < rows; r++, p += stride, g += stride, out += stride) {
        const size_t end = n / 16 * 16;
        const float t = dots[r];
        BY_VECTORS for (size_t k = 0; k < end; k++) out[k] = s * p[k] * (g[k] - t);
        for (size_t k = end; k < n; k++) out[k] = s * p[k] * (g[k] - t);
    }
}
