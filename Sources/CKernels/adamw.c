#include "CKernels.h"
#include "vector.h"
#include <math.h>

CK_LOOP(void, ck_adamw, (const float *restrict w, const float *restrict g, const float *restrict m,
                         const float *restrict v, float *restrict new_w, float *restrict new_m, float *restrict new_v,
                         size_t n, float gscale, float lr, float beta1, float beta2, float eps, float decay,
                         float correction1, float correction2),
                        (w, g, m, v, new_w, new_m, new_v, n, gscale, lr, beta1, beta2, eps, decay, correction1,
                         correction2)) {
    const float step = lr / correction1, root = 1.0f / sqrtf(correction2), keep = 1.0f - lr * decay;
    for (size_t i = 0; i < n; i++) {
        float d = g[i] * gscale;
        new_m[i] = m[i] + (1.0f - beta1) * (d - m[i]);
        new_v[i] = beta2 * v[i] + (1.0f - beta2) * d * d;
        new_w[i] = w[i] * keep - step * new_m[i] / (__builtin_elementwise_sqrt(new_v[i]) * root + eps);
    }
}
