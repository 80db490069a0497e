// The system header zstd.h, as Swift sees it.
#pragma once
#include <zstd.h>
