// Matrix products for processors with AVX-512. Networks multiply many rows by a small matrix: that one is packed once
// into panels, and the rows are read where they lie, without the copies that a general BLAS makes at every call.
#include "CKernels.h"
#include "vector.h"

#if defined(__x86_64__)

// Without a minimum width clang splits 512-bit vectors in two, and half of the registers are lost.
#define V4 __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
typedef float v16 __attribute__((vector_size(64), aligned(4)));
#define LOAD(p) (*(const v16 *)(p))
#define STORE(p, value) (*(v16 *)(p) = (value))

enum {
    PANEL = 32,      // columns of a panel; the last may have 16
    ROWS = 12,       // rows of a register tile: 12×2 accumulators, 2 vectors of b and a factor fill 32 registers
    DEPTH = 768,     // products added up before the next panel: 768×32 floats stay in the second-level cache
};

int ck_gemm_supported(void) { return strcmp(ck_vector_level(), "x86-64-v4") == 0; }

size_t ck_gemm_packed_size(size_t k, size_t n) { return k * ((n + 15) / 16 * 16); }

// Exchanges the lanes with bit s of rows without it for the lanes without it of rows with it: four steps transpose.
V4 CK_INLINE void transpose16(v16 r[16]) {
#define STEP(s, low, high)                                                        \
    _Pragma("unroll") for (int i = 0; i < 16; i++) if (!(i & (s))) {              \
        v16 a = r[i], b = r[i + (s)];                                             \
        r[i] = __builtin_shufflevector(a, b, low);                                \
        r[i + (s)] = __builtin_shufflevector(a, b, high);                         \
    }
#define L(...) __VA_ARGS__
    STEP(1, L(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
         L(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    STEP(2, L(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
         L(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    STEP(4, L(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
         L(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    STEP(8, L(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
         L(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef L
#undef STEP
}

// Columns [j, j+16) of b [k, n] into one half of a panel; columns past n become zeros.
V4 static void pack16(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t j, float *out,
                      size_t width) {
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
            transpose16(r);
#pragma unroll
            for (size_t c = 0; c < 16; c++) STORE(out + (p + c) * width, r[c]);
        }
    for (; p < k; p++)
        for (size_t c = 0; c < 16; c++) out[p * width + c] = c < columns ? b[(j + c) * ldb + p] : 0;
}

void ck_gemm_pack(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t first, size_t last, float *out) {
    for (size_t panel = first; panel < last; panel++) {
        size_t j = panel * PANEL, width = n - j > 16 ? PANEL : 16;
        float *to = out + j * k;
        pack16(b, ldb, transposed, k, n, j, to, width);
        if (width == PANEL) pack16(b, ldb, transposed, k, n, j + 16, to + 16, width);
    }
}

// `rows`×(16·vectors) products in registers: c = start + a·panel. Element (i, p) of a is a[i·across + p·along].
V4 CK_INLINE void tile(const int rows, const int vectors, size_t k, const float *a, size_t across, size_t along,
                       const float *panel, const float *start, size_t start_stride, float *c, size_t ldc) {
    v16 sum[ROWS][2];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int j = 0; j < vectors; j++)
            sum[i][j] = start ? LOAD(start + (size_t)i * start_stride + 16 * j) : (v16){0};
    for (size_t p = 0; p < k; p++, a += along, panel += 16 * vectors) {
        v16 b[2];
#pragma unroll
        for (int j = 0; j < vectors; j++) b[j] = LOAD(panel + 16 * j);
#pragma unroll
        for (int i = 0; i < rows; i++) {
            float x = a[(size_t)i * across];
#pragma unroll
            for (int j = 0; j < vectors; j++) sum[i][j] += x * b[j];
        }
    }
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int j = 0; j < vectors; j++) STORE(c + (size_t)i * ldc + 16 * j, sum[i][j]);
}

// All rows of one panel.
V4 CK_INLINE void column(const int vectors, size_t m, size_t k, const float *a, size_t across, size_t along,
                         const float *panel, const float *start, size_t start_stride, float *c, size_t ldc) {
#define RUN(count)                                                                                                      \
    for (; m >= (count); m -= (count)) {                                                                               \
        tile(count, vectors, k, a, across, along, panel, start, start_stride, c, ldc);                                 \
        a += (count) * across;                                                                                         \
        c += (count) * ldc;                                                                                            \
        if (start) start += (count) * start_stride;                                                                    \
    }
    RUN(12) RUN(8) RUN(4) RUN(2) RUN(1)
#undef RUN
}

V4 static void columns32(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *panel,
                         const float *start, size_t start_stride, float *c, size_t ldc) {
    if (transposed) column(2, m, k, a, 1, lda, panel, start, start_stride, c, ldc);
    else column(2, m, k, a, lda, 1, panel, start, start_stride, c, ldc);
}

V4 static void columns16(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *panel,
                         const float *start, size_t start_stride, float *c, size_t ldc) {
    if (transposed) column(1, m, k, a, 1, lda, panel, start, start_stride, c, ldc);
    else column(1, m, k, a, lda, 1, panel, start, start_stride, c, ldc);
}

// The last columns where n is no multiple of 16: through a buffer of whole vectors.
V4 static void ragged(size_t m, size_t k, size_t width, size_t columns, const float *a, size_t lda, int transposed,
                      const float *panel, const float *start, size_t start_stride, float *c, size_t ldc) {
    float buffer[ROWS * PANEL];
    for (size_t i = 0; i < m; i += ROWS) {
        size_t rows = m - i < ROWS ? m - i : ROWS;
        const float *from = a + i * (transposed ? 1 : lda);
        if (width == PANEL) columns32(rows, k, from, lda, transposed, panel, 0, 0, buffer, PANEL);
        else columns16(rows, k, from, lda, transposed, panel, 0, 0, buffer, PANEL);
        for (size_t r = 0; r < rows; r++)
            for (size_t j = 0; j < columns; j++)
                c[(i + r) * ldc + j] =
                    buffer[r * PANEL + j] + (start ? start[(i + r) * start_stride + j] : 0);
    }
}

void ck_gemm(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *packed, size_t n, size_t first,
             size_t last, const float *bias, int accumulate, float *c, size_t ldc) {
    for (size_t p = 0; p < k || p == 0; p += DEPTH) {
        size_t depth = k - p < DEPTH ? k - p : DEPTH;
        const float *left = a + p * (transposed ? lda : 1);
        for (size_t panel = first; panel < last; panel++) {
            size_t j = panel * PANEL, columns = n - j < PANEL ? n - j : PANEL, width = columns > 16 ? PANEL : 16;
            const float *right = packed + j * k + p * width;
            const float *start = accumulate || p > 0 ? c + j : bias ? bias + j : 0;
            size_t start_stride = accumulate || p > 0 ? ldc : 0;
            if (columns == PANEL) columns32(m, depth, left, lda, transposed, right, start, start_stride, c + j, ldc);
            else if (columns == 16) columns16(m, depth, left, lda, transposed, right, start, start_stride, c + j, ldc);
            else ragged(m, depth, width, columns, left, lda, transposed, right, start, start_stride, c + j, ldc);
        }
    }
}

#else

int ck_gemm_supported(void) { return 0; }
size_t ck_gemm_packed_size(size_t k, size_t n) { return k * n; }
void ck_gemm_pack(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t first, size_t last, float *out) {}
void ck_gemm(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *packed, size_t n, size_t first,
             size_t last, const float *bias, int accumulate, float *c, size_t ldc) {}

#endif
