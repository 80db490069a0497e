import CHDF5
import CZstd
package func hdf5Version() -> String {
    var a: UInt32 = 0, b: UInt32 = 0, c: UInt32 = 0; H5get_libversion(&a, &b, &c); return "\(a).\(b).\(c)"
}
