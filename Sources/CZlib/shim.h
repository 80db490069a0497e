// zlib hides its initializers behind macros that Swift does not see.
#pragma once
#include <zlib.h>

// Reads gzip members, whatever their window.
static inline int ck_z_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }

// Reads raw deflate, as ZIP archives have it.
static inline int ck_z_raw_inflate_init(z_stream *stream) { return inflateInit2(stream, -15); }
