#include "CKernels.h"
#include "vector.h"
#include <math.h>

CK_CLONES void ck_adamw(float *w, const float *g, float *m, float *v, size_t n, float gscale, float lr, float beta1,
                        float beta2, float eps, float decay, float correction1, float correction2) {
    const float step = lr / correction1, root = 1.0f / sqrtf(correction2), keep = 1.0f - lr * decay;
    for (size_t i = 0; i < n; i++) {
        float d = g[i] * gscale;
        m[i] += (1.0f - beta1) * (d - m[i]);
        v[i] = beta2 * v[i] + (1.0f - beta2) * d * d;
        w[i] = w[i] * keep - step * m[i] / (sqrtf(v[i]) * root + eps);
    }
}
