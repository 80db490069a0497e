// Brain floats: the upper half of a float32. Two of them that a product multiplies one after the other lie in 32 bits, the
// first in the lower half.
#pragma once
#include "vector.h"

typedef uint32_t u16v __attribute__((vector_size(64), aligned(4)));
typedef uint16_t h16v __attribute__((vector_size(32), aligned(2)));

CK_INLINE u16v ck_bits(v16 x) {
    u16v bits;
    memcpy(&bits, &x, 64);
    return bits;
}

CK_INLINE v16 ck_floats(u16v bits) {
    v16 x;
    memcpy(&x, &bits, 64);
    return x;
}

/// To the nearest brain float, ties to even, in the upper halves; the lower halves are 0. Like vcvtneps2bf16 it takes
/// denormal numbers for zero and keeps NaN.
CK_INLINE u16v ck_round_bits(v16 x) {
    u16v bits = ck_bits(x), size = bits & 0x7fffffffu;
    u16v rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    u16v nan = (u16v)(size > 0x7f800000u), denormal = (u16v)(size < 0x00800000u);
    rounded = (rounded & ~nan) | ((bits | 0x00400000u) & nan);
    return ((rounded & ~denormal) | (bits & 0x80000000u & denormal)) & 0xffff0000u;
}

/// Pairs of `low` and `high`, lane by lane.
CK_INLINE u16v ck_round_pairs(v16 low, v16 high) { return (ck_round_bits(low) >> 16) | ck_round_bits(high); }

CK_INLINE v16 ck_low(u16v pairs) { return ck_floats(pairs << 16); }
CK_INLINE v16 ck_high(u16v pairs) { return ck_floats(pairs & 0xffff0000u); }

CK_INLINE h16v ck_round(v16 x) { return __builtin_convertvector(ck_round_bits(x) >> 16, h16v); }

CK_INLINE uint32_t ck_round_one(float x) {
    uint32_t bits, size, rounded;
    memcpy(&bits, &x, 4);
    size = bits & 0x7fffffffu;
    rounded = size > 0x7f800000u ? bits | 0x00400000u : bits + 0x7fffu + ((bits >> 16) & 1u);
    return (size < 0x00800000u ? bits & 0x80000000u : rounded) >> 16;
}

CK_INLINE void ck_transpose_pairs(u16v r[16]) {
    v16 x[16];
#pragma unroll
    for (int i = 0; i < 16; i++) x[i] = ck_floats(r[i]);
    ck_transpose16(x);
#pragma unroll
    for (int i = 0; i < 16; i++) r[i] = ck_bits(x[i]);
}
