import CHDF5

/// The number types that datasets hold, always little-endian in the file.
package protocol HDF5Element: BitwiseCopyable, Sendable {
    static var hdf5Type: Int64 { get }
}

extension Float: HDF5Element { package static var hdf5Type: Int64 { ck_h5_type_float32() } }
extension Double: HDF5Element { package static var hdf5Type: Int64 { ck_h5_type_float64() } }
extension UInt8: HDF5Element { package static var hdf5Type: Int64 { ck_h5_type_uint8() } }
extension Int32: HDF5Element { package static var hdf5Type: Int64 { ck_h5_type_int32() } }
extension Int64: HDF5Element { package static var hdf5Type: Int64 { ck_h5_type_int64() } }

extension HDF5Element {
    /// What a reader must find in the file.
    static var stored: StoredType {
        let bytes = MemoryLayout<Self>.stride
        return switch self {
        case is Float.Type, is Double.Type: .float(bytes: bytes)
        case is UInt8.Type: .integer(bytes: bytes, signed: false)
        default: .integer(bytes: bytes, signed: true)
        }
    }
}
