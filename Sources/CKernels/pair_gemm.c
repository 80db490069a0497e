// Matrix products of brain floats with sums in float32. The right-hand side is in panels of pairs (pair_panels.c); rows
// of the left one are rounded here, a few at a time, and then meet all panels.
#include "CKernels.h"
#include "amx.h"
#include "bfloat.h"

enum {
    PANEL = 32,
    SPREAD = 48,    // rows that are rounded together
    DEPTH = 768,    // pairs added up before the next panel: 768×32 stay in the second-level cache
    ROWS = 12,      // rows of a register tile
};

// --- rows of the left-hand side

// `rows` rows of `pairs` pairs from float32, `stride` pairs apart; the second half of the last is 0 where k is odd.
CK_INLINE void round_rows(size_t rows, size_t k, const float *a, size_t lda, uint32_t *out, size_t stride) {
    for (size_t r = 0; r < rows; r++) {
        const float *from = a + r * lda;
        uint32_t *to = out + r * stride;
        size_t p = 0;
        for (; p + 32 <= k; p += 32) {
            *(h16v *)(to + p / 2) = ck_round(LOAD(from + p));
            *(h16v *)(to + p / 2 + 8) = ck_round(LOAD(from + p + 16));
        }
        for (; p < k; p += 2) to[p / 2] = ck_round_one(from[p]) | (p + 1 < k ? ck_round_one(from[p + 1]) << 16 : 0);
    }
}

// The same for columns of a [k, rows].
CK_INLINE void round_columns(size_t rows, size_t k, const float *a, size_t lda, uint32_t *out, size_t stride) {
    size_t r = 0;
    for (; r + 16 <= rows; r += 16) {
        size_t p = 0;
        for (; p + 32 <= k; p += 32) {
            u16v x[16];
            for (size_t i = 0; i < 16; i++) {
                const float *from = a + (p + 2 * i) * lda + r;
                x[i] = ck_round_pairs(LOAD(from), LOAD(from + lda));
            }
            ck_transpose_pairs(x);
#pragma unroll
            for (size_t i = 0; i < 16; i++) *(u16v *)(out + (r + i) * stride + p / 2) = x[i];
        }
        for (; p < k; p += 2)
            for (size_t i = r; i < r + 16; i++)
                out[i * stride + p / 2] =
                    ck_round_one(a[p * lda + i]) | (p + 1 < k ? ck_round_one(a[(p + 1) * lda + i]) << 16 : 0);
    }
    for (; r < rows; r++)
        for (size_t p = 0; p < k; p += 2)
            out[r * stride + p / 2] =
                ck_round_one(a[p * lda + r]) | (p + 1 < k ? ck_round_one(a[(p + 1) * lda + r]) << 16 : 0);
}

CK_WIDE_LOOP(void, ck_pair_rows, (const float *a, size_t lda, int transposed, size_t rows, size_t k, uint32_t *out,
                                  size_t stride),
                                 (a, lda, transposed, rows, k, out, stride)) {
    if (transposed) round_columns(rows, k, a, lda, out, stride);
    else round_rows(rows, k, a, lda, out, stride);
}

// --- register tiles

typedef struct {
    const float *start;
    size_t start_stride;
    float *c;
    size_t ldc;
} Target;

// Runs TILE(rows) over `m` rows of the left-hand side, which are `across` words apart.
#define RUN(count)                                                \
    for (; m >= (count); m -= (count)) {                          \
        TILE(count);                                              \
        a += (count) * across;                                    \
        t.c += (count) * t.ldc;                                   \
        if (t.start) t.start += (count) * t.start_stride;         \
    }

#define EACH(i, count) _Pragma("unroll") for (int i = 0; i < (count); i++)

// Without an instruction for it: pairs are split into float32 again. `a` holds float32, two for each pair.
CK_INLINE void plain_tile(const int rows, const int vectors, size_t pairs, const float *a, size_t across,
                          const uint32_t *panel, size_t step, Target t) {
    v16 sum[ROWS][2];
    EACH(i, rows) EACH(j, vectors)
        sum[i][j] = t.start ? LOAD(t.start + (size_t)i * t.start_stride + 16 * j) : (v16){0};
    for (size_t p = 0; p < pairs; p++, a += 2, panel += step) {
        v16 low[2], high[2];
        EACH(j, vectors) {
            u16v both = *(const u16v *)(panel + 16 * j);
            low[j] = ck_low(both);
            high[j] = ck_high(both);
        }
        EACH(i, rows) {
            float x = a[(size_t)i * across], y = a[(size_t)i * across + 1];
            EACH(j, vectors) sum[i][j] += x * low[j];
            EACH(j, vectors) sum[i][j] += y * high[j];
        }
    }
    EACH(i, rows) EACH(j, vectors) STORE(t.c + (size_t)i * t.ldc + 16 * j, sum[i][j]);
}

// One vector of columns at a time, in tiles of `count` rows: what fewer registers hold.
#define NARROW_COLUMNS(level, name, count)                                                                       \
    level static void name(int vectors, size_t m, size_t pairs, const float *a, size_t across,                   \
                           const uint32_t *panel, Target t) {                                                    \
        const size_t step = vectors == 2 ? 32 : 16;                                                              \
        RUN(count) RUN(1)                                                                                        \
    }
#define TILE(rows)                                                                                               \
    do {                                                                                                         \
        plain_tile(rows, 1, pairs, a, across, panel, step, t);                                                   \
        Target right = {t.start ? t.start + 16 : 0, t.start_stride, t.c + 16, t.ldc};                            \
        if (vectors == 2) plain_tile(rows, 1, pairs, a, across, panel + 16, step, right);                        \
    } while (0)

NARROW_COLUMNS(, plain_columns_v1, 2)

#if defined(__x86_64__)

#include <immintrin.h>

NARROW_COLUMNS(CK_V3, plain_columns_v3, 4)
#undef TILE

// Where the processor has AVX-512 but no products of brain floats.
CK_WIDE CK_V4 static void plain_columns_v4(int vectors, size_t m, size_t pairs, const float *a, size_t across,
                                           const uint32_t *panel, Target t) {
    if (vectors == 2) {
#define TILE(rows) plain_tile(rows, 2, pairs, a, across, panel, 32, t)
        RUN(12) RUN(4) RUN(1)
#undef TILE
    } else {
#define TILE(rows) plain_tile(rows, 1, pairs, a, across, panel, 16, t)
        RUN(12) RUN(4) RUN(1)
#undef TILE
    }
}

#define BF16 CK_WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512cd,avx512bf16,"               \
                                           "sse4.2,avx2,fma,f16c,bmi,bmi2,lzcnt,movbe,popcnt,cx16,crc32,sahf")))

BF16 CK_INLINE void pair_tile(const int rows, const int vectors, size_t pairs, const uint32_t *a, size_t across,
                              const uint32_t *panel, size_t step, Target t) {
    __m512 sum[ROWS][2];
    EACH(i, rows) EACH(j, vectors)
        sum[i][j] =
            t.start ? _mm512_loadu_ps(t.start + (size_t)i * t.start_stride + 16 * j) : _mm512_setzero_ps();
    for (size_t p = 0; p < pairs; p++, a++, panel += step) {
        __m512bh b[2];
        EACH(j, vectors) b[j] = (__m512bh)_mm512_loadu_si512(panel + 16 * j);
        EACH(i, rows) {
            __m512bh x = (__m512bh)_mm512_set1_epi32((int)a[(size_t)i * across]);
            EACH(j, vectors) sum[i][j] = _mm512_dpbf16_ps(sum[i][j], x, b[j]);
        }
    }
    EACH(i, rows) EACH(j, vectors) _mm512_storeu_ps(t.c + (size_t)i * t.ldc + 16 * j, sum[i][j]);
}

BF16 static void pair_columns(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t across,
                              const uint32_t *panel, Target t) {
    if (vectors == 2) {
#define TILE(rows) pair_tile(rows, 2, pairs, a, across, panel, 32, t)
        RUN(12) RUN(8) RUN(4) RUN(2) RUN(1)
#undef TILE
    } else {
#define TILE(rows) pair_tile(rows, 1, pairs, a, across, panel, 16, t)
        RUN(12) RUN(8) RUN(4) RUN(2) RUN(1)
#undef TILE
    }
}

// What AMX's tiles leave over.
void ck_pair_columns(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t stride, const uint32_t *panel,
                     const float *start, size_t start_stride, float *c, size_t ldc) {
    pair_columns(vectors, m, pairs, a, stride, panel, (Target){start, start_stride, c, ldc});
}

// Rows from float32 as round_rows has them, by the instruction.
BF16 static void round_rows_bf16(size_t rows, size_t k, const float *a, size_t lda, uint32_t *out, size_t stride) {
    for (size_t r = 0; r < rows; r++) {
        const float *from = a + r * lda;
        uint32_t *to = out + r * stride;
        size_t p = 0;
        for (; p + 32 <= k; p += 32)
            _mm512_storeu_si512(
                to + p / 2, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + p + 16), _mm512_loadu_ps(from + p)));
        for (; p < k; p += 2) to[p / 2] = ck_round_one(from[p]) | (p + 1 < k ? ck_round_one(from[p + 1]) << 16 : 0);
    }
}

#endif

// --- the product

// One block of rows, ready for the processor's instructions.
typedef struct {
    const uint32_t *pairs;    // for the instruction
    const float *plain;       // without it
    size_t stride;            // between rows, in pairs or in values
} Rows;

static void columns(enum ck_pair_unit unit, int vectors, size_t m, size_t pairs, Rows a, const uint32_t *panel,
                    Target t) {
#if defined(__x86_64__)
    if (unit == CK_PAIRS_AMX) {
        ck_amx_columns(vectors, m, pairs, a.pairs, a.stride, panel, t.start, t.start_stride, t.c, t.ldc);
        return;
    }
    if (unit == CK_PAIRS_AVX512) {
        pair_columns(vectors, m, pairs, a.pairs, a.stride, panel, t);
        return;
    }
    if (ck_level() == 2) {
        plain_columns_v4(vectors, m, pairs, a.plain, a.stride, panel, t);
        return;
    }
    if (ck_level() == 1) {
        plain_columns_v3(vectors, m, pairs, a.plain, a.stride, panel, t);
        return;
    }
#endif
    plain_columns_v1(vectors, m, pairs, a.plain, a.stride, panel, t);
}

// The last columns where n is not a multiple of 16: through a buffer of whole vectors.
static void ragged(enum ck_pair_unit unit, size_t m, size_t pairs, size_t width, size_t count, Rows a,
                   const uint32_t *panel, Target t) {
    float buffer[SPREAD * PANEL];
    columns(unit, width == PANEL ? 2 : 1, m, pairs, a, panel, (Target){0, 0, buffer, PANEL});
    for (size_t r = 0; r < m; r++)
        for (size_t j = 0; j < count; j++)
            t.c[r * t.ldc + j] = buffer[r * PANEL + j] + (t.start ? t.start[r * t.start_stride + j] : 0);
}

static void round_block(enum ck_pair_unit unit, const float *a, size_t lda, int transposed, size_t rows, size_t k,
                        uint32_t *out, size_t stride) {
#if defined(__x86_64__)
    if (unit != CK_PAIRS_PLAIN && !transposed) {
        round_rows_bf16(rows, k, a, lda, out, stride);
        return;
    }
#endif
    ck_pair_rows(a, lda, transposed, rows, k, out, stride);
}

void ck_pair_gemm(size_t m, size_t k, const void *a, size_t lda, enum ck_pair_left left, const uint32_t *b, size_t n,
                  size_t first, size_t last, const float *bias, int accumulate, float *c, size_t ldc) {
    const enum ck_pair_unit unit = ck_pair_unit();
    const size_t pairs = (k + 1) / 2;
    // A vector between rows: at a distance of a power of two they would drive each other out of the cache.
    uint32_t rounded[SPREAD * (DEPTH + 16)];
    float plain[SPREAD * (DEPTH + 16)];
    // Pairs again as float32 take twice the space.
    const size_t depth = unit == CK_PAIRS_PLAIN ? DEPTH / 2 : DEPTH;
#if defined(__x86_64__)
    if (unit == CK_PAIRS_AMX) ck_amx_begin();
#endif
    for (size_t p = 0; p < pairs || p == 0; p += depth) {
        const size_t count = pairs - p < depth ? pairs - p : depth;
        const size_t values = k - 2 * p < 2 * count ? k - 2 * p : 2 * count;
        for (size_t i = 0; i < m; i += SPREAD) {
            const size_t rows = m - i < SPREAD ? m - i : SPREAD;
            Rows block = {rounded, plain, count + 16};
            if (left == CK_LEFT_PAIRS) {
                block.pairs = (const uint32_t *)a + i * lda + p;
                block.stride = lda;
            } else {
                const float *from = left == CK_LEFT_FLOATS ? (const float *)a + i * lda + 2 * p
                                                           : (const float *)a + 2 * p * lda + i;
                round_block(unit, from, lda, left == CK_LEFT_TRANSPOSED, rows, values, rounded, count + 16);
            }
            if (unit == CK_PAIRS_PLAIN) {
                for (size_t r = 0; r < rows; r++)
                    ck_widen_bfloat(
                        (const uint16_t *)(block.pairs + r * block.stride), plain + r * (2 * count + 16), 2 * count);
                block.stride = 2 * count + 16;
            }
            for (size_t panel = first; panel < last; panel++) {
                const size_t j = panel * PANEL, width = n - j > 16 ? PANEL : 16, there = n - j < PANEL ? n - j : PANEL;
                float *to = c + i * ldc + j;
                const int adding = accumulate || p > 0;
                Target t = {adding ? to : bias ? bias + j : 0, adding ? ldc : 0, to, ldc};
                const uint32_t *from = b + j * pairs + p * width;
                if (there == width) columns(unit, width == PANEL ? 2 : 1, rows, count, block, from, t);
                else ragged(unit, rows, count, width, there, block, from, t);
            }
        }
    }
#if defined(__x86_64__)
    if (unit == CK_PAIRS_AMX) ck_amx_end();
#endif
}
