// Loops of LoRA and DoRA layers.
#include "CKernels.h"
#include "vector.h"

CK_LOOP(void, ck_scale_columns, (const float *restrict x, const float *restrict gain, const float *restrict bias,
                                 float *restrict out, size_t rows, size_t n),
                                (x, gain, bias, out, rows, n)) {
    for (size_t r = 0; r < rows; r++, x += n, out += n) {
        if (bias)
            for (size_t c = 0; c < n; c++) out[c] = x[c] * gain[c] + bias[c];
        else
            for (size_t c = 0; c < n; c++) out[c] = x[c] * gain[c];
    }
}

CK_LOOP(void, ck_scale_columns_vjp, (const float *restrict g, const float *restrict x, const float *restrict gain,
                                     float *restrict dx, float *restrict products, size_t rows, size_t n,
                                     size_t stride),
                                    (g, x, gain, dx, products, rows, n, stride)) {
    for (size_t c = 0; c < n; c++) products[c] = 0;
    for (size_t r = 0; r < rows; r++, g += stride, x += stride, dx += stride)
        for (size_t c = 0; c < n; c++) {
            products[c] += g[c] * x[c];
            dx[c] = g[c] * gain[c];
        }
}

CK_LOOP(void, ck_column_dots, (const float *restrict g, const float *restrict y, const float *restrict shift,
                               float *restrict out, size_t rows, size_t n, size_t stride),
                              (g, y, shift, out, rows, n, stride)) {
    for (size_t c = 0; c < n; c++) out[c] = 0;
    for (size_t r = 0; r < rows; r++, g += stride, y += stride) {
        if (shift)
            for (size_t c = 0; c < n; c++) out[c] += g[c] * (y[c] - shift[c]);
        else
            for (size_t c = 0; c < n; c++) out[c] += g[c] * y[c];
    }
}

// Eight running sums, so that additions may be vectorized: the compiler does not reorder them by itself.
CK_LOOP(void, ck_row_dots, (const float *restrict a, const float *restrict b, float *restrict out, size_t rows,
                            size_t n),
                           (a, b, out, rows, n)) {
    for (size_t r = 0; r < rows; r++, a += n, b += n) {
        float lanes[8] = {0};
        size_t c = 0;
        for (; c + 8 <= n; c += 8)
            for (size_t l = 0; l < 8; l++) lanes[l] += a[c + l] * b[c + l];
        for (; c < n; c++) lanes[c & 7] += a[c] * b[c];
        out[r] = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
    }
}
