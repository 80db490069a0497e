// Panels: a matrix [k, n] cut into strips of 32 columns, each strip's rows one after another, so that a product reads its
// right-hand side in one stream. A last strip of at most 16 columns is 16 wide; columns past n are zeros.
#include "CKernels.h"
#include "vector.h"
#include <math.h>

enum { PANEL = 32 };

CK_INLINE size_t panel_width(size_t n, size_t j) { return n - j > 16 ? PANEL : 16; }

size_t ck_gemm_packed_size(size_t k, size_t n) { return k * ((n + 15) / 16 * 16); }

// Columns [j, j+16) of b [k, n] into one half of a panel.
CK_INLINE void pack16(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t j, float *out, size_t width) {
    size_t columns = n - j < 16 ? n - j : 16;
    if (!transposed) {
        for (size_t p = 0; p < k; p++, out += width) {
            const float *from = b + p * ldb + j;
            if (columns == 16) STORE(out, LOAD(from));
            else
                for (size_t c = 0; c < 16; c++) out[c] = c < columns ? from[c] : 0;
        }
        return;
    }
    size_t p = 0;
    if (columns == 16)
        for (; p + 16 <= k; p += 16) {
            v16 r[16];
#pragma unroll
            for (size_t c = 0; c < 16; c++) r[c] = LOAD(b + (j + c) * ldb + p);
            ck_transpose16(r);
#pragma unroll
            for (size_t c = 0; c < 16; c++) STORE(out + (p + c) * width, r[c]);
        }
    for (; p < k; p++)
        for (size_t c = 0; c < 16; c++) out[p * width + c] = c < columns ? b[(j + c) * ldb + p] : 0;
}

CK_WIDE_LOOP(void, ck_gemm_pack, (const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t first,
                                  size_t last, float *out),
                                 (b, ldb, transposed, k, n, first, last, out)) {
    for (size_t panel = first; panel < last; panel++) {
        size_t j = panel * PANEL, width = panel_width(n, j);
        float *to = out + j * k;
        pack16(b, ldb, transposed, k, n, j, to, width);
        if (width == PANEL) pack16(b, ldb, transposed, k, n, j + 16, to + 16, width);
    }
}

// 16 columns of panels [k, n] from row p, as rows of their transpose; at most `rows` and `columns` of them are there.
CK_INLINE void load_transposed(const float *packed, size_t k, size_t n, size_t p, size_t rows, size_t j, v16 r[16]) {
    size_t panel = j / PANEL * PANEL, width = panel_width(n, panel);
    const float *from = packed + panel * k + p * width + (j - panel);
#pragma unroll
    for (size_t i = 0; i < 16; i++) r[i] = i < rows ? LOAD(from + i * width) : (v16){0};
    ck_transpose16(r);
}

CK_WIDE_LOOP(void, ck_gemm_unpack, (const float *packed, size_t k, size_t n, size_t first, size_t last, float *out),
                                   (packed, k, n, first, last, out)) {
    for (size_t j = first * PANEL; j < last * PANEL && j < n; j += 16)
        for (size_t p = 0; p < k; p += 16) {
            size_t rows = k - p < 16 ? k - p : 16, columns = n - j < 16 ? n - j : 16;
            v16 r[16];
            load_transposed(packed, k, n, p, rows, j, r);
            for (size_t c = 0; c < columns; c++) {
                if (rows == 16) STORE(out + (j + c) * k + p, r[c]);
                else
                    for (size_t i = 0; i < rows; i++) out[(j + c) * k + p + i] = r[c][i];
            }
        }
}

CK_WIDE_LOOP(void, ck_gemm_transpose, (const float *packed, size_t k, size_t n, size_t first, size_t last, float *out),
                                 (packed, k, n, first, last, out)) {
    for (size_t panel = first; panel < last; panel++) {
        size_t at = panel * PANEL, width = panel_width(k, at);
        float *to = out + at * n;
        for (size_t half = 0; half < width; half += 16) {
            size_t p = at + half, rows = k - p < 16 ? k - p : 16;
            for (size_t j = 0; j < n; j += 16) {
                size_t columns = n - j < 16 ? n - j : 16;
                v16 r[16];
                load_transposed(packed, k, n, p, rows, j, r);
#pragma unroll
                for (size_t c = 0; c < 16; c++)
                    if (c < columns) STORE(to + (j + c) * width + half, r[c]);
            }
        }
    }
}

void ck_gemm_reorder(const float *panels, size_t inputs, size_t taps, size_t n, size_t first, size_t last, float *out) {
    for (size_t panel = first; panel < last; panel++) {
        size_t at = panel * PANEL, width = panel_width(n, at);
        const float *from = panels + at * inputs * taps;
        float *to = out + at * inputs * taps;
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t i = 0; i < inputs; i++, to += width)
                memcpy(to, from + (i * taps + tap) * width, width * sizeof(float));
    }
}

CK_WIDE_LOOP(void, ck_panel_lengths, (float *panel, size_t rows, size_t width, size_t columns, const float *lengths,
                                      float *gain),
                                     (panel, rows, width, columns, lengths, gain)) {
    for (size_t c = 0; c < width; c += 16) {
        // Four running sums: one over many rows would lose digits.
        v16 sum[4] = {{0}}, factor = {0};
        for (size_t r = 0; r < rows; r++) {
            v16 x = LOAD(panel + r * width + c);
            sum[r % 4] += x * x;
        }
        v16 squares = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        for (size_t i = 0; i < 16 && c + i < columns; i++) gain[c + i] = factor[i] = lengths[c + i] / sqrtf(squares[i]);
        for (size_t r = 0; r < rows; r++) STORE(panel + r * width + c, LOAD(panel + r * width + c) * factor);
    }
}
