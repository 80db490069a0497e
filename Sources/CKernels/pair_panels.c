// Panels as panels.c has them, of brain floats in pairs: row r of a strip holds rows 2r and 2r + 1 of the matrix [k, n],
// column by column. With an odd k the last pair's second half is 0.
#include "CKernels.h"
#include "bfloat.h"

enum { PANEL = 32 };

CK_INLINE size_t panel_width(size_t n, size_t j) { return n - j > 16 ? PANEL : 16; }

size_t ck_pair_panels_size(size_t k, size_t n) { return (k + 1) / 2 * ((n + 15) / 16 * 16); }

// Columns [j, j+16) of b [k, n] into one half of a panel.
CK_INLINE void pack16(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t j, uint32_t *out,
                      size_t width) {
    const size_t columns = n - j < 16 ? n - j : 16, pairs = (k + 1) / 2;
    size_t p = 0;
    if (columns == 16 && !transposed)
        for (; p < k / 2; p++) {
            const float *from = b + 2 * p * ldb + j;
            *(u16v *)(out + p * width) = ck_round_pairs(LOAD(from), LOAD(from + ldb));
        }
    if (columns == 16 && transposed)
        for (; 2 * p + 32 <= k; p += 16) {
            u16v r[16];
            for (size_t c = 0; c < 16; c++) {
                const float *from = b + (j + c) * ldb + 2 * p;
                h16v halves[2] = {ck_round(LOAD(from)), ck_round(LOAD(from + 16))};
                memcpy(&r[c], halves, 64);
            }
            ck_transpose_pairs(r);
#pragma unroll
            for (size_t c = 0; c < 16; c++) *(u16v *)(out + (p + c) * width) = r[c];
        }
    const size_t along = transposed ? 1 : ldb, across = transposed ? ldb : 1;
    for (; p < pairs; p++)
        for (size_t c = 0; c < 16; c++) {
            const float *from = b + (j + c) * across + 2 * p * along;
            uint32_t low = c < columns ? ck_round_one(from[0]) : 0;
            uint32_t high = c < columns && 2 * p + 1 < k ? ck_round_one(from[along]) : 0;
            out[p * width + c] = low | high << 16;
        }
}

CK_WIDE_LOOP(void, ck_pair_pack, (const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t first,
                                  size_t last, uint32_t *out),
                                 (b, ldb, transposed, k, n, first, last, out)) {
    for (size_t panel = first; panel < last; panel++) {
        size_t j = panel * PANEL, width = panel_width(n, j);
        uint32_t *to = out + j * ((k + 1) / 2);
        pack16(b, ldb, transposed, k, n, j, to, width);
        if (width == PANEL) pack16(b, ldb, transposed, k, n, j + 16, to + 16, width);
    }
}

// Sixteen rows of pairs from row p, columns [j, j+16), transposed: r[c] holds rows 2p … 2p + 31 of column j + c.
CK_INLINE void load_transposed(const uint32_t *packed, size_t k, size_t n, size_t p, size_t j, u16v r[16]) {
    const size_t panel = j / PANEL * PANEL, width = panel_width(n, panel), pairs = (k + 1) / 2;
    const uint32_t *from = packed + panel * pairs + p * width + (j - panel);
#pragma unroll
    for (size_t i = 0; i < 16; i++) r[i] = p + i < pairs ? *(const u16v *)(from + i * width) : (u16v){0};
    ck_transpose_pairs(r);
}

CK_WIDE_LOOP(void, ck_pair_unpack, (const uint32_t *packed, size_t k, size_t n, size_t first, size_t last, float *out),
                                   (packed, k, n, first, last, out)) {
    for (size_t j = first * PANEL; j < last * PANEL && j < n; j += 16)
        for (size_t p = 0; p < (k + 1) / 2; p += 16) {
            const size_t columns = n - j < 16 ? n - j : 16, rows = k - 2 * p < 32 ? k - 2 * p : 32;
            u16v r[16];
            load_transposed(packed, k, n, p, j, r);
            for (size_t c = 0; c < columns; c++) {
                uint16_t halves[32];
                float wide[32];
                memcpy(halves, &r[c], 64);
                for (size_t i = 0; i < 32; i++) {
                    uint32_t bits = (uint32_t)halves[i] << 16;
                    memcpy(wide + i, &bits, 4);
                }
                memcpy(out + (j + c) * k + 2 * p, wide, rows * sizeof(float));
            }
        }
}

CK_WIDE_LOOP(void, ck_pair_transpose, (const uint32_t *packed, size_t k, size_t n, size_t row, size_t width,
                                  uint32_t *out),
                                 (packed, k, n, row, width, out)) {
    for (size_t j = 0; j < n; j += 16, out += 8 * width) {
        const size_t rows = ((n - j < 16 ? n - j : 16) + 1) / 2;
        u16v r[16];
        load_transposed(packed, k, n, row / 2, j, r);
        for (size_t q = 0; q < rows; q++) {
            u16v a = r[2 * q], b = r[2 * q + 1];
            u16v even = (a & 0xffffu) | (b << 16), odd = (a >> 16) | (b & 0xffff0000u);
            *(u16v *)(out + q * width) = __builtin_shufflevector(
                even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            if (width == PANEL)
                *(u16v *)(out + q * width + 16) = __builtin_shufflevector(
                    even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
    }
}
