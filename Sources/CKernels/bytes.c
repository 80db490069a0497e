#include "include/CKernels.h"
#include "vector.h"

CK_CLONES void ck_split_bytes(const uint8_t *in, uint8_t *out, size_t n) {
    uint8_t *p0 = out, *p1 = out + n, *p2 = out + 2 * n, *p3 = out + 3 * n;
    for (size_t i = 0; i < n; i++) {
        p0[i] = in[4 * i];
        p1[i] = in[4 * i + 1];
        p2[i] = in[4 * i + 2];
        p3[i] = in[4 * i + 3];
    }
}

CK_CLONES void ck_join_bytes(const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const uint8_t *p3, uint8_t *out,
                             size_t n) {
    for (size_t i = 0; i < n; i++) {
        out[4 * i] = p0[i];
        out[4 * i + 1] = p1[i];
        out[4 * i + 2] = p2[i];
        out[4 * i + 3] = p3[i];
    }
}
