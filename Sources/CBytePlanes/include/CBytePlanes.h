// The bytes of 4-byte values, plane by plane, as HDF5's shuffle filter lays them out.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The first bytes of n 4-byte values to out[0..<n], the second ones to out[n..<2n], and so on.
void cbp_split(const uint8_t *in, uint8_t *out, size_t n);
/// n 4-byte values from their four planes.
void cbp_join(const uint8_t *p0, const uint8_t *p1, const uint8_t *p2, const uint8_t *p3, uint8_t *out, size_t n);

#pragma clang assume_nonnull end
