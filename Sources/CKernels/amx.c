// Products of pairs by AMX's tiles: 16 rows of 16 pairs each. The left-hand side's rows and the panels (pair_panels.c) are
// tiles as they lie. What does not fill a tile goes through AVX-512's pairs.
#include "amx.h"
#include "CKernels.h"
#include "bfloat.h"

// 2×2 tiles of sums in registers. LOAD_TILE and so on take literal numbers, as the instructions do.
#define AMX_ROWS(count)                                                                                           \
    do {                                                                                                          \
        if (start) {                                                                                              \
            LOAD_TILE(0, start, start_stride);                                                                    \
            if (vectors == 2) LOAD_TILE(1, start + 16, start_stride);                                             \
            if ((count) == 32) LOAD_TILE(2, start + 16 * start_stride, start_stride);                             \
            if ((count) == 32 && vectors == 2) LOAD_TILE(3, start + 16 * start_stride + 16, start_stride);        \
        } else {                                                                                                  \
            ZERO_TILE(0);                                                                                         \
            ZERO_TILE(1);                                                                                         \
            ZERO_TILE(2);                                                                                         \
            ZERO_TILE(3);                                                                                         \
        }                                                                                                         \
        for (size_t p = 0; p < whole; p += 16) {                                                                  \
            LOAD_TILE(4, a + p, stride);                                                                          \
            LOAD_TILE(6, panel + p * step, step);                                                                 \
            MULTIPLY_TILES(0, 4, 6);                                                                              \
            if (vectors == 2) {                                                                                   \
                LOAD_TILE(7, panel + p * step + 16, step);                                                        \
                MULTIPLY_TILES(1, 4, 7);                                                                          \
            }                                                                                                     \
            if ((count) == 32) {                                                                                  \
                LOAD_TILE(5, a + 16 * stride + p, stride);                                                        \
                MULTIPLY_TILES(2, 5, 6);                                                                          \
                if (vectors == 2) MULTIPLY_TILES(3, 5, 7);                                                        \
            }                                                                                                     \
        }                                                                                                         \
        STORE_TILE(0, c, ldc);                                                                                    \
        if (vectors == 2) STORE_TILE(1, c + 16, ldc);                                                             \
        if ((count) == 32) STORE_TILE(2, c + 16 * ldc, ldc);                                                      \
        if ((count) == 32 && vectors == 2) STORE_TILE(3, c + 16 * ldc + 16, ldc);                                 \
    } while (0)

#define AMX_BODY(rest)                                                                                            \
    const size_t whole = pairs / 16 * 16, step = vectors == 2 ? 32 : 16;                                          \
    while (m >= 16 && whole > 0) {                                                                                \
        const size_t count = m >= 32 ? 32 : 16;                                                                   \
        if (count == 32) AMX_ROWS(32);                                                                            \
        else AMX_ROWS(16);                                                                                        \
        if (pairs > whole)                                                                                        \
            rest(vectors, count, pairs - whole, a + whole, stride, panel + whole * step, c, ldc, c, ldc);         \
        m -= count;                                                                                               \
        a += count * stride;                                                                                      \
        c += count * ldc;                                                                                         \
        if (start) start += count * start_stride;                                                                 \
    }                                                                                                             \
    if (m > 0) rest(vectors, m, pairs, a, stride, panel, start, start_stride, c, ldc);

// --- in software, for tests on processors without tiles

typedef struct {
    uint32_t row[16][16];
} Tile;

static void load_tile(Tile *tile, const void *from, size_t stride) {
    for (size_t r = 0; r < 16; r++) memcpy(tile->row[r], (const uint32_t *)from + r * stride, 64);
}

static void store_tile(const Tile *tile, float *to, size_t stride) {
    for (size_t r = 0; r < 16; r++) memcpy(to + r * stride, tile->row[r], 64);
}

static float half_of(uint32_t pair, int high) {
    uint32_t bits = high ? pair & 0xffff0000u : pair << 16;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static void multiply_tiles(Tile *sum, const Tile *a, const Tile *b) {
    for (size_t r = 0; r < 16; r++)
        for (size_t j = 0; j < 16; j++) {
            float x;
            memcpy(&x, &sum->row[r][j], 4);
            for (size_t p = 0; p < 16; p++) {
                x += half_of(a->row[r][p], 0) * half_of(b->row[p][j], 0);
                x += half_of(a->row[r][p], 1) * half_of(b->row[p][j], 1);
            }
            memcpy(&sum->row[r][j], &x, 4);
        }
}

void ck_amx_columns_in_software(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t stride,
                                const uint32_t *panel, const float *start, size_t start_stride, float *c, size_t ldc) {
    Tile tile[8];
#define ZERO_TILE(t) memset(&tile[t], 0, sizeof(Tile))
#define LOAD_TILE(t, from, stride) load_tile(&tile[t], from, stride)
#define STORE_TILE(t, to, stride) store_tile(&tile[t], to, stride)
#define MULTIPLY_TILES(s, x, y) multiply_tiles(&tile[s], &tile[x], &tile[y])
    AMX_BODY(ck_pair_columns)
#undef ZERO_TILE
#undef LOAD_TILE
#undef STORE_TILE
#undef MULTIPLY_TILES
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f")))

AMX void ck_amx_begin(void) {
    // Palette 1: eight tiles of 16 rows of 64 bytes.
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } configuration = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&configuration);
}

AMX void ck_amx_end(void) { _tile_release(); }

AMX void ck_amx_columns(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t stride, const uint32_t *panel,
                        const float *start, size_t start_stride, float *c, size_t ldc) {
#define ZERO_TILE(t) _tile_zero(t)
#define LOAD_TILE(t, from, stride) _tile_loadd(t, from, 4 * (stride))
#define STORE_TILE(t, to, stride) _tile_stored(t, to, 4 * (stride))
#define MULTIPLY_TILES(s, x, y) _tile_dpbf16ps(s, x, y)
    AMX_BODY(ck_pair_columns)
}

#endif
