// The system header cblas.h, as Swift sees it.
#pragma once
#include <cblas.h>

// OpenBLAS extensions that its cblas.h does not always declare.
char *openblas_get_corename(void);
char *openblas_get_config(void);
void openblas_set_num_threads(int count);
int openblas_get_num_threads(void);
