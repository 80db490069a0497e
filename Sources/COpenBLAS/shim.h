// The system header cblas.h, as Swift sees it.
#pragma once
#include <cblas.h>

// OpenBLAS extensions that its cblas.h does not always declare.
char *openblas_get_corename(void);
char *openblas_get_config(void);
void openblas_set_num_threads(int count);
int openblas_get_num_threads(void);

// LAPACK's symmetric solvers, which OpenBLAS contains; its Fortran interface takes everything by address.
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
