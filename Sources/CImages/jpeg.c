#include "CImages.h"
#include <setjmp.h>
#include <stdio.h>
// After stdio.h, which it forgets to include.
#include <jpeglib.h>
#include <jerror.h>

// Progressive files may claim thousands of scans, each as expensive as the whole image.
static const int largest_scan_count = 500;

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    char *message;
} jpeg_failure;

static void fail(jpeg_failure *failure, const char *text) {
    snprintf(failure->message, CI_MESSAGE_SIZE, "%s", text);
    longjmp(failure->jump, 1);
}

static void on_error(j_common_ptr image) {
    char text[JMSG_LENGTH_MAX];
    image->err->format_message(image, text);
    fail((jpeg_failure *)image->err, text);
}

// Warnings of missing or corrupt data are errors; what leaves the image intact is not.
static void on_message(j_common_ptr image, int level) {
    if (level >= 0) return;
    switch (image->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_BOGUS_ICC:
        return;
    default:
        on_error(image);
    }
}

static void on_output(j_common_ptr image) { (void)image; }

static void on_progress(j_common_ptr image) {
    if (image->is_decompressor && ((j_decompress_ptr)image)->input_scan_number > largest_scan_count)
        fail((jpeg_failure *)image->err, "it has too many scans");
}

static void start(struct jpeg_decompress_struct *image, jpeg_failure *failure, char *message) {
    image->err = jpeg_std_error(&failure->base);
    failure->base.error_exit = on_error;
    failure->base.emit_message = on_message;
    failure->base.output_message = on_output;
    failure->message = message;
}

int ci_jpeg_header(const uint8_t *bytes, size_t size, ci_jpeg_info *info, char *message) {
    struct jpeg_decompress_struct image = {0};
    jpeg_failure failure;
    start(&image, &failure, message);
    if (setjmp(failure.jump)) {
        jpeg_destroy_decompress(&image);
        return 0;
    }
    jpeg_create_decompress(&image);
    jpeg_mem_src(&image, bytes, size);
    jpeg_read_header(&image, TRUE);
    info->width = image.image_width;
    info->height = image.image_height;
    info->is_cmyk = image.jpeg_color_space == JCS_CMYK || image.jpeg_color_space == JCS_YCCK;
    jpeg_destroy_decompress(&image);
    return 1;
}

int ci_jpeg_decode(
    const uint8_t *bytes, size_t size, uint32_t width, uint32_t height, uint8_t *rgb, char *message) {
    struct jpeg_decompress_struct image = {0};
    struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
    jpeg_failure failure;
    start(&image, &failure, message);
    if (setjmp(failure.jump)) {
        jpeg_destroy_decompress(&image);
        return 0;
    }
    jpeg_create_decompress(&image);
    image.progress = &progress;
    jpeg_mem_src(&image, bytes, size);
    jpeg_read_header(&image, TRUE);
    image.out_color_space = JCS_RGB;
    image.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&image);
    if (image.output_width != width || image.output_height != height || image.output_components != 3)
        fail(&failure, "its frames do not fit each other");
    while (image.output_scanline < height) {
        JSAMPROW row = rgb + 3 * (size_t)width * image.output_scanline;
        jpeg_read_scanlines(&image, &row, 1);
    }
    jpeg_finish_decompress(&image);
    jpeg_destroy_decompress(&image);
    return 1;
}
