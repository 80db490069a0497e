// The system header hdf5.h, as Swift sees it.
#pragma once
#include <hdf5.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

// Macros that open the library before they name an object do not reach Swift: functions in their place.
static inline hid_t ck_h5_type_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t ck_h5_type_float64(void) { return H5T_IEEE_F64LE; }
static inline hid_t ck_h5_type_uint8(void) { return H5T_STD_U8LE; }
static inline hid_t ck_h5_type_int32(void) { return H5T_STD_I32LE; }
static inline hid_t ck_h5_type_int64(void) { return H5T_STD_I64LE; }
static inline hid_t ck_h5_type_c_string(void) { return H5T_C_S1; }
static inline hid_t ck_h5_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t ck_h5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t ck_h5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t ck_h5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t ck_h5_link_create(void) { return H5P_LINK_CREATE; }
static inline unsigned ck_h5_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned ck_h5_exclusive(void) { return H5F_ACC_EXCL; }
static inline unsigned ck_h5_read_only(void) { return H5F_ACC_RDONLY; }

// What a file driver must say of itself whatever it does; newer releases count the versions of the structure.
static inline void ck_h5_driver_class(H5FD_class_t *driver) {
#ifdef H5FD_CLASS_VERSION
    driver->version = H5FD_CLASS_VERSION;
    driver->value = (H5FD_class_value_t)400;
#endif
    // Metadata and raw data each keep their own free space.
    const H5FD_mem_t kinds[] = H5FD_FLMAP_DICHOTOMY;
    for (int kind = 0; kind < H5FD_MEM_NTYPES; kind++) driver->fl_map[kind] = kinds[kind];
}
