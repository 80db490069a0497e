// The system header zstd.h, as Swift sees it.
#pragma once
#define ZSTD_STATIC_LINKING_ONLY // Declares the parameter below; only functions of the stable interface are called.
#include <zstd.h>

/// The parameter that says whether literals are entropy-coded.
static inline ZSTD_cParameter ck_zstd_literal_coding(void) { return ZSTD_c_literalCompressionMode; }
static inline int ck_zstd_enabled(void) { return ZSTD_ps_enable; }
