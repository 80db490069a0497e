// Decoders whose libraries report errors by longjmp, which Swift cannot cross. Every jump begins and ends in C.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { CI_MESSAGE_SIZE = 256 };

// Decodes a PNG file to 8-bit sRGB, row by row, without row padding.
//
// 16-bit samples are divided by 257, transparency is composed over white with the stored (sRGB) values, gAMA is applied
// where neither sRGB nor iCCP overrides it; profiles, cHRM and bKGD are not followed.
//
// - width, height: as the file's header states them; anything else is an error.
// - rgb: a buffer for 3·width·height bytes.
// - clean: 1 if libpng had nothing to complain of, in the chunks after the image data too.
// Returns 1, or 0 with a message.
int ci_png_decode(
    const uint8_t *bytes, size_t size, uint32_t width, uint32_t height, uint8_t *rgb, int *clean,
    char message[CI_MESSAGE_SIZE]);

typedef struct {
    uint32_t width, height;
    // Whether the colors are CMYK or YCCK.
    int is_cmyk;
} ci_jpeg_info;

// Reads a JPEG file's header. Returns 1, or 0 with a message.
int ci_jpeg_header(const uint8_t *bytes, size_t size, ci_jpeg_info *info, char message[CI_MESSAGE_SIZE]);

// Decodes a JPEG file to 8-bit RGB, as stored (not rotated). Stray bytes between markers are skipped; missing or
// corrupt image data is an error. Parameters and result as for ci_png_decode.
int ci_jpeg_decode(
    const uint8_t *bytes, size_t size, uint32_t width, uint32_t height, uint8_t *rgb, char message[CI_MESSAGE_SIZE]);
