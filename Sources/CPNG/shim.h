// libpng reports errors by longjmp, which Swift cannot cross: Codecs uses the simplified API only.
// The system header png.h, as Swift sees it.
#pragma once
#include <png.h>
