#include "CImages.h"
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *next;
    size_t left;
    jmp_buf jump;
    int warnings;
    char *message;
} png_state;

static void on_error(png_structp png, png_const_charp text) {
    png_state *state = png_get_error_ptr(png);
    snprintf(state->message, CI_MESSAGE_SIZE, "%s", text);
    longjmp(state->jump, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)text;
    ((png_state *)png_get_error_ptr(png))->warnings += 1;
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    png_state *state = png_get_io_ptr(png);
    if (count > state->left) png_error(png, "the file is truncated");
    memcpy(out, state->next, count);
    state->next += count;
    state->left -= count;
}

// RGBA over white. The result is rounded to the nearest value; there are no ties, since 255 is odd.
static void compose(const uint8_t *rgba, uint8_t *rgb, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const unsigned alpha = rgba[4 * i + 3];
        const unsigned white = 255 * (255 - alpha) + 127;
        for (int c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)((rgba[4 * i + c] * alpha + white) / 255);
    }
}

// gAMA counts only where no better statement of the color space is there.
static void follow_gamma(png_structp png, png_infop info) {
    png_fixed_point gamma = 0;
    if (png_get_valid(png, info, PNG_INFO_sRGB) || png_get_valid(png, info, PNG_INFO_iCCP)) return;
    if (!png_get_gAMA_fixed(png, info, &gamma) || gamma <= 0) return;
    png_set_gamma_fixed(png, PNG_DEFAULT_sRGB, gamma);
}

int ci_png_decode(
    const uint8_t *bytes, size_t size, uint32_t width, uint32_t height, uint8_t *rgb, int *clean, char *message) {
    png_state state = {.next = bytes, .left = size, .message = message};
    png_infop volatile info = NULL;
    // What alpha needs: one row, or the whole image where its passes are interlaced.
    uint8_t *volatile rgba = NULL;
    volatile int has_image = 0;
    *clean = 0;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
    if (!png) {
        snprintf(message, CI_MESSAGE_SIZE, "libpng could not be started");
        return 0;
    }
    if (setjmp(state.jump)) {
        // Trouble after the last row costs the file its cleanness, not its image.
        png_infop taken = info;
        png_destroy_read_struct(&png, &taken, NULL);
        free(rgba);
        return has_image;
    }
    info = png_create_info_struct(png);
    if (!info) png_error(png, "no memory");
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_read_fn(png, &state, read_bytes);
    png_read_info(png, info);
    if (png_get_image_width(png, info) != width || png_get_image_height(png, info) != height)
        png_error(png, "its header is not the first chunk");

    follow_gamma(png, info);
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const int channels = png_get_channels(png, info);
    const size_t row = (size_t)width * channels;
    if ((channels != 3 && channels != 4) || png_get_rowbytes(png, info) != row) png_error(png, "unknown colors");

    const size_t kept = channels == 3 ? 0 : passes == 1 ? row : row * height;
    if (kept > 0 && !(rgba = malloc(kept))) png_error(png, "no memory");
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *out = rgb + 3 * (size_t)width * y;
            uint8_t *into = channels == 3 ? out : passes == 1 ? rgba : rgba + row * y;
            png_read_row(png, into, NULL);
            if (channels == 4 && pass == passes - 1) compose(into, out, width);
        }
    }
    has_image = 1;
    png_read_end(png, NULL);
    *clean = state.warnings == 0;
    png_infop taken = info;
    png_destroy_read_struct(&png, &taken, NULL);
    free(rgba);
    return 1;
}
