// Between pair_gemm.c and amx.c. Rows and panels of one or two vectors of columns; `start` is what sums begin with, or null.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// By AVX-512's pairs.
void ck_pair_columns(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t stride, const uint32_t *panel,
                     const float *start, size_t start_stride, float *c, size_t ldc);
/// By tiles, between ck_amx_begin and ck_amx_end on the same thread.
void ck_amx_columns(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t stride, const uint32_t *panel,
                    const float *start, size_t start_stride, float *c, size_t ldc);
void ck_amx_begin(void);
void ck_amx_end(void);
