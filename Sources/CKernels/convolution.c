#include "CKernels.h"
#include "vector.h"

void ck_im2col(const float *x, float *out, size_t first, size_t count, int H, int W, int C, int outW, int kh, int kw,
               int stride, int top, int left) {
    const size_t bytes = (size_t)C * sizeof(float);
    for (size_t p = first; p < first + count; p++) {
        int y0 = (int)(p / (size_t)outW) * stride - top, x0 = (int)(p % (size_t)outW) * stride - left;
        for (int i = 0; i < kh; i++) {
            int y = y0 + i;
            if (y < 0 || y >= H) {
                memset(out, 0, bytes * (size_t)kw);
                out += (size_t)kw * (size_t)C;
            } else if (x0 >= 0 && x0 + kw <= W) {
                memcpy(out, x + ((size_t)y * (size_t)W + (size_t)x0) * (size_t)C, bytes * (size_t)kw);
                out += (size_t)kw * (size_t)C;
            } else {
                for (int j = 0; j < kw; j++, out += C) {
                    int xx = x0 + j;
                    if (xx < 0 || xx >= W) memset(out, 0, bytes);
                    else memcpy(out, x + ((size_t)y * (size_t)W + (size_t)xx) * (size_t)C, bytes);
                }
            }
        }
    }
}

CK_LOOP(void, ck_col2im, (const float *columns, float *x, size_t first, size_t count, int H, int W, int C, int outW,
                          int kh, int kw, int stride, int top, int left),
                         (columns, x, first, count, H, W, C, outW, kh, kw, stride, top, left)) {
    for (size_t p = first; p < first + count; p++) {
        int y0 = (int)(p / (size_t)outW) * stride - top, x0 = (int)(p % (size_t)outW) * stride - left;
        for (int i = 0; i < kh; i++)
            for (int j = 0; j < kw; j++, columns += C) {
                int y = y0 + i, xx = x0 + j;
                if (y < 0 || y >= H || xx < 0 || xx >= W) continue;
                float *to = x + ((size_t)y * (size_t)W + (size_t)xx) * (size_t)C;
                for (int c = 0; c < C; c++) to[c] += columns[c];
            }
    }
}

void ck_upsample2x(const float *x, float *out, size_t rows, int W, int C) {
    const size_t line = 2 * (size_t)W * (size_t)C, bytes = (size_t)C * sizeof(float);
    for (size_t r = 0; r < rows; r++, out += 2 * line) {
        float *to = out;
        for (int j = 0; j < W; j++, x += C, to += 2 * C) {
            memcpy(to, x, bytes);
            memcpy(to + C, x, bytes);
        }
        memcpy(out + line, out, line * sizeof(float));
    }
}

CK_LOOP(void, ck_upsample2x_vjp, (const float *g, float *out, size_t rows, int W, int C), (g, out, rows, W, C)) {
    const size_t line = 2 * (size_t)W * (size_t)C;
    for (size_t r = 0; r < rows; r++, g += 2 * line)
        for (int j = 0; j < W; j++, out += C) {
            const float *a = g + 2 * (size_t)j * (size_t)C, *b = a + line;
            for (int c = 0; c < C; c++) out[c] = (a[c] + a[C + c]) + (b[c] + b[C + c]);
        }
}
