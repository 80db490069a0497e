// Sixteen-bit floats, as checkpoints have them.
#include "CKernels.h"
#include "vector.h"

CK_INLINE float from_bfloat(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, 4);
    return y;
}

CK_INLINE float from_half(uint16_t x) {
    _Float16 y;
    memcpy(&y, &x, 2);
    return (float)y;
}

CK_LOOP(void, ck_widen_bfloat, (const uint16_t *x, float *out, size_t n), (x, out, n)) {
    for (size_t i = 0; i < n; i++) out[i] = from_bfloat(x[i]);
}

CK_LOOP(void, ck_widen_half, (const uint16_t *x, float *out, size_t n), (x, out, n)) {
    for (size_t i = 0; i < n; i++) out[i] = from_half(x[i]);
}

CK_LOOP(int, ck_narrow_bfloat, (const float *x, uint16_t *out, size_t n), (x, out, n)) {
    uint32_t lost = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        lost |= bits & 0xffff;
        out[i] = (uint16_t)(bits >> 16);
    }
    return lost == 0;
}

CK_LOOP(int, ck_narrow_half, (const float *x, uint16_t *out, size_t n), (x, out, n)) {
    int lost = 0;
    for (size_t i = 0; i < n; i++) {
        _Float16 y = (_Float16)x[i];
        memcpy(out + i, &y, 2);
        lost |= (float)y != x[i];
    }
    return !lost;
}
