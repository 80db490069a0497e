// Matrix products for processors with AVX-512. Networks multiply many rows by a small matrix: that one is packed once
// into panels, and the rows are read where they lie, without the copies that a general BLAS makes at every call.
#include "CKernels.h"
#include "vector.h"

#if defined(__x86_64__)

#define V4 CK_WIDE __attribute__((target("arch=x86-64-v4")))
enum {
    PANEL = 32,      // columns of a panel; the last may have 16
    ROWS = 12,       // rows of a register tile: 12×2 accumulators, 2 vectors of b and a factor fill 32 registers
    DEPTH = 768,     // products added up before the next panel: 768×32 floats stay in the second-level cache
};

int ck_gemm_supported(void) { return strcmp(ck_vector_level(), "x86-64-v4") == 0; }

// `rows`×(16·vectors) products in registers: c = start + a·panel. Element (i, p) of a is a[i·across + p·along]; rows of
// the panel are `step` apart.
V4 CK_INLINE void tile(const int rows, const int vectors, size_t k, const float *a, size_t across, size_t along,
                       const float *panel, size_t step, const float *start, size_t start_stride, float *c,
                       size_t ldc) {
    v16 sum[ROWS][2];
#pragma unroll
    for (int i = 0; i < rows; i++)
#pragma unroll
        for (int j = 0; j < vectors; j++)
            sum[i][j] = start ? LOAD(start + (size_t)i * start_stride + 16 * j) : (v16){0};
    for (size_t p = 0; p < k; p++, a += along, panel += step) {
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
                         const float *panel, size_t step, const float *start, size_t start_stride, float *c,
                         size_t ldc) {
#define RUN(count)                                                                                                      \
    for (; m >= (count); m -= (count)) {                                                                               \
        tile(count, vectors, k, a, across, along, panel, step, start, start_stride, c, ldc);                           \
        a += (count) * across;                                                                                         \
        c += (count) * ldc;                                                                                            \
        if (start) start += (count) * start_stride;                                                                    \
    }
    RUN(12) RUN(8) RUN(4) RUN(2) RUN(1)
#undef RUN
}

V4 static void columns32(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *panel,
                         const float *start, size_t start_stride, float *c, size_t ldc) {
    if (transposed) column(2, m, k, a, 1, lda, panel, PANEL, start, start_stride, c, ldc);
    else column(2, m, k, a, lda, 1, panel, PANEL, start, start_stride, c, ldc);
}

V4 static void columns16(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *panel,
                         const float *start, size_t start_stride, float *c, size_t ldc) {
    if (transposed) column(1, m, k, a, 1, lda, panel, 16, start, start_stride, c, ldc);
    else column(1, m, k, a, lda, 1, panel, 16, start, start_stride, c, ldc);
}

// Whole vectors of columns of a matrix that is not packed, its rows `step` apart: for few rows of a, which would not
// pay for packing it. A function of its own, since a step that varies takes a register of the other's.
V4 static void unpacked(size_t width, size_t m, size_t k, const float *a, size_t lda, int transposed, const float *b,
                        size_t step, const float *start, size_t start_stride, float *c, size_t ldc) {
    if (transposed) {
        if (width == PANEL) column(2, m, k, a, 1, lda, b, step, start, start_stride, c, ldc);
        else column(1, m, k, a, 1, lda, b, step, start, start_stride, c, ldc);
    } else {
        if (width == PANEL) column(2, m, k, a, lda, 1, b, step, start, start_stride, c, ldc);
        else column(1, m, k, a, lda, 1, b, step, start, start_stride, c, ldc);
    }
}

// The last columns where n is not a multiple of 16: through a buffer of whole vectors.
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

// All rows of one panel, whatever its width.
V4 static void columns(size_t n, size_t m, size_t k, const float *a, size_t lda, int transposed, const float *panel,
                       const float *start, size_t start_stride, float *c, size_t ldc) {
    if (n == PANEL) columns32(m, k, a, lda, transposed, panel, start, start_stride, c, ldc);
    else if (n == 16) columns16(m, k, a, lda, transposed, panel, start, start_stride, c, ldc);
    else ragged(m, k, n > 16 ? PANEL : 16, n, a, lda, transposed, panel, start, start_stride, c, ldc);
}

void ck_gemm(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *b, size_t ldb, size_t n,
             size_t first, size_t last, const float *bias, int accumulate, float *c, size_t ldc) {
    // Rows a multiple of 4 KiB apart share one set of the first-level cache and drive each other out; copies of them, a
    // vector further apart each, do not.
    enum { SPREAD = 48 };
    float copies[SPREAD * (DEPTH + 16)];
    const int conflicting = !transposed && lda % 1024 == 0 && k >= 64 && m >= ROWS && last > first + 1;
    for (size_t p = 0; p < k || p == 0; p += DEPTH) {
        size_t depth = k - p < DEPTH ? k - p : DEPTH;
        for (size_t i = 0; i < m; i += SPREAD) {
            size_t rows = !conflicting ? m : m - i < SPREAD ? m - i : SPREAD, stride = lda;
            const float *left = transposed ? a + p * lda + i : a + i * lda + p;
            if (conflicting) {
                stride = depth + 16;
                for (size_t r = 0; r < rows; r++) memcpy(copies + r * stride, left + r * lda, depth * sizeof(float));
                left = copies;
            }
            for (size_t panel = first; panel < last; panel++) {
                size_t j = panel * PANEL, width = n - j < PANEL ? n - j : PANEL;
                float *to = c + i * ldc + j;
                const float *start = accumulate || p > 0 ? to : bias ? bias + j : 0;
                size_t start_stride = accumulate || p > 0 ? ldc : 0;
                if (ldb > 0)
                    unpacked(width, rows, depth, left, stride, transposed, b + p * ldb + j, ldb, start, start_stride,
                             to, ldc);
                else
                    columns(width, rows, depth, left, stride, transposed, b + j * k + p * (width > 16 ? PANEL : 16),
                            start, start_stride, to, ldc);
            }
            if (!conflicting) break;
        }
    }
}

#else

int ck_gemm_supported(void) { return 0; }
void ck_gemm(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *b, size_t ldb, size_t n,
             size_t first, size_t last, const float *bias, int accumulate, float *c, size_t ldc) {}

#endif
