// libwebp returns its errors, so Swift calls it directly.
#pragma once
#include <webp/decode.h>
#include <webp/encode.h>
