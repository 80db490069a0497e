// libjpeg reports errors by longjmp, which Swift cannot cross: CImages calls it, Swift never does.
#pragma once
#include <stddef.h>
#include <stdio.h>
#include <jpeglib.h>
