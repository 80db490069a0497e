// The softmax between two products of brain floats: probabilities are rounded as they are made, so that an exponential
// within 8e-5 is exact enough, and a row of them is half as long.
#include "CKernels.h"
#include "bfloat.h"

/// 2^y for y ≤ 0, by a polynomial of the third degree in what is left of y after rounding; 2^-126 for all below.
CK_INLINE v16 power_of_two(v16 y) {
    const v16 least = {-126, -126, -126, -126, -126, -126, -126, -126, -126, -126, -126, -126, -126, -126, -126, -126};
    u16v low = (u16v)(y < least);
    y = ck_floats((ck_bits(y) & ~low) | (ck_bits(least) & low));
    // Adding 1.5·2²³ rounds to an integer in the low bits.
    v16 shifted = y + 12582912.0f, f = y - (shifted - 12582912.0f);
    v16 p = ((0.05517144f * f + 0.24261081f) * f + 0.69326099f) * f + 0.99992809f;
    return ck_floats(ck_bits(p) + (ck_bits(shifted) << 23));
}

CK_INLINE float highest_of(const float *x, size_t n) {
    float top = x[0];
    size_t i = 0;
    if (n >= 16) {
        v16 m = LOAD(x);
        for (; i + 16 <= n; i += 16) m = __builtin_elementwise_max(m, LOAD(x + i));
        for (size_t l = 0; l < 16; l++) top = m[l] > top ? m[l] : top;
    }
    for (; i < n; i++) top = x[i] > top ? x[i] : top;
    return top;
}

/// Sixteen probabilities from 0 to 1, rounded to the nearest (ties upwards).
CK_INLINE void put(v16 p, uint32_t *to) {
    *(h16v *)to = __builtin_convertvector((ck_bits(p) + 0x8000u) >> 16, h16v);
}

CK_WIDE_LOOP(void, ck_pair_softmax, (const float *x, float s, float *top, float *total, uint32_t *p, size_t p_stride,
                                     float *out, size_t width, size_t out_stride, int first, size_t rows, size_t n,
                                     size_t stride),
                                    (x, s, top, total, p, p_stride, out, width, out_stride, first, rows, n, stride)) {
    const float log2e = 1.44269504088896341f;
    for (size_t r = 0; r < rows; r++, x += stride, p += p_stride, out += out_stride) {
        float highest = s * highest_of(x, n);
        if (!first && top[r] > highest) highest = top[r];
        const float slope = s * log2e, start = highest * log2e;
        v16 sums[2] = {{0}};
        size_t i = 0;
        for (; i + 32 <= n; i += 32) {
            v16 a = power_of_two(LOAD(x + i) * slope - start), b = power_of_two(LOAD(x + i + 16) * slope - start);
            sums[0] += a;
            sums[1] += b;
            put(a, p + i / 2);
            put(b, p + i / 2 + 8);
        }
        for (; i < n; i += 16) {
            // Past the end the probability is 0.
            float rest[16];
            size_t count = n - i < 16 ? n - i : 16;
            for (size_t l = 0; l < 16; l++) rest[l] = l < count ? x[i + l] : 0;
            v16 a = power_of_two(LOAD(rest) * slope - start);
            STORE(rest, a);
            for (size_t l = count; l < 16; l++) rest[l] = 0;
            sums[0] += LOAD(rest);
            put(LOAD(rest), p + i / 2);
        }
        v16 both = sums[0] + sums[1];
        float sum = 0;
        for (size_t l = 0; l < 16; l++) sum += both[l];
        if (first) total[r] = sum;
        else {
            float keep = ck_exp(top[r] - highest);
            total[r] = total[r] * keep + sum;
            for (size_t j = 0; j < width; j++) out[j] *= keep;
        }
        top[r] = highest;
    }
}
