// The TurboJPEG interface of libjpeg-turbo: it keeps libjpeg's longjmp to itself, which Swift could not cross.
#pragma once
#include <turbojpeg.h>
