// The system header hdf5.h, as Swift sees it.
#pragma once
#include <hdf5.h>
