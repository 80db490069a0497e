import CPNG
import CZstd
package func pngVersion() -> UInt32 { png_access_version_number() }
